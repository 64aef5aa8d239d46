"""The words about the contests on real programs: a table, and a line for each dependency that ended lower. Pure."""

HEAD = ("program", "direct", "upgrades", "higher", "equal", "lower", "of these count", "trials", "built",
        "s ours", "s peer", "x", "cpu x", "peer's tree")


def told(rows):
    """All of it, as text."""
    lines = [cells(row) for row in rows]
    widths = [max(len(line[at]) for line in [HEAD, *lines]) for at in range(len(HEAD))]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in [HEAD, *lines]]
    lower = [line for row in rows for line in lowered(row)]
    return "\n".join([*shown, "", *(lower or ["no direct dependency ended lower"]), "", summary(rows)])


def cells(row):
    direct, own, peer = row["direct"], row["ours"], row["peer"]
    standing = [one["standing"] for one in direct]
    counted = sum(one.get("counts_as_lower", False) for one in direct)
    # Trials of commits by themselves are told apart.
    seconds = own["seconds"] - own["by_reason"].get("commit", 0)
    return (row["program"], str(len(direct)), str(own["upgrades"]),
            *(str(standing.count(word)) for word in ("higher", "equal", "lower")), str(counted),
            str(own["searched"]), str(own["built"]), f"{seconds:.0f}", f"{peer['seconds']:.0f}",
            f"{seconds / peer['seconds']:.1f}", f"{own['cpu'] / peer['cpu']:.1f}",
            "; ".join(verdict(project) for project in peer["projects"]))


def verdict(project):
    where = "" if project["project"] == "." else f"{project['project']}: "
    if project["passes"]:
        return where + "passes"
    return f"{where}red{' (so is the base)' if project['base'] else ''}, {project['why']}"


def lowered(row):
    for one in row["direct"]:
        if one["standing"] != "lower":
            continue
        why = one["reason"]
        mark = "LOWER" if one["counts_as_lower"] else "lower"
        idle = "" if one["exercised"] else ", no check compiles it"
        wanted = f" of {why['wanted']}" if "wanted" in why else ""
        yield (f"{mark} {row['program']} {one['name']} {one['base']} -> {one['ours']}, peer {one['peer']}{idle}: "
               f"{why['kind']}{wanted}: {' '.join(why['text'].split())[:200]}")


def summary(rows):
    own = [row["ours"] for row in rows]
    counted = sum(one.get("counts_as_lower", False) for row in rows for one in row["direct"])
    beside = sum(seconds for one in own for why, seconds in one["by_reason"].items() if why == "commit")
    return (f"{len(rows)} programs: {sum(one['upgrades'] for one in own)} upgrades, {counted} ended lower without a reason "
            f"that counts, {sum(one['searched'] for one in own)} trials of the search ({sum(one['built'] for one in own)} built; "
            f"{sum(one['trials'] for one in own)} with baseline, verification and commits), commits by themselves {beside:.0f} s; "
            f"load {max(max(row['load']) for row in rows):.1f} at most")
