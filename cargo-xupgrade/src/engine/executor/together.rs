//! Upgrades that the package manager takes only together: where it refuses one and names another one of the same trial,
//! both are written in one step. Which they are follows from its words, so the same sequence always gives the same trees.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, anyhow};

use super::Atom;
use crate::candidate::{Candidate, EcosystemKind, Reason, Target};
use crate::ecosystem::{Change, Ecosystem, Others, Resolution};
use crate::phrases::cargo::resolver;
use crate::plan::{Plan, is_named};
use crate::project::Applied;

/// The change that an atom stands for.
///
/// # Errors
/// When the plan does not know the candidate's project.
pub fn change<'a>(plan: &'a Plan, atom: &Atom) -> Result<Change<'a>> {
    let candidate = &plan.candidates[atom.candidate];
    let project = plan.project_of(candidate).ok_or_else(|| anyhow!("no project {}", candidate.id.project))?;
    Ok(Change {
        project,
        name: &candidate.id.name,
        from: &candidate.at,
        to: &candidate.rungs[atom.rung].version,
        places: &candidate.id.places,
        with: &[],
        others: Others::Stay,
    })
}

/// Writes one atom, and where the package manager takes it only with some of the later ones, those, too.
///
/// # Errors
/// When the state of the tree is unknown afterwards.
pub fn write(ecosystem: &dyn Ecosystem, tree: &Path, plan: &Plan, atom: &Atom, later: &[Atom]) -> Result<Resolution> {
    let alone = change(plan, atom)?;
    let first = ecosystem.apply(tree, &alone)?;
    if !may_have_mates(&plan.candidates[atom.candidate]) {
        return Ok(first);
    }
    let mut mates: Vec<&Atom> = Vec::new();
    let mut refused = refusal(&first).cloned();
    while let Some(reason) = refused {
        let more = named(plan, atom, later, &reason).into_iter().filter(|mate| !mates.contains(mate));
        let before = mates.len();
        mates.extend(more.collect::<Vec<_>>());
        // Where no other atom of the trial helps, those that have none in it may move along.
        let others = if mates.len() == before { Others::MayMove } else { Others::Stay };
        let with = mates.iter().map(|mate| change(plan, mate)).collect::<Result<Vec<_>>>()?;
        match ecosystem.apply(tree, &Change { with: &with, others, ..alone.clone() })? {
            Resolution::Applied(mut applied) => {
                applied.with = mates.iter().map(|mate| target(plan, mate)).collect();
                return Ok(Resolution::Applied(applied));
            }
            // What is said of it alone tells more.
            _ if others == Others::MayMove => return Ok(first),
            end => refused = refusal(&end).cloned(),
        }
    }
    Ok(first)
}

fn refusal(end: &Resolution) -> Option<&Reason> {
    match end {
        Resolution::Refused(reason) => Some(reason),
        Resolution::Applied(_) | Resolution::Noise(_) => None,
    }
}

/// Go has no need of mates: the go command raises along what a module requires.
fn may_have_mates(candidate: &Candidate) -> bool {
    candidate.id.project.ecosystem == EcosystemKind::Cargo && !candidate.id.places.is_empty()
}

/// The later atoms of a trial that a refusal names: crates that manifests of the same project require.
fn named<'o>(plan: &Plan, atom: &Atom, later: &'o [Atom], reason: &Reason) -> Vec<&'o Atom> {
    let names = in_conflict(&reason.text);
    let one = &plan.candidates[atom.candidate];
    let is_mate = |other: &&Atom| {
        let other = &plan.candidates[other.candidate];
        other.id.project == one.id.project
            && !other.id.places.is_empty()
            && names.iter().any(|name| is_named(other, name))
    };
    later.iter().filter(is_mate).collect()
}

/// The packages that are in conflict by the words of cargo's resolver, without those that merely lead to them.
fn in_conflict(words: &str) -> BTreeSet<String> {
    let selected = resolver::previously_selected(words).into_iter().map(|one| one.name);
    let others = [resolver::required_by(words), resolver::linked_before(words)];
    let wanted = [resolver::unsolved(words), resolver::unmatched(words).map(|(name, _)| name)];
    let others = others.into_iter().flatten().map(|one| one.name);
    selected.chain(others).chain(wanted.into_iter().flatten().map(str::to_owned)).collect()
}

