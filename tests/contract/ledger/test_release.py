"""Out of the quarantine into the journal: what can be used by now, once."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Connection

from ingest.fix import Fix
from ingest.release import AT_ONCE, PARTLY, Actor, Chosen, Quarantine, RefusedStill
from journal.codec import decode, encode_frame
from journal.sqlite import SqliteJournal
from ledger import quarantine
from ledger.decisions import poison
from ledger.engine import Ledger
from ledger.fleet import apply_fleet, parse_fleet
from ledger.quarantine import Settled
from ledger.ready import mark_ready
from ledger.registry import devices
from ledger.scope import NotFound, Scope
from ledger.tables import outbox
from models.frame import Frame, ReadingFlag
from models.stores import Journal, Unavailable
from tests.support.mqtt import reading

from .world import NOW, fleet_content

ALL, MINE, OTHERS = Scope.all(), Scope.of(1), Scope.of(2)
ANN = Actor("Ann", NOW + 1, "it was a slip")
COPIER, COFFEE, THEIRS = 1, 2, 3
GOOD = reading(7, ts=None, supplies={"black": {"level": 0.42}}, counters=None)
WRONG = reading(8, ts=None, supplies={"black": {"level": 42}}, counters=None)


def sent(tx: Connection) -> None:
    """All facts have left for the journal."""
    tx.execute(outbox.delete())
    mark_ready(tx)


@pytest.fixture
def fleet(ledger: Ledger) -> Ledger:
    apply_fleet(ledger, parse_fleet(fleet_content()), NOW)
    with ledger.write() as tx:
        sent(tx)
    return ledger


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(SqliteJournal(tmp_path / "journal.db", partitions=4)) as opened:
        yield opened


@pytest.fixture
def desk(fleet: Ledger, journal: Journal) -> Quarantine:
    return Quarantine(fleet, journal)


@pytest.fixture
def hold(fleet: Ledger) -> Callable[..., int]:
    def keep(raw: bytes, device: int = COPIER, code: str = "wrong_unit") -> int:
        with fleet.write() as tx:
            known = len(quarantine.list_held(tx, ALL, limit=1000))
            assert poison.keep(tx, device, NOW, code, "it was so", raw, source=f"{device}/{code}/{known}/{raw!r}")
            return quarantine.list_held(tx, ALL, limit=1000)[-1].id

    return keep


def readings(journal: Journal) -> list[dict[str, Any]]:
    frames = [decode(r.value) for p in range(journal.partitions) for r in journal.read(p, 0)]
    assert all(isinstance(frame, Frame) for frame in frames)
    return [
        {
            "device": int(frame.readings[0]["device"]),
            "seq": int(frame.readings[0]["seq"]),
            "ts": int(frame.readings[0]["ts"]),
            "flags": int(frame.readings[0]["flags"]),
            "low": frame.supplies["low"].tolist(),
        }
        for frame in frames
        if isinstance(frame, Frame)
    ]


def test_it_is_in_the_journal_as_the_reading_that_it_was_and_says_so(
    desk: Quarantine, journal: Journal, hold: Callable[..., int], fleet: Ledger
) -> None:
    number = hold(GOOD)
    done = desk.replay_one(MINE, number, ANN)
    flags = int(ReadingFlag.NO_TIME | ReadingFlag.REPLAYED)
    assert readings(journal) == [{"device": COPIER, "seq": 7, "ts": NOW, "flags": flags, "low": [42.0]}]
    with fleet.read() as tx:
        held = quarantine.get(tx, MINE, number)
    assert (held.state, held.settled_by, held.note) == ("replayed", "Ann", "it was a slip")
    assert (held.partition, held.offset) == (done.partition, done.offset) == (done.partition, 0)


def test_it_is_replayed_once(desk: Quarantine, journal: Journal, hold: Callable[..., int]) -> None:
    number = hold(GOOD)
    desk.replay_one(ALL, number, ANN)
    with pytest.raises(Settled, match=f"{number} was replayed already"):
        desk.replay_one(ALL, number, ANN)
    assert desk.replay(ALL, Chosen((number,)), ANN).replayed == []
    assert desk.discard(ALL, Chosen((number,)), ANN) == []
    assert len(readings(journal)) == 1


def test_of_many_at_once_one_replays_it(fleet: Ledger, journal: Journal, hold: Callable[..., int]) -> None:
    number, together = hold(GOOD), Barrier(4)

    def replay(_: int) -> int:
        desk = Quarantine(fleet, journal)
        together.wait()
        return len(desk.replay(ALL, Chosen((number,)), ANN).replayed)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(replay, range(4))) == 1
    assert len(readings(journal)) == 1


def test_when_the_journal_fails_it_waits_on(fleet: Ledger, journal: Journal, hold: Callable[..., int]) -> None:
    class Full:
        partitions = journal.partitions

        def append(self, records: Any) -> list[int]:
            raise Unavailable(f"no room for {len(records)}")

    number = hold(GOOD)
    with pytest.raises(Unavailable):
        Quarantine(fleet, Full()).replay_one(ALL, number, ANN)  # type: ignore[arg-type]  # all that is called
    assert Quarantine(fleet, journal).replay_one(ALL, number, ANN).offset == 0


def test_a_correction_goes_and_is_kept_beside_what_came(
    desk: Quarantine, journal: Journal, hold: Callable[..., int], fleet: Ledger
) -> None:
    number = hold(WRONG)
    with pytest.raises(RefusedStill, match="level is 42"):
        desk.replay_one(ALL, number, ANN)
    with pytest.raises(RefusedStill, match="level is 3"):
        desk.replay_one(ALL, number, ANN, Fix(patch={"supplies": {"black": {"level": 3}}}))
    desk.replay_one(ALL, number, ANN, Fix(patch={"supplies": {"black": {"level": 0.42}}}))
    (there,) = readings(journal)
    assert (there["seq"], there["low"]) == (8, [42.0])
    with fleet.read() as tx:
        held = quarantine.get(tx, ALL, number)
    assert held.raw == WRONG
    assert json.loads(held.fixed or b"")["supplies"] == {"black": {"level": 0.42}}


def test_a_whole_message_stands_for_what_cannot_be_read(
    desk: Quarantine, journal: Journal, hold: Callable[..., int]
) -> None:
    number = hold(b"{", code="not_json")
    with pytest.raises(RefusedStill, match="no JSON object"):
        desk.replay_one(ALL, number, ANN, Fix(patch={"seq": 1}))
    desk.replay_one(ALL, number, ANN, Fix(message=GOOD))
    assert readings(journal)[0]["seq"] == 7


def test_a_mapping_releases_what_it_held(
    desk: Quarantine, journal: Journal, hold: Callable[..., int], fleet: Ledger
) -> None:
    """The model gets the unit that the device sends; what waited for it can be used when the journal knows that."""
    number = hold(reading(9, supplies={"beans": {"remaining": 3, "unit": "bags"}}, counters=None), COFFEE)
    other = hold(WRONG)
    assert desk.usable(ALL, [number, other]) == set()
    content = fleet_content()
    content["device_models"][1]["slots"][0] |= {"unit": "bags", "capacity": 4}
    apply_fleet(fleet, parse_fleet(content), NOW)
    outcome = desk.replay(ALL, Chosen(), ANN)
    assert [(one.id, one.code) for one in outcome.kept] == [(number, "not_yet"), (other, "level_out_of_range")]
    with fleet.write() as tx:
        sent(tx)
    assert desk.usable(ALL, [number, other]) == {number}
    outcome = desk.replay(ALL, Chosen(), ANN)
    assert [one.id for one in outcome.replayed] == [number]
    assert [one.id for one in outcome.kept] == [other]
    assert readings(journal)[0]["low"] == [75.0]


def test_a_retired_device_releases_nothing(desk: Quarantine, fleet: Ledger, hold: Callable[..., int]) -> None:
    number = hold(GOOD)
    with fleet.write() as tx:
        devices.retire(tx, ALL, COPIER)
    with pytest.raises(RefusedStill, match="copier-01 is retired"):
        desk.replay_one(ALL, number, ANN)


@pytest.mark.parametrize(
    ("raw", "device", "code", "why"),
    [
        (b"", COPIER, "retired_device", "nothing was kept"),
        (b" " * 4096, COPIER, "not_json", "only the first 4096 bytes"),
        (GOOD, 0, "unknown_device", "no registered device"),
        *((GOOD, COPIER, code, "used when it came") for code in sorted(PARTLY)),
    ],
)
def test_what_cannot_be_replayed(
    desk: Quarantine, journal: Journal, hold: Callable[..., int], raw: bytes, device: int, code: str, why: str
) -> None:
    number = hold(raw, device, code)
    with pytest.raises(RefusedStill, match=why):
        desk.replay_one(ALL, number, ANN)
    assert readings(journal) == []


def test_a_packed_reading_goes_as_it_is(desk: Quarantine, journal: Journal, hold: Callable[..., int]) -> None:
    """What made the decision fail is kept as the journal had it; after an update it may be used."""
    desk.replay_one(ALL, hold(GOOD), ANN)
    (record,) = [r.value for p in range(journal.partitions) for r in journal.read(p, 0)]
    number, foreign = hold(record, COPIER, "poison_reading"), hold(record, COFFEE, "poison_reading")
    cut = hold(record[:-9], COPIER, "bad_effect")
    desk.replay_one(ALL, number, ANN)
    assert readings(journal)[0] == readings(journal)[1]
    for other, why in ((foreign, "no reading of coffee-01"), (cut, "not all of the reading was kept")):
        with pytest.raises(RefusedStill, match=why):
            desk.replay_one(ALL, other, ANN)


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [("ts", 0, "time cannot be stored"), ("ts", 1 << 60, "time cannot be stored"), ("seq", -1, "seq cannot be stored")],
)
def test_what_the_decision_would_refuse_again_does_not_go(
    desk: Quarantine, journal: Journal, hold: Callable[..., int], column: str, value: int, why: str
) -> None:
    desk.replay_one(ALL, hold(GOOD), ANN)
    (record,) = [r.value for p in range(journal.partitions) for r in journal.read(p, 0)]
    frame = decode(record)
    assert isinstance(frame, Frame)
    frame.readings[column] = value
    number = hold(encode_frame(frame), COPIER, "time_out_of_range")
    with pytest.raises(RefusedStill, match=why):
        desk.replay_one(ALL, number, ANN)


def test_many_are_chosen_by_device_and_reason(desk: Quarantine, journal: Journal, hold: Callable[..., int]) -> None:
    mine = [hold(reading(n, supplies={"black": {"level": n}}, counters=None), COPIER, "bad_level") for n in (2, 3)]
    coffee = hold(reading(4, supplies={"beans": {"level": 2}}, counters=None), COFFEE, "bad_level")
    fix = Fix(patch={"supplies": {"black": {"level": 0.5}}})
    outcome = desk.replay(ALL, Chosen(device_id=COPIER, code="bad_level"), ANN, fix)
    assert [one.id for one in outcome.replayed] == mine
    assert sorted(one["seq"] for one in readings(journal)) == [2, 3]
    assert desk.discard(ALL, Chosen(code="bad_level"), ANN) == [coffee]
    assert desk.discard(ALL, Chosen(), ANN) == []


def test_others_settle_nothing_of_it(desk: Quarantine, journal: Journal, hold: Callable[..., int]) -> None:
    mine, theirs = hold(GOOD), hold(GOOD, THEIRS)
    for call in (desk.replay, desk.discard):
        with pytest.raises(NotFound, match=f"no quarantined input {mine}"):
            call(OTHERS, Chosen((theirs, mine)), ANN)
    with pytest.raises(NotFound):
        desk.replay_one(OTHERS, mine, ANN)
    assert desk.usable(OTHERS, [mine, theirs]) == {theirs}
    assert desk.discard(OTHERS, Chosen(code="wrong_unit"), ANN) == [theirs]
    assert readings(journal) == []


def test_many_are_more_than_one_page(desk: Quarantine, journal: Journal, hold: Callable[..., int]) -> None:
    numbers = [hold(reading(n, supplies={"black": {"level": 0.5}}, counters=None)) for n in range(AT_ONCE + 3)]
    assert [one.id for one in desk.replay(ALL, Chosen(tuple(numbers[:2])), ANN).replayed] == numbers[:2]
    assert [one.id for one in desk.replay(ALL, Chosen(), ANN).replayed] == numbers[2:]
    assert len(readings(journal)) == AT_ONCE + 3
