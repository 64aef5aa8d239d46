//! Runs with tests that fail at random: on the base, or for an upgrade's sake. One run of each kind with the other tests;
//! `scripts/soak-flakes` makes as many as it is told to, and prints what came of them.

use std::fmt::Write as _;
use std::time::Instant;

use crate::common::{Env, FLAKE_BUDGET, VERIFY_RUNS, fixture};

/// A kind of world, with how often something goes wrong in so many runs of it at most.
struct Kind {
    name: &'static str,
    /// The tests that fail at random, and in how many of a thousand runs.
    tests: &'static [&'static str],
    rate: u64,
    of: Of,
    /// Mistakes that are allowed in forty runs.
    most: usize,
}

/// The origin of the failures.
#[derive(PartialEq)]
enum Of {
    /// The base: a good upgrade must land.
    Base,
    /// The base, where the whole suite runs and never by name: a good upgrade must land.
    Suite,
    /// The upgrade of `wobbly`: it must not land.
    Upgrade,
}

const KINDS: [Kind; 6] = [
    Kind {
        name: "a test that fails on the base in 30 % of its runs",
        tests: &["flaps"],
        rate: 300,
        of: Of::Base,
        most: 0,
    },
    Kind { name: "fifty tests that do in 2 %", tests: &[], rate: 20, of: Of::Base, most: 0 },
    Kind { name: "a test that does in 30 %, and never by name", tests: &["shy"], rate: 300, of: Of::Suite, most: 0 },
    Kind { name: "an upgrade that makes a test fail in 40 %", tests: &["maker"], rate: 400, of: Of::Upgrade, most: 0 },
    Kind { name: "one that does in 20 %", tests: &["maker"], rate: 200, of: Of::Upgrade, most: 2 },
    Kind {
        name: "one with which each time another test fails, and none by name",
        tests: &[CLASH],
        rate: 0,
        of: Of::Upgrade,
        most: 0,
    },
];

/// Ten tests that get in each other's way, in the place of one by its name.
const CLASH: &str = "clash";

#[test]
fn a_test_that_fails_on_the_base_at_times_holds_no_good_upgrade() {
    soak(1);
}

#[test]
fn fifty_tests_that_fail_on_the_base_now_and_then_hold_no_good_upgrade() {
    soak(2);
}

#[test]
fn a_test_that_fails_on_the_base_at_times_and_never_by_name_holds_no_good_upgrade() {
    soak(3);
}

#[test]
fn an_upgrade_that_makes_a_test_fail_in_two_of_five_runs_stays_out() {
    soak(4);
}

#[test]
fn an_upgrade_that_makes_a_test_fail_in_every_fifth_run_stays_out_nearly_always() {
    soak(5);
}

#[test]
fn an_upgrade_with_which_another_test_fails_each_time_and_none_by_name_stays_out() {
    soak(6);
}

/// Makes the runs of a kind, by its number from 1, if it is asked for.
fn soak(number: usize) {
    if !is_chosen(number) {
        return;
    }
    let (kind, seeds) = (&KINDS[number - 1], seeds());
    let mut came = Came::default();
    for seed in seeds.clone() {
        let began = Instant::now();
        let wrong = mistake(kind, seed);
        let seconds = began.elapsed().as_secs();
        println!("seed {seed}: {}: {}, {seconds} s", kind.name, if wrong.is_some() { "wrong" } else { "right" });
        came.seconds += seconds;
        came.wrong.extend(wrong);
    }
    let runs = seeds.count();
    println!("{}: {} of {runs} wrong, {} s a run", kind.name, came.wrong.len(), came.seconds / runs as u64);
    let most = if kind.most == 0 { 0 } else { (kind.most * runs / 40).max(1) };
    assert!(came.wrong.len() <= most, "{}: {}", kind.name, came.wrong.join("\n"));
}

/// The outcome of the runs of a kind.
#[derive(Default)]
struct Came {
    wrong: Vec<String>,
    seconds: u64,
}

/// The variable that names the seeds (`1-40`).
const SEEDS: &str = "XUPGRADE_SOAK_FLAKES";

/// The seeds that are asked for; the first one alone where none are.
fn seeds() -> std::ops::RangeInclusive<u64> {
    let Ok(given) = std::env::var(SEEDS) else { return 1..=1 };
    let (first, last) = given.split_once('-').expect("two seeds with a dash between");
    first.parse().expect("a first seed")..=last.parse().expect("a last seed")
}

/// Membership of a kind in `XUPGRADE_SOAK_KINDS` (`1,3`); all of them are chosen where it is not set.
fn is_chosen(number: usize) -> bool {
    let chosen = std::env::var("XUPGRADE_SOAK_KINDS").ok();
    chosen.is_none_or(|chosen| chosen.split(',').any(|one| one == number.to_string()))
}

