//! The verdict: facts of a trial, beside those of the baseline, become passed, failed or inconclusive.
//! Pure. Noise (out of memory, no space, no network) is never evidence, neither for nor against.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Display, Write as _};

use serde::{Deserialize, Serialize};

use crate::candidate::{Candidate, Evidence, ProjectId, Reason, ReasonKind, Target};
use crate::partner;
use crate::phrases::{cargo, go};
use crate::project::Exercised;
use crate::rules::is_among;
use crate::trial::{Build, CellKey, CellReport, Exit, Extent, Member, Phase, TestEnd, TestName, TrialEnd, TrialReport};
use words::{brief, fails_at};

mod again;
mod lessons;
mod part;
mod proof;
mod targets;
mod words;

pub use again::{again, hidden, only_flaky, units_again, widens};
pub use proof::{Bar, Proof, is_guarded_by_red, proof};
pub use targets::only_news;

/// What the untouched base does, cell by cell.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// The facts that a trial is compared with.
    #[serde(with = "crate::pairs")]
    pub cells: BTreeMap<CellKey, CellBaseline>,
    /// The packages that the cells compiled, and the tests that stand on them, by project.
    pub exercised: BTreeMap<ProjectId, Exercised>,
}

impl Baseline {
    /// True if nothing compiles a candidate but cells that wait for the whole matrix: no trial before has to. What its own
    /// project compiles counts, and where that compiles it nowhere, what those do that use the project by path.
    #[must_use]
    pub fn is_late(&self, candidate: &Candidate, reached: &[ProjectId]) -> bool {
        let own = self.exercised.get(&candidate.id.project).filter(|known| is_among(candidate, &known.compiled));
        let known = || reached.iter().filter_map(|project| self.exercised.get(project));
        let is_early = |known: &Exercised| is_among(candidate, &known.compiled) && !is_among(candidate, &known.late);
        let late = |known: &Exercised| is_among(candidate, &known.late);
        own.map_or_else(|| known().any(late) && !known().any(is_early), late)
    }
}

/// What one cell does on the untouched base.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CellBaseline {
    /// Seconds of the slowest run: the cold one.
    pub seconds: f64,
    /// Seconds of the fastest run: everything was built.
    pub warm_seconds: f64,
    /// Seconds of each unit of its tests in that unit's fastest run.
    pub unit_seconds: BTreeMap<String, f64>,
    /// The words that select a unit of its tests, where some are known.
    pub units: BTreeMap<String, Vec<String>>,
    /// Tests that ran in every run.
    pub ran: usize,
    /// Their names.
    pub names: Vec<TestName>,
    /// Tests that failed in every run: set aside, unless the user wants a green base.
    pub failing: Vec<TestName>,
    /// Tests that passed in one run and failed in another.
    pub flaky: Vec<TestName>,
    /// Signs of a machine or a network that fails, in runs that named tests that failed: it is these tests that show them.
    pub noise: BTreeSet<String>,
    /// Whether it as a whole ended the same way each time.
    pub steadiness: Steadiness,
    /// The tracked files that it changed in any run.
    pub changes: BTreeSet<String>,
    /// Units of its tests that failed in any run without a test that did.
    pub bare: BTreeSet<String>,
    /// Targets that compiled in every run.
    pub built: BTreeSet<String>,
    /// Targets that did not compile in one of them: left out, where the check is judged target by target.
    pub unbuilt: BTreeSet<String>,
    /// The telling lines of the failed runs.
    pub told: BTreeSet<String>,
}

/// Whether a cell ends the same way each time, beside the tests that are known to be flaky by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Steadiness {
    /// It does.
    #[default]
    Steady,
    /// It passed in one run and failed in another, and did not say which test it was.
    Unsteady,
}

impl CellBaseline {
    /// A guess at the seconds that the cell takes in a trial, which builds some things anew and not all.
    #[must_use]
    pub fn expected_seconds(&self) -> f64 {
        f64::midpoint(self.seconds, self.warm_seconds)
    }

    /// The units of its tests: test programs, documentation tests of crates, Go packages.
    #[must_use]
    pub fn test_units(&self) -> BTreeSet<String> {
        self.names.iter().map(|name| name.unit.clone()).collect()
    }
}

/// The judgement on a trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every cell that ran passed.
    Passed,
    /// Something failed that did not fail before.
    Failed(Cause),
    /// No evidence either way, and why.
    Inconclusive(String),
}

