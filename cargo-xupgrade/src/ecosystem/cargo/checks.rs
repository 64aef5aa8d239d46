//! The checks of a workspace: the commands that a person types to build it, and to test it. All but the tests only compile,
//! and they share their artefacts; a `cargo check` beside them would compile everything once more.

use std::collections::BTreeMap;

use crate::config::MESSAGES;
use crate::ecosystem::Project;
use crate::trial::{Check, Company, Grain, Phase, Reader, Turn};

/// The usual ones, in the order to run them.
pub fn usual(project: &Project) -> Vec<Check> {
    let gate = |name: &str, verb: &str, words: &[&str], grain| {
        let argv = [&["cargo", verb, "--workspace", "--locked"], words, &[MESSAGES]].concat();
        check(project, name, (Phase::Gate, Reader::CargoMessages, grain), &argv)
    };
    let test = ["cargo", "test", "--workspace", "--locked", "--no-fail-fast"];
    vec![
        gate("gate", "test", &["--no-run"], Grain::Whole),
        // Tests are built with the features that dev-dependencies ask for, and without programs that no test runs.
        gate("build", "build", &["--keep-going"], Grain::Target),
        // No test needs a bench, nor an example or a program with `test = false`.
        gate("build-all", "build", &["--all-targets", "--keep-going"], Grain::Target),
        // Without --no-fail-fast one red test binary would hide the names of the others.
        check(project, "test", (Phase::Test, Reader::Libtest, Grain::Whole), &test),
    ]
}

fn check(project: &Project, name: &str, (phase, reader, grain): (Phase, Reader, Grain), argv: &[&str]) -> Check {
    Check {
        name: name.into(),
        phase,
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        afresh: Vec::new(),
        dir: project.path.clone(),
        env: BTreeMap::new(),
        reader,
        limit: None,
        company: Company::Any,
        turn: Turn::Always,
        grain,
    }
}
