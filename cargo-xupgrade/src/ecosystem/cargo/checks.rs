//! The checks of a workspace: the commands that a person types to build it, and to test it. All but the tests only compile,
//! and they share their artefacts; a `cargo check` beside them would compile everything once more.

use std::collections::{BTreeMap, BTreeSet};

use super::variants::Variant;
use crate::candidate::toolchain_exceeds;
use crate::project::Project;
use crate::trial::MESSAGES;
use crate::trial::{Check, Company, Grain, Phase, Reader, Turn};

/// The names of the default checks; `*` stands for what the base and the candidates decide.
pub const NAMES: &[&str] = &["gate", "build", "build-all", "test", "alone-*", "feature-*", "target-*"];

/// The endurance of a cargo where a target does not compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endurance {
    /// With the other targets, to the last one.
    KeepsGoing,
    /// To the first failure only: the others are unknown then, so such a check is judged by less.
    Stops,
}

impl Endurance {
    /// The endurance by the version of Rust; cargo knows `--keep-going` since 1.74.
    pub fn of(rust: Option<&str>) -> Self {
        let is_older = rust.is_some_and(|rust| toolchain_exceeds("1.74.0", rust));
        if is_older { Self::Stops } else { Self::KeepsGoing }
    }

    fn words(self) -> &'static [&'static str] {
        match self {
            Self::KeepsGoing => &["--keep-going"],
            Self::Stops => &[],
        }
    }
}

/// The usual ones, in the order to run them.
pub fn usual(project: &Project, endurance: Endurance) -> Vec<Check> {
    let gate = |name: &str, verb: &str, words: &[&str], grain| {
        let argv = [&["cargo", verb, "--workspace", "--locked"], words, &[MESSAGES]].concat();
        check(project, name, Phase::Gate, Reader::CargoMessages, grain, &argv)
    };
    let test = ["cargo", "test", "--workspace", "--locked", "--no-fail-fast"];
    let all_targets = [&["--all-targets"], endurance.words()].concat();
    vec![
        gate("gate", "test", &["--no-run"], Grain::Whole),
        // Tests are built with the features that dev-dependencies ask for, and without programs that no test runs.
        gate("build", "build", endurance.words(), Grain::Target),
        // No test needs a bench, nor an example or a program with `test = false`.
        gate("build-all", "build", &all_targets, Grain::Target),
        // Without --no-fail-fast one red test binary would hide the names of the others.
        check(project, "test", Phase::Test, Reader::Libtest, Grain::Whole, &test),
    ]
}

/// The checks that wait for the whole matrix.
pub fn late(project: &Project, chosen: &[Variant], endurance: Endurance) -> Vec<Check> {
    let check = |variant: &Variant| {
        let (name, verb, words) = words(variant, chosen);
        let argv = ["cargo", verb, "--locked"].into_iter().chain(words).chain(endurance.words().iter().copied());
        let argv: Vec<&str> = argv.chain([MESSAGES]).collect();
        let gate = check(project, &name, Phase::Gate, Reader::CargoMessages, Grain::Target, &argv);
        Check { turn: Turn::Final, ..gate }
    };
    chosen.iter().map(check).collect()
}

/// The name of a late check, its verb, and what it selects.
fn words<'a>(variant: &'a Variant, chosen: &[Variant]) -> (String, &'static str, Vec<&'a str>) {
    match variant {
        Variant::Alone { member, spec } => (format!("alone-{member}"), "check", vec!["-p", spec]),
        Variant::Feature { member, spec, feature } => {
            let is_alone = |one: &Variant| matches!(one, Variant::Alone { member: other, .. } if other == member);
            // Where the member is built alone as it is beside the others, a build shares all with theirs but the feature.
            let verb = if chosen.iter().any(is_alone) { "check" } else { "build" };
            (format!("feature-{member}-{feature}"), verb, vec!["-p", spec, "--features", feature])
        }
        Variant::Target { triple, specs } => {
            let words = specs.iter().flat_map(|spec| ["-p", spec]);
            // Nothing can be linked for another target without a linker for it.
            (format!("target-{triple}"), "check", words.chain(["--all-targets", "--target", triple]).collect())
        }
    }
}

