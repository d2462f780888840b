"""How far the worker is behind the journal: its own gauge, from the file that it leaves every two seconds.

The ledger's offset would not do: it stands still where nothing is decided, and looks like a lag that grows.
"""

import time
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from ullage import gauges

GAUGE = "ullage_worker_lag_records"
FRESH_S = 5 * gauges.EVERY_S
"""What is older was left by a worker that is gone."""


def worker_lag(data: Path, now: float | None = None) -> int | None:
    """Records of the slowest partition that are not folded yet; None when no worker tells. `now`: Unix time."""
    file = gauges.folder(data) / "worker.prom"
    if not file.exists() or (time.time() if now is None else now) - file.stat().st_mtime > FRESH_S:
        return None
    told = [f for f in text_string_to_metric_families(file.read_text()) if f.name == GAUGE]
    return int(max((sample.value for family in told for sample in family.samples), default=0))
