"""Readings become rows and frames: names to integers, levels to per cent, times and keys."""

import json
from dataclasses import replace
from hashlib import blake2b

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.frames import Resolver, boot_number, build
from ingest.levels import conversion
from ingest.limits import Rejected
from ingest.message import Reading, decode
from ingest.tail import lines
from journal.codec import decode as decode_record
from journal.codec import encode_frame
from models.frame import MAX_BYTES, MAX_READINGS, NO_SLOT, UNKNOWN_COUNTER, Frame, ReadingFlag, Signal, SupplyFlag
from models.identity import SlotIdentity
from tests.support.gateway_fakes import NOW, identity

DEVICE = identity(1)


def row(**fields: object) -> object:
    raw = json.dumps(fields).encode()
    reading = decode(raw)
    assert isinstance(reading, Reading), reading
    return Resolver(DEVICE).row(reading, raw, NOW)


def frame(**fields: object) -> Frame:
    made = row(**fields)
    assert not isinstance(made, Rejected), made
    (one,) = build([made])  # type: ignore[list-item]
    found = decode_record(one)
    assert isinstance(found, Frame)
    return found


def level(name: str, **supply: object) -> tuple[int, float, float]:
    slot, flags, low, high = frame(supplies={name: supply}).supplies[0].tolist()
    assert slot == DEVICE.slots[name].slot
    return flags, low, high


@pytest.mark.parametrize(
    ("name", "supply", "expected"),
    [
        ("black", {"level": 0.42}, (0, 42, 42)),
        ("black", {"level": 1}, (0, 100, 100)),
        ("black", {"level": [0.1, 0.25]}, (SupplyFlag.INTERVAL, 10, 25)),
        ("waste", {"level": 0.25}, (0, 75, 75)),
        ("waste", {"level": [0.25, 0.5]}, (SupplyFlag.INTERVAL, 50, 75)),
        ("beans", {"remaining": 300, "unit": "g"}, (SupplyFlag.REMAINING, 25, 25)),
        ("beans", {"remaining": 0.3, "unit": "kg"}, (SupplyFlag.REMAINING, 25, 25)),
        ("beans", {"remaining": 1250, "unit": "g"}, (SupplyFlag.REMAINING, 100, 100)),
        ("waste", {"remaining": 0.25, "unit": "l"}, (SupplyFlag.REMAINING, 25, 25)),
        ("black", {"remaining": 6000, "unit": "pages"}, (SupplyFlag.REMAINING, 50, 50)),
        ("black", {"state": "ok"}, (SupplyFlag.STATE, 10, 100)),
        ("black", {"state": "some"}, (SupplyFlag.STATE, 2, 100)),
        ("black", {"state": "low"}, (SupplyFlag.STATE, 0, 20)),
        ("black", {"state": "empty"}, (SupplyFlag.STATE, 0, 2)),
        ("waste", {"state": "ok"}, (SupplyFlag.STATE, 10, 100)),
        ("waste", {"state": "full"}, (SupplyFlag.STATE, 0, 2)),
        ("black", {"level": 0.5, "state": "low"}, (0, 50, 50)),
    ],
)
def test_levels_become_intervals_of_what_remains(
    name: str, supply: dict[str, object], expected: tuple[int, float, float]
) -> None:
    flags, low, high = expected
    assert level(name, **supply) == pytest.approx((int(flags), low, high))


