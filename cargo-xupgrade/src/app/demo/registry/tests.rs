//! Tests of the static crate registry: paths, index lines, checksums. No cargo runs here.

use super::*;

fn lines_of(archive: &str, path: &str) -> Vec<Json> {
    let folder = tempfile::tempdir().unwrap();
    write(&Archive::parse(archive).unwrap(), folder.path()).unwrap();
    let text = std::fs::read_to_string(folder.path().join("index").join(path)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_crate_is_where_cargo_looks_for_it() {
    for (name, path) in [("a", "1/a"), ("ab", "2/ab"), ("abc", "3/a/abc"), ("Serde_X", "se/rd/serde_x")] {
        assert_eq!(index_path(name), path);
    }
}

#[test]
fn a_release_without_files_has_a_manifest_and_a_date() {
    let lines = lines_of("-- crates/abc/1.2.3/.release --\n", "3/a/abc");
    assert_eq!(lines[0]["vers"], "1.2.3");
    assert_eq!(lines[0]["pubtime"], PUBLISHED);
    assert_eq!(lines[0]["yanked"], false);
    assert_eq!(lines[0]["deps"], json!([]));
    assert_eq!(lines[0]["cksum"].as_str().unwrap().len(), 64);
}

#[test]
fn what_release_says_is_in_the_index() {
    let release = "published = \"2025-02-03T04:05:06Z\"\nyanked = true\nchecksum = \"00ff\"\n";
    let lines = lines_of(&format!("-- crates/a/1.0.0/.release --\n{release}"), "1/a");
    assert_eq!(lines[0]["pubtime"], "2025-02-03T04:05:06Z");
    assert_eq!(lines[0]["yanked"], true);
    assert_eq!(lines[0]["cksum"], "00ff");
}

#[test]
fn the_manifest_tells_links_rust_version_and_features() {
    let manifest = "[package]\nname = \"a\"\nversion = \"1.0.0\"\nlinks = \"z\"\nrust-version = \"1.80\"\n\
                    [features]\ndefault = [\"x\"]\nx = []\ny = [\"dep:b\"]\n";
    let lines = lines_of(&format!("-- crates/a/1.0.0/Cargo.toml --\n{manifest}"), "1/a");
    assert_eq!(lines[0]["links"], "z");
    assert_eq!(lines[0]["rust_version"], "1.80");
    assert_eq!(lines[0]["features"], json!({"default": ["x"], "x": []}));
    assert_eq!(lines[0]["features2"], json!({"y": ["dep:b"]}));
    assert_eq!(lines[0]["v"], 2);
}

#[test]
fn dependencies_of_every_kind_and_target_are_listed() {
    let manifest = "[dependencies]\nb = \"1\"\nc = { version = \"2\", package = \"cc\", optional = true, \
                    default-features = false, features = [\"f\"] }\n[dev-dependencies]\nd = \"3\"\n\
                    [target.'cfg(windows)'.build-dependencies]\ne = \"4\"\n";
    let lines = lines_of(&format!("-- crates/a/1.0.0/Cargo.toml --\n{manifest}"), "1/a");
    let deps = lines[0]["deps"].as_array().unwrap();
    let short: Vec<_> =
        deps.iter().map(|d| [&d["name"], &d["req"], &d["kind"], &d["target"]].map(Json::clone)).collect();
    assert_eq!(
        json!(short),
        json!([
            ["b", "1", "normal", null],
            ["c", "2", "normal", null],
            ["d", "3", "dev", null],
            ["e", "4", "build", "cfg(windows)"],
        ])
    );
    assert_eq!(deps[1]["package"], "cc");
    assert_eq!(deps[1]["optional"], true);
    assert_eq!(deps[1]["default_features"], false);
    assert_eq!(deps[1]["features"], json!(["f"]));
}

#[test]
fn only_placeholders_in_a_lock_are_filled() {
    let checksums = [(("a".to_owned(), "1.0.0".to_owned()), "abcd".to_owned())].into();
    let lock = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nchecksum = \"@\"\n\n<<<<<<< HEAD\n\
                [[package]]\nname = \"a\"\nversion = \"1.0.0\"\r\nchecksum = \"feed\"\n\n\
                [[package]]\nname = \"b\"\nversion = \"1.0.0\"\nchecksum = \"@\"\n";
    let expected = lock.replacen("\"@\"", "\"abcd\"", 1);
    assert_eq!(fill_lock(lock, &checksums), expected);
}

#[test]
fn a_mistake_in_a_release_file_names_the_release() {
    let archive = Archive::parse("-- crates/a/1.0.0/.release --\nyank = true\n").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let error = format!("{:#}", write(&archive, folder.path()).unwrap_err());
    assert!(error.contains("crates/a/1.0.0") && error.contains("line 1, column 1"), "{error}");
}
