//! What every ecosystem promises, as one suite that the real ones pass on offline worlds: surveys are repeatable, an
//! applied change names just the files that it wrote, and a refused one leaves every byte as it was.

use std::collections::BTreeMap;

use super::*;
use crate::app::demo::world::World;
use crate::candidate::Version;
use crate::trial::Phase;

/// One upgrade of the world that works, and a version that does not exist.
pub(crate) struct Known<'a> {
    /// The dependency.
    pub name: &'a str,
    /// A release that works.
    pub good: &'a str,
    /// A version that was never released.
    pub missing: &'a str,
}

/// Runs the suite on the repository of a world.
pub(crate) fn conforms(ecosystem: &dyn Ecosystem, world: &World, known: &Known<'_>) {
    let files: Vec<String> = world.git(&["ls-files"]).unwrap().lines().map(str::to_owned).collect();
    let tree = Tree { root: &world.repo, files: &files, ignored: &BTreeSet::new() };
    let projects = ecosystem.discover(tree).unwrap();
    assert_eq!(projects, ecosystem.discover(tree).unwrap(), "discovery is repeatable");
    let project = projects.iter().find(|project| project.obstacle.is_none()).expect("a project without an obstacle");
    assert_eq!(project.ecosystem, ecosystem.kind());
    let checks = ecosystem.checks(&world.repo, project, &Cover::default()).unwrap();
    assert_eq!(checks[0].phase, Phase::Gate, "what is cheap comes first");
    assert!(checks.iter().any(|check| check.phase == Phase::Test));
    let survey = || ecosystem.survey(&world.repo, project).unwrap().unwrap();
    assert_eq!(format!("{:?}", survey()), format!("{:?}", survey()), "a survey is repeatable");
    let dependency =
        survey().into_iter().find(|one| one.id.name == known.name).expect("the dependency that the test knows");
    let apply = |version: &str| {
        let (from, to) = (dependency.at.clone().unwrap(), Version::parse(version).unwrap());
        let places = &dependency.id.places;
        ecosystem
            .apply(
                &world.repo,
                &Change { project, name: known.name, from: &from, to: &to, places, with: &[], others: Others::Stay },
            )
            .unwrap()
    };
    let before = bytes(world, &files);
    assert!(matches!(apply(known.missing), Resolution::Refused(_) | Resolution::Noise(_)), "{}", known.missing);
    assert_eq!(bytes(world, &files), before, "a refusal leaves every byte");
    let Resolution::Applied(applied) = apply(known.good) else { panic!("{} is refused", known.good) };
    let after = bytes(world, &files);
    let written: Vec<String> = files.iter().filter(|file| before[*file] != after[*file]).cloned().collect();
    assert!(
        !written.is_empty() && written.iter().all(|file| applied.files.contains(file)),
        "{written:?} {:?}",
        applied.files
    );
    assert!(matches!(apply(known.good), Resolution::Applied(_)), "the same upgrade twice is no failure");
    assert_eq!(bytes(world, &files), after, "and changes nothing");
    ecosystem.fetch(&world.repo, project, &[]).unwrap();
}

fn bytes(world: &World, files: &[String]) -> BTreeMap<String, Vec<u8>> {
    files.iter().map(|file| (file.clone(), std::fs::read(world.repo.join(file)).unwrap())).collect()
}

#[test]
fn cargo_keeps_the_promises_of_an_ecosystem() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::build(include_str!("../../../fixtures/lock_only.txtar"), &folder.path().join("world")).unwrap();
    // The test has no CARGO_HOME of its own, so that the registry is named in a folder above the repository.
    let config = world.root.join("cargo-home/config.toml");
    std::fs::create_dir_all(world.root.join(".cargo")).unwrap();
    std::fs::copy(config, world.root.join(".cargo/config.toml")).unwrap();
    let cache = folder.path().join("cache");
    let listener = |_: &crate::event::Event| {};
    let outlook = Outlook::of("2026-01-01T00:00:00Z"); // everything in the worlds is old enough
    let cargo = cargo::Cargo::new(outlook, crate::project::ManifestRule::Needed, &cache, &cache, &listener);
    conforms(&cargo, &world, &Known { name: "ant", good: "1.0.1", missing: "9.9.9" });
}
