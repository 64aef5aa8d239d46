//! Every kind of checkout that a repository may be found in: each gives the plan of a plain one, or one clear error, and
//! stays as it was to the byte, objects included.

mod files;
mod lock;
mod publish;
mod submodules;

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::{AS_OF, Env, Ran, names, snapshot::Snapshot, text};

const JSON: &[&str] = &["plan", "--format", "json", "--as-of", AS_OF];

/// A world and another checkout of its repository in it.
struct Place {
    env: Env,
    at: PathBuf,
}

impl Place {
    /// Makes the checkout with these words of git; `@` stands for the world's repository, `%` for the new place.
    fn new(fixture: &str, words: &[&str]) -> Self {
        let place = Self::beside(Env::new(fixture));
        place.git_at_root(words);
        place
    }

    fn beside(env: Env) -> Self {
        let at = env.world.root.join("another");
        env.git(&["config", "uploadpack.allowFilter", "true"]);
        env.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
        Self { env, at }
    }

    fn git_at_root(&self, words: &[&str]) {
        let (repo, at) = (self.env.repo().to_str().unwrap(), self.at.to_str().unwrap());
        let words: Vec<String> = words.iter().map(|word| word.replace('@', repo).replace('%', at)).collect();
        self.env.git(&words.iter().map(String::as_str).collect::<Vec<_>>());
    }

    fn git(&self, words: &[&str]) -> String {
        self.env.git(&[&["-C", self.at.to_str().unwrap()], words].concat())
    }

    /// The objects' names: those of packs and those that lie alone.
    fn objects(&self) -> Snapshot {
        let folder = PathBuf::from(self.git(&["rev-parse", "--git-path", "objects"]));
        Snapshot::of(&self.at.join(folder))
    }

    fn run(&self, args: &[&str]) -> Ran {
        let at = self.at.to_str().unwrap();
        self.env.run(&[args, &["--repo", at]].concat())
    }

    /// The plan here; nothing may change for it, no object either.
    fn plan(&self) -> Value {
        let (before, objects) = (Snapshot::of(&self.at), self.objects());
        let ran = self.run(JSON);
        assert_eq!(ran.code, 0, "{}", ran.said());
        assert_eq!(before.changes(&Snapshot::of(&self.at)), [""; 0]);
        assert_eq!(objects.changes(&self.objects()), [""; 0], "objects were added");
        serde_json::from_str(&ran.stdout).unwrap()
    }

    /// The tree that the tool works in, of the one repository that it was called for.
    fn clone_of(&self) -> PathBuf {
        let caches = self.env.world.root.join("cache").read_dir().unwrap().map(|entry| entry.unwrap().path());
        let trees: Vec<PathBuf> = caches.map(|cache| cache.join("w0/tree")).filter(|tree| tree.is_dir()).collect();
        assert_eq!(trees.len(), 1, "{trees:?}");
        trees[0].clone()
    }

    /// The plan here is the plan of the world's own checkout.
    fn assert_usual_plan(&self) {
        assert_eq!(self.plan(), self.env.plan(&[]));
    }

    /// The plan ends with a code and these words, and nothing changes.
    fn assert_ends(&self, code: i32, words: &[&str]) {
        let before = Snapshot::of(&self.at);
        let ran = self.run(JSON);
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{}", ran.said());
        for word in words {
            assert!(ran.stderr.contains(word), "no `{word}` in: {}", ran.stderr);
        }
        assert_eq!(ran.stderr.trim_end().lines().count(), 1, "not one error: {}", ran.stderr);
        assert_eq!(before.changes(&Snapshot::of(&self.at)), [""; 0]);
    }
}

fn assert_plans_as_usual(words: &[&str]) {
    Place::new("lock_only", words).assert_usual_plan();
}

/// An address for git's own transport, which knows depth and filters.
fn address(path: &Path) -> String {
    format!("file://{}", path.display())
}

#[test]
fn a_bare_repository_plans_as_usual() {
    assert_plans_as_usual(&["clone", "--quiet", "--bare", "@", "%"]);
}

#[test]
fn a_bare_repository_has_its_configuration_in_its_commit() {
    let env = Env::new("lock_only");
    env.write("xupgrade.toml", "[[hold]]\nname = \"ant\"\nreason = \"ticket 7\"\n").commit();
    let place = Place::beside(env);
    place.git_at_root(&["clone", "--quiet", "--bare", "@", "%"]);
    assert_eq!(names(&place.plan(), "candidates"), ["bee", "cat"]);
}

