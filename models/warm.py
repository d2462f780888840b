"""Compile the core ahead of time, so that the first frame does not wait for it. The result is kept on disk."""

import numpy as np

from models.depletion.prior import begin
from models.fold.fold import fold
from models.frame import COUNTER, MEASURE, READING, SIGNAL, SUPPLY, Frame
from models.state import State


def warm() -> None:
    """Fold one reading into an empty world."""
    state = State()
    row = state.add_slot(1, state.devices.add(1))
    begin(state.slots.rows[row], state.classes.rows[0])
    reading = np.zeros(1, READING)
    reading["device"], reading["boot"], reading["supplies"], reading["ts"] = 1, 1, 1, 1_700_000_000_000
    supply = np.zeros(1, SUPPLY)
    supply["slot"], supply["high"], supply["low"] = 1, 50.0, 50.0
    blocks = [reading, supply, np.zeros(0, COUNTER), np.zeros(0, MEASURE), np.zeros(0, SIGNAL)]
    fold(state, Frame(*blocks))
