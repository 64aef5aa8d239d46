//! Writes one atom into the tree: all its members in one step, and where the package manager takes them only with later atoms
//! of the same trial, those with them. Which they are follows from its words, so the same sequence always gives the same trees.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Result, anyhow};

use super::super::Step;
use super::TrialRunner;
use crate::candidate::{ProjectId, Reason, ReasonKind};
use crate::ecosystem::{Change, Ecosystem, Others, Resolution};
use crate::engine::executor::Order;
use crate::machine::mutex::lock;
use crate::plan::Plan;
use crate::project::{Applied, Project};
use crate::rules::is_named;
use crate::trial::{Atom, Member, Noise, TrialEnd, TrialReport, Written};

/// An atom that stands in the tree, as far as one project goes.
struct Edit {
    /// The atom, with those that were written along.
    atom: Atom,
    applied: Applied,
    /// The packages that refusals named on the way.
    named: BTreeSet<String>,
}

/// An atom that stands in the tree.
struct Stands {
    atom: Atom,
    effects: BTreeMap<ProjectId, Applied>,
    named: BTreeMap<ProjectId, BTreeSet<String>>,
}

impl TrialRunner<'_> {
    /// Writes the atoms one after another, from the longest sequence that was written before.
    pub(super) fn write_atoms(&self, order: &Order, report: &mut TrialReport) -> Result<()> {
        let mut rest = order.atoms.clone();
        let steps = self.known_steps(&mut rest);
        report.tested = steps.last().map(|step| step.tested.clone());
        self.worker.start_from(report.tested.as_deref())?;
        report.steps = steps.into_iter().map(|step| step.written).collect();
        while !rest.is_empty() {
            if let Some(why) = self.halted() {
                report.end = TrialEnd::Noise(why);
                return Ok(());
            }
            let asked = rest.remove(0);
            match self.write_atom(&asked, &rest)? {
                Ok(stands) => {
                    rest.retain(|later| !later.is_in(&stands.atom));
                    self.keep_step(asked, stands, report)?;
                }
                Err(end) => {
                    report.end = end;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Makes a tree of what stands, and remembers it for other trials: under what was asked for, and as it was written.
    fn keep_step(&self, asked: Atom, stands: Stands, report: &mut TrialReport) -> Result<()> {
        let Stands { atom, effects, named } = stands;
        let files: BTreeSet<String> = effects.values().flat_map(|applied| applied.files.iter().cloned()).collect();
        let tested = self.worker.snapshot(&files.into_iter().collect::<Vec<_>>())?;
        let written = Written { atom: atom.clone(), tree: self.worker.published(&tested)?, effects };
        let before: Vec<Atom> = report.steps.iter().map(|step| step.atom.clone()).collect();
        let step = Step { tested: tested.clone(), written: written.clone(), named };
        let mut known = lock(&self.shared.written);
        for last in [asked, atom] {
            known.insert([&before[..], &[last]].concat(), step.clone());
        }
        drop(known);
        report.steps.push(written);
        report.tested = Some(tested);
        Ok(())
    }

    /// The longest part of a sequence that was written before, from its beginning; takes its atoms out of `rest`.
    fn known_steps(&self, rest: &mut Vec<Atom>) -> Vec<Step> {
        let written = lock(&self.shared.written);
        let (mut key, mut steps): (Vec<Atom>, Vec<Step>) = (Vec::new(), Vec::new());
        while let Some(next) = rest.first() {
            key.push(next.clone());
            let Some(step) = written.get(&key).filter(|step| takes_the_same(self.tools.plan, step, rest)) else {
                break;
            };
            let atom = &step.written.atom;
            rest.retain(|later| !later.is_in(atom));
            key.pop();
            key.push(atom.clone());
            steps.push(step.clone());
        }
        steps
    }

    /// Writes an atom project by project, or nothing of it.
    fn write_atom(&self, asked: &Atom, later: &[Atom]) -> Result<Result<Stands, TrialEnd>> {
        let plan = self.tools.plan;
        let mut stands = Stands { atom: asked.clone(), effects: BTreeMap::new(), named: BTreeMap::new() };
        for id in projects(plan, asked) {
            let project = plan.project(&id).ok_or_else(|| anyhow!("no project {id}"))?;
            let edit = write(self.ecosystem(project)?, &self.worker.tree(), plan, &id, (&stands.atom, later))?;
            let end = match edit.map(|edit| (self.drags(asked, project, &edit.applied), edit)) {
                Ok((None, edit)) => {
                    stands.atom = edit.atom;
                    stands.effects.insert(id.clone(), edit.applied);
                    stands.named.insert(id, edit.named);
                    continue;
                }
                Ok((Some(reason), _)) => TrialEnd::Refused { atom: asked.clone(), reason },
                Err(end) => end,
            };
            self.worker.restore()?;
            return Ok(Err(end));
        }
        Ok(Ok(stands))
    }

    /// The reason against an edit that takes something along which the user holds.
    fn drags(&self, atom: &Atom, project: &Project, applied: &Applied) -> Option<Reason> {
        let plan = self.tools.plan;
        let moved = plan.forbidden(project, &applied.also_moved)?;
        let its = atom.members().iter().filter(|member| plan.candidate(**member).id.project == project.id());
        let names: Vec<String> =
            its.map(|member| plan.target(*member)).map(|one| format!("{} {}", one.name, one.version)).collect();
        let to = moved.to.as_deref().unwrap_or("nothing");
        let text = format!("{} would take {} along to {to}, which you hold", names.join(" with "), moved.name);
        Some(Reason::new(ReasonKind::DragsForbidden, text))
    }
}

/// True if a step that was written before writes the same where these atoms are still to come: the refusals on its way, which
/// would come again, take just those along that it took.
fn takes_the_same(plan: &Plan, step: &Step, rest: &[Atom]) -> bool {
    let Some((asked, later)) = rest.split_first() else { return false };
    let mates = step.named.iter().flat_map(|(project, names)| named(plan, project, later, names));
    mates.fold(asked.clone(), |whole, mate| whole.with(mate)) == step.written.atom
}

/// The projects of an atom, in the order of its members; each is written by itself.
fn projects(plan: &Plan, atom: &Atom) -> Vec<ProjectId> {
    let mut seen = BTreeSet::new();
    let all = atom.members().iter().map(|member| plan.candidate(*member).id.project.clone());
    all.filter(|project| seen.insert(project.clone())).collect()
}

/// Writes the members of an atom that belong to one project, and where its package manager takes them only with some of the
/// later atoms of that project, those, too.
///
/// # Errors
/// When the state of the tree is unknown afterwards.
fn write(
    ecosystem: &dyn Ecosystem,
    tree: &Path,
    plan: &Plan,
    project: &ProjectId,
    atoms: (&Atom, &[Atom]),
) -> Result<Result<Edit, TrialEnd>> {
    let (asked, later) = atoms;
    let (mut atom, mut heard) = (asked.clone(), BTreeSet::new());
    let mut others = Others::Stay;
    let mut alone = None;
    loop {
        let names = match apply(ecosystem, tree, plan, project, &atom, others)? {
            Resolution::Applied(applied) => return Ok(Ok(Edit { atom, applied, named: heard })),
            Resolution::Noise(why) => return Ok(Err(TrialEnd::Noise(Noise::Outside(why)))),
            Resolution::Refused(reason) => {
                let names = ecosystem.in_conflict(&reason).filter(|_| is_required(plan, asked, project));
                alone.get_or_insert(reason);
                names
            }
        };
        let Some(names) = names.filter(|_| others == Others::Stay) else { break };
        let more = named(plan, project, later, &names).fold(atom.clone(), |whole, mate| whole.with(mate));
        heard.extend(names);
        // Where no other atom of the trial helps, those that have none in it may move along.
        others = if more == atom { Others::MayMove } else { Others::Stay };
        atom = more;
    }
    // What is said of it alone tells more.
    let reason = alone.ok_or_else(|| anyhow!("a refusal without a reason"))?;
    Ok(Err(TrialEnd::Refused { atom: asked.clone(), reason }))
}

/// True if a manifest of the project requires a member of the atom.
fn is_required(plan: &Plan, atom: &Atom, project: &ProjectId) -> bool {
    let its = atom.members().iter().map(|member| plan.candidate(*member)).filter(|one| one.id.project == *project);
    its.into_iter().any(|one| !one.id.places.is_empty())
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
mod tests;
