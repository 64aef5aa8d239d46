package main

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

const (
	// releaseCap is how many releases of one module are described. Nobody
	// climbs further at once, and a few modules have thousands.
	releaseCap = 120
	// lookupCap ends the search for releases that are old enough when as-of
	// lies far back.
	lookupCap = 10 * releaseCap
)

// A climb is one requirement on its way to knowing its releases.
type climb struct {
	req    *requirement
	listed []string // all versions, highest first
	queue  []string // versions above the current one, not yet looked up
	kept   []release
	asked  int
	known  map[string]listedModule
	gone   map[string]bool // versions that were found to speak for nothing
	later  bool            // there are releases above the current one, from after as-of
}

// fill completes the requirements: first all version lists, then the details
// of what lies above each current version, in rounds, until as many releases
// as wanted are old enough for as-of.
func (r *registry) fill(ctx context.Context, wanted []*requirement) error {
	var paths []string
	for _, q := range wanted {
		paths = append(paths, q.Path)
	}
	r.job.report(0, len(paths), "version lists")
	lists, failures := r.versions(ctx, paths)
	r.job.report(len(paths), len(paths), "version lists")
	var climbs []*climb
	for _, q := range wanted {
		q.Error = failures[q.Path]
		climbs = append(climbs, newClimb(q, lists[q.Path]))
	}
	r.rounds(ctx, climbs)
	r.retractions(ctx, climbs)
	r.doubts(ctx, climbs)
	if ctx.Err() != nil {
		return &failure{Code: codeCancelled, Message: "cancelled while looking up releases"}
	}
	for _, c := range climbs {
		c.finish()
	}
	return nil
}

func newClimb(q *requirement, versions []string) *climb {
	c := &climb{req: q, listed: ofMajor(q.Path, versions), known: map[string]listedModule{}, gone: map[string]bool{}}
	slices.SortFunc(c.listed, func(a, b string) int { return compareVersions(b, a) })
	pre := prerelease(q.Version)
	for _, v := range c.listed {
		switch {
		case semver.Compare(v, q.Version) <= 0:
		case prerelease(v) && !pre:
			// Nobody on a release is offered a pre-release, so it is only
			// named: its details would cost two requests each.
			c.kept = append(c.kept, release{Version: v, PathOK: true, Prerelease: true, Incompatible: incompatible(v)})
		default:
			c.queue = append(c.queue, v)
		}
	}
	c.kept = c.kept[:min(len(c.kept), releaseCap)]
	return c
}

// ofMajor leaves out tags of another major than the one in the module's path,
// which are versions that the go command would refuse.
func ofMajor(path string, versions []string) []string {
	_, major, _ := module.SplitPathVersion(path)
	return slices.DeleteFunc(slices.Clone(versions), func(v string) bool { return !module.MatchPathMajor(v, major) })
}

// compareVersions is semver order; equal precedence is decided by the text, so
// that sorting never depends on the order of the input.
func compareVersions(a, b string) int {
	if c := semver.Compare(a, b); c != 0 {
		return c
	}
	return strings.Compare(a, b)
}

// prerelease says whether v is one, for a pseudo-version by what it is based on.
func prerelease(v string) bool {
	if module.IsPseudoVersion(v) {
		base, err := module.PseudoVersionBase(v)
		return err == nil && base != "" && semver.Prerelease(base) != ""
	}
	return semver.Prerelease(v) != ""
}

func incompatible(v string) bool { return strings.HasSuffix(v, "+incompatible") }

// rounds looks up the current versions and what lies above them.
func (r *registry) rounds(ctx context.Context, climbs []*climb) {
	for first := true; ctx.Err() == nil; first = false {
		asked := map[*climb][]string{}
		var queries []string
		for _, c := range climbs {
			n := min(len(c.queue), releaseCap, lookupCap-c.asked)
			if c.described() >= releaseCap {
				n = 0
			}
			next := c.queue[:max(n, 0)]
			c.queue = c.queue[len(next):]
			c.asked += len(next)
			if first {
				next = append(slices.Clone(next), c.req.Version)
				if len(c.listed) == 0 && c.req.Pseudo && c.req.Error == nil && !r.offline {
					// A module without any tag: its newest commit is the
					// only release there is.
					next = append(next, "latest")
				}
			}
			asked[c] = next
			for _, v := range next {
				queries = append(queries, c.req.Path+"@"+v)
			}
		}
		if len(queries) == 0 {
			return
		}
		answers := r.details(ctx, queries, "releases")
		for _, c := range climbs {
			for _, v := range asked[c] {
				r.take(c, v, answers[c.req.Path+"@"+v])
			}
		}
	}
}

// described counts the releases that were looked up and kept.
func (c *climb) described() int {
	n := 0
	for _, rel := range c.kept {
		if rel.Time != nil || rel.Error != nil {
			n++
		}
	}
	return n
}

