package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/module"
	modzip "golang.org/x/mod/zip"
)

// archive splits a text into files. "-- name --" starts a file, as in the
// archives that the go command's own tests use.
func archive(text string) map[string]string {
	files := map[string]string{}
	name := ""
	for _, line := range strings.SplitAfter(text, "\n") {
		if n, ok := strings.CutPrefix(strings.TrimSpace(line), "-- "); ok && strings.HasSuffix(n, " --") {
			name = strings.TrimSuffix(n, " --")
			files[name] = ""
		} else if name != "" {
			files[name] += line
		}
	}
	return files
}

// writeTree puts the files of an archive under dir.
func writeTree(t *testing.T, dir, text string) {
	t.Helper()
	for name, data := range archive(text) {
		write(t, filepath.Join(dir, name), data)
	}
}

func write(t *testing.T, file, data string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A memoryFile is a file of a module zip.
type memoryFile struct{ name, data string }

func (f memoryFile) Path() string                { return f.name }
func (f memoryFile) Lstat() (os.FileInfo, error) { return fileInfo(f), nil }
func (f memoryFile) Open() (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(f.data)), nil
}

type fileInfo memoryFile

func (i fileInfo) Name() string       { return path.Base(i.name) }
func (i fileInfo) Size() int64        { return int64(len(i.data)) }
func (i fileInfo) Mode() os.FileMode  { return 0o644 }
func (i fileInfo) ModTime() time.Time { return time.Time{} }
func (i fileInfo) IsDir() bool        { return false }
func (i fileInfo) Sys() any           { return nil }

// writeProxy makes a GOPROXY tree from files named "module@version/file". A
// file called "time" gives the release's time; without one it is 2025-01-01.
func writeProxy(t *testing.T, dir, text string) {
	t.Helper()
	modules := map[module.Version]map[string]string{}
	for name, data := range archive(text) {
		mod, rest, _ := strings.Cut(name, "@")
		version, file, _ := strings.Cut(rest, "/")
		m := module.Version{Path: mod, Version: version}
		if modules[m] == nil {
			modules[m] = map[string]string{}
		}
		modules[m][file] = data
	}
	for m, files := range modules {
		released := "2025-01-01T00:00:00Z"
		if t, ok := files["time"]; ok {
			released = strings.TrimSpace(t)
		}
		delete(files, "time")
		var zipped bytes.Buffer
		var list []modzip.File
		for _, name := range slices.Sorted(maps.Keys(files)) {
			list = append(list, memoryFile{name, files[name]})
		}
		if err := modzip.Create(&zipped, m, list); err != nil {
			t.Fatalf("zipping %v: %v", m, err)
		}
		escaped, err := module.EscapePath(m.Path)
		if err != nil {
			t.Fatal(err)
		}
		base := filepath.Join(dir, escaped, "@v", m.Version)
		write(t, base+".zip", zipped.String())
		write(t, base+".mod", files["go.mod"])
		write(t, base+".info", fmt.Sprintf(`{"Version":%q,"Time":%q}`, m.Version, released))
		if !module.IsPseudoVersion(m.Version) {
			file := filepath.Join(dir, escaped, "@v", "list")
			old, _ := os.ReadFile(file)
			write(t, file, string(old)+m.Version+"\n")
		}
	}
}

// A world is a repository and a module proxy of its own.
type world struct {
	t     *testing.T
	root  string // the repository
	proxy string // the GOPROXY tree
	store string // the companion's own copies
	env   map[string]string
}

// newWorld writes the repository and the proxy and completes the go.sum files.
func newWorld(t *testing.T, repo string) *world {
	t.Helper()
	top := t.TempDir()
	w := &world{t: t, root: filepath.Join(top, "repo"), proxy: filepath.Join(top, "proxy"), store: filepath.Join(top, "store")}
	w.env = map[string]string{
		"GOPROXY": "file://" + w.proxy, "GOSUMDB": "off", "GOFLAGS": "-modcacherw", "GOTOOLCHAIN": "local",
		"GOMODCACHE": filepath.Join(top, "modcache"), "GOPRIVATE": "", "GONOPROXY": "", "GONOSUMDB": "", "GOENV": "off", "GOWORK": "",
	}
	writeProxy(t, w.proxy, universe)
	writeTree(t, w.root, repo)
	for _, mod := range []string{"lib", "", "app"} {
		dir := filepath.Join(w.root, mod)
		if data, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil && !strings.Contains(string(data), "broken") {
			w.tidy(dir)
		}
	}
	return w
}

