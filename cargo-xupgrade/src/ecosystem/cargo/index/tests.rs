//! The index against registries that answer as they are told: conditional requests, freshness, offline
//! work, and errors that stay with their crate.

use std::cell::RefCell;
use std::fs::{self, File};
use std::path::Path;
use std::time::SystemTime;

use super::fake::{Ask, Behaviour, Registry, add_local, configure, line};
use super::*;

/// A project, a `CARGO_HOME` and a store, all empty.
struct Room {
    folder: tempfile::TempDir,
}

impl Room {
    fn new() -> Self {
        let room = Self { folder: tempfile::tempdir().unwrap() };
        for part in ["project", "home", "store"] {
            fs::create_dir(room.at(part)).unwrap();
        }
        room
    }

    fn with(registry: &Registry) -> Self {
        let room = Self::new();
        registry.configure(&room.at("project"));
        room
    }

    fn at(&self, part: &str) -> PathBuf {
        self.folder.path().join(part)
    }

    fn options(&self, mode: Mode) -> Options {
        Options {
            project_dir: self.at("project"),
            cargo_home: self.at("home"),
            store: self.at("store"),
            mode,
            max_age: MAX_AGE,
            timeout: TIMEOUT,
            credentials: Vec::new(),
        }
    }

    fn open(&self, mode: Mode) -> Index {
        open(&self.options(mode))
    }

    /// Every file below the store.
    fn stored(&self) -> Vec<PathBuf> {
        files(&self.at("store"))
    }
}

/// Opens without the variables of whoever runs the tests.
fn open(options: &Options) -> Index {
    Index::open_with(options, &|_| None).unwrap()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() { found.extend(files(&entry.path())) } else { found.push(entry.path()) }
    }
    found.sort();
    found
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn quiet(_: usize, _: usize) {}

fn ask(path: &str, condition: Option<&str>) -> Ask {
    Ask { path: path.to_owned(), condition: condition.map(str::to_owned) }
}

fn versions(result: &Result<Vec<Release>, IndexError>) -> Vec<String> {
    result.as_ref().unwrap().iter().map(|release| release.version.to_string()).collect()
}

#[test]
fn a_fresh_copy_is_not_asked_about_and_an_old_one_only_conditionally() {
    let registry = Registry::start();
    let room = Room::with(&registry);
    registry.tagged("serde", line("serde", "1.0.0", ""), "\"first\"");

    room.open(Mode::Online).raw("serde").unwrap();
    assert_eq!(registry.asked(), [ask("se/rd/serde", None)]);

    let again = room.open(Mode::Online);
    again.raw("serde").unwrap();
    assert_eq!((registry.asked(), again.requests()), (vec![], 0), "the copy is fresh");

    let strict = Options { max_age: Duration::ZERO, ..room.options(Mode::Online) };
    let body = open(&strict).raw("serde").unwrap();
    assert_eq!(registry.asked(), [ask("se/rd/serde", Some("\"first\""))]);
    assert_eq!(*body, line("serde", "1.0.0", "").into_bytes(), "a 304 brings the stored body");

    registry.tagged("serde", line("serde", "2.0.0", ""), "\"second\"");
    let body = open(&strict).raw("serde").unwrap();
    assert_eq!(*body, line("serde", "2.0.0", "").into_bytes(), "a changed file replaces the stored one");
    open(&strict).raw("serde").unwrap();
    let conditions: Vec<_> = registry.asked().into_iter().map(|ask| ask.condition.unwrap()).collect();
    assert_eq!(conditions, ["\"first\"", "\"second\""]);
}

#[test]
fn a_304_makes_an_old_copy_fresh_again() {
    let registry = Registry::start();
    let room = Room::with(&registry);
    registry.tagged("serde", line("serde", "1.0.0", ""), "\"first\"");
    room.open(Mode::Online).raw("serde").unwrap();
    let file = &room.stored()[0];
    let hour_ago = SystemTime::now() - MAX_AGE * 6;
    File::options().append(true).open(file).unwrap().set_modified(hour_ago).unwrap();
    registry.asked();

    room.open(Mode::Online).raw("serde").unwrap();
    room.open(Mode::Online).raw("serde").unwrap();
    assert_eq!(registry.asked(), [ask("se/rd/serde", Some("\"first\""))]);
}

