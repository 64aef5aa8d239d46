package main

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// splitting is a module whose later release lost a package to a module of its
// own, which go mod tidy then adds.
const splitting = `
-- ex.com/split@v1.0.0/go.mod --
module ex.com/split

go 1.21
-- ex.com/split@v1.0.0/part/p.go --
package part
-- ex.com/split@v1.1.0/go.mod --
module ex.com/split

go 1.21
-- ex.com/split@v1.1.0/s.go --
package split
-- ex.com/split/part@v0.1.0/go.mod --
module ex.com/split/part

go 1.21
-- ex.com/split/part@v0.1.0/p.go --
package part
-- ex.com/split/part@v0.2.0/go.mod --
module ex.com/split/part

go 1.21
-- ex.com/split/part@v0.2.0/time --
2025-05-10T00:00:00Z
-- ex.com/split/part@v0.2.0/p.go --
package part
-- ex.com/split/part@v0.3.0/go.mod --
module ex.com/split/part

go 1.21
-- ex.com/split/part@v0.3.0/time --
2025-07-01T00:00:00Z
-- ex.com/split/part@v0.3.0/p.go --
package part
`

const splitRepo = `
-- go.mod --
module ex.com/m

go 1.21

require ex.com/split v1.0.0
-- m.go --
package m

import _ "ex.com/split/part"
`

// splitWorld is a world with splitting, and more, in its proxy.
func splitWorld(t *testing.T, more string) *world {
	t.Helper()
	return worldWith(t, splitting+more, splitRepo)
}

func worldWith(t *testing.T, modules, repo string) *world {
	t.Helper()
	w := newWorld(t, "")
	writeProxy(t, w.proxy, modules)
	writeTree(t, w.root, repo)
	w.tidy(w.root)
	return w
}

func ages(asOf, cutoff string) map[string]any {
	return map[string]any{"view": map[string]any{"as_of": asOf + "T00:00:00Z", "cutoff": cutoff + "T00:00:00Z", "hide_undated": true}}
}

// took raises split to v1.1.0 under a rule and gives what tidy added.
func (w *world) took(ages map[string]any) string {
	w.t.Helper()
	res, f := w.edit(ages, "ex.com/split@v1.1.0")
	if f != nil {
		w.t.Fatalf("%+v", f)
	}
	if len(res.AddedByTidy) != 1 || res.AddedByTidy[0].Path != "ex.com/split/part" || res.AddedByTidy[0].Time == nil {
		w.t.Fatalf("added by tidy: %+v", res.AddedByTidy)
	}
	return res.AddedByTidy[0].Version
}

func TestTidyTakesTheNewestReleaseThatTheRuleShows(t *testing.T) {
	for _, one := range []struct {
		rule map[string]any
		want string
	}{
		{nil, "v0.3.0"},
		{ages("2025-08-01", "2025-07-29"), "v0.3.0"},
		{ages("2025-06-01", "2025-05-29"), "v0.2.0"}, // what came after as-of does not exist
		{ages("2025-07-02", "2025-06-29"), "v0.2.0"}, // younger than the cooldown
		{ages("2025-05-11", "2025-05-08"), "v0.1.0"},
	} {
		if got := splitWorld(t, "").took(one.rule); got != one.want {
			t.Errorf("under %v tidy took %s, not %s", one.rule, got, one.want)
		}
	}
}

func TestAModuleWithoutAnOldEnoughReleaseIsRefusedAndSaysWhy(t *testing.T) {
	w := splitWorld(t, "")
	f := w.refused(codeTooYoung, ages("2024-12-31", "2024-12-28"), "ex.com/split@v1.1.0")
	if !strings.Contains(f.Message, "no version of ex.com/split/part is old enough; v0.3.0 came out on 2025-07-01") || strings.Contains(f.Message, "127.0.0.1") {
		t.Errorf("the message is %s", f.Message)
	}
}

func TestAFallbackToTheNextProxyIsNoWayAroundTheRule(t *testing.T) {
	w := splitWorld(t, "")
	// With `|`, any error of a proxy leads to the next one.
	w.env["GOPROXY"] += "|" + w.env["GOPROXY"] + "|direct"
	w.refused(codeTooYoung, ages("2024-12-31", "2024-12-28"), "ex.com/split@v1.1.0")
	if got := w.took(ages("2025-06-01", "2025-05-29")); got != "v0.2.0" {
		t.Errorf("tidy took %s", got)
	}
}

func TestWhatIsInUseIsShownHoweverYoungItIs(t *testing.T) {
	w := splitWorld(t, "")
	// go.sum knows the version, so somebody uses it already.
	write(t, w.root+"/go.sum", w.read("go.sum")+"ex.com/split/part v0.3.0/go.mod h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")
	f := w.refused(codeSumLocal, ages("2025-06-01", "2025-05-29"), "ex.com/split@v1.1.0")
	if f.Version != "v0.3.0" {
		t.Errorf("the failure is %+v", f)
	}
}

