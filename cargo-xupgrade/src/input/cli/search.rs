//! The flags that steer the search: how it chooses, how long it may go on, how often it looks twice.

use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Serialize;
use xupgrade_search::{Below, Strategy};

/// The place of trials.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ExecutorKind {
    /// In this process.
    #[default]
    Local,
    /// Each in a process of its own, which gets nothing but files.
    Process,
}

/// How to search.
#[derive(Debug, Clone, Default, Args)]
pub struct SearchArgs {
    /// Where trials run
    #[arg(long, value_enum, value_name = "WHERE", default_value_t = ExecutorKind::Local, hide = true)]
    pub executor: ExecutorKind,
    /// How to choose what is tried together
    ///
    /// `one-by-one` where each upgrade is to have a trial of its own, `all` where nothing but everything together is wanted.
    #[arg(
        long,
        value_enum,
        value_name = "STRATEGY",
        default_value_t = StrategyRule::Split,
        help_heading = "Search",
        hide_short_help = true
    )]
    pub strategy: StrategyRule,
    /// How far down to look for a version that passes
    ///
    /// `rungs` where trials take long: the newest patch and the newest compatible release are all that is tried.
    #[arg(
        long,
        value_enum,
        value_name = "DEPTH",
        default_value_t = DepthRule::Releases,
        help_heading = "Search",
        hide_short_help = true
    )]
    pub depth: DepthRule,
    /// Run at most this many trials, the baseline and the last verification not counted
    ///
    /// For a first look, or where each trial costs money. What passed until then is published, and the rest is untried.
    #[arg(long, value_name = "N", help_heading = "Search", hide_short_help = true)]
    pub max_trials: Option<usize>,
    /// End after this time (`90s`, `45m`, `2h`, `1h30m`); the time to verify what passed is kept back
    ///
    /// For a job that is ended from outside after some time. The next run goes on where this one ended.
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Search", hide_short_help = true)]
    pub deadline: Option<Duration>,
    /// How many times the final set has to pass the whole matrix
    ///
    /// More where tests fail now and then, 1 where they never do and take long.
    #[arg(
        long,
        value_name = "N",
        default_value_t = VerifyRuns::default(),
        help_heading = "Verification",
        hide_short_help = true
    )]
    pub verify_runs: VerifyRuns,
    /// Time for more runs of the tests before anything is published: seconds, `10%` of the run as forecast, or 0
    ///
    /// Without it a minute or a fifth of the run, whichever is larger. The tests of what is published run up to 21 times in
    /// all, so that an upgrade which makes one fail now and then shows itself. 0 where no test ever does.
    #[arg(
        long,
        value_name = "SECONDS|PERCENT",
        value_parser = flake_budget,
        help_heading = "Verification",
        hide_short_help = true
    )]
    pub flake_budget: Option<FlakeBudget>,
    /// How many trials run side by side, each in a clone and a target directory of its own
    ///
    /// For a machine with many cores and a suite that bears company: workers on two cores are slower than one.
    #[arg(
        short,
        long,
        value_name = "N",
        default_value_t = Jobs::default(),
        help_heading = "Search",
        hide_short_help = true
    )]
    pub jobs: Jobs,
    /// Whether an interrupted run is taken up again
    ///
    /// `never` after something changed that no tool can see (a database, a service), `always` in a script that must not
    /// start afresh.
    #[arg(
        long,
        value_enum,
        value_name = "WHEN",
        default_value_t = ResumeRule::Auto,
        help_heading = "Search",
        hide_short_help = true
    )]
    pub resume: ResumeRule,
    /// Say why each trial was chosen, and what it taught
    ///
    /// For whoever wonders what takes so long.
    #[arg(long, help_heading = "Search", hide_short_help = true)]
    pub explain: bool,
}

/// The time for runs of the tests beside those of trials and verification.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FlakeBudget {
    /// The larger of a minute and a fifth of the run as it is forecast.
    #[default]
    Usual,
    /// Seconds; 0: no further run.
    Seconds(u64),
    /// Hundredths of the run as it is forecast.
    Percent(u64),
}

impl FlakeBudget {
    /// The budget in seconds, of a run of these.
    #[must_use]
    pub fn seconds(self, forecast: f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "seconds and hundredths, far below 2^52")]
        match self {
            Self::Usual => (forecast / 5.0).max(60.0),
            Self::Seconds(seconds) => seconds as f64,
            Self::Percent(percent) => forecast * percent as f64 / 100.0,
        }
    }
}