#[test]
fn last_modified_serves_where_there_is_no_etag() {
    let registry = Registry::start();
    let room = Room::with(&registry);
    let date = "Thu, 01 Jan 2026 00:00:00 GMT".to_owned();
    let headers = vec![("Last-Modified", date.clone())];
    registry.set("ab", Behaviour::Page { body: line("ab", "1.0.0", ""), headers });
    let strict = Options { max_age: Duration::ZERO, ..room.options(Mode::Online) };
    for _ in 0..2 {
        open(&strict).raw("ab").unwrap();
    }
    assert_eq!(registry.asked(), [ask("2/ab", None), ask("2/ab", Some(&date))]);
}

#[test]
fn one_index_asks_once_per_crate_whatever_happens_to_the_registry_meanwhile() {
    let registry = Registry::start();
    let room = Room::with(&registry);
    registry.page("serde", line("serde", "1.0.0", ""));
    let strict = Options { max_age: Duration::ZERO, ..room.options(Mode::Online) };
    let index = open(&strict);
    let first = index.raw("serde").unwrap();
    registry.page("serde", line("serde", "2.0.0", ""));
    assert_eq!(index.raw("Serde").unwrap(), first);
    assert!(index.raw("gone").is_err());
    assert!(index.raw("gone").is_err());
    assert_eq!((registry.asked().len(), index.requests()), (2, 2));
}

#[test]
fn many_askers_of_one_crate_make_one_request() {
    let registry = Registry::start();
    let room = Room::with(&registry);
    registry.page("serde", line("serde", "1.0.0", ""));
    let index = room.open(Mode::Online);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| index.raw("serde").unwrap());
        }
    });
    assert_eq!(registry.asked().len(), 1);
}

#[test]
fn each_failure_is_its_own_error_and_stays_with_its_crate() {
    let registry = Registry::start();
    let room = Room::with(&registry);
    registry.page("good", line("good", "1.0.0", ""));
    registry.set("gone", Behaviour::Status(410, "gone"));
    registry.set("secret", Behaviour::Status(401, "token\r\n  needed"));
    registry.set("forbidden", Behaviour::Status(403, "not for you"));
    registry.set("failing", Behaviour::Status(500, "oops"));
    registry.set("cut", Behaviour::CutShort);
    registry.page("login", "<html>please log in</html>".to_owned());
    registry.page("blank", String::new());
    let index = room.open(Mode::Online);
    let asked = ["good", "gone", "missing", "secret", "forbidden", "failing", "cut", "login", "blank", "../x"];
    let got = index.releases(&names(&asked), &quiet);

    assert_eq!(versions(&got["good"]), ["1.0.0"]);
    let name = |name: &str| name.to_owned();
    let location = registry.url();
    let error = |name: &str| got[name].clone().unwrap_err();
    assert_eq!(error("gone"), IndexError::NotFound { name: name("gone"), location: location.clone() });
    assert_eq!(error("missing"), IndexError::NotFound { name: name("missing"), location });
    let words = "token needed".to_owned();
    assert_eq!(error("secret"), IndexError::Refused { name: name("secret"), status: 401, words });
    let words = "not for you".to_owned();
    assert_eq!(error("forbidden"), IndexError::Refused { name: name("forbidden"), status: 403, words });
    assert!(matches!(error("failing"), IndexError::Unreachable { words, .. } if words.contains("500")));
    assert!(matches!(error("cut"), IndexError::Junk { .. }), "{:?}", error("cut"));
    assert!(matches!(error("login"), IndexError::Junk { words, .. } if words.contains("please log in")));
    assert!(matches!(error("blank"), IndexError::Junk { .. }));
    assert_eq!(error("../x"), IndexError::BadName(name("../x")));
    let tries = registry.asked().iter().filter(|ask| ask.path == "fa/il/failing").count();
    assert_eq!(tries, 3, "a failing server is asked three times");
    assert_eq!(room.stored().len(), 1, "only the good body is kept");
}

