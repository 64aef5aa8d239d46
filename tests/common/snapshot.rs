//! Every byte of a repository, so that two looks at it can be compared. Objects are left out: git adds to them when the
//! branch arrives.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Every file of a folder: its mode and its bytes (of a link: where it points).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot(BTreeMap<String, (u32, Vec<u8>)>);

impl Snapshot {
    /// Looks at a repository.
    pub fn of(repo: &Path) -> Self {
        let mut files = BTreeMap::new();
        walk(repo, repo, &mut files);
        Self(files)
    }

    /// The paths that came, went or changed.
    pub fn changes(&self, after: &Self) -> Vec<String> {
        let paths: std::collections::BTreeSet<&String> = self.0.keys().chain(after.0.keys()).collect();
        paths.into_iter().filter(|path| self.0.get(*path) != after.0.get(*path)).cloned().collect()
    }

    /// The changes beside what a run may write: its output folder, and one new ref with its log.
    pub fn intrusions(&self, after: &Self) -> Vec<String> {
        let branch = |path: &str| path.starts_with(".git/refs/heads/") || path.starts_with(".git/logs/refs/heads/");
        let allowed = |path: &String| path.starts_with("xupgrade.out") || (branch(path) && !self.0.contains_key(path));
        self.changes(after).into_iter().filter(|path| !allowed(path)).collect()
    }
}

fn walk(root: &Path, folder: &Path, files: &mut BTreeMap<String, (u32, Vec<u8>)>) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let data = path.symlink_metadata().unwrap();
        let mode = data.permissions().mode();
        if name == ".git/objects" {
            continue;
        }
        if data.is_symlink() {
            let target = path.read_link().unwrap();
            files.insert(name, (mode, target.to_str().unwrap().as_bytes().to_vec()));
        } else if data.is_dir() {
            // A folder counts by itself, too: an empty one is a trace.
            if !(name.starts_with(".git/refs/heads/") || name.starts_with(".git/logs/refs/heads/")) {
                files.insert(name, (mode, Vec::new()));
            }
            walk(root, &path, files);
        } else {
            files.insert(name, (mode, std::fs::read(&path).unwrap()));
        }
    }
}
