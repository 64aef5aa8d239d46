//! From what was found to what is said: every candidate ends as upgraded, held or untried, each with its evidence. Pure.

use std::collections::{BTreeMap, BTreeSet};

use xupgrade_search::{Depth, Fate, Refusal, Why};

use super::opened::Opened;
use super::{Found, Session};
use crate::candidate::{Candidate, Evidence, Held, Named, Reason, ReasonKind, UpgradeName, Version};
use crate::engine::Trial;
use crate::engine::claims::{Stand, claim, stand};
use crate::engine::executor::together::{is_mate, target};
use crate::engine::executor::{Atom, others};
use crate::engine::often;
use crate::machine::interrupt::{Level, Stop};
use crate::plan::{Plan, held, named, partners};
use crate::project::{Applied, Move};
use crate::report::{ProjectSummary, Report, SCHEMA, Steady, Upgrade, round};
use crate::trial::flap::{Flap, Seen, flapped};
use crate::trial::{Cell, CellKey, CellReport, Phase, TrialKind, TrialReport};
use crate::verdict::{Proof, Verdict, is_guarded_by_red, proof};

/// The upgrades of the checkpoint, in commit order, not yet committed.
pub fn upgrades(plan: &Plan, found: &Found) -> Vec<Upgrade> {
    let all = found.checkpoint.atoms.iter().enumerate();
    all.map(|(position, atom)| upgrade(plan, found, atom, position)).collect()
}

fn upgrade(plan: &Plan, found: &Found, atom: &Atom, position: usize) -> Upgrade {
    let candidate = &plan.candidates[atom.candidate];
    let rung = &candidate.rungs[atom.rung];
    let confirmed = found.checkpoint.trial.map(|trial| &found.trials[trial].report);
    let applied = confirmed.and_then(|report| report.applied.get(position)).cloned().unwrap_or_default();
    let mut notes = same_step(plan, found, position).unwrap_or_else(|| applied.notes.clone());
    notes.extend(moved_on(plan, found, position));
    notes.extend(landed_between(found, atom, candidate));
    let proof = confirmed.map_or(Proof::None, |report| proof_in(plan, found, report, position));
    notes.extend(unguarded(plan, found, position).filter(|_| proof == Proof::Compiled));
    Upgrade {
        id: candidate.id.clone(),
        from: candidate.at.clone(),
        to: rung.version.clone(),
        level: rung.level,
        breaking: rung.breaking,
        commit: found.commits.get(position).cloned(),
        trial: trial_of(found, atom).map(|trial| trial.id.clone()).unwrap_or_default(),
        proof,
        also_moved: moved_beside(plan, found, &applied, atom),
        notes,
        failed_above: failed_above(plan, found, atom, candidate),
        urgent: candidate.urgent.clone(),
    }
}

/// What is said of an upgrade that was written in one step with others, as cargo takes none of them alone.
fn same_step(plan: &Plan, found: &Found, position: usize) -> Option<Vec<String>> {
    let applied = &found.trials[found.checkpoint.trial?].report.applied;
    let atoms = &found.checkpoint.atoms;
    let own = target(plan, &atoms[position]);
    let (first, step) = applied.iter().enumerate().find(|(at, one)| {
        let is_with = || atoms.get(*at).is_some_and(|first| is_mate(plan, first, one, &atoms[position]));
        !one.with.is_empty() && (*at == position || is_with())
    })?;
    let all = std::iter::once(target(plan, atoms.get(first)?)).chain(step.with.iter().cloned());
    let others: Vec<String> = all.filter(|one| *one != own).map(|one| one.to_string()).collect();
    let told = format!("it resolves only together with {}", others.join(", "));
    let notes = if first == position { step.notes.clone() } else { Vec::new() };
    Some(std::iter::once(told).chain(notes).collect())
}

/// What else moved with an upgrade: without those that are upgrades of the same step, which speak for themselves.
fn moved_beside(plan: &Plan, found: &Found, applied: &Applied, atom: &Atom) -> Vec<Move> {
    let itself = |atom: &Atom, moves: &[Move]| {
        let candidate = &plan.candidates[atom.candidate];
        others(moves, &candidate.id.name, &candidate.at, &candidate.rungs[atom.rung].version)
    };
    let mates = found.checkpoint.atoms.iter().filter(|other| is_mate(plan, atom, applied, other));
    let mut moves = mates.fold(itself(atom, &applied.also_moved), |moves, other| itself(other, &moves));
    // Whoever reads it wants to know that it moved, and not how often.
    for one in &mut moves {
        one.lockfile = None;
    }
    moves.dedup();
    moves
}

