package main

import (
	"fmt"
	"slices"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// A viewRule says which versions exist, as far as an edit is concerned.
type viewRule struct {
	// AsOf is the instant at which the registries are looked at.
	AsOf time.Time `json:"as_of"`
	// Cutoff lies a cooldown before it: what came out later is hidden.
	Cutoff time.Time `json:"cutoff"`
	// HideUndated hides what tells no age.
	HideUndated bool `json:"hide_undated"`
}

// tooYoungWords begin the refusal of a module that has no version to take;
// phrases.go finds them in what the go command says.
const tooYoungWords = "too young: no version of "

func tooYoung(path string, newest listedModule) *refusal {
	if newest.Time == nil {
		return &refusal{failedDependency, fmt.Sprintf("%s%s is known to be old enough; %s tells no age", tooYoungWords, path, newest.Version)}
	}
	return &refusal{failedDependency, fmt.Sprintf("%s%s is old enough; %s came out on %s",
		tooYoungWords, path, newest.Version, newest.Time.UTC().Format(time.DateOnly))}
}

// hides says whether the rule hides a version, which locked ones are exempt
// from. A version that cannot be had tells no age.
func (v *proxyView) hides(path string, m listedModule) bool {
	switch {
	case v.locked[path][m.Version]:
		return false
	case m.Error != nil || m.Time == nil:
		return v.rule.HideUndated
	}
	return m.Time.After(v.rule.Cutoff)
}

// page gives what is said about a module, and finds it out first if need be.
func (v *proxyView) page(path string) *page {
	v.mu.Lock()
	p := v.pages[path]
	if p == nil {
		p = &page{}
		v.pages[path] = p
	}
	v.mu.Unlock()
	p.made.Do(func() {
		lists, failures := v.registry.versions(v.ctx, []string{path})
		switch all := lists[path]; {
		case failures[path] != nil:
			p.refusal = unlisted(path, failures[path])
		case len(all) == 0:
			p.latest, p.refusal = v.newestCommit(path)
		default:
			p.shown, p.refusal = v.filter(path, all)
		}
	})
	return p
}

// newestCommit is what @latest says of a module without any tag. An older
// commit cannot be asked for, so where that one is hidden there is only the
// one in use.
func (v *proxyView) newestCommit(path string) (*listedModule, *refusal) {
	found, no := v.look(path, "latest")
	if no != nil {
		return nil, no
	}
	newest := found["latest"]
	if newest.Error != nil {
		return nil, notHere()
	}
	if !v.hides(path, newest) {
		return &newest, nil
	}
	inUse := ""
	for version := range v.locked[path] {
		if inUse == "" || semver.Compare(version, inUse) > 0 {
			inUse = version
		}
	}
	if inUse == "" {
		return nil, tooYoung(path, newest)
	}
	if found, no = v.look(path, inUse); no != nil {
		return nil, no
	}
	m := found[inUse]
	return &m, nil
}

// A sifting is a list of versions on its way to what the view shows of it.
type sifting struct {
	view   *proxyView
	path   string
	hidden map[string]bool
	newest listedModule // of those hidden for their age
	speaks *modfile.File
}

// filter takes out of a list what the rule hides, as far as it matters: the go
// command takes the highest release that it may, a +incompatible one only
// where no release has a go.mod, and a pre-release only where there is no
// release at all. So each kind is looked through from the highest down to the
// first version that may be taken, and what lies below is shown unseen.
func (v *proxyView) filter(path string, all []string) ([]string, *refusal) {
	s := &sifting{view: v, path: path, hidden: map[string]bool{}}
	var releases, old, early []string
	for _, version := range all {
		switch {
		case prerelease(version):
			early = append(early, version)
		case incompatible(version):
			old = append(old, version)
		default:
			releases = append(releases, version)
		}
	}
	some := false
	for _, kind := range [][]string{releases, old} {
		open, no := s.descend(kind)
		if no != nil {
			return nil, no
		}
		some = some || open
	}
	if !some {
		if _, no := s.descend(early); no != nil {
			return nil, no
		}
	}
	shown := slices.DeleteFunc(slices.Clone(all), func(version string) bool { return s.hidden[version] })
	if len(shown) == 0 {
		return nil, tooYoung(path, s.newest)
	}
	return shown, nil
}

// descend looks at versions from the highest down, in steps that grow, until
// one may be taken, and says whether there is one.
func (s *sifting) descend(kind []string) (bool, *refusal) {
	slices.SortFunc(kind, func(a, b string) int { return compareVersions(b, a) })
	for step := 2; len(kind) > 0; step *= 4 {
		batch := kind[:min(step, len(kind))]
		kind = kind[len(batch):]
		found, no := s.view.look(s.path, batch...)
		if no != nil {
			return false, no
		}
		open := false
		for _, version := range batch {
			open = s.take(version, found[version]) || open
		}
		if open {
			return true, nil
		}
	}
	return false, nil
}

// take notes one version and says whether it may be taken. Retractions count
// from the day they are known, so a version that is too young to be taken may
// still say which older ones are bad. As for the go command, the highest
// version speaks for the module.
func (s *sifting) take(version string, m listedModule) bool {
	m.Version = version
	if s.speaks == nil && m.Error == nil && !incompatible(version) && (m.Time == nil || !m.Time.After(s.view.rule.AsOf)) {
		s.speaks = modOf(m)
	}
	if s.view.locked[s.path][version] {
		return true
	}
	if s.view.hides(s.path, m) {
		s.hidden[version] = true
		if s.newest.Version == "" {
			s.newest = m
		}
		return false
	}
	if s.speaks != nil {
		for _, r := range s.speaks.Retract {
			if inInterval(r.VersionInterval, version) {
				s.hidden[version] = true
				return false
			}
		}
	}
	return !s.view.excluded[s.path][version]
}
