//! Commands of our own (git, cargo, go): run to the end, output captured, failures told with the command as typed.
//! The project's code never runs through here; that is `supervisor`.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

mod limit;

pub use limit::TimedOut;

/// The failure of a command that ran to its end.
#[derive(Debug, thiserror::Error)]
#[error("`{words}` failed ({status}): {said}")]
pub struct Failed {
    words: String,
    status: ExitStatus,
    /// Its standard error.
    pub said: String,
}

/// A command with its arguments and changes of the environment.
#[derive(Debug)]
pub struct Tool {
    inner: Command,
    limit: Option<Duration>,
}

impl Tool {
    /// A command that inherits the environment and reads nothing.
    #[must_use]
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let mut inner = Command::new(program);
        inner.stdin(Stdio::null());
        Self { inner, limit: None }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.inner.arg(arg);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.inner.args(args);
        self
    }

    /// Runs in a folder.
    #[must_use]
    pub fn dir(mut self, dir: &Path) -> Self {
        self.inner.current_dir(dir);
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.inner.env(key, value);
        self
    }

    /// Adds git settings, through the environment: an argument could be read by everybody on this machine.
    #[must_use]
    pub fn settings(mut self, settings: &[(String, String)]) -> Self {
        let mut count = self.variable("GIT_CONFIG_COUNT").and_then(|value| value.parse().ok()).unwrap_or(0_usize);
        for (key, value) in settings {
            self = self.env(format!("GIT_CONFIG_KEY_{count}"), key).env(format!("GIT_CONFIG_VALUE_{count}"), value);
            count += 1;
        }
        if settings.is_empty() { self } else { self.env("GIT_CONFIG_COUNT", count.to_string()) }
    }

    /// A variable as the command will see it.
    fn variable(&self, key: &str) -> Option<String> {
        let own = self.inner.get_envs().find(|(name, _)| *name == key);
        own.map_or_else(|| variable(key), |(_, value)| value.map(OsStr::to_owned))?.into_string().ok()
    }

    /// Takes a variable away.
    #[must_use]
    pub fn without(mut self, key: impl AsRef<OsStr>) -> Self {
        self.inner.env_remove(key);
        self
    }

    /// Gives it a file to read.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn reads(mut self, file: &Path) -> Result<Self> {
        let open = std::fs::File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
        self.inner.stdin(open);
        Ok(self)
    }

    /// Ends it, with all that it started, when it is not done within this time: a server may never answer.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The command as a person would type it.
    #[must_use]
    pub fn words(&self) -> String {
        let mut words = vec![self.inner.get_program().to_string_lossy().into_owned()];
        words.extend(self.inner.get_args().map(|arg| arg.to_string_lossy().into_owned()));
        words.join(" ")
    }

    /// Runs it and gives back whatever came of it.
    ///
    /// # Errors
    /// When it cannot be started; a [`TimedOut`] when it was not done within its limit.
    pub fn output(mut self) -> Result<Output> {
        let words = self.words();
        let started = match self.limit {
            None => self.inner.output().map(Some),
            Some(limit) => limit::output(&mut self.inner, limit),
        };
        let output = started.with_context(|| format!("cannot start `{words}`"))?;
        output.ok_or_else(|| TimedOut { words, limit: self.limit.unwrap_or_default() }.into())
    }

    /// Runs it; a failure is an error with the command and its words.
    ///
    /// # Errors
    /// When it cannot be started or says failure.
    pub fn run(self) -> Result<Vec<u8>> {
        let words = self.words();
        let output = self.output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(Failed { words, status: output.status, said }.into());
        }
        Ok(output.stdout)
    }

    /// Runs it and gives back its output as one trimmed line of text.
    ///
    /// # Errors
    /// When it fails or answers with something that is not UTF-8.
    pub fn line(self) -> Result<String> {
        let words = self.words();
        let bytes = self.run()?;
        let text =
            String::from_utf8(bytes).with_context(|| format!("`{words}` answered with something that is no UTF-8"))?;
        Ok(text.trim_end().to_owned())
    }
}

/// The variables by which a calling git tells its hooks where they are, and others that change what our own git reads,
/// makes or takes for a path (`git rev-parse --local-env-vars`, but for the settings in them, which are the user's wish).
const GIT_LOCAL: &[&str] = &[
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_GRAFT_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_ATTR_SOURCE",
    "GIT_TEMPLATE_DIR",
    "GIT_DEFAULT_HASH",
    "GIT_DEFAULT_REF_FORMAT",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
];

/// A git command that no hook and no foreign variable disturbs, and that takes a path for what it says.
#[must_use]
pub fn git() -> Tool {
    git_with_patterns().arg("--literal-pathspecs")
}

/// The same, for a call that means patterns by its paths.
#[must_use]
pub fn git_with_patterns() -> Tool {
    let tool = GIT_LOCAL.iter().fold(Tool::new("git"), Tool::without);
    tool.args(["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "advice.detachedHead=false"])
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
}

/// Whether a program can be found, without starting it.
#[must_use]
pub fn is_on_path(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

/// The value of a variable as an owned string, if it is set and not empty.
#[must_use]
pub fn variable(key: &str) -> Option<OsString> {
    std::env::var_os(key).filter(|value| !value.is_empty())
}
