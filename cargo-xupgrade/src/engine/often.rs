//! Runs of the tests before anything is published: how often each unit of tests runs again within a budget of seconds, and the
//! share of failing runs that so many passes exclude. Pure; the seconds are those that the baseline measured, so that a
//! resumed run asks the same questions.

use std::collections::{BTreeMap, BTreeSet};

use crate::report::Steady;
use crate::trial::narrow::{is_doc, narrow};
use crate::trial::{Cell, CellKey, CellReport, Extent, Phase, Reader, TestName, Turn};
use crate::verdict::{Baseline, CellBaseline, Verdict, judge_cell};

/// The number of runs in all of the tests of what is published, the verification included.
pub const RUNS: u32 = 21;

/// Seconds, about, that the runs of whole units may take which a doubt about them asks for, with and without the upgrade.
const UNITS_SECONDS: f64 = 600.0;

/// Nothing is quicker than the start of the tools, in seconds.
pub(super) const START: f64 = 0.2;

/// Numbers of further runs of a check, by the units of tests that one command runs; no unit stands for the whole check.
pub type Runs = BTreeMap<BTreeSet<String>, u32>;

/// The largest of these numbers.
#[must_use]
pub fn most(runs: &Runs) -> u32 {
    runs.values().copied().max().unwrap_or(0)
}

/// Units of tests of a check that one command runs, and their seconds one after another.
struct Part {
    check: CellKey,
    units: BTreeSet<String>,
    seconds: f64,
}

/// The runs of a check, as far as they are planned, and what they cost.
struct Course {
    /// Seconds of a run beside those of its tests.
    start: f64,
    /// Number of units that run side by side (Go packages), in effect; at least 1.
    lanes: f64,
    /// Seconds of the units that run, one after another.
    sum: f64,
    /// Seconds of a run of these units.
    round: f64,
    /// Number of runs.
    begun: u32,
}

impl Course {
    fn of(known: &CellBaseline) -> Self {
        let all: f64 = known.unit_seconds.values().sum();
        let lanes = if known.warm_seconds > START { (all / (known.warm_seconds - START)).max(1.0) } else { 1.0 };
        Self { start: (known.warm_seconds - all / lanes).max(START), lanes, sum: 0.0, round: 0.0, begun: 0 }
    }

    /// Seconds of a run with these units, too.
    fn with(&self, part: &Part) -> f64 {
        // The whole check as one part runs as it did on the base.
        let alone = if part.units.is_empty() { part.seconds / self.lanes } else { part.seconds };
        ((self.sum + part.seconds) / self.lanes).max(alone).max(self.round)
    }

    /// Seconds of so many runs of these units beside what is planned.
    fn cost(&self, part: &Part, count: u32) -> f64 {
        f64::from(count) * (self.with(part) - self.round) + f64::from(count.saturating_sub(self.begun)) * self.start
    }

    fn take(&mut self, part: &Part, count: u32) {
        self.round = self.with(part);
        self.sum += part.seconds;
        self.begun = self.begun.max(count);
    }
}

/// The further runs of each check with tests, unit by unit and the quickest first, until the seconds are used up. Documentation
/// tests take no part where the command can be told so.
#[must_use]
pub fn runs(cells: &[Cell], baseline: &Baseline, verify_runs: u32, seconds: f64) -> BTreeMap<CellKey, Runs> {
    let wanted = RUNS.saturating_sub(verify_runs);
    let known = |cell: &Cell| Some((cell.key(), Course::of(baseline.cells.get(&cell.key())?)));
    let mut courses: BTreeMap<CellKey, Course> = tests(cells).filter_map(known).collect();
    let mut parts: Vec<Part> = tests(cells).flat_map(|cell| parts(cell, baseline)).collect();
    let alone = |part: &Part| part.seconds + courses[&part.check].start;
    parts.sort_by(|one, other| alone(one).total_cmp(&alone(other)).then_with(|| one.check.cmp(&other.check)));
    let mut left = seconds;
    let mut runs: BTreeMap<CellKey, Runs> = BTreeMap::new();
    for part in parts {
        let Some(course) = courses.get_mut(&part.check) else { continue };
        let Some(count) = (1..=wanted).rev().find(|count| course.cost(&part, *count) <= left) else { continue };
        left -= course.cost(&part, count);
        course.take(&part, count);
        runs.entry(part.check).or_default().insert(part.units, count);
    }
    runs
}

