package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

const (
	// inFlight is how many files are asked for at the same time. One go
	// command asks for the files of its arguments one after another.
	inFlight = 64
	// largest is the size of the largest file that is read, in bytes. The go
	// command reads no larger go.mod either.
	largest = 16 << 20
	// maxAge is how long a list in our store is good without asking: as long
	// as an index file of crates is.
	maxAge = 10 * time.Minute
	// patience is how long one answer may take. The go command gets its own
	// time after that.
	patience = 10 * time.Second
)

// A shortcut knows, for the plainest questions, where the go command would
// look, and looks there itself: at a file of the module cache, or at one that
// the first module proxy hands out to anybody. It saves hundreds of processes,
// each of which asks for one thing after another.
//
// It never says no. Whatever it meets that is not the plain answer (a refusal,
// an error, a second proxy, a private module, a version that is no canonical
// one) leaves the question to the go command, whose credentials, order of
// proxies and words for errors count. What a plan takes from here is checked
// again: a raise is made by the go command, with its checksums.
type shortcut struct {
	cache   string // the download folder of the module cache, only read
	store   string // our own copies, laid out like the module cache, "" for none
	proxy   string // the first module proxy, "" where none may be asked
	private string // patterns of modules that no proxy knows
	client  *http.Client
	lists   sync.Map    // the version lists that were read, by escaped path
	down    atomic.Bool // the proxy did not answer once, so nobody waits for it again
}

// newShortcut reads the user's settings. Offline, the module cache is all
// there is.
func newShortcut(setup *goSetup, store string, limit time.Duration, offline bool) *shortcut {
	s := &shortcut{cache: filepath.Join(setup.ModCache, "cache", "download"), store: store, private: setup.NoProxy}
	first, _, _ := strings.Cut(strings.ReplaceAll(setup.Proxy, "|", ","), ",")
	address, err := url.Parse(strings.TrimSpace(first))
	if offline || err != nil || address.User != nil {
		return s
	}
	switch address.Scheme {
	case "http", "https", "file":
		s.proxy = strings.TrimSuffix(address.String(), "/")
	}
	s.client = &http.Client{Timeout: min(limit/4, patience)}
	if usual, ok := http.DefaultTransport.(*http.Transport); ok {
		transport := usual.Clone()
		transport.MaxIdleConnsPerHost = inFlight
		s.client.Transport = transport
	}
	return s
}

// versions lists the releases of a module as a proxy lists them.
func (s *shortcut) versions(ctx context.Context, path string) ([]string, bool) {
	escaped, err := module.EscapePath(path)
	if err != nil || s.isPrivate(path) {
		return nil, false
	}
	kept := s.kept(escaped + "/@v/list")
	data, fresh := s.fresh(kept)
	if !fresh {
		var said outcome
		if data, said = s.ask(ctx, escaped+"/@v/list"); said != yes {
			return nil, false
		}
		keep(kept, data)
	}
	s.lists.Store(escaped, data)
	return readList(data), true
}

// kept is where our store has a file, "" without a store.
func (s *shortcut) kept(name string) string {
	if s.store == "" {
		return ""
	}
	return filepath.Join(s.store, filepath.FromSlash(name))
}

// fresh reads a file of our store that may have changed since, if it is young
// enough. A proxy that is a folder is asked each time: it costs nothing.
func (s *shortcut) fresh(file string) ([]byte, bool) {
	info, err := os.Stat(file)
	if err != nil || strings.HasPrefix(s.proxy, "file:") {
		return nil, false
	}
	if age := time.Since(info.ModTime()); age < 0 || age > maxAge {
		return nil, false
	}
	data, err := os.ReadFile(file)
	return data, err == nil
}

// readList reads a version list as the go command does: the first word of a
// line, and no pseudo-version counts as a release.
func readList(data []byte) []string {
	list := []string{}
	for line := range strings.Lines(string(data)) {
		if words := strings.Fields(line); len(words) > 0 && semver.IsValid(words[0]) && !module.IsPseudoVersion(words[0]) {
			list = append(list, words[0])
		}
	}
	semver.Sort(list)
	return list
}

// remembered lists the releases that can be described without any network:
// those of the lists in the module cache and in our store whose files lie
// there too. None is no answer: the go command finds the words for that.
func (s *shortcut) remembered(path string) ([]string, bool) {
	escaped, err := module.EscapePath(path)
	if err != nil {
		return nil, false
	}
	var all []string
	for _, folder := range []string{s.cache, s.store} {
		if data, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(escaped), "@v", "list")); err == nil && folder != "" {
			all = append(all, readList(data)...)
		}
	}
	semver.Sort(all)
	all = slices.DeleteFunc(slices.Compact(all), func(version string) bool {
		name, err := module.EscapeVersion(version)
		return err != nil || !s.has(escaped+"/@v/"+name+".info") || !s.has(escaped+"/@v/"+name+".mod")
	})
	return all, len(all) > 0
}

// has says whether a file is in the module cache or in our store.
func (s *shortcut) has(name string) bool {
	for _, folder := range []string{s.cache, s.store} {
		if _, err := os.Stat(filepath.Join(folder, filepath.FromSlash(name))); err == nil && folder != "" {
			return true
		}
	}
	return false
}

