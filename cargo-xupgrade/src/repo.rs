//! The user's repository: read with git2, and written once, at the very end, by one local fetch into one ref.
//! git2 is named here only. Nothing here changes a tracked file, the index, HEAD, the configuration or a hook.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use git2::{ObjectType, Oid, Repository, StatusOptions, TreeWalkMode, TreeWalkResult};

use crate::command::{Tool, git};
use crate::message::Style;

/// A repository of the user.
pub struct Repo {
    inner: Repository,
    root: PathBuf,
}

/// The commit that everything starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The commit's id.
    pub commit: String,
    /// Its tree's id.
    pub tree: String,
    /// The first line of its message.
    pub subject: String,
}

/// Whether a branch name may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BranchState {
    /// No such branch.
    Free,
    /// Every commit on it since the base is ours.
    Ours,
    /// It holds somebody's commits, or stands elsewhere.
    Taken,
}

impl Repo {
    /// Opens the repository that a folder lies in.
    ///
    /// # Errors
    /// When there is none, or it is of a kind that cannot be opened (SHA-256 objects).
    pub fn discover(start: &Path) -> Result<Self> {
        let inner = Repository::discover(start).map_err(|error| cannot_open(start, &error))?;
        let root = inner.workdir().unwrap_or_else(|| inner.path()).to_owned();
        let root = root.canonicalize().with_context(|| format!("cannot read {}", root.display()))?;
        Ok(Self { inner, root })
    }

