//! The plan: base, as-of, projects, candidates, holds and the matrix, written down before anything runs.
//! Pure: surveys in, one plan out, in an order that depends on nothing but its content.

mod builds;
mod partners;
mod resolved;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use xupgrade_search::{AtomSpec, Break, Permille, RungSpec};

use crate::candidate::{
    Candidate, Dependency, EcosystemKind, Held, Named, ProjectId, Reason, ReasonKind, Rung, Target, UpgradeName,
};
use crate::clock::Instant;
use crate::cooldown::Cooldown;
use crate::policy::{Decision, NotReplayable, Policy, decide, floating, names, not_replayable};
use crate::priors::{Known, risk};
use crate::project::{Base, Exercised, Move, Project};
use crate::report::{PLAN_SCHEMA, PlanReport};
use crate::rules::Followers;
use crate::trial::{Cell, Member};
pub use partners::partners;

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
                    if held.reason.kind == ReasonKind::HeldByUser || names(&policy.exclude, &held.id) {
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
            let key = |one: &Candidate| (one.urgent.is_none(), one.id.role);
            key(a).cmp(&key(b)).then_with(|| (a.id.by_folder(), &a.at).cmp(&(b.id.by_folder(), &b.at)))
        });
        self.held.sort_by(|a, b| (a.id.by_folder(), &a.at).cmp(&(b.id.by_folder(), &b.at)));
        self.not_replayable.sort_by(|a, b| {
            (a.project.by_folder(), &a.name, &a.version, a.kind).cmp(&(
                b.project.by_folder(),
                &b.name,
                &b.version,
                b.kind,
            ))
        });
        self.newest.sort_by(|a, b| (a.id.by_folder(), &a.at).cmp(&(b.id.by_folder(), &b.at)));
    }

    /// The first of the moves of an edit that takes along what a user holds.
    #[must_use]
    pub fn forbidden<'a>(&self, project: &Project, moves: &'a [Move]) -> Option<&'a Move> {
        let is_frozen = |one: &Move| {
            self.frozen.iter().any(|frozen| {
                frozen.id.name == one.name
                    && frozen.at.as_ref().map(ToString::to_string) == one.from
                    && self.has_moved(project, one, &frozen.id.project)
            })
        };
        moves.iter().find(|one| is_frozen(one))
    }

    /// True if a move by an edit of one project takes place in another one, or the same. A Cargo workspace has a lockfile of its
    /// own; the Go modules that use one by path are built with its versions.
    #[must_use]
    pub fn has_moved(&self, by: &Project, one: &Move, there: &ProjectId) -> bool {
        let mut dependents = by.dependents.iter().filter_map(|path| self.find(by.ecosystem, path));
        match (&one.lockfile, by.ecosystem.facts().followers) {
            (None, _) if by.id() == *there => true,
            (None, Followers::SameVersions) => dependents.any(|other| other.id() == *there),
            (None, Followers::OwnLockfile) => false,
            (lock, _) => dependents.any(|other| other.lockfile == *lock && other.id() == *there),
        }
    }

    /// The candidate of an upgrade.
    #[must_use]
    pub fn candidate(&self, member: Member) -> &Candidate {
        &self.candidates[member.candidate]
    }

    /// The package of an upgrade, at the version that it moves to.
    #[must_use]
    pub fn target(&self, member: Member) -> Target {
        let candidate = self.candidate(member);
        Target::new(candidate.id.name.as_str(), candidate.rungs[member.rung].version.clone())
    }

    /// An upgrade as reports name it.
    #[must_use]
    pub fn name(&self, member: Member) -> UpgradeName {
        let ecosystem = self.candidate(member).id.project.ecosystem;
        UpgradeName { ecosystem, target: self.target(member) }
    }

    /// The project of a candidate.
    #[must_use]
    pub fn project_of(&self, candidate: &Candidate) -> Option<&Project> {
        let id = &candidate.id.project;
        self.find(id.ecosystem, &id.path)
    }

    /// The project of this identity.
    #[must_use]
    pub fn project(&self, id: &ProjectId) -> Option<&Project> {
        self.find(id.ecosystem, &id.path)
    }

    fn find(&self, ecosystem: EcosystemKind, path: &str) -> Option<&Project> {
        self.projects.iter().find(|project| project.ecosystem == ecosystem && project.path == path)
    }

    /// Moves candidates to the held ones, each with its reason.
    pub fn hold(&mut self, why: impl Fn(&Self, &Candidate) -> Option<Reason>) {
        let (mut stay, mut go) = (Vec::new(), Vec::new());
        let reasons: Vec<Option<Reason>> = self.candidates.iter().map(|candidate| why(self, candidate)).collect();
        for (candidate, reason) in self.candidates.drain(..).zip(reasons) {
            match reason {
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
        let reached: BTreeSet<ProjectId> =
            candidates.iter().flat_map(|index| self.reached(&self.candidates[*index])).collect();
        self.cells.iter().filter(|cell| !cell.concerns.is_disjoint(&reached)).cloned().collect()
    }

    /// The projects that a candidate's move reaches: its own, and those that use it by path.
    #[must_use]
    pub fn reached(&self, candidate: &Candidate) -> Vec<ProjectId> {
        let Some(project) = self.project_of(candidate) else { return Vec::new() };
        let dependents = project.dependents.iter().filter_map(|path| self.find(project.ecosystem, path));
        std::iter::once(project).chain(dependents).map(Project::id).collect()
    }

    /// The candidates as the search sees them. `exercised` tells what stands on each, by project.
    #[must_use]
    pub fn atoms(&self, exercised: &BTreeMap<ProjectId, Exercised>) -> Vec<AtomSpec> {
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
        let is_its = |project: &Project| project.id() == candidate.id.project;
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
        id: candidate.id.clone(),
        at: Some(candidate.at.clone()),
        wanted: candidate.rungs.last().map(|rung| rung.version.clone()),
        reason,
        urgent: candidate.urgent.clone(),
    }
}

/// A held dependency in a list with nothing more to say.
#[must_use]
pub fn named_held(held: &Held) -> Named {
    Named { id: held.id.clone(), at: held.at.clone() }
}

/// A candidate in a list with nothing more to say.
#[must_use]
pub fn named(candidate: &Candidate) -> Named {
    Named { id: candidate.id.clone(), at: Some(candidate.at.clone()) }
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
            id: dependency.id.clone(),
            at: dependency.at.clone(),
            wanted: None,
            reason: reason.clone(),
            urgent: dependency.urgent.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_in_another_project_forbids_only_what_moves_in_its_lockfile() {
        let lockfile = |path: &str| Some(path.to_owned());
        let root = Project::of(EcosystemKind::Cargo, ".", &[]);
        let root = Project { dependents: vec!["fuzz".into()], lockfile: lockfile("Cargo.lock"), ..root };
        let fuzz = Project { lockfile: lockfile("fuzz/Cargo.lock"), ..Project::of(EcosystemKind::Cargo, "fuzz", &[]) };
        let mut held = Held::of("x", Reason::new(ReasonKind::HeldByUser, "ours"));
        held.id.project = fuzz.id();
        let plan = Plan { projects: vec![root, fuzz], frozen: vec![named_held(&held)], ..Plan::of("base", vec![]) };
        let moved = |lockfile: Option<&str>| Move {
            ecosystem: EcosystemKind::Cargo,
            name: "x".into(),
            from: Some("1.0.0".into()),
            to: Some("1.0.1".into()),
            lockfile: lockfile.map(str::to_owned),
        };
        let forbids = |project: usize, one| plan.forbidden(&plan.projects[project], &[moved(one)]).is_some();
        assert!(!forbids(0, None));
        assert!(forbids(0, Some("fuzz/Cargo.lock")));
        assert!(forbids(1, None));
    }
}
