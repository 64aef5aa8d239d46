//! `xupgrade.toml`: read strictly (unknown keys and wrong types are errors with line and column), then joined with the
//! command line into the one value that everything takes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::candidate::{EcosystemKind, ProjectId};
use crate::clock::Instant;
use crate::ecosystem::check_names;
use crate::machine::failure::Usage;
use crate::machine::toml_text;
use crate::policy::{HoldRule, Reach};
use crate::project::{CONFIG_FILE, Project};
use crate::shell;
use crate::trial::{Cell, Check, Company, Extent, Grain, MESSAGES, Phase, Reader, Turn};
use crate::verdict::Unexercised;

/// The limit of target directories where nobody says otherwise, in GiB.
const USUAL_TARGET_LIMIT: u64 = 5;

/// The file, as it may be written.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Config {
    /// How far to go.
    pub level: Option<Level>,
    /// The cooldown, in days.
    pub min_age: Option<u32>,
    /// Globs of project folders (or of their files) that are left out.
    pub exclude: Vec<String>,
    /// Globs of project folders among test data that are to be upgraded all the same.
    pub include: Vec<String>,
    /// What to do with candidates that no cell compiles.
    pub unexercised: Option<UnexercisedRule>,
    /// Variables that checks may see.
    #[serde(alias = "pass_env")]
    pub pass_env: Vec<String>,
    /// Runs the checks as root where the tool is root's; else they run as an ordinary user there.
    #[serde(alias = "as_root")]
    pub as_root: bool,
    /// The limit of the target directories that the repository keeps between runs, in GiB.
    pub target_limit: Option<u64>,
    /// What to do once after checkout.
    pub setup: Setup,
    /// Dependencies to leave alone.
    pub hold: Vec<Hold>,
    /// Cells to add, or to put in the place of default ones.
    pub check: Vec<CheckRule>,
}

/// `level = "…"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Fixes only.
    Patch,
    /// Everything compatible.
    Compatible,
    /// Breaking releases, too.
    Breaking,
}

impl From<Level> for Reach {
    fn from(level: Level) -> Self {
        match level {
            Level::Patch => Self::Patch,
            Level::Compatible => Self::Compatible,
            Level::Breaking => Self::Breaking,
        }
    }
}

/// `unexercised = "…"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UnexercisedRule {
    /// Hold them.
    Hold,
    /// Let them pass with proof `none`.
    Allow,
}

impl From<UnexercisedRule> for Unexercised {
    fn from(rule: UnexercisedRule) -> Self {
        match rule {
            UnexercisedRule::Hold => Self::Hold,
            UnexercisedRule::Allow => Self::Allow,
        }
    }
}

/// `[setup]`.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Setup {
    /// Commands to run.
    pub commands: Vec<Words>,
    /// Files that git ignores, to copy out of the user's checkout.
    pub copy: Vec<String>,
}

/// A command: a list of words, or one line that is split as a shell would split it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(untagged, expecting = "a command: a string, or a list of strings")]
pub enum Words {
    /// `"make generate"`.
    Line(String),
    /// `["make", "generate"]`.
    List(Vec<String>),
}

impl Words {
    /// The words.
    ///
    /// # Errors
    /// When there are none, or a quote is left open.
    pub fn words(&self) -> Result<Vec<String>> {
        let words = match self {
            Self::List(words) => words.clone(),
            Self::Line(line) => shell::split(line)
                .ok_or_else(|| Usage(format!("the command `{line}` in {CONFIG_FILE} has an open quote")))?,
        };
        if words.is_empty() {
            return Err(Usage(format!("a command in {CONFIG_FILE} is empty")).into());
        }
        Ok(words)
    }
}

/// `[[hold]]`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    name: String,
    ecosystem: Option<EcosystemKind>,
    project: Option<String>,
    reason: String,
    until: Option<String>,
}

impl Hold {
    /// The rule.
    ///
    /// # Errors
    /// When its day is none.
    pub fn rule(&self) -> Result<HoldRule> {
        Ok(HoldRule {
            name: self.name.clone(),
            ecosystem: self.ecosystem,
            project: self.project.clone(),
            reason: self.reason.clone(),
            until: self.until.as_deref().map(day).transpose()?,
        })
    }
}

