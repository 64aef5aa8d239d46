//! Claims: the packages that a trial has to compile to be evidence for its atoms. On the last tree an atom stands where the
//! upgrades after it left it: a later one may take its package on to a higher version, or out. Pure.

use std::collections::BTreeSet;

use crate::candidate::{Candidate, ProjectId, Target, Version};
use crate::plan::Plan;
use crate::project::Move;
use crate::rules::Followers;
use crate::trial::{Member, Written};
use crate::verdict::Claim;

/// The end of a package after the upgrades that follow its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stand {
    /// At this version: its own target, or the one that later upgrades took it on to.
    At(Version),
    /// Nowhere: this atom (its position in the sequence) took it out.
    Gone(usize),
}

/// The claim of an upgrade of the atom at a position of what was written, at the version that it moves to: nothing that came
/// after it counts.
#[must_use]
pub fn claim_at_its_own(plan: &Plan, steps: &[Written], position: usize, member: Member) -> Claim {
    Claim { member, projects: proving(plan, steps, position, member), package: plan.target(member) }
}

/// The same at the version at which the later atoms left it.
#[must_use]
pub fn claim(plan: &Plan, steps: &[Written], position: usize, member: Member) -> Claim {
    let own = claim_at_its_own(plan, steps, position, member);
    match stand(plan, steps, position, member) {
        Stand::At(version) => Claim { package: Target { version, ..own.package }, ..own },
        // It is compiled nowhere, and named as what was wanted.
        Stand::Gone(_) => own,
    }
}

/// The projects whose cells count for an upgrade: its own, and those that use it by path and are built with its version. Of cargo
/// workspaces these are the ones in whose lockfile a step of its own project took its package along, or its old version out.
fn proving(plan: &Plan, steps: &[Written], position: usize, member: Member) -> BTreeSet<ProjectId> {
    let candidate = plan.candidate(member);
    let own = &candidate.id.project;
    let target = plan.target(member);
    let version = |text: &Option<String>| text.as_deref().and_then(|text| Version::parse(text).ok());
    let is_it = |one: &Move| {
        let (from, to) = (version(&one.from), version(&one.to));
        let is_out = to.is_none() && from.as_ref() == Some(&candidate.at);
        one.name == target.name && (is_out || to.as_ref() == Some(&target.version))
    };
    let mut projects = BTreeSet::from([own.clone()]);
    let Some(known) = plan.project_of(candidate) else { return projects };
    let reached = plan.reached(candidate);
    if own.ecosystem.facts().followers == Followers::SameVersions {
        projects.extend(reached);
        return projects;
    }
    let steps = steps.iter().take(position + 1).filter_map(|step| step.effects.get(own));
    let moves: Vec<&Move> = steps.flat_map(|applied| &applied.also_moved).filter(|one| is_it(one)).collect();
    projects.extend(reached.into_iter().filter(|there| moves.iter().any(|one| plan.has_moved(known, one, there))));
    projects
}

/// The place of the package of an upgrade at the end of what was written.
#[must_use]
pub fn stand(plan: &Plan, steps: &[Written], position: usize, member: Member) -> Stand {
    let candidate = plan.candidate(member);
    let mut version = plan.target(member).version;
    for (later, step) in steps.iter().enumerate().skip(position + 1) {
        let here = |by: &ProjectId, moved: &Move| {
            plan.project(by).is_some_and(|by| plan.has_moved(by, moved, &candidate.id.project))
        };
        let mut moves = step.moves().filter(|(by, moved)| here(by, moved)).map(|(_, moved)| moved);
        match moves.find(|moved| is_from(moved, candidate, &version)) {
            Some(Move { to: None, .. }) => return Stand::Gone(later),
            Some(Move { to: Some(to), .. }) => version = Version::parse(to).unwrap_or(version),
            None => {}
        }
    }
    Stand::At(version)
}

