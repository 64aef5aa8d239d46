//! Repositories that ask for another Rust or another Go than the usual one: what is there is used, what is not holds its
//! project with the way to get it, and nothing is downloaded unasked.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::{AS_OF, Env, TOOL, text};

/// A world with a rustup of its own, whose toolchains are links to the one that runs these tests.
struct Rustup {
    env: Env,
    /// Where its downloads would come from; nobody may knock.
    server: TcpListener,
}

impl Rustup {
    fn new(fixture: &str, names: &[&str]) -> Self {
        let mut env = Env::new(fixture).with_usual_path();
        let home = env.world.root.join("rustup");
        std::fs::create_dir_all(home.join("toolchains")).unwrap();
        for name in names {
            std::os::unix::fs::symlink(sysroot(), home.join("toolchains").join(name)).unwrap();
        }
        let settings = format!("version = \"12\"\ndefault_toolchain = \"{}\"\n", names[0]);
        std::fs::write(home.join("settings.toml"), settings).unwrap();
        env.world.env.insert("RUSTUP_HOME".into(), home.display().to_string());
        let server = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        server.set_nonblocking(true).unwrap();
        let address = format!("http://{}", server.local_addr().unwrap());
        env.set("RUSTUP_DIST_SERVER", &address).set("RUSTUP_UPDATE_ROOT", format!("{address}/rustup"));
        Self { env, server }
    }

    fn assert_nothing_was_downloaded(&self) {
        assert!(self.server.accept().is_err(), "rustup asked for a download");
        let there = self.env.world.root.join("rustup/toolchains").read_dir().unwrap();
        assert!(there.flatten().all(|entry| entry.path().is_symlink()), "a toolchain was installed");
    }
}

fn sysroot() -> PathBuf {
    let output = std::process::Command::new("rustc").args(["--print", "sysroot"]).output().unwrap();
    Path::new(String::from_utf8(output.stdout).unwrap().trim()).to_owned()
}

fn held<'a>(plan: &'a Value, project: &str) -> &'a Value {
    let list = plan["held"].as_array().unwrap();
    list.iter()
        .find(|one| one["project"] == project)
        .unwrap_or_else(|| panic!("nothing is held in {project}: {plan:#}"))
}

