//! What reading and editing manifests promises: the shapes of `cargo-peers.md` section 6 one by one; `generated` has the
//! splicer over generated documents, `mutated` over real ones with slips of the hand.

use super::*;

mod generated;
mod mutated;

/// How many documents a property is tried on; `PROPTEST_CASES` says otherwise (`scripts/fuzz-manifest` sets it).
fn usual_cases(cases: u32) -> proptest::test_runner::Config {
    let usual = proptest::test_runner::Config { failure_persistence: None, ..proptest::test_runner::Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { usual } else { proptest::test_runner::Config { cases, ..usual } }
}

#[track_caller]
fn manifest(text: &str) -> Manifest {
    read(text.as_bytes()).unwrap_or_else(|error| panic!("{error} in:\n{text}"))
}

#[track_caller]
fn entry_of(text: &str, table: &str, key: &str) -> Entry {
    let found = manifest(text).entries.into_iter().find(|entry| entry.place == place(table, key));
    found.unwrap_or_else(|| panic!("no {key} in [{table}] of:\n{text}"))
}

fn place(table: &str, key: &str) -> Place {
    Place { table: table.to_owned(), key: key.to_owned() }
}

#[track_caller]
fn edited(text: &str, table: &str, key: &str, new: &str) -> String {
    let bytes =
        set_requirement(text.as_bytes(), &place(table, key), new).unwrap_or_else(|error| panic!("{error} in:\n{text}"));
    String::from_utf8(bytes).expect("text stays text")
}

#[track_caller]
fn refused(text: &str, table: &str, key: &str, new: &str) -> String {
    set_requirement(text.as_bytes(), &place(table, key), new).expect_err("this edit is refused").to_string()
}

fn hold_of(text: &str, key: &str) -> Option<String> {
    let entries = manifest(text).entries;
    entries.into_iter().find(|entry| entry.name == key)?.hold.map(|hold| hold.reason)
}

#[test]
fn every_table_and_its_old_spelling_is_found() {
    let text = "
[dependencies]
a = '1'
[dev_dependencies]
b = '1'
[build_dependencies]
c = '1'
[target.'cfg(windows)'.dependencies]
d = '1'
[target.\"cfg(unix)\".build-dependencies]
e = '1'
[target.x86_64-unknown-linux-gnu.dev-dependencies.tempfile]
version = '1'
[workspace.dependencies]
g = '1'
";
    let found: Vec<_> =
        manifest(text).entries.into_iter().map(|e| (e.place.table, e.place.key, e.kind, e.target)).collect();
    let row = |table: &str, key: &str, kind, target: Option<&str>| {
        (table.to_owned(), key.to_owned(), kind, target.map(str::to_owned))
    };
    assert_eq!(
        found,
        [
            row("build_dependencies", "c", Kind::Build, None),
            row("dependencies", "a", Kind::Normal, None),
            row("dev_dependencies", "b", Kind::Dev, None),
            row("target.\"cfg(unix)\".build-dependencies", "e", Kind::Build, Some("cfg(unix)")),
            row("target.'cfg(windows)'.dependencies", "d", Kind::Normal, Some("cfg(windows)")),
            row(
                "target.x86_64-unknown-linux-gnu.dev-dependencies",
                "tempfile",
                Kind::Dev,
                Some("x86_64-unknown-linux-gnu")
            ),
            row("workspace.dependencies", "g", Kind::Workspace, None),
        ]
    );
}

#[test]
fn where_both_spellings_stand_the_hyphen_counts() {
    let text = "[dev-dependencies]\na = '1'\n[dev_dependencies]\nb = '1'\n";
    assert_eq!(manifest(text).entries.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["a"]);
}

#[test]
fn a_table_that_is_written_inline_is_found_too() {
    let text = "dependencies = { a = '1', b = { version = '2' } }\ntarget.x.dependencies.y = '3'\n";
    assert_eq!(edited(text, "dependencies", "b", "2.1"), text.replace("'2'", "'2.1'"));
    assert_eq!(edited(text, "target.x.dependencies", "y", "3.1"), text.replace("'3'", "'3.1'"));
}

#[test]
fn a_dotted_key_a_quoted_key_and_a_table_of_its_own_are_one_shape() {
    let text = "[dependencies]\nserde.version = \"1.0.100\"\nserde.features = [\"derive\"] \n\"log\" = '0.4'\n[dependencies.url]\nversion = '2'\n";
    assert_eq!(entry_of(text, "dependencies", "serde").features, ["derive"]);
    assert_eq!(entry_of(text, "dependencies", "\"log\"").name, "log");
    assert_eq!(entry_of(text, "dependencies", "url").requirement.as_deref(), Some("2"));
    assert_eq!(edited(text, "dependencies", "serde", "1.1.0"), text.replace("1.0.100", "1.1.0"));
    assert_eq!(edited(text, "dependencies", "\"log\"", "0.5"), text.replace("0.4", "0.5"));
    assert_eq!(edited(text, "dependencies", "url", "3"), text.replace("'2'", "'3'"));
}

#[test]
fn an_entry_says_all_that_a_survey_needs() {
    let text = "[dependencies]\nold_rand = { package = 'rand', version = '0.7', features = [ # why\n 'std',\n 'small_rng' ], \
                default_features = false, optional = true, registry = 'mine' }\nplain = '1'\n";
    let entry = entry_of(text, "dependencies", "old_rand");
    assert_eq!((entry.name.as_str(), entry.package.as_str()), ("old_rand", "rand"));
    assert_eq!(entry.origin, Origin::Registry { registry: Some("mine".to_owned()) });
    assert_eq!(entry.features, ["std", "small_rng"]);
    assert!(!entry.default_features && entry.optional);
    let plain = entry_of(text, "dependencies", "plain");
    assert!(plain.default_features && !plain.optional && plain.features.is_empty());
    assert_eq!(plain.origin, Origin::Registry { registry: None });
}

#[test]
fn default_features_are_read_in_both_spellings() {
    let text = "[dependencies]\na = { version = '1', default-features = false }\nb = { version = '1', default_features = false }\n";
    assert!(manifest(text).entries.iter().all(|entry| !entry.default_features));
}

#[test]
fn path_git_and_inherited_entries_are_told_apart_whatever_else_they_say() {
    let text = "[dependencies]\na = { path = '../a', version = '1' }\nb = { git = 'https://x', version = '1' }\nc = { workspace = true, features = ['f'] }\nd.workspace = true\n";
    let origins: Vec<_> = manifest(text).entries.into_iter().map(|entry| entry.origin).collect();
    assert_eq!(origins, [Origin::Path, Origin::Git, Origin::Inherited, Origin::Inherited]);
    assert_eq!(entry_of(text, "dependencies", "c").requirement, None);
    assert!(refused(text, "dependencies", "c", "2").contains("no requirement `c`"));
}

#[test]
fn two_aliases_of_one_crate_stay_apart() {
    let text = "[dependencies]\nrand_07 = { package = \"rand\", version = \"0.7\" }\nrand = \"0.8\"\n";
    assert_eq!(edited(text, "dependencies", "rand", "0.9"), text.replace("0.8", "0.9"));
    assert_eq!(edited(text, "dependencies", "rand_07", "0.7.3"), text.replace("\"0.7\"", "\"0.7.3\""));
}

#[test]
fn the_same_crate_in_two_tables_is_edited_in_the_one_named() {
    let text = "[dependencies]\ncc = \"1\"\n[build-dependencies]\ncc = \"1\"\n";
    assert_eq!(
        edited(text, "build-dependencies", "cc", "2"),
        "[dependencies]\ncc = \"1\"\n[build-dependencies]\ncc = \"2\"\n"
    );
}

#[test]
fn a_crlf_manifest_with_a_bom_keeps_both() {
    let text =
        "\u{feff}[package]\r\nname = 'x' # x\r\n\r\n[dependencies]\r\nclap  =   '4.5'\t# note\r\nlog = \"0.4\"\r\n";
    assert_eq!(edited(text, "dependencies", "clap", "4.6"), text.replace("4.5", "4.6"));
    assert_eq!(manifest(text).package_name.as_deref(), Some("x"));
}

#[test]
fn escapes_are_read_and_go_when_the_value_is_exchanged() {
    let text = "[dependencies]\na = \"1\\u002E5\"\n";
    assert_eq!(entry_of(text, "dependencies", "a").requirement.as_deref(), Some("1.5"));
    assert_eq!(edited(text, "dependencies", "a", "1.6"), "[dependencies]\na = \"1.6\"\n");
}

#[test]
fn a_requirement_in_a_multi_line_string_is_refused_with_its_place() {
    let text = "[dependencies]\na = '1'\nbb = '''1'''\n";
    assert_eq!(entry_of(text, "dependencies", "bb").requirement.as_deref(), Some("1"));
    let said = refused(text, "dependencies", "bb", "2");
    assert!(said.starts_with("line 3, column 6:") && said.contains("multi-line"), "{said}");
}

#[test]
fn a_place_that_is_not_there_is_refused() {
    assert!(
        refused("[dependencies]\na = '1'\n", "dependencies", "b", "2")
            .contains("no requirement `b` in `[dependencies]`")
    );
    assert!(refused("[dependencies]\na = '1'\n", "dev-dependencies", "a", "2").contains("[dev-dependencies]"));
}

#[test]
fn what_is_no_requirement_is_never_written() {
    assert!(refused("[dependencies]\na = '1'\n", "dependencies", "a", "2'\nb = '3").contains("no version requirement"));
}

#[test]
fn package_and_workspace_keys_are_read() {
    let text = "[package]\nname = 'x'\nrust-version = '1.70'\nedition.workspace = true\n[workspace.package]\nrust-version = '1.80'\nedition = '2021'\n";
    let found = manifest(text);
    assert_eq!(found.rust_version, Some(RustVersion::Explicit("1.70".to_owned())));
    assert_eq!(found.edition, Some(Inheritable::Inherited));
    assert_eq!(found.workspace_rust_version.as_deref(), Some("1.80"));
    assert_eq!(found.workspace_edition.as_deref(), Some("2021"));
    assert!(found.has_workspace);
    let member = manifest("[package]\nname = 'y'\nrust-version = { workspace = true }\n");
    assert_eq!((member.rust_version, member.has_workspace), (Some(RustVersion::Inherited), false));
}

#[test]
fn patches_and_replacements_are_named_and_are_no_entries() {
    let text = "[patch.crates-io]\nfoo = { path = 'f' }\nbar2 = { package = 'bar', git = 'https://x' }\n[patch.'https://host/x']\nbaz = { path = 'z' }\n\
                [replace]\n'qux:0.1.0' = { path = 'q' }\n'https://host/index#quux@1.0.0' = { path = 'r' }\n";
    let found = manifest(text);
    let patches: Vec<(&str, &str)> =
        found.patches.iter().map(|(name, table)| (name.as_str(), table.as_str())).collect();
    let elsewhere = "[patch.\"https://host/x\"]";
    let expected = [("bar", "[patch.crates-io]"), ("baz", elsewhere), ("foo", "[patch.crates-io]")];
    assert_eq!(patches[..3], expected);
    assert_eq!(patches[3..], [("quux", "[replace]"), ("qux", "[replace]")]);
    assert!(found.entries.is_empty());
}

#[test]
fn broken_input_is_one_error_with_its_line_and_column() {
    let error = |bytes: &[u8]| read(bytes).expect_err("this is broken").to_string();
    assert!(error("\u{feff}a = 1\nb = = 2\n".as_bytes()).starts_with("line 2, column 5: this is no TOML"));
    assert!(error(b"[package]\nname = '\xff'\n").starts_with("line 2, column 9: these bytes are not UTF-8"));
    assert!(error("\u{feff}a = = 1\n".as_bytes()).starts_with("line 1, column 5: "));
    assert!(error(b"[dependencies]\na = 1\n").starts_with("line 2, column 5: dependency `a` must be"));
    assert!(error(b"[dependencies]\na = { version = 1 }\n").starts_with("line 2, column 17: a version must be"));
    assert!(error(b"dependencies = 3\n").starts_with("line 1, column 16: dependencies must"));
    assert_eq!(
        error(b"a = 1\n<<<<<<< HEAD\nb = 1\n"),
        "line 2, column 1: this is a conflict marker; finish the merge first"
    );
}

#[test]
fn a_hold_stands_at_the_end_of_the_line_or_right_above() {
    let text = "[dependencies]\n# about a\n# xupgrade: hold waits for a fix\na = '1'\nb = '1' # xupgrade: hold too new\n\n# xupgrade: hold nobody\n\nc = '1'\n";
    assert_eq!(hold_of(text, "a").as_deref(), Some("waits for a fix"));
    assert_eq!(hold_of(text, "b").as_deref(), Some("too new"));
    assert_eq!(hold_of(text, "c"), None);
    assert_eq!(manifest(text).loose_markers, [LooseMarker { line: 7, text: "xupgrade: hold nobody".to_owned() }]);
}

#[test]
fn a_table_of_its_own_is_held_above_its_header_or_at_its_version() {
    let above = "[dependencies]\na = '1'\n# xupgrade: hold r\n[dependencies.url]\nversion = '2'\n";
    let at_header = "[dependencies.url] # xupgrade: hold r\nversion = '2'\n";
    let over_version = "[dependencies.url]\nfeatures = []\n# xupgrade: hold r\nversion = '2'\n";
    let at_version = "[dependencies.url]\r\nversion = '2' # xupgrade: hold r\r\n";
    for text in [above, at_header, over_version, at_version] {
        assert_eq!(hold_of(text, "url").as_deref(), Some("r"), "{text}");
        assert_eq!(hold_of(text, "a"), None, "{text}");
        assert!(manifest(text).loose_markers.is_empty(), "{text}");
    }
}

#[test]
fn a_dotted_or_many_line_entry_is_held_from_each_of_its_lines() {
    let dotted = "[dependencies]\nserde.version = '1'\nserde.features = ['derive'] # xupgrade: hold r\nlog = '0.4'\n";
    let many =
        "[dependencies]\nserde = { version = '1', features = [\n 'derive', # xupgrade: hold r\n] }\nlog = '0.4'\n";
    for text in [dotted, many] {
        assert_eq!(hold_of(text, "serde").as_deref(), Some("r"), "{text}");
        assert_eq!(hold_of(text, "log"), None, "{text}");
    }
}

#[test]
fn the_hold_of_the_line_before_is_not_the_hold_of_this_one() {
    let text = "[dependencies]\na = '1' # xupgrade: hold r\nb = '1'\n";
    assert_eq!((hold_of(text, "a").as_deref(), hold_of(text, "b")), (Some("r"), None));
}

#[test]
fn a_hold_needs_no_reason_and_a_misspelt_one_is_not_forgotten() {
    let text = "[dependencies]\na = '1' #xupgrade:hold\nb = '1' # xupgrade: holds\nc = '1' # Xupgrade is nice\n";
    assert_eq!(hold_of(text, "a").as_deref(), Some(""));
    assert_eq!(hold_of(text, "b"), None);
    assert_eq!(manifest(text).loose_markers, [LooseMarker { line: 3, text: "xupgrade: holds".to_owned() }]);
}

#[test]
fn a_hold_within_a_string_holds_nothing() {
    let text = "[dependencies]\na = { version = '1', features = ['# xupgrade: hold r'] }\n";
    assert_eq!(hold_of(text, "a"), None);
}

#[test]
fn two_documents_that_differ_in_one_value_more_are_told_apart() {
    let document = Document::parse(b"[dependencies]\na = '1'\nb = ['x']\n").expect("this is TOML");
    let path = ["dependencies", "a"];
    assert_eq!(only_that_differs(&document.root, "[dependencies]\na = '2'\nb = ['x']\n", &path, "2"), Ok(()));
    for wrong in [
        "[dependencies]\na = '2'\nb = ['y']\n",
        "[dependencies]\na = '2'\n",
        "[dependencies]\na = 2\nb = ['x']\n",
        "a = ",
    ] {
        assert!(only_that_differs(&document.root, wrong, &path, "2").is_err(), "{wrong}");
    }
}

#[test]
fn an_optional_entry_knows_the_features_that_turn_it_on() {
    let text = "[features]\nextra = ['dep:a']\nmore = ['extra', 'a?/std']\nown = ['b/std']\n[dependencies]\n\
                a = { version = '1', optional = true }\nb = { version = '1', optional = true }\nc = '1'\n";
    assert_eq!(entry_of(text, "dependencies", "a").switches, ["extra"]);
    assert_eq!(entry_of(text, "dependencies", "b").switches, ["b", "own"]);
    assert!(entry_of(text, "dependencies", "c").switches.is_empty());
}

#[test]
fn features_that_the_packages_own_features_turn_on_in_a_dependency_are_seen() {
    let text = "[dependencies]\na = '1'\nb = '1'\n[features]\nx = ['a/one', 'a?/two', 'b', 'dep:b']\ny = ['a/one', 'ab/three']\n";
    assert_eq!(entry_of(text, "dependencies", "a").forwarded, ["one", "two"]);
    assert!(entry_of(text, "dependencies", "b").forwarded.is_empty());
}
