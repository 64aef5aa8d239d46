//! From what was found to what is said: every candidate ends as upgraded, held or untried, each with its evidence. Pure.

use std::collections::BTreeSet;

use xupgrade_search::{Fate, Why};

use super::scene::Scene;
use super::{Found, Session};
use crate::candidate::{Candidate, Evidence, Held, Named, Reason, ReasonKind, Version};
use crate::ecosystem::Move;
use crate::engine::Trial;
use crate::executor::{Atom, others};
use crate::plan::{Plan, held, named};
use crate::report::{ProjectSummary, Report, SCHEMA, Upgrade, round};
use crate::trial::flap::{Flap, Seen, flapped};
use crate::verdict::{Proof, Verdict, proof};

/// The upgrades of the checkpoint, in commit order, not yet committed.
pub fn upgrades(plan: &Plan, found: &Found) -> Vec<Upgrade> {
    found.checkpoint.atoms.iter().enumerate().map(|(position, atom)| upgrade(plan, found, atom, position)).collect()
}

fn upgrade(plan: &Plan, found: &Found, atom: &Atom, position: usize) -> Upgrade {
    let candidate = &plan.candidates[atom.candidate];
    let rung = &candidate.rungs[atom.rung];
    let confirmed = found.checkpoint.trial.map(|trial| &found.trials[trial].report);
    let applied = confirmed.and_then(|report| report.applied.get(position)).cloned().unwrap_or_default();
    let mut notes = applied.notes.clone();
    notes.extend(found.notes.iter().filter(|(at, _)| *at == position).map(|(_, note)| note.clone()));
    notes.extend(taken_out(plan, found, position, (candidate, &rung.version)));
    Upgrade {
        ecosystem: candidate.ecosystem,
        name: candidate.name.clone(),
        role: candidate.role,
        project: candidate.project.clone(),
        places: candidate.places.clone(),
        from: candidate.at.clone(),
        to: rung.version.clone(),
        level: rung.level,
        breaking: rung.breaking,
        commit: found.commits.get(position).cloned(),
        trial: trial_of(found, atom).map(|trial| trial.id.clone()).unwrap_or_default(),
        proof: confirmed.map_or(Proof::None, |report| proof(report, &found.claims[position])),
        also_moved: others(&applied.also_moved, &candidate.name, &candidate.at, &rung.version),
        notes,
        failed_above: failed_above(found, atom, candidate),
        urgent: candidate.urgent.clone(),
    }
}

/// A package that only others require may go again with a later upgrade of its user; then no cell of the whole matrix met it.
fn taken_out(plan: &Plan, found: &Found, position: usize, (candidate, to): (&Candidate, &Version)) -> Option<String> {
    let report = &found.trials[found.checkpoint.trial?].report;
    let later = found.checkpoint.atoms.iter().zip(&report.applied).skip(position + 1);
    let takes_it_out = |moved: &Move| {
        let from = moved.from.as_deref().and_then(|text| Version::parse(text).ok());
        moved.name == candidate.name
            && moved.ecosystem == candidate.ecosystem
            && moved.to.is_none()
            && from.as_ref() == Some(to)
    };
    let (by, _) = later.into_iter().find(|(_, applied)| applied.also_moved.iter().any(takes_it_out))?;
    let by = &plan.candidates[by.candidate];
    (by.project == candidate.project).then(|| format!("the upgrade of {} takes it out again", by.name))
}

/// The trial in which an atom first passed.
fn trial_of<'a>(found: &'a Found, atom: &Atom) -> Option<&'a Trial> {
    match &found.searched.solution.fates[atom.candidate] {
        Fate::Accepted { ticket, .. } => found.searched.tickets.get(ticket).map(|index| &found.trials[*index]),
        _ => None,
    }
}

/// How many upgrades the trial proved together in which an atom first passed.
pub fn group_of(found: &Found, atom: &Atom) -> usize {
    match &found.searched.solution.fates[atom.candidate] {
        Fate::Accepted { group, .. } => *group,
        _ => 1,
    }
}

