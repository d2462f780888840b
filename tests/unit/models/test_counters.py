"""Counters: growth, wrap, reset, another board; and the slots that they meter."""

import pytest

from models.effects import Quarantined, RefillKind, RefillSeen
from models.facts import Meter
from models.layout import Verdict

STORIES = {
    "growth": ((0,), (1000.0,), [(0, 500), (24, 700), (48, 1500)], 1500, 0),
    "a wrap": ((10_000,), (1000.0,), [(0, 9_900), (24, 100)], 10_100, 0),
    "a wrap without a limit": ((10_000,), (), [(0, 9_900), (24, 100)], 10_100, 0),
    "a reset: the total goes on": ((0,), (1000.0,), [(0, 5000), (24, 40), (48, 90)], 5090, 0),
    "a reset without a limit": ((0,), (), [(0, 5000), (24, 40), (48, 90)], 5050, 0),
    "another board with a bigger count": ((0,), (1000.0,), [(0, 5000), (24, 90_000), (48, 90_100)], 5100, 1),
    "another board with a smaller count": ((0,), (1000.0,), [(0, 90_000), (24, 5000), (48, 5100)], 90_100, 1),
    "a burst takes a quarter of a day's limit": ((0,), (1000.0,), [(0, 0), (0.01, 250), (0.02, 600)], 250, 1),
    "never at rest, in whole hours": ((0,), (24.0,), [(0.95, 100), (11.02, 111), (22.01, 122), (32.99, 133)], 133, 0),
    "a long silence": ((0,), (1000.0,), [(0, 0), (240, 9_000)], 9_000, 0),
}


@pytest.mark.parametrize(("wraps", "limits", "said", "total", "odd"), STORIES.values(), ids=STORIES.keys())
def test_stories(bare, wraps, limits, said, total, odd):
    bare.add(wraps=wraps, limits=limits)
    for hours, value in said:
        assert bare.says(hours, counters={0: value}) == Verdict.LIVE
    assert bare.device_row()["total"][0] == total
    assert [q.code for q in bare.of(Quarantined)] == ["implausible_counter"] * odd


def drum(bare, capacity=1000.0):
    bare.add(limits=(500.0, 500.0))
    bare.slot(meter=Meter.COUNTER, capacity=capacity)
    return bare


def test_a_metered_slot_follows_its_counter(bare):
    drum(bare)
    levels = []
    for day, pages in enumerate((100, 200, 350, 500)):
        bare.says(24 * day, counters={0: pages})
        levels.append(float(bare.row()["level"]))
    assert levels == pytest.approx([90, 80, 65, 50], abs=1)


def test_a_counter_beyond_the_capacity_counts_as_new_when_first_seen(bare):
    drum(bare)
    bare.says(0, counters={0: 40_000})
    assert bare.row()["level"] == 100
    bare.says(48, counters={0: 40_500})
    assert bare.row()["level"] == pytest.approx(50, abs=3)


def test_another_board_never_empties_a_slot(bare):
    drum(bare)
    bare.says(0, counters={0: 100})
    bare.says(24, counters={0: 99_000}, boot=2)
    assert bare.row()["level"] == pytest.approx(90, abs=1)
    assert len(bare.of(Quarantined)) == 1


def test_a_counter_that_begins_anew_where_a_refill_was_due(bare):
    drum(bare)
    for day, pages in enumerate((100, 500, 900, 20)):
        bare.says(24 * day, counters={0: pages, 1: 1000 + 100 * day})
    (refill,) = bare.of(RefillSeen)
    assert (refill.kind, refill.cycle) == (RefillKind.COUNTER_RESET, 1)
    assert bare.row()["level"] == pytest.approx(98, abs=0.5)


def test_all_counters_anew_after_a_restart_are_another_board(bare):
    drum(bare)
    for day, (pages, boot) in enumerate(((100, 1), (500, 1), (900, 1), (20, 2))):
        bare.says(24 * day, counters={0: pages}, boot=boot)
    assert bare.of(RefillSeen) == []
    assert bare.row()["cycle"] == 1


def test_values_out_of_range(bare):
    drum(bare)
    bare.says(0, counters={0: -5, 1: 2**60})
    assert [q.code for q in bare.of(Quarantined)] == ["counter_out_of_range"] * 2
