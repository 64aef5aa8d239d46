//! Cargo's rules.

use super::{Copies, Edits, Facts, Followers, Rules, Withdrawals};
use crate::candidate::{Level, Promise, Reason, ReasonKind, Version, toolchain_exceeds};

/// Cargo workspaces and the registries of crates.
pub(super) struct Cargo;

static FACTS: Facts = Facts {
    manifest: "Cargo.toml",
    toolchain_variable: "RUSTUP_TOOLCHAIN",
    copies: Copies::Several,
    followers: Followers::OwnLockfile,
    edits: Edits::WhereNeeded,
    withdrawals: Withdrawals::Undated,
};

impl Rules for Cargo {
    fn promise(&self, _: &str) -> Promise {
        Promise::LeftmostNumber
    }

    fn floor(&self, release: &Version, needs: &str, has: &str) -> Option<Reason> {
        let text = format!("{release} needs Rust {needs}, and the project supports Rust {has} (`rust-version`)");
        toolchain_exceeds(needs, has).then(|| Reason::new(ReasonKind::Msrv, text))
    }

    fn is_meant(&self, package: &str, word: &str) -> bool {
        package == word || package.replace('-', "_") == word
    }

    fn risk_of_breaking(&self, _: Level, _: &Version) -> u32 {
        300
    }

    fn facts(&self) -> &'static Facts {
        &FACTS
    }
}
