"""Every limit of what a device may say, with the words that it is told."""

import functools
import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.explain import explain
from ingest.limits import Rejected
from ingest.message import Decoder, Reading, decode

GOOD = (
    b'{"v":1,"ts":"2026-11-21T09:30:00.250Z","boot":"a81f03c2d94e77b1","seq":1042,"supplies":{"black":{"level":0.42}}}'
)
SCHEMAS = Path(__file__).parents[3] / "docs" / "schemas"


def rejected(raw: bytes | str) -> Rejected:
    found = decode(raw.encode() if isinstance(raw, str) else raw)
    assert isinstance(found, Rejected), found
    return found


def supply(value: str) -> str:
    return '{"supplies":{"black":' + value + "}}"


@pytest.mark.parametrize(
    ("raw", "code", "words"),
    [
        ("", "not_json", "not JSON"),
        ("[]", "bad_type", "the message is []: send an object"),
        ("{}", "empty", "none of supplies, counters, measures, signals"),
        ('{"supplies":{}}', "empty", "none of"),
        ('{"v":2,"signals":["low"]}', "unknown_version", "v is 2: this gateway knows version 1"),
        ('{"v":true,"signals":["low"]}', "unknown_version", "v is true"),
        ('{"ts":"yesterday","signals":["low"]}', "bad_time", 'such as "2026-11-21T09:30:00Z"'),
        ('{"ts":"2026-11-21T09:30:00","signals":["low"]}', "bad_time", "zone"),
        ('{"ts":1795253400,"signals":["low"]}', "bad_time", "ts is 1795253400"),
        ('{"age_s":-1,"signals":["low"]}', "bad_time", "age_s is -1: at least 0"),
        ('{"boot":{},"signals":["low"]}', "bad_boot", "boot is {}"),
        ('{"seq":1.5,"signals":["low"]}', "bad_seq", "seq is 1.5: send a whole number"),
        ('{"seq":9007199254740993,"signals":["low"]}', "number_too_big", "at most 2^53"),
        ('{"seq":%s,"signals":["low"]}' % ("9" * 5000), "number_too_big", "at most 2^53"),
        (supply('{"level":42}'), "level_out_of_range", "supplies.black.level is 42: use 0..1"),
        (supply('{"level":-0.1}'), "level_out_of_range", "use 0..1"),
        (supply('{"level":"full"}'), "bad_level", 'supplies.black.level is "full"'),
        (supply('{"level":true}'), "bad_level", "is true"),
        (supply('{"level":[0.1]}'), "bad_interval", "has 1 bounds"),
        (supply('{"level":[0.1,1.5]}'), "level_out_of_range", "is 1.5"),
        (supply('{"level":NaN}'), "not_finite", "NaN"),
        (supply('{"level":Infinity}'), "not_finite", "Infinity"),
        (supply('{"level":1e999}'), "not_finite", "too big"),
        (supply('{"remaining":-3,"unit":"g"}'), "bad_amount", "is -3: at least 0"),
        (supply('{"remaining":3,"unit":7}'), "wrong_unit", "supplies.black.unit is 7"),
        (supply("1"), "bad_type", "supplies.black is 1: send an object"),
        ('{"counters":{"pages":-1}}', "bad_counter", "counters.pages is -1: at least 0"),
        ('{"counters":{"pages":1.5}}', "bad_counter", "whole number"),
        ('{"measures":{"t":{"unit":"Cel"}}}', "bad_measure", "measures.t has no value"),
        ('{"measures":{"t":{"value":"hot"}}}', "bad_measure", 'is "hot"'),
        ('{"signals":"low"}', "bad_signal", "send a list"),
        ('{"signals":[1]}', "bad_signal", "is not a text"),
        ('{"signals":["a"],"signals":["b"]}', "duplicate_key", 'the key "signals" comes twice'),
        (supply('{"level":0.1,"level":0.2}'), "duplicate_key", 'the key "level" comes twice'),
        ('{"signals":["low"],"x":{"a":1,"a":2}}', "duplicate_key", 'the key "a" comes twice'),
        ('{"signals":["low"],"x":{"a":1,"\\u0061":2}}', "duplicate_key", 'the key "a" comes twice'),
        ('{"ts":"2026-11-21T09:30:00+0100","seq":1,"seq":2,"signals":["low"]}', "duplicate_key", '"seq"'),
        ('{"signals":["low"],"x":' + "[" * 8 + "1" + "]" * 8 + "}", "too_deep", "deeper than 8"),
        ('{"signals":["low"],"x":%s' % ("[" * 60_000), "too_deep", "deeper than 8"),
        ('{"signals":["low"],"x":%s' % ('{"a":' * 10_000), "too_deep", "deeper than 8"),
        ('{"signals":["l\\u0000w"]}', "nul", "holds NUL"),
        (b'{"signals":["\0"]}', "nul", "byte 13 of the message is NUL"),
        (b'{"signals":["\xff"]}', "not_utf8", "not UTF-8 at byte 13"),
        (json.dumps({"counters": {f"c{n}": n for n in range(65)}}), "too_many", "counters has 65 entries: at most 64"),
        (json.dumps({"signals": ["s"] * 65}), "too_many", "signals has 65"),
        (" " * 65_537, "too_large", "65537 bytes: at most 65536"),
    ],
)
def test_refuses_in_words_that_a_person_understands(raw: bytes | str, code: str, words: str) -> None:
    found = rejected(raw)
    assert found.code == code
    assert words in found.reason


