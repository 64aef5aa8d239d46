//! Finds the Cargo workspaces of a tree by asking cargo (`cargo metadata --no-deps`), never by guessing at globs.
//! `cargo_metadata` is named here only.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_metadata::{Metadata, MetadataCommand};

use super::{from_root, lock, manifest, outside};
use crate::candidate::{EcosystemKind, Reason, ReasonKind};
use crate::ecosystem::Tree;
use crate::machine::toolchain;
use crate::phrases;
use crate::project::Project;

/// Every workspace with its members and its lockfile; one that cargo rejects comes with cargo's words.
pub fn discover(tree: Tree<'_>) -> Vec<Project> {
    let mut manifests: Vec<&String> = tree.files.iter().filter(|file| is_manifest(file)).collect();
    manifests.sort_by_key(|file| (file.matches('/').count(), file.as_str()));
    let mut owned: BTreeSet<String> = BTreeSet::new();
    let mut projects: Vec<Project> = Vec::new();
    for manifest in manifests {
        if owned.contains(manifest) {
            continue;
        }
        let project = match ask(tree, manifest) {
            Ok(project) => project,
            Err(reason) => broken(manifest, reason),
        };
        owned.extend(project.manifests.iter().cloned());
        match projects.iter_mut().find(|known| known.path == project.path) {
            Some(known) => known.manifests.extend(project.manifests),
            None => projects.push(project),
        }
    }
    drop_doubles(tree.root, &mut projects);
    projects
}

/// Drops projects that are a member of a workspace behind a symbolic link, found once more where they really lie: no
/// workspace there knows them.
fn drop_doubles(root: &Path, projects: &mut Vec<Project>) {
    let real = |file: &String| from_root(root, &root.join(file).canonicalize().ok()?).ok();
    let behind = |project: &Project| -> Vec<String> {
        project.manifests.iter().filter_map(|file| real(file).filter(|real| real != file)).collect()
    };
    let doubles: BTreeSet<String> = projects.iter().flat_map(behind).collect();
    projects
        .retain(|project| project.lockfile.is_some() || !project.manifests.iter().all(|file| doubles.contains(file)));
}

/// Says of each workspace which others use it by path: their lockfiles name its packages without a source, also where a
/// `[patch]` or a third workspace stands between. All lockfiles must be there, those of projects without one in git, too.
pub fn link(tree: Tree<'_>, projects: &mut [Project]) {
    let own: Vec<BTreeSet<String>> = projects.iter().map(|project| packages(tree, project)).collect();
    let local: Vec<BTreeSet<String>> = projects.iter().map(|project| local_packages(tree, project)).collect();
    let paths: Vec<String> = projects.iter().map(|project| project.path.clone()).collect();
    for (here, project) in projects.iter_mut().enumerate() {
        let uses =
            |there: &usize| *there != here && local[*there].difference(&own[*there]).any(|one| own[here].contains(one));
        project.dependents = (0..paths.len()).filter(uses).map(|there| paths[there].clone()).collect();
        project.dependents.sort();
    }
}

/// The packages of a workspace.
fn packages(tree: Tree<'_>, project: &Project) -> BTreeSet<String> {
    let texts = project.manifests.iter().filter_map(|path| std::fs::read(tree.root.join(path)).ok());
    texts.filter_map(|bytes| manifest::read(&bytes).ok()?.package_name).collect()
}

/// The packages that a workspace takes from folders, its own ones among them; none where it is held whole.
fn local_packages(tree: Tree<'_>, project: &Project) -> BTreeSet<String> {
    let lockfile = project.lockfile.as_ref().filter(|_| project.obstacle.is_none());
    let text = lockfile.and_then(|path| std::fs::read_to_string(tree.root.join(path)).ok());
    let locked = text.and_then(|text| lock::read(&text).ok());
    locked.iter().flat_map(lock::members).map(|package| package.name.clone()).collect()
}

fn is_manifest(file: &str) -> bool {
    file == "Cargo.toml" || file.ends_with("/Cargo.toml")
}

fn ask(tree: Tree<'_>, manifest: &str) -> Result<Project, Reason> {
    let folder = tree.root.join(manifest).parent().unwrap_or(tree.root).to_owned();
    let mut command = metadata(tree, manifest);
    match command.current_dir(&folder).exec() {
        Ok(metadata) => project(tree, manifest, &metadata),
        Err(error) if phrases::rustup::is_toolchain_missing(&words(&error)) => {
            let named = toolchain::named().map(|name| name.to_string_lossy().into_owned());
            let pin = toolchain::pin(&folder, tree.root.parent().unwrap_or(tree.root));
            let reason = toolchain::missing(&words(&error), pin.as_ref(), tree.root, named.as_deref());
            // Elsewhere rustup chooses another Rust, which reads the workspace well enough to name what is in it.
            let mut command = metadata(tree, manifest);
            let elsewhere = command.current_dir(std::env::temp_dir()).env_remove("RUSTUP_TOOLCHAIN").exec();
            let found = elsewhere.ok().and_then(|metadata| project(tree, manifest, &metadata).ok());
            found.map(|project| Project { obstacle: Some(reason.clone()), ..project }).ok_or(reason)
        }
        Err(error) => Err(outside::obstacle_in(tree.root, manifest, &words(&error))
            .unwrap_or_else(|| refusal(tree.root, manifest, &error))),
    }
}