func (w *world) tidy(dir string) {
	w.t.Helper()
	if _, err := w.job().work(w.t.Context(), dir, "mod", "tidy"); err != nil {
		w.t.Fatalf("tidying the repository of the test: %v", err)
	}
}

func (w *world) job() *job {
	return newHome().job(commonParams{Env: w.env}, func(int, int, string) {})
}

// ask runs one verb through the protocol's own decoding and encoding.
func ask[R any](w *world, verb string, params map[string]any) (R, *failure) {
	w.t.Helper()
	params["env"] = w.env
	params["store"] = w.store
	raw, err := json.Marshal(params)
	if err != nil {
		w.t.Fatal(err)
	}
	var result R
	answer, err := newHome().do(w.t.Context(), request{Verb: verb, Params: raw}, func(int, int, string) {})
	if err != nil {
		return result, asFailure(err)
	}
	raw, err = json.Marshal(answer)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &result); err != nil {
		w.t.Fatal(err)
	}
	return result, nil
}

func (w *world) survey(more map[string]any) surveyResult {
	w.t.Helper()
	params := map[string]any{"dir": w.root}
	maps.Copy(params, more)
	res, f := ask[surveyResult](w, "survey", params)
	if f != nil {
		w.t.Fatalf("survey: %s: %s", f.Code, f.Message)
	}
	return res
}

func (w *world) edit(more map[string]any, raises ...string) (editResult, *failure) {
	w.t.Helper()
	list := []map[string]string{}
	for _, r := range raises {
		p, v, _ := strings.Cut(r, "@")
		list = append(list, map[string]string{"path": p, "version": v})
	}
	params := map[string]any{"dir": w.root, "root": w.root, "raises": list}
	maps.Copy(params, more)
	return ask[editResult](w, "edit", params)
}

