//! The Go side against offline worlds: the real companion, built once from the embedded source, and the real go command.

mod cases;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use super::*;
use crate::app::demo::world::{GoBuildCache, World};
use crate::candidate::{Dependency, Version};
use crate::clock::Instant;
use crate::ecosystem::{Others, UnknownAge};
use crate::trial::{Cell, Exit, Reading};

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name).with_extension("txtar");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What all tests share: the built companion and what the go command compiled.
fn shared() -> &'static Path {
    static SHARED: OnceLock<tempfile::TempDir> = OnceLock::new();
    SHARED.get_or_init(|| tempfile::tempdir().unwrap()).path()
}

/// A world with a Go ecosystem that sees it only.
struct Room {
    world: World,
    _folder: tempfile::TempDir,
}

impl Room {
    fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cache = GoBuildCache::Shared(shared().join("gocache"));
        let archive = if name.contains("-- ") { name.to_owned() } else { fixture(name) };
        let world = World::build_with(&archive, folder.path(), &cache).unwrap();
        Self { world, _folder: folder }
    }

    fn go<'a>(&self, listener: &'a dyn Listener) -> Go<'a> {
        let outlook = Outlook { unknown_age: UnknownAge::Old, ..Outlook::of("2026-01-01T00:00:00Z") };
        let mut go = Go::new(outlook, shared(), listener);
        go.env.extend(self.world.env.clone());
        go
    }

    /// One that was told to use no network: over the world's settings, as over those of a user.
    fn offline<'a>(&self, listener: &'a dyn Listener) -> Go<'a> {
        let outlook = Outlook { network: Network::Offline, ..self.go(listener).outlook };
        let mut go = Go::new(outlook, shared(), listener);
        for (key, value) in &self.world.env {
            go.env.entry(key.clone()).or_insert_with(|| value.clone());
        }
        go
    }

    fn files(&self) -> Vec<String> {
        let listed = self.world.git(&["ls-files"]).unwrap();
        listed.lines().map(str::to_owned).collect()
    }

    fn project(&self, go: &Go<'_>) -> Project {
        let projects =
            go.discover(Tree { root: &self.world.repo, files: &self.files(), ignored: &BTreeSet::new() }).unwrap();
        projects.into_iter().find(|one| one.path == ".").unwrap()
    }

    fn survey(&self, go: &Go<'_>) -> Vec<Dependency> {
        go.survey(&self.world.repo, &self.project(go)).unwrap().unwrap()
    }

    fn apply(&self, go: &Go<'_>, name: &str, to: &str) -> Resolution {
        self.raise(go, &self.project(go), name, to)
    }

    /// Raises a requirement of a project from v1.0.0.
    fn raise(&self, go: &Go<'_>, project: &Project, name: &str, to: &str) -> Resolution {
        let (from, to) = (Version::parse("v1.0.0").unwrap(), Version::parse(to).unwrap());
        go.apply(
            &self.world.repo,
            &Change { project, name, from: &from, to: &to, places: &[], with: &[], others: Others::Stay },
        )
        .unwrap()
    }

    fn status(&self) -> String {
        self.world.git(&["status", "--porcelain"]).unwrap()
    }

    fn text(&self, file: &str) -> String {
        std::fs::read_to_string(self.world.repo.join(file)).unwrap()
    }
}

fn nobody(_: &Event) {}

fn refusal(resolution: Resolution) -> Reason {
    match resolution {
        Resolution::Refused(reason) => reason,
        other => panic!("{other:?}"),
    }
}

fn applied(resolution: Resolution) -> crate::project::Applied {
    match resolution {
        Resolution::Applied(applied) => applied,
        other => panic!("{other:?}"),
    }
}

fn versions(dependencies: &[Dependency], name: &str) -> Vec<String> {
    let one = dependencies.iter().find(|one| one.id.name == name).unwrap();
    let mut versions: Vec<String> =
        one.releases.iter().filter(|one| !one.withdrawn).map(|one| one.version.to_string()).collect();
    versions.sort();
    versions
}

#[test]
fn flags_that_change_modules_are_left_out_of_the_users_flags() {
    assert_eq!(
        harmless_flags("-modcacherw -mod=mod -tags=a '-modfile=x.mod' --overlay=o.json -trimpath"),
        "-modcacherw -tags=a -trimpath"
    );
    assert_eq!(harmless_flags(""), "");
}

