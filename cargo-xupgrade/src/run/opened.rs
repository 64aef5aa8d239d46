//! A run that is open: repository, base, configuration, cache and lock, and a clone with what lies outside of git.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::checkout::outside::Outside;
use crate::checkout::repo::Repo;
use crate::checkout::worker::submodule::Means;
use crate::checkout::worker::{Tracked, Worker};
use crate::clock::Instant;
use crate::cooldown::Cooldown;
use crate::ecosystem::{Outlook, RegistryAge, UnknownAge};
use crate::event::{Event, Listener};
use crate::input::cli::Selection;
use crate::input::config::Config;
use crate::machine::failure::Usage;
use crate::machine::interrupt::Stop;
use crate::policy::{PinRule, Policy, Reach};
use crate::project::{Base, CONFIG_FILE, Network, TransitiveRule};
use crate::state::journal::Lock;

use super::cache::{cache_root, make_shared};
use super::sight::Sight;
use super::{prune, setup, told};

/// Everything that stands before a plan is made.
pub struct Opened<'a> {
    /// The user's repository.
    pub repo: Repo,
    /// The commit that everything starts from.
    pub base: Base,
    /// The configuration.
    pub config: Config,
    /// The rules by which registries are looked at.
    pub outlook: Outlook,
    /// The rules by which releases are chosen.
    pub policy: Policy,
    /// The folder of this repository in the cache.
    pub cache: PathBuf,
    /// The first worker: the plan is made in its clone, and commits are.
    pub worker: Worker,
    /// The age that releases must have, where a flag or the configuration says so.
    pub said: Option<Cooldown>,
    /// The listener of the run.
    pub listener: &'a dyn Listener,
    /// The user's wish to end it.
    pub stop: Stop,
    /// The files that discovery sees.
    pub sight: Sight,
    /// The files that git tracks.
    pub tracked: Tracked,
    /// Configuration that lies outside of the repository.
    pub outside: Outside,
    /// A digest of what `[setup] copy` brought.
    pub copied: String,
    _lock: Lock,
}

impl<'a> Opened<'a> {
    /// Opens repository and configuration, takes the lock, makes the clone.
    pub fn open(selection: &Selection, listener: &'a dyn Listener, stop: &Stop) -> Result<Self> {
        Self::open_in(selection, None, listener, stop)
    }

    /// The same, with another folder for the repository's clones than the usual one in the cache.
    pub fn open_in(
        selection: &Selection,
        folder: Option<&Path>,
        listener: &'a dyn Listener,
        stop: &Stop,
    ) -> Result<Self> {
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
        let cache = folder.map_or_else(|| cache_root().join(repo.cache_key()), Path::to_owned);
        let lock = Lock::take(&cache)?;
        listener.tell(&told::opened(&repo, &base));
        make_shared(&cache_root())?;
        // Cargo and go answer with real paths, and those are compared with ours.
        let cache = cache.canonicalize().with_context(|| format!("cannot read {}", cache.display()))?;
        if folder.is_none() {
            prune::before(&cache, config.target_limit(), listener)?;
        }
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
            said,
            listener,
            stop: stop.clone(),
            sight,
            tracked,
            outside,
            copied,
            _lock: lock,
        })
    }

    /// Looks at the registries as they were at another instant, from the next plan on.
    pub fn look_at(&mut self, as_of: Instant) {
        self.policy.as_of = as_of;
        self.outlook.as_of = as_of;
        self.outlook.cutoff = as_of.minus_days(self.policy.min_age);
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

/// The cooldown that a flag or the configuration asks for.
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
