//! Which members of a workspace cargo builds the same when they are selected alone: features unify over what is selected,
//! so a member may get fewer of them by itself, build everything anew, or not build at all.

use std::collections::BTreeSet;
use std::path::Path;

use super::members::Members;
use super::variants::{ALL, tree};
use crate::machine::command::Tool;

/// With more members nobody is asked: each costs a call of cargo.
const MOST: usize = 60;

/// The ways in which tests of a workspace run apart from others.
#[derive(Debug, Clone, Default)]
pub struct Apart {
    /// The members (by name) that can be tested alone and are compiled as they are beside the others.
    pub alone: BTreeSet<String>,
    /// Words that select targets and would select more than a plain run does.
    pub beyond: BTreeSet<Vec<String>>,
}

impl Apart {
    /// Asks cargo; nothing where it does not say. `cargo` makes the command, `folder` is the workspace's.
    pub fn ask(cargo: &dyn Fn() -> Tool, folder: &Path) -> Self {
        let members = Members::ask(cargo, folder);
        Self { beyond: members.reaching_beyond(), alone: alone(cargo, folder, members) }
    }
}

fn alone(cargo: &dyn Fn() -> Tool, folder: &Path, members: Members) -> BTreeSet<String> {
    let names: BTreeSet<String> = members.all.into_iter().map(|member| member.name).collect();
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
    use crate::checkout::environment;

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
        let alone = Apart::ask(&environment::cargo, root).alone;
        assert_eq!(alone.iter().map(String::as_str).collect::<Vec<_>>(), ["apart", "asks"]);
    }

    #[test]
    fn where_cargo_says_nothing_nobody_is_tested_alone() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Apart::ask(&environment::cargo, folder.path()).alone.is_empty());
    }

    #[test]
    fn words_that_would_select_what_a_plain_run_passes_by_reach_beyond_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write(root, "Cargo.toml", "[workspace]\nresolver = \"2\"\nmembers = [\"a\", \"b\"]\n");
        member(root, "a", "");
        member(
            root,
            "b",
            "[features]\nslow = []\n[[test]]\nname = \"it\"\nrequired-features = [\"slow\"]\n[lib]\ntest = false\n",
        );
        for test in ["a/tests/it.rs", "a/tests/own.rs", "b/tests/it.rs"] {
            write(root, test, "");
        }
        environment::cargo().args(["generate-lockfile", "--offline"]).dir(root).run().unwrap();
        let beyond: Vec<String> =
            Apart::ask(&environment::cargo, root).beyond.into_iter().map(|words| words.join(" ")).collect();
        assert_eq!(beyond, ["--lib", "--test it"]);
    }
}
