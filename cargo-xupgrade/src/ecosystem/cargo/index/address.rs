//! Where the files of a crate are in a registry: its index file, and the file of each release. Pure.

use super::IndexError;

/// The longest crate name that a registry takes; longer ones are no names.
const LONGEST_NAME: usize = 64;

/// The path of a crate's file in any index (`1/a`, `2/ab`, `3/a/abc`, `ab/cd/abcde`), lower case:
/// <https://doc.rust-lang.org/cargo/reference/registry-index.html#index-files>. Only names that a
/// registry can hold pass, so a name can never lead out of the folder.
pub(super) fn path_of(name: &str) -> Result<String, IndexError> {
    let name_like = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(name_like) {
        return Err(IndexError::BadName(name.to_owned()));
    }
    let name = name.to_ascii_lowercase();
    Ok(match name.len() {
        1 => format!("1/{name}"),
        2 => format!("2/{name}"),
        3 => format!("3/{}/{name}", &name[..1]),
        _ => format!("{}/{}/{name}", &name[..2], &name[2..4]),
    })
}

/// Where a release's file is (the Cargo book, "Index format", `dl`): markers are filled in, and without any the usual
/// path is added.
pub(super) fn file_address(dl: &str, name: &str, version: &str, path: &str) -> String {
    let prefix = path.rsplit_once('/').map_or("", |(prefix, _)| prefix);
    let markers = [("{crate}", name), ("{version}", version), ("{prefix}", prefix), ("{lowerprefix}", prefix)];
    if !markers.iter().any(|(marker, _)| dl.contains(marker)) {
        return format!("{dl}/{name}/{version}/download");
    }
    markers.iter().fold(dl.to_owned(), |dl, (marker, value)| dl.replace(marker, value))
}
