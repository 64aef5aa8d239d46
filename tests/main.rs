//! The end-to-end tests of the binary: one test program, one file for each command or theme. `common` is the stage;
//! `supervise` tests the supervisor by itself; `tidy` keeps the house rules.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the verdict")]

use cargo_xupgrade::{engine, trial};

mod bad_input;
mod budget;
mod cargo_cases;
mod checkouts;
mod cli;
mod commits;
mod common;
mod credentials;
mod elsewhere;
mod environment;
mod explain;
mod fast;
mod flakes;
mod go;
mod go_builds;
mod go_cases;
mod go_view;
mod go_work;
mod interrupt;
mod json;
mod ladder;
mod mixed;
mod outside;
mod plan;
mod policy;
mod proof;
mod red_tests;
mod registries;
mod replay;
mod report;
mod rescue;
mod resume;
mod run;
mod safeguards;
mod safety;
mod supervise;
mod tidy;
mod toolchains;
mod transitive;
mod trust;
mod workers;

/// A file that is not declared above would never be compiled, and its tests would pass by not being there.
#[test]
fn every_file_of_the_tests_is_compiled() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests");
    let declared = std::fs::read_to_string(folder.join("main.rs")).unwrap();
    for entry in folder.read_dir().unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.trim_end_matches(".rs");
        let known = module == "main" || declared.lines().any(|line| line == format!("mod {module};"));
        assert!(known, "tests/{name} is not declared in tests/main.rs");
    }
}
