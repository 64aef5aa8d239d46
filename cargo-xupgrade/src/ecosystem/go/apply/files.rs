//! The files that an edit may write, with their bytes from before it: to put back, to list, and to keep what a tidy
//! would take out of go.sum without being asked.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::super::Known;
use super::Untidy;
use crate::project::Project;

/// Bytes by path from the root; `None` for a file that was not there.
#[derive(Debug)]
pub struct Originals {
    root: PathBuf,
    bytes: BTreeMap<String, Option<Vec<u8>>>,
}

impl Originals {
    /// Reads go.mod and go.sum of the module and of those tidied after it, and the workspace's files.
    pub fn take(root: &Path, project: &Project, known: &Known) -> Result<Self> {
        let mut paths = Vec::new();
        for dir in [&project.path].into_iter().chain(&known.tidied) {
            let below = |name: &str| if dir == "." { name.to_owned() } else { format!("{dir}/{name}") };
            paths.extend([below("go.mod"), below("go.sum")]);
        }
        if let Some(work) = &known.work {
            paths.extend([work.clone(), format!("{work}.sum")]);
        }
        let bytes = paths.into_iter().map(|path| Ok((path.clone(), read(&root.join(path))?))).collect::<Result<_>>()?;
        Ok(Self { root: root.to_path_buf(), bytes })
    }

    /// Gives every file its bytes back.
    pub fn put_back(&self) -> Result<()> {
        for path in self.changed()? {
            let file = self.root.join(&path);
            match &self.bytes[&path] {
                Some(bytes) => fs::write(&file, bytes),
                None => fs::remove_file(&file),
            }
            .with_context(|| format!("cannot put back {path}"))?;
        }
        Ok(())
    }

    /// The files whose bytes are others now, sorted.
    pub fn changed(&self) -> Result<Vec<String>> {
        let mut changed = Vec::new();
        for (path, before) in &self.bytes {
            if read(&self.root.join(path))? != *before {
                changed.push(path.clone());
            }
        }
        Ok(changed)
    }

    /// The lines that go.sum files lost, by path.
    pub fn dropped_sums(&self) -> Result<BTreeMap<String, Vec<String>>> {
        let mut dropped = BTreeMap::new();
        for (path, before) in self.bytes.iter().filter(|(path, _)| path.ends_with("go.sum")) {
            let now = read(&self.root.join(path))?;
            let lines = lines_lost(before.as_deref().unwrap_or_default(), now.as_deref().unwrap_or_default());
            if !lines.is_empty() {
                dropped.insert(path.clone(), lines);
            }
        }
        Ok(dropped)
    }

    /// Puts lines back into go.sum files that a tidy of the base would drop already, and that nobody asked to drop.
    pub fn keep_sums(&self, untidy: &Untidy) -> Result<()> {
        for (path, lines) in &untidy.sums {
            let file = self.root.join(path);
            let (Some(Some(before)), Some(now)) = (self.bytes.get(path), read(&file)?) else { continue };
            if let Some(bytes) = with_lines(before, &now, lines) {
                fs::write(&file, bytes).with_context(|| format!("cannot write {path}"))?;
            }
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// The lines of a file as text; go.sum is ASCII, and what is not is left alone.
fn lines(bytes: &[u8]) -> Vec<&str> {
    std::str::from_utf8(bytes).map(|text| text.split_inclusive('\n').collect()).unwrap_or_default()
}

fn lines_lost(before: &[u8], now: &[u8]) -> Vec<String> {
    let now = lines(now);
    lines(before).into_iter().filter(|line| !now.contains(line)).map(str::to_owned).collect()
}

/// The new lines with the lost ones among them, each before the line that followed it in the old file, as far as that
/// is still there; `None` when nothing is missing.
fn with_lines(before: &[u8], now: &[u8], lost: &[String]) -> Option<Vec<u8>> {
    let old = lines(before);
    let mut new: Vec<&str> = lines(now);
    let count = new.len();
    for (position, line) in old.iter().enumerate().rev() {
        if lost.iter().any(|one| one == line) && !new.contains(line) {
            let follower = old[position + 1..].iter().find_map(|next| new.iter().position(|one| one == next));
            new.insert(follower.unwrap_or(new.len()), line);
        }
    }
    (new.len() > count).then(|| new.concat().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_a_tidy_took_come_back_to_their_place() {
        let before = b"a v1 h1:1\na v2 h1:2\nb v1 h1:3\nz v1 h1:4\n";
        let now = b"a v1 h1:1\nb v2 h1:9\n";
        assert_eq!(lines_lost(before, b"a v1 h1:1\nb v1 h1:3\n"), ["a v2 h1:2\n", "z v1 h1:4\n"]);
        let kept = with_lines(before, now, &["a v2 h1:2\n".to_owned(), "z v1 h1:4\n".to_owned()]).unwrap();
        let text = String::from_utf8(kept).unwrap();
        assert!(text.contains("a v2 h1:2\n") && text.contains("z v1 h1:4\n") && text.contains("b v2 h1:9\n"), "{text}");
        assert!(!text.contains("b v1"), "{text}");
        assert_eq!(with_lines(before, before, &["a v2 h1:2\n".to_owned()]), None);
    }
}