fn day(text: &str) -> Result<Instant> {
    let whole = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    Instant::parse(&whole)
        .map_err(|_| Usage(format!("`until = \"{text}\"` in {CONFIG_FILE} is no day; write it as 2026-12-31")).into())
}

/// `[[check]]`: a cell. With the name of a default one (`gate`, `test`) it takes its place, or switches it off.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CheckRule {
    name: String,
    command: Option<Words>,
    /// The default check of this name does not run.
    #[serde(default)]
    off: bool,
    #[serde(default = "root")]
    project: String,
    ecosystem: EcosystemKind,
    phase: Option<Phase>,
    directory: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    toolchain: Option<String>,
    #[serde(default)]
    features: Vec<String>,
    target: Option<String>,
    limit: Option<u64>,
    #[serde(default)]
    exclusive: bool,
    #[serde(default)]
    concerns: Vec<String>,
}

fn root() -> String {
    ".".into()
}

impl Config {
    /// Reads a file; none there is an empty configuration.
    ///
    /// # Errors
    /// When it cannot be read, or says something unknown.
    pub fn read(path: &Path) -> Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, &path.display().to_string()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Reads a text.
    ///
    /// # Errors
    /// When it says something unknown; the error points at line and column.
    pub fn parse(text: &str, name: &str) -> Result<Self> {
        toml_text::from_str(text).map_err(|error| Usage(format!("{name}: {error}")).into())
    }

    /// The matrix: the default checks of the projects, with the configuration's in their place or beside them.
    ///
    /// # Errors
    /// When a check names no known project.
    pub fn matrix(
        &self,
        projects: &[Project],
        defaults: impl Fn(&Project, &[Check]) -> Result<Vec<Check>>,
    ) -> Result<Vec<Cell>> {
        let mut cells = Vec::new();
        for project in projects.iter().filter(|project| project.obstacle.is_none()) {
            let own = self.check.iter().filter(|rule| rule.is_of(project) && !rule.off);
            let own: Vec<Check> = own.map(|rule| rule.check(project)).collect::<Result<_>>()?;
            let mut checks = defaults(project, &own)?;
            // What the project needs to be built at all (its toolchain) holds for a user's checks of it, too.
            let needed = checks.first().map(|check| check.env.clone()).unwrap_or_default();
            for mut check in own {
                check.env = needed.clone().into_iter().chain(check.env).collect();
                match checks.iter_mut().find(|default| default.name == check.name) {
                    Some(default) => *default = check,
                    None => checks.push(check),
                }
            }
            cells.extend(self.cells(project, projects, checks));
        }
        self.check.iter().try_for_each(CheckRule::validate)?;
        if let Some(lost) = self.check.iter().find(|rule| !projects.iter().any(|project| rule.is_of(project))) {
            let text = format!(
                "{CONFIG_FILE}: check `{}` names the {} project `{}`, which is not there",
                lost.name, lost.ecosystem, lost.project
            );
            return Err(Usage(text).into());
        }
        cells.sort_by_key(|cell| cell.check.phase);
        Ok(cells)
    }

    /// The limit of the target directories that this repository keeps between runs, in GiB.
    #[must_use]
    pub fn target_limit(&self) -> u64 {
        self.target_limit.unwrap_or(USUAL_TARGET_LIMIT)
    }

    /// The cells of a project's checks, without those that are switched off.
    #[must_use]
    pub fn cells(&self, project: &Project, projects: &[Project], checks: Vec<Check>) -> Vec<Cell> {
        let is_off = |check: &Check| self.check.iter().any(|rule| rule.switches_off(project, &check.name));
        let cell = |check: Check| Cell {
            project: project.id(),
            concerns: self.concerns(project, &check, projects),
            check,
            extent: Extent::Whole,
        };
        checks.into_iter().filter(|check| !is_off(check)).map(cell).collect()
    }

    /// True for a check that the file names with a command.
    #[must_use]
    pub fn is_own(&self, project: &Project, name: &str) -> bool {
        self.check.iter().any(|rule| rule.is_of(project) && rule.name == name && !rule.off)
    }

