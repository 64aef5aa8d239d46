package main

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// goLines are all that a repository may say, from before pruning to now.
var goLines = []string{"", "1.16", "1.17", "1.18", "1.19", "1.20", "1.21", "1.21.0", "1.22", "1.23", "1.23.4", "1.24", "1.24.0", "1.25", "1.25.0", "1.26"}

func TestEditKeepsEveryGoLineThatThereIs(t *testing.T) {
	for _, line := range goLines {
		stmt := ""
		if line != "" {
			stmt = "go " + line + "\n\n"
		}
		w := newWorld(t, "-- README --\n")
		old := func(version string) string {
			return "-- ex.com/old@" + version + "/go.mod --\nmodule ex.com/old\n-- ex.com/old@" + version + "/o.go --\npackage old\n"
		}
		writeProxy(t, w.proxy, old("v1.0.0")+old("v1.1.0"))
		before := "module ex.com/m\n\n" + stmt + "require ex.com/old v1.0.0\n"
		write(t, w.root+"/go.mod", before)
		write(t, w.root+"/m.go", "package m\n\nimport _ \"ex.com/old\"\n")
		if !goLineKnown(w, line) {
			continue
		}
		res, f := w.edit(nil, "ex.com/old@v1.1.0")
		if f != nil {
			t.Errorf("go %q: %+v", line, f)
			continue
		}
		if want := strings.Replace(before, "v1.0.0", "v1.1.0", 1); w.read("go.mod") != want {
			t.Errorf("go %q: go.mod is now\n%s", line, w.read("go.mod"))
		}
		if old := line == "" || line == "1.16"; res.Unpruned != old {
			t.Errorf("go %q: unpruned is %v", line, res.Unpruned)
		}
		if _, err := w.job().work(t.Context(), w.root, "vet", "./..."); err != nil {
			t.Errorf("go %q: %v", line, err)
		}
	}
}

// goLineKnown says whether the Go at hand takes a go line: CI may have an
// older one than the newest line here.
func goLineKnown(w *world, line string) bool {
	setup, err := w.job().setup(w.t.Context(), w.root)
	return line == "" || err == nil && runsHere(setup.Version, line) == nil
}

func TestEditLeavesTheTextOfGoModAloneButForVersions(t *testing.T) {
	text := "module ex.com/m\n\ngo 1.21\nrequire (\n\n  \"ex.com/c\"   v1.0.1   // never below v1.0.1\n\tex.com/a v1.0.0 // c is v1.0.1, too\n\n)\n// the end\n"
	w := newWorld(t, "-- m.go --\npackage m\n\nimport (\n\t_ \"ex.com/a\"\n\t_ \"ex.com/c\"\n)\n-- go.mod --\n"+editGoMod)
	write(t, w.root+"/go.mod", text)
	if _, f := w.edit(nil, "ex.com/c@v1.2.0"); f != nil {
		t.Fatalf("%+v", f)
	}
	if want := strings.Replace(text, "\"ex.com/c\"   v1.0.1", "\"ex.com/c\"   v1.2.0", 1); w.read("go.mod") != want {
		t.Errorf("go.mod is now\n%s", w.read("go.mod"))
	}
}

const editGoMod = "module ex.com/m\n\ngo 1.21\n\nrequire (\n\tex.com/a v1.0.0\n\tex.com/c v1.0.1\n)\n"

// privateProxy serves the test modules over https to those alone who show
// the password.
func privateProxy(t *testing.T, w *world) *httptest.Server {
	t.Helper()
	files := http.FileServer(http.Dir(w.proxy))
	server := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "me" || password != "s3cret" {
			http.Error(rw, "who are you?", http.StatusUnauthorized)
			return
		}
		files.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	root := filepath.Join(t.TempDir(), "root.pem")
	write(t, root, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	w.env["GOPROXY"], w.env["SSL_CERT_FILE"] = server.URL, root
	return server
}

func TestPrivateModulesAreAskedForWithTheUsersOwnGOAUTH(t *testing.T) {
	w := newWorld(t, editRepo)
	// The warm cache of the set-up would answer for the proxy.
	w.env["GOMODCACHE"] = filepath.Join(t.TempDir(), "modcache")
	server := privateProxy(t, w)
	w.env["GOAUTH"] = "off"
	refused := w.survey(nil).of(t, "ex.com/a")
	if refused.Error == nil || refused.Error.Code != codeAuth || !strings.Contains(refused.Error.Message, "401") {
		t.Errorf("without a password a is %+v", refused)
	}
	netrc := filepath.Join(t.TempDir(), "netrc")
	host := strings.TrimPrefix(server.URL, "https://")
	write(t, netrc, fmt.Sprintf("machine %s login me password s3cret\n", host))
	if err := os.Chmod(netrc, 0o600); err != nil {
		t.Fatal(err)
	}
	w.env["GOAUTH"], w.env["NETRC"] = "netrc", netrc
	if a := w.survey(nil).of(t, "ex.com/a"); a.Error != nil || len(a.Releases) == 0 {
		t.Errorf("with the password a is %+v", a)
	}
	if _, f := w.edit(nil, "ex.com/a@v1.1.0"); f != nil {
		t.Errorf("with the password the raise fails: %+v", f)
	}
}

func TestSurveyKnowsEveryVersionOfAnEscapedPath(t *testing.T) {
	w := newWorld(t, "-- go.mod --\nmodule ex.com/m\n\ngo 1.21\n")
	writeProxy(t, w.proxy, "-- ex.com/BigCo/Tool@v1.0.0/go.mod --\nmodule ex.com/BigCo/Tool\n-- ex.com/BigCo/Tool@v1.0.0/t.go --\npackage tool\n-- ex.com/BigCo/Tool@v1.1.0/go.mod --\nmodule ex.com/BigCo/Tool\n-- ex.com/BigCo/Tool@v1.1.0/t.go --\npackage tool\n")
	if _, err := os.Stat(filepath.Join(w.proxy, "ex.com", "!big!co", "!tool", "@v", "list")); err != nil {
		t.Fatalf("the proxy of the test does not escape: %v", err)
	}
	write(t, w.root+"/go.mod", "module ex.com/m\n\ngo 1.21\n\nrequire ex.com/BigCo/Tool v1.0.0\n")
	tool := w.survey(nil).of(t, "ex.com/BigCo/Tool")
	if versionsOf(tool) != "v1.1.0" || !tool.Releases[0].PathOK {
		t.Errorf("the tool is %+v", tool)
	}
}

func TestNoReleaseOfAnotherMajorIsListed(t *testing.T) {
	w := newWorld(t, editRepo)
	write(t, filepath.Join(w.proxy, "ex.com", "a", "@v", "list"), "v1.0.0\nv1.1.0\nv2.0.0\nv3.0.0+incompatible\n")
	if got := versionsOf(w.survey(nil).of(t, "ex.com/a")); got != "v3.0.0+incompatible v1.1.0" {
		t.Errorf("releases are %s", got)
	}
}