#[test]
fn a_shallow_clone_plans_as_usual() {
    let env = Env::new("lock_only");
    env.write("second", "").commit();
    let place = Place::beside(env);
    place.git_at_root(&["clone", "--quiet", "--depth=1", &address(place.env.repo()), "%"]);
    assert_eq!(place.git(&["rev-list", "--count", "HEAD"]), "1");
    let plan = place.plan();
    // The code under trial may ask for the history, too.
    assert_eq!(place.env.git(&["-C", place.clone_of().to_str().unwrap(), "log", "--format=%H"]), text(&plan, "base"));
    assert_eq!(plan, place.env.plan(&[]));
}

#[test]
fn a_partial_clone_plans_as_usual_and_gets_no_object() {
    let place = Place::beside(Env::new("lock_only"));
    let address = address(place.env.repo());
    place.git_at_root(&["clone", "--quiet", "--filter=blob:none", "--no-checkout", &address, "%"]);
    assert_ne!(place.git(&["rev-list", "--objects", "--missing=print", "HEAD"]).matches("\n?").count(), 0);
    place.assert_usual_plan();
}

#[test]
fn a_partial_clone_without_trees_plans_as_usual() {
    let place = Place::beside(Env::new("lock_only"));
    let address = address(place.env.repo());
    place.git_at_root(&["clone", "--quiet", "--filter=tree:0", "--no-checkout", &address, "%"]);
    place.assert_usual_plan();
}

#[test]
fn a_partial_clone_whose_origin_is_gone_says_what_is_missing() {
    let place = Place::beside(Env::new("lock_only"));
    let address = address(place.env.repo());
    place.git_at_root(&["clone", "--quiet", "--filter=blob:none", "--no-checkout", &address, "%"]);
    place.git(&["remote", "set-url", "origin", "file:///nowhere/at/all"]);
    let before = Snapshot::of(&place.at);
    let ran = place.run(JSON);
    assert_eq!(ran.code, 1, "{}", ran.said());
    assert!(ran.stderr.contains("cannot check out") && ran.stderr.contains("/nowhere/at/all"), "{}", ran.stderr);
    assert_eq!(before.changes(&Snapshot::of(&place.at)), [""; 0]);
}

#[test]
fn a_sparse_checkout_plans_with_all_its_files_and_its_configuration() {
    let env = Env::new("lock_only");
    env.write("xupgrade.toml", "[[hold]]\nname = \"ant\"\nreason = \"ticket 7\"\n").commit();
    let place = Place::beside(env);
    place.git_at_root(&["clone", "--quiet", "@", "%"]);
    place.git(&["sparse-checkout", "set", "--no-cone", "src"]);
    assert!(!place.at.join("Cargo.toml").exists() && !place.at.join("xupgrade.toml").exists());
    assert_eq!(names(&place.plan(), "candidates"), ["bee", "cat"]);
}

#[test]
fn a_sparse_checkout_has_no_uncommitted_changes_by_that_alone() {
    let place = Place::new("red_everywhere", &["clone", "--quiet", "@", "%"]);
    place.git(&["sparse-checkout", "set", "--no-cone", "src"]);
    std::fs::write(place.at.join("mine"), "").unwrap();
    let ran = place.run(&[]);
    assert!(ran.stderr.contains("note: 1 changed or untracked"), "{}", ran.said());
}

#[test]
fn a_detached_head_plans_as_usual() {
    let place = Place::new("lock_only", &["clone", "--quiet", "@", "%"]);
    place.git(&["checkout", "--quiet", "--detach"]);
    place.assert_usual_plan();
}

#[test]
fn a_work_tree_of_another_repository_plans_as_usual() {
    let place = Place::new("lock_only", &["worktree", "add", "--quiet", "--detach", "%"]);
    assert!(place.at.join(".git").is_file());
    place.assert_usual_plan();
    assert_eq!(place.git(&["worktree", "list"]).lines().count(), 2);
}

#[test]
fn a_git_folder_that_lies_elsewhere_plans_as_usual() {
    assert_plans_as_usual(&["clone", "--quiet", "--separate-git-dir=%.git", "@", "%"]);
}

