//! The evidence behind a failure of tests: each test that failed runs again by name (or, where the caller says so, amid what else
//! its program runs), with the pick and without it, as often as a sequential rule asks. Pure counting. A group is never
//! doubted, only a pick that is about to be rejected; and never until it passes.
//!
//! Its rates are simulated (`scripts/bench-search --table noise`): ten tests that fail on the base in 2 to 40 % of their runs
//! hold a good pick in at most 0.1 % of the searches.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::{Count, Outcome, Reach, Ticket, Until};

/// One of the two sequences that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    /// The sequence that failed.
    With,
    /// The same without the pick that is suspected.
    Without,
}

/// The state of a doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding {
    /// Undecided: more runs are needed.
    Open,
    /// Blame on the pick.
    Guilty,
    /// Failure that did not come again.
    Void,
    /// Failure that comes without the pick, too, as in this trial.
    Shared(Ticket),
    /// Doubt without an answer: the trials about it gave none.
    NoAnswer,
}

/// The runs of one test on one side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Runs {
    red: u32,
    green: u32,
}

impl Runs {
    fn all(self) -> u32 {
        self.red + self.green
    }
}

/// The next step about one test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Further runs on a side, and their number.
    Run(Side, u32),
    Guilty,
    /// Failure that the base shows, too.
    Shared,
    /// Failure that does not come again.
    Void,
    /// Red runs with the pick and none without it, too few to convict, and no room for more.
    Unclear,
}

/// Length of the first block with the pick; where all of it is red, as many green runs without the pick convict it.
const FIRST: u32 = 5;
/// Green runs with the pick, and none red, that take a failure back which later trials may show again.
const GONE: u32 = 20;
/// Green runs that take back a failure after which no trial looks again.
const LAST_GONE: u32 = 40;
/// Length of a further block with the pick, where its runs differ.
const BLOCK_WITH: u32 = 10;
/// Length of a block without it.
const BLOCK_WITHOUT: u32 = 20;
/// Red runs with the pick that convict it, where as many runs without it as with it were green.
const CONVICTS: u32 = 10;
/// Runs with the pick after which the test counts as flaky.
const MOST: u32 = 200;
/// The same of whole units, where the caller sets no lower limit: ten red ones of sixty are less than a share that anything is stated for.
pub(crate) const MOST_OF_UNITS: u32 = 60;
/// Red runs with the pick, and none without it, that say too much to acquit where a lower limit ends the runs.
const UNCLEAR: u32 = 3;
/// Runs on each side of a check that names no test and runs whole.
const WHOLE: u32 = 2;

/// The step after these runs of a test by name.
fn by_name(with: Runs, without: Runs, Limits { gone, most }: Limits) -> Next {
    match (with, without) {
        (_, Runs { red: 1.., .. }) => Next::Shared,
        (with, _) if with.all() < FIRST => Next::Run(Side::With, FIRST - with.all()),
        (Runs { green: 0, .. }, without) if without.all() < FIRST => Next::Run(Side::Without, FIRST - without.all()),
        (Runs { green: 0, .. }, _) => Next::Guilty,
        (Runs { red: 0, green }, _) if green < gone => Next::Run(Side::With, gone - green),
        (Runs { red: 0, .. }, _) => Next::Void,
        (with, without) if without.all() < with.all() => Next::Run(
            Side::Without,
            BLOCK_WITHOUT.min(most.saturating_sub(without.all()).max(with.all() - without.all())),
        ),
        (Runs { red: CONVICTS.., .. }, _) => Next::Guilty,
        (Runs { red: UNCLEAR.., .. }, _) if with.all() >= most && most < MOST_OF_UNITS => Next::Unclear,
        (with, _) if with.all() >= most => Next::Shared,
        (with, _) => Next::Run(Side::With, BLOCK_WITH.min(most - with.all())),
    }
}

/// The step after these runs of a whole check.
fn whole(with: Runs, without: Runs) -> Next {
    match (with, without) {
        (_, Runs { red: 1.., .. }) => Next::Shared,
        (Runs { green: 1.., .. }, _) => Next::Void,
        (Runs { red, .. }, _) if red < WHOLE => Next::Run(Side::With, WHOLE - red),
        (_, Runs { green, .. }) if green < WHOLE => Next::Run(Side::Without, WHOLE - green),
        _ => Next::Guilty,
    }
}

