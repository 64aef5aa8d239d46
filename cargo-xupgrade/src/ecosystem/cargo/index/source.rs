//! Where crates-io really is for a project: cargo's configuration files and source replacement, read
//! as cargo reads them. Reads files, writes nothing. `tame-index` looks this up too, but stops after
//! one replacement, wants both tables in one file, and takes a `directory` source for crates.io itself.
//! Formats: <https://doc.rust-lang.org/cargo/reference/source-replacement.html> and `config.html` there.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::super::fetch::Network;
use super::IndexError;

/// The sparse index of crates.io, which cargo uses when nothing replaces it.
pub const CRATES_IO: &str = "https://index.crates.io/";

/// An index that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A sparse index: its address without `sparse+`, with a slash at the end.
    Sparse(String),
    /// A folder with `.crate` files and an `index` folder of plain files.
    Local(PathBuf),
}

/// What the configuration decides: which index stands for crates-io, and how to reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The effective index.
    pub location: Location,
    /// Proxy and certificates, when cargo's own configuration names them.
    pub network: Network,
}

/// Looks a variable up; the process environment, but for tests.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Finds the index that stands for crates-io when cargo runs in `project_dir`.
///
/// # Errors
/// [`IndexError::Config`] for a file that is no TOML, [`IndexError::Unsupported`] for an index that
/// this program cannot read (git, `directory`, unknown kinds, replacements in a circle).
pub fn find(project_dir: &Path, cargo_home: &Path, env: Environment) -> Result<Source, IndexError> {
    let settings = Settings::read(project_dir, cargo_home)?;
    let network = Network {
        proxy: env("CARGO_HTTP_PROXY").or_else(|| settings.text(&["http", "proxy"])),
        extra_roots: env("CARGO_HTTP_CAINFO").map(PathBuf::from).or_else(|| settings.path(&["http", "cainfo"])),
    };
    Ok(Source { location: settings.locate(env)?, network })
}

/// One value of a configuration file, and the file, which relative paths start from.
#[derive(Debug)]
struct Setting {
    value: String,
    file: PathBuf,
}

/// Every string of every configuration file that counts here, by its key; the nearest file wins.
#[derive(Debug, Default)]
struct Settings {
    values: BTreeMap<Vec<String>, Setting>,
    seen: BTreeSet<PathBuf>,
}

impl Settings {
    fn read(project_dir: &Path, cargo_home: &Path) -> Result<Self, IndexError> {
        let mut settings = Self::default();
        let folders = project_dir.ancestors().map(|folder| folder.join(".cargo"));
        for folder in folders.chain([cargo_home.to_owned()]) {
            // Where both spellings exist cargo reads the old one, and so does this.
            let file = ["config", "config.toml"].map(|name| folder.join(name));
            if let Some(file) = file.into_iter().find(|file| file.is_file()) {
                settings.add(&file)?;
            }
        }
        Ok(settings)
    }

    fn add(&mut self, file: &Path) -> Result<(), IndexError> {
        if !self.seen.insert(file.to_owned()) {
            return Ok(());
        }
        let complain = |words: String| IndexError::Config { path: file.to_owned(), words };
        let text = std::fs::read_to_string(file).map_err(|why| complain(why.to_string()))?;
        let toml = toml_span::parse(&text).map_err(|why| complain(why.to_string()))?;
        self.flatten(&toml, &mut Vec::new(), file);
        // An included file ranks below the one that includes it, a later one above an earlier one.
        for (name, must_exist) in includes(&toml).into_iter().rev() {
            let included = file.parent().unwrap_or(file).join(name);
            if must_exist || included.is_file() {
                self.add(&included)?;
            }
        }
        Ok(())
    }

    fn flatten(&mut self, value: &toml_span::Value<'_>, key: &mut Vec<String>, file: &Path) {
        if let Some(text) = value.as_str() {
            let setting = Setting { value: text.to_owned(), file: file.to_owned() };
            self.values.entry(key.clone()).or_insert(setting);
        }
        for (name, inner) in value.as_table().into_iter().flatten() {
            key.push(name.name.to_string());
            self.flatten(inner, key, file);
            key.pop();
        }
    }