/// Why a trial failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Which of the reasons.
    pub kind: ReasonKind,
    /// What a person reads.
    pub text: String,
    /// The upgrades that deterministic evidence names.
    pub suspects: Vec<Member>,
    /// The proof.
    pub evidence: Evidence,
}

impl Cause {
    /// A failure of a trial as a whole, for this reason.
    fn of(reason: &Reason, suspects: Vec<Member>) -> Self {
        let evidence = reason.evidence.as_deref().cloned().unwrap_or_default();
        Self { kind: reason.kind, text: reason.text.clone(), suspects, evidence }
    }

    /// The packages that its words name as not fitting together, in the order of the words; they need not be candidates.
    #[must_use]
    pub fn partners(&self) -> Vec<String> {
        match self.kind {
            ReasonKind::BuildFailed => partner::named(&self.evidence.lines),
            ReasonKind::ResolveRefused => partner::named(std::slice::from_ref(&self.text)),
            _ => Vec::new(),
        }
    }
}

/// A dependency that a trial must have compiled to be evidence for it.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The upgrade that it is about.
    pub member: Member,
    /// The projects whose cells count for it.
    pub projects: BTreeSet<ProjectId>,
    /// The package, at the version that has to be compiled.
    pub package: Target,
}

/// What to do with a dependency that no cell compiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unexercised {
    /// Hold it.
    Hold,
    /// Let it pass with proof `none`.
    Allow,
}

/// The number of times that a test known to be flaky runs again by itself; where it fails each time, it counts as any other.
pub const FLAKY_RERUNS: usize = 7;

/// Judges a trial. `claims` are the fresh atoms; what was accepted before has proved itself.
#[must_use]
pub fn judge(report: &TrialReport, baseline: &Baseline, claims: &[Claim], unexercised: Unexercised) -> Verdict {
    match &report.end {
        TrialEnd::Noise(why) => return Verdict::Inconclusive(why.to_string()),
        TrialEnd::Refused { atom, reason } => return Verdict::Failed(Cause::of(reason, atom.members().to_vec())),
        TrialEnd::Unfit(reason) => return Verdict::Failed(Cause::of(reason, vec![])),
        TrialEnd::Ran | TrialEnd::BrokeOff => {}
    }
    let judged = report.cells.iter().map(|cell| judge_cell(cell, baseline.cells.get(&cell.cell.key())));
    // What does not compile says more than a test that fails, any failure more than noise beside it, and that a check changes files
    // is told where nothing else stands against it.
    let rank = |verdict: &Verdict| match verdict {
        Verdict::Failed(cause) if cause.kind == ReasonKind::BuildFailed => 0,
        Verdict::Failed(cause) if cause.kind != ReasonKind::ChangesFiles => 1,
        Verdict::Inconclusive(_) => 2,
        Verdict::Failed(_) | Verdict::Passed => 3,
    };
    if let Some(first) = judged.filter(|verdict| *verdict != Verdict::Passed).min_by_key(rank) {
        return first;
    }
    if report.end == TrialEnd::BrokeOff {
        // A failure that counts was told above; here one was forgiven, and what stood behind it never ran.
        return Verdict::Inconclusive(
            "it ended at a check that failed, and the checks behind that one did not run".into(),
        );
    }
    match unexercised {
        Unexercised::Allow => Verdict::Passed,
        Unexercised::Hold => judge_claims(report, claims),
    }
}

/// Judges one cell by itself; without a baseline (the baseline's own runs) nothing may fail.
#[must_use]
pub fn judge_cell(cell: &CellReport, before: Option<&CellBaseline>) -> Verdict {
    match &cell.exit {
        Exit::Interrupted => return Verdict::Inconclusive("interrupted".into()),
        Exit::TimedOut if is_unsteady(before) => return Verdict::Inconclusive(UNSTEADY.into()),
        Exit::TimedOut => return failed(cell, ReasonKind::TimedOut, "took longer than its limit", &[]),
        Exit::NotStarted(why) => return Verdict::Inconclusive(format!("{} did not start: {why}", cell.words[0])),
        Exit::Signal(9) => return Verdict::Inconclusive("killed from outside, most likely for want of memory".into()),
        _ => {}
    }
    if let Extent::Tests(wanted) | Extent::Amid(wanted) = &cell.cell.extent {
        return part::judge_tests(cell, wanted);
    }
    if !cell.exit.is_success() {
        return judge_failure(cell, before);
    }
    stayed(cell, before)
}

