package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// A workspace selects one version of each module for all its members, and
// where that is another one than a member's go.sum knows, the go command
// writes the missing hashes into go.work.sum, whatever it was asked to do. So
// go.work.sum is a lockfile, and one that a raise makes stale is completed
// with the raise. What a plain command already writes before any raise is left
// for whoever runs it.

type workSumsParams struct {
	// Work is the go.work file, absolute.
	Work string `json:"work"`
	// Quiet are the loads that must write nothing; nil asks which those are.
	Quiet []workLoad `json:"quiet"`
}

type workSumsResult struct {
	// Quiet are the loads that leave go.work.sum alone as things are.
	Quiet []workLoad `json:"quiet"`
	// Added is how many lines were written.
	Added int `json:"added"`
}

// A workLoad is what some go commands load of a workspace. "build" is what
// `go build ./...` in these members loads, "test" what `go vet` and `go test`
// load, "list" what `go list -m all`, and "graph" what `go mod graph` does.
type workLoad struct {
	What string `json:"what"`
	// Members are directories relative to that of go.work.
	Members []string `json:"members,omitempty"`
}

// workSums adds to go.work.sum what these loads miss there, or finds out which
// loads miss nothing. It runs no code of any module.
func (j *job) workSums(ctx context.Context, p workSumsParams) (*workSumsResult, error) {
	before := snapshot{}
	if err := before.take(p.Work + ".sum"); err != nil {
		return nil, err
	}
	w := &workspace{job: j, file: p.Work, before: before}
	var res *workSumsResult
	var err error
	if p.Quiet == nil {
		res, err = w.listen(ctx)
	} else {
		res, err = w.complete(ctx, p.Quiet)
	}
	if err != nil || p.Quiet == nil {
		if undo := before.putBack(); undo != nil {
			return nil, &failure{Code: codeInternal, Message: fmt.Sprintf("%v; and putting the files back failed: %v", err, undo)}
		}
	}
	return res, err
}

// A workspace is a go.work file, with the bytes of its go.work.sum.
type workspace struct {
	*job
	file   string
	before snapshot
}

// listen finds the loads that write nothing, as few as say it: one for all
// members, where that is so.
func (w *workspace) listen(ctx context.Context) (*workSumsResult, error) {
	members, err := w.members()
	if err != nil {
		return nil, err
	}
	res := &workSumsResult{Quiet: []workLoad{}}
	ask := func(loads ...workLoad) (quiet bool, err error) {
		for _, load := range loads {
			if quiet, err = w.isQuiet(ctx, load); err != nil || !quiet {
				return false, err
			}
		}
		res.Quiet = append(res.Quiet, loads...)
		return true, nil
	}
	all, err := ask(workLoad{"test", members})
	if err != nil {
		return nil, err
	}
	for _, member := range members {
		if all {
			break
		}
		tests, err := ask(workLoad{"test", []string{member}})
		if err == nil && !tests {
			_, err = ask(workLoad{"build", []string{member}})
		}
		if err != nil {
			return nil, err
		}
	}
	for _, what := range []string{"list", "graph"} {
		if _, err := ask(workLoad{What: what}); err != nil {
			return nil, err
		}
	}
	return res, nil
}

// members are the directories that go.work uses, as it spells them.
func (w *workspace) members() ([]string, error) {
	data, err := os.ReadFile(w.file)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", w.file, err)
	}
	f, err := modfile.ParseWork(filepath.Base(w.file), data, nil)
	if err != nil {
		return nil, &failure{Code: codeParse, Message: strings.TrimSpace(err.Error())}
	}
	var dirs []string
	for _, use := range f.Use {
		dirs = append(dirs, filepath.ToSlash(filepath.Clean(use.Path)))
	}
	slices.Sort(dirs)
	return slices.Compact(dirs), nil
}

// isQuiet says whether a load adds nothing to go.work.sum, which it leaves as
// it was. A load that fails for reasons of its own promises nothing; one that
// failed for the network would perhaps have written something.
func (w *workspace) isQuiet(ctx context.Context, load workLoad) (bool, error) {
	err := w.load(ctx, load)
	added, readErr := w.added()
	if undo := w.before.putBack(); undo != nil {
		return false, fmt.Errorf("putting %s.sum back: %w", w.file, undo)
	}
	if readErr != nil {
		return false, readErr
	}
	if err != nil {
		f := asFailure(err)
		if f.Retryable || f.Code == codeCancelled {
			return false, err
		}
		return false, nil
	}
	return len(added) == 0, nil
}

