//! The planning of a run: projects are found, their dependencies surveyed, and the policy decides; the matrix stands beside them.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;

use crate::candidate::{Candidate, Dependency, DependencyRef, Target};
use crate::cooldown::Cooldown;
use crate::ecosystem::{Cover, Ecosystem, Tree, cargo::Cargo, go, go::Go};
use crate::event::{Event, Listener};
use crate::machine::failure::{Interrupted, Usage};
use crate::machine::interrupt::{Level, Stop};
use crate::plan::{Plan, held_whole};
use crate::policy::{idle_holds, names};
use crate::project::{ManifestRule, Project};
use crate::trial::{Cell, Check};

use super::cache::cache_root;
use super::opened::Opened;
use super::reach;

/// The words for a repository in which there is nothing to upgrade.
const NO_PROJECT: &str = "no project here: git tracks no Cargo.toml and no go.mod, but for what lies below testdata/ or vendor/, \
     deep in tests/ or fixtures/ (`include` takes it in), or in what `exclude` names";

/// The ecosystems of a repository.
pub struct Ecosystems<'a>(Vec<Box<dyn Ecosystem + 'a>>);

impl<'a> Ecosystems<'a> {
    fn find(opened: &Opened<'a>, manifest: ManifestRule) -> Self {
        let mut found: Vec<Box<dyn Ecosystem + 'a>> = Vec::new();
        if opened.sight.files.iter().any(|file| file.ends_with("Cargo.toml")) {
            let cargo = Cargo::new(opened.outlook, manifest, &opened.cache, &cache_root(), opened.listener);
            found.push(Box::new(cargo.with_credentials(opened.outside.credentials.clone())));
        }
        if opened.sight.files.iter().any(|file| file.ends_with("go.mod")) {
            let go = Go::new(opened.outlook, &cache_root(), opened.listener);
            found.push(Box::new(go.with_workspace(opened.outside.go_work.as_deref())));
        }
        Self(found)
    }

    /// Each of them.
    pub fn all(&self) -> &[Box<dyn Ecosystem + 'a>] {
        &self.0
    }

    /// The ecosystem of a project.
    pub fn of(&self, project: &Project) -> Option<&(dyn Ecosystem + 'a)> {
        self.0.iter().find(|one| one.kind() == project.ecosystem).map(|one| &**one)
    }

    /// The answer of a project's ecosystem on checks that cover its candidates.
    fn asked(
        &self,
        opened: &Opened<'_>,
        project: &Project,
        own: &[Check],
        candidates: &[Candidate],
        ask: impl Fn(&dyn Ecosystem, &Path, &Cover<'_>) -> Result<Vec<Check>>,
    ) -> Result<Vec<Check>> {
        let is_its = |one: &&Candidate| one.id.project == project.id();
        let its: Vec<&Candidate> = candidates.iter().filter(is_its).collect();
        let cover = Cover {
            candidates: its.iter().map(|one| one.id.name.as_str()).collect(),
            moving: its.iter().map(|one| Target::new(one.id.name.as_str(), one.at.clone())).collect(),
            own,
        };
        self.of(project).map_or(Ok(Vec::new()), |ecosystem| ask(ecosystem, &opened.worker.tree(), &cover))
    }

    /// Completes the matrix of a plan with the checks that show only where the packages are there.
    pub fn complete(&self, opened: &Opened<'_>, plan: &mut Plan) -> Result<()> {
        let mut late = Vec::new();
        let has_some =
            |one: &&Project| plan.candidates.iter().any(|candidate| plan.project_of(candidate) == Some(*one));
        for project in plan.projects.iter().filter(|one| one.obstacle.is_none()).filter(has_some) {
            let own = |cell: &&Cell| cell.project == project.id() && opened.config.is_own(project, &cell.check.name);
            let own: Vec<Check> = plan.cells.iter().filter(own).map(|cell| cell.check.clone()).collect();
            let checks = self.asked(opened, project, &own, &plan.candidates, |ecosystem, root, cover| {
                ecosystem.late_checks(root, project, cover)
            })?;
            late.extend(opened.config.cells(project, &plan.projects, checks));
        }
        late.retain(|cell| !plan.cells.iter().any(|one| one.key() == cell.key()));
        plan.cells.extend(late);
        plan.cells.sort_by_key(|cell| cell.check.phase);
        Ok(())
    }
}

/// Discovers the projects, surveys their dependencies and decides. Each ecosystem does its part in a thread of its own:
/// while one waits for its registry, another one works.
pub fn plan<'a>(opened: &mut Opened<'a>, manifest: ManifestRule) -> Result<(Plan, Ecosystems<'a>)> {
    let ecosystems = Ecosystems::find(opened, manifest);
    let root = opened.worker.tree();
    let listener = opened.listener;
    let ignored = opened.worker.ignored(&go::sums_to_make(&opened.sight.files))?;
    let tree = Tree { root: &root, files: &opened.sight.files, ignored: &ignored };
    let found = beside(&ecosystems.0, |one| discover(one, tree, listener))?;
    let mut projects: Vec<Project> = found.into_iter().flatten().collect();
    projects.sort_by(|a, b| (&a.path, a.ecosystem).cmp(&(&b.path, b.ecosystem)));
    if projects.is_empty() {
        listener.tell(&Event::Warned { text: NO_PROJECT.to_owned() });
    }
    opened.worker.adopt(reach::own_lockfiles(&projects))?;
    reach::close(&mut projects, &opened.tracked);
    reach::refuse_links(&mut projects, &opened.tracked);
    reach::refuse_unsteady(&mut projects, &opened.tracked, &opened.worker)?;
    let stop = &opened.stop;
    let found = beside(&ecosystems.0, |one| survey_all(one, &root, &projects, listener, stop))?;
    let mut found: Vec<Surveyed> = found.into_iter().flatten().collect();
    found.sort_by(|(a, _), (b, _)| (&a.path, a.ecosystem).cmp(&(&b.path, b.ecosystem)));
    warn_of_idle_holds(opened, &found);
    let (mut projects, mut dependencies, mut held) = (Vec::new(), Vec::new(), Vec::new());
    for (project, mut found) in found {
        reach::refuse_foreign(&mut found, &opened.tracked);
        match &project.obstacle {
            Some(_) => held.extend(held_whole(&project, &found)),
            None => dependencies.extend(found),
        }
        projects.push(project);
    }
    let mut plan = Plan::make(&opened.base, projects, &dependencies, Vec::new(), &opened.policy);
    plan.cells = opened.config.matrix(&plan.projects, |project, own| {
        ecosystems.asked(opened, project, own, &plan.candidates, |one, root, cover| one.checks(root, project, cover))
    })?;
    plan.held.extend(held);
    plan.set_aside = opened.sight.set_aside(&plan.projects);
    plan.cooldowns = cooldowns(opened, &dependencies);
    check_names(opened, &plan, &dependencies)?;
    Ok((plan, ecosystems))
}

