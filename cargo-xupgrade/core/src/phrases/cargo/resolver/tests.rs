//! Recorded words of cargo 1.95.0, paths shortened; each test says the command.

use super::*;
use crate::phrases::one_line;

fn all(named: &[Named]) -> Vec<String> {
    named.iter().map(|one| format!("{} {}", one.name, one.version)).collect()
}

/// `cargo update tempfile --precise 3.27.0` on sharkdp/hyperfine at 981db9d.
const LOCKED: &str = r#"    Updating crates.io index
error: failed to select a version for `once_cell`.
    ... required by package `tempfile v3.27.0`
    ... which satisfies dependency `tempfile = "^3.9"` of package `hyperfine v1.18.0 (/r/hyperfine)`
versions that meet the requirements `^1.19.0` are: 1.21.4, 1.21.3, 1.21.2, 1.21.1, 1.21.0, 1.20.3, 1.20.2, 1.20.1, 1.19.0

all possible versions conflict with previously selected packages.

  previously selected package `once_cell v1.18.0`
    ... which satisfies dependency `once_cell = "^1.17"` (locked to 1.18.0) of package `hyperfine v1.18.0 (/r/hyperfine)`

failed to select a version for `once_cell` which could resolve this conflict
"#;

/// `cargo update syn@2 --precise 2.0.37` on a package that requires bindgen 0.69.
const RANGE: &str = r#"    Updating crates.io index
error: failed to select a version for the requirement `syn = "^2.0.105"`
candidate versions found which didn't match: 2.0.37
location searched: crates.io index
required by package `prettyplease v0.2.37`
    ... which satisfies dependency `prettyplease = "^0.2.7"` (locked to 0.2.37) of package `bindgen v0.69.5`
    ... which satisfies dependency `bindgen = "^0.69"` (locked to 0.69.5) of package `app v0.1.0 (/r/app)`
"#;

/// `cargo generate-lockfile` on a package that requires libsqlite3-sys 0.26 and rusqlite 0.30.
const LINKS: &str = r#"    Updating crates.io index
error: failed to select a version for `libsqlite3-sys`.
    ... required by package `rusqlite v0.30.0`
    ... which satisfies dependency `rusqlite = "^0.30"` of package `app v0.1.0 (/r/app)`
versions that meet the requirements `^0.27.0` are: 0.27.0

package `libsqlite3-sys` links to the native library `sqlite3`, but it conflicts with a previous package which links to `sqlite3` as well:
package `libsqlite3-sys v0.26.0`
    ... which satisfies dependency `libsqlite3-sys = "^0.26"` of package `app v0.1.0 (/r/app)`
Only one package in the dependency graph may specify the same links value.

failed to select a version for `libsqlite3-sys` which could resolve this conflict
"#;

/// `cargo update thiserror --precise 9.9.9` on sharkdp/hyperfine at 981db9d.
const UNKNOWN: &str = r"    Updating crates.io index
error: no matching package named `thiserror` found
location searched: crates.io index
required by package `hyperfine v1.18.0 (/r/hyperfine)`
";

#[test]
fn a_conflict_names_the_locked_package_that_stands_in_the_way() {
    for words in [LOCKED, &one_line(LOCKED)] {
        assert!(is_version_conflict(words));
        assert_eq!(unsolved(words), Some("once_cell"));
        assert_eq!(all(&previously_selected(words)), ["once_cell 1.18.0"]);
        assert_eq!(all(&locked(words)), ["once_cell 1.18.0"]);
        assert_eq!(all(required_by(words).as_slice()), ["tempfile 3.27.0"]);
        assert_eq!((unmatched(words), linked_before(words), unknown_package(words)), (None, None, None));
    }
}

#[test]
fn a_range_without_a_match_names_who_requires_it_and_is_no_conflict() {
    for words in [RANGE, &one_line(RANGE)] {
        assert!(!is_version_conflict(words));
        assert_eq!(unsolved(words), Some("syn"));
        assert_eq!(unmatched(words), Some(("syn", "^2.0.105")));
        assert!(previously_selected(words).is_empty());
        assert_eq!(all(&locked(words)), ["prettyplease 0.2.37", "bindgen 0.69.5"]);
        assert_eq!(all(required_by(words).as_slice()), ["prettyplease 0.2.37"]);
    }
}

#[test]
fn a_clash_over_a_native_library_names_the_package_that_was_there_first() {
    for words in [LINKS, &one_line(LINKS)] {
        assert!(!is_version_conflict(words) && previously_selected(words).is_empty());
        assert_eq!(unsolved(words), Some("libsqlite3-sys"));
        assert_eq!(all(linked_before(words).as_slice()), ["libsqlite3-sys 0.26.0"]);
        assert_eq!(all(required_by(words).as_slice()), ["rusqlite 0.30.0"]);
    }
}

#[test]
fn a_version_that_nobody_shows_is_told_as_a_package_that_is_not_there() {
    assert_eq!(unknown_package(UNKNOWN), Some("thiserror"));
    assert_eq!((unsolved(UNKNOWN), is_version_conflict(UNKNOWN)), (None, false));
}

#[test]
fn several_packages_are_named_once_each_in_the_order_of_the_words_whatever_their_source() {
    let words = "all possible versions conflict with previously selected packages.\n\n  previously selected package \
        `b v2.0.0-rc.1+x (registry `corp`)`\n  previously selected package `a v1.0.0 (/r/a)`\n  previously selected \
        package `b v2.0.0-rc.1+x (registry `corp`)`\n    ... which satisfies path dependency `a` (locked to 1.0.0) of \
        package `c v1.0.0`";
    assert_eq!(all(&previously_selected(words)), ["b 2.0.0-rc.1+x", "a 1.0.0"]);
    assert_eq!(all(&locked(words)), ["a 1.0.0"]);
}

#[test]
fn words_that_are_cut_off_name_nothing() {
    for words in ["previously selected package `once_ce", "dependency `x` (locked to ", "required by package `a v"] {
        assert!(previously_selected(words).is_empty() && locked(words).is_empty(), "{words}");
        assert_eq!(required_by(words), None, "{words}");
    }
}
