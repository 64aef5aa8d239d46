package main

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// A change is one requirement of one go.mod that is not what it was.
type change struct {
	ModuleDir string `json:"module_dir"`
	Path      string `json:"path"`
	From      string `json:"from,omitempty"`
	To        string `json:"to,omitempty"`
	// Kind is "upgraded", "downgraded", "added" or "removed"; "marked" when
	// only the indirect comment came or went; "listed" or "unlisted" when the
	// line came or went and the build has the module at that version all the
	// same.
	Kind string `json:"kind"`
	// Direct is how go.mod marks it now; of a removed one, how it was marked.
	Direct bool       `json:"direct"`
	Time   *time.Time `json:"time,omitempty"`
	// FromTime is when From came out: a higher version may be older than it.
	FromTime *time.Time `json:"from_time,omitempty"`
}

// A lineChange is a go or toolchain line that is not what it was.
type lineChange struct {
	ModuleDir string `json:"module_dir"`
	From      string `json:"from"`
	To        string `json:"to"`
}

// A move is one module of the build list that is not what it was. From is
// empty for one that came, To for one that went.
type move struct {
	Path string     `json:"path"`
	From string     `json:"from,omitempty"`
	To   string     `json:"to,omitempty"`
	Time *time.Time `json:"time,omitempty"`
}

// selected is what a build really uses for a raised path.
type selected struct {
	Version  string       `json:"version"`
	Replaced *replacement `json:"replaced,omitempty"`
	// NoOp says that the same replacement was used before: the raise changed
	// a number and no code.
	NoOp bool `json:"no_op"`
}

// An addition is a module that tidy added, or raised from From, by itself to
// its newest release, because an imported package was in no module any more.
type addition struct {
	Path    string     `json:"path"`
	From    string     `json:"from,omitempty"`
	Version string     `json:"version"`
	Time    *time.Time `json:"time,omitempty"`
}

// compare reads back what the edit did. What go commands print about it is
// not the record: in workspace mode they leave lines out.
func (e *editing) compare(before, between, after []listedModule) (*editResult, error) {
	res := &editResult{ChangedFiles: []string{}, Changes: []change{}, Go: []lineChange{}, Toolchain: []lineChange{}, AddedByTidy: []addition{}}
	for _, file := range e.before.changed() {
		res.ChangedFiles = append(res.ChangedFiles, e.rel(file))
	}
	times := map[string]*time.Time{}
	for _, m := range append(slices.Clone(before), after...) {
		times[m.Path+"@"+m.Version] = m.Time
	}
	for _, dir := range e.dirs {
		now, err := readMod(filepath.Join(dir, "go.mod"), e.name(dir, "go.mod"))
		if err != nil {
			return nil, err
		}
		was := e.mods[dir]
		res.Changes = append(res.Changes, requirementChanges(e.rel(dir), was, now, times)...)
		if a, b := goLine(was), goLine(now); a != b {
			res.Go = append(res.Go, lineChange{e.rel(dir), a, b})
		}
		if a, b := toolchainLine(was), toolchainLine(now); a != b {
			res.Toolchain = append(res.Toolchain, lineChange{e.rel(dir), a, b})
		}
	}
	onlyListed(res.Changes, e.rel(e.dirs[0]), byPath(before), byPath(after))
	res.BuildList = moves(before, after)
	res.Effective = effective(e.p.Raises, before, after)
	had := byPath(between)
	for _, m := range after {
		if a, found := had[m.Path]; !found || semver.Compare(m.Version, a.Version) > 0 {
			res.AddedByTidy = append(res.AddedByTidy, addition{m.Path, a.Version, m.Version, m.Time})
		}
	}
	slices.SortFunc(res.AddedByTidy, func(a, b addition) int { return strings.Compare(a.Path, b.Path) })
	return res, nil
}

func toolchainLine(f *modfile.File) string {
	if f.Toolchain == nil {
		return ""
	}
	return f.Toolchain.Name
}

func requirementChanges(dir string, was, now *modfile.File, times map[string]*time.Time) []change {
	old, cur := map[string]*modfile.Require{}, map[string]*modfile.Require{}
	for _, r := range was.Require {
		old[r.Mod.Path] = r
	}
	for _, r := range now.Require {
		cur[r.Mod.Path] = r
	}
	changes := []change{}
	for path, b := range cur {
		c := change{ModuleDir: dir, Path: path, To: b.Mod.Version, Direct: !b.Indirect, Time: times[path+"@"+b.Mod.Version]}
		a, had := old[path]
		if had {
			c.From, c.FromTime = a.Mod.Version, times[path+"@"+a.Mod.Version]
		}
		switch order := semver.Compare(c.To, c.From); {
		case !had:
			c.Kind = "added"
		case order > 0:
			c.Kind = "upgraded"
		case order < 0:
			c.Kind = "downgraded"
		case a.Indirect != b.Indirect:
			c.Kind = "marked"
		default:
			continue
		}
		changes = append(changes, c)
	}
	for path, a := range old {
		if cur[path] == nil {
			changes = append(changes, change{ModuleDir: dir, Path: path, From: a.Mod.Version, Kind: "removed", Direct: !a.Indirect})
		}
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Compare(a.Path, b.Path) })
	return changes
}

// onlyListed tells lines that came or went from modules that did.
func onlyListed(changes []change, dir string, was, now map[string]listedModule) {
	for i := range changes {
		switch c := &changes[i]; {
		case c.ModuleDir != dir:
		case c.Kind == "added" && was[c.Path].Version == c.To:
			c.Kind = "listed"
		case c.Kind == "removed" && !c.Direct && now[c.Path].Version == c.From:
			c.Kind = "unlisted"
		}
	}
}

func byPath(list []listedModule) map[string]listedModule {
	m := map[string]listedModule{}
	for _, one := range list {
		m[one.Path] = one
	}
	return m
}

func moves(before, after []listedModule) []move {
	was, now := byPath(before), byPath(after)
	list := []move{}
	for path, b := range now {
		if a := was[path]; a.Version != b.Version {
			list = append(list, move{Path: path, From: a.Version, To: b.Version, Time: b.Time})
		}
	}
	for path, a := range was {
		if _, stays := now[path]; !stays {
			list = append(list, move{Path: path, From: a.Version})
		}
	}
	slices.SortFunc(list, func(a, b move) int { return strings.Compare(a.Path, b.Path) })
	return list
}

func effective(raises []moduleVersion, before, after []listedModule) map[string]selected {
	was, now := byPath(before), byPath(after)
	all := map[string]selected{}
	for _, r := range raises {
		m, found := now[r.Path]
		if !found {
			// Nothing imports it, so tidy took the requirement out again.
			continue
		}
		s := selected{Version: m.Version}
		if m.Replace != nil {
			s.Replaced = &replacement{Path: m.Replace.Path, Version: m.Replace.Version, Local: m.Replace.Version == ""}
			old := was[r.Path].Replace
			s.NoOp = old != nil && old.Path == m.Replace.Path && old.Version == m.Replace.Version
		}
		all[r.Path] = s
	}
	return all
}