/// The evidence that the last tree gives for an upgrade.
fn proof_in(plan: &Plan, found: &Found, report: &TrialReport, position: usize) -> Proof {
    let claim = claim(plan, &found.checkpoint.atoms, position, &report.applied, &report.applied);
    claim.map_or(Proof::None, |claim| proof(report, &claim))
}

/// The reason for a weak proof where tests that stand on the upgrade are set aside.
fn unguarded(plan: &Plan, found: &Found, position: usize) -> Option<String> {
    let report = &found.trials[found.checkpoint.trial?].report;
    let claim = claim(plan, &found.checkpoint.atoms, position, &report.applied, &report.applied)?;
    let is_red = is_guarded_by_red(report, &found.baseline, &claim);
    is_red.then(|| "the tests that stand on it fail before any upgrade, so they say nothing".to_owned())
}

/// A later upgrade may take a package on to a higher version, or out: then no cell of the whole matrix met it as it was.
fn moved_on(plan: &Plan, found: &Found, position: usize) -> Option<String> {
    let (atoms, applied) = (&found.checkpoint.atoms, &found.trials[found.checkpoint.trial?].report.applied);
    let own = &plan.candidates[atoms[position].candidate].rungs[atoms[position].rung].version;
    match stand(plan, atoms, position, applied)? {
        Stand::Gone(by) => Some(taken_out(plan, &atoms[by])),
        Stand::At(version) if version == *own => None,
        Stand::At(version) => Some(format!("a later upgrade takes it on to {version}")),
    }
}

fn taken_out(plan: &Plan, by: &Atom) -> String {
    format!("the upgrade of {} takes it out", plan.candidates[by.candidate].id.name)
}

/// That an upgrade ended below its rungs, and which release stopped it there.
fn landed_between(found: &Found, atom: &Atom, candidate: &Candidate) -> Option<String> {
    if candidate.rungs[atom.rung].depth == Depth::Rung {
        return None;
    }
    let above = refusals(found, atom.candidate).filter(|refusal| refusal.pick.rung > atom.rung);
    let next = above.min_by_key(|refusal| refusal.pick.rung)?;
    let is_refused = found.searched.tickets.get(&next.ticket).is_some_and(|at| found.trials[*at].report.is_refused());
    let (all, one) = if is_refused { ("do not resolve", "does not") } else { ("fail", "fails") };
    let next = next.pick.rung;
    let unknown = match next - atom.rung - 1 {
        0 => String::new(),
        1 => ", one release between them was not tried".to_owned(),
        more => format!(", {more} releases between them were not tried"),
    };
    let next = &candidate.rungs[next].version;
    Some(format!("its newest releases {all}, and this one was found below them: {next} {one}{unknown}"))
}

/// Every rung of a candidate that failed alone, and every release between, in the order of the trials.
fn refusals(found: &Found, candidate: usize) -> impl Iterator<Item = &Refusal> {
    found.searched.solution.refusals.iter().filter(move |refusal| refusal.pick.atom == candidate)
}

/// The trial in which an atom first passed.
pub fn trial_of<'a>(found: &'a Found, atom: &Atom) -> Option<&'a Trial> {
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
fn failed_above(plan: &Plan, found: &Found, atom: &Atom, candidate: &Candidate) -> Vec<Held> {
    let mut above: Vec<Held> = refusals(found, atom.candidate)
        .filter(|refusal| refusal.pick.rung > atom.rung)
        .filter_map(|refusal| {
            let trial = &found.trials[*found.searched.tickets.get(&refusal.ticket)?];
            let wanted = Some(candidate.rungs[refusal.pick.rung].version.clone());
            Some(Held { wanted, ..held(candidate, reason_of(plan, found, trial, refusal.pick.atom, vec![])) })
        })
        .collect();
    above.sort_by(|a, b| b.wanted.cmp(&a.wanted));
    above.dedup_by(|a, b| a.wanted == b.wanted);
    let refused = candidate.refused.iter().filter(|one| one.version > candidate.rungs[atom.rung].version);
    above.splice(
        0..0,
        refused.map(|one| Held { wanted: Some(one.version.clone()), ..held(candidate, one.reason.clone()) }),
    );
    if let Some(beyond) = &candidate.beyond {
        above.insert(0, Held { wanted: Some(beyond.version.clone()), ..held(candidate, beyond.reason.clone()) });
    }
    above
}

/// The reason that a failed trial gives for a candidate.
fn reason_of(plan: &Plan, found: &Found, trial: &Trial, candidate: usize, tried: Vec<Version>) -> Reason {
    let beside = beside(found, trial, candidate);
    match &trial.verdict {
        Verdict::Failed(cause) => Reason {
            kind: cause.kind,
            text: with_partners(plan, &cause.partners(), trial, &cause.text),
            evidence: Some(Box::new(Evidence { trial: trial.id.clone(), tried, beside, ..cause.evidence.clone() })),
        },
        Verdict::Inconclusive(why) => {
            let evidence = Some(Box::new(Evidence { trial: trial.id.clone(), tried, beside, ..Evidence::default() }));
            Reason { kind: ReasonKind::Inconclusive, text: format!("no clear answer: {why}"), evidence }
        }
        Verdict::Passed => Reason::new(ReasonKind::Inconclusive, "it passed by itself and is not in the tested set"),
    }
}