    fn concerns(&self, project: &Project, check: &Check, projects: &[Project]) -> BTreeSet<ProjectId> {
        let mut concerned: BTreeSet<ProjectId> = [project.id()].into();
        let rule = self.check.iter().find(|rule| rule.is_of(project) && rule.name == check.name);
        for path in rule.iter().flat_map(|rule| &rule.concerns) {
            concerned.extend(projects.iter().filter(|other| other.path == *path).map(Project::id));
        }
        concerned
    }
}

impl CheckRule {
    fn is_of(&self, project: &Project) -> bool {
        self.ecosystem == project.ecosystem && self.project == project.path
    }

    fn switches_off(&self, project: &Project, check: &str) -> bool {
        self.off && self.is_of(project) && is_meant(&self.name, check)
    }

    /// Looks for what says too little, or too much.
    fn validate(&self) -> Result<()> {
        let names = check_names(self.ecosystem);
        let is_one = |known: &&str| is_meant(known, &self.name) || is_meant(&self.name, known);
        let text = match (&self.command, self.off) {
            (None, false) => format!("{CONFIG_FILE}: check `{}` has no command", self.name),
            (Some(_), true) => format!("{CONFIG_FILE}: check `{}` has a command and is switched off", self.name),
            (None, true) if !names.iter().any(is_one) => format!(
                "{CONFIG_FILE}: check `{}` is switched off, and {} has no check of that name; there are {}",
                self.name,
                self.ecosystem,
                names.join(", ")
            ),
            _ => return Ok(()),
        };
        Err(Usage(text).into())
    }

    fn check(&self, project: &Project) -> Result<Check> {
        let no_command = || Usage(format!("{CONFIG_FILE}: check `{}` has no command", self.name));
        let mut argv = self.command.as_ref().ok_or_else(no_command)?.words()?;
        let mut env = self.env.clone();
        if let Some(toolchain) = &self.toolchain {
            env.insert(project.ecosystem.facts().toolchain_variable.into(), toolchain.clone());
        }
        if !self.features.is_empty() {
            argv.extend(["--features".into(), self.features.join(",")]);
        }
        if let Some(target) = &self.target {
            argv.extend(["--target".into(), target.clone()]);
        }
        let (phase, reader, afresh) = recognise(&mut argv);
        Ok(Check {
            name: self.name.clone(),
            phase: self.phase.unwrap_or(phase),
            argv,
            afresh,
            dir: self.directory.clone().unwrap_or_else(|| project.path.clone()),
            env,
            reader,
            limit: self.limit,
            company: if self.exclusive { Company::Alone } else { Company::Any },
            turn: Turn::Always,
            grain: Grain::Whole,
        })
    }
}

/// True where a name, or a beginning and `*`, means a check.
fn is_meant(said: &str, check: &str) -> bool {
    said.strip_suffix('*').map_or(said == check, |beginning| check.starts_with(beginning))
}

/// Tells from a command how its output is read, and asks for machine-readable output where there is one.
fn recognise(argv: &mut Vec<String>) -> (Phase, Reader, Vec<String>) {
    let has = |argv: &[String], word: &str| argv.iter().any(|arg| arg == word);
    let verb = argv.iter().skip(1).find(|arg| !arg.starts_with(['-', '+'])).cloned().unwrap_or_default();
    match (program(argv), verb.as_str()) {
        ("cargo", "test" | "build" | "check" | "clippy") if verb != "test" || has(argv, "--no-run") => {
            if !argv.iter().any(|arg| arg.starts_with("--message-format")) {
                argv.push(MESSAGES.into());
            }
            (Phase::Gate, Reader::CargoMessages, vec![])
        }
        ("cargo", "test") => (Phase::Test, Reader::Libtest, vec![]),
        ("go", "test") => {
            if !has(argv, "-json") {
                let at = argv.iter().position(|arg| arg == "test").map_or(argv.len(), |at| at + 1);
                argv.insert(at, "-json".into());
            }
            (Phase::Test, Reader::GoTest, vec!["-count=1".into()])
        }
        ("go", "vet" | "build") => (Phase::Gate, Reader::GoTest, vec![]),
        _ => (Phase::Test, Reader::Plain, vec![]),
    }
}

