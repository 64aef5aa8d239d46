//! The plan: base, as-of, projects, candidates, holds and the matrix, written down before anything runs.
//! Pure: surveys in, one plan out, in an order that depends on nothing but its content.

mod builds;
mod partners;
mod resolved;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use xupgrade_search::{AtomSpec, Break, Permille, RungSpec};

use crate::candidate::{Candidate, Dependency, EcosystemKind, Held, Named, Reason, ReasonKind, Rung};
use crate::clock::Instant;
use crate::cooldown::Cooldown;
use crate::policy::{Decision, NotReplayable, Policy, decide, floating, names, not_replayable};
use crate::priors::{Known, risk};
use crate::project::{Base, Exercised, Move, Project};
use crate::report::{PLAN_SCHEMA, PlanReport};
use crate::trial::Cell;
pub use partners::{is_named, partners};

/// Everything that a run will do, decided.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// The commit to start from.
    pub base: String,
    /// The instant at which the registries are looked at.
    pub as_of: Instant,
    /// The projects, held ones included.
    pub projects: Vec<Project>,
    /// What can move, in plan order.
    pub candidates: Vec<Candidate>,
    /// What cannot, and why.
    pub held: Vec<Held>,
    /// What is the newest already.
    pub newest: Vec<Named>,
    /// The matrix.
    pub cells: Vec<Cell>,
    /// The cooldowns that hold in the place of the usual one, and who says so.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub cooldowns: Vec<Cooldown>,
    /// What a user holds or excludes: no other upgrade may move it either.
    pub frozen: Vec<Named>,
    /// Manifests among test data that no project owns: left alone.
    #[serde(default)]
    pub set_aside: Vec<String>,
    /// What was met that no registry keeps a history of.
    pub not_replayable: Vec<NotReplayable>,
    /// What earlier runs know of the versions: no part of the plan, only of the guess where to begin.
    #[serde(skip)]
    pub known: Known,
}

impl Plan {
    /// Decides on every dependency of every project.
    #[must_use]
    pub fn make(
        base: &Base,
        projects: Vec<Project>,
        dependencies: &[Dependency],
        cells: Vec<Cell>,
        policy: &Policy,
    ) -> Self {
        let mut plan = Self { projects, cells, ..Self::empty(&base.commit, policy.as_of) };
        plan.not_replayable.extend(plan.projects.iter().flat_map(floating));
        for dependency in dependencies {
            plan.not_replayable.extend(not_replayable(dependency, policy));
            match decide(dependency, policy) {
                Decision::Candidate(candidate) => plan.candidates.push(*candidate),
                Decision::Held(held) => {
                    if held.reason.kind == ReasonKind::HeldByUser || names(&policy.exclude, &held.name, &held.places) {
                        plan.frozen.push(named_held(&held));
                    }
                    plan.held.push(*held);
                }
                Decision::Newest(named) => plan.newest.push(named),
                Decision::Unlisted => {}
            }
        }
        plan.sort();
        plan
    }

    /// A plan in which nothing is found yet.
    fn empty(base: &str, as_of: Instant) -> Self {
        Self {
            base: base.to_owned(),
            as_of,
            projects: Vec::new(),
            candidates: Vec::new(),
            held: Vec::new(),
            newest: Vec::new(),
            cells: Vec::new(),
            cooldowns: Vec::new(),
            frozen: Vec::new(),
            set_aside: Vec::new(),
            not_replayable: Vec::new(),
            known: Known::default(),
        }
    }

    /// A plan of candidates and of nothing else, for tests.
    #[cfg(any(test, feature = "fake"))]
    #[must_use]
    pub fn of(base: &str, candidates: Vec<Candidate>) -> Self {
        let as_of = Instant::from_epoch(1_767_225_600);
        Self { candidates, ..Self::empty(base, as_of) }
    }

    fn sort(&mut self) {
        self.candidates.sort_by(|a, b| {
            let key = |one: &Candidate| {
                (one.urgent.is_none(), one.role, one.project.clone(), one.ecosystem, one.name.clone())
            };
            key(a).cmp(&key(b)).then_with(|| a.at.cmp(&b.at))
        });
        self.held.sort_by(|a, b| {
            let key = |one: &Held| (one.project.clone(), one.ecosystem, one.name.clone(), one.at.clone());
            key(a).cmp(&key(b))
        });
        self.not_replayable.sort_by(|a, b| {
            let key = |one: &NotReplayable| (one.project.clone(), one.ecosystem, one.name.clone(), one.version.clone());
            key(a).cmp(&key(b)).then_with(|| a.kind.cmp(&b.kind))
        });
        self.newest.sort_by(|a, b| {
            let key = |one: &Named| (one.project.clone(), one.ecosystem, one.name.clone(), one.at.clone());
            key(a).cmp(&key(b))
        });
    }

