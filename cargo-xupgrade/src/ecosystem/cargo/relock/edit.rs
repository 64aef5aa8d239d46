//! Splices the requirements of a change that do not admit it. What cannot be written is a refusal with file and line, known
//! from the text alone, so that a plan can say it before anything runs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use semver::Version;

use super::super::Cargo;
use super::super::manifest::{self, Entry, Manifest, unwritten};
use super::super::requirement::{Raise, raise, raise_floor};
use super::Originals;
use crate::candidate::{Dependency, Place, Reason, ReasonKind};
use crate::ecosystem::Change;
use crate::project::ManifestRule;

/// The rules of writing in the manifests of a project.
#[derive(Debug, Clone, Copy)]
pub struct Pen<'a> {
    /// The requirements that are raised.
    pub rule: ManifestRule,
    /// Manifests that are not written, each with what is wrong with it.
    pub closed: &'a BTreeMap<String, String>,
}

impl Pen<'_> {
    /// A requirement as a release would have it; one that is not to be written is raised only where it has to be.
    pub fn raised(self, place: &Place, text: &str, to: &Version) -> Raise {
        match self.rule {
            ManifestRule::Always if !self.closed.contains_key(&place.manifest) => raise_floor(text, to),
            _ => raise(text, to),
        }
    }
}

/// Splices the requirements; gives the manifests that changed.
pub(super) fn edit(
    cargo: &Cargo<'_>,
    root: &Path,
    change: &Change<'_>,
    originals: &Originals,
) -> Result<Result<Vec<String>, Reason>> {
    let pen = Pen { rule: cargo.manifest, closed: &change.project.closed };
    let mut edited: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let all = std::iter::once(change).chain(change.with);
    for (change, place) in all.flat_map(|one| one.places.iter().map(move |place| (one, place))) {
        let bytes = edited.get(&place.manifest).or_else(|| originals.get(&place.manifest));
        let bytes = bytes.ok_or_else(|| anyhow!("{} is no manifest of {}", place.manifest, change.project.id()))?;
        match spliced(bytes, place, change.to.semver(), pen) {
            Ok(Some(bytes)) => drop(edited.insert(place.manifest.clone(), bytes)),
            Ok(None) => {}
            Err(reason) => return Ok(Err(reason)),
        }
    }
    for (path, bytes) in &edited {
        fs::write(root.join(path), bytes).with_context(|| format!("cannot write {path}"))?;
    }
    Ok(Ok(edited.into_keys().collect()))
}

/// The manifest with the requirement at a place raised; nothing where it admits the version already.
fn spliced(bytes: &[u8], place: &Place, to: &Version, pen: Pen<'_>) -> Result<Option<Vec<u8>>, Reason> {
    let unwritten = |error| unwritten(&place.manifest, &error);
    let manifest = manifest::read(bytes).map_err(unwritten)?;
    let Some(entry) = entry_at(&manifest, place) else { return Ok(None) };
    let Some(new) = wanted(entry, place, to, pen)? else { return Ok(None) };
    manifest::set_requirement(bytes, &entry.place, &new).map(Some).map_err(unwritten)
}

/// The requirement to write in the place of an entry's; nothing where that admits the version already.
fn wanted(entry: &Entry, place: &Place, to: &Version, pen: Pen<'_>) -> Result<Option<String>, Reason> {
    let Some(text) = &entry.requirement else { return Ok(None) };
    let raised = pen.raised(place, text, to);
    if let (Raise::To(_), Some(wrong)) = (&raised, pen.closed.get(&place.manifest)) {
        return Err(Reason::new(ReasonKind::UnsupportedProject, wrong));
    }
    match (raised, &entry.unwritable) {
        (Raise::AlreadyAdmits, _) => Ok(None),
        (Raise::To(_), Some(error)) => Err(unwritten(&place.manifest, error)),
        (Raise::To(new), None) => Ok(Some(new)),
        (Raise::Refused(why), _) => {
            Err(Reason::new(ReasonKind::EditRefused, format!("{}:{}: {why}", place.manifest, entry.line)))
        }
    }
}

fn entry_at<'a>(manifest: &'a Manifest, place: &Place) -> Option<&'a Entry> {
    manifest.entries.iter().find(|entry| entry.place.table == place.table && entry.place.key == place.key)
}

/// Marks the releases that would need an edit which cannot be made: they are known before anything runs.
pub fn mark_unwritable<'a>(
    dependency: &mut Dependency,
    pen: Pen<'_>,
    manifest_of: impl Fn(&str) -> Option<&'a Manifest>,
) {
    let entries: Vec<(&Place, &Entry)> = dependency
        .id
        .places
        .iter()
        .filter_map(|place| Some((place, entry_at(manifest_of(&place.manifest)?, place)?)))
        .collect();
    for release in &mut dependency.releases {
        let refusal = |(place, entry): &(&Place, &Entry)| wanted(entry, place, release.version.semver(), pen).err();
        if release.unfit.is_none() && Some(&release.version) > dependency.at.as_ref() {
            release.unfit = entries.iter().find_map(refusal);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEEDED: Pen<'_> = Pen { rule: ManifestRule::Needed, closed: &BTreeMap::new() };
    const MANIFEST: &[u8] = b"[dependencies]\na = '''1.0'''\nb = '>=1, <1'\nc = '1.0'\n";

    fn refusal(key: &str, to: &str) -> String {
        let place =
            Place { manifest: "x/Cargo.toml".into(), table: "dependencies".into(), key: key.into(), registry: None };
        let reason = spliced(MANIFEST, &place, &to.parse().unwrap(), NEEDED).unwrap_err();
        assert_eq!(reason.kind, ReasonKind::EditRefused);
        reason.text
    }

    #[test]
    fn what_cannot_be_written_is_a_refusal_with_file_and_line() {
        assert!(refusal("a", "2.0.0").starts_with("x/Cargo.toml:2: a requirement in a multi-line string"));
        assert!(refusal("b", "2.0.0").starts_with("x/Cargo.toml:3: `>=1, <1` admits no version"));
    }

    #[test]
    fn what_admits_the_version_needs_no_edit_however_it_is_written() {
        let place =
            Place { manifest: "Cargo.toml".into(), table: "dependencies".into(), key: "a".into(), registry: None };
        assert_eq!(spliced(MANIFEST, &place, &"1.1.0".parse().unwrap(), NEEDED), Ok(None));
    }

    #[test]
    fn a_manifest_that_is_closed_lets_through_what_it_admits_and_is_never_written() {
        let closed = BTreeMap::from([("x/Cargo.toml".to_owned(), "it is a link".to_owned())]);
        let pen = Pen { rule: ManifestRule::Always, closed: &closed };
        let place =
            Place { manifest: "x/Cargo.toml".into(), table: "dependencies".into(), key: "c".into(), registry: None };
        let edit = |to: &str| spliced(MANIFEST, &place, &to.parse().unwrap(), pen);
        assert_eq!(edit("1.1.0"), Ok(None));
        assert_eq!(edit("2.0.0"), Err(Reason::new(ReasonKind::UnsupportedProject, "it is a link")));
    }
}