/// A check without these members; none where it is about them only.
pub fn without(mut check: Check, members: &BTreeSet<String>) -> Option<Check> {
    if let Some(at) = check.argv.iter().position(|word| word == "--workspace") {
        let words = members.iter().flat_map(|member| ["--exclude".to_owned(), member.clone()]);
        check.argv.splice(at + 1..=at, words);
        return Some(check);
    }
    let mut selected = check.argv.windows(2).filter(|pair| pair[0] == "-p").map(|pair| &pair[1]).peekable();
    let is_theirs = selected.peek().is_some() && selected.all(|spec| members.contains(spec));
    (!is_theirs).then_some(check)
}

fn check(project: &Project, name: &str, phase: Phase, reader: Reader, grain: Grain, argv: &[&str]) -> Check {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::EcosystemKind;

    fn project() -> Project {
        Project::of(EcosystemKind::Cargo, ".", &[])
    }

    fn commands(checks: &[Check]) -> Vec<String> {
        checks.iter().map(|check| check.argv.join(" ").replace(MESSAGES, "").trim().to_owned()).collect()
    }

    #[test]
    fn a_cargo_that_does_not_know_how_to_go_on_is_not_asked_to() {
        let goes_on = |rust: Option<&str>| {
            let checks = usual(&project(), Endurance::of(rust));
            commands(&checks).iter().filter(|one| one.contains("--keep-going")).count()
        };
        assert_eq!([goes_on(Some("1.73.0")), goes_on(Some("1.74.0")), goes_on(None)], [0, 2, 2]);
    }

    #[test]
    fn every_name_of_a_check_is_known() {
        let one = |word: &str| word.to_owned();
        let chosen = [
            Variant::Alone { member: one("a"), spec: one("a") },
            Variant::Feature { member: one("a"), spec: one("a"), feature: one("f") },
            Variant::Target { triple: one("t"), specs: vec![one("a")] },
        ];
        let checks = [usual(&project(), Endurance::KeepsGoing), late(&project(), &chosen, Endurance::Stops)].concat();
        let is_known = |name: &str| {
            NAMES.iter().any(|known| known.strip_suffix('*').map_or(*known == name, |stem| name.starts_with(stem)))
        };
        assert!(checks.len() == 7 && checks.iter().all(|check| is_known(&check.name)), "{checks:?}");
    }

    #[test]
    fn a_feature_of_a_member_that_is_checked_alone_is_checked_and_else_built() {
        let feature =
            |member: &str| Variant::Feature { member: member.into(), spec: member.into(), feature: "f".into() };
        let chosen = [Variant::Alone { member: "a".into(), spec: "a@1.0.0".into() }, feature("a"), feature("b")];
        let checks = late(&project(), &chosen, Endurance::Stops);
        assert!(checks.iter().all(|check| (check.turn, check.grain) == (Turn::Final, Grain::Target)));
        let wanted = [
            "cargo check --locked -p a@1.0.0",
            "cargo check --locked -p a --features f",
            "cargo build --locked -p b --features f",
        ];
        assert_eq!(commands(&checks), wanted);
    }

    #[test]
    fn members_that_are_left_out_leave_checks_of_the_workspace_and_take_their_own_along() {
        let members = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
        let left = |argv: &str| {
            let argv = argv.split(' ').map(str::to_owned).collect();
            let check = Check { argv, ..usual(&project(), Endurance::Stops).remove(0) };
            without(check, &members).map(|check| check.argv.join(" "))
        };
        let whole = left("cargo test --workspace --locked");
        assert_eq!(whole.as_deref(), Some("cargo test --workspace --exclude a --exclude b --locked"));
        assert_eq!(left("cargo check -p a"), None);
        assert_eq!(left("cargo check -p a -p c").as_deref(), Some("cargo check -p a -p c"));
    }
}
