//! Which interrupted runs are taken up.

use super::*;
use crate::state::journal::tests::header;

fn past(change: impl Fn(&mut Header)) -> Past {
    let mut header = Header { tool: TOOL.to_owned(), ..header() };
    change(&mut header);
    Past { header, facts: vec![], trials: vec![], end: None, length: 0 }
}

fn wanted() -> Wanted {
    Wanted { base: "base".into(), flags: "flags".into(), as_of: None }
}

/// Whether it is taken up, and what is said.
fn answer(past: Option<Past>, wanted: &Wanted, rule: ResumeRule) -> (Result<bool, String>, String) {
    let said = std::sync::Mutex::new(String::new());
    let listener = |event: &Event| {
        if let Event::Said { text } = event {
            said.lock().unwrap().push_str(text);
        }
    };
    let taken = take_up(past, wanted, rule, &listener).map(|past| past.is_some()).map_err(|error| error.to_string());
    (taken, said.into_inner().unwrap())
}

#[test]
fn an_interrupted_run_of_the_same_base_and_flags_is_taken_up_without_a_word_of_doubt() {
    for rule in [ResumeRule::Auto, ResumeRule::Always] {
        assert_eq!(answer(Some(past(|_| {})), &wanted(), rule), (Ok(true), String::new()));
    }
    assert_eq!(answer(Some(past(|_| {})), &wanted(), ResumeRule::Never), (Ok(false), String::new()));
}

#[test]
fn a_run_that_ended_its_work_is_not_taken_up_and_one_that_its_budget_ended_is() {
    let ended = |why| Some(Past { end: Some(why), ..past(|_| {}) });
    for (why, taken) in [(End::Done, false), (End::Budget, true), (End::Interrupted, true)] {
        assert_eq!(answer(ended(why), &wanted(), ResumeRule::Auto), (Ok(taken), String::new()));
    }
}

#[test]
fn where_nothing_can_be_resumed_always_is_an_error_and_auto_starts_afresh_and_says_why() {
    let as_of = Some(Instant::parse("2026-02-01T00:00:00Z").unwrap());
    let cases = [
        (past(|one| one.tool = "0".into()), wanted(), "another version"),
        (past(|one| one.base = "other".into()), wanted(), "another commit"),
        (past(|one| one.flags = "other".into()), wanted(), "flags"),
        (past(|_| {}), Wanted { as_of, ..wanted() }, "--as-of"),
    ];
    for (past, wanted, why) in cases {
        let (taken, said) = answer(Some(past.clone()), &wanted, ResumeRule::Auto);
        assert!(taken == Ok(false) && said.contains(why), "{said}");
        let (taken, _) = answer(Some(past), &wanted, ResumeRule::Always);
        assert!(taken.unwrap_err().contains(why));
    }
    assert!(answer(None, &wanted(), ResumeRule::Always).0.unwrap_err().contains("no interrupted run"));
    assert_eq!(answer(None, &wanted(), ResumeRule::Auto), (Ok(false), String::new()));
}

#[test]
fn the_same_instant_named_by_hand_is_no_obstacle() {
    let same = Wanted { as_of: Some(header().as_of), ..wanted() };
    assert_eq!(answer(Some(past(|_| {})), &same, ResumeRule::Auto), (Ok(true), String::new()));
}

#[test]
fn what_is_tried_changes_the_digest_of_the_flags_and_a_budget_does_not() {
    let digest = |change: &dyn Fn(&mut RunArgs)| {
        let mut args = RunArgs::default();
        change(&mut args);
        flags(&args, &Config::default())
    };
    let usual = digest(&|_| {});
    assert_eq!(usual, digest(&|args| args.search.max_trials = Some(3)));
    assert_eq!(usual, digest(&|args| args.selection.as_of = Some("2026-01-01T00:00:00Z".into())));
    assert_ne!(usual, digest(&|args| args.selection.only.push("serde".into())));
    assert_ne!(usual, digest(&|args| args.red.require_green = true));
    assert_ne!(usual, digest(&|args| args.manifest = crate::input::cli::ManifestRule::Always));
    let configured = Config::parse("exclude = [\"x\"]", "xupgrade.toml").unwrap();
    assert_ne!(usual, flags(&RunArgs::default(), &configured));
}