// take notes the answer about one version.
func (r *registry) take(c *climb, v string, m listedModule) {
	if v == c.req.Version {
		c.known[v] = m
		c.req.Time, c.req.Go = m.Time, goLineOf(m)
		if m.Error != nil && c.req.Error == nil {
			c.req.Error = r.failed(m.Error.Err)
		}
		return
	}
	if v == "latest" {
		if m.Error != nil {
			// Without any tag it is this one that would speak for the module.
			if why := r.failed(m.Error.Err); !isGone(why) && c.req.Error == nil {
				c.req.Error = why
			}
			return
		}
		if semver.Compare(m.Version, c.req.Version) <= 0 {
			return
		}
		v = m.Version
	}
	if m.Time != nil && r.notAfter != nil && m.Time.After(*r.notAfter) {
		c.later = true
		return
	}
	c.known[v] = m
	rel := release{Version: v, Time: m.Time, Go: goLineOf(m), PathOK: true,
		Prerelease: prerelease(v), Incompatible: incompatible(v), Pseudo: module.IsPseudoVersion(v)}
	if m.Error != nil {
		rel.Error = r.failed(m.Error.Err)
		rel.PathOK = rel.Error.Code != codePathMismatch
	} else if f := modOf(m); f != nil && f.Module != nil {
		if rel.PathOK = f.Module.Mod.Path == c.req.Path; !rel.PathOK {
			rel.Declares = f.Module.Mod.Path
		}
	}
	c.kept = append(c.kept, rel)
}

// retractions reads what each module says about its own versions. The go
// command believes the go.mod of the highest release only (the highest
// pre-release when there is no release), even if that one is retracted.
//
// Where nobody can know what that one says, the module is not taken for one
// without retractions: its requirement has that as its error.
func (r *registry) retractions(ctx context.Context, climbs []*climb) {
	for waiting := climbs; len(waiting) > 0 && ctx.Err() == nil; {
		var queries []string
		for _, c := range waiting {
			if v := c.spokesman(); c.known[v].Path == "" {
				queries = append(queries, c.req.Path+"@"+v)
			}
		}
		answers := r.details(ctx, queries, "retractions")
		waiting = slices.DeleteFunc(slices.Clone(waiting), func(c *climb) bool {
			v := c.spokesman()
			if m, asked := answers[c.req.Path+"@"+v]; asked {
				c.known[v] = m
			}
			f, why := r.spoken(c.known[v])
			switch {
			case why != nil && isGone(why) && v != c.req.Version:
				c.gone[v] = true
				return false
			case f != nil:
				c.apply(f)
			case why != nil && c.req.Error == nil:
				c.req.Error = why
			}
			return true
		})
	}
}

// spokesman is the version whose go.mod speaks for the module, among those
// that existed at as-of.
func (c *climb) spokesman() string {
	for _, wantPre := range []bool{false, true} {
		for _, v := range c.listed {
			_, known := c.known[v]
			old := semver.Compare(v, c.req.Version) <= 0
			if (known || old) && prerelease(v) == wantPre && !incompatible(v) && !c.gone[v] {
				return v
			}
		}
	}
	// Without any tag, the newest commit speaks, else the current one.
	newest := c.req.Version
	for _, rel := range c.kept {
		if rel.Pseudo && !c.gone[rel.Version] && semver.Compare(rel.Version, newest) > 0 {
			newest = rel.Version
		}
	}
	return newest
}

func (c *climb) apply(f *modfile.File) {
	if f.Module != nil {
		c.req.Deprecated = f.Module.Deprecated
	}
	for _, ret := range f.Retract {
		if inInterval(ret.VersionInterval, c.req.Version) {
			reason := ret.Rationale
			if reason == "" {
				reason = "retracted by module author"
			}
			c.req.Retracted = append(c.req.Retracted, reason)
		}
		for i := range c.kept {
			if inInterval(ret.VersionInterval, c.kept[i].Version) {
				c.kept[i].Retracted = true
			}
		}
	}
	if len(c.req.Retracted) > 0 {
		c.req.SoundBelow = c.soundBelow(f)
	}
}

func (c *climb) soundBelow(f *modfile.File) string {
	for _, v := range c.listed {
		retracted := slices.ContainsFunc(f.Retract, func(r *modfile.Retract) bool { return inInterval(r.VersionInterval, v) })
		if semver.Compare(v, c.req.Version) < 0 && !retracted && !prerelease(v) && !incompatible(v) {
			return v
		}
	}
	return ""
}

func inInterval(i modfile.VersionInterval, v string) bool {
	return semver.Compare(i.Low, v) <= 0 && semver.Compare(v, i.High) <= 0
}

// finish sorts the releases, newest first, and cuts off what is too many.
func (c *climb) finish() {
	slices.SortFunc(c.kept, func(a, b release) int { return compareVersions(b.Version, a.Version) })
	described := 0
	for _, rel := range c.kept {
		if !rel.Prerelease || rel.Time != nil {
			if described++; described > releaseCap {
				c.req.Truncated = true
				continue
			}
		}
		c.req.Releases = append(c.req.Releases, rel)
	}
	c.req.Truncated = c.req.Truncated || len(c.queue) > 0
}