@pytest.mark.parametrize(
    "raw",
    [
        GOOD,
        supply('{"level":1}').encode(),
        b'{"signals":["low"],"x":%s1%s}' % (b"[" * 7, b"]" * 7),
        b'{"signals":["low"],"note":"a \\" quote: and a colon"}',
        b'{"ts":"2026-11-21T10:30:00+01:00","signals":["low"],"fw":"3.4:1"}',
        b'{"age_s":1.5,"counters":{"a:b":1},"boot":7,"seq":0}',
    ],
)
def test_takes_what_is_sound(raw: bytes) -> None:
    assert isinstance(decode(raw), Reading)


def test_remembering_a_shape_hides_nothing() -> None:
    decoder = Decoder()
    for raw in (GOOD, b'{"counters":{"a1":1,"a2":2}}', b'{"supplies":{"b":{"level":0.1,"x1":2}}}'):
        assert isinstance(decoder(raw), Reading)
        assert isinstance(decoder(raw), Reading)
    decoder(b'{"counters":{"a1":1,"a2":2}}')
    assert decoder(b'{"counters":{"a1":1,"a1":2}}') == Rejected(
        "duplicate_key", 'the key "a1" comes twice in one object'
    )
    decoder(b'{"supplies":{"b":{"level":0.1,"level2":0.2}}}')
    assert isinstance(decoder(b'{"supplies":{"b":{"level":0.1,"level":0.2}}}'), Rejected)
    decoder(b'{"v":1,"signals":["low"]}')
    assert isinstance(decoder(b'{"v":2,"signals":["low"]}'), Rejected)


class Pairs(list[tuple[str, object]]):
    """An object whose keys may come twice."""


NAMES = st.sampled_from(
    ["a", "a1", "a2", "level", "level2", "v", "seq", "supplies", "counters", "signals", "x.1", "x.2"]
)
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-3, 12),
        st.sampled_from([0.5, -0.0, 1.0]),
        st.sampled_from(["", "1", "a"]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(NAMES, inner), max_size=4).map(Pairs),
    max_leaves=12,
)


def dump(value: object) -> str:
    if isinstance(value, Pairs):
        return "{" + ",".join(f"{json.dumps(key)}:{dump(item)}" for key, item in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dump, value)) + "]"
    return json.dumps(value)


MESSAGES = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["v", "seq", "x1", "x2"]), st.integers(0, 3)),
        st.tuples(
            st.just("supplies"),
            st.lists(st.tuples(NAMES, st.lists(st.tuples(NAMES, VALUES), max_size=3).map(Pairs)), max_size=3).map(
                Pairs
            ),
        ),
        st.tuples(st.just("counters"), st.lists(st.tuples(NAMES, st.integers(0, 20)), max_size=3).map(Pairs)),
        st.tuples(st.just("signals"), st.just(["low"])),
        st.tuples(NAMES, VALUES),
    ),
    max_size=5,
).map(Pairs)


@settings(max_examples=120, deadline=None)
@given(st.lists(MESSAGES, min_size=1, max_size=4))
def test_the_quick_way_and_the_slow_way_agree(messages: list[Pairs]) -> None:
    decoder = Decoder()
    for message in messages:
        raw = dump(message).encode()
        slow = explain(raw)
        for _ in range(2):
            quick = decoder(raw)
            if isinstance(quick, Rejected):
                assert slow is not None or quick.code == "empty", (raw, quick)
            else:
                assert slow is None, (raw, slow)


@settings(max_examples=120, deadline=None)
@given(st.binary(max_size=200))
@example(b'{"signals":["low"]')
def test_any_bytes_are_a_reading_or_rejected(raw: bytes) -> None:
    assert isinstance(decode(raw), Reading | Rejected)


@settings(max_examples=120, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=3))
def test_damaged_messages_are_a_reading_or_rejected(at: int, junk: bytes) -> None:
    assert isinstance(decode(GOOD[:at] + junk + GOOD[at + len(junk) :]), Reading | Rejected)


@functools.cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("name", ["reading", "errors", "orders"])
def test_schemas_are_sound_and_fit_their_examples(name: str) -> None:
    check = validator(name)
    examples = check.schema["examples"]
    assert examples
    for one in examples:
        check.validate(one)


def test_the_schema_of_a_reading_takes_what_the_decoder_takes() -> None:
    check = validator("reading")
    for one in check.schema["examples"]:
        assert isinstance(decode(json.dumps(one).encode()), Reading)


@settings(max_examples=120, deadline=None)
@given(MESSAGES)
def test_what_the_decoder_takes_fits_the_schema_but_for_supplies(message: Pairs) -> None:
    """What a supply must say depends on the device; the rest of the schema is the decoder's."""
    raw = dump(Pairs((k, v) for k, v in message if k != "supplies")).encode()
    if isinstance(decode(raw), Reading):
        validator("reading").validate(json.loads(raw))
