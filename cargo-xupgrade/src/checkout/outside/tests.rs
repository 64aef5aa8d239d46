//! A disk with folders above a repository and above a cache: what is passed on, and what is left to be found.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A disk with a repository at `ws/team/repo`, a slot in `cache/repo/w0` and a `CARGO_HOME` beside them.
struct Disk {
    root: tempfile::TempDir,
}

impl Disk {
    fn new(files: &[(&str, &str)]) -> Self {
        let root = tempfile::tempdir().unwrap();
        for folder in ["ws/team/repo", "cache/repo/w0", "cargo-home"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        for (path, text) in files {
            write(&root.path().join(path), text);
        }
        Self { root }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn pass_on(&self) -> Outside {
        self.try_to_pass_on().unwrap()
    }

    fn try_to_pass_on(&self) -> Result<Outside> {
        let (repository, slot) = (self.path("ws/team/repo"), self.path("cache/repo/w0"));
        pass_on_cargo(&repository, &slot.join("tree"), &slot, &self.path("cargo-home"))
    }

    fn laid(&self) -> cargo_config::Table {
        let text = fs::read_to_string(self.path("cache/repo/w0/.cargo/config.toml")).unwrap();
        crate::machine::toml_text::parse(&text).unwrap()
    }
}

fn strings(value: &crate::machine::toml_text::Value) -> Vec<&str> {
    value.as_array().unwrap().iter().filter_map(|one| one.as_str()).collect()
}

#[test]
fn the_nearer_file_wins_and_lists_are_joined_with_the_nearer_one_last() {
    let disk = Disk::new(&[
        ("ws/.cargo/config.toml", "[build]\njobs = 1\nrustflags = [\"-a\"]\n[term]\nquiet = true\n"),
        ("ws/team/.cargo/config.toml", "[build]\njobs = 2\nrustflags = [\"-b\"]\n"),
    ]);
    let outside = disk.pass_on();
    assert_eq!(outside.read, ["../.cargo/config.toml", "../../.cargo/config.toml"]);
    let laid = disk.laid();
    assert_eq!(laid["build"]["jobs"].as_integer(), Some(2));
    assert_eq!(strings(&laid["build"]["rustflags"]), ["-a", "-b"]);
    assert_eq!(laid["term"]["quiet"].as_bool(), Some(true));
}

#[test]
fn relative_paths_start_from_the_folder_that_holds_the_file_they_stand_in() {
    let text = "paths = [\"near\", \"/far\"]\ninclude = [\"more.toml\"]\n\
        [build]\nrustc-wrapper = \"tools/wrap\"\nrustc = \"rustc\"\ntarget = \"my.json\"\n\
        [target.thumb]\nrunner = [\"tools/run\", \"-x\"]\nlinker = \"ld\"\n\
        [env]\nPLAIN = \"a/b\"\nHERE = { value = \"a/b\", relative = true }\n";
    let disk = Disk::new(&[
        ("ws/.cargo/config.toml", text),
        ("ws/.cargo/more.toml", "[source.m]\nlocal-registry = \"crates\"\n[http]\ncainfo = \"ca.pem\"\n"),
    ]);
    disk.pass_on();
    let laid = disk.laid();
    let at = |path: &str| disk.path("ws").join(path).display().to_string();
    assert_eq!(strings(&laid["paths"]), [&at("near"), "/far"]);
    assert_eq!(laid["build"]["rustc-wrapper"].as_str(), Some(at("tools/wrap").as_str()));
    assert_eq!(laid["build"]["rustc"].as_str(), Some("rustc"));
    assert_eq!(laid["build"]["target"].as_str(), Some(at("my.json").as_str()));
    assert_eq!(strings(&laid["target"]["thumb"]["runner"]), [&at("tools/run"), "-x"]);
    assert_eq!(laid["target"]["thumb"]["linker"].as_str(), Some("ld"));
    assert_eq!(laid["env"]["PLAIN"].as_str(), Some("a/b"));
    assert_eq!(laid["env"]["HERE"]["value"].as_str(), Some(at("a/b").as_str()));
    assert!(laid["env"]["HERE"].get("relative").is_none());
    assert_eq!(laid["source"]["m"]["local-registry"].as_str(), Some(at("crates").as_str()));
    assert_eq!(laid["http"]["cainfo"].as_str(), Some(at("ca.pem").as_str()));
    assert!(laid.get("include").is_none());
}

#[test]
fn paths_that_lead_into_the_repository_lead_into_the_clone() {
    let text = "paths = [\"team/repo/a\", \"team/repository\"]\n[target.thumb]\nrunner = \"team/../team/repo/tools/run -x\"\n\
        [patch.crates-io]\nb = { path = \"team/repo/b\" }\n\
        [env]\nDATA = { value = \"team/repo/data\", relative = true }\nWORD = \"team/repo\"\n";
    let disk = Disk::new(&[("ws/.cargo/config.toml", text)]);
    disk.pass_on();
    let laid = disk.laid();
    let tree = |path: &str| disk.path("cache/repo/w0/tree").join(path).display().to_string();
    assert_eq!(strings(&laid["paths"]), [&tree("a"), &disk.path("ws/team/repository").display().to_string()]);
    assert_eq!(laid["target"]["thumb"]["runner"].as_str(), Some(tree("tools/run -x").as_str()));
    assert_eq!(laid["patch"]["crates-io"]["b"]["path"].as_str(), Some(tree("b").as_str()));
    assert_eq!(laid["env"]["DATA"]["value"].as_str(), Some(tree("data").as_str()));
    assert_eq!(laid["env"]["WORD"].as_str(), Some("team/repo"));
}

#[test]
fn of_what_lies_above_the_cache_too_only_the_paths_into_the_repository_are_laid() {
    let text = "[build]\njobs = 1\n[env]\nOTHER = \"x\"\nDATA = { value = \"ws/team/repo/data\", relative = true }\n";
    let disk = Disk::new(&[(".cargo/config.toml", text)]);
    disk.pass_on();
    let data = disk.path("cache/repo/w0/tree/data").display().to_string();
    let expected = crate::machine::toml_text::parse(&format!("[env]\nDATA = {{ value = \"{data}\" }}\n")).unwrap();
    assert_eq!(disk.laid(), expected);
}

#[test]
fn credentials_go_to_fetches_as_variables_and_not_into_the_slot() {
    let text = "[registries.my-corp]\nindex = \"sparse+https://corp.example/\"\ntoken = \"s3cret\"\n\
        credential-provider = [\"give\", \"it\"]\n[registry]\ntoken = \"0ther\"\n";
    let disk = Disk::new(&[("ws/.cargo/config.toml", text)]);
    let outside = disk.pass_on();
    let variable = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(
        outside.credentials,
        [
            variable("CARGO_REGISTRY_TOKEN", "0ther"),
            variable("CARGO_REGISTRIES_MY_CORP_TOKEN", "s3cret"),
            variable("CARGO_REGISTRIES_MY_CORP_CREDENTIAL_PROVIDER", "give it"),
        ]
    );
    let laid = disk.laid().to_string();
    assert!(laid.contains("corp.example") && !laid.contains("s3cret") && !laid.contains("0ther"), "{laid}");
    assert!(!laid.contains("give"), "{laid}");
}

#[test]
fn what_lies_above_the_cache_too_is_found_there_and_not_laid_twice() {
    let disk = Disk::new(&[(".cargo/config.toml", "[build]\nrustflags = [\"-a\"]\n")]);
    let outside = disk.pass_on();
    assert_eq!(outside.read, ["../../../.cargo/config.toml"]);
    assert_eq!(outside.strange, [""; 0]);
    assert!(!disk.path("cache/repo/w0/.cargo").exists());
}

#[test]
fn the_users_cargo_home_is_nothing_from_outside() {
    let disk = Disk::new(&[("cargo-home/config.toml", "[build]\njobs = 1\n")]);
    assert_eq!(disk.pass_on(), Outside::default());
    assert!(!disk.path("cache/repo/w0/.cargo").exists());
}

#[test]
fn what_lies_above_the_cache_alone_is_told() {
    let disk = Disk::new(&[("cache/.cargo/config.toml", "[build]\njobs = 1\n")]);
    assert_eq!(disk.pass_on().strange, [disk.path("cache/.cargo/config.toml").display().to_string()]);
}

#[test]
fn what_is_gone_is_not_passed_on_any_more() {
    let disk = Disk::new(&[("ws/.cargo/config.toml", "[build]\njobs = 1\n")]);
    disk.pass_on();
    fs::remove_file(disk.path("ws/.cargo/config.toml")).unwrap();
    assert_eq!(disk.pass_on(), Outside::default());
    assert!(!disk.path("cache/repo/w0/.cargo").exists());
}

#[test]
fn a_file_that_cargo_refuses_is_an_error_with_its_place() {
    let disk = Disk::new(&[("ws/.cargo/config.toml", "[build\n")]);
    let error = disk.try_to_pass_on().unwrap_err().to_string();
    assert!(error.contains("ws/.cargo/config.toml: line 1") && error.contains("cargo refuses it"), "{error}");
    let round = Disk::new(&[("ws/.cargo/config.toml", "include = [\"config.toml\"]\n")]);
    assert!(cargo_config::read(&round.path("ws/.cargo/config.toml")).unwrap_err().contains("includes itself"));
}

#[test]
fn a_path_is_told_as_seen_from_the_repository() {
    let seen = |path: &str| seen_from(Path::new("/a/b/c"), Path::new(path));
    assert_eq!(seen("/a/b/c/d"), "d");
    assert_eq!(seen("/a/x/y"), "../../x/y");
    assert_eq!(seen("/z"), "/z");
}
