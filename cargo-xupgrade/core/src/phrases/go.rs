//! The words of the go command and of the programs that `go test` runs. The companion reads most of the go command's words
//! itself (`go-xupgrade/phrases.go`) and sends codes. Seen: go 1.26.

use super::has_any;

/// The lecture behind a mismatch of checksums.
const LECTURE: &str = "SECURITY ERROR";

/// A go.mod or go.sum that is not complete (any command with `-mod=readonly`).
#[must_use]
pub fn is_incomplete(words: &str) -> bool {
    has_any(words, &["missing go.sum entry", "updates to go.mod needed", "updates to go.sum needed"])
}

/// A module that is not the one that was promised: `checksum mismatch`, a version that is none, a package that it does not
/// have (`go mod download`).
#[must_use]
pub fn is_refused_module(words: &str) -> bool {
    has_any(words, &["checksum", LECTURE, "invalid version", "does not contain package"])
}

/// The words before the lecture on security.
#[must_use]
pub fn without_lecture(words: &str) -> &str {
    words.split(LECTURE).next().unwrap_or_default()
}

/// A download that `GOPROXY=off` refuses.
#[must_use]
pub fn is_offline(words: &str) -> bool {
    words.contains("module lookup disabled by GOPROXY=off")
}

/// Patterns that match no package: `go vet`, `go test`.
#[must_use]
pub fn has_no_package(words: &str) -> bool {
    has_any(words, &["no packages to vet", "no packages to test"])
}

/// A disk that is full, as Go's runtime words it: in lower case.
#[must_use]
pub fn is_disk_full(words: &str) -> bool {
    words.contains("no space left on device")
}

/// Modules that do not fit together (`go get`, `go mod tidy`): `a@v1 requires b@v2, not b@v1`, `..., but b@v1 is
/// requested`, `ambiguous import: found package x in multiple modules`.
#[must_use]
pub fn is_conflict(line: &str) -> bool {
    has_any(line, &["ambiguous import: found package", " is requested"])
        || (line.contains(" requires ") && line.contains(", not "))
}

/// The package that does not compile: `# ex.com/app [ex.com/app.test]` (`go build`, `go vet`).
#[must_use]
pub fn not_compiled(line: &str) -> Option<&str> {
    line.strip_prefix("# ")?.split(' ').next()
}

/// A line that points into a source file: `./app.go:3:23: cannot use "x" ...`.
#[must_use]
pub fn is_place(line: &str) -> bool {
    line.contains(".go:")
}

/// A complaint of the go command's between the events of `go test -json`.
#[must_use]
pub fn is_complaint(line: &str) -> bool {
    line.starts_with("go: ") || is_place(line) || is_of_the_linker(line)
}

/// A line by which the linker refuses: `ex.com/fast.One: relocation target ex.com/fast.one not defined`.
fn is_of_the_linker(line: &str) -> bool {
    has_any(line, &[": relocation target ", "duplicated definition of symbol", "is undeclared in the main package"])
        || has_any(line, &["/link: ", "undefined reference to "])
}

/// The output of a test that tells of its failure: `--- FAIL: TestA (0.00s)`, `panic: ...`, `    app_test.go:5: ...`.
#[must_use]
pub fn is_test_failure(output: &str) -> bool {
    let bare = output.trim_start();
    bare.starts_with("--- FAIL")
        || bare.starts_with("panic:")
        || (output.starts_with(' ') && bare.contains("_test.go:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_checksum_makes_go_sum_incomplete() {
        // `go vet ./...` without a go.sum.
        let words = "app.go:3:8: missing go.sum entry for module providing package golang.org/x/mod/semver (imported by \
            ex.com/app); to add:\n\tgo get ex.com/app\n";
        assert!(is_incomplete(words) && !is_refused_module(words));
    }

    #[test]
    fn a_failed_build_names_its_package() {
        // `go build ./...`.
        let words = "# ex.com/app\n./app.go:3:23: cannot use \"x\" (untyped string constant) as int value in return statement\n";
        let mut lines = words.lines();
        assert_eq!(lines.next().and_then(not_compiled), Some("ex.com/app"));
        assert!(lines.next().is_some_and(is_place));
    }

    #[test]
    fn a_build_that_does_not_link_says_so() {
        // `go build` of a command that calls a function without a body, and of one whose C library is not there.
        for line in [
            "demo.test/fast.One: relocation target demo.test/fast.one not defined",
            "/usr/local/go/pkg/tool/linux_amd64/link: running gcc failed: exit status 1",
        ] {
            assert!(is_complaint(line), "{line}");
        }
        assert!(!is_complaint("ok  \tdemo.test/app\t0.002s"));
    }

    #[test]
    fn failed_tests_tell_of_it_and_others_do_not() {
        // `go test ./...`.
        for line in ["--- FAIL: TestA (0.00s)", "    app_test.go:5: x", "panic: p [recovered, repanicked]"] {
            assert!(is_test_failure(line), "{line}");
        }
        assert!(!is_test_failure("FAIL\tex.com/app\t0.007s") && !is_test_failure("--- PASS: TestA (0.00s)"));
    }

    #[test]
    fn the_lecture_is_left_out() {
        let words = "verifying a@v1.0.0: checksum mismatch\n\nSECURITY ERROR\nThis download does NOT match ...";
        assert!(is_refused_module(words));
        assert_eq!(without_lecture(words), "verifying a@v1.0.0: checksum mismatch\n\n");
    }
}
