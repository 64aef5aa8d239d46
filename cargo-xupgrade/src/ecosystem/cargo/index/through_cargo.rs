//! Lets cargo itself bring its copies of index files up to date, where only cargo can: registries that want
//! credentials, which its credential providers know and we never see, and indexes in git. One `cargo generate-lockfile`
//! for many crates, on a package of our own that asks for a version which no crate has: cargo reads each index file,
//! finds no solution, and stops before it looks at anything else. It runs no project's code, and downloads no crate.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::source::{Location, Source};
use super::{IndexError, Options};
use crate::checkout::environment;
use crate::machine::command::TimedOut;
use crate::phrases::cargo::registry;

/// How cargo is asked about one registry. Share it between threads: one asks for all, the others wait.
#[derive(Debug)]
pub struct ThroughCargo {
    /// Cargo runs here, so that it reads the project's configuration.
    project_dir: PathBuf,
    /// Where the package of our own is made, and removed again.
    room: PathBuf,
    /// How a dependency names the registry: `, registry = "corp"`; empty for crates-io.
    registry: String,
    name: Option<String>,
    in_git: bool,
    /// Variables that open registries, out of configuration that cargo does not find from there.
    credentials: Vec<(String, String)>,
    needed: OnceLock<bool>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    announced: BTreeSet<String>,
    done: BTreeMap<String, Result<(), IndexError>>,
}

/// Why cargo brought nothing.
enum Failure {
    /// No file of this registry can be had.
    Whole(Cause),
    /// One of the crates asked for has trouble; which, only asking for fewer tells.
    Some(Cause),
}

#[derive(Clone)]
struct Cause {
    words: String,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    WantsCredentials,
    TimedOut(Duration),
    Other,
}

impl ThroughCargo {
    /// For the registry of `source`; its copies end up in the user's `CARGO_HOME`, where cargo keeps them anyway.
    #[must_use]
    pub fn new(source: &Source, options: &Options) -> Self {
        let named = &source.named;
        let registry = match (&named.name, &named.address) {
            (_, None) => String::new(),
            (Some(name), Some(_)) => format!(", registry = {name:?}"),
            (None, Some(address)) => format!(", registry-index = {address:?}"),
        };
        Self {
            project_dir: options.project_dir.clone(),
            room: options.store.clone(),
            registry,
            name: named.address.as_ref().and(named.name.clone()),
            in_git: matches!(source.location, Location::Git(_)),
            credentials: options.credentials.clone(),
            needed: OnceLock::new(),
            state: Mutex::default(),
        }
    }

    /// Whether it is known by now that nobody but cargo can read the registry.
    #[must_use]
    pub fn is_needed(&self) -> bool {
        self.in_git || self.needed.get() == Some(&true)
    }

    /// Whether nobody but cargo can read the registry; `find_out` is asked once, by the first who wants to know.
    pub fn finds_needed(&self, find_out: impl FnOnce() -> bool) -> bool {
        *self.needed.get_or_init(find_out)
    }

    /// Says which crates will be asked for, so that the first question brings them all.
    pub fn announce<'a>(&self, names: impl IntoIterator<Item = &'a String>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.announced.extend(names.into_iter().cloned());
    }

    /// Has cargo bring its copy of a crate's index file up to date, once in the life of this value. That the registry
    /// has no such crate is no error here: there is no copy then.
    ///
    /// # Errors
    /// An [`IndexError`] about this crate.
    pub fn refresh(&self, name: &str) -> Result<(), IndexError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = state.done.get(name) {
            return known.clone();
        }
        let mut names = std::mem::take(&mut state.announced);
        names.insert(name.to_owned());
        names.retain(|name| !state.done.contains_key(name));
        let names: Vec<String> = names.into_iter().collect();
        let done = self.bring(&names);
        state.done.extend(done);
        state.done.get(name).cloned().unwrap_or(Ok(()))
    }

    /// Asks for all; where one crate spoils the answer, asks for each half.
    fn bring(&self, names: &[String]) -> BTreeMap<String, Result<(), IndexError>> {
        let all = |why: &dyn Fn(&str) -> Result<(), IndexError>| {
            names.iter().map(|name| (name.clone(), why(name))).collect::<BTreeMap<_, _>>()
        };
        match self.ask(names) {
            Ok(()) => all(&|_| Ok(())),
            Err(Failure::Some(_)) if names.len() > 1 => {
                let (left, right) = names.split_at(names.len() / 2);
                let mut done = self.bring(left);
                done.extend(self.bring(right));
                done
            }
            Err(Failure::Some(cause) | Failure::Whole(cause)) => all(&|name| Err(self.error(name, &cause))),
        }
    }

    fn error(&self, name: &str, cause: &Cause) -> IndexError {
        let (name, words) = (name.to_owned(), cause.words.clone());
        match cause.kind {
            Kind::WantsCredentials => {
                IndexError::WantsCredentials { name, words: advised(words, self.name.as_deref()) }
            }
            Kind::TimedOut(after) => IndexError::TimedOut { name, after },
            Kind::Other => IndexError::Unreachable { name, words },
        }
    }

    fn ask(&self, names: &[String]) -> Result<(), Failure> {
        let package = Package::write(&self.room, &self.manifest(names)).map_err(|why| broken(&why.into()))?;
        let cargo = self.credentials.iter().fold(environment::cargo(), |tool, (key, value)| tool.env(key, value));
        let output = environment::without_questions(cargo, &self.project_dir)
            .args(["generate-lockfile", "--manifest-path"])
            .arg(package.folder.join("Cargo.toml"))
            .dir(&self.project_dir)
            // An index is asked for: offline was decided where the index was opened.
            .env("CARGO_NET_OFFLINE", "false")
            .limit(LIMIT)
            .output()
            .map_err(|why| broken(&why))?;
        judge(&String::from_utf8_lossy(&output.stderr), self.in_git)
    }

    /// Keys of our own, for a crate may have a name that is none for a key of a dependency.
    fn manifest(&self, names: &[String]) -> String {
        let mut text = "[package]\nname = \"xupgrade-asks\"\nversion = \"0.0.0\"\nedition = \"2018\"\n\n[lib]\n\
                        path = \"lib.rs\"\n\n[workspace]\n\n[dependencies]\n"
            .to_owned();
        for (number, name) in names.iter().enumerate() {
            let registry = &self.registry;
            // The name was checked when its path was made, so it needs no escapes.
            let _ = writeln!(text, "d{number} = {{ package = \"{name}\", version = \"{NO_VERSION}\"{registry} }}");
        }
        text
    }
}

