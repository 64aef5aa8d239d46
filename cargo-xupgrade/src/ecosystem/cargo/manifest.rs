//! Reads and edits `Cargo.toml`, bytes in and bytes out. An edit exchanges the text of one requirement in the original
//! bytes and is read back: the author's comments, order, quotes, BOM and line endings stay (the writer of `toml_edit` would
//! normalise them, as `cargo upgrade` does). The parser is named in `document` only. No IO.

use std::collections::{BTreeMap, BTreeSet};

mod document;
mod literal;
mod marker;
#[cfg(test)]
mod tests;

pub use document::ManifestError;
pub use marker::{Hold, LooseMarker};

use crate::candidate::{Reason, ReasonKind};
use document::{Document, Node};

/// Where a requirement stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// The table as a TOML path the way the file spells it where it is first named: `dependencies`,
    /// `target.'cfg(windows)'.dev-dependencies`.
    pub table: String,
    /// The key as the file spells it, with quotes when it has some.
    pub key: String,
}

/// Which sort of table an entry stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `[dependencies]`.
    Normal,
    /// `[dev-dependencies]`, `[dev_dependencies]`.
    Dev,
    /// `[build-dependencies]`, `[build_dependencies]`.
    Build,
    /// `[workspace.dependencies]`.
    Workspace,
}

/// Where an entry's crate comes from. An entry with a requirement beside its path or repository counts as these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A registry: the default one, or the one of this name or index address.
    Registry {
        /// `registry` or `registry-index` as written.
        registry: Option<String>,
    },
    /// `git = ...`.
    Git,
    /// `path = ...`.
    Path,
    /// `workspace = true`.
    Inherited,
}

/// One dependency as a manifest names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its address in this file.
    pub place: Place,
    /// The key without quotes: the crate's name in the code, and in `dep:name` features.
    pub name: String,
    /// Which sort of table it stands in.
    pub kind: Kind,
    /// The crate's real name (`package`, else the key).
    pub package: String,
    /// Where the crate comes from.
    pub origin: Origin,
    /// The requirement, its escapes decoded. Inherited entries have none.
    pub requirement: Option<String>,
    /// The features asked for, in the file's order.
    pub features: Vec<String>,
    /// The features that the package's own `[features]` turn on in it (`name/feature`, `name?/feature`), sorted.
    pub forwarded: Vec<String>,
    /// Whether the default features are asked for (`true` when not said).
    pub default_features: bool,
    /// `optional = true`.
    pub optional: bool,
    /// The features of the package that turn an optional entry on, sorted.
    pub switches: Vec<String>,
    /// The cfg expression or target triple of a `[target.*]` table.
    pub target: Option<String>,
    /// A comment beside the entry that holds it.
    pub hold: Option<Hold>,
    /// The line of its requirement, from 1; of its key, where it has none.
    pub line: usize,
    /// The reason that no other requirement can be written in the place of this one, as far as its own text tells.
    pub unwritable: Option<ManifestError>,
}

/// A package key that may be inherited from the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inheritable {
    /// Written here.
    Explicit(String),
    /// `key.workspace = true`.
    Inherited,
}

/// What `package.rust-version` says.
pub type RustVersion = Inheritable;

/// What a `Cargo.toml` says about dependencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Every dependency, sorted by place.
    pub entries: Vec<Entry>,
    /// `package.name`; none in a virtual workspace.
    pub package_name: Option<String>,
    /// `package.rust-version`.
    pub rust_version: Option<RustVersion>,
    /// `workspace.package.rust-version`.
    pub workspace_rust_version: Option<String>,
    /// `package.edition`.
    pub edition: Option<Inheritable>,
    /// `workspace.package.edition`.
    pub workspace_edition: Option<String>,
    /// Whether there is a `[workspace]` table.
    pub has_workspace: bool,
    /// The crates that `[patch.*]` and `[replace]` exchange, each with the table that does so, as in `[patch.crates-io]`.
    pub patches: BTreeMap<String, String>,
    /// `xupgrade:` comments that hold nothing, by line: misspelt ones, and those beside no entry.
    pub loose_markers: Vec<LooseMarker>,
}

