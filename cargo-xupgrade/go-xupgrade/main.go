// Command go-xupgrade is the Go half of cargo-xupgrade.
//
// # What it is for
//
// cargo-xupgrade decides which dependencies may move and proves each move by
// running the project's own checks. Whatever needs Go's own rules (reading
// go.mod, comparing versions, asking module proxies, editing requirements) is
// done here, so that the Rust side never has to guess them. Two rules shape
// every file of this program:
//
//   - Files are read and written with golang.org/x/mod, the library that the
//     go command itself is made of. There is no second go.mod parser.
//   - Everything that may touch a network or another module goes through the
//     user's own go command. So GOPROXY, GOPRIVATE, GOAUTH, netrc files and
//     GOFLAGS work here exactly as they do for the user.
//
// # How it is used
//
// The tool starts it as
//
//	go-xupgrade --protocol           requests on stdin, replies on stdout
//	go-xupgrade --protocol survey    one request: its parameters on stdin
//
// and speaks one JSON object per line (see protocol.go). A person who types
// go-xupgrade with ordinary arguments, or none, wants the whole tool: those
// are handed over to cargo-xupgrade.
//
// # Where to look
//
//   - protocol.go: requests, replies, events, cancelling
//   - gocmd.go: the environment, the time limit and the end of each go command
//   - classify.go: from a go command's words to a typed code
//   - phrases.go: the words of the go command that are read, in one place
//   - discover.go, survey.go: what is there
//   - registry.go, modcache.go, releases.go: what is newer
//   - transitive.go: modules that only other modules require
//   - edit.go, snapshot.go, compare.go: raising requirements in a clone
//   - effects.go: what a raise does to the author's other lines, and to the text
//   - resolve.go, proxyview.go, agerule.go: what go commands may choose by
//     themselves while an edit resolves
//   - variants.go: the files that a plain build passes by
//   - worksums.go: go.work.sum, the lockfile of a workspace
//   - compiled.go: what the tests of a module really compile
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// version is the companion's own version; releases set it with
// -ldflags "-X main.version=...".
var version = "0.1.0"

func main() {
	os.Exit(run(os.Args[1:]))
}

// run picks between the protocol and the hand-over and returns the exit code.
func run(args []string) int {
	if len(args) == 0 || args[0] != "--protocol" {
		return handOver(args)
	}
	// Ctrl-C on a terminal reaches every process of the foreground group. In
	// protocol mode the tool decides what ends, and tells us by closing stdin;
	// a TERM ends us as a closed stdin does, so that edits are put back.
	switch len(args) {
	case 1:
		signal.Ignore(os.Interrupt)
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGHUP)
		defer stop()
		return serve(ctx, os.Stdin, os.Stdout)
	case 2:
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
		defer stop()
		return serveOnce(ctx, args[1], os.Stdin, os.Stdout)
	}
	fmt.Fprintln(os.Stderr, "go-xupgrade: --protocol takes at most one verb, as in: go-xupgrade --protocol survey < params.json")
	return 2
}

// handOver replaces this process by cargo-xupgrade with the same arguments.
// It returns only when that was not possible.
func handOver(args []string) int {
	path, err := exec.LookPath("cargo-xupgrade")
	if err == nil {
		err = syscall.Exec(path, append([]string{path}, args...), os.Environ())
	}
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintln(os.Stderr, "go-xupgrade: this is the Go half of cargo-xupgrade, which is not on the PATH; get it with: cargo install cargo-xupgrade")
		return 1
	}
	fmt.Fprintf(os.Stderr, "go-xupgrade: handing over to cargo-xupgrade: %v\n", err)
	return 1
}
