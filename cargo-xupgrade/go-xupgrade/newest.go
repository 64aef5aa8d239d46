package main

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/mod/semver"
)

// What was the newest release at a past instant is known only where the
// registry tells of all that there was then. Two kinds of modules it tells
// less of:
//
// Of a module without a tag, @latest names the newest commit of today and
// nothing names those before it (go.dev/ref/mod#goproxy-protocol).
//
// And @v/list has the "known versions", which need not be all that the same
// registry serves: of github.com/aws/aws-sdk-go it had 358 in November 2026,
// from v1.33.0 right to v1.34.0, and served v1.33.1 all the same. So a version
// that is served and not listed shows that a list is cut. Asked for are those
// that would come next, and only where they could matter: nothing newer was
// found, the list goes on after the instant, and it has gaps.
const (
	unknownUntagged = "untagged"
	unknownCut      = "cut"
)

// doubts says of which modules nobody can tell the newest release as of then.
func (r *registry) doubts(ctx context.Context, climbs []*climb) {
	asked := map[*climb][]string{}
	var queries []string
	for _, c := range climbs {
		if c.req.Error != nil || !c.later || slices.ContainsFunc(c.kept, usable) {
			continue
		}
		if c.untagged() {
			c.req.NewestUnknown = unknownUntagged
			continue
		}
		asked[c] = c.unlisted()
		for _, v := range asked[c] {
			queries = append(queries, c.req.Path+"@"+v)
		}
	}
	if len(queries) == 0 || r.offline {
		return
	}
	answers := r.details(ctx, queries, "lists that may be cut")
	for c, versions := range asked {
		served := func(v string) bool {
			m, ok := answers[c.req.Path+"@"+v]
			return ok && m.Error == nil && m.Version == v
		}
		if slices.ContainsFunc(versions, served) {
			c.req.NewestUnknown = unknownCut
		}
	}
}

// untagged says that the module had no tag at as-of.
func (c *climb) untagged() bool {
	return c.req.Pseudo && !slices.ContainsFunc(c.listed, func(v string) bool {
		_, then := c.known[v]
		return then || semver.Compare(v, c.req.Version) < 0
	})
}

// usable says of a release that it could be climbed to.
func usable(rel release) bool { return !rel.Prerelease && !rel.Retracted }

// unlisted are versions that a whole list with gaps would have: the current
// one, and those that would come right after it. (Of what comes from before
// modules the go command itself leaves some out.)
func (c *climb) unlisted() []string {
	if c.req.Pseudo || c.req.Incompatible || !c.gappy() {
		return nil
	}
	all := append([]string{c.req.Version}, successors(c.req.Version)...)
	return slices.DeleteFunc(all, func(v string) bool { return slices.Contains(c.listed, v) })
}

// gappy says that some release in the list does not follow the one before it.
func (c *climb) gappy() bool {
	releases := slices.DeleteFunc(slices.Clone(c.listed), prerelease)
	for i := 1; i < len(releases); i++ {
		if !slices.Contains(successors(releases[i]), releases[i-1]) {
			return true
		}
	}
	return !slices.Contains(c.listed, c.req.Version)
}

// successors are the numbers that may come right after a version of the same
// module.
func successors(v string) []string {
	var major, minor, patch int
	if _, err := fmt.Sscanf(semver.Canonical(v), "v%d.%d.%d", &major, &minor, &patch); err != nil {
		return nil
	}
	next := []string{fmt.Sprintf("v%d.%d.%d", major, minor, patch+1), fmt.Sprintf("v%d.%d.0", major, minor+1)}
	if semver.Prerelease(v) != "" {
		next = append(next, fmt.Sprintf("v%d.%d.%d", major, minor, patch))
	}
	if major == 0 {
		next = append(next, "v1.0.0")
	}
	return next
}
