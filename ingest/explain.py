"""Why a message is refused, in words that whoever programs a device understands. Slow; runs for what is odd only."""

import json
import math
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ingest.limits import MAX_DEPTH, MAX_INTEGER, MAX_ITEMS, MAX_UNIT, NAME, Rejected


class _Found(Exception):
    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.rejected = Rejected(code, reason)


def explain(raw: bytes) -> Rejected | None:
    """The first thing that is wrong with a JSON reading; None when nothing is."""
    try:
        document = _parse(raw)
        _walk(document)
        _message(document)
    except _Found as found:
        return found.rejected
    except RecursionError:
        return Rejected("too_deep", f"the message is nested deeper than {MAX_DEPTH}")
    return None


def _parse(raw: bytes) -> object:
    if b"\0" in raw:
        raise _Found("nul", f"byte {raw.index(0)} of the message is NUL")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise _Found("not_utf8", f"the message is not UTF-8 at byte {error.start}") from None
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_constant, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise _Found("not_json", f"the message is not JSON: {error.msg} at character {error.pos}") from None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Found("duplicate_key", f"the key {show(key)} comes twice in one object")
            seen.add(key)
    return result


def _constant(name: str) -> object:
    raise _Found("not_finite", f"{name} is not a number that JSON knows")


def _integer(digits: str) -> int:
    # a bound before int(): thousands of digits take quadratic time
    return int(digits) if len(digits) < 40 else 10**40


def _walk(document: object) -> None:
    """Depth, NUL and infinities everywhere, unknown fields too. No recursion: the depth is the sender's."""
    level: list[object] = [document]
    depth = 0
    while level:
        below: list[object] = []
        for value in level:
            if isinstance(value, dict):
                below.extend(value.keys())
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
            elif isinstance(value, str):
                if "\0" in value:
                    raise _Found("nul", f"{show(value)} holds NUL")
            elif isinstance(value, float) and not math.isfinite(value):
                raise _Found("not_finite", "a number is too big")
        if any(isinstance(value, dict | list) for value in level):
            depth += 1
        if depth > MAX_DEPTH:
            raise _Found("too_deep", f"the message is nested deeper than {MAX_DEPTH}")
        level = below


def _message(document: object) -> None:
    fields = _object("the message", document)
    if "v" in fields and (not _is_integer(fields["v"]) or fields["v"] != 1):
        raise _Found("unknown_version", f"v is {show(fields['v'])}: this gateway knows version 1")
    if "ts" in fields:
        _time(fields["ts"])
    if "age_s" in fields:
        _number("age_s", fields["age_s"], "bad_time", 0)
    if "boot" in fields:
        boot = fields["boot"]
        if not (isinstance(boot, str) and len(boot) <= 64):
            _count("boot", boot, "bad_boot", " or a text of at most 64 characters")
    if "seq" in fields:
        _count("seq", fields["seq"], "bad_seq")
    for key in ("account", "device"):
        if key in fields and not isinstance(fields[key], str):
            raise _Found("bad_type", f"{key} is {show(fields[key])}: send a text")
    for name, supply in _named("supplies", fields):
        _supply(f"supplies.{name}", supply)
    for name, value in _named("counters", fields):
        _count(f"counters.{name}", value, "bad_counter")
    for name, measure in _named("measures", fields):
        _measure(f"measures.{name}", measure)
    _signals(fields.get("signals", []))


def _time(value: object) -> None:
    advice = 'send RFC 3339 with seconds and zone, such as "2026-11-21T09:30:00Z"'
    if not isinstance(value, str):
        raise _Found("bad_time", f"ts is {show(value)}: {advice}")
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        raise _Found("bad_time", f"ts is {show(value)}: {advice}") from None
    if time.tzinfo is None or len(value) < 19:
        raise _Found("bad_time", f"ts is {show(value)}: {advice}")


def _supply(path: str, value: object) -> None:
    supply = _object(path, value)
    if "level" in supply:
        level = supply["level"]
        for bound in level if isinstance(level, list) else [level]:
            _level(path, bound)
        if isinstance(level, list) and len(level) != 2:
            raise _Found("bad_interval", f"{path}.level has {len(level)} bounds: send a number or [low, high]")
        if isinstance(level, list) and level[0] > level[1]:
            raise _Found("bad_interval", f"{path}.level is {show(level)}: the low bound comes first")
    if "remaining" in supply:
        _number(f"{path}.remaining", supply["remaining"], "bad_amount", 0)
    _unit(path, supply)
    if "state" in supply and not (isinstance(supply["state"], str) and len(supply["state"]) <= 64):
        raise _Found("bad_state", f"{path}.state is {show(supply['state'])}: send a word")


def _level(path: str, value: object) -> None:
    if not _is_number(value):
        raise _Found("bad_level", f"{path}.level is {show(value)}: send a number in 0..1 or [low, high]")
    if not 0 <= value <= 1:  # type: ignore[operator]  # _is_number
        raise _Found("level_out_of_range", f"{path}.level is {show(value)}: use 0..1")


def _measure(path: str, value: object) -> None:
    measure = _object(path, value)
    if "value" not in measure:
        raise _Found("bad_measure", f"{path} has no value")
    _number(f"{path}.value", measure["value"], "bad_measure", -MAX_INTEGER)
    _unit(path, measure)


def _unit(path: str, fields: dict[str, Any]) -> None:
    if "unit" in fields and not (isinstance(fields["unit"], str) and len(fields["unit"]) <= MAX_UNIT):
        raise _Found(
            "wrong_unit", f"{path}.unit is {show(fields['unit'])}: send a text of at most {MAX_UNIT} characters"
        )


def _signals(value: object) -> None:
    if not isinstance(value, list):
        raise _Found("bad_signal", f"signals is {show(value)}: send a list of texts")
    if len(value) > MAX_ITEMS:
        raise _Found("too_many", f"signals has {len(value)} entries: at most {MAX_ITEMS}")
    for signal in value:
        if not isinstance(signal, str):
            raise _Found("bad_signal", f"the signal {show(signal)} is not a text")


def _object(path: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Found("bad_type", f"{path} is {show(value)}: send an object")
    return value


def _named(key: str, fields: dict[str, Any]) -> Iterable[tuple[str, object]]:
    items = _object(key, fields.get(key, {}))
    if len(items) > MAX_ITEMS:
        raise _Found("too_many", f"{key} has {len(items)} entries: at most {MAX_ITEMS}")
    for name in items:
        if not NAME.match(name):
            raise bad_name_found(key, name)
    return items.items()


def bad_name(where: str, name: str) -> Rejected:
    return Rejected("bad_name", f"the name {show(name)} in {where}: use 1 to 64 of A-Z a-z 0-9 _ . : -")


def bad_name_found(where: str, name: str) -> Exception:
    rejected = bad_name(where, name)
    return _Found(rejected.code, rejected.reason)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(path: str, value: object, code: str, low: float) -> None:
    if not _is_number(value):
        raise _Found(code, f"{path} is {show(value)}: send a number")
    if value < low:  # type: ignore[operator]  # _is_number
        raise _Found(code, f"{path} is {show(value)}: at least {low}")
    if value > MAX_INTEGER:  # type: ignore[operator]  # _is_number
        raise _Found("number_too_big", f"{path} is {show(value)}: at most 2^53")


def _count(path: str, value: object, code: str, alternative: str = "") -> None:
    if not _is_integer(value):
        raise _Found(code, f"{path} is {show(value)}: send a whole number{alternative}")
    _number(path, value, code, 0)


def show(value: object) -> str:
    """As JSON, short enough for a message."""
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 60 else text[:57] + "..."
