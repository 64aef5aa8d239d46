//! What a worker's clone keeps apart from the user's repository, on a real one.

use std::process::Command;

use super::*;
use crate::app::demo::world::World;

struct Stage {
    _folder: tempfile::TempDir,
    world: World,
    worker: Worker,
}

fn stage() -> Stage {
    stage_with("")
}

/// The same with more files in the fixture.
fn stage_with(more: &str) -> Stage {
    let folder = tempfile::tempdir().unwrap();
    let fixture = format!("{}{more}", include_str!("../../../../fixtures/lock_only.txtar"));
    let world = World::build(&fixture, &folder.path().join("world")).unwrap();
    let repo = Repo::discover(&world.repo).unwrap();
    let base = repo.base(None).unwrap();
    let worker = Worker::prepare(&repo, &base, &folder.path().join("cache"), 0).unwrap();
    Stage { _folder: folder, world, worker }
}

fn in_tree(stage: &Stage, script: &str) {
    let status = Command::new("sh").arg("-c").arg(script).current_dir(stage.worker.tree()).status().unwrap();
    assert!(status.success(), "{script}");
}

#[test]
fn a_restored_tree_has_no_trace_of_what_ran_in_it() {
    let stage = stage();
    in_tree(
        &stage,
        "echo x >> Cargo.toml; rm Cargo.lock; mkdir -p junk/deep; echo y > junk/deep/file; git init -q nested",
    );
    let dirtied = stage.worker.restore().unwrap().all();
    assert!(dirtied.contains(&"Cargo.toml".to_owned()) && dirtied.contains(&"Cargo.lock".to_owned()), "{dirtied:?}");
    assert!(!stage.worker.tree().join("junk").exists() && !stage.worker.tree().join("nested").exists());
    assert!(stage.worker.restore().unwrap().all().is_empty());
}

#[test]
fn the_next_trial_finds_its_own_folders_empty_and_a_link_in_the_place_of_one_leads_nobody_astray() {
    use std::os::unix::fs::{MetadataExt as _, symlink};
    let stage = stage();
    let elsewhere = stage.world.root.join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let before = fs::metadata(&elsewhere).unwrap().mode();
    fs::write(stage.worker.temporary().join("left"), "").unwrap();
    fs::remove_dir(stage.worker.runtime()).unwrap();
    symlink(&elsewhere, stage.worker.runtime()).unwrap();
    stage.worker.start_from(None).unwrap();
    for folder in [stage.worker.temporary(), stage.worker.runtime()] {
        assert!(fs::symlink_metadata(&folder).unwrap().is_dir(), "{}", folder.display());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }
    assert_eq!(fs::metadata(stage.worker.runtime()).unwrap().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(&elsewhere).unwrap().mode(), before);
}

#[test]
fn a_tree_that_looks_new_has_not_changed() {
    let stage = stage_with("-- repo/.gitattributes --\n*.rs text\n");
    let file = stage.worker.tree().join("Cargo.toml");
    let before = fs::metadata(&file).unwrap().modified().unwrap();
    stage.worker.renew().unwrap();
    assert!(fs::metadata(&file).unwrap().modified().unwrap() > before);
    assert_eq!(stage.worker.restore().unwrap().all(), [""; 0]);
}

#[test]
fn a_second_trial_on_a_tree_finds_its_files_untouched() {
    let stage = stage();
    in_tree(&stage, "echo '# edited' >> Cargo.toml");
    let tree = stage.worker.snapshot(&["Cargo.toml".to_owned()]).unwrap();
    let file = stage.worker.tree().join("Cargo.toml");
    let stamp = || fs::metadata(&file).unwrap().modified().unwrap();
    let before = stamp();
    stage.worker.start_from(Some(&tree)).unwrap();
    assert_eq!(stamp(), before);
    stage.worker.start_from(None).unwrap();
    assert!(!fs::read_to_string(&file).unwrap().contains("# edited"));
}

