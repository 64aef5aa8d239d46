package main

import (
	"context"
	"fmt"
	goversion "go/version"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

type surveyParams struct {
	// Dir is the module's directory, absolute.
	Dir string `json:"dir"`
	// NotAfter makes the registry look as it did at that instant.
	NotAfter *time.Time `json:"not_after"`
	// Only limits the look-ups to these module paths; empty means all.
	Only []string `json:"only"`
	// Offline answers from the module cache and asks nobody.
	Offline bool `json:"offline"`
	// Transitive says which modules that only others require are looked up:
	// "withdrawn" or "all"; none when it is empty.
	Transitive string `json:"transitive"`
}

type surveyResult struct {
	GoVersion    string        `json:"goversion"`
	Module       string        `json:"module"`
	Go           string        `json:"go"`
	Requirements []requirement `json:"requirements"`
}

// A requirement is one require line of go.mod with what is known about it.
type requirement struct {
	Path    string `json:"path"`
	Version string `json:"version"`
	// Kind is "direct", "tool" or "indirect". A tool's module is marked
	// indirect in go.mod, but a person asked for it by name.
	Kind string `json:"kind"`
	// Unlisted says that no go.mod line names it, only the build list.
	Unlisted bool       `json:"unlisted,omitempty"`
	Time     *time.Time `json:"time,omitempty"`
	Go       string     `json:"go,omitempty"`
	Comment  string     `json:"comment,omitempty"`
	// Hold is the text after "xupgrade: hold" in a comment, nil without one.
	Hold      *string      `json:"hold,omitempty"`
	Replaced  *replacement `json:"replaced,omitempty"`
	Excluded  []string     `json:"excluded,omitempty"`
	Retracted []string     `json:"retracted,omitempty"`
	// SoundBelow is the highest release below a retracted version in use that
	// is not retracted itself: only a person can decide to step down to it.
	SoundBelow   string    `json:"sound_below,omitempty"`
	Deprecated   string    `json:"deprecated,omitempty"`
	Pseudo       bool      `json:"pseudo"`
	Incompatible bool      `json:"incompatible"`
	Releases     []release `json:"releases"`
	// NewestUnknown says why nobody can tell the newest release as of then:
	// "untagged" or "cut"; empty where it is known.
	NewestUnknown string `json:"newest_unknown,omitempty"`
	// Truncated says that older releases than the listed ones were left out.
	Truncated bool     `json:"truncated,omitempty"`
	Error     *failure `json:"error,omitempty"`
}

// A replacement is the right-hand side of a replace directive.
type replacement struct {
	Path    string `json:"path"`
	Version string `json:"version,omitempty"`
	Local   bool   `json:"local,omitempty"`
}

// A release is one version above the current one, of the same module path.
type release struct {
	Version   string     `json:"version"`
	Time      *time.Time `json:"time,omitempty"`
	Go        string     `json:"go,omitempty"`
	Retracted bool       `json:"retracted"`
	PathOK    bool       `json:"path_ok"`
	// Declares is the other module path that the release's go.mod names.
	Declares     string   `json:"declares,omitempty"`
	Prerelease   bool     `json:"prerelease"`
	Incompatible bool     `json:"incompatible"`
	Pseudo       bool     `json:"pseudo"`
	Error        *failure `json:"error,omitempty"`
}

// survey reads a module's requirements and asks the registry what is newer.
func (j *job) survey(ctx context.Context, p surveyParams) (*surveyResult, error) {
	f, err := readMod(filepath.Join(p.Dir, "go.mod"), "go.mod")
	if err != nil {
		return nil, err
	}
	setup, err := j.setup(ctx, p.Dir)
	if err != nil {
		return nil, err
	}
	res := &surveyResult{GoVersion: setup.Version, Module: f.Module.Mod.Path}
	if f.Go != nil {
		res.Go = f.Go.Version
	}
	if err := runsHere(setup.Version, res.Go); err != nil {
		return nil, err
	}
	res.Requirements = requirements(f)
	if p.Transitive != "" {
		more, err := j.unlisted(ctx, p.Dir, f)
		if err != nil {
			return nil, err
		}
		res.Requirements = append(res.Requirements, more...)
		slices.SortFunc(res.Requirements, func(a, b requirement) int { return strings.Compare(a.Path, b.Path) })
	}
	var wanted, transitive []*requirement
	for i := range res.Requirements {
		r := &res.Requirements[i]
		// What a local replace points at is in the repository; its name may be
		// in no registry, and is nobody's business there.
		local := r.Replaced != nil && r.Replaced.Local
		switch asked := len(p.Only) == 0 || slices.Contains(p.Only, r.Path); {
		case local || !asked:
		case r.Kind != "indirect":
			wanted = append(wanted, r)
		case p.Transitive != "" && r.Replaced == nil:
			transitive = append(transitive, r)
		}
	}
	reg, err := j.registry(ctx, p.Dir, p.NotAfter, p.Offline)
	if err != nil {
		return nil, err
	}
	defer reg.close()
	if p.Transitive == transitiveWithdrawn {
		transitive = reg.retractedOnly(ctx, transitive)
	}
	wanted = append(wanted, transitive...)
	if err := reg.fill(ctx, wanted); err != nil {
		return nil, err
	}
	return res, nil
}

// runsHere refuses a module whose own go line is above the Go at hand: every
// go command but a few would fail there.
func runsHere(have, line string) error {
	if line == "" || goversion.Compare("go"+line, have) <= 0 || !goversion.IsValid(have) {
		return nil
	}
	return &failure{Code: codeToolchainMissing,
		Message: fmt.Sprintf("go.mod requires go >= %s, but %s is what runs here; install that Go or set GOTOOLCHAIN", line, have)}
}

// requirements turns the require lines into what is known without a network,
// sorted by path.
func requirements(f *modfile.File) []requirement {
	tools := toolModules(f)
	blocks := blocksOf(f)
	all := []requirement{}
	for _, r := range f.Require {
		q := requirement{
			Path: r.Mod.Path, Version: r.Mod.Version, Kind: "direct", Releases: []release{},
			Pseudo:       module.IsPseudoVersion(r.Mod.Version),
			Incompatible: strings.HasSuffix(r.Mod.Version, "+incompatible"),
			Replaced:     replaced(f, r.Mod),
		}
		if r.Indirect {
			q.Kind = "indirect"
			if tools[r.Mod.Path] {
				q.Kind = "tool"
			}
		}
		q.Comment, q.Hold = comments(r.Syntax)
		if block := blocks[r.Syntax]; block != nil && q.Hold == nil {
			// A comment on a block speaks for each line in it.
			_, q.Hold = spoken(append(slices.Clone(block.Before), append(block.Suffix, block.LParen.Suffix...)...))
		}
		for _, x := range f.Exclude {
			if x.Mod.Path == r.Mod.Path {
				q.Excluded = append(q.Excluded, x.Mod.Version)
			}
		}
		slices.Sort(q.Excluded)
		all = append(all, q)
	}
	slices.SortFunc(all, func(a, b requirement) int { return strings.Compare(a.Path, b.Path) })
	return all
}

// blocksOf gives the block that each line stands in.
func blocksOf(f *modfile.File) map[*modfile.Line]*modfile.LineBlock {
	blocks := map[*modfile.Line]*modfile.LineBlock{}
	for _, stmt := range f.Syntax.Stmt {
		if block, ok := stmt.(*modfile.LineBlock); ok {
			for _, line := range block.Line {
				blocks[line] = block
			}
		}
	}
	return blocks
}

// toolModules finds the module of each tool line: the longest required path
// that the tool's package lies in.
func toolModules(f *modfile.File) map[string]bool {
	owners := map[string]bool{}
	for _, t := range f.Tool {
		owner := ""
		for _, r := range f.Require {
			if within(t.Path, r.Mod.Path) && len(r.Mod.Path) > len(owner) {
				owner = r.Mod.Path
			}
		}
		if owner != "" && !(within(t.Path, f.Module.Mod.Path) && len(f.Module.Mod.Path) > len(owner)) {
			owners[owner] = true
		}
	}
	return owners
}

// within says whether a package path lies in a module path.
func within(pkg, mod string) bool {
	return pkg == mod || strings.HasPrefix(pkg, mod+"/")
}

// replaced finds the replace directive that applies to m. One that names the
// version beats one for all versions.
func replaced(f *modfile.File, m module.Version) *replacement {
	var found *replacement
	for _, r := range f.Replace {
		if r.Old.Path != m.Path || r.Old.Version != "" && r.Old.Version != m.Version {
			continue
		}
		if found == nil || r.Old.Version != "" {
			found = &replacement{Path: r.New.Path, Version: r.New.Version, Local: r.New.Version == ""}
		}
	}
	return found
}

// holdMarker is what a person writes on a line, or right above it, to keep it.
const holdMarker = "xupgrade: hold"

// comments gives what a person wrote on a requirement and right above it, and
// the reason of a hold marker in it.
func comments(line *modfile.Line) (text string, hold *string) {
	if line == nil {
		return "", nil
	}
	return spoken(append(slices.Clone(line.Before), line.Suffix...))
}

// spoken reads comments: their text, and the reason of a hold marker in it.
func spoken(all []modfile.Comment) (text string, hold *string) {
	var parts []string
	for _, c := range all {
		t := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(c.Token), "//"))
		if rest, was := strings.CutPrefix(t, "indirect"); was && (rest == "" || rest[0] == ';') {
			t = strings.TrimSpace(strings.TrimPrefix(rest, ";"))
		}
		if t == "" {
			continue
		}
		parts = append(parts, t)
		if _, reason, marked := strings.Cut(t, holdMarker); marked && hold == nil {
			reason = strings.TrimSpace(strings.TrimLeft(reason, ":,- "))
			hold = &reason
		}
	}
	return strings.Join(parts, "\n"), hold
}
