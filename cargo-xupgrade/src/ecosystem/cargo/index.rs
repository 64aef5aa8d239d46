//! What a registry offers: the index files of one registry, or of the one that stands for it, read in
//! parallel, from cargo's cache, our store or the network, whichever is good enough. It serves planning
//! (`releases`) and, through [`super::view`], cargo's own resolves (`raw`), so that both see the same
//! contents: a file that was read once stays as it is for the life of an [`Index`].
//! Writes the store only; cargo's cache is never written.

mod entry;
mod error;
mod settings;
mod source;
mod spool;
mod store;
mod through_cargo;

#[cfg(test)]
pub(super) mod fake;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use semver::Version;

pub use entry::{Brief, DepKind, Glance, Release, ReleaseDep, briefs, glances, release_of, releases};
pub use error::IndexError;
pub use settings::{Environment, Settings};
pub use source::{Named, RegistryKey, Source};

use super::fetch::{Answer, Client, FetchError, Validators};
use crate::digest::sha256_hex;
use source::{CRATES_IO, Location};
use spool::{Kept, Spool};
use store::{Copy, Store};
use through_cargo::ThroughCargo;

/// How many index files are asked for at once. Measured on 100 crates over one HTTP/2 connection:
/// 16 in flight 190 ms, 64 in flight 110 ms.
const IN_FLIGHT: usize = 64;

/// The longest crate name that a registry takes; longer ones are no names.
const LONGEST_NAME: usize = 64;

/// Whether the network may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Ask the registry about every copy older than `max_age`.
    Online,
    /// Make no request: a copy of any age is good enough.
    Offline,
}

/// How to open an [`Index`].
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder cargo would run in; configuration is searched from here upwards. Absolute.
    pub project_dir: PathBuf,
    /// The user's `CARGO_HOME`: configuration and cargo's cache, both only read.
    pub cargo_home: PathBuf,
    /// The folder of our own store; each registry gets a folder of its own in it.
    pub store: PathBuf,
    /// Whether the network may be asked.
    pub mode: Mode,
    /// How long a copy in our store is good without asking; ten minutes is [`MAX_AGE`].
    pub max_age: Duration,
    /// The limit of one request, from connecting to the last byte.
    pub timeout: Duration,
}

/// How long a copy in our store is good when nobody says otherwise.
pub const MAX_AGE: Duration = Duration::from_mins(10);

/// The limit of one request when nobody says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// A local registry in words: plans name no folder of one machine.
const LOCAL: &str = "the local registry that stands in for crates-io in cargo's configuration";

/// The body of an index file, shared by all who read it.
pub type Body = Arc<Vec<u8>>;

/// One crate's place in the memory of an [`Index`]; locked while it is being asked for, so that two
/// askers make one request.
type Slot = Arc<Mutex<Option<Result<Kept, IndexError>>>>;

/// Where index files come from.
#[derive(Debug)]
enum Origin {
    Local(PathBuf),
    Sparse {
        url: String,
        store: Store,
        client: Option<Client>,
        cargo: ThroughCargo,
    },
    /// In git: cargo reads it, unless the network may not be used.
    Git {
        store: Store,
        cargo: Option<ThroughCargo>,
    },
}

/// One registry, seen from one project. Share it between threads.
#[derive(Debug)]
pub struct Index {
    source: Source,
    origin: Origin,
    location: String,
    max_age: Duration,
    memory: Mutex<BTreeMap<String, Slot>>,
    spool: Spool,
    troubles: Mutex<BTreeSet<String>>,
}

impl Index {
    /// Finds the registry that stands for crates-io. Makes no request.
    ///
    /// # Errors
    /// [`IndexError::Config`] or [`IndexError::Unsupported`]; none of its crates can be surveyed then.
    pub fn open(options: &Options) -> Result<Self, IndexError> {
        Self::open_with(options, &|name| std::env::var(name).ok())
    }

