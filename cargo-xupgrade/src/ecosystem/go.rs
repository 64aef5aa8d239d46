//! Go: modules, the module proxies, `go.mod` and `go.sum`. Everything that needs Go's own rules is done by the companion
//! (`go-xupgrade/`), which asks the user's go command; this file joins the rooms behind it: `companion` runs it,
//! `protocol` has its words, `discover` and `survey` turn its answers into ours, `apply` judges its edits.
//! Nothing is started before something is asked, so a repository without Go modules never needs Go.

mod apply;
mod checks;
pub mod companion;
mod discover;
mod evidence;
pub mod protocol;
pub mod source;
mod survey;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use anyhow::{Result, anyhow};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{
    Change, Cover, Ecosystem, Everything, Exercised, Ground, Network, Outlook, Project, Resolution, Resolved, Resolver,
    Survey, Tree,
};
use crate::candidate::{Candidate, EcosystemKind, Reason, ReasonKind};
use crate::checkout::environment::GoSettings;
use crate::event::{Event, Listener};
use crate::machine::command::Tool;
use crate::machine::mutex::lock;
use crate::phrases;
use crate::trial::{CellReport, Check};
use companion::{Companion, Unanswered};
use protocol::{
    CompiledParams, Failure, FetchParams, Fetched, Requirement, Variant, Variants, VariantsParams, WorkLoad,
};

pub use checks::NAMES as CHECKS;

/// What keeps a go command from the network. GOPROXY alone does not: what GONOPROXY or GOPRIVATE name passes by it, and is
/// asked for where it comes from (go.dev/ref/mod#private-modules).
const NO_NETWORK: [(&str, &str); 3] = [("GOPROXY", "off"), ("GONOPROXY", "none"), ("GOVCS", "*:off")];

/// Go, as one run sees it.
pub struct Go<'a> {
    outlook: Outlook,
    cache_root: PathBuf,
    listener: &'a dyn Listener,
    /// Variables laid over the environment of every go command.
    env: BTreeMap<String, String>,
    companion: Mutex<Option<Companion>>,
    local_version: OnceLock<Option<String>>,
    /// Where the companion's program is, once that is known.
    program: Mutex<Option<PathBuf>>,
    /// What discovery and survey found out, by the project's folder.
    known: Mutex<BTreeMap<String, Known>>,
    /// What leaves go.work.sum alone on the base, by the go.work file.
    quiet: Mutex<BTreeMap<String, Vec<WorkLoad>>>,
    /// Modules whose deprecation was told.
    told: Mutex<BTreeSet<String>>,
    /// Held by who writes an upgrade.
    writing: Mutex<()>,
}

/// What is known about a module beyond its [`Project`].
#[derive(Debug, Clone, Default)]
struct Known {
    /// Modules that take this one from its folder, in the order to tidy them.
    tidied: Vec<String>,
    /// The `go.work` over it, from the root.
    work: Option<String>,
    /// Whether the go.work.sum beside that may be written.
    work_sum: WorkSum,
    /// Whether the nearest `go.work` above it does not name it.
    alone: bool,
    /// Whether its go.mod has `tool` lines.
    tools: bool,
    /// The files that a plain build of it passes by.
    variants: Variants,
    /// The toolchain that its go.mod asks for, when that is not the one at hand (`go1.26.8`).
    toolchain: Option<String>,
    /// What its go.mod asks for by name: path, version and kind.
    named: Vec<Requirement>,
    /// Modules that a comment in go.mod holds where they are.
    held: BTreeSet<String>,
    /// What a plain tidy of the base would change; `None` until it was tried.
    untidy: Option<apply::Untidy>,
}

/// Whether a go.work.sum may be written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum WorkSum {
    /// Yes: git has it, or would take it.
    #[default]
    Kept,
    /// No: git ignores it, so no commit can hold it.
    Ignored,
}

