//! Every archive in fixtures/, and the demo's, behaves as its `story` says, told by real cargo, go and git.
//! Without this an end-to-end test could pass on a fixture in which nothing happens. Runs in temporary folders only.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::archive::Archive;
use super::users_go_build_cache;
use super::world::World;

/// How long a check may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_mins(5);
/// The same where the story says that it hangs: only a check that does hang waits for its end.
const SHORT: Duration = Duration::from_secs(20);

/// What became of an edit and the checks after it.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Refused,
    Green,
    Red,
    Hangs,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

/// One line of a story: `word: command` or `word [what is said then]: command`.
struct Line<'a> {
    expected: Outcome,
    said: &'a str,
    command: &'a str,
}

impl<'a> Line<'a> {
    fn read(line: &'a str) -> Self {
        let (before, command) = line.split_once(": ").expect("a line of a story has `: ` in it");
        // What is said may itself have a colon in it, so the bracket is looked for first.
        if let Some((word, rest)) = line.split_once(" [").filter(|_| before.contains(" [")) {
            let (said, command) = rest.split_once("]: ").expect("a bracket in a story ends with `]: `");
            return Self { expected: Outcome::read(word), said, command };
        }
        Self { expected: Outcome::read(before), said: "", command }
    }
}

impl Outcome {
    fn read(word: &str) -> Self {
        match word {
            "green" => Self::Green,
            "red" => Self::Red,
            "refused" => Self::Refused,
            "hangs" => Self::Hangs,
            other => panic!("a story does not know `{other}`"),
        }
    }
}

fn tell(text: &str) {
    let archive = Archive::parse(text).unwrap();
    let story = archive.files.get("story").expect("an archive says in `story` what happens in it");
    for text_of_line in story.lines() {
        let line = Line::read(text_of_line);
        let folder = tempfile::tempdir().unwrap();
        let world = World::build_with(text, folder.path(), &users_go_build_cache()).unwrap();
        let patience = if line.expected == Outcome::Hangs { SHORT } else { PATIENCE };
        let (outcome, log) = outcome_of(&world, line.command, patience);
        end_what_was_left(&world);
        assert_eq!(outcome, line.expected, "{text_of_line}\n{log}");
        assert!(log.contains(line.said), "`{}` was not said: {text_of_line}\n{log}", line.said);
    }
}

fn outcome_of(world: &World, command: &str, patience: Duration) -> (Outcome, String) {
    let (edited, mut log) = run(world, command, &world.repo, patience);
    if edited != Outcome::Green {
        return (if edited == Outcome::Red { Outcome::Refused } else { edited }, log);
    }
    let mut outcome = Outcome::Green;
    for (folder, check) in checks(&world.repo) {
        let (result, said) = run(world, check, &folder, patience);
        log += &said;
        if result != Outcome::Green {
            outcome = result;
        }
    }
    (outcome, log)
}

/// The checks of the default matrix, for each folder with a Cargo.toml or go.mod that is not a member of one above.
fn checks(repo: &Path) -> Vec<(PathBuf, &'static str)> {
    let mut folders = vec![repo.to_owned()];
    folders.extend(repo.read_dir().unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()));
    folders.sort();
    let root_is_cargo = repo.join("Cargo.toml").exists();
    let mut checks = Vec::new();
    for folder in folders {
        if folder.join("Cargo.toml").exists() && (folder == repo || !root_is_cargo) {
            checks.push((folder.clone(), "cargo test --workspace --locked"));
        }
        if folder.join("go.mod").exists() {
            checks.push((folder, "go test ./..."));
        }
    }
    assert!(!checks.is_empty(), "the repository has neither Cargo.toml nor go.mod");
    checks
}