/// The limit of the runs of whole units of tests with an upgrade: as many as fit into ten minutes with as many without it, by
/// what the slowest check with tests took on the base; at least 20, at most 60.
#[must_use]
pub fn runs_of_units(cells: &[Cell], baseline: &Baseline) -> u32 {
    let known = |cell: &Cell| baseline.cells.get(&cell.key()).map(|known| known.warm_seconds);
    let slowest = tests(cells).filter_map(known).fold(START, f64::max);
    (20..=60).rev().find(|runs| 2.0 * f64::from(*runs) * slowest <= UNITS_SECONDS).unwrap_or(20)
}

fn tests(cells: &[Cell]) -> impl Iterator<Item = &Cell> {
    cells.iter().filter(|cell| (cell.check.phase, cell.check.turn) == (Phase::Test, Turn::Always))
}

/// The parts of a check; none where it has nothing but documentation tests.
fn parts(cell: &Cell, baseline: &Baseline) -> Vec<Part> {
    let Some(known) = baseline.cells.get(&cell.key()) else { return Vec::new() };
    let leaves_doc_out = narrow(cell, &Extent::Programs, &known.units).is_some();
    if leaves_doc_out && !known.names.is_empty() && programs(known).is_empty() {
        return Vec::new();
    }
    let seconds = |runs: &dyn Fn(&str) -> bool| -> f64 {
        known.unit_seconds.iter().filter(|(unit, _)| runs(unit)).map(|(_, seconds)| seconds).sum()
    };
    let part =
        |units: BTreeSet<String>| Part { check: cell.key(), seconds: seconds(&|unit| units.contains(unit)), units };
    let groups = groups(cell, known);
    if groups.is_empty() {
        let all = seconds(&|unit| !(leaves_doc_out && is_doc(unit)));
        return vec![Part { check: cell.key(), units: BTreeSet::new(), seconds: all }];
    }
    groups.into_iter().map(part).collect()
}

/// The units of a check that one command runs apart from the others; none where no command is known that does.
fn groups(cell: &Cell, known: &CellBaseline) -> Vec<BTreeSet<String>> {
    let units = programs(known);
    if units.is_empty() || narrow(cell, &Extent::Units(units.clone()), &known.units).is_none() {
        return Vec::new();
    }
    if cell.check.reader == Reader::GoTest {
        return units.into_iter().map(|unit| [unit].into()).collect();
    }
    // A target's name selects it in each package.
    let mut groups: BTreeMap<&Vec<String>, BTreeSet<String>> = BTreeMap::new();
    for unit in units {
        if let Some(words) = known.units.get(&unit) {
            groups.entry(words).or_default().insert(unit);
        }
    }
    groups.into_values().collect()
}

/// The units of a check without documentation tests.
fn programs(known: &CellBaseline) -> BTreeSet<String> {
    known.test_units().into_iter().filter(|unit| !is_doc(unit)).collect()
}

/// The cells of these runs, round by round; without documentation tests, where the command can be told so. First the gates of
/// their projects, which build nothing any more and say what each test program is.
#[must_use]
pub fn cells(all: &[Cell], baseline: &Baseline, runs: &BTreeMap<CellKey, Runs>) -> Vec<Cell> {
    let is_gate = |cell: &&Cell| (cell.check.phase, cell.check.turn) == (Phase::Gate, Turn::Always);
    let gates = all.iter().filter(is_gate).filter(|gate| runs.keys().any(|key| key.project == gate.project));
    let rounds = runs.values().map(most).max().unwrap_or(0);
    let due = |cell: &Cell, round: u32| {
        runs.get(&cell.key()).into_iter().flatten().filter(move |(_, count)| round < **count).map(|(units, _)| units)
    };
    let round = |round: u32| {
        tests(all)
            .filter(move |cell| due(cell, round).next().is_some())
            .flat_map(move |cell| part_of(cell, baseline, &due(cell, round).flatten().cloned().collect()))
    };
    gates.cloned().chain((0..rounds).flat_map(round)).collect()
}

/// The cells that run these units of a check; with no unit, or all of them, the check without its documentation tests.
fn part_of(cell: &Cell, baseline: &Baseline, units: &BTreeSet<String>) -> Vec<Cell> {
    let Some(known) = baseline.cells.get(&cell.key()) else { return vec![cell.clone()] };
    let has_doc = known.test_units().iter().any(|unit| is_doc(unit));
    let some = !units.is_empty() && *units != programs(known);
    let extent = if some { Some(Extent::Units(units.clone())) } else { has_doc.then_some(Extent::Programs) };
    let narrowed = extent.and_then(|extent| narrow(cell, &extent, &known.units));
    narrowed.unwrap_or_else(|| vec![cell.clone()])
}

