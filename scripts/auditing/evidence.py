"""What stands behind each upgrade is true of the last tree: a check compiles what claims `compiled` or `tests`."""

from . import matrix, raise_cargo, raise_go, red
from .ready import at_commit

WAYS = {"cargo": raise_cargo, "go": raise_go}


def check(scene, ledger):
    claims = [one for one in scene.report["upgrades"] if one["proof"] != "none"]
    if not claims:
        ledger.skipped("proofs", "no upgrade claims one")
        return
    red.learn(scene, ledger)
    at_commit(scene, ledger, scene.tip)
    found = {ecosystem: units_of(scene, ecosystem) for ecosystem in {one["ecosystem"] for one in claims}}
    for one in claims:
        seen = WAYS[one["ecosystem"]].is_among(found[one["ecosystem"]], one["name"], one["to"])
        ledger.judge(f"{one['ecosystem']} {one['project']}: a check compiles {one['name']} {one['to']} at the tip ({one['proof']})",
                     [] if seen else ["none does"])


def units_of(scene, ecosystem):
    """All that the checks of the last tree compile, as the ecosystem names it."""
    cells = [cell for cell in matrix.cells(scene) if cell.label.startswith(ecosystem + " ")]
    return {unit for cell in cells for unit in WAYS[ecosystem].units(scene, cell)}
