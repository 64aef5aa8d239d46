"""Holds that are wrong: what is held passes, or is there."""

from .world import GO_MODULE, lock, tamper

# retry

def hold(world, name, kind):
    last = world.take_back(name)
    held = {key: last[key] for key in ("ecosystem", "name", "project", "places")}
    evidence = {"trial": "t1", "tried": [last["to"]]}
    world.report["held"].append({**held, "at": last["from"], "wanted": last["to"],
                                 "reason": {"kind": kind, "text": "", "evidence": evidence}})


@tamper("retry", "is wrongly held: every check passes")
def what_passes_is_held_as_a_failed_test(world):
    hold(world, "sorter", "test_failed")


@tamper("retry", "is wrongly held: every check passes")
def what_passes_with_an_edited_manifest_is_held_as_a_failed_build(world):
    hold(world, "glyphs", "build_failed")


@tamper("retry", "is wrongly held: every check passes")
def what_resolves_is_held_as_unresolvable(world):
    hold(world, "sorter", "resolve_refused")


@tamper("retry", "is wrongly held: every check passes")
def what_lowers_nothing_is_held_as_lowering(world):
    hold(world, "sorter", "would_lower")


@tamper("retry", "compiles it")
def what_is_compiled_is_held_as_not_exercised(world):
    hold(world, "sorter", "not_exercised")


@tamper("retry", "is wrongly held: every check passes")
def what_needs_no_newer_rust_is_held_for_its_msrv(world):
    hold(world, "sorter", "msrv")


@tamper("retry", "is wrongly held: every check passes")
def a_module_that_passes_is_held_as_a_failed_test(world):
    hold(world, GO_MODULE, "test_failed")


@tamper("retry", "is wrongly held: every check passes")
def a_module_that_needs_no_newer_go_is_held_for_its_go_line(world):
    hold(world, GO_MODULE, "go_line")


@tamper("retry", "compiles it")
def a_module_that_is_compiled_is_held_as_not_exercised(world):
    hold(world, GO_MODULE, "not_exercised")


@tamper("retry", "is wrongly held: it stands at 2.1.0")
def what_the_tip_has_is_held_as_a_failed_build(world):
    world.held("parser")["reason"]["kind"] = "build_failed"
    lock(world, "parser", "2.0.0", "2.1.0")
    world.amend()


@tamper("retry", "is wrongly held: every check passes")
def a_lower_rung_that_passes_was_passed_over(world):
    world.upgrade("sorter")["to"] = "1.0.0"
    lock(world, "sorter", "1.0.1", "1.0.0")
    world.upgrade("sorter")["failed_above"][0]["wanted"] = "1.0.1"
    world.amend()
