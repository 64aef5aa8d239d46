"""What scripts/compare-peers --programs decides, tried without cargo: what the index hides, and which lower ends count."""

import json
import unittest

from auditing.index import instant
from auditing.usable import Usable
from comparing import levels
from comparing.cargo_peer import name_and_version

FINE = {"passes": True, "exercised": [["serde", "1.0.229"], ["rand", "0.8.8"], ["rand", "0.9.1"]]}


def line(version, rust=None, when=None):
    return json.dumps({"vers": version, "rust_version": rust, "pubtime": when})


def report(held=(), failed_above=()):
    upgrade = {"project": ".", "name": "serde", "from": "1.0.188", "failed_above": list(failed_above)}
    return {"held": list(held), "upgrades": [upgrade]}


def failed(wanted, kind, command=None):
    evidence = {"evidence": {"trial": "t1", "command": command}} if command else {}
    return {"project": ".", "name": "serde", "at": "1.0.188", "wanted": wanted,
            "reason": {"kind": kind, "text": kind, **evidence}}


def serde(mine, why, project=FINE):
    """The row of a serde that cargo left at 1.0.229."""
    key = (".", "app", "serde")
    trees = [{key: [version]} for version in ("1.0.188", "1.0.229", mine)]
    row, = levels.compared(*trees, why, {".": project})
    return row


class TheIndexHides(unittest.TestCase):
    def shown(self, *lines, locked=(), until=None, caps=None):
        with Usable("1.70", locked, until and instant(until), caps) as index:
            page = index.page("serde", "\n".join(lines)).decode()
        return [json.loads(one)["vers"] for one in page.splitlines()]

    def test_what_needs_a_newer_rust_and_nothing_else(self):
        lines = [line("1.0.1"), line("1.0.2", "1.70.0"), line("1.0.3", "1.71"), line("1.0.4", "1.9")]
        self.assertEqual(self.shown(*lines), ["1.0.1", "1.0.2", "1.0.4"])

    def test_no_version_that_is_locked(self):
        self.assertEqual(self.shown(line("1.0.3", "1.71"), locked=[("Serde", "1.0.3")]), ["1.0.3"])

    def test_what_was_published_later(self):
        lines = [line("1.0.1", when="2026-01-01T00:00:00Z"), line("1.0.2", when="2026-01-01T00:00:01Z"), line("1.0.3")]
        self.assertEqual(self.shown(*lines, until="2026-01-01T00:00:00Z"), ["1.0.1", "1.0.3"])

    def test_what_lies_above_a_cap_even_where_it_is_locked(self):
        lines = [line("1.0.9"), line("1.0.10"), line("1.0.11")]
        self.assertEqual(self.shown(*lines, locked=[("serde", "1.0.11")], caps={"serde": "1.0.10"}), ["1.0.9", "1.0.10"])


class WhatEndedLowerCounts(unittest.TestCase):
    def test_where_the_reason_is_a_failure_of_what_the_peer_runs_too(self):
        row = serde("1.0.193", report(failed_above=[failed("1.0.229", "test_failed", "cargo test --workspace --locked")]))
        self.assertEqual((row["standing"], row["counts_as_lower"]), ("lower", True))

    def test_where_a_rule_is_named_that_the_peer_kept_to(self):
        self.assertTrue(serde("1.0.193", report(failed_above=[failed("1.0.229", "msrv")]))["counts_as_lower"])

    def test_where_no_reason_is_given(self):
        row = serde("1.0.193", report())
        self.assertEqual((row["reason"]["kind"], row["counts_as_lower"]), ("none", True))

    def test_not_where_the_peer_does_not_run_what_failed(self):
        why = report(failed_above=[failed("1.0.229", "build_failed", "cargo build --workspace --locked")])
        self.assertFalse(serde("1.0.193", why)["counts_as_lower"])

    def test_not_where_a_build_writes_over_tracked_files(self):
        row = serde("1.0.200", report(failed_above=[failed("1.0.229", "changes_files", "cargo test --no-run")]))
        self.assertFalse(row["counts_as_lower"])

    def test_not_where_the_project_asked_for_it(self):
        self.assertFalse(serde("1.0.188", report(held=[failed("1.0.229", "pinned")]))["counts_as_lower"])

    def test_not_where_the_tree_of_the_peer_fails(self):
        self.assertFalse(serde("1.0.193", report(), {**FINE, "passes": False})["counts_as_lower"])

    def test_not_where_no_check_compiles_it(self):
        self.assertFalse(serde("1.0.193", report(), {**FINE, "exercised": []})["counts_as_lower"])

    def test_by_the_reason_for_the_nearest_version_that_is_no_breaking_one(self):
        rungs = [("2.0.0", "breaking_not_asked"), ("1.0.240", "msrv"), ("1.0.230", "pinned"), ("1.0.200", "msrv")]
        why = report(failed_above=[failed(*rung) for rung in rungs])
        self.assertEqual(serde("1.0.193", why)["reason"]["kind"], "pinned")


class DirectDependencies(unittest.TestCase):
    def test_of_one_name_are_compared_each_with_its_own_kind(self):
        key = (".", "app", "rand")
        trees = [{key: ["0.8.5", "0.9.0"]}, {key: ["0.9.1", "0.8.8"]}, {key: ["0.9.1"]}]
        rows = levels.compared(*trees, report(), {".": FINE})
        self.assertEqual([(row["base"], row["peer"], row["ours"]) for row in rows], [("0.9.0", "0.9.1", "0.9.1")])

    def test_higher_and_equal_ends_are_told_apart(self):
        self.assertEqual(serde("1.0.229", report())["standing"], "equal")
        self.assertEqual(serde("1.0.230", report())["standing"], "higher")


class PackageIds(unittest.TestCase):
    def test_are_read_with_and_without_a_name_after_the_mark(self):
        self.assertEqual(name_and_version("registry+https://example.org/index#serde@1.0.1"), ("serde", "1.0.1"))
        self.assertEqual(name_and_version("path+file:///x/grep-cli#0.1.2"), ("grep-cli", "0.1.2"))


if __name__ == "__main__":
    unittest.main()