def test_minus_zero_has_the_bits_of_zero() -> None:
    assert frame(supplies={"black": {"level": -0.0}}).supplies["low"].tobytes() == bytes(4)


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"supplies": {"black": {"remaining": 5, "unit": "g"}}}, "wrong_unit", "counted in pages"),
        ({"supplies": {"black": {"remaining": 5}}}, "wrong_unit", "no unit"),
        ({"supplies": {"beans": {"remaining": 2000, "unit": "g"}}}, "over_full", "a full one has 1200 g"),
        ({"supplies": {"black": {}}}, "no_level", "send level, remaining or state"),
        ({"supplies": {"black": {"state": "fine"}}}, "bad_state", "use one of full, high, ok, some, low, empty"),
        ({"supplies": {"black": {"level": [0.5, 0.1]}}}, "bad_interval", "the low bound comes first"),
        ({"supplies": {"a b": {"level": 0.1}}}, "bad_name", 'the name "a b" in supplies'),
        ({"counters": {"": 1}}, "bad_name", "in counters"),
        ({"measures": {"x" * 65: {"value": 1}}}, "bad_name", "in measures"),
        ({"signals": ["lo w"]}, "bad_name", "in signals"),
        ({"signals": ["low"], "account": "other"}, "identity_mismatch", 'account is "other"'),
        ({"signals": ["low"], "device": "copier-02"}, "identity_mismatch", 'connection is "copier-01"'),
    ],
)
def test_refuses_what_does_not_fit_the_device(fields: dict[str, object], code: str, words: str) -> None:
    found = row(**fields)
    assert isinstance(found, Rejected)
    assert found.code == code
    assert words in found.reason


def test_names_the_ledger_does_not_know_travel_with_the_frame() -> None:
    found = frame(
        supplies={"black": {"level": 0.5}, "new": {"level": 0.25}, "more": {"remaining": 3, "unit": "g"}},
        counters={"cups": 5, "scans": 9},
        measures={"temperature": {"value": 21.5, "unit": "Cel"}, "plain": {"value": 1}},
        signals=["reorder:black", "low", "reorder:nothing", "beep"],
    )
    assert found.supplies[0]["slot"] == 11
    assert [found.names[n] for n in found.supplies["slot"][1:]] == ["new", "more"]
    assert found.supplies["flags"].tolist() == [0, SupplyFlag.UNKNOWN, SupplyFlag.UNKNOWN | SupplyFlag.REMAINING]
    assert found.supplies[2].tolist()[2:] == (0.0, 100.0)  # its capacity is not known: nothing is invented
    assert found.counters[0].tolist() == (1, 0, 0, 5)
    assert (found.counters["index"][1], found.names[found.counters["name"][1]]) == (UNKNOWN_COUNTER, "scans")
    assert [(found.names[m["name"]], found.names[m["unit"]], m["value"]) for m in found.measures] == [
        ("temperature", "Cel", 21.5),
        ("plain", "", 1.0),
    ]
    signals = [(s["code"], s["slot"]) for s in found.signals]
    other = (Signal.OTHER, NO_SLOT)
    assert signals == [(Signal.REORDER, 11), (Signal.LOW, NO_SLOT), other, other]
    assert [found.names[s["name"]] for s in found.signals[2:]] == ["reorder:nothing", "beep"]


def test_times_are_ms_and_flagged_when_they_cannot_be_trusted() -> None:
    def time(**fields: object) -> tuple[int, int]:
        found = frame(signals=["low"], boot="b", seq=1, **fields).readings[0]
        return int(found["ts"]), int(found["flags"])

    assert time(ts="2026-11-18T01:46:40.007Z") == (1_794_966_400_007, 0)
    assert time(ts="2026-11-18T02:46:40.007+01:00") == (1_794_966_400_007, 0)
    assert time(ts="2999-01-01T00:00:00Z") == (NOW, ReadingFlag.CLAMPED)
    assert time() == (NOW, ReadingFlag.NO_TIME)
    assert time(age_s=2.5) == (NOW - 2_500, ReadingFlag.NO_TIME)


def test_boots_become_numbers() -> None:
    assert boot_number("a81f03c2d94e77b1") == 0xA81F03C2D94E77B1
    assert boot_number("0000000000000000") != 0
    assert boot_number(7) == boot_number("7") == int.from_bytes(blake2b(b"7", digest_size=8).digest(), "little")
    assert boot_number("a81f03c2d94e77b") != boot_number("a81f03c2d94e77b1")


def test_without_boot_and_seq_the_content_is_the_key() -> None:
    one, same, other = (frame(signals=["low"], ts="2026-11-18T01:46:40Z", x=x).readings[0] for x in (1, 1, 2))
    assert one["flags"] & ReadingFlag.NO_SEQUENCE
    assert (one["boot"], one["seq"] > 0) == (0, True)
    assert one["seq"] == same["seq"] != other["seq"]


