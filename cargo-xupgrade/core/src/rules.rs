//! The rules of an ecosystem that decide and have no effect. Another ecosystem brings rules of its own; nothing else asks which one
//! a project belongs to.

mod cargo;
mod go;

use std::collections::BTreeSet;

use crate::candidate::{Candidate, DependencyRef, EcosystemKind, Level, Promise, Reason, Target, Version};

/// The rules of one ecosystem.
pub trait Rules: Sync {
    /// The promise of a package, by its name in its registry, on its versions.
    fn promise(&self, package: &str) -> Promise;

    /// The objection to a release that needs one toolchain where the project has another one; none where it fits.
    fn floor(&self, release: &Version, needs: &str, has: &str) -> Option<Reason>;

    /// True for a word in a failure that means this package.
    fn is_meant(&self, package: &str, word: &str) -> bool;

    /// The chance that a breaking release fails, in 1/1000, as guessed before anything is tried.
    fn risk_of_breaking(&self, level: Level, release: &Version) -> u32;

    /// The rest.
    fn facts(&self) -> &'static Facts;
}

/// The facts about an ecosystem that need no code.
#[derive(Debug)]
pub struct Facts {
    /// The name of a manifest, whose folder is that of its package.
    pub manifest: &'static str,
    /// The variable that chooses the toolchain.
    pub toolchain_variable: &'static str,
    /// The versions of one package in one build.
    pub copies: Copies,
    /// The projects that use another one by path.
    pub followers: Followers,
    /// The manifests of a project, where it is upgraded.
    pub edits: Edits,
    /// Releases that were withdrawn.
    pub withdrawals: Withdrawals,
}

/// The number of versions of one package that a build may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copies {
    /// Several: another version is another package.
    Several,
    /// One.
    One,
}

/// The effect of an upgrade on a project that uses the upgraded one by path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followers {
    /// A lockfile of its own that follows, and decides.
    OwnLockfile,
    /// A build with the same versions; its manifests follow.
    SameVersions,
}

/// The edits of manifests by upgrades.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edits {
    /// An edit only for a requirement that does not admit the release; else the lockfile alone moves.
    WhereNeeded,
    /// An edit in each upgrade.
    Always,
}

/// The knowledge of when a release was withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withdrawals {
    /// None: a registry tells that it is, and not since when.
    Undated,
    /// A release says so, and has a date.
    Dated,
}

impl EcosystemKind {
    /// Its rules.
    #[must_use]
    pub fn rules(self) -> &'static dyn Rules {
        match self {
            Self::Cargo => &cargo::Cargo,
            Self::Go => &go::Go,
        }
    }

    /// Its facts.
    #[must_use]
    pub fn facts(self) -> &'static Facts {
        self.rules().facts()
    }
}

/// The promise of a dependency on its versions.
#[must_use]
pub fn promise(id: &DependencyRef) -> Promise {
    id.project.ecosystem.rules().promise(&id.name)
}

/// True for a word in a failure that means this candidate.
#[must_use]
pub fn is_named(candidate: &Candidate, word: &str) -> bool {
    candidate.id.project.ecosystem.rules().is_meant(&candidate.id.name, word)
}

/// True for a candidate that is among compiled packages: at the version in use, where a build may have several. Go builds each module
/// once, and a workspace may do so at a higher version than a member asks for.
#[must_use]
pub fn is_among(candidate: &Candidate, compiled: &BTreeSet<Target>) -> bool {
    match candidate.id.project.ecosystem.facts().copies {
        Copies::Several => compiled.contains(&Target::new(candidate.id.name.as_str(), candidate.at.clone())),
        Copies::One => compiled.iter().any(|one| one.name == candidate.id.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each ecosystem with a package, a word that means it, and one that does not.
    const ALL: [(EcosystemKind, &str, &str, &str); 2] = [
        (EcosystemKind::Cargo, "tower-http", "tower_http", "tower"),
        (EcosystemKind::Go, "ex.com/m/codec/v2", "codec", "m"),
    ];

    #[test]
    fn each_ecosystem_keeps_to_what_rules_promise() {
        let version = |text| Version::parse(text).unwrap();
        for (kind, package, meant, other) in ALL {
            let rules = kind.rules();
            assert!(rules.is_meant(package, package) && rules.is_meant(package, meant), "{kind}");
            assert!(!rules.is_meant(package, other), "{kind}");
            assert!(rules.floor(&version("1.1.0"), "1.80", "1.80").is_none(), "{kind}: what is there is enough");
            let objection = rules.floor(&version("1.1.0"), "1.90", "1.80").expect("that is too new");
            assert!(objection.text.contains("1.90") && objection.text.contains("1.80"), "{kind}: {}", objection.text);
            let risk = rules.risk_of_breaking(Level::Major, &version("2.0.0"));
            assert!((100..1000).contains(&risk), "{kind}: {risk}");
            let Facts { manifest, toolchain_variable, .. } = rules.facts();
            assert!(!manifest.contains('/') && toolchain_variable.ends_with("TOOLCHAIN"), "{kind}");
        }
    }
}
