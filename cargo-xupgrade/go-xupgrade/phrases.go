package main

import (
	"regexp"
	"strings"
)

// This file holds the words of the go command, and of the programs that it
// calls (git, its HTTP client), which the companion reads. The texts were seen
// with go1.25 to go1.27; classify_test.go has recorded ones.

// goMark begins what the go command says of itself.
const goMark = "go: "

// A rule maps words of the go command to a code.
type rule struct {
	code  string
	words *regexp.Regexp
}

// rules are tried in order: a cause comes before what it leads to. A module
// that cannot be reached, for example, also leaves its packages unprovided.
var rules = []rule{
	{codeTimeout, regexp.MustCompile(`^no answer within `)}, // our own words, see exec
	{codeTooYoung, regexp.MustCompile(tooYoungWords)},
	{codeSumLocal, regexp.MustCompile(`checksum mismatch(?s:.*)go\.sum:\s`)},
	{codeSumDB, regexp.MustCompile(`checksum mismatch|SECURITY ERROR`)},
	{codeSumDBUnreachable, regexp.MustCompile(`verifying (module|go\.mod|.*@.*): .*(/lookup/|/sumdb/|/tile/)`)},
	{codeOffline, regexp.MustCompile(`module lookup disabled by GOPROXY=off`)},
	{codeGoTooNew, regexp.MustCompile(`requires go ?(>=|@)|toolchain not available|maximum supported Go version`)},
	{codeVersionConflict, regexp.MustCompile(`requires \S+@\S+, (not|but) \S+`)},
	{codePathMismatch, regexp.MustCompile(`module declares its path as|has post-v\d+ module path|should be v0 or v1, not v\d|has malformed module path|invalid version: module contains a go\.mod file`)},
	{codeAmbiguousImport, regexp.MustCompile(`ambiguous import`)},
	{codeVendorStale, regexp.MustCompile(`inconsistent vendoring|using the vendor directory`)},
	{codeParse, regexp.MustCompile(`errors parsing|malformed go\.sum|unknown directive|malformed module path`)},
	{codeAuth, regexp.MustCompile(`401 Unauthorized|403 Forbidden|407 Proxy|terminal prompts disabled|GOVCS disallows|refusing to pass credentials|Permission denied \(publickey|Authentication failed`)},
	{codeNetwork, regexp.MustCompile(`\b5\d\d [A-Z][a-z]+|429 Too Many|dial tcp|i/o timeout|TLS handshake|connection (reset|refused)|Could not resolve host|unable to access|zip: not a valid zip file|unexpected EOF|no such host|Client\.Timeout|context deadline exceeded|x509:|invalid character .* looking for|proxy returned invalid`)},
	{codePackageGone, regexp.MustCompile(`no required module provides package|does not contain package|cannot find module providing package|is not in std|cannot find package`)},
	{codeAuth, regexp.MustCompile(`exit status 128`)},
	{codeNotFound, regexp.MustCompile(`unknown revision|404 Not Found|410 Gone|no matching versions|invalid version|no such file or directory|unrecognized import path|not found`)},
	{codeUntidy, regexp.MustCompile(`missing go\.sum entry|updates to go\.mod needed|updates to go\.sum needed`)},
}

// chatter is what the go command says about its progress, not about a failure.
var chatter = regexp.MustCompile(`^go: (downloading|finding|found|upgraded|downgraded|added|removed|warning:|extracting) ?`)

// moduleAt finds the first module@version of a message.
var moduleAt = regexp.MustCompile(`([A-Za-z0-9][A-Za-z0-9._~/-]*\.[A-Za-z0-9._~/-]+)@(v[0-9][A-Za-z0-9.+_-]*)`)

// blamed finds what a line of the go command blames: it begins with the package,
// or the module@version, that could not be had ("go: " is off already). The
// lines before it end in " imports" or " requires" and only lead there.
var blamed = regexp.MustCompile(`(?m)^\s*([^\s:@"]+)(?:@[^\s:]+)?: `)

// viewSaid is how the go command begins to repeat the proxy view's words: with
// an address that is another one each time and tells nobody anything.
var viewSaid = regexp.MustCompile(`reading http://127\.0\.0\.1:\d+/view-\S+: \d+ [A-Za-z ]+\n\tserver response: `)

// nobodyHas are the words of the failures upon which the go command goes on to
// the next proxy, or to a shorter path (errors.Is(err, fs.ErrNotExist) there).
var nobodyHas = regexp.MustCompile(`404 Not Found|410 Gone|no such file or directory|unrecognized import path|module lookup disabled|not found|could not read Username|unknown revision`)

// namesModule is how the go command begins words about one module.
func namesModule(path string) string { return "module " + path + ": " }

// speaksOf says whether an error of go list concerns a package within the
// module itself, or the module as the one that lacks it.
func speaksOf(text, module string) bool {
	return strings.Contains(text, "package "+module+"/") || strings.Contains(text, "module "+module+" ")
}
