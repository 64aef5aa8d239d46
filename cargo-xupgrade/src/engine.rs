//! The one loop: the search proposes, the executor runs, the verdict judges, the search learns. Nothing is decided here
//! but when the budget is used up; only a tree that passed the whole matrix, afresh, leaves this room.

mod budget;
pub mod claims;
pub mod commits;
pub mod ends;
pub mod executor;
pub mod forecast;
pub mod often;
mod orders;
mod teach;
mod trial;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use xupgrade_search::{Options, Outcome, Proposal, Reach, Scope, Search, Solution, Step, Ticket};

use crate::candidate::Candidate;
use crate::engine::executor::{Executor, Finished, Order};
use crate::event::{self, Event, Listener};
use crate::machine::interrupt::{Level, Stop};
use crate::plan::Plan;
use crate::report::{CellSummary, TrialSummary, VerdictKind, round};
use crate::state::journal::Journal;
use crate::trial::{Atom, Cell, CellKey, CellReport, Member, Phase, TestEnd, TrialReport, Turn, members};
use crate::verdict::{Baseline, Claim, Unexercised, Verdict, again, cleared, hidden, judge, judge_cell, units_again};
pub use budget::{Budget, Spent};
pub use trial::Trial;

/// What the engine works with.
pub struct Engine<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What the untouched base does; flaky tests that show themselves on the way are added.
    pub baseline: Baseline,
    /// What to do with candidates that no cell compiles.
    pub unexercised: Unexercised,
    /// What the search may cost.
    pub budget: Budget,
    /// When the run began: the budget's time counts from here.
    pub began: Instant,
    /// Whom to tell.
    pub listener: &'a dyn Listener,
    /// Whether the user wants it to end.
    pub stop: Stop,
    /// Where finished trials are written down.
    pub journal: &'a mut Journal,
    /// The trials so far.
    pub trials: Vec<Trial>,
    /// Further runs of each check with tests before anything is published.
    pub often: BTreeMap<CellKey, often::Runs>,
    /// The cells of the whole matrix in which an upgrade failed: from then on each trial that they concern runs them, or what
    /// they refuse would pass there again and again.
    pub awake: BTreeSet<CellKey>,
}

/// Where the search ended.
#[derive(Debug)]
pub struct Searched {
    /// What it found.
    pub solution: Solution,
    /// The trial behind each ticket: its position among the engine's trials.
    pub tickets: BTreeMap<Ticket, usize>,
    /// What the budget ran out of, if it did.
    pub spent: Option<Spent>,
}

/// A set that passed the whole matrix.
#[derive(Debug, Default)]
pub struct Checkpoint {
    /// The atoms, in commit order.
    pub atoms: Vec<Atom>,
    /// The last of the trials that proved it: its position among the engine's trials.
    pub trial: Option<usize>,
}

/// What a trial taught about the untouched base.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taught {
    Nothing,
    /// Tests that fail there, too.
    Flakes,
}

/// What is under way.
#[derive(Default)]
struct Flight {
    proposals: BTreeMap<String, Proposal>,
    /// Trials that were told to end.
    cancelled: BTreeSet<String>,
    tickets: BTreeMap<Ticket, usize>,
    /// The cells that ask about each failure. What is learnt meanwhile changes nothing in them: a test that was left out of a later
    /// run would be waited for without end.
    questions: BTreeMap<(Ticket, Reach), Vec<Cell>>,
    /// How many trials were begun that count for the budget.
    begun: usize,
    spent: Option<Spent>,
}

impl Searched {
    /// What may be published, as the last of the trials that proved it wrote it; `trials` are the engine's.
    #[must_use]
    pub fn checkpoint(&self, trials: &[Trial]) -> Checkpoint {
        let newest = self.solution.checkpoint.as_ref().and_then(|found| found.proven_by.last());
        let Some(trial) = newest.and_then(|ticket| self.tickets.get(ticket)).copied() else {
            return Checkpoint::default();
        };
        Checkpoint { atoms: trials[trial].atoms(), trial: Some(trial) }
    }
}

