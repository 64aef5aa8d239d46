//! What is built and tested anew when a candidate moves, as far as the baseline showed it: units of tests. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::Plan;
use crate::candidate::{Candidate, ProjectId};
use crate::project::Exercised;

/// A unit of tests: its project, and the names of the dependencies below it.
pub type Unit<'a> = (&'a ProjectId, &'a BTreeSet<String>);

/// Every unit of tests of every project.
#[must_use]
pub fn units(exercised: &BTreeMap<ProjectId, Exercised>) -> Vec<Unit<'_>> {
    exercised.iter().flat_map(|(project, known)| of_project(known).map(move |below| (project, below))).collect()
}

/// A crate of Cargo's whose package is spelt with a dash stands there under both names, and is counted once.
fn of_project(known: &Exercised) -> impl Iterator<Item = &BTreeSet<String>> {
    let is_other_name = |name: &String, below: &BTreeSet<String>| {
        let other = name.replace('-', "_");
        other != *name && known.below.get(&other) == Some(below)
    };
    known.below.iter().filter(move |(name, below)| !is_other_name(name, below)).map(|one| one.1)
}

/// The places of the units that stand on a candidate, rising.
pub fn builds(plan: &Plan, candidate: &Candidate, units: &[Unit<'_>]) -> Vec<usize> {
    let reached = plan.reached(candidate);
    let stands = |(project, below): &Unit<'_>| reached.contains(project) && below.contains(&candidate.id.name);
    (0..units.len()).filter(|&place| stands(&units[place])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::EcosystemKind;
    use crate::project::Project;

    fn known(below: &[(&str, &[&str])]) -> Exercised {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let below = below.iter().map(|(unit, names)| ((*unit).to_owned(), set(names))).collect();
        Exercised { below, ..Exercised::default() }
    }

    #[test]
    fn what_stands_on_a_candidate_is_built_anew_in_its_project_and_in_those_that_use_it() {
        let root = Project { dependents: vec!["fuzz".into()], ..Project::of(EcosystemKind::Cargo, ".", &[]) };
        let others = ["fuzz", "elsewhere"].map(|path| Project::of(EcosystemKind::Cargo, path, &[]));
        let plan = Plan {
            projects: [root].into_iter().chain(others).collect(),
            ..Plan::of("base", vec![Candidate::of("serde", &["1.0.1"]), Candidate::of("rand", &["0.9.0"])])
        };
        let all: BTreeMap<ProjectId, Exercised> = [
            ("cargo .".into(), known(&[("app", &["rand", "serde"]), ("core", &["serde"]), ("docs", &[])])),
            ("cargo elsewhere".into(), known(&[("other", &["serde"])])),
            ("cargo fuzz".into(), known(&[("fuzz", &["serde"])])),
        ]
        .into();
        let atoms = plan.atoms(&all);
        assert_eq!((&atoms[0].builds, &atoms[1].builds), (&vec![0, 1, 4], &vec![0]));
    }

    #[test]
    fn a_package_that_is_spelt_with_a_dash_is_built_once() {
        let all = [("cargo .".into(), known(&[("my-app", &["serde"]), ("my_app", &["serde"])]))].into();
        assert_eq!(units(&all).len(), 1);
    }
}
