//! The user's git settings that a clone of ours cannot see by itself, because they stand in the repository's own
//! configuration: what shapes a checkout (filters, line endings), what opens a remote (addresses, credentials), and
//! what shapes a commit (author, signature). Read only.

use std::path::Path;

use crate::machine::command::Tool;

/// Settings, in the order in which git reads them.
pub type Settings = Vec<(String, String)>;

/// What shapes the files of a checkout.
const SHAPE: &[&str] = &["filter.", "core.autocrlf", "core.eol", "core.attributesfile", "core.symlinks"];

/// What opens a remote, for filters and for objects that are absent here.
const ACCESS: &[&str] =
    &["remote.", "url.", "http.", "credential.", "core.sshcommand", "core.askpass", "core.gitproxy", "lfs.", "ssh."];

/// What git says about itself in a repository.
#[derive(Debug, Clone, Default)]
pub struct GitSettings {
    all: Vec<Setting>,
}

#[derive(Debug, Clone)]
struct Setting {
    /// Whether it stands in the repository's own configuration.
    own: bool,
    key: String,
    value: String,
}

impl GitSettings {
    /// Reads them; a git that cannot say leaves none.
    #[must_use]
    pub fn read(git: Tool) -> Self {
        let listed = git.args(["config", "--list", "--show-scope", "-z"]).run().unwrap_or_default();
        Self { all: parse(&listed) }
    }

    /// What shapes the files of a checkout, whoever set it: a later value wins.
    #[must_use]
    pub fn shape(&self) -> Settings {
        self.all.iter().filter(|one| begins(&one.key, SHAPE)).map(pair).collect()
    }

    /// What opens a remote and stands in the repository's own configuration; what stands elsewhere, git sees anyway.
    /// Addresses that are paths are read from `root`.
    #[must_use]
    pub fn access(&self, root: &Path) -> Settings {
        let own = self.all.iter().filter(|one| one.own && begins(&one.key, ACCESS));
        own.map(pair)
            .map(|(key, value)| {
                let is_relative = key.ends_with("url") && (value.starts_with("./") || value.starts_with("../"));
                let value = if is_relative { root.join(&value).display().to_string() } else { value };
                (key, value)
            })
            .collect()
    }

    /// What of it holds for an address only, and so may be handed to a fetch from an address that the repository's content
    /// names: the rest would go to any host.
    #[must_use]
    pub fn access_by_address(&self, root: &Path) -> Settings {
        let mut access = self.access(root);
        access.retain(|(key, _)| is_scoped(key));
        access
    }

    /// The last value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.all.iter().rev().find(|one| one.key == key).map(|one| one.value.as_str())
    }

    /// Whether a filter does anything when files are checked out.
    #[must_use]
    pub fn has_filter(&self, name: &str) -> bool {
        ["smudge", "process"].iter().any(|what| self.get(&format!("filter.{name}.{what}")).is_some())
    }
}

fn pair(setting: &Setting) -> (String, String) {
    (setting.key.clone(), setting.value.clone())
}

fn begins(key: &str, with: &[&str]) -> bool {
    with.iter().any(|prefix| if prefix.ends_with('.') { key.starts_with(prefix) } else { key == *prefix })
}

/// Whether a setting holds for an address: `http.<url>.<key>`, `credential.<url>.<key>`, `url.<base>.insteadOf`.
fn is_scoped(key: &str) -> bool {
    let of = |section: &str| key.strip_prefix(section).is_some_and(|rest| rest.contains('.'));
    ["http.", "credential.", "url."].into_iter().any(of)
}

/// Scope and setting take turns, each ended by a zero byte; a key without a value means `true` (git-config).
fn parse(listed: &[u8]) -> Vec<Setting> {
    let text = String::from_utf8_lossy(listed);
    let mut parts = text.split('\0');
    let mut all = Vec::new();
    while let (Some(scope), Some(setting)) = (parts.next(), parts.next()) {
        let (key, value) = setting.split_once('\n').unwrap_or((setting, "true"));
        let own = matches!(scope, "local" | "worktree");
        all.push(Setting { own, key: key.to_owned(), value: value.to_owned() });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(listed: &str) -> GitSettings {
        GitSettings { all: parse(listed.as_bytes()) }
    }

    #[test]
    fn only_the_repositorys_own_access_is_handed_on() {
        let settings =
            read("global\0http.extraheader\nmine\0local\0http.extraheader\nits\0local\0remote.o.url\n../up\0");
        let access = settings.access(Path::new("/a/b"));
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(access, [pair("http.extraheader", "its"), pair("remote.o.url", "/a/b/../up")]);
    }

    #[test]
    fn only_what_holds_for_an_address_goes_to_those_that_a_repository_names() {
        let keys = "http.extraheader http.https://a.example/.extraheader credential.helper core.sshcommand \
                    credential.https://a.example.helper url.https://a.example/.insteadof remote.o.url lfs.url";
        let listed: Vec<String> = keys.split_whitespace().map(|key| format!("local\0{key}\nx\0")).collect();
        let kept: Vec<String> =
            read(&listed.concat()).access_by_address(Path::new("/a")).into_iter().map(|one| one.0).collect();
        assert_eq!(
            kept,
            [
                "http.https://a.example/.extraheader",
                "credential.https://a.example.helper",
                "url.https://a.example/.insteadof"
            ]
        );
    }

    #[test]
    fn the_last_value_wins_and_none_means_true() {
        let settings = read("global\0core.autocrlf\ninput\0local\0core.autocrlf\0local\0user.name\nA\nB\0");
        assert_eq!(settings.get("core.autocrlf"), Some("true"));
        assert_eq!(settings.shape().len(), 2);
        assert_eq!(settings.get("user.name"), Some("A\nB"));
    }
}
