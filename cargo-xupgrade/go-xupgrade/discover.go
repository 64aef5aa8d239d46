package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// discoverParams name the files that the Rust side found. It knows what git
// tracks and what the user excluded, so the disk is not walked here again.
type discoverParams struct {
	Root      string   `json:"root"`
	Manifests []string `json:"manifests"`
	Works     []string `json:"works"`
}

// All directories below are relative to the root, with slashes, "." for the
// root itself.
type discoverResult struct {
	Workspaces []foundWorkspace `json:"workspaces"`
	Modules    []foundModule    `json:"modules"`
	// Order lists the modules so that each comes after the ones that it
	// reaches by a local replace or through a workspace.
	Order []string `json:"order"`
}

type foundWorkspace struct {
	File    string   `json:"file"`
	Go      string   `json:"go"`
	Members []string `json:"members"`
	Problem *failure `json:"problem,omitempty"`
}

type foundModule struct {
	Dir       string `json:"dir"`
	Path      string `json:"path"`
	Go        string `json:"go"`
	Toolchain string `json:"toolchain"`
	// Vendored is "none", "module" or "workspace".
	Vendored      string   `json:"vendored"`
	LocalReplaces []string `json:"local_replaces"`
	// Tools says whether there are tool lines.
	Tools bool `json:"tools"`
	// Requirements are what people asked for by name: the direct ones and the
	// tools, sorted by path. A module that is held is not surveyed, and still
	// none of them may vanish.
	Requirements []namedRequirement `json:"requirements"`
	// Problem says why this module cannot be worked on; the others can.
	Problem *failure `json:"problem,omitempty"`

	requires []string
}

// A namedRequirement is a require line as far as go.mod alone tells of it.
type namedRequirement struct {
	Path    string `json:"path"`
	Version string `json:"version"`
	// Kind is "direct" or "tool".
	Kind string `json:"kind"`
}

// discover reads the given go.mod and go.work files. A file that cannot be
// read is a problem of that module alone.
func (j *job) discover(_ context.Context, p discoverParams) (*discoverResult, error) {
	res := &discoverResult{Workspaces: []foundWorkspace{}, Modules: []foundModule{}, Order: []string{}}
	for _, file := range slices.Sorted(slices.Values(p.Manifests)) {
		res.Modules = append(res.Modules, readModule(p.Root, file))
	}
	for _, file := range slices.Sorted(slices.Values(p.Works)) {
		w := readWorkspace(p.Root, file)
		res.Workspaces = append(res.Workspaces, w)
		for i := range res.Modules {
			w.mark(&res.Modules[i], p.Root)
		}
	}
	res.Order = order(res.Modules, res.Workspaces)
	return res, nil
}

func readModule(root, file string) foundModule {
	dir := path.Dir(path.Clean(filepath.ToSlash(file)))
	m := foundModule{Dir: dir, Vendored: "none", LocalReplaces: []string{}, Requirements: []namedRequirement{}}
	if info, err := os.Stat(filepath.Join(root, dir, "vendor")); err == nil && info.IsDir() {
		// Even an empty vendor directory switches vendoring on.
		m.Vendored = "module"
	}
	f, err := readMod(filepath.Join(root, file), file)
	if err != nil {
		m.Problem = asFailure(err)
		return m
	}
	m.Path = f.Module.Mod.Path
	if f.Go != nil {
		m.Go = f.Go.Version
	}
	if f.Toolchain != nil {
		m.Toolchain = f.Toolchain.Name
	}
	for _, r := range f.Replace {
		if r.New.Version == "" {
			m.LocalReplaces = append(m.LocalReplaces, localDir(root, dir, r.New.Path))
		}
	}
	slices.Sort(m.LocalReplaces)
	m.LocalReplaces = slices.Compact(m.LocalReplaces)
	m.Tools = len(f.Tool) > 0
	for _, r := range f.Require {
		m.requires = append(m.requires, r.Mod.Path)
	}
	for _, r := range requirements(f) {
		if r.Kind != "indirect" {
			m.Requirements = append(m.Requirements, namedRequirement{Path: r.Path, Version: r.Version, Kind: r.Kind})
		}
	}
	if err := checkSum(filepath.Join(root, dir, "go.sum"), path.Join(dir, "go.sum")); err != nil {
		m.Problem = asFailure(err)
	}
	return m
}

