//! Which members of a workspace cargo builds the same when they are selected alone: features unify over what is selected,
//! so a member may get fewer of them by itself, build everything anew, or not build at all.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::command::Tool;
use crate::phrases;

/// With more members nobody is asked: each costs a call of cargo.
const MOST: usize = 60;

/// The members (by name) that can be tested alone and are compiled as they are beside the others; none where cargo does
/// not say. `cargo` makes the command, `folder` is the workspace's.
pub fn members(cargo: &dyn Fn() -> Tool, folder: &Path) -> BTreeSet<String> {
    let metadata = cargo().args(["metadata", "--no-deps", "--format-version=1", "--locked", "--offline"]).dir(folder);
    let names = metadata.run().map(|said| names(&said)).unwrap_or_default();
    if names.len() < 2 || names.len() > MOST {
        return BTreeSet::new();
    }
    let tree = |selection: &[&str]| {
        let args = ["tree", "--locked", "--offline", "--edges=normal,build,dev", "--prefix=none", "--format={p} {f}"];
        cargo().args(args).args(selection).dir(folder).run().map(|said| built(&String::from_utf8_lossy(&said))).ok()
    };
    let Some(all) = tree(&["--workspace"]) else { return BTreeSet::new() };
    let is_same = |name: &String| tree(&["--package", name]).is_some_and(|alone| alone.is_subset(&all));
    names.into_iter().filter(is_same).collect()
}

fn names(metadata: &[u8]) -> BTreeSet<String> {
    let metadata: Value = serde_json::from_slice(metadata).unwrap_or_default();
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages.filter_map(|package| package["name"].as_str().map(str::to_owned)).collect()
}

/// The lines of a tree: packages with their features, each once.
fn built(tree: &str) -> BTreeSet<String> {
    let lines = tree.lines().map(|line| phrases::cargo::tree_line(line).to_owned());
    lines.filter(|line| !line.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment;

    fn write(folder: &Path, path: &str, text: &str) {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn member(folder: &Path, name: &str, more: &str) {
        let head = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
        write(folder, &format!("{name}/Cargo.toml"), &(head + more));
        write(folder, &format!("{name}/src/lib.rs"), "");
    }

    #[test]
    fn a_member_that_leans_on_the_features_of_another_is_not_built_the_same_alone() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let all = ["base", "leans", "asks", "apart"];
        write(root, "Cargo.toml", &format!("[workspace]\nresolver = \"2\"\nmembers = {all:?}\n"));
        member(root, "base", "[features]\nextra = []\n");
        member(root, "leans", "[dependencies]\nbase = { path = \"../base\" }\n");
        member(root, "asks", "[dependencies]\nbase = { path = \"../base\", features = [\"extra\"] }\n");
        member(root, "apart", "");
        environment::cargo().args(["generate-lockfile", "--offline"]).dir(root).run().unwrap();
        let alone = members(&environment::cargo, root);
        assert_eq!(alone.iter().map(String::as_str).collect::<Vec<_>>(), ["apart", "asks"]);
    }

    #[test]
    fn where_cargo_says_nothing_nobody_is_tested_alone() {
        let folder = tempfile::tempdir().unwrap();
        assert!(members(&environment::cargo, folder.path()).is_empty());
    }
}
