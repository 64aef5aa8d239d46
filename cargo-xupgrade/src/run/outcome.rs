//! From what was found to what is said: every candidate ends as upgraded, held or untried, each with its evidence. Pure.

use std::collections::{BTreeMap, BTreeSet};

use xupgrade_search::{Depth, Fate, Refusal, Why};

use super::opened::Opened;
use super::{Found, Session};
use crate::candidate::{Candidate, Evidence, Held, Named, Reason, ReasonKind, UpgradeName, Version};
use crate::engine::Trial;
use crate::engine::claims::{Stand, claim, stand};
use crate::engine::executor::others;
use crate::engine::often;
use crate::machine::interrupt::{Level, Stop};
use crate::plan::{Plan, held, named, partners};
use crate::project::{Applied, Move};
use crate::report::{ProjectSummary, Report, SCHEMA, Steady, Upgrade, round};
use crate::trial::flap::{Flap, Seen, flapped};
use crate::trial::{Atom, Cell, CellKey, CellReport, Member, Phase, TrialKind, TrialReport, Written, members};
use crate::verdict::{Proof, Verdict, is_guarded_by_red, proof};

/// An upgrade of the tree that is published: its place in what was written.
#[derive(Clone, Copy)]
struct Landed<'a> {
    plan: &'a Plan,
    found: &'a Found,
    /// The report on the tree.
    report: &'a TrialReport,
    /// The position of its atom.
    position: usize,
    member: Member,
}

/// The upgrades of the checkpoint, in commit order, not yet committed.
pub fn upgrades(plan: &Plan, found: &Found) -> Vec<Upgrade> {
    let Some(report) = found.checkpoint.trial.map(|trial| &found.trials[trial].report) else { return Vec::new() };
    let of = |(position, step): (usize, &Written)| {
        let members = step.atom.members().iter();
        members.map(|&member| Landed { plan, found, report, position, member }.upgrade()).collect::<Vec<_>>()
    };
    report.steps.iter().enumerate().flat_map(of).collect()
}

impl<'a> Landed<'a> {
    fn candidate(self) -> &'a Candidate {
        self.plan.candidate(self.member)
    }

    fn step(self) -> &'a Written {
        &self.report.steps[self.position]
    }

    /// The effects of its atom in its project, told at the first of the upgrades there.
    fn applied(self) -> Option<&'a Applied> {
        let own = &self.candidate().id.project;
        let mut here = self.here();
        (here.next() == Some(self.member)).then(|| self.step().effects.get(own)).flatten()
    }

    /// The upgrades of its atom in its project.
    fn here(self) -> impl Iterator<Item = Member> + 'a {
        let own = &self.candidate().id.project;
        let members = self.step().atom.members().iter().copied();
        members.filter(move |member| self.plan.candidate(*member).id.project == *own)
    }

    fn upgrade(self) -> Upgrade {
        let Self { plan, found, report, position, member } = self;
        let candidate = self.candidate();
        let rung = &candidate.rungs[member.rung];
        let claim = claim(plan, &report.steps, position, member);
        let proof = proof(report, &claim);
        let mut notes: Vec<String> = self.only_together().into_iter().collect();
        notes.extend(self.applied().into_iter().flat_map(|applied| applied.notes.clone()));
        notes.extend(self.moved_on());
        notes.extend(landed_between(found, member, candidate));
        let is_unguarded = proof == Proof::Compiled && is_guarded_by_red(report, &found.baseline, &claim);
        notes.extend(is_unguarded.then(|| UNGUARDED.to_owned()));
        Upgrade {
            id: candidate.id.clone(),
            from: candidate.at.clone(),
            to: rung.version.clone(),
            level: rung.level,
            breaking: rung.breaking,
            commit: found.commits.get(position).cloned(),
            trial: trial_of(found, member).map(|trial| trial.id.clone()).unwrap_or_default(),
            proof,
            together: self.mates().map(|mate| plan.name(mate)).collect(),
            also_moved: self.moved_beside(),
            notes,
            failed_above: failed_above(plan, found, member, candidate),
            urgent: candidate.urgent.clone(),
        }
    }

    /// The other upgrades of its atom.
    fn mates(self) -> impl Iterator<Item = Member> + 'a {
        self.step().atom.members().iter().copied().filter(move |mate| *mate != self.member)
    }

    /// The note on an upgrade that the package manager took only with others, though its trial asked for it by itself. One that is
    /// tried as a pair is told by its commit.
    fn only_together(self) -> Option<String> {
        let single = Atom::from(self.member);
        let was_single = trial_of(self.found, self.member).is_some_and(|trial| trial.asked.contains(&single));
        let names: Vec<String> = self.mates().map(|mate| self.plan.target(mate).to_string()).collect();
        let is_told = was_single && !names.is_empty();
        is_told.then(|| format!("it resolves only together with {}", names.join(", ")))
    }

    /// What else moved with an upgrade: without those that are upgrades of the same step, which speak for themselves.
    fn moved_beside(self) -> Vec<Move> {
        let Some(applied) = self.applied() else { return Vec::new() };
        let without = |moves: Vec<Move>, member: Member| {
            let candidate = self.plan.candidate(member);
            others(&moves, &candidate.id.name, &candidate.at, &candidate.rungs[member.rung].version)
        };
        let mut moves = self.here().fold(applied.also_moved.clone(), without);
        // Whoever reads it wants to know that it moved, and not how often.
        for one in &mut moves {
            one.lockfile = None;
        }
        moves.dedup();
        moves
    }

    /// A later upgrade may take a package on to a higher version, or out: then no cell of the whole matrix met it as it was.
    fn moved_on(self) -> Option<String> {
        match stand(self.plan, &self.report.steps, self.position, self.member) {
            Stand::Gone(by) => Some(taken_out(self.plan, &self.report.steps[by].atom)),
            Stand::At(version) if version == self.plan.target(self.member).version => None,
            Stand::At(version) => Some(format!("a later upgrade takes it on to {version}")),
        }
    }
}