#[test]
fn each_project_gets_the_rust_that_it_asks_for() {
    let world = Rustup::new("toolchain_pinned", &["usual", "xupgrade-linked"]);
    let ran = world.env.run(&[]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    let upgrades = ran.report["upgrades"].as_array().unwrap();
    let projects: Vec<&str> = upgrades.iter().map(|one| text(one, "project")).collect();
    assert_eq!(projects, ["linked", "usual"]);
    let held = held(&ran.report, "absent");
    assert_eq!((text(held, "name"), text(&held["reason"], "kind")), ("dep", "toolchain_missing"));
    let words = text(&held["reason"], "text");
    assert!(words.contains("absent/rust-toolchain asks for Rust `xupgrade-absent`"), "{words}");
    assert!(words.contains("rustup toolchain install xupgrade-absent"), "{words}");
    world.assert_nothing_was_downloaded();
}

#[test]
fn a_rust_that_is_not_there_is_told_with_all_that_has_to_be_installed_and_never_downloaded() {
    let mut world = Rustup::new("toolchain_pinned", &["usual", "xupgrade-linked"]);
    let text_of_file = "[toolchain]\nchannel = \"1.60.0\"\ncomponents = [\"rust-src\"]\ntargets = [\"wasm32-wasi\"]\n";
    world.env.write("linked/rust-toolchain.toml", text_of_file).commit();
    // Even a user who lets rustup install what is asked for did not ask this tool for it.
    world.env.set("RUSTUP_AUTO_INSTALL", "1");
    let plan = world.env.plan(&[]);
    let words = text(&held(&plan, "linked")["reason"], "text");
    assert_eq!(
        words,
        "linked/rust-toolchain.toml asks for Rust `1.60.0`, which is not installed; run `rustup toolchain install 1.60.0 \
         --component rust-src --target wasm32-wasi`"
    );
    assert_eq!(plan["candidates"].as_array().unwrap().len(), 1, "the others go on: {plan:#}");
    world.assert_nothing_was_downloaded();
}

#[test]
fn below_rustups_cargo_each_project_still_gets_its_own_rust() {
    let world = Rustup::new("toolchain_pinned", &["usual", "xupgrade-linked"]);
    let path = format!("{}:{}", Path::new(TOOL).parent().unwrap().display(), world.env.vars["PATH"]);
    let mut cargo = world.env.command("cargo");
    cargo.env("PATH", path).args(["xupgrade", "plan", "--format", "json", "--as-of", AS_OF]);
    let output = cargo.output().unwrap();
    let plan: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(text(&held(&plan, "absent")["reason"], "kind"), "toolchain_missing");
}

#[test]
fn the_users_rustup_toolchain_outranks_every_file() {
    let mut world = Rustup::new("toolchain_pinned", &["usual", "xupgrade-linked"]);
    world.env.set("RUSTUP_TOOLCHAIN", "usual");
    assert_eq!(world.env.plan(&[])["held"], serde_json::json!([]));
    world.env.set("RUSTUP_TOOLCHAIN", "xupgrade-gone");
    let plan = world.env.plan(&[]);
    assert_eq!(plan["held"].as_array().unwrap().len(), 3, "{plan:#}");
    let words = text(&held(&plan, "usual")["reason"], "text");
    assert!(words.starts_with("RUSTUP_TOOLCHAIN names `xupgrade-gone`, which is not installed"), "{words}");
}

#[test]
fn rustups_override_for_the_checkout_counts_in_the_clone() {
    let world = Rustup::new("toolchain_pinned", &["usual", "xupgrade-linked"]);
    let settings = world.env.world.root.join("rustup/settings.toml");
    let before = std::fs::read_to_string(&settings).unwrap();
    let set = format!("{before}[overrides]\n\"{}\" = \"xupgrade-gone\"\n", world.env.repo().display());
    std::fs::write(&settings, &set).unwrap();
    let ran = world.env.run(&["plan", "--format", "json", "--as-of", AS_OF]);
    assert!(ran.stderr.contains("also read: rustup's override for "), "{}", ran.stderr);
    let plan: Value = serde_json::from_str(&ran.stdout).unwrap();
    let words = text(&held(&plan, "usual")["reason"], "text");
    assert!(words.starts_with("rustup's choice from outside asks for Rust `xupgrade-gone`"), "{words}");
    assert_eq!(std::fs::read_to_string(&settings).unwrap(), set, "rustup's settings are the user's");
}

#[test]
fn a_cargo_that_is_not_rustups_is_used_and_the_file_that_it_ignores_is_named() {
    let mut world = Rustup::new("toolchain_pinned", &["usual"]);
    let path = format!("{}:{}", sysroot().join("bin").display(), world.env.vars["PATH"]);
    world.env.set("PATH", path);
    let ran = world.env.run(&["plan", "--format", "json", "--as-of", AS_OF]);
    let plan: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(plan["held"], serde_json::json!([]));
    let told = "warning: absent/rust-toolchain asks for Rust `xupgrade-absent`, and the cargo on the PATH is not rustup's, so it \
        is ignored: cargo ";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
}

#[test]
fn a_go_line_above_the_go_at_hand_holds_its_module_and_the_rest_goes_on() {
    let mut env = Env::new("toolchain_go").with_usual_path();
    let of = |plan: &Value, path: &str| {
        let project = plan["projects"].as_array().unwrap().iter().find(|one| one["path"] == path).unwrap();
        project["obstacle"].clone()
    };
    let plan = env.plan(&[]);
    let ahead = of(&plan, "ahead");
    assert_eq!(text(&ahead, "kind"), "toolchain_missing");
    assert!(text(&ahead, "text").contains("requires go >= 1.99.0"), "{ahead:#}");
    assert!(text(&ahead, "text").contains("install that Go"), "{ahead:#}");
    // A toolchain line is a wish: GOTOOLCHAIN=local does without it.
    let candidates = plan["candidates"].as_array().unwrap();
    assert_eq!(candidates.iter().map(|one| text(one, "project")).collect::<Vec<_>>(), ["named", "usual"]);
    // A user who lets go choose gets no download unasked either.
    env.world.env.insert("GOTOOLCHAIN".into(), "auto".into());
    let plan = env.plan(&[]);
    for path in ["ahead", "named"] {
        let obstacle = of(&plan, path);
        assert_eq!(text(&obstacle, "kind"), "toolchain_missing", "{obstacle:#}");
        let words = text(&obstacle, "text");
        assert!(words.contains("go1.99.0") && words.contains("nothing is downloaded unasked"), "{words}");
        assert!(!words.contains("/w0/"), "the clone's place is nobody's business: {words}");
    }
    assert_eq!(plan["candidates"].as_array().unwrap().len(), 1);
}

/// What is held, as `project name version reason table`.
fn all_held(plan: &Value) -> Vec<String> {
    let line = |one: &Value| {
        let (reason, place) = (text(&one["reason"], "kind"), text(&one["places"][0], "table"));
        format!("{} {} {} {reason} {place}", text(one, "project"), text(one, "name"), text(one, "at"))
    };
    plan["held"].as_array().unwrap().iter().map(line).collect()
}

#[test]
fn what_a_module_without_its_go_requires_is_held_with_it_once_each() {
    let env = Env::new("toolchain_go").with_usual_path();
    let plan = env.plan(&[]);
    let reason = "toolchain_missing";
    let expected = [("dep", "require"), ("gen", "tool")]
        .map(|(name, table)| format!("ahead demo.test/{name} v1.0.0 {reason} {table}"));
    assert_eq!(all_held(&plan), expected, "{plan:#}");
    let words = text(&held(&plan, "ahead")["reason"], "text");
    assert!(words.contains("requires go >= 1.99.0"), "{words}");
    let lists = [&plan["candidates"], &plan["newest"]].map(|list| list.as_array().unwrap());
    assert!(lists.into_iter().flatten().all(|one| one["project"] != "ahead"), "{plan:#}");
    let table = env.run(&["plan", "--as-of", AS_OF]).stdout;
    let lines: Vec<&str> = table.lines().filter(|line| line.contains("ahead")).collect();
    assert_eq!(lines, ["held whole: go ahead (2 dependencies)"], "{table}");
}

#[test]
fn an_edition_that_this_cargo_does_not_know_is_a_wish_for_a_newer_rust() {
    let env = Env::new("toolchain_pinned").with_usual_path();
    let edit = |project: &str, edition: &str| {
        let path = env.repo().join(project).join("Cargo.toml");
        let manifest = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, manifest.replace("2021", edition)).unwrap();
    };
    for gone in ["linked/rust-toolchain.toml", "absent/rust-toolchain"] {
        std::fs::remove_file(env.repo().join(gone)).unwrap();
    }
    for (project, edition) in [("linked", "2015"), ("absent/inner", "2024"), ("usual", "2099")] {
        edit(project, edition);
    }
    env.commit();
    let plan = env.plan(&[]);
    let reason = &held(&plan, "usual")["reason"];
    assert_eq!(text(reason, "kind"), "toolchain_missing");
    assert!(text(reason, "text").contains("2099") && text(reason, "text").contains("use a newer Rust"), "{reason:#}");
    let candidates = plan["candidates"].as_array().unwrap();
    assert_eq!(candidates.iter().map(|one| text(one, "project")).collect::<Vec<_>>(), ["absent", "linked"]);
}