#[test]
fn a_stash_in_the_tree_does_not_take_the_edits_of_a_trial() {
    let stage = stage();
    in_tree(&stage, "echo '# edited' >> Cargo.toml");
    let tree = stage.worker.snapshot(&["Cargo.toml".to_owned()]).unwrap();
    in_tree(&stage, "git -c user.name=x -c user.email=x@x stash -q && git tag -f evil && git config user.name evil");
    stage.worker.restore().unwrap();
    let text = fs::read_to_string(stage.worker.tree().join("Cargo.toml")).unwrap();
    assert!(text.ends_with("# edited\n"), "the edit is gone");
    assert_eq!(stage.worker.snapshot(&[]).unwrap(), tree);
    assert_eq!(stage.world.git(&["tag", "--list"]).unwrap().trim(), "");
}

#[test]
fn the_home_of_the_code_under_trial_is_new_in_every_run() {
    let stage = stage();
    in_tree(&stage, "mkdir -p ../home/cargo/git && echo x > ../home/.gitconfig");
    let repo = Repo::discover(&stage.world.repo).unwrap();
    let cache = stage.worker.slot().parent().unwrap();
    let again = Worker::prepare(&repo, &repo.base(None).unwrap(), cache, 0).unwrap();
    assert_eq!(fs::read_dir(again.home()).unwrap().count(), 0);
}

#[test]
fn untracked_files_of_the_set_up_stay_and_others_go() {
    let mut stage = stage();
    in_tree(&stage, "echo generated > generated.rs");
    stage.worker.keep_untracked().unwrap();
    in_tree(&stage, "echo stray > stray.rs");
    stage.worker.start_from(None).unwrap();
    assert!(stage.worker.tree().join("generated.rs").exists() && !stage.worker.tree().join("stray.rs").exists());
}

#[test]
fn a_tree_shown_again_is_the_tree_that_was_written() {
    let stage = stage();
    in_tree(&stage, "echo '# edited' >> Cargo.toml");
    let tree = stage.worker.snapshot(&["Cargo.toml".to_owned()]).unwrap();
    stage.worker.start_from(None).unwrap();
    assert!(!fs::read_to_string(stage.worker.tree().join("Cargo.toml")).unwrap().contains("# edited"));
    stage.worker.start_from(Some(&tree)).unwrap();
    assert!(fs::read_to_string(stage.worker.tree().join("Cargo.toml")).unwrap().contains("# edited"));
}

#[test]
fn a_submodule_is_put_back_too_and_its_twin_reaches_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let world =
        World::build(include_str!("../../../../fixtures/lock_only.txtar"), &folder.path().join("world")).unwrap();
    let below = folder.path().join("below");
    world.git(&["clone", "--quiet", ".", below.to_str().unwrap()]).unwrap();
    let add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", below.to_str().unwrap(), "sub"];
    world.git(&add).unwrap();
    world.git(&["commit", "--quiet", "--message=Sub"]).unwrap();
    let repo = Repo::discover(&world.repo).unwrap();
    let cache = folder.path().join("cache");
    let mut worker = Worker::prepare(&repo, &repo.base(None).unwrap(), &cache, 0).unwrap();
    let means = submodule::Means { repo: &repo, store: &cache.join("sub"), network: crate::project::Network::Offline };
    assert_eq!(worker.add_submodules(&means).unwrap(), [""; 0]);
    let text = fs::read_to_string(worker.tree().join("sub/Cargo.toml")).unwrap();
    let stage = Stage { _folder: folder, world, worker };
    in_tree(
        &stage,
        "echo x >> sub/Cargo.toml; touch sub/new; git -C sub tag evil; git -C sub config core.fsmonitor evil",
    );
    let dirtied = stage.worker.restore().unwrap().all();
    assert_eq!(dirtied, ["sub/Cargo.toml", "sub/new"]);
    in_tree(&stage, "rm -r sub && ln -s / sub");
    stage.worker.start_from(None).unwrap();
    assert_eq!(fs::read_to_string(stage.worker.tree().join("sub/Cargo.toml")).unwrap(), text);
    assert!(!stage.worker.tree().join("sub").is_symlink());
    let tags = |place: &Path| Command::new("git").arg("-C").arg(place).arg("tag").output().unwrap().stdout;
    assert!(tags(&stage.world.repo.join("sub")).is_empty() && tags(&stage.worker.tree().join("sub")).is_empty());
}

