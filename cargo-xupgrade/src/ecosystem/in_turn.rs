//! An ecosystem for several threads, which use it one at a time: a resolve takes seconds, and the tests after it minutes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Result;

use super::{Change, Cover, Ecosystem, Everything, Exercised, Project, Resolution, Resolved, Resolver, Survey, Tree};
use crate::candidate::{EcosystemKind, Reason};
use crate::trial::{CellReport, Check};

/// An ecosystem behind a lock.
pub struct InTurn<E> {
    kind: EcosystemKind,
    inner: Mutex<E>,
}

impl<E: Ecosystem> InTurn<E> {
    /// Takes it in.
    #[must_use]
    pub fn new(inner: E) -> Self {
        Self { kind: inner.kind(), inner: Mutex::new(inner) }
    }

    /// Waits for it. A thread that panicked in it ends the run anyway.
    fn inner(&self) -> MutexGuard<'_, E> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E: Ecosystem> Resolver for InTurn<E> {
    fn resolve_all(&self, root: &Path, all: &Everything<'_>) -> Result<Vec<Resolved>> {
        self.inner().resolve_all(root, all)
    }

    fn apply(&self, root: &Path, change: &Change<'_>) -> Result<Resolution> {
        self.inner().apply(root, change)
    }

    fn in_conflict(&self, refusal: &Reason) -> Option<BTreeSet<String>> {
        self.inner().in_conflict(refusal)
    }

    fn fetch(&self, root: &Path, project: &Project, checks: &[&Check]) -> Result<()> {
        self.inner().fetch(root, project, checks)
    }
}

impl<E: Ecosystem> Ecosystem for InTurn<E> {
    fn kind(&self) -> EcosystemKind {
        self.kind
    }

    fn discover(&self, tree: Tree<'_>) -> Result<Vec<Project>> {
        self.inner().discover(tree)
    }

    fn survey(&self, root: &Path, project: &Project) -> Result<Survey> {
        self.inner().survey(root, project)
    }

    fn checks(&self, root: &Path, project: &Project, cover: &Cover<'_>) -> Result<Vec<Check>> {
        self.inner().checks(root, project, cover)
    }

    fn late_checks(&self, root: &Path, project: &Project, cover: &Cover<'_>) -> Result<Vec<Check>> {
        self.inner().late_checks(root, project, cover)
    }

    fn spare(&self, root: &Path, project: &Project, packages: &BTreeSet<String>) -> BTreeMap<String, BTreeSet<String>> {
        self.inner().spare(root, project, packages)
    }

    fn without(&self, check: Check, members: &BTreeSet<String>) -> Option<Check> {
        self.inner().without(check, members)
    }

    fn exercised(&self, root: &Path, project: &Project, cells: &[&CellReport]) -> Result<Exercised> {
        self.inner().exercised(root, project, cells)
    }
}