    /// The top of the work tree (or the git folder of a bare one).
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether it has no work tree.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.inner.is_bare()
    }

    /// The folder with the objects and refs.
    #[must_use]
    pub fn git_dir(&self) -> &Path {
        self.inner.commondir()
    }

    /// A stable name for the cache folder: the folder's name and a hash of its whole path.
    #[must_use]
    pub fn cache_key(&self) -> String {
        let name = self.root.file_name().map_or_else(|| "root".into(), |name| name.to_string_lossy().into_owned());
        let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let hash = content_id(self.root.as_os_str().as_encoded_bytes());
        format!("{name}-{}", &hash[..12])
    }

    /// The commit to start from: HEAD, or what `rev` names.
    ///
    /// # Errors
    /// When there is no commit yet, or `rev` names none.
    pub fn base(&self, rev: Option<&str>) -> Result<Base> {
        let name = rev.unwrap_or("HEAD");
        let object = self.inner.revparse_single(name).map_err(|_| match rev {
            Some(rev) => anyhow!("`{rev}` names no commit of {}", self.root.display()),
            None => anyhow!("{} has no commit yet; commit something, then run again", self.root.display()),
        })?;
        let commit = object.peel_to_commit().with_context(|| format!("`{name}` is no commit"))?;
        Ok(Base {
            commit: commit.id().to_string(),
            tree: commit.tree_id().to_string(),
            subject: commit.summary().ok().flatten().unwrap_or_default().to_owned(),
        })
    }

    /// The paths of all files in a commit, sorted; paths that are no UTF-8 are left out and counted.
    ///
    /// # Errors
    /// When the commit cannot be read.
    pub fn files(&self, commit: &str) -> Result<(Vec<String>, usize)> {
        let commit = self.inner.find_commit(Oid::from_str(commit)?)?;
        let (mut files, mut odd) = (Vec::new(), 0);
        commit.tree()?.walk(TreeWalkMode::PreOrder, |folder, entry| {
            if entry.kind() == Some(ObjectType::Blob) {
                match entry.name() {
                    Ok(name) => files.push(format!("{folder}{name}")),
                    Err(_) => odd += 1,
                }
            }
            TreeWalkResult::Ok
        })?;
        files.sort();
        Ok((files, odd))
    }

    /// How many files of the work tree differ from HEAD; they take no part in a run.
    ///
    /// # Errors
    /// When the status cannot be read.
    pub fn uncommitted(&self) -> Result<usize> {
        if self.is_bare() {
            return Ok(0);
        }
        let mut options = StatusOptions::new();
        options.include_untracked(true).exclude_submodules(true).update_index(false);
        Ok(self.inner.statuses(Some(&mut options))?.len())
    }

    /// How the repository writes the first lines of its commits: Conventional Commits, unless most of the last ones differ.
    #[must_use]
    pub fn style(&self, base: &Base) -> Style {
        const LOOKED_AT: usize = 40;
        let walk = Oid::from_str(&base.commit).and_then(|id| {
            let mut walk = self.inner.revwalk()?;
            walk.push(id)?;
            Ok(walk)
        });
        let commits = walk.into_iter().flatten().flatten().filter_map(|id| self.inner.find_commit(id).ok());
        let plain = commits.filter(|commit| commit.parent_count() < 2).take(LOOKED_AT);
        let subjects: Vec<String> =
            plain.filter_map(|commit| commit.summary().ok().flatten().map(str::to_owned)).collect();
        Style::of(&subjects)
    }

    /// What stands at a branch name.
    ///
    /// # Errors
    /// When its commits cannot be read.
    pub fn branch_state(&self, branch: &str, base: &Base) -> Result<BranchState> {
        let Ok(reference) = self.inner.find_reference(&format!("refs/heads/{branch}")) else {
            return Ok(BranchState::Free);
        };
        let tip = reference.peel_to_commit()?.id();
        let base = Oid::from_str(&base.commit)?;
        if tip != base && !self.inner.graph_descendant_of(tip, base)? {
            return Ok(BranchState::Taken);
        }
        let mut walk = self.inner.revwalk()?;
        walk.push(tip)?;
        walk.hide(base)?;
        for id in walk {
            let commit = self.inner.find_commit(id?)?;
            if !String::from_utf8_lossy(commit.message_bytes()).contains("\nXupgrade-Base: ") {
                return Ok(BranchState::Taken);
            }
        }
        let checked_out = self.inner.head().ok().and_then(|head| head.name().ok().map(str::to_owned));
        let here = checked_out.as_deref() == Some(&format!("refs/heads/{branch}"));
        Ok(if here { BranchState::Taken } else { BranchState::Ours })
    }

    /// The user's settings that shape a commit (author, signing), as `-c` arguments for a git that does not see them.
    #[must_use]
    pub fn commit_settings(&self) -> Vec<String> {
        const KEYS: &[&str] = &[
            "user.name",
            "user.email",
            "author.name",
            "author.email",
            "committer.name",
            "committer.email",
            "user.signingkey",
            "commit.gpgsign",
            "gpg.format",
            "gpg.program",
            "gpg.ssh.program",
            "gpg.ssh.defaultkeycommand",
            "gpg.x509.program",
        ];
        let value = |key: &&str| {
            let value = self.git().args(["config", "--get", key]).line().ok()?;
            Some(["-c".to_owned(), format!("{key}={value}")])
        };
        KEYS.iter().filter_map(value).flatten().collect()
    }

    /// Whether the user signs commits.
    #[must_use]
    pub fn signs(&self) -> bool {
        self.git().args(["config", "--type=bool", "--get", "commit.gpgsign"]).line().is_ok_and(|value| value == "true")
    }

    /// Fetches a finished branch out of a clone: the one write to the user's repository.
    ///
    /// # Errors
    /// When git refuses.
    pub fn fetch_branch(&self, clone: &Path, source: &str, branch: &str) -> Result<()> {
        self.git()
            .args([
                "-c",
                "gc.auto=0",
                "-c",
                "maintenance.auto=false",
                "fetch",
                "--quiet",
                "--no-tags",
                "--no-write-fetch-head",
            ])
            .args(["--no-recurse-submodules", "--force"])
            .arg(clone)
            .arg(format!("{source}:refs/heads/{branch}"))
            .run()
            .with_context(|| format!("cannot write the branch `{branch}`"))?;
        Ok(())
    }

    /// Gives an existing branch name of ours, or the next free one with a number behind it.
    ///
    /// # Errors
    /// When the branches cannot be read.
    pub fn free_branch(&self, wanted: &str, base: &Base) -> Result<String> {
        for number in 1..1000 {
            let name = if number == 1 { wanted.to_owned() } else { format!("{wanted}-{number}") };
            if self.branch_state(&name, base)? != BranchState::Taken {
                return Ok(name);
            }
        }
        bail!("every name from `{wanted}` to `{wanted}-999` is taken; name another one with `--branch`")
    }

    fn git(&self) -> Tool {
        git().arg("--git-dir").arg(self.inner.path()).dir(&self.root)
    }
}

impl std::fmt::Debug for Repo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repo").field("root", &self.root).finish_non_exhaustive()
    }
}

/// Whether a branch name is one that git takes.
#[must_use]
pub fn is_branch_name(name: &str) -> bool {
    git2::Branch::name_is_valid(name).unwrap_or(false)
}

/// A stable id for some bytes (git's own: a hash of content).
#[must_use]
pub fn content_id(bytes: &[u8]) -> String {
    Oid::hash_object(ObjectType::Blob, bytes).map_or_else(|_| "0".repeat(40), |id| id.to_string())
}

fn cannot_open(start: &Path, error: &git2::Error) -> anyhow::Error {
    let place = start.display();
    if error.message().contains("objectformat") || error.message().contains("object format") {
        return anyhow!("{place} is a repository with SHA-256 objects, which cannot be read yet");
    }
    if error.code() == git2::ErrorCode::NotFound {
        return anyhow!("{place} is in no git repository; run inside of one, or name one with `--repo`");
    }
    anyhow!("cannot open the git repository at {place}: {}", error.message())
}
