"""Corrections of a refused message."""

import json
from typing import Any

import pytest

from ingest.fix import BadFix, Fix, assignments, merged, patched
from ingest.limits import Rejected


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [  # of RFC 7396, appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [1, 2]}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_patch_is_merged(target: Any, patch: Any, result: Any) -> None:
    before = json.dumps(target)
    assert merged(target, patch) == result
    assert json.dumps(target) == before


def test_assignments_are_a_patch() -> None:
    assert assignments(
        [
            "supplies.black.level=0.42",
            "supplies.tray.2.unit=g",
            "supplies.old=null",
            "counters.pages.a4=12",
            'signals=["low:black"]',
            "seq=7",
            "boot=a=b",
        ]
    ) == {
        "supplies": {"black": {"level": 0.42}, "tray.2": {"unit": "g"}, "old": None},
        "counters": {"pages.a4": 12},
        "signals": ["low:black"],
        "seq": 7,
        "boot": "a=b",
    }


@pytest.mark.parametrize("texts", [["seq"], ["=7"], ["supplies=1", "supplies.black.level=1"]])
def test_what_is_no_assignment_is_told(texts: list[str]) -> None:
    with pytest.raises(BadFix):
        assignments(texts)


def test_a_message_is_replaced_patched_or_left() -> None:
    raw = b'{"seq": 7, "supplies": {"black": {"level": 42}}}'
    assert Fix().of(raw) is None
    assert Fix(message=b"{}").of(raw) == b"{}"
    fixed = Fix(patch={"supplies": {"black": {"level": 0.42}}}).of(raw)
    assert isinstance(fixed, bytes)
    assert json.loads(fixed) == {"seq": 7, "supplies": {"black": {"level": 0.42}}}


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff", b"[" * 4000])
def test_what_cannot_be_read_is_not_patched_to_something_smaller(raw: bytes) -> None:
    assert isinstance(patched(raw, {"seq": 1}), Rejected)