#[test]
fn a_checksum_mismatch_is_told_in_one_line_with_both_hashes() {
    let message = "verifying ex.com/a@v1.1.0: checksum mismatch\n\tdownloaded: h1:new=\n\tgo.sum:     h1:old=\n\nSECURITY ERROR\nThis download does NOT match";
    let failure = Failure { code: "sum_mismatch_local".into(), message: message.into(), ..Failure::default() };
    assert_eq!(
        words(&failure),
        "verifying ex.com/a@v1.1.0: checksum mismatch; downloaded: h1:new=; go.sum:     h1:old="
    );
    assert_eq!(reason(&failure).kind, ReasonKind::ResolveRefused);
}

#[test]
fn a_module_is_surveyed_raised_fetched_and_its_evidence_read() {
    let room = Room::new("go_one_module");
    let go = room.go(&nobody);
    let project = room.project(&go);
    assert_eq!((project.lockfile.as_deref(), &project.obstacle), (Some("go.sum"), &None));
    let found = room.survey(&go);
    assert_eq!(
        found.iter().map(|one| one.id.name.as_str()).collect::<Vec<_>>(),
        ["demo.test/count", "demo.test/fine", "demo.test/gone"]
    );
    assert_eq!(versions(&found, "demo.test/count"), ["v1.0.1", "v1.1.0"]);
    assert!(found[0].releases.iter().all(|one| one.published.is_some()));

    let done = applied(room.apply(&go, "demo.test/fine", "v1.1.0"));
    assert_eq!(
        (done.files, done.also_moved, done.notes),
        (vec!["go.mod".to_owned(), "go.sum".to_owned()], vec![], vec![])
    );
    assert!(room.text("go.mod").contains("demo.test/fine v1.1.0 // fine as it is\n"), "{}", room.text("go.mod"));

    go.fetch(&room.world.repo, &project, &[]).unwrap();
    let checks = go.checks(&room.world.repo, &project, &Cover::default()).unwrap();
    let cells: Vec<CellReport> = checks.into_iter().map(report).collect();
    let exercised = go.exercised(&room.world.repo, &project, &cells.iter().collect::<Vec<_>>()).unwrap();
    assert!(exercised.compiled.contains(&"demo.test/fine@v1.1.0".into()), "{exercised:?}");
    assert!(exercised.below["demo.test/app"].contains("demo.test/fine"), "{exercised:?}");
}

fn report(check: Check) -> CellReport {
    let usual = Cell::of(&check.name, check.phase);
    Cell { project: "go .".into(), check, ..usual }.ended(Exit::Code(0), Reading::default())
}

#[test]
fn what_a_raise_drags_along_is_read_back_and_a_later_upgrade_goes_on_from_there() {
    let room = Room::new("go_drags");
    let go = room.go(&nobody);
    let done = applied(room.apply(&go, "demo.test/router", "v1.1.0"));
    let moved: Vec<_> = done.also_moved.iter().map(|one| (one.name.as_str(), one.to.as_deref())).collect();
    assert_eq!(moved, [("demo.test/log", Some("v1.2.0")), ("demo.test/mux", Some("v1.2.0"))]);
    let again = applied(room.apply(&go, "demo.test/log", "v1.2.0"));
    assert_eq!((again.files, again.notes), (vec![], vec!["an upgrade before it brought it along".to_owned()]));
    assert_eq!(applied(room.apply(&go, "demo.test/log", "v1.3.0")).also_moved, []);
}

#[test]
fn a_raise_that_would_raise_the_go_line_is_refused_and_leaves_every_byte() {
    let room = Room::new("go_go_line_guard");
    let go = room.go(&nobody);
    let found = room.survey(&go);
    let modern = found.iter().find(|one| one.id.name == "demo.test/modern").unwrap();
    assert_eq!(modern.toolchain.as_deref(), Some("1.21"));
    let newest = modern.releases.iter().find(|one| one.version.to_string() == "v1.1.0").unwrap();
    assert_eq!(newest.needs.as_deref(), Some("1.24"));
    assert_eq!(refusal(room.apply(&go, "demo.test/outer", "v1.1.0")).kind, ReasonKind::GoLine);
    assert_eq!(room.status(), "");
}

#[test]
fn retracted_releases_are_no_target_and_a_retracted_version_in_use_is_urgent() {
    let room = Room::new("go_retracted");
    let go = room.go(&nobody);
    let found = room.survey(&go);
    assert_eq!(versions(&found, "demo.test/cache"), ["v1.1.0"]);
    let bad = found.iter().find(|one| one.id.name == "demo.test/bad").unwrap();
    assert!(bad.urgent.as_ref().is_some_and(|why| why.contains("It has a hole")), "{:?}", bad.urgent);
}

