package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// below are modules that only others require: of inner, v1.0.0 and v1.3.0 are
// retracted, by a release that is retracted as well.
const below = `
-- ex.com/outer@v1.0.0/go.mod --
module ex.com/outer

go 1.21

require (
	ex.com/inner v1.0.0
	ex.com/calm v1.0.0
)
-- ex.com/outer@v1.0.0/o.go --
package outer

import (
	_ "ex.com/calm"
	_ "ex.com/inner"
)
-- ex.com/calm@v1.0.0/go.mod --
module ex.com/calm

go 1.21
-- ex.com/calm@v1.0.0/c.go --
package calm
-- ex.com/calm@v1.1.0/go.mod --
module ex.com/calm

go 1.21
-- ex.com/calm@v1.1.0/c.go --
package calm
-- ex.com/inner@v1.0.0/go.mod --
module ex.com/inner

go 1.21
-- ex.com/inner@v1.0.0/i.go --
package inner
-- ex.com/inner@v1.1.0/go.mod --
module ex.com/inner

go 1.21
-- ex.com/inner@v1.1.0/i.go --
package inner
-- ex.com/inner@v1.3.0/go.mod --
module ex.com/inner

go 1.21

retract (
	v1.0.0 // loses data
	v1.3.0 // only retracts
)
-- ex.com/inner@v1.3.0/time --
2025-06-01T00:00:00Z
-- ex.com/inner@v1.3.0/i.go --
package inner
`

const belowRepo = `
-- go.mod --
module ex.com/m

go 1.21

require ex.com/outer v1.0.0
-- m.go --
package m

import _ "ex.com/outer"
`

func TestARetractedVersionThatOnlyOthersRequireIsFound(t *testing.T) {
	w := worldWith(t, below, belowRepo)
	c := w.overHTTP()
	res := w.survey(map[string]any{"transitive": "withdrawn", "not_after": "2025-07-01T00:00:00Z"})
	inner, calm := res.of(t, "ex.com/inner"), res.of(t, "ex.com/calm")
	if inner.Kind != "indirect" || strings.Join(inner.Retracted, " ") != "loses data" || versionsOf(inner) != "v1.3.0 v1.1.0" || !inner.Releases[0].Retracted {
		t.Errorf("inner is %+v", inner)
	}
	if len(calm.Releases) != 0 || len(calm.Retracted) != 0 || calm.Error != nil {
		t.Errorf("calm is %+v", calm)
	}
	if n := c.count("ex.com/calm/@v/v"); n > 2 {
		t.Errorf("%d requests for what is asked only whether it is retracted: %v", n, c.asked)
	}
}

func TestARetractionThatWasStillToComeIsNotKnown(t *testing.T) {
	w := worldWith(t, below, belowRepo)
	res := w.survey(map[string]any{"transitive": "withdrawn", "not_after": "2025-05-01T00:00:00Z"})
	if inner := res.of(t, "ex.com/inner"); len(inner.Retracted) != 0 || len(inner.Releases) != 0 {
		t.Errorf("inner is %+v", inner)
	}
}

// straightRepo requires by itself what below retracts.
var straightRepo = strings.ReplaceAll(belowRepo, "ex.com/outer", "ex.com/inner")

func TestWhetherAVersionIsRetractedIsUnknownWhileNobodyAnswersForIt(t *testing.T) {
	for name, repo := range map[string]string{"indirect": belowRepo, "direct": straightRepo} {
		w := worldWith(t, below, repo)
		c := w.overHTTP()
		c.answers("/ex.com/inner/@v/v1.3.0.mod", 500)
		res := w.survey(map[string]any{"transitive": "withdrawn", "not_after": "2025-07-01T00:00:00Z"})
		if inner := res.of(t, "ex.com/inner"); inner.Error == nil || inner.Error.Code != codeNetwork {
			t.Errorf("%s: inner is %+v", name, inner)
		}
		if name == "indirect" && res.of(t, "ex.com/calm").Error != nil {
			t.Errorf("calm is %+v", res.of(t, "ex.com/calm"))
		}
		c.answers("/ex.com/inner/@v/v1.3.0.mod", 0)
		res = w.survey(map[string]any{"transitive": "withdrawn", "not_after": "2025-07-01T00:00:00Z"})
		if inner := res.of(t, "ex.com/inner"); inner.Error != nil || strings.Join(inner.Retracted, " ") != "loses data" {
			t.Errorf("%s: inner is %+v", name, inner)
		}
	}
}