/// The share of failing runs that so many passes in a row exclude, with 99 % certainty: where a test failed in this share of
/// its runs, all of them would pass in one of a hundred cases (1 - 0.01^(1/n)).
#[must_use]
pub fn excluded(passes: u32) -> f64 {
    if passes == 0 { 1.0 } else { 1.0 - 0.01_f64.powf(1.0 / f64::from(passes)) }
}

/// The statements about a check that ran so often on one tree: one for all of its units, or one for each set that ran equally
/// often. None for a unit in which a test failed that does not fail at times before any upgrade, and none for tests without names.
#[must_use]
pub fn steady(key: &CellKey, cells: &[&CellReport], known: &CellBaseline) -> Vec<Steady> {
    let forgiven = |name: &TestName| known.failing.contains(name) || known.flaky.contains(name);
    let proving: BTreeSet<&String> = known.names.iter().filter(|name| !forgiven(name)).map(|name| &name.unit).collect();
    let mut alike: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for unit in &proving {
        let covering: Vec<&&CellReport> = cells.iter().filter(|cell| covers(&cell.cell.extent, unit)).collect();
        if covering.iter().all(|cell| passed(cell, unit, known)) {
            alike.entry(count(covering.len())).or_default().push((*unit).clone());
        }
    }
    let whole = alike.len() == 1 && alike.values().map(Vec::len).sum::<usize>() == known.test_units().len();
    alike.remove(&0);
    let statement = |(runs, units): (u32, Vec<String>)| Steady {
        project: key.project.clone(),
        check: key.check.clone(),
        units: if whole { Vec::new() } else { units },
        runs,
        excluded: (excluded(runs) * 100.0).ceil() / 100.0,
    };
    alike.into_iter().rev().map(statement).collect()
}

/// The end of a unit in a run of its check: true where nothing failed in it, beside tests that fail before any upgrade, too.
fn passed(cell: &CellReport, unit: &str, known: &CellBaseline) -> bool {
    let forgiven = |name: &TestName| known.failing.contains(name) || known.flaky.contains(name);
    let elsewhere = |name: &TestName| name.unit != unit || forgiven(name);
    judge_cell(cell, Some(known)) == Verdict::Passed || (cell.names_red() && cell.failing().all(elsewhere))
}

fn count(runs: usize) -> u32 {
    u32::try_from(runs).unwrap_or(u32::MAX)
}

