//! Several registries: crates of each are surveyed and raised from their own; registries that want credentials, mirrors,
//! indexes in git, vendored crates, and cargo's own keys for a cooldown. Real cargo, registries on loopback.

use std::process::Command;

use serde_json::Value;

use crate::common::registry::{Beside, configure, serve_beside};
use crate::common::{AS_OF, Env, find, held, names, rungs, text};

const TOKEN: &str = "s3cret";

/// A project that takes `alpha` from crates-io and another `alpha`, `beta` and `gamma` from the registry `corp`.
const WORLD: &str = r#"
-- crates/alpha/1.0.0/src/lib.rs --
-- crates/alpha/1.0.1/src/lib.rs --
-- crates/plain/1.0.0/src/lib.rs --
-- crates/plain/1.1.0/src/lib.rs --
-- repo/src/lib.rs --
pub use {alpha, beta, gamma, usual};
-- repo/Cargo.toml --
[package]
name = "app"
version = "0.1.0"
edition = "2021"

[dependencies]
alpha = { version = "1.0.0", registry = "corp" }
beta = { version = "1", registry = "corp" }
gamma = { version = "1", registry = "corp" }
usual = { package = "alpha", version = "1.0.0" }
"#;

/// What `corp` has; `beta` 1.1.0 needs a crate of crates-io.
const CORP: &str = r#"
-- crates/alpha/1.0.0/src/lib.rs --
-- crates/alpha/1.2.0/src/lib.rs --
-- crates/beta/1.0.0/src/lib.rs --
-- crates/beta/1.1.0/src/lib.rs --
-- crates/beta/1.1.0/Cargo.toml --
[dependencies]
plain = { version = "1.0", registry-index = "https://github.com/rust-lang/crates.io-index" }
-- crates/gamma/1.0.0/src/lib.rs --
-- crates/gamma/1.1.0/src/lib.rs --
"#;

/// The world with its registry, everything locked at 1.0.0 by cargo itself.
fn corp(token: Option<&'static str>) -> (Env, Beside) {
    let mut env = Env::from_archive(WORLD);
    let corp = serve_beside(&env, "corp", CORP, token);
    if let Some(token) = token {
        env.set("CARGO_REGISTRIES_CORP_TOKEN", token);
    }
    lock(&env);
    (env, corp)
}

