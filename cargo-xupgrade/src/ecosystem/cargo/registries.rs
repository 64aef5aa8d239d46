//! The registries that one project takes crates from: each with its index, the view of it that resolves go through, and
//! the cooldown that cargo's configuration gives it. A registry that cannot be listed holds its own crates and no others.
//! Writes our index store and our `CARGO_HOME` for resolves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Once};

use anyhow::{Context, Result};
use semver::Version;

use super::Cargo;
use super::index::{self, Environment, Index, IndexError, Mode, Named, Options, RegistryKey, Settings};
use super::lock::Lock;
use super::manifest::{Manifest, Origin};
use super::view::{self, Limits, Rule, View};
use crate::checkout::environment::{Linked, cargo_home, make_cargo_view};
use crate::cooldown::Cooldown;
use crate::ecosystem::{Outlook, RegistryAge, UnknownAge};
use crate::event::Event;
use crate::project::{Network, Project};

/// One registry, and the view of it that resolves go through.
pub struct Registry {
    /// Its releases.
    pub index: Arc<Index>,
    /// What a resolve sees of it.
    pub view: View,
    /// What cargo's configuration says about the age of its releases, where that counts.
    pub cooldown: Option<Cooldown>,
    /// Its locked crates: what a resolve will ask for.
    locked: Vec<String>,
    warmed: Once,
}

/// Whether a resolve sees releases that are too young, or of unknown age. What came out after the instant at which the
/// registries are looked at, it never sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Young {
    /// It does not.
    Hidden,
    /// It does.
    Shown,
}

/// All registries of a project; one that could not be opened is there with the reason.
pub struct Registries {
    opened: BTreeMap<RegistryKey, Result<Registry, IndexError>>,
    /// What `registry` or `registry-index` of a requirement means; an unknown name has its error.
    written: BTreeMap<String, Result<RegistryKey, IndexError>>,
}

