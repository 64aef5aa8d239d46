//! Relocks upgrades that cargo takes only together (crates that pin one another, or share a native library): for the time
//! of one resolve each requirement names its one version, which leaves cargo no step between. Writes manifests and the
//! lockfile; the manifests end as the edit before left them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::super::Cargo;
use super::super::manifest::{self, unwritten};
use super::super::registries::Registries;
use super::update::update;
use crate::ecosystem::{Change, Resolution};

/// Relocks a change and those that move with it; `Some` is an end that is no success.
pub(super) fn relock_together(
    cargo: &Cargo<'_>,
    registries: &Registries,
    root: &Path,
    change: &Change<'_>,
) -> Result<Option<Resolution>> {
    let all = || std::iter::once(change).chain(change.with);
    let mut edited: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for manifest in all().flat_map(|one| one.places).map(|place| &place.manifest) {
        let bytes = fs::read(root.join(manifest)).with_context(|| format!("cannot read {manifest}"))?;
        edited.insert(manifest.clone(), bytes);
    }
    let mut exact = edited.clone();
    for one in all() {
        for place in one.places {
            let Some(bytes) = exact.get_mut(&place.manifest) else { continue };
            let spot = manifest::Place { table: place.table.clone(), key: place.key.clone() };
            let only = format!("={}", one.to.plain());
            match manifest::set_for_a_while(bytes, &spot, &only) {
                Ok(written) => *bytes = written,
                Err(error) => return Ok(Some(Resolution::Refused(unwritten(&place.manifest, &error)))),
            }
        }
    }
    let workspace = ["--workspace".to_owned()];
    write(root, &exact)?;
    let end = update(cargo, registries, root, change, &workspace)?;
    write(root, &edited)?;
    if end.is_some() {
        return Ok(end);
    }
    update(cargo, registries, root, change, &workspace)
}

fn write(root: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<()> {
    files
        .iter()
        .try_for_each(|(path, bytes)| fs::write(root.join(path), bytes).with_context(|| format!("cannot write {path}")))
}
