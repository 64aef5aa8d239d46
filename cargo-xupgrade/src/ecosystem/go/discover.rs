//! Finds the Go modules of a tree: the companion reads go.mod and go.work files, this turns them into projects.
//! Without a go command every module is held, and the rest of the repository goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Result, anyhow};

use super::companion::{self, Unanswered};
use super::protocol::{DiscoverParams, Discovered, Module};
use super::{Go, Known, WorkSum, folder, words};
use crate::candidate::{EcosystemKind, Reason, ReasonKind};
use crate::ecosystem::Tree;
use crate::machine::command::is_on_path;
use crate::machine::mutex::lock;
use crate::phrases::one_line;
use crate::project::Project;

/// Finds the modules.
pub fn discover(go: &Go<'_>, tree: Tree<'_>) -> Result<Vec<Project>> {
    let manifests = named(tree.files, "go.mod");
    if manifests.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(obstacle) = no_companion(go)? {
        return Ok(held_whole(&manifests, tree.files, &obstacle));
    }
    let mut works = named(tree.files, "go.work");
    // What was passed on from above the repository lies above the clone; the go command finds it there.
    works.extend(tree.root.with_file_name("go.work").is_file().then(|| ABOVE.to_owned()));
    let params = DiscoverParams { root: &folder(tree.root, ".")?, manifests: &manifests, works: &works };
    let (found, missing) = ask(go, &params)?;
    *lock(&go.known) = known(&found, tree.ignored);
    let mut projects = projects(&found, tree.files);
    for project in &mut projects {
        let own = project.obstacle.take().or_else(|| lost(&found, &project.path, tree.root));
        project.obstacle = own.or_else(|| missing.clone());
    }
    Ok(projects)
}

/// The modules, and why all of them are held: the user's GOTOOLCHAIN names a Go that is not there. Reading them takes none.
fn ask(go: &Go<'_>, params: &DiscoverParams<'_>) -> Result<(Discovered, Option<Reason>)> {
    let (answer, missing) = match go.ask("discover", params, "finding go modules") {
        Err(Unanswered::Failed(failure)) if failure.code == "toolchain_missing" => {
            let missing = Reason::new(ReasonKind::ToolchainMissing, words(&failure));
            (go.ask_without_toolchain("discover", params), Some(missing))
        }
        answer => (answer, None),
    };
    match answer {
        Ok(found) => Ok((found, missing)),
        Err(Unanswered::Failed(failure)) => Err(anyhow!("cannot look for Go modules: {}", words(&failure))),
        Err(Unanswered::Broken(error)) => Err(error),
    }
}

/// A workspace file beside the clone.
const ABOVE: &str = "../go.work";

/// Why a module cannot be loaded in the clone: its go.mod, or the go.work over it, leads out of it to nothing.
fn lost(found: &Discovered, dir: &str, root: &Path) -> Option<Reason> {
    let is_lost = |path: &&String| path.starts_with("..") && !root.join(path).exists();
    let own = found.modules.iter().find(|module| module.dir == dir)?;
    let replaced = own.local_replaces.iter().find(is_lost).map(|path| (format!("{dir}/go.mod"), path));
    let used = || {
        let over = found.workspaces.iter().filter(|work| covers(&work.file, dir));
        over.flat_map(|work| work.members.iter().map(|path| (work.file.clone(), path))).find(|(_, path)| is_lost(path))
    };
    let (file, path) = replaced.or_else(used)?;
    let text = format!(
        "{} takes a module from {path}, which lies outside of the repository, so it cannot be built in a clone; take the folder \
         into the repository, or leave the project out (`exclude` in {})",
        file.trim_start_matches("./"),
        crate::project::CONFIG_FILE
    );
    Some(Reason::new(ReasonKind::PathSource, text))
}

/// Whether a workspace file lies in a folder or above it.
fn covers(work: &str, dir: &str) -> bool {
    let top = folder_of(work);
    top == "." || dir == top || dir.starts_with(&format!("{top}/"))
}

fn named(files: &[String], name: &str) -> Vec<String> {
    files.iter().filter(|file| file.rsplit('/').next() == Some(name)).cloned().collect()
}

fn folder_of(manifest: &str) -> &str {
    manifest.rsplit_once('/').map_or(".", |(folder, _)| folder)
}

/// Why there is no companion, if that concerns the Go modules alone. A companion that the user named must work.
fn no_companion(go: &Go<'_>) -> Result<Option<Reason>> {
    if !is_on_path("go") {
        let text = "the go command is not on the PATH, and only Go reads a go.mod, so no dependency is listed; install Go, then run again";
        return Ok(Some(Reason::new(ReasonKind::ToolchainMissing, text)));
    }
    if companion::named()?.is_some() {
        return Ok(None);
    }
    let built = go.program();
    Ok(built.err().map(|error| {
        let said = format!("{error:#}\nwithout the companion no go.mod can be read, so no dependency is listed");
        Reason::new(ReasonKind::ToolchainMissing, one_line(&said))
    }))
}

