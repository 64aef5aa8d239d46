//! What reading and comparing lockfiles promises: formats 1 to 4 and questions about the graph;
//! `compared` has the differences, `formats` what keeps one in its format.

use semver::Version;

use super::*;

mod compared;
mod formats;

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

fn v(text: &str) -> Version {
    Version::parse(text).expect("test versions are versions")
}

fn named(name: &str, version: &str) -> Named {
    (name.to_owned(), v(version))
}

/// A lockfile of format 4 from lines like `app 0.1.0 -> rand 0.8.5, log 0.4.0`. `app` is the member, the others are from the
/// registry.
fn lock(lines: &[&str]) -> Lock {
    let package = |line: &str| {
        let (head, edges) = line.split_once("->").unwrap_or((line, ""));
        let (name, version) = head.trim().split_once(' ').expect("a line begins with a name and a version");
        let source = if name == "app" { String::new() } else { format!("source = \"{REGISTRY}\"\n") };
        let edges: Vec<String> =
            edges.split(',').map(str::trim).filter(|edge| !edge.is_empty()).map(|edge| format!("{edge:?}")).collect();
        format!(
            "\n[[package]]\nname = \"{name}\"\nversion = \"{}\"\n{source}dependencies = [{}]\n",
            version.trim(),
            edges.join(", ")
        )
    };
    let text = format!("version = 4\n{}", lines.iter().copied().map(package).collect::<String>());
    read(&text).unwrap_or_else(|error| panic!("{error} in:\n{text}"))
}

#[test]
fn format_1_keeps_its_checksums_and_its_root() {
    let sum = "0".repeat(64);
    let text = format!(
        "[root]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\"log 0.4.0 ({REGISTRY})\"]\n\n\
         [[package]]\nname = \"log\"\nversion = \"0.4.0\"\nsource = \"{REGISTRY}\"\n\n\
         [metadata]\n\"checksum log 0.4.0 ({REGISTRY})\" = \"{sum}\"\n"
    );
    let lock = read(&text).expect("a lockfile");
    assert_eq!(lock.version, 1);
    assert_eq!(lock.packages[1].checksum.as_deref(), Some(sum.as_str()));
    assert!(reaches(&lock, "app", "log", &v("0.4.0")));
}

#[test]
fn formats_2_3_and_4_say_what_they_are() {
    let sum = "1".repeat(64);
    let body =
        format!("[[package]]\nname = \"log\"\nversion = \"0.4.0\"\nsource = \"{REGISTRY}\"\nchecksum = \"{sum}\"\n");
    for (head, format) in [("", 2), ("version = 3\n\n", 3), ("# by cargo\nversion = 4\n\n", 4)] {
        let lock = read(&format!("{head}{body}")).expect("a lockfile");
        assert_eq!((lock.version, lock.packages[0].checksum.as_deref()), (format, Some(sum.as_str())));
    }
}

#[test]
fn a_format_that_changes_is_reported() {
    let text = "version = 3\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n";
    let (before, after) = (read(text).expect("a lockfile"), read(&text.replace('3', "4")).expect("a lockfile"));
    assert_eq!(diff(&before, &after).format_changed, Some((3, 4)));
    assert!(diff(&before, &before).is_empty());
}

#[test]
fn conflict_markers_are_named_by_their_line() {
    let text = "version = 4\r\n\r\n[[package]]\r\nname = \"app\"\r\n<<<<<<< HEAD\r\nversion = \"0.1.0\"\r\n=======\r\n";
    assert_eq!(read(text), Err(LockError::Conflict { line: 5 }));
    assert!(LockError::Conflict { line: 5 }.to_string().contains("line 5"));
}

#[test]
fn what_is_no_lockfile_is_one_error() {
    assert_eq!(read("version = 9\n"), Err(LockError::UnknownFormat { version: 9 }));
    let broken = read("version = 4\n[[package]]\nname = \n").expect_err("no lockfile").to_string();
    assert!(broken.contains("line 3"), "{broken}");
    assert!(read("version = 4\n[[package]]\nname = \"a\"\nversion = \"one\"\n").is_err());
    assert_eq!(read("\u{feff}version = 4\r\n").map(|lock| lock.packages.len()), Ok(0));
}

#[test]
fn a_git_edge_leads_to_the_package_with_its_commit() {
    let text = format!(
        "version = 4\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\"foo 1.0.0 (git+https://host/foo?branch=main)\", \"foo 1.0.0 ({REGISTRY})\"]\n\
         [[package]]\nname = \"foo\"\nversion = \"1.0.0\"\nsource = \"git+https://host/foo?branch=main#abc\"\n\
         [[package]]\nname = \"foo\"\nversion = \"1.0.0\"\nsource = \"{REGISTRY}\"\n"
    );
    let lock = read(&text).expect("a lockfile");
    let sources: Vec<_> = lock.packages[0].dependencies.iter().filter_map(|d| d.source.as_deref()).collect();
    assert_eq!(sources, ["git+https://host/foo?branch=main#abc", REGISTRY]);
}

#[test]
fn questions_about_the_graph_are_answered() {
    let lock =
        lock(&["app 0.1.0 -> a", "a 1.0.0 -> rand 0.8.5", "b 1.0.0 -> rand 0.9.1+x", "rand 0.8.5", "rand 0.9.1+x"]);
    assert_eq!(package_versions(&lock, "rand"), [v("0.8.5"), v("0.9.1+x")]);
    assert_eq!(users_of(&lock, "rand", &v("0.8.5")), [named("a", "1.0.0")]);
    assert_eq!(users_of(&lock, "rand", &v("0.9.1")), [named("b", "1.0.0")]);
    assert!(reaches(&lock, "app", "rand", &v("0.8.5")));
    assert!(reaches(&lock, "app", "app", &v("0.1.0")));
    assert!(!reaches(&lock, "app", "rand", &v("0.9.1")));
    assert!(!reaches(&lock, "a", "rand", &v("0.8.5")), "`a` is no member");
    assert_eq!(members(&lock).iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["app"]);
    let from_b: Vec<_> = reachable_from(&lock, &[named("b", "1.0.0")]).into_iter().collect();
    assert_eq!(from_b, [named("rand", "0.9.1+x")]);
}

#[test]
fn a_circle_of_dependencies_ends() {
    let lock = lock(&["app 0.1.0 -> a", "a 1.0.0 -> b", "b 1.0.0 -> a"]);
    assert!(reaches(&lock, "app", "b", &v("1.0.0")));
    let from_b: Vec<_> = reachable_from(&lock, &[named("b", "1.0.0")]).into_iter().collect();
    assert_eq!(from_b, [named("a", "1.0.0"), named("b", "1.0.0")], "itself, too, as it stands in a circle");
}
