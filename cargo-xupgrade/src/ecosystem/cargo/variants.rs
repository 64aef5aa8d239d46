//! Builds that the usual checks pass by: a member by itself, which may get fewer features than beside the others; a feature
//! that nothing turns on; a target beside the host. Picks the fewest that compile each candidate which nothing else does.
//! `cargo tree` answers; nothing is built.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::lock::{self, Lock};
use super::members::{Member, Members};
use crate::candidate::{Target, Version};
use crate::machine::command::Tool;
use crate::machine::toolchain;
use crate::phrases;
use crate::trial::Check;

/// With more members nobody is built alone: each costs a call of cargo, and a build.
pub const MOST_MEMBERS: usize = 60;
/// With more features that may help the others are not asked for.
const MOST_FEATURES: usize = 40;

/// One build that the usual checks pass by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Variant {
    /// A member by itself.
    Alone {
        /// Its name.
        member: String,
        /// The words that select it.
        spec: String,
    },
    /// A member with one more feature.
    Feature {
        /// Its name.
        member: String,
        /// The words that select it.
        spec: String,
        /// The feature.
        feature: String,
    },
    /// Members for another target.
    Target {
        /// The target's triple.
        triple: String,
        /// The words that select the members.
        specs: Vec<String>,
    },
}

/// The builds that the usual checks pass by, and what not even those compile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variants {
    /// The builds to make.
    pub chosen: Vec<Variant>,
    /// For packages that no build on this machine compiles, by name: a word on what would.
    pub missing: BTreeMap<String, String>,
}

/// The packages of a selection, as `cargo tree` prints them with their features; none where it does not say.
type Tree<'a> = &'a dyn Fn(&[&str]) -> Option<BTreeSet<String>>;

/// The things that are known of a workspace.
pub struct Known<'a> {
    /// Its members.
    pub members: &'a Members,
    /// Its lockfile.
    pub lock: &'a Lock,
    /// The packages that may move: `name@version`.
    pub moving: &'a BTreeSet<Target>,
    /// The targets beside the host that are installed.
    pub targets: &'a [String],
    /// The user's own checks.
    pub own: &'a [Check],
}

/// The edges of a plain build.
const PLAIN: &str = "--edges=normal,build";
/// The edges of a build with all targets.
pub const ALL: &str = "--edges=normal,build,dev";

/// Runs `cargo tree` in a workspace.
pub fn tree(cargo: &dyn Fn() -> Tool, folder: &Path, selection: &[&str]) -> Option<BTreeSet<String>> {
    let args = ["tree", "--locked", "--offline", "--prefix=none", "--format={p} {f}"];
    let said = cargo().args(args).args(selection).dir(folder).run().ok()?;
    let said = String::from_utf8_lossy(&said);
    let lines = said.lines().map(|line| phrases::cargo::tree_line(line).to_owned());
    Some(lines.filter(|line| !line.is_empty()).collect())
}

/// Targets that many projects are written for, to name one where a package is for none that is installed.
const USUAL_TARGETS: &[&str] = &[
    "x86_64-pc-windows-gnu",
    "aarch64-apple-darwin",
    "wasm32-unknown-unknown",
    "aarch64-unknown-linux-gnu",
    "x86_64-unknown-linux-gnu",
    "x86_64-unknown-linux-musl",
    "i686-unknown-linux-gnu",
    "x86_64-unknown-freebsd",
    "aarch64-linux-android",
    "wasm32-wasip1",
    "thumbv7em-none-eabihf",
];

/// Finds the builds that the usual checks of a workspace pass by.
pub fn find(known: &Known<'_>, tree: Tree<'_>) -> Variants {
    let mut open: BTreeSet<Target> = known.moving.clone();
    let Some(usual) = tree(&["--workspace", ALL]) else { return Variants::default() };
    leave(&mut open, &packages(&usual));
    for selection in known.own.iter().filter_map(selection) {
        leave(&mut open, &tree(&selection).map(|tree| packages(&tree)).unwrap_or_default());
    }
    let mut chosen = known.alone(tree);
    chosen.extend(known.features(&mut open, tree));
    chosen.extend(known.targets(&mut open, tree));
    Variants { chosen, missing: missing(&open, tree) }
}

