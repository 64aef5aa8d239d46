//! The scene of a run: repository, base, configuration, cache, clone, ecosystems; and the plan made in it.

mod crew;
mod rights;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::candidate::{Candidate, Dependency, DependencyRef, Target};
use crate::checkout::outside::Outside;
use crate::checkout::repo::Repo;
use crate::checkout::worker::submodule::Means;
use crate::checkout::worker::{Tracked, Worker};
use crate::clock::Instant;
use crate::cooldown::Cooldown;
use crate::ecosystem::{Cover, Ecosystem, InTurn, Outlook, RegistryAge, Tree, UnknownAge, cargo::Cargo, go, go::Go};
use crate::event::{Event, Listener};
use crate::input::cli::Selection;
use crate::input::config::Config;
use crate::machine::failure::{Interrupted, Usage};
use crate::machine::interrupt::{Level, Stop};
use crate::plan::{Plan, held_whole};
use crate::policy::{PinRule, Policy, Reach, idle_holds, names};
use crate::project::Base;
use crate::project::{CONFIG_FILE, ManifestRule, Network, Project, TransitiveRule};
use crate::state::facts::Facts;
use crate::state::journal::Lock;
use crate::trial::{Cell, Check};

use super::cache::{cache_root, make_shared};
use super::prune;
use super::sight::Sight;
use super::{reach, setup, told};

/// Everything that stands before a plan is made.
pub struct Scene<'a> {
    pub repo: Repo,
    pub base: Base,
    pub config: Config,
    pub outlook: Outlook,
    pub policy: Policy,
    pub cache: PathBuf,
    /// The first worker: the plan is made in its clone, and commits are.
    pub worker: Worker,
    /// The workers beside it.
    others: Vec<Worker>,
    /// How old releases must be, where a flag or the configuration says so.
    said: Option<Cooldown>,
    pub ecosystems: Vec<Box<dyn Ecosystem + Sync + 'a>>,
    listener: &'a dyn Listener,
    stop: Stop,
    sight: Sight,
    tracked: Tracked,
    outside: Outside,
    /// A digest of what `[setup] copy` brought.
    pub copied: String,
    /// What finished cells said: nothing before there is a journal.
    pub facts: Facts,
    _lock: Lock,
}

/// The words for a repository in which there is nothing to upgrade.
const NO_PROJECT: &str = "no project here: git tracks no Cargo.toml and no go.mod, but for what lies below testdata/ or vendor/, \
     deep in tests/ or fixtures/ (`include` takes it in), or in what `exclude` names";

impl<'a> Scene<'a> {
    /// Opens repository and configuration, takes the lock, makes the clone.
    pub fn open(selection: &Selection, listener: &'a dyn Listener, stop: &Stop) -> Result<Self> {
        let start = match &selection.repo {
            Some(folder) => folder.clone(),
            None => std::env::current_dir().context("cannot tell the current folder")?,
        };
        let repo = Repo::discover(&start)?;
        let base = repo.base(selection.base.as_deref())?;
        let config = read_config(&repo, &base, selection)?;
        let said = said_age(selection, &config);
        let policy = policy(selection, &config)?;
        let outlook = Outlook {
            as_of: policy.as_of,
            cutoff: policy.as_of.minus_days(policy.min_age),
            unknown_age: if policy.min_age == 0 { UnknownAge::Old } else { UnknownAge::TooYoung },
            transitive: policy.transitive,
            network: if selection.offline { Network::Offline } else { Network::Online },
            registry_age: if said.is_some() { RegistryAge::Overruled } else { RegistryAge::Heeded },
        };
        let cache = cache_root().join(repo.cache_key());
        let lock = Lock::take(&cache)?;
        listener.tell(&told::opened(&repo, &base));
        make_shared(&cache_root())?;
        // Cargo and go answer with real paths, and those are compared with ours.
        let cache = cache.canonicalize().with_context(|| format!("cannot read {}", cache.display()))?;
        prune::before(&cache, config.target_limit(), listener)?;
        let what = "checking out the base commit".to_owned();
        listener.tell(&Event::Began { what: what.clone() });
        let mut worker = Worker::prepare(&repo, &base, &cache, 0)?;
        let store = cache.join("submodules");
        let warnings = worker.add_submodules(&Means { repo: &repo, store: &store, network: outlook.network })?;
        listener.tell(&Event::Ended { what });
        for text in warnings {
            listener.tell(&Event::Warned { text });
        }
        let tracked = worker.tracked()?;
        let credentials = setup::copy_named(&repo, &worker.tree(), &config.setup.copy, &tracked.files)?;
        let copied = setup::digest_of(&repo, &worker.tree(), &config.setup.copy)?;
        let missing = worker.missing_filters(&tracked, &repo.settings());
        for text in missing.into_iter().chain(worker.failed_filters()).chain(tracked.warnings()) {
            listener.tell(&Event::Warned { text });
        }
        let sight = Sight::new(tracked.files.clone(), &config)?;
        let mut outside = setup::look_outside(&repo, &worker, &sight.files, listener)?;
        // What lies in the repository is nearer than what lies above it, and a later value wins.
        outside.credentials.extend(credentials);
        setup::warn_of_untracked(&repo, &worker.tree(), &sight.files, listener);
        Ok(Self {
            repo,
            base,
            config,
            outlook,
            policy,
            cache,
            worker,
            others: Vec::new(),
            said,
            ecosystems: Vec::new(),
            listener,
            stop: stop.clone(),
            sight,
            tracked,
            outside,
            copied,
            facts: Facts::none(),
            _lock: lock,
        })
    }