/// Which strategy searches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum StrategyRule {
    /// Groups that pass about every second time; what fails is split
    #[default]
    Split,
    /// One upgrade a trial
    OneByOne,
    /// All at once; what fails is halved
    Halving,
    /// All at once, and nothing else
    All,
}

impl From<StrategyRule> for Strategy {
    fn from(rule: StrategyRule) -> Self {
        match rule {
            StrategyRule::Split => Self::Split,
            StrategyRule::OneByOne => Self::OneByOne,
            StrategyRule::Halving => Self::Halving,
            StrategyRule::All => Self::All,
        }
    }
}

/// How far down to look for a version that passes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum DepthRule {
    /// Below the lowest rung that failed, the releases are bisected, too, down to what passes
    #[default]
    Releases,
    /// Only the rungs: the newest patch, the newest compatible release, each breaking one
    Rungs,
}

impl From<DepthRule> for Below {
    fn from(rule: DepthRule) -> Self {
        match rule {
            DepthRule::Releases => Self::Bisect,
            DepthRule::Rungs => Self::Rungs,
        }
    }
}

/// Whether an interrupted run is taken up again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ResumeRule {
    /// Where it was the same base and the same plan
    #[default]
    Auto,
    /// Or else nothing is done
    Always,
    /// Everything is run again
    Never,
}

/// A number of runs, at least one.
pub type VerifyRuns = Count<2>;
/// A number of workers, at least one.
pub type Jobs = Count<1>;

/// A number from 1, with its usual value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count<const USUAL: u32>(u32);

impl<const USUAL: u32> Count<USUAL> {
    /// The number.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }
}

impl<const USUAL: u32> Default for Count<USUAL> {
    fn default() -> Self {
        Self(USUAL)
    }
}

impl<const USUAL: u32> std::fmt::Display for Count<USUAL> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl<const USUAL: u32> std::str::FromStr for Count<USUAL> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(number @ 1..=1000) => Ok(Self(number)),
            _ => Err("a number from 1 to 1000 is wanted".to_owned()),
        }
    }
}

/// Reads `90`, `10%` or `0`.
fn flake_budget(text: &str) -> Result<FlakeBudget, String> {
    let number =
        |text: &str| text.parse().map_err(|_| "seconds like `90`, a share like `10%` or `0` is wanted".to_owned());
    match text.strip_suffix('%') {
        Some(percent) => number(percent).map(FlakeBudget::Percent),
        None => number(text).map(FlakeBudget::Seconds),
    }
}

/// `1h30m`, `45m`, `90s`: numbers with their units, the larger ones first.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "a time like `90s`, `45m` or `1h30m` is wanted".to_owned();
    let (mut rest, mut seconds, mut below) = (text, 0u64, u64::MAX);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: u64 = rest[..end].parse().map_err(|_| wrong())?;
        let (unit, behind) = match rest.as_bytes()[end] {
            b'h' => (3600, 1),
            b'm' => (60, 1),
            b's' => (1, 1),
            _ => return Err(wrong()),
        };
        if unit >= below {
            return Err(wrong());
        }
        below = unit;
        seconds = number.checked_mul(unit).and_then(|part| seconds.checked_add(part)).ok_or_else(wrong)?;
        rest = &rest[end + behind..];
    }
    if seconds == 0 { Err(wrong()) } else { Ok(Duration::from_secs(seconds)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flake_budget_is_seconds_or_a_share_of_the_run() {
        assert_eq!(flake_budget("90"), Ok(FlakeBudget::Seconds(90)));
        assert_eq!(flake_budget("5%").map(|budget| budget.seconds(600.0)), Ok(30.0));
        assert_eq!((FlakeBudget::Usual.seconds(10.0), FlakeBudget::Usual.seconds(600.0)), (60.0, 120.0));
        for text in ["", "%", "-1", "1m", "5 %"] {
            assert!(flake_budget(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, seconds) in [("90s", 90), ("45m", 2700), ("2h", 7200), ("1h30m", 5400), ("1h1s", 3601)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn nonsense_is_no_time() {
        for text in ["", "45", "m", "0s", "1m1h", "1m2m", "5 m", "-5m", "1d", "99999999999999999999s", "1.5h", "5µ"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_run_at_all_is_no_number_of_runs() {
        assert!("0".parse::<VerifyRuns>().is_err());
        assert_eq!("3".parse::<VerifyRuns>().map(Count::get), Ok(3));
    }
}
