//! What a registry offers: the index files of one registry, or of the one that stands for it, read in
//! parallel, from cargo's cache, our store or the network, whichever is good enough. It serves planning
//! (`releases`) and, through [`super::view`], cargo's own resolves (`raw`), so that both see the same
//! contents: a file that was read once stays as it is for the life of an [`Index`].
//! Writes the store only; cargo's cache is written by nobody but cargo, where only cargo can read a registry.

mod address;
mod entry;
mod error;
mod read;
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
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use semver::Version;

pub use entry::{Brief, DepKind, Glance, Release, ReleaseDep, briefs, glances, release_of, releases};
pub use error::IndexError;
pub use settings::{Environment, Settings};
pub use source::{Named, RegistryKey, Source};

use super::fetch::Client;
use crate::machine::mutex::lock;
use address::path_of;
use source::Location;
use spool::{Kept, Spool};
use store::Store;
use through_cargo::ThroughCargo;

/// How many index files are asked for at once. Measured on 100 crates over one HTTP/2 connection:
/// 16 in flight 190 ms, 64 in flight 110 ms.
const IN_FLIGHT: usize = 64;

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
    /// The user's `CARGO_HOME`: configuration and cargo's cache, both only read by us.
    pub cargo_home: PathBuf,
    /// The folder of our own store; each registry gets a folder of its own in it.
    pub store: PathBuf,
    /// Whether the network may be asked.
    pub mode: Mode,
    /// How long a copy in our store is good without asking; ten minutes is [`MAX_AGE`].
    pub max_age: Duration,
    /// The limit of one request, from connecting to the last byte.
    pub timeout: Duration,
    /// Variables that open registries, for cargo where only cargo can ask.
    pub credentials: Vec<(String, String)>,
}

/// How long a copy in our store is good when nobody says otherwise.
pub const MAX_AGE: Duration = Duration::from_mins(10);

/// The limit of one request when nobody says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(30);

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
    #[cfg(test)]
    pub(crate) fn open(options: &Options) -> Result<Self, IndexError> {
        Self::open_with(options, &|name| std::env::var(name).ok())
    }

    #[cfg(test)]
    fn open_with(options: &Options, env: Environment) -> Result<Self, IndexError> {
        let settings = Settings::read(&options.project_dir, &options.cargo_home)?;
        Self::open_named(options, Named::crates_io(), &settings, env)
    }

    /// Finds the index that stands for a registry. Makes no request.
    ///
    /// # Errors
    /// [`IndexError::Config`] or [`IndexError::Unsupported`]; none of its crates can be surveyed then.
    pub fn open_named(
        options: &Options,
        named: Named,
        settings: &Settings,
        env: Environment,
    ) -> Result<Self, IndexError> {
        let source = Source::find(named, settings, env)?;
        let store = |url: &str| Store::open(url, &options.cargo_home, &options.store).map_err(IndexError::Unsupported);
        let cargo = || ThroughCargo::new(&source, options);
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
    #[cfg(test)]
    pub(crate) fn location(&self) -> &str {
        &self.location
    }

    /// How many requests were made so far, retries counted.
    #[cfg(test)]
    pub(crate) fn requests(&self) -> usize {
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

    /// Brings the index files of `names` into memory, in parallel, so that a resolve through a view
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
}