impl Engine<'_> {
    /// Searches until the search is done, the budget ends or the user stops it.
    ///
    /// # Errors
    /// When the executor's state is unknown.
    pub fn search(&mut self, executor: &mut dyn Executor, options: &Options) -> Result<Searched> {
        let mut search = Search::new(&self.plan.atoms(&self.baseline.exercised), options);
        let mut flight = Flight::default();
        executor.learn(&self.baseline);
        loop {
            if self.stop.requested() > Level::None {
                search.stop();
            }
            let room = executor.capacity().saturating_sub(flight.proposals.len());
            match self.step(&mut search, &mut flight, room, options) {
                Step::Done(solution) if flight.proposals.is_empty() => {
                    return Ok(Searched { solution, tickets: flight.tickets, spent: flight.spent });
                }
                Step::Try(proposals) => {
                    for proposal in proposals {
                        self.begin(executor, &mut search, &mut flight, proposal, options)?;
                    }
                    // There may be room for more.
                    continue;
                }
                Step::Done(_) | Step::Wait => {}
            }
            for ticket in search.obsolete() {
                flight.cancel(executor, ticket);
            }
            let Some(finished) = executor.poll()? else { bail!("the search waits for a trial that nobody runs") };
            if self.land(&mut search, &mut flight, finished)? == Taught::Flakes {
                executor.learn(&self.baseline);
            }
        }
    }

    /// The next step, within the budget. When that is spent, what is under way is awaited, and then only verified.
    fn step(&self, search: &mut Search, flight: &mut Flight, room: usize, options: &Options) -> Step {
        if self.stop.requested() == Level::None {
            let fits = self.budget.fits(flight.begun, self.began.elapsed(), self.full_time(), self.kept_back(options));
            match flight.spent.or(fits.err()) {
                None => {}
                // What is under way may turn out to cost nothing.
                Some(_) if flight.is_searching() => return Step::Wait,
                spent => flight.spent = spent,
            }
        }
        if flight.spent.is_some() {
            search.finish();
        }
        // Trials that the budget counts are begun one by one: each may be the last.
        search.next(room.min(if self.budget == Budget::default() { usize::MAX } else { 1 }))
    }

    fn begin(
        &self,
        executor: &mut dyn Executor,
        search: &mut Search,
        flight: &mut Flight,
        proposal: Proposal,
        options: &Options,
    ) -> Result<()> {
        if let Scope::Again { of, reach, .. } = proposal.scope
            && !flight.questions.contains_key(&(of, reach))
        {
            let cells = self.failed_cells(flight, of, reach);
            flight.questions.insert((of, reach), cells);
        }
        let mut order = orders::order(self.plan, &proposal, &self.awake, |scope| match scope {
            Scope::Again { of, reach, .. } => flight.questions.get(&(of, reach)).cloned().unwrap_or_default(),
            _ => self.concerned_often(&proposal),
        });
        if orders::is_vacuous(&proposal, &order) {
            search.record(proposal.ticket, Outcome::Inconclusive);
            return Ok(());
        }
        // Once the budget is spent there is only the verification, which goes on until it knows.
        if flight.spent.is_none() && proposal.scope != Scope::Full {
            order.left = self.last_call(options);
        }
        self.announce(&order, &proposal, self.looks_at(flight, &proposal), search.expected_remaining());
        flight.begun += usize::from(counts(&proposal));
        flight.proposals.insert(order.id.clone(), proposal);
        executor.submit(order)
    }

    /// The trial that a trial looks at again.
    fn looks_at(&self, flight: &Flight, proposal: &Proposal) -> Option<String> {
        let Scope::Again { of, .. } = proposal.scope else { return None };
        flight.tickets.get(&of).map(|place| self.trials[*place].id.clone())
    }

    /// The runs, again and again, of the tests that these picks concern.
    fn concerned_often(&self, proposal: &Proposal) -> Vec<Cell> {
        let moved: Vec<usize> = proposal.picks().iter().map(|pick| pick.atom).collect();
        often::cells(&self.plan.cells_for(&moved), &self.baseline, &self.often)
    }

    /// The cells in which a trial failed, to be run once more.
    fn failed_cells(&self, flight: &Flight, of: Ticket, reach: Reach) -> Vec<Cell> {
        let Some(place) = flight.tickets.get(&of) else { return Vec::new() };
        let report = &self.trials[*place].report;
        let hidden = || hidden(self.trials[..*place].iter().map(|trial| &trial.report));
        let cells = match reach {
            Reach::Tests => again(report, &self.baseline, &hidden()),
            Reach::Units => units_again(report, &self.baseline),
        };
        match cells {
            // Its tests turned out to be flaky in the meantime.
            known if known.is_empty() => orders::failed_cells(report),
            cells => cells,
        }
    }

    /// Takes a finished trial: judged, written down, told to the search.
    fn land(&mut self, search: &mut Search, flight: &mut Flight, finished: Finished) -> Result<Taught> {
        let lost = || anyhow!("a trial nobody asked for: {}", finished.id);
        let proposal = flight.proposals.remove(&finished.id).ok_or_else(lost)?;
        let ticket = proposal.ticket;
        // What an interrupted run had found costs this one nothing.
        if finished.report.is_known() && counts(&proposal) {
            flight.begun = flight.begun.saturating_sub(1);
        }
        if flight.cancelled.remove(&finished.id) && finished.report.noise().is_some() {
            self.tell_cancelled(finished);
            search.record(ticket, Outcome::Inconclusive);
            return Ok(Taught::Nothing);
        }
        let outcome = self.take(&proposal, self.looks_at(flight, &proposal), finished)?;
        flight.tickets.insert(ticket, self.trials.len() - 1);
        if counts(&proposal) && self.was_refused_before() {
            flight.begun = flight.begun.saturating_sub(1);
        }
        let taught = if proposal.joints.is_empty() { self.learn_flakes() } else { Taught::Nothing };
        if self.stop.requested() == Level::None {
            let steps = self.trials.last().map(|trial| trial.report.steps.as_slice()).unwrap_or_default();
            for joint in orders::joined(&proposal, steps) {
                search.join(ticket, joint);
            }
            search.record(ticket, outcome);
            self.clear(&search.cleared(), flight);
        }
        Ok(taught)
    }

    /// Takes trials that failed for passed ones.
    fn clear(&mut self, tickets: &[Ticket], flight: &Flight) {
        for place in tickets.iter().filter_map(|ticket| flight.tickets.get(ticket)) {
            let trial = &mut self.trials[*place];
            if trial.verdict == Verdict::Passed {
                continue;
            }
            trial.verdict = Verdict::Passed;
            let text = cleared(&trial.red);
            self.listener.tell(&Event::TrialCleared { trial: trial.id.clone(), text });
        }
    }

    /// Whether the newest trial ran no cell, now as in the interrupted run: what a package manager refuses is asked again.
    fn was_refused_before(&self) -> bool {
        self.trials.last().is_some_and(|trial| {
            trial.report.known + trial.report.ran == 0 && self.journal.was_told(&self.summary(trial))
        })
    }

    fn tell_cancelled(&self, finished: Finished) {
        self.listener.tell(&Event::TrialEnded {
            trial: finished.id,
            verdict: VerdictKind::Cancelled,
            text: "its answer no longer matters".to_owned(),
            seconds: round(finished.seconds),
        });
    }

    /// Learns from the newest trial, which ran on the untouched base. Not so from failures on what is accepted: an upgrade in it may
    /// be what makes a test fail at times.
    fn learn_flakes(&mut self) -> Taught {
        let news = self.trials.last().is_some_and(|trial| self.baseline.learn(&trial.report));
        if news { Taught::Flakes } else { Taught::Nothing }
    }

    /// The time to verify what passed.
    fn kept_back(&self, options: &Options) -> Duration {
        self.full_time() * options.verify_runs.max(1)
    }

    /// When a running trial has to make way for the verification.
    fn last_call(&self, options: &Options) -> Option<Duration> {
        self.budget.last_call(self.kept_back(options)).map(|since| since.saturating_sub(self.began.elapsed()))
    }

    /// What one run of the whole matrix takes, as far as the baseline tells.
    fn full_time(&self) -> Duration {
        self.time_of(&self.plan.cells)
    }

    fn time_of(&self, cells: &[Cell]) -> Duration {
        Duration::from_secs_f64(forecast::seconds(cells, &self.baseline).clamp(0.0, 1e9))
    }

    fn announce(&self, order: &Order, proposal: &Proposal, of: Option<String>, remaining: usize) {
        let accepted = order.atoms.len() - proposal.fresh;
        let later = u32::try_from(remaining).unwrap_or(u32::MAX);
        let own = self.time_of(&order.cells);
        let in_part = matches!(proposal.scope, Scope::Again { .. } | Scope::Often { .. });
        let each = if in_part { self.full_time() } else { own };
        self.listener.tell(&Event::TrialBegan {
            trial: order.id.clone(),
            why: Some(proposal.why.into()),
            of,
            fresh: members(&order.atoms[accepted..]).map(|member| self.step_of(member)).collect(),
            accepted: members(&order.atoms[..accepted]).count(),
            remaining,
            seconds_left: Some(own.saturating_add(each.saturating_mul(later)).as_secs()),
        });
    }

    fn step_of(&self, member: Member) -> event::Step {
        let candidate = self.plan.candidate(member);
        event::Step {
            name: candidate.id.name.clone(),
            project: candidate.id.project.clone(),
            from: candidate.at.clone(),
            to: candidate.rungs[member.rung].version.clone(),
            risk: self.plan.risk(member.candidate, member.rung),
            lower: candidate.lower(member.rung),
        }
    }

    fn take(&mut self, proposal: &Proposal, of: Option<String>, finished: Finished) -> Result<Outcome> {
        let asked = orders::atoms(&proposal.joints);
        let atoms = finished.report.atoms(&asked);
        let fresh = &asked[asked.len() - proposal.fresh..];
        let claims = self.claims(proposal, &asked, &finished.report);
        let verdict = judge(&finished.report, &self.baseline, &claims, self.unexercised);
        let verdict = trial::of_the_same_tree(&self.trials, proposal.why, &asked, &finished.report, verdict);
        self.wake(&finished.report);
        let (plan, baseline, report) = (self.plan, &self.baseline, &finished.report);
        // Several runs of the same tests are no single one that all of them could pass.
        let once = matches!(proposal.scope, Scope::Concerned | Scope::Full);
        let rest = || judge(report, &baseline.setting_aside(report), &claims, self.unexercised);
        let rest = if once && verdict != Verdict::Passed { rest() } else { verdict.clone() };
        let judged = teach::Judged { plan, baseline, report, atoms: &atoms, fresh, rest };
        let outcome = match proposal.scope {
            Scope::Full => judged.of_the_whole(&verdict),
            Scope::Again { .. } => judged.counted(),
            Scope::Gate | Scope::Concerned | Scope::Often { .. } => judged.outcome(&verdict),
        };
        let red = baseline.newly_red(report).into_values().flatten().map(|test| test.to_string());
        let red = if verdict == Verdict::Passed { Vec::new() } else { red.collect() };
        let counts = matches!(proposal.scope, Scope::Again { .. } | Scope::Often { .. });
        let verdict = if counts { counted(verdict, &finished.report) } else { verdict };
        self.keep(Trial {
            id: finished.id,
            why: Some(proposal.why),
            of,
            asked,
            fresh: proposal.fresh,
            report: finished.report,
            verdict,
            red,
            seconds: finished.seconds,
        })?;
        Ok(outcome)
    }

    /// Has the cells of the whole matrix run in each trial from now on that failed in this one.
    fn wake(&mut self, report: &TrialReport) {
        for cell in report.cells.iter().filter(|cell| cell.cell.check.turn == Turn::Final) {
            let key = cell.cell.key();
            if matches!(judge_cell(cell, self.baseline.cells.get(&key)), Verdict::Failed(_)) {
                self.awake.insert(key);
            }
        }
    }

    /// The claims that a trial has to prove: those of the fresh atoms, and where the whole matrix runs, those of all. What is
    /// only compiled, or only run again, proves nothing new.
    fn claims(&self, proposal: &Proposal, asked: &[Atom], report: &TrialReport) -> Vec<Claim> {
        let steps = &report.steps;
        let all = steps.iter().enumerate();
        let all = all.flat_map(|(at, step)| step.atom.members().iter().map(move |member| (at, *member)));
        match proposal.scope {
            Scope::Concerned => {
                let fresh: Vec<Member> = members(&asked[asked.len() - proposal.fresh..]).collect();
                let is_late = |one: &Candidate| self.baseline.is_late(one, &self.plan.reached(one));
                let counts = |member: Member| fresh.contains(&member) && !is_late(self.plan.candidate(member));
                let early = all.filter(|(_, member)| counts(*member));
                early.map(|(at, member)| claims::claim_at_its_own(self.plan, steps, at, member)).collect()
            }
            Scope::Full => all.map(|(at, member)| claims::claim(self.plan, steps, at, member)).collect(),
            Scope::Gate | Scope::Again { .. } | Scope::Often { .. } => Vec::new(),
        }
    }

    fn keep(&mut self, trial: Trial) -> Result<()> {
        let summary = self.summary(&trial);
        self.journal.append(&summary)?;
        self.listener.tell(&Event::TrialEnded {
            trial: summary.id,
            verdict: summary.verdict,
            text: summary.text,
            seconds: summary.seconds,
        });
        self.trials.push(trial);
        Ok(())
    }

    /// The public form of a trial.
    #[must_use]
    pub fn summary(&self, trial: &Trial) -> TrialSummary {
        let (verdict, text) = match &trial.verdict {
            Verdict::Passed if trial.red.is_empty() => (VerdictKind::Passed, String::new()),
            Verdict::Passed => (VerdictKind::Passed, cleared(&trial.red)),
            // Nothing was built: the package manager itself said no.
            Verdict::Failed(cause) if trial.report.is_refused() => (VerdictKind::Refused, cause.text.clone()),
            Verdict::Failed(cause) => (VerdictKind::Failed, cause.text.clone()),
            Verdict::Inconclusive(why) => (VerdictKind::Inconclusive, why.clone()),
        };
        TrialSummary {
            id: trial.id.clone(),
            why: Some(trial.why.map_or(crate::why::Why::Commit, Into::into)),
            parent: trial.of.clone(),
            atoms: members(&trial.asked).map(|member| self.plan.name(member)).collect(),
            fresh: members(trial.new_ones()).count(),
            tree: trial.report.tip().unwrap_or_default().to_owned(),
            verdict,
            text,
            cleared: if trial.verdict == Verdict::Passed { trial.red.clone() } else { Vec::new() },
            seconds: round(trial.seconds),
            cells: trial.report.cells.iter().map(CellSummary::from).collect(),
        }
    }
}

