//! The companion: found or built once, started lazily, asked over pipes, ended with us.
//! It runs in a process group of its own, so that a terminal's Ctrl-C leaves it alone and we decide what ends. It ends
//! when its stdin does, so nothing of it outlives this process, however that dies.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::protocol::{Failure, Hello, HelloParams, Line, Request, VERSION};
use super::source;
use crate::checkout::environment::cargo_home;
use crate::machine::command::{Tool, variable};

/// The name of the program.
const NAME: &str = "go-xupgrade";
/// How much of the companion's own stderr is kept for an error message, in bytes.
const STDERR_KEPT: usize = 4000;
/// How long a companion may take to end after its stdin was closed; it puts files back in that time.
const FAREWELL: Duration = Duration::from_secs(10);

/// The companion that the user names with `XUPGRADE_GO_COMPANION`, if there is one.
///
/// # Errors
/// When the variable names nothing.
pub fn named() -> Result<Option<PathBuf>> {
    let Some(named) = variable("XUPGRADE_GO_COMPANION") else { return Ok(None) };
    let path = PathBuf::from(named);
    if !path.is_file() {
        bail!(
            "XUPGRADE_GO_COMPANION names {}, which is no file; mend it, or unset it and a copy is built",
            path.display()
        );
    }
    Ok(Some(path))
}

/// Finds the companion: the one that the user names, else a copy built once with the user's own Go, without any network.
///
/// # Errors
/// When the variable names nothing, Go is not there, or the build fails.
pub fn provide(cache_root: &Path) -> Result<PathBuf> {
    if let Some(path) = named()? {
        return Ok(path);
    }
    let version =
        Tool::new("go").args(["env", "GOVERSION"]).env("GOTOOLCHAIN", "local").dir(&std::env::temp_dir()).line()?;
    let key: String = version.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
    let home = cache_root.join("companion");
    let built = home.join(format!("{}-{key}", source::hash()));
    let program = built.join(NAME);
    if !program.is_file() {
        build(&home, &built)?;
    }
    Ok(program)
}

/// Builds into a folder of our own and renames it, so that two runs at once do not meet and a killed one leaves no half.
fn build(home: &Path, built: &Path) -> Result<()> {
    static BUILDS: AtomicU32 = AtomicU32::new(0);
    let mine = home.join(format!(".building-{}-{}", std::process::id(), BUILDS.fetch_add(1, Ordering::Relaxed)));
    crate::machine::disk::remove(&mine)?;
    let source = mine.join("source");
    source::write(&source)?;
    let made = compile(&source, &mine.join(NAME))
        .and_then(|()| crate::machine::disk::remove(&source))
        .and_then(|()| settle(&mine, built));
    if made.is_err() {
        // The first error tells more than one of the cleaning would.
        let _ = crate::machine::disk::remove(&mine);
    }
    made
}

fn compile(source: &Path, program: &Path) -> Result<()> {
    let tool = Tool::new("go").args(["build", "-trimpath", "-buildvcs=false", "-o"]).arg(program).arg(".").dir(source);
    let settings = [
        ("GOFLAGS", "-mod=vendor"),
        ("GOPROXY", "off"),
        ("GOTOOLCHAIN", "local"),
        ("GOWORK", "off"),
        ("CGO_ENABLED", "0"),
        ("GO111MODULE", "on"),
    ];
    // A user who cross-compiles the project still needs a companion for this machine.
    let tool = ["GOOS", "GOARCH", "GOEXPERIMENT"].iter().fold(tool, Tool::without);
    settings
        .iter()
        .fold(tool, |tool, (key, value)| tool.env(key, value))
        .run()
        .context("cannot build the Go companion")?;
    Ok(())
}

fn settle(mine: &Path, built: &Path) -> Result<()> {
    match fs::rename(mine, built) {
        Ok(()) => Ok(()),
        // Another run was faster; its copy comes from the same source.
        Err(_) if built.join(NAME).is_file() => crate::machine::disk::remove(mine),
        Err(error) => Err(error).with_context(|| format!("cannot make {}", built.display())),
    }
}