    /// The first of these moves that takes along what a user holds.
    #[must_use]
    pub fn forbidden<'a>(&self, project: &Project, moves: &'a [Move]) -> Option<&'a Move> {
        let is_frozen = |one: &Move| {
            self.frozen.iter().any(|frozen| {
                (frozen.ecosystem, &frozen.name) == (project.ecosystem, &one.name)
                    && (frozen.project == project.path || project.dependents.contains(&frozen.project))
                    && frozen.at.as_ref().map(ToString::to_string) == one.from
            })
        };
        moves.iter().find(|one| is_frozen(one))
    }

    /// The project of a candidate.
    #[must_use]
    pub fn project_of(&self, candidate: &Candidate) -> Option<&Project> {
        self.find(candidate.ecosystem, &candidate.project)
    }

    fn find(&self, ecosystem: EcosystemKind, path: &str) -> Option<&Project> {
        self.projects.iter().find(|project| project.ecosystem == ecosystem && project.path == path)
    }

    /// Moves candidates to the held ones, each with its reason.
    pub fn hold(&mut self, mut why: impl FnMut(&Candidate) -> Option<Reason>) {
        let (mut stay, mut go) = (Vec::new(), Vec::new());
        for candidate in self.candidates.drain(..) {
            match why(&candidate) {
                Some(reason) => go.push(held(&candidate, reason)),
                None => stay.push(candidate),
            }
        }
        self.candidates = stay;
        self.held.extend(go);
        self.sort();
    }

    /// The cells that a change of these candidates concerns, gates first.
    #[must_use]
    pub fn cells_for(&self, candidates: &[usize]) -> Vec<Cell> {
        let labels: BTreeSet<String> =
            candidates.iter().flat_map(|index| self.reached(&self.candidates[*index])).collect();
        self.cells.iter().filter(|cell| cell.concerns.iter().any(|label| labels.contains(label))).cloned().collect()
    }

    /// The labels of the projects that a candidate's move reaches: its own, and those that use it by path.
    #[must_use]
    pub fn reached(&self, candidate: &Candidate) -> Vec<String> {
        let project = self.project_of(candidate);
        let labels = |project: &Project| {
            std::iter::once(project.label()).chain(self.labels(&project.dependents, project.ecosystem)).collect()
        };
        project.map(labels).unwrap_or_default()
    }

    /// The labels of the projects at these paths.
    fn labels(&self, paths: &[String], ecosystem: EcosystemKind) -> Vec<String> {
        paths.iter().filter_map(|path| self.find(ecosystem, path)).map(Project::label).collect()
    }

    /// The candidates as the search sees them. `exercised` tells what stands on each, by project label.
    #[must_use]
    pub fn atoms(&self, exercised: &BTreeMap<String, Exercised>) -> Vec<AtomSpec> {
        let units = builds::units(exercised);
        let spec = |candidate: &Candidate| AtomSpec {
            rungs: self.rungs(candidate),
            kin: self.kin(candidate),
            builds: builds::builds(self, candidate, &units),
        };
        self.candidates.iter().map(spec).collect()
    }

    fn rungs(&self, candidate: &Candidate) -> Vec<RungSpec> {
        let rung = |rung: &Rung| RungSpec {
            risk: risk(candidate, rung, self.as_of, self.known.of(candidate, rung)),
            breaking: if rung.breaking { Break::Breaking } else { Break::Compatible },
            depth: rung.depth,
        };
        candidate.rungs.iter().map(rung).collect()
    }

    /// One number for each project: its upgrades make the same things be built anew.
    fn kin(&self, candidate: &Candidate) -> usize {
        let is_its =
            |project: &Project| (project.ecosystem, &project.path) == (candidate.ecosystem, &candidate.project);
        self.projects.iter().position(is_its).unwrap_or(self.projects.len())
    }

    /// The chance that a rung of a candidate fails, in 1/1000, as guessed before anything was tried.
    #[must_use]
    pub fn risk(&self, candidate: usize, rung: usize) -> Permille {
        let candidate = &self.candidates[candidate];
        let rung = &candidate.rungs[rung];
        risk(candidate, rung, self.as_of, self.known.of(candidate, rung))
    }

    /// The public form.
    #[must_use]
    pub fn report(&self) -> PlanReport {
        PlanReport {
            schema: PLAN_SCHEMA.to_owned(),
            base: self.base.clone(),
            as_of: self.as_of,
            cooldowns: self.cooldowns.clone(),
            candidates: self.candidates.clone(),
            held: self.held.clone(),
            newest: self.newest.clone(),
            not_replayable: self.not_replayable.clone(),
            projects: self.projects.clone(),
            matrix: self.cells.iter().map(|cell| cell.check.typed(&cell.check.argv)).collect(),
            set_aside: self.set_aside.clone(),
        }
    }
}

/// A candidate that ends as held.
#[must_use]
pub fn held(candidate: &Candidate, reason: Reason) -> Held {
    Held {
        ecosystem: candidate.ecosystem,
        name: candidate.name.clone(),
        role: candidate.role,
        project: candidate.project.clone(),
        at: Some(candidate.at.clone()),
        wanted: candidate.rungs.last().map(|rung| rung.version.clone()),
        reason,
        urgent: candidate.urgent.clone(),
        places: candidate.places.clone(),
    }
}

/// A held dependency in a list with nothing more to say.
#[must_use]
pub fn named_held(held: &Held) -> Named {
    Named {
        ecosystem: held.ecosystem,
        name: held.name.clone(),
        role: held.role,
        project: held.project.clone(),
        at: held.at.clone(),
        places: held.places.clone(),
    }
}

/// A candidate in a list with nothing more to say.
#[must_use]
pub fn named(candidate: &Candidate) -> Named {
    Named {
        ecosystem: candidate.ecosystem,
        name: candidate.name.clone(),
        role: candidate.role,
        project: candidate.project.clone(),
        at: Some(candidate.at.clone()),
        places: candidate.places.clone(),
    }
}

/// Dependencies of a project that is held whole.
#[must_use]
pub fn held_whole(project: &Project, dependencies: &[Dependency]) -> Vec<Held> {
    let reason = project
        .obstacle
        .clone()
        .unwrap_or_else(|| Reason::new(ReasonKind::UnsupportedProject, "cannot be handled yet"));
    dependencies
        .iter()
        .map(|dependency| Held {
            ecosystem: dependency.ecosystem,
            name: dependency.name.clone(),
            role: dependency.role,
            project: dependency.project.clone(),
            at: dependency.at.clone(),
            wanted: None,
            reason: reason.clone(),
            urgent: dependency.urgent.clone(),
            places: dependency.places.clone(),
        })
        .collect()
}
