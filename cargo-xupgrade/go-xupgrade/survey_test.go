package main

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const plainRepo = `
-- go.mod --
module ex.com/m

go 1.21

tool ex.com/tool/cmd/gen

require (
	// keep: the importer needs it
	ex.com/a v1.0.0
	ex.com/c v1.0.1 // xupgrade: hold until ticket 77
	ex.com/moved v1.0.0
	// xupgrade: hold
	ex.com/big v1.0.0
)

require ex.com/tool v1.0.0 // indirect; for go generate

exclude ex.com/c v1.1.0
-- m.go --
package m

import (
	_ "ex.com/a"
	_ "ex.com/big/sub"
	_ "ex.com/big/x"
	_ "ex.com/c"
	_ "ex.com/moved"
)
`

func TestSurveyListsReleasesAboveTheCurrentWithTimesAndGoLines(t *testing.T) {
	w := newWorld(t, plainRepo)
	a := w.survey(nil).of(t, "ex.com/a")
	if got := versionsOf(a); got != "v1.4.0-rc.1 v1.3.0 v1.2.0 v1.1.0" {
		t.Fatalf("releases are %s", got)
	}
	if a.Releases[1].Go != "1.99.0" || a.Releases[3].Time.Format("2006-01-02") != "2025-03-01" || !a.Releases[0].Prerelease {
		t.Errorf("releases are %+v", a.Releases)
	}
	if a.Kind != "direct" || a.Time.Format("2006-01-02") != "2025-01-01" || a.Comment != "keep: the importer needs it" || a.Hold != nil {
		t.Errorf("a is %+v", a)
	}
}

func TestSurveyLooksLikeTheRegistryAtAsOf(t *testing.T) {
	w := newWorld(t, plainRepo)
	res := w.survey(map[string]any{"not_after": "2025-04-01T12:00:00Z"})
	if got := versionsOf(res.of(t, "ex.com/a")); got != "v1.4.0-rc.1 v1.1.0" {
		t.Errorf("releases of a are %s", got)
	}
	c := res.of(t, "ex.com/c")
	if got := versionsOf(c); got != "v1.4.0 v1.2.0" || c.Releases[0].Retracted || c.Deprecated != "" {
		t.Errorf("before the retraction was published, c is %+v", c)
	}
}

func TestSurveyMarksWhatIsRetractedDeprecatedAndMoved(t *testing.T) {
	w := newWorld(t, plainRepo)
	res := w.survey(nil)
	c := res.of(t, "ex.com/c")
	if got := versionsOf(c); got != "v1.4.1 v1.4.0 v1.2.0" || !c.Releases[0].Retracted || !c.Releases[1].Retracted || c.Releases[2].Retracted {
		t.Errorf("c is %+v", c)
	}
	if c.Deprecated != "use ex.com/c/v2 instead." || strings.Join(c.Excluded, "") != "v1.1.0" {
		t.Errorf("c is %+v", c)
	}
	if m := res.of(t, "ex.com/moved"); m.Releases[0].PathOK {
		t.Errorf("moved is %+v", m)
	}
	write(t, w.root+"/go.mod", strings.Replace(w.read("go.mod"), "ex.com/c v1.0.1", "ex.com/c v1.4.0", 1))
	if c = w.survey(nil).of(t, "ex.com/c"); strings.Join(c.Retracted, "") != "broke everything" {
		t.Errorf("the version in use is retracted: %+v", c)
	}
}

func TestSurveyReadsHoldMarkersAndTools(t *testing.T) {
	w := newWorld(t, plainRepo)
	res := w.survey(nil)
	if c := res.of(t, "ex.com/c"); c.Hold == nil || *c.Hold != "until ticket 77" {
		t.Errorf("c is held %v", c.Hold)
	}
	if b := res.of(t, "ex.com/big"); b.Hold == nil || *b.Hold != "" {
		t.Errorf("big is held %v", b.Hold)
	}
	tool := res.of(t, "ex.com/tool")
	if tool.Kind != "tool" || versionsOf(tool) != "v1.1.0" || tool.Comment != "for go generate" {
		t.Errorf("tool is %+v", tool)
	}
}