/// Bounds of the runs about a failure.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Number of green runs, and none red, that take it back.
    gone: u32,
    /// Number of runs with the pick after which a test counts as flaky.
    most: u32,
}

/// A test by its number; `None`: a whole check that names none.
type Test = Option<u64>;

/// The runs about one failure.
#[derive(Debug, Clone)]
pub(crate) struct Doubt {
    /// The trial that failed.
    pub(crate) of: Ticket,
    /// The company in which its tests run again.
    pub(crate) reach: Reach,
    tests: BTreeMap<Test, (Runs, Runs)>,
    silent: u32,
    asks: u32,
    limits: Limits,
    /// Marks a failure that was seen on other picks only.
    pub(crate) is_suspicion: bool,
    /// The first run with the pick that failed again.
    pub(crate) again: Option<Ticket>,
    /// The first run without the pick that failed.
    shared: Option<Ticket>,
    pub(crate) asked: Option<(Ticket, Side)>,
}

/// Limit of trials without an answer.
const SILENT: u32 = 2;
/// Limit of trials about one failure, whatever they say.
const ASKS: u32 = 60;

impl Doubt {
    /// A doubt about the failure of this trial.
    pub(crate) fn about(of: Ticket) -> Self {
        Self {
            of,
            reach: Reach::Tests,
            tests: BTreeMap::new(),
            silent: 0,
            asks: 0,
            limits: Limits { gone: GONE, most: MOST },
            is_suspicion: false,
            again: None,
            shared: None,
            asked: None,
        }
    }

    /// A doubt about a failure of the set that is to be published.
    pub(crate) fn last(of: Ticket) -> Self {
        Self { limits: Limits { gone: LAST_GONE, most: MOST }, ..Self::about(of) }
    }

    /// A doubt about several failures that did not come again by name, this the newest; units run `most` times with the pick.
    pub(crate) fn of_units(of: Ticket, most: u32) -> Self {
        Self { reach: Reach::Units, limits: Limits { gone: GONE, most: most.max(GONE) }, ..Self::about(of) }
    }

    /// The tests whose failure did not come again.
    pub(crate) fn void(&self) -> BTreeSet<u64> {
        self.tests.keys().filter(|test| self.next(**test) == Next::Void).filter_map(|test| *test).collect()
    }

    /// Presence of a failure that did not come again, with a name or without.
    pub(crate) fn has_void(&self) -> bool {
        self.tests.keys().any(|test| self.next(*test) == Next::Void)
    }

    /// A doubt about a failure that was taken back on other picks: on these it has not been seen yet.
    pub(crate) fn suspicion(of: Ticket) -> Self {
        Self { is_suspicion: true, ..Self::about(of) }
    }

    /// The finding so far. One test that the pick breaks is enough; a test that fails without the pick, too, says nothing
    /// about it.
    pub(crate) fn finding(&self) -> Finding {
        if self.silent >= SILENT || self.asks >= ASKS {
            return Finding::NoAnswer;
        }
        let is = |wanted: Next| self.tests.keys().any(|test| self.next(*test) == wanted);
        if is(Next::Guilty) {
            Finding::Guilty
        } else if self.tests.is_empty() || self.tests.keys().any(|test| matches!(self.next(*test), Next::Run(..))) {
            Finding::Open
        } else if is(Next::Unclear) {
            Finding::NoAnswer
        } else if is(Next::Shared) {
            Finding::Shared(self.shared.unwrap_or(self.of))
        } else {
            Finding::Void
        }
    }

    fn next(&self, test: Test) -> Next {
        let (with, without) = self.tests.get(&test).copied().unwrap_or_default();
        if test.is_some() || self.reach == Reach::Units {
            by_name(with, without, self.limits)
        } else {
            whole(with, without)
        }
    }

    /// The tests that convict the pick, or, where none does, those that came again.
    pub(crate) fn to_hunt(&self) -> BTreeSet<Test> {
        let red = |(_, (with, without)): &(&Test, &(Runs, Runs))| with.red + without.red > 0;
        let guilty: BTreeSet<Test> =
            self.tests.keys().copied().filter(|test| self.next(*test) == Next::Guilty).collect();
        if guilty.is_empty() { self.tests.iter().filter(red).map(|(test, _)| *test).collect() } else { guilty }
    }

