//! The checks of a module: the commands that a person types to build and to test it, its tools, and builds for files that
//! these pass by. Pure; the companion has read the files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;

use super::protocol::{FetchLoad, OutsideFile, Variant, Variants};
use super::{Known, evidence, folder};
use crate::project::Project;
use crate::trial::{Check, Company, Grain, Phase, Reader, Turn};

/// The names of the default checks; `*` stands for what files and candidates decide.
pub const NAMES: &[&str] = &["gate", "build", "test", "tools", "build-*", "vet-*"];

/// The default checks of a module, in the order to run them. `candidates` are the modules that may move.
pub fn usual(project: &Project, known: &Known, candidates: &BTreeSet<&str>) -> Vec<Check> {
    let mut checks = Vec::new();
    let outside = &known.variants;
    let tools = tools(known, outside, candidates);
    // A module of nothing but tools has no packages, and go takes that for a mistake.
    if outside.plain || (tools.is_empty() && outside.files.is_empty()) {
        // Vet type-checks packages and tests without linking them. After a small raise it cost a third of
        // `go test -run '^$'` on linkerd2 (14 and 42 CPU seconds), so that failures show sooner. Its one analyser
        // here looks at assembly only: the gate asks whether things compile, not what vet thinks of them.
        checks.push(check(project, known, "gate", &["go", "vet", "-framepointer", "./..."]));
        // Vet compiled it already; here it is linked, as it is nowhere else. That takes linkerd2 84 CPU seconds, nearly as
        // much as a trial, so it waits for the whole matrix. `go install` leaves alone what it linked before, below the
        // HOME of the worker, where `go build` would link each command anew.
        let build = check(project, known, "build", &["go", "install", "./..."]);
        checks.push(apart(Check { turn: Turn::Final, ..build }));
        let test = check(project, known, "test", &["go", "test", "-json", "./..."]);
        checks.push(Check { phase: Phase::Test, afresh: vec!["-count=1".into()], ..test });
    }
    if !tools.is_empty() {
        // No package imports what a `tool` line names, so nothing else would compile it.
        let words: Vec<&str> = ["go", "install"].into_iter().chain(tools).collect();
        checks.push(apart(check(project, known, "tools", &words)));
    }
    checks.extend(chosen(outside, candidates).iter().flat_map(|one| one.checks(project, known)));
    checks.sort_by_key(|check| check.phase);
    checks
}

fn check(project: &Project, known: &Known, name: &str, argv: &[&str]) -> Check {
    Check {
        name: name.into(),
        phase: Phase::Gate,
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        afresh: Vec::new(),
        dir: project.path.clone(),
        env: known.env(),
        reader: Reader::GoTest,
        limit: None,
        company: Company::Any,
        turn: Turn::Always,
        grain: Grain::Whole,
    }
}

/// A check that is left out by itself where it fails on the untouched base.
fn apart(check: Check) -> Check {
    Check { grain: Grain::Target, ..check }
}

/// The packages to build for the tools: those of `tool` lines, and those that files behind a tag keep in go.mod.
fn tools<'a>(known: &Known, outside: &'a Variants, candidates: &BTreeSet<&str>) -> Vec<&'a str> {
    let kept = outside.files.iter().filter(|file| is_wanted(file, candidates)).flat_map(|file| &file.tools);
    let kept: BTreeSet<&str> = kept.map(String::as_str).collect();
    known.tools.then_some("tool").into_iter().chain(kept).collect()
}

fn is_wanted(file: &OutsideFile, candidates: &BTreeSet<&str>) -> bool {
    file.modules.iter().any(|module| candidates.contains(module.as_str()))
}

/// A variant to build, for these packages: each by its folder from the module's.
#[derive(Debug, PartialEq, Eq)]
struct Chosen<'a> {
    variant: &'a Variant,
    /// The tags of a plain build, which its own are added to.
    tags: &'a [String],
    packages: BTreeSet<&'a str>,
    /// The folders of files of tests, which only vet sees.
    tests: BTreeSet<&'a str>,
}

/// The fewest variants that compile each file which imports a candidate and which no other check compiles.
fn chosen<'a>(outside: &'a Variants, candidates: &BTreeSet<&str>) -> Vec<Chosen<'a>> {
    let is_open = |file: &&OutsideFile| {
        file.tools.is_empty() && is_wanted(file, candidates) && !file.variants.iter().any(|at| *at < outside.done)
    };
    let mut open: Vec<&OutsideFile> = outside.files.iter().filter(is_open).collect();
    let mut all = Vec::new();
    loop {
        let covers = |at: usize| open.iter().filter(|file| file.variants.contains(&at)).count();
        // Of two that cover as many the first one is the cheaper.
        let best = (0..outside.variants.len()).rev().max_by_key(|at| covers(*at)).filter(|at| covers(*at) > 0);
        let Some(at) = best else { return all };
        let (now, later): (Vec<&OutsideFile>, _) = open.into_iter().partition(|file| file.variants.contains(&at));
        open = later;
        let (tests, packages): (Vec<&OutsideFile>, _) = now.into_iter().partition(|file| file.test);
        let folders = |files: Vec<&'a OutsideFile>| files.into_iter().map(|file| file.dir.as_str()).collect();
        let (packages, tests) = (folders(packages), folders(tests));
        all.push(Chosen { variant: &outside.variants[at], tags: &outside.tags, packages, tests });
    }
}

