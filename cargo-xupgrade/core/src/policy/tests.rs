//! What the policy must decide, as sentences.

use xupgrade_search::Depth;

use super::*;
use crate::candidate::Rung;
use crate::candidate::{Place, ProjectId};
use crate::cooldown::Cooldown;

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

fn day(text: &str) -> Instant {
    Instant::parse(&format!("{text}T00:00:00Z")).unwrap()
}

fn release(text: &str, date: &str) -> Release {
    Release { version: version(text), published: Some(day(date)), withdrawn: false, needs: None, unfit: None }
}

fn needing(text: &str, toolchain: &str) -> Release {
    Release { needs: Some(toolchain.into()), ..release(text, "2025-01-01") }
}

fn dependency(ecosystem: EcosystemKind, at: &str, releases: Vec<Release>) -> Dependency {
    Dependency {
        id: DependencyRef { project: ProjectId::new(ecosystem, "."), ..DependencyRef::of("x") },
        at: Some(version(at)),
        over: [].into(),
        releases,
        toolchain: None,
        urgent: None,
        pinned: Pinned::No,
        switch: None,
        cooldown: None,
        newest_unknown: None,
        obstacle: None,
    }
}

fn policy() -> Policy {
    Policy::of("2026-01-01T00:00:00Z")
}

fn cargo(at: &str, versions: &[&str]) -> Dependency {
    dependency(EcosystemKind::Cargo, at, versions.iter().map(|text| release(text, "2025-01-01")).collect())
}

fn rungs(decision: &Decision) -> Vec<String> {
    match decision {
        Decision::Candidate(candidate) => candidate.steps().map(|rung| rung.version.to_string()).collect(),
        other => panic!("no candidate: {other:?}"),
    }
}

/// The whole ladder, what is no rung in brackets.
fn whole(decision: &Decision) -> Vec<String> {
    let shown = |rung: &Rung| match rung.depth {
        Depth::Rung => rung.version.to_string(),
        Depth::Between => format!("({})", rung.version),
    };
    match decision {
        Decision::Candidate(candidate) => candidate.rungs.iter().map(shown).collect(),
        other => panic!("no candidate: {other:?}"),
    }
}

fn kind(decision: &Decision) -> ReasonKind {
    match decision {
        Decision::Held(held) => held.reason.kind,
        other => panic!("not held: {other:?}"),
    }
}

#[test]
fn the_ladder_has_the_newest_patch_and_the_newest_compatible_release() {
    let decision = decide(&cargo("1.2.0", &["1.2.1", "1.2.5", "1.3.0", "1.9.1", "2.0.0"]), &policy());
    assert_eq!(rungs(&decision), ["1.2.5", "1.9.1"]);
}

#[test]
fn between_the_rungs_lies_every_other_release_that_nothing_stands_against() {
    let mut dependency = cargo("1.2.0", &["1.1.9", "1.2.1", "1.2.5", "1.3.0", "1.4.0", "1.9.1", "2.0.0", "2.0.0-rc.1"]);
    dependency.releases[2].withdrawn = true;
    dependency.releases[4].needs = Some("1.99".into());
    dependency.toolchain = Some("1.80".into());
    dependency.releases.push(release("1.8.0", "2025-12-31"));
    assert_eq!(whole(&decide(&dependency, &policy())), ["1.2.1", "(1.3.0)", "1.9.1"]);
}

#[test]
fn a_breaking_line_has_its_own_releases_between() {
    let asked = Policy { reach: Reach::Breaking, ..policy() };
    let decision = decide(&cargo("0.3.1", &["0.3.2", "0.3.9", "0.4.0", "0.4.2", "1.0.0", "1.4.0"]), &asked);
    assert_eq!(whole(&decision), ["(0.3.2)", "0.3.9", "(0.4.0)", "0.4.2", "(1.0.0)", "1.4.0"]);
    let go = dependency(
        EcosystemKind::Go,
        "v0.3.1",
        ["v0.3.2", "v0.3.3", "v0.4.0", "v0.5.0"].map(|text| release(text, "2025-01-01")).into(),
    );
    assert_eq!(whole(&decide(&go, &policy())), ["(v0.3.2)", "v0.3.3", "(v0.4.0)", "v0.5.0"]);
}

