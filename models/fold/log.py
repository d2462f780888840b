"""What rows were before a fold touched them, so that an exception leaves the state as it was."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from models.jit import i64, inner
from models.layout import DEVICE, SHEET, SHEETS, SLOT
from models.state import State


class Log(NamedTuple):
    """Copies of rows in the order of touching."""

    slots: npt.NDArray[Any]
    slot_rows: npt.NDArray[np.int64]  # (n, 2): row, and what `look` was
    devices: npt.NDArray[Any]
    sheets: npt.NDArray[Any]
    sheet_rows: npt.NDArray[np.int64]


def blank_log(slots: int, devices: int, sheets: int) -> Log:
    return Log(
        np.zeros(slots, SLOT),
        np.zeros((slots, 2), np.int64),
        np.zeros(devices, DEVICE),
        np.zeros(sheets, SHEET),
        np.zeros(sheets, np.int64),
    )


@inner
def save_slots(log_slots: Any, log_rows: Any, at: int, slots: Any, look: Any, row: int) -> int:
    """Save a device's slots from its first row on; how many the log holds then."""
    while row >= 0:
        log_slots[at] = slots[row]
        log_rows[at, 0] = row
        log_rows[at, 1] = look[row]
        at += 1
        row = i64(slots[row].next_slot)
    return at


@inner
def save_sheets(log_sheets: Any, log_rows: Any, at: int, sheets: Any, pool: Any, own: int) -> int:
    """Save the device's sheet and the one that it would get next."""
    if own >= 0:
        log_sheets[at] = sheets[own]
        log_rows[at] = own
        at += 1
    following = i64(pool[0]) if pool[0] >= 0 else i64(pool[1])
    if following < SHEETS:
        log_sheets[at] = sheets[following]
        log_rows[at] = following
        at += 1
    return at


def undo(state: State, log: Log, slots: int, devices: int, sheets: int, pool: npt.NDArray[np.int64]) -> None:
    """Put everything back, the last touched first."""
    for k in range(slots - 1, -1, -1):
        row, look = log.slot_rows[k].tolist()
        state.slots.rows[row] = log.slots[k]
        state.look[row] = look
    for k in range(devices - 1, -1, -1):
        state.devices.rows[state.devices.row(int(log.devices[k]["id"]))] = log.devices[k]
    for k in range(sheets - 1, -1, -1):
        state.sheets[log.sheet_rows[k]] = log.sheets[k]
    state.pool[:] = pool