#[test]
fn replaced_modules_are_held_and_the_others_go_on() {
    let room = Room::new("go_replace_noop");
    let go = room.go(&nobody);
    let kinds: Vec<_> = room.survey(&go).iter().map(|one| one.obstacle.as_ref().map(|why| why.kind)).collect();
    assert_eq!(kinds, [None, Some(ReasonKind::Replaced), Some(ReasonKind::PathSource), Some(ReasonKind::Replaced)]);
    assert_eq!(refusal(room.apply(&go, "demo.test/fork", "v1.1.0")).kind, ReasonKind::Replaced);
    assert_eq!(room.status(), "");
}

#[test]
fn a_vanished_package_refuses_the_raise_and_one_that_moved_is_named() {
    let room = Room::new("go_vanished_package");
    let go = room.go(&nobody);
    let reason = refusal(room.apply(&go, "demo.test/big", "v1.1.0"));
    assert_eq!(reason.kind, ReasonKind::ResolveRefused);
    assert!(reason.text.contains("demo.test/big/part"), "{}", reason.text);
    assert_eq!(room.status(), "");
    let done = applied(room.apply(&go, "demo.test/split", "v1.1.0"));
    assert!(done.notes.iter().any(|note| note.contains("demo.test/split/part v0.1.0")), "{:?}", done.notes);
}

#[test]
fn a_checksum_mismatch_is_refused_with_both_hashes_even_after_another_upgrade_was_tidied() {
    let room = Room::new("go_checksum_mismatch");
    let go = room.go(&nobody);
    let line = "demo.test/moved v1.1.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
    applied(room.apply(&go, "demo.test/fine", "v1.1.0"));
    assert!(room.text("go.sum").contains(line), "{}", room.text("go.sum"));
    let reason = refusal(room.apply(&go, "demo.test/moved", "v1.1.0"));
    assert_eq!(reason.kind, ReasonKind::ResolveRefused);
    assert!(reason.text.contains("h1:AAAA") && reason.text.matches("h1:").count() == 2, "{}", reason.text);
    assert!(room.text("go.sum").contains(line), "{}", room.text("go.sum"));
}

#[test]
fn a_broken_go_mod_is_an_obstacle_of_that_module_alone() {
    let room = Room::new("broken_go_mod");
    let go = room.go(&nobody);
    let projects =
        go.discover(Tree { root: &room.world.repo, files: &room.files(), ignored: &BTreeSet::new() }).unwrap();
    let held: Vec<_> = projects.iter().filter_map(|one| one.obstacle.as_ref()).map(|why| why.kind).collect();
    assert_eq!(held, [ReasonKind::BrokenProject]);
    assert!(projects.len() > 1, "{projects:?}");
}

#[test]
fn a_repository_without_go_modules_starts_nothing() {
    let go = Go::new(Outlook::of("2026-01-01T00:00:00Z"), Path::new("/nowhere/at/all"), &nobody);
    let files = vec!["Cargo.toml".to_owned()];
    assert_eq!(
        go.discover(Tree { root: Path::new("/nowhere"), files: &files, ignored: &BTreeSet::new() }).unwrap(),
        []
    );
    assert!(lock(&go.companion).is_none());
}

/// `app` takes [`LIB`] from its folder; both are members of a workspace; `other` stands alone and asks for a Go that
/// nobody has.
const WORKSPACE: &str = "
-- repo/go.work --
go 1.21

use ./app
use ./lib
-- repo/app/go.mod --
module demo.test/app

go 1.21

require demo.test/lib v0.0.0

require demo.test/fine v1.0.0 // indirect

replace demo.test/lib => ../lib
-- repo/app/go.sum --
demo.test/fine v1.0.0 h1:@
demo.test/fine v1.0.0/go.mod h1:@
-- repo/app/app.go --
package app

import \"demo.test/lib\"

const One = lib.One
-- repo/other/go.mod --
module demo.test/other

go 1.99
";

/// A module `lib` that requires `fine`, and the releases of that.
const LIB: &str = "
-- repo/lib/go.mod --
module demo.test/lib

go 1.21

require demo.test/fine v1.0.0
-- repo/lib/go.sum --
demo.test/fine v1.0.0 h1:@
demo.test/fine v1.0.0/go.mod h1:@
-- repo/lib/lib.go --
package lib

import \"demo.test/fine\"

const One = fine.One
-- modules/demo.test/fine/v1.0.0/fine.go --
package fine

const One = 1
-- modules/demo.test/fine/v1.1.0/fine.go --
package fine

const One = 1
-- modules/demo.test/fine/v1.2.0/fine.go --
package fine

const One = 1
";