/// Puts the companion beside the running program, else into cargo's folder of programs, as `go-xupgrade`.
///
/// # Errors
/// When neither folder can be written.
pub fn install(companion: &Path) -> Result<PathBuf> {
    let beside = std::env::current_exe().ok().and_then(|program| program.parent().map(Path::to_path_buf));
    let mut last = anyhow!("there is no folder to put it into");
    for folder in beside.into_iter().chain([cargo_home().join("bin")]) {
        match copy(companion, &folder) {
            Ok(path) => return Ok(path),
            Err(error) => last = error,
        }
    }
    Err(last.context("cannot install the Go companion"))
}

fn copy(companion: &Path, folder: &Path) -> Result<PathBuf> {
    let (target, part) = (folder.join(NAME), folder.join(format!(".{NAME}-{}", std::process::id())));
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    // A program that runs cannot be written to, but another can take its place.
    fs::copy(companion, &part).with_context(|| format!("cannot write below {}", folder.display()))?;
    fs::rename(&part, &target).with_context(|| format!("cannot write {}", target.display()))?;
    Ok(target)
}

/// What came of a request that was not answered with a result.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// The companion said no, with a code to branch on.
    #[error("{0}")]
    Failed(Box<Failure>),
    /// The companion is gone or talks nonsense.
    #[error("{0:#}")]
    Broken(anyhow::Error),
}

/// A running companion.
#[derive(Debug)]
pub struct Companion {
    child: Child,
    /// `None` once it was told to end.
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    stderr: Arc<Mutex<Vec<u8>>>,
    sent: u64,
    /// What it said of itself and of Go.
    pub hello: Hello,
}

impl Companion {
    /// Starts one; `env` is laid over the environment of every go command that it runs, `store` is a folder for its
    /// copies of what the module proxies publish.
    ///
    /// # Errors
    /// When it does not start, refuses, or speaks another protocol.
    pub fn start(program: &Path, env: BTreeMap<String, String>, store: &Path) -> Result<Self, Unanswered> {
        let mut companion = Self::spawn(program).map_err(Unanswered::Broken)?;
        companion.hello =
            companion.ask("hello", &HelloParams { env, store: store.display().to_string() }, &mut |_, _| {})?;
        let spoken = companion.hello.protocol;
        if spoken != VERSION {
            let text = format!(
                "{} speaks protocol {spoken} and not {VERSION}; unset XUPGRADE_GO_COMPANION",
                program.display()
            );
            return Err(Unanswered::Broken(anyhow!(text)));
        }
        Ok(companion)
    }

    fn spawn(program: &Path) -> Result<Self> {
        let mut child = Command::new(program)
            .arg("--protocol")
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let stdout = stdout.context("the companion has no stdout")?;
        let stderr = keep_tail(stderr.context("the companion has no stderr")?)?;
        let hello = Hello { protocol: 0, goversion: String::new() };
        Ok(Self { child, stdin, stdout: BufReader::new(stdout), stderr, sent: 0, hello })
    }