/// Tells a move that takes a package away from a version.
fn is_from(moved: &Move, candidate: &Candidate, version: &Version) -> bool {
    let starts = moved.from.as_deref().and_then(|text| Version::parse(text).ok());
    (moved.ecosystem, &moved.name) == (candidate.id.project.ecosystem, &candidate.id.name)
        && starts.as_ref() == Some(version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::EcosystemKind;
    use crate::project::{Applied, Project};

    fn plan() -> Plan {
        let candidates = ["a", "b", "c"].map(|name| Candidate::of(name, &["1.1.0"]));
        let projects = vec![Project::of(EcosystemKind::Cargo, ".", &[])];
        Plan { projects, ..Plan::of("base", candidates.to_vec()) }
    }

    fn moves(moved: &[(&str, Option<&str>, Option<&str>)]) -> Applied {
        let one = |(name, from, to): &(&str, Option<&str>, Option<&str>)| Move {
            ecosystem: EcosystemKind::Cargo,
            name: (*name).into(),
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
            lockfile: None,
        };
        Applied { also_moved: moved.iter().map(one).collect(), ..Applied::default() }
    }

    fn member(candidate: usize) -> Member {
        Member { candidate, rung: 0 }
    }

    /// The three candidates, one after another; what is not told did not happen.
    fn steps(plan: &Plan, applied: &[Applied]) -> Vec<Written> {
        let effects = applied.iter().cloned().chain(std::iter::repeat(Applied::default()));
        let step = |(candidate, applied): (usize, Applied)| Written {
            atom: member(candidate).into(),
            tree: "t".into(),
            effects: [(plan.candidates[candidate].id.project.clone(), applied)].into(),
        };
        (0..3).zip(effects).map(step).collect()
    }

    fn end(applied: &[Applied]) -> (Stand, String) {
        let plan = plan();
        let steps = steps(&plan, applied);
        let package = claim(&plan, &steps, 0, member(0)).package.to_string();
        (stand(&plan, &steps, 0, member(0)), package)
    }

    fn at(version: &str) -> Stand {
        Stand::At(Version::parse(version).unwrap())
    }

    #[test]
    fn a_package_stands_where_the_upgrades_after_its_own_took_it() {
        let on = moves(&[("a", Some("1.1.0"), Some("1.2.0"))]);
        let further = moves(&[("a", Some("1.2.0"), Some("1.3.0"))]);
        assert_eq!(end(&[]), (at("1.1.0"), "a@1.1.0".into()));
        assert_eq!(end(&[moves(&[]), on.clone(), further]), (at("1.3.0"), "a@1.3.0".into()));
        assert_eq!(end(&[on, moves(&[]), moves(&[])]), (at("1.1.0"), "a@1.1.0".into()), "its own edit");
    }

    /// `a` of the root, `b` of the root, and `c` of `fuzz`, which uses the root by path and has a lockfile of its own.
    fn two_projects() -> Plan {
        let mut plan = plan();
        plan.projects[0].dependents = vec!["fuzz".into()];
        let lockfile = Some("fuzz/Cargo.lock".to_owned());
        plan.projects.push(Project { lockfile, ..Project::of(EcosystemKind::Cargo, "fuzz", &[]) });
        plan.candidates[2].id.project = "cargo fuzz".into();
        plan
    }

    /// The same moves, in the lockfile of `fuzz`.
    fn there(mut applied: Applied) -> Applied {
        applied.also_moved.iter_mut().for_each(|one| one.lockfile = Some("fuzz/Cargo.lock".into()));
        applied
    }

    #[test]
    fn cells_of_a_dependent_count_where_the_upgrade_moves_its_package_in_its_lockfile() {
        let plan = two_projects();
        let up = |name: &str| moves(&[(name, Some("1.0.0"), Some("1.1.0"))]);
        let counts = |written: &[Applied]| {
            let claim = claim(&plan, &steps(&plan, written), 1, member(1));
            claim.projects.contains(&"cargo fuzz".into())
        };
        assert!(!counts(&[up("a"), up("b")]));
        assert!(counts(&[up("a"), there(up("b"))]));
        assert!(!counts(&[there(up("a")), up("b")]), "that lockfile was written for another package");
        assert!(counts(&[there(up("b")), moves(&[])]), "the step before it took it along");
        let out = moves(&[("b", Some("1.0.0"), None)]);
        assert!(counts(&[up("a"), there(out)]), "the new version was there already, and is used for the old one now");
        assert!(!counts(&[up("a"), up("b"), there(up("b"))]), "a later one, of another project");
    }

    #[test]
    fn go_builds_those_that_use_a_module_by_path_with_its_versions_whatever_was_written() {
        let mut plan = two_projects();
        plan.projects.iter_mut().for_each(|one| one.ecosystem = EcosystemKind::Go);
        plan.candidates.iter_mut().for_each(|one| one.id.project.ecosystem = EcosystemKind::Go);
        let projects = claim(&plan, &steps(&plan, &[]), 0, member(0)).projects;
        assert_eq!(projects, ["go .".into(), "go fuzz".into()].into());
        assert_eq!(claim(&plan, &steps(&plan, &[]), 2, member(2)).projects, ["go fuzz".into()].into());
    }

    #[test]
    fn a_move_in_another_lockfile_moves_nothing_here() {
        let mut plan = two_projects();
        plan.candidates.swap(0, 2);
        let on = moves(&[("c", Some("1.1.0"), Some("1.2.0"))]);
        let at_the_end = |on: Applied| stand(&plan, &steps(&plan, &[moves(&[]), on]), 0, member(0));
        assert_eq!(at_the_end(on.clone()), at("1.1.0"));
        assert_eq!(at_the_end(there(on)), at("1.2.0"));
    }

    #[test]
    fn of_upgrades_of_two_projects_in_one_step_each_counts_where_it_was_written() {
        let plan = two_projects();
        let on = moves(&[("a", Some("1.1.0"), Some("1.2.0"))]);
        let at_the_end = |project: &str| {
            let mut steps = steps(&plan, &[]);
            steps[1].atom = steps[1].atom.with(&steps[2].atom);
            steps[1].effects = [("cargo .".into(), moves(&[])), ("cargo fuzz".into(), moves(&[]))].into();
            steps[1].effects.insert(project.into(), on.clone());
            stand(&plan, &steps, 0, member(0))
        };
        assert_eq!(at_the_end("cargo ."), at("1.2.0"));
        assert_eq!(at_the_end("cargo fuzz"), at("1.1.0"), "the same crate, in another lockfile");
    }

    #[test]
    fn a_package_that_was_taken_out_is_nowhere_and_another_version_of_it_is_another_package() {
        let out = moves(&[("a", Some("1.1.0"), None)]);
        assert_eq!(end(&[moves(&[]), moves(&[]), out]), (Stand::Gone(2), "a@1.1.0".into()));
        let other = moves(&[("a", Some("0.9.0"), None), ("b", Some("1.1.0"), None)]);
        assert_eq!(end(&[moves(&[]), other]).0, at("1.1.0"));
    }
}
