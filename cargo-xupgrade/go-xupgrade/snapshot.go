package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// A snapshot holds the bytes of files from before an edit, nil for a file
// that was not there. It is kept in memory: an edit that fails must leave
// every byte as it was, even when the disk is full.
type snapshot map[string][]byte

// take remembers the files; a second call with the same file changes nothing.
func (s snapshot) take(files ...string) error {
	for _, file := range files {
		if _, done := s[file]; done {
			continue
		}
		data, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			s[file] = nil
			continue
		}
		if err != nil {
			return fmt.Errorf("reading %s before the edit: %w", file, err)
		}
		s[file] = data
	}
	return nil
}

// putBack restores every file that is different now.
func (s snapshot) putBack() error {
	var all []error
	for _, file := range s.changed() {
		if s[file] == nil {
			all = append(all, os.Remove(file))
		} else {
			all = append(all, os.WriteFile(file, s[file], 0o644))
		}
	}
	return errors.Join(all...)
}

// changed lists the files whose bytes are not those of the snapshot, sorted.
func (s snapshot) changed() []string {
	files := []string{}
	for file, before := range s {
		now, err := os.ReadFile(file)
		if there := err == nil; there != (before != nil) || !bytes.Equal(now, before) {
			files = append(files, file)
		}
	}
	slices.Sort(files)
	return files
}

// restoreCRLF gives files their line ends back: go commands write LF only. A
// file counts as CRLF only if every one of its lines ended so.
func (s snapshot) restoreCRLF() error {
	for _, file := range s.changed() {
		lf := bytes.Count(s[file], []byte("\n"))
		if lf == 0 || lf != bytes.Count(s[file], []byte("\r\n")) {
			continue
		}
		now, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("restoring the line ends of %s: %w", filepath.Base(file), err)
		}
		now = bytes.ReplaceAll(bytes.ReplaceAll(now, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
		if err := os.WriteFile(file, now, 0o644); err != nil {
			return fmt.Errorf("restoring the line ends of %s: %w", filepath.Base(file), err)
		}
	}
	return nil
}