/// The sign of a machine or a network that fails, unless tests of the untouched base show the same one.
fn noise<'a>(cell: &'a CellReport, before: Option<&CellBaseline>) -> Option<&'a String> {
    cell.reading.noise.as_ref().filter(|noise| !before.is_some_and(|known| known.noise.contains(*noise)))
}

/// Why a failure of an unsteady cell is no evidence.
const UNSTEADY: &str = "this check fails at times on the untouched base, too, and does not say which test it is";

fn is_unsteady(before: Option<&CellBaseline>) -> bool {
    before.is_some_and(|known| known.steadiness == Steadiness::Unsteady)
}

fn judge_failure(cell: &CellReport, before: Option<&CellBaseline>) -> Verdict {
    if let Some(noise) = noise(cell, before) {
        return Verdict::Inconclusive(noise.clone());
    }
    if let Some(verdict) = targets::judge(cell, before) {
        return verdict;
    }
    let red: Vec<TestName> = tests_that(cell, TestEnd::Failed);
    if red.is_empty() && is_unsteady(before) {
        return Verdict::Inconclusive(UNSTEADY.into());
    }
    if cell.cell.check.phase == Phase::Gate || (cell.reading.build_failed == Build::Failed && red.is_empty()) {
        return failed(cell, ReasonKind::BuildFailed, &fails_at(cell.reading.unbuilt.first()), &[]);
    }
    let (flaky, failing): (&[TestName], &[TestName]) =
        before.map_or((&[], &[]), |known| (&known.flaky, &known.failing));
    let new: Vec<TestName> = red.iter().filter(|name| !failing.contains(name)).cloned().collect();
    let unknown: Vec<TestName> = new.iter().filter(|name| !flaky.contains(name)).cloned().collect();
    let build_broke = cell.reading.build_failed == Build::Failed;
    let bare: Vec<&String> =
        cell.reading.bare.keys().filter(|unit| !before.is_some_and(|known| known.bare.contains(*unit))).collect();
    if !red.is_empty() && unknown.is_empty() && !build_broke && !bare.is_empty() {
        // Red tests that are forgiven say nothing of units that failed without one.
        return failed(cell, ReasonKind::TestFailed, &format!("fails in {}, and names no test of it", some(bare)), &[]);
    }
    if !red.is_empty() && new.is_empty() && !build_broke {
        return stayed(cell, before);
    }
    if !new.is_empty() && unknown.is_empty() && !build_broke {
        let left = part::still_failing(cell, &new);
        if left.is_empty() {
            return stayed(cell, before);
        }
        if cell.again.len() < FLAKY_RERUNS {
            return Verdict::Inconclusive(format!("only tests failed that are known to be flaky ({})", list(&left)));
        }
        let text =
            format!("fails: {}, known to be flaky, in {} of {} runs", list(&left), FLAKY_RERUNS + 1, FLAKY_RERUNS + 1);
        return failed(cell, ReasonKind::TestFailed, &text, &left);
    }
    let text = if unknown.is_empty() { "fails".into() } else { format!("fails: {}", list(&unknown)) };
    failed(cell, ReasonKind::TestFailed, &text, &unknown)
}

/// What passed by its tests: all that ran before ran, and nothing was written that was not written before.
fn stayed(cell: &CellReport, before: Option<&CellBaseline>) -> Verdict {
    fewer_tests(cell, before).or_else(|| changes_files(cell, before)).unwrap_or(Verdict::Passed)
}

/// A check that writes over tracked files only with an upgrade says that they have to change with it (what is generated, a
/// lockfile beside), and what it saw is not what would be committed.
fn changes_files(cell: &CellReport, before: Option<&CellBaseline>) -> Option<Verdict> {
    let known = &before?.changes;
    let new: BTreeSet<&String> = cell.changed.iter().filter(|file| !known.contains(*file)).collect();
    if new.is_empty() {
        return None;
    }
    let files = some(new.iter().map(|file| file.as_str()));
    let command = brief(cell);
    let text = format!("{command} changes {files}, which git tracks and which it leaves alone before any upgrade");
    Some(Verdict::Failed(Cause {
        kind: ReasonKind::ChangesFiles,
        text,
        suspects: vec![],
        evidence: Evidence {
            command: Some(cell.cell.check.typed(&cell.words)),
            lines: new.into_iter().cloned().collect(),
            log: Some(cell.log.clone()),
            ..Evidence::default()
        },
    }))
}

