"""How far the worker is behind the journal: its own gauge, from the file that it leaves every two seconds.

The ledger's offset would not do: it stands still where nothing is decided, and looks like a lag that grows.
"""

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from ullage import gauges

GAUGE = "ullage_worker_lag_records"


def worker_lag(data: Path) -> int:
    """Records of the slowest partition that are not folded yet; 0 before the worker has told."""
    file = gauges.folder(data) / "worker.prom"
    if not file.exists():
        return 0
    told = [f for f in text_string_to_metric_families(file.read_text()) if f.name == GAUGE]
    return int(max((sample.value for family in told for sample in family.samples), default=0))