#[test]
fn a_registry_that_never_answers_costs_one_time_limit_and_says_which() {
    let registry = Registry::start();
    let room = Room::with(&registry);
    registry.set("silent", Behaviour::Silent);
    let after = Duration::from_millis(200);
    let index = open(&Options { timeout: after, ..room.options(Mode::Online) });
    let why = index.raw("silent").unwrap_err();
    assert_eq!(why, IndexError::TimedOut { name: "silent".to_owned(), after });
    assert_eq!(index.requests(), 1);
}

#[test]
fn a_failure_that_may_pass_is_asked_again_within_the_run() {
    let registry = Registry::start();
    let room = Room::with(&registry);
    registry.set("serde", Behaviour::Status(503, "busy"));
    let index = room.open(Mode::Online);
    assert!(index.raw("serde").unwrap_err().is_passing());
    registry.page("serde", line("serde", "1.0.0", ""));
    assert!(index.raw("serde").is_ok());
}

#[test]
fn a_registry_that_is_not_there_is_unreachable_and_says_so() {
    let room = Room::new();
    let closed = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    configure(&room.at("project"), &format!("registry = 'sparse+http://{closed}/'"));
    let why = room.open(Mode::Online).raw("serde").unwrap_err();
    assert!(why.to_string().contains("onnection refused"), "{why}");
    assert!(why.is_passing());
}

#[test]
fn offline_answers_from_the_store_and_asks_nobody() {
    let registry = Registry::start();
    let room = Room::with(&registry);
    registry.page("serde", line("serde", "1.0.0", ""));
    room.open(Mode::Online).raw("serde").unwrap();
    registry.asked();

    let aged = Options { max_age: Duration::ZERO, ..room.options(Mode::Offline) };
    let index = open(&aged);
    assert_eq!(*index.raw("serde").unwrap(), line("serde", "1.0.0", "").into_bytes());
    assert_eq!(index.raw("libc").unwrap_err(), IndexError::NotCached("libc".to_owned()));
    assert_eq!((registry.asked(), index.requests()), (vec![], 0));
}

#[test]
fn a_damaged_store_file_is_fetched_anew_without_condition() {
    let registry = Registry::start();
    let room = Room::with(&registry);
    registry.tagged("serde", line("serde", "1.0.0", ""), "\"first\"");
    room.open(Mode::Online).raw("serde").unwrap();
    let file = &room.stored()[0];
    let bytes = fs::read(file).unwrap();
    fs::write(file, &bytes[..bytes.len() - 5]).unwrap();
    registry.asked();
    let body = room.open(Mode::Online).raw("serde").unwrap();
    assert_eq!(*body, line("serde", "1.0.0", "").into_bytes());
    assert_eq!(registry.asked(), [ask("se/rd/serde", None)]);
}

#[test]
fn a_store_that_cannot_be_written_is_a_trouble_and_no_error() {
    let registry = Registry::start();
    let room = Room::with(&registry);
    registry.page("serde", line("serde", "1.0.0", ""));
    fs::remove_dir(room.at("store")).unwrap();
    fs::write(room.at("store"), "a file is in the way").unwrap();
    let index = room.open(Mode::Online);
    assert!(index.raw("serde").is_ok());
    assert_eq!(index.troubles().len(), 1);
    assert!(index.troubles()[0].contains("cannot be written"), "{:?}", index.troubles());
}

/// The cache file that cargo 1.95 writes, byte for byte (format: `cargo/sources/registry/index/cache.rs`).
fn cargo_cache(revision: &str, version: &str, line: &str) -> Vec<u8> {
    [&b"\x03\x02\0\0\0"[..], revision.as_bytes(), b"\0", version.as_bytes(), b"\0", line.trim().as_bytes(), b"\0"]
        .concat()
}

