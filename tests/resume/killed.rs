//! The kill test: SIGKILL at moments that a seed chooses, then the same command again, until it ends by itself.
//! `scripts/soak` runs it with more seeds.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::common::process::{VARIABLE, assert_none_inside, assert_none_left, mark};
use crate::common::{Env, Ran, VERIFY, snapshot::Snapshot, text};

/// How many seeds are tried where nobody says otherwise.
const SEEDS: u64 = 3;
/// A run is killed this often at most before it may end.
const KILLS: u64 = 3;

/// Commits are tried by all checks, for which there is no limit of seconds: no clock decides what runs.
const FULL: [&str; 2] = [VERIFY, "full"];

/// A world in which each start of certain commands of cargo and go adds a line to a file.
pub struct Counted {
    pub env: Env,
    pub mark: String,
}

impl Counted {
    /// The world of a fixture, in which the starts of checks count.
    pub fn new(fixture: &str) -> Self {
        Self::of(fixture, "test|build|install|vet")
    }

    /// The world of a fixture; `cargo` and `go` on its path count commands, and do the rest of their work as ever.
    pub fn of(fixture: &str, commands: &str) -> Self {
        let (mut env, mark) = (Env::new(fixture), mark());
        let folder = env.world.root.join("counting");
        std::fs::create_dir_all(&folder).unwrap();
        for tool in ["cargo", "go"] {
            let found =
                env.vars["PATH"].split(':').map(|folder| Path::new(folder).join(tool)).find(|path| path.exists());
            let Some(real) = found else { continue };
            let count = folder.join("count").display().to_string();
            let count = format!("case \"$1\" in {commands}) echo \"{tool} $*\" >> '{count}' ;; esac");
            let script = format!("#!/bin/sh\n{count}\nexec '{}' \"$@\"\n", real.display());
            std::fs::write(folder.join(tool), script).unwrap();
            make_executable(&folder.join(tool));
        }
        let path = format!("{}:{}", folder.display(), env.vars["PATH"]);
        env.set("PATH", path).set(VARIABLE, &mark);
        env.write("xupgrade.toml", &format!("pass-env = [\"{VARIABLE}\"]\n"));
        Self { env, mark }
    }

    /// The number of counted starts so far.
    pub fn starts(&self) -> usize {
        let lines = std::fs::read_to_string(self.env.world.root.join("counting/count")).unwrap_or_default();
        lines.lines().count()
    }

    /// Takes away what a run leaves but for the clones, so that the next one starts as the first did: with a history it
    /// would guess otherwise.
    fn clear(&self) {
        for repository in self.env.world.root.join("cache").read_dir().unwrap().flatten() {
            let _ = std::fs::remove_file(repository.path().join("history.json"));
        }
        for branch in self.env.branches() {
            self.env.git(&["update-ref", "-d", &branch]);
        }
        std::fs::remove_dir_all(self.env.repo().join("xupgrade.out")).unwrap();
    }
}

fn make_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// What the journal of a repository says of finished cells: how often each question has an answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Facts(BTreeMap<String, usize>);

impl Facts {
    /// Reads them.
    pub fn of(repo: &Path) -> Self {
        let text = std::fs::read_to_string(repo.join("xupgrade.out/journal.jsonl")).unwrap_or_default();
        let mut facts = BTreeMap::new();
        for line in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            if line["line"] == "cell" {
                *facts.entry(line["asked"].to_string()).or_default() += 1;
            }
        }
        Self(facts)
    }

    /// How many answers there are.
    pub fn count(&self) -> usize {
        self.0.values().sum()
    }

    /// Whether every answer is among the others.
    fn is_within(&self, others: &Self) -> bool {
        self.0.iter().all(|(asked, count)| others.0.get(asked).is_some_and(|others| others >= count))
    }
}

/// Numbers that follow from a seed (splitmix64).
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// What an undisturbed run does.
struct Undisturbed {
    tree: String,
    upgrades: Vec<String>,
    facts: Facts,
    starts: usize,
    events: u64,
}

impl Undisturbed {
    fn run(counted: &Counted) -> Self {
        let ran = counted.env.run(&[&FULL[..], &["--format", "json"]].concat());
        assert_eq!(ran.code, 0, "{}", ran.said());
        let undisturbed = Self {
            tree: text(&ran.report, "tip_tree").to_owned(),
            upgrades: ran.upgrades(),
            facts: Facts::of(counted.env.repo()),
            starts: counted.starts(),
            events: ran.stdout.lines().count() as u64,
        };
        assert_eq!(undisturbed.facts.count(), undisturbed.starts, "each check that ran is in the journal");
        assert!(undisturbed.starts > 10, "there are moments enough: {}", ran.said());
        undisturbed
    }
}

