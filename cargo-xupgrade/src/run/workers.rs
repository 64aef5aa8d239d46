//! The workers of a run: as many as the machine bears, and each with all that the first one has.

mod rights;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::opened::Opened;
use super::planning::Ecosystems;
use super::setup;
use crate::candidate::EcosystemKind;
use crate::checkout::environment::{self, CheckEnv, GoSettings};
use crate::checkout::worker::Worker;
use crate::checkout::worker::submodule::Means;
use crate::engine::executor::local::{Place, set_up};
use crate::event::Event;
use crate::input::config::Words;
use crate::machine::supervisor::{RunAs, is_root};

/// The memory that a worker may need: a linker of a large program, or a suite that starts a database.
const BYTES_EACH: u64 = 2 << 30;

/// Every go command that edits gets one environment, and this variable names a file in the first worker's clone.
const ONE_GOWORK: &str = "one worker instead of several: GOWORK names one file; without it each worker finds its own";

/// The workers beside the first one, and the environment of each one's checks, the first one's first.
pub struct Workers {
    others: Vec<Worker>,
    environments: Vec<CheckEnv>,
}

impl Workers {
    /// Makes as many workers as are wanted and the machine bears, and runs the set-up in each.
    ///
    /// # Errors
    /// A refusal of git or the disk, or a command of the set-up that fails.
    pub fn make(opened: &mut Opened<'_>, ecosystems: &Ecosystems<'_>, wanted: usize, out: &Path) -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let (size, fewer) = match &opened.outside.go_work {
            Some(file) if wanted > 1 && Path::new(file).starts_with(opened.worker.slot()) => {
                (1, Some(ONE_GOWORK.to_owned()))
            }
            _ => size(wanted, cores, free_memory()),
        };
        if let Some(text) = fewer {
            opened.listener.tell(&Event::Warned { text });
        }
        let mut others = Vec::new();
        for slot in 1..size {
            let what = format!("checking out the base commit for worker {}", slot + 1);
            opened.listener.tell(&Event::Began { what: what.clone() });
            others.push(one_more(opened, slot)?);
            opened.listener.tell(&Event::Ended { what });
        }
        let commands = opened.config.setup.commands.iter().map(Words::words).collect::<Result<Vec<_>>>()?;
        let has_go = ecosystems.all().iter().any(|one| one.kind() == EcosystemKind::Go);
        let go = has_go.then(|| crate::ecosystem::go::settings(opened.outside.go_work.clone())).flatten();
        let run_as = account_of_checks(opened, &others, go.as_ref())?;
        let mut environments = Vec::new();
        for worker in std::iter::once(&mut opened.worker).chain(&mut others) {
            let environment = CheckEnv::state(worker, &opened.config.pass_env, go.as_ref())?.run_as(run_as);
            set_up(worker, &environment, &commands, out, &opened.stop)?;
            worker.keep_untracked()?;
            environments.push(environment);
        }
        Ok(Self { others, environments })
    }

    /// The workers, the first one first, each with its environment.
    #[must_use]
    pub fn places<'w>(&'w self, first: &'w Worker) -> Vec<Place<'w>> {
        let workers = std::iter::once(first).chain(&self.others);
        let places = workers.zip(&self.environments);
        places.map(|(worker, environment)| Place { worker, environment: environment.clone() }).collect()
    }
}

/// The account that checks run as; says why that is root, where it is for want of anything else.
fn account_of_checks(opened: &Opened<'_>, others: &[Worker], go: Option<&GoSettings>) -> Result<RunAs> {
    if !is_root() || opened.config.as_root {
        return Ok(RunAs::Own);
    }
    let folders = |pick: fn(&GoSettings) -> &str| go.map(|go| PathBuf::from(pick(go)));
    let workers = std::iter::once(&opened.worker).chain(others).map(|worker| worker.slot().to_owned());
    let needed = rights::Needed {
        written: workers.chain(folders(|go| &go.build_cache)).collect(),
        read: [environment::cargo_home(), environment::rustup_home()]
            .into_iter()
            .chain(opened.repo.git_dirs())
            .chain(folders(|go| &go.module_cache))
            .collect(),
    };
    let (run_as, why) = rights::beside_root(&needed, opened.worker.slot(), &opened.stop)?;
    if let Some(why) = why {
        let text =
            format!("checks run as root, to whom nothing is forbidden, so tests that expect a refusal fail: {why}");
        opened.listener.tell(&Event::Warned { text });
    }
    Ok(run_as)
}

/// One more worker, with what the first one got when the run was opened; what there was to say was said then.
fn one_more(opened: &Opened<'_>, slot: usize) -> Result<Worker> {
    let mut worker = Worker::prepare(&opened.repo, &opened.base, &opened.cache, slot)?;
    let store = opened.cache.join("submodules");
    worker.add_submodules(&Means { repo: &opened.repo, store: &store, network: opened.outlook.network })?;
    setup::copy_named(&opened.repo, &worker.tree(), &opened.config.setup.copy, &opened.tracked.files)?;
    setup::look_outside(&opened.repo, &worker, &opened.sight.files, &|_: &Event| {})?;
    for lockfile in opened.worker.adopted() {
        let path = worker.tree().join(lockfile);
        std::fs::write(&path, opened.worker.file_in(None, lockfile)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    worker.adopt(opened.worker.adopted().to_vec())?;
    Ok(worker)
}

/// The number of workers that there can be, and the words for it where they are fewer than wanted.
fn size(wanted: usize, cores: usize, memory: Option<u64>) -> (usize, Option<String>) {
    let room = memory.map_or(usize::MAX, |free| usize::try_from(free / BYTES_EACH).unwrap_or(usize::MAX));
    let size = wanted.min(cores).min(room).max(1);
    let why = if cores <= room {
        format!("there are {cores} cores")
    } else {
        format!("there is memory for {} ({} GiB each)", room.max(1), BYTES_EACH >> 30)
    };
    (size, (size < wanted).then(|| format!("{size} workers instead of {wanted}: {why}")))
}

/// The memory that may be taken without driving others out, in bytes, where the system tells (proc(5), `meminfo`).
fn free_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().trim_end_matches("kB").trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_no_more_workers_than_cores_and_memory_bear() {
        let gib = |number: u64| Some(number << 30);
        assert_eq!(size(2, 8, gib(16)), (2, None));
        assert_eq!(size(1, 1, gib(0)), (1, None), "one there is always");
        assert_eq!(size(3, 8, None), (3, None));
        let (by_cores, words) = size(4, 2, gib(16));
        assert_eq!((by_cores, words.unwrap().as_str()), (2, "2 workers instead of 4: there are 2 cores"));
        let (by_memory, words) = size(4, 8, gib(5));
        assert_eq!((by_memory, words.unwrap().contains("memory for 2 (2 GiB each)")), (2, true));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_tells_how_much_memory_is_free() {
        assert!(free_memory().unwrap() > 1 << 20);
    }
}