impl Registries {
    /// Opens every registry that a manifest, the lockfile or cargo's configuration names: an upgrade may bring a crate
    /// from each of them. The versions in the lockfile are exempt from every rule on age.
    pub fn open<'m>(
        cargo: &Cargo<'_>,
        root: &Path,
        project: &Project,
        manifests: impl Iterator<Item = &'m Manifest>,
        locked: &Lock,
        young: Young,
    ) -> Result<Self> {
        let env: Environment = &|name| std::env::var(name).ok();
        let options = Options {
            project_dir: root.join(&project.path),
            cargo_home: cargo_home(),
            store: cargo.store.clone(),
            mode: if cargo.outlook.network == Network::Offline { Mode::Offline } else { Mode::Online },
            max_age: index::MAX_AGE,
            timeout: index::TIMEOUT,
            credentials: cargo.credentials.clone(),
        };
        let settings = Settings::read(&options.project_dir, &options.cargo_home)?;
        let written = written(manifests, &settings, env);
        let mut opened = BTreeMap::new();
        for named in every(&written, locked, &settings, env) {
            let key = named.key.clone();
            let cooldown = cooldown(cargo, &named, &settings, env);
            let registry = match Index::open_named(&options, named, &settings, env) {
                Ok(index) => {
                    let rule = rule(&cargo.outlook, cooldown.as_ref(), young);
                    Ok(Registry::open(index, rule, cooldown, &of_registry(locked, &key))?)
                }
                Err(why) => Err(why),
            };
            opened.insert(key, registry);
        }
        make_cargo_view(&cargo_home(), &cargo.resolve_home, Linked::Git)?;
        let target = &cargo.resolve_target;
        fs::create_dir_all(target).with_context(|| format!("cannot make {}", target.display()))?;
        let written = written.into_iter().map(|(text, named)| (text, named.map(|named| named.key))).collect();
        Ok(Self { opened, written })
    }

    /// The registry that a requirement means, as it is written there.
    ///
    /// # Errors
    /// When no configuration knows it, or its releases cannot be listed.
    pub fn find(&self, written: Option<&str>) -> Result<&Registry, IndexError> {
        self.of_key(&self.key(written)?)
    }

    /// What tells the registry that a requirement means from others.
    ///
    /// # Errors
    /// When no configuration knows it.
    pub fn key(&self, written: Option<&str>) -> Result<RegistryKey, IndexError> {
        match written.and_then(|text| self.written.get(text)) {
            Some(known) => known.clone(),
            None => Ok(written.map_or_else(RegistryKey::crates_io, RegistryKey::of_index)),
        }
    }

    /// The registry that a package of a lockfile comes from, if it was opened.
    #[must_use]
    pub fn of_lock(&self, source: Option<&str>) -> Option<&Registry> {
        self.of_key(&RegistryKey::of_lock(source?)?).ok()
    }

    /// The registry that this stands for.
    ///
    /// # Errors
    /// When its releases cannot be listed, or it was not opened.
    pub fn of_key(&self, key: &RegistryKey) -> Result<&Registry, IndexError> {
        let missing = || IndexError::Unsupported(format!("the registry {} was not opened", key.words()));
        self.opened.get(key).ok_or_else(missing)?.as_ref().map_err(Clone::clone)
    }

    /// Those that could be opened.
    pub fn all(&self) -> impl Iterator<Item = &Registry> {
        self.opened.values().filter_map(|one| one.as_ref().ok())
    }

    /// Brings what a resolve asks for into memory, in parallel and once: cargo itself asks for two at a time.
    pub fn warm(&self) {
        for registry in self.all() {
            registry.warmed.call_once(|| {
                registry.index.warm(&registry.locked, &|_, _| {});
            });
        }
    }

    /// The arguments that make cargo resolve through the views.
    #[must_use]
    pub fn cargo_args(&self) -> Vec<String> {
        self.all().flat_map(|registry| registry.view.cargo_args()).collect()
    }

    /// The crates that could not be had when a resolve last asked for them, registry by registry: two may have a crate of
    /// one name.
    #[must_use]
    pub fn refused(&self) -> Vec<(String, IndexError)> {
        self.all().flat_map(|registry| registry.view.refused()).collect()
    }

    /// Begins a resolve in which each registry has limits of its own; `None` is a resolve without limits.
    pub fn begin(&self, limits: Option<&dyn Fn(&RegistryKey) -> Limits>) {
        for (key, registry) in &self.opened {
            if let Ok(registry) = registry {
                registry.view.begin(limits.map(|of| of(key)));
            }
        }
    }

    /// The releases that the limits of this resolve hid because of the Rust that they need, each with that Rust.
    #[must_use]
    pub fn too_new(&self) -> BTreeMap<(String, Version), String> {
        self.all().flat_map(|registry| registry.view.too_new()).collect()
    }

    /// The versions that were hidden from resolves so far.
    #[must_use]
    pub fn hidden_met(&self) -> BTreeSet<(String, Version)> {
        self.all().flat_map(|registry| registry.view.hidden_met()).collect()
    }
}

impl Registry {
    fn open(
        index: Index,
        rule: Rule,
        cooldown: Option<Cooldown>,
        exempt: &BTreeSet<(String, Version)>,
    ) -> Result<Self> {
        let index = Arc::new(index);
        let names: BTreeSet<String> = exempt.iter().map(|(name, _)| name.clone()).collect();
        let view =
            View::start(Arc::clone(&index), rule, exempt.clone()).context("cannot serve the index view on loopback")?;
        Ok(Self { index, view, cooldown, locked: names.into_iter().collect(), warmed: Once::new() })
    }
}

/// What may be taken from a registry: the cooldown of its own, else that of the run.
fn rule(outlook: &Outlook, cooldown: Option<&Cooldown>, young: Young) -> Rule {
    let usual = (outlook.unknown_age == UnknownAge::TooYoung).then_some(outlook.cutoff);
    let cutoff = cooldown.map_or(usual, |own| own.cutoff(outlook.as_of)).filter(|_| young == Young::Hidden);
    let unknown_age = if cutoff.is_some() { view::UnknownAge::TooYoung } else { view::UnknownAge::Old };
    Rule { as_of: Some(outlook.as_of), cutoff, unknown_age }
}

