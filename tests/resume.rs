//! A run that was killed is taken up by the next one: nothing runs twice, nothing is lost, nothing is left behind.

mod killed;

use std::path::PathBuf;

use crate::common::process::{VARIABLE, assert_none_left, mark};
use crate::common::{Env, Ran, VERIFY_RUNS, text};
use killed::{Counted, Facts};

/// Runs until the n-th cell of a trial has ended, and kills the tool.
fn kill_after_cells(counted: &Counted, args: &[&str], cells: usize) {
    let mut run = counted.env.start(args);
    for _ in 0..cells {
        run.wait_for("a cell ended", |event| event["event"] == "cell-ended");
    }
    run.signal("KILL");
    run.end(&counted.env);
    assert_none_left(&counted.mark);
}

/// The lines of events of a kind.
fn events(ran: &Ran, kind: &str) -> usize {
    ran.stdout.lines().filter(|line| line.contains(&format!("\"event\":\"{kind}\""))).count()
}

#[test]
fn a_killed_run_is_taken_up_with_all_that_it_had_found() {
    let counted = Counted::new("breaks_build");
    kill_after_cells(&counted, &[], 3);
    let before = Facts::of(counted.env.repo());
    assert!(before.count() >= 3, "{before:?}");
    let ran = counted.env.run(&["--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert!(ran.stdout.contains("resuming the run of"), "{}", ran.said());
    assert_eq!(events(&ran, "cell-known"), before.count(), "{}", ran.said());
    assert_eq!(ran.why("gone"), "build_failed");
    let log = counted.env.repo().join("xupgrade.out").join(text(&ran.report["trials"][0]["cells"][0], "log"));
    assert!(log.is_file(), "the log of a known cell is gone");
}

#[test]
fn what_a_tree_needs_is_downloaded_once_however_many_trials_stand_on_it() {
    let counted = Counted::of("lock_only", "fetch");
    let ran = counted.env.run(&[VERIFY_RUNS, "2"]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(
        ran.report["trials"].as_array().unwrap().len(),
        5,
        "two on the base, three with all upgrades: {}",
        ran.said()
    );
    assert_eq!(counted.starts(), 2);
}

#[test]
fn another_commit_another_flag_and_the_word_never_start_afresh() {
    let counted = Counted::new("breaks_build");
    kill_after_cells(&counted, &[], 1);
    let known = |args: &[&str]| {
        let ran = counted.env.run(&[args, &["--format", "json"]].concat());
        assert_eq!(ran.code, 0, "{}", ran.said());
        (events(&ran, "cell-known"), ran)
    };
    let (cells, ran) = known(&["-p", "fine"]);
    assert!(cells == 0 && ran.stdout.contains("its flags or its configuration were others"), "{}", ran.said());
    kill_after_cells(&counted, &[], 1);
    assert_eq!(known(&["--resume", "never"]).0, 0);
    kill_after_cells(&counted, &[], 1);
    counted.env.git(&["commit", "--quiet", "--allow-empty", "--message=Another"]);
    let (cells, ran) = known(&[]);
    assert!(cells == 0 && ran.stdout.contains("another commit"), "{}", ran.said());
}

#[test]
fn in_another_environment_no_cell_is_known() {
    let mut counted = Counted::new("breaks_build");
    kill_after_cells(&counted, &[], 2);
    counted.env.set("TZ", "Etc/GMT+5");
    let ran = counted.env.run(&["--format", "json"]);
    assert_eq!((ran.code, events(&ran, "cell-known")), (0, 0), "{}", ran.said());
    assert!(ran.stdout.contains("no cell of the interrupted run is known"), "{}", ran.said());
}

#[test]
fn another_plan_starts_afresh_also_where_the_lockfile_is_not_in_git() {
    let counted = Counted::new("checkout_lock_untracked");
    let usual = counted.env.run(&[]);
    kill_after_cells(&counted, &[], 1);
    let journal = counted.env.repo().join("xupgrade.out/journal.jsonl");
    let lines = std::fs::read_to_string(&journal).unwrap();
    let header: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    // Dated back to a day with other releases; not left at today's, as both runs may fall into one second.
    let then = "2001-01-01T00:00:00Z";
    std::fs::write(&journal, lines.replacen(text(&header, "as_of"), then, 1)).unwrap();
    let ran = counted.env.run(&["--format", "json"]);
    assert_eq!((ran.code, ran.upgrades(), events(&ran, "cell-known")), (0, usual.upgrades(), 0), "{}", ran.said());
    assert!(ran.stdout.contains("the registries now give another plan"), "{}", ran.said());
    assert!(text(&ran.report, "as_of") > then, "it looks at the registries of today");
}

#[test]
fn where_there_is_nothing_to_resume_always_is_a_mistake_and_clears_nothing() {
    let env = Env::new("lock_only");
    assert_eq!(env.run(&["--resume", "always"]).code, 2);
    assert_eq!(env.run(&[]).code, 0);
    let report = env.repo().join("xupgrade.out/report.json");
    let before = std::fs::read(&report).unwrap();
    let ran = env.run(&["--resume", "always"]);
    assert!(ran.code == 2 && ran.stderr.contains("no interrupted run"), "{}", ran.said());
    assert_eq!(std::fs::read(&report).unwrap(), before);
}

#[test]
fn two_clones_that_name_one_output_folder_do_not_share_it() {
    let (mark, mut env) = (mark(), Env::new("hangs"));
    env.set(VARIABLE, &mark);
    env.write("xupgrade.toml", &format!("pass-env = [\"{VARIABLE}\"]\n"));
    let out = env.world.root.join("out").display().to_string();
    let other = env.world.root.join("other").display().to_string();
    env.git(&["clone", "--quiet", ".", &other]);
    let mut first = env.start(&["--out", &out]);
    first.wait_for("a cell began", |event| event["event"] == "cell-began");
    let second = env.run(&["--repo", &other, "--out", &out]);
    assert_eq!(second.code, 1, "{}", second.said());
    let words = [format!("writes into {out} (process {}", first.id())];
    assert!(words.iter().all(|words| second.stderr.contains(words)), "{}", second.stderr);
    first.signal("INT");
    assert_eq!(first.end(&env).code, 130);
    assert_none_left(&mark);
}

#[test]
fn a_run_that_was_killed_before_it_copied_what_was_remembered_forgets_nothing() {
    let counted = Counted::new("breaks_build");
    assert_eq!(counted.env.run(&[]).code, 0);
    counted.env.git(&["commit", "--quiet", "--allow-empty", "--message=Another base"]);
    kill_after_cells(&counted, &[], 1);
    std::fs::remove_file(counted.env.repo().join("xupgrade.out/history.json")).unwrap();
    let ran = counted.env.run(&["--resume", "always"]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    let gone: Vec<_> = searched(&ran).into_iter().filter(|all| all.iter().any(|one| one.contains(":gone@"))).collect();
    assert!(gone.iter().all(|fresh| fresh.len() == 1), "it failed before: {gone:?}");
}

/// The trials of the search, as the names of what was new in each.
fn searched(ran: &Ran) -> Vec<Vec<String>> {
    let trials = ran.report["trials"].as_array().unwrap().iter().filter(|one| text(one, "id").starts_with('t'));
    trials
        .map(|trial| {
            let atoms: Vec<String> = serde_json::from_value(trial["atoms"].clone()).unwrap();
            atoms[atoms.len() - usize::try_from(trial["fresh"].as_u64().unwrap()).unwrap()..].to_vec()
        })
        .collect()
}

/// Where it is kept what runs on the repository learnt.
fn history(env: &Env) -> PathBuf {
    let mut caches = env.world.root.join("cache").read_dir().unwrap().flatten().map(|entry| entry.path());
    caches.find_map(|path| Some(path.join("history.json")).filter(|file| file.is_file())).unwrap()
}

#[test]
fn what_another_run_learnt_between_a_kill_and_its_resume_is_not_forgotten() {
    let counted = Counted::new("breaks_build");
    kill_after_cells(&counted, &["-p", "fine"], 3);
    let other = counted.env.world.root.join("other").display().to_string();
    let between = counted.env.run(&["-p", "gone", "--out", &other]);
    let learnt = |name: &str| std::fs::read_to_string(history(&counted.env)).unwrap().contains(&format!("\"{name}\""));
    assert_eq!((between.code, learnt("gone")), (0, true), "{}", between.said());
    let ran = counted.env.run(&["-p", "fine", "--resume", "always"]);
    assert_eq!((ran.code, ran.upgrades().len()), (0, 1), "{}", ran.said());
    assert_eq!((learnt("fine"), learnt("gone")), (true, true));
}

#[test]
fn the_next_run_begins_with_what_this_one_learnt_and_a_broken_history_is_ignored_with_a_warning() {
    let env = Env::new("breaks_build");
    let first = env.run(&[]);
    env.git(&["commit", "--quiet", "--allow-empty", "--message=Another base"]);
    let second = env.run(&[]);
    assert_eq!((second.code, second.upgrades(), second.why("gone")), (0, first.upgrades(), "build_failed"));
    let gone = |ran: &Ran| {
        let all = searched(ran);
        all.into_iter().filter(|fresh| fresh.iter().any(|one| one.contains(":gone@"))).collect::<Vec<_>>()
    };
    assert!(gone(&first)[0].len() > 1, "nothing was known of it: {:?}", searched(&first));
    assert!(gone(&second).iter().all(|fresh| fresh.len() == 1), "it failed before: {:?}", searched(&second));
    std::fs::write(history(&env), "{\"torn").unwrap();
    let third = env.run(&[]);
    assert_eq!((third.code, third.upgrades()), (0, first.upgrades()), "{}", third.said());
    assert!(third.stderr.contains("warning: ") && third.stderr.contains("history.json is ignored"), "{}", third.stderr);
}
