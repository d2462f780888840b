"""A partition: its state and the step over one record of the journal."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.decide.book import Book
from models.decide.layout import Standing
from models.decide.survey import survey
from models.effects import Effect, Quarantined, RefillSeen, SlotView
from models.facts import Fact
from models.fold.fold import fold
from models.frame import Frame
from models.records import AnyRecord, Refused, Tick
from models.state import State
from models.step.cycles import refilled
from models.step.facts import apply_fact
from models.step.requests import apply_request
from models.step.tick import apply_tick
from models.step.views import risk_band, slot_views

Blocks = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    effects: list[Effect]
    verdicts: npt.NDArray[np.uint8] | None  # models.layout.Verdict of each reading of a frame


class Partition:
    """Everything that `step` knows of the sites of one partition. Reads no clock: time is the last tick's."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.state = State()
        self.book = Book()

    @property
    def time(self) -> int:
        return self.state.time

    def step(self, offset: int, record: AnyRecord, skipped: frozenset[int] = frozenset()) -> Outcome:
        """Apply one record. `skipped`: indexes of poison readings of this frame, which are left out.

        Raises whatever the record provokes; the state is as it was before."""
        if isinstance(record, Frame):
            return self.step_merged(offset, record, skipped=skipped)
        if isinstance(record, Tick):
            return Outcome(apply_tick(self.state, self.book, offset, record), None)
        if isinstance(record, Refused):
            return Outcome([refused(offset, record)], None)
        if isinstance(record, Fact):
            apply_fact(self.state, self.book, offset, record)
            return Outcome([], None)
        return Outcome(apply_request(self.state, self.book, offset, record), None)

    def step_merged(
        self,
        last_offset: int,
        frame: Frame,
        counts: Sequence[int] = (),
        skipped: frozenset[int] = frozenset(),
    ) -> Outcome:
        """Apply consecutive frames merged into one: the same as one by one, for frames decide nothing.

        counts: how many readings came from each of the frames, whose offsets end with `last_offset`; empty: one frame.
        """
        result = fold(self.state, frame, skipped)
        for effect in result.effects:
            if isinstance(effect, RefillSeen):
                at = _offset_of(self.state, effect, last_offset, frame, counts) if len(counts) > 1 else last_offset
                refilled(self.state, self.book, at, effect)
        return Outcome(result.effects, result.verdicts)

    def snapshot(self) -> Blocks:
        return self.state.snapshot() + self.book.snapshot(self.state)

    @classmethod
    def restore(cls, number: int, time: int, blocks: Blocks) -> "Partition":
        """The partition of a snapshot. Raises ValueError when the blocks are of another format or another time."""
        partition = cls(number)
        partition.state = State.restore(blocks)
        partition.book = Book.restore(blocks, partition.state)
        if partition.time != time:
            raise ValueError(f"partition {number}: the snapshot is of {partition.time}, not of {time}")
        return partition

    def open_needs(self) -> set[tuple[int, int, int]]:
        """(slot, cycle, attempt) of every open need."""
        self.book.fit(self.state)
        rows = np.flatnonzero(self.book.plans["standing"][: self.state.slots.count] == Standing.OPEN)
        plans = self.book.plans[rows]
        slots = self.state.slots.rows["id"][rows]
        return set(zip(slots.tolist(), plans["need_cycle"].tolist(), plans["need_attempt"].tolist(), strict=True))

    def views(self) -> list[SlotView]:
        """Every slot that is registered completely, as of the last tick."""
        self.book.fit(self.state)
        none = np.zeros(0, np.int64)
        seen = survey(self.state, self.book, self.time, np.arange(self.state.slots.count), none, none)
        chosen = np.flatnonzero(seen.placed)
        return slot_views(self.state, self.book, self.time, seen, seen.plans["status"], risk_band(seen), chosen)


def refused(offset: int, record: Refused) -> Quarantined:
    """What the gateway would not take waits where people see it. Its place in the journal tells it from its likes."""
    code, reason = record.code, record.reason
    return Quarantined(record.device, record.received, 0, offset, code, reason, record.raw, told=True)


def _offset_of(state: State, seen: RefillSeen, last_offset: int, frame: Frame, counts: Sequence[int]) -> int:
    """Offset of the record that a refill's reading came in: cover is booked under it, however frames were merged."""
    readings = frame.readings
    device = state.devices.rows[int(state.slots.rows[state.slots.row(seen.slot)]["device_row"])]["id"]
    mine = (readings["device"] == device) & (readings["boot"] == seen.boot) & (readings["seq"] == seen.seq)
    index = int(np.flatnonzero(mine)[0])
    behind = len(counts) - 1 - int(np.searchsorted(np.cumsum(counts), index, side="right"))
    return last_offset - behind