/// Locks every dependency at 1.0.0, and commits that.
fn lock(env: &Env) {
    let manifest = std::fs::read_to_string(env.repo().join("Cargo.toml")).unwrap();
    env.write("Cargo.toml", &manifest.replace("version = \"1", "version = \"=1").replace("=1\"", "=1.0.0\""));
    succeed(env.command("cargo").args(["generate-lockfile", "--quiet"]));
    env.write("Cargo.toml", &manifest).write(".gitignore", "/target\n").commit();
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The candidates as `registry name at -> rungs`.
fn candidates(plan: &Value) -> Vec<String> {
    let one = |candidate: &Value| {
        let registry = candidate["places"][0]["registry"].as_str().unwrap_or("-");
        format!("{registry} {} {} -> {}", text(candidate, "name"), text(candidate, "at"), rungs(candidate).join(", "))
    };
    let mut all: Vec<String> = plan["candidates"].as_array().unwrap().iter().map(one).collect();
    all.sort();
    all
}

const ALL: [&str; 4] =
    ["- alpha 1.0.0 -> 1.0.1", "corp alpha 1.0.0 -> 1.2.0", "corp beta 1.0.0 -> 1.1.0", "corp gamma 1.0.0 -> 1.1.0"];

#[test]
fn two_crates_of_one_name_from_two_registries_are_two_dependencies() {
    let (env, _) = corp(None);
    assert_eq!(candidates(&env.plan(&[])), ALL);
    let shown = env.run(&["plan", "--as-of", AS_OF]).stdout;
    let rows = shown.lines().filter(|line| line.trim_start().starts_with("alpha"));
    let rows: Vec<&str> = rows.filter_map(|line| line.split("cargo .").next()).map(str::trim).collect();
    assert_eq!(rows, ["alpha", "alpha (corp)"]);
}

#[test]
fn crates_of_a_private_registry_are_upgraded_with_those_of_the_usual_one_and_each_keeps_its_source() {
    let (env, corp) = corp(Some(TOKEN));
    assert_eq!(candidates(&env.plan(&[])), ALL);
    let ran = env.run(&[]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    let mut upgrades = ran.upgrades();
    upgrades.sort();
    let expected = ["alpha 1.0.0 -> 1.0.1", "alpha 1.0.0 -> 1.2.0", "beta 1.0.0 -> 1.1.0", "gamma 1.0.0 -> 1.1.0"];
    assert_eq!(upgrades, expected, "{}", ran.said());

    for upgrade in ran.report["upgrades"].as_array().unwrap() {
        assert_eq!(upgrade["notes"], Value::Array(vec![]), "no crate stays beside its namesake: {upgrade:#}");
    }

    let locked = env.git(&["show", &format!("{}:Cargo.lock", text(&ran.report, "branch"))]);
    let usual = "registry+https://github.com/rust-lang/crates.io-index";
    for (name, version, source) in [
        ("alpha", "1.0.1", usual),
        ("alpha", "1.2.0", &corp.index),
        ("beta", "1.1.0", &corp.index),
        ("plain", "1.1.0", usual),
    ] {
        let lines = format!("name = \"{name}\"\nversion = \"{version}\"\nsource = \"{source}\"\n");
        assert!(locked.contains(&lines), "no {lines} in {locked}");
    }
    for word in ["xupgrade", TOKEN] {
        assert!(!locked.contains(word), "{locked}");
    }
    let caches = env.world.root.join("cargo-home/registry/index").read_dir().unwrap();
    assert_eq!(caches.count(), 1, "only `corp` has a cache in the user's CARGO_HOME, and no view");
}

#[test]
fn without_a_token_the_crates_of_that_registry_are_held_with_what_to_do_and_the_rest_goes_on() {
    let (mut env, _) = corp(Some(TOKEN));
    std::fs::remove_dir_all(env.world.root.join("cargo-home/registry")).unwrap();
    for token in [None, Some("not the right one")] {
        env.vars.remove("CARGO_REGISTRIES_CORP_TOKEN");
        if let Some(token) = token {
            env.set("CARGO_REGISTRIES_CORP_TOKEN", token);
        }
        let plan = env.plan(&[]);
        assert_eq!(candidates(&plan), ["- alpha 1.0.0 -> 1.0.1"]);
        assert_eq!(names(&plan, "held"), ["alpha", "beta", "gamma"]);
        for name in ["alpha", "beta", "gamma"] {
            let (kind, words) = held(&plan, name);
            assert_eq!(kind, "registry_refused", "{words}");
            assert!(words.contains("cargo login --registry corp"), "{words}");
        }
    }
}

#[test]
fn offline_a_private_registry_is_what_cargos_cache_has_of_it() {
    let (mut env, corp) = corp(Some(TOKEN));
    env.plan(&[]);
    env.vars.remove("CARGO_REGISTRIES_CORP_TOKEN");
    std::fs::remove_dir_all(corp.folder.join("index")).unwrap();
    assert_eq!(candidates(&env.plan(&["--offline"])), ALL);
}

#[test]
fn a_crate_that_a_private_registry_no_longer_has_holds_itself_only() {
    let (env, corp) = corp(Some(TOKEN));
    std::fs::remove_file(corp.folder.join("index/be/ta/beta")).unwrap();
    std::fs::remove_dir_all(env.world.root.join("cargo-home/registry")).unwrap();
    let plan = env.plan(&[]);
    assert_eq!(candidates(&plan), [ALL[0], ALL[1], ALL[3]]);
    let (kind, words) = held(&plan, "beta");
    assert_eq!(kind, "registry_refused");
    assert!(words.contains("`beta` is not in sparse+http://127.0.0.1"), "{words}");
}

#[test]
fn a_registry_without_publication_times_is_let_through_by_a_key_of_its_own() {
    let (env, corp) = corp(None);
    corp.rewrite(|text| text.replace("\"pubtime\"", "\"pubtimes\""));
    let plan = env.plan(&[]);
    assert_eq!(candidates(&plan), ALL[..1]);
    let (kind, words) = held(&plan, "beta");
    assert_eq!(kind, "too_young", "{words}");
    assert!(words.contains("`min-publish-age = \"0\"` for `corp`"), "{words}");

    configure(&env, "min-publish-age = \"0\"\n");
    let plan = env.plan(&[]);
    assert_eq!(candidates(&plan), ALL);
    assert_eq!(plan["cooldowns"].as_array().map(Vec::len), Some(1));
    assert_eq!(text(&plan["cooldowns"][0], "registry"), "corp");
}

#[test]
fn cargos_keys_are_the_default_cooldown_below_the_flag_and_the_configuration() {
    let (mut env, _) = corp(None);
    // Everything came out on 1 January, 151 days before.
    configure(&env, "min-publish-age = \"26 weeks\"\n[registry]\nglobal-min-publish-age = \"150 days\"\n");
    let plan = env.plan(&[]);
    assert_eq!(candidates(&plan), ALL[..1], "150 days for crates-io, 26 weeks for corp");
    let words = held(&plan, "gamma").1;
    assert!(words.contains("less than 26 weeks before (`registries.corp.min-publish-age` of cargo)"), "{words}");
    let spans: Vec<&str> = plan["cooldowns"].as_array().unwrap().iter().map(|one| text(one, "span")).collect();
    assert_eq!(spans, ["150 days", "26 weeks"]);
    let shown = env.run(&["plan", "--as-of", AS_OF]).stdout;
    assert!(shown.contains("cooldown: 150 days (`registry.global-min-publish-age` of cargo)\n"), "{shown}");
    assert!(shown.contains("cooldown for `corp`: 26 weeks"), "{shown}");

    let flagged = env.plan(&["--min-age", "3"]);
    assert_eq!(candidates(&flagged), ALL);
    assert_eq!(text(&flagged["cooldowns"][0], "whence"), "--min-age");
    env.write("xupgrade.toml", "min-age = 4\n");
    assert_eq!(candidates(&env.plan(&[])), ALL);
    std::fs::remove_file(env.repo().join("xupgrade.toml")).unwrap();

    env.set("CARGO_REGISTRIES_CORP_MIN_PUBLISH_AGE", "1 day").set("CARGO_REGISTRY_GLOBAL_MIN_PUBLISH_AGE", "6 months");
    assert_eq!(candidates(&env.plan(&[])), ALL[1..], "variables rank above files");
    env.set("CARGO_RESOLVER_INCOMPATIBLE_PUBLISH_AGE", "allow");
    let allowed = env.plan(&[]);
    assert_eq!(candidates(&allowed), ALL, "the usual three days");
    assert_eq!(allowed["cooldowns"], Value::Null);
}

#[test]
fn a_cooldown_of_one_registry_hides_what_an_upgrade_from_another_would_drag_along() {
    let (env, _) = corp(None);
    configure(&env, "min-publish-age = \"1 day\"\n[registry]\nglobal-min-publish-age = \"26 weeks\"\n");
    let ran = env.run(&["-p", "beta", "--as-of", AS_OF]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(ran.why("beta"), "resolve_refused", "{}", ran.said());
    assert!(ran.words("beta").contains("hidden as too young: plain 1.0.0, plain 1.1.0"), "{}", ran.words("beta"));
}

#[test]
fn an_upgrade_that_brings_a_crate_from_a_registry_that_nobody_names_is_refused() {
    let (env, corp) = corp(None);
    let settings = env.world.root.join("cargo-home/config.toml");
    let before = std::fs::read_to_string(&settings).unwrap();
    let third = serve_beside(&env, "third", "-- crates/plain/1.1.0/src/lib.rs --\n", None);
    std::fs::write(&settings, before).unwrap();
    corp.rewrite(|text| text.replace("https://github.com/rust-lang/crates.io-index", &third.index));
    let ran = env.run(&["-p", "beta"]);
    assert_eq!(ran.why("beta"), "resolve_refused", "{}", ran.said());
    let words = ran.words("beta");
    assert!(words.contains(&format!("brings plain 1.1.0 from {}, which no", third.index)), "{words}");
}

#[test]
fn an_index_in_git_is_read_through_cargo() {
    let (mut env, corp) = corp(None);
    let index = corp.folder.join("index");
    std::fs::write(index.join("config.json"), r#"{"dl":"http://127.0.0.1:1/none"}"#).unwrap();
    let git = |args: &[&str]| succeed(env.command("git").args(args).current_dir(&index));
    git(&["init", "--quiet"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message=The index"]);
    env.set("CARGO_REGISTRIES_CORP_INDEX", format!("file://{}", index.display()));
    lock(&env);
    let plan = env.plan(&[]);
    assert_eq!(candidates(&plan), ALL);
    std::fs::remove_dir_all(index.join(".git")).unwrap();
    assert_eq!(candidates(&env.plan(&["--offline"])), ALL, "cargo's cache has it");
    let plan = env.plan(&[]);
    assert_eq!(candidates(&plan), ALL[..1]);
    assert_eq!(held(&plan, "gamma").0, "registry_unreachable");
}

#[test]
fn vendored_crates_are_held_and_those_of_another_registry_go_on() {
    let (env, corp) = corp(None);
    let vendored = env.world.root.join("vendored");
    std::fs::create_dir_all(&vendored).unwrap();
    let config = format!(
        "[source.corp-itself]\nregistry = \"{}\"\nreplace-with = \"vendored\"\n[source.vendored]\ndirectory = {vendored:?}\n",
        corp.index
    );
    configure(&env, &config);
    let plan = env.plan(&[]);
    assert_eq!(candidates(&plan), ALL[..1]);
    let (kind, words) = held(&plan, "beta");
    assert_eq!(kind, "other_registry");
    assert!(words.contains("corp is replaced by the vendored directory"), "{words}");
}

#[test]
fn a_mirror_stands_for_a_registry_and_the_lockfile_keeps_the_registry() {
    let (env, corp) = corp(None);
    let config = format!(
        "[source.corp-itself]\nregistry = \"{}\"\nreplace-with = \"shelf\"\n[source.shelf]\nlocal-registry = {:?}\n",
        corp.index, corp.folder
    );
    configure(&env, &config);
    let ran = env.run(&["-p", "gamma"]);
    assert_eq!(ran.upgrades(), ["gamma 1.0.0 -> 1.1.0"], "{}", ran.said());
    let locked = env.git(&["show", &format!("{}:Cargo.lock", text(&ran.report, "branch"))]);
    let lines = format!("name = \"gamma\"\nversion = \"1.1.0\"\nsource = \"{}\"\n", corp.index);
    assert!(locked.contains(&lines), "{locked}");
}

#[test]
fn a_registry_that_is_named_as_the_default_one_changes_no_requirement() {
    let (env, _) = corp(None);
    configure(&env, "[registry]\ndefault = \"corp\"\n");
    assert_eq!(candidates(&env.plan(&[])), ALL);
}

/// The world with `corp`, and no Cargo.lock in git.
fn unlocked(manifest: impl Fn(&str) -> String) -> (Env, Beside) {
    let env = Env::from_archive(&manifest(WORLD));
    let corp = serve_beside(&env, "corp", CORP, None);
    env.write(".gitignore", "/target\nCargo.lock\n").commit();
    (env, corp)
}

#[test]
fn without_a_lockfile_in_git_releases_that_tell_no_age_are_still_good_for_the_base() {
    let (env, corp) = unlocked(|world| world.replace("beta = { version = \"1\"", "beta = { version = \"~1.0\""));
    corp.rewrite(|text| text.replace("\"pubtime\"", "\"pubtimes\""));
    let ran = env.run(&["plan", "--as-of", AS_OF]);
    assert!(ran.stderr.contains("without releases that are too young or of unknown age none can be"), "{}", ran.said());
    let plan = env.plan(&[]);
    assert_eq!(names(&plan, "held"), ["beta"], "{plan:#}");
    assert_eq!(held(&plan, "beta").0, "too_young", "what no lockfile has is no more exempt than elsewhere");
    configure(&env, "min-publish-age = \"0\"\n");
    let ran = env.run(&["plan", "--as-of", AS_OF]);
    assert!(!ran.stderr.contains("unknown age"), "{}", ran.said());
}

#[test]
fn without_a_lockfile_in_git_a_release_of_yesterday_that_is_required_is_no_reason_to_hold_the_rest() {
    let young = |day: &str| {
        let (env, _) = unlocked(|world| {
            let young = format!("-- crates/young/1.1.0/.release --\npublished = \"{day}T00:00:00Z\"\n");
            format!("-- crates/young/1.1.0/src/lib.rs --\n{young}{world}").replace(
                "usual = { package = \"alpha\", version = \"1.0.0\" }",
                "usual = { package = \"alpha\", version = \"1.0.0\" }\nplain = \"~1.0\"\nyoung = \"1.1\"",
            )
        });
        env.plan(&[])
    };
    let plan = young("2025-05-31");
    assert_eq!(candidates(&plan), ["- plain 1.0.0 -> 1.1.0"], "{plan:#}");
    // Of the day after the plan, it does not exist.
    let plan = young("2025-06-02");
    assert_eq!(candidates(&plan), [""; 0]);
    let (kind, words) = held(&plan, "plain");
    assert_eq!(kind, "too_young", "{words}");
    assert!(words.contains("(hidden, for it came out too late: young 1.1.0); commit one"), "{words}");
}

/// A world that takes only `mid` from `corp`; what that requires is from there, too, and yanked.
const BELOW: &str = r#"
-- repo/src/lib.rs --
pub use mid;
-- repo/Cargo.toml --
[package]
name = "app"
version = "0.1.0"
edition = "2021"

[dependencies]
mid = { version = "1", registry = "corp" }
"#;

const BELOW_IN_CORP: &str = r#"
-- crates/mid/1.0.0/src/lib.rs --
-- crates/mid/1.0.0/Cargo.toml --
[dependencies]
low = "1"
-- crates/low/1.0.0/src/lib.rs --
-- crates/low/1.0.1/src/lib.rs --
"#;

#[test]
fn packages_of_another_registry_that_only_others_require_are_seen_as_those_of_the_usual_one() {
    let env = Env::from_archive(BELOW);
    let corp = serve_beside(&env, "corp", BELOW_IN_CORP, None);
    lock(&env);
    succeed(env.command("cargo").args(["update", "--quiet", "-p", "low", "--precise", "1.0.0"]));
    env.commit();
    assert_eq!(candidates(&env.plan(&["--transitive"])), ["- low 1.0.0 -> 1.0.1"]);
    assert_eq!(candidates(&env.plan(&[])), [""; 0], "nothing is wrong with it");

    corp.rewrite(|text| {
        let is_low = |line: &str| line.contains("\"vers\":\"1.0.0\"") && line.contains("\"name\":\"low\"");
        let yanked = |line: &str| line.replace("\"yanked\":false", "\"yanked\":true");
        let told = |line: &str| if is_low(line) { yanked(line) } else { line.to_owned() };
        text.lines().map(|line| told(line) + "\n").collect()
    });
    // What the registry said is not asked again for ten minutes.
    std::fs::remove_dir_all(env.world.root.join("cache")).unwrap();
    let plan = env.plan(&[]);
    assert_eq!(candidates(&plan), ["- low 1.0.0 -> 1.0.1"]);
    assert_eq!(text(find(&plan, "candidates", "low").unwrap(), "role"), "transitive");
    assert_eq!(held(&env.plan(&["--exclude", "low"]), "low").0, "not_selected");
    env.write("xupgrade.toml", "[[hold]]\nname = \"low\"\nreason = \"ticket 7\"\n");
    assert_eq!(held(&env.plan(&[]), "low").0, "held_by_user");
    std::fs::remove_file(env.repo().join("xupgrade.toml")).unwrap();

    let ran = env.run(&[]);
    assert_eq!(ran.upgrades(), ["low 1.0.0 -> 1.0.1"], "{}", ran.said());
    let locked = env.git(&["show", &format!("{}:Cargo.lock", text(&ran.report, "branch"))]);
    assert!(
        locked.contains(&format!("name = \"low\"\nversion = \"1.0.1\"\nsource = \"{}\"\n", corp.index)),
        "{locked}"
    );
}
