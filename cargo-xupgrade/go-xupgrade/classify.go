package main

import (
	"errors"
	"regexp"
	"strings"
)

// The codes that an error may carry. The Rust side branches on these and on
// nothing else; messages are for people.
const (
	codeParse            = "parse"
	codeUntidy           = "untidy"
	codeGoTooNew         = "go_too_new"
	codeToolchainMissing = "toolchain_missing"
	codeVersionConflict  = "version_conflict"
	codeNotFound         = "not_found"
	codeAuth             = "auth"
	codeNetwork          = "network"
	codeOffline          = "offline"
	codeSumLocal         = "sum_mismatch_local"
	codeSumDB            = "sum_mismatch_db"
	codeSumDBUnreachable = "sumdb_unreachable"
	codePackageGone      = "package_gone"
	codeAmbiguousImport  = "ambiguous_import"
	codePathMismatch     = "path_mismatch"
	codeVendorStale      = "vendor_stale"
	codeTooYoung         = "too_young"
	codeTimeout          = "timeout"
	codeCancelled        = "cancelled"
	codeUnsupported      = "unsupported"
	codeExcluded         = "excluded"
	codeInternal         = "internal"
)

// A failure is an error with a code that the caller can branch on.
type failure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	// Module and Version name the module that the message is about, if one
	// could be told from it.
	Module  string `json:"module,omitempty"`
	Version string `json:"version,omitempty"`
	// Cmd is the go command as a person would type it, Exit its exit code.
	Cmd        []string `json:"cmd,omitempty"`
	Exit       *int     `json:"exit,omitempty"`
	StderrTail string   `json:"stderr_tail,omitempty"`
	Retryable  bool     `json:"retryable"`
}

func (f *failure) Error() string { return f.Message }

// asFailure finds the typed failure in err. An error without one was never
// foreseen, so its code is internal.
func asFailure(err error) *failure {
	var f *failure
	if !errors.As(err, &f) {
		return &failure{Code: codeInternal, Message: err.Error()}
	}
	// Words that were wrapped around the failure belong to the message.
	if err.Error() != f.Message {
		wrapped := *f
		wrapped.Message = err.Error()
		return &wrapped
	}
	return f
}

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

// classify gives the code for what a go command said, codeInternal when none
// of the known texts is in it.
func classify(text string) string {
	for _, r := range rules {
		if r.words.MatchString(text) {
			return r.code
		}
	}
	return codeInternal
}

// retryable says whether the same request may well succeed a minute later.
func retryable(code string) bool {
	return code == codeNetwork || code == codeTimeout || code == codeSumDBUnreachable
}

// chatter is what the go command says about its progress, not about a failure.
var chatter = regexp.MustCompile(`^go: (downloading|finding|found|upgraded|downgraded|added|removed|warning:|extracting) ?`)

// moduleAt finds the first module@version of a message.
var moduleAt = regexp.MustCompile(`([A-Za-z0-9][A-Za-z0-9._~/-]*\.[A-Za-z0-9._~/-]+)@(v[0-9][A-Za-z0-9.+_-]*)`)

// viewSaid is how the go command begins to repeat the proxy view's words: with
// an address that is another one each time and tells nobody anything.
var viewSaid = regexp.MustCompile(`reading http://127\.0\.0\.1:\d+/view-\S+: \d+ [A-Za-z ]+\n\tserver response: `)

// saying turns a go command's stderr, or the Error.Err of one of its objects,
// into a failure without command and exit code.
func saying(text string) *failure {
	var kept []string
	for _, line := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		if line = strings.TrimRight(line, " \t"); line != "" && !chatter.MatchString(line) {
			kept = append(kept, strings.TrimPrefix(line, "go: "))
		}
	}
	message := viewSaid.ReplaceAllString(strings.Join(kept, "\n"), "")
	f := &failure{Code: classify(message), Message: clip(message, 2000)}
	f.Retryable = retryable(f.Code)
	if m := moduleAt.FindStringSubmatch(message); m != nil {
		f.Module, f.Version = m[1], strings.TrimRight(m[2], ".")
	}
	return f
}

// clip keeps the first n bytes of a message that ran away.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + " ..."
}

// tail keeps the last n bytes of s.
func tail(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return "... " + strings.ToValidUTF8(s[len(s)-n:], "")
}