    /// The next runs worth asking for, if there are some and none is under way: the side, how many, and until when.
    pub(crate) fn wanted(&self) -> Option<(Side, u32, Until)> {
        if self.asked.is_some() || self.finding() != Finding::Open {
            return None;
        }
        let wants = self.tests.keys().filter_map(|test| match self.next(*test) {
            Next::Run(side, runs) => Some((side, runs)),
            Next::Guilty | Next::Shared | Next::Void | Next::Unclear => None,
        });
        // What nothing is known of yet begins with the pick.
        let (side, runs) = wants.reduce(more).unwrap_or((Side::With, FIRST));
        // A red run without the pick says all that there is to say of a test, but nothing of others.
        let until = if side == Side::Without && self.tests.len() == 1 { Until::Red } else { Until::Done };
        Some((side, runs, until))
    }

    /// Notes the trial that was asked for.
    pub(crate) fn ask(&mut self, side: Side, ticket: Ticket) {
        self.asks += 1;
        self.asked = Some((ticket, side));
    }

    /// The pending state of a ticket: true until its answer is there.
    pub(crate) fn waits_for(&self, ticket: Ticket) -> bool {
        self.asked.is_some_and(|asked| asked.0 == ticket)
    }

    /// The answer to what was asked; an empty one is none.
    pub(crate) fn answer(&mut self, ticket: Ticket, counts: &[Count]) {
        let Some((_, side)) = self.asked.take_if(|asked| asked.0 == ticket) else { return };
        self.silent += u32::from(counts.is_empty());
        for count in counts {
            let (with, without) = self.tests.entry(count.test).or_default();
            let runs = if side == Side::With { with } else { without };
            runs.red = runs.red.saturating_add(count.red);
            runs.green = runs.green.saturating_add(count.green);
        }
        if counts.iter().any(|count| count.red > 0) {
            let first = if side == Side::With { &mut self.again } else { &mut self.shared };
            *first = first.or(Some(ticket));
        }
    }

    /// The trial under way.
    pub(crate) fn tickets(&self) -> impl Iterator<Item = Ticket> + '_ {
        self.asked.iter().map(|asked| asked.0)
    }
}

/// The runs that an answer tells of; of a whole check where it does not tell tests apart.
pub(crate) fn counts(outcome: &Outcome) -> Vec<Count> {
    match outcome {
        Outcome::Counted { tests } => tests.clone(),
        Outcome::Passed => [Count { test: None, red: 0, green: 1 }].into(),
        Outcome::Failed { .. } => [Count { test: None, red: 1, green: 0 }].into(),
        Outcome::Unproved { .. } | Outcome::Inconclusive => Vec::new(),
    }
}

