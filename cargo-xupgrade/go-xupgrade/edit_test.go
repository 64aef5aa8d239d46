package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

const editRepo = `
-- go.mod --
module ex.com/m

go 1.21.0

// what we build on
require (
	ex.com/a v1.0.0 // audited
	ex.com/c v1.0.1
)
-- m.go --
package m

import (
	_ "ex.com/a"
	_ "ex.com/c"
)
`

func TestEditRaisesAndReportsWhatIsDraggedAlong(t *testing.T) {
	w := newWorld(t, editRepo)
	res, f := w.edit(nil, "ex.com/a@v1.1.0")
	if f != nil {
		t.Fatalf("%+v", f)
	}
	if got := strings.Join(res.ChangedFiles, " "); got != "go.mod go.sum" {
		t.Errorf("changed files are %s", got)
	}
	if a := res.change("ex.com/a"); a == nil || a.From != "v1.0.0" || a.To != "v1.1.0" || a.Kind != "upgraded" || !a.Direct || a.Time == nil {
		t.Errorf("a changed %+v", a)
	}
	if c := res.change("ex.com/c"); c == nil || c.To != "v1.2.0" || c.Kind != "upgraded" {
		t.Errorf("c changed %+v", c)
	}
	if len(res.BuildList) != 2 || len(res.Go) != 0 || len(res.AddedByTidy) != 0 || res.Effective["ex.com/a"].Version != "v1.1.0" {
		t.Errorf("the result is %+v", res)
	}
	mod := w.read("go.mod")
	if !strings.Contains(mod, "ex.com/a v1.1.0 // audited") || !strings.Contains(mod, "// what we build on") || !strings.Contains(mod, "go 1.21.0\n") {
		t.Errorf("go.mod is now\n%s", mod)
	}
	sum := w.read("go.sum")
	for _, line := range []string{"ex.com/a v1.1.0 h1:", "ex.com/a v1.1.0/go.mod h1:", "ex.com/c v1.2.0 h1:", "ex.com/c v1.2.0/go.mod h1:"} {
		if !strings.Contains(sum, line) {
			t.Errorf("go.sum lacks %s", line)
		}
	}
}

// refused runs an edit that has to fail with a code and change no byte.
func (w *world) refused(code string, more map[string]any, raises ...string) *failure {
	w.t.Helper()
	before := w.tree()
	res, f := w.edit(more, raises...)
	if f == nil {
		w.t.Fatalf("the edit was done: %+v", res)
	}
	if f.Code != code {
		w.t.Errorf("the code is %s, not %s: %s", f.Code, code, f.Message)
	}
	if after := w.tree(); !reflect.DeepEqual(before, after) {
		w.t.Errorf("files changed: before %v, after %v", before, after)
	}
	return f
}

func TestEditRefusesAReleaseThatNeedsANewerGoLine(t *testing.T) {
	w := newWorld(t, editRepo)
	f := w.refused(codeGoTooNew, nil, "ex.com/a@v1.2.0")
	if f.Module != "ex.com/a" || f.Version != "v1.2.0" || f.Exit == nil || *f.Exit != 1 || f.Cmd[1] != "get" {
		t.Errorf("the failure is %+v", f)
	}
	w.refused(codeGoTooNew, map[string]any{"max_go": "1.99.0"}, "ex.com/a@v1.3.0")
	res, f := w.edit(map[string]any{"max_go": "1.23.0"}, "ex.com/a@v1.2.0")
	if f != nil || len(res.Go) != 1 || res.Go[0] != (lineChange{".", "1.21.0", "1.22.7"}) {
		t.Errorf("with permission the result is %+v (%v)", res, f)
	}
}

func TestEditGuardsAGoLineOfTwoPartsToo(t *testing.T) {
	w := newWorld(t, strings.Replace(editRepo, "go 1.21.0", "go 1.21", 1))
	w.refused(codeGoTooNew, nil, "ex.com/a@v1.2.0")
	if _, f := w.edit(nil, "ex.com/a@v1.1.0"); f != nil {
		t.Errorf("a release for the same go line is refused: %+v", f)
	}
}

