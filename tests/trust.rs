//! What must never happen, where no other file of these tests has it: a candidate that blesses its own snapshot, and noise
//! that counts as evidence. `scripts/safeguards/README.md` lists all of them with their tests.

use crate::common::{Env, Shared, names, shared, text};

/// A test in the manner of insta, trybuild and snapbox: variables say what it does with a snapshot that does not fit.
const SNAPSHOT_TEST: &str = r#"
#[test]
fn it_is_as_expected() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/expected.txt");
    let says = |name: &str, word: &str| std::env::var(name).is_ok_and(|value| value == word);
    let real = format!("{}\n", shape::NAME);
    if std::fs::read_to_string(path).unwrap() == real || says("INSTA_FORCE_PASS", "1") {
        return;
    }
    let updates = [("INSTA_UPDATE", "always"), ("TRYBUILD", "overwrite"), ("SNAPSHOTS", "overwrite")];
    assert!(updates.iter().any(|(name, word)| says(name, word)), "it is {real}");
    std::fs::write(path, real).unwrap();
}
"#;

/// Cargo sets these for each test that it runs, unless they are set already.
fn with_variables(lines: &str) -> Env {
    let env = Env::new("cargo_self_blessing");
    env.write("src/lib.rs", SNAPSHOT_TEST).write(".cargo/config.toml", &format!("[env]\n{lines}\n")).commit();
    env
}

#[test]
fn a_repository_that_updates_its_snapshots_on_the_way_does_not_bless_those_of_a_candidate() {
    let overwrite = "TRYBUILD = \"overwrite\"\nSNAPSHOTS = \"overwrite\"";
    for lines in ["INSTA_UPDATE = \"always\"", "INSTA_FORCE_PASS = \"1\"", overwrite] {
        let ran = with_variables(lines).run(&[]);
        assert_eq!(ran.upgrades(), ["shape 1.0.0 -> 1.0.1"], "{lines}: {}", ran.said());
        assert_eq!(ran.upgrade("shape")["failed_above"][0]["reason"]["kind"], "test_failed", "{lines}");
    }
}

#[test]
fn snapshots_that_one_check_updated_are_as_they_were_for_the_next_one() {
    let env = Env::new("cargo_self_blessing");
    env.write("src/lib.rs", SNAPSHOT_TEST).commit();
    let check = "[[check]]\nname = \"renew\"\necosystem = \"cargo\"\nphase = \"gate\"\n\
                 command = [\"sh\", \"-c\", \"INSTA_UPDATE=always cargo test --locked\"]\n";
    env.write("xupgrade.toml", check);
    let ran = env.run(&[]);
    assert_eq!(ran.upgrades(), ["shape 1.0.0 -> 1.0.1"], "{}", ran.said());
    let trials = ran.report["trials"].as_array().unwrap().iter();
    let renewed = trials.flat_map(|trial| trial["cells"].as_array().unwrap()).filter(|cell| cell["check"] == "renew");
    assert!(renewed.into_iter().any(|cell| cell["dirtied"] == serde_json::json!(["expected.txt"])), "{}", ran.said());
}

/// The words of the release that stopped `shape`, which is this one and for this reason.
fn stopped<'r>(run: &'r Shared, wanted: &str, kind: &str) -> &'r str {
    let above = &run.ran.upgrade("shape")["failed_above"][0];
    assert_eq!((text(above, "wanted"), text(&above["reason"], "kind")), (wanted, kind), "{above:#}");
    text(&above["reason"], "text")
}

#[test]
fn an_upgrade_with_which_a_check_changes_a_tracked_file_is_held_and_the_file_is_named() {
    let run = shared("changes_files", &[]);
    assert_eq!(run.ran.upgrades(), ["shape 1.0.0 -> 1.0.1"], "{}", run.ran.said());
    let told = stopped(run, "1.1.0", "changes_files");
    assert!(told.contains("`cargo test` changes `generated.txt`, which git tracks"), "{told}");
    assert!(!told.contains("process.txt"), "{told}");
    let tip = text(&run.ran.report, "tip");
    assert_eq!(run.env.git(&["diff", "--name-only", "main", tip]), "Cargo.lock");
}

#[test]
fn what_a_build_script_writes_over_a_tracked_file_is_seen_in_each_trial_not_only_in_the_first() {
    let run = shared("build_writes", &[]);
    assert_eq!(run.ran.upgrades(), ["other 1.0.0 -> 1.1.0", "shape 1.0.0 -> 1.0.1"], "{}", run.ran.said());
    let told = stopped(run, "1.1.0", "changes_files");
    assert!(told.contains("changes `generated.txt`"), "{told}");
}

#[test]
fn a_gate_that_writes_over_a_tracked_file_ends_its_trial() {
    let run = shared("build_writes", &[]);
    let trials = run.ran.report["trials"].as_array().unwrap().iter();
    let failed: Vec<&serde_json::Value> = trials.filter(|one| text(one, "verdict") == "failed").collect();
    assert!(!failed.is_empty(), "{}", run.ran.said());
    for trial in failed {
        let checks: Vec<&str> = trial["cells"].as_array().unwrap().iter().map(|cell| text(cell, "check")).collect();
        assert_eq!(checks, ["gate"], "{trial:#}");
    }
}

#[test]
fn what_a_build_script_generates_beside_the_sources_is_there_for_each_check() {
    let run = shared("build_generates", &[]);
    assert_eq!(run.ran.upgrades(), ["shape 1.0.0 -> 1.1.0"], "{}", run.ran.said());
    stopped(run, "1.2.0", "build_failed");
}

#[test]
fn a_file_that_a_check_changes_each_time_is_told_of_once() {
    let run = shared("changes_files", &[]);
    assert_eq!(run.ran.stderr.matches("process.txt").count(), 1, "{}", run.ran.said());
    let cells = run.ran.report["trials"].as_array().unwrap().iter().flat_map(|one| one["cells"].as_array().unwrap());
    assert!(cells.filter(|cell| cell["dirtied"].to_string().contains("process.txt")).count() > 2);
}

/// A check that does this to itself once a dependency is upgraded.
fn with_check(script: &str) -> Env {
    let env = Env::new("lock_only");
    let script = format!("! grep -q 0.3.4 Cargo.lock || {{ {script}; }}");
    let command = serde_json::to_string(&["sh", "-c", &script]).unwrap();
    env.write("xupgrade.toml", &format!("[[check]]\nname = \"hungry\"\necosystem = \"cargo\"\ncommand = {command}\n"));
    env
}

/// A check that ends so is no evidence, and says this.
fn gives_no_answer(script: &str, words: &str) {
    let ran = with_check(script).run(&["-p", "cat"]);
    assert_eq!(ran.code, 3, "{}", ran.said());
    assert_eq!((ran.why("cat"), names(&ran.report, "upgrades").len()), ("inconclusive", 0));
    assert!(ran.words("cat").contains(words), "{}", ran.words("cat"));
}

#[test]
fn a_check_that_is_killed_for_want_of_memory_rejects_no_upgrade() {
    gives_no_answer("kill -9 $$", "killed from outside");
}

#[test]
fn a_disk_that_is_full_during_a_check_rejects_no_upgrade() {
    gives_no_answer("echo 'cc: error: No space left on device' >&2; exit 1", "no space left");
}
