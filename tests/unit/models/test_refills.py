"""What a rising, falling or odd level means. Hours, then what the device said; black toner in a copier."""

import pytest

from models.effects import Quarantined, RefillKind, RefillSeen, UnmappedSeen, UsageBooked
from models.facts import Meter, Refill
from models.fold.refill import reverse
from models.frame import Frame, ReadingFlag, Signal, SupplyFlag
from models.layout import SlotFlag, Verdict

NEW, PART_USED, TOPUP, SAID = RefillKind.NEW, RefillKind.PART_USED, RefillKind.TOPUP, RefillKind.SAID

STORIES = {
    "a new cartridge at empty needs a second reading": ([(0, 12), (24, 100)], []),
    "a new cartridge at empty, seen twice": ([(0, 12), (24, 100), (25, 100)], [NEW]),
    "a new cartridge in a device that speaks once a day": ([(0, 12), (24, 100), (48, 98)], [NEW]),
    "an early swap needs a second reading": ([(0, 50), (24, 100)], []),
    "an early swap, seen twice": ([(0, 50), (24, 100), (25, 100)], [NEW]),
    "a part-used cartridge": ([(0, 8), (24, 70), (25, 70)], [PART_USED]),
    "a shaken cartridge falls back": ([(0, 20), (6, 33), (7, 33), (9, 20), (30, 19)], []),
    "a small rise that stays is a part-used one": ([(0, 20), (6, 40), (12, 40), (30, 39)], [PART_USED]),
    "a glitch to 0 and back": ([(0, 60), (5, 0), (10, 60), (15, 59)], []),
    "a glitch to 100 and back": ([(0, 60), (5, 100), (10, 60), (15, 59)], []),
    "two different glitches": ([(0, 60), (5, 100), (10, 80), (15, 59)], []),
    "a heavy day is no glitch": ([(0, 60), (24, 45)], []),
    "a sensor that flickers": ([(0, 60), (1, 61), (2, 60), (3, 62), (4, 60)], []),
    "two swaps": ([(0, 10), (24, 100), (25, 100), (500, 10), (501, 10), (524, 100), (525, 100)], [NEW, NEW]),
}


@pytest.mark.parametrize(("said", "kinds"), STORIES.values(), ids=STORIES.keys())
def test_stories(devices, said, kinds):
    for hours, level in said:
        devices.says(hours, level)
    seen = devices.of(RefillSeen)
    assert [refill.kind for refill in seen] == kinds
    assert [refill.cycle for refill in seen] == list(range(1, len(kinds) + 1))
    assert devices.row()["cycle"] == 1 + len(kinds)
    assert abs(float(devices.row()["level"]) - said[-1][1]) < 6 or not kinds


def test_a_refill_says_what_it_rests_on(devices):
    for hours, level in [
        (0, 20),
        (6, 33),
        (9, 20),
        (200, 3),
        (224, 100),
        (237, 99),
    ]:  # after a rise that fell back 12 hours
        devices.says(hours, level)
    (refill,) = devices.of(RefillSeen)
    assert (refill.slot, refill.cycle, refill.units, refill.boot, refill.seq) == (1, 1, 1.0, 1, 6)
    assert refill.ts == devices.frame(224).readings["ts"][0]  # when it was seen first
    assert devices.row()["opened"] == refill.ts
    assert refill.level_before < 5
    assert refill.level_after > 95
    assert "new supply" in refill.why
    assert "1 smaller rises" in refill.why


def test_a_part_used_supply_takes_nothing_from_stock(devices):
    for hours, level in [(0, 8), (24, 70), (25, 70)]:
        devices.says(hours, level)
    assert devices.of(RefillSeen)[0].units == 0


def test_since_when_it_was_empty(devices):
    for hours, level in [(0, 3), (24, 0), (48, 0), (72, 100), (73, 100)]:
        devices.says(hours, level)
    (refill,) = devices.of(RefillSeen)
    assert refill.ts - refill.empty_since == 48 * 3_600_000
    assert devices.row()["empty_since"] == 0


def test_every_lasting_rise_tops_up(bare):
    bare.add()
    bare.slot(refill=Refill.TOPUP, capacity=1500.0)
    for hours, level in [(0, 60), (5, 80), (6, 80), (20, 70), (25, 10), (26, 10), (30, 90), (31, 90)]:
        bare.says(hours, level)
    seen = bare.of(RefillSeen)
    assert [r.kind for r in seen] == [TOPUP, TOPUP]
    assert seen[0].units == pytest.approx(0.2 * 1500, rel=0.15)
    assert seen[1].units == pytest.approx(0.8 * 1500, rel=0.15)


def test_a_board_that_knows_thirds_only(bare):
    bare.add()
    bare.slot(quantum=33.0)
    for day, level in enumerate([99, 99, 66, 66, 66, 33, 33, 0, 99, 99, 99, 66]):
        bare.says(24 * day, level)
    assert [r.kind for r in bare.of(RefillSeen)] == [NEW]
    assert 30 < bare.row()["level"] < 67


def test_bounds_are_never_narrower_than_what_was_said(devices):
    devices.says(0, (20.0, 100.0))
    assert 20 < devices.row()["level"] < 100
    assert devices.row()["p11"] > 500
    devices.says(24, (0.0, 20.0))
    assert 15 < devices.row()["level"] <= 20
    devices.says(25, (0.0, 100.0))  # says nothing
    assert devices.row()["high"] == 20


