//! Recorded answers of the companion's `edit`, judged.

use super::*;

fn project() -> Project {
    let lockfile = Some("go.sum".into());
    Project { lockfile, ..Project::of(EcosystemKind::Go, ".", &["go.mod"]) }
}

fn outlook(unknown_age: UnknownAge) -> Outlook {
    Outlook { unknown_age, ..Outlook::of("2026-01-10T00:00:00Z") }
}

fn judged_with(edited: &str, untidy: &Untidy, unknown_age: UnknownAge) -> Result<Applied, Box<Reason>> {
    let edited: Edited = serde_json::from_str(edited).unwrap();
    let (project, to) = (project(), Version::parse("v1.1.0").unwrap());
    let asked = Asked {
        raises: &[Raise { name: "ex.com/a", to: &to }],
        project: &project,
        outlook: outlook(unknown_age),
        untidy,
        held: &[(".".to_owned(), "ex.com/held".to_owned()), ("app".to_owned(), "ex.com/a".to_owned())].into(),
    };
    judge(&asked, &edited)
}

fn judged(edited: &str) -> Result<Applied, Box<Reason>> {
    judged_with(edited, &Untidy::default(), UnknownAge::TooYoung)
}

/// The answer for a raise of `ex.com/a` to v1.1.0, with more fields.
fn raised(changes: &str, fields: &str) -> String {
    format!(
        r#"{{"changed_files": ["go.mod", "go.sum"],
            "changes": [{{"module_dir": ".", "path": "ex.com/a", "from": "v1.0.0", "to": "v1.1.0", "kind": "upgraded", "direct": true}}{changes}],
            "effective": {{"ex.com/a": {{"version": "v1.1.0", "no_op": false}}}}{fields}}}"#
    )
}

#[test]
fn a_raise_alone_is_applied_and_moves_nothing_else() {
    let applied = judged(&raised("", "")).unwrap();
    assert_eq!(applied, Applied::default());
}

#[test]
fn what_a_raise_drags_along_is_listed_when_it_is_old_enough() {
    let applied = judged(&raised(
        r#", {"module_dir": ".", "path": "ex.com/c", "from": "v1.0.1", "to": "v1.2.0", "kind": "upgraded", "direct": true, "time": "2026-01-06T00:00:00Z"}"#,
        r#", "build_list": [{"path": "ex.com/e", "to": "v0.2.0"}, {"path": "ex.com/a", "from": "v1.0.0", "to": "v1.1.0"}]"#,
    ))
    .unwrap();
    let moved: Vec<_> =
        applied.also_moved.iter().map(|one| (one.name.as_str(), one.from.as_deref(), one.to.as_deref())).collect();
    assert_eq!(moved, [("ex.com/c", Some("v1.0.1"), Some("v1.2.0")), ("ex.com/e", None, Some("v0.2.0"))]);
}

