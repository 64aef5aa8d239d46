//! What every executor promises, as one suite: each implementation passes it in its own tests (that of processes in tests/elsewhere.rs).

use crate::engine::executor::{Executor, Order};
use crate::trial::narrow::Breadth;
use crate::trial::{Freshness, Noise, TrialEnd, TrialKind, TrialReport};

/// An order on the untouched base, without cells.
pub(crate) fn empty_order(id: &str) -> Order {
    Order {
        kind: TrialKind::Search,
        id: id.to_owned(),
        atoms: vec![],
        cells: vec![],
        freshness: Freshness::Cached,
        breadth: Breadth::Whole,
        goes_on: None,
        left: None,
    }
}

/// Gives an order that went a way through JSON: a trial may run elsewhere.
fn submit(executor: &mut dyn Executor, order: &Order) {
    let text = serde_json::to_string(order).unwrap();
    executor.submit(serde_json::from_str(&text).unwrap()).unwrap();
}

/// Runs the suite.
pub(crate) fn conforms(executor: &mut dyn Executor) {
    assert!(executor.capacity() > 0, "an executor that takes nothing is none");
    assert!(executor.poll().unwrap().is_none(), "nothing was submitted, so nothing can finish");
    for id in ["a", "b"] {
        submit(executor, &empty_order(id));
    }
    let mut seen = Vec::new();
    while let Some(finished) = executor.poll().unwrap() {
        assert!(finished.report.end == TrialEnd::Ran, "{:?}", finished.report);
        assert!(finished.report.steps.is_empty(), "no atom, no tree");
        assert!(finished.seconds >= 0.0);
        let text = serde_json::to_string(&finished.report).unwrap();
        assert_eq!(serde_json::from_str::<TrialReport>(&text).unwrap(), finished.report, "{text}");
        seen.push(finished.id);
    }
    seen.sort();
    assert_eq!(seen, ["a", "b"], "each order is answered once");
    takes_more_than_it_has_room_for(executor);
    cancels(executor);
}

fn takes_more_than_it_has_room_for(executor: &mut dyn Executor) {
    let many: Vec<String> = (0..=executor.capacity() * 2).map(|number| format!("m{number}")).collect();
    for id in &many {
        submit(executor, &empty_order(id));
    }
    let mut seen: Vec<String> = std::iter::from_fn(|| executor.poll().unwrap()).map(|finished| finished.id).collect();
    seen.sort();
    let mut many = many;
    many.sort();
    assert_eq!(seen, many, "each order is answered once, however many there are");
}

fn cancels(executor: &mut dyn Executor) {
    executor.cancel("nobody's");
    let many: Vec<String> = (0..=executor.capacity()).map(|number| format!("c{number}")).collect();
    for id in &many {
        submit(executor, &empty_order(id));
    }
    let last = many.last().unwrap();
    executor.cancel(last);
    let mut cancelled = Vec::new();
    while let Some(finished) = executor.poll().unwrap() {
        let end = finished.report.end;
        assert!([TrialEnd::Ran, TrialEnd::Noise(Noise::Cancelled)].contains(&end), "{end:?}");
        cancelled.extend((end != TrialEnd::Ran).then_some(finished.id));
    }
    assert_eq!(cancelled, [last.as_str()], "the one that waited comes back as noise, the others as they are");
    executor.cancel(last);
    submit(executor, &empty_order(last));
    assert!(executor.poll().unwrap().unwrap().report.noise().is_none(), "what is over cannot be cancelled any more");
}
