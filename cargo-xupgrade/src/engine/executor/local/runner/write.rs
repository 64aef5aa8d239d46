//! Writes one atom into the tree: all its members in one step, and where the package manager takes them only with later atoms
//! of the same trial, those with them. Which they are follows from its words, so the same sequence always gives the same trees.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, anyhow};

use crate::candidate::ProjectId;
use crate::ecosystem::{Change, Ecosystem, Others, Resolution};
use crate::plan::{Plan, is_named};
use crate::trial::{Atom, Member};

/// The end of an atom that was to be written.
pub(super) struct Ended {
    /// The atom, with those that were written along.
    pub(super) atom: Atom,
    pub(super) resolution: Resolution,
}

/// The projects of an atom, in the order of its members; each is written by itself.
pub(super) fn projects(plan: &Plan, atom: &Atom) -> Vec<ProjectId> {
    let mut seen = BTreeSet::new();
    let all = atom.members().iter().map(|member| plan.candidate(*member).id.project.clone());
    all.filter(|project| seen.insert(project.clone())).collect()
}

/// Writes the members of an atom that belong to one project, and where its package manager takes them only with some of the
/// later atoms of that project, those, too.
///
/// # Errors
/// When the state of the tree is unknown afterwards.
pub(super) fn write(
    ecosystem: &dyn Ecosystem,
    tree: &Path,
    plan: &Plan,
    project: &ProjectId,
    (atom, later): (&Atom, &[Atom]),
) -> Result<Ended> {
    let alone = apply(ecosystem, tree, plan, project, atom, Others::Stay)?;
    let mut whole = atom.clone();
    let is_required = |member: &Member| !plan.candidate(*member).id.places.is_empty();
    let mut refused = conflict(ecosystem, &alone).filter(|_| atom.members().iter().any(is_required));
    while let Some(names) = refused {
        let before = whole.clone();
        whole = named(plan, project, later, &names).fold(whole, |whole, mate| whole.with(mate));
        // Where no other atom of the trial helps, those that have none in it may move along.
        let others = if whole == before { Others::MayMove } else { Others::Stay };
        match apply(ecosystem, tree, plan, project, &whole, others)? {
            resolution @ Resolution::Applied(_) => return Ok(Ended { atom: whole, resolution }),
            // What is said of it alone tells more.
            _ if others == Others::MayMove => break,
            end => refused = conflict(ecosystem, &end),
        }
    }
    Ok(Ended { atom: atom.clone(), resolution: alone })
}

/// The packages that a refusal names, where another upgrade may lift it.
fn conflict(ecosystem: &dyn Ecosystem, end: &Resolution) -> Option<BTreeSet<String>> {
    match end {
        Resolution::Refused(reason) => ecosystem.in_conflict(reason),
        Resolution::Applied(_) | Resolution::Noise(_) => None,
    }
}

fn apply(
    ecosystem: &dyn Ecosystem,
    tree: &Path,
    plan: &Plan,
    project: &ProjectId,
    atom: &Atom,
    others: Others,
) -> Result<Resolution> {
    let its = atom.members().iter().filter(|member| plan.candidate(**member).id.project == *project);
    let changes = its.map(|member| change(plan, *member)).collect::<Result<Vec<_>>>()?;
    let Some((first, with)) = changes.split_first() else { return Err(anyhow!("nothing of {project} to write")) };
    ecosystem.apply(tree, &Change { with, others, ..first.clone() })
}

/// The change that a member stands for.
fn change(plan: &Plan, member: Member) -> Result<Change<'_>> {
    let candidate = plan.candidate(member);
    let project = plan.project_of(candidate).ok_or_else(|| anyhow!("no project {}", candidate.id.project))?;
    Ok(Change {
        project,
        name: &candidate.id.name,
        from: &candidate.at,
        to: &candidate.rungs[member.rung].version,
        places: &candidate.id.places,
        with: &[],
        others: Others::Stay,
    })
}

/// The later atoms of a trial that a refusal names: those of the same project of which manifests require a package.
fn named<'o>(
    plan: &Plan,
    project: &ProjectId,
    later: &'o [Atom],
    names: &BTreeSet<String>,
) -> impl Iterator<Item = &'o Atom> {
    let is_here = move |member: &Member| plan.candidate(*member).id.project == *project;
    let is_named = move |member: &Member| {
        let other = plan.candidate(*member);
        !other.id.places.is_empty() && names.iter().any(|name| is_named(other, name))
    };
    let is_mate = move |atom: &&Atom| atom.members().iter().all(is_here) && atom.members().iter().any(is_named);
    later.iter().filter(is_mate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::{Candidate, Place};

    fn candidate(project: &str, name: &str) -> Candidate {
        let place =
            Place { manifest: "Cargo.toml".into(), table: "dependencies".into(), key: name.into(), registry: None };
        let mut candidate = Candidate::of(name, &["1.1.0", "1.2.0"]);
        candidate.id.project = project.into();
        candidate.id.places = vec![place];
        candidate
    }

    fn atom(members: &[usize]) -> Atom {
        Atom::new(members.iter().map(|&candidate| Member { candidate, rung: 0 }))
    }

    #[test]
    fn only_a_later_atom_that_the_refusal_names_and_the_same_project_requires_is_written_along() {
        let mut unplaced = candidate("cargo .", "helper");
        unplaced.id.places.clear();
        let plan = Plan::of(
            "base",
            vec![
                candidate("cargo .", "one"),
                candidate("cargo .", "fine"),
                candidate("cargo .", "two"),
                candidate("cargo fuzz", "two"),
                unplaced,
                candidate("cargo .", "four"),
            ],
        );
        let names = ["two".to_owned(), "helper".to_owned(), "four".to_owned()].into();
        let later = [atom(&[1]), atom(&[2]), atom(&[3]), atom(&[4]), atom(&[1, 5])];
        let found: Vec<&Atom> = named(&plan, &"cargo .".into(), &later, &names).collect();
        assert_eq!(found, [&atom(&[2]), &atom(&[1, 5])], "what moves as one comes as one");
    }
}
