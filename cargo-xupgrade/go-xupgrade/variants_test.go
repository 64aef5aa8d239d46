package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const outsideRepo = `
-- go.mod --
module ex.com/m

go 1.21.0

require (
	ex.com/a v1.0.0
	ex.com/a/sub v1.0.0
	ex.com/c v1.0.1
)

ignore ./left
-- m.go --
package m
-- sys_windows.go --
package m

import _ "ex.com/c"

var X = 1
-- sys_windows_test.go --
package m

import _ "ex.com/a/deep"

var Y = 1
-- other.go --
//go:build !linux && !windows

package m

import "ex.com/c/x"

var X = x.X
-- screen.go --
//go:build screen || windows

package m

import "ex.com/a/sub/x"

var Z = x.X
-- two.go --
//go:build one && (two || three) && !four

package m

import "ex.com/c"

var T = c.V
-- wasm.go --
//go:build js

package m

import "ex.com/c"

var W = c.V
-- std_windows.go --
package m

import _ "os"
-- generate.go --
//go:build ignore

package main

import _ "ex.com/c"
-- race.go --
//go:build race

package m

import _ "ex.com/c"
-- tools/tools.go --
//go:build tools

package tools

import (
	_ "ex.com/a/cmd/a"
	_ "ex.com/c/gen"
	_ "os"
)
-- left/x_windows.go --
package left

import _ "ex.com/c"
-- testdata/x_windows.go --
package x

import _ "ex.com/c"
-- nested/go.mod --
module ex.com/m/nested
-- nested/x_windows.go --
package nested

import _ "ex.com/c"
-- old.go --
// +build gone

package m

import "ex.com/c"

var O = c.V
`

func (v variant) String() string { return strings.TrimSpace(v.GOOS + " " + strings.Join(v.Tags, "+")) }

func (w *world) variants(also ...variant) variantsResult {
	w.t.Helper()
	w.env["GOOS"], w.env["GOARCH"] = "linux", "amd64"
	res, f := ask[variantsResult](w, "variants", map[string]any{"dir": w.root, "also": also})
	if f != nil {
		w.t.Fatalf("%+v", f)
	}
	return res
}

// said is one line for each file: its modules, tools and variants.
func (r variantsResult) said() []string {
	var lines []string
	for _, f := range r.Files {
		var ways []string
		for _, at := range f.Variants {
			ways = append(ways, r.Variants[at].String())
		}
		lines = append(lines, fmt.Sprintf("%s: %s%s by %s", f.File, strings.Join(f.Modules, " "), strings.Join(f.Tools, " "), strings.Join(ways, ", ")))
	}
	return lines
}

func TestFilesOutsideThePlainBuildComeWithTheFewestWishesThatCompileThem(t *testing.T) {
	w := newWorld(t, "")
	writeTree(t, w.root, outsideRepo)
	res := w.variants()
	if !res.Plain {
		t.Error("m.go is compiled by a plain build")
	}
	want := []string{
		"generate.go: ex.com/c by ",
		"old.go: ex.com/c by gone",
		"other.go: ex.com/c by darwin, freebsd, openbsd, netbsd, dragonfly, solaris, illumos, plan9",
		"race.go: ex.com/c by ",
		"screen.go: ex.com/a/sub by screen, windows",
		"sys_windows.go: ex.com/c by windows",
		"sys_windows_test.go: ex.com/a by windows",
		"tools/tools.go: ex.com/a ex.com/cex.com/a/cmd/a ex.com/c/gen by tools",
		"two.go: ex.com/c by one+three, one+two",
		"wasm.go: ex.com/c by ",
	}
	if got := res.said(); !slices.Equal(got, want) {
		t.Errorf("the files are\n%s\nand not\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	wasm := res.Files[len(res.Files)-1]
	if wasm.Wants != "//go:build js" {
		t.Errorf("wasm.go wants %q", wasm.Wants)
	}
}

func TestBuildsThatSomebodyDoesAlreadyComeFirst(t *testing.T) {
	w := newWorld(t, "")
	writeTree(t, w.root, outsideRepo)
	res := w.variants(variant{Tags: []string{"screen", "gone"}})
	for _, f := range res.Files {
		if covered := slices.Contains(f.Variants, 0); covered != (f.File == "screen.go" || f.File == "old.go") {
			t.Errorf("%s: %v", f.File, f.Variants)
		}
	}
}

func TestTagsInGOFLAGSAreThoseOfThePlainBuild(t *testing.T) {
	w := newWorld(t, "")
	writeTree(t, w.root, outsideRepo)
	w.env["GOFLAGS"] += " -tags=screen,gone"
	for _, f := range w.variants().Files {
		if f.File == "screen.go" || f.File == "old.go" {
			t.Errorf("%s is compiled by a plain build", f.File)
		}
	}
}

func TestAModuleOfToolsAloneHasNoPlainBuild(t *testing.T) {
	w := newWorld(t, "")
	writeTree(t, w.root, `
-- go.mod --
module ex.com/tools

go 1.21.0

require ex.com/a v1.0.0
-- tools.go --
//go:build tools

package tools

import _ "ex.com/a/cmd/a"
`)
	res := w.variants()
	if res.Plain || len(res.Files) != 1 || strings.Join(res.Files[0].Tools, " ") != "ex.com/a/cmd/a" {
		t.Errorf("%+v", res)
	}
}
