//! Tests for `scripts/prove-safeguards` where no other test would notice that a safeguard is gone: each of them goes red
//! when the patch of the same theme in `scripts/safeguards/` is applied.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::common::Env;

#[test]
fn what_one_cell_changes_the_next_one_does_not_see() {
    let env = Env::new("breaks_test_lands_lower");
    // A gate that spoils the sources and hides a file of its own; the tests, which come after it, must not meet them.
    let spoil = "[[check]]\nname = \"spoil\"\necosystem = \"cargo\"\nphase = \"gate\"\n\
                 command = [\"sh\", \"-c\", \"echo 'compile_error!();' >> src/lib.rs; test ! -e trace && touch trace\"]\n";
    env.write("xupgrade.toml", spoil);
    let ran = env.run(&[]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(ran.upgrades(), ["count 1.0.0 -> 1.0.2"]);
    let cells = ran.report["trials"][0]["cells"].as_array().unwrap();
    let spoiled = cells.iter().find(|cell| cell["check"] == "spoil").expect("the check ran in the baseline");
    assert_eq!(spoiled["dirtied"], serde_json::json!(["src/lib.rs", "trace"]));
}

/// Cargo names a member by its path in the workspace and trusts time stamps: in a target directory that two repositories
/// share, sources that are older than the other one's artefacts are not compiled, and its tests pass for theirs.
#[test]
fn what_another_repository_built_is_no_proof_for_this_one() {
    let (green, mut red) = (with_a_plain_member(4), with_a_plain_member(5));
    red.world.env.insert("XUPGRADE_CACHE_DIR".into(), green.world.env["XUPGRADE_CACHE_DIR"].clone());
    let (waits, go_on) = (red.world.root.join("waits"), red.world.root.join("go-on"));
    let wait = format!("touch '{}'; while ! test -e '{}'; do sleep 0.05; done", waits.display(), go_on.display());
    red.write("xupgrade.toml", &format!("[setup]\ncommands = [[\"sh\", \"-c\", \"{wait}\"]]\n"));
    // The red one checks out its sources, then the green one builds, then the red one is tried.
    let mut child = red.tool(&["--require-green"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for(&waits, &mut child);
    assert_eq!(green.run(&[]).code, 0);
    std::fs::write(&go_on, "").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(4), "the tests of the red one fail before any upgrade");
}

/// A repository with a member that uses no crate at all, and whose test passes for 4 only.
fn with_a_plain_member(number: u32) -> Env {
    let env = Env::new("breaks_build");
    let add = |path: &str, more: &str| {
        let text = std::fs::read_to_string(env.repo().join(path)).unwrap();
        env.write(path, &(text + more));
    };
    add("Cargo.toml", "\n[workspace]\nmembers = [\"plain\"]\n");
    add("Cargo.lock", "\n[[package]]\nname = \"plain\"\nversion = \"0.1.0\"\n");
    env.write("plain/Cargo.toml", "[package]\nname = \"plain\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
    env.write("plain/src/lib.rs", &format!("#[test]\nfn is_four() {{\n    assert_eq!({number}, 4);\n}}\n"));
    env.commit();
    env
}

/// Waits until a file is there; the end of the process that shall write it is a failure.
fn wait_for(file: &Path, child: &mut Child) {
    while !file.exists() {
        assert_eq!(child.try_wait().unwrap(), None, "it ended before {} was there", file.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// The patches that take safeguards out, by name.
fn patches() -> Vec<(String, PathBuf)> {
    let files = root().join("scripts/safeguards").read_dir().unwrap().map(|entry| entry.unwrap().path());
    let patches = files.filter(|path| path.extension().is_some_and(|one| one == "patch"));
    let mut named: Vec<_> =
        patches.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path)).collect();
    named.sort();
    assert!(!named.is_empty());
    named
}

#[test]
fn each_safeguard_can_still_be_taken_out() {
    for (name, path) in patches() {
        // As `scripts/prove-safeguards` applies them.
        let tried =
            Command::new("git").args(["apply", "-C1", "--check"]).arg(&path).current_dir(root()).output().unwrap();
        let said = String::from_utf8_lossy(&tried.stderr);
        assert!(tried.status.success(), "{name}.patch no longer applies, so nothing proves that safeguard: {said}");
    }
}

#[test]
fn each_patch_is_in_the_table_and_names_tests_that_exist() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let table = read("scripts/safeguards/README.md");
    let words: Vec<&str> = table.split([' ', ',', '|', '\n', '.']).collect();
    for (name, path) in patches() {
        assert!(words.contains(&name.as_str()), "{name} is not in scripts/safeguards/README.md");
        let text = std::fs::read_to_string(path).unwrap();
        let named = |head: &str| -> Vec<String> {
            text.lines().filter_map(|line| line.strip_prefix(head)).map(|test| test.trim().to_owned()).collect()
        };
        let (ours, units, of_the_search) = (named("# test: "), named("# unit-test: "), named("# search-test: "));
        assert!(ours.len() + units.len() + of_the_search.len() > 0, "{name} names no test");
        for test in &units {
            let (module, function) = test.rsplit_once("::").unwrap();
            let file = format!("{}.rs", module.replace("::", "/"));
            let roots = ["cargo-xupgrade/src", "cargo-xupgrade/core/src"].map(|src| format!("{src}/{file}"));
            let text: String =
                roots.iter().filter_map(|path| std::fs::read_to_string(root().join(path)).ok()).collect();
            assert!(text.contains(&format!("fn {function}()")), "{name}: there is no unit test {test}");
        }
        for test in &ours {
            let (module, function) = test.rsplit_once("::").unwrap();
            let text = read(&format!("tests/{}.rs", module.replace("::", "/")));
            assert!(text.contains(&format!("fn {function}()")), "{name}: there is no test {test}");
        }
        let text = read("cargo-xupgrade/search/tests/trust.rs");
        for test in &of_the_search {
            assert!(text.contains(&format!("fn {test}(")), "{name}: there is no test {test}");
        }
    }
}
