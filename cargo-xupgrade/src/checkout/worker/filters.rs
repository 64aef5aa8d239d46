//! Filters that the repository asks for in `.gitattributes` and that the user's git does not have, or that fail in the
//! clone, where neither a program nor a key in the user's git folder is found: the files are then checked out as they lie in
//! git, which for LFS means pointers. Reads our clone only.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use super::layer::{FailedFilter, Filters, Layer, paths};
use super::{Tracked, Worker};
use crate::checkout::repo::GitSettings;
use crate::phrases;

/// The settings of a filter that are taken away where it fails.
const COMMANDS: [&str; 3] = ["smudge", "clean", "process"];

impl Layer {
    /// Turns the filters off that git's words name as failing.
    pub fn turn_off_failed(&mut self, said: &str) -> Result<Filters> {
        let mut names: BTreeSet<String> = phrases::git::failed_filters(said).into_iter().collect();
        for command in phrases::git::failed_commands(said) {
            names.extend(self.filters().into_iter().filter(|name| self.commands(name).contains(&command)));
        }
        names.retain(|name| self.failed.iter().all(|known| known.name != *name));
        if names.is_empty() {
            return Ok(Filters::Work);
        }
        // A checkout that failed left no index.
        self.read(&self.ground)?;
        for name in names {
            let files = self.files_of(&name)?;
            for key in COMMANDS {
                self.shape.push((format!("filter.{name}.{key}"), String::new()));
            }
            self.shape.push((format!("filter.{name}.required"), "false".to_owned()));
            self.failed.push(FailedFilter { name, said: phrases::git::words_of_filter(said), files });
        }
        Ok(Filters::Fail)
    }

    /// Git's words where each filter takes in one of its files again: what works on the way out may fail on the way in.
    pub fn try_cleaning(&self) -> Result<String> {
        let mut said = String::new();
        for name in self.filters().into_iter().filter(|name| !self.commands(name).is_empty()) {
            let Some(file) = self.files_of(&name)?.into_iter().find(|file| self.tree.join(file).is_file()) else {
                continue;
            };
            let tried = self.git().args(["hash-object", "--"]).arg(&file).output()?;
            said.push_str(&String::from_utf8_lossy(&tried.stderr));
        }
        Ok(said)
    }

    /// The filters that the settings know.
    fn filters(&self) -> BTreeSet<String> {
        let name = |key: &str| Some(key.strip_prefix("filter.")?.rsplit_once('.')?.0.to_owned());
        self.shape.iter().filter_map(|(key, _)| name(key)).collect()
    }

    /// The commands of a filter as they stand now.
    fn commands(&self, name: &str) -> Vec<String> {
        let last = |key: &str| {
            let key = format!("filter.{name}.{key}");
            self.shape.iter().rev().find(|(other, _)| *other == key).map(|(_, value)| value.clone())
        };
        COMMANDS.into_iter().filter_map(last).filter(|command| !command.is_empty()).collect()
    }

    /// The tracked files that a filter is for.
    fn files_of(&self, name: &str) -> Result<Vec<PathBuf>> {
        let pattern = format!(":(attr:filter={name})");
        let listed = self.git().args(["--no-literal-pathspecs", "ls-files", "-z", "--", &pattern]).output()?;
        Ok(if listed.status.success() { paths(&listed.stdout) } else { Vec::new() })
    }
}

impl Worker {
    /// What to tell about filters that are asked for and not set up, one line each.
    #[must_use]
    pub fn missing_filters(&self, tracked: &Tracked, settings: &GitSettings) -> Vec<String> {
        let is_attributes = |file: &&String| *file == ".gitattributes" || file.ends_with("/.gitattributes");
        let files = tracked.files.iter().filter(is_attributes).filter(|file| !tracked.links.contains(*file));
        let texts = files.filter_map(|file| fs::read_to_string(self.tree().join(file)).ok());
        let asked: BTreeSet<String> = texts.flat_map(|text| asked_for(&text)).collect();
        asked.iter().filter(|name| !settings.has_filter(name)).map(|name| told(name)).collect()
    }
}

impl Worker {
    /// The words on filters that failed, one line each.
    #[must_use]
    pub fn failed_filters(&self) -> Vec<String> {
        let of_layer = |layer: &Layer| -> Vec<String> {
            let below = |file: &PathBuf| {
                let file = layer.tree.join(file);
                file.strip_prefix(self.tree()).unwrap_or(&file).display().to_string()
            };
            let told = |one: &FailedFilter| failure(one, &one.files.iter().map(below).collect::<Vec<_>>());
            layer.failed.iter().map(told).collect()
        };
        self.layers.iter().flat_map(of_layer).collect()
    }
}

fn failure(filter: &FailedFilter, files: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown = files.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    let shown = match files.len() {
        0 => "its files".to_owned(),
        count if count > SHOWN => format!("{shown} and {} more", count - SHOWN),
        _ => shown,
    };
    format!(
        "the filter `{}` fails in the clone ({}), so what it is for is checked out as it lies in git: {shown}; tests that \
         need what it makes of them fail before any upgrade",
        filter.name, filter.said
    )
}

fn told(name: &str) -> String {
    let (what, how) = match name {
        "lfs" => ("pointers instead of their content", "`git lfs install`".to_owned()),
        _ => ("as they lie in git", format!("set `filter.{name}.smudge`")),
    };
    format!("files with the attribute `filter={name}` are checked out {what}, for no such filter is set up here; {how}")
}

/// The filters that an attributes file names (gitattributes: a pattern, then attributes, separated by blanks).
fn asked_for(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let attributes = lines.flat_map(|line| line.split_whitespace().skip(1));
    attributes.filter_map(|one| one.strip_prefix("filter=")).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filters_of_an_attributes_file_are_found() {
        let text =
            "# *.x filter=no\n*.bin filter=lfs diff=lfs -text\n*.key\tfilter=secret\nfilter=name text\n*.y -filter\n";
        assert_eq!(asked_for(text), ["lfs", "secret"]);
    }
}
