//! The stage for the tests of the supervisor: a job in a folder of its own, found again in `/proc` by the mark in its
//! environment, run under each containment that this machine allows.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cargo_xupgrade::machine::interrupt::Stop;
use cargo_xupgrade::machine::supervisor::{Containment, Job, Launcher, Ran, RunAs};

/// Far more than any of these jobs takes; a test that waits this long fails.
pub(super) const LONG: Duration = Duration::from_secs(90);
/// One job in preparation: a folder of its own, and a mark in its environment.
pub(super) struct Scene {
    pub(super) dir: PathBuf,
    pub(super) mark: String,
    pub(super) launcher: Launcher,
}

impl Scene {
    pub(super) fn new(containment: Containment) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self::marked(format!("xupgrade-supervise-{}-{count}", std::process::id()), containment)
    }

    pub(super) fn marked(mark: String, containment: Containment) -> Self {
        let dir = std::env::temp_dir().join(&mark);
        fs::create_dir_all(&dir).unwrap();
        let launcher = Launcher::new(env!("CARGO_BIN_EXE_cargo-xupgrade")).with_containment(containment);
        Self { dir, mark, launcher }
    }

    pub(super) fn shell(&self, script: &str) -> Job {
        self.job("sh", &["-c", script])
    }

    pub(super) fn job(&self, program: &str, args: &[&str]) -> Job {
        Job {
            jobserver: None,
            run_as: RunAs::Own,
            program: program.into(),
            args: args.iter().map(OsString::from).collect(),
            dir: self.dir.clone(),
            env: BTreeMap::from([
                ("PATH".into(), std::env::var_os("PATH").unwrap()),
                ("MARK".into(), self.mark.clone().into()),
            ]),
            limit: LONG,
            grace: LONG,
            log: self.dir.join("log"),
            log_limit: 16 * 1024 * 1024,
        }
    }

    pub(super) fn run(&self, job: &Job) -> (Ran, Vec<String>) {
        let mut lines = Vec::new();
        let ran = self.launcher.run(job, &Stop::never(), &mut |line| lines.push(line.to_owned())).unwrap();
        (ran, lines)
    }

    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log")).unwrap()
    }

    /// Waits for a file that the job writes.
    pub(super) fn wait_for(&self, file: &str) {
        let path = self.dir.join(file);
        wait_until(&format!("`{}` is there", path.display()), || path.exists());
    }

    /// The id of the supervisor process that started the job.
    pub(super) fn parent_of_the_job(&self) -> String {
        let of = |process: String| {
            let stat = fs::read_to_string(format!("/proc/{}/stat", process.split(' ').next()?)).ok()?;
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.to_owned();
            let command = fs::read_to_string(format!("/proc/{parent}/cmdline")).ok()?;
            command.contains("__supervise").then_some(parent)
        };
        alive(&self.mark).into_iter().find_map(of).unwrap()
    }

    pub(super) fn assert_nothing_is_left(&self) {
        assert_eq!(alive(&self.mark), Vec::<String>::new(), "of the job `{}`", self.mark);
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        for id in alive(&self.mark) {
            let id = id.split(' ').next().unwrap();
            let _ = Command::new("kill").args(["-9", id]).status();
        }
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// The processes that carry `mark` in their environment, zombies left aside.
pub(super) fn alive(mark: &str) -> Vec<String> {
    let carries = |dir: &Path| {
        let environment = fs::read(dir.join("environ")).unwrap_or_default();
        let wanted = format!("MARK={mark}");
        environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
    };
    let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let mut found: Vec<String> = processes
        .filter(|dir| dir.join("stat").exists() && carries(dir))
        .map(|dir| {
            let command = fs::read(dir.join("cmdline")).unwrap_or_default();
            let id = dir.file_name().unwrap().to_string_lossy().into_owned();
            format!("{id} {}", String::from_utf8_lossy(&command).replace('\0', " "))
        })
        .collect();
    found.sort();
    found
}

pub(super) fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < LONG, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The containments that find every process: the one used here unasked, and the one that works for everybody.
pub(super) fn full_containments() -> Vec<Containment> {
    let scene = Scene::new(Containment::Subreaper);
    let best = Launcher::new(env!("CARGO_BIN_EXE_cargo-xupgrade"));
    let ran = best.run(&scene.shell("true"), &Stop::never(), &mut |_| {}).unwrap();
    let mut all = vec![ran.containment, Containment::Subreaper];
    all.dedup();
    assert!(!all.contains(&Containment::ProcessGroup), "Linux has subreapers");
    all
}

pub(super) fn in_each_full_containment(test: impl Fn(Scene)) {
    for containment in full_containments() {
        test(Scene::new(containment));
    }
}

pub(super) fn in_each_containment(test: impl Fn(Scene)) {
    in_each_full_containment(&test);
    test(Scene::new(Containment::ProcessGroup));
}
