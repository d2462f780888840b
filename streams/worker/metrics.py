"""What the worker measures of itself. Every name is explained in docs/reference/metrics.md."""

from prometheus_client import Counter, Gauge, Histogram

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)

LAG = Gauge("ullage_worker_lag_records", "Records in the journal that are not folded yet", ["partition"])
OFFSET = Gauge("ullage_worker_offset", "Next journal offset that the ledger expects", ["partition"])
RECORDS = Counter("ullage_worker_records_total", "Journal records folded", ["partition"])
READINGS = Counter("ullage_worker_readings_total", "Readings folded", ["partition"])
EFFECTS = Counter("ullage_worker_effects_total", "Effects written to the ledger", ["partition"])
QUARANTINED = Counter(
    "ullage_worker_quarantined_total", "Poison readings, records and effects set aside", ["partition"]
)
COMMIT_SECONDS = Histogram("ullage_worker_ledger_seconds", "One ledger transaction", ["partition"], buckets=_FAST)
CHECKPOINT_SECONDS = Gauge("ullage_worker_checkpoint_seconds", "The last checkpoint, from cut to commit", ["partition"])
RECOVERY_SECONDS = Gauge("ullage_worker_recovery_seconds", "The last recovery, from claim to caught up", ["partition"])
DIFFERENCES = Counter(
    "ullage_worker_need_differences_total",
    "Open needs in which ledger and state differed at a recovery",
    ["partition", "side"],
)
REWINDS = Counter(
    "ullage_worker_rewinds_total", "Times a partition went back to its checkpoint to leave something out", ["partition"]
)
FENCED = Counter("ullage_worker_fenced_total", "Partitions lost to another worker at a write", ["partition"])
