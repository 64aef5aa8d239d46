//! Filters that the repository asks for in `.gitattributes` and that the user's git does not have: the files are then
//! checked out as they lie in git, which for LFS means pointers. Reads attribute files of our clone only.

use std::collections::BTreeSet;
use std::fs;

use super::{Tracked, Worker};
use crate::repo::GitSettings;

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
