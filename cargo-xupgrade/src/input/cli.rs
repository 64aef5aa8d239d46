//! The command line: what may be typed, nothing more. Flags follow cargo's where cargo has them.

mod search;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::engine::commits::CommitChecks;
use crate::input::config::Level;
use crate::project;
pub use search::{DepthRule, ExecutorKind, ResumeRule, SearchArgs, StrategyRule};

/// Upgrades the dependencies of mixed Rust and Go repositories, and proves every upgrade with the project's own checks
#[derive(Debug, Parser)]
#[command(name = "cargo-xupgrade", bin_name = "cargo xupgrade", version, about, after_help = AFTER)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Cli {
    /// What to do; `run` when nothing is named
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The flags of `run`
    #[command(flatten)]
    pub run: RunArgs,
}

const AFTER: &str = "\
Exit codes:
  0    done, or nothing to do
  1    could not find out
  2    wrong command line or configuration
  3    trials ran, and none gave a clear answer
  4    no project compiles and has a test that passes before any upgrade
  5    publishing failed, or would have (no author, no key to sign with)
  10   something is held, with --fail-on-held
  130  interrupted

The code under trial runs as you, with your network: this is no sandbox. It sees no tokens in its environment or HOME.";

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find what can move, try it, and leave a branch of upgrades that passed
    Run(Box<RunArgs>),
    /// Show what a run would try; change nothing
    Plan(Box<PlanArgs>),
    /// Show the last run again: what moved, what did not and why, and its trials as a tree
    Report(ReportArgs),
    /// Make a small mixed repository and run the real job on it, offline
    Demo(DemoArgs),
    /// Remove the clones and target directories in the cache
    Clean(CleanArgs),
    /// Build the Go companion, and put it on the PATH with --install
    Companion(CompanionArgs),
    /// Run one trial of a run that works elsewhere: the order comes in a file, and the report goes into another
    #[command(hide = true)]
    Trial(TrialArgs),
}

/// Where to look and what to choose.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize)]
#[serde(default)]
pub struct Selection {
    /// The git repository (default: the one around the current folder)
    #[arg(long, value_name = "FOLDER", help_heading = "Repository")]
    pub repo: Option<PathBuf>,
    /// The configuration (default: xupgrade.toml at the repository's root)
    #[arg(long, value_name = "FILE", help_heading = "Repository")]
    pub config: Option<PathBuf>,
    /// The commit to start from (default: HEAD)
    #[arg(long, value_name = "REVISION", help_heading = "Repository", hide_short_help = true)]
    pub base: Option<String>,
    /// Only this crate or module, by its name or the key in the manifest; may be repeated
    #[arg(short = 'p', long = "package", visible_alias = "only", value_name = "NAME", help_heading = "Selection")]
    pub only: Vec<String>,
    /// Leave this crate or module alone, named likewise; may be repeated
    #[arg(long, value_name = "NAME", help_heading = "Selection")]
    pub exclude: Vec<String>,
    /// How far to go (default: what xupgrade.toml says, else compatible)
    #[arg(long, value_enum, value_name = "LEVEL", help_heading = "Policy")]
    pub level: Option<Level>,
    /// Leave releases alone that are younger than this many days; 0 switches it off (default: what cargo's
    /// `min-publish-age` keys say for crates, else 3)
    #[arg(long, value_name = "DAYS", help_heading = "Policy")]
    pub min_age: Option<u32>,
    /// Look at the registries as they were at this instant (RFC 3339; default: now)
    #[arg(long, value_name = "INSTANT", help_heading = "Policy", hide_short_help = true)]
    pub as_of: Option<String>,
    /// Move requirements that name one exact version, too
    #[arg(long, help_heading = "Policy", hide_short_help = true)]
    pub pinned: bool,
    /// Move packages that only other packages require, too; without it only those that are yanked or retracted
    #[arg(long, help_heading = "Policy", hide_short_help = true)]
    pub transitive: bool,
    /// Use no network: plan from what is there
    #[arg(long, help_heading = "Policy")]
    pub offline: bool,
}

/// How to talk.
#[derive(Debug, Clone, Default, Args)]
pub struct Talk {
    /// Say less
    #[arg(short, long, help_heading = "Output")]
    pub quiet: bool,
    /// Say more
    #[arg(short, long, help_heading = "Output")]
    pub verbose: bool,
    /// Colour
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto, help_heading = "Output", hide_short_help = true)]
    pub color: Color,
    /// What to write to stdout
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Human, help_heading = "Output")]
    pub format: Format,
    /// List what nobody can act on, too
    #[arg(long, help_heading = "Output", hide_short_help = true)]
    pub all: bool,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What goes to stdout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table.
    #[default]
    Human,
    /// JSON: events of a run, one a line; a plan whole.
    Json,
}

/// Flags for tests that fail before any upgrade.
#[derive(Debug, Clone, Default, Args)]
pub struct RedTests {
    /// Hold a project whole where a test of it fails before any upgrade
    ///
    /// Without it, up to ten tests of a check that fail each time (or a tenth of its tests) are set aside by name, and the others go on.
    #[arg(long, help_heading = "Verification", hide_short_help = true, conflicts_with = "accept_failing")]
    pub require_green: bool,
    /// The default, spelled out: set tests aside that fail before any upgrade
    #[arg(long, hide = true)]
    pub accept_failing: bool,
}

