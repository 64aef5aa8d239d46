//! The crew of a run: how many workers the machine bears, and each with all that the first one has.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{Scene, rights};
use crate::candidate::EcosystemKind;
use crate::checkout::environment::{self, CheckEnv, GoSettings};
use crate::checkout::worker::Worker;
use crate::checkout::worker::submodule::Means;
use crate::engine::executor::local::{Place, set_up};
use crate::event::Event;
use crate::input::config::Words;
use crate::machine::supervisor::{RunAs, is_root};
use crate::run::setup;

/// The memory that a worker may need: a linker of a large program, or a suite that starts a database.
const BYTES_EACH: u64 = 2 << 30;

/// Every go command that edits gets one environment, and this variable names a file in the first worker's clone.
const ONE_GOWORK: &str = "one worker instead of several: GOWORK names one file; without it each worker finds its own";

impl Scene<'_> {
    /// Makes as many workers as are wanted and the machine bears, runs the set-up in each, and gives the environment of
    /// each one's checks, in their order.
    ///
    /// # Errors
    /// When git or the disk refuses, or a command of the set-up fails.
    pub fn staff(&mut self, wanted: usize, out: &Path) -> Result<Vec<CheckEnv>> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let (size, fewer) = match &self.outside.go_work {
            Some(file) if wanted > 1 && Path::new(file).starts_with(self.worker.slot()) => {
                (1, Some(ONE_GOWORK.to_owned()))
            }
            _ => size(wanted, cores, free_memory()),
        };
        if let Some(text) = fewer {
            self.listener.tell(&Event::Warned { text });
        }
        for slot in 1..size {
            let what = format!("checking out the base commit for worker {}", slot + 1);
            self.listener.tell(&Event::Began { what: what.clone() });
            let worker = self.hire(slot)?;
            self.others.push(worker);
            self.listener.tell(&Event::Ended { what });
        }
        let commands = self.config.setup.commands.iter().map(Words::words).collect::<Result<Vec<_>>>()?;
        let has_go = self.ecosystems.iter().any(|one| one.kind() == EcosystemKind::Go);
        let go = has_go.then(|| crate::ecosystem::go::settings(self.outside.go_work.clone())).flatten();
        let run_as = self.account_of_checks(go.as_ref())?;
        let mut environments = Vec::new();
        for worker in std::iter::once(&mut self.worker).chain(&mut self.others) {
            let environment = CheckEnv::state(worker, &self.config.pass_env, go.as_ref())?.run_as(run_as);
            set_up(worker, &environment, &commands, out, &self.stop)?;
            worker.keep_untracked()?;
            environments.push(environment);
        }
        Ok(environments)
    }

    /// The account that checks run as; says why that is root, where it is for want of anything else.
    fn account_of_checks(&self, go: Option<&GoSettings>) -> Result<RunAs> {
        if !is_root() || self.config.as_root {
            return Ok(RunAs::Own);
        }
        let folders = |pick: fn(&GoSettings) -> &str| go.map(|go| PathBuf::from(pick(go)));
        let workers = std::iter::once(&self.worker).chain(&self.others).map(|worker| worker.slot().to_owned());
        let needed = rights::Needed {
            written: workers.chain(folders(|go| &go.build_cache)).collect(),
            read: [environment::cargo_home(), environment::rustup_home()]
                .into_iter()
                .chain(self.repo.git_dirs())
                .chain(folders(|go| &go.module_cache))
                .collect(),
        };
        let (run_as, why) = rights::beside_root(&needed, self.worker.slot(), &self.stop)?;
        if let Some(why) = why {
            let text =
                format!("checks run as root, to whom nothing is forbidden, so tests that expect a refusal fail: {why}");
            self.listener.tell(&Event::Warned { text });
        }
        Ok(run_as)
    }

    /// The workers, each with its environment, as [`Scene::staff`] gave them.
    #[must_use]
    pub fn places(&self, environments: Vec<CheckEnv>) -> Vec<Place<'_>> {
        let workers = std::iter::once(&self.worker).chain(&self.others);
        workers.zip(environments).map(|(worker, environment)| Place { worker, environment }).collect()
    }

    /// One more worker, with what the first one got when the scene was opened; what there was to say was said then.
    fn hire(&self, slot: usize) -> Result<Worker> {
        let mut worker = Worker::prepare(&self.repo, &self.base, &self.cache, slot)?;
        let store = self.cache.join("submodules");
        worker.add_submodules(&Means { repo: &self.repo, store: &store, network: self.outlook.network })?;
        setup::copy_named(&self.repo, &worker.tree(), &self.config.setup.copy, &self.tracked.files)?;
        setup::look_outside(&self.repo, &worker, &self.sight.files, &|_: &Event| {})?;
        for lockfile in self.worker.adopted() {
            let path = worker.tree().join(lockfile);
            std::fs::write(&path, self.worker.file_in(None, lockfile)?)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        worker.adopt(self.worker.adopted().to_vec())?;
        Ok(worker)
    }
}

/// How many workers there can be, and the words for it where they are fewer than wanted.
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
