//! What a repository reads from outside of itself: configuration above it, files that git ignores, folders that are not
//! in it. Each end-to-end: the tool reads what the owner's own cargo and go read, or says why it does not.

use crate::common::{Env, text};

#[test]
fn configuration_above_the_repository_reaches_resolve_fetch_and_checks() {
    let env = Env::new("outside_config");
    // The world's own replacement of crates-io is gone: what is above the repository must do.
    std::fs::write(env.world.root.join("cargo-home/config.toml"), "").unwrap();
    let ran = env.run(&[]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(ran.upgrades(), ["dep 1.0.0 -> 1.0.1"]);
    assert!(ran.stderr.contains("also read: ../.cargo/config.toml, ../../.cargo/config.toml\n"), "{}", ran.stderr);
}

#[test]
fn a_red_baseline_that_misses_an_ignored_file_shows_the_line_that_mends_it() {
    let env = Env::new("outside_ignored");
    let ran = env.run(&[]);
    assert_eq!((ran.code, ran.why("dep")), (4, "baseline_red"), "{}", ran.said());
    let words = ran.words("dep");
    assert!(words.contains("names config/local.env, which your checkout has and git has not"), "{words}");
    assert!(words.contains("put `copy = [\"config/local.env\"]` under `[setup]` in xupgrade.toml"), "{words}");
    // What it says is done; then the next file is named, from the folder of the member that reads it.
    env.write("xupgrade.toml", "[setup]\ncopy = [\"config/local.env\"]\n");
    let again = env.run(&[]);
    assert_eq!((again.code, again.why("dep")), (4, "baseline_red"), "{}", again.said());
    assert!(again.words("dep").contains("copy = [\"app/data/words.txt\"]"), "{}", again.words("dep"));
}

#[test]
fn ignored_files_and_folders_that_are_named_are_there_and_never_committed() {
    let env = Env::new("outside_ignored");
    env.write("xupgrade.toml", "[setup]\ncopy = [\"config/*.env\", \"app/data/\"]\n");
    let ran = env.run(&[]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(ran.upgrades(), ["dep 1.0.0 -> 1.0.1"]);
    assert_eq!(env.git(&["diff", "--name-only", "main", text(&ran.report, "tip")]), "Cargo.lock");
}

#[test]
fn nothing_is_copied_that_leads_out_of_the_repository() {
    let env = Env::new("outside_ignored");
    let outside = env.world.root.join("secret");
    std::fs::write(&outside, "s3cret").unwrap();
    std::os::unix::fs::symlink(&outside, env.repo().join("linked")).unwrap();
    std::os::unix::fs::symlink(env.world.root.join("home"), env.repo().join("out")).unwrap();
    std::fs::write(env.world.root.join("home/key"), "s3cret").unwrap();
    let wrong = [
        ("../secret", "below the repository's root"),
        ("/etc/hostname", "below the repository's root"),
        ("config/../../secret", "below the repository's root"),
        (".git/config", "git's own folder"),
        (".", "not the whole repository"),
        ("linked", "only links within the repository"),
        ("out/key", "mend the name"),
        ("nowhere.env", "mend the name"),
        ("config/README", "nothing in the checkout that git does not track"),
    ];
    for (name, why) in wrong {
        env.write("xupgrade.toml", &format!("[setup]\ncopy = [\"{name}\"]\n"));
        let ran = env.run(&["plan"]);
        assert_eq!(ran.code, 2, "{name}: {}", ran.said());
        assert!(ran.stderr.contains(&format!("`[setup] copy` names `{name}`")), "{}", ran.stderr);
        assert!(ran.stderr.contains(why), "{name}: {}", ran.stderr);
    }
}

#[test]
fn configuration_in_the_checkout_that_git_does_not_track_is_named_and_not_read_in_silence() {
    let env = Env::new("outside_ignored");
    env.write(".cargo/config.toml", "[env]\nA = \"b\"\n");
    let ran = env.run(&["plan"]);
    let told = "warning: .cargo/config.toml is not in git, so it takes no part; to use it put \
        `copy = [\".cargo/config.toml\"]` under `[setup]` in xupgrade.toml";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    env.write("xupgrade.toml", "[setup]\ncopy = [\".cargo/config.toml\"]\n");
    let ran = env.run(&["plan"]);
    assert!(!ran.stderr.contains("takes no part"), "{}", ran.stderr);
}

#[test]
fn a_workspace_made_of_a_folder_outside_is_held_with_the_path_and_the_rest_goes_on() {
    let plan = Env::new("outside_path").plan(&[]);
    let candidates = plan["candidates"].as_array().unwrap();
    assert_eq!(candidates.iter().map(|one| text(one, "project")).collect::<Vec<_>>(), ["good"], "{plan:#}");
    let held = plan["held"].as_array().unwrap();
    let named = |project: &str| -> Vec<(&str, &str)> {
        let of = held.iter().filter(|one| text(one, "project").starts_with(project));
        of.map(|one| (text(one, "name"), text(&one["reason"], "kind"))).collect()
    };
    for project in ["single", "team", "patched"] {
        assert_eq!(named(project), [("dep", "path_source"), ("shared", "path_source")], "{plan:#}");
        let words = held.iter().find(|one| text(one, "project").starts_with(project)).unwrap();
        let words = text(&words["reason"], "text");
        assert!(words.contains("takes `shared` from ../shared, which lies outside of the repository"), "{words}");
    }
}

#[test]
fn a_go_work_above_the_repository_counts_as_it_does_in_the_checkout() {
    let env = Env::new("outside_go_work");
    let ran = env.run(&[]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(ran.upgrades(), ["demo.test/dep v1.0.0 -> v1.1.0"]);
    assert!(ran.stderr.contains("also read: ../go.work (with ../other as it is now)\n"), "{}", ran.stderr);
    let beside = env.world.root.join("ws");
    assert!(!beside.join("go.work.sum").exists(), "the user's workspace was written to");
}

#[test]
fn a_go_work_above_the_repository_leads_into_the_clone_also_from_a_folder_behind_a_link() {
    let env = Env::new("outside_go_work");
    let (beside, link) = (env.world.root.join("ws"), env.world.root.join("link"));
    std::os::unix::fs::symlink(&beside, &link).unwrap();
    std::os::unix::fs::symlink(env.repo(), beside.join("again")).unwrap();
    let text = std::fs::read_to_string(beside.join("go.work")).unwrap();
    // Two ways to the repository: the folder that a shell is in, and a link that the workspace itself names.
    for uses in ["./repo/svc", "./again/svc"] {
        std::fs::write(beside.join("go.work"), text.replace("./repo/svc", uses)).unwrap();
        let mut tool = env.tool(&["plan"]);
        let output = tool.current_dir(link.join("repo")).env("PWD", link.join("repo")).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("also read: ../go.work (with ../other as it is now)\n"), "{uses}: {said}");
    }
}

#[test]
fn the_users_gowork_off_takes_the_module_out_of_its_workspace() {
    let mut env = Env::new("outside_go_work");
    env.set("GOWORK", "off");
    let ran = env.run(&[]);
    assert_eq!(ran.code, 4, "{}", ran.said());
    assert!(ran.words("demo.test/dep").contains("TestTheWorkspaceCounts"), "{}", ran.words("demo.test/dep"));
}

#[test]
fn a_module_made_of_a_folder_outside_is_held_with_the_path_and_the_rest_goes_on() {
    let plan = Env::new("outside_go_replace").plan(&[]);
    let candidates = plan["candidates"].as_array().unwrap();
    assert_eq!(candidates.iter().map(|one| text(one, "project")).collect::<Vec<_>>(), ["good"], "{plan:#}");
    let projects = plan["projects"].as_array().unwrap();
    for (path, file) in [("app", "app/go.mod"), ("joint", "joint/go.work")] {
        let project = projects.iter().find(|one| one["path"] == path).unwrap();
        assert_eq!(text(&project["obstacle"], "kind"), "path_source", "{project:#}");
        let words = text(&project["obstacle"], "text");
        assert!(words.starts_with(&format!("{file} takes a module from ../beside, which lies outside")), "{words}");
    }
    let held = plan["held"].as_array().unwrap();
    let held: Vec<_> = held.iter().map(|one| (text(one, "project"), text(one, "name"))).collect();
    assert_eq!(held, [("app", "demo.test/beside")], "{plan:#}");
}
