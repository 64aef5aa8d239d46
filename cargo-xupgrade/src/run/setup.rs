//! What a clone needs beside the files that git tracks: configuration from above the repository, and files of the user's
//! checkout that git ignores. Reads the checkout, writes into the worker's slot only.

use anyhow::Result;

use crate::environment;
use crate::event::{Event, Listener};
use crate::outside::{self, Outside};
use crate::repo::Repo;
use crate::worker::Worker;

/// Passes on what the repository reads from above itself, and says what that is.
pub fn look_outside(repo: &Repo, worker: &Worker, files: &[String], listener: &dyn Listener) -> Result<Outside> {
    let mut outside = Outside::default();
    if repo.is_bare() {
        return Ok(outside);
    }
    if files.iter().any(|file| file.ends_with("Cargo.toml")) {
        outside = outside::pass_on_cargo(repo.root(), worker.slot(), &environment::cargo_home())?;
    }
    if !outside.read.is_empty() {
        listener.tell(&Event::Said { text: format!("also read: {}", outside.read.join(", ")) });
    }
    for file in &outside.strange {
        let text = format!(
            "{file} lies above the cache directory and not above the repository, and cargo reads it all the same; put the \
             cache elsewhere (XUPGRADE_CACHE_DIR)"
        );
        listener.tell(&Event::Warned { text });
    }
    Ok(outside)
}
