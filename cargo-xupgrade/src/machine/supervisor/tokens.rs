//! A token for each core, in a named pipe: who starts a compiler takes one and puts it back (GNU make's jobserver,
//! gnu.org/software/make/manual/html_node/POSIX-Jobserver.html). The tool keeps the pipe, the warden opens it for the job:
//! by number, because before 4.4 make refuses one that is named (`fifo:`).
//!
//! By hand and not by the crate `jobserver`, which would inherit file descriptors from here, and the supervisor closes those.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::unix;

/// The pipe with its tokens.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    pipe: File,
    count: usize,
}

impl Tokens {
    /// Makes the pipe, in the place of one that a killed run left.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn lay(path: &Path, count: usize) -> io::Result<Self> {
        if path.symlink_metadata().is_ok() {
            fs::remove_file(path)?;
        }
        let pipe = unix::make_pipe(path)?;
        let tokens = Self { path: path.to_owned(), pipe, count };
        tokens.fill();
        Ok(tokens)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes a token, if one is there.
    #[must_use]
    pub fn take(&self) -> Option<u8> {
        let mut token = [0];
        matches!((&self.pipe).read(&mut token), Ok(1)).then_some(token[0])
    }

    /// Puts a token back.
    pub fn put(&self, token: u8) {
        let _ = (&self.pipe).write(&[token]);
    }

    /// Makes the number right again while no job runs: a job that was killed never put its own back.
    pub fn fill(&self) {
        while self.take().is_some() {}
        (0..self.count).for_each(|_| self.put(b'|'));
    }
}

impl Drop for Tokens {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take_all(tokens: &Tokens) -> usize {
        std::iter::from_fn(|| tokens.take()).count()
    }

    #[test]
    fn there_are_as_many_tokens_as_wanted_and_lost_ones_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jobs");
        fs::write(&path, "left behind").unwrap();
        let tokens = Tokens::lay(&path, 3).unwrap();
        assert_eq!(take_all(&tokens), 3);
        tokens.put(b'|');
        assert_eq!(take_all(&tokens), 1);
        tokens.put(b'|');
        tokens.fill();
        assert_eq!(take_all(&tokens), 3);
        drop(tokens);
        assert!(!path.exists());
    }
}
