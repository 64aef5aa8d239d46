package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/modfile"
)

const (
	// processes is how many go commands ask for details at the same time. One
	// command resolves path@version arguments one after another, whatever
	// GOMAXPROCS is.
	processes = 8
	// perProcess is how many versions one such command is asked about.
	perProcess = 12
)

// listedModule is what `go list -m -json` prints, as far as it is used.
type listedModule struct {
	Path      string
	Version   string
	Versions  []string
	Time      *time.Time
	GoMod     string
	GoVersion string
	Main      bool
	Indirect  bool
	Replace   *listedModule
	Error     *struct{ Err string }

	// mod is the module's go.mod, where it was read already.
	mod *modfile.File
}

// A registry asks the user's module proxies, through the go command, from an
// empty directory: there neither a vendor folder, an incomplete go.sum nor a
// workspace of the repository gets in the way.
type registry struct {
	job      *job
	short    *shortcut
	empty    string
	env      []string
	modCache string
	notAfter *time.Time
	offline  bool
}

func (j *job) registry(ctx context.Context, dir string, notAfter *time.Time, offline bool) (*registry, error) {
	setup, err := j.setup(ctx, dir)
	if err != nil {
		return nil, err
	}
	empty, err := os.MkdirTemp("", "go-xupgrade-")
	if err != nil {
		return nil, fmt.Errorf("making an empty directory for look-ups: %w", err)
	}
	j.settle(empty, setup)
	r := &registry{job: j, empty: empty, modCache: setup.ModCache, notAfter: notAfter, offline: offline}
	r.short = newShortcut(setup, j.store, j.limit, offline)
	r.env = []string{"GOWORK=off", "GOMAXPROCS=16", "GOTOOLCHAIN=" + setup.pin}
	if offline {
		// The module cache has the layout of a proxy, and knows the list of
		// the versions that it holds. With GOPROXY=off the go command would
		// refuse to look at that list.
		r.env = append(r.env, "GOPROXY=file://"+setup.ModCache+"/cache/download", "GONOPROXY=none", "GOSUMDB=off", "GOVCS=*:off")
	}
	return r, nil
}

func (r *registry) close() { _ = os.RemoveAll(r.empty) }

func (r *registry) list(ctx context.Context, args ...string) ([]listedModule, error) {
	out, err := r.job.run(ctx, r.empty, r.job.limit, r.env, append([]string{"list", "-m", "-e"}, args...)...)
	all, bad := decodeStream[listedModule](out)
	if err == nil {
		err = bad
	}
	return all, err
}

// failed turns the Err of one object into a failure.
func (r *registry) failed(text string) *failure {
	f := saying(text)
	if r.offline && f.Code == codeNotFound {
		f.Code = codeOffline
		f.Message = "not in the module cache: " + f.Message
	}
	return f
}

// versions lists all versions of each path, retracted ones included: by the
// shortcut, and the rest with one command. Modules that it did not answer for are asked for one by one, so
// that one that hangs, or fails the command, takes no other with it.
func (r *registry) versions(ctx context.Context, paths []string) (map[string][]string, map[string]*failure) {
	lists, failures := map[string][]string{}, map[string]*failure{}
	var ask []string
	for _, p := range paths {
		if known, ok := r.remembered(p); ok {
			lists[p] = known
		} else {
			ask = append(ask, p)
		}
	}
	var mu sync.Mutex
	take := func(found []listedModule) {
		mu.Lock()
		defer mu.Unlock()
		for _, m := range found {
			if m.Error != nil {
				failures[m.Path] = r.failed(m.Error.Err)
			} else {
				lists[m.Path] = m.Versions
				r.remember(m.Path, m.Versions)
			}
		}
	}
	done := len(lists)
	parallel(inFlight, ask, func(p string) {
		list, ok := r.short.versions(ctx, p)
		if r.offline {
			list, ok = r.short.remembered(p)
		}
		mu.Lock()
		defer mu.Unlock()
		if ok {
			lists[p] = list
			r.remember(p, list)
		}
		done++
		r.job.report(done, len(paths), "version lists")
	})
	ask = slices.DeleteFunc(ask, func(p string) bool { _, ok := lists[p]; return ok })
	if len(ask) > 0 {
		// Half of the limit is for all together, so that enough is left for
		// asking one by one.
		together, stop := context.WithTimeout(ctx, r.job.limit/2)
		defer stop()
		found, _ := r.list(together, append([]string{"-versions", "-retracted", "-json"}, ask...)...)
		take(found)
	}
	var missing []string
	for _, p := range ask {
		if _, ok := lists[p]; !ok && failures[p] == nil {
			missing = append(missing, p)
		}
	}
	alone, stop := context.WithTimeout(ctx, r.job.limit)
	defer stop()
	parallel(processes, missing, func(p string) {
		found, err := r.list(alone, "-versions", "-retracted", "-json", p)
		take(found)
		mu.Lock()
		defer mu.Unlock()
		if _, ok := lists[p]; !ok && failures[p] == nil {
			if err == nil {
				err = &failure{Code: codeInternal, Message: "the go command said nothing about " + p}
			}
			failures[p] = asFailure(err)
		}
	})
	return lists, failures
}

