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

    fn settings(&self) -> Result<Settings, IndexError> {
        Settings::read(&self.at("project"), &self.at("home"))
    }

    fn locate(&self) -> Result<Location, IndexError> {
        Source::find(Named::crates_io(), &self.settings()?, &|_| None).map(|source| source.location)
    }

    fn source(&self, written: &str) -> Result<Source, IndexError> {
        let settings = self.settings()?;
        Source::find(Named::find(Some(written), &settings, &|_| None)?, &settings, &|_| None)
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
        ("registry = 'example.com/index.git'", "example.com/index.git"),
        ("git = 'https://example.com/x'", "`other`"),
        ("replace-with = 'crates-io'", "circle"),
    ] {
        let room = Room::new();
        configure(&room.at("project"), described);
        let why = room.locate().unwrap_err();
        assert!(matches!(&why, IndexError::Unsupported(words) if words.contains(word)), "{why}");
    }
    let room = Room::new();
    room.configure("home/config.toml", "registries.crates-io.protocol = 'carrier-pigeon'");
    assert!(room.locate().unwrap_err().to_string().contains("`carrier-pigeon`"));
}

#[test]
fn an_index_in_git_is_left_to_cargo() {
    let room = Room::new();
    configure(&room.at("project"), "registry = 'https://example.com/index.git'");
    assert_eq!(room.locate(), Ok(Location::Git("https://example.com/index.git".to_owned())));
    let room = Room::new();
    room.configure("home/config.toml", "registries.crates-io.protocol = 'git'");
    assert_eq!(room.locate(), Ok(Location::Git(CRATES_IO_GIT.to_owned())));
}

#[test]
fn a_registry_is_found_by_its_name_its_address_or_a_variable_and_has_replacements_of_its_own() {
    let room = Room::new();
    let corp = "sparse+https://corp.example/index/";
    room.configure(
        "home/config.toml",
        &format!("registries.corp.index = '{corp}'\nregistries.old.index = 'https://corp.example/old.git'\n"),
    );
    let found = room.source("corp").unwrap();
    assert_eq!(found.location, Location::Sparse("https://corp.example/index/".to_owned()));
    assert_eq!((found.named.name.as_deref(), found.table), (Some("corp"), None));
    let by_address = room.source("sparse+https://corp.example/index").unwrap();
    assert_eq!((by_address.named.key, by_address.named.name.as_deref()), (found.named.key, Some("corp")));
    assert_eq!(room.source("old").unwrap().location, Location::Git("https://corp.example/old.git".to_owned()));

    let settings = room.settings().unwrap();
    let variable = |name: &str| (name == "CARGO_REGISTRIES_NEW_ONE_INDEX").then(|| corp.to_owned());
    assert_eq!(Named::find(Some("new-one"), &settings, &variable).unwrap().address.as_deref(), Some(corp));
    let lost = Named::find(Some("new-one"), &settings, &|_| None).unwrap_err();
    assert!(lost.to_string().contains("[registries.new-one] index"), "{lost}");

    room.configure(
        "project/.cargo/config.toml",
        "[source]\nfirst = { registry = 'sparse+https://corp.example/index', replace-with = 'shelf' }\n\
         shelf.local-registry = 'shelf'",
    );
    let replaced = room.source("corp").unwrap();
    assert_eq!(replaced.location, Location::Local(room.at("project/shelf")));
    assert_eq!(replaced.table.as_deref(), Some("first"), "cargo takes no second table for one address");
}

#[test]
fn a_registry_is_the_same_however_its_address_is_spelled_and_registry_default_changes_no_requirement() {
    let key = |text: &str| RegistryKey::of_lock(text).unwrap();
    assert_eq!(key("registry+https://x.example/i.git"), RegistryKey::of_index("https://x.example/i"));
    assert_eq!(key("sparse+https://x.example/i/"), RegistryKey::of_index("sparse+https://x.example/i"));
    assert_ne!(key("sparse+https://x.example/i/"), key("registry+https://x.example/i"));
    assert_eq!(key("registry+https://github.com/rust-lang/crates.io-index"), RegistryKey::crates_io());
    assert_eq!(key("sparse+https://index.crates.io/"), RegistryKey::crates_io());
    assert_eq!(RegistryKey::of_lock("git+https://x.example/i#abc"), None);

    let room = Room::new();
    room.configure(
        "home/config.toml",
        "registry.default = 'corp'\nregistries.corp.index = 'sparse+https://corp.example/'",
    );
    let found = Named::find(None, &room.settings().unwrap(), &|_| None).unwrap();
    assert_eq!(found, Named::crates_io());
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
    let network = |env: Environment| room.settings().unwrap().network(env);
    let configured = network(&|_| None);
    assert_eq!(configured.proxy.as_deref(), Some("proxy.example:8080"));
    assert_eq!(configured.extra_roots, Some(room.at("project/ca.pem")));
    let overruled = network(&|name| (name == "CARGO_HTTP_PROXY").then(|| "other:1".to_owned()));
    assert_eq!(overruled.proxy.as_deref(), Some("other:1"));
}