// tree reads all files of the repository, to compare their bytes.
func (w *world) tree() map[string]string {
	w.t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(w.root, func(file string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(file)
		files[file] = string(data)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return files
}

func (w *world) read(name string) string {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(w.root, name))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(data)
}

func (r surveyResult) of(t *testing.T, path string) requirement {
	t.Helper()
	for _, q := range r.Requirements {
		if q.Path == path {
			return q
		}
	}
	t.Fatalf("the survey has no requirement %s", path)
	return requirement{}
}

func versionsOf(q requirement) string {
	var list []string
	for _, r := range q.Releases {
		list = append(list, r.Version)
	}
	return strings.Join(list, " ")
}

func (r editResult) change(path string) *change {
	for i := range r.Changes {
		if r.Changes[i].Path == path {
			return &r.Changes[i]
		}
	}
	return nil
}

// universe is all modules that the tests know.
const universe = `
-- ex.com/a@v1.0.0/go.mod --
module ex.com/a

go 1.21

require ex.com/c v1.0.1
-- ex.com/a@v1.0.0/a.go --
package a

import "ex.com/c"

const V = "1.0.0" + c.V
-- ex.com/a@v1.1.0/go.mod --
module ex.com/a

go 1.21

require ex.com/c v1.2.0
-- ex.com/a@v1.1.0/time --
2025-03-01T00:00:00Z
-- ex.com/a@v1.1.0/a.go --
package a

import "ex.com/c"

const V = "1.1.0" + c.V
-- ex.com/a@v1.2.0/go.mod --
module ex.com/a

go 1.22.7

require ex.com/c v1.2.0
-- ex.com/a@v1.2.0/time --
2025-05-01T00:00:00Z
-- ex.com/a@v1.2.0/a.go --
package a

import "ex.com/c"

const V = "1.2.0" + c.V
-- ex.com/a@v1.3.0/go.mod --
module ex.com/a

go 1.99.0
-- ex.com/a@v1.3.0/time --
2025-06-01T00:00:00Z
-- ex.com/a@v1.3.0/a.go --
package a

const V = "1.3.0"
-- ex.com/a@v1.4.0-rc.1/go.mod --
module ex.com/a
-- ex.com/a@v1.4.0-rc.1/a.go --
package a

const V = "rc"
-- ex.com/c@v1.0.1/go.mod --
module ex.com/c

go 1.21
-- ex.com/c@v1.0.1/c.go --
package c

const V = "1.0.1"
-- ex.com/c@v1.2.0/go.mod --
module ex.com/c

go 1.21
-- ex.com/c@v1.2.0/time --
2025-02-01T00:00:00Z
-- ex.com/c@v1.2.0/c.go --
package c

const V = "1.2.0"
-- ex.com/c@v1.4.0/go.mod --
module ex.com/c

go 1.21
-- ex.com/c@v1.4.0/time --
2025-04-01T00:00:00Z
-- ex.com/c@v1.4.0/c.go --
package c

const V = "1.4.0"
-- ex.com/c@v1.4.1/go.mod --
// Deprecated: use ex.com/c/v2 instead.
module ex.com/c

go 1.21

// broke everything
retract [v1.4.0, v1.4.1]
-- ex.com/c@v1.4.1/time --
2025-04-02T00:00:00Z
-- ex.com/c@v1.4.1/c.go --
package c

const V = "1.4.1"
-- ex.com/big@v1.0.0/go.mod --
module ex.com/big

go 1.21
-- ex.com/big@v1.0.0/big.go --
package big
-- ex.com/big@v1.0.0/x/x.go --
package x
-- ex.com/big@v1.0.0/sub/sub.go --
package sub
-- ex.com/big@v1.1.0/go.mod --
module ex.com/big

go 1.21
-- ex.com/big@v1.1.0/big.go --
package big
-- ex.com/big@v1.1.0/sub/sub.go --
package sub
-- ex.com/big@v1.2.0/go.mod --
module ex.com/big

go 1.21
-- ex.com/big@v1.2.0/big.go --
package big
-- ex.com/big@v1.2.0/x/x.go --
package x
-- ex.com/big/sub@v0.1.0/go.mod --
module ex.com/big/sub

go 1.21
-- ex.com/big/sub@v0.1.0/time --
2025-07-01T00:00:00Z
-- ex.com/big/sub@v0.1.0/sub.go --
package sub
-- ex.com/moved@v1.0.0/go.mod --
module ex.com/moved

go 1.21
-- ex.com/moved@v1.0.0/m.go --
package moved
-- ex.com/moved@v1.1.0/go.mod --
module ex.org/renamed

go 1.21
-- ex.com/moved@v1.1.0/m.go --
package moved
-- ex.com/tool@v1.0.0/go.mod --
module ex.com/tool

go 1.21
-- ex.com/tool@v1.0.0/cmd/gen/main.go --
package main

func main() {}
-- ex.com/tool@v1.1.0/go.mod --
module ex.com/tool

go 1.21
-- ex.com/tool@v1.1.0/cmd/gen/main.go --
package main

func main() {}
-- ex.com/drag@v1.0.0/go.mod --
module ex.com/drag

go 1.21

require ex.com/big v1.0.0
-- ex.com/drag@v1.0.0/d.go --
package drag

import _ "ex.com/big"
-- ex.com/drag@v1.1.0/go.mod --
module ex.com/drag

go 1.21

require ex.com/big v1.1.0
-- ex.com/drag@v1.1.0/d.go --
package drag

import _ "ex.com/big"
-- ex.com/gone@v1.0.0/go.mod --
module ex.com/gone

go 1.21
-- ex.com/gone@v1.0.0/x/x.go --
package x
-- ex.com/gone@v1.1.0/go.mod --
module ex.com/gone

go 1.21
-- ex.com/gone@v1.1.0/y/y.go --
package y
-- ex.com/inc@v1.0.0/go.mod --
module ex.com/inc
-- ex.com/inc@v1.0.0/i.go --
package inc
`
