//! What every executor promises, as one suite: the fake passes it here, the local one in its own tests.

use super::{Executor, Order};
use crate::trial::Freshness;

/// An order on the untouched base, without cells.
pub(crate) fn empty_order(id: &str) -> Order {
    Order { id: id.to_owned(), atoms: vec![], cells: vec![], freshness: Freshness::Cached }
}

/// Runs the suite.
pub(crate) fn conforms(executor: &mut dyn Executor) {
    assert!(executor.capacity() > 0, "an executor that takes nothing is none");
    assert!(executor.poll().unwrap().is_none(), "nothing was submitted, so nothing can finish");
    for id in ["a", "b"] {
        executor.submit(empty_order(id)).unwrap();
    }
    let mut seen = Vec::new();
    while let Some(finished) = executor.poll().unwrap() {
        assert!(finished.report.noise.is_none() && finished.report.refused.is_none(), "{:?}", finished.report);
        assert!(finished.report.trees.is_empty(), "no atom, no tree");
        assert!(finished.seconds >= 0.0);
        seen.push(finished.id);
    }
    seen.sort();
    assert_eq!(seen, ["a", "b"], "each order is answered once");
}

#[test]
fn the_fake_executor_keeps_the_promises_of_an_executor() {
    conforms(&mut super::fake::Fake::new(|_: &Order| super::fake::Answer::Green));
}
