package main

import "testing"

// The texts are what go1.25 to go1.27 print.
func TestGoCommandsWordsBecomeCodes(t *testing.T) {
	for text, code := range map[string]string{
		"go: ex.com/a@v1.3.0 requires go >= 1.99.0 (running go 1.26.6; GOTOOLCHAIN=local)":                                                         codeGoTooNew,
		"go: ex.com/a@v1.2.0 requires go@1.25.3, not go@1.24.0":                                                                                    codeGoTooNew,
		"go: ex.com/a@v1.2.0 requires go@1.25.3, but 1.21 is requested":                                                                            codeGoTooNew,
		"go: ex.com/a@v1.1.0 requires ex.com/c@v1.2.0, not ex.com/c@v1.0.0":                                                                        codeVersionConflict,
		"go: ex.com/a@v9.9.9: invalid version: unknown revision v9.9.9":                                                                            codeNotFound,
		"go: ex.com/a@v9: no matching versions for query \"v9\"":                                                                                   codeNotFound,
		"reading https://p/x/@v/list: 404 Not Found":                                                                                               codeNotFound,
		"reading https://p/x/@v/list: 403 Forbidden\n\tserver response: This module version is not available.":                                     codeAuth,
		"fatal: could not read Username for 'https://example.com': terminal prompts disabled":                                                      codeAuth,
		"reading https://p/x/@v/list: 503 Service Unavailable":                                                                                     codeNetwork,
		"Get \"https://p/x/@v/list\": dial tcp 127.0.0.1:1: connect: connection refused":                                                           codeNetwork,
		"ex.com/x@v1.0.0: zip: not a valid zip file":                                                                                               codeNetwork,
		"module lookup disabled by GOPROXY=off":                                                                                                    codeOffline,
		"verifying ex.com/a@v1.0.0: checksum mismatch\n\tdownloaded: h1:a\n\tgo.sum:     h1:b\n\nSECURITY ERROR":                                   codeSumLocal,
		"verifying ex.com/a@v1.0.0: checksum mismatch\n\tdownloaded: h1:a\n\tsum.golang.org: h1:b\n\nSECURITY ERROR":                               codeSumDB,
		"verifying module: ex.com/a@v1.0.0: reading https://sum.example/lookup/ex.com/a@v1.0.0: 500 Internal Server Error":                         codeSumDBUnreachable,
		"missing go.sum entry for module providing package ex.com/a":                                                                               codeUntidy,
		"go: updates to go.mod needed; to update it:\n\tgo mod tidy":                                                                               codeUntidy,
		"m.go:2:8: no required module provides package ex.com/bigonly/x; to add it:\n\tgo get ex.com/bigonly/x":                                    codePackageGone,
		"module ex.com/bigonly@latest found (v1.1.0), but does not contain package ex.com/bigonly/x":                                               codePackageGone,
		"cannot find module providing package ex.com/x: module ex.com/x: reading https://p/ex.com/x/@v/list: 503 Service Unavailable":              codeNetwork,
		"ex.com/big/sub: ambiguous import: found package ex.com/big/sub in multiple modules":                                                       codeAmbiguousImport,
		"parsing go.mod:\n\tmodule declares its path as: ex.org/renamed\n\t        but was required as: ex.com/badpath":                            codePathMismatch,
		"invalid version: should be v0 or v1, not v2":                                                                                              codePathMismatch,
		"go: inconsistent vendoring in /r:\n\tex.com/a@v1.1.0: is explicitly required in go.mod, but not marked as explicit in vendor/modules.txt": codeVendorStale,
		"go: errors parsing go.mod:\ngo.mod:31: unknown directive: garbage":                                                                        codeParse,
		"malformed go.sum: go.sum:3: wrong number of fields 2":                                                                                     codeParse,
		"something nobody has seen": codeInternal,
	} {
		if got := saying(text); got.Code != code {
			t.Errorf("%q is %s, not %s", text, got.Code, code)
		}
	}
}

func TestAFailureNamesItsModuleAndLeavesProgressOut(t *testing.T) {
	f := saying("go: downloading ex.com/b v1.0.0\ngo: ex.com/a@v1.2.0 requires go@1.25.3, not go@1.24.0\n")
	if f.Module != "ex.com/a" || f.Version != "v1.2.0" || f.Message != "ex.com/a@v1.2.0 requires go@1.25.3, not go@1.24.0" {
		t.Errorf("the failure is %+v", f)
	}
}
