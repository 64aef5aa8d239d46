//! Several workers: the same result as one, nothing that clashes side by side, nothing left when the tool is killed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_xupgrade::checkout::environment::CheckEnv;
use cargo_xupgrade::checkout::repo::Repo;
use cargo_xupgrade::checkout::worker::Worker;
use cargo_xupgrade::clock::Instant;
use cargo_xupgrade::engine::executor::local::{self, Local, Place, Tools};
use cargo_xupgrade::engine::executor::{Executor as _, Order};
use cargo_xupgrade::event::Event;
use cargo_xupgrade::machine::interrupt::Stop;
use cargo_xupgrade::machine::supervisor::Launcher;
use cargo_xupgrade::plan::Plan;
use cargo_xupgrade::priors::Known;
use cargo_xupgrade::state::facts::Facts;
use cargo_xupgrade::trial::narrow::Breadth;
use cargo_xupgrade::trial::{Cell, Check, Company, Exit, Extent, Freshness, Noise, Phase, Reader, TrialKind};

use crate::common::process::{VARIABLE, assert_none_left, mark, wait_for};
use crate::common::{AS_OF, Env, Ran, TOOL, text};

/// The variable that tells the repository's tests of a folder outside, where they leave their marks.
const PLACE: &str = "MEETING_PLACE";

/// The world of `lock_only` with one more test, which may leave marks in the folder that is given, too.
fn world(test: &str, check: &str) -> (Env, PathBuf) {
    let mut env = Env::new("lock_only");
    let place = env.world.root.join("place");
    std::fs::create_dir_all(&place).unwrap();
    env.set(PLACE, place.display().to_string());
    env.write("tests/more.rs", test);
    env.write("xupgrade.toml", &format!("pass-env = [\"{PLACE}\"]\n{check}"));
    env.commit();
    (env, place)
}

/// A run with two workers; a machine that has one core only would give one.
fn run_with_two(env: &Env, args: &[&str]) -> Ran {
    let ran = env.run(&[&["--jobs", "2"], args].concat());
    assert!(!ran.stderr.contains("workers instead of"), "this test needs two cores and 4 GiB: {}", ran.said());
    ran
}

fn warnings(ran: &Ran) -> usize {
    ran.stderr.matches("failed beside another worker and not alone").count()
}

fn tip(env: &Env) -> String {
    let branches = env.branches();
    assert_eq!(branches.len(), 1, "{branches:?}");
    env.git(&["rev-parse", &format!("{}^{{tree}}", branches[0])])
}

#[test]
fn two_workers_leave_the_same_tree_as_one() {
    let (one, two) = (Env::new("mixed"), Env::new("mixed"));
    let alone = one.run(&[]);
    let beside = run_with_two(&two, &[]);
    assert_eq!((alone.code, beside.code), (0, 0), "{}\n{}", alone.said(), beside.said());
    assert_eq!(warnings(&beside), 0, "{}", beside.said());
    assert_eq!(alone.upgrades(), beside.upgrades());
    assert_eq!(tip(&one), tip(&two));
    let cache = two.world.root.join("cache");
    let targets: Vec<String> = folders_named("target", &cache);
    assert_eq!(targets.len(), 2, "each worker has a target directory of its own: {targets:?}");
}

/// The folders of a name in the folders of the workers.
fn folders_named(name: &str, cache: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for folder in cache.read_dir().into_iter().flatten().flatten() {
        for worker in folder.path().read_dir().into_iter().flatten().flatten() {
            if worker.path().join(name).is_dir() {
                found.push(worker.path().display().to_string());
            }
        }
    }
    found
}

/// Takes a lock that all workers share. Who has it waits until somebody else has met it; from then on nobody waits.
const CLASHES: &str = r#"
#[test]
fn takes_what_there_is_only_one_of() {
    let place = std::path::PathBuf::from(std::env::var_os("MEETING_PLACE").unwrap());
    let slot = std::env::var("XUPGRADE_SLOT").unwrap();
    std::fs::create_dir_all(place.join(format!("slot-{slot}"))).unwrap();
    let met = place.join("met");
    if std::fs::create_dir(place.join("lock")).is_err() {
        std::fs::write(&met, "").unwrap();
        panic!("somebody else has the lock");
    }
    while !met.exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    std::fs::remove_dir(place.join("lock")).unwrap();
}
"#;

const TEST: &str =
    "[[check]]\nname = \"test\"\necosystem = \"cargo\"\ncommand = \"cargo test --workspace --locked\"\nlimit = 120\n";