/// Words that select what a cargo command builds: those of the first list stand alone, those of the second have a value.
const SELECTING: &[&str] = &["--workspace", "--all-features", "--no-default-features"];
const SELECTING_BY: &[&str] = &["-p", "--package", "-F", "--features", "--target", "--exclude"];

/// The words of a user's check that select what it builds; none where it builds nothing.
fn selection(check: &Check) -> Option<Vec<&str>> {
    let words: Vec<&str> = check.argv.iter().map(String::as_str).collect();
    let builds = words.iter().any(|word| ["test", "build", "check", "clippy"].contains(word));
    if !builds || !words.first().is_some_and(|program| program.ends_with("cargo")) {
        return None;
    }
    let mut selection = vec![ALL];
    for (at, word) in words.iter().enumerate().take_while(|(_, word)| **word != "--") {
        let flag = word.split('=').next().unwrap_or_default();
        if SELECTING.contains(word) || (flag != *word && SELECTING_BY.contains(&flag)) {
            selection.push(word);
        } else if SELECTING_BY.contains(word) {
            selection.extend([word, *words.get(at + 1)?]);
        }
    }
    Some(selection)
}

/// Takes out what is compiled.
fn leave(open: &mut BTreeSet<Target>, compiled: &BTreeSet<Target>) {
    open.retain(|package| !compiled.contains(package));
}

/// The packages of a tree.
fn packages(tree: &BTreeSet<String>) -> BTreeSet<Target> {
    let package = |line: &String| {
        let (name, rest) = line.split_once(" v")?;
        Some(Target::new(name, Version::parse(rest.split(' ').next()?).ok()?))
    };
    tree.iter().filter_map(package).collect()
}

impl Known<'_> {
    /// The members that have one of these packages below them.
    fn over<'a>(&'a self, packages: &'a BTreeSet<Target>) -> impl Iterator<Item = &'a Member> {
        self.members.all.iter().filter(move |member| self.below(&member.name).any(|one| packages.contains(&one)))
    }

    /// All that a locked package may need, as the lockfile has it.
    fn below(&self, name: &str) -> impl Iterator<Item = Target> + use<> {
        let roots = lock::package_versions(self.lock, name).into_iter().map(|version| (name.to_owned(), version));
        let roots: Vec<lock::Named> = roots.collect();
        let below = lock::reachable_from(self.lock, &roots);
        roots.into_iter().chain(below).map(|(name, version)| Target::new(name, version))
    }

    /// The members that cargo builds otherwise alone than beside the others, and that use what may move.
    fn alone(&self, tree: Tree<'_>) -> Vec<Variant> {
        if self.members.all.len() < 2 || self.members.all.len() > MOST_MEMBERS {
            return Vec::new();
        }
        let Some(all) = tree(&["--workspace", PLAIN]) else { return Vec::new() };
        let differs = |member: &&Member| {
            let alone = tree(&["--package", &self.spec(member), PLAIN]);
            alone.is_some_and(|alone| !alone.is_subset(&all)) || self.may_differ(member)
        };
        let alone = |member: &Member| Variant::Alone { member: member.name.clone(), spec: self.spec(member) };
        self.over(self.moving).filter(differs).map(alone).collect()
    }

    /// The chance that a member differs once a package moves, read from the manifests: its neighbours ask for a feature
    /// that the version in use may not even have.
    fn may_differ(&self, member: &Member) -> bool {
        let moves = |name: &&str| self.moving.iter().any(|one| one.name == **name);
        self.members.fuller_for_others(member).iter().any(moves)
    }

    /// The fewest features, each for itself: two of them may be written for nobody who wants both.
    fn features(&self, open: &mut BTreeSet<Target>, tree: Tree<'_>) -> Vec<Variant> {
        let mut ways = Vec::new();
        for (member, feature) in self.useful(open).into_iter().take(MOST_FEATURES) {
            let spec = self.spec(member);
            let compiled = tree(&["--package", &spec, "--features", feature, PLAIN]);
            let compiled = compiled.map(|tree| packages(&tree)).unwrap_or_default();
            let (member, feature) = (member.name.clone(), feature.to_owned());
            ways.push((Variant::Feature { member, spec, feature }, compiled));
        }
        fewest(ways, open)
    }

    /// The features that ask for something with an open package below it.
    fn useful<'a>(&'a self, open: &BTreeSet<Target>) -> Vec<(&'a Member, &'a str)> {
        let leads = |name: &str| self.below(name).any(|one| open.contains(&one));
        let asks = |(member, feature): &(&Member, &str)| {
            *feature != "default" && member.asked_by(feature).into_iter().any(leads)
        };
        let members = self.members.all.iter().filter(|_| !open.is_empty());
        let all = members.flat_map(|member| member.features.keys().map(move |feature| (member, feature.as_str())));
        all.filter(asks).collect()
    }

    /// The fewest targets that are installed.
    fn targets(&self, open: &mut BTreeSet<Target>, tree: Tree<'_>) -> Vec<Variant> {
        let mut ways = Vec::new();
        for triple in self.targets.iter().filter(|_| !open.is_empty()) {
            let users = self.over(open).map(|member| self.spec(member));
            let compiled = |spec: &String| tree(&["--package", spec, "--target", triple, ALL]);
            let each = users.filter_map(|spec| compiled(&spec).map(|tree| (spec, packages(&tree))));
            let each: Vec<_> = each.filter(|(_, tree)| !tree.is_disjoint(open)).collect();
            let (specs, trees): (Vec<String>, Vec<BTreeSet<Target>>) = each.into_iter().unzip();
            let target = Variant::Target { triple: triple.clone(), specs };
            ways.push((target, trees.into_iter().flatten().collect()));
        }
        fewest(ways, open)
    }

    /// The words that select a member: its version, too, where another package has its name.
    fn spec(&self, member: &Member) -> String {
        match lock::package_versions(self.lock, &member.name).len() {
            0 | 1 => member.name.clone(),
            _ => format!("{}@{}", member.name, member.version),
        }
    }
}

