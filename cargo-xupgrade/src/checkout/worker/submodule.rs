//! Submodules at their recorded commits: objects are borrowed from the user's own git folder where it has them, and else
//! fetched by the user's git into a store in the cache. The rules are git's own: no address of a repository opens a
//! `file:` or `ext:` transport unless the user allows it, and no name leads out of a folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};

use super::borrow::borrow;
use super::layer::Layer;
use super::{Worker, tracked};
use crate::checkout::repo::{GitSettings, Repo, content_id, has_commit};
use crate::machine::command::{Tool, git};
use crate::machine::disk::remove;
use crate::phrases::one_line;
use crate::project::Network;

/// What may be used to find submodules.
pub struct Means<'a> {
    /// The user's repository.
    pub repo: &'a Repo,
    /// A folder for what is fetched; it is kept between runs.
    pub store: &'a Path,
    /// Whether anything may be fetched.
    pub network: Network,
}

/// A layer whose submodules are still to be found.
struct Open {
    layer: usize,
    /// Git folders of the user's that may hold them below `modules/`, and a checkout that may hold them in place.
    lenders: Vec<PathBuf>,
    checkout: PathBuf,
    /// The address that relative ones start from.
    address: String,
}

/// A submodule, as index and `.gitmodules` record it.
struct Module {
    path: String,
    commit: String,
    name: String,
    url: Option<String>,
    update: Option<String>,
}

impl Worker {
    /// Unpacks every submodule that can be had, and tells what is left empty, and why.
    ///
    /// # Errors
    /// When the disk or a local git refuses.
    pub fn add_submodules(&mut self, means: &Means<'_>) -> Result<Vec<String>> {
        let folder = self.home.join("modules");
        remove(&folder)?;
        let settings = means.repo.settings();
        let root = means.repo.root();
        let mut notes = Vec::new();
        let mut open = vec![Open {
            layer: 0,
            lenders: means.repo.git_dirs(),
            checkout: root.to_owned(),
            address: settings.get("remote.origin.url").map_or_else(|| root.display().to_string(), str::to_owned),
        }];
        while let Some(one) = open.pop() {
            for module in recorded(&self.layers[one.layer])? {
                match find(&one, &module, means, &settings)? {
                    Ok((lender, address)) => {
                        let control = folder.join(self.layers.len().to_string());
                        let outer = &self.layers[one.layer];
                        let own = GitSettings::read(git().arg("--git-dir").arg(&lender));
                        let mut layer = Layer {
                            control,
                            tree: outer.tree.join(&module.path),
                            commit: module.commit.clone(),
                            ground: module.commit.clone(),
                            shape: own.shape(),
                            unsteady: Vec::new(),
                            attributes: Vec::new(),
                            failed: Vec::new(),
                        };
                        borrow(&lender, &layer.control, &module.commit)?;
                        fs::create_dir_all(&layer.tree)?;
                        // Its own remotes, with what opens the addresses that it may share with the repository around it.
                        let mut access = settings.access_by_address(root);
                        access.extend(own.access(&lender));
                        layer.unpack(&access).with_context(|| format!("in {}", module.path))?;
                        let checkout = one.checkout.join(&module.path);
                        open.push(Open { layer: self.layers.len(), lenders: vec![lender], checkout, address });
                        self.layers.push(layer);
                    }
                    Err(why) => notes.push(format!("the submodule `{}` is left empty: {why}", module.path)),
                }
            }
        }
        Ok(notes)
    }
}

/// The submodules of a layer.
fn recorded(layer: &Layer) -> Result<Vec<Module>> {
    let links = tracked::parse(&layer.git().args(["ls-files", "--stage", "-z"]).run()?).modules;
    if links.is_empty() {
        return Ok(Vec::new());
    }
    let blob = format!("--blob={}:.gitmodules", layer.commit);
    let output = layer.git().args(["config", blob.as_str(), "--list", "-z"]).output()?;
    let sections = sections(&String::from_utf8_lossy(&output.stdout));
    let module = |(path, commit): (String, String)| {
        let found = sections.iter().find(|(_, keys)| keys.get("path") == Some(&path));
        let key = |key: &str| found.and_then(|(_, keys)| keys.get(key)).cloned();
        let name = found.map(|(name, _)| name.clone()).unwrap_or_default();
        Module { path, commit, name, url: key("url"), update: key("update") }
    };
    Ok(links.into_iter().map(module).collect())
}

/// `submodule.<name>.<key>`, by name.
fn sections(listed: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut sections: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for line in listed.split('\0') {
        let (key, value) = line.split_once('\n').unwrap_or((line, "true"));
        let Some((name, key)) = key.strip_prefix("submodule.").and_then(|key| key.rsplit_once('.')) else { continue };
        sections.entry(name.to_owned()).or_default().insert(key.to_owned(), value.to_owned());
    }
    sections
}