impl Known {
    /// What its go commands need beside the user's environment.
    fn env(&self) -> BTreeMap<String, String> {
        let work = self.alone.then(|| ("GOWORK".to_owned(), "off".to_owned()));
        let toolchain = self.toolchain.iter().map(|name| ("GOTOOLCHAIN".to_owned(), name.clone()));
        toolchain.chain(work).collect()
    }
}

impl<'a> Go<'a> {
    /// For a run; `cache_root` is the folder that all repositories share. Nothing is started yet.
    #[must_use]
    pub fn new(outlook: Outlook, cache_root: &Path, listener: &'a dyn Listener) -> Self {
        let mut env = BTreeMap::new();
        if outlook.network == Network::Offline {
            env.extend(NO_NETWORK.map(|(key, value)| (key.to_owned(), value.to_owned())));
        }
        Self {
            outlook,
            cache_root: cache_root.to_path_buf(),
            listener,
            env,
            companion: Mutex::default(),
            local_version: OnceLock::new(),
            program: Mutex::default(),
            known: Mutex::default(),
            quiet: Mutex::default(),
            told: Mutex::default(),
            writing: Mutex::default(),
        }
    }

    /// With `GOWORK` as the user has set it, for the clone.
    #[must_use]
    pub fn with_workspace(mut self, work: Option<&str>) -> Self {
        self.env.extend(work.map(|work| ("GOWORK".to_owned(), work.to_owned())));
        self
    }

    /// The version of the go command on the PATH, whatever GOTOOLCHAIN chooses in its place.
    fn local_version(&self) -> Option<&str> {
        let ask = || {
            let tool = Tool::new("go").args(["env", "GOVERSION"]).env("GOTOOLCHAIN", "local");
            tool.dir(&std::env::temp_dir()).line().ok()
        };
        self.local_version.get_or_init(ask).as_deref()
    }

    /// Asks the companion, and starts it first if need be. `what` is the work whose progress the listener is told.
    fn ask<P: Serialize, R: DeserializeOwned>(&self, verb: &str, params: &P, what: &str) -> Result<R, Unanswered> {
        let mut slot = lock(&self.companion);
        if slot.is_none() {
            let program = self.program().map_err(Unanswered::Broken)?;
            *slot = Some(Companion::start(&program, self.env.clone(), &self.store())?);
        }
        let Some(companion) = slot.as_mut() else {
            return Err(Unanswered::Broken(anyhow!("the Go companion is gone")));
        };
        let mut tell = |done, total| self.listener.tell(&Event::Progressed { what: what.to_owned(), done, total });
        let answer = companion.ask(verb, params, &mut tell);
        if matches!(answer, Err(Unanswered::Broken(_))) {
            // The next question starts another one.
            *slot = None;
        }
        answer
    }

    /// Asks a companion of its own, which works with the go command on the PATH whatever GOTOOLCHAIN names: for what only
    /// reads files.
    fn ask_without_toolchain<P: Serialize, R: DeserializeOwned>(
        &self,
        verb: &str,
        params: &P,
    ) -> Result<R, Unanswered> {
        let program = self.program().map_err(Unanswered::Broken)?;
        let mut env = self.env.clone();
        env.insert("GOTOOLCHAIN".to_owned(), "local".to_owned());
        Companion::start(&program, env, &self.store())?.ask(verb, params, &mut |_, _| {})
    }

    /// Where the companion keeps copies of what the module proxies publish.
    fn store(&self) -> PathBuf {
        self.cache_root.join("modules")
    }

    /// The companion's program: looked for, or built, once.
    fn program(&self) -> Result<PathBuf> {
        let mut program = lock(&self.program);
        if program.is_none() {
            *program = Some(companion::provide(&self.cache_root)?);
        }
        program.clone().ok_or_else(|| anyhow!("the Go companion is gone"))
    }