fn covers(extent: &Extent, unit: &str) -> bool {
    match extent {
        Extent::Whole => true,
        Extent::Programs => !is_doc(unit),
        Extent::Units(units) => units.contains(unit),
        Extent::Packages(_) | Extent::Tests(_) | Extent::Amid(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::{Exit, Reading, TestEnd};

    /// A baseline of a check: its seconds, and those of each unit of its tests.
    fn known(seconds: f64, units: &[(&str, f64)]) -> CellBaseline {
        let words = |unit: &str| -> Vec<String> {
            let file = unit.split(' ').next_back().unwrap_or_default();
            match file.strip_prefix("tests/").and_then(|name| name.strip_suffix(".rs")) {
                _ if is_doc(unit) => vec!["--doc".into()],
                Some(name) => vec!["--test".into(), name.into()],
                None => vec!["--lib".into()],
            }
        };
        CellBaseline {
            warm_seconds: seconds,
            names: units.iter().map(|(unit, _)| TestName { unit: (*unit).into(), name: "a".into() }).collect(),
            units: units.iter().map(|(unit, _)| ((*unit).to_owned(), words(unit))).collect(),
            unit_seconds: units.iter().map(|(unit, seconds)| ((*unit).to_owned(), *seconds)).collect(),
            ..CellBaseline::default()
        }
    }

    fn stage(all: &[(&str, CellBaseline)]) -> (Vec<Cell>, Baseline) {
        let cell = |name: &str| {
            let mut cell = Cell::of(name, Phase::Test);
            cell.check.argv = ["cargo", "test", "--workspace"].map(str::to_owned).to_vec();
            cell.check.reader = Reader::Libtest;
            cell
        };
        let cells: Vec<Cell> = all.iter().map(|(name, _)| cell(name)).collect();
        let known = cells.iter().zip(all).map(|(cell, (_, known))| (cell.key(), known.clone())).collect();
        (cells, Baseline { cells: known, ..Baseline::default() })
    }

    /// The commands of the runs that these seconds allow, with how often each comes.
    fn commands(cells: &[Cell], baseline: &Baseline, seconds: f64) -> Vec<(String, usize)> {
        let runs = runs(cells, baseline, 2, seconds);
        let mut commands: Vec<(String, usize)> = Vec::new();
        for cell in super::cells(cells, baseline, &runs) {
            let words = cell.check.argv.join(" ");
            match commands.last_mut() {
                Some((last, times)) if *last == words => *times += 1,
                _ => commands.push((words, 1)),
            }
        }
        commands
    }

    fn told(commands: &[(String, usize)]) -> Vec<(&str, usize)> {
        commands.iter().map(|(words, times)| (words.as_str(), *times)).collect()
    }

    #[test]
    fn the_quickest_check_has_all_its_runs_before_a_slow_one_has_any() {
        let none = |seconds| known(seconds, &[]);
        let (cells, baseline) = stage(&[("slow", none(20.0)), ("quick", none(1.0)), ("endless", none(400.0))]);
        let runs = runs(&cells, &baseline, 2, 60.0);
        let told: Vec<(&str, u32)> = runs.iter().map(|(key, runs)| (key.check.as_str(), most(runs))).collect();
        assert_eq!(told, [("quick", 19), ("slow", 2)]);
    }

    #[test]
    fn the_quickest_test_program_of_a_check_has_all_its_runs_before_a_slow_one_has_any() {
        let units = [("app src/lib.rs", 1.0), ("app tests/slow.rs", 10.0), ("app tests/endless.rs", 400.0)];
        let (cells, baseline) = stage(&[("test", known(412.0, &units))]);
        let all = commands(&cells, &baseline, 60.0);
        let both = ("cargo test --workspace --lib --test slow", 2);
        assert_eq!(told(&all), [both, ("cargo test --workspace --lib", 17)], "19 x (1 s + 1 s to start) + 2 x 10 s");
    }

    #[test]
    fn programs_that_one_word_selects_in_several_packages_run_together() {
        let units = [("a src/lib.rs", 0.1), ("b src/lib.rs", 3.0), ("b tests/it.rs", 1.0)];
        let (cells, baseline) = stage(&[("test", known(4.3, &units))]);
        let all = commands(&cells, &baseline, 27.0);
        assert_eq!(told(&all), [("cargo test --workspace", 1), ("cargo test --workspace --test it", 18)]);
    }

    #[test]
    fn go_packages_run_apart_and_a_round_takes_as_long_as_its_slowest() {
        let (mut cells, baseline) = stage(&[("test", known(5.2, &[("m/a", 2.0), ("m/b", 5.0)]))]);
        cells[0].check.reader = Reader::GoTest;
        cells[0].check.argv = ["go", "test", "-json", "./..."].map(str::to_owned).to_vec();
        let all = commands(&cells, &baseline, 52.0);
        assert_eq!(told(&all), [("go test -json ./...", 3), ("go test -json m/a", 16)], "19 x 2.2 s and 3 x 3 s more");
    }

    #[test]
    fn documentation_tests_that_the_command_cannot_leave_out_are_paid_for() {
        let (mut cells, baseline) = stage(&[("test", known(31.0, &[("app doc", 30.0), ("app src/lib.rs", 0.5)]))]);
        cells[0].check.argv.push("-j4".into());
        let all = commands(&cells, &baseline, 60.0);
        assert_eq!(told(&all), [("cargo test --workspace -j4", 1)]);
    }

    #[test]
    fn of_a_crate_with_nothing_but_documentation_tests_nothing_runs_again() {
        let (cells, baseline) = stage(&[("test", known(2.0, &[("app doc", 1.0)]))]);
        assert!(runs(&cells, &baseline, 2, 60.0).is_empty());
    }

    #[test]
    fn the_gates_of_what_runs_again_come_first_once_as_they_say_what_each_test_program_is() {
        let (mut cells, baseline) = stage(&[("test", known(1.0, &[]))]);
        cells
            .extend([Cell::of("gate", Phase::Gate), Cell { project: "go svc".into(), ..Cell::of("vet", Phase::Gate) }]);
        let runs = runs(&cells, &baseline, 2, 2.0);
        let names: Vec<String> =
            super::cells(&cells, &baseline, &runs).into_iter().map(|cell| cell.check.name).collect();
        assert_eq!(names, ["gate", "test", "test"]);
    }

    #[test]
    fn documentation_tests_cost_nothing_as_they_do_not_run_again() {
        let (cells, baseline) = stage(&[("test", known(31.0, &[("app doc", 30.0), ("app src/lib.rs", 0.5)]))]);
        let all = commands(&cells, &baseline, 9.5);
        assert_eq!(told(&all), [("cargo test --workspace --tests", 9)]);
    }

    /// Runs of a check with two units, each with the tests that fail in it; the statements about them.
    fn stated(change: impl Fn(&mut CellBaseline), all: &[(Extent, &[(&str, &str)])]) -> Vec<(Vec<String>, u32)> {
        let (cells, mut baseline) = stage(&[("test", known(2.0, &[("app doc", 1.0), ("app src/lib.rs", 0.5)]))]);
        let known = baseline.cells.values_mut().next().unwrap();
        known.ran = 2;
        change(known);
        let ended = |(extent, red): &(Extent, &[(&str, &str)])| {
            let name = |(unit, name): &(&str, &str)| TestName { unit: (*unit).into(), name: (*name).into() };
            let red: Vec<TestName> = red.iter().map(name).collect();
            let end = |name: &TestName| if red.contains(name) { TestEnd::Failed } else { TestEnd::Passed };
            let tests = known.names.iter().filter(|one| covers(extent, &one.unit));
            let tests = tests.map(|name| (name.clone(), end(name))).collect();
            let exit = Exit::Code(if red.is_empty() { 0 } else { 101 });
            Cell { extent: extent.clone(), ..cells[0].clone() }.ended(exit, Reading { tests, ..Reading::default() })
        };
        let cells: Vec<CellReport> = all.iter().map(ended).collect();
        let key = cells[0].cell.key();
        steady(&key, &cells.iter().collect::<Vec<_>>(), known).into_iter().map(|one| (one.units, one.runs)).collect()
    }

    #[test]
    fn what_ran_equally_often_is_one_statement_and_what_did_not_is_named() {
        let same = |_: &mut CellBaseline| {};
        assert_eq!(stated(same, &[(Extent::Whole, &[]), (Extent::Whole, &[])]), [(vec![], 2)]);
        let apart = [(vec!["app src/lib.rs".to_owned()], 3), (vec!["app doc".to_owned()], 1)];
        assert_eq!(stated(same, &[(Extent::Whole, &[]), (Extent::Programs, &[]), (Extent::Programs, &[])]), apart);
        let nameless = |known: &mut CellBaseline| known.names.clear();
        assert_eq!(stated(nameless, &[(Extent::Whole, &[])]), [], "no rate is claimed");
    }

    #[test]
    fn nothing_is_stated_of_a_unit_in_which_a_test_failed_in_any_run() {
        let red: (Extent, &[(&str, &str)]) = (Extent::Programs, &[("app src/lib.rs", "a")]);
        let runs = [(Extent::Whole, &[][..]), red, (Extent::Programs, &[])];
        assert_eq!(stated(|_| {}, &runs), [(vec!["app doc".to_owned()], 1)]);
        let known_to_flap = |known: &mut CellBaseline| {
            known.flaky.push(TestName { unit: "app src/lib.rs".into(), name: "a".into() });
        };
        assert_eq!(stated(known_to_flap, &runs), [(vec!["app doc".to_owned()], 1)], "no other test is in it");
        let beside = |known: &mut CellBaseline| {
            known_to_flap(known);
            known.names.push(TestName { unit: "app src/lib.rs".into(), name: "b".into() });
        };
        let told = stated(beside, &runs);
        assert_eq!(told[0], (vec!["app src/lib.rs".to_owned()], 3), "of the others beside the one that flaps");
    }

    #[test]
    fn so_many_passes_exclude_the_shares_that_the_readme_states() {
        let shares: Vec<String> = [2, 5, 10, 21].map(|runs| format!("{:.0} %", excluded(runs) * 100.0)).to_vec();
        assert_eq!(shares, ["90 %", "60 %", "37 %", "20 %"]);
    }

    #[test]
    fn whole_units_run_less_often_where_they_are_slow() {
        let limit = |seconds| {
            let (cells, baseline) = stage(&[("quick", known(0.1, &[])), ("slow", known(seconds, &[]))]);
            runs_of_units(&cells, &baseline)
        };
        assert_eq!([0.3, 5.0, 10.0, 15.0, 400.0].map(limit), [60, 60, 30, 20, 20]);
    }

    #[test]
    fn without_seconds_nothing_runs_again() {
        let (cells, baseline) = stage(&[("test", known(0.1, &[]))]);
        assert!(runs(&cells, &baseline, 2, 0.0).is_empty());
    }
}