/// Reads a manifest; a BOM and CRLF are fine.
///
/// # Errors
/// When the bytes are not UTF-8, not TOML, or a dependency has a shape that Cargo refuses too.
pub fn read(bytes: &[u8]) -> Result<Manifest, ManifestError> {
    let document = Document::parse(bytes)?;
    let mut markers = marker::Markers::scan(document.text);
    let mut entries = Vec::new();
    for section in sections(&document)? {
        for (name, node) in section.table.children() {
            entries.push(entry(&document, &section, name, node, &mut markers)?);
        }
    }
    entries.sort_by(|a, b| a.place.cmp(&b.place));
    for entry in entries.iter_mut().filter(|entry| entry.optional) {
        entry.switches = switches(&document.root, &entry.name);
    }
    let at = |path: &[&str]| document.root.at(path);
    let word = |path: &[&str]| at(path).and_then(Node::text).map(str::to_owned);
    // `[project]` is how `[package]` was called before Rust 1.0; Cargo reads it in editions before 2024.
    let package = at(&["package"]).map_or("project", |_| "package");
    Ok(Manifest {
        entries,
        package_name: word(&[package, "name"]),
        rust_version: at(&[package, "rust-version"]).and_then(inheritable),
        workspace_rust_version: word(&["workspace", "package", "rust-version"]),
        edition: at(&[package, "edition"]).and_then(inheritable),
        workspace_edition: word(&["workspace", "package", "edition"]),
        has_workspace: at(&["workspace"]).is_some(),
        patches: patches(&document.root),
        loose_markers: markers.loose(),
    })
}

/// The features that turn an optional dependency on: those that name it (`dep:x`, `x`, `x/feature`; not `x?/feature`),
/// and the one of its own name where no `dep:x` hides it (the Cargo book, "Features", "Optional dependencies").
fn switches(root: &Node, name: &str) -> Vec<String> {
    let features: Vec<(&str, &Node)> = root.at(&["features"]).into_iter().flat_map(Node::children).collect();
    let values = |node: &'_ Node| node.elements().iter().filter_map(Node::text).map(str::to_owned).collect::<Vec<_>>();
    let hidden = format!("dep:{name}");
    let names_it = |value: &String| *value == hidden || value.split('/').next() == Some(name);
    let mut found: Vec<String> = features
        .iter()
        .filter(|(_, node)| values(node).iter().any(names_it))
        .map(|(feature, _)| (*feature).to_owned())
        .collect();
    if !features.iter().any(|(_, node)| values(node).contains(&hidden)) {
        found.push(name.to_owned());
    }
    found.sort();
    found
}

/// The features of a dependency that those of the package turn on.
fn forwarded(root: &Node, name: &str) -> Vec<String> {
    let features = root.at(&["features"]).into_iter().flat_map(Node::children);
    let values = features.flat_map(|(_, node)| node.elements()).filter_map(Node::text);
    let of_it = values.filter_map(|value| {
        let (dependency, feature) = value.split_once('/')?;
        (dependency.trim_end_matches('?') == name).then(|| feature.to_owned())
    });
    of_it.collect::<BTreeSet<String>>().into_iter().collect()
}

/// The manifest with the requirement at `place` exchanged for `new`, and every other byte as it was.
///
/// # Errors
/// When nothing stands at `place`, when the requirement is written in a way that is not edited (a multi-line string), or
/// when the result read back would differ in anything but this one value.
pub fn set_requirement(bytes: &[u8], place: &Place, new: &str) -> Result<Vec<u8>, ManifestError> {
    let document = Document::parse(bytes)?;
    let path = path_of_requirement(&document, place)?.ok_or_else(|| {
        let (table, key) = (&place.table, &place.key);
        document.error(0, format!("no requirement `{key}` in `[{table}]`; survey this manifest again"))
    })?;
    let Some(value) = document.root.at(&path) else {
        return Err(document.error(0, "the requirement is not where it was found; report this".to_owned()));
    };
    let (text, span) = (document.text, value.span.clone());
    let error = |message| document.error(span.start, message);
    let literal = literal::exchanged(&text[span.clone()], new).map_err(error)?;
    let edited = [&text[..span.start], &literal, &text[span.end..]].concat();
    only_that_differs(&document.root, &edited, &path, new).map_err(error)?;
    Ok(edited.into_bytes())
}