fn held_whole(manifests: &[String], files: &[String], obstacle: &Reason) -> Vec<Project> {
    let held = |manifest: &String| project(folder_of(manifest), files, Vec::new(), Some(obstacle.clone()));
    manifests.iter().map(held).collect()
}

/// The projects in what the companion found.
fn projects(found: &Discovered, files: &[String]) -> Vec<Project> {
    found
        .modules
        .iter()
        .map(|module| project(&module.dir, files, dependents(found, module), obstacle(module)))
        .collect()
}

fn project(dir: &str, files: &[String], dependents: Vec<String>, obstacle: Option<Reason>) -> Project {
    let below = |name: &str| if dir == "." { name.to_owned() } else { format!("{dir}/{name}") };
    Project {
        ecosystem: EcosystemKind::Go,
        path: dir.to_owned(),
        manifests: vec![below("go.mod")],
        lockfile: Some(below("go.sum")).filter(|path| files.contains(path)),
        lock: None,
        dependents,
        obstacle,
        closed: BTreeMap::new(),
    }
}

fn obstacle(module: &Module) -> Option<Reason> {
    if let Some(problem) = &module.problem {
        return Some(Reason::new(ReasonKind::BrokenProject, words(problem)));
    }
    let text = match module.vendored.as_str() {
        "module" => "its vendor folder would need refreshing, which is not handled yet",
        "workspace" => "the vendor folder of its workspace would need refreshing, which is not handled yet",
        _ => return None,
    };
    Some(Reason::new(ReasonKind::UnsupportedProject, text))
}

/// What a change of a module concerns: those that take it from its folder, and the other members of its workspace, as a
/// workspace selects one version of each module for all members together (the Go modules reference, "Workspaces").
fn dependents(found: &Discovered, module: &Module) -> Vec<String> {
    let mut all: BTreeSet<&str> = users(found, &module.dir);
    let workspaces = found.workspaces.iter().filter(|one| one.members.contains(&module.dir));
    all.extend(workspaces.flat_map(|one| &one.members).map(String::as_str));
    all.remove(module.dir.as_str());
    in_order(found, &all)
}

/// The modules that take one from its folder by a `replace` line, and those that take these.
fn users<'a>(found: &'a Discovered, dir: &'a str) -> BTreeSet<&'a str> {
    let mut all = BTreeSet::new();
    let mut todo = vec![dir];
    while let Some(used) = todo.pop() {
        let direct = found.modules.iter().filter(|one| one.local_replaces.iter().any(|target| target == used));
        todo.extend(direct.map(|one| one.dir.as_str()).filter(|user| *user != dir && all.insert(*user)));
    }
    all
}

/// Whether the nearest go.work above a module does not name it: below it every go command fails, unless it is told to
/// leave the workspace alone.
fn is_passed_over(found: &Discovered, dir: &str) -> bool {
    let above = found.workspaces.iter().filter(|one| is_below(dir, folder_of(&one.file)));
    let nearest = above.max_by_key(|one| folder_of(&one.file).len());
    nearest.is_some_and(|one| !one.members.iter().any(|member| member == dir))
}

