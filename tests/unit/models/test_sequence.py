"""Which readings are new, late or seen before: per boot, by number, whatever order they arrive in."""

import random

import pytest

from models.frame import ReadingFlag
from models.layout import SHEETS, WINDOW, DeviceFlag, Verdict

OLD, LIVE, LATE = Verdict.OLD, Verdict.LIVE, Verdict.LATE

STORIES = {
    "in order": [(1, 1, 1, LIVE), (1, 2, 2, LIVE), (1, 3, 3, LIVE)],
    "a copy": [(1, 1, 1, LIVE), (1, 1, 1, OLD), (1, 2, 2, LIVE), (1, 1, 1, OLD)],
    "a gap that is filled later": [(1, 1, 1, LIVE), (1, 4, 4, LIVE), (1, 2, 2, LATE), (1, 3, 3, LATE), (1, 2, 2, OLD)],
    "a gap wider than the mask": [(1, 1, 1, LIVE), (1, 500, 9, LIVE), (1, 200, 4, LATE), (1, 200, 4, OLD)],
    "the first number is not the lowest": [(1, 900, 9, LIVE), (1, 100, 1, LATE), (1, 99, 1, LATE), (1, 100, 1, OLD)],
    "number before time: the clock was set back": [(1, 1, 9, LIVE), (1, 2, 4, LIVE), (1, 3, 5, LIVE)],
    "a new boot": [(1, 50, 1, LIVE), (2, 1, 2, LIVE), (2, 2, 3, LIVE), (1, 50, 1, OLD), (1, 49, 1, LATE)],
    "the backlog of an older boot": [(2, 1, 9, LIVE), (1, 70, 5, LATE), (1, 70, 5, OLD), (2, 2, 10, LIVE)],
    "a clock that was wrong after the start": [(1, 1, 9, LIVE), (2, 1, -99, LATE), (2, 2, 10, LIVE), (2, 3, 9, LIVE)],
    "a boot number beyond 63 bits": [(2**64 - 1, 1, 1, LIVE), (2**64 - 1, 1, 1, OLD), (2**63, 1, 2, LIVE)],
}  # fmt: skip


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_stories(devices, story):
    assert [devices.says(hour, boot=boot, seq=seq) for boot, seq, hour, _ in story] == [told for *_, told in story]


def test_newest_first_backlog_is_late_not_old(devices):
    devices.says(0, 80, seq=1)
    devices.says(500, 40, seq=1000)
    backlog = [devices.says(hour, 60, seq=hour) for hour in range(499, 1, -1)]
    assert set(backlog) == {LATE}
    assert devices.says(300, 60, seq=300) == OLD
    assert devices.row()["high"] == 40


def test_any_order_counts_each_number_once(devices):
    chance = random.Random(7)
    numbers = [chance.randrange(400) for _ in range(1500)]
    seen: set[int] = set()
    for number in numbers:
        verdict = devices.says(number, seq=number)
        forgotten = devices.device_row()["flags"] & DeviceFlag.FORGETFUL
        assert (verdict == OLD) == (number in seen) or forgotten
        seen.add(number)


def test_a_filled_sheet_is_given_back(devices):
    devices.says(0, seq=0)
    devices.says(200, seq=200)
    assert devices.device_row()["sheet"] == 0
    for number in range(1, 200):
        assert devices.says(number, seq=number) == LATE
    assert devices.device_row()["sheet"] == -1
    assert devices.state.sheets[0]["device"] == -1


def test_more_gaps_than_a_sheet_holds(devices):
    for number in range(0, 2 * 70 + 2 * WINDOW, 2):
        assert devices.says(number, seq=number) == LIVE
    assert devices.device_row()["flags"] & DeviceFlag.FORGETFUL
    assert devices.says(1, seq=1) == OLD  # forgotten: counts as seen
    assert devices.says(101, seq=101) == LATE


def test_sheets_are_bounded(bare):
    for device in range(1, SHEETS + 3):
        bare.add(device)
    for device in range(1, SHEETS + 3):
        bare.says(0, device=device, seq=1)
        bare.says(1, device=device, seq=1000)
    assert [bare.device_row(d)["sheet"] for d in (1, SHEETS, SHEETS + 1)] == [0, SHEETS - 1, -1]
    assert bare.says(2, device=SHEETS + 2, seq=1001) == LIVE


def test_without_sequence_the_content_is_the_key(devices):
    plain = {"flags": ReadingFlag.NO_SEQUENCE, "boot": 0}
    told = [(1, 111), (1, 111), (2, -222), (1, 111), (1, 333), (3, 444)]
    assert [devices.says(hour, seq=key, **plain) for hour, key in told] == [LIVE, OLD, LIVE, OLD, LATE, LIVE]


def test_a_last_will_only_marks_the_device(devices):
    devices.says(5, 50)
    devices.state.look[0] = 99
    will = {"flags": ReadingFlag.OFFLINE, "boot": 0, "seq": 0}
    assert devices.says(4, **will) == OLD
    assert not devices.device_row()["flags"] & DeviceFlag.OFFLINE
    assert devices.says(6, **will) == LIVE
    assert devices.device_row()["flags"] & DeviceFlag.OFFLINE
    assert devices.state.look[0] == 99
    devices.says(7, 50)
    assert not devices.device_row()["flags"] & DeviceFlag.OFFLINE
