//! The lines that travel between us and the companion: one JSON object each, requests one way, replies and progress the
//! other. Values only. The field names are those of `go-xupgrade/protocol.go` and of each verb's file there; both sides
//! ignore fields that they do not know.

mod loads;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use loads::*;

/// The protocol that this side speaks; the companion's must be the same.
pub const VERSION: u32 = 1;

/// One request.
#[derive(Debug, Serialize)]
pub struct Request<'a, P> {
    /// Its number, which the reply repeats.
    pub id: u64,
    /// What to do.
    pub verb: &'a str,
    /// With what.
    pub params: P,
}

/// A line from the companion: a reply, or an event on the way to it.
#[derive(Debug, Deserialize)]
pub struct Line {
    /// The request that it belongs to.
    pub id: u64,
    /// `progress`, for an event.
    #[serde(default)]
    pub event: Option<String>,
    /// How much is done, for an event.
    #[serde(default)]
    pub done: usize,
    /// Of how much, for an event.
    #[serde(default)]
    pub total: usize,
    /// What a reply brings.
    #[serde(default)]
    pub result: Option<serde_json::Value>,
    /// Why there is no result.
    #[serde(default)]
    pub error: Option<Failure>,
}

/// Why the companion could not do something; `code` is what to branch on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, thiserror::Error)]
#[serde(default)]
#[error("{message}")]
pub struct Failure {
    /// One of the closed list in `go-xupgrade/classify.go`.
    pub code: String,
    /// The go command's words.
    pub message: String,
    /// The module that it is about.
    pub module: String,
    /// The version that it is about.
    pub version: String,
    /// The end of what the go command said.
    pub stderr_tail: String,
    /// Whether the same request may well succeed a minute later.
    pub retryable: bool,
}

/// Parameters of `hello`.
#[derive(Debug, Serialize)]
pub struct HelloParams {
    /// Variables for every later request.
    pub env: BTreeMap<String, String>,
    /// A folder for copies of what the proxies publish.
    pub store: String,
}

/// Answer of `hello`.
#[derive(Debug, Clone, Deserialize)]
pub struct Hello {
    /// The protocol spoken.
    pub protocol: u32,
    /// The user's Go outside of any module, as in `go1.26.8`.
    pub goversion: String,
}

/// Parameters of `discover`.
#[derive(Debug, Serialize)]
pub struct DiscoverParams<'a> {
    /// The root of the clone.
    pub root: &'a str,
    /// Every `go.mod`, from the root.
    pub manifests: &'a [String],
    /// Every `go.work`, from the root.
    pub works: &'a [String],
}

/// Answer of `discover`; folders are relative to the root.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Discovered {
    /// The workspaces.
    pub workspaces: Vec<Workspace>,
    /// The modules.
    pub modules: Vec<Module>,
    /// Module folders; what others depend on comes first.
    pub order: Vec<String>,
}

/// A `go.work` file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Workspace {
    /// Its path.
    pub file: String,
    /// The folders of its modules.
    pub members: Vec<String>,
}

/// A `go.mod` file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Module {
    /// Its folder.
    pub dir: String,
    /// The module path.
    pub path: String,
    /// `none`, `module` or `workspace`.
    pub vendored: String,
    /// Folders that it takes modules from.
    pub local_replaces: Vec<String>,
    /// Whether it has `tool` lines.
    pub tools: bool,
    /// What it asks for by name: its direct requirements and its tools, with path, version and kind only, sorted by path.
    pub requirements: Vec<Requirement>,
    /// Why it cannot be worked on.
    pub problem: Option<Failure>,
}

/// Parameters of `survey`.
#[derive(Debug, Serialize)]
pub struct SurveyParams<'a> {
    /// The module's folder.
    pub dir: &'a str,
    /// Releases after this instant (RFC 3339) do not exist.
    pub not_after: String,
    /// Whether nobody may be asked.
    pub offline: bool,
    /// Which modules that only others require are looked up: `withdrawn` or `all`.
    pub transitive: &'a str,
}

/// Answer of `survey`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Surveyed {
    /// The Go that runs in the module's folder.
    pub goversion: String,
    /// The go line.
    pub go: String,
    /// The requirements, sorted by path.
    pub requirements: Vec<Requirement>,
}

/// A `require` line.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Requirement {
    /// The module path.
    pub path: String,
    /// The version.
    pub version: String,
    /// `direct`, `tool` or `indirect`.
    pub kind: String,
    /// Whether only the build list names it, and no line of go.mod.
    pub unlisted: bool,
    /// The reason of a hold marker.
    pub hold: Option<String>,
    /// The replacement in force.
    pub replaced: Option<Replacement>,
    /// Versions that `exclude` lines name.
    pub excluded: Vec<String>,
    /// Why the version in use is retracted; empty when it is not.
    pub retracted: Vec<String>,
    /// The highest sound release below a retracted version in use; empty for none.
    pub sound_below: String,
    /// What a deprecated module says.
    pub deprecated: String,
    /// Whether the version has no go.mod behind its major.
    pub incompatible: bool,
    /// When the version in use came out (RFC 3339).
    pub time: Option<String>,
    /// What is newer.
    pub releases: Vec<Release>,
    /// The reason for which nobody can tell the newest release as of then (`untagged`, `cut`); empty where it is known.
    pub newest_unknown: String,
    /// Why nothing is known.
    pub error: Option<Failure>,
}

