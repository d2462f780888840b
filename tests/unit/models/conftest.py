"""A small world of devices whose words are folded one by one."""

from typing import Any

import numpy as np
import pytest

from models.depletion.prior import begin
from models.effects import Effect
from models.facts import Meter, Refill
from models.fold.fold import FoldResult, fold
from models.frame import COUNTER, MEASURE, NO_SLOT, READING, SIGNAL, SUPPLY, Frame, ReadingFlag, Signal, SupplyFlag
from models.layout import DeviceFlag, SlotFlag
from models.state import State
from models.units import HOUR

START = 1_700_006_400_000  # 2023-11-15T00:00Z


class Devices:
    """Devices without site or calendar; what they say is folded at once, one frame each."""

    def __init__(self) -> None:
        self.state = State()
        self.effects: list[Effect] = []
        self._seq = 0

    def add(self, device: int = 1, wraps: tuple[int, ...] = (), limits: tuple[float, ...] = ()) -> None:
        at = self.state.devices.add(device)
        row = self.state.devices.rows[at]
        for c, wrap in enumerate(wraps):
            row["wrap"][c] = wrap
        for c, limit in enumerate(limits):
            row["limit"][c] = limit

    def slot(
        self,
        slot: int = 1,
        device: int = 1,
        meter: Meter = Meter.LEVEL,
        refill: Refill = Refill.SWAP,
        quantum: float = 1.0,
        capacity: float = 100.0,
        counter: int = 0,
        ascending: bool = False,
    ) -> None:
        device_row = self.state.devices.row(device)
        at = self.state.add_slot(slot, device_row)
        row = self.state.slots.rows[at]
        row["meter"], row["refill"], row["counter"] = meter, refill, counter
        row["quantum"], row["capacity"], row["pack_units"] = quantum, capacity, 1.0
        row["opened"] = START - 1000 * HOUR
        row["flags"] = SlotFlag.ASCENDING if ascending else 0
        if meter == Meter.COUNTER:
            self.state.devices.rows[device_row]["flags"] |= DeviceFlag.COUNTED
        begin(row, self.state.classes.rows[0])

    def row(self, slot: int = 1) -> Any:
        return self.state.slots.rows[self.state.slots.row(slot)]

    def device_row(self, device: int = 1) -> Any:
        return self.state.devices.rows[self.state.devices.row(device)]

    def frame(
        self,
        hours: float,
        levels: dict[int, float | tuple[float, float]] | None = None,
        counters: dict[int, int] | None = None,
        signals: tuple[tuple[Signal, int | None], ...] = (),
        device: int = 1,
        boot: int = 1,
        seq: int | None = None,
        flags: ReadingFlag = ReadingFlag(0),  # noqa: B008  immutable
    ) -> Frame:
        """One reading, `hours` after START; without `seq` the next one."""
        if seq is None:
            self._seq += 1
        reading = np.zeros(1, READING)
        reading["device"], reading["flags"], reading["boot"] = device, flags, boot
        reading["seq"] = self._seq if seq is None else seq
        reading["ts"] = START + int(hours * HOUR)
        supplies = np.zeros(len(levels or {}), SUPPLY)
        for k, (slot, level) in enumerate((levels or {}).items()):
            low, high = level if isinstance(level, tuple) else (level, level)
            kind = SupplyFlag.INTERVAL if isinstance(level, tuple) else SupplyFlag(0)
            supplies[k] = (slot, kind, low, high)
        told = np.zeros(len(counters or {}), COUNTER)
        for k, (index, value) in enumerate((counters or {}).items()):
            told[k]["index"], told[k]["value"] = index, value
        flagged = np.zeros(len(signals), SIGNAL)
        for k, (code, named) in enumerate(signals):
            flagged[k] = (code, 0, NO_SLOT if named is None else named)
        reading["supplies"], reading["counters"], reading["signals"] = len(supplies), len(told), len(flagged)
        return Frame(reading, supplies, told, np.zeros(0, MEASURE), flagged)

    def fold(self, frame: Frame, skipped: tuple[int, ...] = ()) -> FoldResult:
        result = fold(self.state, frame, skipped)
        self.effects += result.effects
        return result

    def says(self, hours: float, *levels: float | tuple[float, float], **more: Any) -> int:
        """The verdict on one reading; the levels are of the slots 1, 2, ..."""
        named = {k + 1: level for k, level in enumerate(levels)}
        return int(self.fold(self.frame(hours, named, **more)).verdicts[0])

    def of(self, kind: type) -> list[Any]:
        """The effects of one kind so far."""
        return [effect for effect in self.effects if isinstance(effect, kind)]


@pytest.fixture
def devices() -> Devices:
    """One device with one slot of one per cent steps."""
    world = Devices()
    world.add()
    world.slot()
    return world


@pytest.fixture
def bare() -> Devices:
    """No devices yet."""
    return Devices()


@pytest.fixture(scope="session")
def devices_of() -> type[Devices]:
    """How to make a world, for tests that need several."""
    return Devices
