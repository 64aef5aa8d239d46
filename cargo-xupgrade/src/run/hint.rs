//! Why a check may fail in the clone and pass in the checkout: its output names a file that is there and not here. Turns
//! output and lists of files into the advice, with the lines of configuration that mend it. Pure: what exists where is
//! asked of the caller.

mod place;

use std::collections::BTreeSet;
use std::path::{Component, Path};

use crate::machine::supervisor::RunAs;
use crate::phrases;
use crate::project::CONFIG_FILE;
use crate::project::Project;
pub use place::Surroundings;

/// Where a path of the output may lead.
pub struct Places<'a> {
    /// The root of the clone.
    pub clone: &'a Path,
    /// The root of the user's checkout.
    pub checkout: &'a Path,
    /// Folders of the project, from the root: what a relative path may start from.
    pub folders: &'a BTreeSet<String>,
    /// Files and folders (with a slash at their end) of the checkout that are not in git.
    pub strangers: &'a [String],
    /// Whether something is at a path, from the root of the first (the clone) and of the second (the checkout).
    pub exists: &'a dyn Fn(&Path) -> bool,
    /// The rest that differs from a check in the checkout.
    pub around: Surroundings<'a>,
}

/// How many files are named at most.
const NAMED: usize = 5;
/// Folders that builds and this tool make: nobody's tests need them copied.
const MADE: &[&str] = &["target", "xupgrade.out", "node_modules", ".git"];

/// The advice for a failing check with this output; `None` where no file of the checkout explains it.
#[must_use]
pub fn advice(output: &str, places: &Places<'_>) -> Option<String> {
    place::of_variables(output, &places.around)
        .or_else(|| place::of_target(output, &places.around))
        .or_else(|| of_files(output, places))
        .or_else(|| place::of_downloads(output))
}

/// The advice where a file is missing that git does not track.
fn of_files(output: &str, places: &Places<'_>) -> Option<String> {
    let found: BTreeSet<Missing> = output.lines().flat_map(words).flat_map(|word| places.missing(word)).collect();
    let ignored: Vec<&str> = found.iter().filter_map(Missing::ignored).take(NAMED).collect();
    if !ignored.is_empty() {
        let (names, mended) = (ignored.join(", "), copied(&ignored));
        return Some(format!("its output names {names}, which your checkout has and git has not; {mended}"));
    }
    if let Some(outside) = found.iter().find_map(Missing::outside) {
        // The folder beside the repository, which may hold more than the one file.
        let beside = outside.split('/').take(2).collect::<Vec<_>>().join("/");
        let from = clean(&places.checkout.join(&beside))?;
        let mended = mended(&format!("commands = [[\"ln\", \"-sfn\", \"{from}\", \"{beside}\"]]"));
        return Some(format!("its output names {outside}, which lies outside of the repository; {mended}"));
    }
    unnamed(output, places)
}

/// The advice for a check that fails where the tool is root's and its checks run as this account.
#[must_use]
pub fn of_rights(output: &str, run_as: RunAs) -> Option<String> {
    match run_as {
        RunAs::Own => {
            Some("it ran as root, to whom nothing is forbidden: a test that expects a refusal fails".to_owned())
        }
        RunAs::Ordinary if phrases::system::is_refused(output) => Some(format!(
            "its output says that something is not permitted: checks run as an ordinary user, although this tool runs as \
             root; if they need root's rights, put `as-root = true` at the top of {CONFIG_FILE}"
        )),
        RunAs::Ordinary => None,
    }
}

/// The advice for a module of which a plain build takes no package.
#[must_use]
pub fn of_no_package(output: &str, project: &Project) -> Option<String> {
    phrases::go::has_no_package(output).then(|| {
        let folder = if project.path == "." { "**".to_owned() } else { format!("{}/**", project.path) };
        format!(
            "no package of it is compiled on this system without a tag; put `exclude = [\"{folder}\"]` at the top of {CONFIG_FILE}, or \
             name the tag in a `[[check]]` with `name = \"gate\"`"
        )
    })
}

/// The advice where one of several members does not compile.
#[must_use]
pub fn of_member(output: &str, project: &Project) -> Option<String> {
    let member = output.lines().find_map(phrases::cargo::not_compiled)?;
    (project.manifests.len() > 2).then(|| {
        format!(
            "if `{member}` is not for this machine, name the others in `default-members` under `[workspace]` in Cargo.toml, \
             and checks leave it out"
        )
    })
}

