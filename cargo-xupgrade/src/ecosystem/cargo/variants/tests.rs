//! Which builds are chosen, as sentences; a table stands in for `cargo tree`.

use super::*;

/// Answers by selection; what is not in it cargo refuses.
struct Trees(BTreeMap<String, Vec<&'static str>>);

impl Trees {
    fn of(answers: &[(&str, &[&'static str])]) -> Self {
        Self(answers.iter().map(|(selection, lines)| ((*selection).to_owned(), lines.to_vec())).collect())
    }

    fn ask(&self, selection: &[&str]) -> Option<BTreeSet<String>> {
        let lines = self.0.get(&selection.join(" "))?;
        Some(lines.iter().map(|line| (*line).to_owned()).collect())
    }
}

fn members(text: &str) -> Members {
    serde_json::from_str(&format!("{{\"packages\": [{text}]}}")).unwrap()
}

fn member(name: &str, features: &str, dependencies: &[&str]) -> String {
    let dependencies: Vec<String> = dependencies.iter().map(|name| format!("{{\"name\": \"{name}\"}}")).collect();
    format!(
        "{{\"id\": \"{name}\", \"name\": \"{name}\", \"version\": \"0.1.0\", \"features\": {{{features}}}, \
         \"dependencies\": [{}]}}",
        dependencies.join(", ")
    )
}

fn locked(packages: &[(&str, &[&str])]) -> Lock {
    let one = |(name, below): &(&str, &[&str])| {
        let below: Vec<String> = below.iter().map(|name| format!("\"{name}\"")).collect();
        format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\ndependencies = [{}]\n\n", below.join(", "))
    };
    lock::read(&("version = 4\n\n".to_owned() + &packages.iter().map(one).collect::<String>())).unwrap()
}

fn moving(names: &[&str]) -> BTreeSet<Target> {
    names.iter().map(|name| Target::new(*name, semver::Version::new(1, 0, 0))).collect()
}

const W: &str = "--workspace --edges=normal,build,dev";

#[test]
fn where_all_is_compiled_and_the_one_member_has_no_neighbour_nothing_is_chosen() {
    let members = members(&member("app", "", &["dep"]));
    let lock = locked(&[("app", &["dep"]), ("dep", &[])]);
    let known =
        Known { members: &members, lock: &lock, moving: &moving(&["dep"]), targets: &["t".to_owned()], own: &[] };
    let trees = Trees::of(&[(W, &["app v1.0.0 (/w)", "dep v1.0.0"])]);
    assert_eq!(find(&known, &|selection| trees.ask(selection)), Variants::default());
}

#[test]
fn a_member_is_built_alone_where_it_differs_then_and_uses_what_may_move() {
    let members = members(&[member("a", "", &["x"]), member("b", "", &["x"]), member("c", "", &[])].join(","));
    let lock = locked(&[("a", &["x"]), ("b", &["x"]), ("c", &[]), ("x", &[])]);
    let known = Known { members: &members, lock: &lock, moving: &moving(&["x"]), targets: &[], own: &[] };
    let all: &[&str] = &["a v1.0.0", "b v1.0.0", "c v1.0.0", "x v1.0.0 more"];
    let trees = Trees::of(&[
        (W, all),
        ("--workspace --edges=normal,build", all),
        ("--package a --edges=normal,build", &["a v1.0.0", "x v1.0.0"]),
        ("--package b --edges=normal,build", &["b v1.0.0", "x v1.0.0 more"]),
        ("--package c --edges=normal,build", &["c v1.0.0 otherwise"]),
    ]);
    let found = find(&known, &|selection| trees.ask(selection));
    assert_eq!(found.chosen, [Variant::Alone { member: "a".into(), spec: "a".into() }]);
}

#[test]
fn the_feature_that_compiles_most_is_chosen_and_one_that_asks_for_nothing_open_is_not_asked_for() {
    let features = r#""all": ["one", "dep:y"], "none": ["dep:z"], "one": ["dep:x"]"#;
    let members = members(&member("app", features, &["x", "y", "z"]));
    let lock = locked(&[("app", &["x", "y", "z"]), ("x", &["deep"]), ("y", &[]), ("z", &[]), ("deep", &[])]);
    let known = Known { members: &members, lock: &lock, moving: &moving(&["deep", "y"]), targets: &[], own: &[] };
    let trees = Trees::of(&[
        (W, &["app v1.0.0"]),
        ("--package app --features all --edges=normal,build", &["app v1.0.0", "x v1.0.0", "deep v1.0.0", "y v1.0.0"]),
        ("--package app --features one --edges=normal,build", &["app v1.0.0", "x v1.0.0", "deep v1.0.0"]),
    ]);
    let found = find(&known, &|selection| {
        assert!(!selection.contains(&"none"), "{selection:?}");
        trees.ask(selection)
    });
    let all = Variant::Feature { member: "app".into(), spec: "app".into(), feature: "all".into() };
    assert_eq!(found, Variants { chosen: vec![all], ..Variants::default() });
}

#[test]
fn what_a_check_of_the_users_compiles_needs_no_other_one() {
    let members = members(&member("app", r#""one": ["dep:x"]"#, &["x"]));
    let lock = locked(&[("app", &["x"]), ("x", &[])]);
    let argv = ["cargo", "test", "--features", "one", "--", "--features", "no"].map(str::to_owned).to_vec();
    let own = [Check { argv, ..crate::trial::Cell::of("own", crate::trial::Phase::Test).check }];
    let known = Known { members: &members, lock: &lock, moving: &moving(&["x"]), targets: &[], own: &own };
    let trees = Trees::of(&[
        (W, &["app v1.0.0"]),
        ("--edges=normal,build,dev --features one", &["app v1.0.0", "x v1.0.0"]),
        ("--package app --features one --edges=normal,build", &["app v1.0.0", "x v1.0.0"]),
    ]);
    assert_eq!(find(&known, &|selection| trees.ask(selection)), Variants::default());
}

#[test]
fn a_target_that_is_installed_is_checked_for_the_members_that_need_it_and_else_one_is_named_to_install() {
    let members = members(&[member("a", "", &["win"]), member("b", "", &[])].join(","));
    let lock = locked(&[("a", &["win", "mac"]), ("b", &[]), ("mac", &[]), ("win", &[])]);
    let targets = ["x86_64-pc-windows-msvc".to_owned()];
    let known = Known { members: &members, lock: &lock, moving: &moving(&["mac", "win"]), targets: &targets, own: &[] };
    let all: &[&str] = &["a v1.0.0", "b v1.0.0"];
    let trees = Trees::of(&[
        (W, all),
        ("--workspace --edges=normal,build", all),
        ("--package a --target x86_64-pc-windows-msvc --edges=normal,build,dev", &["a v1.0.0", "win v1.0.0"]),
        ("--workspace --target aarch64-apple-darwin --edges=normal,build,dev", &["a v1.0.0", "mac v1.0.0"]),
    ]);
    let found = find(&known, &|selection| trees.ask(selection));
    let target = Variant::Target { triple: targets[0].clone(), specs: vec!["a".into()] };
    assert_eq!(found.chosen, [target]);
    let [(name, word)] = found.missing.iter().collect::<Vec<_>>()[..] else { panic!("{:?}", found.missing) };
    assert!(name == "mac" && word.contains("rustup target add aarch64-apple-darwin"), "{word}");
}