#[test]
fn a_project_that_asks_for_a_newer_rust_than_the_one_at_hand_is_held_for_that() {
    let env = Env::new("lock_only").with_usual_path();
    let path = env.repo().join("Cargo.toml");
    let manifest = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, manifest.replace("edition =", "rust-version = \"1.999\"\nedition =")).unwrap();
    env.commit();
    let ran = env.run(&[]);
    assert_eq!((ran.code, ran.why("ant")), (4, "toolchain_missing"), "{}", ran.said());
    assert!(ran.words("ant").contains("install the toolchain that it needs"), "{}", ran.words("ant"));
}

#[test]
fn a_go_that_the_user_names_and_that_is_not_there_holds_the_modules_and_not_the_rest() {
    let mut env = Env::new("toolchain_go").with_usual_path();
    env.world.env.insert("GOTOOLCHAIN".into(), "go1.99.0".into());
    let plan = env.plan(&[]);
    let projects = plan["projects"].as_array().unwrap();
    assert_eq!(projects.len(), 3, "{plan:#}");
    for project in projects {
        assert_eq!(text(&project["obstacle"], "kind"), "toolchain_missing", "{project:#}");
        assert!(text(&project["obstacle"], "text").contains("go1.99.0"), "{project:#}");
    }
    // Their go.mod files can be read all the same.
    let expected = ["ahead demo.test/dep", "ahead demo.test/gen", "named demo.test/dep", "usual demo.test/dep"];
    let found = all_held(&plan);
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (line, start) in found.iter().zip(expected) {
        assert!(line.starts_with(start) && line.contains("v1.0.0 toolchain_missing"), "{line}");
    }
}
