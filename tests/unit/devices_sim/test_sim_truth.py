import random

import pytest

from devices_sim import acks
from devices_sim.acks import RECORD, AckLog, Ranges
from devices_sim.errors import BadState
from devices_sim.truth import Happening, Reading, Truth, acked, signed, unsigned


def test_ranges_hold_what_was_added_in_any_order():
    numbers = list(range(40)) + list(range(60, 80))
    random.Random(1).shuffle(numbers)
    ranges = Ranges()
    assert all(ranges.add(n) for n in numbers)
    assert not any(ranges.add(n) for n in numbers)
    assert ranges.spans == [[0, 39], [60, 79]]
    assert len(ranges) == 60
    assert 39 in ranges
    assert 40 not in ranges


def test_the_log_survives_a_torn_end_and_goes_on(tmp_path):
    path = tmp_path / "acked.log"
    log = AckLog(path)
    assert [log.add(1, 9, seq) for seq in (1, 2, 2)] == [True, True, False]
    log.close()
    with path.open("ab") as file:
        file.write(b"torn")
    log = AckLog(path)
    assert not log.add(1, 9, 2)
    assert log.add(1, 9, 3)
    log.close()
    assert path.stat().st_size == 3 * RECORD.size
    assert acks.load(path)[1, 9].spans == [[1, 3]]


def test_a_long_log_is_folded_into_ranges(tmp_path, monkeypatch):
    monkeypatch.setattr(acks, "FOLD_AT", 100)
    path = tmp_path / "acked.log"
    log = AckLog(path)
    for seq in range(250):
        log.add(seq % 2, 2**64 - 1, seq // 2)
        log.write()
    log.close()
    assert path.stat().st_size == 50 * RECORD.size
    found = acks.load(path)
    assert found[0, 2**64 - 1].spans == found[1, 2**64 - 1].spans == [[0, 124]]
    log = AckLog(path)
    assert not log.add(0, 2**64 - 1, 124)
    log.close()


def test_boots_are_64_bits_also_in_sqlite():
    for boot in (0, 1, 2**63 - 1, 2**63, 2**64 - 1):
        assert unsigned(signed(boot)) == boot
        assert -(2**63) <= signed(boot) < 2**63


def reading(number, seq):
    return Reading(number, 0, 2**64 - 1, seq, 1_000 + seq, b"{}")


@pytest.mark.parametrize(("keep", "rows"), [(False, 0), (True, 1)])
def test_what_waits_is_there_after_a_restart(tmp_path, keep, rows):
    truth = Truth(tmp_path, keep=keep)
    made = [reading(truth.reading_id(), seq) for seq in (1, 2)]
    truth.save([(0, "acme", "d", b"state")], made, [Happening(1, "swap", 0, "black", 7.0)], [], [], [], [], {})
    truth.acks.add(0, made[0].boot, 1)
    truth.save([], [], [], [("acme/hq", "TN-K", 2)], [(1, 0, "black", "swapped")], [made[0].id], [], {"time": "5"})
    truth.close()

    truth = Truth(tmp_path, keep=keep)
    assert list(truth.pending()) == [made[1]]
    assert truth.reading_id() > made[1].id
    assert truth.states() == {0: b"state"}
    assert truth.closets() == {("acme/hq", "TN-K"): 2}
    assert truth.meta("time") == "5"
    assert truth.counts() == {"swap": 1}
    assert truth.mean("swap") == truth.sum("swap") == 7.0
    [(number, *_)] = truth.untold()
    truth.told(number)
    assert truth.untold() == []
    kept = truth._db.execute("select count(*) from reading where acked = 1").fetchone()[0]
    assert kept == rows
    truth.close()
    assert acked(tmp_path) == {("acme", "d", "f" * 16): [(1, 1)]}


def test_a_failed_save_leaves_nothing_behind(tmp_path):
    truth = Truth(tmp_path)
    with pytest.raises(Exception, match="NOT NULL"):
        truth.save([(0, "acme", "d", b"state")], [], [Happening(None, "x")], [], [], [], [], {})
    assert truth.states() == {}
    truth.close()


def test_one_world_has_one_process(tmp_path):
    truth = Truth(tmp_path)
    with pytest.raises(BadState, match="in use by another devices_sim"):
        Truth(tmp_path)
    truth.close()
    Truth(tmp_path).close()


def test_tokens_are_for_their_owner_only(tmp_path):
    truth = Truth(tmp_path / "state")
    truth.add_credentials([("acme", "d", 1, "secret")])
    assert truth.credentials() == {("acme", "d"): (1, "secret")}
    truth.close()
    assert (tmp_path / "state" / "truth.db").stat().st_mode & 0o077 == 0
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0