/// The higher rungs of an accepted atom that were tried and failed.
fn failed_above(found: &Found, atom: &Atom, candidate: &Candidate) -> Vec<Held> {
    let refusals = found.searched.solution.refusals.iter().filter(|refusal| refusal.pick.atom == atom.candidate);
    let mut above: Vec<Held> = refusals
        .filter(|refusal| refusal.pick.rung > atom.rung)
        .filter_map(|refusal| {
            let trial = &found.trials[*found.searched.tickets.get(&refusal.ticket)?];
            let wanted = Some(candidate.rungs[refusal.pick.rung].version.clone());
            Some(Held { wanted, ..held(candidate, reason_of(found, trial, vec![])) })
        })
        .collect();
    above.sort_by(|a, b| b.wanted.cmp(&a.wanted));
    above.dedup_by(|a, b| a.wanted == b.wanted);
    if let Some(beyond) = &candidate.beyond {
        above.insert(0, Held { wanted: Some(beyond.version.clone()), ..held(candidate, beyond.reason.clone()) });
    }
    above
}

/// The reason that a failed trial gives.
fn reason_of(found: &Found, trial: &Trial, tried: Vec<Version>) -> Reason {
    let beside = beside(found, trial);
    match &trial.verdict {
        Verdict::Failed(cause) => Reason {
            kind: cause.kind,
            text: cause.text.clone(),
            evidence: Some(Box::new(Evidence { trial: trial.id.clone(), tried, beside, ..cause.evidence.clone() })),
        },
        Verdict::Inconclusive(why) => {
            let evidence = Some(Box::new(Evidence { trial: trial.id.clone(), tried, beside, ..Evidence::default() }));
            Reason { kind: ReasonKind::Inconclusive, text: format!("no clear answer: {why}"), evidence }
        }
        Verdict::Passed => Reason::new(ReasonKind::Inconclusive, "it passed by itself and is not in the tested set"),
    }
}

/// The upgrades of a trial that were accepted before it.
fn beside(found: &Found, trial: &Trial) -> Vec<String> {
    let summary = found.summaries.iter().find(|summary| summary.id == trial.id);
    summary.map(|summary| summary.atoms[..summary.atoms.len() - summary.fresh].to_vec()).unwrap_or_default()
}

/// The whole report.
pub fn report(session: &Session, scene: &Scene<'_>, seconds: f64, interrupted: bool) -> Report {
    let plan = &session.plan;
    let found = session.found.as_ref();
    let upgrades = found.map(|found| upgrades(plan, found)).unwrap_or_default();
    let (mut all_held, untried) = leftovers(session);
    all_held.extend(plan.held.iter().cloned());
    all_held.sort_by(|a, b| (&a.project, a.ecosystem, &a.name, &a.at).cmp(&(&b.project, b.ecosystem, &b.name, &b.at)));
    if let Some(found) = found {
        tell_effects(plan, found, &mut all_held);
    }
    let tree = found
        .and_then(|found| found.checkpoint.trial.map(|trial| &found.trials[trial]))
        .and_then(|trial| trial.report.trees.last());
    let spent = found.and_then(|found| found.searched.spent).filter(|_| !untried.is_empty());
    let budget = spent.map(|spent| spent.to_string());
    let committed = found.is_some_and(|found| found.branch.is_some());
    let mut trials = session.baseline_trials.clone();
    trials.extend(found.into_iter().flat_map(|found| found.summaries.iter().cloned()));
    // Where nothing was written, the base's own tree was tested.
    for trial in trials.iter_mut().filter(|trial| trial.tree.is_empty()) {
        trial.tree.clone_from(&scene.base.tree);
    }
    Report {
        schema: SCHEMA.to_owned(),
        base: plan.base.clone(),
        branch: found.and_then(|found| found.branch.clone()),
        tip: found.and_then(|found| found.commits.last().cloned()),
        tip_tree: tree.filter(|_| committed).cloned(),
        tested_tree: tree.cloned(),
        as_of: plan.as_of,
        min_age: scene.policy.min_age,
        cooldowns: plan.cooldowns.clone(),
        candidates: upgrades.len() + all_held.iter().filter(|held| was_tried(held)).count() + untried.len(),
        upgrades,
        held: all_held,
        untried,
        newest: plan.newest.clone(),
        trials,
        flapped: flaps(session),
        projects: plan.projects.iter().map(|project| project_summary(session, project)).collect(),
        seconds: round(seconds),
        containment: session.containment.clone(),
        interrupted,
        budget,
        folder: std::path::PathBuf::new(),
    }
}