    fn get(&self, key: &[&str]) -> Option<&Setting> {
        let key: Vec<String> = key.iter().map(|part| (*part).to_owned()).collect();
        self.values.get(&key)
    }

    fn text(&self, key: &[&str]) -> Option<String> {
        self.get(key).map(|setting| setting.value.clone())
    }

    /// A path is relative to the folder that holds `.cargo`, not to `.cargo` itself.
    fn path(&self, key: &[&str]) -> Option<PathBuf> {
        let setting = self.get(key)?;
        let base = setting.file.parent().and_then(Path::parent).unwrap_or(Path::new("/"));
        Some(base.join(&setting.value))
    }

    fn locate(&self, env: Environment) -> Result<Location, IndexError> {
        let mut name = "crates-io".to_owned();
        let mut met = BTreeSet::new();
        while let Some(next) = self.text(&["source", &name, "replace-with"]) {
            if !met.insert(name) {
                return Err(unsupported(format!("sources replace each other in a circle at `{next}`")));
            }
            name = next;
        }
        if name == "crates-io" { self.unreplaced(env) } else { self.kind_of(&name, env) }
    }

    fn unreplaced(&self, env: Environment) -> Result<Location, IndexError> {
        let protocol =
            env("CARGO_REGISTRIES_CRATES_IO_PROTOCOL").or_else(|| self.text(&["registries", "crates-io", "protocol"]));
        match protocol.as_deref() {
            None | Some("sparse") => Ok(Location::Sparse(CRATES_IO.to_owned())),
            Some(other) => Err(unsupported(format!("crates-io is read over the protocol `{other}`"))),
        }
    }

    fn kind_of(&self, name: &str, env: Environment) -> Result<Location, IndexError> {
        if let Some(folder) = self.path(&["source", name, "local-registry"]) {
            return Ok(Location::Local(folder));
        }
        if let Some(folder) = self.path(&["source", name, "directory"]) {
            let folder = folder.display();
            return Err(unsupported(format!("crates-io is replaced by the vendored directory {folder}")));
        }
        let variable = format!("CARGO_REGISTRIES_{}_INDEX", name.to_uppercase().replace('-', "_"));
        let address = self
            .text(&["source", name, "registry"])
            .or_else(|| env(&variable))
            .or_else(|| self.text(&["registries", name, "index"]));
        match address {
            Some(address) => sparse(&address),
            None => Err(unsupported(format!(
                "crates-io is replaced by `{name}`, which names no registry and no local-registry"
            ))),
        }
    }
}

fn sparse(address: &str) -> Result<Location, IndexError> {
    match address.strip_prefix("sparse+") {
        Some(url) if url.starts_with("http://") || url.starts_with("https://") => {
            Ok(Location::Sparse(format!("{}/", url.trim_end_matches('/'))))
        }
        _ => Err(unsupported(format!("crates-io is replaced by `{address}`, which is no sparse index"))),
    }
}

fn unsupported(words: String) -> IndexError {
    IndexError::Unsupported(words)
}

/// The files named by `include`, with whether each must exist: a path, a list of paths, or tables
/// with `path` and `optional`.
fn includes(toml: &toml_span::Value<'_>) -> Vec<(String, bool)> {
    let Some(include) = toml.pointer("/include") else { return Vec::new() };
    let one = |value: &toml_span::Value<'_>| {
        let path = value.as_str().or_else(|| value.pointer("/path")?.as_str())?;
        let optional = value.pointer("/optional").and_then(toml_span::Value::as_bool);
        Some((path.to_owned(), optional != Some(true)))
    };
    match include.as_array() {
        Some(list) => list.iter().filter_map(one).collect(),
        None => one(include).into_iter().collect(),
    }
}