fn mended(line: &str) -> String {
    format!("if the check needs it, put `{line}` under `[setup]` in {CONFIG_FILE}")
}

fn copied(paths: &[&str]) -> String {
    let quoted: Vec<String> = paths.iter().map(|path| format!("\"{path}\"")).collect();
    mended(&format!("copy = [{}]", quoted.join(", ")))
}

/// The output says that a file is missing, and not which: the files that are not in git are few enough to look at.
fn unnamed(output: &str, places: &Places<'_>) -> Option<String> {
    if !phrases::system::is_file_missing(output) {
        return None;
    }
    let others: Vec<&str> = places.strangers.iter().map(String::as_str).filter(|path| !places.is_made(path)).collect();
    (!others.is_empty() && others.len() <= NAMED).then(|| {
        let (names, mended) = (others.join(", "), copied(&others));
        format!("its output says that a file is missing; what your checkout has and git has not is {names}; {mended}")
    })
}

/// A file that the output names, from the root of the repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Missing {
    Ignored(String),
    Outside(String),
}

impl Missing {
    fn ignored(&self) -> Option<&str> {
        match self {
            Self::Ignored(path) => Some(path),
            Self::Outside(_) => None,
        }
    }

    fn outside(&self) -> Option<&str> {
        match self {
            Self::Outside(path) => Some(path),
            Self::Ignored(_) => None,
        }
    }
}

impl Places<'_> {
    /// A path in a folder that builds make; what is there may be of another build than the one that runs.
    fn is_made(&self, path: &str) -> bool {
        let is_usual = |part| MADE.iter().any(|made| part == Component::Normal(made.as_ref()));
        Path::new(path).components().any(is_usual)
            || self.around.target.starts_with(path.trim_end_matches('/'))
            || Path::new(path).starts_with(self.around.target)
    }

    /// What a word of the output means, if it is a file that only the checkout has.
    fn missing(&self, word: &str) -> Vec<Missing> {
        let path = Path::new(word);
        if path.is_absolute() {
            let from_clone = relative(self.clone, path);
            return from_clone.and_then(|path| self.judge(&path)).into_iter().collect();
        }
        self.folders.iter().filter_map(|folder| self.judge(&clean(&Path::new(folder).join(path))?)).collect()
    }

    fn judge(&self, path: &str) -> Option<Missing> {
        let here = clean(&self.clone.join(path))?;
        let there = clean(&self.checkout.join(path))?;
        if self.is_made(path) || (self.exists)(Path::new(&here)) || !(self.exists)(Path::new(&there)) {
            return None;
        }
        if let Some(beside) = path.strip_prefix("../") {
            let free = !beside.starts_with("../") && !is_ours(beside);
            return free.then(|| Missing::Outside(path.to_owned()));
        }
        let stands_for = |stranger: &String| {
            *stranger == path || stranger.ends_with('/') && format!("{path}/").starts_with(stranger.as_str())
        };
        self.strangers.iter().any(stands_for).then(|| Missing::Ignored(path.to_owned()))
    }
}

/// Whether a path beside the clone is taken by a folder of the worker.
fn is_ours(beside: &str) -> bool {
    let first = beside.split('/').next().unwrap_or_default();
    ["tree", "target", "home", "tmp", "control.git", ".cargo"].contains(&first)
}

/// A path as seen from a folder, at most one folder up: what lies further above the clone is not its own.
fn relative(folder: &Path, path: &Path) -> Option<String> {
    let path = clean(path)?;
    folder.ancestors().take(2).enumerate().find_map(|(steps, above)| {
        let below = Path::new(&path).strip_prefix(above).ok().filter(|below| !below.as_os_str().is_empty())?;
        Some(format!("{}{}", "../".repeat(steps), below.display()))
    })
}

/// A path without `.` and `..` within; a relative one may begin with `../`.
fn clean(path: &Path) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if parts.last().is_some_and(|last| *last != ".." && *last != "/") => {
                parts.pop();
            }
            other => parts.push(other.as_os_str().to_str()?),
        }
    }
    let text = parts.join("/");
    Some(text.strip_prefix('/').filter(|rest| rest.starts_with('/')).map_or(text.clone(), str::to_owned))
}

