//! An offline world from one archive: a crate registry, a module proxy and a git repository that uses both.
//! Writes only below its root and runs only `git`, with a configuration of its own. It serves the demo and every
//! end-to-end test; fixtures/README.md tells the layout of an archive.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use super::archive::Archive;
use super::{goproxy, registry, write_file};
use crate::machine::toml_text::{self, Value};

/// When and by whom the base commit is made: the same commit on every machine.
const COMMIT: [(&str, &str); 6] = [
    ("GIT_AUTHOR_NAME", "World"),
    ("GIT_AUTHOR_EMAIL", "world@example.invalid"),
    ("GIT_AUTHOR_DATE", "2025-06-01T00:00:00Z"),
    ("GIT_COMMITTER_NAME", "World"),
    ("GIT_COMMITTER_EMAIL", "world@example.invalid"),
    ("GIT_COMMITTER_DATE", "2025-06-01T00:00:00Z"),
];

/// Variables of the surroundings that would reach into the world, so [`World::command`] removes them.
const FOREIGN: [&str; 12] = [
    "CARGO_TARGET_DIR",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_BUILD_TARGET",
    "CARGO_ENCODED_RUSTFLAGS",
    "RUSTFLAGS",
    "RUSTDOCFLAGS",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GOWORK",
    "GOPATH",
    "GOEXPERIMENT",
];

/// Where the go command keeps what it compiled. The standard library alone costs it twenty seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GoBuildCache {
    /// In the world, cold.
    Own,
    /// Elsewhere, shared between worlds; its entries are named by their content, so worlds cannot mix.
    Shared(PathBuf),
}

/// A written world.
#[derive(Debug, Clone)]
pub struct World {
    /// The folder of everything.
    pub root: PathBuf,
    /// The repository, on branch `main`.
    pub repo: PathBuf,
    /// The variables under which cargo, go and git see this world only.
    pub env: BTreeMap<String, String>,
}

/// `world.toml` of an archive: what plain text cannot say of the repository's files (paths from `repo/` on).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    /// The folder of the repository, from the world's root on.
    at: String,
    crlf: Vec<String>,
    bom: Vec<String>,
    executable: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { at: "repo".into(), crlf: Vec::new(), bom: Vec::new(), executable: Vec::new() }
    }
}

impl World {
    /// As [`World::build_with`], with a cold Go build cache of its own.
    #[cfg(test)]
    pub(crate) fn build(archive: &str, root: &Path) -> Result<Self> {
        Self::build_with(archive, root, &GoBuildCache::Own)
    }

    /// Writes the world of an archive below `root`, which is made if need be, with this Go build cache.
    ///
    /// # Errors
    /// The archive has a mistake, the folder cannot be written, or `git` fails.
    pub fn build_with(archive: &str, root: &Path, go_build_cache: &GoBuildCache) -> Result<Self> {
        let archive = Archive::parse(archive)?;
        std::fs::create_dir_all(root).with_context(|| format!("cannot make the folder {}", root.display()))?;
        let root = root.canonicalize().with_context(|| format!("cannot find the folder {}", root.display()))?;
        let checksums = registry::write(&archive, &root.join("registry"))?;
        let sums = goproxy::write(&archive, &root.join("goproxy"))?;
        let settings = archive.files.get("world.toml").map_or("", String::as_str);
        let settings: Settings = toml_text::from_str(settings).context("world.toml of the archive")?;
        let repo = root.join(&settings.at);
        let env = environment(&root, go_build_cache);
        let world = Self { root, repo, env };
        world.write_configuration()?;
        for (path, text) in archive.below("outside") {
            write_file(&world.root.join(path), text.as_bytes())?;
        }
        world.write_repository(&archive, &settings, &checksums, &sums)?;
        Ok(world)
    }

