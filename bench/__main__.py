"""`python -m bench [NAME ...]`: measure, print one table, keep the figures in bench/results/ as JSON.

Each module has `run() -> dict` (the figures) and `rows(figures)` (what, measured, at least, go for)."""

import importlib
import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

BENCHES = ("gateway", "worker", "serve", "api", "week")
RESULTS = Path(__file__).parent / "results"


def machine() -> dict[str, Any]:
    with Path("/proc/cpuinfo").open() as f:
        model = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), platform.processor())
    return {"cores": os.cpu_count(), "cpu": model, "python": platform.python_version(), "load": os.getloadavg()[0]}


def commit() -> str:
    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip()


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"no bench {', '.join(unknown)}; there are: {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    RESULTS.mkdir(exist_ok=True)
    table = Table(title=f"Measured on {machine()['cores']} cores, {machine()['cpu']}", title_justify="left")
    for column in ("what", "measured", "at least", "go for"):
        table.add_column(column)
    for name in names or BENCHES:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        before = machine()
        module = importlib.import_module(f"bench.{name}")
        figures = module.run()
        kept = {
            "command": f"python -m bench {name}",
            "commit": commit(),
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": before,
            "seed": getattr(module, "SEED", None),
            "figures": figures,
        }
        (RESULTS / f"{name}.json").write_text(json.dumps(kept, indent=2) + "\n")
        for row in module.rows(figures):
            table.add_row(*row)
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