#[test]
fn names_that_are_no_utf_8_are_cleaned_up_like_others() {
    let stage = stage();
    in_tree(
        &stage,
        "touch \"$(printf 'bad\\377name')\"; mkdir \"$(printf 'dir\\377')\"; touch \"$(printf 'dir\\377/file')\"",
    );
    assert_eq!(stage.worker.restore().unwrap().all().len(), 2);
    assert!(stage.worker.restore().unwrap().all().is_empty());
}

#[test]
fn attributes_and_links_that_a_check_writes_do_not_shape_what_is_put_back() {
    let stage = stage();
    let before = fs::read(stage.worker.tree().join("Cargo.toml")).unwrap();
    in_tree(&stage, "echo '* text eol=crlf' > .gitattributes; echo x >> Cargo.toml; rm -r src; ln -s / src");
    stage.worker.restore().unwrap();
    assert_eq!(fs::read(stage.worker.tree().join("Cargo.toml")).unwrap(), before);
    assert!(stage.worker.tree().join("src/lib.rs").is_file() && !stage.worker.tree().join("src").is_symlink());
    in_tree(&stage, "echo '*.toml text eol=lf' > .gitattributes");
    stage.worker.snapshot(&[".gitattributes".to_owned()]).unwrap();
    in_tree(&stage, "echo '* text eol=crlf' > .gitattributes; echo x >> Cargo.toml; echo x >> Cargo.lock");
    stage.worker.restore().unwrap();
    for file in ["Cargo.toml", "Cargo.lock"] {
        assert!(!fs::read_to_string(stage.worker.tree().join(file)).unwrap().contains('\r'), "{file}");
    }
}

#[test]
fn what_the_set_up_made_is_put_back_file_by_file() {
    let mut stage = stage();
    in_tree(
        &stage,
        "mkdir -p gen/deep gen/empty; echo one > gen/state; echo run > gen/deep/tool; ln -s state gen/link",
    );
    in_tree(
        &stage,
        "chmod +x gen/deep/tool; git init -q gen/repo; mkdir gen/shut; echo x > gen/shut/x; chmod 555 gen/shut",
    );
    stage.worker.keep_untracked().unwrap();
    let spoils = [
        "echo two >> gen/state",
        "echo eno > gen/state",
        "chmod -x gen/deep/tool",
        "rm gen/link; echo one > gen/link",
        "rm -r gen/deep gen/empty; echo x > gen/deep",
        "chmod 755 gen/shut; rm -r gen; ln -s / gen",
        "rm gen/state; chmod 755 gen/shut; rm gen/shut/x; chmod 0 gen/deep gen",
        "chmod 755 gen/shut; rm -r gen",
        "echo x > gen/stray; mkdir -p gen/other/folder gen/empty/no; echo x >> gen/repo/.git/config",
    ];
    for spoil in spoils {
        in_tree(&stage, spoil);
        stage.worker.restore().unwrap();
        in_tree(
            &stage,
            "test \"$(cat gen/state)\" = one && test -x gen/deep/tool && test \"$(readlink gen/link)\" = state",
        );
        in_tree(&stage, "test -d gen/empty && test \"$(ls gen | tr '\\n' ' ')\" = 'deep empty link repo shut state '");
        in_tree(&stage, "test -z \"$(ls gen/empty)\" && git -C gen/repo config core.bare > tmp && rm tmp");
        in_tree(&stage, "test -f gen/shut/x && test $(ls -ld gen/shut | cut -c1-10) = dr-xr-xr-x");
        assert_eq!(stage.worker.restore().unwrap().all(), [""; 0], "after {spoil}");
    }
    in_tree(&stage, "chmod 755 gen/shut");
}

#[test]
fn a_file_of_the_set_up_that_an_upgrade_writes_is_the_upgrades_until_the_next_trial() {
    let mut stage = stage();
    in_tree(&stage, "mkdir gen; echo one > gen/state");
    stage.worker.keep_untracked().unwrap();
    in_tree(&stage, "echo two > gen/state");
    stage.worker.snapshot(&["gen/state".to_owned()]).unwrap();
    in_tree(&stage, "echo three > gen/state");
    stage.worker.restore().unwrap();
    in_tree(&stage, "test $(cat gen/state) = two");
    stage.worker.start_from(None).unwrap();
    in_tree(&stage, "test $(cat gen/state) = one");
}

