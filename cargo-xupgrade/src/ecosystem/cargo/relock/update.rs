//! Runs cargo on a clone's lockfile, through the views of the registries, so that what it resolves obeys the rules on
//! ages and on Rust, and reads why it finds no solution. Writes the lockfile only.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use semver::Version;

use super::super::Cargo;
use super::super::index::RegistryKey;
use super::super::lock::Lock;
use super::super::project_files::read_lock;
use super::super::registries::Registries;
use super::super::requirement::admits;
use super::super::view;
use super::super::workspace::one_line;
use super::bounds::Bounds;
use crate::candidate::toolchain_exceeds;
use crate::candidate::{Reason, ReasonKind};
use crate::checkout::environment::without_questions;
use crate::ecosystem::Resolution;
use crate::machine::command::{TimedOut, Tool};
use crate::phrases::cargo::resolver::{unknown_package, unmatched};
use crate::phrases::{self, git, system};
use crate::project::{Network, Project};

/// Cargo, as it resolves one project through the views.
#[derive(Clone, Copy)]
pub(super) struct ProjectResolver<'a> {
    pub(super) cargo: &'a Cargo<'a>,
    pub(super) registries: &'a Registries,
    pub(super) root: &'a Path,
    pub(super) project: &'a Project,
}

/// The crate and version that a resolve is for, in the words of a refusal.
pub(super) type Aim<'a> = (&'a str, &'a str);

impl ProjectResolver<'_> {
    /// The lockfile as it stands.
    pub(super) fn lock(&self) -> Result<Lock> {
        read_lock(self.root, self.project)
    }

    /// One `cargo update` within bounds; `Some` is an end that is no success.
    pub(super) fn update(&self, aim: Aim<'_>, bounds: &Bounds, args: &[String]) -> Result<Option<Resolution>> {
        let locked = self.lock()?;
        let registries = self.registries;
        registries.begin(Some(&|key: &RegistryKey| bounds.limits(key, &locked)));
        let tool = through_view(self.cargo, registries, self.root, self.project, "update").args(args);
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
        Ok(Some(Resolution::Refused(refusal(registries, aim, bounds, &words))))
    }
}

/// A refusal of cargo's, and which releases it did not see.
fn refusal(registries: &Registries, (name, version): Aim<'_>, bounds: &Bounds, words: &str) -> Reason {
    let text = format!("cargo finds no solution with {name} {version}: {}", phrases::cargo::without_progress(words));
    if let Some((wanted, needs)) = too_new(&registries.too_new(), words) {
        let limit = bounds.rust.as_deref().unwrap_or_default();
        let text = format!("it needs {wanted}, which needs Rust {needs}, and Rust {limit} is to be supported; {text}");
        return Reason::new(ReasonKind::Msrv, text);
    }
    let hidden = registries.hidden_met();
    let is_named = |name: &str| words.contains(&format!("`{name}"));
    let hidden: Vec<String> =
        hidden.iter().filter(|(name, _)| is_named(name)).map(|(name, version)| format!("{name} {version}")).collect();
    let text = match hidden.as_slice() {
        [] => text,
        _ => format!("{text} (hidden as too young: {})", hidden.join(", ")),
    };
    Reason::new(ReasonKind::ResolveRefused, text)
}

/// The release that a refusal asks for and that was hidden because of the Rust it needs: the one with the lowest needs.
fn too_new(hidden: &BTreeMap<(String, Version), String>, words: &str) -> Option<(String, String)> {
    // Where all releases of a crate are hidden, cargo knows no such crate.
    let (name, requirement) = unmatched(words).or_else(|| unknown_package(words).map(|name| (name, "*")))?;
    let is_asked = |(one, version): &(String, Version)| one.eq_ignore_ascii_case(name) && admits(requirement, version);
    let found = hidden.iter().filter(|(release, _)| is_asked(release));
    let lower = |a, b| if is_newer(a, b) { b } else { a };
    found.reduce(lower).map(|((name, version), needs)| (format!("{name} {version}"), needs.clone()))
}

type TooNew<'h> = (&'h (String, Version), &'h String);

fn is_newer(a: TooNew<'_>, b: TooNew<'_>) -> bool {
    toolchain_exceeds(a.1, b.1)
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
    use crate::ecosystem::{Change, Others, Outlook};

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
            crate::project::ManifestRule::Needed,
            &cache,
            &cache,
            &listener,
        );
        let (from, to) = ["1.0.0", "1.1.0"].map(|text| crate::candidate::Version::parse(text).unwrap()).into();
        let change =
            Change { project: &project, name: "x", from: &from, to: &to, places: &[], with: &[], others: Others::Stay };
        for _ in 0..2 {
            let end = apply(&cargo, &root, &change).unwrap();
            assert!(matches!(&end, Resolution::Noise(words) if words.contains("did not answer for `y`")), "{end:?}");
        }
        registry.set("y", Behaviour::Status(403, "in quarantine"));
        let end = apply(&cargo, &root, &change).unwrap();
        assert!(matches!(&end, Resolution::Refused(reason) if reason.text.contains("in quarantine")), "{end:?}");
    }
}
