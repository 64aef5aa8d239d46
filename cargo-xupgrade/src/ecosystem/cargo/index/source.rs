//! Where a registry really is for a project: names, addresses and source replacement, as cargo reads them from
//! its configuration. Pure, given the [`Settings`]. `tame-index` looks this up too, but stops after one replacement,
//! wants both tables in one file, and takes a `directory` source for crates.io itself.
//! Formats: <https://doc.rust-lang.org/cargo/reference/source-replacement.html> and `registries.html` there.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::IndexError;
use super::settings::{Environment, Settings};

/// The sparse index of crates.io, which cargo uses when nothing replaces it.
pub const CRATES_IO: &str = "https://index.crates.io/";

/// The git index of crates.io: the address that lockfiles name, and where the protocol `git` reads.
pub const CRATES_IO_GIT: &str = "https://github.com/rust-lang/crates.io-index";

/// An index that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A sparse index: its address without `sparse+`, with a slash at the end.
    Sparse(String),
    /// An index in a git repository, which cargo alone reads: its address.
    Git(String),
    /// A folder with `.crate` files and an `index` folder of plain files.
    Local(PathBuf),
}

/// One registry, as lockfiles tell it from others: crates.io, or an index address without its last slash and `.git`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistryKey(Option<String>);

impl RegistryKey {
    /// crates.io, whatever replaces it.
    #[must_use]
    pub fn crates_io() -> Self {
        Self(None)
    }

    /// The registry with this index, as a configuration or a manifest writes it.
    #[must_use]
    pub fn of_index(address: &str) -> Self {
        let plain = address.strip_prefix("registry+").unwrap_or(address).trim_end_matches('/');
        let plain = plain.strip_suffix(".git").unwrap_or(plain);
        let is_crates_io = plain == CRATES_IO_GIT || plain == "sparse+https://index.crates.io";
        Self((!is_crates_io).then(|| plain.to_owned()))
    }

    /// The registry that a package of a lockfile comes from; none for git and path sources.
    #[must_use]
    pub fn of_lock(source: &str) -> Option<Self> {
        (source.starts_with("registry+") || source.starts_with("sparse+")).then(|| Self::of_index(source))
    }

    /// Its address, for people; crates.io has its name.
    #[must_use]
    pub fn words(&self) -> &str {
        self.0.as_deref().unwrap_or("crates-io")
    }
}

/// A registry as requirements name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// What tells it from others.
    pub key: RegistryKey,
    /// Its name in cargo's configuration; `crates-io` for the default one, none where only its address is known.
    pub name: Option<String>,
    /// Its index as it is written; none for crates-io.
    pub address: Option<String>,
}

impl Named {
    /// crates-io.
    #[must_use]
    pub fn crates_io() -> Self {
        Self { key: RegistryKey::crates_io(), name: Some("crates-io".to_owned()), address: None }
    }

    /// The registry that `registry` or `registry-index` of a requirement means; none of these is crates-io, whatever
    /// `registry.default` says (that one is for `cargo publish`, `cargo add` and their like).
    ///
    /// # Errors
    /// [`IndexError::Unsupported`] for a name that no configuration knows.
    pub fn find(written: Option<&str>, settings: &Settings, env: Environment) -> Result<Self, IndexError> {
        match written {
            None | Some("crates-io") => Ok(Self::crates_io()),
            // A name has no colon, an address has one.
            Some(address) if address.contains(':') => Ok(Self::at(address, settings, env)),
            Some(name) => match settings.of_registry(name, "index", env) {
                Some(address) => Ok(Self {
                    key: RegistryKey::of_index(&address),
                    name: Some(name.to_owned()),
                    address: Some(address),
                }),
                None => Err(unsupported(format!(
                    "the registry `{name}` has no `[registries.{name}] index` in cargo's configuration"
                ))),
            },
        }
    }

    /// The registry with this index, with its name if the configuration has one for it.
    #[must_use]
    pub fn at(address: &str, settings: &Settings, env: Environment) -> Self {
        let key = RegistryKey::of_index(address);
        if key == RegistryKey::crates_io() {
            return Self::crates_io();
        }
        let is_it = |name: &String| {
            settings.of_registry(name, "index", env).is_some_and(|index| RegistryKey::of_index(&index) == key)
        };
        let name = settings.names("registries").into_iter().find(is_it);
        Self { key, name, address: Some(address.to_owned()) }
    }
}

