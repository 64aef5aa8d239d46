//! SHA-256, as registries write it: hexadecimal for crates, Go's `h1:` for modules.
//! The one place that names the `sha2` and `base64` crates. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use sha2::{Digest as _, Sha256};

/// The SHA-256 of some bytes in lower-case hexadecimal, as a crate index and Cargo.lock write it.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        write!(hex, "{byte:02x}").expect("writing into a string cannot fail");
    }
    hex
}

/// Go's hash of a set of files, `h1:...`: the SHA-256 of a listing of their SHA-256 sums sorted by name
/// (`Hash1` of golang.org/x/mod/sumdb/dirhash).
#[must_use]
pub fn go_h1(files: &BTreeMap<String, Vec<u8>>) -> String {
    let mut listing = String::new();
    for (name, bytes) in files {
        writeln!(listing, "{}  {name}", sha256_hex(bytes)).expect("writing into a string cannot fail");
    }
    let sum = Sha256::digest(listing.as_bytes());
    format!("h1:{}", base64::engine::general_purpose::STANDARD.encode(sum))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_nothing_is_the_known_one() {
        // FIPS 180-4's sum of the empty message.
        assert_eq!(sha256_hex(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn h1_is_the_sum_of_the_sorted_listing() {
        let files = [("xyz", "data for xyz"), ("abc", "data for abc")];
        let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
        // Made apart from this code, with sha256sum and `openssl dgst -sha256 -binary | base64`.
        assert_eq!(go_h1(&files.into()), "h1:EP6WfDoQTSk9klnxcjriWJOGztueJUywHNmWeq+efB8=");
    }
}
