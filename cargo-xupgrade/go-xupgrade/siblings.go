package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// onlyInWork is the error for a module that does not tidy since it takes
// another member of its workspace from where that is published, and there it
// is not, or not as it lies beside. A replace line in go.mod is what mends
// that: the go command reads no go.work while it tidies (golang/go#50750). Any
// other error comes back as it was.
func (e *editing) onlyInWork(dir string, err error) error {
	f := asFailure(err)
	if e.p.Work == "" || f.Retryable || f.Code == codeCancelled {
		return err
	}
	members := e.siblings(dir)
	var lost []string
	for _, m := range blamed.FindAllStringSubmatch(f.Message, -1) {
		if owner := ownerOf(m[1], members); owner != "" && members[owner] != dir && !slices.Contains(lost, owner) {
			lost = append(lost, owner)
		}
	}
	if len(lost) == 0 {
		return err
	}
	var places, flags []string
	for _, sibling := range lost {
		places = append(places, fmt.Sprintf("%s (in %s)", sibling, e.rel(members[sibling])))
		flags = append(flags, "-replace="+sibling+"="+local(dir, members[sibling]))
	}
	return &failure{Code: codeOnlyInWork, Module: lost[0], Message: fmt.Sprintf(
		"%s alone does not lead to %s, only %s does; run `go mod edit %s` and `go mod tidy` in %s, and commit what they change: %s",
		e.name(dir, "go.mod"), strings.Join(places, ", "), e.rel(e.p.Work), strings.Join(flags, " "), e.rel(dir), f.Message)}
}

// siblings are the members of the workspace of a module by their paths, the
// module itself among them, without those that its go.mod replaces.
func (e *editing) siblings(dir string) map[string]string {
	members := map[string]string{}
	data, err := os.ReadFile(e.p.Work)
	if err != nil {
		return members
	}
	w, err := modfile.ParseWork(filepath.Base(e.p.Work), data, nil)
	if err != nil {
		return members
	}
	for _, use := range w.Use {
		member := filepath.Join(filepath.Dir(e.p.Work), filepath.FromSlash(use.Path))
		if filepath.IsAbs(use.Path) {
			member = filepath.Clean(use.Path)
		}
		if f, err := readMod(filepath.Join(member, "go.mod"), "go.mod"); err == nil {
			members[f.Module.Mod.Path] = member
		}
	}
	for _, r := range e.mods[dir].Replace {
		delete(members, r.Old.Path)
	}
	return members
}

// ownerOf is the module that a package belongs to, by the longest path that
// fits; empty when it is none of these.
func ownerOf(pkg string, modules map[string]string) string {
	for p := pkg; p != "." && p != "/"; p = path.Dir(p) {
		if _, found := modules[p]; found {
			return p
		}
	}
	return ""
}

// local is how a replace line in one directory names another one.
func local(dir, target string) string {
	rel, err := filepath.Rel(dir, target)
	if err != nil {
		return target
	}
	if rel = filepath.ToSlash(rel); !strings.HasPrefix(rel, ".") {
		rel = "./" + rel
	}
	return rel
}
