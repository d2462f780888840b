"""A partition's state: growth, look-up, and a snapshot that depends on the content only."""

from datetime import date

import pytest

from models.calendar import compile_days, day_rows, first_day
from models.index import Index, pair
from models.layout import DEVICE, SLOT
from models.state import State


def test_rows_are_small():
    assert SLOT.itemsize + 8 <= 256
    assert DEVICE.itemsize <= 544


def test_an_index_finds_what_was_entered():
    index = Index()
    keys = [pair(k * 7919 % 5000, k) for k in range(3000)]
    assert [index.add(key) for key in keys] == list(range(3000))
    assert [index.get(key) for key in keys] == list(range(3000))
    assert index.get(pair(1, 2**30)) == -1


def grown(slots: int) -> State:
    state = State()
    for device in range(1, slots + 1):
        row = state.devices.add(device * 1000)
        state.add_slot(device * 1000 + 1, row)
        state.add_slot(device * 1000 + 2, row)
    return state


@pytest.mark.parametrize("count", [0, 1, 8, 9, 100])
def test_a_restored_state_is_the_same(count):
    state = grown(count)
    state.time, state.listening = 5, 7
    twin = State.restore(state.snapshot())
    assert twin.snapshot() == state.snapshot()
    assert (twin.time, twin.listening) == (5, 7)
    assert twin.slots.row(1000 * count + 2) == state.slots.row(1000 * count + 2)
    twin.add_slot(5, twin.devices.add(1))
    state.add_slot(5, state.devices.add(1))
    assert twin.snapshot() == state.snapshot()


def test_slots_of_a_device_are_linked():
    state = grown(3)
    device = state.devices.rows[1]
    first = state.slots.rows[device["first_slot"]]
    second = state.slots.rows[first["next_slot"]]
    assert [first["id"], second["id"], second["next_slot"], device["slots"]] == [2002, 2001, -1, 2]


def test_days_that_were_replaced_leave_no_trace():
    def days(count: int):
        return compile_days("UTC", date(2026, 1, 1), count, [1] * 7, [], [1] * 7)

    state, straight = State(), State()
    for world in (state, straight):
        world.calendars.add(1)
        world.calendars.add(2)
    state.set_days(0, day_rows(*days(10)), 1)
    state.set_days(1, day_rows(*days(20)), 1)
    for world in (state, straight):
        world.set_days(0, day_rows(*days(30)), first_day(days(30)[0]))
        world.set_days(1, day_rows(*days(15)), first_day(days(15)[0]))
    assert state.snapshot() == straight.snapshot()


def test_another_format_is_refused():
    blocks = dict(State().snapshot())
    blocks["meta"] = b"\xff" * 24
    with pytest.raises(ValueError, match="this version reads"):
        State.restore(tuple(blocks.items()))
