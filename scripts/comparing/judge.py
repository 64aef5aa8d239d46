"""Judges the tree that a tool left, whichever tool it was: what holds for all cases, then what the case itself asks."""

import re
import tomllib

NUMBERS = re.compile(rb"[0-9]+(?:\.[0-9]+)*(?:[-+][0-9A-Za-z.-]+)*")
PRELUDE = ('locked() { grep -F -x -A1 "name = \\"$1\\"" "${3:-Cargo.lock}" | grep -F -q -x "version = \\"$2\\""; }\n')


def faults(stage, tree, case):
    """What is wrong with a tree, one line each; the first is the telling one."""
    checks = [parses, resolves, nothing_lower, bytes_stay]
    found = [fault for check in checks for fault in check(stage, tree)]
    ran = stage.run(["sh", "-c", PRELUDE + case["right"]], tree)
    if ran.returncode != 0:
        found.append(f"not so: {case['what']}")
    return found


def manifests(stage):
    return stage.run(["git", "ls-files", "*Cargo.toml"]).stdout.split()


def at_base(stage, path):
    return stage.run(["git", "show", f"HEAD:{path}"]).stdout.encode()


def parses(stage, tree):
    for path in manifests(stage):
        try:
            tomllib.loads((tree / path).read_text(encoding="utf-8-sig"))
        except ValueError as error:
            yield f"{path} does not parse: {error}"


def resolves(stage, tree):
    """Each lockfile fits its manifests without a change."""
    for lockfile in stage.lockfiles():
        ran = stage.run(["cargo", "metadata", "--locked", "--format-version=1"], tree / lockfile.parent)
        if ran.returncode != 0:
            lines = [line.strip() for line in ran.stderr.splitlines() if line.startswith("error") or "failed to" in line]
            yield f"{lockfile} does not fit the manifests: {lines[0] if lines else ran.stderr}"


def nothing_lower(stage, tree):
    """No package is locked at a lower version than before, and no requirement names a lower one."""
    for lockfile in stage.lockfiles():
        before = versions(at_base(stage, lockfile).decode())
        after = versions((tree / lockfile).read_text(encoding="utf-8"))
        for name in sorted(before.keys() & after.keys()):
            if min(after[name]) < min(before[name]) or max(after[name]) < max(before[name]):
                yield f"{name} goes down in {lockfile}"
    for path in manifests(stage):
        before, after = raw_base(stage, path), (tree / path).read_bytes()
        pairs = zip(NUMBERS.findall(before), NUMBERS.findall(after))
        fallen = [(old, new) for old, new in pairs if lower(new, old)]
        if NUMBERS.sub(b"#", before) == NUMBERS.sub(b"#", after) and fallen:
            yield f"a requirement in {path} goes from {fallen[0][0].decode()} to {fallen[0][1].decode()}"


def versions(lock):
    found = {}
    for package in tomllib.loads(lock).get("package", []):
        found.setdefault(package["name"], []).append(key(package["version"]))
    return found


def key(text):
    """The order of versions, near enough for what fixtures have: numbers, and a pre-release before its release."""
    plain = text.split("+")[0]
    core, _, pre = plain.partition("-")
    return [int(part) for part in core.split(".")], not pre, pre


def lower(new, old):
    new, old = (text.split(b"+")[0].split(b"-")[0].split(b".") for text in (new, old))
    length = min(len(new), len(old))
    return [int(part) for part in new[:length]] < [int(part) for part in old[:length]]


def bytes_stay(stage, tree):
    """Every byte of a manifest but the digits of versions is as it was."""
    for path in manifests(stage):
        if NUMBERS.sub(b"#", raw_base(stage, path)) != NUMBERS.sub(b"#", (tree / path).read_bytes()):
            yield f"more than versions changed in {path}"


def raw_base(stage, path):
    """The bytes at the base; a text would have lost its line ends."""
    file = stage.folder / "base"
    stage.run(["sh", "-c", f'git show "HEAD:{path}" > "{file}"'])
    return file.read_bytes()