// Version lists are never cached by the go command, so modules that share a
// dependency would ask for its list again and again.
func (r *registry) remembered(path string) ([]string, bool) {
	h := r.job.home
	h.mu.Lock()
	defer h.mu.Unlock()
	list, ok := h.lists[r.key(path)]
	return list, ok
}

func (r *registry) remember(path string, list []string) {
	h := r.job.home
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lists[r.key(path)] = list
}

func (r *registry) key(path string) string {
	return path + "\x00" + strings.Join(environment(r.env[1:], r.job.env), "\x00")
}

// details looks up time, go line and go.mod of each path@version. The answer
// has an entry for every question; a failure is in its Error.
func (r *registry) details(ctx context.Context, queries []string, what string) map[string]listedModule {
	ctx, stop := context.WithTimeout(ctx, workFactor*r.job.limit)
	defer stop()
	answers := map[string]listedModule{}
	var mu sync.Mutex
	queries = slices.Compact(slices.Sorted(slices.Values(queries)))
	parallel(inFlight, queries, func(q string) {
		path, version, _ := strings.Cut(q, "@")
		if m, ok := r.short.details(ctx, path, version); ok {
			mu.Lock()
			defer mu.Unlock()
			answers[q] = m
			r.job.report(len(answers), len(queries), what)
		}
	})
	rest := slices.DeleteFunc(slices.Clone(queries), func(q string) bool { _, ok := answers[q]; return ok })
	parallel(processes, slices.Collect(slices.Chunk(rest, perProcess)), func(chunk []string) {
		found, err := r.list(ctx, append([]string{"-json"}, chunk...)...)
		if len(found) != len(chunk) {
			// The objects come in the order of the questions, but with one
			// missing nobody can tell which: ask again, one by one.
			found = nil
			for _, q := range chunk {
				one, oneErr := r.list(ctx, "-json", q)
				if len(one) != 1 {
					one = []listedModule{{Error: &struct{ Err string }{unanswered(q, oneErr, err)}}}
				}
				found = append(found, one[0])
			}
		}
		mu.Lock()
		defer mu.Unlock()
		for i, q := range chunk {
			answers[q] = found[i]
		}
		r.job.report(len(answers), len(queries), what)
	})
	return answers
}

func unanswered(query string, errs ...error) string {
	for _, err := range errs {
		if err != nil {
			return err.Error()
		}
	}
	return "the go command said nothing about " + query
}

// parallel runs do for each item, at most so many at a time.
func parallel[T any](most int, items []T, do func(T)) {
	var all sync.WaitGroup
	room := make(chan struct{}, most)
	for _, item := range items {
		all.Add(1)
		room <- struct{}{}
		go func() {
			defer all.Done()
			defer func() { <-room }()
			do(item)
		}()
	}
	all.Wait()
}

// modOf parses the cached go.mod of a listed module, as leniently as the go
// command does for dependencies; nil when it cannot be read.
func modOf(m listedModule) *modfile.File {
	if m.mod != nil {
		return m.mod
	}
	data, err := os.ReadFile(m.GoMod)
	if err != nil {
		return nil
	}
	f, err := modfile.ParseLax(m.GoMod, data, nil)
	if err != nil {
		return nil
	}
	return f
}

// goLineOf is the go line of a listed module's own go.mod. The go command
// leaves GoVersion out where that line is above the Go at hand, which is just
// the case that matters.
func goLineOf(m listedModule) string {
	if f := modOf(m); f != nil && f.Go != nil {
		return f.Go.Version
	}
	return m.GoVersion
}

type moduleVersion struct {
	Path    string `json:"path"`
	Version string `json:"version"`
}

type probeParams struct {
	Versions []moduleVersion `json:"versions"`
	Offline  bool            `json:"offline"`
}

type probeResult struct {
	Versions []probed `json:"versions"`
}

type probed struct {
	moduleVersion
	Time   *time.Time `json:"time,omitempty"`
	Go     string     `json:"go,omitempty"`
	PathOK bool       `json:"path_ok"`
	Error  *failure   `json:"error,omitempty"`
}

// probe looks up versions that are known by name: those that a raise drags
// along, or those that another registry told of.
func (j *job) probe(ctx context.Context, p probeParams) (*probeResult, error) {
	r, err := j.registry(ctx, os.TempDir(), nil, p.Offline)
	if err != nil {
		return nil, err
	}
	defer r.close()
	var queries []string
	for _, v := range p.Versions {
		queries = append(queries, v.Path+"@"+v.Version)
	}
	answers := r.details(ctx, queries, "versions")
	if ctx.Err() != nil {
		return nil, &failure{Code: codeCancelled, Message: "cancelled while looking up versions"}
	}
	res := &probeResult{Versions: []probed{}}
	for _, v := range p.Versions {
		m := answers[v.Path+"@"+v.Version]
		one := probed{moduleVersion: v, Time: m.Time, Go: goLineOf(m), PathOK: true}
		if m.Error != nil {
			one.Error = r.failed(m.Error.Err)
			one.PathOK = one.Error.Code != codePathMismatch
		} else if f := modOf(m); f != nil && f.Module != nil {
			one.PathOK = f.Module.Mod.Path == v.Path
		}
		res.Versions = append(res.Versions, one)
	}
	return res, nil
}
