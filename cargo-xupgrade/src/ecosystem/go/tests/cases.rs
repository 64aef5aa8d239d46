//! What an edit does in the named edge cases of Go modules (`fixtures/cases/go.toml`): the real companion and the real go
//! command on the fixtures, one raise at a time, without building anything.

use super::*;

/// A Go ecosystem on a fixture, at the day after everything that fixtures publish.
fn seen(room: &Room) -> Go<'_> {
    let as_of = Instant::parse("2025-06-01T00:00:00Z").unwrap();
    let mut go = room.go(&nobody);
    go.outlook = Outlook { as_of, cutoff: as_of.minus_days(3), ..go.outlook };
    go
}

fn raise(room: &Room, go: &Go<'_>, path: &str, name: &str, to: &str) -> Resolution {
    let projects =
        go.discover(Tree { root: &room.world.repo, files: &room.files(), ignored: &BTreeSet::new() }).unwrap();
    let project = projects.iter().find(|one| one.path == path).unwrap();
    let found = go.survey(&room.world.repo, project).unwrap().unwrap();
    let from = found.iter().find(|one| one.id.name == name).unwrap().at.clone().unwrap();
    let to = Version::parse(to).unwrap();
    go.apply(
        &room.world.repo,
        &Change { project, name, from: &from, to: &to, places: &[], with: &[], others: Others::Stay },
    )
    .unwrap()
}

/// A raise at the root that must be refused and change no byte.
fn refused(room: &Room, name: &str, to: &str) -> Reason {
    let reason = refusal(raise(room, &seen(room), ".", name, to));
    assert_eq!(room.status(), "", "{}", reason.text);
    reason
}

fn moved(done: &crate::project::Applied) -> Vec<String> {
    let to = |one: &crate::project::Move| format!("{} {}", one.name, one.to.as_deref().unwrap_or("gone"));
    done.also_moved.iter().map(to).collect()
}

#[test]
fn raising_a_module_leaves_the_one_nested_in_it_where_it_is() {
    for (name, other) in [("demo.test/nest", "demo.test/nest/store"), ("demo.test/nest/store", "demo.test/nest")] {
        let room = Room::new("go_nested_modules");
        let done = applied(raise(&room, &seen(&room), ".", name, "v1.1.0"));
        assert_eq!(moved(&done), [""; 0]);
        let text = room.text("go.mod");
        assert!(text.contains(&format!("{name} v1.1.0\n")) && text.contains(&format!("{other} v1.0.0\n")), "{text}");
    }
}

#[test]
fn raising_one_major_of_a_project_leaves_its_other_major() {
    let room = Room::new("go_two_majors");
    let done = applied(raise(&room, &seen(&room), ".", "demo.test/wire", "v1.1.0"));
    assert_eq!(moved(&done), [""; 0]);
    let text = room.text("go.mod");
    assert!(text.contains("demo.test/wire v1.1.0\n") && text.contains("demo.test/wire/v2 v2.0.0\n"), "{text}");
}

#[test]
fn a_raise_whose_need_an_exclude_line_cuts_is_refused() {
    let room = Room::new("go_exclude_cuts");
    let reason = refused(&room, "demo.test/router", "v1.1.0");
    assert_eq!(reason.kind, ReasonKind::ResolveRefused);
    for words in ["`exclude`", "demo.test/codec v1.2.0", "v1.0.0"] {
        assert!(reason.text.contains(words), "{}", reason.text);
    }
    applied(raise(&room, &seen(&room), ".", "demo.test/router", "v1.0.1"));
}

#[test]
fn a_need_that_is_met_all_the_same_is_cut_by_no_exclude_line() {
    let room = Room::new("go_exclude_cuts");
    let go = seen(&room);
    applied(raise(&room, &go, ".", "demo.test/codec", "v1.3.0"));
    applied(raise(&room, &go, ".", "demo.test/router", "v1.1.0"));
    assert!(room.text("go.mod").contains("exclude demo.test/codec v1.2.0\n"), "{}", room.text("go.mod"));
}

#[test]
fn a_raise_that_turns_a_replace_line_off_is_refused() {
    let room = Room::new("go_replace_turned_off");
    let reason = refused(&room, "demo.test/router", "v1.1.0");
    assert_eq!(reason.kind, ReasonKind::DragsForbidden);
    assert!(reason.text.contains("demo.test/codec") && reason.text.contains("`replace`"), "{}", reason.text);
    applied(raise(&room, &seen(&room), ".", "demo.test/fine", "v1.1.0"));
}