    /// Looks at the registries as they were at another instant, from the next plan on.
    pub fn look_at(&mut self, as_of: Instant) {
        self.policy.as_of = as_of;
        self.outlook.as_of = as_of;
        self.outlook.cutoff = as_of.minus_days(self.policy.min_age);
    }

    /// Discovers the projects, surveys their dependencies and decides. Each ecosystem does its part in a thread of its own:
    /// while one waits for its registry, another one works.
    pub fn plan(&mut self, manifest: ManifestRule) -> Result<Plan> {
        self.ecosystems = self.find_ecosystems(manifest);
        let root = self.worker.tree();
        let listener = self.listener;
        let ignored = self.worker.ignored(&go::sums_to_make(&self.sight.files))?;
        let tree = Tree { root: &root, files: &self.sight.files, ignored: &ignored };
        let found = beside(&mut self.ecosystems, |one| discover(one, tree, listener))?;
        let mut projects: Vec<Project> = found.into_iter().flatten().collect();
        projects.sort_by(|a, b| (&a.path, a.ecosystem).cmp(&(&b.path, b.ecosystem)));
        if projects.is_empty() {
            listener.tell(&Event::Warned { text: NO_PROJECT.to_owned() });
        }
        self.worker.adopt(reach::own_lockfiles(&projects))?;
        reach::close(&mut projects, &self.tracked);
        reach::refuse_links(&mut projects, &self.tracked);
        reach::refuse_unsteady(&mut projects, &self.tracked, &self.worker)?;
        let stop = &self.stop;
        let found = beside(&mut self.ecosystems, |one| survey_all(one, &root, &projects, listener, stop))?;
        let mut found: Vec<Surveyed> = found.into_iter().flatten().collect();
        found.sort_by(|(a, _), (b, _)| (&a.path, a.ecosystem).cmp(&(&b.path, b.ecosystem)));
        self.warn_of_idle_holds(&found);
        let (mut projects, mut dependencies, mut held) = (Vec::new(), Vec::new(), Vec::new());
        for (project, mut found) in found {
            reach::refuse_foreign(&mut found, &self.tracked);
            match &project.obstacle {
                Some(_) => held.extend(held_whole(&project, &found)),
                None => dependencies.extend(found),
            }
            projects.push(project);
        }
        let mut plan = Plan::make(&self.base, projects, &dependencies, Vec::new(), &self.policy);
        plan.cells = self.config.matrix(&plan.projects, |project, own| self.checks(project, own, &plan.candidates))?;
        plan.held.extend(held);
        plan.set_aside = self.sight.set_aside(&plan.projects);
        plan.cooldowns = self.cooldowns(&dependencies);
        self.check_names(&plan, &dependencies)?;
        Ok(plan)
    }

