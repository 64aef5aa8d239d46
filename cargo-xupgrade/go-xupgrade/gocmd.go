package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// The go command has no overall limit on time of its own, so each call gets
// one. A look-up reads a few small files; work may download and load a whole
// module graph.
const (
	lookupLimit = 120 * time.Second
	workFactor  = 5
)

// A home is what outlives one request: the environment that hello set, and
// what was found out once.
type home struct {
	mu    sync.Mutex
	env   map[string]string
	limit time.Duration
	tools map[string]*goSetup
	lists map[string][]string
	// details are what the proxy view asked for; see look.
	details map[string]listedModule
	store   string
}

func newHome() *home {
	return &home{env: map[string]string{}, limit: lookupLimit, tools: map[string]*goSetup{}, lists: map[string][]string{}, details: map[string]listedModule{}}
}

// remember makes the parameters of a hello hold for all later requests.
func (h *home) remember(p commonParams) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for k, v := range p.Env {
		h.env[k] = v
	}
	h.limit = seconds(p.TimeoutS, h.limit)
	h.store = p.Store
	h.tools = map[string]*goSetup{}
	h.lists = map[string][]string{}
	h.details = map[string]listedModule{}
}

// A job is one request at work.
type job struct {
	home   *home
	env    map[string]string
	limit  time.Duration
	store  string // a folder for copies of published files, "" for none
	report func(done, total int, what string)
}

func (h *home) job(p commonParams, report func(int, int, string)) *job {
	h.mu.Lock()
	defer h.mu.Unlock()
	env := map[string]string{}
	for k, v := range h.env {
		env[k] = v
	}
	for k, v := range p.Env {
		env[k] = v
	}
	store := p.Store
	if store == "" {
		store = h.store
	}
	return &job{home: h, env: env, limit: seconds(p.TimeoutS, h.limit), store: store, report: report}
}

// A goSetup is how the go command has to be called in one directory.
type goSetup struct {
	Version    string `json:"GOVERSION"`
	Toolchain  string `json:"GOTOOLCHAIN"`
	Root       string `json:"GOROOT"`
	ModCache   string `json:"GOMODCACHE"`
	Cache      string `json:"GOCACHE"`
	Proxy      string `json:"GOPROXY"`
	Private    string `json:"GOPRIVATE"`
	NoProxy    string `json:"GONOPROXY"`
	Flags      string `json:"GOFLAGS"`
	Work       string `json:"GOWORK"`
	keptFlags  []string
	lostFlags  []string
	pin        string // the value of GOTOOLCHAIN for all later calls
	cleanFlags string // the value of GOFLAGS for all later calls, "" to leave it
}

// setup finds out, once for each directory, which Go the user's settings
// choose there, and pins it: no later call switches to another toolchain, and
// none downloads one. GOPROXY=off makes a toolchain that is not on this
// machine an error instead of a download.
func (j *job) setup(ctx context.Context, dir string) (*goSetup, error) {
	key := j.setupKey(dir)
	j.home.mu.Lock()
	known := j.home.tools[key]
	j.home.mu.Unlock()
	if known != nil {
		return known, nil
	}
	var user *goSetup
	var userErr error
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		user, userErr = j.userSetup(ctx)
	}()
	here, err := j.goEnv(ctx, dir, "GOPROXY=off")
	<-asked
	if userErr != nil {
		return nil, fmt.Errorf("asking the go command for its settings: %w", userErr)
	}
	if err != nil {
		f := *asFailure(err)
		if f.Code != codeCancelled && f.Code != codeTimeout {
			f.Code = codeToolchainMissing
		}
		f.Message = fmt.Sprintf("finding the Go toolchain for %s: %s (nothing is downloaded unasked: install it, or set GOTOOLCHAIN)", dir, f.Message)
		return nil, &f
	}
	s := *user
	s.pin = here.Version
	if here.Version == user.Version || !strings.HasPrefix(here.Version, "go1") || strings.ContainsAny(here.Version, " -") {
		s.pin = "local"
	}
	s.Version, s.Root, s.Work, s.Toolchain = here.Version, here.Root, here.Work, here.Toolchain
	s.keptFlags, s.lostFlags = splitFlags(user.Flags)
	if len(s.lostFlags) > 0 {
		// An empty GOFLAGS would let the user's go/env file speak again, so
		// say something that is the default anyway.
		s.cleanFlags = strings.Join(append(slices.Clone(s.keptFlags), "-buildvcs=auto"), " ")
		if len(s.keptFlags) > 0 {
			s.cleanFlags = strings.Join(s.keptFlags, " ")
		}
	}
	j.home.mu.Lock()
	defer j.home.mu.Unlock()
	j.home.tools[key] = &s
	return &s, nil
}