#[test]
fn a_go_line_of_two_parts_gains_its_zero_and_no_more() {
    let room = Room::new("go_two_part_line");
    assert_eq!(refused(&room, "demo.test/patched", "v1.1.0").kind, ReasonKind::GoLine);
    applied(raise(&room, &seen(&room), ".", "demo.test/exact", "v1.0.1"));
    assert!(room.text("go.mod").contains("\ngo 1.24\n"), "{}", room.text("go.mod"));
    let done = applied(raise(&room, &seen(&room), ".", "demo.test/outer", "v1.1.0"));
    assert!(room.text("go.mod").contains("\ngo 1.24.0\n"), "{}", room.text("go.mod"));
    assert_eq!(done.notes, ["the go line of go.mod changed from 1.24 to 1.24.0, which is the same language"]);
}

#[test]
fn a_release_that_is_older_than_the_one_in_use_is_raised_with_a_note_of_the_dates() {
    let room = Room::new("go_older_in_time");
    let done = applied(raise(&room, &seen(&room), ".", "demo.test/branchy", "v1.1.0"));
    let note = done.notes.concat();
    assert!(note.contains("2025-01-15") && note.contains("2025-03-01"), "{note}");
}

#[test]
fn without_pruning_what_comes_along_is_listed_and_judged_though_go_mod_does_not_say_it() {
    let room = Room::new("go_unpruned");
    let young = refused(&room, "demo.test/young", "v1.1.0");
    assert_eq!(young.kind, ReasonKind::DragsForbidden);
    assert!(young.text.contains("demo.test/deep v1.2.0"), "{}", young.text);
    let lower = applied(raise(&room, &seen(&room), ".", "demo.test/lower", "v1.1.0"));
    assert_eq!(moved(&lower), [""; 0], "what only the old version needed stays where it was");
    assert!(room.text("go.mod").contains("demo.test/deep v1.1.0 // indirect"), "{}", room.text("go.mod"));
    let done = applied(raise(&room, &seen(&room), ".", "demo.test/good", "v1.1.0"));
    assert_eq!(moved(&done), ["demo.test/wide v1.1.0"]);
    assert!(room.text("go.mod").contains("\ngo 1.16\n"), "{}", room.text("go.mod"));
}

#[test]
fn a_split_module_is_raised_with_its_new_part_and_only_then_who_needs_that_part() {
    let room = Room::new("go_split_module");
    let alone = refused(&room, "demo.test/user", "v1.1.0");
    assert!(alone.text.contains("ambiguous import"), "{}", alone.text);
    let go = seen(&room);
    let done = applied(raise(&room, &go, ".", "demo.test/whole", "v1.1.0"));
    assert_eq!(moved(&done), ["demo.test/whole/part v0.1.0"]);
    assert!(done.notes.concat().contains("demo.test/whole/part"), "{:?}", done.notes);
    applied(raise(&room, &go, ".", "demo.test/user", "v1.1.0"));
}

#[test]
fn a_requirement_that_nothing_imports_is_refused_as_unused() {
    let room = Room::new("go_untidy_base");
    assert_eq!(refused(&room, "demo.test/spare", "v1.1.0").kind, ReasonKind::Unused);
}

#[test]
fn what_tidy_mends_on_an_untidy_base_is_no_fault_of_an_upgrade() {
    let room = Room::new("go_untidy_base");
    let done = applied(raise(&room, &seen(&room), ".", "demo.test/main", "v1.1.0"));
    assert!(done.notes.concat().contains("demo.test/spare"), "{:?}", done.notes);
    let sums = room.text("go.sum");
    assert!(sums.contains("demo.test/fine v0.9.0 h1:"), "a line that nobody asked to drop is gone: {sums}");
}

#[test]
fn paths_that_a_proxy_has_to_escape_are_surveyed_and_raised() {
    let room = Room::new("go_odd_paths");
    let go = seen(&room);
    for name in ["demo.test/BurntSushi/Toml", "demo.test/vanity.git", "demo.test/~user/dot.ted"] {
        assert_eq!(versions(&room.survey(&go), name), ["v1.1.0"], "{name}");
        applied(raise(&room, &go, ".", name, "v1.1.0"));
    }
    assert_eq!(room.text("go.mod").matches(" v1.1.0\n").count(), 3, "{}", room.text("go.mod"));
}