// localDir makes the directory of a replace relative to the root. One outside
// of the root stays recognisable by its leading "..".
func localDir(root, dir, target string) string {
	if filepath.IsAbs(target) {
		if rel, err := filepath.Rel(root, target); err == nil {
			return filepath.ToSlash(rel)
		}
		return filepath.ToSlash(target)
	}
	return path.Join(dir, filepath.ToSlash(target))
}

// readMod parses a go.mod as strictly as the go command does for the main
// module. name is how messages call it.
func readMod(file, name string) (*modfile.File, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, &failure{Code: codeParse, Message: fmt.Sprintf("reading %s: %v", name, err)}
	}
	f, err := modfile.Parse(name, data, nil)
	if err != nil {
		return nil, &failure{Code: codeParse, Message: strings.TrimSpace(err.Error())}
	}
	if f.Module == nil {
		return nil, &failure{Code: codeParse, Message: name + ": there is no module line"}
	}
	return f, nil
}

// checkSum finds the lines of a go.sum that the go command refuses. Conflict
// markers are the usual cause, and go mod tidy would accept them in silence.
func checkSum(file, name string) error {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return &failure{Code: codeParse, Message: fmt.Sprintf("reading %s: %v", name, err)}
	}
	for i, line := range bytes.Split(data, []byte("\n")) {
		if n := len(bytes.Fields(line)); n == 0 || n == 3 && !conflictMarker(line) {
			continue
		}
		what := "malformed line; each has a module, a version and a hash"
		if conflictMarker(line) {
			what = "conflict marker; finish the merge first"
		}
		return &failure{Code: codeParse, Message: fmt.Sprintf("%s:%d: %s", name, i+1, what)}
	}
	return nil
}

func conflictMarker(line []byte) bool {
	for _, mark := range []string{"<<<<<<<", "=======", ">>>>>>>", "|||||||"} {
		if bytes.HasPrefix(line, []byte(mark)) {
			return true
		}
	}
	return false
}

func readWorkspace(root, file string) foundWorkspace {
	file = path.Clean(filepath.ToSlash(file))
	w := foundWorkspace{File: file, Members: []string{}}
	data, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		w.Problem = &failure{Code: codeParse, Message: fmt.Sprintf("reading %s: %v", file, err)}
		return w
	}
	f, err := modfile.ParseWork(file, data, nil)
	if err != nil {
		w.Problem = &failure{Code: codeParse, Message: strings.TrimSpace(err.Error())}
		return w
	}
	if f.Go != nil {
		w.Go = f.Go.Version
	}
	for _, u := range f.Use {
		w.Members = append(w.Members, localDir(root, path.Dir(file), u.Path))
	}
	slices.Sort(w.Members)
	return w
}

// mark tells a module what its workspace means for it.
func (w foundWorkspace) mark(m *foundModule, root string) {
	top := path.Dir(w.File)
	below := top == "." || m.Dir == top || strings.HasPrefix(m.Dir, top+"/")
	if w.Problem != nil && below && m.Problem == nil {
		// Every go command below a broken go.work fails.
		m.Problem = w.Problem
	}
	if !slices.Contains(w.Members, m.Dir) {
		return
	}
	if data, err := os.ReadFile(filepath.Join(root, top, "vendor", "modules.txt")); err == nil && bytes.HasPrefix(data, []byte("## workspace")) {
		m.Vendored = "workspace"
	}
}

// order sorts the modules so that what others depend on comes first. Names
// decide between equals and inside a circle, so the answer is always the same.
func order(modules []foundModule, workspaces []foundWorkspace) []string {
	byDir := map[string]foundModule{}
	byPath := map[string]string{}
	for _, m := range modules {
		byDir[m.Dir] = m
		if m.Path != "" {
			byPath[m.Path] = m.Dir
		}
	}
	needs := func(m foundModule) []string {
		dirs := slices.Clone(m.LocalReplaces)
		for _, w := range workspaces {
			if !slices.Contains(w.Members, m.Dir) {
				continue
			}
			for _, r := range m.requires {
				if dir, found := byPath[r]; found && slices.Contains(w.Members, dir) {
					dirs = append(dirs, dir)
				}
			}
		}
		slices.Sort(dirs)
		return dirs
	}
	seen := map[string]bool{}
	sorted := []string{}
	var visit func(dir string)
	visit = func(dir string) {
		m, known := byDir[dir]
		if !known || seen[dir] {
			return
		}
		seen[dir] = true
		for _, d := range needs(m) {
			visit(d)
		}
		sorted = append(sorted, dir)
	}
	for _, m := range modules {
		visit(m.Dir)
	}
	return sorted
}