    fn open_with(options: &Options, env: Environment) -> Result<Self, IndexError> {
        let settings = Settings::read(&options.project_dir, &options.cargo_home)?;
        Self::open_named(options, Named::crates_io(), &settings, env)
    }

    /// Finds the index that stands for a registry. Makes no request.
    ///
    /// # Errors
    /// As [`Index::open`].
    pub fn open_named(
        options: &Options,
        named: Named,
        settings: &Settings,
        env: Environment,
    ) -> Result<Self, IndexError> {
        let source = Source::find(named, settings, env)?;
        let store = |url: &str| Store::open(url, &options.cargo_home, &options.store).map_err(IndexError::Unsupported);
        let cargo = || ThroughCargo::new(&source, &options.project_dir, &options.store);
        let online = options.mode == Mode::Online;
        let (location, origin) = match &source.location {
            Location::Local(folder) => (folder.display().to_string(), Origin::Local(folder.clone())),
            Location::Git(address) => {
                (format!("registry+{address}"), Origin::Git { store: store(address)?, cargo: online.then(cargo) })
            }
            Location::Sparse(url) => {
                let client = || Client::new(options.timeout, &settings.network(env));
                let client = online.then(client).transpose().map_err(|why| IndexError::Unsupported(why.to_string()))?;
                let (store, cargo) = (store(&format!("sparse+{url}"))?, cargo());
                if store.wants_credentials() {
                    cargo.finds_needed(|| true);
                }
                (format!("sparse+{url}"), Origin::Sparse { url: url.clone(), store, client, cargo })
            }
        };
        // Files of a local registry are read where they lie.
        let spool = match &origin {
            Origin::Local(_) => Spool::in_memory(),
            _ => Spool::open(&options.store),
        };
        let (memory, troubles) = (Mutex::default(), Mutex::default());
        Ok(Self { source, origin, location, max_age: options.max_age, memory, spool, troubles })
    }

