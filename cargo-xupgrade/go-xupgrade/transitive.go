package main

import (
	"context"
	goversion "go/version"
	"slices"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// Which modules a survey looks up that only other modules require.
const (
	transitiveWithdrawn = "withdrawn" // those whose version in use is retracted
	transitiveAll       = "all"
)

// unlisted gives the modules of a build list that go.mod does not name, as
// requirements: below go 1.17, go.mod does not list what is required
// indirectly. Without a build list, which an incomplete go.sum does not give,
// there are none.
func (j *job) unlisted(ctx context.Context, dir string, f *modfile.File) ([]requirement, error) {
	if goversion.Compare("go"+goLine(f), "go1.17") >= 0 {
		return nil, nil
	}
	out, err := j.work(ctx, dir, "list", "-m", "-e", "-mod=readonly", "-json=Path,Version,Replace,Main,Error", "all")
	if ctx.Err() != nil {
		return nil, &failure{Code: codeCancelled, Message: "cancelled while reading the build list"}
	}
	list, bad := decodeStream[listedModule](out)
	if err != nil || bad != nil {
		return nil, nil
	}
	var found []requirement
	for _, m := range list {
		if m.Main || m.Error != nil || m.Version == "" || m.Replace != nil || required(f, m.Path) != "" {
			continue
		}
		found = append(found, requirement{Path: m.Path, Version: m.Version, Kind: "indirect", Unlisted: true, Releases: []release{},
			Pseudo: module.IsPseudoVersion(m.Version), Incompatible: incompatible(m.Version)})
	}
	return found, nil
}

// retractedOnly picks the requirements whose version in use is retracted. It
// asks for one version of each module, the one that speaks for it, while a
// survey of the releases asks for all above the one in use.
func (r *registry) retractedOnly(ctx context.Context, wanted []*requirement) []*requirement {
	var paths []string
	for _, q := range wanted {
		paths = append(paths, q.Path)
	}
	lists, failures := r.versions(ctx, paths)
	var waiting []*speech
	all := map[*requirement]*speech{}
	for _, q := range wanted {
		if q.Error = failures[q.Path]; q.Error == nil {
			s := newSpeech(q, lists[q.Path], r.offline)
			waiting, all[q] = append(waiting, s), s
		}
	}
	for len(waiting) > 0 && ctx.Err() == nil {
		waiting = r.hear(ctx, waiting)
	}
	return slices.DeleteFunc(slices.Clone(wanted), func(q *requirement) bool { return all[q] == nil || !all[q].retracts() })
}

// A speech is the search for the version that speaks for a module: the highest
// release that there was, the highest pre-release where there is no release.
type speech struct {
	req   *requirement
	next  []string // highest first
	heard *modfile.File
}

func newSpeech(q *requirement, versions []string, offline bool) *speech {
	s := &speech{req: q}
	versions = ofMajor(q.Path, versions)
	for _, pre := range []bool{false, true} {
		kind := slices.DeleteFunc(slices.Clone(versions), func(v string) bool { return incompatible(v) || prerelease(v) != pre })
		slices.SortFunc(kind, func(a, b string) int { return compareVersions(b, a) })
		s.next = append(s.next, kind...)
	}
	if len(versions) == 0 && q.Pseudo && !offline {
		s.next = append(s.next, "latest")
	}
	s.next = s.next[:min(len(s.next), lookupCap)]
	return s
}

// hear asks for the next version of each, and gives those that have to go on.
func (r *registry) hear(ctx context.Context, speeches []*speech) []*speech {
	var queries []string
	for _, s := range speeches {
		if len(s.next) > 0 {
			queries = append(queries, s.req.Path+"@"+s.next[0])
		}
	}
	answers := r.seen(ctx, queries, "retractions")
	return slices.DeleteFunc(speeches, func(s *speech) bool {
		if len(s.next) == 0 {
			return true
		}
		v := s.next[0]
		m := answers[s.req.Path+"@"+v]
		s.next = s.next[1:]
		if v == "latest" {
			v = m.Version
		}
		if semver.Compare(v, s.req.Version) > 0 && late(m.Time, r.notAfter) {
			return false
		}
		said, why := r.spoken(m)
		if why != nil && isGone(why) {
			return false
		}
		s.heard, s.req.Error = said, why
		return true
	})
}

// spoken is the go.mod of a version that may speak for its module, or why
// nobody can know what it says. A version that needs a newer Go can be read,
// though it is an error; one whose go.mod alone could not be had is no error
// to the go command, and names no file.
func (r *registry) spoken(m listedModule) (*modfile.File, *failure) {
	f := modOf(m)
	name := m.Path + "@" + m.Version
	switch {
	case f != nil:
		return f, nil
	case m.Error != nil:
		return nil, r.failed(m.Error.Err)
	case m.GoMod != "":
		return nil, &failure{Code: codeParse, Message: "the go.mod of " + name + " cannot be parsed"}
	case r.offline:
		return nil, &failure{Code: codeOffline, Message: "not in the module cache: the go.mod of " + name}
	}
	return nil, &failure{Code: codeNetwork, Retryable: true,
		Message: "the go.mod of " + name + ", which says what is retracted, could not be read; try again later"}
}

// isGone says whether a failure is an answer: there is no such version of the
// module, or what is there will never be one. Then the next one speaks.
func isGone(why *failure) bool {
	return why.Code == codeNotFound || why.Code == codePathMismatch || why.Code == codeParse
}

func late(released, limit *time.Time) bool {
	return released != nil && limit != nil && released.After(*limit)
}

func (s *speech) retracts() bool {
	return s.heard != nil && slices.ContainsFunc(s.heard.Retract, func(ret *modfile.Retract) bool {
		return inInterval(ret.VersionInterval, s.req.Version)
	})
}