fn program(argv: &[String]) -> &str {
    argv.first().and_then(|path| path.rsplit('/').next()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project() -> Project {
        Project::of(EcosystemKind::Go, "svc", &[])
    }

    #[test]
    fn an_unknown_key_is_an_error_with_its_line() {
        let error = Config::parse("min-age = 3\nmin-agee = 4\n", "xupgrade.toml").unwrap_err().to_string();
        assert!(error.contains("xupgrade.toml: line 2") && error.contains("min-agee"), "{error}");
    }

    #[test]
    fn a_wrong_type_is_an_error_with_its_line() {
        let error =
            Config::parse("level = \"compatible\"\nmin-age = \"x\"\n", "xupgrade.toml").unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }

    #[test]
    fn a_check_with_a_default_name_takes_its_place_and_asks_for_events() {
        let text =
            "[[check]]\nname = \"test\"\necosystem = \"go\"\nproject = \"svc\"\ncommand = \"go test ./pkg/...\"\n";
        let config = Config::parse(text, "x").unwrap();
        let default = config.check[0].check(&project()).unwrap();
        let cells = config
            .matrix(&[project()], |_, _| Ok(vec![Check { argv: vec!["other".into()], ..default.clone() }]))
            .unwrap();
        assert_eq!(cells.len(), 1);
        assert_eq!(cells[0].check.argv, ["go", "test", "-json", "./pkg/..."]);
        assert_eq!(cells[0].check.dir, "svc");
        assert_eq!(cells[0].check.afresh, ["-count=1"]);
    }

    #[test]
    fn a_check_for_a_project_that_is_not_there_is_an_error() {
        let text = "[[check]]\nname = \"x\"\necosystem = \"go\"\nproject = \"nowhere\"\ncommand = \"true\"\n";
        let error = Config::parse(text, "x").unwrap().matrix(&[project()], |_, _| Ok(vec![])).unwrap_err().to_string();
        assert!(error.contains("nowhere"), "{error}");
    }

    /// The checks that are left when those of a name are switched off, beside `gate` and `build-windows`.
    fn matrix(name: &str, more: &str) -> Result<Vec<String>> {
        let text = format!("[[check]]\nname = \"{name}\"\necosystem = \"go\"\nproject = \"svc\"\n{more}");
        let check = |name: &str| Cell::of(name, Phase::Gate).check;
        let cells =
            Config::parse(&text, "x")?.matrix(&[project()], |_, _| Ok(vec![check("gate"), check("build-windows")]))?;
        Ok(cells.into_iter().map(|cell| cell.check.name).collect())
    }

    #[test]
    fn a_check_is_switched_off_by_its_name_or_by_how_it_begins() {
        assert_eq!(matrix("gate", "off = true\n").unwrap(), ["build-windows"]);
        assert_eq!(matrix("build-windows", "off = true\n").unwrap(), ["gate"]);
        assert_eq!(matrix("build-*", "off = true\n").unwrap(), ["gate"]);
        assert_eq!(matrix("build", "off = true\n").unwrap(), ["gate", "build-windows"]);
        assert_eq!(matrix("build-e2e", "off = true\n").unwrap(), ["gate", "build-windows"], "it may be there tomorrow");
    }

    #[test]
    fn a_check_that_says_too_little_or_too_much_is_an_error_that_names_what_there_is() {
        let error = |name: &str, more: &str| matrix(name, more).unwrap_err().to_string();
        let unknown = error("gaet", "off = true\n");
        assert!(
            unknown.contains("`gaet`") && unknown.contains("gate, build, test, tools, build-*, vet-*"),
            "{unknown}"
        );
        assert!(error("gate", "").contains("no command"));
        assert!(error("gate", "off = true\ncommand = \"true\"\n").contains("is switched off"));
    }

    #[test]
    fn a_hold_takes_a_plain_day() {
        let text = "[[hold]]\nname = \"x\"\nreason = \"ticket\"\nuntil = \"2026-12-31\"\n";
        let rule = Config::parse(text, "x").unwrap().hold[0].rule().unwrap();
        assert_eq!(rule.until.unwrap().date(), "2026-12-31");
    }
}
