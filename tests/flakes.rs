//! Trust in tests that flap: they reject no good upgrade and let in no bad one, and what ran was what had to run. Each test
//! of the fixture counts its runs in a folder outside of every tree, and fails in those that it is told to.

mod soak;

use std::path::PathBuf;

use serde_json::Value;

use crate::common::{Env, FLAKE_BUDGET, Ran, VERIFY_RUNS, names, shared, text};

/// The world of the fixture, with `COUNTS` set; each test named here fails in these runs.
fn counted(red: &[(&str, &str)]) -> (Env, PathBuf) {
    let mut env = Env::new("flaky_tests");
    let counts = env.world.root.join("counts");
    std::fs::create_dir(&counts).unwrap();
    for (test, runs) in red {
        std::fs::write(counts.join(format!("{test}.red")), runs).unwrap();
    }
    env.set("COUNTS", counts.to_str().unwrap());
    (env, counts)
}

/// How often a test of the fixture ran.
fn runs(counts: &std::path::Path, test: &str) -> usize {
    std::fs::metadata(counts.join(test)).map_or(0, |found| usize::try_from(found.len()).unwrap())
}

/// The trials whose names begin so.
fn trials<'a>(ran: &'a Ran, prefix: &str) -> Vec<&'a Value> {
    let all = ran.report["trials"].as_array().unwrap_or_else(|| panic!("no report: {}", ran.said()));
    all.iter().filter(|trial| text(trial, "id").starts_with(prefix)).collect()
}

/// The commands of a trial's tests, with those that ran once more.
fn commands(trial: &Value) -> Vec<String> {
    let cells = trial["cells"].as_array().unwrap().iter().filter(|cell| cell["check"] == "test");
    let again = |cell: &Value| cell["again"].as_array().cloned().unwrap_or_default();
    cells
        .flat_map(|cell| std::iter::once(cell.clone()).chain(again(cell)))
        .map(|cell| text(&cell, "command").to_owned())
        .collect()
}

/// The trials in short, for the message of a failed assertion.
fn told(ran: &Ran) -> String {
    let line = |trial: &&Value| {
        format!("{} {}: {}\n{:#?}", text(trial, "id"), text(trial, "verdict"), text(trial, "text"), commands(trial))
    };
    trials(ran, "").iter().map(line).collect::<Vec<_>>().join("\n")
}

/// How many commands of the run begin so.
fn with(ran: &Ran, words: &str) -> usize {
    trials(ran, "").into_iter().flat_map(commands).filter(|command| command.starts_with(words)).count()
}

const SAFE: &[&str] = &["-p", "left", "-p", "demo.test/fine"];

#[test]
fn a_flaky_test_rejects_no_good_upgrade_and_only_that_test_runs_again() {
    // Green in the first baseline, red in the second and in the trial, green when it runs by itself.
    let (env, counts) = counted(&[("flaps", "2 3"), ("TestFlaps", "2 3")]);
    let ran = env.run(SAFE);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(ran.upgrades(), ["left 1.0.0 -> 1.0.1", "demo.test/fine v1.0.0 -> v1.1.0"]);
    let of_trial = commands(trials(&ran, "t")[0]);
    let alone: Vec<&String> = of_trial.iter().filter(|one| one.contains("flaps") || one.contains("Flaps")).collect();
    assert_eq!(alone.len(), 2, "{of_trial:#?}\n{}", told(&ran));
    assert!(alone[0].ends_with("--lib -- --exact flaps"), "{alone:?}");
    assert!(alone[1].contains("(TestFlaps)") && alone[1].ends_with("demo.test/svc/one -count=1"), "{alone:?}");
    assert_eq!(runs(&counts, "flaps"), runs(&counts, "holds_left") + 1, "{}", told(&ran));
    assert_eq!(runs(&counts, "TestFlaps"), runs(&counts, "TestHolds") + 1, "{}", told(&ran));
}