#[test]
fn one_version_with_two_builds_is_one_step() {
    let decision = decide(&cargo("1.0.0", &["1.0.1+a", "1.0.1+b"]), &policy());
    assert_eq!(whole(&decision), ["1.0.1+b"]);
}

#[test]
fn a_later_build_of_the_version_in_use_is_between_no_rungs() {
    assert!(matches!(decide(&cargo("1.0.0", &["1.0.0+b"]), &policy()), Decision::Newest(_)));
}

#[test]
fn breaking_rungs_are_the_newest_of_each_line_and_only_when_asked_for() {
    let asked = Policy { reach: Reach::Breaking, ..policy() };
    let decision = decide(&cargo("0.3.1", &["0.3.9", "0.4.0", "0.4.2", "0.5.0", "1.0.0", "1.4.0", "2.0.0"]), &asked);
    assert_eq!(rungs(&decision), ["0.3.9", "0.4.2", "0.5.0", "1.4.0", "2.0.0"]);
}

#[test]
fn a_zero_minor_is_breaking_for_cargo_and_compatible_for_go() {
    assert_eq!(kind(&decide(&cargo("0.31.0", &["0.32.0"]), &policy())), ReasonKind::BreakingNotAsked);
    let go = dependency(EcosystemKind::Go, "v0.18.0", vec![release("v0.20.0", "2025-01-01")]);
    assert_eq!(rungs(&decide(&go, &policy())), ["v0.20.0"]);
}

#[test]
fn lower_versions_are_never_rungs() {
    assert!(matches!(decide(&cargo("1.5.0", &["1.0.0", "1.4.9"]), &policy()), Decision::Newest(_)));
}

#[test]
fn a_release_that_needs_a_newer_rust_is_held_with_its_need() {
    let mut dep = dependency(EcosystemKind::Cargo, "4.5.0", vec![needing("4.6.0", "1.85")]);
    dep.toolchain = Some("1.64".into());
    let decision = decide(&dep, &policy());
    assert_eq!(kind(&decision), ReasonKind::Msrv);
    dep.toolchain = Some("1.85.0".into());
    assert_eq!(rungs(&decide(&dep, &policy())), ["4.6.0"]);
}

#[test]
fn a_lower_release_that_fits_the_rust_version_is_the_rung_and_the_newest_is_told() {
    let mut dep = dependency(EcosystemKind::Cargo, "4.5.0", vec![needing("4.5.7", "1.60"), needing("4.6.0", "1.85")]);
    dep.toolchain = Some("1.64".into());
    let Decision::Candidate(candidate) = decide(&dep, &policy()) else { panic!("no candidate") };
    assert_eq!(candidate.beyond.unwrap().reason.kind, ReasonKind::Msrv);
    assert_eq!(candidate.rungs.len(), 1);
}

#[test]
fn a_release_younger_than_the_cooldown_waits_and_an_unknown_age_is_too_young() {
    let young = dependency(EcosystemKind::Cargo, "1.0.0", vec![release("1.0.1", "2025-12-30")]);
    assert_eq!(kind(&decide(&young, &policy())), ReasonKind::TooYoung);
    let ageless = Release { published: None, ..release("1.0.1", "2025-01-01") };
    let unknown = dependency(EcosystemKind::Cargo, "1.0.0", vec![ageless]);
    assert_eq!(kind(&decide(&unknown, &policy())), ReasonKind::TooYoung);
    let off = Policy { min_age: 0, ..policy() };
    assert_eq!(rungs(&decide(&young, &off)), ["1.0.1"]);
    assert_eq!(rungs(&decide(&unknown, &off)), ["1.0.1"]);
}

#[test]
fn releases_after_the_as_of_instant_do_not_exist() {
    let dep = dependency(EcosystemKind::Cargo, "1.0.0", vec![release("1.0.1", "2026-01-02")]);
    assert!(matches!(decide(&dep, &policy()), Decision::Newest(_)));
}

#[test]
fn withdrawn_releases_are_never_targets() {
    let yanked = Release { withdrawn: true, ..release("1.1.0", "2025-01-01") };
    let dep = dependency(EcosystemKind::Cargo, "1.0.0", vec![release("1.0.1", "2025-01-01"), yanked]);
    assert_eq!(rungs(&decide(&dep, &policy())), ["1.0.1"]);
}

