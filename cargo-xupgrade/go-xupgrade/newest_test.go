package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// releasesOf are releases of ex.com/cut without anything in them, each with
// its day in 2025.
func releasesOf(days ...string) string {
	var text strings.Builder
	for _, day := range days {
		v, date, _ := strings.Cut(day, " ")
		at := "-- ex.com/cut@" + v
		text.WriteString(at + "/go.mod --\nmodule ex.com/cut\n" + at + "/c.go --\npackage cut\n" + at + "/time --\n2025-" + date + "T00:00:00Z\n")
	}
	return text.String()
}

func TestTheNewestReleaseOfAPastInstantIsNotKnownWhereTheListIsCut(t *testing.T) {
	all := releasesOf("v1.0.0 01-01", "v1.0.1 02-01", "v1.1.0 03-01", "v1.3.0 04-01")
	for _, c := range []struct{ name, at, list, asOf, want string }{
		{"the next patch is served and not listed", "v1.0.0", "v1.0.0 v1.1.0 v1.3.0", "2025-02-15", "cut"},
		{"the version in use is served and not listed", "v1.0.1", "v1.0.0 v1.1.0 v1.3.0", "2025-02-15", "cut"},
		{"the list is whole there, whatever it lacks elsewhere", "v1.0.1", "v1.0.0 v1.0.1 v1.1.0 v1.3.0", "2025-02-15", ""},
		{"nothing came out later", "v1.3.0", "v1.0.0 v1.1.0 v1.3.0", "2025-06-01", ""},
		{"something newer is known", "v1.0.0", "v1.0.0 v1.1.0 v1.3.0", "2025-03-15", ""},
	} {
		w := newWorld(t, "-- README --\n")
		writeProxy(t, w.proxy, all)
		write(t, filepath.Join(w.proxy, "ex.com/cut/@v/list"), strings.ReplaceAll(c.list, " ", "\n")+"\n")
		write(t, w.root+"/go.mod", "module ex.com/m\n\ngo 1.21\n\nrequire ex.com/cut "+c.at+"\n")
		got := w.survey(map[string]any{"not_after": c.asOf + "T00:00:00Z"}).of(t, "ex.com/cut")
		if got.NewestUnknown != c.want {
			t.Errorf("%s: it is %q, not %q: %+v", c.name, got.NewestUnknown, c.want, got)
		}
	}
}

func TestTheNewestCommitOfAPastInstantIsNotKnown(t *testing.T) {
	const first, last = "v0.0.0-20250101000000-aaaaaaaaaaaa", "v0.0.0-20250301000000-bbbbbbbbbbbb"
	for _, c := range []struct{ name, at, more, asOf, want string }{
		{"there are later commits, and nobody tells of those between", first, "", "2025-02-15", "untagged"},
		{"it is the newest of today", last, "", "2025-04-01", ""},
		{"a newer one is offered", first, "", "2025-04-01", ""},
		{"all tags came later", first, "v0.1.0 03-15", "2025-02-15", "untagged"},
		{"a release is newer than a commit", "v0.1.1-0.20250120000000-cccccccccccc", "v0.1.0 01-15,v0.2.0 04-01", "2025-02-15", ""},
	} {
		w := newWorld(t, "-- README --\n")
		writeProxy(t, w.proxy, releasesOf(first+" 01-01", last+" 03-01", "v0.1.1-0.20250120000000-cccccccccccc 01-20"))
		write(t, filepath.Join(w.proxy, "ex.com/cut/@v/list"), "")
		write(t, filepath.Join(w.proxy, "ex.com/cut/@latest"), `{"Version":"`+last+`","Time":"2025-03-01T00:00:00Z"}`)
		if c.more != "" {
			writeProxy(t, w.proxy, releasesOf(strings.Split(c.more, ",")...))
		}
		write(t, w.root+"/go.mod", "module ex.com/m\n\ngo 1.21\n\nrequire ex.com/cut "+c.at+"\n")
		got := w.survey(map[string]any{"not_after": c.asOf + "T00:00:00Z"}).of(t, "ex.com/cut")
		if got.NewestUnknown != c.want {
			t.Errorf("%s: it is %q, not %q: %+v", c.name, got.NewestUnknown, c.want, got)
		}
	}
}
