package main

import (
	"context"
	"path/filepath"
	"strings"
)

// resolve is work for the commands that may choose versions by themselves:
// they look at the registries through the proxy view.
func (e *editing) resolve(ctx context.Context, dir string, args ...string) ([]byte, error) {
	if e.proxy == "" {
		return e.work(ctx, dir, args...)
	}
	env := []string{"GOWORK=off", "GOMAXPROCS=16", "GOPROXY=" + e.proxy}
	return e.run(ctx, dir, workFactor*e.limit, env, args...)
}

// view starts a proxy view for this edit, if a rule asks for one, and returns
// what ends it. What is in use, in whichever file, and what is asked for by
// name is always shown.
func (e *editing) view(ctx context.Context, list []listedModule) (func(), error) {
	setup, err := e.setup(ctx, e.dirs[0])
	if err != nil {
		return nil, err
	}
	if e.p.View == nil || strings.HasPrefix(strings.TrimSpace(setup.Proxy), "off") {
		return func() {}, nil
	}
	v, err := e.startView(ctx, e.dirs[0], *e.p.View)
	if err != nil {
		return nil, err
	}
	for _, r := range e.p.Raises {
		v.lock(r.Path, r.Version)
	}
	for _, m := range list {
		v.lock(m.Path, m.Version)
	}
	for _, dir := range e.dirs {
		for _, r := range e.mods[dir].Require {
			v.lock(r.Mod.Path, r.Mod.Version)
		}
		for _, x := range e.mods[dir].Exclude {
			v.exclude(x.Mod.Path, x.Mod.Version)
		}
		for line := range strings.Lines(string(e.before[filepath.Join(dir, "go.sum")])) {
			if f := strings.Fields(line); len(f) == 3 {
				v.lock(f[0], strings.TrimSuffix(f[1], "/go.mod"))
			}
		}
	}
	e.proxy = v.address + "," + setup.Proxy
	return v.close, nil
}
