//! The environments that commands get: the user's own for resolving and fetching (which run none of the project's
//! code), and a stated one for checks: a HOME and a view of `CARGO_HOME` of the tool's own, package managers offline, no
//! credentials, nothing inherited by accident.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::checkout::outside::cargo_config;
use crate::checkout::worker::Worker;
use crate::machine::command::{Tool, git, variable};
use crate::machine::supervisor::{RunAs, account};
use crate::machine::toolchain;

/// Variables that checks see as the user has them: where tools are and how text looks, no more.
const PASSED: &[&str] = &[
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "RUSTFLAGS",
    "RUSTDOCFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_JOBS",
    "CC",
    "CXX",
    "AR",
    "CFLAGS",
    "CXXFLAGS",
    "LDFLAGS",
    "CGO_ENABLED",
    "CGO_CFLAGS",
    "CGO_LDFLAGS",
    "PKG_CONFIG_PATH",
    "LD_LIBRARY_PATH",
    "LIBRARY_PATH",
    "GOOS",
    "GOARCH",
    "GOEXPERIMENT",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// What all checks of a worker share.
#[derive(Debug, Clone)]
pub struct CheckEnv {
    variables: BTreeMap<OsString, OsString>,
    run_as: RunAs,
}

impl CheckEnv {
    /// States the environment of a worker's checks. `pass` names more variables to let in; `go` holds what the
    /// Go command answered about itself, if there is one.
    ///
    /// # Errors
    /// When the view of `CARGO_HOME` cannot be made.
    pub fn state(worker: &Worker, pass: &[String], go: Option<&GoSettings>) -> Result<Self> {
        let mut variables: BTreeMap<OsString, OsString> = BTreeMap::new();
        let passed = PASSED.iter().map(|key| (*key).to_owned()).chain(pass.iter().cloned());
        variables.extend(passed.filter_map(|key| variable(&key).map(|value| (key.into(), value))));
        variables.extend(toolchain::named().map(|name| ("RUSTUP_TOOLCHAIN".into(), name)));
        let cargo_view = worker.home().join("cargo");
        make_cargo_view(&cargo_home(), &cargo_view, Linked::Downloads)?;
        for key in credentials_on_the_way(worker.slot(), &cargo_view) {
            // What `pass-env` names, the user wants checks to have.
            variables.entry(key.as_str().into()).or_insert_with(|| nothing_for(&key).into());
        }
        let mut set = |key: &str, value: OsString| {
            variables.insert(key.into(), value);
        };
        set("HOME", worker.home().into());
        set("CARGO_HOME", cargo_view.into());
        set("RUSTUP_HOME", rustup_home().into());
        set("CARGO_TARGET_DIR", worker.target().into());
        // A configuration may put what is built in between elsewhere, where it would meet the user's own.
        set("CARGO_BUILD_BUILD_DIR", worker.target().into());
        set("TMPDIR", worker.temporary().into());
        set("XUPGRADE_SLOT", worker.number().to_string().into());
        set("XDG_RUNTIME_DIR", worker.runtime().into());
        for (key, value) in login(RunAs::Own) {
            set(key, value);
        }
        for (key, value) in STATED {
            set(key, (*value).into());
        }
        if let Some(go) = go {
            view_sum_database(Path::new(&go.path), &worker.home())?;
            for (key, value) in go.for_checks() {
                set(key, value.into());
            }
        }
        Ok(Self { variables, run_as: RunAs::Own })
    }

    /// The same for checks that run as this account, whose login it then is.
    #[must_use]
    pub fn run_as(mut self, run_as: RunAs) -> Self {
        self.run_as = run_as;
        self.variables.extend(login(run_as).into_iter().map(|(key, value)| (key.into(), value)));
        self
    }

    /// The account that checks run as.
    #[must_use]
    pub fn account(&self) -> RunAs {
        self.run_as
    }

    /// The same for one of several workers, each with `cores` of the machine's: cargo and go start no more compilers, and
    /// go no more tests of packages. What the user says is left alone.
    #[must_use]
    pub fn with_share(mut self, cores: usize) -> Self {
        self.variables.entry("CARGO_BUILD_JOBS".into()).or_insert_with(|| cores.to_string().into());
        if let Some(flags) = self.variables.get_mut(&OsString::from("GOFLAGS")) {
            let text = flags.to_string_lossy().into_owned();
            if !text.split_whitespace().any(|flag| flag.trim_start_matches('-').starts_with("p=")) {
                *flags = format!("{text} -p={cores}").trim().into();
            }
        }
        self
    }

    /// The environment of one cell.
    #[must_use]
    pub fn of(&self, own: &BTreeMap<String, String>) -> BTreeMap<OsString, OsString> {
        let mut variables = self.variables.clone();
        variables.extend(own.iter().map(|(key, value)| (key.into(), value.into())));
        variables
    }
}

/// The variables of a login: as the user has them, and as the account has them where nobody is logged in (a scheduled job,
/// a container). TERM is the same for everybody, or a run in the evening would know no cell of the night.
fn login(run_as: RunAs) -> Vec<(&'static str, OsString)> {
    // An ordinary user does not go by the name of root.
    let own = account(RunAs::Own).filter(|_| run_as == RunAs::Ordinary).map(|(name, _)| name);
    let variable = |key| variable(key).filter(|value| own.as_ref().is_none_or(|own| *value != own[..]));
    let (name, shell) = account(run_as).unwrap_or_else(|| ("nobody".into(), PathBuf::new()));
    let shell = if shell.is_absolute() { shell } else { "/bin/sh".into() };
    let user = variable("USER").or_else(|| variable("LOGNAME")).unwrap_or_else(|| name.into());
    vec![
        ("LOGNAME", variable("LOGNAME").unwrap_or_else(|| user.clone())),
        ("USER", user),
        ("SHELL", variable("SHELL").unwrap_or_else(|| shell.into())),
        ("TERM", "xterm-256color".into()),
    ]
}

/// Beside a login: each of these keeps checks offline, honest or without a person, and none changes how their output looks.
const STATED: &[(&str, &str)] = &[
    // A dependency's change gives the members a new hash, so that incremental state would be written and never read.
    ("CARGO_INCREMENTAL", "0"),
    ("CARGO_NET_OFFLINE", "true"),
    ("RUSTUP_AUTO_INSTALL", "0"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("XUPGRADE", "1"),
];

/// What the user's Go answered about itself.
#[derive(Debug, Clone, Default)]
pub struct GoSettings {
    /// `GOMODCACHE`.
    pub module_cache: String,
    /// `GOCACHE`.
    pub build_cache: String,
    /// `GOFLAGS` without what would change modules.
    pub flags: String,
    /// `GOPATH`, the first one.
    pub path: String,
    /// `GOSUMDB`.
    pub sum_database: String,
    /// `GOWORK`, where the user has set it.
    pub work: Option<String>,
}

impl GoSettings {
    fn for_checks(&self) -> Vec<(&'static str, String)> {
        let work = self.work.iter().map(|work| ("GOWORK", work.clone()));
        let stated = vec![
            ("GOMODCACHE", self.module_cache.clone()),
            ("GOCACHE", self.build_cache.clone()),
            ("GOFLAGS", self.flags.clone()),
            ("GOENV", "off".into()),
            ("GOPROXY", "off".into()),
            // A toolchain out of the module cache runs only if what is known of the database can vouch for it; nothing
            // can be downloaded, so nobody is asked.
            ("GOSUMDB", self.sum_database.clone()),
            ("GOTOOLCHAIN", "local".into()),
            ("GOTELEMETRY", "off".into()),
        ];
        stated.into_iter().chain(work).collect()
    }
}

/// The user's `CARGO_HOME`.
#[must_use]
pub fn cargo_home() -> PathBuf {
    variable("CARGO_HOME").map_or_else(|| home().join(".cargo"), PathBuf::from)
}

/// The user's `RUSTUP_HOME`; stated for checks, because it would follow HOME.
#[must_use]
pub fn rustup_home() -> PathBuf {
    variable("RUSTUP_HOME").map_or_else(|| home().join(".rustup"), PathBuf::from)
}

/// The user's HOME.
#[must_use]
pub fn home() -> PathBuf {
    std::env::home_dir().unwrap_or_else(|| PathBuf::from("/"))
}

/// Cargo for resolving and fetching: the user's environment, no toolchain downloaded unasked.
#[must_use]
pub fn cargo() -> Tool {
    toolchain::of_the_folder(Tool::new("cargo"))
        .env("CARGO_TERM_COLOR", "never")
        .without("CARGO_TARGET_DIR")
        .without("RUST_BACKTRACE")
}

/// Keeps git from asking questions on the way of a command in `dir`: nobody may be there to answer. An ssh that the user
/// chose is left as it is.
#[must_use]
pub fn without_questions(tool: Tool, dir: &Path) -> Tool {
    let tool = tool.env("GIT_TERMINAL_PROMPT", "0");
    if has_ssh_of_its_own(dir, &|key| variable(key).is_some()) {
        tool
    } else {
        tool.env("GIT_SSH_COMMAND", "ssh -oBatchMode=yes")
    }
}

fn has_ssh_of_its_own(dir: &Path, is_set: &dyn Fn(&str) -> bool) -> bool {
    let setting = || git().args(["config", "--get", "core.sshCommand"]).dir(dir).line();
    ["GIT_SSH_COMMAND", "GIT_SSH"].into_iter().any(is_set) || setting().is_ok_and(|command| !command.is_empty())
}

/// What a view of `CARGO_HOME` has in common with the real one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linked {
    /// All that cargo has downloaded: crates, indexes and git repositories.
    Downloads,
    /// Git repositories only: the caches of loopback indexes must not get into the user's `CARGO_HOME`.
    Git,
}

/// A `CARGO_HOME` with the user's downloads and settings, but without credentials and without the user's binaries.
///
/// # Errors
/// When the disk refuses.
pub fn make_cargo_view(real: &Path, view: &Path, linked: Linked) -> Result<()> {
    if view.is_symlink() {
        crate::machine::disk::remove(view)?;
    }
    fs::create_dir_all(view).with_context(|| format!("cannot make {}", view.display()))?;
    if linked == Linked::Git {
        // Made new each time: every run has other ports, and cargo one cache for each of them.
        crate::machine::disk::remove(&view.join("registry"))?;
    }
    let folders: &[&str] = if linked == Linked::Git { &["git"] } else { &["registry", "git"] };
    for shared in folders {
        let (link, target) = (view.join(shared), real.join(shared));
        // Code under trial may have put something else there, a link to elsewhere among it.
        if fs::read_link(&link).ok().as_ref() != Some(&target) {
            crate::machine::disk::remove(&link)?;
            fs::create_dir_all(&target).with_context(|| format!("cannot make {}", target.display()))?;
            std::os::unix::fs::symlink(&target, &link).with_context(|| format!("cannot link {}", link.display()))?;
        }
    }
    let target = view.join("config.toml");
    crate::machine::disk::remove(&target)?;
    match cargo_config::file_in(real).filter(|_| !is_found_by_walking(real, view)) {
        Some(file) => {
            fs::write(&target, settings_of(&file)).with_context(|| format!("cannot write {}", target.display()))
        }
        None => Ok(()),
    }
}

/// Copies what Go knows of the checksum databases (`GOPATH/pkg/sumdb`: their newest signed trees) to where a check's go
/// command looks for it.
///
/// # Errors
/// When the disk refuses.
fn view_sum_database(path: &Path, home: &Path) -> Result<()> {
    for database in path.join("pkg/sumdb").read_dir().into_iter().flatten().flatten() {
        let known = database.path().join("latest");
        let view = home.join("go/pkg/sumdb").join(database.file_name());
        if known.is_file() {
            fs::create_dir_all(&view).with_context(|| format!("cannot make {}", view.display()))?;
            fs::copy(&known, view.join("latest")).with_context(|| format!("cannot write below {}", view.display()))?;
        }
    }
    Ok(())
}

/// Whether cargo meets this `CARGO_HOME` anyway on its way up from the clone, as when both are at home: what it reads
/// twice it joins twice, flags of the compiler among it.
fn is_found_by_walking(real: &Path, view: &Path) -> bool {
    let found = |folder: &Path| folder.join(".cargo").canonicalize().ok();
    let real = real.canonicalize().ok();
    real.is_some() && view.ancestors().any(|folder| found(folder) == real)
}

/// The variables that rank above whatever opens a registry in the files that cargo meets on its way up from the clone:
/// those are the user's own, and lie there as they are.
fn credentials_on_the_way(slot: &Path, view: &Path) -> Vec<String> {
    let files = cargo_config::chain(slot, view);
    let tables = files.iter().filter_map(|file| cargo_config::read(file).ok());
    tables.flat_map(|table| cargo_config::credentials(&table)).map(|(key, _)| key).collect()
}

/// A value that opens nothing: an empty token is none to cargo, but a list of no providers is no answer to it, so
/// that one names a program that nobody has, and that cargo names when it misses it.
fn nothing_for(key: &str) -> &'static str {
    if key.contains("_CREDENTIAL_PROVIDER") { "checks-get-no-credentials" } else { "" }
}

