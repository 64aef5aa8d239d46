//! Go versions that nobody named: what `go mod tidy` adds is chosen through the proxy view, by the rule on ages.

use crate::common::{AS_OF, Shared, shared, text};

fn go_mod(run: &Shared) -> String {
    run.env.git(&["show", &format!("{}:go.mod", text(&run.ran.report, "tip"))])
}

#[test]
fn what_tidy_adds_is_the_newest_release_that_is_old_enough() {
    let run = shared("go_view_tidy_adds", &["--as-of", AS_OF]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    let mut upgrades = run.ran.upgrades();
    upgrades.sort();
    assert_eq!(upgrades, ["demo.test/late v1.0.0 -> v1.1.0", "demo.test/old v1.0.0 -> v1.1.0"]);
    let manifest = go_mod(run);
    assert!(
        manifest.contains("demo.test/old/part v0.1.0") && manifest.contains("demo.test/late/part v0.1.0"),
        "{manifest}"
    );
    let moved = run.ran.upgrade("demo.test/old").to_string();
    assert!(moved.contains("`go mod tidy` took demo.test/old/part v0.1.0"), "{moved}");
}

#[test]
fn a_module_whose_releases_are_all_too_young_holds_the_upgrade_that_needs_it() {
    let run = shared("go_view_tidy_adds", &["--as-of", AS_OF]);
    assert_eq!(run.ran.why("demo.test/new"), "drags_forbidden");
    let words = run.ran.words("demo.test/new");
    assert!(words.contains("no version of demo.test/new/part is old enough; v0.1.0 came out on 2025-05-30"), "{words}");
    assert!(!words.contains("127.0.0.1"), "{words}");
}

#[test]
fn without_a_cooldown_the_as_of_instant_still_counts() {
    let run = shared("go_view_tidy_adds", &["--as-of", AS_OF, "--min-age", "0"]);
    assert_eq!(run.ran.upgrades().len(), 3, "{}", run.ran.said());
    let manifest = go_mod(run);
    assert!(
        manifest.contains("demo.test/old/part v0.2.0") && manifest.contains("demo.test/late/part v0.1.0"),
        "{manifest}"
    );
}
