//! No circles: of the files in a folder, each with those below it, none uses another one that uses it in turn. Reads paths
//! (`crate::`, `super::`, `self::`, and those that begin with a module of the file) out of the text; a parent and its own
//! modules count as one.

use std::collections::{BTreeMap, BTreeSet};

use super::{CRATES, code, sources};

/// A module by its path from the root of its crate; the root itself is empty.
type Module = Vec<String>;

/// The uses between modules that stand side by side: for each the others, with one path that shows it.
type Uses = BTreeMap<Module, BTreeMap<Module, String>>;

/// The paths that a file names: those of its `use` items, groups taken apart, and those in its code.
fn paths(text: &str, children: &BTreeSet<String>) -> BTreeSet<String> {
    let code: String = code(text).flat_map(|(_, line)| [line, "\n"]).collect();
    let mut found = BTreeSet::new();
    let mut rest = String::new();
    for statement in code.split_inclusive(';') {
        match statement.rsplit_once("use ").filter(|(before, _)| is_item(before)) {
            Some((before, tree)) => {
                rest.push_str(before);
                found.extend(apart(&tree.split_whitespace().collect::<Vec<_>>().join(" ").replace(';', "")));
            }
            None => rest.push_str(statement),
        }
    }
    let words = rest.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
    found.extend(words.filter(|word| word.contains("::")).map(str::to_owned));
    let starts = |path: &String| {
        let first = path.split("::").next().unwrap_or_default();
        ["crate", "super", "self"].contains(&first) || children.contains(first)
    };
    found.retain(starts);
    found
}

/// The words before a `use` that make it an item: nothing on its line, or a visibility.
fn is_item(before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or_default().trim();
    line.is_empty() || line.starts_with("pub")
}

/// The paths of a use tree, by their own names.
fn apart(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let own = |path: &str| path.split(" as ").next().unwrap_or_default().to_owned();
    let Some((start, group)) = tree.split_once('{') else { return vec![own(tree)] };
    let (mut depth, mut part, mut found) = (0, String::new(), Vec::new());
    for c in group.trim_end().strip_suffix('}').unwrap_or(group).chars() {
        match c {
            ',' if depth == 0 => found.extend(apart(&std::mem::take(&mut part))),
            _ => {
                depth += i32::from(c == '{') - i32::from(c == '}');
                part.push(c);
            }
        }
    }
    found.extend(apart(&part));
    found.iter().filter(|part| !part.is_empty()).map(|part| format!("{start}{part}")).collect()
}

/// The module that a path in a module means, as far down as there are files.
fn meant(path: &str, module: &Module, all: &BTreeSet<Module>) -> Module {
    let mut parts: Vec<&str> = path.split("::").collect();
    let mut at = module.clone();
    match parts[0] {
        "crate" => at.clear(),
        "super" => {
            while parts.first() == Some(&"super") {
                at.pop();
                parts.remove(0);
            }
            parts.insert(0, "");
        }
        "self" => {}
        _ => parts.insert(0, ""),
    }
    for part in &parts[1..] {
        at.push((*part).to_owned());
        if !all.contains(&at) {
            at.pop();
            break;
        }
    }
    at
}

/// The uses between neighbours in the files of one crate, given by their path from its root.
fn uses(files: &BTreeMap<String, String>) -> Uses {
    let module = |path: &str| -> Module {
        path.trim_end_matches(".rs").trim_end_matches("/mod").split('/').map(str::to_owned).collect()
    };
    let all: BTreeSet<Module> = files.keys().map(|path| module(path)).collect();
    let mut uses = Uses::new();
    for (file, text) in files.iter().filter(|(path, _)| !["lib.rs", "main.rs"].contains(&path.as_str())) {
        let from = module(file);
        let children = all.iter().filter(|one| one.len() == from.len() + 1 && one.starts_with(&from));
        let children = children.filter_map(|one| one.last().cloned()).collect();
        for path in paths(text, &children) {
            let to = meant(&path, &from, &all);
            let common = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
            if common < from.len().min(to.len()) {
                let neighbour = to[..=common].to_vec();
                uses.entry(from[..=common].to_vec()).or_default().insert(neighbour, format!("{file}: {path}"));
            }
        }
    }
    uses
}

/// A way through the uses from a module back to itself, as one line for each step.
fn circle(uses: &Uses) -> Option<Vec<String>> {
    let reached = |from: &Module| -> BTreeMap<Module, (Module, String)> {
        let (mut found, mut open) = (BTreeMap::new(), vec![from.clone()]);
        while let Some(at) = open.pop() {
            for (to, path) in uses.get(&at).into_iter().flatten() {
                if !found.contains_key(to) {
                    found.insert(to.clone(), (at.clone(), path.clone()));
                    open.push(to.clone());
                }
            }
        }
        found
    };
    uses.keys().find_map(|from| {
        let found = reached(from);
        let (mut at, mut steps) = (found.get(from)?.clone(), Vec::new());
        while at.0 != *from {
            steps.push(at.1.clone());
            at = found.get(&at.0)?.clone();
        }
        steps.push(at.1);
        steps.reverse();
        Some(steps)
    })
}

#[test]
fn no_file_uses_one_that_uses_it_in_turn() {
    for root in CRATES {
        let own = sources().into_iter().filter_map(|(path, text)| Some((path.strip_prefix(root)?.to_owned(), text)));
        let uses = uses(&own.collect());
        assert!(uses.values().map(BTreeMap::len).sum::<usize>() > 20, "hardly any use was found below {root}");
        super::assert_none("a circle", &circle(&uses).unwrap_or_default());
    }
}

/// The circle of a crate of these files.
fn circle_of(files: &[(&str, &str)]) -> Vec<String> {
    circle(&uses(&files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()))
        .unwrap_or_default()
}

#[test]
fn a_circle_is_found_whatever_it_is_written_with() {
    let shown = |text: &str| circle_of(&[("a.rs", text), ("b.rs", "use crate::a::Y;"), ("c.rs", "use crate::b::Z;")]);
    let all = [
        "use crate::b::X;",
        "pub use crate::{\n    b::{self, X},\n};",
        "use super::b;",
        "use super::b as c;",
        "fn f() -> crate::b::X { 1 }",
        "//! Text.\nfn f() { super::b::x(); }",
        "use crate::c::X;",
    ];
    for text in all {
        assert!(!shown(text).is_empty(), "{text}");
    }
    let none = ["// use crate::b::X;", "use other::b::X;", "use crate::a::X;", "fn f() { b::x(); }"];
    for text in none {
        assert_eq!(shown(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn a_file_below_counts_for_its_folder_and_not_against_its_parent() {
    let parent = ("a.rs", "mod one;\nmod two;\nuse one::X;\npub fn f() {}");
    assert_eq!(circle_of(&[parent, ("a/one.rs", "use super::f;"), ("a/two.rs", "")]), Vec::<String>::new());
    let side_by_side = [parent, ("a/one.rs", "use super::two::X;"), ("a/two.rs", "use super::one::X;")];
    assert_eq!(circle_of(&side_by_side), ["a/one.rs: super::two::X", "a/two.rs: super::one::X"]);
    let in_mod = [("a/mod.rs", parent.1), ("a/one.rs", "use super::f;"), ("a/two.rs", "")];
    assert_eq!(circle_of(&in_mod), Vec::<String>::new());
    let above = [parent, ("a/one.rs", "use crate::b::X;"), ("a/two.rs", ""), ("b.rs", "use crate::a::f;")];
    assert_eq!(circle_of(&above), ["a/one.rs: crate::b::X", "b.rs: crate::a::f"]);
}
