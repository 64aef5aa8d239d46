//! What earlier runs on a repository learnt: which versions passed and failed, the set that landed, and flaky tests
//! by name. On a new base this is no verdict, only a guess where to begin. One bounded file in the cache.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use xupgrade_search::{Joint, Pick};

use crate::candidate::{Candidate, DependencyRef, Held, ProjectId, ReasonKind, Rung, Version};
use crate::clock::Instant;
use crate::priors::{Before, Identity, Known, identity};
use crate::report::{Report, Upgrade};
use crate::trial::TrialKind;
use crate::verdict::Baseline;

/// The file's name.
pub const FILE: &str = "history.json";

/// The version of the format; a file of another one is ignored.
const FORMAT: u32 = 1;
/// How many versions are remembered; the oldest are forgotten first.
const VERSIONS: usize = 5000;
/// How many flaky tests are remembered.
const TESTS: usize = 1000;
/// After so many runs in which it did not flap, a test is no longer taken for flaky.
const QUIET: u32 = 30;

/// Everything that is remembered of a repository.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct History {
    format: u32,
    versions: Vec<Seen>,
    /// The upgrades that the newest run with any landed, in commit order.
    accepted: Vec<Landed>,
    /// Of those the ones that moved as one, by their positions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    joint: Vec<Range<usize>>,
    flaky: Vec<Flaky>,
}

impl Default for History {
    fn default() -> Self {
        let (versions, accepted, flaky) = (Vec::new(), Vec::new(), Vec::new());
        Self { format: FORMAT, versions, accepted, joint: Vec::new(), flaky }
    }
}

/// An upgrade: what, where, to which version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Landed {
    #[serde(flatten, with = "crate::candidate::apart")]
    project: ProjectId,
    name: String,
    version: Version,
}

impl Landed {
    fn identity(&self) -> Identity {
        (self.project.clone(), self.name.clone(), self.version.to_string())
    }
}

/// What became of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    #[serde(flatten)]
    what: Landed,
    passed: u32,
    failed: u32,
    /// How it failed in the newest run that tried it; none where it passed.
    kind: Option<ReasonKind>,
    /// When that run looked at the registries.
    at: Instant,
}

/// A test that did not end the same way each time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Flaky {
    project: ProjectId,
    test: String,
    /// In how many runs it flapped.
    runs: u32,
    /// How many runs came since without that.
    quiet: u32,
}

/// Flaky tests by project, as one run saw them.
pub type Flapped = BTreeSet<(ProjectId, String)>;

/// The tests that flapped in a baseline.
#[must_use]
pub fn flapped(baseline: &Baseline) -> Flapped {
    let all = baseline.cells.iter().flat_map(|(key, cell)| cell.flaky.iter().map(move |test| (key, test)));
    all.map(|(key, test)| (key.project.clone(), test.to_string())).collect()
}

