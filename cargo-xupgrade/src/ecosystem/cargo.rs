//! Cargo: workspaces, registries of crates, `Cargo.toml` and `Cargo.lock`. This file joins the rooms behind it:
//! `workspace` discovers, `survey` lists requirements and releases, `relock` edits, `registries` joins `index` and
//! `view`, which know releases.

mod alone;
mod checks;
pub mod fetch;
mod fresh;
pub mod index;
pub mod lock;
pub mod manifest;
mod members;
mod outside;
mod project_files;
mod registries;
mod relock;
pub mod requirement;
mod snapshots;
mod survey;
mod transitive;
mod variants;
pub mod view;
mod workspace;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::{Result, anyhow};

use super::{
    Change, Cover, Ecosystem, Everything, Exercised, Network, Outlook, Project, Resolution, Resolved, Resolver, Survey,
    Tree,
};
use crate::candidate::{EcosystemKind, Reason, ReasonKind};
use crate::checkout::environment;
use crate::event::{Event, Listener};
use crate::machine::command::{Tool, variable};
use crate::machine::mutex::lock;
use crate::machine::toolchain;
use crate::phrases;
use crate::project::ManifestRule;
use crate::trial::{CellReport, Check};
use checks::Endurance;
pub use checks::NAMES as CHECKS;
use lock::LockedPackage;
use members::Members;
use registries::{Registries, Young};
use variants::Variants;

/// Cargo, as one run sees it.
pub struct Cargo<'a> {
    outlook: Outlook,
    manifest: ManifestRule,
    /// A `CARGO_HOME` for resolves, so that the loopback index leaves no cache in the user's.
    resolve_home: PathBuf,
    /// A target directory in which nothing is built: cargo remembers there what the compiler says of itself, and asks it
    /// twice at each start otherwise.
    resolve_target: PathBuf,
    store: PathBuf,
    listener: &'a dyn Listener,
    /// Variables that open registries, out of configuration above the repository.
    credentials: Vec<(String, String)>,
    registries: Mutex<BTreeMap<String, Arc<Registries>>>,
    /// The workspaces that were found, by folder.
    projects: Mutex<BTreeMap<String, Project>>,
    /// Tests that can run apart from others, by folder of their workspace: asked once, on the base.
    apart: Mutex<BTreeMap<String, alone::Apart>>,
    /// For packages that no build on this machine compiles, by folder of their workspace and name: a word on what would.
    missing: Mutex<BTreeMap<String, BTreeMap<String, String>>>,
    /// The aims of all upgrades together, by folder of their workspace.
    aims: Mutex<BTreeMap<String, relock::Aims>>,
    /// The Rust that the checks run with, by folder of their workspace: asked once.
    rust: Mutex<BTreeMap<String, Option<String>>>,
    /// Held by who writes an upgrade: cargo waits for its own locks otherwise, and says so in the midst of its words.
    writing: Mutex<()>,
}

impl<'a> Cargo<'a> {
    /// For a run; `cache` is the repository's folder, `store` the one that all repositories share.
    #[must_use]
    pub fn new(
        outlook: Outlook,
        manifest: ManifestRule,
        cache: &Path,
        store: &Path,
        listener: &'a dyn Listener,
    ) -> Self {
        Self {
            outlook,
            manifest,
            resolve_home: cache.join("resolve-home"),
            resolve_target: cache.join("resolve-target"),
            store: store.join("index"),
            listener,
            credentials: Vec::new(),
            registries: Mutex::default(),
            projects: Mutex::default(),
            apart: Mutex::default(),
            missing: Mutex::default(),
            aims: Mutex::default(),
            rust: Mutex::default(),
            writing: Mutex::default(),
        }
    }

    /// A workspace that was found.
    fn known(&self, path: &str) -> Option<Project> {
        lock(&self.projects).get(path).cloned()
    }

    /// The aims of all upgrades of a workspace together, as far as they are known.
    fn aims(&self, project: &Project) -> relock::Aims {
        lock(&self.aims).get(&project.path).cloned().unwrap_or_default()
    }

    /// Has single upgrades of a workspace keep to the aims of all from now on.
    fn aim(&self, project: &Project, aims: relock::Aims) {
        lock(&self.aims).insert(project.path.clone(), aims);
    }

    /// The version of the Rust that the checks of a workspace run with.
    fn rust_of_checks(&self, root: &Path, project: &Project) -> Option<String> {
        let ask = || toolchain::version(&root.join(&project.path));
        lock(&self.rust).entry(project.path.clone()).or_insert_with(ask).clone()
    }

    /// How a cargo of a workspace goes on after a target that does not compile.
    fn endurance(&self, root: &Path, project: &Project) -> Endurance {
        Endurance::of(self.rust_of_checks(root, project).as_deref())
    }