fn is_below(dir: &str, folder: &str) -> bool {
    folder == "." || dir == folder || dir.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn in_order(found: &Discovered, wanted: &BTreeSet<&str>) -> Vec<String> {
    found.order.iter().filter(|dir| wanted.contains(dir.as_str())).cloned().collect()
}

/// The workspace file of the repository that names a module.
fn work_over(found: &Discovered, dir: &str) -> Option<String> {
    let mut works = found.workspaces.iter().filter(|one| one.file != ABOVE);
    works.find(|one| one.members.iter().any(|member| member == dir)).map(|one| one.file.clone())
}

/// What later requests need to know, by folder.
fn known(found: &Discovered, ignored: &BTreeSet<String>) -> BTreeMap<String, Known> {
    let of = |module: &Module| Known {
        tidied: in_order(found, &users(found, &module.dir)),
        work: work_over(found, &module.dir),
        work_sum: work_over(found, &module.dir).map_or(WorkSum::Kept, |work| {
            if ignored.contains(&format!("{work}.sum")) { WorkSum::Ignored } else { WorkSum::Kept }
        }),
        alone: is_passed_over(found, &module.dir),
        tools: module.tools,
        named: module.requirements.clone(),
        ..Known::default()
    };
    found.modules.iter().map(|module| (module.dir.clone(), of(module))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(json: &str) -> Discovered {
        serde_json::from_str(json).unwrap()
    }

    /// As the companion answers for app -> lib -> base by replace lines, and a workspace of app and other.
    const FOUR: &str = r#"{
        "workspaces": [{"file": "go.work", "go": "1.24", "members": ["app", "other"]}],
        "modules": [
            {"dir": "app", "path": "ex.com/app", "go": "1.24", "toolchain": "", "vendored": "none", "local_replaces": ["lib"]},
            {"dir": "base", "path": "ex.com/base", "go": "1.24", "toolchain": "", "vendored": "none", "local_replaces": []},
            {"dir": "lib", "path": "ex.com/lib", "go": "1.24", "toolchain": "", "vendored": "none", "local_replaces": ["base", "../outside"]},
            {"dir": "other", "path": "ex.com/other", "go": "1.24", "toolchain": "", "vendored": "none", "local_replaces": []}
        ],
        "order": ["base", "lib", "app", "other"]}"#;

    #[test]
    fn modules_that_reach_another_through_folders_are_tidied_after_it_in_order() {
        let known = known(&found(FOUR), &BTreeSet::new());
        assert_eq!(known["base"].tidied, ["lib", "app"]);
        assert_eq!(known["lib"].tidied, ["app"]);
        assert_eq!(known["app"].tidied, [""; 0]);
    }

    #[test]
    fn a_change_concerns_the_other_members_of_the_workspace_but_does_not_tidy_them() {
        let found = found(FOUR);
        let other = projects(&found, &[]).into_iter().find(|one| one.path == "other").unwrap();
        assert_eq!(other.dependents, ["app"]);
        let known = known(&found, &BTreeSet::new());
        assert_eq!(known["other"].tidied, [""; 0]);
        assert_eq!(known["other"].work.as_deref(), Some("go.work"));
        assert_eq!(known["base"].work, None);
    }

    #[test]
    fn modules_that_replace_each_other_do_not_go_round_for_ever() {
        let json = r#"{"modules": [
            {"dir": "a", "local_replaces": ["b"]}, {"dir": "b", "local_replaces": ["a"]}], "order": ["b", "a"]}"#;
        let known = known(&found(json), &BTreeSet::new());
        assert_eq!(known["a"].tidied, ["b"]);
        assert_eq!(known["b"].tidied, ["a"]);
    }

    #[test]
    fn only_a_module_that_its_nearest_workspace_does_not_name_is_passed_over() {
        let found = found(
            r#"{"workspaces": [{"file": "go.work", "members": ["."]}, {"file": "sub/go.work", "members": ["sub/a"]}]}"#,
        );
        let passed_over = |dir| is_passed_over(&found, dir);
        assert_eq!(["tools", "sub/b", "sub"].map(passed_over), [true; 3]);
        assert_eq!([".", "sub/a"].map(passed_over), [false; 2]);
        assert!(!is_passed_over(&Discovered::default(), "."));
        assert!(!is_below("subway", "sub") && is_below("sub/way", "sub"));
    }

    #[test]
    fn a_module_without_go_sum_in_git_has_no_lockfile() {
        let files = vec!["go.mod".to_owned(), "app/go.mod".to_owned(), "app/go.sum".to_owned()];
        assert_eq!(project(".", &files, vec![], None).lockfile, None);
        assert_eq!(project("app", &files, vec![], None).lockfile.as_deref(), Some("app/go.sum"));
        assert_eq!(project("app", &files, vec![], None).manifests, ["app/go.mod"]);
    }

    #[test]
    fn a_broken_or_vendored_module_is_held_whole_with_its_reason() {
        let json = r#"{"modules": [
            {"dir": "broken", "problem": {"code": "parse", "message": "broken/go.mod:3: unknown directive: garbage", "retryable": false}},
            {"dir": "vendored", "vendored": "module"}], "order": ["broken", "vendored"]}"#;
        let reasons: Vec<Reason> = projects(&found(json), &[]).into_iter().filter_map(|one| one.obstacle).collect();
        assert_eq!(reasons[0].kind, ReasonKind::BrokenProject);
        assert_eq!(reasons[0].text, "broken/go.mod:3: unknown directive: garbage");
        assert_eq!(reasons[1].kind, ReasonKind::UnsupportedProject);
    }

    #[test]
    fn without_a_go_command_every_module_is_listed_and_held() {
        let manifests = vec!["a/go.mod".to_owned(), "go.mod".to_owned()];
        let held = held_whole(&manifests, &[], &Reason::new(ReasonKind::ToolchainMissing, "no go"));
        assert_eq!(held.iter().map(|one| one.path.as_str()).collect::<Vec<_>>(), ["a", "."]);
        assert!(
            held.iter().all(|one| one.obstacle.as_ref().is_some_and(|why| why.kind == ReasonKind::ToolchainMissing))
        );
    }

    #[test]
    fn only_files_of_the_very_name_are_manifests() {
        let files: Vec<String> = ["a.go.mod", "go.mod", "go.mod.bak", "x/go.mod"].map(str::to_owned).into();
        assert_eq!(named(&files, "go.mod"), ["go.mod", "x/go.mod"]);
        assert_eq!(folder_of("go.mod"), ".");
        assert_eq!(folder_of("x/y/go.mod"), "x/y");
    }
}