    /// Sends a request and waits for its reply; `progress` is told how much is done of how much.
    ///
    /// # Errors
    /// When the companion says no, or is gone.
    pub fn ask<P: Serialize, R: DeserializeOwned>(
        &mut self,
        verb: &str,
        params: &P,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<R, Unanswered> {
        self.sent += 1;
        let request = Request { id: self.sent, verb, params };
        let value = match self.exchange(&request, progress) {
            Ok(Ok(value)) => value,
            Ok(Err(failure)) => return Err(Unanswered::Failed(Box::new(failure))),
            Err(error) => return Err(Unanswered::Broken(self.with_last_words(error, verb))),
        };
        serde_json::from_value(value).map_err(|error| {
            Unanswered::Broken(anyhow!("the Go companion answered `{verb}` with something else: {error}"))
        })
    }

    fn exchange<P: Serialize>(
        &mut self,
        request: &Request<'_, P>,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Result<serde_json::Value, Failure>> {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        let stdin = self.stdin.as_mut().context("it was told to end")?;
        stdin.write_all(&line).and_then(|()| stdin.flush()).context("it does not listen")?;
        loop {
            let mut text = String::new();
            if self.stdout.read_line(&mut text).context("it cannot be read")? == 0 {
                bail!("it ended");
            }
            let line: Line = serde_json::from_str(&text).context("it talks nonsense")?;
            match line {
                line if line.id != request.id => {}
                Line { event: Some(_), done, total, .. } => progress(done, total),
                Line { error: Some(failure), .. } => return Ok(Err(failure)),
                Line { result, .. } => return Ok(Ok(result.unwrap_or_default())),
            }
        }
    }

    fn with_last_words(&self, error: anyhow::Error, verb: &str) -> anyhow::Error {
        let kept = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        let words = String::from_utf8_lossy(&kept).trim().to_owned();
        let words = if words.is_empty() { String::new() } else { format!(" (it said: {words})") };
        error.context(format!("the Go companion did not answer `{verb}`{words}"))
    }
}

/// Reads a stream to its end in a thread, so that its writer never waits, and keeps the last of it.
fn keep_tail(mut stream: ChildStderr) -> Result<Arc<Mutex<Vec<u8>>>> {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let tail = Arc::clone(&kept);
    std::thread::Builder::new()
        .name("companion stderr".into())
        .spawn(move || {
            let mut piece = [0; 1024];
            while let Ok(count @ 1..) = stream.read(&mut piece) {
                let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
                tail.extend_from_slice(&piece[..count]);
                let excess = tail.len().saturating_sub(STDERR_KEPT);
                tail.drain(..excess);
            }
        })
        .context("cannot start a thread for the companion's stderr")?;
    Ok(kept)
}

impl Drop for Companion {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let deadline = Instant::now() + FAREWELL;
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                // It had its time; there is nobody left to tell that it could not be killed.
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_that_build_at_the_same_time_end_with_one_companion_and_leave_nothing_else() {
        let cache = tempfile::tempdir().unwrap();
        let paths: Vec<PathBuf> = std::thread::scope(|scope| {
            let runs: Vec<_> = (0..2).map(|_| scope.spawn(|| provide(cache.path()).unwrap())).collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        assert_eq!(paths[0], paths[1]);
        let left = fs::read_dir(cache.path().join("companion")).unwrap().count();
        assert_eq!(left, 1);
        let beside: Vec<_> =
            fs::read_dir(paths[0].parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(beside, [NAME]);
        speaks_fails_and_ends(&paths[0]);
        installs(&paths[0], cache.path());
    }

    fn speaks_fails_and_ends(program: &Path) {
        let mut companion = Companion::start(program, BTreeMap::new(), Path::new("")).unwrap();
        assert!(companion.hello.goversion.starts_with("go1."), "{:?}", companion.hello);
        let answer: Result<serde_json::Value, _> =
            companion.ask("sing", &BTreeMap::<String, String>::new(), &mut |_, _| {});
        let Err(Unanswered::Failed(failure)) = answer else { panic!("{answer:?}") };
        assert_eq!(failure.code, "unsupported");
        let process = PathBuf::from(format!("/proc/{}", companion.child.id()));
        drop(companion);
        assert!(!process.exists(), "the companion outlives its owner");
    }

    fn installs(program: &Path, folder: &Path) {
        let target = copy(program, &folder.join("bin")).unwrap();
        // A second time, over one that may be running.
        assert_eq!(copy(program, &folder.join("bin")).unwrap(), target);
        assert_eq!(target.file_name().unwrap(), NAME);
        assert!(Companion::start(&target, BTreeMap::new(), Path::new("")).is_ok());
    }

    #[test]
    fn a_companion_that_breaks_off_is_an_error_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let program = script(folder.path(), "echo out of cheese >&2; exit 3");
        let error = Companion::start(&program, BTreeMap::new(), Path::new("")).unwrap_err().to_string();
        assert!(error.contains("did not answer `hello`"), "{error}");
    }

    #[test]
    fn a_companion_of_another_protocol_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let program = script(
            folder.path(),
            r#"read line; echo '{"id":1,"ok":true,"result":{"protocol":99,"goversion":"go1.1"}}'; cat > /dev/null"#,
        );
        let error = Companion::start(&program, BTreeMap::new(), Path::new("")).unwrap_err().to_string();
        assert!(error.contains("speaks protocol 99 and not 1"), "{error}");
    }

    fn script(folder: &Path, body: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = folder.join("companion");
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }
}
