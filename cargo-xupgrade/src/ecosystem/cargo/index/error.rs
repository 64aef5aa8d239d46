//! Why an index, or one crate in it, could not be read, as a person should be told. Pure.

use std::path::PathBuf;
use std::time::Duration;

use crate::candidate::{Reason, ReasonKind};

use super::super::fetch::FetchError;

/// Why an index, or one crate in it, could not be read. One crate's error never touches another's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// A cargo configuration file that cannot be read.
    #[error("cargo's configuration {} cannot be read: {words}; mend the file", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        words: String,
    },
    /// An index whose releases nobody can list.
    #[error(
        "{0}; releases are listed from a sparse index, a git index or a local registry: configure one, or leave these \
         crates to `cargo update`"
    )]
    Unsupported(String),
    /// A name that no crate can have.
    #[error("`{0}` is no crate name")]
    BadName(String),
    /// The registry has no such crate.
    #[error("`{name}` is not in {location}; check the name, or the registry it should come from")]
    NotFound {
        /// The crate.
        name: String,
        /// The registry.
        location: String,
    },
    /// Offline, and no copy is at hand.
    #[error("`{0}` is in no local copy of the index; run once without --offline")]
    NotCached(String),
    /// The registry will not show this crate.
    #[error("the registry refuses `{name}` with HTTP {status}: {words}; check the credentials and proxy for it")]
    Refused {
        /// The crate.
        name: String,
        /// The HTTP status.
        status: u16,
        /// The registry's own words, on one line.
        words: String,
    },
    /// The registry shows this crate only to those who show credentials, and cargo has none that it takes.
    #[error("its registry wants credentials for `{name}`: {words}")]
    WantsCredentials {
        /// The crate.
        name: String,
        /// What cargo says, and what to do.
        words: String,
    },
    /// No whole answer within the time limit.
    #[error("the registry did not answer for `{name}` within {after:?}; try again later")]
    TimedOut {
        /// The crate.
        name: String,
        /// The limit.
        after: Duration,
    },
    /// The registry cannot be reached or is failing.
    #[error("the registry cannot be asked for `{name}`: {words}; try again later, or use --offline")]
    Unreachable {
        /// The crate.
        name: String,
        /// What the network or the server said.
        words: String,
    },
    /// The registry answered something that is no index file.
    #[error("the answer for `{name}` is no index file ({words}); check the registry's address and the proxy")]
    Junk {
        /// The crate.
        name: String,
        /// What is wrong with it.
        words: String,
    },
}

impl IndexError {
    /// Whether asking again within the same run could end otherwise.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::TimedOut { .. } | Self::Unreachable { .. })
    }

    /// What a failed request means for the crate it was about.
    pub(super) fn from_fetch(name: &str, location: &str, why: FetchError) -> Self {
        let name = name.to_owned();
        match why {
            FetchError::NotFound(_) => Self::not_found(&name, location),
            FetchError::Refused(status, words) => Self::Refused { name, status, words },
            FetchError::TimedOut(after) => Self::TimedOut { name, after },
            FetchError::Junk(words) => Self::Junk { name, words },
            FetchError::Failing(_) | FetchError::Unreachable(_) => Self::Unreachable { name, words: why.to_string() },
        }
    }

    pub(super) fn not_found(name: &str, location: &str) -> Self {
        Self::NotFound { name: name.to_owned(), location: location.to_owned() }
    }

    pub(super) fn junk(name: &str, words: &str) -> Self {
        Self::Junk { name: name.to_owned(), words: words.to_owned() }
    }
}

impl From<&IndexError> for Reason {
    /// The reason to hold a crate of which the registry does not tell.
    fn from(error: &IndexError) -> Self {
        let kind = match error {
            IndexError::NotCached(_) => ReasonKind::NotCached,
            IndexError::Refused { .. }
            | IndexError::WantsCredentials { .. }
            | IndexError::NotFound { .. }
            | IndexError::BadName(_) => ReasonKind::RegistryRefused,
            IndexError::Unsupported(_) => ReasonKind::OtherRegistry,
            _ => ReasonKind::RegistryUnreachable,
        };
        Self::new(kind, error.to_string())
    }
}
