//! What git tracks at the base commit, read off the index of our clone (the user's repository may lack the objects):
//! files that discovery may see, symbolic links, submodules, and names that are trouble. Pure but for one question to git.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::Worker;

/// What git tracks.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tracked {
    /// Files and symbolic links, from the root, sorted; those whose name is UTF-8.
    pub files: Vec<String>,
    /// The symbolic links among them.
    pub links: BTreeSet<String>,
    /// Submodules: folder and recorded commit.
    pub modules: Vec<(String, String)>,
    /// How many files have names that are no UTF-8.
    pub odd: usize,
}

impl Worker {
    /// What git tracks at the base commit.
    ///
    /// # Errors
    /// When git refuses.
    pub fn tracked(&self) -> Result<Tracked> {
        Ok(parse(&self.git().args(["ls-files", "--stage", "-z"]).run()?))
    }
}

/// The lines of `git ls-files --stage -z`: mode, object and stage, a tab, the path.
pub(super) fn parse(listed: &[u8]) -> Tracked {
    let mut tracked = Tracked::default();
    for line in listed.split(|byte| *byte == 0) {
        let Some(tab) = line.iter().position(|byte| *byte == b'\t') else { continue };
        let facts = String::from_utf8_lossy(&line[..tab]);
        let mut facts = facts.split(' ');
        let (mode, object) = (facts.next().unwrap_or_default(), facts.next().unwrap_or_default());
        let Ok(path) = str::from_utf8(&line[tab + 1..]) else {
            tracked.odd += 1;
            continue;
        };
        match mode {
            "160000" => tracked.modules.push((path.to_owned(), object.to_owned())),
            _ => tracked.files.push(path.to_owned()),
        }
        if mode == "120000" {
            tracked.links.insert(path.to_owned());
        }
    }
    tracked.files.sort();
    tracked
}

impl Tracked {
    /// Whether git tracks a file.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.files.binary_search_by(|file| file.as_str().cmp(path)).is_ok()
    }

    /// The symbolic link that a path is or lies behind: what is written there ends up elsewhere, and git sees nothing of it.
    #[must_use]
    pub fn link_in(&self, path: &str) -> Option<&str> {
        let mut ends = path.match_indices('/').map(|(at, _)| &path[..at]).chain([path]);
        ends.find_map(|part| self.links.get(part)).map(String::as_str)
    }

    /// What a person should know about the names, one line each.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.odd > 0 {
            warnings.push(format!("{} files have names that are no UTF-8; they are left alone", self.odd));
        }
        let mut alike: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for file in &self.files {
            alike.entry(file.to_lowercase()).or_default().push(file);
        }
        for clash in alike.values().filter(|files| files.len() > 1) {
            let names = clash.join(" and ");
            warnings.push(format!("{names} differ only in case: on macOS and Windows one hides the other; rename one"));
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_behind_a_link_is_known_and_a_name_that_only_begins_like_one_is_not() {
        let tracked = parse(b"120000 aa 0\tlib\x00100644 bb 0\tlibrary/Cargo.toml\0");
        assert_eq!(tracked.link_in("lib/Cargo.toml"), Some("lib"));
        assert_eq!(tracked.link_in("lib"), Some("lib"));
        assert_eq!(tracked.link_in("library/Cargo.toml"), None);
    }

    #[test]
    fn submodules_are_no_files_and_odd_names_are_counted() {
        let tracked = parse(b"160000 abc 0\tsub\x00100644 bb 0\t\xff\x00100644 bb 0\tREADME\x00100644 bb 0\treadme\0");
        assert_eq!(tracked.modules, [("sub".to_owned(), "abc".to_owned())]);
        assert_eq!((tracked.files.as_slice(), tracked.odd), (["README".to_owned(), "readme".to_owned()].as_slice(), 1));
        assert_eq!(tracked.warnings().len(), 2);
        assert!(tracked.warnings()[1].starts_with("README and readme differ only in case"));
    }
}
