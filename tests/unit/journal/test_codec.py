"""Records survive the way through bytes, and nothing that is no record gets through."""

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.codec import (
    FACT_HEADER,
    REQUEST_HEADER,
    DamagedRecord,
    TooLarge,
    UnknownVersion,
    decode,
    encode_fact,
    encode_frame,
    encode_refused,
    encode_request,
    encode_tick,
    kind_of,
)
from models.facts import ClassFact, NeedFact, NeedState, OnOrder, StockFact
from models.frame import COUNTER, MEASURE, READING, SIGNAL, SUPPLY, Frame
from models.records import Kind, Refused, Reorder, Tick

BLOCKS = ("readings", "supplies", "counters", "measures", "signals")


def frame(counts: list[tuple[int, int, int, int]], seed: int = 0, names: tuple[str, ...] = ("pages", "Cel")) -> Frame:
    """A frame of random bytes whose reading i owns counts[i] rows of each block."""
    random = np.random.default_rng(seed)

    def block(dtype: np.dtype[Any], rows: int) -> npt.NDArray[np.void]:
        return np.frombuffer(random.bytes(rows * dtype.itemsize), dtype).copy()

    readings = block(READING, len(counts))
    for column, name in enumerate(BLOCKS[1:]):
        readings[name] = [c[column] for c in counts]
    rows = [sum(c[i] for c in counts) for i in range(4)]
    return Frame(
        readings,
        block(SUPPLY, rows[0]),
        block(COUNTER, rows[1]),
        block(MEASURE, rows[2]),
        block(SIGNAL, rows[3]),
        names,
    )


def same(a: Frame, b: Frame) -> bool:
    return a.names == b.names and all(getattr(a, n).tobytes() == getattr(b, n).tobytes() for n in BLOCKS)


few = st.integers(0, 5)


@given(st.lists(st.tuples(few, few, few, few), max_size=20), st.integers(0, 2**32), st.lists(st.text(max_size=8)))
def test_a_frame_comes_back_as_it_went(counts: list[tuple[int, int, int, int]], seed: int, names: list[str]) -> None:
    sent = frame(counts, seed, tuple(names))
    value = encode_frame(sent)
    back = decode(value)
    assert isinstance(back, Frame)
    assert same(sent, back)
    assert kind_of(value) is Kind.FRAME
    for name in BLOCKS:
        column = getattr(back, name)
        assert column.flags.c_contiguous
        assert column.flags.writeable
        assert column.ctypes.data % 8 == 0 or not len(column)


@pytest.mark.parametrize(
    ("value", "record"),
    [
        (encode_tick(Tick(5, 3)), Tick(5, 3)),
        (encode_request(Reorder(id="r1", slot=4, by="ann")), Reorder(id="r1", slot=4, by="ann")),
        (
            encode_fact(NeedFact(version=3, slot=1, cycle=2, attempt=0, state=NeedState.FAILED)),
            NeedFact(version=3, slot=1, cycle=2, attempt=0, state=NeedState.FAILED),
        ),
        (
            encode_fact(StockFact(version=1, site=1, product=2, on_hand=0.5, on_order=(OnOrder(1, 2, 3, 1.0, 9),))),
            StockFact(version=1, site=1, product=2, on_hand=0.5, on_order=(OnOrder(1, 2, 3, 1.0, 9),)),
        ),
        (encode_fact(ClassFact(version=1, slot_class=2, z=(0.1,))), ClassFact(version=1, slot_class=2, z=(0.1,))),
        (
            encode_refused(Refused(device=1, received=2, code="c", reason="r", raw=b"\x00\xff")),
            Refused(device=1, received=2, code="c", reason="r", raw=b"\x00\xff"),
        ),
    ],
)
def test_other_records_come_back_as_they_went(value: bytes, record: object) -> None:
    assert decode(value) == record


@given(st.binary(max_size=200))
def test_garbage_is_damaged(garbage: bytes) -> None:
    try:
        decode(garbage)
    except DamagedRecord:
        return
    assert garbage[0] in set(Kind)


@given(st.sampled_from(list(Kind)), st.binary(max_size=300))
def test_garbage_behind_a_good_start_is_damaged_or_a_record(kind: Kind, garbage: bytes) -> None:
    try:
        record = decode(bytes((kind, 1)) + garbage)
    except DamagedRecord:
        return
    assert record is not None


@given(st.integers(0), st.integers(0, 255))
def test_a_frame_with_a_changed_byte_never_crashes(at: int, byte: int) -> None:
    value = bytearray(encode_frame(frame([(2, 1, 0, 1), (1, 0, 1, 0)])))
    value[at % len(value)] = byte
    try:
        back = decode(bytes(value))
    except DamagedRecord:
        return
    assert isinstance(back, Frame)
    assert back.readings["supplies"].sum() == len(back.supplies)


def test_a_cut_or_longer_frame_is_damaged() -> None:
    value = encode_frame(frame([(2, 1, 0, 1)]))
    for wrong in (value[:-1], value + b"\x00", value[:10]):
        with pytest.raises(DamagedRecord, match="header"):
            decode(wrong)


def test_deep_nesting_is_damaged() -> None:
    for kind in Kind:
        with pytest.raises(DamagedRecord):
            decode(bytes((kind, 1)) + b"\x91" * 100_000)


def test_another_version_says_so() -> None:
    value = bytearray(encode_tick(Tick(1, 1)))
    value[1] = 2
    with pytest.raises(UnknownVersion, match="version 2"):
        decode(bytes(value))


def test_an_unknown_kind_says_so() -> None:
    with pytest.raises(DamagedRecord, match="kind 9"):
        decode(b"\x09\x01")


def test_a_payload_that_was_packed_elsewhere_needs_only_the_header() -> None:
    fact = NeedFact(version=3, slot=1, cycle=2, attempt=0, state=NeedState.MET)
    request = Reorder(id="r1", slot=4, by="ann")
    assert decode(FACT_HEADER + msgspec.msgpack.encode(fact)) == fact
    assert decode(REQUEST_HEADER + msgspec.msgpack.encode(request)) == request


def test_too_many_readings_are_refused() -> None:
    assert len(encode_frame(frame([(0, 0, 0, 0)] * 500))) > 0
    with pytest.raises(TooLarge, match="501 readings"):
        encode_frame(frame([(0, 0, 0, 0)] * 501))


def test_too_many_bytes_are_refused() -> None:
    with pytest.raises(TooLarge, match="262144"):
        encode_frame(frame([(255, 0, 0, 0)] * 70))


def test_counts_that_do_not_match_are_refused() -> None:
    wrong = frame([(1, 0, 0, 0)])
    wrong.readings["supplies"] = 2
    with pytest.raises(ValueError, match="own 2 supplies, but it holds 1"):
        encode_frame(wrong)