#[test]
fn what_flapped_is_told_with_the_trials_in_which_it_did() {
    let (env, _) = counted(&[("flaps", "2 3")]);
    let ran = env.run(&["-p", "left"]);
    let flapped = ran.report["flapped"].as_array().unwrap();
    assert_eq!(flapped.len(), 1, "{flapped:#?}");
    assert_eq!(text(&flapped[0], "test"), "ada src/lib.rs flaps");
    assert_eq!(flapped[0]["failed_in"], serde_json::json!(["baseline-2", "t1"]));
    assert!(ran.stdout.contains("ada src/lib.rs flaps (test of cargo .): passed"), "{}", ran.said());
    let markdown = env.run(&["report", "--format", "markdown"]).stdout;
    assert!(markdown.contains("- `ada src/lib.rs flaps (test of cargo .)`: passed "), "{markdown}");
    assert!(ran.stderr.contains("1 test did not end the same way each time"), "{}", ran.said());
}

#[test]
fn a_flaky_test_that_never_passes_again_is_red_on_the_base_too_and_holds_no_upgrade() {
    let all: Vec<String> = (2..100).map(|run| run.to_string()).collect();
    let (env, _) = counted(&[("flaps", &all.join(" "))]);
    let ran = env.run(&["-p", "left"]);
    assert_eq!((ran.code, ran.upgrades()), (0, vec!["left 1.0.0 -> 1.0.1".to_owned()]), "{}", told(&ran));
    let first = trials(&ran, "t")[0];
    assert_eq!(commands(first).len(), 8, "once in its check and seven times by itself: {}", told(&ran));
    assert!(text(first, "text").contains("known to be flaky, in 8 of 8 runs"), "{}", told(&ran));
    assert_eq!(trials(&ran, "again").len(), 2, "with it and without it: {}", told(&ran));
}

#[test]
fn a_test_that_turns_out_to_be_flaky_on_the_base_runs_again_by_itself_from_then_on() {
    // Green in both baselines; red in the trial, then now and then with the upgrade, and at once without it.
    let (env, counts) = counted(&[("holds_left", "3 4 6 9")]);
    let ran = env.run(&["-p", "left"]);
    assert_eq!(ran.upgrades(), ["left 1.0.0 -> 1.0.1"], "{}", told(&ran));
    assert!(runs(&counts, "holds_left") > 6, "{}", told(&ran));
    let silent: Vec<&Value> =
        trials(&ran, "t").into_iter().filter(|trial| text(trial, "verdict") == "inconclusive").collect();
    assert!(silent.is_empty(), "{}", told(&ran));
    let second = env.run(&["-p", "left"]);
    let flaky = &second.report["projects"][0]["flaky"];
    assert_eq!(*flaky, serde_json::json!(["ada src/lib.rs holds_left"]), "the next run knows it: {}", told(&second));
}

#[test]
fn a_test_that_flapped_makes_other_failures_no_harder_to_prove() {
    let (env, _) = counted(&[("flaps", "2")]);
    env.write("bob/src/lib.rs", "#[test]\nfn stands() {\n    assert!(wobbly::is_steady());\n}\n");
    env.git(&["commit", "--quiet", "--all", "--message=A test that fails each time"]);
    let again = |ran: &Ran| {
        assert_eq!(ran.why("wobbly"), "test_failed", "{}", told(ran));
        trials(ran, "again").len()
    };
    let first = env.run(&["-p", "wobbly"]);
    assert_eq!(first.report["flapped"].as_array().unwrap().len(), 1, "{}", told(&first));
    env.git(&["commit", "--quiet", "--allow-empty", "--message=Another base"]);
    let second = env.run(&["-p", "wobbly"]);
    assert_eq!(second.report["projects"][0]["flaky"].as_array().unwrap().len(), 1, "it is remembered");
    assert_eq!((again(&first), again(&second)), (2, 2), "five runs with it, five without: {}", told(&first));
    assert!(
        text(trials(&first, "again")[0], "text").ends_with("fails: `bob src/lib.rs stands`, in 5 of 5 runs"),
        "{}",
        told(&first)
    );
}

