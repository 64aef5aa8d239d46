"""Compares where direct dependencies ended, and says which of those that ended lower have a reason that counts. Pure."""

from auditing import semver

# What a configuration, a flag or a manifest asks for and the peer does not heed.
CHOSEN = {"pinned", "held_by_user", "not_selected", "too_young", "level_not_asked", "git_source", "path_source",
          "other_registry", "replaced"}

# What the peer does not look at: its tests pass, and tracked files of its tree are no longer as they were committed.
UNSEEN = {"changes_files"}


def compared(base, theirs, ours, report, projects):
    """One entry for each direct dependency, users put together. `projects` are those of the peer, by path."""
    rows = {}
    for (project, user, name), versions in sorted(base.items()):
        peers = matched(versions, theirs.get((project, user, name), []))
        own = matched(versions, ours.get((project, user, name), []))
        for at, peer, mine in zip(versions, peers, own):
            if peer and mine:
                row = rows.setdefault((project, name, at, peer, mine), [])
                row.append(user)
    return [entry(key, users, report, projects[key[0]]) for key, users in rows.items()]


def matched(versions, others):
    """For each version the one in its place: by order where there are as many, else the one of the same kind."""
    if len(versions) == len(others):
        order = sorted(range(len(versions)), key=lambda at: semver.key(versions[at]))
        return [one for _, one in sorted(zip(order, sorted(others, key=semver.key)))]
    kinds = {semver.compatibility(other): other for other in others}
    return [kinds.get(semver.compatibility(version)) for version in versions]


def entry(key, users, report, project):
    path, name, at, peer, mine = key
    exercised = any([name, version] == list(one) for version in {peer, mine} for one in project["exercised"])
    row = {"project": path, "name": name, "users": users, "base": at, "peer": peer, "ours": mine,
           "exercised": exercised, "standing": standing(mine, peer)}
    if row["standing"] == "lower":
        row["reason"] = reason(report, path, name, at, peer)
        row["counts_as_lower"] = exercised and project["passes"] and not excused(row["reason"])
    return row


def standing(mine, peer):
    if semver.same(mine, peer):
        return "equal"
    return "lower" if semver.key(mine) < semver.key(peer) else "higher"


def reason(report, project, name, at, peer):
    """What the report says of the peer's version: of it, or of the nearest of the same kind, first one above it."""
    said = [one for one in held(report, project, name, at) if one.get("wanted")]
    alike = [one for one in said if semver.compatibility(one["wanted"]) == semver.compatibility(peer)]
    above = [one for one in alike if semver.key(one["wanted"]) >= semver.key(peer)]
    if above:
        return above_peer(min(above, key=wanted))
    return above_peer(max(alike or said, key=wanted)) if said else {"kind": "none", "text": "the report gives no reason"}


def wanted(one):
    return semver.key(one["wanted"])


def above_peer(one):
    return {"wanted": one["wanted"], **one["reason"]}


def held(report, project, name, at):
    for one in report["held"]:
        if (one["project"], one["name"], one["at"]) == (project, name, at):
            yield one
    for one in report["upgrades"]:
        if (one["project"], one["name"], one["from"]) == (project, name, at):
            yield from one.get("failed_above", [])


def excused(why):
    """Whether a reason counts: a choice of the project or the caller, or a failure of what the peer does not run."""
    command = (why.get("evidence") or {}).get("command", "")
    return why["kind"] in CHOSEN | UNSEEN or bool(command) and "test" not in command.split()