    /// The builds that the usual checks pass by. What `cargo tree` needs is downloaded where it is not there; the baseline
    /// tells of what cannot be.
    fn variants(&self, root: &Path, project: &Project, cover: &Cover<'_>) -> Result<Variants> {
        let folder = root.join(&project.path);
        let tool = || self.tool();
        let tree = |selection: &[&str]| variants::tree(&tool, &folder, selection);
        let is_there = tree(&["--workspace", variants::ALL, "--target=all"]).is_some();
        if !is_there && self.fetch(root, project, &[]).is_err() {
            return Ok(Variants::default());
        }
        let members = Members::ask(&tool, &folder);
        if members.all.len() > variants::MOST_MEMBERS {
            let text = format!("{} has {} members: none is built by itself", project.id(), members.all.len());
            self.listener.tell(&Event::Said { text });
        }
        let known = variants::Known {
            members: &members,
            lock: &project_files::read_lock(root, project)?,
            moving: &cover.moving,
            targets: &variants::installed(&folder),
            own: cover.own,
        };
        Ok(variants::find(&known, &tree))
    }

    /// With variables that open registries, for resolves and fetches; what the user has set ranks above them.
    #[must_use]
    pub fn with_credentials(self, credentials: Vec<(String, String)>) -> Self {
        let unset = |(key, _): &(String, String)| variable(key).is_none();
        Self { credentials: credentials.into_iter().filter(unset).collect(), ..self }
    }

    /// The cargo that resolves and fetches.
    fn tool(&self) -> Tool {
        let tool = environment::cargo().env("CARGO_TARGET_DIR", &self.resolve_target);
        self.credentials.iter().fold(tool, |tool, (key, value)| tool.env(key, value))
    }

    /// Opens the registries of a project, once.
    fn registries(&self, root: &Path, project: &Project) -> Result<Arc<Registries>> {
        let mut known = lock(&self.registries);
        if let Some(known) = known.get(&project.path) {
            return Ok(Arc::clone(known));
        }
        let manifests = project_files::read_manifests(root, project)?.map_err(|reason| anyhow!(reason.text))?;
        let locked = project_files::read_lock(root, project)?;
        let opened = Arc::new(Registries::open(self, root, project, manifests.values(), &locked, Young::Hidden)?);
        known.insert(project.path.clone(), Arc::clone(&opened));
        Ok(opened)
    }

    /// The registries of a project of which nothing is locked yet: no version is exempt from any rule.
    fn unlocked_registries(&self, root: &Path, project: &Project, young: Young) -> Result<Registries> {
        let manifests = project_files::read_manifests(root, project)?.map_err(|reason| anyhow!(reason.text))?;
        let nothing = lock::Lock { version: 4, packages: Vec::new(), unused_patches: Vec::new() };
        Registries::open(self, root, project, manifests.values(), &nothing, young)
    }
}

impl Cargo<'_> {
    /// Says what a toolchain file asks for in vain, once for each file.
    fn remark_on_toolchains(&self, tree: Tree<'_>, projects: &[Project]) {
        let mut told = BTreeSet::new();
        for project in projects.iter().filter(|project| project.obstacle.is_none()) {
            let folder = tree.root.join(&project.path);
            let pin = toolchain::pin(&folder, tree.root).filter(|pin| told.insert(pin.file.clone()));
            if let Some(text) = pin.and_then(|pin| toolchain::remarks(&pin, &folder, tree.root)) {
                self.listener.tell(&Event::Warned { text });
            }
        }
    }

    /// Cargo says which crate's file is not the one that was promised, but neither checksum; a person needs both.
    fn checksums(&self, root: &Path, project: &Project, words: &str) -> Option<String> {
        let (name, version) = phrases::cargo::bad_checksum(words)?;
        let version: semver::Version = version.parse().ok()?;
        let locked = project_files::read_lock(root, project).ok()?;
        let package = locked.packages.iter().find(|one| one.name == name && one.version == version)?;
        let registries = self.registries(root, project).ok()?;
        let real = registries.of_lock(package.source.as_deref())?.index.file_checksum(name, &version);
        Some(format!(
            "{name} {version} should have the checksum {}, and its file has {}",
            package.checksum.as_deref().unwrap_or("(none)"),
            real.as_deref().unwrap_or("one that could not be read again")
        ))
    }
}

