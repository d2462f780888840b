"""Merged frames say what the single ones said, in order."""

import numpy as np
import pytest

from journal.codec import DamagedRecord, decode, encode_frame, encode_tick
from journal.merge import decode_merged, merge_frames
from models.frame import COUNTER, MEASURE, READING, SIGNAL, SUPPLY, UNKNOWN_COUNTER, Frame, Signal, SupplyFlag
from models.records import Tick


def frame(device: int, supply: str, counter: str, measure: str, unit: str, signal: str) -> Frame:
    """One reading with a row of each block, all of them named in the frame's own table."""
    names = tuple(dict.fromkeys((supply, counter, measure, unit, signal)))
    readings = np.zeros(1, READING)
    readings["device"] = device
    for field in ("counters", "measures", "signals"):
        readings[field] = 1
    readings["supplies"] = 2
    supplies = np.zeros(2, SUPPLY)
    supplies["slot"] = names.index(supply), 7
    supplies["flags"] = SupplyFlag.UNKNOWN, 0
    counters = np.zeros(1, COUNTER)
    counters["index"], counters["name"] = UNKNOWN_COUNTER, names.index(counter)
    measures = np.zeros(1, MEASURE)
    measures["name"], measures["unit"] = names.index(measure), names.index(unit)
    signals = np.zeros(1, SIGNAL)
    signals["code"], signals["name"] = Signal.OTHER, names.index(signal)
    return Frame(readings, supplies, counters, measures, signals, names)


def said(frame: Frame) -> list[tuple[object, ...]]:
    """What a frame of such readings says, by name."""
    n = frame.names
    return [
        (
            int(frame.readings["device"][i]),
            n[frame.supplies["slot"][2 * i]],
            int(frame.supplies["slot"][2 * i + 1]),
            n[frame.counters["name"][i]],
            n[frame.measures["name"][i]],
            n[frame.measures["unit"][i]],
            n[frame.signals["name"][i]],
        )
        for i in range(len(frame))
    ]


def test_names_are_joined_and_indexes_follow() -> None:
    frames = [
        frame(1, "waste", "pages", "temperature", "Cel", "stuck"),
        frame(2, "stuck", "cups", "humidity", "%", "waste"),
        frame(3, "waste", "pages", "temperature", "Cel", "stuck"),
    ]
    before = [f.supplies.tobytes() for f in frames]
    merged = merge_frames(frames)
    assert said(merged) == [row for f in frames for row in said(f)]
    assert len(merged.names) == len(set(merged.names)) == 8
    assert [f.supplies.tobytes() for f in frames] == before
    direct = decode_merged([encode_frame(f) for f in frames])
    assert direct.names == merged.names
    for block in ("readings", "supplies", "counters", "measures", "signals"):
        assert getattr(direct, block).tobytes() == getattr(merged, block).tobytes()
        assert getattr(direct, block).flags.writeable
    assert said(decode(encode_frame(merged))) == said(merged)  # type: ignore[arg-type]  # a frame, as sent


def test_indexes_beyond_the_names_stay() -> None:
    odd = frame(1, "a", "b", "c", "d", "e")
    odd.measures["unit"] = 0xFFFF
    merged = merge_frames([frame(2, "v", "w", "x", "y", "z"), odd])
    assert merged.measures["unit"].tolist() == [3, 0xFFFF]


def test_one_frame_is_itself() -> None:
    one = frame(1, "a", "b", "c", "d", "e")
    assert merge_frames([one]) is one


def test_nothing_cannot_be_merged() -> None:
    with pytest.raises(ValueError, match="no frames"):
        merge_frames([])


def test_more_names_than_an_index_can_tell_are_refused() -> None:
    def named(first: int) -> Frame:
        one = frame(1, "a", "b", "c", "d", "e")
        return Frame(
            one.readings,
            one.supplies,
            one.counters,
            one.measures,
            one.signals,
            tuple(str(first + i) for i in range(40_000)),
        )

    with pytest.raises(ValueError, match="80000 different names"):
        merge_frames([named(0), named(40_000)])


def test_what_is_no_frame_is_not_merged() -> None:
    good = encode_frame(frame(1, "a", "b", "c", "d", "e"))
    for bad in (encode_tick(Tick(1, 1)), good[:-1], good[:9]):
        with pytest.raises(DamagedRecord):
            decode_merged([good, bad])
    with pytest.raises(ValueError, match="no frames"):
        decode_merged([])