// details describes path@version for a canonical version, or for "latest".
func (s *shortcut) details(ctx context.Context, path, version string) (listedModule, bool) {
	escaped, err := module.EscapePath(path)
	if err != nil {
		return listedModule{}, false
	}
	var info struct {
		Version string
		Time    time.Time
	}
	if version == "latest" {
		var ok bool
		if version, ok = s.latest(ctx, path, escaped); !ok {
			return listedModule{}, false
		}
	}
	if version != module.CanonicalVersion(version) || module.Check(path, version) != nil {
		return listedModule{}, false
	}
	name, err := module.EscapeVersion(version)
	if err != nil {
		return listedModule{}, false
	}
	base := escaped + "/@v/" + name
	data, ok := s.file(ctx, path, base+".info")
	if !ok || json.Unmarshal(data, &info) != nil || info.Version != version {
		return listedModule{}, false
	}
	data, ok = s.file(ctx, path, base+".mod")
	if !ok {
		return listedModule{}, false
	}
	m := listedModule{Path: path, Version: version}
	if !info.Time.IsZero() {
		m.Time = &info.Time
	}
	if m.mod, err = modfile.ParseLax(path+"@"+version+"/go.mod", data, nil); err != nil {
		return listedModule{}, false
	}
	if m.mod.Go != nil {
		m.GoVersion = m.mod.Go.Version
	}
	return m, true
}

// latest is the newest state of a module without releases: what the proxy
// calls so, else the youngest pseudo-version that it lists, as for the go command.
func (s *shortcut) latest(ctx context.Context, path, escaped string) (string, bool) {
	if s.isPrivate(path) {
		return "", false
	}
	var info struct{ Version string }
	kept := s.kept(escaped + "/@latest")
	data, fresh := s.fresh(kept)
	said := yes
	if !fresh {
		if data, said = s.ask(ctx, escaped+"/@latest"); said == absent {
			data = nil
		} else if said == unknown {
			return "", false
		}
		keep(kept, data)
	}
	if len(data) > 0 {
		err := json.Unmarshal(data, &info)
		return info.Version, err == nil
	}
	list, _ := s.lists.Load(escaped)
	data, _ = list.([]byte)
	youngest := time.Time{}
	for line := range strings.Lines(string(data)) {
		words := strings.Fields(line)
		if len(words) != 1 || !module.IsPseudoVersion(words[0]) {
			continue
		}
		if at, err := module.PseudoVersionTime(words[0]); err == nil && youngest.Before(at) {
			youngest, info.Version = at, words[0]
		}
	}
	return info.Version, info.Version != ""
}

// file reads a file that never changes once it is published: from the module
// cache, else from our store, else from the proxy, and then keeps it.
func (s *shortcut) file(ctx context.Context, path, name string) ([]byte, bool) {
	if data, err := os.ReadFile(filepath.Join(s.cache, filepath.FromSlash(name))); err == nil {
		return data, true
	}
	kept := s.kept(name)
	if data, err := os.ReadFile(kept); err == nil {
		return data, true
	}
	if s.isPrivate(path) {
		return nil, false
	}
	data, said := s.ask(ctx, name)
	if said == yes {
		keep(kept, data)
	}
	return data, said == yes
}

// isPrivate says whether the proxy must not hear of a module.
func (s *shortcut) isPrivate(path string) bool {
	return s.proxy == "" || module.MatchPrefixPatterns(s.private, path)
}

// An outcome is what came of asking a proxy for a file.
type outcome int

const (
	unknown outcome = iota // anything that the go command should look at
	absent                 // it says that there is no such file
	yes                    // the file
)

// ask gets one file from the proxy.
func (s *shortcut) ask(ctx context.Context, name string) ([]byte, outcome) {
	if folder, local := strings.CutPrefix(s.proxy, "file://"); local {
		return read(folder, name)
	}
	if s.down.Load() {
		return nil, unknown
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.proxy+"/"+escapeURL(name), nil)
	if err != nil {
		return nil, unknown
	}
	request.Header.Set("User-Agent", "go-xupgrade/"+version)
	response, err := s.client.Do(request)
	if err != nil {
		s.down.Store(true)
		return nil, unknown
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		// What is left of the body is read, so that the connection can be used again.
		_, _ = io.CopyN(io.Discard, response.Body, 4096)
		if response.StatusCode == http.StatusNotFound || response.StatusCode == http.StatusGone {
			return nil, absent
		}
		return nil, unknown
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, largest+1))
	if err != nil || len(data) > largest {
		return nil, unknown
	}
	return data, yes
}

// read gets one file from a proxy that is a folder.
func read(folder, name string) ([]byte, outcome) {
	folder, err := url.PathUnescape(folder)
	if err != nil {
		return nil, unknown
	}
	data, err := os.ReadFile(filepath.Join(filepath.FromSlash(folder), filepath.FromSlash(name)))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, absent
	case err != nil:
		return nil, unknown
	}
	return data, yes
}

// escapeURL escapes each element of a path, as the go command does.
func escapeURL(name string) string {
	return strings.ReplaceAll(url.PathEscape(name), "%2F", "/")
}

// keep writes a file so that it appears whole. Not being able to costs a
// request next time and nothing else; nor has "" a place to be written to.
func keep(file string, data []byte) {
	if file == "" || os.MkdirAll(filepath.Dir(file), 0o755) != nil {
		return
	}
	draft, err := os.CreateTemp(filepath.Dir(file), ".draft-")
	if err != nil {
		return
	}
	_, err = draft.Write(data)
	if closed := draft.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(draft.Name(), file)
	}
	if err != nil {
		_ = os.Remove(draft.Name())
	}
}