/// The reason to hold an upgrade whose requirement cannot be written: file, line, what is wrong and what to do.
#[must_use]
pub fn unwritten(manifest: &str, error: &ManifestError) -> Reason {
    Reason::new(ReasonKind::EditRefused, format!("{manifest}:{}: {}", error.line, error.message))
}

/// One dependency table.
struct Section<'a> {
    spelling: String,
    path: Vec<&'a str>,
    kind: Kind,
    target: Option<&'a str>,
    table: &'a Node,
}

/// The dependency tables and their older spellings. Where both spellings stand, Cargo reads the one with the hyphen.
const KINDS: [(Kind, &[&str]); 3] = [
    (Kind::Normal, &["dependencies"]),
    (Kind::Dev, &["dev-dependencies", "dev_dependencies"]),
    (Kind::Build, &["build-dependencies", "build_dependencies"]),
];

fn sections<'a>(document: &'a Document<'_>) -> Result<Vec<Section<'a>>, ManifestError> {
    let root = &document.root;
    let mut places: Vec<(Kind, Option<&str>, Vec<&str>)> = Vec::new();
    let spelt = |table: &'a Node, names: &[&str]| names.iter().find_map(|name| table.child(name));
    for (kind, names) in KINDS {
        places.extend(spelt(root, names).map(|(name, _)| (kind, None, vec![name])));
        for (target, table) in root.at(&["target"]).into_iter().flat_map(Node::children) {
            places.extend(spelt(table, names).map(|(name, _)| (kind, Some(target), vec!["target", target, name])));
        }
    }
    if root.at(&["workspace", "dependencies"]).is_some() {
        places.push((Kind::Workspace, None, vec!["workspace", "dependencies"]));
    }
    places.into_iter().map(|(kind, target, path)| section(document, kind, target, path)).collect()
}

fn section<'a>(
    document: &'a Document<'_>,
    kind: Kind,
    target: Option<&'a str>,
    path: Vec<&'a str>,
) -> Result<Section<'a>, ManifestError> {
    let (mut table, mut spelling) = (&document.root, Vec::new());
    for name in &path {
        table = table.get(name).unwrap_or(table);
        spelling.push(document.spelling(table));
    }
    if !table.is_table() {
        return Err(document.error(table.span.start, "dependencies must stand in a table".to_owned()));
    }
    Ok(Section { spelling: spelling.join("."), path, kind, target, table })
}

fn entry(
    document: &Document<'_>,
    section: &Section<'_>,
    name: &str,
    node: &Node,
    markers: &mut marker::Markers,
) -> Result<Entry, ManifestError> {
    check_shape(document, name, node)?;
    let field = |names: &[&str]| names.iter().find_map(|name| node.get(name));
    let truth = |names: &[&str]| field(names).and_then(Node::truth);
    let features = field(&["features"]).into_iter().flat_map(Node::elements).filter_map(Node::text);
    Ok(Entry {
        place: Place { table: section.spelling.clone(), key: document.spelling(node).to_owned() },
        name: name.to_owned(),
        kind: section.kind,
        package: field(&["package"]).and_then(Node::text).unwrap_or(name).to_owned(),
        origin: origin(node),
        requirement: requirement(node).and_then(|(value, _)| value.text()).map(str::to_owned),
        features: features.map(str::to_owned).collect(),
        forwarded: forwarded(&document.root, name),
        default_features: truth(&["default-features", "default_features"]).unwrap_or(true),
        optional: truth(&["optional"]).unwrap_or(false),
        switches: Vec::new(),
        target: section.target.map(str::to_owned),
        hold: markers.hold_at(&anchors(document, node), &lines(document, node)),
        line: document.line_of(requirement(node).map_or(node.key.start, |(value, _)| value.span.start)),
        unwritable: unwritable(document, node),
    })
}

fn check_shape(document: &Document<'_>, name: &str, node: &Node) -> Result<(), ManifestError> {
    let wrong = |node: &Node, message: String| Err(document.error(node.span.start, message));
    match node.get("version") {
        _ if node.text().is_none() && !node.is_table() => {
            wrong(node, format!("dependency `{name}` must be a version in quotes or a table"))
        }
        Some(version) if version.text().is_none() => wrong(version, "a version must be written in quotes".to_owned()),
        _ => Ok(()),
    }
}