func (j *job) setupKey(dir string) string {
	return dir + "\x00" + strings.Join(environment(nil, j.env), "\x00")
}

// settle makes the setup of one directory that of another one, too.
func (j *job) settle(dir string, s *goSetup) {
	j.home.mu.Lock()
	defer j.home.mu.Unlock()
	j.home.tools[j.setupKey(dir)] = s
}

// userSetup is what the go command says of itself outside of any directory
// that matters, asked once.
func (j *job) userSetup(ctx context.Context) (*goSetup, error) {
	key := strings.Join(environment(nil, j.env), "\x00")
	j.home.mu.Lock()
	known := j.home.tools[key]
	j.home.mu.Unlock()
	if known != nil {
		return known, nil
	}
	user, err := j.goEnv(ctx, os.TempDir(), "GOTOOLCHAIN=local")
	if err != nil {
		return nil, err
	}
	j.home.mu.Lock()
	defer j.home.mu.Unlock()
	j.home.tools[key] = user
	return user, nil
}

func (j *job) goEnv(ctx context.Context, dir string, env ...string) (*goSetup, error) {
	out, err := j.exec(ctx, dir, j.limit, append([]string{"LC_ALL=C"}, env...), "env", "-json",
		"GOVERSION", "GOTOOLCHAIN", "GOROOT", "GOMODCACHE", "GOCACHE", "GOPROXY", "GOPRIVATE", "GONOPROXY", "GOFLAGS", "GOWORK")
	if err != nil {
		return nil, err
	}
	var s goSetup
	if err := json.Unmarshal(out, &s); err != nil {
		return nil, fmt.Errorf("reading go env -json: %w", err)
	}
	return &s, nil
}

// splitFlags takes those flags out of GOFLAGS that would make a plain call
// edit go.mod, or read another go.mod than the one on disk.
func splitFlags(goflags string) (kept, lost []string) {
	for _, f := range strings.Fields(goflags) {
		name, _, _ := strings.Cut(strings.TrimLeft(f, "-'\""), "=")
		if name == "mod" || name == "modfile" || name == "overlay" {
			lost = append(lost, f)
		} else {
			kept = append(kept, f)
		}
	}
	return kept, lost
}

// run calls the go command in dir with the pinned toolchain and clean flags.
// When it fails, the error is a *failure that says what the command said.
// The output may be useful even then.
func (j *job) run(ctx context.Context, dir string, limit time.Duration, env []string, args ...string) ([]byte, error) {
	s, err := j.setup(ctx, dir)
	if err != nil {
		return nil, err
	}
	all := []string{"LC_ALL=C", "GOTOOLCHAIN=" + s.pin}
	if s.cleanFlags != "" {
		all = append(all, "GOFLAGS="+s.cleanFlags)
	}
	return j.exec(ctx, dir, limit, append(all, env...), args...)
}

// work is run with the limit of a command that may download modules, outside
// any workspace. This is how everything that edits is called.
func (j *job) work(ctx context.Context, dir string, args ...string) ([]byte, error) {
	return j.run(ctx, dir, workFactor*j.limit, []string{"GOWORK=off", "GOMAXPROCS=16"}, args...)
}

