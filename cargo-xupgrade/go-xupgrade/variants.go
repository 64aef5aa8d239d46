package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"
)

// A build compiles some files of a module and passes by others: those for
// another system, and those behind a tag. What only these import is compiled
// by no plain check, so this file finds the builds that would compile them.
// Files are read as they lie there; no package is loaded, so none need be at
// hand.

type variantsParams struct {
	Dir string `json:"dir"`
	// Also are builds that somebody does already.
	Also []variant `json:"also"`
}

type variantsResult struct {
	// Plain says whether the plain build compiles any file of the module.
	Plain bool `json:"plain"`
	// Tags are those of the plain build, which a -tags flag would replace.
	Tags []string `json:"tags"`
	// Variants are those of Also, then the fewest that a file may need, the
	// cheapest first.
	Variants []variant     `json:"variants"`
	Files    []outsideFile `json:"files"`
}

// A variant is a build for another system or with more tags.
type variant struct {
	// GOOS is empty for the system at hand.
	GOOS string   `json:"goos"`
	Tags []string `json:"tags"`
}

// An outsideFile is a file with imports that the plain build passes by.
type outsideFile struct {
	// File and Dir are relative to the module.
	File string `json:"file"`
	Dir  string `json:"dir"`
	Test bool   `json:"test"`
	// Modules are those of go.mod that it imports packages of.
	Modules []string `json:"modules"`
	// Tools are the packages of a file that is there to keep them in go.mod
	// and cannot be compiled: it imports commands. Empty for any other file.
	Tools []string `json:"tools"`
	// Variants are the positions of those that compile it; none when no build
	// on this machine's GOARCH does.
	Variants []int `json:"variants"`
	// Wants is what the file says of its builds, for people.
	Wants string `json:"wants"`
}

// variants lists the files of a module that its plain build passes by, and
// what would compile them.
func (j *job) variants(ctx context.Context, p variantsParams) (*variantsResult, error) {
	plain, err := j.buildContext(ctx, p.Dir)
	if err != nil {
		return nil, err
	}
	mod, err := readMod(filepath.Join(p.Dir, "go.mod"), "go.mod")
	if err != nil {
		return nil, err
	}
	res := &variantsResult{Tags: nonNil(plain.BuildTags), Variants: p.Also, Files: []outsideFile{}}
	var found []*sourceFile
	err = walkModule(p.Dir, mod, func(name string) error {
		if match, err := plain.MatchFile(filepath.Join(p.Dir, path.Dir(name)), path.Base(name)); err == nil && match {
			res.Plain = true
		} else if f := readSource(p.Dir, name); f.imports(mod) {
			found = append(found, f)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the files of %s: %w", p.Dir, err)
	}
	var needed []variant
	for _, f := range found {
		needed = append(needed, plain.cheapest(f)...)
	}
	slices.SortFunc(needed, plain.compare)
	for _, v := range needed {
		if !slices.ContainsFunc(res.Variants, func(o variant) bool { return plain.compare(v, o) == 0 }) {
			res.Variants = append(res.Variants, v)
		}
	}
	for _, f := range found {
		for at, v := range res.Variants {
			if plain.compiles(v, f) {
				f.Variants = append(f.Variants, at)
			}
		}
		res.Files = append(res.Files, f.outsideFile)
	}
	res.Variants = nonNil(res.Variants)
	return res, nil
}

// walkModule visits the Go files that `./...` could mean, by their paths from
// dir, sorted.
func walkModule(dir string, mod *modfile.File, visit func(name string) error) error {
	return filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		rel, name := filepath.ToSlash(rel), entry.Name()
		hidden := strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
		if !entry.IsDir() {
			if hidden || !strings.HasSuffix(name, ".go") || !entry.Type().IsRegular() {
				return nil
			}
			return visit(rel)
		}
		if rel == "." {
			return nil
		}
		_, err = os.Stat(filepath.Join(file, "go.mod"))
		if hidden || name == "testdata" || name == "vendor" || err == nil || ignores(mod, rel) {
			return fs.SkipDir
		}
		return nil
	})
}

// ignores says whether an ignore line names a directory: "./x" that very one,
// "x" one at any depth.
func ignores(mod *modfile.File, dir string) bool {
	return slices.ContainsFunc(mod.Ignore, func(i *modfile.Ignore) bool {
		if own, rooted := strings.CutPrefix(i.Path, "./"); rooted {
			return dir == path.Clean(own)
		}
		return dir == i.Path || strings.HasSuffix(dir, "/"+i.Path)
	})
}