func TestALineOfTwoPartsMayGainItsZeroAndNoLineElse(t *testing.T) {
	for line, highest := range map[string]string{"1.25": "1.25.0", "1.21": "1.21.0", "1.20": "1.20", "1.25.0": "1.25.0", "1.25rc1": "1.25rc1", "1.25.3": "1.25.3"} {
		if got := sameLanguage(line); got != highest {
			t.Errorf("the highest line for go %s is %s, not %s", line, got, highest)
		}
	}
}

func TestEditRefusesAReleaseWithoutAnImportedPackage(t *testing.T) {
	w := newWorld(t, `
-- go.mod --
module ex.com/m

go 1.21

require (
	ex.com/big v1.0.0
	ex.com/gone v1.0.0
)
-- m.go --
package m

import (
	_ "ex.com/big/x"
	_ "ex.com/gone/x"
)
`)
	f := w.refused(codePackageGone, nil, "ex.com/gone@v1.1.0")
	if !strings.Contains(f.Message, "ex.com/gone/x") {
		t.Errorf("the message is %s", f.Message)
	}
	// Here a still newer release has the package again, and tidy takes it.
	f = w.refused(codePackageGone, nil, "ex.com/big@v1.1.0")
	if !strings.Contains(f.Message, "v1.2.0") || f.Version != "v1.1.0" {
		t.Errorf("the failure is %+v", f)
	}
}

func TestEditNamesAModuleThatTidyAdds(t *testing.T) {
	w := newWorld(t, `
-- go.mod --
module ex.com/m

go 1.21

require ex.com/big v1.0.0
-- m.go --
package m

import (
	_ "ex.com/big"
	_ "ex.com/big/sub"
)
`)
	res, f := w.edit(nil, "ex.com/big@v1.2.0")
	if f != nil {
		t.Fatalf("%+v", f)
	}
	if len(res.AddedByTidy) != 1 || res.AddedByTidy[0].Path != "ex.com/big/sub" || res.AddedByTidy[0].Time.Format("2006-01-02") != "2025-07-01" {
		t.Errorf("added by tidy: %+v", res.AddedByTidy)
	}
	if c := res.change("ex.com/big/sub"); c == nil || c.Kind != "added" || c.To != "v0.1.0" {
		t.Errorf("sub changed %+v", c)
	}
}

func TestEditNamesAModuleThatTidyRaises(t *testing.T) {
	w := newWorld(t, `
-- go.mod --
module ex.com/m

go 1.21

require (
	ex.com/big v1.0.0
	ex.com/drag v1.0.0
)
-- m.go --
package m

import (
	_ "ex.com/big/x"
	_ "ex.com/drag"
)
`)
	// drag v1.1.0 needs big v1.1.0, which lacks x, so tidy goes on to v1.2.0.
	res, f := w.edit(nil, "ex.com/drag@v1.1.0")
	if f != nil || len(res.AddedByTidy) != 1 {
		t.Fatalf("the result is %+v (%v)", res, f)
	}
	if a := res.AddedByTidy[0]; a.Path != "ex.com/big" || a.From != "v1.1.0" || a.Version != "v1.2.0" {
		t.Errorf("raised by tidy: %+v", a)
	}
}

func TestEditShowsThatAReplaceMakesItANoOp(t *testing.T) {
	w := newWorld(t, editRepo)
	write(t, w.root+"/go.mod", w.read("go.mod")+"\nreplace ex.com/c => ex.com/c v1.0.1\n")
	w.tidy(w.root)
	res, f := w.edit(nil, "ex.com/c@v1.2.0")
	if f != nil {
		t.Fatalf("%+v", f)
	}
	c := res.Effective["ex.com/c"]
	if c.Version != "v1.2.0" || c.Replaced == nil || c.Replaced.Version != "v1.0.1" || !c.NoOp {
		t.Errorf("c is effectively %+v", c)
	}
}

func TestEditSaysWhenItLowersSomething(t *testing.T) {
	w := newWorld(t, editRepo)
	if _, f := w.edit(nil, "ex.com/a@v1.1.0"); f != nil {
		t.Fatalf("%+v", f)
	}
	res, f := w.edit(nil, "ex.com/c@v1.0.1")
	if f != nil {
		t.Fatalf("%+v", f)
	}
	if a := res.change("ex.com/a"); a == nil || a.Kind != "downgraded" {
		t.Errorf("a changed %+v", a)
	}
}