/// What flapped, from the baseline to the last trial.
fn flaps(session: &Session) -> Vec<Flap> {
    let baseline = session.baseline_runs.iter().map(|(trial, report)| Seen { trial, report });
    let trials = session.found.iter().flat_map(|found| &found.trials);
    let trials = trials.map(|trial| Seen { trial: &trial.id, report: &trial.report });
    flapped(&baseline.chain(trials).collect::<Vec<_>>())
}

/// A held dependency that an upgrade brought along says so: it moved as an effect, and nothing proved it by itself.
fn tell_effects(plan: &Plan, found: &Found, all: &mut [Held]) {
    let Some(report) = found.checkpoint.trial.map(|trial| &found.trials[trial].report) else { return };
    for (atom, applied) in found.checkpoint.atoms.iter().zip(&report.applied) {
        let by = &plan.candidates[atom.candidate];
        for moved in &applied.also_moved {
            let same = |held: &&mut Held| {
                (held.ecosystem, &held.project, &held.name) == (by.ecosystem, &by.project, &moved.name)
                    && held.at.as_ref().map(ToString::to_string) == moved.from
            };
            if let (Some(held), Some(to)) = (all.iter_mut().find(same), &moved.to) {
                let text = format!("; the upgrade of {} brought it along to {to}", by.name);
                held.reason.text.push_str(&text);
            }
        }
    }
}

fn was_tried(held: &Held) -> bool {
    held.reason.evidence.as_ref().is_some_and(|evidence| !evidence.trial.starts_with("baseline"))
}

/// Candidates that did not become upgrades: held with their evidence, or untried.
fn leftovers(session: &Session) -> (Vec<Held>, Vec<Named>) {
    let plan = &session.plan;
    let Some(found) = &session.found else {
        return (Vec::new(), plan.candidates.iter().map(named).collect());
    };
    let upgraded: BTreeSet<usize> = found.checkpoint.atoms.iter().map(|atom| atom.candidate).collect();
    let (mut held_back, mut untried) = (Vec::new(), Vec::new());
    for (index, candidate) in plan.candidates.iter().enumerate().filter(|(index, _)| !upgraded.contains(index)) {
        match why_not(found, index, candidate) {
            Some(reason) => held_back.push(held(candidate, reason)),
            None => untried.push(named(candidate)),
        }
    }
    (held_back, untried)
}

fn why_not(found: &Found, index: usize, candidate: &Candidate) -> Option<Reason> {
    match &found.searched.solution.fates[index] {
        Fate::Rejected { trials } => {
            let tried = trials.iter().rev().map(|(rung, _)| candidate.rungs[*rung].version.clone()).collect();
            let highest = trials.iter().max_by_key(|(rung, _)| *rung)?;
            let trial = &found.trials[*found.searched.tickets.get(&highest.1)?];
            let mut reason = reason_of(found, trial, tried);
            if trial.why == Some(Why::Verify) {
                reason.text = format!("passes in part of the matrix, fails in the whole: {}", reason.text);
            }
            Some(reason)
        }
        Fate::Inconclusive { ticket } => {
            Some(reason_of(found, &found.trials[*found.searched.tickets.get(ticket)?], vec![]))
        }
        Fate::Accepted { .. } | Fate::Untried => None,
    }
}

fn project_summary(session: &Session, project: &crate::ecosystem::Project) -> ProjectSummary {
    let label = project.label();
    let cells: Vec<_> = session.plan.cells.iter().filter(|cell| cell.project == label).collect();
    let known: Vec<_> = cells.iter().filter_map(|cell| session.baseline.cells.get(&cell.key())).collect();
    ProjectSummary {
        project: project.clone(),
        checks: cells.iter().map(|cell| cell.check.typed(&cell.check.argv)).collect(),
        baseline_seconds: (!known.is_empty()).then(|| round(known.iter().map(|cell| cell.seconds).sum())),
        tested_lock: session.locks.get(&label).cloned(),
        flaky: known.iter().flat_map(|cell| &cell.flaky).map(ToString::to_string).collect(),
    }
}
