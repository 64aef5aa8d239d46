//! Partners in words that cargo 1.95, rustc 1.95 and go 1.26 said, and in those of older ones.

use super::*;

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

const PINNED: &str = "cargo finds no solution with one 1.1.0: failed to select a version for `helper`.; ... required by \
    package `two v1.0.0`; ... which satisfies dependency `two = \"^1\"` (locked to 1.0.0) of package `app v0.1.0 (/w/repo)`; \
    versions that meet the requirements `=1.0.0` are: 1.0.0; all possible versions conflict with previously selected \
    packages.; previously selected package `helper v1.1.0`; ... which satisfies dependency `helper = \"=1.1.0\"` of package \
    `one v1.1.0`; ... which satisfies dependency `one = \"^1\"` of package `app v0.1.0 (/w/repo)`; failed to select a \
    version for `helper` which could resolve this conflict";

#[test]
fn a_resolver_conflict_names_every_package_on_both_sides_of_it() {
    assert_eq!(named(&lines(PINNED)), ["helper", "two", "app", "one"]);
}

#[test]
fn a_requirement_that_nothing_meets_names_who_requires_it() {
    let words = "cargo finds no solution with derive 1.1.0: failed to select a version for the requirement `derive = \
        \"=1.0.0\"`; candidate versions found which didn't match: 1.1.0; location searched: `/w/registry` index (which is \
        replacing registry `crates-io`); required by package `model v1.0.0`; ... which satisfies dependency `model = \
        \"^1\"` (locked to 1.0.0) of package `app v0.1.0 (/w/repo)`";
    assert_eq!(named(&lines(words)), ["derive", "crates-io", "model", "app"]);
}

#[test]
fn two_claims_on_a_native_library_name_both_sides() {
    let words = "failed to select a version for `native`.; ... required by package `database v1.1.0`; package `native` links \
        to the native library `native`, but it conflicts with a previous package which links to `native` as well:; package \
        `native v1.0.0`; ... which satisfies dependency `native = \"^1\"` of package `driver v1.0.0`";
    assert_eq!(named(&lines(words)), ["native", "database", "driver"]);
}

const TWO_COPIES: &str = "error[E0308]: mismatched types
 --> src/lib.rs:2:17
note: there are multiple different versions of crate `message` in the dependency graph
 --> /w/cargo-home/registry/src/-6ba8c9a88c8b17bb/message-1.0.0/src/lib.rs:1:1
 --> /w/cargo-home/registry/src/-6ba8c9a88c8b17bb/tower-http-1.0.0-rc.1/src/lib.rs:1:8
error: could not compile `app` (lib) due to 1 previous error";

#[test]
fn two_copies_of_a_crate_name_it_and_the_crates_that_rustc_points_to() {
    assert_eq!(named(&lines(TWO_COPIES)), ["message", "tower-http"]);
}

#[test]
fn the_crate_that_brings_a_copy_is_named() {
    let words = "note: there are multiple different versions of crate `message` in the dependency graph
  | ------- one version of crate `message` used here, as a dependency of crate `taker`
note: perhaps two different versions of crate `other` are being used?";
    assert_eq!(named(&lines(words)), ["message", "taker", "other"]);
}

#[test]
fn an_error_that_speaks_of_one_copy_names_nobody() {
    let words =
        "error[E0425]: cannot find function `gone` in crate `x`\n --> /w/registry/src/-6/x-1.0.0/src/lib.rs:3:5";
    assert_eq!(named(&lines(words)), [""; 0]);
    assert_eq!(named(&lines("thread 'it' panicked at `a` requires `b`")), [""; 0]);
}

#[test]
fn a_conflict_of_go_modules_names_both() {
    let words =
        "go does not take demo.test/a v1.5.0: demo.test/a@v1.5.0 requires demo.test/b@v1.4.0, not demo.test/b@v1.3.0";
    assert_eq!(named(&lines(words)), ["demo.test/a", "demo.test/b"]);
    let work = "go: module demo.test/a@v1.5.0 requires demo.test/b/v2@v2.4.0, but demo.test/b/v2@v2.3.0 is requested";
    assert_eq!(named(&lines(work)), ["demo.test/a", "demo.test/b/v2"]);
}

#[test]
fn an_ambiguous_import_names_the_modules_that_have_the_package() {
    let words = "ex.com/app imports; ex.com/big/sub: ambiguous import: found package ex.com/big/sub in multiple modules: \
        ex.com/big v1.0.0 (/m/ex.com/big@v1.0.0); ex.com/big/sub v0.1.0 (/m/ex.com/big/sub@v0.1.0)";
    let found = named(&lines(words));
    assert!(found.contains(&"ex.com/big".to_owned()) && found.contains(&"ex.com/big/sub".to_owned()), "{found:?}");
}

const GO_TYPES: &str = "./app.go:8:40: cannot use sender.Send() (value of struct type \"demo.test/message/v2\".Message) as \
    \"demo.test/message\".Message value in argument to codec.Take";

#[test]
fn a_type_at_two_major_versions_names_the_packages_of_the_line() {
    assert_eq!(named(&lines(GO_TYPES)), ["sender", "codec", "demo.test/message"]);
    let other = GO_TYPES.replace("message/v2", "letter/v2");
    assert_eq!(named(&lines(&other)), [""; 0], "two types of two modules are no pair");
}
