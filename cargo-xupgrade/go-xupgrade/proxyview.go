package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/module"
)

// A proxyView is a module proxy on the loopback interface that stands before
// the user's GOPROXY list while an edit resolves. `go get` and `go mod tidy`
// take the newest release of whatever they have to look up by themselves; the
// view answers those look-ups (@v/list, @latest) and leaves out what the rule
// of the run hides (agerule.go).
//
// It answers nothing else. For each other file, and for each module that is
// not there, it says 404, upon which the go command asks the user's own list
// in the usual way: credentials, fallbacks, `direct`, `off`, file:// proxies,
// the checksum database and the words of failures are those of the user's go
// command. What the view itself has to know it asks through that go command,
// too. Modules that GONOPROXY or GOPRIVATE name never pass it, as they pass no
// proxy; the caller judges the ages of whatever an edit brings once more.
type proxyView struct {
	ctx      context.Context
	stop     context.CancelFunc
	registry *registry
	rule     viewRule
	// locked are versions that are in use already, which are always shown.
	locked map[string]map[string]bool
	// excluded are versions that the go command will not take anyway.
	excluded map[string]map[string]bool

	server  *http.Server
	address string // the GOPROXY entry
	prefix  string // what the path of each request begins with

	mu    sync.Mutex
	pages map[string]*page
}

// A page is what the view says about one module; it is made once.
type page struct {
	made  sync.Once
	shown []string // what the list names
	// refusal is said instead of a list.
	refusal *refusal
	// latest answers @latest, for a module without any tag.
	latest *listedModule
}

// A refusal ends a request without an answer.
type refusal struct {
	status int
	words  string
}

// failedDependency is a status that the go command neither tries again nor
// takes for "ask the next proxy".
const failedDependency = http.StatusFailedDependency

// notHere makes the go command ask the next proxy in its list.
func notHere() *refusal { return &refusal{http.StatusNotFound, "ask the next proxy"} }

// unclear says that an age could not be found out. The words make the failure
// one that may pass.
func unclear(path string, f *failure) *refusal {
	return &refusal{failedDependency, fmt.Sprintf("cannot tell how old the versions of %s are: %s", path, f.Message)}
}

// unlisted passes on why the user's proxies gave no list. The difference
// matters: a module that is not there leaves its packages to a module with a
// shorter path, and one that cannot be looked at does not.
func unlisted(path string, f *failure) *refusal {
	if nobodyHas.MatchString(f.Message) {
		return notHere()
	}
	return &refusal{failedDependency, strings.TrimPrefix(f.Message, namesModule(path))}
}

// startView begins to serve. Whoever starts it closes it.
func (j *job) startView(ctx context.Context, dir string, rule viewRule) (*proxyView, error) {
	quiet := *j
	quiet.report = func(int, int, string) {}
	reg, err := quiet.registry(ctx, dir, nil, false)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		reg.close()
		return nil, fmt.Errorf("opening a port for the proxy view: %w", err)
	}
	// Other users of the machine can reach the port, and the lists may be of
	// private modules: nobody finds them without this name.
	name := make([]byte, 16)
	if _, err := rand.Read(name); err != nil {
		reg.close()
		_ = listener.Close()
		return nil, fmt.Errorf("naming the proxy view: %w", err)
	}
	v := &proxyView{registry: reg, rule: rule, pages: map[string]*page{},
		locked: map[string]map[string]bool{}, excluded: map[string]map[string]bool{}}
	v.ctx, v.stop = context.WithCancel(ctx)
	v.prefix = "/view-" + hex.EncodeToString(name) + "/"
	v.address = "http://" + listener.Addr().String() + strings.TrimSuffix(v.prefix, "/")
	v.server = &http.Server{Handler: v, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = v.server.Serve(listener) }()
	return v, nil
}

// close ends what is still being answered, and waits for it.
func (v *proxyView) close() {
	v.stop()
	_ = v.server.Shutdown(context.Background())
	v.registry.close()
}

// lock shows a version from now on, whatever its age.
func (v *proxyView) lock(path, version string) { note(v.locked, path, version) }

// exclude tells of a version that the go command passes over.
func (v *proxyView) exclude(path, version string) { note(v.excluded, path, version) }

