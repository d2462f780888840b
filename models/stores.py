"""What the core's surroundings must offer. The docstrings are the contract that tests/contract holds backends to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from models.effects import Decision, Shown


class StoreError(Exception):
    """A store could not do what was asked. The message says what happened, to what, and what to do."""


class Unavailable(StoreError):
    """A passing fault (locked, disconnected, full disk): the same call may succeed later. Nothing was written."""


class Fenced(StoreError):
    """Another process owns the partition by now; what was offered was not written."""


class BadEffect(StoreError):
    """A decision cannot be applied (a data error); index -1: what is due, or all together. Nothing was written."""

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(f"decision {index}: {reason}")
        self.index = index
        self.reason = reason


class Record(NamedTuple):
    offset: int
    value: bytes


class Journal(Protocol):
    """The partitioned, durable, replayable record of what came in. A partition's offsets are 0, 1, 2, ..."""

    @property
    def id(self) -> str:
        """Random, made once when the journal is created."""

    @property
    def partitions(self) -> int: ...

    def append(self, records: Sequence[tuple[int, bytes]]) -> list[int]:
        """Append (partition, value) pairs in one durable commit; their offsets. On return they survive a power cut.

        Raises Unavailable: none of them was appended."""

    def read(self, partition: int, offset: int, limit: int = 1000, max_bytes: int = 4 << 20) -> list[Record]:
        """Consecutive records from `offset` on, at least one if there is one. Raises StoreError below `earliest`."""

    def earliest(self, partition: int) -> int: ...

    def end(self, partition: int) -> int:
        """The offset that the next record will get."""

    def truncate(self, partition: int, before: int) -> int:
        """Drop records below `before`; how many went."""

    def offset_at(self, partition: int, at: int) -> int:
        """The first offset appended at or after `at` (ms, real time): where retention by age ends."""

    def size_bytes(self) -> int:
        """Room that the records of all partitions take, for retention by size."""

    def close(self) -> None: ...


class Claim(NamedTuple):
    epoch: int
    offset: int  # the next journal offset that the ledger expects of this partition
    journal: str  # id of the journal that the offsets belong to; "" if never claimed


@dataclass(frozen=True, slots=True)
class Skip:
    """What is left out of the record at `offset`: reading `index`, or -1 for all of it."""

    offset: int
    index: int
    device: int
    code: str
    reason: str
    raw: bytes
    request: str = ""
    """Its id, if the record is a request: whoever made it gets an answer."""


class Part(NamedTuple):
    """What one record decided, or several frames that were folded as one."""

    through: int
    decisions: Sequence[Decision]


Blame = Callable[[int, Decision, str], Skip | None]
"""Part number, one of its decisions that cannot be applied, why: the reading or request that caused it, to be left out.
None: time or a fact did, which no replay can do without."""


class DecisionLedger(Protocol):
    """What the worker needs of the ledger."""

    def claim(self, partition: int, owner: str, journal: str) -> Claim:
        """Take the partition: epoch + 1. From now on every older epoch is fenced."""

    def apply(self, partition: int, epoch: int, through: int, now: int, decisions: Sequence[Decision]) -> None:
        """Apply what records below offset `through` decided, and fire what is due in this partition at `now` (ms), in
        one transaction `where epoch = mine and offset < through`. A repeated call changes nothing.

        Raises Fenced, BadEffect (with the index), Unavailable."""

    def salvage(
        self, partition: int, epoch: int, through: int, now: int, parts: Sequence[Part], blame: Blame
    ) -> Skip | None:
        """What `apply` refused with BadEffect, as far as it can be applied, in one transaction.

        Of a decision that cannot be applied `blame` is asked. A reading or request: it is quarantined and remembered as
        skipped, the parts before its own are applied, nothing else, and it is returned. Else (time, a fact) an alert
        stands for the decision, a need is answered as refused, and the rest goes on; None. A repeated call changes
        nothing. Raises Fenced, Unavailable."""

    def show(self, partition: int, epoch: int, through: int, now: int, shown: Sequence[Shown]) -> None:
        """Write how slots stand and what they used, at most one of each slot (and day): it replaces what is there.

        In a transaction of its own, which also takes the offset to `through`: all that records below it decided must
        have been applied. What cannot be written (a data error) is left out, with an alert. Raises Fenced,
        Unavailable."""

    def has_due(self, partition: int, now: int) -> bool:
        """Is there a row with due_at <= now, so that `apply` must be called without effects?"""

    def skipped(self, partition: int) -> frozenset[tuple[int, int]]:
        """(offset, index of the reading in its record, -1 for all of it) that replays must leave out."""

    def skip(self, partition: int, epoch: int, now: int, skip: Skip) -> None:
        """Quarantine a poison reading or record and remember to leave it out. Raises Fenced, Unavailable."""

    def open_needs(self, partition: int) -> set[tuple[int, int, int]]:
        """(slot, cycle, attempt) of the open needs of this partition's sites."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A partition's whole state between two records."""

    journal: str
    epoch: int
    offset: int  # the next record to read
    time: int  # last tick, ms
    logic: str  # version of the logic that made it
    blocks: tuple[tuple[str, bytes], ...]


class StateStore(Protocol):
    def claim(self, partition: int, epoch: int) -> None:
        """Take the partition. Raises Fenced if a higher epoch was there."""

    def save(self, partition: int, checkpoint: Checkpoint) -> None:
        """Write in one transaction `where epoch = mine`; keeps the two newest. Raises Fenced, Unavailable."""

    def load(self, partition: int, most: int = 2, skip: int = 0) -> list[Checkpoint]:
        """At most `most` of the kept ones, newest first, without the `skip` newest.

        Raises StoreError when one is damaged."""

    def close(self) -> None: ...


class Bucket(NamedTuple):
    """A slot's closed 15-minute bucket. Levels in per cent (middle of the interval)."""

    slot: int
    start: int  # ms
    readings: int
    hash: int  # XOR of reading hashes
    first: float
    last: float
    low: float


class Point(NamedTuple):
    """One value outside the buckets: kind is "refill", "late", "forecast" or the name of a measure."""

    subject: str  # "slot/40", "device/12"
    kind: str
    ts: int
    value: float
    key: int = 0  # tells points of the same moment apart


class Series(Protocol):
    """History of levels, usage and measures. Writing is idempotent; the offset is written with the points."""

    def offset(self, partition: int) -> int:
        """The next journal offset that this store expects of the partition."""

    def write(self, partition: int, through: int, buckets: Sequence[Bucket], points: Sequence[Point]) -> None: ...

    def buckets(self, slot: int, since: int, until: int, limit: int = 10_000) -> list[Bucket]: ...

    def newest_before(self, slot: int, moments: Sequence[int]) -> list[Bucket | None]:
        """Of each moment (ms) the newest bucket that starts before it, None where there is none."""

    def points(self, subject: str, kind: str, since: int, until: int, limit: int = 10_000) -> list[Point]: ...

    def expire(self, before: int) -> int:
        """Drop what is older; how many rows went."""

    def close(self) -> None: ...