/// What the requirements write, and what it means.
fn written<'m>(
    manifests: impl Iterator<Item = &'m Manifest>,
    settings: &Settings,
    env: Environment,
) -> BTreeMap<String, Result<Named, IndexError>> {
    let texts = manifests.flat_map(|manifest| &manifest.entries).filter_map(|entry| match &entry.origin {
        Origin::Registry { registry } => registry.clone(),
        _ => None,
    });
    let texts: BTreeSet<String> = texts.collect();
    texts.into_iter().map(|text| (text.clone(), Named::find(Some(&text), settings, env))).collect()
}

/// crates-io, and every registry that is named by a requirement, a package of the lockfile or the configuration.
fn every(
    written: &BTreeMap<String, Result<Named, IndexError>>,
    locked: &Lock,
    settings: &Settings,
    env: Environment,
) -> Vec<Named> {
    let sources = locked.packages.iter().filter_map(|package| package.source.as_deref());
    let in_lock = sources.filter(|source| RegistryKey::of_lock(source).is_some());
    let in_lock: BTreeSet<&str> = in_lock.map(|source| source.strip_prefix("registry+").unwrap_or(source)).collect();
    let configured = settings.names("registries").into_iter();
    let configured = configured.filter_map(|name| Named::find(Some(&name), settings, env).ok());
    let mut found: BTreeMap<RegistryKey, Named> = BTreeMap::new();
    let all = [Named::crates_io()].into_iter().chain(written.values().filter_map(|one| one.clone().ok()));
    let all = all.chain(in_lock.into_iter().map(|address| Named::at(address, settings, env))).chain(configured);
    for named in all {
        found.entry(named.key.clone()).or_insert(named);
    }
    found.into_values().collect()
}

/// The locked packages of one registry.
pub fn of_registry(locked: &Lock, key: &RegistryKey) -> BTreeSet<(String, Version)> {
    let from_it = |source: &String| RegistryKey::of_lock(source).as_ref() == Some(key);
    let packages = locked.packages.iter().filter(|one| one.source.as_ref().is_some_and(from_it));
    packages.map(|one| (one.name.clone(), one.version.clone())).collect()
}

/// The keys of cargo that say how old a release must be: that of the registry ranks above that of all. Cargo itself heeds
/// them from 1.100 on; `resolver.incompatible-publish-age = "allow"` switches them off there, and here.
fn cooldown(cargo: &Cargo<'_>, named: &Named, settings: &Settings, env: Environment) -> Option<Cooldown> {
    if cargo.outlook.registry_age == RegistryAge::Overruled || allows_all(settings, env) {
        return None;
    }
    let own = named.name.as_deref().and_then(|name| {
        let span = settings.of_registry(name, "min-publish-age", env)?;
        Some((span, format!("`registries.{name}.min-publish-age` of cargo"), Some(name)))
    });
    let global = || {
        let span = env("CARGO_REGISTRY_GLOBAL_MIN_PUBLISH_AGE")
            .or_else(|| settings.text(&["registry", "global-min-publish-age"]))?;
        Some((span, "`registry.global-min-publish-age` of cargo".to_owned(), None))
    };
    let (span, whence, registry) = own.or_else(global)?;
    let read = Cooldown::read(&span, &whence, registry);
    if read.is_none() {
        let text = format!("{whence} says `{span}`, which is no time span; write it as `14 days`; it is not heeded");
        cargo.listener.tell(&Event::Warned { text });
    }
    read
}

fn allows_all(settings: &Settings, env: Environment) -> bool {
    let said = env("CARGO_RESOLVER_INCOMPATIBLE_PUBLISH_AGE")
        .or_else(|| settings.text(&["resolver", "incompatible-publish-age"]));
    said.as_deref() == Some("allow")
}