#[test]
fn a_failure_never_seen_before_is_believed_within_its_trial_and_never_run_until_it_is_green() {
    let (env, _) = counted(&[("holds_left", "3")]);
    let ran = env.run(&["-p", "left"]);
    let first = trials(&ran, "t")[0];
    assert_eq!(text(first, "verdict"), "failed", "{}", told(&ran));
    assert_eq!(commands(first), ["cargo test -p ada --locked --no-fail-fast"], "{}", told(&ran));
}

#[test]
fn only_what_depends_on_the_change_is_tested_before_the_whole_matrix() {
    let (env, counts) = counted(&[]);
    let ran = env.run(SAFE);
    assert_eq!(ran.upgrades(), ["left 1.0.0 -> 1.0.1", "demo.test/fine v1.0.0 -> v1.1.0"]);
    let expected = ["cargo test -p ada --locked --no-fail-fast", "go test -json demo.test/svc/one"];
    assert_eq!(commands(trials(&ran, "t")[0]), expected, "{}", told(&ran));
    let whole = with(&ran, "cargo test --workspace");
    assert!(whole >= 3, "twice the base, and what is published: {}", told(&ran));
    assert_eq!((runs(&counts, "stands"), runs(&counts, "TestAlone")), (whole, whole), "{}", told(&ran));
}

