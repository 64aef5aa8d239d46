package main

import (
	"errors"
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
	codeOnlyInWork       = "only_in_work"
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

// saying turns a go command's stderr, or the Error.Err of one of its objects,
// into a failure without command and exit code.
func saying(text string) *failure {
	var kept []string
	for _, line := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		if line = strings.TrimRight(line, " \t"); line != "" && !chatter.MatchString(line) {
			kept = append(kept, strings.TrimPrefix(line, goMark))
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