/// A registry with what the configuration decides about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The registry.
    pub named: Named,
    /// The index that stands for it.
    pub location: Location,
    /// The name of its table in `[source]`, which replaces it; none where it has no such table yet.
    pub table: Option<String>,
}

impl Source {
    /// Finds the index that stands for a registry.
    ///
    /// # Errors
    /// [`IndexError::Unsupported`] for an index that nobody can list (`directory`, unknown kinds, replacements in a
    /// circle).
    pub fn find(named: Named, settings: &Settings, env: Environment) -> Result<Self, IndexError> {
        let table = match &named.address {
            None => Some("crates-io".to_owned()),
            Some(_) => settings.names("source").into_iter().find(|name| {
                let address = settings.text(&["source", name, "registry"]);
                address.is_some_and(|address| RegistryKey::of_index(&address) == named.key)
            }),
        };
        let chain = Chain { settings, env, what: named.name.clone().unwrap_or_else(|| named.key.words().to_owned()) };
        let location = match (&table, &named.address) {
            (Some(table), _) => chain.follow(table)?,
            (None, Some(address)) => chain.index(address)?,
            (None, None) => chain.unreplaced()?,
        };
        Ok(Self { named, location, table })
    }
}

/// A walk along replacements, and the registry that it began at.
struct Chain<'a> {
    settings: &'a Settings,
    env: Environment<'a>,
    what: String,
}

impl Chain<'_> {
    fn follow(&self, table: &str) -> Result<Location, IndexError> {
        let mut name = table.to_owned();
        let mut met = BTreeSet::new();
        while let Some(next) = self.settings.text(&["source", &name, "replace-with"]) {
            if !met.insert(name) {
                return Err(unsupported(format!("sources replace each other in a circle at `{next}`")));
            }
            name = next;
        }
        if name == "crates-io" && self.settings.text(&["source", &name, "registry"]).is_none() {
            self.unreplaced()
        } else {
            self.kind_of(&name)
        }
    }

    /// crates.io itself.
    fn unreplaced(&self) -> Result<Location, IndexError> {
        match self.settings.of_registry("crates-io", "protocol", self.env).as_deref() {
            None | Some("sparse") => Ok(Location::Sparse(CRATES_IO.to_owned())),
            Some("git") => Ok(Location::Git(CRATES_IO_GIT.to_owned())),
            Some(other) => Err(unsupported(format!("crates-io is read over the protocol `{other}`"))),
        }
    }

    fn kind_of(&self, name: &str) -> Result<Location, IndexError> {
        if let Some(folder) = self.settings.path(&["source", name, "local-registry"]) {
            return Ok(Location::Local(folder));
        }
        if let Some(folder) = self.settings.path(&["source", name, "directory"]) {
            let folder = folder.display();
            return Err(unsupported(format!("{} is replaced by the vendored directory {folder}", self.what)));
        }
        let address = self
            .settings
            .text(&["source", name, "registry"])
            .or_else(|| self.settings.of_registry(name, "index", self.env));
        match address {
            Some(address) => self.index(&address),
            None => Err(unsupported(format!(
                "{} is replaced by `{name}`, which names no registry and no local-registry",
                self.what
            ))),
        }
    }

    fn index(&self, address: &str) -> Result<Location, IndexError> {
        match address.strip_prefix("sparse+") {
            Some(url) if url.starts_with("http://") || url.starts_with("https://") => {
                Ok(Location::Sparse(format!("{}/", url.trim_end_matches('/'))))
            }
            None if address.contains("://") => {
                Ok(Location::Git(address.strip_prefix("registry+").unwrap_or(address).to_owned()))
            }
            _ => Err(unsupported(format!("{} is at `{address}`, which is no address of an index", self.what))),
        }
    }
}

fn unsupported(words: String) -> IndexError {
    IndexError::Unsupported(words)
}