func TestEditRefusesVersionsThatContradictEachOther(t *testing.T) {
	w := newWorld(t, editRepo)
	w.refused(codeVersionConflict, nil, "ex.com/a@v1.1.0", "ex.com/c@v1.0.1")
}

func TestEditRefusesAMovedAndAnUnknownRelease(t *testing.T) {
	w := newWorld(t, editRepo)
	w.refused(codePathMismatch, nil, "ex.com/moved@v1.1.0")
	w.refused(codeNotFound, nil, "ex.com/a@v1.7.0")
}

const monorepo = `
-- lib/go.mod --
module ex.com/lib

go 1.21

require ex.com/a v1.0.0
-- lib/lib.go --
package lib

import _ "ex.com/a"
-- app/go.mod --
module ex.com/app

go 1.21

require ex.com/lib v0.0.0

replace ex.com/lib => ../lib
-- app/app.go --
package app

import _ "ex.com/lib"
`

func (w *world) editLib(more map[string]any, raise string) (editResult, *failure) {
	more["dir"] = filepath.Join(w.root, "lib")
	more["dependents"] = []string{filepath.Join(w.root, "app")}
	return w.edit(more, raise)
}

func TestEditTidiesDependentsByLocalReplace(t *testing.T) {
	w := newWorld(t, monorepo)
	res, f := w.editLib(map[string]any{}, "ex.com/a@v1.1.0")
	if f != nil {
		t.Fatalf("%+v", f)
	}
	if got := strings.Join(res.ChangedFiles, " "); got != "app/go.mod app/go.sum lib/go.mod lib/go.sum" {
		t.Errorf("changed files are %s", got)
	}
	if !strings.Contains(w.read("app/go.mod"), "ex.com/a v1.1.0 // indirect") {
		t.Errorf("app/go.mod is now\n%s", w.read("app/go.mod"))
	}
	j := w.job()
	if _, err := j.work(t.Context(), filepath.Join(w.root, "app"), "build", "./..."); err != nil {
		t.Errorf("app does not build alone: %v", err)
	}
}

func TestEditPutsTheDependentsBackToo(t *testing.T) {
	w := newWorld(t, monorepo)
	// app imports what nobody provides, so only its own tidy fails.
	write(t, filepath.Join(w.root, "app", "gone.go"), "package app\n\nimport _ \"ex.com/nowhere\"\n")
	before := w.tree()
	_, f := w.editLib(map[string]any{}, "ex.com/a@v1.1.0")
	if f == nil || f.Code != codePackageGone || !strings.Contains(f.Message, "app/go.mod") {
		t.Errorf("the failure is %+v", f)
	}
	if !reflect.DeepEqual(before, w.tree()) {
		t.Error("files changed")
	}
}

func TestEditKeepsTheGoLineOfTheWorkspaceInStep(t *testing.T) {
	w := newWorld(t, monorepo)
	work := "// both halves\r\ngo 1.21 // as low as can be\r\n\r\nuse ./app\r\nuse ./lib\r\n"
	write(t, filepath.Join(w.root, "go.work"), work)
	w.env["GOWORK"] = filepath.Join(w.root, "go.work")
	res, f := w.editLib(map[string]any{"max_go": "1.23.0", "work": filepath.Join(w.root, "go.work")}, "ex.com/a@v1.2.0")
	if f != nil {
		t.Fatalf("%+v", f)
	}
	if res.WorkGo == nil || *res.WorkGo != (lineChange{".", "1.21", "1.22.7"}) {
		t.Errorf("go.work changed %+v", res.WorkGo)
	}
	if got := w.read("go.work"); got != strings.Replace(work, "go 1.21", "go 1.22.7", 1) {
		t.Errorf("go.work is now %q", got)
	}
	if len(res.Go) != 2 {
		t.Errorf("go lines changed %+v", res.Go)
	}
	j := w.job()
	if _, err := j.run(t.Context(), filepath.Join(w.root, "app"), j.limit, nil, "build", "./..."); err != nil {
		t.Errorf("the workspace does not build: %v", err)
	}
	if _, err := os.Stat(filepath.Join(w.root, "go.work.sum")); err == nil {
		t.Error("a go.work.sum was written")
	}
}

