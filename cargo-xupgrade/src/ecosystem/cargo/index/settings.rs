//! Cargo's configuration as far as registries go: every string of every file that counts for a project, the nearest file
//! first, and the variables that rank above them. Reads files, writes nothing; the one module that names `toml_span`.
//! Formats: <https://doc.rust-lang.org/cargo/reference/config.html>.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::super::fetch::Network;
use super::IndexError;

/// Looks a variable up; the process environment, but for tests.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// One value of a configuration file, and the file, which relative paths start from.
#[derive(Clone, Debug)]
struct Setting {
    value: String,
    file: PathBuf,
}

/// Every string of every configuration file that counts here, by its key; the nearest file wins.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    values: BTreeMap<Vec<String>, Setting>,
    seen: BTreeSet<PathBuf>,
}

impl Settings {
    /// Reads the files that cargo would read when it runs in `project_dir`.
    ///
    /// # Errors
    /// [`IndexError::Config`] for a file that cannot be read or is no TOML.
    pub fn read(project_dir: &Path, cargo_home: &Path) -> Result<Self, IndexError> {
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

    /// The string at a key.
    #[must_use]
    pub fn text(&self, key: &[&str]) -> Option<String> {
        self.get(key).map(|setting| setting.value.clone())
    }

    /// A path is relative to the folder that holds `.cargo`, not to `.cargo` itself.
    #[must_use]
    pub fn path(&self, key: &[&str]) -> Option<PathBuf> {
        let setting = self.get(key)?;
        let base = setting.file.parent().and_then(Path::parent).unwrap_or(Path::new("/"));
        Some(base.join(&setting.value))
    }

    /// The keys below a table, as `registries` or `source`, sorted.
    #[must_use]
    pub fn names(&self, table: &str) -> BTreeSet<String> {
        let below = |key: &&Vec<String>| key.len() > 1 && key[0] == table;
        self.values.keys().filter(below).map(|key| key[1].clone()).collect()
    }

    /// The string at `registries.<name>.<key>`, or what the variable says that ranks above the files.
    #[must_use]
    pub fn of_registry(&self, name: &str, key: &str, env: Environment) -> Option<String> {
        let upper = |text: &str| text.to_uppercase().replace(['-', '.'], "_");
        let variable = format!("CARGO_REGISTRIES_{}_{}", upper(name), upper(key));
        env(&variable).or_else(|| self.text(&["registries", name, key]))
    }

    /// Proxy and certificates, when cargo's own configuration names them.
    #[must_use]
    pub fn network(&self, env: Environment) -> Network {
        Network {
            proxy: env("CARGO_HTTP_PROXY").or_else(|| self.text(&["http", "proxy"])),
            extra_roots: env("CARGO_HTTP_CAINFO").map(PathBuf::from).or_else(|| self.path(&["http", "cainfo"])),
        }
    }
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
