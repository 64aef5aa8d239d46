//! For tests: an executor that answers from a rule instead of running anything. It keeps the same promises as a real one
//! (`conformance` checks both): each order is answered once, with a tree for each atom; with room for several, in an order that
//! nobody can foresee.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::Result;

use super::{Executor, Finished, Order};
use crate::candidate::Target;
use crate::candidate::{Reason, ReasonKind};
use crate::project::Exercised;
use crate::trial::{Atom, Exit, Noise, Reading, TestEnd, TestName, TrialEnd, TrialReport, Written, members};
use crate::verdict::Baseline;

/// What the rule says to a sequence of atoms.
#[derive(Debug, Clone)]
pub enum Answer {
    /// All cells are green.
    Green,
    /// All cells are green, and these packages were compiled.
    Compiled(BTreeSet<Target>),
    /// A test is red, in a cell of its own.
    Red,
    /// The test of this name is red, in a cell of its own.
    RedTest(String),
    /// The cell of this name does not compile.
    Broken(&'static str),
    /// Tests are said to be red, but no cell is: there is nothing that could run again.
    RedWithoutCells,
    /// All cells are green, and those of these two candidates that are in it are written in one step.
    Together(usize, usize),
    /// The atom at this position cannot be written.
    Refused(usize),
    /// No evidence.
    Noise,
}

/// An executor without hands.
pub struct Fake<F> {
    rule: F,
    capacity: usize,
    queue: VecDeque<Order>,
    unwanted: BTreeSet<String>,
    /// The orders taken so far, by name.
    pub taken: Vec<String>,
    /// What it was told last of the untouched base.
    pub known: Baseline,
}

impl<F: Fn(&Order) -> Answer> Fake<F> {
    /// With a rule.
    pub fn new(rule: F) -> Self {
        let (queue, unwanted, taken) = (VecDeque::new(), BTreeSet::new(), Vec::new());
        Self { rule, capacity: 1, queue, unwanted, taken, known: Baseline::default() }
    }

    /// With room for so many orders at once.
    #[must_use]
    pub fn with_capacity(self, capacity: usize) -> Self {
        Self { capacity, ..self }
    }

    fn report(&self, order: &Order) -> TrialReport {
        let mut report = TrialReport { steps: steps(&order.atoms), ..TrialReport::default() };
        match (self.rule)(order) {
            Answer::Green if order.goes_on.is_some() => {
                report.cells = vec![crate::state::journal::tests::report(Exit::Code(0))];
            }
            Answer::Green => {}
            Answer::Compiled(compiled) => {
                let exercised = Exercised { compiled, ..Exercised::default() };
                report.exercised.insert("cargo .".into(), exercised);
            }
            Answer::RedWithoutCells => report.end = TrialEnd::Unfit(Reason::new(ReasonKind::TestFailed, "red by rule")),
            Answer::Red => {
                let mut cell = crate::state::journal::tests::report(Exit::Code(101));
                cell.reading.tests.values_mut().for_each(|end| *end = TestEnd::Failed);
                report.cells = vec![cell];
            }
            Answer::RedTest(name) => {
                let mut cell = crate::state::journal::tests::report(Exit::Code(101));
                cell.reading.tests = [(TestName { unit: "app src/lib.rs".into(), name }, TestEnd::Failed)].into();
                report.cells = vec![cell];
            }
            Answer::Broken(name) => {
                let cells = order.cells.iter().filter(|cell| cell.check.name == name);
                report.cells = cells.map(|cell| cell.clone().ended(Exit::Code(101), Reading::default())).collect();
            }
            Answer::Together(one, other) => report.steps = as_one(report.steps, one, other),
            Answer::Noise => report.end = TrialEnd::Noise(Noise::Outside("noise by rule".into())),
            Answer::Refused(position) => {
                report.steps.truncate(position);
                let reason = Reason::new(ReasonKind::ResolveRefused, "refused by rule");
                report.end = TrialEnd::Refused { atom: order.atoms[position].clone(), reason };
            }
        }
        report
    }
}

/// The same steps, but that the first of two candidates is written with the other one.
fn as_one(mut steps: Vec<Written>, one: usize, other: usize) -> Vec<Written> {
    let place = |steps: &[Written], candidate: usize| {
        steps.iter().position(|step| step.atom.members().iter().any(|member| member.candidate == candidate))
    };
    if let (Some(first), Some(second)) = (place(&steps, one), place(&steps, other))
        && first < second
    {
        let mate = steps.remove(second);
        steps[first].atom = steps[first].atom.with(&mate.atom);
        steps[first].tree.push_str("+mate");
    }
    steps
}

/// A name for the tree after each atom; the same sequence has the same names.
fn steps(atoms: &[Atom]) -> Vec<Written> {
    let tree = |length: usize| {
        let names = members(&atoms[..length]).map(|member| format!("{}.{}", member.candidate, member.rung));
        names.collect::<Vec<_>>().join("+")
    };
    let step =
        |(place, atom): (usize, &Atom)| Written { atom: atom.clone(), tree: tree(place + 1), effects: BTreeMap::new() };
    atoms.iter().enumerate().map(step).collect()
}

impl<F: Fn(&Order) -> Answer> Executor for Fake<F> {
    fn capacity(&self) -> usize {
        self.capacity
    }

    fn learn(&mut self, known: &Baseline) {
        self.known = known.clone();
    }

    fn submit(&mut self, order: Order) -> Result<()> {
        self.taken.push(order.id.clone());
        self.queue.push_back(order);
        Ok(())
    }

    fn poll(&mut self) -> Result<Option<Finished>> {
        let under_way = self.queue.len().min(self.capacity);
        if under_way == 0 {
            return Ok(None);
        }
        // Any of those under way may be the first, and the choice is the same in every run of a test.
        let first = self.taken.iter().map(String::len).sum::<usize>() * 7 % under_way;
        let Some(order) = self.queue.remove(first) else { return Ok(None) };
        let mut report = self.report(&order);
        if self.unwanted.remove(&order.id) {
            report.end = TrialEnd::Noise(Noise::Cancelled);
        }
        Ok(Some(Finished { id: order.id, report, seconds: 1.0 }))
    }

    fn cancel(&mut self, id: &str) {
        if self.queue.iter().any(|order| order.id == id) {
            self.unwanted.insert(id.to_owned());
        }
    }
}

#[test]
fn the_fake_executor_keeps_the_promises_of_an_executor() {
    for capacity in [1, 3] {
        super::conformance::conforms(&mut Fake::new(|_: &Order| Answer::Green).with_capacity(capacity));
    }
}
