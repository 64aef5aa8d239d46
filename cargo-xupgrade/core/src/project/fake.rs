//! The usual project, from which tests make theirs.

use super::*;

impl Project {
    /// A project of these manifests and nothing else.
    #[must_use]
    pub fn of(ecosystem: EcosystemKind, path: &str, manifests: &[&str]) -> Self {
        Self {
            ecosystem,
            path: path.into(),
            manifests: manifests.iter().map(|&file| file.to_owned()).collect(),
            lockfile: None,
            lock: None,
            dependents: vec![],
            obstacle: None,
            closed: BTreeMap::new(),
        }
    }
}
