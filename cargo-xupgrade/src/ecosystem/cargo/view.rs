//! The index as cargo may see it during a run: a sparse registry on the loopback interface that stands
//! in for one registry in every resolve, so that the rule on ages holds for each package that a relock
//! brings and not only for the one that was asked for. The lockfile keeps its source lines.
//! Writes nothing. A cargo that uses it must have a `CARGO_HOME` of the tool's own, else cargo leaves
//! a cache folder for this port in the user's; and it fetches packages without it, from the real source.

mod limits;
mod rule;
mod server;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use semver::Version;

use super::index::{Glance, Index, IndexError, glances};
use limits::Sight;
pub use limits::{Limits, Line, Versions};
pub use rule::{Rule, Standing, UnknownAge};
use server::{Loopback, Reply};

/// How the names of the sources begin that stand in for registries in cargo's configuration.
const SOURCE: &str = "xupgrade-index-view";

/// How the names of the tables begin that say where a registry really is, when the configuration has none for it.
const ORIGINAL: &str = "xupgrade-original";

/// A running view; it stops when dropped. Cheap to ask, safe from many threads and many cargos.
pub struct View {
    shared: Arc<Shared>,
    server: Loopback,
}

struct Shared {
    index: Arc<Index>,
    rule: Rule,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The exempt versions, by lower-case name.
    locked: BTreeMap<String, BTreeSet<Version>>,
    /// What was made for a name; dropped when the exemptions of the name change.
    pages: BTreeMap<String, Page>,
    hidden_met: BTreeSet<(String, Version)>,
    refused: BTreeMap<String, IndexError>,
    /// The limits of the resolve under way.
    limits: Option<Arc<Limits>>,
    /// Releases that these limits hid because of the Rust that they need.
    too_new: BTreeMap<(String, Version), String>,
}

/// A page as it is sent, and its tag.
#[derive(Clone)]
struct Page {
    body: Arc<Vec<u8>>,
    tag: String,
    hidden: BTreeSet<Version>,
    /// Its lines, read once: each resolve under limits chooses among them.
    lines: Arc<OnceLock<Vec<Entry>>>,
}

/// One readable line of a page: its place in the body, and the release that it tells of.
struct Entry {
    place: std::ops::Range<usize>,
    glance: Glance,
}

impl Page {
    fn new(body: Arc<Vec<u8>>, hidden: BTreeSet<Version>) -> Self {
        Self { tag: tag(&body), body, hidden, lines: Arc::default() }
    }

    fn lines(&self) -> &[Entry] {
        let start = self.body.as_ptr() as usize;
        let entry = |(line, glance): (&[u8], Option<Glance>)| {
            let from = line.as_ptr() as usize - start;
            Some(Entry { place: from..from + line.len(), glance: glance? })
        };
        self.lines.get_or_init(|| glances(&self.body).filter_map(entry).collect())
    }
}

impl View {
    /// Starts to serve `index` under `rule`; the versions in `locked` are always shown.
    ///
    /// # Errors
    /// When no loopback port can be opened.
    pub fn start(index: Arc<Index>, rule: Rule, locked: BTreeSet<(String, Version)>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { index, rule, state: Mutex::default() });
        shared.exempt(locked);
        let answering = Arc::clone(&shared);
        let server = Loopback::start(move |path| answering.answer(path))?;
        Ok(Self { shared, server })
    }

    /// The arguments that make cargo resolve through this view, whatever its configuration says about the
    /// registry: arguments rank above every file. They go before or after the subcommand.
    #[must_use]
    pub fn cargo_args(&self) -> Vec<String> {
        let (view, source) = (self.server.address(), self.shared.index.source());
        let mark = source.named.address.as_deref().map(mark).unwrap_or_default();
        let (stand_in, mut settings) = (format!("{SOURCE}{mark}"), Vec::new());
        let table = source.table.clone().unwrap_or_else(|| {
            let address = source.named.address.as_deref().unwrap_or_default();
            settings.push(format!("source.{ORIGINAL}{mark}.registry='{address}'"));
            format!("{ORIGINAL}{mark}")
        });
        settings.push(format!("source.{}.replace-with='{stand_in}'", quoted(&table)));
        settings.push(format!("source.{stand_in}.registry='sparse+http://{view}/'"));
        settings.into_iter().flat_map(|setting| ["--config".to_owned(), setting]).collect()
    }

    /// Shows these versions too, from now on.
    #[cfg(test)]
    pub(crate) fn allow(&self, locked: BTreeSet<(String, Version)>) {
        self.shared.exempt(locked);
    }

    /// The versions hidden from the index files that cargo has asked for so far.
    #[must_use]
    pub fn hidden_met(&self) -> BTreeSet<(String, Version)> {
        self.shared.state().hidden_met.clone()
    }

    /// The crates whose index file could not be had when it was last asked for, and why; a crate that is
    /// simply not there is among them.
    #[must_use]
    pub fn refused(&self) -> BTreeMap<String, IndexError> {
        self.shared.state().refused.clone()
    }

    /// Begins a resolve under these limits, which hold until the next one begins: what was refused, or hidden by limits,
    /// before has nothing to do with it.
    pub fn begin(&self, limits: Option<Limits>) {
        let mut state = self.shared.state();
        state.refused.clear();
        state.too_new.clear();
        state.limits = limits.map(Arc::new);
    }

    /// The releases that the limits of this resolve hid because of the Rust that they need, each with that Rust.
    #[must_use]
    pub fn too_new(&self) -> BTreeMap<(String, Version), String> {
        self.shared.state().too_new.clone()
    }
}