#[test]
fn a_prerelease_moves_only_to_its_own_next_ones_and_to_stable() {
    let to_stable = cargo("0.9.0-beta.1", &["0.9.0-beta.2", "0.9.5", "0.10.0-rc.1"]);
    assert_eq!(rungs(&decide(&to_stable, &policy())), ["0.9.5"]);
    let only_beta = cargo("0.9.0-beta.1", &["0.9.0-beta.2", "0.10.0-rc.1"]);
    assert_eq!(rungs(&decide(&only_beta, &policy())), ["0.9.0-beta.2"]);
    assert!(matches!(decide(&cargo("0.9.5", &["0.9.6-beta.1"]), &policy()), Decision::Newest(_)));
}

#[test]
fn a_pseudo_version_above_the_last_tag_is_newest() {
    let at = "v0.1.1-0.20250101000000-abcdefabcdef";
    let dep = dependency(EcosystemKind::Go, at, vec![release("v0.1.0", "2025-01-01")]);
    assert!(matches!(decide(&dep, &policy()), Decision::Newest(_)));
}

#[test]
fn from_a_commit_the_next_commit_is_a_rung_and_from_a_release_none_is() {
    let (first, second) = ("v0.0.0-20250101000000-abcdefabcdef", "v0.0.0-20250201000000-abcdefabcdef");
    let ahead = dependency(EcosystemKind::Go, first, vec![release(second, "2025-02-01")]);
    assert_eq!(rungs(&decide(&ahead, &policy())), [second]);
    let patches = Policy { reach: Reach::Patch, ..policy() };
    assert_eq!(kind(&decide(&ahead, &patches)), ReasonKind::LevelNotAsked);
    let released = dependency(EcosystemKind::Go, "v0.0.0-alpha.1", vec![release(second, "2025-02-01")]);
    assert!(matches!(decide(&released, &policy()), Decision::Newest(_)));
}

#[test]
fn an_exact_requirement_stays_unless_it_is_named() {
    let dep = Dependency { pinned: Pinned::Yes, ..cargo("1.0.0", &["1.0.1"]) };
    assert_eq!(kind(&decide(&dep, &policy())), ReasonKind::Pinned);
    let named = Policy { only: vec!["x".into()], ..policy() };
    assert_eq!(rungs(&decide(&dep, &named)), ["1.0.1"]);
}

#[test]
fn a_hold_counts_until_its_day() {
    let until = |date: &str| Policy {
        holds: vec![HoldRule {
            name: "x".into(),
            ecosystem: None,
            project: None,
            reason: "ticket 77".into(),
            until: Some(day(date)),
        }],
        ..policy()
    };
    assert_eq!(kind(&decide(&cargo("1.0.0", &["1.0.1"]), &until("2026-06-01"))), ReasonKind::HeldByUser);
    assert_eq!(rungs(&decide(&cargo("1.0.0", &["1.0.1"]), &until("2025-06-01"))), ["1.0.1"]);
}

#[test]
fn a_hold_may_name_the_key_of_a_renamed_dependency() {
    let place = Place { manifest: "Cargo.toml".into(), table: "dependencies".into(), key: "y".into(), registry: None };
    let mut renamed = cargo("1.0.0", &["1.0.1"]);
    renamed.id.places = vec![place];
    let rule = HoldRule { name: "y".into(), ecosystem: None, project: None, reason: "ours".into(), until: None };
    let policy = Policy { holds: vec![rule], ..policy() };
    assert_eq!(kind(&decide(&renamed, &policy)), ReasonKind::HeldByUser);
    assert_eq!(rungs(&decide(&cargo("1.0.0", &["1.0.1"]), &policy)), ["1.0.1"]);
}

#[test]
fn packages_that_were_not_asked_for_are_held_as_not_selected() {
    let only = Policy { only: vec!["y".into()], ..policy() };
    assert_eq!(kind(&decide(&cargo("1.0.0", &["1.0.1"]), &only)), ReasonKind::NotSelected);
    let exclude = Policy { exclude: vec!["x".into()], ..policy() };
    assert_eq!(kind(&decide(&cargo("1.0.0", &["1.0.1"]), &exclude)), ReasonKind::NotSelected);
}