/// Cargo's settings, good to be read elsewhere, without anything that opens a registry.
fn settings_of(file: &Path) -> String {
    let Ok(mut table) = cargo_config::read(file) else { return String::new() };
    cargo_config::strip(&mut table);
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_go_knows_of_the_checksum_database_is_seen_by_checks() {
        let folder = tempfile::tempdir().unwrap();
        let (path, home) = (folder.path().join("gopath"), folder.path().join("home"));
        fs::create_dir_all(path.join("pkg/sumdb/sum.example")).unwrap();
        fs::write(path.join("pkg/sumdb/sum.example/latest"), "tree").unwrap();
        view_sum_database(&path, &home).unwrap();
        assert_eq!(fs::read_to_string(home.join("go/pkg/sumdb/sum.example/latest")).unwrap(), "tree");
        view_sum_database(&folder.path().join("nowhere"), &home).unwrap();
    }

    #[test]
    fn tokens_do_not_get_into_the_view_of_cargo_home() {
        let text = "[registries.corp]\nindex = \"sparse+https://corp.example/\"\ntoken = \"s3cret\"\n[registry]\ntoken = \"other\"\n";
        let folder = tempfile::tempdir().unwrap();
        let (real, view) = (folder.path().join("real"), folder.path().join("view"));
        fs::create_dir_all(&real).unwrap();
        fs::write(real.join("config.toml"), text).unwrap();
        make_cargo_view(&real, &view, Linked::Downloads).unwrap();
        let clean = fs::read_to_string(view.join("config.toml")).unwrap();
        assert!(clean.contains("corp.example"), "{clean}");
        assert!(!clean.contains("s3cret") && !clean.contains("other"), "{clean}");
    }

    #[test]
    fn whatever_a_test_put_in_the_place_of_a_link_makes_way_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let (real, view) = (folder.path().join("real"), folder.path().join("view"));
        fs::create_dir_all(view.join("registry/cache")).unwrap();
        fs::write(view.join("git"), "a file").unwrap();
        make_cargo_view(&real, &view, Linked::Downloads).unwrap();
        let links = || ["registry", "git"].map(|name| fs::read_link(view.join(name)).unwrap());
        assert_eq!(links(), [real.join("registry"), real.join("git")]);
        fs::remove_file(view.join("git")).unwrap();
        std::os::unix::fs::symlink(folder.path(), view.join("git")).unwrap();
        make_cargo_view(&real, &view, Linked::Downloads).unwrap();
        assert_eq!(links(), [real.join("registry"), real.join("git")]);
    }

    #[test]
    fn a_view_that_was_replaced_by_a_link_to_the_real_one_leaves_that_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (real, view) = (folder.path().join("real"), folder.path().join("view"));
        fs::create_dir_all(real.join("registry")).unwrap();
        fs::write(real.join("config.toml"), "[registry]\ntoken = \"mine\"\n").unwrap();
        std::os::unix::fs::symlink(&real, &view).unwrap();
        make_cargo_view(&real, &view, Linked::Downloads).unwrap();
        assert!(fs::read_to_string(real.join("config.toml")).unwrap().contains("mine"));
        assert!(real.join("registry").is_dir() && !real.join("registry").is_symlink());
        assert!(view.is_dir() && !view.is_symlink());
    }

    #[test]
    fn ssh_is_told_to_ask_nobody_unless_the_user_chose_one() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        let git = |args: &[&str]| git().args(args).dir(dir).run().unwrap();
        git(&["init", "--quiet"]);
        git(&["config", "core.sshCommand", ""]);
        assert!(!has_ssh_of_its_own(dir, &|_| false));
        assert!(has_ssh_of_its_own(dir, &|key| key == "GIT_SSH"));
        git(&["config", "core.sshCommand", "ssh -i key"]);
        assert!(has_ssh_of_its_own(dir, &|_| false));
    }

    #[test]
    fn relative_paths_of_cargo_home_keep_their_meaning_in_the_view() {
        let folder = tempfile::tempdir().unwrap();
        let (real, view) = (folder.path().join("real"), folder.path().join("view"));
        fs::create_dir_all(&real).unwrap();
        fs::write(real.join("config.toml"), "[source.mirror]\nlocal-registry = \"crates\"\n").unwrap();
        make_cargo_view(&real, &view, Linked::Downloads).unwrap();
        let text = fs::read_to_string(view.join("config.toml")).unwrap();
        assert!(text.contains(folder.path().join("crates").to_str().unwrap()), "{text}");
    }

    #[test]
    fn what_cargo_meets_on_its_way_up_is_not_laid_into_the_view_again() {
        let folder = tempfile::tempdir().unwrap();
        let (real, view) = (folder.path().join(".cargo"), folder.path().join("cache/w0/home/cargo"));
        fs::create_dir_all(&real).unwrap();
        fs::write(real.join("config.toml"), "[build]\nrustflags = [\"-g\"]\n").unwrap();
        make_cargo_view(&real, &view, Linked::Downloads).unwrap();
        assert!(!view.join("config.toml").exists());
    }
}
