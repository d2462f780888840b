"""A running device judged by what it has left in the journal: the rules that need no connection."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from ingest.check.events import Said
from ingest.limits import Rejected
from models.frame import ReadingFlag

CONTENT = ("supplies", "counters", "measures", "signals", "ts")


def said(lines: Iterable[dict[str, Any]]) -> Iterator[Said]:
    """What `ingest.tail.follow` shows, as events."""
    for line in lines:
        if line["kind"] == "refused":
            raw = str(line["raw"]).encode()
            yield Said(0.0, 1, raw, None, rejected=Rejected(line["code"], line["reason"]))
        elif "offline" not in line["flags"]:  # a last will is the gateway's word
            yield _reading(line)


def _reading(line: dict[str, Any]) -> Said:
    flags = ReadingFlag(0)
    for name in line["flags"]:
        flags |= ReadingFlag[name.upper()]
    content = msgspec.json.encode({name: line[name] for name in CONTENT})
    ts = None if flags & ReadingFlag.NO_TIME else int(line["ts"])
    if flags & ReadingFlag.NO_SEQUENCE:
        return Said(0.0, 1, content, ("", line["seq"]), ts=ts, flags=flags)
    return Said(0.0, 1, content, (line["boot"], line["seq"]), line["boot"], line["seq"], ts, flags)
