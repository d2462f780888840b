"""Laws of the fold: frame boundaries change nothing, copies change nothing, an exception changes nothing."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.effects import UnmappedSeen
from models.facts import Meter, Refill
from models.fold import fold as folding
from models.fold.fold import fold
from models.frame import COUNTER, MEASURE, READING, SIGNAL, SUPPLY, Frame, ReadingFlag, Signal, SupplyFlag
from models.layout import Verdict
from models.state import State

START = 1_700_006_400_000
SLOTS = 3


def world(devices_of: Any) -> Any:
    made = devices_of()
    for device in (1, 2):
        made.add(device, limits=(2000.0, 0.0))
        first = SLOTS * (device - 1) + 1
        made.slot(first, device)
        made.slot(first + 1, device, refill=Refill.TOPUP, quantum=5.0, capacity=1500.0)
        made.slot(first + 2, device, meter=Meter.COUNTER, capacity=3000.0)
    return made


reading = st.fixed_dictionaries(
    {
        "device": st.integers(1, 3),
        "boot": st.integers(0, 3),
        "seq": st.integers(-1, 200),
        "hours": st.integers(0, 400),
        "flags": st.sampled_from([0, 0, 0, ReadingFlag.NO_SEQUENCE, ReadingFlag.BACKFILLED, ReadingFlag.OFFLINE]),
        "levels": st.lists(st.tuples(st.integers(1, 7), st.sampled_from([0, 1, 12, 40, 60, 97, 100])), max_size=3),
        "counter": st.none() | st.integers(0, 9000),
        "signal": st.none() | st.tuples(st.sampled_from(list(Signal)), st.integers(1, 7)),
    }
)


def frame_of(said: list[dict[str, Any]]) -> Frame:
    readings = np.zeros(len(said), READING)
    supplies, counters, signals = [], [], []
    for row, one in zip(readings, said, strict=True):
        row["device"], row["boot"], row["seq"] = one["device"], one["boot"], one["seq"]
        row["ts"], row["flags"] = START + one["hours"] * 3_600_000, one["flags"]
        row["supplies"], row["counters"] = len(one["levels"]), one["counter"] is not None
        row["signals"] = one["signal"] is not None
        supplies += [(slot, 0, level, level) for slot, level in one["levels"]]
        counters += [(0, 0, 0, one["counter"])] if one["counter"] is not None else []
        signals += [(one["signal"][0], 0, one["signal"][1])] if one["signal"] else []
    return Frame(
        readings,
        np.array(supplies, SUPPLY),
        np.array(counters, COUNTER),
        np.zeros(0, MEASURE),
        np.array(signals, SIGNAL),
    )


@settings(max_examples=60, deadline=None)
@given(said=st.lists(reading, max_size=40), cuts=st.lists(st.integers(0, 40), max_size=6))
def test_frame_boundaries_change_nothing(devices_of, said, cuts):
    whole, parts = world(devices_of), world(devices_of)
    result = whole.fold(frame_of(said))
    bounds = [0, *sorted(min(cut, len(said)) for cut in cuts), len(said)]
    verdicts = [parts.fold(frame_of(said[a:b])).verdicts for a, b in pairwise(bounds)]
    assert np.concatenate(verdicts).tolist() == result.verdicts.tolist()
    assert parts.state.snapshot() == whole.state.snapshot()
    assert parts.effects == whole.effects


@settings(max_examples=60, deadline=None)
@given(said=st.lists(reading, max_size=30), again=st.lists(st.integers(0, 29), max_size=10))
def test_copies_change_nothing(devices_of, said, again):
    said = [one | {"flags": 0, "boot": 1, "seq": k} for k, one in enumerate(said)]
    made = world(devices_of)
    made.fold(frame_of(said))
    before = made.state.snapshot()
    known = [said[k] for k in again if k < len(said) and said[k]["device"] < 3]
    result = made.fold(frame_of(known))
    assert set(result.verdicts.tolist()) <= {Verdict.OLD}
    assert made.state.snapshot() == before


@settings(max_examples=30, deadline=None)
@given(said=st.lists(reading, max_size=30))
def test_a_snapshot_goes_on_as_the_original(devices_of, said):
    made = world(devices_of)
    made.fold(frame_of(said))
    twin = State.restore(made.state.snapshot())
    more = frame_of([one | {"hours": one["hours"] + 100, "seq": one["seq"] + 50} for one in said])
    made.fold(more)
    fold(twin, more)
    assert twin.snapshot() == made.state.snapshot()


@settings(max_examples=30, deadline=None)
@given(said=st.lists(reading, min_size=1, max_size=30))
def test_an_exception_changes_nothing(devices_of, said):
    made = world(devices_of)
    made.fold(frame_of(said))
    before = made.state.snapshot()
    later = [one | {"hours": one["hours"] + 500, "seq": one["seq"] + 500} for one in said]

    def broken(*_: Any) -> Any:
        raise RuntimeError("injected")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folding, "told", broken)
        with pytest.raises(RuntimeError, match="injected"):
            made.fold(frame_of(later))
    assert made.state.snapshot() == before


@settings(max_examples=20, deadline=None)
@given(said=st.lists(reading, min_size=2, max_size=30))
def test_an_exception_halfway_changes_nothing(devices_of, said):
    made = world(devices_of)
    made.fold(frame_of(said))
    before = made.state.snapshot()
    later = frame_of([one | {"hours": one["hours"] + 500, "seq": one["seq"] + 500} for one in said])
    run = folding._run

    def half(state: State, frame: Frame, readings: Any, cursor: Any) -> bool:
        assert run(state, frame, readings[: len(said) // 2], cursor)
        raise RuntimeError("injected")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folding, "_run", half)
        with pytest.raises(RuntimeError, match="injected"):
            made.fold(later)
    assert made.state.snapshot() == before


def test_an_unknown_name_is_told_once_whatever_the_frames(devices):
    for hour in range(3):
        frame = devices.frame(hour, {1: 50, 2: 40})
        frame.supplies["flags"][1], frame.supplies["slot"][1] = SupplyFlag.UNKNOWN, 0
        named = Frame(frame.readings, frame.supplies, frame.counters, frame.measures, frame.signals, ("fuser",))
        if hour == 2:
            devices.state = State.restore(devices.state.snapshot())
        devices.fold(named)
    assert devices.of(UnmappedSeen) == [UnmappedSeen(1, "fuser", START)]


def test_skipped_readings_change_nothing(devices_of):
    made, other = world(devices_of), world(devices_of)
    said = [
        {"device": 1, "boot": 1, "seq": k, "hours": k, "flags": 0, "levels": [(1, 50)], "counter": None, "signal": None}
        for k in range(4)
    ]
    result = made.fold(frame_of(said), skipped=(1, 2))
    other.fold(frame_of([said[0], said[3]]))
    assert result.verdicts.tolist() == [Verdict.LIVE, Verdict.QUARANTINED, Verdict.QUARANTINED, Verdict.LIVE]
    assert made.state.snapshot() == other.state.snapshot()


def test_a_frame_larger_than_the_room_for_its_log(devices_of):
    made, other = world(devices_of), world(devices_of)
    said = [
        {"device": 1, "boot": 1, "seq": 3 * k, "hours": k, "flags": 0, "levels": [(1, 50)] * 3, "counter": k}
        | {"signal": None}
        for k in range(3000)
    ]
    assert len(made.fold(frame_of(said)).verdicts) == 3000
    for k in range(0, 3000, 100):
        other.fold(frame_of(said[k : k + 100]))
    assert made.state.snapshot() == other.state.snapshot()