    /// The registry that this index stands for.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The registry read: `sparse+https://.../`, or the folder of a local registry.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.location
    }

    /// How many requests were made so far, retries counted.
    #[must_use]
    pub fn requests(&self) -> usize {
        match &self.origin {
            Origin::Sparse { client: Some(client), .. } => client.requests(),
            _ => 0,
        }
    }

    /// What went wrong with the store, which costs speed but no answer; sorted, each once.
    #[must_use]
    pub fn troubles(&self) -> Vec<String> {
        lock(&self.troubles).iter().cloned().collect()
    }

    /// The releases of each name, lowest version first. Asks in parallel; the answer does not depend on
    /// who answered first. `progress` is called on this thread with (crates done, crates in all).
    pub fn releases(
        &self,
        names: &[String],
        progress: &dyn Fn(usize, usize),
    ) -> BTreeMap<String, Result<Vec<Release>, IndexError>> {
        self.each(names, progress, |name| self.raw(name).map(|body| releases(&body)))
    }

    /// What the index says of these versions and no others; one that it does not have is left out. Asks in parallel, and
    /// reads only the lines that it needs.
    pub fn entries(
        &self,
        wanted: &BTreeMap<String, BTreeSet<Version>>,
        progress: &dyn Fn(usize, usize),
    ) -> BTreeMap<String, Result<Vec<Release>, IndexError>> {
        let names: Vec<String> = wanted.keys().cloned().collect();
        self.each(&names, progress, |name| {
            let body = self.raw(name)?;
            Ok(wanted[name].iter().filter_map(|version| release_of(&body, version)).collect())
        })
    }

    /// What a plan needs of the releases of each crate, lowest version first; `asked` names the features that the project
    /// enables of each. Reads and forgets one file after another, in parallel: a thousand crates take little memory.
    pub fn briefs(
        &self,
        asked: &BTreeMap<String, BTreeSet<String>>,
        progress: &dyn Fn(usize, usize),
    ) -> BTreeMap<String, Result<Vec<Brief>, IndexError>> {
        let names: Vec<String> = asked.keys().cloned().collect();
        self.each(&names, progress, |name| self.raw(name).map(|body| briefs(&body, &asked[name])))
    }

    /// Brings the index files of `names` into memory, in parallel, so that a resolve through the view
    /// does not ask for them two by two. Gives back the names that failed.
    pub fn warm(&self, names: &[String], progress: &dyn Fn(usize, usize)) -> BTreeMap<String, IndexError> {
        let read = self.each(names, progress, |name| self.raw(name).map(drop));
        read.into_iter().filter_map(|(name, result)| Some((name, result.err()?))).collect()
    }

    /// The index file of one crate: one JSON object per line. The same bytes for the life of this value.
    ///
    /// # Errors
    /// An [`IndexError`] about this crate.
    pub fn raw(&self, name: &str) -> Result<Body, IndexError> {
        let path = path_of(name)?;
        let slot = Arc::clone(lock(&self.memory).entry(path.clone()).or_default());
        let mut slot = lock(&slot);
        if let Some(known) = &*slot {
            return self.spool.get(known.as_ref().map_err(Clone::clone)?).map_err(|why| IndexError::Unreachable {
                name: name.to_owned(),
                words: format!("its copy cannot be read: {why}"),
            });
        }
        let read = self.read(name, &path);
        if !read.as_ref().is_err_and(IndexError::is_passing) {
            *slot = Some(read.as_ref().map(|body| self.spool.keep(body)).map_err(Clone::clone));
        }
        read
    }

    /// The last copy of a crate's index file on this disk, however old; for when the registry does not answer.
    #[must_use]
    pub fn kept(&self, name: &str) -> Option<Vec<u8>> {
        let path = path_of(name).ok()?;
        match &self.origin {
            Origin::Local(_) => None,
            Origin::Git { store, .. } => store.cargos(&path).map(|copy| copy.body),
            Origin::Sparse { store, .. } => newer(store.own(&path), store.cargos(&path)).map(|copy| copy.body),
        }
    }

    /// The SHA-256 of a release's file as the registry hands it out now, for a reader who has to judge a wrong one.
    #[must_use]
    pub fn file_checksum(&self, name: &str, version: &Version) -> Option<String> {
        let bytes = match &self.origin {
            Origin::Local(folder) => std::fs::read(folder.join(format!("{name}-{version}.crate"))).ok()?,
            Origin::Sparse { url, client, .. } => {
                let get = |url: &str| match client.as_ref()?.get(url, &Validators::default()) {
                    Ok(Answer::Body(body, _)) => Some(body),
                    _ => None,
                };
                let config: serde_json::Value = serde_json::from_slice(&get(&format!("{url}config.json"))?).ok()?;
                get(&file_address(config["dl"].as_str()?, name, &version.to_string(), &path_of(name).ok()?))?
            }
            Origin::Git { .. } => return None,
        };
        Some(sha256_hex(&bytes))
    }

    fn each<T: Send>(
        &self,
        names: &[String],
        progress: &dyn Fn(usize, usize),
        ask: impl Fn(&str) -> Result<T, IndexError> + Sync,
    ) -> BTreeMap<String, Result<T, IndexError>> {
        let names: Vec<&String> = names.iter().collect::<BTreeSet<_>>().into_iter().collect();
        if let Origin::Sparse { cargo, .. } | Origin::Git { cargo: Some(cargo), .. } = &self.origin {
            cargo.announce(names.iter().copied().filter(|name| path_of(name).is_ok()));
        }
        let next = AtomicUsize::new(0);
        let (sender, answers) = mpsc::channel();
        let mut done = BTreeMap::new();
        std::thread::scope(|scope| {
            for _ in 0..names.len().min(self.parallel()) {
                let sender = sender.clone();
                scope.spawn(|| {
                    let sender = sender;
                    while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                        // The receiver outlives this scope, so sending cannot fail.
                        let _ = sender.send(((*name).clone(), ask(name)));
                    }
                });
            }
            drop(sender);
            for (name, answer) in answers {
                done.insert(name, answer);
                progress(done.len(), names.len());
            }
        });
        done
    }

    fn parallel(&self) -> usize {
        match &self.origin {
            Origin::Sparse { client: Some(_), .. } => IN_FLIGHT,
            _ => std::thread::available_parallelism().map_or(1, usize::from),
        }
    }

    fn read(&self, name: &str, path: &str) -> Result<Body, IndexError> {
        match &self.origin {
            Origin::Local(folder) => Self::read_local(&folder.join("index").join(path), name),
            Origin::Sparse { store, client: None, .. } => {
                let copy = newer(store.own(path), store.cargos(path));
                copy.map(|copy| Arc::new(copy.body)).ok_or_else(|| IndexError::NotCached(name.to_owned()))
            }
            Origin::Git { store, cargo: None } => {
                let copy = store.cargos(path);
                copy.map(|copy| Arc::new(copy.body)).ok_or_else(|| IndexError::NotCached(name.to_owned()))
            }
            Origin::Git { store, cargo: Some(cargo) } => self.read_cargos(name, path, store, cargo),
            Origin::Sparse { store, client: Some(_), cargo, .. } if cargo.is_needed() => {
                self.read_cargos(name, path, store, cargo)
            }
            Origin::Sparse { url, store, client: Some(client), cargo } => {
                match self.refresh(name, path, &format!("{url}{path}"), store, client) {
                    Err(IndexError::Refused { .. }) if cargo.finds_needed(|| wants_credentials(url, client)) => {
                        self.read_cargos(name, path, store, cargo)
                    }
                    read => read,
                }
            }
        }
    }

    /// Cargo's own copy, once cargo has brought it up to date.
    fn read_cargos(&self, name: &str, path: &str, store: &Store, cargo: &ThroughCargo) -> Result<Body, IndexError> {
        cargo.refresh(name)?;
        match store.cargos(path) {
            Some(copy) => check(name, copy.body),
            None => Err(IndexError::not_found(name, &self.location)),
        }
    }

    fn read_local(file: &Path, name: &str) -> Result<Body, IndexError> {
        match std::fs::read(file) {
            Ok(body) => check(name, body),
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => Err(IndexError::not_found(name, LOCAL)),
            Err(why) => {
                let words = format!("{}: {why}", file.display());
                Err(IndexError::Unreachable { name: name.to_owned(), words })
            }
        }
    }

    fn refresh(&self, name: &str, path: &str, url: &str, store: &Store, client: &Client) -> Result<Body, IndexError> {
        let base = match store.own(path) {
            Some(copy) if copy.is_fresh(self.max_age) => return Ok(Arc::new(copy.body)),
            // Ours is asked about wherever cargo's says no more, so that cargo's is not even read.
            Some(own)
                if !own.validators.is_empty() && store.cargos_taken(path).is_none_or(|taken| taken <= own.taken) =>
            {
                Some((own, Whose::Ours))
            }
            own => base(own, store.cargos(path)),
        };
        let known = base.as_ref().map(|(copy, _)| copy.validators.clone()).unwrap_or_default();
        match (client.get(url, &known), base) {
            (Ok(Answer::Unchanged), Some((copy, whose))) => {
                self.note(match whose {
                    Whose::Ours => store.vouch(path),
                    Whose::Cargos => store.keep(path, &copy.body, &copy.validators),
                });
                Ok(Arc::new(copy.body))
            }
            (Ok(Answer::Unchanged), None) => Err(IndexError::junk(name, "304 to an unconditional request")),
            (Ok(Answer::Body(body, validators)), _) => {
                let body = check(name, body)?;
                self.note(store.keep(path, &body, &validators));
                Ok(body)
            }
            (Err(why), _) => Err(IndexError::from_fetch(name, &self.location, why)),
        }
    }

    /// A store that cannot be written makes the next run slower and this one no less right.
    fn note(&self, written: std::io::Result<()>) {
        if let Err(why) = written {
            lock(&self.troubles).insert(format!("the index store cannot be written: {why}"));
        }
    }
}

