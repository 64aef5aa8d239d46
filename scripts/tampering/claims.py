"""False claims: of trees and commits, of levels, of lists."""

import subprocess

from .world import GO_MODULE, tamper

# history

@tamper("history", "a fresh clone holds no")
def the_tip_is_amended(world):
    world.git("commit", "--quiet", "--amend", "--message", "other words")


@tamper("history", "is at the tip")
def the_branch_went_on(world):
    world.git("commit", "--quiet", "--allow-empty", "--message", "one more")


@tamper("history", "tip_tree, tested_tree")
def the_tested_tree_is_another(world):
    world.report["tested_tree"] = world.report["trials"][0]["tree"]


@tamper("history", "passed the whole matrix")
def no_trial_passed_on_the_tree(world):
    for trial in world.report["trials"]:
        if trial["tree"] == world.report["tip_tree"]:
            trial["verdict"] = "failed"


@tamper("history", "passed the whole matrix")
def a_cell_of_the_proof_was_red(world):
    for trial in world.report["trials"]:
        if trial["tree"] == world.report["tip_tree"]:
            trial["cells"][-1]["exit"] = 1


@tamper("history", "passed the whole matrix")
def a_check_was_left_out_of_the_proof(world):
    for trial in world.report["trials"]:
        trial["cells"] = trial["cells"][:1]


@tamper("history", "reaches the base in")
def an_upgrade_is_dropped_from_the_report(world):
    world.report["upgrades"].pop(0)


@tamper("history", "has a tree that failed")
def a_commit_failed_in_a_trial(world):
    tree = world.report["commits"][0]["tree"]
    world.report["trials"].append({**world.report["trials"][-1], "id": "t99", "verdict": "failed", "tree": tree})


@tamper("history", "and none is empty")
def a_commit_changes_nothing(world):
    words = world.git("log", "-1", "--format=%B")
    world.git("commit", "--quiet", "--allow-empty", "--message", words)
    world.follow()


@tamper("history", "lists the commits")
def a_commit_is_told_with_another_tree(world):
    world.report["commits"][0]["tree"] = world.report["tip_tree"]


@tamper("history", "touches")
def a_commit_touches_a_source_file(world):
    (world.repo / "text/src/lib.rs").write_text("// gone\n")
    world.amend()


@tamper("history", "trailer Xupgrade-Upgrade")
def a_trailer_is_missing(world):
    world.git("commit", "--quiet", "--amend", "--message", "no trailer")
    world.follow()


@tamper("history", "has the parents")
def the_branch_holds_a_merge(world):
    world.git("checkout", "--quiet", "--detach", "HEAD^")
    merge = world.git("commit-tree", "-p", "HEAD", "-p", world.report["base"], "-m",
                      subprocess.run(["git", "log", "-1", "--format=%B", world.report["tip"]], cwd=world.repo,
                                     stdout=subprocess.PIPE, check=True).stdout.decode(), world.report["tip_tree"])
    world.git("checkout", "--quiet", "-B", world.report["branch"], merge)
    world.follow()


# levels

@tamper("levels", "no package is lower")
def a_package_is_lowered(world):
    world.edit("Cargo.lock", 'name = "brittle"\nversion = "1.1.0"', 'name = "brittle"\nversion = "1.0.0"')
    world.amend()


@tamper("levels", "format")
def the_lockfile_has_another_format(world):
    text = (world.repo / "Cargo.lock").read_text()
    version = next(line for line in text.splitlines() if line.startswith("version = "))
    world.edit("Cargo.lock", version, "version = 3" if version == "version = 4" else "version = 4")
    world.amend()


@tamper("levels", "is at 9.9.9")
def an_upgrade_claims_more_than_it_did(world):
    world.report["upgrades"][0]["to"] = "9.9.9"


@tamper("levels", "no package is lower")
def an_edge_leads_to_an_older_package(world):
    world.edit("Cargo.lock", 'name = "ledger"\nversion = "0.4.2"', 'name = "ledger"\nversion = "0.3.9"')
    world.amend()


@tamper("levels", "all that moved with paint is told")
def a_package_moves_silently(world):
    world.upgrade("paint")["also_moved"] = []


@tamper("levels", "the go line and the toolchain")
def the_go_line_is_raised(world):
    world.edit("svc/go.mod", "go 1.21", "go 1.22")
    world.amend()


@tamper("levels", "no module is lower")
def a_module_is_lowered(world):
    upgrade = world.upgrade(GO_MODULE)
    file, text = world.repo / "svc/go.mod", (world.repo / "svc/go.mod").read_text()
    for one in (upgrade, upgrade["also_moved"][0]):
        text = text.replace(f"{one['name']} {one['to']}", f"{one['name']} {one['from']}")
    file.write_text(text)
    world.git("commit", "--quiet", "--all", "--message", "down again")
    # As if the run had begun where it ended.
    world.report["base"] = world.report["tip"]
    world.follow()


@tamper("levels", "all that moved in go.mod is told")
def a_module_moves_silently(world):
    world.upgrade(GO_MODULE)["also_moved"] = []


@tamper("levels", "go.sum lacks")
def a_hash_is_missing_from_go_sum(world):
    file = world.repo / "svc/go.sum"
    name = world.upgrade(GO_MODULE)["name"]
    file.write_text("".join(line for line in file.read_text().splitlines(True) if not line.startswith(name + " ")))
    world.amend()


@tamper("levels", "is at v9.9.9")
def a_module_claims_more_than_it_did(world):
    world.upgrade(GO_MODULE)["to"] = "v9.9.9"


# lists

@tamper("lists", "demo.test/ids is in 0 lists")
def a_module_vanishes(world):
    world.report["newest"] = [one for one in world.report["newest"] if one["name"] != "demo.test/ids"]


@tamper("lists", "nothing in common")
def a_dependency_is_listed_twice(world):
    world.report["newest"].append({key: world.held("parser")[key] for key in ("ecosystem", "project", "name", "at", "places")})


@tamper("lists", "exactly one list: text/Cargo.toml dependencies brittle is in 0 lists")
def a_dependency_vanishes(world):
    world.report["newest"] = [one for one in world.report["newest"] if one["name"] != "brittle"]


@tamper("lists", "is listed at 7.7.7")
def a_dependency_is_listed_at_another_version(world):
    world.report["newest"][0]["at"] = "7.7.7"


@tamper("lists", "every manifest belongs to a reported project")
def a_project_is_forgotten(world):
    world.report["projects"][0]["manifests"].remove("text/Cargo.toml")
    world.report["projects"][0]["manifests"].sort()