#[test]
fn suites_that_clash_are_told_of_once_and_one_worker_goes_on() {
    let (env, place) = world(CLASHES, TEST);
    let ran = run_with_two(&env, &[]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(warnings(&ran), 1, "{}", ran.said());
    assert_eq!(ran.upgrades().len(), 3, "{}", ran.said());
    assert!(place.join("slot-0").is_dir() && place.join("slot-1").is_dir(), "the baseline had two workers");
    let cells: Vec<&serde_json::Value> =
        ran.report["trials"].as_array().unwrap().iter().flat_map(|trial| trial["cells"].as_array().unwrap()).collect();
    let beside: Vec<&str> = cells.iter().filter_map(|cell| cell["beside"].as_str()).collect();
    assert_eq!(beside.len(), 1, "one of the two met the other: {:#}", ran.report["trials"]);
    let log = std::fs::read_to_string(env.repo().join("xupgrade.out").join(beside[0])).unwrap();
    assert!(log.contains("somebody else has the lock"), "{log}");
    assert!(cells.iter().all(|cell| cell["exit"] == 0), "alone it passes: {:#}", ran.report["trials"]);
}

/// Writes when it begins and when it ends; it gives others time to come in between.
const MARKS: &str = r#"
use std::io::Write as _;

#[test]
fn leaves_marks() {
    let place = std::path::PathBuf::from(std::env::var_os("MEETING_PLACE").unwrap());
    let slot = std::env::var("XUPGRADE_SLOT").unwrap();
    let mark = |what: &str| {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(place.join("marks"));
        writeln!(file.unwrap(), "{what} {slot}").unwrap();
    };
    mark("begin");
    std::thread::sleep(std::time::Duration::from_millis(400));
    mark("end");
    let own = std::env::var_os("TMPDIR").unwrap();
    assert!(own.to_str().unwrap().contains(&format!("/w{slot}/")), "{own:?}");
}
"#;

#[test]
fn exclusive_checks_never_overlap() {
    let (env, place) = world(MARKS, &format!("{TEST}exclusive = true\n"));
    let ran = run_with_two(&env, &[]);
    assert_eq!((ran.code, warnings(&ran)), (0, 0), "{}", ran.said());
    let marks = std::fs::read_to_string(place.join("marks")).unwrap();
    let lines: Vec<&str> = marks.lines().collect();
    for pair in lines.chunks(2) {
        let slot = pair[0].strip_prefix("begin ").unwrap_or_else(|| panic!("two at once: {lines:?}"));
        assert_eq!(pair.get(1).copied(), Some(format!("end {slot}").as_str()), "two at once: {lines:?}");
    }
    let slots: BTreeSet<&str> = lines.iter().filter_map(|line| line.strip_prefix("begin ")).collect();
    assert_eq!(slots, BTreeSet::from(["0", "1"]), "each worker knows its number");
}

#[test]
fn a_killed_tool_leaves_no_process_of_any_worker() {
    let mark = mark();
    let mut env = Env::new("hangs");
    env.set(VARIABLE, mark.as_str());
    env.write("xupgrade.toml", &format!("pass-env = [\"{VARIABLE}\"]\n{}", TEST.replace("120", "3600")));
    let mut run = env.start(&["--jobs", "2"]);
    run.wait_for_tests_of_a_trial(&mark);
    run.signal("KILL");
    assert_eq!(run.end(&env).code, -1);
    assert_none_left(&mark);
    assert_eq!(env.branches(), [""; 0]);
    let next = env.run(&["-p", "fine", "--jobs", "2"]);
    assert_eq!((next.code, next.upgrades()), (0, vec!["fine 1.0.0 -> 1.0.1".to_owned()]), "{}", next.said());
    assert_eq!(text(&next.report["trials"][0], "id"), "baseline-1");
}

/// Says which pipe the tokens come from that cargo gives to build scripts.
const ASKS: &str = r#"
fn main() {
    let flags = std::env::var("CARGO_MAKEFLAGS").unwrap();
    let pipe = flags.split_once("--jobserver-auth=").unwrap().1.split(&[',', ' '][..]).next().unwrap();
    let pipe = std::fs::read_link(format!("/proc/self/fd/{pipe}")).unwrap();
    let place = std::path::PathBuf::from(std::env::var_os("MEETING_PLACE").unwrap());
    let slot = std::env::var("XUPGRADE_SLOT").unwrap();
    std::fs::write(place.join(format!("pipe-of-{slot}")), pipe.display().to_string()).unwrap();
}
"#;

const MEETS_NONE: &str = r#"
#[test]
fn tests_meet_no_jobserver() {
    assert!(std::env::var_os("CARGO_MAKEFLAGS").is_none() && std::env::var_os("MAKEFLAGS").is_none());
}
"#;

#[test]
fn compilers_of_all_workers_share_one_jobserver_and_tests_meet_none() {
    let (env, place) = world(MEETS_NONE, "");
    env.write("build.rs", ASKS).commit();
    let ran = run_with_two(&env, &["-p", "ant"]);
    assert_eq!((ran.code, ran.upgrades().len()), (0, 1), "{}", ran.said());
    let pipe = |slot: usize| std::fs::read_to_string(place.join(format!("pipe-of-{slot}"))).unwrap();
    assert!(pipe(0).ends_with("/w0/jobs"), "{}", pipe(0));
    assert_eq!(pipe(0), pipe(1));
    assert!(!Path::new(&pipe(0)).exists(), "it goes with the run");
}

#[test]
fn every_worker_has_what_the_first_one_got() {
    let env = Env::new("checkout_lock_untracked");
    let setup = "[setup]\ncommands = [\"sh -c 'echo made > made.txt'\"]\ncopy = [\"local.txt\"]\n";
    let check = "[[check]]\nname = \"files\"\necosystem = \"cargo\"\ncommand = \"cat made.txt local.txt Cargo.lock\"\n";
    env.write("local.txt", "copied").write("xupgrade.toml", &format!("{setup}{check}"));
    let ran = run_with_two(&env, &[]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert!(!ran.upgrades().is_empty(), "the base is green in both: {}", ran.said());
    let log = |name: &str| std::fs::read_to_string(env.repo().join("xupgrade.out/log").join(name)).unwrap();
    assert_eq!(log("setup-1.log"), log("w1-setup-1.log"));
    for number in [1, 2] {
        let said = log(&format!("baseline-{number}-cargo-files.log"));
        let said = said.split_once('\n').unwrap().1;
        assert!(said.starts_with("made\ncopied") && said.contains("[[package]]"), "{said}");
    }
}

/// A trial on the untouched base that runs a shell script; `mark` is in the environment of what it starts.
fn order(id: &str, script: &str, mark: &str) -> Order {
    let check = Check {
        name: "script".into(),
        phase: Phase::Test,
        argv: ["sh", "-c", script].map(str::to_owned).into(),
        afresh: vec![],
        dir: ".".into(),
        env: BTreeMap::from([(VARIABLE.to_owned(), mark.to_owned())]),
        reader: Reader::Plain,
        limit: Some(3600),
        company: Company::Any,
        turn: cargo_xupgrade::trial::Turn::Always,
        grain: cargo_xupgrade::trial::Grain::Whole,
    };
    let cell = Cell { project: "cargo .".into(), check, concerns: BTreeSet::new(), extent: Extent::Whole };
    Order {
        kind: TrialKind::Search,
        id: id.into(),
        atoms: vec![],
        cells: vec![cell],
        freshness: Freshness::Cached,
        breadth: Breadth::Whole,
        goes_on: None,
        left: None,
    }
}

/// Lets `act` work with the local executor, with so many workers on the repository.
fn with_workers<T>(
    env: &Env,
    count: usize,
    act: impl FnOnce(&mut Local<'_, '_>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let repo = Repo::discover(env.repo()).unwrap();
    let base = repo.base(None).unwrap();
    let cache = env.world.root.join("cache/here");
    let workers: Vec<Worker> = (0..count).map(|slot| Worker::prepare(&repo, &base, &cache, slot).unwrap()).collect();
    let place = |worker| Place { worker, environment: CheckEnv::state(worker, &["PATH".into()], None).unwrap() };
    let places: Vec<Place<'_>> = workers.iter().map(place).collect();
    let plan = Plan {
        base: base.commit,
        as_of: Instant::parse(AS_OF).unwrap(),
        projects: vec![],
        candidates: vec![],
        held: vec![],
        newest: vec![],
        cells: vec![],
        cooldowns: vec![],
        frozen: vec![],
        set_aside: vec![],
        not_replayable: vec![],
        known: Known::default(),
    };
    let (stop, out) = (Stop::never(), env.world.root.join("out"));
    let facts = Facts::none();
    let listener = &|_: &Event| {};
    let tools = Tools { places: &places, plan: &plan, ecosystems: &[], out, facts: &facts, listener, stop };
    local::with(tools, |local| {
        local.launcher = Some(Launcher::new(TOOL));
        act(local)
    })
}

#[test]
fn a_cancelled_trial_ends_with_all_its_processes_and_the_one_beside_it_goes_on() {
    let env = Env::new("lock_only");
    let (doomed, other) = (mark(), mark());
    let go_on = env.world.root.join("go-on");
    with_workers(&env, 2, |local| {
        // Deaf to TERM, as some tests are; and one of its processes leaves the group.
        local.submit(order("doomed", "trap '' TERM; setsid sleep 3600 & sleep 3600", &doomed))?;
        let script = format!("while ! test -e {}; do sleep 0.02; done", go_on.display());
        local.submit(order("other", &script, &other))?;
        wait_for(&doomed, "sleep 3600");
        wait_for(&other, "sh -c");
        local.cancel("doomed");
        let cancelled = local.poll()?.unwrap();
        assert_eq!((cancelled.id.as_str(), cancelled.report.noise()), ("doomed", Some(&Noise::Cancelled)));
        assert_none_left(&doomed);
        std::fs::write(&go_on, "").unwrap();
        let finished = local.poll()?.unwrap();
        assert_eq!((finished.id.as_str(), finished.report.noise()), ("other", None));
        assert_eq!(finished.report.cells[0].exit, Exit::Code(0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn what_is_under_way_ends_when_nobody_waits_for_it_any_more() {
    let env = Env::new("lock_only");
    let mark = mark();
    let broken: anyhow::Result<()> = with_workers(&env, 1, |local| {
        local.submit(order("endless", "sleep 3600", &mark))?;
        wait_for(&mark, "sleep 3600");
        anyhow::bail!("the run broke off")
    });
    assert_eq!(broken.unwrap_err().to_string(), "the run broke off");
    assert_none_left(&mark);
}