fn metadata(tree: Tree<'_>, manifest: &str) -> MetadataCommand {
    let mut command = MetadataCommand::new();
    command.manifest_path(tree.root.join(manifest)).no_deps().other_options(["--offline".to_owned()]);
    // Below `cargo xupgrade` the variable CARGO names the cargo of another folder, past rustup.
    command.cargo_path("cargo");
    command.env("RUSTUP_AUTO_INSTALL", "0").env("CARGO_TERM_COLOR", "never").env_remove("RUST_BACKTRACE");
    if toolchain::named().is_none() {
        command.env_remove("RUSTUP_TOOLCHAIN");
    }
    command
}

fn project(tree: Tree<'_>, manifest: &str, metadata: &Metadata) -> Result<Project, Reason> {
    let outside = |error: anyhow::Error| Reason::new(ReasonKind::UnsupportedProject, error.to_string());
    let path = from_root(tree.root, metadata.workspace_root.as_std_path()).map_err(outside)?;
    let mut manifests: BTreeSet<String> = BTreeSet::from([manifest.to_owned()]);
    for package in metadata.workspace_packages() {
        manifests.insert(from_root(tree.root, package.manifest_path.as_std_path()).map_err(outside)?);
    }
    let root_manifest = join(&path, "Cargo.toml");
    if tree.files.contains(&root_manifest) {
        manifests.insert(root_manifest);
    }
    let lockfile = Some(join(&path, "Cargo.lock")).filter(|lockfile| tree.files.contains(lockfile));
    let obstacle = lost(tree.root, metadata).or_else(|| no_lockfile(lockfile.as_ref()));
    let manifests = manifests.into_iter().collect();
    Ok(Project {
        ecosystem: EcosystemKind::Cargo,
        path,
        manifests,
        lockfile,
        lock: None,
        dependents: Vec::new(),
        obstacle,
        closed: BTreeMap::new(),
    })
}

/// A folder outside of the repository that a member is made of.
fn lost(root: &Path, metadata: &Metadata) -> Option<Reason> {
    let taken = metadata.workspace_packages().into_iter().flat_map(|package| {
        package.dependencies.iter().filter_map(|dependency| {
            Some(outside::FromFolder {
                manifest: package.manifest_path.as_std_path(),
                name: &dependency.name,
                folder: dependency.path.as_ref()?.as_std_path(),
            })
        })
    });
    outside::obstacle(root, metadata.workspace_root.as_std_path(), taken)
}

fn no_lockfile(lockfile: Option<&String>) -> Option<Reason> {
    lockfile.is_none().then(|| {
        let text = "its Cargo.lock is not in git";
        Reason::new(ReasonKind::NoLockfile, text)
    })
}

fn words(error: &cargo_metadata::Error) -> String {
    match error {
        cargo_metadata::Error::CargoMetadata { stderr } => stderr.trim().to_owned(),
        other => other.to_string(),
    }
}

fn refusal(root: &Path, manifest: &str, error: &cargo_metadata::Error) -> Reason {
    if matches!(error, cargo_metadata::Error::Io(_)) {
        return Reason::new(ReasonKind::ToolchainMissing, format!("cargo does not start: {error}; is it installed?"));
    }
    // The clone's place says nothing to a person who knows the repository.
    let words = words(error).replace(&format!("{}/", root.display()), "");
    // An edition that this cargo does not know is a wish for a newer one.
    if phrases::cargo::is_unknown_edition(&words) {
        let text = format!("cargo rejects {manifest}: {}; use a newer Rust, or mend the edition", one_line(&words));
        return Reason::new(ReasonKind::ToolchainMissing, text);
    }
    Reason::new(ReasonKind::BrokenProject, format!("cargo rejects {manifest}: {}", one_line(&words)))
}

/// Cargo's words on one line, without the leading `error:`.
pub fn one_line(words: &str) -> String {
    phrases::cargo::without_mark(&phrases::one_line(words)).to_owned()
}

fn broken(manifest: &str, reason: Reason) -> Project {
    let path = Path::new(manifest).parent().and_then(Path::to_str).filter(|path| !path.is_empty()).unwrap_or(".");
    Project {
        ecosystem: EcosystemKind::Cargo,
        path: path.to_owned(),
        manifests: vec![manifest.to_owned()],
        lockfile: None,
        lock: None,
        dependents: Vec::new(),
        obstacle: Some(reason),
        closed: BTreeMap::new(),
    }
}

/// A file in a folder, where `.` is the root.
pub fn join(folder: &str, file: &str) -> String {
    if folder == "." { file.to_owned() } else { format!("{folder}/{file}") }
}
