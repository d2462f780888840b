"""Refused input is shown as far as it can be read."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.again import again
from ingest.unpack import LONGEST, MOST, parts, text_of
from models.identity import DeviceIdentity, SlotIdentity

COPIER = DeviceIdentity(
    account="acme", device="copier-01", device_id=7, site_id=1, shard=0, credential=b"", ready=True, retired=False,
    version=1, slots={"black": SlotIdentity(3, 12_000.0, "pages")}, counters=("pages",),
)  # fmt: skip


def told(message: dict[str, Any], identity: DeviceIdentity | None = COPIER) -> dict[str, tuple[str, bool]]:
    return {part.path: (part.taken, part.fault) for part in parts(json.dumps(message).encode(), identity)}


def test_every_fault_is_told_not_the_first_alone() -> None:
    found = told(
        {
            "v": 2,
            "ts": "yesterday",
            "seq": 4,
            "device": "another",
            "supplies": {"black": {"remaining": 3, "unit": "kg"}, "ink": {"level": 0.5}},
            "counters": {"pages": 12, "cups": 3},
            "measures": {"heat": {}},
            "signals": ["low:black", 3],
            "colour": "red",
        }
    )
    assert {path for path, (_, fault) in found.items() if fault} == {
        "v",
        "ts",
        "device",
        "supplies.black",
        "measures.heat",
        "signals",
    }
    assert "this supply is counted in pages" in found["supplies.black"][0]
    assert found["counters.pages"][0] == found["seq"][0] == "fine"
    assert "tracked, never ordered for" in found["supplies.ink"][0]
    assert "left out" in found["counters.cups"][0]
    assert found["colour"] == ("not known: left out", False)


def test_an_unknown_device_is_judged_by_the_message_alone() -> None:
    assert told({"supplies": {"black": {"level": 42}, "ink": {"level": 0.1}}}, None) == {
        "supplies.black": ("supplies.black.level is 42: use 0..1", True),
        "supplies.ink": ("fine", False),
    }


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"3", b"\xff", b"[" * 4000, b"\x04\x01\x92\x01\x02"])
def test_what_cannot_be_read_has_no_parts(raw: bytes) -> None:
    assert parts(raw, COPIER) == []
    assert isinstance(text_of(raw), str)


def test_a_packed_reading_is_read_as_the_journal_has_it() -> None:
    message = {
        "ts": "2026-11-21T09:30:00Z",
        "boot": "a81f03c2d94e77b1",
        "seq": 9,
        "supplies": {"black": {"level": 0.42}},
        "counters": {"pages": 7},
        "signals": ["low:black"],
    }
    raw = again(json.dumps(message).encode(), COPIER, 1_795_000_000_000)
    assert isinstance(raw, bytes)
    said = {part.path: part.said for part in parts(raw, COPIER)}
    assert said["boot"] == '"a81f03c2d94e77b1"'
    assert said["counters.pages"] == "7"
    assert '"level":[0.42,0.42]' in said["supplies.black"]
    assert parts(raw, None) == []
    assert text_of(raw).startswith(raw[:4].hex())


@given(
    st.dictionaries(st.text(), st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5), max_size=9)
)
def test_whatever_came_can_be_shown(message: dict[str, Any]) -> None:
    for known in (message, {"supplies": message, "counters": message, "measures": message, "signals": [*message]}):
        found = parts(json.dumps(known).encode(), COPIER)
        assert len(found) <= MOST
        for part in found:
            assert max(len(part.path), len(part.said)) <= LONGEST
            assert f"{part.path}{part.said}{part.taken}".encode()
