//! The command line: names, help, exit codes, `clean`; and that what is written to a file or a pipe is plain text.

use crate::common::{AS_OF, Env, TOOL, shared};

#[test]
fn the_help_lists_every_documented_exit_code() {
    let ran = Env::new("lock_only").run(&["--help"]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    for code in ["0 ", "1 ", "2 ", "3 ", "4 ", "5 ", "10 ", "130 "] {
        assert!(ran.stdout.lines().any(|line| line.trim_start().starts_with(code)), "no {code}in {}", ran.stdout);
    }
}

/// The flags that a help lists.
fn flags(help: &str) -> Vec<&str> {
    help.lines().map(str::trim_start).filter(|line| line.starts_with('-')).collect()
}

#[test]
fn the_short_help_is_short_and_the_long_one_says_when_a_flag_of_the_search_is_needed() {
    let env = Env::new("lock_only");
    let (short, long) = (env.run(&["-h"]).stdout, env.run(&["--help"]).stdout);
    assert!(flags(&short).len() <= 15, "{short}");
    assert!(!short.contains("Search:") && !short.contains("Verification:"), "{short}");
    for (flag, case) in [
        ("--max-trials", "For a first look, or where each trial costs money."),
        ("--verify-commits", "`full` where somebody will bisect with tests"),
        ("--jobs", "For a machine with many cores"),
    ] {
        assert!(long.contains(flag) && long.contains(case), "{flag}: {long}");
    }
}

#[test]
fn cargo_calls_it_as_its_own_subcommand() {
    let mut env = Env::new("lock_only");
    let folder = std::path::Path::new(TOOL).parent().unwrap().display().to_string();
    let path = format!("{folder}:{}", env.vars["PATH"]);
    env.set("PATH", path);
    let output = env.command("cargo").args(["xupgrade", "plan", "--as-of", AS_OF]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("bee"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn without_a_terminal_nothing_has_control_codes() {
    for (fixture, args) in [("breaks_build", &[][..]), ("lock_only", &["--manifest", "always"][..])] {
        let run = shared(fixture, args);
        for (name, said) in [("stdout", &run.ran.stdout), ("stderr", &run.ran.stderr)] {
            let odd = said.chars().find(|c| c.is_control() && *c != '\n' && *c != '\t');
            assert_eq!(odd, None, "{name}: {said}");
        }
    }
}

#[test]
fn colour_always_is_colour_and_never_is_none() {
    let always = shared("breaks_build", &["--color", "always", "-p", "gone"]);
    assert!(always.ran.stdout.contains("\u{1b}["), "{}", always.ran.stdout);
    let never = shared("breaks_build", &["--color", "never", "-p", "gone"]);
    assert!(!never.ran.stdout.contains('\u{1b}'), "{}", never.ran.stdout);
}

#[test]
fn stdout_is_the_table_and_stderr_the_talk() {
    let run = shared("breaks_build", &[]);
    assert!(run.ran.stdout.contains("gone") && run.ran.stdout.contains("fine"), "{}", run.ran.stdout);
    assert!(run.ran.stderr.contains("cargo test --workspace --locked"), "{}", run.ran.stderr);
    assert!(!run.ran.stdout.contains("Compiling"), "{}", run.ran.stdout);
}

#[test]
fn before_the_first_build_the_commands_the_folders_and_the_base_are_said() {
    let run = shared("breaks_build", &[]);
    let base = &run.ran.report["base"].as_str().unwrap()[..12];
    for word in [base, "cargo test --workspace --locked --no-run", "xupgrade.out", "free", "candidates"] {
        assert!(run.ran.stderr.contains(word), "no {word} in {}", run.ran.stderr);
    }
}

#[test]
fn at_the_end_it_says_what_to_type_next() {
    let run = shared("breaks_build", &[]);
    let said = format!("{}{}", run.ran.stdout, run.ran.stderr);
    let branch = run.ran.report["branch"].as_str().unwrap();
    assert!(said.contains(&format!("git merge --ff-only {branch}")), "{said}");
}

#[test]
fn quiet_keeps_the_table_and_drops_the_talk() {
    let env = Env::new("lock_only");
    let ran = env.run(&["plan", "-q", "--as-of", AS_OF]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.contains("bee"));
}

#[test]
fn clean_removes_the_clones_and_targets_of_this_repository() {
    let env = Env::new("lock_only");
    env.plan(&[]);
    let cache = env.world.root.join("cache");
    let folders = || cache.read_dir().unwrap().flatten().filter(|entry| entry.path().join("w0").exists()).count();
    assert_eq!(folders(), 1);
    assert_eq!(env.run(&["clean"]).code, 0);
    assert_eq!(folders(), 0);
    assert_eq!(env.run(&["clean"]).code, 0, "a second time there is nothing to remove");
}

#[test]
fn clean_all_removes_every_cache_and_nothing_that_somebody_else_put_beside_them() {
    let env = Env::new("lock_only");
    env.plan(&[]);
    let cache = env.world.root.join("cache");
    std::fs::create_dir_all(cache.join("other")).unwrap();
    std::fs::write(cache.join("other/file"), "mine").unwrap();
    let ran = env.run(&["clean", "--all"]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert!(ran.stderr.contains("cache/index\n") && !ran.stderr.contains("other"), "{}", ran.stderr);
    let left: Vec<_> = cache.read_dir().unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["other"]);
    assert!(cache.join("other/file").is_file());
}

#[test]
fn the_demo_makes_its_world_where_it_is_told_and_keeps_it() {
    let env = Env::new("lock_only");
    let taken = env.world.root.join("taken");
    std::fs::create_dir_all(taken.join("x")).unwrap();
    let ran = env.run(&["demo", "--folder", taken.to_str().unwrap()]);
    assert_eq!(ran.code, 1, "{}", ran.said());
    assert!(ran.stderr.contains("is not empty"), "{}", ran.stderr);
}
