"""A reading that was set aside keeps its bytes, so that it can be replayed when its cause is gone."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from journal import codec
from models.effects import Effect, Quarantined
from models.frame import UNKNOWN_COUNTER, Column, Frame, Signal, SupplyFlag

RAW_BYTES: Final = 4096
BLOCKS: Final = ("supplies", "counters", "measures", "signals")
WHOLE: Final = frozenset({"unknown_device", "retired_device", "time_out_of_range", "sequence_out_of_range"})
"""Codes of the decision after which nothing of the reading was used; after the others its rest was."""


class Cuts:
    """Cuts readings out of a frame; what it takes to find their rows is counted once."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._ends = {name: np.concatenate(([0], np.cumsum(frame.readings[name], dtype=np.int64))) for name in BLOCKS}

    def cut(self, low: int, high: int) -> Frame:
        """Readings low..high-1 with the rows that they own."""
        supplies, counters, measures, signals = (
            getattr(self._frame, name)[ends[low] : ends[high]] for name, ends in self._ends.items()
        )
        return Frame(self._frame.readings[low:high], supplies, counters, measures, signals, self._frame.names)


def cut(frame: Frame, low: int, high: int) -> Frame:
    return Cuts(frame).cut(low, high)


def with_bytes(effects: Iterable[Effect], frame: Frame) -> list[Effect]:
    """The same effects; those that set a whole reading of the frame aside with the reading as a record."""
    told = list(effects)
    refused = [(i, e) for i, e in enumerate(told) if isinstance(e, Quarantined) and e.code in WHOLE]
    if refused:
        places, cuts = _places(frame), Cuts(frame)
        for i, effect in refused:
            index = places[effect.device, effect.boot, effect.seq, effect.ts]
            told[i] = replace(effect, raw=bytes_of(cuts.cut(index, index + 1)))
    return told


def bytes_of(part: Frame) -> bytes:
    """As a record, without the names that only other readings use; at most RAW_BYTES."""
    names: dict[str, int] = {}

    def renamed(rows: Column, column: str, which: Any) -> Column:
        rows = rows.copy()
        for row in np.flatnonzero(which):
            rows[column][row] = names.setdefault(part.names[int(rows[column][row])], len(names))
        return rows

    every = np.ones(len(part.measures), bool)
    whole = Frame(
        part.readings,
        renamed(part.supplies, "slot", part.supplies["flags"] & SupplyFlag.UNKNOWN),
        renamed(part.counters, "name", part.counters["index"] == UNKNOWN_COUNTER),
        renamed(renamed(part.measures, "name", every), "unit", every),
        renamed(part.signals, "name", part.signals["code"] == Signal.OTHER),
        tuple(names),
    )
    return codec.encode_frame(whole)[:RAW_BYTES]


def _places(frame: Frame) -> dict[tuple[int, ...], int]:
    """Where each reading is, by what an effect says of it."""
    columns = (frame.readings[name].tolist() for name in ("device", "boot", "seq", "ts"))
    return {key: index for index, key in enumerate(zip(*columns, strict=True))}