#[test]
fn a_dragged_module_that_is_too_young_refuses_the_raise_and_is_named() {
    let drag = |time: &str| {
        format!(
            r#", {{"module_dir": ".", "path": "ex.com/c", "from": "v1.0.1", "to": "v1.2.0", "kind": "upgraded", "direct": false{time}}}"#
        )
    };
    for (time, word) in [
        (r#", "time": "2026-01-08T00:00:00Z""#, "too young"),
        (r#", "time": "2026-02-01T00:00:00Z""#, "after the as-of instant"),
        ("", "no age"),
    ] {
        let reason = judged(&raised(&drag(time), "")).unwrap_err();
        assert_eq!(reason.kind, ReasonKind::DragsForbidden);
        assert!(reason.text.contains("ex.com/c v1.2.0") && reason.text.contains(word), "{}", reason.text);
    }
    assert!(judged_with(&raised(&drag(""), ""), &Untidy::default(), UnknownAge::Old).is_ok());
}

#[test]
fn a_module_that_a_comment_holds_is_not_moved_by_another_raise() {
    let change = r#", {"module_dir": ".", "path": "ex.com/held", "from": "v1.0.1", "to": "v1.2.0", "kind": "upgraded", "direct": true, "time": "2025-01-01T00:00:00Z"}"#;
    let reason = judged(&raised(change, "")).unwrap_err();
    assert_eq!(reason.kind, ReasonKind::DragsForbidden);
    assert!(reason.text.contains("ex.com/held v1.2.0"), "{}", reason.text);
}

#[test]
fn a_dependent_that_holds_the_module_asked_for_refuses_a_raise_of_its_line_and_no_other() {
    let in_folder = |dir: &str| {
        raised(
            &format!(
                r#", {{"module_dir": "{dir}", "path": "ex.com/a", "from": "v1.0.5", "to": "v1.1.0", "kind": "upgraded", "direct": true}}"#
            ),
            "",
        )
    };
    let reason = judged(&in_folder("app")).unwrap_err();
    assert_eq!(reason.kind, ReasonKind::DragsForbidden);
    assert!(reason.text.contains("ex.com/a v1.1.0 along, which a comment in app/go.mod holds"), "{}", reason.text);
    // Where the author says nothing the line moves, from a version of its own, and the policy hears of that.
    let moved = judged(&in_folder("other")).unwrap().also_moved;
    assert_eq!(moved, [super::moved("ex.com/a", "v1.0.5", "v1.1.0")]);
}

#[test]
fn a_module_that_moves_in_several_modules_from_other_versions_is_told_for_each() {
    let line = |dir: &str, from: &str, kind: &str| {
        format!(
            r#", {{"module_dir": "{dir}", "path": "ex.com/c", {from} "to": "v1.2.0", "kind": "{kind}", "direct": true, "time": "2025-01-01T00:00:00Z"}}"#
        )
    };
    let changes = [
        line(".", r#""from": "v1.0.0","#, "upgraded"),
        line("other", r#""from": "v1.1.0","#, "upgraded"),
        line("third", "", "added"),
    ];
    let moved = judged(&raised(&changes.concat(), "")).unwrap().also_moved;
    assert_eq!(moved, [super::moved("ex.com/c", "v1.0.0", "v1.2.0"), super::moved("ex.com/c", "v1.1.0", "v1.2.0")]);
}

#[test]
fn a_module_that_tidy_took_by_itself_is_judged_by_its_age_and_told() {
    let added = |time: &str| {
        raised(
            "",
            &format!(r#", "added_by_tidy": [{{"path": "ex.com/a/part", "version": "v0.1.0", "time": "{time}"}}]"#),
        )
    };
    let reason = judged(&added("2026-01-09T00:00:00Z")).unwrap_err();
    assert_eq!(reason.kind, ReasonKind::DragsForbidden);
    assert!(reason.text.contains("go mod tidy"), "{}", reason.text);
    let applied = judged(&added("2025-01-09T00:00:00Z")).unwrap();
    assert!(applied.notes[0].contains("ex.com/a/part v0.1.0"), "{:?}", applied.notes);
}

#[test]
fn an_age_that_was_looked_up_counts() {
    let change = r#", {"module_dir": "app", "path": "ex.com/c", "to": "v1.2.0", "kind": "added", "direct": false}"#;
    let mut edited: Edited = serde_json::from_str(&raised(change, "")).unwrap();
    let wanted = ModuleVersion { path: "ex.com/c".into(), version: "v1.2.0".into() };
    let to = Version::parse("v1.1.0").unwrap();
    let raises = [Raise { name: "ex.com/a", to: &to }];
    assert_eq!(undated(&edited, &raises), [wanted]);
    let probed =
        r#"{"versions": [{"path": "ex.com/c", "version": "v1.2.0", "time": "2025-01-01T00:00:00Z", "path_ok": true}]}"#;
    set_dates(&mut edited, &serde_json::from_str(probed).unwrap());
    assert_eq!(undated(&edited, &raises), []);
}

#[test]
fn anything_lower_refuses_the_raise() {
    let reason = judged(&raised(
        r#", {"module_dir": "app", "path": "ex.com/d", "from": "v1.1.0", "to": "v1.0.1", "kind": "downgraded", "direct": true}"#,
        "",
    ))
    .unwrap_err();
    assert_eq!(reason.kind, ReasonKind::WouldLower);
    assert!(reason.text.contains("lower ex.com/d from v1.1.0 to v1.0.1"), "{}", reason.text);
}

#[test]
fn a_direct_requirement_that_goes_refuses_the_raise_unless_tidy_takes_it_anyway() {
    let gone = |direct: bool| {
        raised(
            &format!(
                r#", {{"module_dir": ".", "path": "ex.com/d", "from": "v1.1.0", "kind": "removed", "direct": {direct}}}"#
            ),
            "",
        )
    };
    assert_eq!(judged(&gone(true)).unwrap_err().kind, ReasonKind::WouldLower);
    assert!(judged(&gone(false)).is_ok());
    let untidy = Untidy { unused: ["ex.com/d".to_owned()].into(), ..Untidy::default() };
    let applied = judged_with(&gone(true), &untidy, UnknownAge::TooYoung).unwrap();
    assert!(applied.notes[0].contains("took out ex.com/d v1.1.0"), "{:?}", applied.notes);
}

#[test]
fn a_go_line_that_rises_in_a_dependent_refuses_the_raise() {
    let reason = judged(&raised("", r#", "go": [{"module_dir": "app", "from": "1.21", "to": "1.24.0"}]"#)).unwrap_err();
    assert_eq!(reason.kind, ReasonKind::GoLine);
    assert!(reason.text.contains("app/go.mod from 1.21 to 1.24.0"), "{}", reason.text);
}

#[test]
fn a_go_line_that_gains_its_zero_is_told_and_refuses_nothing() {
    let applied = judged(&raised("", r#", "go": [{"module_dir": "app", "from": "1.24", "to": "1.24.0"}]"#)).unwrap();
    assert_eq!(applied.notes, ["the go line of app/go.mod changed from 1.24 to 1.24.0, which is the same language"]);
    let beside = r#", "go": [{"module_dir": "app", "from": "1.24", "to": "1.24.0"}, {"module_dir": ".", "from": "1.24", "to": "1.25"}]"#;
    assert_eq!(judged(&raised("", beside)).unwrap_err().kind, ReasonKind::GoLine);
}

#[test]
fn a_raise_behind_a_replace_is_refused_as_it_changes_no_code() {
    let reason = judged(
        r#"{"changes": [{"module_dir": ".", "path": "ex.com/a", "from": "v1.0.0", "to": "v1.1.0", "kind": "upgraded", "direct": true}],
            "effective": {"ex.com/a": {"version": "v1.1.0", "replaced": {"path": "ex.com/fork", "version": "v1.0.0"}, "no_op": true}}}"#,
    )
    .unwrap_err();
    assert_eq!(reason.kind, ReasonKind::Replaced);
    assert!(reason.text.contains("ex.com/fork v1.0.0"), "{}", reason.text);
}

#[test]
fn a_requirement_that_nothing_imports_is_no_upgrade() {
    let reason = judged(
        r#"{"changes": [{"module_dir": ".", "path": "ex.com/a", "from": "v1.0.0", "kind": "removed", "direct": true}], "effective": {}}"#,
    )
    .unwrap_err();
    assert_eq!(reason.kind, ReasonKind::Unused);
}

#[test]
fn a_version_that_is_there_already_is_applied_and_says_why() {
    let applied =
        judged(r#"{"changed_files": [], "changes": [], "effective": {"ex.com/a": {"version": "v1.1.0"}}}"#).unwrap();
    assert_eq!(applied.notes, ["an upgrade before it brought it along"]);
}

#[test]
fn a_version_above_the_one_asked_for_is_never_lowered_to_it() {
    let reason = judged(
        r#"{"changes": [
                {"module_dir": ".", "path": "ex.com/0", "from": "v1.3.0", "to": "v1.1.0", "kind": "downgraded", "direct": true},
                {"module_dir": ".", "path": "ex.com/a", "from": "v1.3.0", "to": "v1.1.0", "kind": "downgraded", "direct": true}],
            "effective": {"ex.com/a": {"version": "v1.1.0"}}}"#,
    )
    .unwrap_err();
    assert_eq!(reason.kind, ReasonKind::WouldLower);
    assert!(reason.text.contains("v1.3.0, which is above v1.1.0"), "{}", reason.text);
}

#[test]
fn a_raise_of_an_indirect_module_that_tidy_takes_back_is_told_as_unused() {
    for effective in ["{}", r#"{"ex.com/a": {"version": "v1.0.0", "no_op": false}}"#] {
        let edited = format!(r#"{{"changed_files": [], "changes": [], "effective": {effective}}}"#);
        let reason = judged(&edited).unwrap_err();
        assert_eq!(reason.kind, ReasonKind::Unused);
        assert!(reason.text.contains("`go mod tidy` takes the raise to v1.1.0 back"), "{}", reason.text);
    }
}

#[test]
fn without_pruning_the_build_list_is_judged_as_requirements_are() {
    let list = |one: &str| format!(r#", "unpruned": true, "build_list": [{one}]"#);
    let lower = judged(&raised("", &list(r#"{"path": "ex.com/c", "from": "v1.2.0", "to": "v1.1.0"}"#))).unwrap_err();
    assert_eq!(lower.kind, ReasonKind::WouldLower);
    assert!(lower.text.contains("ex.com/c from v1.2.0 to v1.1.0"), "{}", lower.text);
    let young = r#"{"path": "ex.com/c", "from": "v1.1.0", "to": "v1.2.0", "time": "2026-01-09T00:00:00Z"}"#;
    assert_eq!(judged(&raised("", &list(young))).unwrap_err().kind, ReasonKind::DragsForbidden);
    let old = r#"{"path": "ex.com/c", "from": "v1.1.0", "to": "v1.2.0", "time": "2025-01-09T00:00:00Z"}"#;
    assert_eq!(judged(&raised("", &list(old))).unwrap().also_moved.len(), 1);
}

#[test]
fn a_line_that_only_says_what_the_build_had_already_is_no_move() {
    let listed = r#", {"module_dir": ".", "path": "ex.com/c", "to": "v1.2.0", "kind": "listed", "direct": false}"#;
    assert_eq!(judged(&raised(listed, "")).unwrap().also_moved, []);
}