/// The words on a run that went wrong; none on one that did not.
fn mistake(kind: &Kind, seed: u64) -> Option<String> {
    let env = world(kind, seed);
    let tried = match kind.of {
        Of::Upgrade => &["wobbly"][..],
        // Some eight hundred runs of them by name: with the other tests for one upgrade only.
        Of::Base if kind.tests.is_empty() && std::env::var_os(SEEDS).is_none() => &GOOD[4..],
        Of::Base | Of::Suite => &GOOD,
    };
    let chosen = tried.iter().flat_map(|name| ["-p", name]);
    let ran = env.run(&chosen.chain([VERIFY_RUNS, "2", FLAKE_BUDGET, "60"]).collect::<Vec<_>>());
    let landed = |name: &&str| ran.upgrades().iter().any(|one| one.starts_with(name));
    let right = match kind.of {
        Of::Base | Of::Suite => tried.iter().all(landed) && ran.code == 0,
        Of::Upgrade => !landed(&"wobbly") && [0, 3].contains(&ran.code),
    };
    (!right).then(|| format!("seed {seed}: {}", ran.said()))
}

/// The upgrades that are good, all of the same member.
const GOOD: [&str; 5] = ["good-1", "good-2", "good-3", "good-4", "left"];

/// The fixture, with more of what `left` is: where one of them is doubted, others wait.
fn archive() -> String {
    let mut text = fixture("flaky_tests");
    let of = |line: &dyn Fn(&str) -> String| GOOD[..4].iter().map(|name| line(name)).collect::<String>();
    let mut put = |before: &str, lines: String| text = text.replacen(before, &(lines + before), 1);
    put("left = \"1\"\n", of(&|name| format!("{name} = \"1\"\n")));
    put(" \"left\",\n", of(&|name| format!(" \"{name}\",\n")));
    let source = "source = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"@\"";
    let locked = |name: &str| format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n{source}\n\n");
    put("[[package]]\nname = \"left\"\n", of(&locked));
    let releases = |name: &str| {
        ["1.0.0", "1.0.1"]
            .map(|version| format!("-- crates/{name}/{version}/src/lib.rs --\npub const NUMBER: u32 = 1;\n"))
            .concat()
    };
    put("-- crates/left/1.0.0/src/lib.rs --\n", of(&releases));
    text
}

fn world(kind: &Kind, seed: u64) -> Env {
    let mut env = Env::from_archive(&archive());
    let counts = env.world.root.join("counts");
    std::fs::create_dir(&counts).unwrap();
    let fifty: Vec<String> = (0..50).map(|number| format!("t{number}")).collect();
    let names: Vec<&str> =
        if kind.tests.is_empty() { fifty.iter().map(String::as_str).collect() } else { kind.tests.to_vec() };
    for (place, name) in names.iter().enumerate() {
        std::fs::write(counts.join(format!("{name}.red")), red_runs(kind.rate, seed * 1000 + place as u64)).unwrap();
    }
    env.set("COUNTS", counts.to_str().unwrap());
    if kind.tests.is_empty() {
        let mut tests = std::fs::read_to_string(env.repo().join("ada/src/lib.rs")).unwrap();
        for name in &fifty {
            let _ = write!(tests, "\n#[test]\nfn {name}() {{\n    count::run_of(\"{name}\");\n}}\n");
        }
        env.write("ada/src/lib.rs", &tests).commit();
    }
    let maker = "#[cfg(test)]\n#[path = \"../../count.rs\"]\nmod count;\n\n#[test]\nfn stands() {\n    if !wobbly::is_steady() {\n        \
                 count::run_of(\"maker\");\n    }\n}\n";
    let shy = "\n#[test]\nfn shy() {\n    if !std::env::args().any(|word| word == \"--exact\") {\n        \
               count::run_of(\"shy\");\n    }\n}\n";
    if kind.of == Of::Suite {
        let tests = std::fs::read_to_string(env.repo().join("ada/src/lib.rs")).unwrap();
        env.write("ada/src/lib.rs", &(tests + shy)).commit();
    }
    if kind.of == Of::Upgrade {
        let tests = if kind.tests == [CLASH] { clashing() } else { maker.to_owned() };
        env.write("bob/src/lib.rs", &tests).commit();
    }
    env
}

/// Tests of which one fails in each run of all of them with the upgrade, in turn, and none by name.
fn clashing() -> String {
    let test = |number: usize| {
        format!(
            "\n#[test]\nfn c{number}() {{\n    let by_name = std::env::args().any(|word| word == \"--exact\");\n    \
             assert!(by_name || wobbly::is_steady() || count::run_of(\"c{number}\") % 10 != {number});\n}}\n"
        )
    };
    let head = "#[cfg(test)]\n#[path = \"../../count.rs\"]\nmod count;\n";
    head.to_owned() + &(0..10).map(test).collect::<String>()
}

/// The numbers of the runs that fail, at a rate in 1/1000: a linear congruential generator (Knuth's MMIX constants).
fn red_runs(rate: u64, seed: u64) -> String {
    let mut state = seed.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
    let mut text = String::new();
    for run in 1..=2000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        if (state >> 33) % 1000 < rate {
            let _ = write!(text, "{run} ");
        }
    }
    text
}
