//! Submodules: at the recorded commit, from the user's git folder or from their origin, and never touched.

use serde_json::Value;

use super::{JSON, Place};
use crate::common::{Env, find, names, snapshot::Snapshot, text};

/// The world's repository gets a member in a submodule, which has a submodule itself; then everybody clones it.
fn origin() -> Env {
    let env = Env::new("lock_only");
    // Git refuses local addresses for submodules, which are what there is in a world.
    env.git(&["config", "--global", "protocol.file.allow", "always"]);
    let below = env.world.root.join("below");
    let inner = env.world.root.join("inner");
    for (folder, file, content) in [
        (&inner, "deep.txt", "deep\n"),
        (&below, "Cargo.toml", "[package]\nname = \"below\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
    ] {
        env.git(&["init", "--quiet", folder.to_str().unwrap()]);
        std::fs::create_dir_all(folder.join("src")).unwrap();
        std::fs::write(folder.join("src/lib.rs"), "").unwrap();
        std::fs::write(folder.join(file), content).unwrap();
        env.git(&["-C", folder.to_str().unwrap(), "add", "--all"]);
        env.git(&["-C", folder.to_str().unwrap(), "commit", "--quiet", "--message=One"]);
    }
    env.git(&["-C", below.to_str().unwrap(), "submodule", "--quiet", "add", "../inner", "in"]);
    env.git(&["-C", below.to_str().unwrap(), "commit", "--quiet", "--message=Inner"]);
    env.git(&["config", "remote.origin.url", env.repo().to_str().unwrap()]);
    env.git(&["submodule", "--quiet", "add", "--name", "a.name", "../below", "deps/below"]);
    let manifest = std::fs::read_to_string(env.repo().join("Cargo.toml")).unwrap();
    env.write("Cargo.toml", &(manifest + "below = { path = \"deps/below\" }\n\n[workspace]\n"));
    let lock = std::fs::read_to_string(env.repo().join("Cargo.lock")).unwrap();
    let lock = lock.replace(" \"bee\",\n", " \"bee\",\n \"below\",\n");
    env.write("Cargo.lock", &(lock + "\n[[package]]\nname = \"below\"\nversion = \"0.1.0\"\n"));
    env.commit();
    // What comes later in the submodule's own repository takes no part.
    std::fs::write(below.join("Cargo.toml"), "nonsense").unwrap();
    env.git(&["-C", below.to_str().unwrap(), "commit", "--quiet", "--all", "--message=Later"]);
    env
}

fn cloned(words: &[&str]) -> Place {
    let place = Place::beside(origin());
    place.git_at_root(&[&["clone", "--quiet"], words, &["@", "%"]].concat());
    place
}

fn assert_planned(place: &Place) {
    assert_eq!(names(&place.plan(), "candidates"), ["ant", "bee", "cat"]);
    assert_eq!(std::fs::read_to_string(place.clone_of().join("deps/below/in/deep.txt")).unwrap(), "deep\n");
    assert!(std::fs::read_to_string(place.clone_of().join("deps/below/Cargo.toml")).unwrap().contains("below"));
}

#[test]
fn submodules_that_are_here_are_taken_from_here() {
    let place = cloned(&["--recurse-submodules"]);
    std::fs::remove_dir_all(place.env.world.root.join("below")).unwrap();
    std::fs::remove_dir_all(place.env.world.root.join("inner")).unwrap();
    assert_planned(&place);
}

#[test]
fn submodules_that_are_not_here_are_fetched_and_the_checkout_stays_without_them() {
    let place = cloned(&[]);
    assert_planned(&place);
    assert!(!place.at.join(".git/modules").exists());
    // Once fetched, they are kept.
    std::fs::remove_dir_all(place.env.world.root.join("below")).unwrap();
    assert_planned(&place);
}

#[test]
fn a_submodule_that_cannot_be_had_is_named_and_what_needs_it_is_held() {
    let place = cloned(&[]);
    std::fs::remove_dir_all(place.env.world.root.join("below")).unwrap();
    let before = Snapshot::of(&place.at);
    let ran = place.run(JSON);
    assert_eq!(ran.code, 0, "{}", ran.said());
    for word in ["`deps/below` is left empty", "git submodule update --init"] {
        assert!(ran.stderr.contains(word), "no {word}: {}", ran.stderr);
    }
    let plan: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(names(&plan, "candidates").is_empty() && !plan["projects"][0]["obstacle"].is_null(), "{plan:#}");
    assert_eq!(before.changes(&Snapshot::of(&place.at)), [""; 0]);
}

#[test]
fn git_may_still_refuse_an_address_that_a_repository_names() {
    let place = cloned(&[]);
    place.env.git(&["config", "--global", "--unset", "protocol.file.allow"]);
    let ran = place.run(JSON);
    assert!(ran.stderr.contains("transport 'file' not allowed"), "{}", ran.said());
}

/// The member in the submodule requires crates that the world's own package requires, too.
fn with_requirements_below(requirements: &str) -> Env {
    let env = origin();
    let below = env.repo().join("deps/below");
    let manifest = std::fs::read_to_string(below.join("Cargo.toml")).unwrap();
    std::fs::write(below.join("Cargo.toml"), format!("{manifest}\n[dependencies]\n{requirements}")).unwrap();
    env.git(&["-C", below.to_str().unwrap(), "commit", "--quiet", "--all", "--message=Requirements"]);
    let names: String = requirements
        .lines()
        .filter_map(|line| line.split_once(' '))
        .fold(String::new(), |all, (name, _)| all + &format!(" \"{name}\",\n"));
    let lock = std::fs::read_to_string(env.repo().join("Cargo.lock")).unwrap();
    let with = format!("name = \"below\"\nversion = \"0.1.0\"\ndependencies = [\n{names}]\n");
    env.write("Cargo.lock", &lock.replace("name = \"below\"\nversion = \"0.1.0\"\n", &with)).commit();
    let text_of = std::fs::read_to_string(env.repo().join("Cargo.toml")).unwrap();
    env.write("Cargo.toml", &text_of.replace("[workspace]", "[workspace]\nmembers = [\"deps/below\"]")).commit();
    env
}

#[test]
fn what_a_requirement_in_a_submodule_admits_moves_in_the_lockfile_and_the_rest_is_to_be_raised_there() {
    let env = with_requirements_below("ant = \"1\"\nbee = \"~1.0\"\n");
    let ran = env.run(&["--manifest", "always"]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(ran.upgrades(), ["ant 1.0.0 -> 1.0.1", "cat 0.3.1 -> 0.3.4"], "{}", ran.said());
    let reason = &find(&ran.report, "held", "bee").unwrap()["reason"];
    assert_eq!(reason["kind"], "unsupported_project", "{reason:#}");
    assert!(text(reason, "text").starts_with("deps/below/Cargo.toml is not in git here"), "{reason:#}");
    let changed = env.git(&["diff", "--name-only", "main", text(&ran.report, "tip")]);
    assert_eq!(changed, "Cargo.lock\nCargo.toml", "our own manifest follows, the other repository stays as it is");
}
