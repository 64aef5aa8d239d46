//! The places where cargo's configuration can hide a registry, each in a temporary folder.

use std::fs;

use super::super::fake::configure;
use super::*;

/// A folder with a project in it; configuration is written where a test needs it.
struct Room {
    folder: tempfile::TempDir,
}

impl Room {
    fn new() -> Self {
        let room = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(room.at("project")).unwrap();
        room
    }

    fn at(&self, part: &str) -> PathBuf {
        self.folder.path().join(part)
    }

    fn locate(&self) -> Result<Location, IndexError> {
        find(&self.at("project"), &self.at("home"), &|_| None).map(|source| source.location)
    }

    fn configure(&self, file: &str, text: &str) {
        let file = self.at(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
}

#[test]
fn without_replacement_the_index_is_that_of_crates_io() {
    assert_eq!(Room::new().locate(), Ok(Location::Sparse("https://index.crates.io/".to_owned())));
}

#[test]
fn a_replacement_may_be_chained_and_spread_over_files() {
    let room = Room::new();
    room.configure("project/.cargo/config.toml", "source.crates-io.replace-with = 'one'");
    room.configure(".cargo/config.toml", "source.one.replace-with = 'two'");
    room.configure("home/config.toml", "registries.two.index = 'sparse+https://two.example/index'");
    assert_eq!(room.locate(), Ok(Location::Sparse("https://two.example/index/".to_owned())));
}

#[test]
fn the_nearest_configuration_wins_and_an_included_one_ranks_below_its_file() {
    let room = Room::new();
    room.configure("home/config.toml", "[source]\ncrates-io.replace-with = 'far'\nfar.local-registry = 'far'");
    room.configure(
        "project/.cargo/config.toml",
        "include = ['more.toml', { path = 'absent.toml', optional = true }]\n[source]\ncrates-io.replace-with = 'near'",
    );
    room.configure(
        "project/.cargo/more.toml",
        "[source]\ncrates-io.replace-with = 'far'\nnear.local-registry = 'shelf'",
    );
    assert_eq!(room.locate(), Ok(Location::Local(room.at("project/shelf"))));
}

#[test]
fn what_cannot_be_read_is_named_and_not_taken_for_crates_io() {
    for (described, word) in [
        ("directory = 'vendor'", "project/vendor"),
        ("registry = 'https://example.com/index.git'", "https://example.com/index.git"),
        ("git = 'https://example.com/x'", "`other`"),
        ("replace-with = 'crates-io'", "circle"),
    ] {
        let room = Room::new();
        configure(&room.at("project"), described);
        let why = room.locate().unwrap_err();
        assert!(matches!(&why, IndexError::Unsupported(words) if words.contains(word)), "{why}");
    }
    let room = Room::new();
    room.configure("home/config.toml", "registries.crates-io.protocol = 'git'");
    assert!(room.locate().unwrap_err().to_string().contains("`git`"));
}

#[test]
fn a_broken_configuration_is_named_with_its_file() {
    let room = Room::new();
    room.configure("project/.cargo/config.toml", "[source\n");
    let why = room.locate().unwrap_err();
    assert!(why.to_string().contains("project/.cargo/config.toml"), "{why}");
}

#[test]
fn proxy_and_certificates_come_from_cargos_configuration() {
    let room = Room::new();
    room.configure("project/.cargo/config.toml", "[http]\nproxy = 'proxy.example:8080'\ncainfo = 'ca.pem'");
    let network = |env: Environment| find(&room.at("project"), &room.at("home"), env).unwrap().network;
    let configured = network(&|_| None);
    assert_eq!(configured.proxy.as_deref(), Some("proxy.example:8080"));
    assert_eq!(configured.extra_roots, Some(room.at("project/ca.pem")));
    let overruled = network(&|name| (name == "CARGO_HTTP_PROXY").then(|| "other:1".to_owned()));
    assert_eq!(overruled.proxy.as_deref(), Some("other:1"));
}