impl Shared {
    fn exempt(&self, locked: BTreeSet<(String, Version)>) {
        let mut state = self.state();
        for (name, version) in locked {
            let name = name.to_ascii_lowercase();
            if state.locked.entry(name.clone()).or_default().insert(version) {
                state.pages.remove(&name);
            }
        }
    }

    fn answer(&self, path: &str) -> Reply {
        if path == "/config.json" {
            return config();
        }
        let name = path.rsplit('/').next().unwrap_or_default();
        match self.page(name) {
            Ok(page) => {
                // What failed in passing and works now is no excuse for a later resolve that fails.
                self.state().refused.remove(name);
                self.limited(name, page)
            }
            Err(why) => {
                let reply = self.locked_page(name).unwrap_or_else(|| refusal(&why));
                self.state().refused.insert(name.to_owned(), why);
                reply
            }
        }
    }

    /// A crate that the registry does not hand out now stays at its locked versions, which an old copy tells of; so it
    /// holds back itself and no other crate of the lockfile.
    fn locked_page(&self, name: &str) -> Option<Reply> {
        let locked = self.state().locked.get(name).cloned()?;
        let body = rule::only_locked(&self.index.kept(name)?, &locked)?;
        Some(Reply::Page(Arc::new(body.clone()), tag(&body)))
    }

    fn page(&self, name: &str) -> Result<Page, IndexError> {
        // The lock must be free again before anything is noted, so it may not be taken in the `if`.
        let made = self.state().pages.get(name).cloned();
        if let Some(page) = made {
            self.note_hidden(name, &page.hidden);
            return Ok(page);
        }
        let body = self.index.raw(name)?;
        let locked = self.state().locked.get(name).cloned().unwrap_or_default();
        let ruled = rule::page(&body, &self.rule, &locked);
        // Where nothing is hidden the registry's own bytes are sent, and kept once, not twice.
        let body = if ruled.hidden.is_empty() { body } else { Arc::new(ruled.body) };
        let page = Page::new(body, ruled.hidden);
        self.note_hidden(name, &page.hidden);
        let mut state = self.state();
        // Made under exemptions that have changed since, the page is not kept.
        if state.locked.get(name).cloned().unwrap_or_default() == locked {
            state.pages.insert(name.to_owned(), page.clone());
        }
        Ok(page)
    }

    /// The lines of a page that the limits of this resolve leave.
    fn limited(&self, name: &str, page: Page) -> Reply {
        let Some(limits) = self.state().limits.clone() else { return Reply::Page(page.body, page.tag) };
        let (mut body, mut too_new) = (Vec::new(), Vec::new());
        for Entry { place, glance } in page.lines() {
            match limits.sight(name, glance) {
                Sight::Shown => {
                    body.extend_from_slice(&page.body[place.clone()]);
                    body.push(b'\n');
                }
                Sight::NeedsRust(needs) => too_new.push(((name.to_owned(), glance.version.clone()), needs)),
                Sight::Hidden => {}
            }
        }
        self.state().too_new.extend(too_new);
        let tag = tag(&body);
        Reply::Page(Arc::new(body), tag)
    }

    fn note_hidden(&self, name: &str, hidden: &BTreeSet<Version>) {
        let met = hidden.iter().map(|version| (name.to_owned(), version.clone()));
        self.state().hidden_met.extend(met);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change under this lock is one insertion, so a panic elsewhere leaves it whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The variables that a cargo needs which resolves through views: no proxy comes between it and them, and it is not
/// offline, which would leave it nothing but the packages it has downloaded from here: none. Whether the network is asked
/// is decided where the [`Index`] is opened.
#[must_use]
pub fn cargo_env() -> Vec<(String, String)> {
    let mut variables = no_proxy(&|name| std::env::var(name).ok());
    variables.push(("CARGO_NET_OFFLINE".to_owned(), "false".to_owned()));
    variables
}

/// The end of a source's name, made from the registry's address: the same for the same one, another for another.
fn mark(address: &str) -> String {
    let mut hasher = DefaultHasher::new();
    address.hash(&mut hasher);
    format!("-{:016x}", hasher.finish())
}

/// A key as TOML may hold it after a dot.
fn quoted(key: &str) -> String {
    let bare = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if bare { key.to_owned() } else { format!("'{key}'") }
}

/// What cargo asks first. Packages are not fetched through the view (the user's own configuration and
/// credentials do that), so the download address leads to words that say so.
fn config() -> Reply {
    let body = br#"{"dl":"http://127.0.0.1:1/this-index-is-for-resolving-only"}"#.to_vec();
    let tag = tag(&body);
    Reply::Page(Arc::new(body), tag)
}

/// An error as cargo should see it: "no such crate" for what is not there, else a status that cargo
/// shows with its words and does not try again (it retries 5xx and 429, and the index has done so).
fn refusal(why: &IndexError) -> Reply {
    match why {
        IndexError::NotFound { .. } | IndexError::BadName(_) => Reply::Words(404, why.to_string()),
        _ => Reply::Words(424, why.to_string()),
    }
}

/// A tag for a body; equal bodies of one build of this program have equal tags.
fn tag(body: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

/// libcurl sends requests for 127.0.0.1 to a proxy like any other, even one from cargo's configuration,
/// unless `no_proxy` (which it reads before `NO_PROXY`) names it.
fn no_proxy(env: &dyn Fn(&str) -> Option<String>) -> Vec<(String, String)> {
    let given = env("no_proxy").filter(|value| !value.is_empty()).or_else(|| env("NO_PROXY"));
    let value = match given.as_deref().map(str::trim) {
        None | Some("") => "127.0.0.1".to_owned(),
        Some("*") => "*".to_owned(),
        Some(hosts) => format!("{hosts},127.0.0.1"),
    };
    ["no_proxy", "NO_PROXY"].map(|name| (name.to_owned(), value.clone())).to_vec()
}