/// The right side of a `replace` line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Replacement {
    /// The module, or the folder.
    pub path: String,
    /// The version; empty for a folder.
    pub version: String,
    /// Whether it is a folder.
    pub local: bool,
}

/// A version above the one in use.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Release {
    /// The version.
    pub version: String,
    /// When it came out (RFC 3339).
    pub time: Option<String>,
    /// Its own go line.
    pub go: String,
    /// Whether it is retracted.
    pub retracted: bool,
    /// Whether its go.mod names this very module.
    pub path_ok: bool,
    /// The other module that its go.mod names, where that is known.
    pub declares: String,
    /// Whether it has no go.mod behind its major.
    pub incompatible: bool,
    /// Why nothing is known about it.
    pub error: Option<Failure>,
}

/// A module at a version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ModuleVersion {
    /// The module path.
    pub path: String,
    /// The version.
    pub version: String,
}

/// Parameters of `edit`.
#[derive(Debug, Serialize)]
pub struct EditParams {
    /// The module's folder.
    pub dir: String,
    /// The root of the clone.
    pub root: String,
    /// What to raise.
    pub raises: Vec<ModuleVersion>,
    /// Folders of the modules to tidy afterwards, in this order.
    pub dependents: Vec<String>,
    /// The `go.work` over the module; empty without one.
    pub work: String,
    /// What go may choose by itself.
    pub view: View,
}

/// Which versions exist for what go chooses by itself; instants are RFC 3339.
#[derive(Debug, Serialize)]
pub struct View {
    /// When the registries are looked at.
    pub as_of: String,
    /// What came out later is hidden.
    pub cutoff: String,
    /// Whether what tells no age is hidden, too.
    pub hide_undated: bool,
}

/// Answer of `edit`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Edited {
    /// Files written, from the root.
    pub changed_files: Vec<String>,
    /// Requirements that are not what they were.
    pub changes: Vec<Changed>,
    /// Go lines that are not what they were.
    pub go: Vec<LineChange>,
    /// Toolchain lines that are not what they were.
    pub toolchain: Vec<LineChange>,
    /// Modules of the build list that are not what they were.
    pub build_list: Vec<Moved>,
    /// What the build uses for each module that was raised.
    pub effective: BTreeMap<String, Selected>,
    /// Modules that tidy took by itself, at the newest release that the view shows.
    pub added_by_tidy: Vec<Addition>,
    /// The go line of go.work, when it had to follow.
    pub work_go: Option<LineChange>,
    /// Whether go.mod does not list all that a build compiles (go lines below 1.17).
    pub unpruned: bool,
    /// `replace` lines that no longer count.
    pub lost_replaces: Vec<LostReplace>,
}

/// A `replace` line that no longer counts, as what it stands for went to another version.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct LostReplace {
    /// The folder of the module, from the root.
    pub module_dir: String,
    /// The module replaced.
    pub path: String,
    /// The version that the line counts for.
    pub from: String,
    /// The version now.
    pub to: String,
    /// What stood in for it.
    pub by: Replacement,
}

/// A requirement that is not what it was.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Changed {
    /// The folder of the module, from the root.
    pub module_dir: String,
    /// The module required.
    pub path: String,
    /// The version before; empty for a new one.
    pub from: String,
    /// The version after; empty for one that is gone.
    pub to: String,
    /// `upgraded`, `downgraded`, `added` or `removed`; `marked`, `listed` or `unlisted` where the line changed and the
    /// build did not.
    pub kind: String,
    /// Whether it is (or was) required directly.
    pub direct: bool,
    /// When the version after came out (RFC 3339).
    pub time: Option<String>,
    /// When the version before came out (RFC 3339).
    pub from_time: Option<String>,
}

/// A go or toolchain line that is not what it was.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct LineChange {
    /// The folder of the module, from the root.
    pub module_dir: String,
    /// Before.
    pub from: String,
    /// After.
    pub to: String,
}

/// A module of the build list that is not what it was.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Moved {
    /// The module path.
    pub path: String,
    /// The version before; empty for a new one.
    pub from: String,
    /// The version after; empty for one that is gone.
    pub to: String,
    /// When the version after came out (RFC 3339).
    pub time: Option<String>,
}

/// What a build uses for a module.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Selected {
    /// The version.
    pub version: String,
    /// What stands in for it.
    pub replaced: Option<Replacement>,
    /// Whether the raise changed a number and no code.
    pub no_op: bool,
}

/// A module that tidy took by itself.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Addition {
    /// The module path.
    pub path: String,
    /// The version before; empty for a new one.
    pub from: String,
    /// The version that it took.
    pub version: String,
    /// When that came out (RFC 3339).
    pub time: Option<String>,
}

/// Parameters of `probe`.
#[derive(Debug, Serialize)]
pub struct ProbeParams {
    /// What to look up.
    pub versions: Vec<ModuleVersion>,
    /// Whether nobody may be asked.
    pub offline: bool,
}

/// Answer of `probe`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Probed {
    /// In the order of the questions.
    pub versions: Vec<ProbedVersion>,
}

/// One version that was looked up.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ProbedVersion {
    /// The module path.
    pub path: String,
    /// The version.
    pub version: String,
    /// When it came out (RFC 3339).
    pub time: Option<String>,
}