func TestAYoungReleaseMayStillRetractAnOlderOne(t *testing.T) {
	retracting := `
-- ex.com/split/part@v0.2.1/go.mod --
module ex.com/split/part

go 1.21

retract [v0.2.0, v0.2.1] // broken
-- ex.com/split/part@v0.2.1/time --
2025-06-01T00:00:00Z
-- ex.com/split/part@v0.2.1/p.go --
package part
`
	w := splitWorld(t, retracting)
	if got := w.took(ages("2025-06-02", "2025-05-30")); got != "v0.1.0" {
		t.Errorf("tidy took %s, and v0.2.0 is retracted", got)
	}
	w = splitWorld(t, retracting)
	if got := w.took(ages("2025-05-31", "2025-05-28")); got != "v0.2.0" {
		t.Errorf("tidy took %s, and before the retraction v0.2.0 was good", got)
	}
}

func TestAnExcludedReleaseIsNotTheOneThatIsOldEnough(t *testing.T) {
	w := splitWorld(t, "-- ex.com/split/part@v0.1.9/go.mod --\nmodule ex.com/split/part\n-- ex.com/split/part@v0.1.9/time --\n2025-07-02T00:00:00Z\n-- ex.com/split/part@v0.1.9/p.go --\npackage part\n")
	write(t, w.root+"/go.mod", w.read("go.mod")+"\nexclude ex.com/split/part v0.2.0\n")
	// v0.1.9 is a late fix of an old line: younger than the rule allows.
	if got := w.took(ages("2025-06-01", "2025-05-29")); got != "v0.1.0" {
		t.Errorf("tidy took %s", got)
	}
}

func TestAPreReleaseIsNoWayOutAndAPseudoVersionIsJudgedToo(t *testing.T) {
	w := splitWorld(t, "-- ex.com/split/part@v0.4.0-rc.1/go.mod --\nmodule ex.com/split/part\n-- ex.com/split/part@v0.4.0-rc.1/time --\n2025-07-02T00:00:00Z\n-- ex.com/split/part@v0.4.0-rc.1/p.go --\npackage part\n")
	w.refused(codeTooYoung, ages("2024-12-31", "2024-12-28"), "ex.com/split@v1.1.0")

	const commit = "v0.0.0-20250520000000-0123456789ab"
	bare := strings.NewReplacer("ex.com/split", "ex.com/bare")
	w = worldWith(t, bare.Replace(splitting[:strings.Index(splitting, "-- ex.com/split/part@")])+
		"-- ex.com/bare/part@"+commit+"/go.mod --\nmodule ex.com/bare/part\n-- ex.com/bare/part@"+commit+"/p.go --\npackage part\n"+
		"-- ex.com/bare/part@"+commit+"/time --\n2025-05-20T00:00:00Z\n", bare.Replace(splitRepo))
	write(t, w.proxy+"/ex.com/bare/part/@v/list", "")
	write(t, w.proxy+"/ex.com/bare/part/@latest", `{"Version":"`+commit+`","Time":"2025-05-20T00:00:00Z"}`)
	w.refused(codeTooYoung, ages("2025-05-20", "2025-05-17"), "ex.com/bare@v1.1.0")
	res, f := w.edit(ages("2025-06-01", "2025-05-29"), "ex.com/bare@v1.1.0")
	if f != nil || len(res.AddedByTidy) != 1 || res.AddedByTidy[0].Version != commit {
		t.Errorf("the result is %+v (%v)", res.AddedByTidy, f)
	}
}

