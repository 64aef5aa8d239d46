package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// skewed is a workspace whose member lib compiles ex.com/c, while app uses a
// package of ex.com/two that does not: only the workspace selects the c that
// two requires.
const skewed = `
-- go.work --
go 1.22

use (
	./app
	./lib
)
-- app/go.mod --
module ex.com/app

go 1.22

require ex.com/two v1.0.0
-- app/app.go --
package app

import _ "ex.com/two/leaf"
-- lib/go.mod --
module ex.com/lib

go 1.21

require ex.com/c v1.0.1
-- lib/lib.go --
package lib

import _ "ex.com/c"
`

const two = `
-- ex.com/two@v1.0.0/go.mod --
module ex.com/two

go 1.21

require ex.com/c v1.0.1
-- ex.com/two@v1.0.0/leaf/leaf.go --
package leaf
-- ex.com/two@v1.0.0/heavy/heavy.go --
package heavy

import _ "ex.com/c"
-- ex.com/two@v1.1.0/go.mod --
module ex.com/two

go 1.21

require ex.com/c v1.2.0
-- ex.com/two@v1.1.0/leaf/leaf.go --
package leaf
-- ex.com/two@v1.1.0/heavy/heavy.go --
package heavy

import _ "ex.com/c"
`

func newSkewed(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, "")
	writeProxy(t, w.proxy, two)
	writeTree(t, w.root, skewed)
	w.tidy(filepath.Join(w.root, "lib"))
	w.tidy(filepath.Join(w.root, "app"))
	return w
}

func (w *world) workSums(quiet []workLoad) workSumsResult {
	w.t.Helper()
	params := map[string]any{"work": filepath.Join(w.root, "go.work")}
	if quiet != nil {
		params["quiet"] = quiet
	}
	res, f := ask[workSumsResult](w, "worksums", params)
	if f != nil {
		w.t.Fatalf("%+v", f)
	}
	return res
}

// raiseTwo raises two in app, as `go get` there does without its workspace.
func (w *world) raiseTwo() {
	w.t.Helper()
	app := filepath.Join(w.root, "app")
	if _, err := w.job().work(w.t.Context(), app, "get", "ex.com/two@v1.1.0"); err != nil {
		w.t.Fatal(err)
	}
	w.tidy(app)
}

func TestWhatIsQuietBeforeARaiseIsQuietAfterIt(t *testing.T) {
	w := newSkewed(t)
	quiet := w.workSums(nil).Quiet
	if len(quiet) == 0 || quiet[0].What != "test" || strings.Join(quiet[0].Members, " ") != "app lib" {
		t.Fatalf("quiet before the raise are %+v", quiet)
	}
	w.raiseTwo()
	if loud := w.workSums(nil).Quiet; len(loud) >= len(quiet) && len(loud[0].Members) == 2 {
		t.Fatalf("nothing is loud after the raise: %+v", loud)
	}
	if w.exists("go.work.sum") {
		t.Fatal("asking left a go.work.sum")
	}
	if res := w.workSums(quiet); res.Added == 0 {
		t.Fatal("nothing was added")
	}
	sums := w.read("go.work.sum")
	for _, line := range []string{"ex.com/c v1.2.0 h1:", "ex.com/c v1.2.0/go.mod h1:"} {
		if !strings.Contains(sums, line) {
			t.Errorf("go.work.sum lacks %s:\n%s", line, sums)
		}
	}
	if again := w.workSums(quiet); again.Added != 0 || w.read("go.work.sum") != sums {
		t.Errorf("a second time added %d lines", again.Added)
	}
}

func TestNoLineOfAGoWorkSumIsLost(t *testing.T) {
	w := newSkewed(t)
	quiet := w.workSums(nil).Quiet
	// The first one is in a go.sum as well, and the go command would drop it.
	own := strings.SplitAfter(w.read("lib/go.sum"), "\n")[0] + "ex.com/zero v0.1.0 h1:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=\n"
	write(t, filepath.Join(w.root, "go.work.sum"), own)
	w.raiseTwo()
	w.workSums(quiet)
	sums := w.read("go.work.sum")
	for _, line := range strings.SplitAfter(own, "\n") {
		if !strings.Contains(sums, line) {
			t.Errorf("lost %s from\n%s", line, sums)
		}
	}
	if !strings.Contains(sums, "ex.com/c v1.2.0 h1:") {
		t.Errorf("nothing was added to\n%s", sums)
	}
}

func TestALoadThatWritesBeforeARaiseIsLeftToWhoeverRunsIt(t *testing.T) {
	w := newSkewed(t)
	w.raiseTwo()
	for _, load := range w.workSums(nil).Quiet {
		for _, member := range load.Members {
			if member == "lib" {
				t.Errorf("lib writes go.work.sum, and is said to be quiet: %+v", load)
			}
		}
	}
}

func TestLinesAreAddedWhereTheGoCommandWouldSortThem(t *testing.T) {
	for _, c := range [][2]string{
		{"a v1.0.0 h1:1\nc v1.0.0 h1:3\n", "a v1.0.0 h1:1\nb v1.0.0 h1:2\nb v1.0.0/go.mod h1:2\nc v1.0.0 h1:3\n"},
		{"a v1.0.0 h1:1\r\nc v1.0.0 h1:3\r\n", "a v1.0.0 h1:1\r\nb v1.0.0 h1:2\r\nb v1.0.0/go.mod h1:2\r\nc v1.0.0 h1:3\r\n"},
		{"a v1.0.0 h1:1", "a v1.0.0 h1:1\nb v1.0.0 h1:2\nb v1.0.0/go.mod h1:2\n"},
		{"", "b v1.0.0 h1:2\nb v1.0.0/go.mod h1:2\n"},
	} {
		if got := string(withSums([]byte(c[0]), []string{"b v1.0.0/go.mod h1:2", "b v1.0.0 h1:2"})); got != c[1] {
			t.Errorf("%q became %q", c[0], got)
		}
	}
}

func (w *world) exists(name string) bool {
	_, err := os.Stat(filepath.Join(w.root, name))
	return err == nil
}