/// The words of a cause, and behind them which candidates they name as those that would have to move, too.
fn with_partners(plan: &Plan, names: &[String], trial: &Trial, text: &str) -> String {
    const SHOWN: usize = 3;
    let fresh: Vec<usize> = trial.atoms[trial.atoms.len() - trial.fresh..].iter().map(|atom| atom.candidate).collect();
    let partners = partners(names, plan, &fresh);
    let shown: Vec<&str> = partners.iter().take(SHOWN).map(|index| plan.candidates[*index].id.name.as_str()).collect();
    match shown.as_slice() {
        [] => text.to_owned(),
        _ => format!("{text}; it may have to move together with {}", shown.join(" or ")),
    }
}

/// The upgrades of a trial that come before a candidate's own.
fn beside(found: &Found, trial: &Trial, candidate: usize) -> Vec<UpgradeName> {
    let summary = found.summaries.iter().find(|summary| summary.id == trial.id);
    let before = trial.atoms.iter().take_while(|atom| atom.candidate != candidate).count();
    summary.map(|summary| summary.atoms[..before].to_vec()).unwrap_or_default()
}

/// The whole report.
pub fn report(session: &Session, opened: &Opened<'_>, seconds: f64, stop: &Stop) -> Report {
    let plan = &session.plan;
    let found = session.found.as_ref();
    let upgrades = found.map(|found| upgrades(plan, found)).unwrap_or_default();
    let (mut all_held, untried) = leftovers(session);
    all_held.extend(plan.held.iter().cloned());
    all_held.sort_by(|a, b| (a.id.by_folder(), &a.at).cmp(&(b.id.by_folder(), &b.at)));
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
        trial.tree.clone_from(&opened.base.tree);
    }
    crate::lineage::link(&mut trials);
    Report {
        schema: SCHEMA.to_owned(),
        base: plan.base.clone(),
        branch: found.and_then(|found| found.branch.clone()),
        tip: found.and_then(|found| found.commits.last().cloned()),
        tip_tree: tree.filter(|_| committed).cloned(),
        tested_tree: tree.cloned(),
        as_of: plan.as_of,
        min_age: opened.policy.min_age,
        cooldowns: plan.cooldowns.clone(),
        candidates: upgrades.len() + all_held.iter().filter(|held| was_tried(held)).count() + untried.len(),
        upgrades,
        commits: found.map(super::commits::commits).unwrap_or_default(),
        commit_trials: found.map(super::commits::trials).unwrap_or_default(),
        held: all_held,
        untried,
        newest: plan.newest.clone(),
        trials,
        flapped: flaps(session),
        steady: session.found.as_ref().map(|found| steady(plan, found)).unwrap_or_default(),
        projects: plan.projects.iter().map(|project| project_summary(session, project)).collect(),
        seconds: round(seconds),
        containment: session.containment.clone(),
        interrupted: stop.requested() > Level::None,
        budget,
        folder: std::path::PathBuf::new(),
    }
}

/// The runs of each check's tests on the tree that is published, as far as the upgrades concern that check.
fn steady(plan: &Plan, found: &Found) -> Vec<Steady> {
    let moved: Vec<usize> = found.checkpoint.atoms.iter().map(|atom| atom.candidate).collect();
    let concerned: BTreeSet<CellKey> = plan.cells_for(&moved).iter().map(Cell::key).collect();
    let on_it =
        |trial: &&Trial| matches!(trial.why, Some(Why::Verify | Why::Often)) && trial.atoms == found.checkpoint.atoms;
    let trials = found.trials.iter().filter(on_it).filter(|_| !found.checkpoint.atoms.is_empty());
    let mut cells: BTreeMap<CellKey, Vec<&CellReport>> = BTreeMap::new();
    for cell in trials.flat_map(|trial| &trial.report.cells).filter(|cell| cell.cell.check.phase == Phase::Test) {
        if concerned.contains(&cell.cell.key()) {
            cells.entry(cell.cell.key()).or_default().push(cell);
        }
    }
    let known = |key: &CellKey| found.baseline.cells.get(key);
    let stated = |(key, cells): (&CellKey, &Vec<&CellReport>)| Some(often::steady(key, cells, known(key)?));
    cells.iter().filter_map(stated).flatten().collect()
}