#[test]
fn a_raise_tidies_the_modules_that_take_this_one_from_its_folder() {
    let room = Room::new(&[WORKSPACE, LIB].concat());
    let go = room.go(&nobody);
    let projects =
        go.discover(Tree { root: &room.world.repo, files: &room.files(), ignored: &BTreeSet::new() }).unwrap();
    let of = |path: &str| projects.iter().find(|one| one.path == path).unwrap();
    assert_eq!((&of("lib").dependents, &of("app").dependents), (&vec!["app".to_owned()], &vec!["lib".to_owned()]));
    let done = applied(room.raise(&go, of("lib"), "demo.test/fine", "v1.1.0"));
    assert_eq!(done.files, ["app/go.mod", "app/go.sum", "lib/go.mod", "lib/go.sum"]);
    assert!(room.text("app/go.mod").contains("demo.test/fine v1.1.0 // indirect"), "{}", room.text("app/go.mod"));
    assert_eq!(room.status().lines().count(), 4, "{}", room.status());
}

#[test]
fn a_module_that_needs_a_newer_go_is_held_and_the_others_go_on() {
    let room = Room::new(&[WORKSPACE, LIB].concat());
    let go = room.go(&nobody);
    let projects =
        go.discover(Tree { root: &room.world.repo, files: &room.files(), ignored: &BTreeSet::new() }).unwrap();
    let found: Vec<_> =
        projects.iter().map(|one| (one.path.as_str(), go.survey(&room.world.repo, one).unwrap())).collect();
    let held: Vec<_> =
        found.iter().filter_map(|(path, survey)| Some((*path, survey.as_ref().err()?.reason.kind))).collect();
    assert_eq!(held, [("other", ReasonKind::ToolchainMissing)]);
}

#[test]
fn offline_a_module_is_raised_from_the_cache_and_what_is_not_there_is_told() {
    let room = Room::new(&[WORKSPACE, LIB].concat());
    let lib = |go: &Go<'_>| {
        let projects =
            go.discover(Tree { root: &room.world.repo, files: &room.files(), ignored: &BTreeSet::new() }).unwrap();
        projects.into_iter().find(|one| one.path == "lib").unwrap()
    };
    let raise = |go: &Go<'_>, to: &str| room.raise(go, &lib(go), "demo.test/fine", to);
    applied(raise(&room.go(&nobody), "v1.1.0"));
    room.world.git(&["checkout", "--quiet", "."]).unwrap();
    let mut go = room.offline(&nobody);
    // The go command asks no proxy for these; it asks where they come from.
    let asked = listening(&mut go.env);
    go.env.insert("GOPRIVATE".into(), "demo.test".into());
    let found = go.survey(&room.world.repo, &lib(&go)).unwrap().unwrap();
    assert!(versions(&found, "demo.test/fine").contains(&"v1.1.0".to_owned()), "{found:?}");
    assert_eq!(refusal(raise(&go, "v1.2.0")).kind, ReasonKind::NotCached);
    assert_eq!(room.status(), "");
    applied(raise(&go, "v1.1.0"));
    assert_eq!(asked.load(Ordering::SeqCst), 0, "somebody was asked");
}

/// Leads all connections to a listener that answers none, and counts them.
fn listening(env: &mut BTreeMap<String, String>) -> Arc<AtomicUsize> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for _ in listener.incoming() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    env.extend(["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"].map(|key| (key.to_owned(), address.clone())));
    asked
}

#[test]
fn a_base_that_cannot_be_tidied_is_named_and_no_upgrade_is_blamed_for_it() {
    let archive =
        fixture("go_one_module").replace("\t\"demo.test/gone\"", "\t\"demo.test/gone\"\n\t_ \"demo.test/gone/lost\"");
    let room = Room::new(&archive);
    let go = room.go(&nobody);
    let reason = refusal(room.apply(&go, "demo.test/fine", "v1.1.0"));
    assert_eq!(reason.kind, ReasonKind::ResolveRefused);
    assert!(
        reason.text.contains("before any upgrade") && reason.text.contains("demo.test/gone/lost"),
        "{}",
        reason.text
    );
    assert_eq!(room.status(), "");
}

#[test]
fn the_listener_hears_how_far_a_survey_is() {
    let heard = Mutex::new(Vec::new());
    let listener = |event: &Event| {
        if let Event::Progressed { what, .. } = event {
            heard.lock().unwrap().push(what.clone());
        }
    };
    let room = Room::new("go_one_module");
    let go = room.go(&listener);
    room.survey(&go);
    assert!(heard.lock().unwrap().iter().any(|what| what == "surveying go ."), "{heard:?}");
}

#[test]
fn go_keeps_the_promises_of_an_ecosystem() {
    let room = Room::new("go_one_module");
    let go = room.go(&nobody);
    let known = crate::ecosystem::conformance::Known { name: "demo.test/fine", good: "v1.1.0", missing: "v9.9.9" };
    crate::ecosystem::conformance::conforms(&go, &room.world, &known);
}