func TestEditKeepsTheLineEndsOfACRLFFile(t *testing.T) {
	w := newWorld(t, editRepo)
	write(t, w.root+"/go.mod", strings.ReplaceAll(w.read("go.mod"), "\n", "\r\n"))
	if _, f := w.edit(nil, "ex.com/a@v1.1.0"); f != nil {
		t.Fatalf("%+v", f)
	}
	mod := w.read("go.mod")
	if !strings.Contains(mod, "ex.com/a v1.1.0 // audited\r\n") || strings.Count(mod, "\n") != strings.Count(mod, "\r\n") {
		t.Errorf("go.mod is now %q", mod)
	}
	if strings.Contains(w.read("go.sum"), "\r") {
		t.Error("go.sum had LF line ends")
	}
}

func TestEditShowsBothHashesOfAChecksumMismatch(t *testing.T) {
	w := newWorld(t, editRepo)
	wrong := "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	write(t, w.root+"/go.sum", w.read("go.sum")+"ex.com/a v1.1.0 "+wrong+"\n")
	f := w.refused(codeSumLocal, nil, "ex.com/a@v1.1.0")
	if !strings.Contains(f.Message, wrong) || !strings.Contains(f.Message, "downloaded: h1:") {
		t.Errorf("the message is %s", f.Message)
	}
}

func TestEditRefusesConflictMarkersAndVendoring(t *testing.T) {
	w := newWorld(t, editRepo)
	sum := w.read("go.sum")
	write(t, w.root+"/go.sum", sum+"<<<<<<< HEAD\n")
	w.refused(codeParse, nil, "ex.com/a@v1.1.0")
	write(t, w.root+"/go.sum", sum)
	write(t, w.root+"/vendor/modules.txt", "")
	w.refused(codeVendorStale, nil, "ex.com/a@v1.1.0")
}

func TestEditIgnoresModFlagsOfTheUser(t *testing.T) {
	w := newWorld(t, editRepo)
	w.env["GOFLAGS"] = "-modcacherw -mod=vendor -modfile=/nowhere/go.mod"
	if _, f := w.edit(nil, "ex.com/a@v1.1.0"); f != nil {
		t.Errorf("%+v", f)
	}
	res, f := ask[helloResult](w, "hello", map[string]any{})
	if f != nil || strings.Join(res.GoFlagsKept, " ") != "-modcacherw" || len(res.GoFlagsDropped) != 2 {
		t.Errorf("hello says %+v (%v)", res, f)
	}
}

func TestEditWithoutARaiseShowsWhatIsUntidy(t *testing.T) {
	w := newWorld(t, editRepo)
	res, f := w.edit(nil)
	if f != nil || len(res.ChangedFiles) != 0 {
		t.Errorf("a tidy module gives %+v (%v)", res, f)
	}
	write(t, w.root+"/m.go", "package m\n\nimport _ \"ex.com/c\"\n")
	res, f = w.edit(nil)
	if a := res.change("ex.com/a"); f != nil || a == nil || a.Kind != "removed" {
		t.Errorf("an untidy module gives %+v (%v)", res, f)
	}
}

func TestBothKindsOfHashesHaveToBeThere(t *testing.T) {
	w := newWorld(t, editRepo)
	f, err := readMod(w.root+"/go.mod", "go.mod")
	if err != nil {
		t.Fatal(err)
	}
	e := &editing{job: w.job(), p: editParams{Root: w.root}, mods: map[string]*modfile.File{w.root: f}}
	if err := e.complete(t.Context(), w.root); err != nil {
		t.Fatalf("a complete module: %v", err)
	}
	sum := w.read("go.sum")
	for _, kind := range []string{"ex.com/c v1.0.1 h1:", "ex.com/c v1.0.1/go.mod h1:"} {
		start := strings.Index(sum, kind)
		end := start + strings.Index(sum[start:], "\n") + 1
		write(t, w.root+"/go.sum", sum[:start]+sum[end:])
		if err := e.complete(t.Context(), w.root); err == nil || asFailure(err).Code != codeUntidy {
			t.Errorf("without %s the error is %v", kind, err)
		}
	}
}
