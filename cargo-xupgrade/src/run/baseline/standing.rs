//! The standing of each project after the baseline: which are red and held whole, which checks and targets are left out
//! since they fail on the untouched base, and which packages the others compile. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::{Accept, aside, cells};
use crate::candidate::{Candidate, Evidence, ProjectId, Reason, ReasonKind, Target};
use crate::phrases::{self, rustup};
use crate::plan::Plan;
use crate::rules::is_among;
use crate::trial::{Cell, CellKey, CellReport, Exit, Grain, TestName, TrialReport, Turn};
use crate::verdict::{Baseline, CellBaseline, Unexercised, Verdict, judge_cell};

/// Something that fails on the untouched base and is left out.
pub struct LeftOut {
    /// Its project.
    pub project: ProjectId,
    /// The thing and the reason, for people.
    pub text: String,
}

/// The standing of each project.
#[derive(Default)]
pub struct Standing {
    /// Projects with a check that fails, and why.
    red: BTreeMap<ProjectId, Red>,
    /// Checks that go on without tests that fail: the words for them.
    aside: BTreeMap<CellKey, String>,
    /// The likely cause of a failure, by project, with the line of configuration that mends it.
    advice: BTreeMap<ProjectId, String>,
    /// Cells that fail whole, each with its first telling line: they are left out, and nothing else is.
    left_out: BTreeMap<CellKey, String>,
    /// Targets that do not compile, by project and name, each with the log that says so: they are left out, and the cells
    /// stay.
    targets: BTreeMap<(ProjectId, String), String>,
    /// The packages that the cells compile, by project.
    compiled: BTreeMap<ProjectId, BTreeSet<Target>>,
    /// Dependencies that nothing uses, by project.
    unused: BTreeSet<(ProjectId, String)>,
    /// For dependencies that no check here can compile, by project: a word on what would.
    missing: BTreeMap<(ProjectId, String), String>,
    /// Projects into which no upgrade can be written, and why.
    stuck: BTreeMap<ProjectId, Reason>,
}

/// The reason for a red project, and the next step where its cause is not known.
struct Red {
    reason: Reason,
    next: String,
}

impl Red {
    fn of(reason: Reason) -> Self {
        Self { reason, next: String::new() }
    }
}

impl Standing {
    /// True for a project that is held as red.
    pub fn is_red(&self, project: &ProjectId) -> bool {
        self.red.contains_key(project)
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
        let aside = green.clone().filter_map(|cell| self.set_aside(cell));
        let projects: BTreeSet<&ProjectId> = green.clone().map(|cell| &cell.project).collect();
        projects.into_iter().filter_map(|project| self.left_out_targets(project)).chain(whole).chain(aside).collect()
    }

    fn set_aside(&self, cell: &Cell) -> Option<LeftOut> {
        let told = self.aside.get(&cell.key())?;
        let advice = self.advice.get(&cell.project).map(|advice| format!("; {advice}")).unwrap_or_default();
        Some(LeftOut { project: cell.project.clone(), text: format!("{told}{advice}") })
    }

    fn left_out_targets(&self, id: &ProjectId) -> Option<LeftOut> {
        let mut of_it = self.targets.iter().filter(|((project, _), _)| project == id);
        let names: Vec<&str> = of_it.clone().map(|((_, target), _)| target.as_str()).collect();
        let (_, log) = of_it.next_back()?;
        let names = names.join(", ");
        let text = format!("{id} does not compile {names} before any upgrade, so that is left out; see {log}");
        Some(LeftOut { project: id.clone(), text })
    }

    /// The cells whose failure on the base is told, so that its cause is worth a look.
    pub fn tells_of(&self, cell: &Cell) -> bool {
        self.is_red(&cell.project) || self.aside.contains_key(&cell.key())
    }

    /// Adds to the words on a project's failure what may be the cause; the first advice counts.
    pub fn advise(&mut self, project: &ProjectId, advice: String) {
        self.advice.entry(project.clone()).or_insert(advice);
    }

