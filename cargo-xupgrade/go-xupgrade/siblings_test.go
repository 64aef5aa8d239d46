package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// leaning is a workspace whose member app takes ex.com/big from beside it.
const leaning = `
-- go.work --
go 1.22

use (
	./app
	./own/big
)

replace ex.com/own v0.0.0 => ./own/big
-- app/go.mod --
module ex.com/app

go 1.22

require ex.com/a v1.0.0
-- app/app.go --
package app

import (
	_ "ex.com/a"
	_ "ex.com/own"
)
-- own/big/go.mod --
module ex.com/own

go 1.21
-- own/big/big.go --
package own
-- own/big/fresh/fresh.go --
package fresh
`

// alone writes the workspace with other files of app in it, and tidies app.
func (w *world) alone(more string) *failure {
	w.t.Helper()
	writeTree(w.t, w.root, leaning)
	writeTree(w.t, w.root, more)
	app := filepath.Join(w.root, "app")
	if _, err := w.job().run(w.t.Context(), app, lookupLimit, nil, "list", "-deps", "./..."); err != nil {
		w.t.Fatalf("the workspace does not load: %v", err)
	}
	return w.refused(codeOnlyInWork, map[string]any{"dir": app, "work": filepath.Join(w.root, "go.work")})
}

func TestASiblingThatOnlyTheWorkspaceKnowsIsNamedWithTheLineThatMendsIt(t *testing.T) {
	for name, more := range map[string]string{
		"no requirement": "",
		"a requirement that was never published": `
-- app/go.mod --
module ex.com/app

go 1.22

require (
	ex.com/a v1.0.0
	ex.com/own v0.0.0
)
`,
	} {
		w := newWorld(t, "")
		f := w.alone(more)
		for _, words := range []string{"app/go.mod alone", "ex.com/own (in own/big)", "only go.work does", "`go mod edit -replace=ex.com/own=../own/big`", " in app,"} {
			if !strings.Contains(f.Message, words) {
				t.Errorf("%s: the message lacks %q: %s", name, words, f.Message)
			}
		}
	}
}

func TestASiblingThatLiesAheadOfItsReleaseIsNamedToo(t *testing.T) {
	w := newWorld(t, "")
	writeProxy(t, w.proxy, "-- ex.com/own@v1.0.0/go.mod --\nmodule ex.com/own\n-- ex.com/own@v1.0.0/big.go --\npackage own\n")
	f := w.alone(`
-- app/go.mod --
module ex.com/app

go 1.22

require ex.com/own v1.0.0
-- app/app.go --
package app

import _ "ex.com/own/fresh"
`)
	if !strings.Contains(f.Message, "-replace=ex.com/own=../own/big") {
		t.Errorf("the message is %s", f.Message)
	}
}

func TestWhatNobodyHasIsNotBlamedOnTheWorkspace(t *testing.T) {
	w := newWorld(t, "")
	writeTree(t, w.root, leaning)
	writeTree(t, w.root, "-- app/app.go --\npackage app\n\nimport _ \"ex.com/nowhere\"\n")
	more := map[string]any{"dir": filepath.Join(w.root, "app"), "work": filepath.Join(w.root, "go.work")}
	if f := w.refused(codePackageGone, more); strings.Contains(f.Message, "go.work") {
		t.Errorf("the message is %s", f.Message)
	}
}

func TestWhatAWorkspaceBuildsIsFetchedThoughAMemberAloneIsNotWhole(t *testing.T) {
	w := newWorld(t, "")
	writeTree(t, w.root, leaning)
	writeTree(t, w.root, "-- app/go.mod --\nmodule ex.com/app\n\ngo 1.22\n\nrequire (\n\tex.com/a v1.0.0\n\tex.com/own v0.0.0\n)\n")
	dir := map[string]any{"dir": filepath.Join(w.root, "app")}
	if res, f := ask[fetchResult](w, "fetch", dir); f != nil || res.Packages == 0 {
		t.Errorf("fetched %+v (%+v)", res, f)
	}
	w.env["GOMODCACHE"], w.env["GOPROXY"] = t.TempDir(), "http://127.0.0.1:1"
	if _, f := ask[fetchResult](w, "fetch", dir); f == nil || f.Code != codeNetwork || strings.Contains(f.Message, w.root) {
		t.Errorf("what the workspace itself lacks is passed over, or told by the clone's path: %+v", f)
	}
}