#[test]
fn a_repository_that_a_check_makes_in_a_tracked_folder_is_gone_afterwards() {
    let stage = stage();
    in_tree(&stage, "git init -q src; echo x > src/new; git -C src add .");
    assert_eq!(stage.worker.restore().unwrap().all(), ["src/.git", "src/new"]);
    assert!(!stage.worker.tree().join("src/.git").exists() && stage.worker.tree().join(".git").exists());
    in_tree(&stage, "echo 'gitdir: /nowhere' > src/.git");
    assert_eq!(stage.worker.restore().unwrap().all(), ["src/.git"]);
}

#[test]
fn a_lockfile_that_git_tracks_is_never_taken_for_one_of_our_own() {
    let mut stage = stage();
    let error = stage.worker.adopt(vec!["Cargo.lock".to_owned()]).unwrap_err();
    assert!(error.to_string().contains("Cargo.lock is in git"), "{error}");
    in_tree(&stage, "mkdir sub; touch sub/Cargo.lock");
    stage.worker.adopt(vec!["sub/Cargo.lock".to_owned()]).unwrap();
}

/// A command that works where git finds nothing uncommitted, without reading a file again.
const CLEAN: &str =
    "test -z \"$(git status --porcelain)\" && git diff-files --quiet && git diff-index --cached --quiet HEAD";

#[test]
fn the_code_under_trial_finds_an_upgrade_committed_after_the_base_commit() {
    let stage = stage();
    stage.worker.start_from(None).unwrap();
    stage.worker.stand_on(None).unwrap();
    let base = stage.world.git(&["rev-parse", "HEAD"]).unwrap();
    in_tree(&stage, &format!("test $(git rev-parse HEAD) = {base} && {CLEAN}", base = base.trim()));
    in_tree(&stage, "echo '# edited' >> Cargo.toml");
    let tree = stage.worker.snapshot(&["Cargo.toml".to_owned()]).unwrap();
    let mut ids = Vec::new();
    for _ in 0..2 {
        stage.worker.start_from(None).unwrap();
        stage.worker.start_from(Some(&tree)).unwrap();
        stage.worker.stand_on(Some(&tree)).unwrap();
        in_tree(&stage, &format!("test $(git rev-parse HEAD^{{tree}}) = {tree} && {CLEAN}"));
        in_tree(&stage, &format!("test $(git rev-parse HEAD^) = {base}", base = base.trim()));
        in_tree(
            &stage,
            "test \"$(git log -1 --format='%an %ae %ad %cd %B')\" = \"$(git log -1 --format='%an %ae %ad %cd %B' HEAD^)\"",
        );
        ids.push(fs::read_to_string(stage.worker.tree().join(".git/HEAD")).unwrap());
    }
    assert_eq!(ids[0], ids[1], "equal trees have equal ids");
    // The trees of the base are the base commit.
    let own = stage.world.git(&["rev-parse", "HEAD^{tree}"]).unwrap();
    stage.worker.start_from(None).unwrap();
    stage.worker.stand_on(Some(own.trim())).unwrap();
    in_tree(&stage, &format!("test $(git rev-parse HEAD) = {base}", base = base.trim()));
}

#[test]
fn a_lockfile_of_our_own_is_committed_nowhere_and_looks_like_nothing_new() {
    let mut stage = stage();
    in_tree(&stage, "mkdir 'su [b]'; echo x > 'su [b]/Cargo.lock'");
    stage.worker.adopt(vec!["su [b]/Cargo.lock".to_owned()]).unwrap();
    stage.worker.start_from(None).unwrap();
    in_tree(&stage, "echo y >> 'su [b]/Cargo.lock'; echo '# edited' >> Cargo.toml");
    let tree = stage.worker.snapshot(&["Cargo.toml".to_owned(), "su [b]/Cargo.lock".to_owned()]).unwrap();
    stage.worker.stand_on(Some(&stage.worker.published(&tree).unwrap())).unwrap();
    in_tree(&stage, CLEAN);
    in_tree(&stage, "test -z \"$(git ls-files 'su [b]')\" && test -f 'su [b]/Cargo.lock' && grep -q edited Cargo.toml");
    assert_eq!(stage.worker.snapshot(&[]).unwrap(), tree, "our own index still has it");
}