/// The reason for a weak proof where tests that stand on the upgrade are set aside.
const UNGUARDED: &str = "the tests that stand on it fail before any upgrade, so they say nothing";

fn taken_out(plan: &Plan, by: &Atom) -> String {
    format!("the upgrade of {} takes it out", plan.candidate(by.members()[0]).id.name)
}

/// That an upgrade ended below its rungs, and which release stopped it there.
fn landed_between(found: &Found, member: Member, candidate: &Candidate) -> Option<String> {
    if candidate.rungs[member.rung].depth == Depth::Rung {
        return None;
    }
    let above = refusals(found, member.candidate).filter(|refusal| refusal.pick.rung > member.rung);
    let next = above.min_by_key(|refusal| refusal.pick.rung)?;
    let is_refused = found.searched.tickets.get(&next.ticket).is_some_and(|at| found.trials[*at].report.is_refused());
    let (all, one) = if is_refused { ("do not resolve", "does not") } else { ("fail", "fails") };
    let next = next.pick.rung;
    let unknown = match next - member.rung - 1 {
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

/// The trial in which an upgrade first passed.
pub fn trial_of(found: &Found, member: Member) -> Option<&Trial> {
    match &found.searched.solution.fates[member.candidate] {
        Fate::Accepted { ticket, .. } => found.searched.tickets.get(ticket).map(|index| &found.trials[*index]),
        _ => None,
    }
}

/// How many upgrades the trial proved together in which an upgrade first passed.
pub fn group_of(found: &Found, member: Member) -> usize {
    match &found.searched.solution.fates[member.candidate] {
        Fate::Accepted { group, .. } => *group,
        _ => 1,
    }
}

/// The higher rungs of an accepted upgrade that were tried and failed.
fn failed_above(plan: &Plan, found: &Found, member: Member, candidate: &Candidate) -> Vec<Held> {
    let mut above: Vec<Held> = refusals(found, member.candidate)
        .filter(|refusal| refusal.pick.rung > member.rung)
        .filter_map(|refusal| {
            let trial = &found.trials[*found.searched.tickets.get(&refusal.ticket)?];
            let wanted = Some(candidate.rungs[refusal.pick.rung].version.clone());
            Some(Held { wanted, ..held(candidate, reason_of(plan, trial, refusal.pick.atom, vec![])) })
        })
        .collect();
    above.sort_by(|a, b| b.wanted.cmp(&a.wanted));
    above.dedup_by(|a, b| a.wanted == b.wanted);
    let refused = candidate.refused.iter().filter(|one| one.version > candidate.rungs[member.rung].version);
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
fn reason_of(plan: &Plan, trial: &Trial, candidate: usize, tried: Vec<Version>) -> Reason {
    let beside = beside(plan, trial, candidate);
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
    let fresh: Vec<usize> = members(trial.new_ones()).map(|member| member.candidate).collect();
    let partners = partners(names, plan, &fresh);
    let shown: Vec<&str> = partners.iter().take(SHOWN).map(|index| plan.candidates[*index].id.name.as_str()).collect();
    match shown.as_slice() {
        [] => text.to_owned(),
        _ => format!("{text}; it may have to move together with {}", shown.join(" or ")),
    }
}

/// The upgrades of a trial that a candidate's own stands on: those before it, and those that move with it.
fn beside(plan: &Plan, trial: &Trial, candidate: usize) -> Vec<UpgradeName> {
    let is_it = |member: &Member| member.candidate == candidate;
    let last = trial.asked.iter().position(|atom| atom.members().iter().any(is_it));
    let atoms = last.map_or(&trial.asked[..], |last| &trial.asked[..=last]);
    members(atoms).filter(|member| !is_it(member)).map(|member| plan.name(member)).collect()
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
        .and_then(|trial| trial.report.tip());
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
        tip_tree: tree.filter(|_| committed).map(str::to_owned),
        tested_tree: tree.map(str::to_owned),
        as_of: plan.as_of,
        min_age: opened.policy.min_age,
        cooldowns: plan.cooldowns.clone(),
        candidates: upgrades.len() + all_held.iter().filter(|held| was_tried(held)).count() + untried.len(),
        upgrades,
        commits: found.map(|found| super::commits::commits(plan, found)).unwrap_or_default(),
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
    let moved: Vec<usize> = members(&found.checkpoint.atoms).map(|member| member.candidate).collect();
    let concerned: BTreeSet<CellKey> = plan.cells_for(&moved).iter().map(Cell::key).collect();
    let on_it =
        |trial: &&Trial| matches!(trial.why, Some(Why::Verify | Why::Often)) && trial.atoms() == found.checkpoint.atoms;
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
    for step in &report.steps {
        for (by, moved) in step.moves() {
            let own =
                step.atom.members().iter().map(|member| plan.candidate(*member)).find(|one| one.id.project == *by);
            let (Some(project), Some(own)) = (plan.project(by), own) else { continue };
            let same = |held: &&mut Held| {
                held.id.name == moved.name
                    && held.at.as_ref().map(ToString::to_string) == moved.from
                    && plan.has_moved(project, moved, &held.id.project)
            };
            let effect = match &moved.to {
                Some(to) => format!("the upgrade of {} brought it along to {to}", own.id.name),
                None => format!("the upgrade of {} takes it out", own.id.name),
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
    let upgraded: BTreeSet<usize> = members(&found.checkpoint.atoms).map(|member| member.candidate).collect();
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
            let mut reason = reason_of(plan, trial, index, tried);
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
            let mut reason = reason_of(plan, trial, index, vec![]);
            if matches!(trial.verdict, Verdict::Failed(_)) {
                reason.kind = ReasonKind::Inconclusive;
                let is_whole = matches!(trial.why, Some(Why::Verify | Why::Often | Why::Confirm));
                let mates = if is_whole { mates(plan, trial, index) } else { Vec::new() };
                reason.text = match mates.as_slice() {
                    [] => format!("{}, which no further run confirmed", reason.text),
                    mates => format!(
                        "it moved as one with {}, which was taken out ({}), and was not tried by itself",
                        mates.join(", "),
                        reason.text
                    ),
                };
            }
            Some(reason)
        }
        Fate::Accepted { .. } | Fate::Untried => None,
    }
}

/// The names of the upgrades that moved as one with a candidate's in a trial.
fn mates(plan: &Plan, trial: &Trial, candidate: usize) -> Vec<String> {
    let atoms = trial.atoms();
    let own = atoms.iter().find(|atom| atom.members().iter().any(|member| member.candidate == candidate));
    let others = own.into_iter().flat_map(Atom::members).filter(|member| member.candidate != candidate);
    others.map(|member| plan.target(*member).to_string()).collect()
}

/// Why the last tree is no evidence for a candidate that passed by itself.
fn unproved(plan: &Plan, trial: &Trial, candidate: usize) -> String {
    let steps = &trial.report.steps;
    let place = |(position, step): (usize, &Written)| {
        let member = step.atom.members().iter().find(|member| member.candidate == candidate)?;
        Some(stand(plan, steps, position, *member))
    };
    let why = match steps.iter().enumerate().find_map(place) {
        Some(Stand::Gone(by)) => taken_out(plan, &steps[by].atom),
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
