"""The fold's bits depend neither on frame boundaries nor on numba.

Run as a program it folds a year of random words and prints the digest of the state: so it runs in other surroundings.
"""

import os
import subprocess
import sys
from hashlib import sha256

import numpy as np

from models.calendar import compile_days, day_rows, first_day
from models.depletion.prior import begin
from models.facts import Meter, Refill
from models.fold.fold import fold
from models.frame import COUNTER, MEASURE, READING, SIGNAL, SUPPLY, Frame
from models.layout import DeviceFlag, SlotFlag
from models.state import State
from models.units import HOUR

START = 1_700_006_400_000
DEVICES, READINGS = 20, 3000


def world() -> State:
    from datetime import date  # noqa: PLC0415  the file is a program, too: keep its imports few

    state = State()
    site, calendar = state.sites.add(1), state.calendars.add(1)
    state.sites.rows[site]["calendar_row"] = calendar
    days = compile_days(
        "Europe/Berlin", date(2023, 10, 1), 500, [1, 1, 1, 1, 1, 0.1, 0.1], [date(2023, 12, 25)], [1] * 7
    )
    state.set_days(calendar, day_rows(*days), first_day(days[0]))
    for device in range(1, DEVICES + 1):
        at = state.devices.add(device)
        state.devices.rows[at]["site_row"] = site if device % 3 else -1
        state.devices.rows[at]["flags"] = DeviceFlag.COUNTED
        state.devices.rows[at]["limit"][0] = 5000.0
        state.devices.rows[at]["usual"][0] = 400.0
        for k, (meter, refill, quantum) in enumerate([(0, 0, 1.0), (0, 1, 4.0), (1, 0, 1.0)]):
            slot = state.add_slot(3 * device + k, at)
            row = state.slots.rows[slot]
            row["meter"], row["refill"], row["quantum"] = Meter(meter), Refill(refill), quantum
            row["capacity"], row["pack_units"] = 40_000.0, 1.0
            row["flags"] = SlotFlag.ASCENDING if k == 1 and device % 2 else 0
            if k == 0 and device % 4 < 2:
                row["flags"] |= int(SlotFlag.CLOCKED)
            begin(row, state.classes.rows[0])
    return state


def words() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Readings of two levels and a counter each: use, swaps, glitches, copies, disorder, restarts."""
    chance = np.random.default_rng(5)
    readings, supplies, counters = (
        np.zeros(READINGS, READING),
        np.zeros(2 * READINGS, SUPPLY),
        np.zeros(READINGS, COUNTER),
    )
    device = chance.integers(1, DEVICES + 2, READINGS)  # one of them is unknown
    readings["device"], readings["supplies"], readings["counters"] = device, 2, 1
    order = np.arange(READINGS) + chance.integers(-90, 90, READINGS) * (chance.random(READINGS) < 0.1)
    order = np.maximum(order, 0)
    readings["seq"], readings["ts"] = order, START + order * 2 * HOUR + chance.integers(0, HOUR, READINGS)
    readings["boot"] = 1 + order // 900
    for k in range(2):
        step = 1 + 9 * k  # the second sensor is coarser than registered
        level = np.minimum(np.ceil((97.3 - order * (0.31 + 0.2 * k)) % 101 / step) * step, 100)
        glitch = chance.random(READINGS) < 0.02
        supplies["slot"][k::2] = 3 * device + k
        supplies["low"][k::2] = supplies["high"][k::2] = np.clip(np.where(glitch, 100, level), 0, 100)
    counters["value"] = order * 37 + (chance.random(READINGS) < 0.01) * 500_000
    return readings, supplies, counters


def digest(size: int) -> str:
    state, (readings, supplies, counters) = world(), words()
    for a in range(0, READINGS, size):
        b = min(a + size, READINGS)
        blocks = readings[a:b], supplies[2 * a : 2 * b], counters[a:b]
        fold(state, Frame(*blocks, np.zeros(0, MEASURE), np.zeros(0, SIGNAL)))
    return sha256(b"".join(name.encode() + block for name, block in state.snapshot())).hexdigest()


def elsewhere(size: int, **environment: str) -> str:
    """The digest as another process gets it."""
    done = subprocess.run(
        [sys.executable, __file__, str(size)], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_frame_boundaries():
    assert len({digest(size) for size in (1, 7, 500, READINGS)}) == 1


def test_plain_python():
    assert elsewhere(100, NUMBA_DISABLE_JIT="1") == digest(500)


if __name__ == "__main__":
    print(digest(int(sys.argv[1])))
