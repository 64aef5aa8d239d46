package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/module"
)

// cached reads what the module cache knows about a version, as the go command
// would tell it: time and go.mod lie there in files, and a go command takes
// longer to start than to read them. What is in the cache was verified when
// it came (go.dev/ref/mod#module-cache).
func (r *registry) cached(path, version string) (listedModule, bool) {
	escaped, err := module.EscapePath(path)
	if err != nil || version != module.CanonicalVersion(version) {
		return listedModule{}, false
	}
	name, err := module.EscapeVersion(version)
	if err != nil {
		return listedModule{}, false
	}
	base := filepath.Join(r.modCache, "cache", "download", filepath.FromSlash(escaped), "@v", name)
	data, err := os.ReadFile(base + ".info")
	if err != nil {
		return listedModule{}, false
	}
	m := listedModule{}
	if json.Unmarshal(data, &m) != nil || m.Version != version {
		return listedModule{}, false
	}
	m.Path, m.GoMod = path, base+".mod"
	// One that names another module is an error, in the go command's words.
	f := modOf(m)
	return m, f != nil && f.Module != nil && f.Module.Mod.Path == path
}

// seen is details for versions that may well be in the module cache.
func (r *registry) seen(ctx context.Context, queries []string, what string) map[string]listedModule {
	answers := map[string]listedModule{}
	var ask []string
	for _, query := range queries {
		path, version, _ := strings.Cut(query, "@")
		if m, known := r.cached(path, version); known {
			answers[query] = m
		} else {
			ask = append(ask, query)
		}
	}
	if len(ask) > 0 {
		for query, m := range r.details(ctx, ask, what) {
			answers[query] = m
		}
	}
	return answers
}