impl Resolver for Cargo<'_> {
    fn resolve_all(&self, root: &Path, all: &Everything<'_>) -> Result<Vec<Resolved>> {
        relock::resolve_all(self, root, all)
    }

    fn apply(&self, root: &Path, change: &Change<'_>) -> Result<Resolution> {
        let _one_at_a_time = lock(&self.writing);
        relock::apply(self, root, change)
    }

    fn in_conflict(&self, refusal: &Reason) -> Option<BTreeSet<String>> {
        Some(relock::in_conflict(&refusal.text))
    }

    fn fetch(&self, root: &Path, project: &Project, _checks: &[&Check]) -> Result<()> {
        // A resolve has a cargo home of its own, whose git folder is the user's: no lock of cargo's is common to both.
        let is_git = |one: &LockedPackage| one.source.as_deref().is_some_and(|source| source.starts_with("git+"));
        let has_git = project_files::read_lock(root, project).is_ok_and(|locked| locked.packages.iter().any(is_git));
        let _not_beside_a_resolve = has_git.then(|| lock(&self.writing));
        let mut tool = self.tool().args(["fetch", "--locked", "--quiet"]).dir(&root.join(&project.path));
        if self.outlook.network == Network::Offline {
            tool = tool.arg("--offline");
        }
        tool.run().map(drop).map_err(|error| match self.checksums(root, project, &error.to_string()) {
            Some(words) => error.context(words),
            None => error,
        })
    }
}

impl Ecosystem for Cargo<'_> {
    fn kind(&self) -> EcosystemKind {
        EcosystemKind::Cargo
    }

    fn discover(&self, tree: Tree<'_>) -> Result<Vec<Project>> {
        let mut projects = workspace::discover(tree);
        let without = |project: &&mut Project| {
            project.obstacle.as_ref().is_some_and(|reason| reason.kind == ReasonKind::NoLockfile)
        };
        for project in projects.iter_mut().filter(without) {
            fresh::lock(self, tree.root, project)?;
        }
        workspace::link(tree, &mut projects);
        self.remark_on_toolchains(tree, &projects);
        *lock(&self.projects) = projects.iter().map(|one| (one.path.clone(), one.clone())).collect();
        Ok(projects)
    }

    fn survey(&self, root: &Path, project: &Project) -> Result<Survey> {
        survey::survey(self, root, project)
    }

    fn checks(&self, root: &Path, project: &Project, _cover: &Cover<'_>) -> Result<Vec<Check>> {
        Ok(offered(checks::usual(project, self.endurance(root, project)), root, project))
    }

    fn late_checks(&self, root: &Path, project: &Project, cover: &Cover<'_>) -> Result<Vec<Check>> {
        let Variants { chosen, missing } = self.variants(root, project, cover)?;
        lock(&self.missing).insert(project.path.clone(), missing);
        Ok(offered(checks::late(project, &chosen, self.endurance(root, project)), root, project))
    }

    fn spare(&self, root: &Path, project: &Project, packages: &BTreeSet<String>) -> BTreeMap<String, BTreeSet<String>> {
        let members = Members::ask(&|| self.tool(), &root.join(&project.path));
        let Ok(locked) = project_files::read_lock(root, project) else { return BTreeMap::new() };
        let over = |package: &String| (package.clone(), members.spare_over(&locked, package));
        packages.iter().map(over).filter(|(_, members)| !members.is_empty()).collect()
    }

    fn without(&self, check: Check, members: &BTreeSet<String>) -> Option<Check> {
        checks::without(check, members)
    }

    fn exercised(&self, root: &Path, project: &Project, cells: &[&CellReport]) -> Result<Exercised> {
        let locked = project_files::read_lock(root, project)?;
        let missing = lock(&self.missing).get(&project.path).cloned().unwrap_or_default();
        let mut exercised = Exercised { missing, ..Exercised::default() };
        for cell in cells {
            exercised.compiled.extend(cell.reading.compiled.iter().cloned());
        }
        for member in lock::members(&locked) {
            let roots = [(member.name.clone(), member.version.clone())];
            let below: BTreeSet<String> =
                lock::reachable_from(&locked, &roots).into_iter().map(|(name, _)| name).collect();
            // Documentation tests are named by the crate, unit tests by the package.
            exercised.below.insert(member.name.replace('-', "_"), below.clone());
            exercised.below.insert(member.name.clone(), below);
        }
        let mut asked = lock(&self.apart);
        let ask = || alone::Apart::ask(&|| self.tool(), &root.join(&project.path));
        let apart = asked.entry(project.path.clone()).or_insert_with(ask);
        (exercised.alone, exercised.beyond) = (apart.alone.clone(), apart.beyond.clone());
        Ok(exercised)
    }
}

/// A path below the root, as people and JSON see it.
fn from_root(root: &Path, path: &Path) -> Result<String> {
    let below = path.strip_prefix(root).map_err(|_| anyhow!("{} lies outside of the repository", path.display()))?;
    let text = below.to_str().ok_or_else(|| anyhow!("{} is no UTF-8", below.display()))?;
    Ok(if text.is_empty() { ".".into() } else { text.to_owned() })
}

/// Checks with the variables that the packages of their workspace need.
fn offered(mut checks: Vec<Check>, root: &Path, project: &Project) -> Vec<Check> {
    let variables =
        project_files::read_lock(root, project).map(|locked| snapshots::variables(&locked)).unwrap_or_default();
    for check in &mut checks {
        check.env.extend(variables.clone());
    }
    checks
}
