//! Packed sources: a `.crate` (tar, gzip) and a module `.zip`, the same bytes for the same files on every machine.
//! The one place that names the `tar`, `flate2` and `zip` crates. Works in memory only.

use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};

use anyhow::Result;
use flate2::{Compression, GzBuilder};
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

/// The instant that cargo itself writes into every `.crate` (2006-07-24T01:21:28Z, seconds since 1970);
/// zero would do, but some debuggers refuse a file of 1970.
const MODIFIED: u64 = 1_153_704_088;

/// Packs the files of a crate, named with their folder (`name-version/src/lib.rs`).
///
/// # Errors
/// A name is too long for the tar format.
pub fn crate_file(files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>> {
    let gzip = GzBuilder::new().mtime(0).write(Vec::new(), Compression::fast());
    let mut tar = tar::Builder::new(gzip);
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(MODIFIED);
        tar.append_data(&mut header, name, bytes.as_slice())?;
    }
    Ok(tar.into_inner()?.finish()?)
}

/// Packs the files of a Go module, named with their prefix (`path@version/file.go`).
///
/// # Errors
/// A name is too long for the zip format.
pub fn module_zip(files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        zip.start_file(name, options)?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    fn two_files() -> BTreeMap<String, Vec<u8>> {
        [("b-1.0.0/src/lib.rs", "// b"), ("b-1.0.0/Cargo.toml", "[package]")]
            .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
            .into()
    }

    #[test]
    fn the_same_files_give_the_same_bytes() {
        assert_eq!(crate_file(&two_files()).unwrap(), crate_file(&two_files()).unwrap());
        assert_eq!(module_zip(&two_files()).unwrap(), module_zip(&two_files()).unwrap());
    }

    #[test]
    fn a_crate_holds_its_files_sorted_with_a_fixed_time() {
        let bytes = crate_file(&two_files()).unwrap();
        let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(bytes.as_slice()));
        let entries: Vec<_> = tar
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                (entry.path().unwrap().display().to_string(), entry.header().mtime().unwrap())
            })
            .collect();
        let expected = ["b-1.0.0/Cargo.toml", "b-1.0.0/src/lib.rs"].map(|name| (name.to_owned(), MODIFIED));
        assert_eq!(entries, expected);
    }

    #[test]
    fn a_zip_gives_back_what_was_put_in() {
        let bytes = module_zip(&two_files()).unwrap();
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut text = String::new();
        zip.by_name("b-1.0.0/src/lib.rs").unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "// b");
    }
}