/// The flags of `run`.
#[derive(Debug, Clone, Default, Args)]
pub struct RunArgs {
    /// Where to look and what to choose.
    #[command(flatten)]
    pub selection: Selection,
    /// How to talk.
    #[command(flatten)]
    pub talk: Talk,
    /// Show the plan and stop
    #[arg(short = 'n', long, help_heading = "Run")]
    pub dry_run: bool,
    /// The branch to write (default: xupgrade/ and the day)
    #[arg(long, value_name = "NAME", help_heading = "Run")]
    pub branch: Option<String>,
    /// The output folder (default: xupgrade.out at the repository's root)
    #[arg(long, value_name = "FOLDER", help_heading = "Run", hide_short_help = true)]
    pub out: Option<PathBuf>,
    /// Whether requirements are written when the lockfile alone would do
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = ManifestRule::Needed, help_heading = "Run", hide_short_help = true)]
    pub manifest: ManifestRule,
    /// How to search.
    #[command(flatten)]
    pub search: SearchArgs,
    /// Flags for tests that fail before any upgrade.
    #[command(flatten)]
    pub red: RedTests,
    /// How commits below the tip are tried by themselves
    ///
    /// `full` where somebody will bisect with tests or deploys single commits, `no` in a hurry.
    #[arg(
        long,
        value_enum,
        value_name = "HOW",
        default_value_t = VerifyCommits::Gate,
        help_heading = "Verification",
        hide_short_help = true
    )]
    pub verify_commits: VerifyCommits,
    /// End with code 10 when something is held that somebody can act on
    #[arg(long, help_heading = "Run", hide_short_help = true)]
    pub fail_on_held: bool,
}

/// When requirements are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum ManifestRule {
    /// Only where they do not admit the new version.
    #[default]
    Needed,
    /// Always.
    Always,
}

impl From<ManifestRule> for project::ManifestRule {
    fn from(rule: ManifestRule) -> Self {
        match rule {
            ManifestRule::Needed => Self::Needed,
            ManifestRule::Always => Self::Always,
        }
    }
}

/// The trials of the commits below the tip.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum VerifyCommits {
    /// Not at all: they resolve, and none of them failed in a trial.
    No,
    /// Each compiles, or is one commit with the next; in no more time than all checks take once.
    #[default]
    Gate,
    /// Each passes the whole matrix, or is one commit with the next.
    Full,
}

impl From<VerifyCommits> for CommitChecks {
    fn from(how: VerifyCommits) -> Self {
        match how {
            VerifyCommits::No => Self::None,
            VerifyCommits::Gate => Self::Gates,
            VerifyCommits::Full => Self::Matrix,
        }
    }
}

/// The flags that make the plan of a run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct PlanFlags {
    /// Where to look and what to choose.
    pub selection: Selection,
    /// Whether requirements are written when the lockfile alone would do.
    pub manifest: ManifestRule,
}

impl PlanFlags {
    /// Those of a run, so that another process may stand in another folder.
    ///
    /// # Errors
    /// Where the current folder cannot be told.
    pub fn of(args: &RunArgs) -> std::io::Result<Self> {
        let mut selection = args.selection.clone();
        selection.config = selection.config.map(std::path::absolute).transpose()?;
        Ok(Self { selection, manifest: args.manifest })
    }
}

/// The flags of `trial`.
#[derive(Debug, Clone, Args)]
pub struct TrialArgs {
    /// The order, as a run with `--executor process` writes it
    #[arg(long, value_name = "FILE")]
    pub order: PathBuf,
    /// The report to write; the objects of its trees lie beside it
    #[arg(long, value_name = "FILE")]
    pub report: PathBuf,
    /// The git repository (default: the one around the current folder)
    #[arg(long, value_name = "FOLDER")]
    pub repo: Option<PathBuf>,
    /// The folder for logs
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
    /// The folder for the repository's clones (default: the one in the cache)
    #[arg(long, value_name = "FOLDER")]
    pub cache: Option<PathBuf>,
    /// How to talk
    #[command(flatten)]
    pub talk: Talk,
}

/// The flags of `plan`.
#[derive(Debug, Clone, Default, Args)]
pub struct PlanArgs {
    /// Where to look and what to choose.
    #[command(flatten)]
    pub selection: Selection,
    /// How to talk.
    #[command(flatten)]
    pub talk: Talk,
}

/// The flags of `report`.
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// The git repository (default: the one around the current folder)
    #[arg(long, value_name = "FOLDER")]
    pub repo: Option<PathBuf>,
    /// The output folder of the run (default: xupgrade.out at the repository's root)
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// How to write it
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = ReportFormat::Human)]
    pub format: ReportFormat,
    /// Colour
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub color: Color,
    /// List what nobody can act on, too
    #[arg(long)]
    pub all: bool,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// A tree and a table.
    #[default]
    Human,
    /// JSON, as in `xupgrade.out/report.json`.
    Json,
    /// Markdown, for a pull request or a log.
    Markdown,
}

/// The flags of `demo`.
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// Keep the folder
    #[arg(long)]
    pub keep: bool,
    /// Make it here (the folder must not exist or be empty); kept
    #[arg(long, value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
    /// Write the world of this archive (as in fixtures/) into --folder, and start nothing: for those who make fixtures
    #[arg(long, value_name = "FILE", hide = true, requires = "folder")]
    pub archive: Option<PathBuf>,
}

/// The flags of `clean`.
#[derive(Debug, Clone, Args)]
pub struct CleanArgs {
    /// The git repository whose cache goes (default: the one around the current folder)
    #[arg(long, value_name = "FOLDER")]
    pub repo: Option<PathBuf>,
    /// The cache of every repository
    #[arg(long)]
    pub all: bool,
}

/// The flags of `companion`.
#[derive(Debug, Clone, Args)]
pub struct CompanionArgs {
    /// Put it beside cargo-xupgrade
    #[arg(long)]
    pub install: bool,
}
