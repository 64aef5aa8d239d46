//! The user's repository: read with git2, and written once, at the very end, by one local fetch into one ref.
//! git2 is named here only. Nothing here changes a tracked file, the index, HEAD, the configuration or a hook.

mod branch;
mod settings;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use git2::{ObjectType, Oid, ReferenceType, Repository, RepositoryOpenFlags};

use crate::machine::command::{Tool, git, git_with_patterns};
use crate::message::Style;
use crate::phrases;
use crate::project::Base;
pub use branch::BranchState;
pub use settings::GitSettings;

/// A repository of the user.
pub struct Repo {
    inner: Repository,
    root: PathBuf,
}

/// What a ref is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Not there.
    Nowhere,
    /// It names a commit (or another object).
    AtCommit,
    /// It is a name for another ref.
    ForAnother,
}

impl Repo {
    /// Opens the repository that a folder lies in.
    ///
    /// # Errors
    /// When there is none, or it is of a kind that cannot be opened (SHA-256 objects).
    pub fn discover(start: &Path) -> Result<Self> {
        // Not `Repository::discover`: where `.git` is a file, it takes the folder beside the git folder for the work tree.
        let nowhere: [&Path; 0] = [];
        let inner = Repository::open_ext(start, RepositoryOpenFlags::empty(), nowhere)
            .map_err(|error| cannot_open(start, &error))?;
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

    /// The git folders of this work tree: its own, and the one that all work trees share.
    #[must_use]
    pub fn git_dirs(&self) -> Vec<PathBuf> {
        vec![self.inner.path().to_owned(), self.inner.commondir().to_owned()]
    }

    /// A stable name for the cache folder: the folder's name and a hash of its whole path.
    #[must_use]
    pub fn cache_key(&self) -> String {
        let name = self.root.file_name().map_or_else(|| "root".into(), |name| name.to_string_lossy().into_owned());
        let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let hash = content_id(self.root.as_os_str().as_encoded_bytes());
        format!("{name}-{}", &hash[..12])
    }

    /// The settings of git here, as the user's own git sees them.
    #[must_use]
    pub fn settings(&self) -> GitSettings {
        GitSettings::read(self.git())
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

    /// How many files of the work tree differ from HEAD; they take no part in a run.
    ///
    /// # Errors
    /// When the status cannot be read, as where a partial clone would have to fetch trees for it.
    pub fn uncommitted(&self) -> Result<usize> {
        if self.is_bare() {
            return Ok(0);
        }
        // Git and not git2, which takes what a sparse checkout leaves out for deleted. Without the lock that would write
        // the index, and without looking for renames, for which a partial clone would fetch.
        let words = ["status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=normal"];
        let git = self.git().env("GIT_ALLOW_PROTOCOL", "none").env("GIT_NO_LAZY_FETCH", "1");
        let git = git.arg("--work-tree").arg(&self.root).arg("--no-optional-locks");
        let listed = git.args(words).arg("--ignore-submodules=all").run()?;
        Ok(listed.split(|byte| *byte == 0).filter(|line| !line.is_empty()).count())
    }

    /// The text of a file at a commit; `None` where the commit has no such file.
    ///
    /// # Errors
    /// When its content is absent here (partial clones) or is no UTF-8.
    pub fn file_at(&self, base: &Base, path: &str) -> Result<Option<String>> {
        let tree = self.inner.find_commit(Oid::from_str(&base.commit)?)?.tree()?;
        let Ok(entry) = tree.get_path(Path::new(path)) else { return Ok(None) };
        let blob = self.inner.find_blob(entry.id()).with_context(|| {
            format!(
                "{path} is in the commit, but its content is not here; `git show {}:{path}` fetches it",
                base.commit
            )
        })?;
        let text = str::from_utf8(blob.content()).with_context(|| format!("{path} is no UTF-8"))?;
        Ok(Some(text.to_owned()))
    }

    /// Whether files of the base commit may lie nowhere but in git: there is no work tree, or a sparse one.
    #[must_use]
    pub fn hides_files(&self) -> bool {
        self.is_bare() || self.settings().get("core.sparsecheckout") == Some("true")
    }

    /// The files of the work tree that git does not track, ignored ones included: those that `name` names (a file, a
    /// folder, a pattern), from the root, sorted. A repository inside of it is one name with a slash at its end.
    ///
    /// # Errors
    /// When there is no work tree, or git refuses.
    pub fn unrecorded(&self, name: &str) -> Result<Vec<String>> {
        if self.is_bare() {
            bail!("a bare repository has no checkout");
        }
        let magic = if name.contains(['*', '?', '[']) { "glob" } else { "literal" };
        let found = self
            .here(git_with_patterns())
            .args(["ls-files", "--others", "-z", "--"])
            .arg(format!(":({magic}){name}"))
            .run()?;
        let mut found: Vec<String> = text_of(&found);
        found.sort();
        Ok(found)
    }

    /// Files and folders (these with a slash at their end) of the work tree that are not in git, ignored ones included;
    /// a folder stands for everything in it.
    ///
    /// # Errors
    /// When git refuses.
    pub fn strangers(&self) -> Result<Vec<String>> {
        if self.is_bare() {
            return Ok(Vec::new());
        }
        let ignored = ["--ignored"].as_slice();
        let mut found = Vec::new();
        for which in [ignored, &[]] {
            let tool = self.git().args(["ls-files", "--others", "--exclude-standard", "--directory", "-z"]);
            found.extend(text_of(&tool.args(which).run()?));
        }
        found.sort();
        Ok(found)
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

    fn stands(&self, name: &str) -> Standing {
        match self.inner.find_reference(name).map(|reference| reference.kind()) {
            Err(_) => Standing::Nowhere,
            Ok(Some(ReferenceType::Symbolic)) => Standing::ForAnother,
            Ok(_) => Standing::AtCommit,
        }
    }

    /// The messages of the commits of a ref since the base; `None` where it does not stand on the base.
    fn messages_since(&self, name: &str, base: &Base) -> Result<Option<Vec<String>>> {
        let tip = self.inner.find_reference(name)?.peel_to_commit()?.id();
        let base = Oid::from_str(&base.commit)?;
        if tip != base && !self.inner.graph_descendant_of(tip, base)? {
            return Ok(None);
        }
        let mut walk = self.inner.revwalk()?;
        walk.push(tip)?;
        walk.hide(base)?;
        let message = |id| Ok(String::from_utf8_lossy(self.inner.find_commit(id)?.message_bytes()).into_owned());
        walk.map(|id| message(id?)).collect::<Result<_>>().map(Some)
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
            "gpg.openpgp.program",
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
        // What the user's settings would make of a fetch besides: tidying, pruning, a commit graph, a refusal of files.
        const QUIETLY: &[&str] = &[
            "gc.auto=0",
            "maintenance.auto=false",
            "fetch.prune=false",
            "fetch.pruneTags=false",
            "fetch.writeCommitGraph=false",
            "protocol.file.allow=always",
        ];
        let settings = QUIETLY.iter().flat_map(|setting| ["-c", setting]);
        self.git()
            .args(settings)
            .args(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--force"])
            .arg(clone)
            .arg(format!("{source}:refs/heads/{branch}"))
            .run()
            .with_context(|| format!("cannot write the branch `{branch}`"))?;
        Ok(())
    }

    fn git(&self) -> Tool {
        self.here(git())
    }

    fn here(&self, git: Tool) -> Tool {
        git.arg("--git-dir").arg(self.inner.path()).dir(&self.root)
    }
}

impl std::fmt::Debug for Repo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repo").field("root", &self.root).finish_non_exhaustive()
    }
}

/// The names in a list that git ends with zero bytes.
fn text_of(list: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(list);
    text.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Whether a branch name is one that git takes.
#[must_use]
pub fn is_branch_name(name: &str) -> bool {
    git2::Branch::name_is_valid(name).unwrap_or(false)
}

/// Whether a git folder has a commit; nothing is fetched for the answer, as git itself does in a partial clone.
#[must_use]
pub fn has_commit(git_dir: &Path, commit: &str) -> bool {
    let found = Repository::open_bare(git_dir).and_then(|repo| repo.find_commit(Oid::from_str(commit)?).map(drop));
    found.is_ok()
}

/// A stable id for some bytes (git's own: a hash of content).
#[must_use]
pub fn content_id(bytes: &[u8]) -> String {
    Oid::hash_object(ObjectType::Blob, bytes).map_or_else(|_| "0".repeat(40), |id| id.to_string())
}

fn cannot_open(start: &Path, error: &git2::Error) -> anyhow::Error {
    let place = start.display();
    let words = error.message();
    if phrases::git::is_unknown_object_format(words) {
        return anyhow!("{place} is a repository with SHA-256 objects, which cannot be read yet");
    }
    match error.code() {
        git2::ErrorCode::NotFound => {
            anyhow!("{place} is in no git repository; run inside of one, or name one with `--repo`")
        }
        git2::ErrorCode::Owner => anyhow!(
            "the repository at {place} belongs to somebody else, so git does not trust it; if you do: \
             `git config --global --add safe.directory {place}`"
        ),
        _ => anyhow!("cannot open the git repository at {place}: {words}"),
    }
}
