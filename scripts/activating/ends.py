"""The end of a run without configuration: what counts, its cause where it does not, and the table."""

import collections

# Reasons that lie in a project, its toolchain or our reading of it, and not in a release: with one of them nothing is known.
OF_THE_PROJECT = {"baseline_red", "unsupported_project", "broken_project", "toolchain_missing", "no_lockfile", "not_exercised",
                  "registry_refused", "registry_unreachable", "not_cached", "inconclusive"}


def judged(code, report, log, is_late):
    """The end of a run: a word for it, whether it counts, and the cause in one line."""
    if report is None:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        return {"end": f"exit {code}", "counts": False, "upgraded": 0, "held": 0, "cause": lines[-1] if lines else "silent"}
    upgraded, reasons = len(report["upgrades"]), [one["reason"] for one in report["held"]]
    numbers = {"upgraded": upgraded, "held": len(reasons), "newest": len(report["newest"])}
    whole = [reason for reason in reasons if reason["kind"] in OF_THE_PROJECT]
    cause = first(whole or ([] if upgraded else reasons))
    if report["branch"]:
        return {"end": "branch", "counts": True, **numbers, "cause": cause}
    if is_late:
        return {"end": "too long", "counts": False, **numbers, "cause": "interrupted at the limit"}
    if code != 0 or whole:
        return {"end": f"exit {code}", "counts": False, **numbers, "cause": cause}
    return {"end": "nothing to do", "counts": True, **numbers, "cause": cause}


def first(reasons):
    """The commonest kind of reason with the text of its first."""
    if not reasons:
        return ""
    (kind, count), = collections.Counter(reason["kind"] for reason in reasons).most_common(1)
    return f"{count} x {kind}: {next(one['text'] for one in reasons if one['kind'] == kind)}"


def line(row):
    """One row as a line of talk."""
    return f"{row['name']}: {row['end']}, {row['upgraded']} upgraded, {row['held']} held, {row['seconds']} s {row['cause'][:160]}"


def table(rows):
    """All rows as a table, and the share that counts."""
    lines = ["| repository | kind | end | upgraded | held | newest | first line s | s | cause |", "|---|---|---|---|---|---|---|---|---|"]
    for row in rows:
        cause = row["cause"].replace("|", "/").replace("\n", " ")[:140]
        lines.append(f"| {row['name']} | {row['kind']} | {row['end']} | {row['upgraded']} | {row['held']} | {row.get('newest', '')} "
                     f"| {row['first']} | {row['seconds']:.0f} | {cause} |")
    counting = sum(row["counts"] for row in rows)
    share = 100 * counting // len(rows) if rows else 0
    return "\n".join([*lines, "", f"{counting} of {len(rows)} end in a branch or with nothing to do ({share} %)"])