    /// Tells of the holds that name nothing; where no manifest of a project could be read, nobody knows.
    fn warn_of_idle_holds(&self, found: &[Surveyed]) {
        if found.iter().any(|(project, found)| project.obstacle.is_some() && found.is_empty()) {
            return;
        }
        let known: Vec<&DependencyRef> = found.iter().flat_map(|(_, found)| found).map(|one| &one.id).collect();
        for text in idle_holds(&self.policy.holds, &known) {
            self.listener.tell(&Event::Warned { text });
        }
    }

    /// The cooldowns that hold in the place of the usual one.
    fn cooldowns(&self, dependencies: &[Dependency]) -> Vec<Cooldown> {
        let own = dependencies.iter().filter_map(|one| one.cooldown.clone());
        let all: BTreeSet<Cooldown> = self.said.clone().into_iter().chain(own).collect();
        all.into_iter().collect()
    }

    /// A name that was asked for and is nowhere is a mistake of the command line, not an empty plan.
    fn check_names(&self, plan: &Plan, all: &[Dependency]) -> Result<()> {
        let known = |word: &String| {
            let word = std::slice::from_ref(word);
            plan.candidates.iter().any(|one| names(word, &one.id))
                || plan.held.iter().any(|one| names(word, &one.id))
                || plan.newest.iter().any(|one| names(word, &one.id))
        };
        let lost = self.policy.only.iter().chain(&self.policy.exclude).find(|name| !known(name));
        let Some(name) = lost else { return Ok(()) };
        let text = if all.iter().any(|one| one.id.name == *name) {
            format!("only other packages require `{name}`; with `--transitive` it takes part")
        } else {
            format!("no project has a direct dependency `{name}`")
        };
        Err(Usage(text).into())
    }

    /// The default checks of a project, beside the user's own.
    fn checks(&self, project: &Project, own: &[Check], candidates: &[Candidate]) -> Result<Vec<Check>> {
        self.asked(project, own, candidates, |ecosystem, root, cover| ecosystem.checks(root, project, cover))
    }

    /// The answer of a project's ecosystem on checks that cover its candidates.
    fn asked(
        &self,
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
        self.of(project).map_or(Ok(Vec::new()), |ecosystem| ask(ecosystem, &self.worker.tree(), &cover))
    }

    /// Completes the matrix of a plan with the checks that show only where the packages are there.
    pub fn complete(&self, plan: &mut Plan) -> Result<()> {
        let mut late = Vec::new();
        let has_some =
            |one: &&Project| plan.candidates.iter().any(|candidate| plan.project_of(candidate) == Some(*one));
        for project in plan.projects.iter().filter(|one| one.obstacle.is_none()).filter(has_some) {
            let own = |cell: &&Cell| cell.project == project.id() && self.config.is_own(project, &cell.check.name);
            let own: Vec<Check> = plan.cells.iter().filter(own).map(|cell| cell.check.clone()).collect();
            let checks = self.asked(project, &own, &plan.candidates, |ecosystem, root, cover| {
                ecosystem.late_checks(root, project, cover)
            })?;
            late.extend(self.config.cells(project, &plan.projects, checks));
        }
        late.retain(|cell| !plan.cells.iter().any(|one| one.key() == cell.key()));
        plan.cells.extend(late);
        plan.cells.sort_by_key(|cell| cell.check.phase);
        Ok(())
    }

    /// The ecosystem of a project.
    pub fn of(&self, project: &Project) -> Option<&(dyn Ecosystem + Sync + 'a)> {
        self.ecosystems.iter().find(|one| one.kind() == project.ecosystem).map(|one| &**one)
    }