// exec starts one go command in a process group of its own, with stdin
// closed, and kills the whole group when ctx ends or the limit is reached: the
// go command starts git, compilers and tests, and those must end as well.
func (j *job) exec(ctx context.Context, dir string, limit time.Duration, env []string, args ...string) ([]byte, error) {
	begin := time.Now()
	limited, stop := context.WithTimeout(ctx, limit)
	defer stop()
	cmd := exec.CommandContext(limited, "go", args...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
	cmd.Env = environment(append([]string{"PWD=" + dir}, env...), j.env)
	cmd.WaitDelay = 2 * time.Second
	ownGroup(cmd)
	// The kernel ties "kill the child when its parent dies" to the thread that
	// started the child, so that thread has to stay.
	runtime.LockOSThread()
	err := cmd.Run()
	runtime.UnlockOSThread()
	if err == nil {
		return stdout.Bytes(), nil
	}
	f := saying(stderr.String())
	switch {
	case ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded):
		f = &failure{Code: codeCancelled, Message: "cancelled while running go " + strings.Join(args, " ")}
	case limited.Err() != nil:
		f = &failure{Code: codeTimeout, Retryable: true,
			Message: fmt.Sprintf("no answer within %s from: go %s", time.Since(begin).Round(time.Second), clip(strings.Join(args, " "), 300))}
	case errors.Is(err, exec.ErrNotFound):
		f = &failure{Code: codeToolchainMissing, Message: "there is no go command on the PATH; install Go from https://go.dev/dl/"}
	case f.Message == "":
		f.Message = fmt.Sprintf("go %s: %v", clip(strings.Join(args, " "), 300), err)
	}
	f.Cmd = append([]string{"go"}, args...)
	f.StderrTail = tail(stderr.String(), 4000)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() >= 0 {
		code := exit.ExitCode()
		f.Exit = &code
	}
	return stdout.Bytes(), f
}

// environment is our own environment with over laid on top, and forced on top
// of that. A later entry wins, as in os/exec.
func environment(forced []string, over map[string]string) []string {
	env := os.Environ()
	keys := make([]string, 0, len(over))
	for k := range over {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		env = append(env, k+"="+over[k])
	}
	return append(env, forced...)
}

// decodeStream reads the objects that `go list -json` prints one after
// another: they are neither an array nor one per line.
func decodeStream[T any](data []byte) ([]T, error) {
	var all []T
	dec := json.NewDecoder(bytes.NewReader(data))
	for {
		var one T
		if err := dec.Decode(&one); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return all, fmt.Errorf("reading object %d of go list -json: %w", len(all)+1, err)
		}
		all = append(all, one)
	}
}

// hello's answer: what the user's Go looks like.
type helloResult struct {
	Protocol       int      `json:"protocol"`
	Companion      string   `json:"companion"`
	GoVersion      string   `json:"goversion"`
	GoRoot         string   `json:"goroot"`
	GoModCache     string   `json:"gomodcache"`
	GoCache        string   `json:"gocache"`
	GoProxy        string   `json:"goproxy"`
	GoPrivate      string   `json:"goprivate"`
	GoFlagsKept    []string `json:"goflags_kept"`
	GoFlagsDropped []string `json:"goflags_dropped"`
}

func (j *job) hello(ctx context.Context, _ struct{}) (*helloResult, error) {
	s, err := j.setup(ctx, os.TempDir())
	if err != nil {
		return nil, err
	}
	return &helloResult{
		Protocol: protocolVersion, Companion: version, GoVersion: s.Version, GoRoot: s.Root,
		GoModCache: s.ModCache, GoCache: s.Cache, GoProxy: s.Proxy, GoPrivate: s.Private,
		GoFlagsKept: nonNil(s.keptFlags), GoFlagsDropped: nonNil(s.lostFlags),
	}, nil
}

// nonNil makes an empty list print as [] and not as null.
func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
