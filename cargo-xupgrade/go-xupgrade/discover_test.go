package main

import (
	"strings"
	"testing"
)

func discovered(t *testing.T, repo string, manifests, works []string) discoverResult {
	t.Helper()
	w := &world{t: t, root: t.TempDir(), env: map[string]string{}}
	writeTree(t, w.root, repo)
	res, f := ask[discoverResult](w, "discover", map[string]any{"root": w.root, "manifests": manifests, "works": works})
	if f != nil {
		t.Fatalf("discover: %s", f.Message)
	}
	return res
}

func TestDiscoverPutsDependentsAfterWhatTheyReplace(t *testing.T) {
	res := discovered(t, `
-- app/go.mod --
module ex.com/app
go 1.24
require ex.com/lib v0.0.0
replace ex.com/lib => ../lib
-- lib/go.mod --
module ex.com/lib
go 1.24.0
toolchain go1.24.5
require ex.com/zlib v0.0.0
replace ex.com/zlib => ../zlib/
-- zlib/go.mod --
module ex.com/zlib
-- zlib/vendor/modules.txt --
`, []string{"app/go.mod", "lib/go.mod", "zlib/go.mod"}, nil)
	if got := strings.Join(res.Order, " "); got != "zlib lib app" {
		t.Errorf("order is %q", got)
	}
	lib := res.Modules[1]
	if lib.Dir != "lib" || lib.Go != "1.24.0" || lib.Toolchain != "go1.24.5" || lib.LocalReplaces[0] != "zlib" || lib.Vendored != "none" {
		t.Errorf("lib is %+v", lib)
	}
	if res.Modules[2].Vendored != "module" {
		t.Errorf("zlib is %+v", res.Modules[2])
	}
}

func TestDiscoverReadsWorkspacesAndTheirOrder(t *testing.T) {
	res := discovered(t, `
-- go.work --
go 1.24.0
use (
	./svc
	./base
)
-- vendor/modules.txt --
## workspace
-- svc/go.mod --
module ex.com/svc
require ex.com/zbase v1.0.0
-- base/go.mod --
module ex.com/zbase
`, []string{"base/go.mod", "svc/go.mod"}, []string{"go.work"})
	ws := res.Workspaces[0]
	if ws.File != "go.work" || ws.Go != "1.24.0" || strings.Join(ws.Members, " ") != "base svc" {
		t.Errorf("workspace is %+v", ws)
	}
	if got := strings.Join(res.Order, " "); got != "base svc" || res.Modules[0].Vendored != "workspace" {
		t.Errorf("order is %q, base is %+v", got, res.Modules[0])
	}
}

func TestDiscoverKeepsABrokenModuleToItself(t *testing.T) {
	res := discovered(t, `
-- go.mod --
module ex.com/m

go 1.24
garbage
-- sum/go.mod --
module ex.com/sum
-- sum/go.sum --
ex.com/a v1.0.0 h1:AAAA=
<<<<<<< HEAD
ex.com/a v1.1.0 h1:AAAA=
-- short/go.mod --
module ex.com/short
-- short/go.sum --
ex.com/a v1.0.0
-- fine/go.mod --
module ex.com/fine
-- w/go.work --
use ./x y
-- w/x/go.mod --
module ex.com/x
`, []string{"go.mod", "sum/go.mod", "short/go.mod", "fine/go.mod", "w/x/go.mod"}, []string{"w/go.work"})
	want := map[string]string{".": "go.mod:4: unknown directive: garbage", "sum": "sum/go.sum:2: conflict marker", "short": "short/go.sum:1: malformed", "fine": "", "w/x": "w/go.work:1:"}
	for _, m := range res.Modules {
		switch text := want[m.Dir]; {
		case text == "" && m.Problem != nil:
			t.Errorf("%s has a problem: %s", m.Dir, m.Problem.Message)
		case text != "" && (m.Problem == nil || m.Problem.Code != codeParse || !strings.Contains(m.Problem.Message, text)):
			t.Errorf("%s has the problem %+v, not %q", m.Dir, m.Problem, text)
		}
	}
	if len(res.Order) != 5 {
		t.Errorf("order is %v", res.Order)
	}
}

// A module that is held is not surveyed: what it asks for by name has to be
// known from here.
func TestDiscoverListsWhatAModuleAsksForByName(t *testing.T) {
	res := discovered(t, `
-- go.mod --
module ex.com/m
go 1.99
require (
	ex.com/z v1.2.0
	ex.com/a/v2 v2.0.1
	ex.com/far v0.1.0 // indirect
	ex.com/gen v1.0.0 // indirect
)
require ex.com/here v0.0.0
replace ex.com/here => ./here
tool ex.com/gen/cmd/gen
-- go.sum --
<<<<<<< HEAD
-- bad/go.mod --
module ex.com/bad
require ex.com/z v1.2.0
garbage
-- none/go.mod --
module ex.com/none
`, []string{"go.mod", "bad/go.mod", "none/go.mod"}, nil)
	want := map[string]string{
		".":    "ex.com/a/v2 v2.0.1 direct, ex.com/gen v1.0.0 tool, ex.com/here v0.0.0 direct, ex.com/z v1.2.0 direct",
		"bad":  "",
		"none": "",
	}
	for _, m := range res.Modules {
		lines := []string{}
		for _, r := range m.Requirements {
			lines = append(lines, r.Path+" "+r.Version+" "+r.Kind)
		}
		if got := strings.Join(lines, ", "); got != want[m.Dir] || m.Requirements == nil {
			t.Errorf("%s asks for %q", m.Dir, got)
		}
	}
}

func TestDiscoverEndsOnACircleOfReplaces(t *testing.T) {
	res := discovered(t, `
-- a/go.mod --
module ex.com/a
replace ex.com/b => ../b
-- b/go.mod --
module ex.com/b
replace ex.com/a => ../a
`, []string{"b/go.mod", "a/go.mod"}, nil)
	if got := strings.Join(res.Order, " "); got != "b a" {
		t.Errorf("order is %q", got)
	}
}
