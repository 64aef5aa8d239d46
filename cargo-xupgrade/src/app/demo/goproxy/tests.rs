//! Tests of the static module proxy. The last one asks the go command whether our hashes are its own.

use super::*;

fn proxy_of(archive: &str) -> (tempfile::TempDir, ModuleSums) {
    let folder = tempfile::tempdir().unwrap();
    let sums = write(&Archive::parse(archive).unwrap(), folder.path()).unwrap();
    (folder, sums)
}

fn read(folder: &tempfile::TempDir, path: &str) -> String {
    std::fs::read_to_string(folder.path().join(path)).unwrap()
}

#[test]
fn capitals_are_escaped() {
    assert_eq!(escape("github.com/BurntSushi/toml"), "github.com/!burnt!sushi/toml");
}

#[test]
fn a_major_suffix_is_part_of_the_path_and_no_version() {
    let (folder, sums) = proxy_of("-- modules/ex.test/a/v2/v2.0.1/a.go --\npackage a\n");
    assert_eq!(sums.keys().next(), Some(&("ex.test/a/v2".to_owned(), "v2.0.1".to_owned())));
    assert_eq!(read(&folder, "ex.test/a/v2/@v/list"), "v2.0.1\n");
}

#[test]
fn a_release_has_its_date_and_its_go_mod() {
    let (folder, _) = proxy_of(
        "-- modules/ex.test/A/v1.0.0/.release --\npublished = \"2025-03-04T00:00:00Z\"\n\
         -- modules/ex.test/A/v1.0.0/go.mod --\nmodule ex.test/A\n\ngo 1.22\n",
    );
    assert_eq!(read(&folder, "ex.test/!a/@v/v1.0.0.mod"), "module ex.test/A\n\ngo 1.22\n");
    let info: serde_json::Value = serde_json::from_str(&read(&folder, "ex.test/!a/@v/v1.0.0.info")).unwrap();
    assert_eq!(info, json!({"Version": "v1.0.0", "Time": "2025-03-04T00:00:00Z"}));
}

#[test]
fn a_commit_is_served_but_not_listed() {
    let (folder, _) = proxy_of("-- modules/ex.test/a/v0.0.0-20250101000000-0123456789ab/a.go --\npackage a\n");
    assert_eq!(read(&folder, "ex.test/a/@v/list"), "");
    assert!(is_pseudo_version("v1.2.4-0.20250101000000-0123456789ab"));
    assert!(!is_pseudo_version("v1.2.4-rc.1"));
}

#[test]
fn a_list_of_the_archive_wins() {
    let (folder, _) =
        proxy_of("-- modules/ex.test/a/v1.0.0/a.go --\npackage a\n-- modules/ex.test/a/.list --\nv9.0.0\n");
    assert_eq!(read(&folder, "ex.test/a/@v/list"), "v9.0.0\n");
}

#[test]
fn only_placeholders_in_a_go_sum_are_filled() {
    let sums = Sums { zip: "h1:zip=".into(), go_mod: "h1:mod=".into() };
    let sums = [(("ex.test/a".to_owned(), "v1.0.0".to_owned()), sums)].into();
    let go_sum =
        "ex.test/a v1.0.0 h1:@\nex.test/a v1.0.0/go.mod h1:@\nex.test/a v1.0.0 h1:wrong=\nex.test/b v1.0.0 h1:@\n";
    let expected = "ex.test/a v1.0.0 h1:zip=\nex.test/a v1.0.0/go.mod h1:mod=\nex.test/a v1.0.0 h1:wrong=\nex.test/b v1.0.0 h1:@\n";
    assert_eq!(fill_sum(go_sum, &sums), expected);
}

#[test]
fn the_hashes_are_those_of_the_go_command() {
    let archive =
        "-- modules/ex.test/B/v1.0.0/b.go --\npackage b\n-- modules/ex.test/B/v1.0.0/in/c.go --\npackage in\n";
    let (folder, sums) = proxy_of(archive);
    let output = std::process::Command::new("go")
        .args(["mod", "download", "-json", "ex.test/B@v1.0.0"])
        .current_dir(folder.path())
        .env("GOPROXY", format!("file://{}", folder.path().display()))
        .env("GOMODCACHE", folder.path().join("cache"))
        .envs([("GOSUMDB", "off"), ("GOFLAGS", "-modcacherw"), ("GOTOOLCHAIN", "local"), ("GOWORK", "off")])
        .output()
        .unwrap();
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let ours = &sums[&("ex.test/B".to_owned(), "v1.0.0".to_owned())];
    assert_eq!(said["Sum"], json!(ours.zip), "{said}");
    assert_eq!(said["GoModSum"], json!(ours.go_mod), "{said}");
}