/// A git folder with the recorded commit, and the submodule's address; or why there is none.
fn find(
    open: &Open,
    module: &Module,
    means: &Means<'_>,
    settings: &GitSettings,
) -> Result<Result<(PathBuf, String), String>> {
    if module.name.is_empty() {
        return Ok(Err("`.gitmodules` says nothing of it".into()));
    }
    if !is_plain(&module.name) {
        return Ok(Err(format!("its name `{}` leads out of its folder", module.name)));
    }
    let own = settings.get(&format!("submodule.{}.url", module.name)).filter(|_| open.layer == 0);
    let url = own.map(str::to_owned).or_else(|| module.url.as_deref().map(|url| resolve(&open.address, url)));
    let inside = open.lenders.iter().map(|lender| lender.join("modules").join(&module.name));
    let lender =
        inside.chain([open.checkout.join(&module.path).join(".git")]).find(|one| has_commit(one, &module.commit));
    if let Some(lender) = lender {
        return Ok(Ok((lender, url.unwrap_or_default())));
    }
    if module.update.as_deref() == Some("none") {
        return Ok(Err("`.gitmodules` says `update = none`".into()));
    }
    let advice = "what needs it is held; `git submodule update --init --recursive` brings it";
    match url {
        _ if means.network == Network::Offline => Ok(Err(format!("it is not here, and this run is offline; {advice}"))),
        None => Ok(Err(format!("`.gitmodules` has no address for it; {advice}"))),
        Some(url) => {
            let store = means.store.join(&content_id(url.as_bytes())[..16]);
            let fetched = fetch(&store, &url, &module.commit, &settings.access_by_address(means.repo.root()))?;
            let shown = without_user(&url);
            let note = |why: String| format!("cannot fetch {shown}: {}; {advice}", why.replace(&url, &shown));
            Ok(fetched.map_err(note).map(|()| (store, url)))
        }
    }
}

/// An address as it may be shown: who asks, and with which token, is nobody's business.
fn without_user(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

/// A name that stays in its folder (git's own rule: CVE-2018-11235).
fn is_plain(name: &str) -> bool {
    Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}

/// Fetches one commit into a store; the answer of a server that gives no single commit is to ask for all.
fn fetch(store: &Path, url: &str, commit: &str, access: &[(String, String)]) -> Result<Result<(), String>> {
    if has_commit(store, commit) {
        return Ok(Ok(()));
    }
    if !store.join("objects").is_dir() {
        git().args(["init", "--quiet", "--bare", "--template=", "--object-format=sha1"]).arg(store).run()?;
    }
    let fetch = |words: &[&str]| -> Result<Option<String>> {
        let tool: Tool = git().args(["-c", "gc.auto=0"]).arg("--git-dir").arg(store).args(["fetch", "--quiet"]);
        // As `git submodule` does it: the address is the repository's word and not the user's.
        let tool = tool.args(words).env("GIT_PROTOCOL_FROM_USER", "0").settings(access);
        let output = tool.output()?;
        let words = one_line(&String::from_utf8_lossy(&output.stderr));
        Ok((!output.status.success()).then_some(words))
    };
    fetch(&["--no-tags", "--depth=1", "--", url, commit])?;
    if has_commit(store, commit) {
        return Ok(Ok(()));
    }
    let said = fetch(&["--force", "--", url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"])?;
    let missing = || said.unwrap_or_else(|| format!("the commit {commit} is not there"));
    Ok(if has_commit(store, commit) { Ok(()) } else { Err(missing()) })
}

/// An address that may be relative to that of the repository around it (gitmodules, `submodule.<name>.url`).
fn resolve(base: &str, url: &str) -> String {
    if !url.starts_with("./") && !url.starts_with("../") {
        return url.to_owned();
    }
    let (mut base, mut rest) = (base.trim_end_matches('/'), url);
    loop {
        if let Some(more) = rest.strip_prefix("./") {
            rest = more;
        } else if let Some(more) = rest.strip_prefix("../") {
            rest = more;
            let at = base.rfind('/').or_else(|| base.rfind(':').map(|at| at + 1)).unwrap_or(0);
            base = &base[..at];
        } else {
            let slash = if base.ends_with(':') || base.is_empty() { "" } else { "/" };
            return format!("{base}{slash}{rest}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_address_starts_from_that_of_the_repository() {
        assert_eq!(resolve("https://host.example/a/b.git", "../c.git"), "https://host.example/a/c.git");
        assert_eq!(resolve("https://host.example/a/b/", "../../c"), "https://host.example/c");
        assert_eq!(resolve("git@host.example:b.git", "../c.git"), "git@host.example:c.git");
        assert_eq!(resolve("/here/b", "./c"), "/here/b/c");
        assert_eq!(resolve("/here/b", "https://host.example/c"), "https://host.example/c");
    }

    #[test]
    fn an_address_is_shown_without_the_user_in_it() {
        assert_eq!(without_user("https://oauth2:t@host.example:8/a@b"), "https://host.example:8/a@b");
        assert_eq!(without_user("https://t@host.example"), "https://host.example");
        assert_eq!(without_user("git@host.example:b.git"), "git@host.example:b.git");
    }

    #[test]
    fn a_name_that_leads_out_of_its_folder_is_none() {
        assert!(is_plain("deps/one") && is_plain("one"));
        assert!(!is_plain("../hooks") && !is_plain("/etc") && !is_plain("a/../../b"));
    }

    #[test]
    fn a_name_may_hold_dots() {
        let sections = sections("submodule.a.b.path\ndeps/a\0submodule.a.b.url\nx\0core.bare\nfalse\0");
        assert_eq!(sections["a.b"]["path"], "deps/a");
    }
}
