package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// goPackage is what `go list -json` prints of a package, as far as it is used.
type goPackage struct {
	ImportPath   string
	Dir          string
	ForTest      string
	Standard     bool
	DepOnly      bool
	Imports      []string
	TestGoFiles  []string
	XTestGoFiles []string
	Module       *listedModule
	Error        *struct{ Err string }
}

const packageFields = "ImportPath,Dir,ForTest,Standard,DepOnly,Imports,TestGoFiles,XTestGoFiles,Module,Error"

type fetchParams struct {
	Dir string `json:"dir"`
	// Loads are what checks compile beside the packages of a plain build.
	Loads []fetchLoad `json:"loads"`
}

// A fetchLoad is what one command compiles, tests and all.
type fetchLoad struct {
	Dir      string            `json:"dir"`
	Env      map[string]string `json:"env"`
	Tags     []string          `json:"tags"`
	Patterns []string          `json:"patterns"`
}

type fetchResult struct {
	Packages int `json:"packages"`
}

// fetch downloads everything that building, testing and using the tools of a
// module needs, with the user's credentials and without running any of the
// project's code. Afterwards the checks run with GOPROXY=off.
func (j *job) fetch(ctx context.Context, p fetchParams) (*fetchResult, error) {
	setup, err := j.setup(ctx, p.Dir)
	if err != nil {
		return nil, err
	}
	modes := []fetchMode{{forgives: func(*failure) bool { return false }}}
	if setup.Work != "" && setup.Work != "off" {
		// In its workspace a module may select other versions than alone.
		modes = append(modes, fetchMode{env: []string{"GOWORK=off"}, forgives: lacking})
	}
	res := &fetchResult{}
	for _, mode := range modes {
		for _, what := range j.fetched(p.Dir) {
			packages, err := j.download(ctx, mode.env, what)
			if err != nil && !mode.forgives(asFailure(err)) {
				return nil, err
			}
			res.Packages = max(res.Packages, packages)
		}
		for _, what := range p.Loads {
			// One that cannot be had at all fails its own check, and no other.
			if _, err := j.download(ctx, mode.env, what); err != nil && asFailure(err).Retryable {
				return nil, err
			}
		}
	}
	return res, nil
}

// A fetchMode is one way in which the go command looks at a module.
type fetchMode struct {
	env []string
	// forgives says of a failure that it is nobody's loss.
	forgives func(*failure) bool
}

// lacking says that a module cannot be had whole outside of its workspace,
// where no usual check builds it: a member may lean on siblings that were
// never published. What an edit has to complete there, it looks at itself.
func lacking(f *failure) bool {
	switch f.Code {
	case codeUntidy, codeNotFound, codeAuth, codePackageGone, codeOffline:
		return !f.Retryable
	}
	return false
}

// download loads packages, and says how many there are.
func (j *job) download(ctx context.Context, env []string, what fetchLoad) (int, error) {
	args := []string{"list", "-deps", "-test", "-e", "-f", completeFormat + `{{"\x01"}}`}
	if len(what.Tags) > 0 {
		args = append(args, "-tags="+strings.Join(what.Tags, ","))
	}
	forced := append(slices.Clone(env), "GOMAXPROCS=16")
	for _, k := range slices.Sorted(maps.Keys(what.Env)) {
		forced = append(forced, k+"="+what.Env[k])
	}
	out, err := j.run(ctx, what.Dir, workFactor*j.limit, forced, append(args, what.Patterns...)...)
	if err != nil {
		return 0, err
	}
	return strings.Count(string(out), "\x01"), unfetched(string(out))
}

// fetched lists what is loaded in any case: the module's packages and its
// tools.
func (j *job) fetched(dir string) []fetchLoad {
	loads := []fetchLoad{{Dir: dir, Patterns: []string{"./..."}}}
	if f, err := readMod(dir+"/go.mod", "go.mod"); err == nil && len(f.Tool) > 0 {
		loads = append(loads, fetchLoad{Dir: dir, Patterns: []string{"tool"}})
	}
	return loads
}