/// Runs a line of shell. Output goes to a file: a process left behind would hold a pipe open.
fn run(world: &World, line: &str, folder: &Path, patience: Duration) -> (Outcome, String) {
    let log = world.root.join("log");
    let file = File::create(&log).unwrap();
    let mut shell = world.command("sh");
    own_group(shell.args(["-c", line]).current_dir(folder).env("CARGO_TARGET_DIR", world.root.join("target")));
    let mut child = shell.stdout(file.try_clone().unwrap()).stderr(file).spawn().unwrap();
    let start = Instant::now();
    let outcome = loop {
        match child.try_wait().unwrap() {
            Some(status) if status.success() => break Outcome::Green,
            Some(_) => break Outcome::Red,
            None if start.elapsed() > patience => {
                end(&format!("-{}", child.id()));
                child.wait().unwrap();
                break Outcome::Hangs;
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    let said = String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned();
    (outcome, format!("$ {line}\n{}\n", said.chars().take(20_000).collect::<String>()))
}

#[cfg(unix)]
fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    command.process_group(0);
}

#[cfg(not(unix))]
fn own_group(_command: &mut Command) {}

fn end(process: &str) {
    let status = Command::new("kill").args(["-KILL", "--", process]).status();
    assert!(status.is_ok(), "cannot run `kill`");
}

/// The hostile fixture says which process it leaves.
fn end_what_was_left(world: &World) {
    if let Ok(process) = std::fs::read_to_string(world.repo.join("left-behind.pid")) {
        end(&process);
    }
}

#[test]
fn every_fixture_is_told_here() {
    let mut found: Vec<_> = fixtures()
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".txtar").map(str::to_owned))
        .collect();
    found.sort();
    assert_eq!(found, TOLD);
}

#[test]
fn every_fixture_begins_with_what_is_expected() {
    for name in TOLD {
        let text = std::fs::read_to_string(fixtures().join(format!("{name}.txtar"))).unwrap();
        let comment = Archive::parse(&text).unwrap().comment;
        assert!(comment.contains("Expected: "), "{name}.txtar: {comment}");
    }
}

#[test]
fn the_demo() {
    tell(super::ARCHIVE);
}

macro_rules! told {
    ($($name:ident)*) => {
        const TOLD: &[&str] = &[$(stringify!($name)),*];
        $(
            #[test]
            fn $name() {
                tell(&std::fs::read_to_string(fixtures().join(concat!(stringify!($name), ".txtar"))).unwrap());
            }
        )*
    };
}

told! {
    breaking_asked breaks_build breaks_test_lands_lower broken_go_mod broken_toml build_generates build_writes cargo_all_places
    cargo_beyond_tests cargo_build_metadata cargo_edge_flips cargo_feature_gone cargo_idle_in_the_way cargo_links_conflict cargo_lock_formats cargo_members_alone cargo_msrv_greedy
    cargo_msrv_never_down cargo_msrv_of_the_users cargo_nested_workspaces cargo_order_matters cargo_other_builds cargo_patched
    cargo_prereleases cargo_ranges cargo_self_blessing cargo_semver_trick cargo_spare_members cargo_towards_the_target cargo_two_aliases cargo_two_copies
    cargo_unlocks cargo_update_p_falls_short cargo_yanked changes_files checkout_lock_untracked config_unknown_key conflict_markers crate_checksum_mismatch fewer_tests
    flaky_tests go_authors_text go_beyond_tests go_brought_along go_checksum_mismatch go_drags go_exclude_cuts go_files_outside_the_build
    go_flags_of_the_user go_go_line_guard go_gopkg_in go_ignored_folder go_incompatible go_lands_between_rungs
    go_major_gaps go_moved_path go_nested_modules go_odd_paths go_older_in_time go_one_module go_other_builds go_pair_shared_type
    go_private go_pseudo_above_tag go_replace_noop go_replace_turned_off go_replaced_neighbours go_retracted
    go_retracted_by_a_higher_one go_split_module go_sum_incomplete go_toolchain_line go_tools go_tools_alone go_two_clash
    go_two_majors go_two_part_line go_unpruned go_unpublished_siblings go_untidy_base go_vanished_package go_vendored go_view_tidy_adds
    go_view_transitive go_work_sums go_workspace_of_some hangs hostile_tests lands_between_rungs lock_only lock_repaired
    looks_at_git
    manifest_edit mixed msrv_transitive noise noise_kinds not_exercised outside_config outside_go_replace
    outside_go_work outside_ignored outside_path pair_lifted pair_pinned_siblings pair_shared_type red_baseline red_by_name red_everywhere
    relocks_down requirements_not_edited resolver_refuses secrets stale_artifact toolchain_go toolchain_pinned transitive_msrv
    transitive_yanked two_clash
}