/// Whether a registry that refused a crate is open to those with credentials: its `config.json` says so, or is itself
/// refused (<https://doc.rust-lang.org/cargo/reference/registry-index.html#index-configuration>). Any other refusal would
/// be the same to cargo.
fn wants_credentials(url: &str, client: &Client) -> bool {
    const UNAUTHORIZED: u16 = 401;
    if url == CRATES_IO {
        return false;
    }
    match client.get(&format!("{url}config.json"), &Validators::default()) {
        Ok(Answer::Body(body, _)) => entry::wants_credentials(&body),
        Err(FetchError::Refused(status, _)) => status == UNAUTHORIZED,
        _ => false,
    }
}

/// Whose copy a conditional request is based on.
#[derive(Clone, Copy)]
enum Whose {
    Ours,
    Cargos,
}

/// The copy to ask "is this still the newest?" about: one that the registry can recognise, the newer
/// one when both are; without any there is nothing to ask but for the whole file.
fn base(own: Option<Copy>, cargos: Option<Copy>) -> Option<(Copy, Whose)> {
    let same = matches!((&own, &cargos), (Some(own), Some(cargos)) if own.validators == cargos.validators);
    let own = own.map(|copy| (copy, Whose::Ours));
    // Of the same state ours only has to be vouched for, and cargo's would have to be copied.
    let cargos = cargos.filter(|_| !same).map(|copy| (copy, Whose::Cargos));
    [own, cargos]
        .into_iter()
        .flatten()
        .filter(|(copy, _)| !copy.validators.is_empty())
        .max_by_key(|(copy, whose)| (copy.taken, matches!(whose, Whose::Ours)))
}

