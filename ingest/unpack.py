"""Refused input as far as it can be read: every thing that it says, and how that would be taken today."""

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from ingest.again import packed
from ingest.frames import Resolver
from ingest.limits import Rejected
from ingest.message import decode
from ingest.tail import lines
from models.identity import DeviceIdentity

MOST: Final = 300
"""Parts that are shown: 4 KiB, the most that is kept of a message, hardly holds more."""
LONGEST: Final = 200
_HEAD: Final = ("v", "ts", "age_s", "boot", "seq", "account", "device")
_NAMED: Final = ("supplies", "counters", "measures")
_HARMLESS: Final = {"signals": ["door_open"]}
"""What makes a message of one head field complete."""


class Part(NamedTuple):
    path: str
    said: str
    taken: str
    fault: bool


def text_of(raw: bytes) -> str:
    """For people."""
    return raw.hex(" ", -4) if packed(raw) else raw.decode(errors="replace")


def parts(raw: bytes, identity: DeviceIdentity | None) -> list[Part]:
    """`identity`: the device as it is now, None if nobody knows it. Empty where nothing can be read."""
    if packed(raw):
        return list(_of_reading(raw, identity)) if identity is not None else []
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return []
    if not isinstance(document, dict):
        return []
    found = _of_message(document, identity)
    return [part for part, _ in zip(found, range(MOST), strict=False)]


def _of_message(document: dict[str, Any], identity: DeviceIdentity | None) -> Iterator[Part]:
    for key, value in document.items():
        if key in _HEAD:
            yield _part(key, value, _HARMLESS | {key: value}, identity)
        elif key in _NAMED and isinstance(value, dict) and value:
            for name, one in value.items():
                yield _part(f"{key}.{name}", one, {key: {name: one}}, identity)
        elif key == "signals" and isinstance(value, list) and value:
            for one in value:
                yield _part(key, one, {key: [one]}, identity)
        elif key in {*_NAMED, "signals"}:
            yield _part(key, value, _HARMLESS | {key: value}, identity)
        else:
            yield Part(_short(key), _said(value), "not known: left out", fault=False)


def _part(path: str, value: object, alone: dict[str, Any], identity: DeviceIdentity | None) -> Part:
    """`alone`: a message that says nothing else."""
    raw = json.dumps(alone).encode()
    found = decode(raw)
    taken: object = found
    if not isinstance(found, Rejected) and identity is not None:
        taken = Resolver(identity).row(found, raw, 0)
    if isinstance(taken, Rejected):
        return Part(_short(path), _said(value), taken.reason, fault=True)
    return Part(_short(path), _said(value), _known(path, identity), fault=False)


def _known(path: str, identity: DeviceIdentity | None) -> str:
    key, _, name = path.partition(".")
    slot = None if identity is None else identity.slots.get(name)
    if identity is not None and key == "supplies" and (slot is None or not slot.mapped):
        return "the device model has no slot of this name: tracked, never ordered for"
    if identity is not None and key == "counters" and name not in identity.counters:
        return "no counter of the device model has this name: left out"
    return "fine"


def _of_reading(raw: bytes, identity: DeviceIdentity) -> Iterator[Part]:
    names = {slot.slot: name for name, slot in identity.slots.items()}
    for line in lines(raw, identity, names):
        for key in ("ts", "boot", "seq", "flags"):
            yield Part(key, _said(line[key]), "", fault=False)
        for key in _NAMED:
            for name, one in line[key].items():
                yield Part(f"{key}.{name}", _said(one), "", fault=False)
        for one in line["signals"]:
            yield Part("signals", _said(one), "", fault=False)


def _said(value: object) -> str:
    return _short(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _short(text: str) -> str:
    """Without lone surrogates, which JSON may hold and no page can send."""
    text = text.encode(errors="replace").decode()
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