func TestTheNextVersionSpeaksWhereTheHighestIsGone(t *testing.T) {
	more := "-- ex.com/inner@v1.4.0/go.mod --\nmodule ex.com/inner\n-- ex.com/inner@v1.4.0/i.go --\npackage inner\n"
	for name, repo := range map[string]string{"indirect": belowRepo, "direct": straightRepo} {
		w := worldWith(t, below+more, repo)
		c := w.overHTTP()
		for _, end := range []string{"info", "mod"} {
			c.answers("/ex.com/inner/@v/v1.4.0."+end, 404)
		}
		res := w.survey(map[string]any{"transitive": "withdrawn", "not_after": "2025-07-01T00:00:00Z"})
		if inner := res.of(t, "ex.com/inner"); inner.Error != nil || strings.Join(inner.Retracted, " ") != "loses data" {
			t.Errorf("%s: inner is %+v", name, inner)
		}
	}
}

func TestATagOfAnotherMajorSpeaksForNoVersionOfThisOne(t *testing.T) {
	w := worldWith(t, below, belowRepo)
	write(t, filepath.Join(w.proxy, "ex.com/inner/@v/list"), "v1.0.0\nv1.1.0\nv1.3.0\nv2.0.0\n")
	res := w.survey(map[string]any{"transitive": "withdrawn", "not_after": "2025-07-01T00:00:00Z"})
	if inner := res.of(t, "ex.com/inner"); len(inner.Retracted) != 1 || inner.Error != nil {
		t.Errorf("inner is %+v", inner)
	}
}

func TestAllIndirectModulesAreSurveyedOnlyWhenAskedFor(t *testing.T) {
	w := worldWith(t, below, belowRepo)
	res := w.survey(map[string]any{"transitive": "all"})
	if calm := res.of(t, "ex.com/calm"); versionsOf(calm) != "v1.1.0" {
		t.Errorf("calm is %+v", calm)
	}
	res = w.survey(map[string]any{})
	if inner := res.of(t, "ex.com/inner"); versionsOf(inner) != "" || len(inner.Retracted) != 0 {
		t.Errorf("inner is %+v", inner)
	}
}

func TestWithoutPruningTheBuildListIsSurveyed(t *testing.T) {
	w := worldWith(t, strings.ReplaceAll(below, "go 1.21", "go 1.16"), strings.ReplaceAll(belowRepo, "go 1.21", "go 1.16"))
	if mod := w.read("go.mod"); strings.Contains(mod, "inner") {
		t.Fatalf("go.mod lists what is indirect: %s", mod)
	}
	res := w.survey(map[string]any{"transitive": "withdrawn"})
	if inner := res.of(t, "ex.com/inner"); !inner.Unlisted || len(inner.Retracted) != 1 || versionsOf(inner) != "v1.3.0 v1.1.0" {
		t.Errorf("inner is %+v", inner)
	}
}

func TestTheSameIsToldOfAVersionFromAColdAndFromAWarmModuleCache(t *testing.T) {
	w := worldWith(t, below, belowRepo)
	params := map[string]any{"transitive": "all", "not_after": "2025-07-01T00:00:00Z"}
	cold, warm := w.survey(params), w.survey(params)
	reg, err := w.job().registry(t.Context(), w.root, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	defer reg.close()
	// The go command itself, which fills the module cache.
	told, err := reg.list(t.Context(), "-json", "ex.com/inner@v1.3.0")
	if err != nil || len(told) != 1 {
		t.Fatalf("%v %v", told, err)
	}
	asked := told[0]
	m, known := reg.cached("ex.com/inner", "v1.3.0")
	if !known || m.GoMod != asked.GoMod || !m.Time.Equal(*asked.Time) || goLineOf(m) != goLineOf(asked) {
		t.Errorf("the cache says %+v, the go command %+v", m, asked)
	}
	for _, never := range []string{"v1.9.0", "latest", "v1", "v1.3.0+meta"} {
		if _, known := reg.cached("ex.com/inner", never); known {
			t.Errorf("the cache knows %s", never)
		}
	}
	if a, b := versionsOf(cold.of(t, "ex.com/inner")), versionsOf(warm.of(t, "ex.com/inner")); a != b {
		t.Errorf("cold %s, warm %s", a, b)
	}
	// A go.mod of another name is an error, which the go command tells.
	w = worldWith(t, below, belowRepo)
	if reg, err = w.job().registry(t.Context(), w.root, nil, false); err != nil {
		t.Fatal(err)
	}
	defer reg.close()
	reg.details(t.Context(), []string{"ex.com/moved@v1.1.0"}, "")
	if m, known := reg.cached("ex.com/moved", "v1.1.0"); known {
		t.Errorf("a moved module is %+v", m)
	}
}
