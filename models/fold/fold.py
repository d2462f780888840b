"""Fold a frame into the state: all of it, or nothing."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.effects import Effect, UnmappedSeen
from models.fold.events import CURSOR_EVENT, EVENT, told
from models.fold.log import Log, blank_log, undo
from models.fold.reading import LOGGED_SHEETS, LOGGED_SLOTS, SKIP, fold_rest
from models.frame import READING, Frame
from models.jit import entry, fingerprint
from models.state import State

SIGNED = np.dtype(
    {
        "names": list(READING.names or ()),
        "formats": ["<i8" if name == "boot" else READING[name] for name in READING.names or ()],
        "offsets": [READING.fields[name][1] for name in READING.names or ()] if READING.fields else [],
        "itemsize": READING.itemsize,
    }
)
"""READING with a signed boot: mixed with int64, uint64 would turn into a float when compiled."""
LAST_LOGGED = LOGGED_SHEETS


@dataclass(frozen=True, slots=True)
class FoldResult:
    verdicts: npt.NDArray[np.uint8]  # models.layout.Verdict per reading
    effects: list[Effect]


def _entry(logic: int) -> Any:
    def fold_frame(*columns: Any) -> bool:
        return fold_rest(*columns) if logic else True

    return entry(fold_frame)


fold_frame = _entry(fingerprint(fold_rest))


class _Scratch:
    """Room for the log and the events, kept between calls."""

    def __init__(self) -> None:
        self.log: Log = blank_log(4096, 1024, 32)
        self.events = np.zeros(4096, EVENT)

    def grow(self, cursor: npt.NDArray[np.int64]) -> None:
        """Twice the room for what is more than half full, or else for everything; what was written stays."""
        old = self.log
        lengths = (len(self.events), len(old.slots), len(old.devices), len(old.sheets))
        used = cursor[CURSOR_EVENT : LAST_LOGGED + 1].tolist()
        short = [2 * k >= n for n, k in zip(lengths, used, strict=True)]
        factors = [2 if tight or not any(short) else 1 for tight in short]
        events, slots, devices, sheets = (n * factor for n, factor in zip(lengths, factors, strict=True))
        self.log = blank_log(slots, devices, sheets)
        for new, column in zip(self.log, old, strict=True):
            new[: len(column)] = column
        self.events = np.concatenate([self.events, np.zeros(events - len(self.events), EVENT)])


_scratch = _Scratch()


def fold(state: State, frame: Frame, skipped: Collection[int] = ()) -> FoldResult:
    """Fold the frame's readings one by one, in their order. `skipped`: indexes of readings to pass over, as before.

    An exception leaves the state as it was.
    """
    readings = frame.readings.copy().view(SIGNED)
    for index in skipped:
        readings[index]["flags"] |= SKIP
    cursor = np.zeros(LAST_LOGGED + 1, np.int64)
    pool = state.pool.copy()
    try:
        while not _run(state, frame, readings, cursor):
            _scratch.grow(cursor)
        effects = told(_scratch.events[: cursor[CURSOR_EVENT]], frame.names, state.unmapped)
    except BaseException:
        slots, devices, sheets = cursor[LOGGED_SLOTS : LAST_LOGGED + 1].tolist()
        undo(state, _scratch.log, slots, devices, sheets, pool)
        raise
    for effect in effects:
        if isinstance(effect, UnmappedSeen):
            state.note_unmapped(effect.device, effect.name)
    return FoldResult(readings["spare"].astype(np.uint8), effects)


def _plain(block: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A view of the journal's bytes is read-only, perhaps not aligned: for the compiler another type, and it would
    compile everything again."""
    return block if block.flags.carray else block.copy()


def _run(state: State, frame: Frame, readings: npt.NDArray[Any], cursor: npt.NDArray[np.int64]) -> bool:
    return bool(
        fold_frame(
            readings,
            _plain(frame.supplies),
            _plain(frame.counters),
            _plain(frame.signals),
            _scratch.events,
            cursor,
            state.slots.rows,
            state.look,
            state.devices.rows,
            state.sites.rows,
            state.calendars.rows,
            state.days,
            state.classes.rows,
            state.sheets,
            state.pool,
            state.slots.index.table,
            state.devices.index.table,
            *_scratch.log,
        )
    )
