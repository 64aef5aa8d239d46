//! The objects of trees, on their way from one clone to another in a pack (gitformat-pack).

use std::path::Path;

use anyhow::{Context, Result};

use super::Worker;

impl Worker {
    /// Writes the objects of trees that a commit has not into a pack.
    ///
    /// # Errors
    /// When git or the disk refuses.
    pub fn give_objects(&self, trees: &[&str], without: &str, pack: &Path) -> Result<()> {
        let listed = ["rev-list", "--objects", "--no-object-names"];
        let names = self.git().args(listed).args(trees).args(["--not", without]).run()?;
        let list = pack.with_extension("names");
        std::fs::write(&list, names).with_context(|| format!("cannot write {}", list.display()))?;
        let bytes = self.git().args(["pack-objects", "--stdout", "-q"]).reads(&list)?.run()?;
        std::fs::write(pack, bytes).with_context(|| format!("cannot write {}", pack.display()))?;
        crate::machine::disk::remove(&list)
    }

    /// Takes the objects of a pack in.
    ///
    /// # Errors
    /// When git or the disk refuses.
    pub fn take_objects(&self, pack: &Path) -> Result<()> {
        self.git().args(["unpack-objects", "-q"]).reads(pack)?.run()?;
        Ok(())
    }
}
