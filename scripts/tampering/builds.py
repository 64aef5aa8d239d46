"""Tips and commits that do not build, or hold more than they need."""

import subprocess

from .world import GO_MODULE, lock, tamper

# tip

@tamper("tip", "exit 101")
def the_tip_does_not_compile(world):
    lock(world, "parser", "2.0.0", "2.1.0")
    world.amend()


@tamper("tip", "exit 101")
def a_test_of_the_tip_fails(world):
    lock(world, "sorter", "1.0.1", "1.1.0")
    world.amend()


@tamper("tip", "exit 101")
def the_lockfile_does_not_fit_the_manifests(world):
    world.edit("text/Cargo.toml", 'sorter = "', 'sorter = ">=1.0.1, ')
    lock(world, "sorter", "1.0.1", "1.0.0")
    world.amend()


@tamper("tip", "tests ran; the report says")
def the_report_claims_more_tests_than_there_are(world):
    for trial in world.report["trials"]:
        for cell in trial["cells"]:
            cell["tests"] += 1


@tamper("tip", "no passed trial with cells")
def no_trial_has_cells(world):
    for trial in world.report["trials"]:
        trial["cells"] = []


# evidence

@tamper("evidence", "none does")
def nothing_compiles_the_release_of_an_upgrade(world):
    world.upgrade("sorter")["to"] = "1.1.0"


@tamper("evidence", "none does")
def nothing_compiles_the_module_of_an_upgrade(world):
    world.upgrade(GO_MODULE)["to"] = "v1.9.0"


@tamper("evidence", "none does", "go_tools")
def no_tool_is_built_at_the_release_of_an_upgrade(world):
    world.upgrade("demo.test/gen")["to"] = "v1.2.0"


# builds

@tamper("builds", "--keep-going`: text (lib)")
def the_workspace_does_not_build(world):
    the_tip_does_not_compile(world)


@tamper("builds", "--all-targets`: app (example \"broken\")")
def an_example_does_not_build(world):
    world.write("app/examples/broken.rs", "fn main() { missing(); }\n")
    world.amend()


@tamper("builds", "--all-targets`: speed (bench \"speed\")", "cargo_beyond_tests")
def a_bench_breaks_beside_one_that_never_compiled(world):
    world.write("speed/benches/speed.rs", "fn main() { missing(); }\n")
    world.amend()


@tamper("builds", "`go build -o /dev/null ./...`: demo.test/svc/cmd/broken")
def a_go_program_does_not_build(world):
    world.write("svc/cmd/broken/main.go", "package main\n\nfunc main() { missing() }\n")
    world.amend()


@tamper("builds", "`go build -o /dev/null demo.test/gen/cmd/gen`: demo.test/gen/cmd/gen", "go_tools")
def a_tool_of_go_mod_does_not_build(world):
    get(world, ".", "demo.test/gen@v1.2.0")
    world.amend()


@tamper("builds", "`go build -tags=tools -o /dev/null demo.test/app/broken`: demo.test/app/broken", "go_tools")
def a_tool_of_tools_go_does_not_build(world):
    world.write("broken/main.go", "package main\n\nfunc main() { missing() }\n")
    world.edit("tools.go", 'import _ "demo.test/lint/cmd/lint"', 'import (\n\t_ "demo.test/app/broken"\n\t_ "demo.test/lint/cmd/lint"\n)')
    world.amend()


def get(world, folder, release):
    subprocess.run(["go", "get", release], cwd=world.repo / folder, check=True, stderr=subprocess.DEVNULL)


# alone

@tamper("alone", "#text`: text (lib)")
def a_member_needs_a_feature_that_only_its_neighbour_turns_on(world):
    world.edit("text/Cargo.toml", "[dependencies]", "[features]\nwhole = []\n\n[dependencies]")
    world.edit("app/Cargo.toml", 'text = { path = "../text" }', 'text = { path = "../text", features = ["whole"] }')
    world.edit("text/src/lib.rs", "pub use", '#[cfg(not(feature = "whole"))]\ncompile_error!("not whole");\n\npub use')
    world.amend()


@tamper("alone", "#thin`: thin (lib)", "cargo_members_alone")
def a_release_builds_in_the_workspace_and_not_below_a_member_alone(world):
    lock(world, "shape", "1.0.0", "1.0.1")
    world.amend()


@tamper("alone", "--features right`: app (lib)", "cargo_other_builds")
def a_feature_that_turns_an_upgraded_dependency_on_does_not_build(world):
    world.edit("src/lib.rs", '#[cfg(feature = "art")]', '#[cfg(feature = "right")]\ncompile_error!("not right");\n\n#[cfg(feature = "art")]')
    world.amend()


# moves

@tamper("moves", "ansi-mark 1.1.0 can go back to 1.0.0")
def a_package_moved_for_nothing(world):
    lock(world, "paint", "1.2.3", "1.2.0")
    world.report["upgrades"].remove(world.upgrade("paint"))
    world.amend()


@tamper("moves", "leaf 1.1.0 can go back to 1.0.0", "cargo_unlocks")
def a_package_below_one_that_was_unlocked_moved_for_nothing(world):
    lock(world, "leaf", "1.0.0", "1.1.0")
    world.amend()


# commits

@tamper("commits", "resolves")
def a_commit_does_not_resolve(world):
    world.edit("Cargo.lock", 'name = "sorter"\nversion = "1.0.1"', 'name = "sorter"\nversion = "1.0.7"')
    world.amend()


@tamper("commits", "builds")
def the_last_commit_does_not_build(world):
    the_tip_does_not_compile(world)


@tamper("commits", "commit 7 of 8")
def a_commit_below_the_tip_does_not_build(world):
    lock(world, "parser", "2.0.0", "2.1.0")
    world.commit("broken")
    lock(world, "parser", "2.1.0", "2.0.0")
    world.commit("mended")


@tamper("commits", "commit 2 of 3", "cargo_beyond_tests")
def a_commit_below_the_tip_breaks_a_bench_beside_one_that_never_compiled(world):
    path = "speed/benches/speed.rs"
    text = (world.repo / path).read_text()
    world.write(path, "fn main() { missing(); }\n")
    world.commit("broken")
    world.write(path, text)
    world.commit("mended")


# sums

@tamper("sums", "changes it", "go_work_sums")
def hashes_that_the_workspace_needs_are_in_no_commit(world):
    (world.repo / "go.work.sum").unlink()
    world.amend()


@tamper("sums", "commit 2", "go_work_sums")
def a_commit_takes_hashes_away(world):
    (world.repo / "go.work.sum").unlink()
    world.commit("fewer")
