package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// A lostReplace is a replace line that no longer counts, because what it
// stands for went to another version. The go command says nothing about it,
// and go mod tidy keeps the dead line.
type lostReplace struct {
	ModuleDir string      `json:"module_dir"`
	Path      string      `json:"path"`
	From      string      `json:"from"`
	To        string      `json:"to"`
	By        replacement `json:"by"`
}

// guarded says whether a go.mod has lines that a raise can run against
// without any word of the go command.
func guarded(f *modfile.File) bool {
	return len(f.Exclude) > 0 || slices.ContainsFunc(f.Replace, func(r *modfile.Replace) bool { return r.Old.Version != "" })
}

// guardedLists lists the builds of the modules with such lines, the first
// one left out: its list is at hand anyway.
func (e *editing) guardedLists(ctx context.Context, when string) (map[string][]listedModule, error) {
	lists := map[string][]listedModule{}
	for _, dir := range e.dirs[1:] {
		if !guarded(e.mods[dir]) {
			continue
		}
		list, err := e.buildList(ctx, dir)
		if err != nil {
			return nil, fmt.Errorf("reading the build list of %s %s the edit: %w", e.name(dir, "go.mod"), when, err)
		}
		lists[dir] = list
	}
	return lists, nil
}

// against looks for what the edit did to the author's own lines: a need that
// an exclude line cuts is an error, replace lines that were turned off are
// listed.
func (e *editing) against(before, after map[string][]listedModule) ([]lostReplace, error) {
	lost := []lostReplace{}
	for _, dir := range e.dirs {
		if err := e.cutNeed(dir, before[dir], after[dir]); err != nil {
			return nil, err
		}
		lost = append(lost, lostReplaces(e.rel(dir), before[dir], after[dir])...)
	}
	return lost, nil
}

// cutNeed finds a module that moved and whose own go.mod asks for a version
// that an exclude line forbids, while the build has a lower one: the go
// command drops such a requirement in silence. What was cut for the version
// before as well is how the author wants it.
func (e *editing) cutNeed(dir string, before, after []listedModule) error {
	excluded := map[module.Version]bool{}
	for _, x := range e.mods[dir].Exclude {
		excluded[x.Mod] = true
	}
	if len(excluded) == 0 {
		return nil
	}
	was, now := byPath(before), byPath(after)
	for _, m := range after {
		old, had := was[m.Path]
		if m.Main || had && old.Version == m.Version {
			continue
		}
		for _, need := range needs(m) {
			selected := now[need.Path].Version
			if !excluded[need] || selected != "" && semver.Compare(selected, need.Version) >= 0 || slices.Contains(needs(old), need) {
				continue
			}
			if selected == "" {
				selected = "none"
			}
			return &failure{Code: codeExcluded, Module: m.Path, Version: m.Version,
				Message: fmt.Sprintf("an `exclude` line of %s forbids %s %s, which %s %s needs; the go command drops that need without a word and takes %s; remove the line, or raise %s above it first",
					e.name(dir, "go.mod"), need.Path, need.Version, m.Path, m.Version, selected, need.Path)}
		}
	}
	return nil
}

// needs are the requirements in a listed module's own go.mod.
func needs(m listedModule) []module.Version {
	f := modOf(m)
	if f == nil {
		return nil
	}
	var all []module.Version
	for _, r := range f.Require {
		all = append(all, r.Mod)
	}
	return all
}

func lostReplaces(dir string, before, after []listedModule) []lostReplace {
	now := byPath(after)
	var lost []lostReplace
	for _, old := range before {
		m, stays := now[old.Path]
		if old.Replace == nil || !stays || m.Version == old.Version || m.Replace != nil && m.Replace.Path == old.Replace.Path && m.Replace.Version == old.Replace.Version {
			continue
		}
		by := replacement{Path: old.Replace.Path, Version: old.Replace.Version, Local: old.Replace.Version == ""}
		lost = append(lost, lostReplace{dir, old.Path, old.Version, m.Version, by})
	}
	slices.SortFunc(lost, func(a, b lostReplace) int { return strings.Compare(a.Path, b.Path) })
	return lost
}

// keepText gives each go.mod in which nothing but versions changed its own
// text back, with the new versions in it: go commands also sort blocks, join
// them, and drop empty lines, which nobody asked for.
func (e *editing) keepText() error {
	for _, dir := range e.dirs {
		file := filepath.Join(dir, "go.mod")
		now, err := readMod(file, e.name(dir, "go.mod"))
		if err != nil {
			return err
		}
		text, ok := splicedVersions(e.before[file], e.mods[dir], now)
		if !ok {
			continue
		}
		if err := os.WriteFile(file, text, 0o644); err != nil {
			return fmt.Errorf("keeping the text of %s: %w", e.name(dir, "go.mod"), err)
		}
	}
	return nil
}

// splicedVersions is the old text with the versions of the new file; not ok
// when anything but versions of requirements is different.
func splicedVersions(text []byte, was, now *modfile.File) (spliced []byte, ok bool) {
	if meaning(was) != meaning(now) {
		return nil, false
	}
	versions := map[string]string{}
	for _, r := range now.Require {
		versions[r.Mod.Path] = r.Mod.Version
	}
	at := 0
	for _, r := range inOrder(was.Require) {
		start, end := r.Syntax.Start.Byte, r.Syntax.End.Byte
		version := strings.LastIndex(string(text[start:end]), r.Mod.Version)
		if version < 0 {
			return nil, false
		}
		start += version
		spliced = append(append(spliced, text[at:start]...), versions[r.Mod.Path]...)
		at = start + len(r.Mod.Version)
	}
	return append(spliced, text[at:]...), true
}

// inOrder sorts requirements as they stand in the file.
func inOrder(requires []*modfile.Require) []*modfile.Require {
	return slices.SortedFunc(slices.Values(requires), func(a, b *modfile.Require) int { return a.Syntax.Start.Byte - b.Syntax.Start.Byte })
}

// meaning is all that a go.mod says, but for comments, layout and the
// versions of requirements.
func meaning(f *modfile.File) string {
	var lines []string
	for _, r := range f.Require {
		lines = append(lines, fmt.Sprint("require ", r.Mod.Path, r.Indirect))
	}
	for _, x := range f.Exclude {
		lines = append(lines, fmt.Sprint("exclude ", x.Mod))
	}
	for _, r := range f.Replace {
		lines = append(lines, fmt.Sprint("replace ", r.Old, r.New))
	}
	for _, r := range f.Retract {
		lines = append(lines, fmt.Sprint("retract ", r.VersionInterval))
	}
	for _, t := range f.Tool {
		lines = append(lines, "tool "+t.Path)
	}
	for _, i := range f.Ignore {
		lines = append(lines, "ignore "+i.Path)
	}
	for _, g := range f.Godebug {
		lines = append(lines, "godebug "+g.Key+"="+g.Value)
	}
	slices.Sort(lines)
	return strings.Join(append(lines, f.Module.Mod.Path, goLine(f), toolchainLine(f)), "\n")
}