/// Tells of the holds that name nothing; where no manifest of a project could be read, nobody knows.
fn warn_of_idle_holds(opened: &Opened<'_>, found: &[Surveyed]) {
    if found.iter().any(|(project, found)| project.obstacle.is_some() && found.is_empty()) {
        return;
    }
    let known: Vec<&DependencyRef> = found.iter().flat_map(|(_, found)| found).map(|one| &one.id).collect();
    for text in idle_holds(&opened.policy.holds, &known) {
        opened.listener.tell(&Event::Warned { text });
    }
}

/// The cooldowns that hold in the place of the usual one.
fn cooldowns(opened: &Opened<'_>, dependencies: &[Dependency]) -> Vec<Cooldown> {
    let own = dependencies.iter().filter_map(|one| one.cooldown.clone());
    let all: BTreeSet<Cooldown> = opened.said.clone().into_iter().chain(own).collect();
    all.into_iter().collect()
}

/// A name that was asked for and is nowhere is a mistake of the command line, not an empty plan.
fn check_names(opened: &Opened<'_>, plan: &Plan, all: &[Dependency]) -> Result<()> {
    let known = |word: &String| {
        let word = std::slice::from_ref(word);
        plan.candidates.iter().any(|one| names(word, &one.id))
            || plan.held.iter().any(|one| names(word, &one.id))
            || plan.newest.iter().any(|one| names(word, &one.id))
    };
    let lost = opened.policy.only.iter().chain(&opened.policy.exclude).find(|name| !known(name));
    let Some(name) = lost else { return Ok(()) };
    let text = if all.iter().any(|one| one.id.name == *name) {
        format!("only other packages require `{name}`; with `--transitive` it takes part")
    } else {
        format!("no project has a direct dependency `{name}`")
    };
    Err(Usage(text).into())
}

/// A project and its dependencies.
type Surveyed = (Project, Vec<Dependency>);

/// Lets every ecosystem do its part in a thread of its own.
fn beside<'a, T: Send>(
    ecosystems: &[Box<dyn Ecosystem + 'a>],
    part: impl Fn(&(dyn Ecosystem + 'a)) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let part = &part;
    let done: Vec<Result<T>> = std::thread::scope(|scope| {
        let threads: Vec<_> = ecosystems.iter().map(|one| scope.spawn(move || part(one.as_ref()))).collect();
        threads.into_iter().map(|one| one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    done.into_iter().collect()
}

fn discover(ecosystem: &(dyn Ecosystem + '_), tree: Tree<'_>, listener: &dyn Listener) -> Result<Vec<Project>> {
    let what = format!("finding {} projects", ecosystem.kind());
    listener.tell(&Event::Began { what: what.clone() });
    let projects = ecosystem.discover(tree)?;
    listener.tell(&Event::Ended { what });
    Ok(projects)
}

/// The projects of an ecosystem with their dependencies.
fn survey_all(
    ecosystem: &(dyn Ecosystem + '_),
    root: &Path,
    projects: &[Project],
    listener: &dyn Listener,
    stop: &Stop,
) -> Result<Vec<Surveyed>> {
    let mut surveyed = Vec::new();
    for project in projects.iter().filter(|project| project.ecosystem == ecosystem.kind()) {
        if stop.requested() > Level::None {
            return Err(Interrupted.into());
        }
        let mut project = project.clone();
        let what = format!("surveying {}", project.id());
        listener.tell(&Event::Began { what: what.clone() });
        let found = ecosystem.survey(root, &project)?;
        listener.tell(&Event::Ended { what });
        let dependencies = found.unwrap_or_else(|whole| {
            project.obstacle.get_or_insert(whole.reason);
            whole.dependencies
        });
        surveyed.push((project, dependencies));
    }
    Ok(surveyed)
}
