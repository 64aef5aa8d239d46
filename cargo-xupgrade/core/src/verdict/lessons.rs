//! Lessons of further runs of the untouched base: a test that fails there is flaky, or set aside. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::{Baseline, CellBaseline, tests_that};
use crate::trial::{CellKey, Extent, TestEnd, TestName, TrialReport};

impl Baseline {
    /// Learns from a run of the untouched base; true where that was news. A test that failed in it is flaky, whatever it did in
    /// the baseline. One that was known to be, and was asked for by its name since it failed in each of its runs, is set aside:
    /// it fails now with nothing moved.
    pub fn learn(&mut self, report: &TrialReport) -> bool {
        // A test may have run several times: that is one lesson.
        let red: BTreeSet<(CellKey, TestName, Asked)> = report
            .cells
            .iter()
            .flat_map(|cell| {
                let asked = |test: &TestName| match &cell.cell.extent {
                    Extent::Tests(wanted) if wanted.contains(test) => Asked::ByName,
                    _ => Asked::AmongOthers,
                };
                tests_that(cell, TestEnd::Failed).into_iter().map(move |test| {
                    let asked = asked(&test);
                    (cell.cell.key(), test, asked)
                })
            })
            .collect();
        let learn = |(key, test, asked)| self.cells.entry(key).or_default().learn(test, asked);
        red.into_iter().map(learn).filter(|is_news| *is_news).count() > 0
    }
}

impl Baseline {
    /// The tests, by check, that failed in a trial and are not known to fail or to be flaky.
    #[must_use]
    pub fn newly_red(&self, report: &TrialReport) -> BTreeMap<CellKey, BTreeSet<TestName>> {
        let mut red: BTreeMap<CellKey, BTreeSet<TestName>> = BTreeMap::new();
        for cell in &report.cells {
            let known = self.cells.get(&cell.cell.key());
            let is_known =
                |test: &TestName| known.is_some_and(|one| one.flaky.contains(test) || one.failing.contains(test));
            let new: Vec<TestName> =
                tests_that(cell, TestEnd::Failed).into_iter().filter(|test| !is_known(test)).collect();
            if !new.is_empty() {
                red.entry(cell.cell.key()).or_default().extend(new);
            }
        }
        red
    }

    /// The same baseline, as if these tests failed in it.
    #[must_use]
    pub fn setting_aside(&self, report: &TrialReport) -> Self {
        let mut other = self.clone();
        for (key, tests) in self.newly_red(report) {
            other.cells.entry(key).or_default().failing.extend(tests);
        }
        other
    }
}

/// The way in which a test came to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    ByName,
    AmongOthers,
}

impl CellBaseline {
    fn learn(&mut self, test: TestName, asked: Asked) -> bool {
        if self.failing.contains(&test) {
            return false;
        }
        match (self.flaky.iter().position(|one| *one == test), asked) {
            (None, _) => {
                self.flaky.push(test);
                self.flaky.sort();
            }
            (Some(place), Asked::ByName) => self.failing.push(self.flaky.remove(place)),
            (Some(_), Asked::AmongOthers) => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::TrialEnd;
    use crate::trial::{Cell, Exit, Phase, Reading};

    fn test() -> TestName {
        TestName { unit: "app src/lib.rs".into(), name: "flaps".into() }
    }

    /// A run of the base in which the test fails so often, asked for in one way or the other.
    fn red(extent: &Extent, times: usize) -> TrialReport {
        let cell = Cell { extent: extent.clone(), ..Cell::of("test", Phase::Test) };
        let reading = Reading { tests: [(test(), TestEnd::Failed)].into(), ..Reading::default() };
        TrialReport { cells: vec![cell.ended(Exit::Code(101), reading); times], ..TrialReport::default() }
    }

    fn known(baseline: &Baseline) -> (usize, usize) {
        baseline.cells.values().map(|cell| (cell.flaky.len(), cell.failing.len())).next().unwrap()
    }

    #[test]
    fn a_test_that_fails_on_the_base_is_flaky_however_often_it_ran() {
        let mut baseline = Baseline::default();
        let by_name = Extent::Tests([test()].into());
        assert!(baseline.learn(&red(&by_name, 3)));
        assert_eq!(known(&baseline), (1, 0));
    }

    #[test]
    fn a_flaky_test_that_was_asked_for_by_name_and_fails_again_is_set_aside() {
        let mut baseline = Baseline::default();
        let by_name = Extent::Tests([test()].into());
        baseline.learn(&red(&by_name, 1));
        assert!(baseline.learn(&red(&by_name, 1)));
        assert_eq!(known(&baseline), (0, 1));
        assert!(!baseline.learn(&red(&by_name, 1)), "that is no news");
    }

    #[test]
    fn a_trial_in_which_only_new_tests_failed_passes_without_them_and_one_with_a_red_gate_does_not() {
        let judged = |report: &TrialReport| {
            let baseline = Baseline::default().setting_aside(report);
            crate::verdict::judge(report, &baseline, &[], crate::verdict::Unexercised::Allow)
        };
        let mut report = red(&Extent::Whole, 1);
        assert_eq!(judged(&report), crate::verdict::Verdict::Passed);
        report.end = TrialEnd::BrokeOff;
        assert!(matches!(judged(&report), crate::verdict::Verdict::Inconclusive(_)), "others did not run");
        report.end = TrialEnd::Ran;
        report.cells[0].reading.bare = [("app tests/own.rs".to_owned(), String::new())].into();
        assert!(matches!(judged(&report), crate::verdict::Verdict::Failed(_)), "a program that names no test");
        report.cells[0].reading.bare.clear();
        report.cells.push(Cell::of("gate", Phase::Gate).ended(Exit::Code(101), Reading::default()));
        assert!(matches!(judged(&report), crate::verdict::Verdict::Failed(_)));
    }

    #[test]
    fn a_flaky_test_that_ran_only_beside_others_stays_flaky() {
        let mut baseline = Baseline::default();
        baseline.learn(&red(&Extent::Whole, 1));
        assert!(!baseline.learn(&red(&Extent::Whole, 1)));
        assert_eq!(known(&baseline), (1, 0));
    }
}