    /// The reason that holds all of a red project.
    fn red(&self, project: &ProjectId) -> Option<Reason> {
        let Red { reason, next } = self.red.get(project)?;
        let known = self.advice.get(project).map(|advice| format!("; {advice}"));
        let known = known.filter(|_| reason.kind == ReasonKind::BaselineRed && !next.is_empty());
        Some(Reason { text: format!("{}{}{next}", reason.text, known.unwrap_or_default()), ..reason.clone() })
    }

    /// The reason that holds a candidate before any trial, where the cells of these projects count for it.
    pub fn hold(&self, candidate: &Candidate, reached: &[ProjectId], unexercised: Unexercised) -> Option<Reason> {
        let project = &candidate.id.project;
        if let Some(reason) = self.red(project) {
            return Some(reason);
        }
        if let Some(reason) = self.stuck.get(project) {
            return Some(reason.clone());
        }
        let mut compiled = reached.iter().filter_map(|project| self.compiled.get(project));
        if unexercised == Unexercised::Allow || compiled.any(|compiled| is_among(candidate, compiled)) {
            return None;
        }
        let key = (project.clone(), candidate.id.name.clone());
        if self.unused.contains(&key) {
            let text = format!("nothing imports {}; remove the requirement or use it", candidate.id.name);
            return Some(Reason::new(ReasonKind::Unused, text));
        }
        let package = Target::new(candidate.id.name.as_str(), candidate.at.clone());
        let places: BTreeSet<&str> = candidate.id.places.iter().map(|place| place.table.as_str()).collect();
        let places: Vec<&str> = places.into_iter().collect();
        let switch = || candidate.switch.as_ref().map(|switch| format!("add a check with {switch}"));
        let missing = self.missing.get(&key).cloned().or_else(switch);
        let advice = missing.unwrap_or_else(|| "add a check with the target or tag that does".to_owned());
        let required = match places.as_slice() {
            [] => "only other packages require it".to_owned(),
            places => format!("required in `{}`", places.join("`, `")),
        };
        // The same release may be compiled elsewhere, where it does not move with this one.
        let here = if self.compiled.values().any(|all| is_among(candidate, all)) {
            format!(" of {project}")
        } else {
            String::new()
        };
        let text = format!("no check{here} compiles {package} ({required}); {advice}");
        Some(Reason::new(ReasonKind::NotExercised, text))
    }
}

/// The standing of the projects after the runs of the untouched base.
pub fn standing(reports: &[TrialReport], baseline: &Baseline, accept: Accept) -> Standing {
    let mut standing = Standing::default();
    for (project, exercised) in reports.iter().flat_map(|report| &report.exercised) {
        standing.compiled.entry(project.clone()).or_default().extend(exercised.compiled.iter().cloned());
        standing.unused.extend(exercised.unused.iter().map(|name| (project.clone(), name.clone())));
        let missing = exercised.missing.iter();
        standing.missing.extend(missing.map(|(name, word)| ((project.clone(), name.clone()), word.clone())));
        standing.stuck.extend(exercised.stuck.iter().map(|reason| (project.clone(), reason.clone())));
    }
    for (key, runs) in cells(reports) {
        standing.look_at(&key, &runs, &baseline.cells[&key], accept);
    }
    for (project, reason) in reports.iter().flat_map(|report| &report.unfetched) {
        standing.red.insert(project.clone(), Red::of(reason.clone()));
    }
    let never_started = reports
        .iter()
        .flat_map(|report| &report.cells)
        .filter(|cell| matches!(cell.exit, Exit::NotStarted(_)) && cell.cell.check.turn == Turn::Always);
    for cell in never_started {
        let text = format!("`{}` does not start; is it installed?", cell.cell.check.typed(&cell.words));
        standing.red.insert(cell.cell.project.clone(), Red::of(Reason::new(ReasonKind::ToolchainMissing, text)));
    }
    standing
}

