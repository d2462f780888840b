"""Settings of the worker, with the reasons for their defaults."""

from dataclasses import dataclass
from pathlib import Path

from models.units import DAY


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """Times are real time, in seconds, unless they say otherwise."""

    broker: str
    """URL of the stream engine's broker: `sqlite:////path/journal.db` or `kafka://host:port`."""
    datadir: Path
    """Where Faust keeps its own files; no state of ours."""
    installation: str = "ullage"
    """Names the consumer group: two installations may share a broker."""
    owner: str = "worker"
    """Who claims partitions, for people who read the ledger."""

    merge_readings: int = 20_000
    """At most so many readings are folded in one call: bounds how long the event loop is held (about 10 ms)."""
    commit_interval: float = 0.02
    """Decisions of so much time share one ledger transaction."""
    behind_interval: float = 0.25
    """The same while the worker is behind, where nobody waits for milliseconds."""
    commit_effects: int = 5_000
    """So many decisions are committed without waiting for the interval."""
    most_decisions: int = 50
    """Of more than this a transaction is cut between two records: a need takes about 10 ms."""
    show_rows: int = 500
    """Views and usage go to the ledger in transactions of so many rows: about 10 ms."""
    show_share: float = 0.25
    """They take at most so much of the time, so that other writers come in between; what waits is the newest."""
    position_interval: float = 5.0
    """Without effects the ledger learns this often how far the worker is, for people who look at its lag."""
    pending_effects: int = 50_000
    """Folding waits for the ledger above so many undelivered decisions (backpressure)."""
    pending_readings: int = 200_000
    """Folding waits for the ledger above so many readings whose records are not committed yet."""

    checkpoint_readings: int = 2_000_000
    """Replay debt that makes a checkpoint due: about two seconds of recovery."""
    checkpoint_interval: float = 300.0
    checkpoint_pause: float = 10.0
    """Not more often than this: a checkpoint writes 100 MB per million slots."""
    keep_journal_ms: int = 7 * DAY
    """Records younger than this (append time, ms) stay in the journal though no checkpoint needs them..."""
    keep_journal_bytes: int = 10_000_000_000
    """...while the journal takes less room than this."""

    series_interval: float = 1.0
    """Closed buckets are written at most this often..."""
    series_rows: int = 20_000
    """...or when so many rows wait."""
    series_limit: int = 1_000_000
    """The worker ends when so many rows wait for a series store that does not answer."""

    unavailable: float = 30.0
    """A store may be away for so long before the process ends and the supervisor starts it anew."""
    stuck: float = 60.0
    """Records wait and none was folded for so long: the consumer is dead, the process ends."""
    stop_timeout: float = 4.0
    """A clean stop that takes longer is abandoned; recovery then replays a little more."""
    accept_logic: bool = False
    """Replay with this version of the logic what another version decided (`ullage worker --accept-logic`)."""