/// How long cargo may take. The first copy of a large index in git takes minutes.
const LIMIT: Duration = Duration::from_mins(10);

/// Cargo gave no answer at all.
fn broken(why: &anyhow::Error) -> Failure {
    let kind = why.downcast_ref::<TimedOut>().map_or(Kind::Other, |known| Kind::TimedOut(known.limit));
    Failure::Whole(Cause { words: format!("cargo could not be asked: {why}"), kind })
}

/// A requirement that nothing meets.
const NO_VERSION: &str = "=0.0.0-xupgrade.asks";

/// Reads cargo's words.
fn judge(words: &str, in_git: bool) -> Result<(), Failure> {
    if registry::has_read_all(words) {
        return Ok(());
    }
    let kind = if registry::wants_credentials(words) { Kind::WantsCredentials } else { Kind::Other };
    let whole = in_git || registry::is_of_whole_registry(words);
    let cause = Cause { words: registry::causes(words).chars().take(MOST_WORDS).collect(), kind };
    Err(if whole { Failure::Whole(cause) } else { Failure::Some(cause) })
}

/// How many characters of cargo's words are kept.
const MOST_WORDS: usize = 500;

/// Cargo's words, with what to do about it where cargo does not say.
fn advised(words: String, name: Option<&str>) -> String {
    match name {
        _ if registry::has_advice(&words) => words,
        Some(name) => format!("{words}; run `cargo login --registry {name}`"),
        None => format!("{words}; give cargo the credentials for it (`cargo login`, or a credential provider)"),
    }
}

/// A package on disk for one question; gone when dropped.
struct Package {
    folder: PathBuf,
}

impl Package {
    fn write(room: &Path, manifest: &str) -> io::Result<Self> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let package = Self { folder: room.join(format!("ask-{}-{number}", std::process::id())) };
        fs::create_dir_all(&package.folder)?;
        fs::write(package.folder.join("lib.rs"), "")?;
        fs::write(package.folder.join("Cargo.toml"), manifest)?;
        Ok(package)
    }
}

impl Drop for Package {
    fn drop(&mut self) {
        // What stays is a few bytes in our own cache, and the next `clean` takes them.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn that_no_version_fits_means_that_every_file_was_read() {
        let words =
            "    Updating `corp` index\nerror: failed to select a version for the requirement `a = \"=0.0.0\"`\n";
        assert!(judge(words, false).is_ok());
        assert!(judge("error: no matching package named `b` found\n", false).is_ok());
    }

    #[test]
    fn a_missing_token_concerns_the_whole_registry_and_says_what_to_do() {
        let words = "    Updating `corp` index\nerror: failed to get `a` as a dependency of package `xupgrade-asks`\n\n\
                     Caused by:\n  no token found for `corp`, please run `cargo login --registry corp`\n  \
                     or use environment variable CARGO_REGISTRIES_CORP_TOKEN\n";
        let Err(Failure::Whole(cause)) = judge(words, false) else { panic!("not the whole registry") };
        assert!(matches!(cause.kind, Kind::WantsCredentials));
        assert_eq!(
            cause.words,
            "no token found for `corp`, please run `cargo login --registry corp` or use environment variable \
             CARGO_REGISTRIES_CORP_TOKEN"
        );
    }

    #[test]
    fn a_server_that_never_answers_concerns_the_whole_registry_and_passes() {
        let silent = crate::machine::command::Tool::new("sleep").arg("3600").limit(Duration::from_millis(1)).output();
        let Failure::Whole(cause) = broken(&silent.unwrap_err()) else { panic!("not the whole registry") };
        let Kind::TimedOut(after) = cause.kind else { panic!("no time limit: {}", cause.words) };
        assert_eq!(after, Duration::from_millis(1));
    }

    #[test]
    fn a_refused_file_concerns_one_crate_and_gets_advice() {
        let words = "error: failed to get `a` as a dependency of package `xupgrade-asks`\n\nCaused by:\n  download of \
                     2/ab failed\n\nCaused by:\n  failed to get successful HTTP response from `http://x/2/ab`, got 403\n  \
                     body:\n  no\n";
        let Err(Failure::Some(cause)) = judge(words, false) else { panic!("not one crate") };
        assert!(matches!(cause.kind, Kind::WantsCredentials));
        let told = advised(cause.words, Some("corp"));
        assert!(told.starts_with("download of 2/ab failed: failed to get successful"), "{told}");
        assert!(told.ends_with("got 403 no; run `cargo login --registry corp`"), "{told}");
    }
}