/// True if everything that was written along with an atom is among the atoms that come after it. A tree of which that is
/// not so has more in it than its atoms say.
#[must_use]
pub fn is_whole(plan: &Plan, atom: &Atom, applied: &Applied, after: &[Atom]) -> bool {
    applied.with.iter().all(|mate| after.iter().any(|one| target(plan, one) == *mate && is_near(plan, atom, one)))
}

/// True for an atom that was written along with another one, in the edit that is told here.
#[must_use]
pub fn is_mate(plan: &Plan, atom: &Atom, applied: &Applied, other: &Atom) -> bool {
    applied.with.contains(&target(plan, other)) && is_near(plan, atom, other)
}

/// Upgrades of one project: those of another one are written by themselves.
fn is_near(plan: &Plan, one: &Atom, other: &Atom) -> bool {
    plan.candidates[one.candidate].id.project == plan.candidates[other.candidate].id.project
}

/// The package of an atom, at the version that it moves to.
#[must_use]
pub fn target(plan: &Plan, atom: &Atom) -> Target {
    let candidate = &plan.candidates[atom.candidate];
    Target::new(candidate.id.name.as_str(), candidate.rungs[atom.rung].version.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::{Place, ProjectId, ReasonKind};

    fn candidate(ecosystem: EcosystemKind, name: &str, project: &str) -> Candidate {
        let place =
            Place { manifest: "Cargo.toml".into(), table: "dependencies".into(), key: name.into(), registry: None };
        let mut candidate = Candidate::of(name, &["1.1.0", "1.2.0"]);
        candidate.id.project = ProjectId::new(ecosystem, project);
        candidate.id.places = vec![place];
        candidate
    }

    fn plan(candidates: Vec<Candidate>) -> Plan {
        Plan::of("base", candidates)
    }

    fn atom(candidate: usize, rung: usize) -> Atom {
        Atom { candidate, rung }
    }

    fn refusal() -> Reason {
        let text = "failed to select a version for `helper`.; ... required by package `two v1.0.0`; previously selected \
            package `helper v1.1.0`; ... which satisfies dependency `helper = \"=1.1.0\"` of package `one v1.1.0`";
        Reason::new(ReasonKind::ResolveRefused, text)
    }

    #[test]
    fn a_tree_with_more_in_it_than_its_atoms_say_serves_only_those_that_go_on_with_the_rest() {
        use EcosystemKind::Cargo;
        let plan =
            plan(vec![candidate(Cargo, "one", "."), candidate(Cargo, "two", "."), candidate(Cargo, "two", "fuzz")]);
        let applied = Applied { with: vec!["two@1.1.0".into()], ..Applied::default() };
        let is_whole = |applied, after: &[Atom]| is_whole(&plan, &atom(0, 0), applied, after);
        assert!(is_whole(&applied, &[atom(1, 0)]));
        assert!(!is_whole(&applied, &[]), "alone it is another tree");
        assert!(!is_whole(&applied, &[atom(1, 1)]), "another version is another tree");
        assert!(!is_whole(&applied, &[atom(2, 0)]), "the same crate of another project is another tree");
        assert!(is_whole(&Applied::default(), &[]));
    }

    #[test]
    fn only_a_later_crate_that_the_refusal_names_and_the_same_project_requires_is_written_along() {
        use EcosystemKind::{Cargo, Go};
        let mut unplaced = candidate(Cargo, "helper", ".");
        unplaced.id.places.clear();
        let all = vec![
            candidate(Cargo, "one", "."),
            candidate(Cargo, "fine", "."),
            candidate(Cargo, "two", "."),
            candidate(Cargo, "two", "fuzz"),
            unplaced,
            candidate(Go, "two", "."),
        ];
        let plan = plan(all);
        let later: Vec<Atom> = (1..6).map(|index| atom(index, 0)).collect();
        assert_eq!(named(&plan, &atom(0, 0), &later, &refusal()), [&atom(2, 0)]);
        let other = Reason::new(ReasonKind::WouldLower, "one 1.1.0 would lower two from 1.0.0 to 0.9.0");
        assert!(named(&plan, &atom(0, 0), &later, &other).is_empty());
    }
}