func note(in map[string]map[string]bool, path, version string) {
	if in[path] == nil {
		in[path] = map[string]bool{}
	}
	in[path][version] = true
}

// ServeHTTP answers as a module proxy does (go.dev/ref/mod#goproxy-protocol).
func (v *proxyView) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, no := v.answer(r.URL.Path)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if no != nil {
		w.WriteHeader(no.status)
		body = []byte(no.words)
	}
	_, _ = w.Write(body)
}

func (v *proxyView) answer(requested string) ([]byte, *refusal) {
	rest, mine := strings.CutPrefix(requested, v.prefix)
	escaped, file, proper := strings.Cut(rest, "/@")
	path, err := module.UnescapePath(escaped)
	if !mine || !proper || err != nil || path == "golang.org/toolchain" {
		return nil, notHere()
	}
	version, isInfo := strings.CutPrefix(strings.TrimSuffix(file, ".info"), "v/")
	switch {
	case file == "v/list":
		p := v.page(path)
		return []byte(strings.Join(append(slices.Clone(p.shown), ""), "\n")), p.refusal
	case file == "latest":
		p := v.page(path)
		if p.refusal != nil || p.latest == nil {
			return nil, cmp.Or(p.refusal, notHere())
		}
		return info(*p.latest)
	case isInfo && strings.HasSuffix(file, ".info"):
		return v.info(path, version)
	}
	return nil, notHere()
}

// info tells of a version that the go command chose from a list of ours: to
// send it elsewhere would make it take the list from there. A version that it
// was told by name is no choice, so the user's proxies answer for that.
func (v *proxyView) info(path, escaped string) ([]byte, *refusal) {
	version, err := module.UnescapeVersion(escaped)
	v.mu.Lock()
	_, asked := v.pages[path]
	v.mu.Unlock()
	if err != nil || !asked {
		return nil, notHere()
	}
	p := v.page(path)
	if p.latest != nil && p.latest.Version == version {
		return info(*p.latest)
	}
	if !slices.Contains(p.shown, version) {
		return nil, notHere()
	}
	m, no := v.look(path, version)
	if no != nil {
		return nil, no
	}
	// A list is looked through only as far as the first version that may be
	// taken, so one further down may turn out to be younger.
	if v.hides(path, m[version]) {
		return nil, tooYoung(path, m[version])
	}
	return info(m[version])
}

// info gives the bytes that the proxy itself sent, which lie beside the go.mod
// in the module cache: they may say where the version comes from.
func info(m listedModule) ([]byte, *refusal) {
	if file, cached := strings.CutSuffix(m.GoMod, ".mod"); cached {
		if data, err := os.ReadFile(file + ".info"); err == nil && json.Valid(data) {
			return data, nil
		}
	}
	data, err := json.Marshal(struct {
		Version string
		Time    *time.Time
	}{m.Version, m.Time})
	if err != nil {
		return nil, notHere()
	}
	return data, nil
}

// look asks for details, of each version once in the life of the companion:
// what a version is does not change.
func (v *proxyView) look(path string, versions ...string) (map[string]listedModule, *refusal) {
	home, known := v.registry.job.home, map[string]listedModule{}
	key := func(version string) string { return v.registry.key(path + "@" + version) }
	var queries []string
	home.mu.Lock()
	for _, version := range versions {
		if m, ok := home.details[key(version)]; ok {
			known[version] = m
		} else {
			queries = append(queries, path+"@"+version)
		}
	}
	home.mu.Unlock()
	if len(queries) == 0 {
		return known, nil
	}
	answers := v.registry.seen(v.ctx, queries, "ages")
	if v.ctx.Err() != nil {
		return nil, unclear(path, &failure{Message: "cancelled"})
	}
	home.mu.Lock()
	defer home.mu.Unlock()
	for _, query := range queries {
		version, m := strings.TrimPrefix(query, path+"@"), answers[query]
		if m.Error != nil {
			if f := saying(m.Error.Err); f.Retryable {
				return nil, unclear(path, f)
			}
		} else if version != "latest" {
			home.details[key(version)] = m
		}
		known[version] = m
	}
	return known, nil
}