// complete runs the loads one after another, and adds what they wrote to the
// lines that were there, none of which it loses: the go command drops those
// that the go.sum of a member holds as well.
func (w *workspace) complete(ctx context.Context, loads []workLoad) (*workSumsResult, error) {
	for _, load := range loads {
		if err := w.load(ctx, load); err != nil {
			return nil, fmt.Errorf("completing %s.sum: %w", filepath.Base(w.file), err)
		}
	}
	added, err := w.added()
	if err != nil {
		return nil, err
	}
	if len(added) == 0 {
		return &workSumsResult{Quiet: loads}, w.before.putBack()
	}
	text := withSums(w.before[w.file+".sum"], added)
	if err := os.WriteFile(w.file+".sum", text, 0o644); err != nil {
		return nil, fmt.Errorf("writing %s.sum: %w", filepath.Base(w.file), err)
	}
	return &workSumsResult{Quiet: loads, Added: len(added)}, nil
}

// load lets the go command load packages or modules in the workspace. Packages
// that do not load for other reasons than a hash are not our business.
func (w *workspace) load(ctx context.Context, load workLoad) error {
	var args []string
	switch load.What {
	case "list":
		args = []string{"list", "-m", "all"}
	case "graph":
		args = []string{"mod", "graph"}
	case "build", "test":
		args = []string{"list", "-deps", "-e", "-f", completeFormat}
		if load.What == "test" {
			args = append(args, "-test")
		}
		for _, member := range load.Members {
			args = append(args, pattern(member))
		}
	default:
		return &failure{Code: codeUnsupported, Message: fmt.Sprintf("there is no load %q", load.What)}
	}
	env := []string{"GOWORK=" + w.file, "GOMAXPROCS=16"}
	out, err := w.run(ctx, filepath.Dir(w.file), workFactor*w.limit, env, args...)
	if err == nil && load.Members != nil {
		err = unfetched(string(out))
	}
	return err
}

// pattern names all packages in a directory, as the go command reads
// it: a path that does not begin with a dot would be an import path.
func pattern(dir string) string {
	if dir == "." {
		return "./..."
	}
	if filepath.IsAbs(dir) || strings.HasPrefix(dir, "../") || dir == ".." {
		return dir + "/..."
	}
	return "./" + dir + "/..."
}

// added are the lines of go.work.sum that were not there.
func (w *workspace) added() ([]string, error) {
	now, err := os.ReadFile(w.file + ".sum")
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s.sum: %w", filepath.Base(w.file), err)
	}
	had := map[string]bool{}
	for _, line := range sumLines(w.before[w.file+".sum"]) {
		had[line] = true
	}
	var added []string
	for _, line := range sumLines(now) {
		if !had[line] {
			added = append(added, line)
		}
	}
	return added, nil
}

func sumLines(data []byte) []string {
	var lines []string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// withSums is the old text with lines added, each before the first one that
// the go command would write after it.
func withSums(old []byte, added []string) []byte {
	end := []byte("\n")
	if bytes.Contains(old, []byte("\r\n")) {
		end = []byte("\r\n")
	}
	if len(old) > 0 && !bytes.HasSuffix(old, []byte("\n")) {
		old = slices.Concat(old, end)
	}
	var text []byte
	rest := slices.SortedFunc(slices.Values(added), compareSums)
	for line := range bytes.Lines(old) {
		for len(rest) > 0 && len(bytes.TrimSpace(line)) > 0 && compareSums(rest[0], string(line)) < 0 {
			text = slices.Concat(text, []byte(rest[0]), end)
			rest = rest[1:]
		}
		text = append(text, line...)
	}
	for _, line := range rest {
		text = slices.Concat(text, []byte(line), end)
	}
	return text
}

// compareSums orders two lines of a sum file as the go command does.
func compareSums(a, b string) int {
	of := func(line string) module.Version {
		f := strings.Fields(line)
		if len(f) < 2 {
			return module.Version{Path: line}
		}
		return module.Version{Path: f[0], Version: f[1]}
	}
	pair := []module.Version{of(a), of(b)}
	if pair[0] == pair[1] {
		return strings.Compare(a, b)
	}
	module.Sort(pair)
	if pair[0] == of(a) {
		return -1
	}
	return 1
}
