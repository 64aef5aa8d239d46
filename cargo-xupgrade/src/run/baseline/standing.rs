//! The standing of each project after the baseline: which are red and held whole, which checks and targets are left out
//! since they fail on the untouched base, and which packages the others compile. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::{Accept, cells, gather_cell};
use crate::candidate::{Candidate, Evidence, Reason, ReasonKind};
use crate::phrases::{self, rustup};
use crate::plan::Plan;
use crate::trial::{Cell, CellKey, CellReport, Exit, Grain, TrialReport, Turn};
use crate::verdict::{CellBaseline, Unexercised, Verdict, judge_cell};

/// Something that fails on the untouched base and is left out.
pub struct LeftOut {
    /// The label of its project.
    pub project: String,
    /// The thing and the reason, for people.
    pub text: String,
}

/// The standing of each project.
#[derive(Default)]
pub struct Standing {
    /// Projects with a check that fails, and why.
    red: BTreeMap<String, Reason>,
    /// Cells that fail whole, each with its first telling line: they are left out, and nothing else is.
    left_out: BTreeMap<CellKey, String>,
    /// Targets that do not compile, by project and name, each with the log that says so: they are left out, and the cells
    /// stay.
    targets: BTreeMap<(String, String), String>,
    /// The packages that the cells compile, over all projects.
    compiled: BTreeSet<String>,
    /// Dependencies that nothing uses, by project.
    unused: BTreeSet<(String, String)>,
    /// For dependencies that no check here can compile, by project: a word on what would.
    missing: BTreeMap<(String, String), String>,
}

impl Standing {
    /// True for a project (by label) that is held as red.
    pub fn is_red(&self, label: &str) -> bool {
        self.red.contains_key(label)
    }

    /// True for a cell that stays in the matrix.
    pub fn keeps(&self, cell: &Cell) -> bool {
        !self.is_red(&cell.project) && !self.left_out.contains_key(&cell.key())
    }

    /// The list of all that is left out, each with its reason: one line for each project's targets, and for each check that is left out whole.
    pub fn left_out(&self, plan: &Plan) -> Vec<LeftOut> {
        let green = plan.cells.iter().filter(|cell| !self.is_red(&cell.project));
        let whole = green.clone().filter_map(|cell| {
            let why = self.left_out.get(&cell.key())?;
            let command = cell.check.typed(&cell.check.argv);
            let text = format!("`{command}` fails before any upgrade ({why}), so it is left out and proves nothing");
            Some(LeftOut { project: cell.project.clone(), text })
        });
        let labels: BTreeSet<&String> = green.map(|cell| &cell.project).collect();
        labels.into_iter().filter_map(|label| self.left_out_targets(label)).chain(whole).collect()
    }

    fn left_out_targets(&self, label: &str) -> Option<LeftOut> {
        let mut of_it = self.targets.iter().filter(|((project, _), _)| project == label);
        let names: Vec<&str> = of_it.clone().map(|((_, target), _)| target.as_str()).collect();
        let (_, log) = of_it.next_back()?;
        let names = names.join(", ");
        let text = format!("{label} does not compile {names} before any upgrade, so that is left out; see {log}");
        Some(LeftOut { project: label.to_owned(), text })
    }

    /// Adds to the reason of a red project what may be the cause; the first advice counts.
    pub fn advise(&mut self, label: &str, advice: &str) {
        let Some(reason) = self.red.get_mut(label) else { return };
        if let Some((what, _)) = reason.text.split_once(MEND_IT) {
            reason.text = format!("{what}; {advice}");
        }
    }

    /// The reason that holds a candidate before any trial.
    pub fn hold(&self, candidate: &Candidate, unexercised: Unexercised) -> Option<Reason> {
        let label = format!("{} {}", candidate.ecosystem, candidate.project);
        if let Some(reason) = self.red.get(&label) {
            return Some(reason.clone());
        }
        if unexercised == Unexercised::Allow || candidate.is_among(&self.compiled) {
            return None;
        }
        let key = (label, candidate.name.clone());
        if self.unused.contains(&key) {
            let text = format!("nothing imports {}; remove the requirement or use it", candidate.name);
            return Some(Reason::new(ReasonKind::Unused, text));
        }
        let package = format!("{}@{}", candidate.name, candidate.at);
        let places: BTreeSet<&str> = candidate.places.iter().map(|place| place.table.as_str()).collect();
        let places: Vec<&str> = places.into_iter().collect();
        let switch = || candidate.switch.as_ref().map(|switch| format!("add a check with {switch}"));
        let missing = self.missing.get(&key).cloned().or_else(switch);
        let advice = missing.unwrap_or_else(|| "add a check with the target or tag that does".to_owned());
        let required = match places.as_slice() {
            [] => "only other packages require it".to_owned(),
            places => format!("required in `{}`", places.join("`, `")),
        };
        let text = format!("no check compiles {package} ({required}); {advice}");
        Some(Reason::new(ReasonKind::NotExercised, text))
    }
}