def test_the_device_says_replaced(devices):
    replaced = ((Signal.REPLACED, 1),)
    devices.says(0, 50)
    devices.says(24, 100, signals=replaced)  # no second reading needed
    devices.says(24.5, signals=replaced)  # the same news again
    devices.says(24 * 9, signals=replaced)  # without a level
    assert [r.kind for r in devices.of(RefillSeen)] == [NEW, SAID]
    assert devices.row()["level"] == 97


def test_low_and_empty_bound_the_level(devices):
    devices.says(0, 60)
    devices.says(24, signals=((Signal.LOW, 1),))
    low = float(devices.row()["level"])
    assert 20 < low < 60
    devices.says(25, signals=((Signal.EMPTY, 1),))
    assert devices.row()["level"] < low
    assert devices.row()["empty_since"] > 0
    flags = SlotFlag(int(devices.row()["flags"]))
    assert SlotFlag.SIGNAL_LOW in flags
    assert SlotFlag.SIGNAL_EMPTY in flags


def test_reorder_of_the_whole_device(bare):
    bare.add()
    bare.slot(1)
    bare.says(0, 80, signals=((Signal.REORDER, None),))
    assert bare.row()["flags"] & SlotFlag.REORDER
    bare.slot(2)
    bare.says(1, signals=((Signal.REORDER, None),))
    assert [q.code for q in bare.of(Quarantined)] == ["signal_without_slot"]


def test_a_refill_can_be_taken_back(devices):
    for hours, level in [(0, 50), (24, 48)]:
        devices.says(hours, level)
    before = devices.row().copy()
    for hours in (30, 31):
        devices.says(hours, 95)
    assert devices.row()["cycle"] == 2
    assert reverse(devices.row())
    after = devices.row()
    assert after["level"] == pytest.approx(before["level"], abs=1)
    assert (after["opened"], after["cycle"]) == (before["opened"], 2)
    assert not reverse(after)
    devices.says(48, 47)
    assert len(devices.of(RefillSeen)) == 1


def test_backfilled_readings_train_and_make_nothing_due(devices):
    devices.state.look[0] = 77
    for day in range(20):
        devices.says(24 * day, 90 - 4 * day, flags=ReadingFlag.BACKFILLED, signals=((Signal.REORDER, 1),))
    for hours in (24 * 20, 24 * 20 + 1):
        devices.says(hours, 100, flags=ReadingFlag.BACKFILLED)
    assert devices.state.look[0] == 77
    assert not devices.row()["flags"] & SlotFlag.REORDER
    assert devices.row()["rate"] > 3
    assert devices.of(RefillSeen)[0].units == 0  # stock of long ago
    devices.says(24 * 21, 98)
    assert devices.state.look[0] == 0


def test_use_is_booked_per_day_as_absolute_totals(devices):
    for day in range(6):
        for part in range(4):
            devices.says(24 * day + 6 * part, 90 - 4 * day - part)
    told = {u.day: u.total for u in devices.of(UsageBooked)}
    days = sorted(told)
    assert days[-1] == int(devices.row()["use_day"]) - 1
    assert sum(told.values()) + float(devices.row()["use_today"]) == pytest.approx(90 - 67, abs=2)
    assert all(2 < told[day] < 6 for day in days[2:])


def test_a_late_reading_tells_how_far_the_old_supply_went(devices):
    devices.says(0, 40, seq=1)
    devices.says(100, 100, seq=9)
    devices.says(101, 100, seq=10)
    live, used = devices.row().copy(), float(devices.row()["use_today"])
    assert devices.says(90, 5, seq=8) == Verdict.LATE
    assert devices.says(50, 25, seq=5) == Verdict.LATE
    assert devices.says(90, 5, seq=8) == Verdict.OLD
    for field in ("level", "rate", "read", "cycle", "high"):
        assert devices.row()[field] == live[field]
    late = float(devices.row()["use_today"]) + float(devices.row()["use_before"]) - used
    assert late == pytest.approx(float(live["before_level"]) - 5, abs=0.01)


@pytest.mark.parametrize(
    ("level", "code"),
    [((50.0, 40.0), "level_out_of_range"), (101.0, "level_out_of_range"), (float("nan"), "level_out_of_range")],
)
def test_levels_that_are_none(devices, level, code):
    assert devices.says(0, level) == Verdict.LIVE
    assert [q.code for q in devices.of(Quarantined)] == [code]


def test_what_nobody_registered(devices):
    devices.add(2)
    assert devices.says(0, 50, device=9) == Verdict.QUARANTINED
    assert devices.says(0, 50, device=2) == Verdict.LIVE
    devices.fold(devices.frame(1, {77: 50.0}))
    assert [q.code for q in devices.of(Quarantined)] == ["unknown_device", "foreign_slot", "unknown_slot"]
    assert "register it" in devices.of(Quarantined)[0].reason


def test_an_unknown_supply_name_is_told_once_per_frame(devices):
    frame = devices.frame(0, {0: 50.0, 1: 40.0})
    frame.supplies["flags"][0] = SupplyFlag.UNKNOWN
    named = Frame(frame.readings, frame.supplies, frame.counters, frame.measures, frame.signals, ("magenta",))
    devices.fold(named)
    assert devices.of(UnmappedSeen) == [UnmappedSeen(1, "magenta", int(frame.readings["ts"][0]))]
    assert devices.row()["high"] == 40


def test_a_slot_that_a_counter_meters_ignores_levels(bare):
    bare.add()
    bare.slot(meter=Meter.COUNTER, capacity=1000.0)
    bare.says(0, 50, counters={0: 100})
    assert bare.row()["level"] == 90
