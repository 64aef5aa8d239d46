//! For tests: an executor that answers from a rule instead of running anything. It keeps the same promises as a real one
//! (`conformance` checks both): each order is answered once, in the order of submission, with a tree for each atom.

use std::collections::VecDeque;

use anyhow::Result;

use super::{Atom, Executor, Finished, Order};
use crate::candidate::{Reason, ReasonKind};
use crate::trial::TrialReport;

/// What the rule says to a sequence of atoms.
#[derive(Debug, Clone)]
pub enum Answer {
    /// All cells are green.
    Green,
    /// The whole matrix is red (cells that the rule does not know fail).
    Red,
    /// The atom at this position cannot be written.
    Refused(usize),
    /// No evidence.
    Noise,
}

/// An executor without hands.
pub struct Fake<F> {
    rule: F,
    queue: VecDeque<Order>,
    /// The orders taken so far, by name.
    pub taken: Vec<String>,
}

impl<F: Fn(&Order) -> Answer> Fake<F> {
    /// With a rule.
    pub fn new(rule: F) -> Self {
        Self { rule, queue: VecDeque::new(), taken: Vec::new() }
    }

    fn report(&self, order: &Order) -> TrialReport {
        let mut report = TrialReport { trees: trees(&order.atoms), ..TrialReport::default() };
        report.applied = vec![crate::ecosystem::Applied::default(); order.atoms.len()];
        match (self.rule)(order) {
            Answer::Green => {}
            Answer::Red => report.unfit = Some(Reason::new(ReasonKind::TestFailed, "red by rule")),
            Answer::Noise => report.noise = Some("noise by rule".into()),
            Answer::Refused(position) => {
                report.trees.truncate(position);
                report.applied.truncate(position);
                report.refused = Some((position, Reason::new(ReasonKind::ResolveRefused, "refused by rule")));
            }
        }
        report
    }
}

/// A name for the tree after each atom; the same sequence has the same names.
fn trees(atoms: &[Atom]) -> Vec<String> {
    let name = |atom: &Atom| format!("{}.{}", atom.candidate, atom.rung);
    (1..=atoms.len()).map(|length| atoms[..length].iter().map(name).collect::<Vec<_>>().join("+")).collect()
}

impl<F: Fn(&Order) -> Answer> Executor for Fake<F> {
    fn capacity(&self) -> usize {
        1
    }

    fn submit(&mut self, order: Order) -> Result<()> {
        self.taken.push(order.id.clone());
        self.queue.push_back(order);
        Ok(())
    }

    fn poll(&mut self) -> Result<Option<Finished>> {
        let Some(order) = self.queue.pop_front() else { return Ok(None) };
        let report = self.report(&order);
        Ok(Some(Finished { id: order.id, report, seconds: 1.0 }))
    }

    fn cancel(&mut self, _: &str) {}
}