    /// The files that a plain build of a module passes by. Where they cannot be read, it is taken for one without.
    fn variants(&self, root: &Path, project: &Project, done: Vec<Variant>) -> Result<Variants> {
        let count = done.len();
        let params = VariantsParams { dir: folder(root, &project.path)?, also: done };
        let what = format!("looking for what {} passes by", project.id());
        match self.ask::<_, Variants>("variants", &params, &what) {
            Ok(variants) => Ok(Variants { done: count, ..variants }),
            Err(Unanswered::Failed(_)) => Ok(Variants { plain: true, ..Variants::default() }),
            Err(Unanswered::Broken(error)) => Err(error),
        }
    }

    fn known(&self, project: &Project) -> Known {
        lock(&self.known).get(&project.path).cloned().unwrap_or_default()
    }

    fn learn(&self, project: &Project, change: impl FnOnce(&mut Known)) {
        change(lock(&self.known).entry(project.path.clone()).or_default());
    }
}

impl Resolver for Go<'_> {
    /// Minimal version selection refuses no set: each may have its highest beside all others. A base that cannot be tidied
    /// takes none of them.
    fn resolve_all(&self, root: &Path, all: &Everything<'_>) -> Result<Vec<Resolved>> {
        let stuck = match all.ground {
            Ground::Whole => apply::untidy(self, root, all.project)?.broken,
            Ground::NotSetUp => None,
        };
        let resolved = |candidate: &&Candidate| {
            if let Some(reason) = &stuck {
                return Resolved::refused_whole(candidate, reason);
            }
            let highest = candidate.rungs.iter().rfind(|rung| !rung.breaking);
            Resolved { together: highest.map(|rung| rung.version.clone()), ..Resolved::default() }
        };
        Ok(all.candidates.iter().map(resolved).collect())
    }

    fn apply(&self, root: &Path, change: &Change<'_>) -> Result<Resolution> {
        let _one_at_a_time = lock(&self.writing);
        apply::apply(self, root, change)
    }

    fn fetch(&self, root: &Path, project: &Project, checks: &[&Check]) -> Result<()> {
        let env = self.known(project).env().remove_entry("GOWORK").into_iter().collect();
        let loads = checks::loads(root, project, checks)?;
        let params = FetchParams { dir: &folder(root, &project.path)?, loads, env };
        let what = format!("fetching {}", project.id());
        match self.ask::<_, Fetched>("fetch", &params, &what) {
            Ok(Fetched {}) => Ok(()),
            Err(Unanswered::Failed(failure)) => Err(anyhow!("{}", from_root(root, &words(&failure)))),
            Err(Unanswered::Broken(error)) => Err(error),
        }
    }
}

impl Ecosystem for Go<'_> {
    fn kind(&self) -> EcosystemKind {
        EcosystemKind::Go
    }

    fn discover(&self, tree: Tree<'_>) -> Result<Vec<Project>> {
        discover::discover(self, tree)
    }

    fn survey(&self, root: &Path, project: &Project) -> Result<Survey> {
        survey::survey(self, root, project)
    }

    fn checks(&self, root: &Path, project: &Project, cover: &Cover<'_>) -> Result<Vec<Check>> {
        let variants = self.variants(root, project, checks::done(cover.own))?;
        self.learn(project, |known| known.variants = variants);
        Ok(checks::usual(project, &self.known(project), &cover.candidates))
    }

    fn exercised(&self, root: &Path, project: &Project, cells: &[&CellReport]) -> Result<Exercised> {
        let missing = checks::missing(&self.known(project).variants);
        let apply::Untidy { unused, broken: stuck, .. } = apply::untidy(self, root, project)?;
        let mut exercised = Exercised { missing, unused, stuck, ..Exercised::default() };
        for (build, params) in evidence::questions(root, cells)? {
            let what = format!("reading what {} compiles", project.id());
            match self.ask::<CompiledParams, _>("compiled", &params, &what) {
                Ok(answer) => evidence::add(&mut exercised, &answer, build),
                Err(Unanswered::Failed(failure)) => return Err(anyhow!("{}", from_root(root, &words(&failure)))),
                Err(Unanswered::Broken(error)) => return Err(error),
            }
        }
        Ok(exercised)
    }
}