func TestALockedVersionIsShownAndAnswered(t *testing.T) {
	late := "-- ex.com/split/part@v0.0.5/go.mod --\nmodule ex.com/split/part\n-- ex.com/split/part@v0.0.5/time --\n2025-07-02T00:00:00Z\n"
	w := splitWorld(t, late)
	const old, young = "v0.0.0-20250101000000-0123456789ab", "v0.0.0-20250520000000-0123456789ab"
	for _, commit := range []string{old, young} {
		writeProxy(t, w.proxy, "-- ex.com/bare@"+commit+"/go.mod --\nmodule ex.com/bare\n-- ex.com/bare@"+commit+"/time --\n2025-05-20T00:00:00Z\n")
	}
	write(t, w.proxy+"/ex.com/bare/@v/list", "")
	write(t, w.proxy+"/ex.com/bare/@latest", `{"Version":"`+young+`","Time":"2025-05-20T00:00:00Z"}`)
	january := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, locked := range []string{old, young} {
		v, err := w.job().startView(t.Context(), w.root, viewRule{AsOf: january, Cutoff: january})
		if err != nil {
			t.Fatal(err)
		}
		v.lock("ex.com/split/part", "v0.3.0")
		v.lock("ex.com/bare", locked)
		ask := func(file string) string {
			body, no := v.answer(v.prefix + file)
			if no != nil {
				t.Errorf("%s: %d %s", file, no.status, no.words)
			}
			return string(body)
		}
		if list := strings.Fields(ask("ex.com/split/part/@v/list")); !reflect.DeepEqual(list, []string{"v0.0.5", "v0.1.0", "v0.3.0"}) {
			t.Errorf("the list is %v", list) // v0.0.5 lies so low that nobody looked
		}
		ask("ex.com/split/part/@v/v0.3.0.info")
		if latest := ask("ex.com/bare/@latest"); !strings.Contains(latest, locked) {
			t.Errorf("with %s in use, @latest is %s", locked, latest)
		}
		ask("ex.com/bare/@v/" + locked + ".info")
		if _, no := v.answer(v.prefix + "ex.com/split/part/@v/v0.0.5.info"); no == nil || no.status != failedDependency {
			t.Errorf("a young version from further down the list is answered with %+v", no)
		}
		v.close()
	}
}

// A counter is a proxy over HTTP that remembers what it was asked.
type counter struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []string
	status map[string]int // what to answer, by path
}

func (w *world) overHTTP() *counter {
	c := &counter{status: map[string]int{}}
	files := http.FileServer(http.Dir(w.proxy))
	c.Server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.asked = append(c.asked, r.URL.Path)
		status := c.status[r.URL.Path]
		c.mu.Unlock()
		if status != 0 {
			http.Error(out, "as the test wants it", status)
			return
		}
		files.ServeHTTP(out, r)
	}))
	w.t.Cleanup(c.Close)
	w.env["GOPROXY"] = c.URL
	return c
}

// answers makes the proxy answer a path with a status; 0 is the usual answer.
func (c *counter) answers(path string, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status[path] = status
}

func (c *counter) count(part string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(slices.DeleteFunc(slices.Clone(c.asked), func(path string) bool { return !strings.Contains(path, part) }))
}

func TestALongListCostsFewRequests(t *testing.T) {
	var more strings.Builder
	for _, v := range []string{"0.2.1", "0.2.2", "0.2.3", "0.2.4", "0.2.5", "0.2.6", "0.2.7", "0.2.8", "0.2.9"} {
		more.WriteString("-- ex.com/split/part@v" + v + "/go.mod --\nmodule ex.com/split/part\n-- ex.com/split/part@v" + v + "/p.go --\npackage part\n")
	}
	w := splitWorld(t, more.String())
	c := w.overHTTP()
	if got := w.took(ages("2025-06-01", "2025-05-29")); got != "v0.2.9" {
		t.Errorf("tidy took %s", got)
	}
	if n := c.count("/part/@v/list"); n != 1 {
		t.Errorf("the list was asked for %d times", n)
	}
	if n := c.count("/part/@v/v0."); n > 6 { // two versions and one zip
		t.Errorf("of 12 versions these were asked for: %v", c.asked)
	}
}

func TestAnAgeThatCannotBeFoundOutIsNoiseAndNoEvidence(t *testing.T) {
	w := splitWorld(t, "")
	c := w.overHTTP()
	c.answers("/ex.com/split/part/@v/v0.3.0.info", http.StatusBadGateway)
	f := w.refused(codeNetwork, ages("2025-06-01", "2025-05-29"), "ex.com/split@v1.1.0")
	if !f.Retryable || !strings.Contains(f.Message, "502 Bad Gateway") {
		t.Errorf("the failure is %+v", f)
	}
}

func TestAListThatIsRefusedIsToldInTheWordsOfTheGoCommand(t *testing.T) {
	w := splitWorld(t, "")
	c := w.overHTTP()
	c.answers("/ex.com/split/part/@v/list", http.StatusForbidden)
	f := w.refused(codeAuth, ages("2025-06-01", "2025-05-29"), "ex.com/split@v1.1.0")
	if !strings.Contains(f.Message, c.URL+"/ex.com/split/part/@v/list: 403 Forbidden") {
		t.Errorf("the message is %s", f.Message)
	}
	// A module that is asked for by name needs no list.
	c.answers("/ex.com/split/part/@v/list", 0)
	c.answers("/ex.com/split/@v/list", http.StatusForbidden)
	if got := w.took(ages("2025-06-01", "2025-05-29")); got != "v0.2.0" {
		t.Errorf("tidy took %s", got)
	}
}