fn transitive(mut dependency: Dependency) -> Dependency {
    dependency.id.role = Role::Transitive;
    dependency
}

#[test]
fn a_transitive_package_is_listed_only_where_it_must_move_or_was_asked_for() {
    let (movable, newest) = (transitive(cargo("1.0.0", &["1.0.1"])), transitive(cargo("1.0.0", &[])));
    let urgent = Dependency { urgent: Some("x 1.0.0 is yanked".into()), ..movable.clone() };
    let all = Policy { transitive: TransitiveRule::All, ..policy() };
    assert_eq!(decide(&movable, &policy()), Decision::Unlisted);
    assert_eq!(rungs(&decide(&urgent, &policy())), ["1.0.1"]);
    assert_eq!(rungs(&decide(&movable, &all)), ["1.0.1"]);
    assert_eq!(decide(&newest, &all), Decision::Unlisted);
    let named = Policy { only: vec!["x".into()], ..all };
    assert!(matches!(decide(&newest, &named), Decision::Newest(_)));
}

#[test]
fn a_yanked_transitive_package_without_a_way_out_is_held_and_one_that_a_user_holds_is_listed() {
    let stuck = Dependency { urgent: Some("x 1.0.0 is yanked".into()), ..transitive(cargo("1.0.0", &[])) };
    assert_eq!(kind(&decide(&stuck, &policy())), ReasonKind::Withdrawn);
    let excluded = Policy { exclude: vec!["x".into()], ..policy() };
    assert_eq!(kind(&decide(&transitive(cargo("1.0.0", &["1.0.1"])), &excluded)), ReasonKind::NotSelected);
}

fn yanked(text: &str) -> Release {
    Release { withdrawn: true, ..release(text, "2025-01-01") }
}

fn ageless(text: &str) -> Release {
    Release { published: None, ..release(text, "2025-01-01") }
}

fn doubts(dependency: &Dependency, policy: &Policy) -> Vec<String> {
    let found = not_replayable(dependency, policy);
    found.iter().map(|one| format!("{} {}", one.version.as_ref().unwrap(), one.kind)).collect()
}

#[test]
fn yanked_releases_that_would_be_rungs_are_in_doubt_and_those_that_a_rung_outranks_are_not() {
    let releases = vec![
        yanked("0.9.9"),
        yanked("1.0.1"),
        release("1.0.2", "2025-01-01"),
        yanked("1.0.3"),
        yanked("1.1.0"),
        yanked("2.0.0"),
    ];
    let dep = dependency(EcosystemKind::Cargo, "1.0.0", releases);
    assert_eq!(doubts(&dep, &policy()), ["1.0.3 yanked", "1.1.0 yanked"]);
    assert_eq!(rungs(&decide(&dep, &policy())), ["1.0.2"]);
    let breaking = Policy { reach: Reach::Breaking, ..policy() };
    assert_eq!(doubts(&dep, &breaking), ["1.0.3 yanked", "1.1.0 yanked", "2.0.0 yanked"]);
    let early = Policy { as_of: day("2024-01-01"), ..policy() };
    assert_eq!(doubts(&dep, &early), [""; 0], "what was not there is in no doubt");
    let not_asked = Policy { only: vec!["y".into()], ..policy() };
    assert_eq!(doubts(&dep, &not_asked), [""; 0]);
}

#[test]
fn releases_without_a_date_are_in_doubt_with_and_without_a_cooldown() {
    let dep = dependency(EcosystemKind::Cargo, "1.0.0", vec![ageless("1.0.1"), release("1.1.0", "2025-01-01")]);
    assert_eq!(doubts(&dep, &policy()), ["1.0.1 of unknown age"]);
    assert_eq!(doubts(&dep, &Policy { min_age: 0, ..policy() }), ["1.0.1 of unknown age"]);
}

