//! Runs cargo on a clone's lockfile, through the views of the registries, so that what it resolves obeys the rule on
//! ages: the least change that takes in an upgrade, and what cargo says where it finds none. Writes the lockfile only.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use semver::Version;

use super::super::Cargo;
use super::super::lock::{self, Lock};
use super::super::registries::Registries;
use super::super::view;
use super::super::workspace::one_line;
use super::subject::Subject;
use super::{is_there, read_lock};
use crate::candidate::{Reason, ReasonKind};
use crate::command::{TimedOut, Tool};
use crate::ecosystem::{Change, Network, Project, Resolution};
use crate::environment::without_questions;
use crate::phrases::{self, git, system};

/// What a relock has to take in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// No requirement changed.
    LockOnly,
    /// Some requirement did.
    Requirements,
}

impl Extent {
    pub(super) fn of(edited: &[String]) -> Self {
        if edited.is_empty() { Self::LockOnly } else { Self::Requirements }
    }
}

/// Relocks; `Some` is an end that is no success.
pub(super) fn relock(
    cargo: &Cargo<'_>,
    subject: &Subject<'_>,
    root: &Path,
    change: &Change<'_>,
    (before, from): (&Lock, &Version),
    extent: Extent,
) -> Result<Option<Resolution>> {
    let run = |args: &[String]| update(cargo, subject.registries, root, change, args);
    if extent == Extent::LockOnly {
        return run(&subject.precise(&read_lock(root, change.project)?, from, change.to));
    }
    // `--precise` on the version in use would drag every other user of it along; a workspace update moves only the
    // edges whose requirement changed.
    if let Some(end) = run(&["--workspace".to_owned()])? {
        return Ok(Some(end));
    }
    let all_after = read_lock(root, change.project)?;
    let after = subject.own(&all_after);
    if is_there(&after, change.name, change.to.semver()) {
        return Ok(None);
    }
    let known = lock::package_versions(before, change.name);
    let new = lock::package_versions(&after, change.name).into_iter().find(|version| !known.contains(version));
    match new {
        Some(version) => run(&subject.precise(&all_after, &version, change.to)),
        None => run(&subject.precise(&all_after, from, change.to)),
    }
}

/// One `cargo update` through the views; `Some` is an end that is no success.
pub(super) fn update(
    cargo: &Cargo<'_>,
    registries: &Registries,
    root: &Path,
    change: &Change<'_>,
    args: &[String],
) -> Result<Option<Resolution>> {
    let tool = through_view(cargo, registries, root, change.project, "update").args(args);
    // What was refused before has nothing to do with this resolve, unless it is refused once more.
    registries.forget_refused();
    let output = match tool.output() {
        Ok(output) => output,
        Err(error) if error.is::<TimedOut>() => return Ok(Some(Resolution::Noise(error.to_string()))),
        Err(error) => return Err(error),
    };
    if output.status.success() {
        return Ok(None);
    }
    let words = one_line(&String::from_utf8_lossy(&output.stderr));
    if let Some((name, error)) = registries.refused().into_iter().find(|(_, error)| error.is_passing()) {
        return Ok(Some(Resolution::Noise(format!("the registry did not answer for `{name}`: {error}"))));
    }
    if system::is_disk_full(&words) || git::is_shut_off(&words) {
        return Ok(Some(Resolution::Noise(words)));
    }
    let hidden: Vec<String> = registries
        .hidden_met()
        .iter()
        .filter(|(name, _)| words.contains(&format!("`{name}")))
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    let mut text = format!(
        "cargo finds no solution with {} {}: {}",
        change.name,
        change.to,
        phrases::cargo::without_progress(&words)
    );
    if !hidden.is_empty() {
        let _ = write!(text, " (hidden as too young: {})", hidden.join(", "));
    }
    Ok(Some(Resolution::Refused(Reason::new(ReasonKind::ResolveRefused, text))))
}

