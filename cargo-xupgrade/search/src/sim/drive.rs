//! Drives a search to its end: one trial at a time, in rounds of several, or with answers in any order.

use alloc::vec::Vec;

use super::Dice;
use crate::{Outcome, Proposal, Scope, Search, Solution, Step, Ticket, Why};

/// A search driven to its end.
#[derive(Debug, Clone)]
pub struct Run {
    /// Every trial with its answer, in the order in which they were recorded.
    pub trials: Vec<(Proposal, Outcome)>,
    /// How many rounds there were in which something was tried for the first time: those of the whole matrix alone, and
    /// those that only look at the rejected again, do not count. 0 where trials end one by one.
    pub rounds: usize,
    /// Trials that were ended before their answer, as it no longer mattered.
    pub ended: Vec<Proposal>,
    /// What came of it; `None` if the search had not ended after the trials allowed.
    pub solution: Option<Solution>,
}

impl Run {
    fn new() -> Self {
        Self { trials: Vec::new(), rounds: 0, ended: Vec::new(), solution: None }
    }

    fn record(&mut self, search: &mut Search, proposal: Proposal, outcome: Outcome) {
        search.record(proposal.ticket, outcome.clone());
        self.trials.push((proposal, outcome));
    }
}

/// Drives `search` with one trial at a time, for at most `limit` trials.
pub fn drive(search: &mut Search, limit: usize, answer: impl FnMut(&Proposal) -> Outcome) -> Run {
    drive_rounds(search, 1, limit, answer)
}

/// Drives `search` in rounds: up to `room` trials start together and all end before the next round, for at most
/// `limit` trials. A search that waits with nothing under way has no end: no solution.
pub fn drive_rounds(
    search: &mut Search,
    room: usize,
    limit: usize,
    mut answer: impl FnMut(&Proposal) -> Outcome,
) -> Run {
    let mut run = Run::new();
    while run.trials.len() <= limit {
        match search.next(room) {
            Step::Try(proposals) => {
                run.rounds += usize::from(proposals.iter().any(searches));
                for proposal in proposals {
                    let outcome = answer(&proposal);
                    run.record(search, proposal, outcome);
                }
            }
            Step::Done(solution) => {
                run.solution = Some(solution);
                break;
            }
            Step::Wait => break,
        }
    }
    run
}

/// Drives `search` with up to `room` trials under way, which end in the order that the dice choose; those whose
/// answer no longer matters are ended. For at most `limit` trials.
pub fn drive_shuffled(
    search: &mut Search,
    room: usize,
    limit: usize,
    dice: &mut Dice,
    mut answer: impl FnMut(&Proposal) -> Outcome,
) -> Run {
    let mut run = Run::new();
    let mut under_way: Vec<Proposal> = Vec::new();
    while run.trials.len() + run.ended.len() <= limit {
        match search.next(room - under_way.len()) {
            Step::Try(proposals) => under_way.extend(proposals),
            Step::Done(solution) => {
                run.solution = Some(solution);
                break;
            }
            Step::Wait if under_way.is_empty() => break,
            Step::Wait => {}
        }
        if !under_way.is_empty() && (under_way.len() >= room || dice.roll(2) == 0) {
            let proposal = under_way.swap_remove(dice.place(under_way.len()));
            let outcome = answer(&proposal);
            run.record(search, proposal, outcome);
            end(&mut under_way, &search.obsolete(), &mut run.ended);
        }
    }
    run
}

/// Whether a trial is part of the search proper.
fn searches(proposal: &Proposal) -> bool {
    !matches!(proposal.scope, Scope::Full | Scope::Often { .. }) && !matches!(proposal.why, Why::SecondLook | Why::Pair)
}

/// Ends the trials that are named.
fn end(under_way: &mut Vec<Proposal>, obsolete: &[Ticket], ended: &mut Vec<Proposal>) {
    let (over, on): (Vec<Proposal>, Vec<Proposal>) =
        under_way.drain(..).partition(|proposal| obsolete.contains(&proposal.ticket));
    ended.extend(over);
    *under_way = on;
}
