//! What is published builds the way people build it, not only the way its tests do.

use crate::common::{shared, text};

const BREAKING: &[&str] = &["--level", "breaking"];

#[test]
fn what_no_test_needs_has_to_compile_all_the_same() {
    let run = shared("cargo_beyond_tests", BREAKING);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    for (name, check) in [("dice", "build"), ("lamp", "build"), ("words", "build"), ("clock", "build-all")] {
        assert_eq!(run.ran.why(name), "build_failed", "{name}");
        let words = run.ran.words(name);
        assert!(words.starts_with(&format!("the {check} of cargo . does not compile")), "{words}");
    }
}

#[test]
fn a_package_without_a_test_lands_with_what_compiled_it_as_its_proof() {
    let run = shared("cargo_beyond_tests", BREAKING);
    assert_eq!(run.ran.upgrades(), ["digits 1.0.0 -> 2.0.0"]);
    assert_eq!(text(run.ran.upgrade("digits"), "proof"), "compiled");
}

#[test]
fn of_a_bench_that_never_compiled_and_one_that_did_only_the_first_is_left_out() {
    let run = shared("cargo_beyond_tests", BREAKING);
    let told: Vec<&str> = run.ran.stderr.lines().filter(|line| line.contains("left out")).collect();
    let [told] = told.as_slice() else { panic!("told once: {told:?}") };
    assert!(told.contains("cargo . does not compile speed (bench \"nightly\") before any upgrade"), "{told}");
    let reported = run.ran.report["projects"][0]["left_out"].to_string();
    assert!(reported.contains("speed (bench \\\"nightly\\\")"), "{reported}");
    let words = run.ran.words("clock");
    assert!(words.contains("speed (bench \"speed\"): error[E0596]"), "{words}");
}
