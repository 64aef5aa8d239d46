//! What a judged trial teaches the search: its outcome, where to look for who is to blame, which tests failed. Pure.
//! Where to look is a guess from what stands on what; it guides which trial comes next, and never a verdict.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use xupgrade_search::{Count, Mark, Outcome, Proof};

use crate::candidate::{ProjectId, ReasonKind};
use crate::partner;
use crate::plan::{Plan, partners};
use crate::rules::is_named;
use crate::trial::narrow::{Moved, package};
use crate::trial::{Atom, Build, CellReport, Extent, Member, Phase, TestEnd, TestName, TrialReport, members};
use crate::verdict::{Baseline, Verdict, judge_cell};

/// A trial as it is looked at here.
pub struct Judged<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The untouched base: its failures, and the packages that each test stands on.
    pub baseline: &'a Baseline,
    /// What happened.
    pub report: &'a TrialReport,
    /// Its atoms, in commit order.
    pub atoms: &'a [Atom],
    /// The new ones, as they were asked for.
    pub fresh: &'a [Atom],
    /// The verdict on it with each test set aside that failed in it and not before.
    pub rest: Verdict,
}

impl Judged<'_> {
    /// Turns a verdict on it into lessons for the search.
    #[must_use]
    pub fn outcome(&self, verdict: &Verdict) -> Outcome {
        let cause = match verdict {
            Verdict::Passed => return Outcome::Passed,
            Verdict::Inconclusive(_) => return Outcome::Inconclusive,
            Verdict::Failed(cause) => cause,
        };
        let fresh: Vec<usize> = members(self.fresh).map(|member| member.candidate).collect();
        let suspects = cause.suspects.iter().map(|member| member.candidate);
        Outcome::Failed {
            suspects: suspects.chain(self.only_one_named(&fresh)).collect(),
            partners: partners(&cause.partners(), self.plan, &fresh),
            marks: self.marks(),
            proof: self.proof(cause.kind),
            only: self.only(cause.kind),
        }
    }

    /// The runs that a trial made of tests that failed before, test by test; of a check whose tests have no names as a whole.
    #[must_use]
    pub fn counted(&self) -> Outcome {
        let mut counts: BTreeMap<Option<u64>, (u32, u32)> = BTreeMap::new();
        let cells = self.report.cells.iter().filter(|_| self.report.noise().is_none());
        for (test, red) in cells.flat_map(|cell| self.ends(cell)) {
            let (failed, passed) = counts.entry(test).or_default();
            if red { *failed += 1 } else { *passed += 1 }
        }
        let count = |(test, (red, green))| Count { test, red, green };
        Outcome::Counted { tests: counts.into_iter().map(count).collect() }
    }

    /// The end of each test that a cell ran again: its number, and whether it failed. A test that did not run failed.
    fn ends(&self, cell: &CellReport) -> Vec<(Option<u64>, bool)> {
        let verdict = judge_cell(cell, self.baseline.cells.get(&cell.cell.key()));
        match (&cell.cell.extent, &verdict) {
            (_, Verdict::Inconclusive(_)) => Vec::new(),
            // Counted as one: red where anything fails that is not known to.
            (Extent::Units(_), verdict) => {
                let all = TestName { unit: "units of".to_owned(), name: cell.cell.check.name.clone() };
                vec![(Some(number(&cell.cell.project, &all)), *verdict != Verdict::Passed)]
            }
            (_, Verdict::Passed) if cell.cell.check.phase == Phase::Gate => Vec::new(),
            (Extent::Tests(wanted) | Extent::Amid(wanted), _) => {
                let project = &cell.cell.project;
                let passed = |test: &TestName| cell.reading.tests.get(test) == Some(&TestEnd::Passed);
                wanted.iter().map(|test| (Some(number(project, test)), !passed(test))).collect()
            }
            (_, verdict) => vec![(None, *verdict != Verdict::Passed)],
        }
    }

    /// The same of a run of the whole matrix, which may pass and yet be no evidence for some of its atoms.
    #[must_use]
    pub fn of_the_whole(&self, verdict: &Verdict) -> Outcome {
        match verdict {
            Verdict::Failed(cause) if cause.kind == ReasonKind::NotExercised => {
                let atoms = cause.suspects.iter().map(|member| member.candidate);
                Outcome::Unproved { atoms: atoms.collect() }
            }
            other => self.outcome(other),
        }
    }

    /// For each unit that failed its tests, and where to look.
    fn marks(&self) -> Vec<Mark> {
        let named = self.named();
        self.red().flat_map(|cell| self.marks_of(cell, &named)).collect()
    }

    fn marks_of(&self, cell: &CellReport, named: &BTreeSet<usize>) -> Vec<Mark> {
        let project = &cell.cell.project;
        if broke(cell) && !named.is_empty() {
            return vec![Mark { tests: vec![], within: named.iter().copied().collect() }];
        }
        let mut units: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for test in cell.failing().filter(|test| self.is_new(cell, test)) {
            units.entry(package(&test.unit)).or_default().push(number(project, test));
        }
        for unit in cell.reading.telling.iter().filter_map(|line| partner::broken(line)) {
            units.entry(unit).or_default();
        }
        if units.is_empty() {
            return vec![Mark { tests: vec![], within: self.on(project, None) }];
        }
        let mark = |(unit, tests)| Mark { tests, within: self.on(project, Some((unit, broke(cell)))) };
        units.into_iter().map(mark).collect()
    }

    /// The candidates of the trial that a unit of a project stands on; where it is not known, all that reach the project.
    fn on(&self, project: &ProjectId, unit: Option<(&str, bool)>) -> Vec<usize> {
        let known = self.baseline.exercised.get(project);
        let below: Option<BTreeSet<&str>> = unit.and_then(|(unit, broke)| {
            let below = known.and_then(|known| known.below.get(unit));
            // What no test stands on is a dependency, if it is something that does not compile.
            let itself = || broke.then(|| [unit].into());
            below.map(|below| below.iter().map(String::as_str).collect()).or_else(itself)
        });
        let stands = |member: &Member| {
            let reaches = self.plan.reached(self.plan.candidate(*member)).contains(project);
            let moved = || self.moved(*member);
            reaches && below.as_ref().is_none_or(|below| moved().iter().any(|name| below.contains(name.as_str())))
        };
        members(self.atoms).filter(stands).map(|member| member.candidate).collect()
    }

    /// What an upgrade moves, by name.
    fn moved(&self, member: Member) -> BTreeSet<String> {
        let id = &self.plan.candidate(member).id;
        let step = self.report.steps.iter().find(|step| step.atom.members().contains(&member));
        let mut moved = Moved::default();
        moved.add(&id.name, step.and_then(|step| step.effects.get(&id.project)));
        moved.names
    }

    /// The candidates of the trial that the errors of a compiler name.
    fn named(&self) -> BTreeSet<usize> {
        let broken = self.red().filter(|cell| broke(cell));
        let words: Vec<String> = broken.flat_map(|cell| partner::code(&cell.reading.telling)).collect();
        let is_meant = |place: &usize| words.iter().any(|word| is_named(&self.plan.candidates[*place], word));
        members(self.atoms).map(|member| member.candidate).filter(is_meant).collect()
    }

    /// The new one among those that the errors of a compiler name, if it is the only one.
    fn only_one_named(&self, fresh: &[usize]) -> Option<usize> {
        let mut named = self.named().into_iter().filter(|place| fresh.contains(place));
        let first = named.next();
        first.filter(|_| named.next().is_none())
    }

    /// The cells that failed otherwise than on the untouched base.
    fn red(&self) -> impl Iterator<Item = &CellReport> {
        self.report.cells.iter().filter(|cell| !cell.exit.is_success() && !self.passed(cell))
    }

    fn passed(&self, cell: &CellReport) -> bool {
        judge_cell(cell, self.baseline.cells.get(&cell.cell.key())) == Verdict::Passed
    }

    /// How far a failure of this kind can be believed. A gate only compiles, so it writes over the same files each time.
    fn proof(&self, kind: ReasonKind) -> Proof {
        match kind {
            ReasonKind::ChangesFiles if self.has_red_gate() => Proof::Certain,
            ReasonKind::TestFailed | ReasonKind::FewerTests | ReasonKind::ChangesFiles | ReasonKind::TimedOut => {
                Proof::Tests
            }
            _ => Proof::Certain,
        }
    }

    /// The numbers of the tests that failed, where nothing else did.
    fn only(&self, kind: ReasonKind) -> Option<BTreeSet<u64>> {
        let is_all = kind == ReasonKind::TestFailed && self.rest == Verdict::Passed;
        let red = || self.baseline.newly_red(self.report);
        is_all.then(|| {
            red().iter().flat_map(|(key, tests)| tests.iter().map(|test| number(&key.project, test))).collect()
        })
    }

    fn has_red_gate(&self) -> bool {
        self.report.cells.iter().any(|cell| cell.cell.check.phase == Phase::Gate && !self.passed(cell))
    }

    /// Whether a test does not fail on the untouched base.
    fn is_new(&self, cell: &CellReport, test: &TestName) -> bool {
        let known = self.baseline.cells.get(&cell.cell.key());
        known.is_none_or(|known| !known.failing.contains(test) && !known.flaky.contains(test))
    }
}

/// A number for a test of a project, the same for the whole run.
fn number(project: &ProjectId, test: &TestName) -> u64 {
    let mut hasher = DefaultHasher::new();
    (project, test).hash(&mut hasher);
    hasher.finish()
}

fn broke(cell: &CellReport) -> bool {
    cell.reading.build_failed == Build::Failed
}

#[cfg(test)]
mod tests;