def test_an_amount_of_an_unmapped_supply_says_nothing_and_holds_nothing_back() -> None:
    """Its model knows neither capacity nor unit; the other supplies of the reading count."""
    unmapped = SlotIdentity(99, 100.0, "%", mapped=False)
    device = replace(DEVICE, slots=DEVICE.slots | {"descaler": unmapped})
    raw = json.dumps({"supplies": {"descaler": {"remaining": 3, "unit": "ml"}, "black": {"level": 0.5}}}).encode()
    reading = decode(raw)
    assert isinstance(reading, Reading)
    made = Resolver(device).row(reading, raw, NOW)
    assert not isinstance(made, Rejected), made
    (one,) = build([made])
    found = decode_record(one)
    assert isinstance(found, Frame)
    assert found.supplies.tolist() == [
        (99, SupplyFlag.REMAINING, 0.0, 100.0),
        (DEVICE.slots["black"].slot, 0, 50.0, 50.0),
    ]


def test_units_convert_only_to_their_like() -> None:
    assert conversion("kg", "g") == 1000
    assert conversion("days", "h") == 24
    assert conversion("pages", "pages") == 1
    assert conversion("ml", "g") is None
    assert conversion("pages", "cups") is None


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 64), st.integers(0, 64)), min_size=1, max_size=12), st.integers(1, 60))
def test_frames_keep_order_and_bounds(shapes: list[tuple[int, int]], repeat: int) -> None:
    rows = []
    for seq, (supplies, measures) in enumerate(shapes * repeat):
        made = row(
            boot="b",
            seq=seq,
            signals=["low"],
            supplies={f"{'x' * 50}{seq % 7}.{n}": {"level": 0.5} for n in range(supplies)},
            measures={f"m{seq}.{n}": {"value": n} for n in range(measures)},
        )
        rows.append(made)
    assert sequences(rows) == list(range(len(rows)))


def sequences(rows: list[object]) -> list[int]:
    seen: list[int] = []
    for record in build(rows):  # type: ignore[arg-type]
        assert len(record) <= MAX_BYTES
        one = decode_record(record)
        assert isinstance(one, Frame)
        assert len(one) <= MAX_READINGS
        seen += one.readings["seq"].tolist()
    return seen


@pytest.mark.parametrize(("count", "wide"), [(500, ""), (60, "\N{DROPLET}" * 28)], ids=["many", "wide"])
def test_frames_hold_however_many_and_wide_names_there_are(count: int, wide: str) -> None:
    def one(seq: int) -> object:
        measures = {f"{seq}.{n}": {"value": n, "unit": f"{seq}{n}" + wide} for n in range(64)}
        return row(boot="b", seq=seq, measures=measures, signals=[f"s{seq}.{n}" for n in range(64)])

    assert sequences([one(seq) for seq in range(count)]) == list(range(count))


def test_the_tail_shows_what_the_device_said() -> None:
    found = frame(
        ts="2026-11-18T01:46:40Z",
        boot="a81f03c2d94e77b1",
        seq=7,
        supplies={"black": {"level": 0.42}, "new": {"state": "low"}},
        counters={"pages": 5, "scans": 6},
        measures={"temperature": {"value": 21.5, "unit": "Cel"}},
        signals=["reorder:black", "door_open", "beep"],
    )
    names = {slot.slot: name for name, slot in DEVICE.slots.items()}
    (line,) = lines(encode_frame(found), DEVICE, names)
    assert line == {
        "kind": "reading",
        "ts": 1_794_966_400_000,
        "boot": "a81f03c2d94e77b1",
        "seq": 7,
        "flags": [],
        "supplies": {
            "black": {"level": [0.42, 0.42], "flags": []},
            "new": {"level": [0.0, 0.2], "flags": ["state", "unknown"]},
        },
        "counters": {"pages": 5, "scans": 6},
        "measures": {"temperature": {"value": 21.5, "unit": "Cel"}},
        "signals": ["reorder:black", "door_open", "beep"],
    }
    assert list(lines(encode_frame(found), identity(2), names)) == []