// A sourceFile is a file with what its head says.
type sourceFile struct {
	outsideFile
	folder string
	head   []byte
	parsed *ast.File
	// tags are the names in its build line that somebody may choose.
	tags []string
}

func readSource(root, name string) *sourceFile {
	f := &sourceFile{folder: filepath.Join(root, path.Dir(name))}
	f.File, f.Dir, f.Test = name, path.Dir(name), strings.HasSuffix(name, "_test.go")
	f.Modules, f.Tools, f.Variants = []string{}, []string{}, []int{}
	f.head, _ = os.ReadFile(filepath.Join(root, name))
	return f
}

// imports parses the file and says whether it imports a module of go.mod.
func (f *sourceFile) imports(mod *modfile.File) bool {
	parsed, err := parser.ParseFile(token.NewFileSet(), f.File, f.head, parser.ImportsOnly|parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return false
	}
	f.parsed = parsed
	blank := len(parsed.Imports) > 0
	for _, spec := range parsed.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return false
		}
		blank = blank && spec.Name != nil && spec.Name.Name == "_"
		if owner := moduleOf(mod, name); owner != "" {
			f.Modules = append(f.Modules, owner)
			f.Tools = append(f.Tools, name)
		}
	}
	slices.Sort(f.Modules)
	f.Modules = slices.Compact(f.Modules)
	f.readBuildLine()
	if !blank || f.Test || len(f.tags) == 0 || f.declares() {
		f.Tools = []string{}
	}
	return len(f.Modules) > 0
}

// declares says whether there is anything behind the imports.
func (f *sourceFile) declares() bool {
	whole, err := parser.ParseFile(token.NewFileSet(), f.File, f.head, parser.SkipObjectResolution)
	return err != nil || len(whole.Decls) > importDecls(whole)
}

func importDecls(f *ast.File) (n int) {
	for _, d := range f.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
			n++
		}
	}
	return n
}

// moduleOf is the module that provides a package: the longest path wins.
func moduleOf(mod *modfile.File, name string) string {
	owner := ""
	for _, r := range mod.Require {
		own := r.Mod.Path
		if (name == own || strings.HasPrefix(name, own+"/")) && len(own) > len(owner) {
			owner = own
		}
	}
	return owner
}

// readBuildLine finds the tags in the build line. Those that say something of
// the system or the compiler are nobody's choice, and `ignore` means never.
func (f *sourceFile) readBuildLine() {
	var lines []string
	for _, group := range f.parsed.Comments {
		for _, c := range group.List {
			if c.Pos() < f.parsed.Package && (constraint.IsGoBuild(c.Text) || constraint.IsPlusBuild(c.Text)) {
				lines = append(lines, c.Text)
			}
		}
	}
	if i := slices.IndexFunc(lines, constraint.IsGoBuild); i >= 0 {
		lines = lines[i : i+1]
	}
	f.Wants = strings.Join(lines, " ")
	for _, line := range lines {
		if expr, err := constraint.Parse(line); err == nil {
			f.collect(expr)
		}
	}
	slices.Sort(f.tags)
	f.tags = slices.Compact(f.tags)
}

func (f *sourceFile) collect(expr constraint.Expr) {
	switch e := expr.(type) {
	case *constraint.AndExpr:
		f.collect(e.X)
		f.collect(e.Y)
	case *constraint.OrExpr:
		f.collect(e.X)
		f.collect(e.Y)
	case *constraint.NotExpr:
		// A tag that takes a file away adds nothing.
	case *constraint.TagExpr:
		if !fixedTags[e.Tag] && !strings.HasPrefix(e.Tag, "go1.") && !strings.HasPrefix(e.Tag, "goexperiment.") {
			f.tags = append(f.tags, e.Tag)
		}
	}
}

// fixedTags are set by the system, the compiler or another flag.
var fixedTags = setOf("aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris wasip1 windows zos unix " +
	"386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm " +
	"cgo gc gccgo race msan asan ignore boringcrypto compiler_bootstrap")

func setOf(words string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(words) {
		set[word] = true
	}
	return set
}

// A buildContext is the plain build of a directory.
type buildContext struct {
	build.Context
	systems []string // the other values of GOOS for this GOARCH
}