/// Puts a cache entry of cargo's where cargo would, which the store's own folder name tells.
fn put_in_cargos_cache(room: &Room, path: &str, bytes: &[u8]) -> PathBuf {
    let Origin::Sparse { store, .. } = room.open(Mode::Offline).origin else { panic!("sparse") };
    let file = store.cargos_file(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, bytes).unwrap();
    file
}

#[test]
fn cargos_cache_is_the_base_of_a_conditional_request_and_is_never_written() {
    let registry = Registry::start();
    let room = Room::with(&registry);
    let body = line("serde", "1.0.0", "");
    registry.tagged("serde", body.clone(), "\"first\"");
    let bytes = cargo_cache("etag: \"first\"", "1.0.0", &body);
    let file = put_in_cargos_cache(&room, "se/rd/serde", &bytes);
    let before = fs::metadata(&file).unwrap().modified().unwrap();

    assert_eq!(*room.open(Mode::Online).raw("serde").unwrap(), body.clone().into_bytes());
    assert_eq!(registry.asked(), [ask("se/rd/serde", Some("\"first\""))]);
    room.open(Mode::Online).raw("serde").unwrap();
    assert_eq!(registry.asked(), [], "now our store has it, fresh");

    assert_eq!(fs::read(&file).unwrap(), bytes);
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), before);
    assert_eq!(files(&room.at("home")), [file], "nothing else appeared in CARGO_HOME");
}

#[test]
fn offline_takes_cargos_cache_where_our_store_has_nothing() {
    let registry = Registry::start();
    let room = Room::with(&registry);
    let body = line("serde", "1.0.0", "");
    put_in_cargos_cache(&room, "se/rd/serde", &cargo_cache("Unknown", "1.0.0", &body));
    assert_eq!(*room.open(Mode::Offline).raw("serde").unwrap(), body.into_bytes());
}

#[test]
fn progress_counts_each_crate_once_and_the_answer_is_in_order() {
    let registry = Registry::start();
    let room = Room::with(&registry);
    for name in ["a", "ab", "abc", "abcd"] {
        registry.page(name, line(name, "1.0.0", ""));
    }
    let seen = RefCell::new(Vec::new());
    let asked = names(&["abcd", "a", "ab", "abc", "a"]);
    let got = room.open(Mode::Online).releases(&asked, &|done, all| seen.borrow_mut().push((done, all)));
    assert_eq!(got.keys().collect::<Vec<_>>(), ["a", "ab", "abc", "abcd"]);
    assert_eq!(seen.into_inner(), [(1, 4), (2, 4), (3, 4), (4, 4)]);
    let mut paths: Vec<_> = registry.asked().into_iter().map(|ask| ask.path).collect();
    paths.sort();
    assert_eq!(paths, ["1/a", "2/ab", "3/a/abc", "ab/cd/abcd"]);
}