/// The wish of two tests together: the side that comes first, and there as many runs as the one that wants most.
fn more(one: (Side, u32), other: (Side, u32)) -> (Side, u32) {
    let (first, second) = if one.0 <= other.0 { (one, other) } else { (other, one) };
    if first.0 == second.0 { (first.0, first.1.max(second.1)) } else { first }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers from the sequence of runs of each side, for one test; the finding, and the runs that it took.
    fn found(test: Test, with: &[bool], without: &[bool]) -> (Finding, usize) {
        let mut doubt = Doubt::about(Ticket(1));
        let (mut with, mut without) = (with.iter(), without.iter());
        let mut ran = 0;
        while let Some((side, runs, until)) = doubt.wanted() {
            let mut count = Count { test, red: 0, green: 0 };
            // Of a whole check the caller makes two runs at most.
            for _ in 0..if test.is_none() { runs.min(WHOLE) } else { runs } {
                let red =
                    *if side == Side::With { with.next() } else { without.next() }.expect("no more runs than answers");
                ran += 1;
                if red {
                    count.red += 1;
                } else {
                    count.green += 1;
                }
                if red && until == Until::Red {
                    break;
                }
            }
            doubt.ask(side, Ticket(2));
            doubt.answer(Ticket(2), &[count]);
        }
        (doubt.finding(), ran)
    }

    fn every(nth: usize, runs: usize) -> Vec<bool> {
        (1..=runs).map(|run| run % nth == 0).collect()
    }

    const RED: [bool; 300] = [true; 300];
    const GREEN: [bool; 300] = [false; 300];

    #[test]
    fn a_test_that_fails_each_time_with_the_pick_and_never_without_counts_after_ten_runs() {
        assert_eq!(found(Some(1), &RED, &GREEN), (Finding::Guilty, 10));
        assert_eq!(found(None, &RED, &GREEN), (Finding::Guilty, 4), "a whole check");
    }

    #[test]
    fn a_test_that_fails_without_the_pick_says_nothing() {
        assert_eq!(found(Some(1), &RED, &every(3, 300)), (Finding::Shared(Ticket(2)), 8));
        assert_eq!(found(Some(1), &every(4, 300), &every(15, 300)), (Finding::Shared(Ticket(2)), 20));
        assert_eq!(found(None, &RED, &every(2, 300)), (Finding::Shared(Ticket(2)), 4));
    }

    #[test]
    fn a_failure_that_does_not_come_again_in_twenty_runs_is_taken_back() {
        assert_eq!(found(Some(1), &GREEN, &GREEN), (Finding::Void, 20));
        assert_eq!(found(None, &GREEN, &GREEN), (Finding::Void, 2));
    }

    #[test]
    fn a_pick_that_makes_a_test_fail_at_times_is_convicted_by_ten_red_runs_and_as_many_green_ones_without_it() {
        let (finding, runs) = found(Some(1), &every(4, 300), &GREEN);
        assert_eq!(finding, Finding::Guilty);
        assert!((80..130).contains(&runs), "{runs}");
    }

    #[test]
    fn a_test_that_fails_so_rarely_that_two_hundred_runs_do_not_convict_is_a_flake() {
        let rarely: Vec<bool> = (1..=300).map(|run| run % 25 == 3).collect();
        assert_eq!(found(Some(1), &rarely, &GREEN), (Finding::Shared(Ticket(1)), 400));
    }

    /// The finding about whole units of which this share of runs is red with the pick and none without it, and the runs on each side.
    fn of_units(most: u32, red_of_ten: u32) -> (Finding, [u32; 2]) {
        let mut doubt = Doubt::of_units(Ticket(1), most);
        let mut ran = [0; 2];
        while let Some((side, runs, _)) = doubt.wanted() {
            let before = ran[side as usize];
            ran[side as usize] += runs;
            let red = (before..before + runs).filter(|run| side == Side::With && run % 10 < red_of_ten).count();
            let red = u32::try_from(red).expect("few");
            doubt.ask(side, Ticket(2));
            doubt.answer(Ticket(2), &[Count { test: Some(0), red, green: runs - red }]);
        }
        (doubt.finding(), ran)
    }

    #[test]
    fn whole_units_run_no_more_often_than_allowed_and_too_few_runs_acquit_nobody_who_looks_guilty() {
        assert_eq!(of_units(60, 2), (Finding::Guilty, [45, 60]), "ten red ones");
        assert_eq!(of_units(60, 1), (Finding::Shared(Ticket(1)), [60, 60]));
        assert_eq!(of_units(20, 8).0, Finding::Guilty);
        assert_eq!(of_units(20, 2), (Finding::NoAnswer, [20, 20]), "four red ones say something");
        assert_eq!(of_units(20, 1), (Finding::Shared(Ticket(1)), [20, 20]));
        assert_eq!(of_units(5, 0), (Finding::Void, [20, 0]), "twenty green ones acquit, and no fewer");
    }

    #[test]
    fn one_guilty_test_is_enough_and_hides_behind_no_flake() {
        let mut doubt = Doubt::about(Ticket(1));
        let runs = |red, green, test| Count { test: Some(test), red, green };
        doubt.ask(Side::With, Ticket(2));
        doubt.answer(Ticket(2), &[runs(5, 0, 1), runs(2, 3, 2)]);
        doubt.ask(Side::Without, Ticket(3));
        doubt.answer(Ticket(3), &[runs(0, 5, 1), runs(1, 4, 2)]);
        assert_eq!((doubt.finding(), doubt.to_hunt()), (Finding::Guilty, [Some(1)].into()));
    }

    #[test]
    fn two_trials_without_an_answer_end_it() {
        let mut doubt = Doubt::about(Ticket(1));
        for ticket in [Ticket(2), Ticket(3)] {
            assert_eq!(doubt.finding(), Finding::Open);
            doubt.ask(Side::With, ticket);
            doubt.answer(ticket, &[]);
        }
        assert_eq!(doubt.finding(), Finding::NoAnswer);
    }
}