func TestSurveyNamesReplacements(t *testing.T) {
	w := newWorld(t, plainRepo)
	write(t, w.root+"/go.mod", w.read("go.mod")+"\nreplace ex.com/a => ../a\n\nreplace ex.com/c v1.0.1 => ex.com/c v1.2.0\n\nreplace ex.com/big v1.5.0 => ../big\n")
	res := w.survey(map[string]any{"only": []string{"ex.com/a", "ex.com/tool"}})
	if r := res.of(t, "ex.com/a").Replaced; r == nil || !r.Local || r.Path != "../a" {
		t.Errorf("a is replaced by %+v", r)
	}
	if r := res.of(t, "ex.com/c").Replaced; r == nil || r.Local || r.Version != "v1.2.0" {
		t.Errorf("c is replaced by %+v", r)
	}
	if r := res.of(t, "ex.com/big").Replaced; r != nil {
		t.Errorf("a replace of another version applies to big: %+v", r)
	}
	if got := versionsOf(res.of(t, "ex.com/a")); got != "" {
		t.Errorf("the registry was asked about a local folder: %s", got)
	}
	if got := versionsOf(res.of(t, "ex.com/c")); got != "" {
		t.Errorf("nobody asked about c, but it has %s", got)
	}
}

func TestSurveyHoldsOnlyTheModuleWhoseListIsRefused(t *testing.T) {
	w := newWorld(t, plainRepo)
	files := http.FileServer(http.Dir(w.proxy))
	proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ex.com/a/@v/list" {
			http.Error(rw, "this module version is not available", http.StatusForbidden)
			return
		}
		files.ServeHTTP(rw, r)
	}))
	defer proxy.Close()
	w.env["GOPROXY"] = proxy.URL
	res := w.survey(nil)
	a := res.of(t, "ex.com/a")
	if a.Error == nil || a.Error.Code != codeAuth || !strings.Contains(a.Error.Message, "this module version is not available") || a.Time == nil {
		t.Errorf("a is %+v, its error %+v", a, a.Error)
	}
	if got := versionsOf(res.of(t, "ex.com/c")); got != "v1.4.1 v1.4.0 v1.2.0" {
		t.Errorf("c has the releases %s", got)
	}
	probed, f := ask[probeResult](w, "probe", map[string]any{"versions": []moduleVersion{{"ex.com/a", "v1.2.0"}, {"ex.com/a", "v9.9.9"}}})
	if f != nil || probed.Versions[0].Go != "1.22.7" || probed.Versions[1].Error == nil {
		t.Errorf("asked by name, a is %+v (%v)", probed, f)
	}
}

func TestSurveyLosesNoModuleToOneThatHangs(t *testing.T) {
	w := newWorld(t, plainRepo)
	files := http.FileServer(http.Dir(w.proxy))
	release := make(chan struct{})
	proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ex.com/a/@v/list" {
			select {
			case <-release:
			case <-r.Context().Done():
			}
			return
		}
		files.ServeHTTP(rw, r)
	}))
	defer proxy.Close()
	defer close(release)
	w.env["GOPROXY"] = proxy.URL
	res := w.survey(map[string]any{"timeout_s": 4})
	if a := res.of(t, "ex.com/a"); a.Error == nil || a.Error.Code != codeTimeout || !a.Error.Retryable {
		t.Errorf("the error of a is %+v", a.Error)
	}
	if got := versionsOf(res.of(t, "ex.com/c")); got != "v1.4.1 v1.4.0 v1.2.0" {
		t.Errorf("c has the releases %s", got)
	}
}

func TestSurveyOfflineAnswersFromWhatWasAskedBefore(t *testing.T) {
	w := newWorld(t, plainRepo)
	w.survey(map[string]any{"only": []string{"ex.com/a"}})
	w.env["GOPROXY"] = "http://127.0.0.1:1"
	res := w.survey(map[string]any{"offline": true})
	if got := versionsOf(res.of(t, "ex.com/a")); !strings.Contains(got, "v1.2.0") {
		t.Errorf("a has the releases %s (%+v)", got, res.of(t, "ex.com/a").Error)
	}
	w.env["GOMODCACHE"], w.store = t.TempDir(), t.TempDir()
	if a := w.survey(map[string]any{"offline": true}).of(t, "ex.com/a"); a.Error == nil || a.Error.Code != codeOffline {
		t.Errorf("with an empty cache, the error is %+v", a.Error)
	}
}

func TestSurveyOfflineAnswersFromTheModuleCacheToo(t *testing.T) {
	w := newWorld(t, plainRepo)
	job := w.job()
	if _, err := job.work(t.Context(), t.TempDir(), "list", "-m", "ex.com/a@v1.2.0"); err != nil {
		t.Fatal(err)
	}
	w.env["GOPROXY"] = "http://127.0.0.1:1"
	res := w.survey(map[string]any{"offline": true})
	if got := versionsOf(res.of(t, "ex.com/a")); got != "v1.2.0" {
		t.Errorf("a has the releases %q (%+v)", got, res.of(t, "ex.com/a").Error)
	}
}