#[test]
fn a_clone_that_borrows_its_objects_plans_as_usual() {
    let place = Place::new("lock_only", &["clone", "--quiet", "--shared", "@", "%"]);
    assert!(place.at.join(".git/objects/info/alternates").exists());
    place.assert_usual_plan();
    place.git_at_root(&["clone", "--quiet", "--reference", "%", &address(place.env.repo()), "%2"]);
    let second = Place { at: place.at.with_file_name("another2"), env: place.env };
    second.assert_usual_plan();
}

#[test]
fn a_repository_inside_a_repository_is_no_part_of_it() {
    let place = Place::new("lock_only", &["clone", "--quiet", "@", "%"]);
    place.git(&["clone", "--quiet", ".", "inner"]);
    std::fs::write(place.at.join("inner/Cargo.toml"), "nonsense").unwrap();
    place.assert_usual_plan();
    let inner = Place { at: place.at.join("inner"), env: place.env };
    inner.assert_usual_plan();
}

#[test]
fn variables_of_a_calling_git_lead_nowhere() {
    let mut place = Place::new("lock_only", &["clone", "--quiet", "@", "%"]);
    let other = place.env.world.root.join("other");
    place.env.git(&["init", "--quiet", "--initial-branch=main", other.to_str().unwrap()]);
    let folder = other.join(".git").display().to_string();
    let usual = place.plan();
    for (key, value) in [
        ("GIT_DIR", folder.as_str()),
        ("GIT_WORK_TREE", other.to_str().unwrap()),
        ("GIT_INDEX_FILE", "/nowhere/index"),
        ("GIT_OBJECT_DIRECTORY", "/nowhere/objects"),
        ("GIT_DEFAULT_HASH", "sha256"),
        ("GIT_ICASE_PATHSPECS", "1"),
    ] {
        place.env.set(key, value);
    }
    let output = place.env.tool(JSON).current_dir(&place.at).output().unwrap();
    let plan: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    assert_eq!(plan, usual, "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(std::fs::read_dir(other.join(".git/objects")).unwrap().count(), 2, "the other one was written");
}

#[test]
fn sha_256_objects_are_one_clear_error() {
    let place = Place::new("lock_only", &["init", "--quiet", "--object-format=sha256", "%"]);
    std::fs::write(place.at.join("x"), "").unwrap();
    place.git(&["add", "x"]);
    place.git(&["commit", "--quiet", "--message=x"]);
    place.assert_ends(1, &["SHA-256 objects"]);
}

#[test]
fn a_repository_without_a_commit_is_one_clear_error_with_what_to_do() {
    Place::new("lock_only", &["init", "--quiet", "%"]).assert_ends(1, &["has no commit yet", "commit something"]);
    Place::new("lock_only", &["init", "--quiet", "--bare", "%"]).assert_ends(1, &["has no commit yet"]);
}

#[test]
fn a_repository_of_another_owner_is_told_how_to_be_trusted_and_then_works() {
    let mut place = Place::new("lock_only", &["clone", "--quiet", "@", "%"]);
    let usual = place.plan();
    if std::os::unix::fs::chown(&place.at, Some(12345), None).is_err() {
        return; // Only root can give a folder away.
    }
    place.assert_ends(1, &["belongs to somebody else", "safe.directory", place.at.to_str().unwrap()]);
    let at = place.at.display().to_string();
    // Where people have it, and where git2 looks.
    let settings = place.env.world.root.join("home/.gitconfig");
    std::fs::copy(place.env.world.root.join("gitconfig"), &settings).unwrap();
    place.env.world.env.insert("GIT_CONFIG_GLOBAL".into(), settings.display().to_string());
    place.env.git(&["config", "--global", "--add", "safe.directory", &at]);
    let ran = place.run(JSON);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(serde_json::from_str::<Value>(&ran.stdout).unwrap(), usual);
    assert_eq!(text(&usual, "base").len(), 40);
}

#[test]
fn very_long_paths_are_no_trouble() {
    let env = Env::new("lock_only");
    let folder = vec!["a_folder_with_a_name_of_forty_characters"; 60].join("/");
    env.write(&format!("{folder}/file"), "").commit();
    assert_eq!(names(&env.plan(&[]), "candidates"), ["ant", "bee", "cat"]);
}