/// The fewest ways that compile all that any of them does; of two that compile as much the first one.
fn fewest(mut ways: Vec<(Variant, BTreeSet<Target>)>, open: &mut BTreeSet<Target>) -> Vec<Variant> {
    let mut chosen = Vec::new();
    loop {
        let covers = |at: usize| open.intersection(&ways[at].1).count();
        let best = (0..ways.len()).rev().max_by_key(|at| covers(*at)).filter(|at| covers(*at) > 0);
        let Some(at) = best else { return chosen };
        let (variant, compiled) = ways.remove(at);
        leave(open, &compiled);
        chosen.push(variant);
    }
}

/// For each package that is for a target which is not here: how to have it.
fn missing(open: &BTreeSet<Target>, tree: Tree<'_>) -> BTreeMap<String, String> {
    let mut open = open.clone();
    let mut missing = BTreeMap::new();
    for triple in USUAL_TARGETS {
        if open.is_empty() {
            break;
        }
        let compiled = tree(&["--workspace", "--target", triple, ALL]).map(|tree| packages(&tree)).unwrap_or_default();
        let word = format!("it is for another target: `rustup target add {triple}`, and it is checked for that");
        let names = open.intersection(&compiled).map(|one| one.name.clone());
        missing.extend(names.map(|name| (name, word.clone())));
        leave(&mut open, &compiled);
    }
    missing
}

/// The targets beside the host whose standard library is there.
pub fn installed(folder: &Path) -> Vec<String> {
    let rustc = || toolchain::of_the_folder(Tool::new("rustc")).dir(folder);
    let (Ok(sysroot), Ok(said)) = (rustc().args(["--print", "sysroot"]).line(), rustc().arg("-vV").run()) else {
        return Vec::new();
    };
    let said = String::from_utf8_lossy(&said);
    let host = said.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default().to_owned();
    let Ok(entries) = std::fs::read_dir(Path::new(&sysroot).join("lib/rustlib")) else { return Vec::new() };
    let targets = entries.flatten().filter(|one| one.path().join("lib").is_dir());
    let names: BTreeSet<String> = targets.filter_map(|one| one.file_name().into_string().ok()).collect();
    names.into_iter().filter(|name| *name != host).collect()
}

#[cfg(test)]
mod tests;