#[test]
fn a_yanked_version_in_use_and_a_refusal_are_in_doubt() {
    let urgent = Dependency { urgent: Some("x 1.0.0 is yanked".into()), ..cargo("1.0.0", &[]) };
    assert_eq!(doubts(&urgent, &policy()), ["1.0.0 yanked"]);
    let refused = Reason::new(ReasonKind::RegistryRefused, "the registry refuses `x`");
    let dep = Dependency { obstacle: Some(refused), ..cargo("1.0.0", &["1.0.1"]) };
    let found = not_replayable(&dep, &policy());
    assert_eq!((found.len(), &found[0].version, found[0].text.as_str()), (1, &None, "the registry refuses `x`"));
}

#[test]
fn a_retraction_has_a_date_and_is_in_no_doubt() {
    let releases = vec![Release { withdrawn: true, ..release("v1.0.1", "2025-01-01") }];
    let mut dep = dependency(EcosystemKind::Go, "v1.0.0", releases);
    dep.urgent = Some("x v1.0.0 is retracted".into());
    assert_eq!(doubts(&dep, &policy()), [""; 0]);
}

#[test]
fn a_sound_transitive_package_is_in_no_doubt_unless_all_take_part() {
    let dep = transitive(dependency(EcosystemKind::Cargo, "1.0.0", vec![yanked("1.0.1")]));
    assert_eq!(doubts(&dep, &policy()), [""; 0]);
    let all = Policy { transitive: TransitiveRule::All, ..policy() };
    assert_eq!(doubts(&dep, &all), ["1.0.1 yanked"]);
}

#[test]
fn the_cooldown_of_a_registry_counts_in_the_place_of_the_usual_one() {
    let mut dep = dependency(EcosystemKind::Cargo, "1.0.0", vec![release("1.1.0", "2025-12-22")]);
    assert_eq!(rungs(&decide(&dep, &policy())), ["1.1.0"]);
    dep.cooldown = Cooldown::read("14 days", "cargo's key", Some("corp"));
    let Decision::Held(held) = decide(&dep, &policy()) else { panic!("not held") };
    assert_eq!(held.reason.kind, ReasonKind::TooYoung);
    assert!(held.reason.text.contains("less than 14 days before (cargo's key)"), "{}", held.reason.text);
    dep.cooldown = Cooldown::read("0", "cargo's key", Some("corp"));
    dep.releases[0].published = None;
    assert_eq!(rungs(&decide(&dep, &policy())), ["1.1.0"], "no cooldown asks for no age");
}

#[test]
fn a_users_hold_counts_though_the_registry_does_not_answer() {
    let mut held = cargo("1.0.0", &["1.1.0"]);
    held.obstacle = Some(Reason::new(ReasonKind::RegistryRefused, "403"));
    let rule = HoldRule { name: "x".into(), ecosystem: None, project: None, reason: "ours".into(), until: None };
    let policy = Policy { holds: vec![rule], ..policy() };
    let Decision::Held(held) = decide(&held, &policy) else { panic!("it is held") };
    assert_eq!(held.reason.kind, ReasonKind::HeldByUser);
}

#[test]
fn that_no_lockfile_would_record_it_is_told_only_where_nothing_else_stands_in_the_way() {
    let unrecorded = |date: &str| {
        let unfit = Some(Reason::new(ReasonKind::NoLockfile, "commit the lockfile"));
        let only = dependency(EcosystemKind::Cargo, "1.0.0", vec![Release { unfit, ..release("1.1.0", date) }]);
        let Decision::Held(held) = decide(&only, &policy()) else { panic!("it is held") };
        held.reason.kind
    };
    assert_eq!(unrecorded("2025-12-31"), ReasonKind::TooYoung);
    assert_eq!(unrecorded("2025-01-01"), ReasonKind::NoLockfile);
}

#[test]
fn a_go_line_below_1_21_is_advice_and_holds_nothing() {
    let asking = |needs: &str| {
        let only = dependency(EcosystemKind::Go, "v1.0.0", vec![needing("v1.1.0", needs)]);
        decide(&Dependency { toolchain: Some("1.15".into()), ..only }, &policy())
    };
    assert_eq!(rungs(&asking("1.16")), ["v1.1.0"]);
    assert_eq!(rungs(&asking("1.20")), ["v1.1.0"]);
    let Decision::Held(held) = asking("1.21") else { panic!("1.21 is strict") };
    assert_eq!(held.reason.kind, ReasonKind::GoLine);
}
