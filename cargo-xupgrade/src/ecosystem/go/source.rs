//! The companion's source, as it lies in the program: every file that a build needs, its dependencies vendored.
//! `build.rs` makes the list.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::digest::sha256_hex;

/// Path below the companion's folder, and content; sorted by path.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/companion.rs"));

/// A name for exactly this source: sixteen hexadecimal digits.
#[must_use]
pub fn hash() -> String {
    let mut all = Vec::new();
    for (path, bytes) in FILES {
        all.extend_from_slice(format!("{path}\0{}\0", bytes.len()).as_bytes());
        all.extend_from_slice(bytes);
    }
    let mut hash = sha256_hex(&all);
    hash.truncate(16);
    hash
}

/// Writes the source below a folder.
///
/// # Errors
/// When the disk refuses.
pub fn write(folder: &Path) -> Result<()> {
    for (path, bytes) in FILES {
        let file = folder.join(path);
        if let Some(above) = file.parent() {
            fs::create_dir_all(above).with_context(|| format!("cannot make {}", above.display()))?;
        }
        fs::write(&file, bytes).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_carries_what_a_build_of_the_companion_needs_and_no_tests() {
        let names: Vec<&str> = FILES.iter().map(|(path, _)| *path).collect();
        for needed in ["main.go", "go.mod", "go.sum", "vendor/modules.txt", "vendor/golang.org/x/mod/LICENSE"] {
            assert!(names.contains(&needed), "{needed} is not among {names:?}");
        }
        assert!(!names.iter().any(|name| name.ends_with("_test.go")), "{names:?}");
    }
}
