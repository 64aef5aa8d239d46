"""Reads Go modules through the go command."""

import json
import os

from .shell import output_of


def environment(scene):
    env = scene.environment()
    # A vendor folder would hide the module graph.
    env["GOFLAGS"] = (env["GOFLAGS"] + " -mod=readonly").strip()
    return env


def stream(text):
    """Values of concatenated JSON."""
    decoder, at, values = json.JSONDecoder(), 0, []
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        value, at = decoder.raw_decode(text, at)
        values.append(value)
    return values


def go_mod(scene, folder):
    """The go.mod of a folder, as data."""
    return json.loads(output_of(["go", "mod", "edit", "-json"], folder, environment(scene)))


def modules(scene, folder):
    """Path and version of everything in the module graph (go list -m all)."""
    answer = output_of(["go", "list", "-m", "-e", "-json", "all"], folder, environment(scene))
    return {one["Path"]: one["Version"] for one in stream(answer) if one.get("Version") and not one.get("Main")}


def direct(mod):
    """Path to version of the direct requirements, and of the modules that hold tools."""
    required = {one["Path"]: one["Version"] for one in mod.get("Require") or []}
    found = {one["Path"]: one["Version"] for one in mod.get("Require") or [] if not one.get("Indirect")}
    for tool in mod.get("Tool") or []:
        holders = [path for path in required if tool["Path"] == path or tool["Path"].startswith(path + "/")]
        if holders:
            module = max(holders, key=len)
            found[module] = required[module]
    return found


def line_key(text):
    """An ordering key of a go line (1.21, 1.21.3, 1.22rc1)."""
    parts, number = [], ""
    for char in text or "1.16":
        if char.isdigit():
            number += char
        else:
            parts.append(int(number or 0))
            number = ""
            if char not in ".":
                parts[-1:] = [parts[-1], -1] if parts else [-1]
                break
    if number:
        parts.append(int(number))
    return parts


def go_work_lines(scene, files):
    """The go lines of the go.work files at the clone's current commit."""
    lines = {}
    for name in files:
        if os.path.basename(name) == "go.work":
            data = json.loads(output_of(["go", "work", "edit", "-json", name], scene.clone, environment(scene)))
            lines[name] = data.get("Go")
    return lines