/// The words of a line that may be paths: without quotes, brackets, and what compilers put behind them.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let outer = |c: char| {
        c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | '=' | ',')
    };
    line.split(outer).map(|word| word.trim_end_matches([':', '.', ';', '!', '?'])).filter(|word| {
        let number = word.chars().all(|c| c.is_ascii_digit() || c == '.');
        !word.is_empty() && !number && (word.contains('/') || word.contains('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A checkout at `/mine/ws/app` with a few files that are not in git, and its clone at `/cache/w0/tree`.
    fn advice_on(output: &str) -> Option<String> {
        let there = [
            "build/out/debug/app",
            "config/local.env",
            ".env",
            "crates/x/data/big.bin",
            "target/debug/app",
            "src/lib.rs",
        ];
        let exists = |path: &Path| {
            let text = path.to_str().unwrap();
            let in_checkout = text.strip_prefix("/mine/ws/app/").is_some_and(|path| there.contains(&path));
            in_checkout || text == "/cache/w0/tree/src/lib.rs" || text == "/mine/ws/shared/words.txt"
        };
        let folders: BTreeSet<String> = ["", "crates/x"].map(str::to_owned).into();
        let strangers = [".env", "build/", "config/", "crates/x/data/", "target/"].map(str::to_owned);
        advice(
            output,
            &Places {
                clone: Path::new("/cache/w0/tree"),
                checkout: Path::new("/mine/ws/app"),
                folders: &folders,
                strangers: &strangers,
                exists: &exists,
                around: Surroundings { withheld: &[], target: "build/out", in_sources: &|_| vec![] },
            },
        )
    }

    fn copies(output: &str) -> String {
        let text = advice_on(output).unwrap_or_else(|| panic!("no advice on {output}"));
        text.split('`').nth_back(3).unwrap().to_owned()
    }

    #[test]
    fn rights_are_blamed_on_the_account_that_a_check_ran_as() {
        assert!(of_rights("assertion failed", RunAs::Own).unwrap().contains("ran as root"));
        let refused = of_rights("mount: Operation not permitted", RunAs::Ordinary).unwrap();
        assert!(refused.contains("`as-root = true`"), "{refused}");
        assert_eq!(of_rights("assertion failed", RunAs::Ordinary), None);
    }

    #[test]
    fn what_a_compiler_could_not_read_is_named_with_the_line_that_mends_it() {
        let text = "error: couldn't read `src/../config/local.env`: No such file or directory (os error 2)\n --> src/lib.rs:1:1";
        assert_eq!(copies(text), "copy = [\"config/local.env\"]");
        assert!(advice_on(text).unwrap().contains("names config/local.env, which your checkout has and git has not"));
    }

    #[test]
    fn an_absolute_path_of_the_clone_is_mapped_back() {
        assert_eq!(copies("open /cache/w0/tree/config/local.env: no such file"), "copy = [\"config/local.env\"]");
    }

    #[test]
    fn a_path_from_the_folder_of_a_member_is_found_there() {
        assert_eq!(copies("thread panicked: cannot open data/big.bin"), "copy = [\"crates/x/data/big.bin\"]");
    }

    #[test]
    fn several_files_are_named_once_each_in_order() {
        assert_eq!(copies("needs (.env) and \".env\", config/local.env."), "copy = [\".env\", \"config/local.env\"]");
    }

    #[test]
    fn what_builds_make_and_what_the_clone_has_is_no_explanation() {
        assert_eq!(advice_on("Running unittests src/lib.rs (target/debug/app)"), None);
        assert_eq!(advice_on("error in src/lib.rs:3:4"), None);
        let text = advice_on("cannot run build/out/debug/app").unwrap();
        assert!(
            text.contains("mkdir -p build; ln -sfn $CARGO_TARGET_DIR build/out") && !text.contains("copy"),
            "{text}"
        );
    }

    #[test]
    fn a_file_beside_the_repository_gets_a_link_beside_the_clone() {
        let mended = "commands = [[\"ln\", \"-sfn\", \"/mine/ws/shared\", \"../shared\"]]";
        assert_eq!(copies("open ../shared/words.txt: no such file or directory"), mended);
        assert_eq!(copies("couldn't read `/cache/w0/shared/words.txt`"), mended);
    }

    #[test]
    fn a_missing_file_without_a_name_brings_the_few_that_are_not_in_git() {
        let text = "called `Result::unwrap()` on an `Err` value: Os { code: 2, kind: NotFound }";
        assert_eq!(copies(text), "copy = [\".env\", \"config/\", \"crates/x/data/\"]");
        assert_eq!(advice_on("assertion `left == right` failed"), None);
    }
}