impl Standing {
    /// Takes in the runs of one cell, and what they say together.
    fn look_at(&mut self, key: &CellKey, runs: &[&CellReport], known: &CellBaseline, accept: Accept) {
        if runs.iter().any(|cell| cell.exit == Exit::Interrupted) {
            return;
        }
        let forgiven = judged_against(known, accept);
        let verdicts: Vec<Verdict> = runs.iter().map(|cell| judge_cell(cell, forgiven.as_ref())).collect();
        let green = verdicts.contains(&Verdict::Passed);
        // A test that is red each time is red, whatever else flaps beside it.
        let flaky_only = !known.flaky.is_empty() && known.failing.is_empty();
        let always_red = !green && !flaky_only;
        let Some(fallen) = runs.iter().find(|cell| !cell.exit.is_success()) else { return };
        if is_partly_red(fallen, known) {
            let targets = known.unbuilt.iter().map(|target| (key.project.clone(), target.clone()));
            self.targets.extend(targets.map(|target| (target, fallen.log.clone())));
        } else if fallen.cell.check.turn == Turn::Final || (always_red && fallen.cell.check.grain == Grain::Target) {
            self.left_out.insert(key.clone(), first_words(fallen));
        } else if forgiven.is_some() && (green || !verdicts.iter().any(|one| matches!(one, Verdict::Failed(_)))) {
            self.aside.insert(key.clone(), words_aside(fallen, &known.failing));
        } else if always_red {
            self.red.entry(key.project.clone()).or_insert_with(|| red(runs, &verdicts));
        }
    }
}

/// The words for tests that are set aside.
fn words_aside(cell: &CellReport, failing: &[TestName]) -> String {
    let names: Vec<String> = aside::leaves(failing).into_iter().map(|name| format!("`{name}`")).collect();
    let (all, them) = match names.len() {
        1 => ("1 test fails".to_owned(), "it is set aside and proves nothing"),
        more => (format!("{more} tests fail"), "they are set aside and prove nothing"),
    };
    let (command, folder) = (cell.cell.check.typed(&cell.words), &cell.cell.check.dir);
    format!(
        "{}: {all} before any upgrade, so {them}: {}; see {}, or run `{command}` in the folder {folder} of a clean clone",
        cell.cell.project,
        names.join(", "),
        cell.log
    )
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

/// The base that its own runs are judged against: themselves, where the check goes on without its red tests.
fn judged_against(known: &CellBaseline, accept: Accept) -> Option<CellBaseline> {
    (accept == Accept::Failing && aside::is_few(known)).then(|| CellBaseline { ran: 0, ..known.clone() })
}

fn red(runs: &[&CellReport], verdicts: &[Verdict]) -> Red {
    let cause = verdicts.iter().find_map(|verdict| match verdict {
        Verdict::Failed(cause) => Some(cause.clone()),
        _ => None,
    });
    let noise = verdicts.iter().find_map(|verdict| match verdict {
        Verdict::Inconclusive(why) => Some(why),
        _ => None,
    });
    let evidence =
        cause.as_ref().map(|cause| Box::new(Evidence { trial: "baseline-1".into(), ..cause.evidence.clone() }));
    let command = runs[0].cell.check.typed(&runs[0].words);
    let words = cause.map(|cause| cause.text).or_else(|| Some(format!("`{command}` fails: {}", noise?)));
    let wants_another = |line: &String| rustup::is_not_installed(line) || phrases::cargo::is_rust_too_old(line);
    let missing = runs.iter().flat_map(|cell| &cell.reading.telling).any(wants_another);
    let (kind, next) = if missing {
        let next = "; install the toolchain that it needs, or name another one (RUSTUP_TOOLCHAIN)";
        (ReasonKind::ToolchainMissing, next.to_owned())
    } else {
        let folder = &runs[0].cell.check.dir;
        (ReasonKind::BaselineRed, format!("; to see it, run `{command}` in the folder {folder} of a clean clone"))
    };
    let text = format!("before any upgrade {}", words.unwrap_or(command));
    Red { reason: Reason { kind, text, evidence }, next }
}
