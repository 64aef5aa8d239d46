//! Reads one file of a registry, from wherever it is good enough: a local registry, our store, cargo's cache, or the
//! network, asked whether a copy is still the newest. What only cargo can read (git, credentials), cargo is told to.
//! Writes our store only.

use std::path::Path;
use std::sync::Arc;

use semver::Version;

use super::super::fetch::{Answer, Client, FetchError, Validators};
use super::address::{file_address, path_of};
use super::source::CRATES_IO;
use super::store::{Copy, Store};
use super::through_cargo::ThroughCargo;
use super::{Body, Index, IndexError, Origin, entry};
use crate::digest::sha256_hex;
use crate::machine::mutex::lock;

/// A local registry in words: plans name no folder of one machine.
const LOCAL: &str = "the local registry that stands in for crates-io in cargo's configuration";

impl Index {
    /// Reads one index file; `path` is its path in any index.
    pub(super) fn read(&self, name: &str, path: &str) -> Result<Body, IndexError> {
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

    /// Cargo's own copy, once cargo has brought it up to date.
    fn read_cargos(&self, name: &str, path: &str, store: &Store, cargo: &ThroughCargo) -> Result<Body, IndexError> {
        cargo.refresh(name)?;
        match store.cargos(path) {
            Some(copy) => check(name, copy.body),
            None => Err(IndexError::not_found(name, &self.location)),
        }
    }

    /// A local registry's file, where it lies.
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

    /// Our copy, once the registry has said that it is the newest, or the newest one.
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

/// A body that is an index file, and not the page of some proxy.
fn check(name: &str, body: Vec<u8>) -> Result<Body, IndexError> {
    if entry::is_index_file(&body) {
        Ok(Arc::new(body))
    } else {
        let start: String = String::from_utf8_lossy(&body).chars().take(60).collect();
        Err(IndexError::junk(name, &format!("it begins with {start:?}")))
    }
}