// unfetched finds the first package that could not be had for a reason that
// lies outside of the code.
func unfetched(listing string) error {
	for _, text := range strings.FieldsFunc(listing, func(r rune) bool { return r == 0 || r == 1 }) {
		switch f := saying(text); f.Code {
		case codeNetwork, codeAuth, codeOffline, codeSumLocal, codeSumDB, codeSumDBUnreachable, codeUntidy, codeTimeout:
			return f
		}
	}
	return nil
}

type compiledParams struct {
	Dir      string   `json:"dir"`
	Tags     []string `json:"tags"`
	Patterns []string `json:"patterns"`
}

type compiledResult struct {
	Packages []compiledPackage `json:"packages"`
	// Modules are all modules that the packages and their tests compile.
	Modules map[string]string `json:"modules"`
}

// A compiledPackage is one package that the patterns name.
type compiledPackage struct {
	ImportPath string `json:"import_path"`
	Module     string `json:"module"`
	Dir        string `json:"dir,omitempty"`
	TestFiles  bool   `json:"test_files"`
	// DependsOn are the modules that the package itself compiles, and
	// TestsDependOn those that its test binary compiles; none without tests.
	DependsOn     []string `json:"depends_on"`
	TestsDependOn []string `json:"tests_depend_on"`
	Error         string   `json:"error,omitempty"`
}

// compiled tells which modules each package and its tests compile, so that a
// test which never touches a candidate is no evidence for it. It asks nobody.
func (j *job) compiled(ctx context.Context, p compiledParams) (*compiledResult, error) {
	args := []string{"list", "-deps", "-test", "-e", "-json=" + packageFields}
	if len(p.Tags) > 0 {
		args = append(args, "-tags="+strings.Join(p.Tags, ","))
	}
	if len(p.Patterns) == 0 {
		p.Patterns = []string{"./..."}
	}
	out, err := j.run(ctx, p.Dir, workFactor*j.limit, []string{"GOPROXY=off"}, append(args, p.Patterns...)...)
	if err != nil {
		return nil, fmt.Errorf("loading the packages of %s: %w", p.Dir, err)
	}
	packages, err := decodeStream[goPackage](out)
	if err != nil {
		return nil, err
	}
	return graphOf(packages).result(), nil
}

// An importGraph is the packages by import path. The variants of a package
// that are compiled for a test have names of their own, "p [q.test]", and
// imports name them so.
type importGraph map[string]*goPackage

func graphOf(packages []goPackage) importGraph {
	g := importGraph{}
	for i := range packages {
		g[packages[i].ImportPath] = &packages[i]
	}
	return g
}

func (g importGraph) result() *compiledResult {
	res := &compiledResult{Packages: []compiledPackage{}, Modules: map[string]string{}}
	for _, p := range g {
		if m := p.Module; m != nil && !m.Main && p.Error == nil {
			res.Modules[m.Path] = m.Version
		}
		if p.Module == nil || p.DepOnly || p.ForTest != "" || strings.HasSuffix(p.ImportPath, ".test") {
			continue
		}
		one := compiledPackage{ImportPath: p.ImportPath, Module: p.Module.Path, Dir: p.Dir,
			TestFiles:     len(p.TestGoFiles)+len(p.XTestGoFiles) > 0,
			DependsOn:     g.modulesBelow(p.ImportPath),
			TestsDependOn: g.modulesBelow(p.ImportPath + ".test")}
		if p.Error != nil {
			one.Error = clip(p.Error.Err, 1000)
		}
		res.Packages = append(res.Packages, one)
	}
	slices.SortFunc(res.Packages, func(a, b compiledPackage) int { return strings.Compare(a.ImportPath, b.ImportPath) })
	return res
}

// modulesBelow lists the modules, other than the main ones, of all packages
// that can be reached from one; it is empty when that one is not there.
func (g importGraph) modulesBelow(start string) []string {
	seen := map[string]bool{start: true}
	modules := map[string]bool{}
	for todo := []string{start}; len(todo) > 0; {
		p := g[todo[len(todo)-1]]
		todo = todo[:len(todo)-1]
		if p == nil {
			continue
		}
		if p.Module != nil && !p.Module.Main {
			modules[p.Module.Path] = true
		}
		for _, i := range p.Imports {
			if !seen[i] {
				seen[i] = true
				todo = append(todo, i)
			}
		}
	}
	list := []string{}
	for m := range modules {
		list = append(list, m)
	}
	slices.Sort(list)
	return list
}
