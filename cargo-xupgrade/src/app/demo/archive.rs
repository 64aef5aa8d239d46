//! The txtar text archive: many small files in one readable text (golang.org/x/tools/txtar).
//! The demo and every end-to-end fixture are such archives. Reading is pure; nothing here touches the disk.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

/// A comment and the files behind it, by their slash-separated path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Archive {
    /// What stands before the first file: what the archive is for.
    pub comment: String,
    /// The text of each file; it ends with a newline unless it is empty.
    pub files: BTreeMap<String, String>,
}

impl Archive {
    /// Reads an archive. A line `-- path --` starts a file; anything is an archive, perhaps one without files.
    ///
    /// # Errors
    /// Two files have one path, or a path leaves the folder it will be written to.
    pub fn parse(text: &str) -> Result<Self> {
        let mut archive = Self::default();
        let mut current: Option<String> = None;
        for (index, line) in text.split_inclusive('\n').enumerate() {
            if let Some(path) = marker(line) {
                check_path(path, index + 1)?;
                if archive.files.insert(path.to_owned(), String::new()).is_some() {
                    bail!("line {}: the archive has two files `{path}`; keep one", index + 1);
                }
                current = Some(path.to_owned());
            } else {
                archive.text_of(current.as_deref()).push_str(line);
            }
        }
        archive.end_lines();
        Ok(archive)
    }

    /// The files below a folder, with their paths from there on.
    pub fn below<'a>(&'a self, folder: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let prefix = format!("{folder}/");
        self.files.iter().filter_map(move |(path, text)| Some((path.strip_prefix(&prefix)?, text.as_str())))
    }

    fn text_of(&mut self, path: Option<&str>) -> &mut String {
        match path.and_then(|path| self.files.get_mut(path)) {
            Some(text) => text,
            None => &mut self.comment,
        }
    }

    /// The format's rule: a last line without its newline gets one.
    fn end_lines(&mut self) {
        for text in self.files.values_mut().chain([&mut self.comment]) {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
        }
    }
}

fn marker(line: &str) -> Option<&str> {
    let line = line.strip_suffix('\n').unwrap_or(line);
    let line = line.strip_suffix('\r').unwrap_or(line);
    let path = line.strip_prefix("-- ")?.strip_suffix(" --")?.trim();
    (!path.is_empty()).then_some(path)
}

fn check_path(path: &str, line: usize) -> Result<()> {
    let stays = path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if stays {
        return Ok(());
    }
    bail!("line {line}: the archive's path `{path}` is not a plain relative path; write it without `.`, `..` and `//`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_its_comment_and_its_files() {
        let archive = Archive::parse("why\n-- a --\none\n\n-- b/c --\ntwo").unwrap();
        assert_eq!(archive.comment, "why\n");
        assert_eq!(archive.files["a"], "one\n\n");
        assert_eq!(archive.files["b/c"], "two\n");
    }

    #[test]
    fn lines_that_only_look_like_markers_are_text() {
        let archive = Archive::parse("-- a --\n--b--\n -- c --\n--  --\n").unwrap();
        assert_eq!(archive.files.len(), 1);
        assert_eq!(archive.files["a"], "--b--\n -- c --\n--  --\n");
    }

    #[test]
    fn an_empty_file_stays_empty() {
        let archive = Archive::parse("-- a --\n-- b --\n").unwrap();
        assert_eq!(archive.files["a"], "");
        assert_eq!(archive.files["b"], "");
    }

    #[test]
    fn two_files_of_one_path_are_refused() {
        let error = Archive::parse("-- a --\n-- a --\n").unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("two files `a`"), "{error}");
    }

    #[test]
    fn a_path_that_leaves_the_folder_is_refused() {
        for path in ["../a", "/a", "a/../b", "a//b"] {
            let error = Archive::parse(&format!("-- {path} --\n")).unwrap_err().to_string();
            assert!(error.contains(path), "{error}");
        }
    }

    #[test]
    fn below_gives_the_rest_of_the_path() {
        let archive = Archive::parse("-- a/b/c --\n1\n-- ab --\n2\n-- a/d --\n3\n").unwrap();
        let found: Vec<_> = archive.below("a").collect();
        assert_eq!(found, [("b/c", "1\n"), ("d", "3\n")]);
    }
}
