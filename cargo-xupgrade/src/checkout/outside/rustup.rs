//! The Rust that rustup chooses for a repository from outside of it: an override for its folder or one above, a toolchain
//! file above. The clone lies elsewhere, so rustup would choose another one there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::seen_from;
use crate::machine::disk::remove;
use crate::machine::toml_text::{self, Table, Value};
use crate::machine::toolchain;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    /// What was passed on, as a person in the repository would say it.
    pub read: Option<String>,
    /// What could not be passed on, and what to do.
    pub warnings: Vec<String>,
}

/// Lays the choice for `repository` into `slot` as a toolchain file, which the repository's own outrank.
///
/// # Errors
/// When the disk refuses.
pub fn pass_on(repository: &Path, slot: &Path, rustup_home: &Path) -> Result<Chosen> {
    let own = slot.join("rust-toolchain.toml");
    remove(&own)?;
    let overrides = overrides(rustup_home);
    let mut chosen = Chosen { read: None, warnings: warnings(repository, &overrides) };
    for folder in repository.ancestors() {
        if let Some(name) = overrides.get(folder) {
            lay(&own, &named(name))?;
            chosen.read = Some(format!("rustup's override for {} ({name})", folder.display()));
        } else if let Some(file) = toolchain::file_in(folder) {
            if folder == repository {
                return Ok(chosen);
            }
            let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            lay(&own, &whole(&text, folder))?;
            chosen.read = Some(seen_from(repository, &file));
        } else {
            continue;
        }
        return Ok(chosen);
    }
    Ok(chosen)
}

fn lay(file: &Path, table: &Table) -> Result<()> {
    std::fs::write(file, table.to_string()).with_context(|| format!("cannot write {}", file.display()))
}

fn named(name: &str) -> Table {
    let toolchain = Table::from_iter([("channel".to_owned(), Value::String(name.to_owned()))]);
    Table::from_iter([("toolchain".to_owned(), Value::Table(toolchain))])
}

/// A toolchain file that means the same elsewhere.
fn whole(text: &str, folder: &Path) -> Table {
    let Ok(mut table) = toml_text::parse(text) else { return named(text.trim()) };
    if let Some(Value::String(path)) = table.get_mut("toolchain").and_then(|table| table.get_mut("path")) {
        *path = folder.join(&*path).display().to_string();
    }
    table
}

/// `[overrides]` of rustup's settings: toolchains by folder.
fn overrides(rustup_home: &Path) -> BTreeMap<PathBuf, String> {
    let text = std::fs::read_to_string(rustup_home.join("settings.toml")).unwrap_or_default();
    let settings = toml_text::parse(&text).unwrap_or_default();
    let entries = settings.get("overrides").and_then(Value::as_table).into_iter().flatten();
    entries.filter_map(|(folder, name)| Some((PathBuf::from(folder), name.as_str()?.to_owned()))).collect()
}

/// Overrides that outrank files of the repository, which the clone cannot know.
fn warnings(repository: &Path, overrides: &BTreeMap<PathBuf, String>) -> Vec<String> {
    let counts = |folder: &Path| {
        folder.starts_with(repository) && (folder != repository || toolchain::file_in(folder).is_some())
    };
    let text = |(folder, name): (&PathBuf, &String)| {
        format!(
            "rustup has an override for {} ({name}), which does not reach the clone; set RUSTUP_TOOLCHAIN={name}, or write it \
             into a rust-toolchain.toml there",
            folder.display()
        )
    };
    overrides.iter().filter(|(folder, _)| counts(folder)).map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    struct Disk(tempfile::TempDir);

    impl Disk {
        fn new(files: &[(&str, &str)]) -> Self {
            let disk = Self(tempfile::tempdir().unwrap());
            for folder in ["ws/repo/sub", "slot", "rustup"] {
                fs::create_dir_all(disk.path(folder)).unwrap();
            }
            for (path, text) in files {
                fs::write(disk.path(path), text).unwrap();
            }
            disk
        }

        fn path(&self, path: &str) -> PathBuf {
            self.0.path().join(path)
        }

        fn set(&self, folder: &str, name: &str) {
            let text = format!("[overrides]\n{:?} = {name:?}\n", self.path(folder).display().to_string());
            fs::write(self.path("rustup/settings.toml"), text).unwrap();
        }

        fn pass_on(&self) -> (Chosen, String) {
            let chosen = pass_on(&self.path("ws/repo"), &self.path("slot"), &self.path("rustup")).unwrap();
            (chosen, fs::read_to_string(self.path("slot/rust-toolchain.toml")).unwrap_or_default())
        }
    }

    #[test]
    fn a_toolchain_file_above_the_repository_is_passed_on_unless_the_repository_has_one() {
        let disk = Disk::new(&[("ws/rust-toolchain.toml", "[toolchain]\npath = \"sysroot\"\n")]);
        let (chosen, laid) = disk.pass_on();
        assert_eq!(chosen.read.as_deref(), Some("../rust-toolchain.toml"));
        assert!(laid.contains(disk.path("ws/sysroot").to_str().unwrap()), "{laid}");
        fs::write(disk.path("ws/repo/rust-toolchain"), "1.80\n").unwrap();
        assert_eq!(disk.pass_on(), (Chosen::default(), String::new()));
    }

    #[test]
    fn an_override_for_the_folder_or_one_above_is_passed_on() {
        for folder in ["ws/repo", "ws"] {
            let disk = Disk::new(&[("rust-toolchain", "farther")]);
            disk.set(folder, "mine");
            let (chosen, laid) = disk.pass_on();
            assert_eq!(laid.trim(), "[toolchain]\nchannel = \"mine\"");
            assert!(chosen.read.unwrap().starts_with("rustup's override for "));
            assert_eq!(chosen.warnings, [""; 0]);
        }
    }

    #[test]
    fn an_override_that_outranks_a_file_of_the_repository_is_told() {
        let disk = Disk::new(&[("ws/repo/rust-toolchain", "1.80")]);
        disk.set("ws/repo", "mine");
        assert!(disk.pass_on().0.warnings[0].contains("RUSTUP_TOOLCHAIN=mine"));
        disk.set("ws/repo/sub", "mine");
        assert_eq!(disk.pass_on().0.warnings.len(), 1);
        disk.set("elsewhere", "mine");
        assert_eq!(disk.pass_on().0, Chosen::default());
    }
}
