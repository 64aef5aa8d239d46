package main

import (
	"context"
	"errors"
	"fmt"
	goversion "go/version"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

type editParams struct {
	// Dir is the module's directory, Root the clone it lies in; both absolute.
	Dir  string `json:"dir"`
	Root string `json:"root"`
	// Raises are asked for in one command: what must move together does.
	// Without any, the edit only tidies, which shows what is untidy already.
	Raises []moduleVersion `json:"raises"`
	// Dependents are the modules that reach this one by a local replace,
	// absolute, each after those that it depends on itself.
	Dependents []string `json:"dependents"`
	// Work is the go.work file over the module, absolute; empty for none.
	Work string `json:"work"`
	// MaxGo is the highest go line that may result. Empty: each module keeps
	// the line it has.
	MaxGo string `json:"max_go"`
	// View is the rule on ages for what go get and go mod tidy choose by
	// themselves; nil for none.
	View *viewRule `json:"view"`
}

type editResult struct {
	ChangedFiles []string            `json:"changed_files"`
	Changes      []change            `json:"changes"`
	Go           []lineChange        `json:"go"`
	Toolchain    []lineChange        `json:"toolchain"`
	BuildList    []move              `json:"build_list"`
	Effective    map[string]selected `json:"effective"`
	AddedByTidy  []addition          `json:"added_by_tidy"`
	// Unpruned says that go.mod does not list all that a build compiles: below
	// go 1.17 the build list is the only record of what came along.
	Unpruned     bool          `json:"unpruned"`
	LostReplaces []lostReplace `json:"lost_replaces"`
	WorkGo       *lineChange   `json:"work_go,omitempty"`
}

// An editing is one edit at work.
type editing struct {
	*job
	p      editParams
	dirs   []string // the module, then its dependents
	before snapshot
	mods   map[string]*modfile.File // go.mod files from before, by directory
	// limits are the go lines that may result, by directory.
	limits map[string]string
	// proxy is what GOPROXY says while something is resolved; "" to leave it.
	proxy string
}

// edit raises requirements in a clone, tidies, and reads back everything that
// moved. When it fails, every file has the bytes from before.
func (j *job) edit(ctx context.Context, p editParams) (*editResult, error) {
	e := &editing{job: j, p: p, before: snapshot{}, mods: map[string]*modfile.File{}, limits: map[string]string{}}
	e.dirs = append([]string{filepath.Clean(p.Dir)}, p.Dependents...)
	if err := e.prepare(ctx); err != nil {
		return nil, err
	}
	res, err := e.do(ctx)
	if err != nil {
		if undo := e.before.putBack(); undo != nil {
			// The clone is no longer what the caller thinks it is.
			return nil, &failure{Code: codeInternal, Message: fmt.Sprintf("%v; and putting the files back failed: %v", err, undo)}
		}
		return nil, err
	}
	return res, nil
}

// prepare reads everything that is needed to judge and to undo the edit.
func (e *editing) prepare(ctx context.Context) error {
	for _, dir := range e.dirs {
		f, err := readMod(filepath.Join(dir, "go.mod"), e.name(dir, "go.mod"))
		if err != nil {
			return err
		}
		if err := checkSum(filepath.Join(dir, "go.sum"), e.name(dir, "go.sum")); err != nil {
			return err
		}
		setup, err := e.setup(ctx, dir)
		if err != nil {
			return err
		}
		line := goLine(f)
		if err := runsHere(setup.Version, line); err != nil {
			return err
		}
		if info, err := os.Stat(filepath.Join(dir, "vendor")); err == nil && info.IsDir() {
			return &failure{Code: codeVendorStale,
				Message: fmt.Sprintf("%s vendors its dependencies, and raising one would leave vendor/ stale; vendored modules cannot be edited yet", e.name(dir, "go.mod"))}
		}
		e.mods[dir], e.limits[dir] = f, sameLanguage(line)
		if e.p.MaxGo != "" && goversion.Compare("go"+e.p.MaxGo, "go"+e.limits[dir]) > 0 {
			e.limits[dir] = e.p.MaxGo
		}
		if err := e.before.take(filepath.Join(dir, "go.mod"), filepath.Join(dir, "go.sum")); err != nil {
			return err
		}
	}
	if e.p.Work != "" {
		return e.before.take(e.p.Work, e.p.Work+".sum")
	}
	return nil
}

// do is the edit itself, step by step.
func (e *editing) do(ctx context.Context) (*editResult, error) {
	dir := e.dirs[0]
	listBefore, err := e.buildList(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("reading the build list before the edit: %w", err)
	}
	before, err := e.guardedLists(ctx, "before")
	if err != nil {
		return nil, err
	}
	done, err := e.view(ctx, listBefore)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := e.get(ctx); err != nil {
		return nil, err
	}
	// What tidy adds by itself is told from what the raise brought by what
	// was in the build list in between.
	listBetween, err := e.buildList(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("reading the build list after go get: %w", err)
	}
	for i, d := range e.dirs {
		if err := e.tidy(ctx, d); err != nil {
			return nil, fmt.Errorf("tidying %s: %w", e.name(d, "go.mod"), e.onlyInWork(d, err))
		}
		if err := e.goLineKept(d); err != nil {
			return nil, err
		}
		if err := e.raisesKept(d); err != nil {
			return nil, err
		}
		e.report(i+1, len(e.dirs), "tidied")
	}
	workGo, err := e.raiseWork()
	if err != nil {
		return nil, err
	}
	if err := e.before.restoreCRLF(); err != nil {
		return nil, err
	}
	if err := e.keepText(); err != nil {
		return nil, err
	}
	for _, d := range e.dirs {
		if err := e.complete(ctx, d); err != nil {
			return nil, fmt.Errorf("loading the packages of %s after the edit: %w", e.name(d, "go.mod"), err)
		}
	}
	listAfter, err := e.buildList(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("reading the build list after the edit: %w", err)
	}
	after, err := e.guardedLists(ctx, "after")
	if err != nil {
		return nil, err
	}
	before[dir], after[dir] = listBefore, listAfter
	lost, err := e.against(before, after)
	if err != nil {
		return nil, err
	}
	res, err := e.compare(listBefore, listBetween, listAfter)
	if err != nil {
		return nil, err
	}
	res.WorkGo, res.LostReplaces = workGo, lost
	res.Unpruned = goversion.Compare("go"+goLine(e.mods[dir]), "go1.17") < 0
	return res, nil
}

// get asks for all raises at once. With a full go line in the same command,
// a release that needs a newer Go fails it and nothing is written. A line of
// two parts cannot be asked for (it would be a query, and x.y.0 would rewrite
// it), so goLineKept judges those afterwards.
func (e *editing) get(ctx context.Context) error {
	if len(e.p.Raises) == 0 {
		return nil
	}
	args := []string{"get"}
	for _, r := range e.p.Raises {
		args = append(args, r.Path+"@"+r.Version)
	}
	dir := e.dirs[0]
	line := goLine(e.mods[dir])
	if strings.Count(line, ".") == 2 && e.limits[dir] == line {
		args = append(args, "go@"+line)
	}
	if _, err := e.resolve(ctx, dir, args...); err != nil {
		return fmt.Errorf("raising in %s: %w", e.name(dir, "go.mod"), err)
	}
	return nil
}

// tidy tidies one module. A go.mod without a go line means go 1.16, and tidy
// would write the newest Go there is into it; so it is told that line, and the
// line is taken out again.
func (e *editing) tidy(ctx context.Context, dir string) error {
	if e.mods[dir].Go != nil {
		_, err := e.resolve(ctx, dir, "mod", "tidy")
		return err
	}
	if _, err := e.resolve(ctx, dir, "mod", "tidy", "-go="+goLine(e.mods[dir])); err != nil {
		return err
	}
	f, err := readMod(filepath.Join(dir, "go.mod"), e.name(dir, "go.mod"))
	if err != nil || goLine(f) != goLine(e.mods[dir]) {
		// Another line is judged by goLineKept.
		return err
	}
	f.DropGoStmt()
	f.Cleanup()
	return os.WriteFile(filepath.Join(dir, "go.mod"), modfile.Format(f.Syntax), 0o644)
}

// goLineKept refuses a go line above what is allowed.
func (e *editing) goLineKept(dir string) error {
	f, err := readMod(filepath.Join(dir, "go.mod"), e.name(dir, "go.mod"))
	if err != nil {
		return err
	}
	now, limit := goLine(f), e.limits[dir]
	if now == limit || goversion.Compare("go"+now, "go"+limit) <= 0 {
		return nil
	}
	return &failure{Code: codeGoTooNew,
		Message: fmt.Sprintf("%s would say go %s, and go %s is the highest that is allowed there", e.name(dir, "go.mod"), now, limit)}
}

// sameLanguage is the highest go line that means what a line means: one of
// two parts names a language, whose first release says the same with a .0
// (go.dev/doc/toolchain, "Go versions"). Go before 1.21 had no such order.
func sameLanguage(line string) string {
	if goversion.Lang("go"+line) == "go"+line && goversion.Compare("go"+line, "go1.21") >= 0 {
		return line + ".0"
	}
	return line
}

// raisesKept refuses an end above what was asked for. go get stops at the
// version asked; when that one lacks a package that is imported, tidy takes
// the newest release instead, without a word.
func (e *editing) raisesKept(dir string) error {
	f, err := readMod(filepath.Join(dir, "go.mod"), e.name(dir, "go.mod"))
	if err != nil {
		return err
	}
	for _, r := range e.p.Raises {
		was, now := required(e.mods[dir], r.Path), required(f, r.Path)
		if now == was || semver.Compare(now, r.Version) <= 0 {
			continue
		}
		return &failure{Code: codePackageGone, Module: r.Path, Version: r.Version,
			Message: fmt.Sprintf("%s@%s lacks a package that is imported: go mod tidy went on to %s in %s", r.Path, r.Version, now, e.name(dir, "go.mod"))}
	}
	return nil
}

// required is the version of a path in a go.mod, empty when it is not there.
func required(f *modfile.File, path string) string {
	for _, r := range f.Require {
		if r.Mod.Path == path {
			return r.Mod.Version
		}
	}
	return ""
}

// goLine is the go version of a go.mod; without a go line it is 1.16.
func goLine(f *modfile.File) string {
	if f.Go == nil {
		return "1.16"
	}
	return f.Go.Version
}

// completeFormat prints only what is wrong with a package.
const completeFormat = `{{with .Error}}{{.Err}}{{"\n\x00"}}{{end}}`

// complete checks that go.mod and go.sum hold all that a build needs, outside
// of any workspace: there, go.work.sum could hide a hash that is missing here.
// A package that does not load on this system is not our business.
func (e *editing) complete(ctx context.Context, dir string) error {
	out, err := e.work(ctx, dir, "list", "-deps", "-test", "-e", "-mod=readonly", "-f", completeFormat, "./...")
	if err != nil {
		return err
	}
	for _, text := range strings.Split(string(out), "\x00") {
		switch f := saying(text); f.Code {
		case codeUntidy, codePackageGone, codeAmbiguousImport, codeSumLocal, codeSumDB, codeNetwork, codeAuth:
			if e.provided(dir, text) {
				return f
			}
		}
	}
	return nil
}

// provided says whether the failing package is one that the edit must answer
// for. Code that is generated, and not in git, is missing before as well, and
// lies in the module itself.
func (e *editing) provided(dir, text string) bool {
	own := e.mods[dir].Module.Mod.Path
	return !speaksOf(text, own)
}

// raiseWork keeps the go line of go.work at least as high as that of each
// edited module; else every command in the workspace fails. Only the bytes of
// the version change. `go work sync` is never used: it leaves go.sum files
// incomplete (golang/go#81127).
func (e *editing) raiseWork() (*lineChange, error) {
	if e.p.Work == "" {
		return nil, nil
	}
	name := e.name(filepath.Dir(e.p.Work), filepath.Base(e.p.Work))
	data, err := os.ReadFile(e.p.Work)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	w, err := modfile.ParseWork(name, data, nil)
	if err != nil {
		return nil, &failure{Code: codeParse, Message: strings.TrimSpace(err.Error())}
	}
	need := ""
	for _, d := range e.dirs {
		f, err := readMod(filepath.Join(d, "go.mod"), e.name(d, "go.mod"))
		if err != nil {
			return nil, err
		}
		if line := goLine(f); line != goLine(e.mods[d]) && (need == "" || goversion.Compare("go"+line, "go"+need) > 0) {
			need = line
		}
	}
	// A go.work without a go line means go 1.18.
	have := "1.18"
	if w.Go != nil {
		have = w.Go.Version
	}
	if need == "" || goversion.Compare("go"+need, "go"+have) <= 0 {
		return nil, nil
	}
	if err := os.WriteFile(e.p.Work, spliceGoLine(w, data, need), 0o644); err != nil {
		return nil, fmt.Errorf("raising the go line of %s: %w", name, err)
	}
	return &lineChange{ModuleDir: e.rel(filepath.Dir(e.p.Work)), From: have, To: need}, nil
}

func spliceGoLine(w *modfile.WorkFile, data []byte, line string) []byte {
	if w.Go == nil {
		return append([]byte("go "+line+"\n\n"), data...)
	}
	start, end := w.Go.Syntax.Start.Byte, w.Go.Syntax.End.Byte
	stmt := strings.Replace(string(data[start:end]), w.Go.Version, line, 1)
	return slices.Concat(data[:start], []byte(stmt), data[end:])
}

// buildList lists the modules of a build. A go.mod that is not tidy cannot be
// listed; what it requires is then the best that can be known.
func (e *editing) buildList(ctx context.Context, dir string) ([]listedModule, error) {
	out, err := e.work(ctx, dir, "list", "-m", "-e", "-mod=readonly", "-json=Path,Version,Time,GoMod,Replace,Main,Error", "all")
	if err == nil {
		return decodeStream[listedModule](out)
	}
	var f *failure
	if !errors.As(err, &f) || f.Code != codeUntidy {
		return nil, err
	}
	mod, err := readMod(filepath.Join(dir, "go.mod"), e.name(dir, "go.mod"))
	if err != nil {
		return nil, err
	}
	var list []listedModule
	for _, r := range mod.Require {
		list = append(list, listedModule{Path: r.Mod.Path, Version: r.Mod.Version})
	}
	return list, nil
}

// rel gives a path relative to the clone, with slashes, as results name it.
func (e *editing) rel(file string) string {
	if rel, err := filepath.Rel(e.p.Root, file); err == nil {
		return filepath.ToSlash(rel)
	}
	return filepath.ToSlash(file)
}

func (e *editing) name(dir, file string) string { return e.rel(filepath.Join(dir, file)) }