    fn find_ecosystems(&self, manifest: ManifestRule) -> Vec<Box<dyn Ecosystem + Sync + 'a>> {
        let mut found: Vec<Box<dyn Ecosystem + Sync + 'a>> = Vec::new();
        if self.sight.files.iter().any(|file| file.ends_with("Cargo.toml")) {
            let cargo = Cargo::new(self.outlook, manifest, &self.cache, &cache_root(), self.listener);
            found.push(Box::new(InTurn::new(cargo.with_credentials(self.outside.credentials.clone()))));
        }
        if self.sight.files.iter().any(|file| file.ends_with("go.mod")) {
            let go = Go::new(self.outlook, &cache_root(), self.listener);
            found.push(Box::new(InTurn::new(go.with_workspace(self.outside.go_work.as_deref()))));
        }
        found
    }

    /// The output folder: as named, at the root, or in the cache where the root cannot be written.
    pub fn out_folder(&self, named: Option<&Path>, usual: &str) -> Result<PathBuf> {
        if let Some(folder) = named {
            return std::path::absolute(folder).context("cannot tell the output folder");
        }
        let at_root = self.repo.root().join(usual);
        let writable = !self.repo.is_bare() && fs::create_dir_all(&at_root).is_ok();
        Ok(if writable { at_root } else { self.cache.join("out") })
    }
}

/// A project and its dependencies.
type Surveyed = (Project, Vec<Dependency>);

/// Lets every ecosystem do its part in a thread of its own.
fn beside<'a, T: Send>(
    ecosystems: &mut [Box<dyn Ecosystem + Sync + 'a>],
    part: impl Fn(&mut (dyn Ecosystem + 'a)) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let part = &part;
    let done: Vec<Result<T>> = std::thread::scope(|scope| {
        let threads: Vec<_> = ecosystems.iter_mut().map(|one| scope.spawn(move || part(one.as_mut()))).collect();
        threads.into_iter().map(|one| one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    done.into_iter().collect()
}

fn discover(ecosystem: &mut (dyn Ecosystem + '_), tree: Tree<'_>, listener: &dyn Listener) -> Result<Vec<Project>> {
    let what = format!("finding {} projects", ecosystem.kind());
    listener.tell(&Event::Began { what: what.clone() });
    let projects = ecosystem.discover(tree)?;
    listener.tell(&Event::Ended { what });
    Ok(projects)
}

/// The projects of an ecosystem with their dependencies.
fn survey_all(
    ecosystem: &mut (dyn Ecosystem + '_),
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

fn read_config(repo: &Repo, base: &Base, selection: &Selection) -> Result<Config> {
    let at_root = repo.root().join(CONFIG_FILE);
    match &selection.config {
        Some(path) if !path.exists() => Err(Usage(format!("there is no configuration at {}", path.display())).into()),
        Some(path) => Config::read(path),
        None if repo.hides_files() && !at_root.exists() => {
            Config::parse(&repo.file_at(base, CONFIG_FILE)?.unwrap_or_default(), CONFIG_FILE)
        }
        None => Config::read(&at_root),
    }
}

/// The cooldown where nobody says otherwise, in days.
const USUAL_AGE: u32 = 3;

/// What a flag or the configuration says about age.
fn said_age(selection: &Selection, config: &Config) -> Option<Cooldown> {
    let flag = selection.min_age.map(|days| Cooldown::of_days(days, "--min-age"));
    flag.or_else(|| config.min_age.map(|days| Cooldown::of_days(days, "`min-age` in xupgrade.toml")))
}

fn policy(selection: &Selection, config: &Config) -> Result<Policy> {
    let as_of = match &selection.as_of {
        Some(text) => Instant::parse(text).map_err(|error| Usage(format!("`--as-of`: {error}")))?,
        None => crate::machine::now::now(),
    };
    Ok(Policy {
        reach: selection.level.or(config.level).map_or(Reach::Compatible, Into::into),
        as_of,
        min_age: selection.min_age.or(config.min_age).unwrap_or(USUAL_AGE),
        only: selection.only.clone(),
        exclude: selection.exclude.clone(),
        holds: config.hold.iter().map(crate::input::config::Hold::rule).collect::<Result<_>>()?,
        pins: if selection.pinned { PinRule::Move } else { PinRule::Keep },
        transitive: if selection.transitive { TransitiveRule::All } else { TransitiveRule::Withdrawn },
    })
}