/// The most packages that a command names; where there are more it means all.
const NAMED: usize = 40;

impl Chosen<'_> {
    /// The commands: one for all that a build compiles, one for what only tests do.
    fn checks(&self, project: &Project, known: &Known) -> Vec<Check> {
        let one = |name: &str, words: &[&str], packages: &BTreeSet<&str>| {
            let (flag, patterns) = (self.tags_flag(), patterns(packages));
            let words: Vec<&str> =
                words.iter().copied().chain(flag.as_deref()).chain(patterns.iter().map(String::as_str)).collect();
            let usual = check(project, known, &format!("{name}-{}", self.name()), &words);
            Check { env: usual.env.into_iter().chain(self.env()).collect(), turn: Turn::Final, ..usual }
        };
        let build = || one("build", &["go", "build", "-o", "/dev/null"], &self.packages);
        let vet = || one("vet", &["go", "vet", "-framepointer"], &self.tests);
        let first = (!self.packages.is_empty()).then(build);
        first.into_iter().chain((!self.tests.is_empty()).then(vet)).collect()
    }

    fn name(&self) -> String {
        let goos = Some(&self.variant.goos).filter(|goos| !goos.is_empty());
        goos.into_iter().chain(&self.variant.tags).cloned().collect::<Vec<_>>().join("-")
    }

    fn tags_flag(&self) -> Option<String> {
        let tags: Vec<&str> = self.tags.iter().chain(&self.variant.tags).map(String::as_str).collect();
        (!self.variant.tags.is_empty()).then(|| format!("-tags={}", tags.join(",")))
    }

    /// For another system there is no C compiler; for the one at hand a build without C would share nothing with the
    /// others.
    fn env(&self) -> BTreeMap<String, String> {
        let goos = Some(&self.variant.goos).filter(|goos| !goos.is_empty());
        let env = goos.map(|goos| [("GOOS".to_owned(), goos.clone()), ("CGO_ENABLED".to_owned(), "0".to_owned())]);
        env.into_iter().flatten().collect()
    }
}

/// Folders as go takes them for packages.
fn patterns(folders: &BTreeSet<&str>) -> Vec<String> {
    if folders.len() > NAMED {
        return vec!["./...".into()];
    }
    let pattern = |folder: &&str| if *folder == "." { ".".to_owned() } else { format!("./{folder}") };
    folders.iter().map(pattern).collect()
}

/// The builds that checks of the user's do already: those of all packages.
pub fn done(own: &[Check]) -> Vec<Variant> {
    own.iter().filter_map(variant).collect()
}

fn variant(check: &Check) -> Option<Variant> {
    let command = evidence::read(&check.argv);
    let whole = command.patterns.iter().any(|pattern| pattern == "./...") && !check.env.contains_key("GOARCH");
    let goos = check.env.get("GOOS").cloned().unwrap_or_default();
    (whole && evidence::is_build(&check.argv)).then_some(Variant { goos, tags: command.tags })
}

/// The packages that checks compile beside those of a plain build, for the companion to download.
pub fn loads(root: &Path, project: &Project, checks: &[&Check]) -> Result<Vec<FetchLoad>> {
    let load = |check: &&Check| {
        let command = evidence::read(&check.argv);
        let chooses = |key: &String| ["GOOS", "GOARCH", "CGO_ENABLED"].contains(&key.as_str());
        let env = check.env.iter().filter(|(key, _)| chooses(key)).map(|(key, value)| (key.clone(), value.clone()));
        let dir = folder(root, &check.dir)?;
        Ok(FetchLoad { dir, env: env.collect(), tags: command.tags, patterns: command.patterns })
    };
    let (own, all) = (folder(root, &project.path)?, ["./...".to_owned()]);
    let is_more =
        |load: &FetchLoad| load.dir != own || !load.env.is_empty() || !load.tags.is_empty() || load.patterns != all;
    let loads: BTreeSet<FetchLoad> = checks.iter().map(load).collect::<Result<_>>()?;
    Ok(loads.into_iter().filter(is_more).collect())
}

/// For each dependency that only files import which a plain build passes by: a word on the build that compiles them. It
/// counts where no check compiled the dependency, as there is no such build here or it fails on the untouched base.
pub fn missing(outside: &Variants) -> BTreeMap<String, String> {
    let files = outside.files.iter().filter(|file| file.tools.is_empty());
    let word = |file: &OutsideFile| {
        let variant = file.variants.first().map(|at| &outside.variants[*at]);
        format!("{} imports it, {}", file.file, variant.map_or_else(|| left_out(file), failing))
    };
    files.flat_map(|file| file.modules.iter().map(move |module| (module.clone(), word(file)))).collect()
}

fn left_out(file: &OutsideFile) -> String {
    let wants = if file.wants.is_empty() { "by its name".into() } else { format!("by `{}`", file.wants) };
    format!("which is left out here {wants}: add a check with the GOOS, GOARCH or tag of that")
}

fn failing(variant: &Variant) -> String {
    format!("and only a build with {} compiles that file: mend this build", spelled(variant))
}

/// A variant as words of a command line.
fn spelled(variant: &Variant) -> String {
    let goos = (!variant.goos.is_empty()).then(|| format!("GOOS={}", variant.goos));
    let tags = (!variant.tags.is_empty()).then(|| format!("-tags={}", variant.tags.join(",")));
    goos.into_iter().chain(tags).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
