package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const testedRepo = `
-- go.mod --
module ex.com/m

go 1.21

require (
	ex.com/a v1.0.0
	ex.com/big v1.0.0
	ex.com/c v1.0.1
	ex.com/inc v1.0.0
)
-- m.go --
package m

import _ "ex.com/c"
-- m_test.go --
package m

import _ "ex.com/a"
-- x_test.go --
package m_test

import (
	"os"
	"path/filepath"
	_ "ex.com/m"
	_ "ex.com/m/helper"
)
-- helper/helper.go --
package helper

import (
	"os"
	"path/filepath"
	_ "ex.com/big/x"
	_ "ex.com/m"
)
-- tagged.go --
//go:build special

package m

import _ "ex.com/inc"
`

func TestCompiledTellsWhatEachTestUses(t *testing.T) {
	w := newWorld(t, testedRepo)
	if res, f := ask[fetchResult](w, "fetch", map[string]any{"dir": w.root}); f != nil || res.Packages < 5 {
		t.Fatalf("fetch: %+v (%v)", res, f)
	}
	w.env["GOPROXY"] = "http://127.0.0.1:1"
	res, f := ask[compiledResult](w, "compiled", map[string]any{"dir": w.root})
	if f != nil {
		t.Fatalf("%+v", f)
	}
	if len(res.Packages) != 2 {
		t.Fatalf("packages are %+v", res.Packages)
	}
	m, helper := res.Packages[0], res.Packages[1]
	if got := strings.Join(m.DependsOn, " "); got != "ex.com/c" || !m.TestFiles {
		t.Errorf("m depends on %s", got)
	}
	if got := strings.Join(m.TestsDependOn, " "); got != "ex.com/a ex.com/big ex.com/c" {
		t.Errorf("the tests of m depend on %s", got)
	}
	if helper.TestFiles || len(helper.TestsDependOn) != 0 || strings.Join(helper.DependsOn, " ") != "ex.com/big ex.com/c" {
		t.Errorf("helper is %+v", helper)
	}
	if res.Modules["ex.com/a"] != "v1.0.0" || res.Modules["ex.com/inc"] != "" {
		t.Errorf("modules are %v", res.Modules)
	}
}

func TestCompiledKnowsTagsAndPatterns(t *testing.T) {
	w := newWorld(t, testedRepo)
	res, f := ask[compiledResult](w, "compiled", map[string]any{"dir": w.root, "tags": []string{"special"}, "patterns": []string{"."}})
	if f != nil || len(res.Packages) != 1 || res.Modules["ex.com/inc"] != "v1.0.0" {
		t.Errorf("the result is %+v (%v)", res, f)
	}
}

func TestFetchSaysWhatItCouldNotGet(t *testing.T) {
	w := newWorld(t, testedRepo)
	w.env["GOMODCACHE"] = t.TempDir()
	w.env["GOPROXY"] = "http://127.0.0.1:1"
	if _, f := ask[fetchResult](w, "fetch", map[string]any{"dir": w.root}); f == nil || f.Code != codeNetwork || !f.Retryable {
		t.Errorf("the failure is %+v", f)
	}
}

func TestWhatIsSaidOfAPackageBeginsWithItsOwnWords(t *testing.T) {
	w := newWorld(t, testedRepo)
	if err := os.Remove(filepath.Join(w.root, "go.sum")); err != nil {
		t.Fatal(err)
	}
	_, f := ask[fetchResult](w, "fetch", map[string]any{"dir": w.root})
	if f == nil || f.Code != codeUntidy || strings.Contains(f.Message, "missing go.sum") && !strings.HasPrefix(f.Message, "missing go.sum") {
		t.Errorf("the failure is %+v", f)
	}
}
