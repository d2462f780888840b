"""An independent audit of an installation that has stopped, against what its devices and suppliers were told.

    python -m tests.faults.auditor DATA WORLD

DATA is the installation's folder, WORLD that of `devices_sim --keep-readings`. Prints what is wrong, one line each.
The four stores are only read. What it holds them to: accepted means durable, everything counts once, every decision
follows from the journal, the books balance, no account sees another's.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from tests.faults.audit import decisions, goods, readings
from tests.faults.audit.evidence import Evidence, Replayed, collected

CHECKS = (readings.check, decisions.check, goods.check)


def audit(data: Path, world: Path, replayed: Replayed | None = None) -> list[str]:
    """What is wrong, a sentence each; empty: nothing. `replayed`: see `collected`."""
    with collected(data, world, replayed) as evidence:
        return list(findings(evidence))


def findings(evidence: Evidence) -> Iterator[str]:
    for check in CHECKS:
        yield from check(evidence)


def main() -> int:
    data, world = map(Path, sys.argv[1:])
    wrong = audit(data, world)
    print("\n".join(wrong) or "Nothing is wrong.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