impl Flight {
    /// Whether something is under way that is no verification.
    fn is_searching(&self) -> bool {
        self.proposals.values().any(|proposal| proposal.scope != Scope::Full)
    }

    /// Tells the executor that an answer no longer matters.
    fn cancel(&mut self, executor: &mut dyn Executor, ticket: Ticket) {
        let ids = self.proposals.iter().filter(|(_, proposal)| proposal.ticket == ticket).map(|(id, _)| id.clone());
        for id in ids.collect::<Vec<_>>() {
            if self.cancelled.insert(id.clone()) {
                executor.cancel(&id);
            }
        }
    }
}

/// The trials that count for the budget: all but those that verify what passed.
fn counts(proposal: &Proposal) -> bool {
    !matches!(proposal.scope, Scope::Full | Scope::Often { .. })
}

/// The verdict on tests that ran several times: it says in how many of the runs one of those failed that it names.
fn counted(verdict: Verdict, report: &TrialReport) -> Verdict {
    let Verdict::Failed(mut cause) = verdict else { return verdict };
    let blamed = &cause.evidence.tests;
    let named = |cell: &CellReport, red: bool| {
        let tests = cell.reading.tests.iter().filter(|(_, end)| !red || **end == TestEnd::Failed);
        tests.into_iter().any(|(name, _)| blamed.contains(&name.to_string()))
    };
    let all = report.cells.iter().filter(|cell| cell.cell.check.phase == Phase::Test);
    let runs: Vec<&CellReport> = all.filter(|cell| blamed.is_empty() || named(cell, false)).collect();
    if runs.len() > 1 {
        let is_red = |cell: &&&CellReport| if blamed.is_empty() { !cell.exit.is_success() } else { named(cell, true) };
        cause.text = format!("{}, in {} of {} runs", cause.text, runs.iter().filter(is_red).count(), runs.len());
    }
    Verdict::Failed(cause)
}

#[cfg(test)]
mod tests;