/// What the user's go command answers about itself; `None` without one. `work` is `GOWORK` for the clone.
#[must_use]
pub fn settings(work: Option<String>) -> Option<GoSettings> {
    #[derive(Deserialize)]
    #[serde(rename_all = "UPPERCASE")]
    struct Answer {
        gomodcache: String,
        gocache: String,
        goflags: String,
        gopath: String,
        gosumdb: String,
    }
    let keys = ["env", "-json", "GOMODCACHE", "GOCACHE", "GOFLAGS", "GOPATH", "GOSUMDB"];
    let output = Tool::new("go").args(keys).env("GOTOOLCHAIN", "local").dir(&std::env::temp_dir()).run().ok()?;
    let answer: Answer = serde_json::from_slice(&output).ok()?;
    Some(GoSettings {
        module_cache: answer.gomodcache,
        build_cache: answer.gocache,
        flags: harmless_flags(&answer.goflags),
        path: std::env::split_paths(&answer.gopath).next().unwrap_or_default().display().to_string(),
        sum_database: answer.gosumdb,
        work,
    })
}

/// GOFLAGS without what lets a plain call edit go.mod, or read another one.
fn harmless_flags(flags: &str) -> String {
    let changes_modules = |flag: &&str| {
        let bare = flag.trim_start_matches(['-', '\'', '"']);
        ["mod", "modfile", "overlay"].contains(&bare.split('=').next().unwrap_or_default())
    };
    let kept: Vec<&str> = flags.split_whitespace().filter(|flag| !changes_modules(flag)).collect();
    kept.join(" ")
}

/// The go.work.sum files that an upgrade may make beside the go.work files of a tree.
#[must_use]
pub fn sums_to_make(files: &[String]) -> BTreeSet<String> {
    let works = files.iter().filter(|file| file.rsplit('/').next() == Some("go.work"));
    works.map(|work| format!("{work}.sum")).filter(|sum| !files.contains(sum)).collect()
}

/// The absolute path of a folder below the root, as the companion takes it.
fn folder(root: &Path, path: &str) -> Result<String> {
    let path = if path == "." { root.to_path_buf() } else { root.join(path) };
    path.to_str()
        .map(str::to_owned)
        .ok_or_else(|| anyhow!("{} is no UTF-8, which the Go companion needs", path.display()))
}

/// The reason to hold something for what the companion could not do.
fn reason(failure: &Failure) -> Reason {
    let words = words(failure);
    let (kind, text) = match failure.code.as_str() {
        "parse" => (ReasonKind::BrokenProject, words),
        "go_too_new" => (ReasonKind::GoLine, words),
        "toolchain_missing" => (ReasonKind::ToolchainMissing, words),
        "too_young" => (ReasonKind::DragsForbidden, words),
        "vendor_stale" | "unsupported" => (ReasonKind::UnsupportedProject, words),
        "auth" | "not_found" => (ReasonKind::RegistryRefused, format!("its source refuses it: {words}")),
        "network" | "timeout" | "sumdb_unreachable" => {
            (ReasonKind::RegistryUnreachable, format!("where it comes from cannot be reached: {words}"))
        }
        "offline" => (ReasonKind::NotCached, format!("not known without the network: {words}")),
        _ => (ReasonKind::ResolveRefused, words),
    };
    Reason::new(kind, text)
}

/// Words without the clone's place, which says nothing to a person who knows the repository.
fn from_root(root: &Path, words: &str) -> String {
    let root = root.display().to_string();
    words.replace(&format!("{root}/"), "").replace(&root, ".")
}

/// The words of a failure in one line, without the go command's lecture on security.
fn words(failure: &Failure) -> String {
    phrases::one_line(phrases::go::without_lecture(&failure.message))
}

#[cfg(test)]
mod tests;