#[test]
fn a_release_has_all_that_the_index_knows_of_it() {
    let body = br#"{"name":"x","vers":"1.10.0","deps":[],"cksum":"aa","features":{},"yanked":true}
{"name":"x","vers":"1.2.0+meta","deps":[{"name":"mini","package":"serde","req":"^1.0","features":["derive"],"optional":true,"default_features":false,"target":"cfg(unix)","kind":"build"}],"cksum":"bb","features":{"a":["b"]},"features2":{"c":["dep:mini"]},"yanked":false,"links":"z","rust_version":"1.70","pubtime":"2026-01-01T00:00:00Z","v":2}
{"name":"x","vers":"2.0.0","deps":[],"cksum":"cc","features":{},"yanked":false,"v":3}
"#;
    let releases = releases(body);
    let seen: Vec<_> = releases.iter().map(|release| release.version.to_string()).collect();
    assert_eq!(seen, ["1.2.0+meta", "1.10.0"], "sorted; a later line format is left out");
    let first = &releases[0];
    assert_eq!(first.published.unwrap().to_string(), "2026-01-01T00:00:00Z");
    assert_eq!((first.rust_version.as_deref(), first.links.as_deref()), (Some("1.70"), Some("z")));
    assert_eq!(first.features.keys().collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(first.checksum, "bb");
    let dep = &first.dependencies[0];
    assert_eq!((dep.name.as_str(), dep.alias.as_deref()), ("serde", Some("mini")));
    assert_eq!((dep.kind, dep.optional, dep.default_features), (DepKind::Build, true, false));
    assert_eq!((dep.requirement.as_str(), dep.target.as_deref()), ("^1.0", Some("cfg(unix)")));
    assert!(releases[1].yanked && releases[1].published.is_none());
}

#[test]
fn a_local_registry_is_read_from_its_folder_and_asks_nobody() {
    let room = Room::new();
    configure(&room.at("project"), "local-registry = 'crates'");
    add_local(&room.at("project/crates"), "serde", &line("serde", "1.0.0", ""));
    let index = room.open(Mode::Online);
    let got = index.releases(&names(&["serde", "libc"]), &quiet);
    assert_eq!(versions(&got["serde"]), ["1.0.0"]);
    assert!(matches!(got["libc"], Err(IndexError::NotFound { .. })));
    assert_eq!(index.location(), room.at("project/crates").display().to_string());
    assert_eq!((index.requests(), room.stored().len()), (0, 0));
}

/// Lines of every kind that says something about a feature, a line of a newer format, and one that is none.
const KINDS: &str = r#"{"name":"ant","vers":"1.10.0","deps":[],"features":{"std":[]},"features2":{"new":["dep:bee"]},"cksum":"","yanked":true,"pubtime":"2025-03-01T00:00:00Z","v":2}
{"name":"ant","vers":"1.2.0","deps":[{"name":"bee","req":"^1","optional":true,"kind":"normal","features":[],"default_features":true},{"name":"hidden","package":"cow","req":"^1","optional":true,"features":[],"default_features":true}],"features":{"x":["dep:hidden"]},"cksum":"","yanked":false,"rust_version":"1.70"}
{"name":"ant","vers":"1.9.0","deps":[],"features":{},"cksum":"","yanked":false,"pubtime":"not a time"}
{"name":"ant","vers":"2.0.0","deps":[],"features":{},"cksum":"","yanked":false,"v":3}
{"name":"ant","vers":"nonsense","deps":[],"features":{},"cksum":"","yanked":false}
"#;

#[test]
fn what_a_plan_reads_of_a_line_agrees_with_the_whole_line() {
    let asked: BTreeSet<String> = ["bee", "default", "hidden", "new", "std"].map(str::to_owned).into();
    let whole = releases(KINDS.as_bytes());
    assert_eq!(whole.len(), 3);
    for features in [BTreeSet::new(), asked] {
        let expected: Vec<Brief> = whole
            .iter()
            .map(|release| Brief {
                version: release.version.clone(),
                yanked: release.yanked,
                rust_version: release.rust_version.clone(),
                published: release.published,
                lacks: features.iter().filter(|one| !release.has_feature(one)).cloned().collect(),
            })
            .collect();
        assert_eq!(briefs(KINDS.as_bytes(), &features), expected);
    }
    let lacking: Vec<usize> = briefs(KINDS.as_bytes(), &["bee", "hidden"].map(str::to_owned).into())
        .iter()
        .map(|one| one.lacks.len())
        .collect();
    assert_eq!(lacking, [1, 2, 2], "1.2.0 hides `hidden` behind `dep:`");
}

#[test]
fn a_file_that_was_read_once_stays_as_it_is_whatever_another_run_writes() {
    let registry = Registry::start();
    registry.page("ant", line("ant", "1.0.0", "2025-01-01T00:00:00Z"));
    let room = Room::with(&registry);
    let index = room.open(Mode::Online);
    let first = index.raw("ant").unwrap();
    for file in room.stored() {
        fs::write(file, "something else").unwrap();
    }
    assert_eq!(index.raw("ant").unwrap(), first);
    assert_eq!(index.requests(), 1);
}