/// The standing of the projects after the runs of the untouched base.
pub fn standing(reports: &[TrialReport], accept: Accept) -> Standing {
    let mut standing = Standing::default();
    for (label, exercised) in reports.iter().flat_map(|report| &report.exercised) {
        standing.compiled.extend(exercised.compiled.iter().cloned());
        standing.unused.extend(exercised.unused.iter().map(|name| (label.clone(), name.clone())));
        let missing = exercised.missing.iter();
        standing.missing.extend(missing.map(|(name, word)| ((label.clone(), name.clone()), word.clone())));
    }
    for (key, runs) in cells(reports) {
        standing.look_at(&key, &runs, accept);
    }
    for (label, reason) in reports.iter().flat_map(|report| &report.unfetched) {
        standing.red.insert(label.clone(), reason.clone());
    }
    let never_started = reports
        .iter()
        .flat_map(|report| &report.cells)
        .filter(|cell| matches!(cell.exit, Exit::NotStarted(_)) && cell.cell.check.turn == Turn::Always);
    for cell in never_started {
        let text = format!("`{}` does not start; is it installed?", cell.cell.check.typed(&cell.words));
        standing.red.insert(cell.cell.project.clone(), Reason::new(ReasonKind::ToolchainMissing, text));
    }
    standing
}

impl Standing {
    /// Takes in the runs of one cell.
    fn look_at(&mut self, key: &CellKey, runs: &[&CellReport], accept: Accept) {
        let known = gather_cell(runs);
        let verdicts: Vec<Verdict> =
            runs.iter().map(|cell| judge_cell(cell, judged_against(&known, accept).as_ref())).collect();
        let green = verdicts.contains(&Verdict::Passed);
        let always_red = !green && verdicts.iter().any(|verdict| matches!(verdict, Verdict::Failed(_)));
        // A test that is red each time is red, whatever else flaps beside it.
        let flaky_only = !known.flaky.is_empty() && known.failing.is_empty() && !green;
        let Some(fallen) = runs.iter().find(|cell| !cell.exit.is_success()) else { return };
        if is_partly_red(fallen, &known) {
            let targets = known.unbuilt.iter().map(|target| (key.0.clone(), target.clone()));
            self.targets.extend(targets.map(|target| (target, fallen.log.clone())));
        } else if fallen.cell.check.turn == Turn::Final || (always_red && fallen.cell.check.grain == Grain::Target) {
            self.left_out.insert(key.clone(), first_words(fallen));
        } else if always_red && !flaky_only {
            self.red.entry(key.0.clone()).or_insert_with(|| red_reason(runs, &verdicts));
        }
    }
}

/// True for a cell of which some targets do not compile, and others do; of no other does each count by itself.
fn is_partly_red(cell: &CellReport, known: &CellBaseline) -> bool {
    cell.cell.check.grain == Grain::Target && !known.built.is_empty() && !known.unbuilt.is_empty()
}

/// The first words of a failed cell.
fn first_words(cell: &CellReport) -> String {
    let said = cell.reading.telling.first().map(|line| line.trim().to_owned());
    said.unwrap_or_else(|| format!("see {}", cell.log))
}

fn judged_against(known: &CellBaseline, accept: Accept) -> Option<CellBaseline> {
    match accept {
        Accept::Failing => Some(CellBaseline { ran: 0, ..known.clone() }),
        Accept::Nothing => None,
    }
}

/// The advice where nothing better is known.
const MEND_IT: &str = "; mend it first, replace the check in xupgrade.toml, or pass --accept-failing";

fn red_reason(runs: &[&CellReport], verdicts: &[Verdict]) -> Reason {
    let cause = verdicts.iter().find_map(|verdict| match verdict {
        Verdict::Failed(cause) => Some(cause.clone()),
        _ => None,
    });
    let evidence =
        cause.as_ref().map(|cause| Box::new(Evidence { trial: "baseline-1".into(), ..cause.evidence.clone() }));
    let words = cause.map_or_else(|| runs[0].cell.check.typed(&runs[0].words), |cause| cause.text);
    let wants_another = |line: &String| rustup::is_not_installed(line) || phrases::cargo::is_rust_too_old(line);
    let missing = runs.iter().flat_map(|cell| &cell.reading.telling).any(wants_another);
    let (kind, advice) = if missing {
        (ReasonKind::ToolchainMissing, "; install the toolchain that it needs, or name another one (RUSTUP_TOOLCHAIN)")
    } else {
        (ReasonKind::BaselineRed, MEND_IT)
    };
    Reason { kind, text: format!("before any upgrade {words}{advice}"), evidence }
}