/// Go's cache does not know of the file that the test reads, and would answer for it.
#[test]
fn a_cached_go_test_does_not_pass_for_one_that_ran() {
    let (env, counts) = counted(&[]);
    let ran = env.run(&["-p", "demo.test/fine"]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    let fresh = with(&ran, "go test -json ./... -count=1");
    assert!(fresh >= 3, "{}", told(&ran));
    assert_eq!(runs(&counts, "TestAlone"), fresh, "{}", told(&ran));
}

#[test]
fn a_check_that_falls_at_times_without_a_name_is_no_evidence_and_is_told() {
    let (env, _) = counted(&[]);
    let script = "printf . >> \"$COUNTS/script\"; case $(wc -c < \"$COUNTS/script\") in 2|3) exit 1;; esac";
    let command = serde_json::to_string(&["sh", "-c", script]).unwrap();
    let check = format!("[[check]]\nname = \"script\"\necosystem = \"cargo\"\ncommand = {command}\n");
    env.write("xupgrade.toml", &format!("pass-env = [\"COUNTS\"]\n{check}"));
    let ran = env.run(&["-p", "left"]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(ran.upgrades(), ["left 1.0.0 -> 1.0.1"]);
    assert_eq!(text(trials(&ran, "t")[0], "verdict"), "inconclusive");
    assert!(ran.stderr.contains("the script of cargo . passed once and failed once"), "{}", ran.said());
    let flapped = &ran.report["flapped"];
    assert_eq!((flapped[0]["check"].as_str(), flapped[0]["test"].as_str()), (Some("script"), None), "{flapped:#}");
}

#[test]
fn a_process_killed_from_outside_and_a_dead_network_are_no_evidence() {
    let run = shared("noise_kinds", &[]);
    assert_eq!(run.ran.code, 3, "{}", run.ran.said());
    assert_eq!((run.ran.why("deaf"), run.ran.why("killed")), ("inconclusive", "inconclusive"));
    assert!(run.ran.words("deaf").contains("network"), "{}", run.ran.words("deaf"));
    assert!(run.ran.words("killed").contains("killed from outside"), "{}", run.ran.words("killed"));
    assert!(names(&run.ran.report, "upgrades").is_empty());
}

#[test]
fn an_upgrade_that_makes_a_test_flaky_does_not_get_in() {
    let (env, _) = counted(&[]);
    let ran = env.run(&["-p", "left", "-p", "wobbly", VERIFY_RUNS, "2"]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(ran.upgrades(), ["left 1.0.0 -> 1.0.1"]);
    assert_eq!(ran.why("wobbly"), "test_failed");
}

#[test]
fn the_tests_of_what_is_published_run_again_and_again_and_the_report_says_what_that_excludes() {
    let (env, counts) = counted(&[]);
    let ran = env.run(&["-p", "left", FLAKE_BUDGET, "60"]);
    let steady = ran.report["steady"].as_array().unwrap();
    let stated: Vec<_> = steady.iter().map(|one| (text(one, "project"), &one["runs"], &one["excluded"])).collect();
    assert_eq!(stated, [("cargo .", &21.into(), &0.2.into())], "no Go module moved: {}", ran.said());
    assert_eq!(runs(&counts, "stands"), 2 + 21, "twice on the base: {}", told(&ran));
    let line = "the test of cargo . passed 21 times, which excludes (at 99 %) a test that the upgrades make fail in 20 % of its runs";
    assert!(ran.stdout.contains(line), "{}", ran.said());
    let markdown = env.run(&["report", "--format", "markdown"]).stdout;
    assert!(markdown.contains("passed 21 times, which excludes (at 99 %)"), "{markdown}");
}

#[test]
fn runs_of_the_whole_matrix_in_which_another_test_fails_each_time_count_test_by_test() {
    let (env, _) = counted(&[("flaps", "4"), ("holds_left", "5")]);
    let ran = env.run(&["-p", "left", VERIFY_RUNS, "2"]);
    assert_eq!((ran.code, ran.upgrades()), (0, vec!["left 1.0.0 -> 1.0.1".to_owned()]), "{}", told(&ran));
    let full = trials(&ran, "full");
    let cleared: Vec<_> = full.iter().map(|trial| (text(trial, "verdict"), trial["cleared"].clone())).collect();
    let red = |test: &str| ("passed", serde_json::json!([format!("ada src/lib.rs {test}")]));
    assert_eq!(cleared, [red("flaps"), red("holds_left"), ("passed", Value::Null)], "{}", told(&ran));
    let words = "counts as passed: `ada src/lib.rs flaps` fails, as far as seen for no upgrade's sake";
    assert!(ran.stderr.contains(words), "{}", ran.said());
    let again = commands(trials(&ran, "again").last().unwrap());
    assert!(again.iter().all(|command| command.ends_with("--lib")), "the second time with all of its unit: {again:?}");
}

#[test]
fn a_test_that_fails_on_the_base_at_times_holds_nothing_when_what_is_published_runs_again_and_again() {
    let red: Vec<String> = (4..200).filter(|run| run % 3 == 0).map(|run| run.to_string()).collect();
    let (env, _) = counted(&[("flaps", &red.join(" "))]);
    let ran = env.run(&["-p", "left", FLAKE_BUDGET, "60"]);
    assert_eq!((ran.code, ran.upgrades()), (0, vec!["left 1.0.0 -> 1.0.1".to_owned()]), "{}", told(&ran));
}

#[test]
fn a_failure_that_no_further_run_answers_for_is_inconclusive_and_no_failed_test() {
    let (env, _) = counted(&[]);
    let network = "failed to lookup address information";
    let test = format!(
        "#[cfg(test)]\n#[path = \"../../count.rs\"]\nmod count;\n\n#[test]\nfn stands() {{\n    \
         if !wobbly::is_steady() {{\n        let run = count::run_of(\"stands\");\n        \
         panic!(\"{{}}\", if run == 1 {{ \"red\" }} else {{ \"{network}\" }});\n    }}\n}}\n"
    );
    env.write("bob/src/lib.rs", &test).commit();
    let ran = env.run(&["-p", "wobbly"]);
    assert_eq!((ran.code, ran.why("wobbly")), (0, "inconclusive"), "{}", ran.said());
    assert!(
        ran.words("wobbly").ends_with("fails: `bob src/lib.rs stands`, which no further run confirmed"),
        "{}",
        ran.said()
    );
}