func TestTheViewAnswersNobodyWhoDoesNotKnowItsName(t *testing.T) {
	w := splitWorld(t, "")
	v, err := w.job().startView(t.Context(), w.root, viewRule{Cutoff: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	host := strings.TrimSuffix(v.address, strings.TrimSuffix(v.prefix, "/"))
	want := map[string]int{
		v.address + "/ex.com/split/@v/list":                  200,
		host + "/ex.com/split/@v/list":                       404,
		v.address + "/ex.com/nowhere/@v/list":                404,
		v.address + "/golang.org/toolchain/@v/list":          404,
		v.address + "/sumdb/sum.golang.org/supported":        404,
		v.address + "/ex.com/split/@v/v1.0.0.mod":            404,
		v.address + "/ex.com/split/@v/v1.0.0.zip":            404,
		v.address + "/ex.com/split/@v/master.info":           404,
		v.address + "/ex.com/never/asked/for/@v/v1.0.0.info": 404,
		v.address + "/ex.com/split/@v/v1.0.0.info":           200,
		v.address + "/ex.com/split/@v/%00":                   404,
		v.address + "/ex.com/split/@latest":                  404,
	}
	got := map[string]int{}
	// The list comes first: it is what makes .info ours.
	for _, address := range append([]string{v.address + "/ex.com/split/@v/list"}, keys(want)...) {
		got[address] = status(t, address)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	v.close()
	if _, err := http.Get(v.address); err == nil {
		t.Error("the view outlives its end")
	}
}

func keys(m map[string]int) []string {
	var all []string
	for k := range m {
		all = append(all, k)
	}
	return all
}

func status(t *testing.T, address string) int {
	t.Helper()
	answer, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode
}

func TestACancelledEditLeavesNoViewBehind(t *testing.T) {
	w := splitWorld(t, "")
	ctx, stop := context.WithCancel(t.Context())
	v, err := w.job().startView(ctx, w.root, viewRule{})
	if err != nil {
		t.Fatal(err)
	}
	stop()
	if code := status(t, v.address+"/ex.com/split/@v/list"); code == 200 {
		t.Errorf("a cancelled view answers %d", code)
	}
	v.close()
}

// inGit makes a git repository of a module, with releases of 2025-01-01 and
// 2025-05-10, which the go command finds under https://ex.com/priv.git.
func (w *world) inGit() {
	w.t.Helper()
	home := w.t.TempDir()
	dir := filepath.Join(home, "priv.git")
	write(w.t, dir+"/go.mod", "module ex.com/priv.git\n\ngo 1.21\n")
	write(w.t, dir+"/p.go", "package priv\n")
	git := func(date string, args ...string) {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "HOME="+home, "GIT_CONFIG_NOSYSTEM=1", "GIT_COMMITTER_DATE="+date, "GIT_AUTHOR_DATE="+date,
			"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@ex.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@ex.com")
		if said, err := cmd.CombinedOutput(); err != nil {
			w.t.Fatalf("git %v: %v: %s", args, err, said)
		}
	}
	git("", "init", "--quiet")
	for tag, date := range map[string]string{"v0.1.0": "2025-01-01T00:00:00Z", "v0.2.0": "2025-05-10T00:00:00Z"} {
		git("", "add", ".")
		git(date, "commit", "--quiet", "--allow-empty", "--message="+tag)
		git(date, "tag", tag)
	}
	maps.Copy(w.env, map[string]string{"HOME": home, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_COUNT": "1",
		"GIT_CONFIG_KEY_0": "url.file://" + home + "/.insteadOf", "GIT_CONFIG_VALUE_0": "https://ex.com/"})
}

func TestModulesFromGitAreJudgedButPrivateOnesPassNoProxy(t *testing.T) {
	tidied := func(env map[string]string) string {
		w := newWorld(t, "-- go.mod --\nmodule ex.com/m\n\ngo 1.21\n")
		w.inGit()
		maps.Copy(w.env, env)
		write(t, w.root+"/m.go", "package m\n\nimport _ \"ex.com/priv.git\"\n")
		res, f := w.edit(ages("2025-05-11", "2025-05-08"))
		if f != nil || len(res.AddedByTidy) != 1 {
			t.Fatalf("the result is %+v (%v)", res.AddedByTidy, f)
		}
		return res.AddedByTidy[0].Version
	}
	if got := tidied(map[string]string{"GOPROXY": "direct"}); got != "v0.1.0" {
		t.Errorf("directly, tidy took %s", got)
	}
	// The go command asks no proxy for it; the caller judges its age.
	if got := tidied(map[string]string{"GOPRIVATE": "ex.com/priv.git", "GONOPROXY": "ex.com/priv.git"}); got != "v0.2.0" {
		t.Errorf("of a private module, tidy took %s", got)
	}
}
