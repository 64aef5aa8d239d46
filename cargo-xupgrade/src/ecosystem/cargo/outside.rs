//! Folders outside of the repository that a Cargo workspace is made of: the clone has no such neighbours, so cargo cannot
//! load the workspace there. Finds them in what cargo knows of the members and in `[patch]`, or in cargo's words.

use std::path::{Path, PathBuf};

use crate::candidate::{Reason, ReasonKind};
use crate::checkout::outside::{clean, seen_from};
use crate::machine::toml_text::{self, Value};

/// A dependency that a member takes from a folder.
pub struct FromFolder<'a> {
    /// The member's manifest.
    pub manifest: &'a Path,
    /// The dependency.
    pub name: &'a str,
    /// Its folder.
    pub folder: &'a Path,
}

/// Why the workspace at `folder` cannot be loaded in a clone at `root`, if a path in a manifest leads out of it to nothing.
pub fn obstacle<'a>(root: &Path, folder: &Path, mut taken: impl Iterator<Item = FromFolder<'a>>) -> Option<Reason> {
    if let Some(lost) = taken.find(|one| is_lost(root, one.folder)) {
        return Some(reason(root, &seen_from(root, lost.manifest), lost.name, lost.folder));
    }
    let (name, path) = patches(folder).into_iter().find(|(_, path)| is_lost(root, path))?;
    Some(reason(root, &seen_from(root, &folder.join("Cargo.toml")), &name, &path))
}

/// The same from cargo's words, where it cannot load a member at all.
pub fn obstacle_in(root: &Path, manifest: &str, words: &str) -> Option<Reason> {
    let named = |before: &str| Some(words.split_once(before)?.1.split_once('`')?.0);
    let path = Path::new(named("failed to read `")?);
    let folder = path.parent().filter(|_| is_lost(root, path))?;
    let name = named("failed to load manifest for dependency `").or_else(|| folder.file_name()?.to_str())?;
    Some(reason(root, manifest, name, folder))
}

fn is_lost(root: &Path, path: &Path) -> bool {
    !path.starts_with(root) && !path.exists()
}

fn reason(root: &Path, manifest: &str, name: &str, path: &Path) -> Reason {
    let place = seen_from(root, path);
    let text = format!(
        "{manifest} takes `{name}` from {place}, which lies outside of the repository, so it cannot be built in a clone; take the \
         folder into the repository, or leave the project out (`exclude` in {})",
        crate::project::CONFIG_FILE
    );
    Reason::new(ReasonKind::PathSource, text)
}

/// The folders that `[patch]` and `[replace]` of a workspace's root manifest name, by crate.
fn patches(folder: &Path) -> Vec<(String, PathBuf)> {
    let text = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    let manifest = toml_text::parse(&text).unwrap_or_default();
    let table = |key: &str| manifest.get(key).and_then(Value::as_table);
    let sources = table("patch").into_iter().flat_map(|patch| patch.values().filter_map(Value::as_table));
    let entries = sources.chain(table("replace")).flatten();
    let path = |entry: &Value| Some(clean(&folder.join(entry.get("path")?.as_str()?)));
    entries.filter_map(|(name, entry)| Some((name.clone(), path(entry)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &str = "error: failed to load manifest for workspace member `/c/w0/tree/m`\n\nCaused by:\n  failed to load \
        manifest for dependency `o`\n\nCaused by:\n  failed to read `/c/w0/o/Cargo.toml`\n\nCaused by:\n  No such file";

    #[test]
    fn cargos_words_name_the_folder_outside() {
        let reason = obstacle_in(Path::new("/c/w0/tree"), "Cargo.toml", WORDS).unwrap();
        assert_eq!(reason.kind, ReasonKind::PathSource);
        assert!(reason.text.starts_with("Cargo.toml takes `o` from ../o, which lies outside"), "{}", reason.text);
    }

    #[test]
    fn a_folder_that_is_missing_within_is_another_matter() {
        assert_eq!(obstacle_in(Path::new("/c/w0"), "Cargo.toml", WORDS), None);
    }

    #[test]
    fn patches_are_read_with_their_folders() {
        let folder = tempfile::tempdir().unwrap();
        let text = "[patch.crates-io]\na = { path = \"../a\" }\nb = { git = \"x\" }\n[replace]\n\"c:1.0.0\" = { path = \"c\" }\n";
        std::fs::write(folder.path().join("Cargo.toml"), text).unwrap();
        let at = |path: &str| clean(&folder.path().join(path));
        assert_eq!(patches(folder.path()), [("a".into(), at("../a")), ("c:1.0.0".into(), at("c"))]);
    }
}