fn origin(node: &Node) -> Origin {
    let registry = ["registry", "registry-index"].into_iter().find_map(|name| node.get(name));
    if node.get("workspace").and_then(Node::truth) == Some(true) {
        Origin::Inherited
    } else if node.get("path").is_some() {
        Origin::Path
    } else if node.get("git").is_some() {
        Origin::Git
    } else {
        Origin::Registry { registry: registry.and_then(Node::text).map(str::to_owned) }
    }
}

/// The value that is the requirement, and the last step of the path to it when the entry is a table.
fn requirement(node: &Node) -> Option<(&Node, Option<&'static str>)> {
    let within = node.get("version").map(|version| (version, Some("version")));
    within.or((!node.is_table()).then_some((node, None)))
}

/// The edit of a requirement is tried on a text that fits anywhere.
fn unwritable(document: &Document<'_>, node: &Node) -> Option<ManifestError> {
    let (value, _) = requirement(node)?;
    let why = literal::exchanged(&document.text[value.span.clone()], "*").err()?;
    Some(document.error(value.span.start, why))
}

fn path_of_requirement<'a>(document: &'a Document<'_>, place: &Place) -> Result<Option<Vec<&'a str>>, ManifestError> {
    let section = sections(document)?.into_iter().find(|section| section.spelling == place.table);
    Ok(section.and_then(|section| {
        let (name, node) = section.table.children().find(|(_, node)| document.spelling(node) == place.key)?;
        let (_, last) = requirement(node)?;
        Some(section.path.into_iter().chain([name]).chain(last).collect())
    }))
}

fn inheritable(node: &Node) -> Option<Inheritable> {
    let inherited = node.get("workspace").and_then(Node::truth).unwrap_or(false);
    let explicit = node.text().map(|text| Inheritable::Explicit(text.to_owned()));
    explicit.or(inherited.then_some(Inheritable::Inherited))
}

/// `[patch.<source>]` names crates by key or `package`; `[replace]` by package id (`foo:0.1.0`, `<url>#foo@0.1.0`).
fn patches(root: &Node) -> BTreeMap<String, String> {
    let sources = root.at(&["patch"]).into_iter().flat_map(Node::children);
    let patched = sources.flat_map(|(name, source)| source.children().map(move |patch| (name, patch)));
    let patched = patched.map(|(source, (name, node))| {
        let quoted = if source.contains(['.', ':', '/']) { format!("\"{source}\"") } else { source.to_owned() };
        (node.get("package").and_then(Node::text).unwrap_or(name).to_owned(), format!("[patch.{quoted}]"))
    });
    let replaced = root.at(&["replace"]).into_iter().flat_map(Node::children).filter_map(|(id, _)| {
        let last = id.rsplit(['#', '/']).next()?;
        Some((last.split([':', '@']).next()?.to_owned(), "[replace]".to_owned()))
    });
    patched.chain(replaced).collect()
}

/// The lines on which an entry begins, and on which its requirement does: a comment right above these speaks for it.
fn anchors(document: &Document<'_>, node: &Node) -> Vec<usize> {
    let keys = [Some(node), node.get("version")].into_iter().flatten();
    keys.map(|node| document.line_of(node.key.start)).collect()
}

/// The lines that an entry takes: its key or header, its value, and the keys and values of its table.
fn lines(document: &Document<'_>, node: &Node) -> BTreeSet<usize> {
    let within = node.children().map(|(_, child)| child);
    let all = [node].into_iter().chain(within);
    let spans = all.map(|node| node.key.start.min(node.span.start)..node.key.end.max(node.span.end));
    spans.flat_map(|span| document.line_of(span.start)..=document.line_of(span.end)).collect()
}

/// Fails unless `edited` reads as the document does, but for the one value.
fn only_that_differs(before: &Node, edited: &str, path: &[&str], new: &str) -> Result<(), String> {
    let refusal = |why: String| format!("the edit was not made, for {why}; change this requirement by hand");
    let after =
        Document::parse(edited.as_bytes()).map_err(|error| refusal(format!("the result is broken ({error})")))?;
    let as_wanted = before.with_text(path, new) == after.root;
    if as_wanted { Ok(()) } else { Err(refusal("more than this value would change".to_owned())) }
}