    /// A command that sees this world only, in the repository's folder.
    #[must_use]
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        for name in FOREIGN {
            command.env_remove(name);
        }
        command.envs(&self.env).current_dir(&self.repo);
        command
    }

    /// Runs `git` in the repository and gives its standard output.
    ///
    /// # Errors
    /// `git` is not there, or fails.
    pub fn git(&self, arguments: &[&str]) -> Result<String> {
        let output = self.command("git").args(arguments).envs(COMMIT).output().context("cannot run `git`")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("`git {}` failed: {}", arguments.join(" "), said.trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn write_configuration(&self) -> Result<()> {
        let registry = Value::String(self.root.join("registry").display().to_string());
        let cargo = format!(
            "# crates come from this world and from nowhere else.\n[source.crates-io]\nreplace-with = \"world\"\n\n\
             [source.world]\nlocal-registry = {registry}\n\n\
             # Its crates are tiny, and nobody debugs them.\n[build]\nincremental = false\n\n\
             [profile.dev]\ndebug = 0\ncodegen-units = 1\n"
        );
        let git = "[user]\n\tname = World\n\temail = world@example.invalid\n[init]\n\tdefaultBranch = main\n\
                   [commit]\n\tgpgSign = false\n[core]\n\tautocrlf = false\n[gc]\n\tauto = 0\n";
        // A local registry must be a folder with an index, even when nothing is in it.
        std::fs::create_dir_all(self.root.join("registry/index")).context("cannot make the registry's folder")?;
        std::fs::create_dir_all(self.root.join("home")).context("cannot make the home folder")?;
        write_file(&self.root.join("cargo-home/config.toml"), cargo.as_bytes())?;
        write_file(&self.root.join("gitconfig"), git.as_bytes())?;
        write_file(&self.root.join("env.sh"), self.shell_lines().as_bytes())
    }

    /// `export` lines that put a POSIX shell into this world.
    fn shell_lines(&self) -> String {
        let head = "# Source this file: cargo, go and git then see this world only.\nunset";
        let exports =
            self.env.iter().map(|(name, value)| format!("export {name}='{}'\n", value.replace('\'', r"'\''")));
        format!("{head} {}\n{}", FOREIGN.join(" "), exports.collect::<String>())
    }

    fn write_repository(
        &self,
        archive: &Archive,
        settings: &Settings,
        checksums: &registry::Checksums,
        sums: &goproxy::ModuleSums,
    ) -> Result<()> {
        std::fs::create_dir_all(&self.repo).context("cannot make the repository's folder")?;
        for (path, text) in archive.below("repo") {
            let text = match path.rsplit('/').next() {
                Some("Cargo.lock") => registry::fill_lock(text, checksums),
                Some("go.sum" | "go.work.sum") => goproxy::fill_sum(text, sums),
                _ => text.to_owned(),
            };
            write_file(&self.repo.join(path), settings.dress(path, text).as_bytes())?;
        }
        for path in &settings.executable {
            make_executable(&self.repo.join(path))?;
        }
        self.commit()?;
        for (path, text) in archive.below("repo-ignored") {
            write_file(&self.repo.join(path), text.as_bytes())?;
        }
        Ok(())
    }

    fn commit(&self) -> Result<()> {
        self.git(&["init", "--quiet", "--initial-branch=main"])?;
        // Everything in the archive is in the repository, also what its own .gitignore names.
        self.git(&["add", "--all", "--force"])?;
        self.git(&["commit", "--quiet", "--allow-empty", "--message=The base"])?;
        Ok(())
    }
}

impl Settings {
    fn dress(&self, path: &str, text: String) -> String {
        let listed = |list: &[String]| list.iter().any(|item| item == path);
        let text = if listed(&self.crlf) { text.replace('\n', "\r\n") } else { text };
        if listed(&self.bom) { format!("\u{feff}{text}") } else { text }
    }
}

fn environment(root: &Path, go_build_cache: &GoBuildCache) -> BTreeMap<String, String> {
    let below = |name: &str| root.join(name).display().to_string();
    let go_build_cache = match go_build_cache {
        GoBuildCache::Own => below("gocache"),
        GoBuildCache::Shared(folder) => folder.display().to_string(),
    };
    let mut env = BTreeMap::new();
    let mut set = |name: &str, value: String| env.insert(name.to_owned(), value);
    set("HOME", below("home"));
    set("CARGO_HOME", below("cargo-home"));
    set("XUPGRADE_CACHE_DIR", below("cache"));
    set("GIT_CONFIG_GLOBAL", below("gitconfig"));
    set("GIT_CONFIG_SYSTEM", "/dev/null".to_owned());
    set("GIT_CONFIG_NOSYSTEM", "1".to_owned());
    set("GOPROXY", format!("file://{}", below("goproxy")));
    set("GOMODCACHE", below("gomodcache"));
    set("GOCACHE", go_build_cache);
    // Without this the module cache is read-only and the world could not be deleted.
    set("GOFLAGS", "-modcacherw".to_owned());
    for (name, value) in [("GOSUMDB", "off"), ("GOTOOLCHAIN", "local"), ("GOENV", "off")] {
        set(name, value.to_owned());
    }
    for name in ["GOPRIVATE", "GONOPROXY", "GONOSUMDB"] {
        set(name, String::new());
    }
    if let Some(rustup) = rustup_home() {
        set("RUSTUP_HOME", rustup);
    }
    env
}

/// The toolchains stay the user's, though HOME is another.
fn rustup_home() -> Option<String> {
    let named = std::env::var_os("RUSTUP_HOME").map(PathBuf::from);
    let usual = || std::env::home_dir().map(|home| home.join(".rustup"));
    named.or_else(usual).filter(|folder| folder.is_dir()).map(|folder| folder.display().to_string())
}

#[cfg(unix)]
fn make_executable(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
        .with_context(|| format!("cannot make {} executable", path.display()))
}

#[cfg(not(unix))]
fn make_executable(path: &Path) -> Result<()> {
    bail!("cannot make {} executable on this platform; use a Unix one", path.display())
}

#[cfg(test)]
mod tests;