// buildContext asks the go command what a plain build in dir is.
func (j *job) buildContext(ctx context.Context, dir string) (*buildContext, error) {
	s, err := j.setup(ctx, dir)
	if err != nil {
		return nil, err
	}
	out, err := j.run(ctx, dir, j.limit, nil, "env", "GOOS", "GOARCH", "CGO_ENABLED")
	if err != nil {
		return nil, fmt.Errorf("asking what is built for: %w", err)
	}
	said := strings.Fields(string(out))
	if len(said) != 3 {
		return nil, errors.New("go env does not say GOOS, GOARCH and CGO_ENABLED: " + clip(string(out), 200))
	}
	b := &buildContext{Context: build.Default}
	b.GOOS, b.GOARCH, b.CgoEnabled = said[0], said[1], said[2] == "1"
	b.BuildTags = tagsIn(s.keptFlags)
	b.ReleaseTags = releases(s.Version)
	b.systems = slices.DeleteFunc(strings.Fields(systemsOf[b.GOARCH]), func(s string) bool { return s == b.GOOS })
	return b, nil
}

// systemsOf are the values of GOOS that need no C compiler, by GOARCH (go tool
// dist list), the more common ones first.
var systemsOf = map[string]string{
	"amd64": "linux windows darwin freebsd openbsd netbsd dragonfly solaris illumos plan9",
	"arm64": "linux windows darwin freebsd openbsd netbsd",
	"386":   "linux windows freebsd openbsd netbsd plan9",
	"arm":   "linux freebsd openbsd netbsd plan9",
}

// tagsIn finds the tags in GOFLAGS; the last flag counts.
func tagsIn(flags []string) (tags []string) {
	for _, f := range flags {
		if name, value, _ := strings.Cut(strings.TrimLeft(strings.Trim(f, `'"`), "-"), "="); name == "tags" {
			tags = strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
		}
	}
	return tags
}

// releases are the go1.N tags of a Go version.
func releases(version string) []string {
	minor, _, _ := strings.Cut(strings.TrimPrefix(version, "go1."), ".")
	digits := strings.IndexFunc(minor, func(r rune) bool { return r < '0' || r > '9' })
	if digits >= 0 {
		minor = minor[:digits]
	}
	n, err := strconv.Atoi(minor)
	if err != nil {
		return build.Default.ReleaseTags
	}
	var tags []string
	for i := 1; i <= n; i++ {
		tags = append(tags, "go1."+strconv.Itoa(i))
	}
	return tags
}

// compiles says whether a variant of the plain build compiles a file. For
// another system there is no C compiler.
func (b *buildContext) compiles(v variant, f *sourceFile) bool {
	c := b.Context
	c.BuildTags = slices.Concat(c.BuildTags, v.Tags)
	if v.GOOS != "" && v.GOOS != b.GOOS {
		c.GOOS, c.CgoEnabled = v.GOOS, false
	}
	c.OpenFile = func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.head)), nil }
	match, err := c.MatchFile(f.folder, path.Base(f.File))
	return err == nil && match
}

// mostTags is how many tags one file may want at once; more than that is a
// riddle, and the search for its answer grows with every one.
const mostTags = 3

// cheapest are the variants that compile a file with the least: another system
// counts as one tag.
func (b *buildContext) cheapest(f *sourceFile) []variant {
	for weight := 1; weight <= mostTags+1; weight++ {
		var found []variant
		for _, tags := range choices(f.tags, weight) {
			if v := (variant{Tags: tags}); b.compiles(v, f) {
				found = append(found, v)
			}
		}
		for _, tags := range choices(f.tags, weight-1) {
			for _, system := range b.systems {
				if v := (variant{GOOS: system, Tags: tags}); b.compiles(v, f) {
					found = append(found, v)
				}
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

// choices are all sets of n tags.
func choices(tags []string, n int) [][]string {
	if n == 0 {
		return [][]string{{}}
	}
	var all [][]string
	for i := range tags {
		for _, rest := range choices(tags[i+1:], n-1) {
			all = append(all, append([]string{tags[i]}, rest...))
		}
	}
	return all
}

// compare orders variants: fewer wishes first, the system at hand before
// others, common systems before rare ones.
func (b *buildContext) compare(x, y variant) int {
	rank := func(v variant) int {
		if v.GOOS == "" || v.GOOS == b.GOOS {
			return 0
		}
		if at := slices.Index(b.systems, v.GOOS); at >= 0 {
			return 1 + at
		}
		return 1 + len(b.systems)
	}
	weight := func(v variant) int { return len(v.Tags) + min(rank(v), 1) }
	return cmp.Or(cmp.Compare(weight(x), weight(y)), cmp.Compare(rank(x), rank(y)),
		strings.Compare(x.GOOS, y.GOOS), slices.Compare(sorted(x.Tags), sorted(y.Tags)))
}

func sorted(tags []string) []string { return slices.Sorted(slices.Values(tags)) }
