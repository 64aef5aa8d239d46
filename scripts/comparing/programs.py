"""Compares this tool with `update && test` on real programs at commits of mid-2024."""

import collections
import os
import pathlib
import shutil

from . import cargo_peer, checkout, go_peer, levels, ours

Program = collections.namedtuple("Program", "repository commit ecosystem")

PROGRAMS = [
    Program("sharkdp/hyperfine", "981db9d", "cargo"),
    Program("sharkdp/fd", "29936f0", "cargo"),
    Program("BurntSushi/ripgrep", "2f0a269f", "cargo"),
    Program("XAMPPRocky/tokei", "1770db0", "cargo"),
    Program("ajeetdsouza/zoxide", "063f9c1", "cargo"),
    Program("sharkdp/hexyl", "16cc5d9", "cargo"),
    Program("junegunn/fzf", "db01e7da", "go"),
    Program("mikefarah/yq", "f15500b2", "go"),
]

# By ecosystem: the peer, and what reads the versions of direct dependencies off a tree.
PEERS = {"cargo": (cargo_peer.CargoPeer, cargo_peer.levels), "go": (go_peer.GoPeer, go_peer.levels)}


def chosen(names):
    """The programs of these names (`fd` or `sharkdp/fd`); all of them where none is named."""
    known = {name: program for program in PROGRAMS for name in (program.repository, program.repository.split("/")[1])}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"no such program: {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return [known[name] for name in names] or PROGRAMS


def contest(program, options, folder):
    """Both sides on one program, each in a clone and a target directory of its own; the caches are filled before."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    source = checkout.found(options.repositories, program.repository)
    trees = {name: folder / name / program.repository.split("/")[1] for name in ("base", "theirs", "ours")}
    for tree in trees.values():
        commit = checkout.clone(source, program.commit, tree)
    make_peer, read = PEERS[program.ecosystem]
    peer = make_peer(trees["theirs"], folder, options.as_of)
    peer.warm()
    load = [os.getloadavg()[0]]
    projects = peer.play()
    load.append(os.getloadavg()[0])
    for project in projects:
        project["base"] = "" if project["passes"] else peer.base_is_red(pathlib.Path(project["project"]), trees["base"])
    flags = ["--min-age", "0", "--level", options.level, "--as-of", options.as_of, "--color", "never"]
    ran, report = ours.play(options.tool, trees["ours"], folder, flags)
    load.append(os.getloadavg()[0])
    direct = levels.compared(*(read(trees[name]) for name in ("base", "theirs", "ours")), report,
                             {project["project"]: project for project in projects})
    clear(folder, trees)
    row = {"program": program.repository, "commit": commit, "level": options.level, "as_of": options.as_of, "load": load,
           "peer": {"command": peer.command, "seconds": total(projects, "seconds"), "cpu": total(projects, "cpu"),
                    "projects": projects},
           "ours": ours.figures(ran, report), "direct": direct, "report": str(trees["ours"] / "xupgrade.out/report.json")}
    return row


def total(projects, key):
    return sum(sum(project[key].values()) for project in projects)


def clear(folder, trees):
    """Drops what is large; trees, logs and the report stay."""
    for place in [folder / "cache", folder / "home", *(tree / "target" for tree in trees.values())]:
        shutil.rmtree(place, ignore_errors=True)
