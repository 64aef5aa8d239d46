"""What the audit reads off lockfiles and reports, on small ones."""

import unittest

from .cargo import Lock
from .levels import absent_cargo, by_commit, silent_moves

LOCK = """
[[package]]
name = "app"
version = "0.1.0"
dependencies = ["search"]

[[package]]
name = "idle"
version = "0.1.0"

[[package]]
name = "search"
version = "1.0.0"
source = "registry"
dependencies = ["text 0.8.0"]

[[package]]
name = "text"
version = "0.8.0"
source = "registry"

[[package]]
name = "text"
version = "1.0.0"
source = "registry"
"""


def upgrade(name, commit, moved=()):
    return {"name": name, "commit": commit, "also_moved": [{"name": one} for one in moved]}


class Lockfiles(unittest.TestCase):
    def test_a_member_needs_a_package_through_others_too_and_only_at_its_version(self):
        lock = Lock(LOCK)
        app, idle = lock.members()["app"], lock.members()["idle"]
        self.assertTrue(lock.reaches(app, ("text", "0.8.0")))
        self.assertFalse(lock.reaches(app, ("text", "1.0.0")))
        self.assertFalse(lock.reaches(idle, ("text", "0.8.0")))


class Moves(unittest.TestCase):
    def test_what_moved_in_a_commit_is_told_by_any_upgrade_of_its_group_and_no_other(self):
        before, after = Lock(LOCK), Lock(LOCK.replace('"0.8.0"', '"0.8.1"').replace("text 0.8.0", "text 0.8.1"))
        groups = by_commit([upgrade("search", "c1"), upgrade("glob", "c1", ["text"]), upgrade("idle", "c2")])
        self.assertEqual(list(silent_moves(groups["c1"], before, after)), [])
        silent = list(silent_moves(groups["c2"], before, after))
        self.assertEqual(silent, ["text ['0.8.0', '1.0.0'] -> ['0.8.1', '1.0.0']"])

    def test_only_a_transitive_upgrade_may_name_no_place(self):
        class Side:
            lock = Lock(LOCK)
        one = {"name": "text", "from": "0.8.0", "to": "1.0.0", "places": []}
        self.assertEqual(list(absent_cargo(one, Side, Side)), ["it names no place"])
        self.assertEqual(list(absent_cargo({**one, "role": "transitive"}, Side, Side)), [])


if __name__ == "__main__":
    unittest.main()