impl History {
    /// Reads the file in a folder; none there is an empty history.
    ///
    /// # Errors
    /// With the words of a warning, when it cannot be read or understood: then nothing is remembered.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let path = folder.join(FILE);
        let ignored = |why: &dyn std::fmt::Display| format!("{} is ignored: {why}", path.display());
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            read => read.map_err(|error| ignored(&error))?,
        };
        let history: Self = serde_json::from_slice(&bytes).map_err(|error| ignored(&error))?;
        if history.format == FORMAT { Ok(history) } else { Err(ignored(&"it is of another version of this tool")) }
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, folder: &Path) -> Result<()> {
        crate::state::journal::write_whole(folder, FILE, self).map(drop)
    }

    /// Takes in what a run found; `flapped` are the tests that flapped in it.
    pub fn learn(&mut self, report: &Report, flapped: &Flapped) {
        for one in &report.upgrades {
            self.saw(landed(&one.id, &one.to), None, report.as_of);
            one.failed_above.iter().for_each(|held| self.saw_failing(held, report.as_of));
        }
        report.held.iter().for_each(|held| self.saw_failing(held, report.as_of));
        if !report.upgrades.is_empty() {
            let all = report.upgrades.iter();
            self.accepted = all.map(|one| landed(&one.id, &one.to)).collect();
            self.joint = joint(&report.upgrades);
        }
        self.learn_flakes(flapped, report);
        self.forget();
    }

    /// A hold that a trial proved; those of the policy and of the baseline say nothing about the version.
    fn saw_failing(&mut self, held: &Held, at: Instant) {
        let Some(evidence) = &held.reason.evidence else { return };
        let is_noise = held.reason.kind == ReasonKind::Inconclusive;
        if is_noise || evidence.trial.is_empty() || is_of_base(&evidence.trial) {
            return;
        }
        let tried = if evidence.tried.is_empty() { held.wanted.as_slice() } else { &evidence.tried };
        for version in tried {
            self.saw(landed(&held.id, version), Some(held.reason.kind), at);
        }
    }

    fn saw(&mut self, what: Landed, kind: Option<ReasonKind>, at: Instant) {
        let known = self.versions.iter().position(|seen| seen.what == what);
        let index = known.unwrap_or_else(|| {
            self.versions.push(Seen { what, passed: 0, failed: 0, kind, at });
            self.versions.len() - 1
        });
        let seen = &mut self.versions[index];
        match kind {
            None => seen.passed += 1,
            Some(_) => seen.failed += 1,
        }
        (seen.kind, seen.at) = (kind, at);
    }

    fn learn_flakes(&mut self, flapped: &Flapped, report: &Report) {
        let ran = report.trials.iter().any(|trial| is_of_base(&trial.id));
        for known in self.flaky.iter_mut().filter(|_| ran) {
            known.quiet += 1;
        }
        for (project, test) in flapped {
            match self.flaky.iter_mut().find(|known| (&known.project, &known.test) == (project, test)) {
                Some(known) => (known.runs, known.quiet) = (known.runs + 1, 0),
                None => {
                    self.flaky.push(Flaky { project: project.clone(), test: test.clone(), runs: 1, quiet: 0 });
                }
            }
        }
    }

    fn forget(&mut self) {
        self.flaky.retain(|known| known.quiet < QUIET);
        self.flaky.sort_by(|a, b| (a.quiet, &a.project, &a.test).cmp(&(b.quiet, &b.project, &b.test)));
        self.flaky.truncate(TESTS);
        self.versions.sort_by_key(|seen| (std::cmp::Reverse(seen.at), seen.what.identity()));
        self.versions.truncate(VERSIONS);
    }

    /// What became of each version when it was tried last.
    #[must_use]
    pub fn known(&self) -> Known {
        let before = |seen: &Seen| if seen.kind.is_none() { Before::Passed } else { Before::Failed };
        Known(self.versions.iter().map(|seen| (seen.what.identity(), before(seen))).collect())
    }

    /// The set that landed last, as far as it can be tried again, in plan order; what moved as one is one again.
    #[must_use]
    pub fn last_time(&self, candidates: &[Candidate]) -> Vec<Joint> {
        let landed: BTreeMap<Identity, usize> = self.accepted.iter().map(Landed::identity).zip(0..).collect();
        let first =
            |place: usize| self.joint.iter().find(|joint| joint.contains(&place)).map_or(place, |joint| joint.start);
        let mut joints: Vec<(usize, Vec<Pick>)> = Vec::new();
        for (atom, candidate) in candidates.iter().enumerate() {
            let place = |rung: &Rung| landed.get(&identity(candidate, &rung.version)).copied();
            let found = candidate.rungs.iter().enumerate();
            let mut found = found.filter_map(|(rung, one)| Some((Pick { atom, rung }, first(place(one)?))));
            let Some((pick, first)) = found.next() else { continue };
            match joints.iter_mut().find(|joint| joint.0 == first) {
                Some((_, picks)) => picks.push(pick),
                None => joints.push((first, vec![pick])),
            }
        }
        joints.iter().map(|(_, picks)| Joint::new(picks[0], &picks[1..])).collect()
    }

    /// Joins the tests that flapped in earlier runs to those that a baseline saw flapping: two runs see few of them.
    pub fn join(&self, baseline: &mut Baseline) {
        for (key, cell) in &mut baseline.cells {
            let is_known = |test: &str| self.flaky.iter().any(|one| one.project == key.project && one.test == test);
            let more = cell.names.iter().filter(|name| is_known(&name.to_string()));
            let more: Vec<_> = more.filter(|name| !cell.flaky.contains(name)).cloned().collect();
            cell.flaky.extend(more);
            cell.flaky.sort();
        }
    }
}

/// The positions of the upgrades that moved as one: they stand side by side.
fn joint(upgrades: &[Upgrade]) -> Vec<Range<usize>> {
    let mut joints: Vec<Range<usize>> = Vec::new();
    for (place, one) in upgrades.iter().enumerate().filter(|(_, one)| !one.together.is_empty()) {
        if joints.last().is_none_or(|joint| joint.end <= place) {
            joints.push(place..place + 1 + one.together.len());
        }
    }
    joints
}

fn landed(one: &DependencyRef, version: &Version) -> Landed {
    Landed { project: one.project.clone(), name: one.name.clone(), version: version.clone() }
}

/// A trial of this name ran on the untouched base.
fn is_of_base(name: &str) -> bool {
    TrialKind::of(name).is_some_and(TrialKind::is_of_base)
}

#[cfg(test)]
mod tests;
