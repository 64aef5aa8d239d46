//! What a search has to do next: plain values that say what a trial is about and what its answer would mean.

use alloc::vec::Vec;

use crate::{Pick, Ticket, Why};

/// Something to settle before the pool is drawn from again.
#[derive(Debug, Clone)]
pub(crate) enum Task {
    /// To be tried as it is.
    Run(Trial),
    /// Known to fail on top of what is accepted now. Always on top of the stack.
    Failing(Vec<Pick>),
    /// A rejected pick, worth a trial if the accepted sequence has grown since.
    Look(Pick),
}

impl Task {
    /// About how many trials it takes.
    pub(crate) fn guess(&self) -> usize {
        match self {
            Self::Run(trial) => 1 + trial.rest.len().min(1),
            Self::Failing(group) => 1 + group.len().max(1).ilog2() as usize,
            Self::Look(_) => 1,
        }
    }
}

/// A trial to run, or outstanding.
#[derive(Debug, Clone)]
pub(crate) struct Trial {
    /// The newest ticket of it; `None` before it is first proposed.
    pub(crate) ticket: Option<Ticket>,
    /// Sorted, which is plan order.
    pub(crate) fresh: Vec<Pick>,
    /// What is known to fail if `fresh` passes: the accepted sequence, `fresh` and this failed together.
    pub(crate) rest: Vec<Pick>,
    pub(crate) why: Why,
}

impl Trial {
    /// A trial of `fresh`, with nothing known.
    pub(crate) fn of(fresh: Vec<Pick>, why: Why) -> Self {
        Self { ticket: None, fresh, rest: Vec::new(), why }
    }

    /// The first `length` picks of a group that is known to fail.
    pub(crate) fn part(mut group: Vec<Pick>, length: usize) -> Self {
        let rest = group.split_off(length.min(group.len()));
        let why = if group.len() == 1 { Why::Leaf } else { Why::Half };
        Self { ticket: None, fresh: group, rest, why }
    }

    /// The pick, if the trial is about a single one.
    pub(crate) fn leaf(&self) -> Option<Pick> {
        match self.fresh[..] {
            [leaf] => Some(leaf),
            _ => None,
        }
    }
}