#[test]
fn a_raise_in_a_module_tidies_all_that_reach_it_through_folders_in_order() {
    let room = Room::new("go_replaced_neighbours");
    let done = applied(raise(&room, &seen(&room), "base", "demo.test/codec", "v1.1.0"));
    assert_eq!(done.files, ["app/go.mod", "app/go.sum", "base/go.mod", "base/go.sum", "lib/go.mod", "lib/go.sum"]);
    for module in ["app", "lib"] {
        let text = room.text(&format!("{module}/go.mod"));
        assert!(text.contains("demo.test/codec v1.1.0 // indirect"), "{text}");
    }
}

#[test]
fn a_package_that_only_another_system_imports_is_missed_by_tidy_too() {
    let room = Room::new("go_files_outside_the_build");
    let reason = refused(&room, "demo.test/win", "v1.1.0");
    assert!(reason.text.contains("demo.test/win/registry"), "{}", reason.text);
    assert_eq!(refused(&room, "demo.test/script", "v1.1.0").kind, ReasonKind::Unused);
}

#[test]
fn a_module_that_its_workspace_leaves_out_is_checked_outside_of_it() {
    let room = Room::new("go_workspace_of_some");
    let go = seen(&room);
    let projects =
        go.discover(Tree { root: &room.world.repo, files: &room.files(), ignored: &BTreeSet::new() }).unwrap();
    let first = |one| go.checks(&room.world.repo, one, &Cover::default()).unwrap().remove(0);
    let gates: Vec<String> = projects.iter().map(first).map(|gate| gate.typed(&gate.argv)).collect();
    let plain = "go vet -framepointer ./...";
    assert_eq!(gates, [plain.to_owned(), plain.to_owned(), format!("GOWORK=off {plain}")]);
}

#[test]
fn a_raise_keeps_line_ends_order_and_comments_of_go_mod() {
    let room = Room::new("go_authors_text");
    let before = room.text("go.mod");
    applied(raise(&room, &seen(&room), ".", "demo.test/gen", "v1.1.0"));
    assert_eq!(room.text("go.mod"), before.replace("demo.test/gen v1.0.0", "demo.test/gen v1.1.0"));
    assert!(before.contains("\r\n") && before.contains("// pinned: see issue 12"), "{before}");
    assert_eq!(room.status(), " M go.mod\n M go.sum\n");
}

#[test]
fn comments_hold_a_requirement_or_a_whole_block() {
    let room = Room::new("go_authors_text");
    let found = room.survey(&seen(&room));
    let held =
        |name: &str| found.iter().find(|one| one.id.name == name).unwrap().obstacle.as_ref().map(|why| &*why.text);
    assert!(
        held("demo.test/kept").is_some_and(|text| text.contains("until ticket 77")),
        "{:?}",
        held("demo.test/kept")
    );
    assert!(held("demo.test/block").is_some_and(|text| text.contains("the team's")), "{:?}", held("demo.test/block"));
    assert_eq!((held("demo.test/gen"), held("demo.test/zeta")), (None, None));
}

/// `app` takes [`LIB`] from its folder and has a version of its own of what lib requires, which its author holds.
const HELD_IN_A_DEPENDENT: &str = "
-- repo/app/go.mod --
module demo.test/app

go 1.21

require (
	demo.test/fine v1.1.0 // xupgrade: hold until ticket 77
	demo.test/lib v0.0.0
)

replace demo.test/lib => ../lib
-- repo/app/go.sum --
demo.test/fine v1.1.0 h1:@
demo.test/fine v1.1.0/go.mod h1:@
-- repo/app/app.go --
package app

import (
	\"demo.test/fine\"
	\"demo.test/lib\"
)

const Two = fine.One + lib.One
";

#[test]
fn a_hold_in_a_dependent_stops_a_raise_above_its_version_and_no_lower_one() {
    let room = Room::new(&[HELD_IN_A_DEPENDENT, LIB].concat());
    let go = seen(&room);
    let projects =
        go.discover(Tree { root: &room.world.repo, files: &room.files(), ignored: &BTreeSet::new() }).unwrap();
    for project in &projects {
        go.survey(&room.world.repo, project).unwrap().unwrap();
    }
    let project = projects.iter().find(|one| one.path == "lib").unwrap();
    let raise = |to: &str| room.raise(&go, project, "demo.test/fine", to);
    let reason = refusal(raise("v1.2.0"));
    assert_eq!(reason.kind, ReasonKind::DragsForbidden);
    assert!(reason.text.contains("a comment in app/go.mod holds"), "{}", reason.text);
    assert_eq!(room.status(), "");
    let done = applied(raise("v1.1.0"));
    assert_eq!((moved(&done), done.files), (vec![], vec!["lib/go.mod".to_owned(), "lib/go.sum".to_owned()]));
}