// Both ways must lead to the same answer, to the last byte: which one is taken
// depends on caches and proxies. A proxy that refuses the shortcut is one way
// to have the go command asked.
func TestSurveyIsTheSameByTheGoCommandAndByTheShortcut(t *testing.T) {
	w := newWorld(t, plainRepo)
	files := http.FileServer(http.Dir(w.proxy))
	var short, long, refused atomic.Int64
	refuses := false
	proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch ours := strings.HasPrefix(r.UserAgent(), "go-xupgrade/"); {
		case ours && refuses:
			refused.Add(1)
			http.Error(rw, "not you", http.StatusForbidden)
			return
		case ours:
			short.Add(1)
		default:
			long.Add(1)
		}
		files.ServeHTTP(rw, r)
	}))
	defer proxy.Close()
	w.env["GOPROXY"] = proxy.URL
	survey := func() string {
		w.env["GOMODCACHE"], w.store = t.TempDir(), t.TempDir()
		raw, _ := json.Marshal(w.survey(nil))
		return string(raw)
	}
	byShortcut := survey()
	if short.Load() == 0 || long.Load() != 0 {
		t.Errorf("the shortcut asked %d times, the go command %d times", short.Load(), long.Load())
	}
	refuses = true
	byGo := survey()
	if refused.Load() == 0 || long.Load() == 0 {
		t.Errorf("the shortcut was refused %d times, the go command asked %d times", refused.Load(), long.Load())
	}
	if byShortcut != byGo {
		t.Errorf("the two surveys differ:\n%s\n%s", byShortcut, byGo)
	}
	refuses = false
	for _, age := range []time.Duration{2 * maxAge, 0} {
		before, lists := short.Load(), int64(5)
		if age == 0 {
			lists = 0
		}
		made := time.Now().Add(-age)
		_ = filepath.WalkDir(w.store, func(file string, _ fs.DirEntry, err error) error { return os.Chtimes(file, made, made) })
		raw, _ := json.Marshal(w.survey(nil))
		if asked := short.Load() - before; string(raw) != byGo || asked != lists {
			t.Errorf("with lists of age %s, %d files were asked for and not %d:\n%s", age, asked, lists, raw)
		}
	}
}

func TestSurveyIsTheSameTwice(t *testing.T) {
	w := newWorld(t, plainRepo)
	first, _ := json.Marshal(w.survey(nil))
	second, _ := json.Marshal(w.survey(nil))
	if !reflect.DeepEqual(first, second) {
		t.Errorf("two surveys differ:\n%s\n%s", first, second)
	}
}

func TestSurveyRefusesABrokenModuleAndATooNewGo(t *testing.T) {
	w := newWorld(t, "-- go.mod --\nmodule broken\n\ngarbage\n")
	if _, f := ask[surveyResult](w, "survey", map[string]any{"dir": w.root}); f == nil || f.Code != codeParse || !strings.Contains(f.Message, "go.mod:3:") {
		t.Errorf("the error is %+v", f)
	}
	write(t, w.root+"/go.mod", "module m\n\ngo 1.99.0\n")
	if _, f := ask[surveyResult](w, "survey", map[string]any{"dir": w.root}); f == nil || f.Code != codeToolchainMissing {
		t.Errorf("the error is %+v", f)
	}
	w.env["GOTOOLCHAIN"] = "auto"
	if _, f := ask[surveyResult](w, "survey", map[string]any{"dir": w.root}); f == nil || f.Code != codeToolchainMissing {
		t.Errorf("a toolchain would have been downloaded: %+v", f)
	}
}

func TestTheGoCommandAgreesOnWhatIsRetracted(t *testing.T) {
	w := newWorld(t, plainRepo)
	j := w.job()
	out, err := j.run(t.Context(), t.TempDir(), j.limit, nil, "list", "-m", "-versions", "-json", "ex.com/c")
	if err != nil {
		t.Fatal(err)
	}
	list, err := decodeStream[listedModule](out)
	if err != nil || strings.Join(list[0].Versions, " ") != "v1.0.1 v1.2.0" {
		t.Errorf("the go command lists %v (%v)", list, err)
	}
}
