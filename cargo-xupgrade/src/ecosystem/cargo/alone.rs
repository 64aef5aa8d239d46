//! Which members of a workspace cargo builds the same when they are selected alone: features unify over what is selected,
//! so a member may get fewer of them by itself, build everything anew, or not build at all.

use std::collections::BTreeSet;
use std::path::Path;

use super::members::Members;
use super::variants::{ALL, tree};
use crate::command::Tool;

/// With more members nobody is asked: each costs a call of cargo.
const MOST: usize = 60;

/// The members (by name) that can be tested alone and are compiled as they are beside the others; none where cargo does
/// not say. `cargo` makes the command, `folder` is the workspace's.
pub fn members(cargo: &dyn Fn() -> Tool, folder: &Path) -> BTreeSet<String> {
    let names: BTreeSet<String> = Members::ask(cargo, folder).all.into_iter().map(|member| member.name).collect();
    if names.len() < 2 || names.len() > MOST {
        return BTreeSet::new();
    }
    let tree = |selection: &[&str]| tree(cargo, folder, selection);
    let Some(all) = tree(&["--workspace", ALL]) else { return BTreeSet::new() };
    let is_same = |name: &String| tree(&["--package", name, ALL]).is_some_and(|alone| alone.is_subset(&all));
    names.into_iter().filter(is_same).collect()
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
