"""Versions and Cargo requirements, as https://semver.org and the Cargo book say."""

import re


def key(text):
    """An ordering key. Go's `v`, build metadata and `+incompatible` do not count."""
    text = text.removeprefix("v").split("+", 1)[0]
    core, _, pre = text.partition("-")
    numbers = [int(part) for part in core.split(".")]
    numbers += [0] * (3 - len(numbers))
    parts = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in pre.split(".")] if pre else []
    return (*numbers, 0 if pre else 1, parts)


def same(a, b):
    return key(a) == key(b)


def compatibility(version):
    """Cargo's compatibility class: versions of one class are not locked side by side."""
    major, minor, patch = key(version)[:3]
    if major:
        return (major,)
    return (0, minor) if minor else (0, 0, patch)


def admits(requirement, version):
    """Whether a Cargo requirement admits a version (pre-releases: only where a comparator names the same triple)."""
    comparators = [part.strip() for part in requirement.split(",")]
    parsed = [one for one in map(comparator, comparators) if one]
    wanted = key(version)
    if wanted[3] == 0 and not any(low[3] == 0 and low[:3] == wanted[:3] for low, _, _ in parsed):
        return False
    return all(low <= wanted and (high is None or wanted < high) and not exclude(wanted) for low, high, exclude in parsed)


def comparator(text):
    """(least, first above, what is excluded all the same) of one comparator; None admits everything."""
    match = re.fullmatch(r"(=|>=|<=|>|<|~|\^)?\s*(.+)", text)
    operator, rest = match[1] or "^", match[2].strip()
    core, dash, pre = rest.split("+")[0].partition("-")
    parts = []
    for part in core.split("."):
        if part in ("*", "x", "X"):
            operator = "~" if operator == "^" else operator
            break
        parts.append(int(part))
    if not parts:
        return None
    full = parts + [0] * (3 - len(parts))
    low = key(".".join(map(str, full)) + dash + pre)
    above = bounds(operator, parts)
    nothing = lambda _: False  # noqa: E731
    zero = (0, 0, 0, 0, [])
    if operator == "=" and len(parts) == 3:
        return low, None, lambda version: version != low
    if operator in ("=", "~", "^"):
        return low, floor(above), nothing
    if operator == ">=":
        return low, None, nothing
    if operator == ">":
        return (low, None, lambda version: version == low) if len(parts) == 3 else (floor(bounds("~", parts)), None, nothing)
    if operator == "<":
        return zero, low if dash else floor(full), nothing
    return (zero, None, lambda version: version > low) if len(parts) == 3 else (zero, floor(bounds("~", parts)), nothing)


def bounds(operator, parts):
    if operator in ("~", "="):
        index = min(len(parts), 2) - 1
    else:
        index = next((at for at, part in enumerate(parts) if part), len(parts) - 1)
    return [*parts[:index], parts[index] + 1, *[0] * (2 - index)]


def floor(numbers):
    return (*numbers, 0, [])
