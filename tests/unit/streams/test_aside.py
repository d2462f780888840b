"""What the decision refuses as a whole is kept as a record that can be replayed."""

from dataclasses import replace

import numpy as np

from journal.codec import decode
from journal.merge import merge_frames
from models.effects import Effect, Quarantined, UsageBooked
from models.frame import COUNTER, MEASURE, READING, SIGNAL, SUPPLY, UNKNOWN_COUNTER, Frame, Signal, SupplyFlag
from models.partition import Partition
from streams.worker.aside import RAW_BYTES, bytes_of, with_bytes

BOOT = 0xF0F0_F0F0_F0F0_F0F0  # above what 63 bits hold


def frame(device: int, seq: int, name: str) -> Frame:
    """A reading with one of everything that has a name."""
    return Frame(
        np.array([(device, 0, 2, 2, BOOT, seq, 1_795_000_000_000, 1, 2, 0, 0)], READING),
        np.array([(40, 0, 12.0, 13.0), (0, SupplyFlag.UNKNOWN, 50.0, 50.0)], SUPPLY),
        np.array([(0, 0, 0, 182341), (UNKNOWN_COUNTER, 1, 0, 7)], COUNTER),
        np.array([(2, 1, 0, 21.5)], MEASURE),
        np.array([(Signal.LOW, 0, 40), (Signal.OTHER, 0, 0)], SIGNAL),
        (f"ink-{name}", f"cups-{name}", f"heat-{name}"),
    )


def test_a_reading_of_a_merged_frame_is_cut_out_with_its_own_names() -> None:
    alone = [frame(7, n, "abcdef"[n]) for n in range(6)]
    merged = merge_frames(alone)
    for n, one in enumerate(alone):
        (effect,) = with_bytes([Quarantined(7, 1_795_000_000_000, BOOT, n, "retired_device", "it is")], merged)
        assert isinstance(effect, Quarantined)
        found = decode(effect.raw)
        assert isinstance(found, Frame)
        assert set(found.names) == set(one.names)
        assert named(found) == named(one)


def named(one: Frame) -> list[object]:
    """Everything in it, names in place of their numbers."""
    return [
        one.readings.tolist(),
        [(one.names[s["slot"]] if s["flags"] & SupplyFlag.UNKNOWN else int(s["slot"]), s["low"]) for s in one.supplies],
        [
            (one.names[c["name"]] if c["index"] == UNKNOWN_COUNTER else int(c["index"]), c["value"])
            for c in one.counters
        ],
        [(one.names[m["name"]], one.names[m["unit"]], m["value"]) for m in one.measures],
        [(one.names[s["name"]] if s["code"] == Signal.OTHER else int(s["slot"])) for s in one.signals],
    ]


def test_what_was_refused_in_part_and_all_other_effects_stay_as_they_are() -> None:
    one = frame(7, 1, "a")
    effects: list[Effect] = [
        UsageBooked(40, 20_000, 3.0),
        Quarantined(7, 1_795_000_000_000, BOOT, 1, "implausible_counter", "it jumped"),
    ]
    assert with_bytes(effects, one) == effects


def test_the_step_tells_which_reading_it_refuses() -> None:
    """Of a device that nobody has registered; with the numbers that the frame has."""
    one = frame(7, 1, "a")
    effects = Partition(0).step(0, one).effects
    (effect,) = with_bytes(effects, one)
    assert isinstance(effect, Quarantined)
    assert effect == replace(effects[0], raw=bytes_of(one))  # type: ignore[type-var]  # it is a Quarantined


def test_no_more_is_kept_than_of_a_message() -> None:
    one = frame(7, 1, "a")
    measures = np.zeros(255, MEASURE)
    one.readings["measures"] = 255
    many = Frame(one.readings, one.supplies, one.counters, measures, one.signals, tuple("x" * 60 for _ in range(3)))
    assert len(bytes_of(many)) == RAW_BYTES