/// A green suite that shrank proves less than the one before: it fails.
fn fewer_tests(cell: &CellReport, before: Option<&CellBaseline>) -> Option<Verdict> {
    let before = before?;
    let (expected, names) = part::expected(&cell.cell.extent, before);
    let ran = part::ran(cell);
    if ran >= expected {
        return None;
    }
    let missing = part::missing(cell, names);
    let text = format!("ran {ran} tests, {expected} ran before; missing: {}", list(&missing));
    Some(failed(cell, ReasonKind::FewerTests, &text, &missing))
}

fn tests_that(cell: &CellReport, end: TestEnd) -> Vec<TestName> {
    cell.reading.tests.iter().filter(|(_, one)| **one == end).map(|(name, _)| name.clone()).collect()
}

fn failed(cell: &CellReport, kind: ReasonKind, what: &str, tests: &[TestName]) -> Verdict {
    let command = cell.cell.check.typed(&cell.words);
    let first = cell.reading.telling.first().filter(|_| tests.is_empty());
    let first = first.map(|line| format!(": {}", line.trim())).unwrap_or_default();
    Verdict::Failed(Cause {
        kind,
        text: format!("{} {what}{first}", brief(cell)),
        suspects: vec![],
        evidence: Evidence {
            command: Some(command),
            tests: tests.iter().map(ToString::to_string).collect(),
            lines: cell.reading.telling.clone(),
            log: Some(cell.log.clone()),
            ..Evidence::default()
        },
    })
}

fn judge_claims(report: &TrialReport, claims: &[Claim]) -> Verdict {
    let unproven: Vec<&Claim> = claims.iter().filter(|claim| !is_compiled(report, claim)).collect();
    if unproven.is_empty() {
        return Verdict::Passed;
    }
    let names: Vec<String> = unproven.iter().map(|claim| claim.package.to_string()).collect();
    Verdict::Failed(Cause {
        kind: ReasonKind::NotExercised,
        text: format!("no cell compiles {}, so nothing is proved", names.join(", ")),
        suspects: unproven.iter().map(|claim| claim.member).collect(),
        evidence: Evidence::default(),
    })
}

fn is_compiled(report: &TrialReport, claim: &Claim) -> bool {
    exercised(report, claim).any(|(_, known)| known.compiled.contains(&claim.package))
}

/// The packages that the projects of a claim compiled. Those of another project may be the same and say nothing: what moves
/// here does not move there.
fn exercised<'a>(report: &'a TrialReport, claim: &'a Claim) -> impl Iterator<Item = (&'a ProjectId, &'a Exercised)> {
    report.exercised.iter().filter(|(project, _)| claim.projects.contains(*project))
}

/// The words for a trial that counts as passed although these tests failed in it.
#[must_use]
pub fn cleared(tests: &[String]) -> String {
    let fail = if tests.len() == 1 { "fails" } else { "fail" };
    format!("{} {fail}, as far as seen for no upgrade's sake; each test passed in other runs of the same", some(tests))
}

fn list(names: &[TestName]) -> String {
    some(names)
}

/// A few names, and how many more there are.
fn some(names: impl IntoIterator<Item = impl Display>) -> String {
    const SHOWN: usize = 3;
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    let mut text = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        let _ = write!(text, " and {} more", names.len() - SHOWN);
    }
    text
}

/// What the words of a failed download mean: `Some` is a verdict (what was downloaded is not what the lockfile or the
/// checksum database says), `None` is noise.
#[must_use]
pub fn download_refusal(words: &str) -> Option<Reason> {
    (cargo::is_bad_checksum(words) || go::is_refused_module(words)).then(|| {
        let text = format!("what the registry sends is not what was promised, and nothing was healed: {words}");
        Reason::new(ReasonKind::ResolveRefused, text)
    })
}

/// How long a cell of a trial may take, in seconds: compiling, a multiple of the cold baseline and 10 minutes at least;
/// testing, five times the baseline and a minute at least.
#[must_use]
pub fn time_limit(phase: Phase, baseline_seconds: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "seconds of a process are small and positive"
    )]
    let whole = |factor: f64| (baseline_seconds * factor).ceil() as u64;
    match phase {
        Phase::Gate => whole(2.0).max(600),
        Phase::Test => whole(5.0).max(60),
    }
}

#[cfg(test)]
mod tests;