/// How long a resolve may take. What it may have to fetch are repositories of git sources, which takes minutes.
const LIMIT: Duration = Duration::from_mins(10);

/// A command of cargo's that resolves a project through the views.
pub fn through_view(cargo: &Cargo<'_>, registries: &Registries, root: &Path, project: &Project, command: &str) -> Tool {
    let tool = cargo.tool().arg(command).args(registries.cargo_args());
    let tool = tool.env("CARGO_HOME", &cargo.resolve_home).dir(&root.join(&project.path));
    let tool = without_questions(tool, &root.join(&project.path)).limit(LIMIT);
    registries.warm();
    let tool = view::cargo_env().into_iter().fold(tool, |tool, (key, value)| tool.env(key, value));
    match cargo.outlook.network {
        Network::Online => tool,
        // Cargo itself cannot be told to stay offline, for it has to ask the views.
        Network::Offline => {
            let tool = tool.env("CARGO_NET_GIT_FETCH_WITH_CLI", "true").env("CARGO_NET_RETRY", "0");
            tool.env("GIT_ALLOW_PROTOCOL", "none").env("LC_ALL", "C")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::super::index::fake::{Behaviour, Registry, dep, line, line_with};
    use super::super::apply;
    use super::*;
    use crate::candidate::EcosystemKind;
    use crate::ecosystem::Outlook;

    const OLD: &str = "2025-01-01T00:00:00Z";

    /// A package that has locked `x` 1.0.0.
    fn project(root: &Path) -> Project {
        fs::create_dir_all(root.join("src")).unwrap();
        fs::write(root.join("src/lib.rs"), "").unwrap();
        let manifest = "[package]\nname = 'app'\nversion = '0.1.0'\n[dependencies]\nx = '1'\n[workspace]\n";
        fs::write(root.join("Cargo.toml"), manifest).unwrap();
        let source = "registry+https://github.com/rust-lang/crates.io-index";
        let lock = format!(
            "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"x\",\n]\n\n\
             [[package]]\nname = \"x\"\nversion = \"1.0.0\"\nsource = \"{source}\"\nchecksum = \"{:0>64}\"\n",
            0
        );
        fs::write(root.join("Cargo.lock"), lock).unwrap();
        let lockfile = Some("Cargo.lock".into());
        Project { lockfile, ..Project::of(EcosystemKind::Cargo, ".", &["Cargo.toml"]) }
    }

    #[test]
    fn a_registry_that_fails_twice_is_noise_twice_and_what_it_then_refuses_is_no_noise() {
        let folder = tempfile::tempdir().unwrap();
        let (root, cache) = (folder.path().join("repo"), folder.path().join("cache"));
        let (project, registry) = (project(&root), Registry::start());
        registry.configure(&root);
        registry.page("x", line("x", "1.0.0", OLD) + &line_with("x", "1.1.0", OLD, &dep("y", "^1")));
        registry.set("y", Behaviour::Status(503, "busy"));
        let listener = |_: &crate::event::Event| {};
        let cargo = Cargo::new(
            Outlook::of("2026-01-01T00:00:00Z"),
            crate::cli::ManifestRule::Needed,
            &cache,
            &cache,
            &listener,
        );
        let (from, to) = ["1.0.0", "1.1.0"].map(|text| crate::candidate::Version::parse(text).unwrap()).into();
        let change = Change { project: &project, name: "x", from: &from, to: &to, places: &[], with: &[] };
        for _ in 0..2 {
            let end = apply(&cargo, &root, &change).unwrap();
            assert!(matches!(&end, Resolution::Noise(words) if words.contains("did not answer for `y`")), "{end:?}");
        }
        registry.set("y", Behaviour::Status(403, "in quarantine"));
        let end = apply(&cargo, &root, &change).unwrap();
        assert!(matches!(&end, Resolution::Refused(reason) if reason.text.contains("in quarantine")), "{end:?}");
    }
}
