//! Claims: the packages that a trial has to compile to be evidence for its atoms. On the last tree an atom stands where the
//! upgrades after it left it: a later one may take its package on to a higher version, or out. Pure.

use std::collections::BTreeSet;

use crate::candidate::{Candidate, ProjectId, Target, Version};
use crate::engine::executor::Atom;
use crate::plan::Plan;
use crate::project::{Applied, Move};
use crate::verdict::Claim;

/// The end of a package after the upgrades that follow its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stand {
    /// At this version: its own target, or the one that later upgrades took it on to.
    At(Version),
    /// Nowhere: this atom (its position in the sequence) took it out.
    Gone(usize),
}

/// The claim of the atom at a position of a sequence; none where no such candidate is known. `applied` tells what the edits
/// did to it later on; what is not told did not happen. `written` are the same edits, by which it came into the trees.
#[must_use]
pub fn claim(plan: &Plan, atoms: &[Atom], position: usize, applied: &[Applied], written: &[Applied]) -> Option<Claim> {
    let candidate = plan.candidates.get(atoms.get(position)?.candidate)?;
    let version = match stand(plan, atoms, position, applied)? {
        Stand::At(version) => version,
        // It is compiled nowhere, and named as what was wanted.
        Stand::Gone(_) => candidate.rungs.get(atoms[position].rung)?.version.clone(),
    };
    Some(Claim {
        position,
        projects: proving(plan, atoms, position, written),
        package: Target::new(candidate.id.name.as_str(), version),
    })
}

/// The projects whose cells count for an atom: its own, and those in which it moves with it. It may have been written in one step
/// with one before it, or have come along with that.
fn proving(plan: &Plan, atoms: &[Atom], position: usize, written: &[Applied]) -> BTreeSet<ProjectId> {
    let project = |atom: &Atom| plan.candidates.get(atom.candidate).map(|one| &one.id.project);
    let own = project(&atoms[position]);
    let steps = atoms.iter().zip(written).take(position + 1).filter(|(atom, _)| project(atom) == own);
    let files: Vec<String> = steps.flat_map(|(_, applied)| applied.files.iter().cloned()).collect();
    let known = plan.candidates.get(atoms[position].candidate).and_then(|one| plan.project_of(one));
    let mut projects = known.map(|known| plan.moved(known, &files)).unwrap_or_default();
    projects.extend(own.cloned());
    projects
}

/// The place of the package of an atom at the end of a sequence.
#[must_use]
pub fn stand(plan: &Plan, atoms: &[Atom], position: usize, applied: &[Applied]) -> Option<Stand> {
    let atom = atoms.get(position)?;
    let candidate = plan.candidates.get(atom.candidate)?;
    let mut version = candidate.rungs.get(atom.rung)?.version.clone();
    for (later, (by, applied)) in atoms.iter().zip(applied).enumerate().skip(position + 1) {
        let by = plan.candidates.get(by.candidate).and_then(|by| plan.project_of(by));
        if !by.is_some_and(|by| plan.moved(by, &applied.files).contains(&candidate.id.project)) {
            continue;
        }
        match applied.also_moved.iter().find(|moved| is_from(moved, candidate, &version)) {
            Some(Move { to: None, .. }) => return Some(Stand::Gone(later)),
            Some(Move { to: Some(to), .. }) => version = Version::parse(to).unwrap_or(version),
            None => {}
        }
    }
    Some(Stand::At(version))
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
    use crate::project::Project;

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
        };
        Applied { also_moved: moved.iter().map(one).collect(), ..Applied::default() }
    }

    fn atoms() -> Vec<Atom> {
        (0..3).map(|candidate| Atom { candidate, rung: 0 }).collect()
    }

    fn end(applied: &[Applied]) -> (Option<Stand>, Option<String>) {
        let package = claim(&plan(), &atoms(), 0, applied, applied).map(|claim| claim.package.to_string());
        (stand(&plan(), &atoms(), 0, applied), package)
    }

    fn at(version: &str) -> Stand {
        Stand::At(Version::parse(version).unwrap())
    }

    #[test]
    fn a_package_stands_where_the_upgrades_after_its_own_took_it() {
        let on = moves(&[("a", Some("1.1.0"), Some("1.2.0"))]);
        let further = moves(&[("a", Some("1.2.0"), Some("1.3.0"))]);
        assert_eq!(end(&[]), (Some(at("1.1.0")), Some("a@1.1.0".into())));
        assert_eq!(end(&[moves(&[]), on.clone(), further]), (Some(at("1.3.0")), Some("a@1.3.0".into())));
        assert_eq!(end(&[on, moves(&[]), moves(&[])]), (Some(at("1.1.0")), Some("a@1.1.0".into())), "its own edit");
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

    #[test]
    fn cells_of_a_dependent_count_where_the_upgrade_is_written_into_its_lockfile() {
        let plan = two_projects();
        let files = |file: &str| Applied { files: vec![file.into()], ..Applied::default() };
        let counts = |written: &[Applied]| {
            let claim = claim(&plan, &atoms(), 1, &[], written).unwrap();
            claim.projects.contains(&"cargo fuzz".into())
        };
        assert!(!counts(&[files("Cargo.lock"), files("Cargo.lock")]));
        assert!(counts(&[files("Cargo.lock"), files("fuzz/Cargo.lock")]));
        assert!(counts(&[files("fuzz/Cargo.lock"), files("Cargo.lock")]), "written in one step with the one before it");
        assert!(
            !counts(&[files("Cargo.lock"), files("Cargo.lock"), files("fuzz/Cargo.lock")]),
            "another project's own"
        );
    }

    #[test]
    fn a_move_in_another_lockfile_moves_nothing_here() {
        let mut plan = two_projects();
        plan.candidates.swap(0, 2);
        let mut on = moves(&[("c", Some("1.1.0"), Some("1.2.0"))]);
        let at_the_end = |on: &Applied| stand(&plan, &atoms(), 0, &[moves(&[]), on.clone()]);
        assert_eq!(at_the_end(&on), Some(at("1.1.0")));
        on.files = vec!["fuzz/Cargo.lock".into()];
        assert_eq!(at_the_end(&on), Some(at("1.2.0")));
    }

    #[test]
    fn a_package_that_was_taken_out_is_nowhere_and_another_version_of_it_is_another_package() {
        let out = moves(&[("a", Some("1.1.0"), None)]);
        assert_eq!(end(&[moves(&[]), moves(&[]), out]), (Some(Stand::Gone(2)), Some("a@1.1.0".into())));
        let other = moves(&[("a", Some("0.9.0"), None), ("b", Some("1.1.0"), None)]);
        assert_eq!(end(&[moves(&[]), other]).0, Some(at("1.1.0")));
    }
}