fn newer(own: Option<Copy>, cargos: Option<Copy>) -> Option<Copy> {
    own.into_iter().chain(cargos).max_by_key(|copy| copy.taken)
}

fn check(name: &str, body: Vec<u8>) -> Result<Body, IndexError> {
    if entry::is_index_file(&body) {
        Ok(Arc::new(body))
    } else {
        let start: String = String::from_utf8_lossy(&body).chars().take(60).collect();
        Err(IndexError::junk(name, &format!("it begins with {start:?}")))
    }
}

/// The path of a crate's file in any index (`1/a`, `2/ab`, `3/a/abc`, `ab/cd/abcde`), lower case:
/// <https://doc.rust-lang.org/cargo/reference/registry-index.html#index-files>. Only names that a
/// registry can hold pass, so a name can never lead out of the folder.
fn path_of(name: &str) -> Result<String, IndexError> {
    let name_like = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(name_like) {
        return Err(IndexError::BadName(name.to_owned()));
    }
    let name = name.to_ascii_lowercase();
    Ok(match name.len() {
        1 => format!("1/{name}"),
        2 => format!("2/{name}"),
        3 => format!("3/{}/{name}", &name[..1]),
        _ => format!("{}/{}/{name}", &name[..2], &name[2..4]),
    })
}

/// Where a release's file is (the Cargo book, "Index format", `dl`): markers are filled in, and without any the usual
/// path is added.
fn file_address(dl: &str, name: &str, version: &str, path: &str) -> String {
    let prefix = path.rsplit_once('/').map_or("", |(prefix, _)| prefix);
    let markers = [("{crate}", name), ("{version}", version), ("{prefix}", prefix), ("{lowerprefix}", prefix)];
    if !markers.iter().any(|(marker, _)| dl.contains(marker)) {
        return format!("{dl}/{name}/{version}/download");
    }
    markers.iter().fold(dl.to_owned(), |dl, (marker, value)| dl.replace(marker, value))
}

/// Locks, whether or not another thread panicked while it held the lock: every value behind these
/// locks is replaced whole, so none is ever half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
