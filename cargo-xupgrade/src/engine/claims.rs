//! Claims: the packages that a trial has to compile to be evidence for its atoms. On the last tree an atom stands where the
//! upgrades after it left it: a later one may take its package on to a higher version, or out. Pure.

use crate::candidate::{Candidate, Target, Version};
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
/// did; what is not told did not happen.
#[must_use]
pub fn claim(plan: &Plan, atoms: &[Atom], position: usize, applied: &[Applied]) -> Option<Claim> {
    let candidate = plan.candidates.get(atoms.get(position)?.candidate)?;
    let version = match stand(plan, atoms, position, applied)? {
        Stand::At(version) => version,
        // It is compiled nowhere, and named as what was wanted.
        Stand::Gone(_) => candidate.rungs.get(atoms[position].rung)?.version.clone(),
    };
    Some(Claim {
        position,
        projects: plan.proving(candidate),
        package: Target::new(candidate.id.name.as_str(), version),
    })
}

/// The place of the package of an atom at the end of a sequence.
#[must_use]
pub fn stand(plan: &Plan, atoms: &[Atom], position: usize, applied: &[Applied]) -> Option<Stand> {
    let atom = atoms.get(position)?;
    let candidate = plan.candidates.get(atom.candidate)?;
    let mut version = candidate.rungs.get(atom.rung)?.version.clone();
    for (later, (by, applied)) in atoms.iter().zip(applied).enumerate().skip(position + 1) {
        let reached = plan.candidates.get(by.candidate).map(|by| plan.reached(by)).unwrap_or_default();
        if !reached.contains(&candidate.id.project) {
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
        let package = claim(&plan(), &atoms(), 0, applied).map(|claim| claim.package.to_string());
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

    #[test]
    fn a_package_that_was_taken_out_is_nowhere_and_another_version_of_it_is_another_package() {
        let out = moves(&[("a", Some("1.1.0"), None)]);
        assert_eq!(end(&[moves(&[]), moves(&[]), out]), (Some(Stand::Gone(2)), Some("a@1.1.0".into())));
        let other = moves(&[("a", Some("0.9.0"), None), ("b", Some("1.1.0"), None)]);
        assert_eq!(end(&[moves(&[]), other]).0, Some(at("1.1.0")));
    }
}