#[test]
fn a_run_that_is_killed_at_any_moment_ends_as_if_nothing_had_happened() {
    let seeds = std::env::var("XUPGRADE_SOAK").map_or(SEEDS, |count| count.parse().expect("a number of seeds"));
    let counted = Counted::new("mixed");
    // Where four can be grouped, measured seconds decide whether gates are looked at first, and with them what is asked; what
    // is compared here must hang on no clock.
    let hold = "[[hold]]\nname = \"gone\"\nreason = \"three are enough\"\n";
    counted.env.write("xupgrade.toml", &format!("pass-env = [\"{VARIABLE}\"]\n\n{hold}"));
    let before = Snapshot::of(counted.env.repo());
    let status = counted.env.git(&["status", "--porcelain"]);
    let undisturbed = Undisturbed::run(&counted);
    let mut kills = 0;
    for seed in 1..=seeds {
        counted.clear();
        kills += a_killed_run(&counted, &undisturbed, seed);
        eprintln!("seed {seed}: {kills} kills so far");
        assert_eq!(before.intrusions(&Snapshot::of(counted.env.repo())), [""; 0], "seed {seed}");
        assert_eq!(counted.env.git(&["status", "--porcelain"]), status, "seed {seed}");
    }
    eprintln!("{seeds} seeds, {kills} kills");
    assert!(kills >= seeds / 2, "only {kills} of the runs were killed before they ended");
}

/// Kills a run as the seed says, lets it end, and compares; gives how often it was killed.
fn a_killed_run(counted: &Counted, undisturbed: &Undisturbed, seed: u64) -> u64 {
    let mut seeded = Seeded(seed);
    let wanted = 1 + seeded.below(KILLS);
    let starts = counted.starts();
    let mut kills = 0;
    for _ in 0..wanted {
        let (after, pause) = (seeded.below(undisturbed.events), seeded.below(400));
        if !killed(counted, after, Duration::from_millis(pause)) {
            break;
        }
        kills += 1;
        let facts = Facts::of(counted.env.repo());
        assert!(facts.is_within(&undisturbed.facts), "seed {seed}: {facts:#?} {:#?}", undisturbed.facts);
        assert!(counted.env.branches().len() <= 1, "seed {seed}: {:?}", counted.env.branches());
    }
    if kills == wanted {
        let ran = counted.env.run(&[&FULL[..], &["--format", "json"]].concat());
        assert_ends_as(counted, &ran, undisturbed, seed);
    }
    assert_eq!(Facts::of(counted.env.repo()), undisturbed.facts, "seed {seed}: a finished cell ran twice or never");
    let ran = counted.starts() - starts;
    let most = undisturbed.starts + usize::try_from(kills).unwrap();
    assert!(
        (undisturbed.starts..=most).contains(&ran),
        "seed {seed}: {ran} checks ran, {} have to; {kills} kills",
        undisturbed.starts
    );
    kills
}

fn assert_ends_as(counted: &Counted, ran: &Ran, undisturbed: &Undisturbed, seed: u64) {
    assert_eq!(ran.code, 0, "seed {seed}: {}", ran.said());
    assert_eq!(ran.upgrades(), undisturbed.upgrades, "seed {seed}");
    let branch = format!("refs/heads/{}", text(&ran.report, "branch"));
    assert_eq!(counted.env.branches(), std::slice::from_ref(&branch), "seed {seed}");
    assert_eq!(counted.env.git(&["rev-parse", &format!("{branch}^{{tree}}")]), undisturbed.tree, "seed {seed}");
    assert_none_left(&counted.mark);
    assert_none_inside(&counted.env.world.root);
}

/// Starts the tool and kills it a while after its n-th event; whether it was killed before it ended.
fn killed(counted: &Counted, after: u64, pause: Duration) -> bool {
    let mut run = counted.env.start(&FULL);
    for _ in 0..after {
        if run.next_event().is_none() {
            break;
        }
    }
    std::thread::sleep(pause);
    run.signal("KILL");
    let ran = run.end(&counted.env);
    assert_none_left(&counted.mark);
    assert_none_inside(&counted.env.world.root);
    ran.code == -1
}
