//! Tests of the world builder: they run `git` and, once, `cargo` and `go` on a world of a dozen lines.

use super::*;

const TINY: &str = "\
-- world.toml --
crlf = [\"Cargo.toml\"]
bom = [\"Cargo.toml\"]
executable = [\"go.sh\"]
-- crates/dep-a/1.0.0/src/lib.rs --
pub const ONE: u32 = 1;
-- modules/ex.test/Dep/v1.0.0/dep.go --
package dep

const One = 1
-- repo/Cargo.toml --
[package]
name = \"tiny\"
version = \"0.1.0\"
edition = \"2021\"

[dependencies]
dep-a = \"1\"
-- repo/src/lib.rs --
#[test]
fn one() {
    assert_eq!(dep_a::ONE, 1);
}
-- repo/Cargo.lock --
version = 4

[[package]]
name = \"dep-a\"
version = \"1.0.0\"
source = \"registry+https://github.com/rust-lang/crates.io-index\"
checksum = \"@\"

[[package]]
name = \"tiny\"
version = \"0.1.0\"
dependencies = [
 \"dep-a\",
]
-- repo/go.mod --
module ex.test/tiny

go 1.21

require ex.test/Dep v1.0.0
-- repo/go.sum --
ex.test/Dep v1.0.0 h1:@
ex.test/Dep v1.0.0/go.mod h1:@
-- repo/tiny_test.go --
package tiny

import (
	\"testing\"

	dep \"ex.test/Dep\"
)

func TestOne(t *testing.T) {
	if dep.One != 1 {
		t.Fatal(dep.One)
	}
}
-- repo/go.sh --
#!/bin/sh
-- repo/.gitignore --
target
-- repo-ignored/notes.txt --
mine
";

fn tiny() -> (tempfile::TempDir, World) {
    let folder = tempfile::tempdir().unwrap();
    let world = World::build(TINY, folder.path()).unwrap();
    (folder, world)
}

#[test]
fn the_same_archive_gives_the_same_commit() {
    let commits = [tiny(), tiny()].map(|(_folder, world)| world.git(&["rev-parse", "HEAD"]).unwrap());
    assert_eq!(commits[0], commits[1]);
}

#[test]
fn the_repository_is_clean_but_for_the_untracked_files() {
    let (_folder, world) = tiny();
    assert_eq!(world.git(&["status", "--porcelain"]).unwrap(), "?? notes.txt\n");
    assert_eq!(world.git(&["branch", "--show-current"]).unwrap(), "main\n");
}

#[test]
fn files_are_dressed_as_world_toml_says() {
    let (_folder, world) = tiny();
    let manifest = std::fs::read_to_string(world.repo.join("Cargo.toml")).unwrap();
    assert!(manifest.starts_with("\u{feff}[package]\r\n"), "{manifest:?}");
    assert!(world.git(&["ls-files", "--stage", "go.sh"]).unwrap().starts_with("100755 "));
}

#[test]
fn a_mistake_in_world_toml_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let error = World::build("-- world.toml --\ncrfl = []\n", folder.path()).unwrap_err();
    assert!(format!("{error:#}").contains("world.toml of the archive: line 1, column 1"), "{error:#}");
}

#[test]
fn a_shell_that_sources_env_sh_is_in_the_world() {
    let (_folder, world) = tiny();
    let script = format!(". '{}/env.sh' && printf %s \"$CARGO_HOME\"", world.root.display());
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), world.env["CARGO_HOME"]);
}

#[test]
fn cargo_and_go_work_offline_in_the_world() {
    let (_folder, mut world) = tiny();
    // The Go build cache is the user's here: a cold one would compile the standard library first.
    world.env.remove("GOCACHE");
    world.env.remove("GOENV");
    world.env.insert("HOME".to_owned(), std::env::home_dir().unwrap().display().to_string());
    for words in ["cargo test --locked", "cargo test --locked --offline", "go test ./..."] {
        let mut words = words.split(' ');
        let output = world.command(words.next().unwrap()).args(words).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
