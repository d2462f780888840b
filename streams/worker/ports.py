"""What the worker needs of the core and of its surroundings, beside the stores of models.stores."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from models.effects import Effect, SlotView
from models.frame import Frame
from models.records import AnyRecord
from models.stores import DecisionLedger, Journal, Series, StateStore

Verdicts = npt.NDArray[np.uint8]
Blocks = tuple[tuple[str, bytes], ...]
Needs = set[tuple[int, int, int]]


class Outcome(Protocol):
    @property
    def effects(self) -> Iterable[Effect]: ...

    @property
    def verdicts(self) -> Verdicts | None:
        """models.layout.Verdict of each reading of a frame; None for other records."""


class Fold(Protocol):
    """A partition's state and `step` over it (models.partition.Partition). A call that raises has changed nothing."""

    def step(self, offset: int, record: AnyRecord, skipped: frozenset[int]) -> Outcome:
        """Apply one record; `skipped` are indices of readings to leave out."""

    def step_merged(self, last_offset: int, frame: Frame, counts: Sequence[int]) -> Outcome:
        """Apply consecutive frames as one; `counts` says how many readings each brought, the last is that of
        `last_offset`."""

    def snapshot(self) -> Blocks:
        """A copy of the whole state."""

    def open_needs(self) -> Needs: ...

    def views(self) -> Iterable[SlotView]: ...


class AgedJournal(Journal, Protocol):
    def offset_at(self, partition: int, at: int) -> int:
        """The first offset appended at or after `at` (ms, real time): where retention by age ends."""


@dataclass(frozen=True, slots=True)
class Stores:
    journal: AgedJournal
    decisions: DecisionLedger
    state: StateStore
    series: Series


@dataclass(frozen=True, slots=True)
class Logic:
    """The logic that this process runs: how to make an empty state, and the version written into checkpoints."""

    version: str
    new: Callable[[int], Fold]
    """From a partition's number to its empty state."""
    restore: Callable[[int, int, Blocks], Fold]
    """From a partition's number, its time and the blocks of a snapshot to its state."""
    classes: Verdicts
    """Of each verdict: 0 the series ignores the reading, 1 it is live, 2 it is late."""
    warm_up: Callable[[], None] = lambda: None
    """Compiles what the first record would have to wait for."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """Real time only: the domain's time is in the journal's ticks."""

    monotonic: Callable[[], float]
    wall_ms: Callable[[], int]
    sleep: Callable[[float], None]
    """Blocks the calling thread (never the event loop's): back-off of a store that is away."""