/// What flapped, from the baseline to the last trial.
fn flaps(session: &Session) -> Vec<Flap> {
    let baseline = session.baseline_runs.iter().map(|(trial, report)| Seen { trial, report });
    let trials = session.found.iter().flat_map(|found| &found.trials);
    let trials = trials.map(|trial| Seen { trial: &trial.id, report: &trial.report });
    flapped(&baseline.chain(trials).collect::<Vec<_>>())
}

/// A held dependency that an upgrade brought along or took out says so: it moved as an effect, and nothing proved it by itself.
fn tell_effects(plan: &Plan, found: &Found, all: &mut [Held]) {
    let Some(report) = found.checkpoint.trial.map(|trial| &found.trials[trial].report) else { return };
    for (atom, applied) in found.checkpoint.atoms.iter().zip(&report.applied) {
        let by = &plan.candidates[atom.candidate];
        let Some(project) = plan.project_of(by) else { continue };
        for moved in &applied.also_moved {
            let same = |held: &&mut Held| {
                held.id.name == moved.name
                    && held.at.as_ref().map(ToString::to_string) == moved.from
                    && plan.has_moved(project, moved, &held.id.project)
            };
            let effect = match &moved.to {
                Some(to) => format!("the upgrade of {} brought it along to {to}", by.id.name),
                None => taken_out(plan, atom),
            };
            for held in all.iter_mut().filter(same) {
                if !held.reason.text.contains(&effect) {
                    held.reason.text = format!("{}; {effect}", held.reason.text);
                }
            }
        }
    }
}

fn was_tried(held: &Held) -> bool {
    held.reason
        .evidence
        .as_ref()
        .is_some_and(|evidence| !TrialKind::of(&evidence.trial).is_some_and(TrialKind::is_of_base))
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
        match why_not(plan, found, index, candidate) {
            Some(reason) => held_back.push(held(candidate, reason)),
            None => untried.push(named(candidate)),
        }
    }
    (held_back, untried)
}

fn why_not(plan: &Plan, found: &Found, index: usize, candidate: &Candidate) -> Option<Reason> {
    match &found.searched.solution.fates[index] {
        Fate::Rejected { trials } => {
            let rungs: BTreeSet<usize> = trials.iter().map(|(rung, _)| *rung).collect();
            let tried = rungs.iter().rev().map(|rung| candidate.rungs[*rung].version.clone()).collect();
            let highest = trials.iter().max_by_key(|(rung, _)| *rung)?;
            let trial = &found.trials[*found.searched.tickets.get(&highest.1)?];
            let mut reason = reason_of(plan, found, trial, index, tried);
            if trial.why == Some(Why::Verify) {
                reason.text = match reason.kind {
                    ReasonKind::NotExercised => unproved(plan, trial, index),
                    _ => format!("passes in part of the matrix, fails in the whole: {}", reason.text),
                };
            }
            Some(reason)
        }
        Fate::Inconclusive { ticket } => {
            let trial = &found.trials[*found.searched.tickets.get(ticket)?];
            let mut reason = reason_of(plan, found, trial, index, vec![]);
            if matches!(trial.verdict, Verdict::Failed(_)) {
                reason.kind = ReasonKind::Inconclusive;
                reason.text = format!("{}, which no further run confirmed", reason.text);
            }
            Some(reason)
        }
        Fate::Accepted { .. } | Fate::Untried => None,
    }
}

/// Why the last tree is no evidence for a candidate that passed by itself.
fn unproved(plan: &Plan, trial: &Trial, candidate: usize) -> String {
    let position = trial.atoms.iter().position(|atom| atom.candidate == candidate);
    let end = position.and_then(|position| stand(plan, &trial.atoms, position, &trial.report.applied));
    let why = match end {
        Some(Stand::Gone(by)) => taken_out(plan, &trial.atoms[by]),
        _ => "no check compiles it any more".to_owned(),
    };
    format!("it passed by itself, but together with the others {why}, so nothing proves it")
}

fn project_summary(session: &Session, project: &crate::project::Project) -> ProjectSummary {
    let id = project.id();
    let cells: Vec<_> = session.plan.cells.iter().filter(|cell| cell.project == id).collect();
    let left_out = session.left_out.iter().filter(|left| left.project == id).map(|left| left.text.clone());
    let known: Vec<_> = cells.iter().filter_map(|cell| session.baseline.cells.get(&cell.key())).collect();
    ProjectSummary {
        project: project.clone(),
        checks: cells.iter().map(|cell| cell.check.typed(&cell.check.argv)).collect(),
        baseline_seconds: (!known.is_empty()).then(|| round(known.iter().map(|cell| cell.seconds).sum())),
        tested_lock: session.locks.get(&id).cloned(),
        left_out: left_out.collect(),
        flaky: known.iter().flat_map(|cell| &cell.flaky).map(ToString::to_string).collect(),
    }
}
