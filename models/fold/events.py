"""What a fold tells: rows in an array while it runs, effects of models.effects afterwards."""

from collections.abc import Container, Sequence
from math import isnan
from typing import Any, NamedTuple

import numpy as np

from models.effects import Effect, Quarantined, RefillKind, RefillSeen, UnmappedSeen, UsageBooked
from models.jit import f64, i64, inner

REFILL, USAGE, UNMAPPED, QUARANTINE = 1, 2, 3, 4

EVENT = np.dtype(
    [
        ("kind", "u1"),
        ("refill", "u1"),  # RefillKind
        ("code", "<u2"),  # index into CODES; of UNMAPPED: into the frame's names
        ("subject", "<u4"),  # slot of REFILL and USAGE, else device: the ledger's ids
        ("cycle", "<u4"),
        ("day", "<i4"),
        ("ts", "<i8"),
        ("boot", "<i8"),
        ("seq", "<i8"),
        ("empty_since", "<i8"),
        ("before", "<f8"),
        ("after", "<f8"),  # of USAGE: the total
        ("units", "<f8"),
        ("about", "<i8"),  # what a reason is about: slot or counter
        ("shaken", "<i4"),
        ("device", "<u4"),
    ]
)

CODES = (
    ("skipped", "the reading made the step fail before and is passed over"),
    ("unknown_device", "device {about} is not registered in this partition: register it, then replay the reading"),
    ("retired_device", "device {about} is retired: register it anew if it is in use"),
    ("time_out_of_range", "the time {about} ms lies outside of what can be stored"),
    ("sequence_out_of_range", "the sequence number {about} lies outside 0..2^53"),
    ("unknown_slot", "slot {about} is not registered in this partition"),
    ("foreign_slot", "slot {about} belongs to another device"),
    ("level_out_of_range", "the level of slot {about} is no interval within 0..100 per cent"),
    ("implausible_counter", "counter {about} jumped further than its limit allows: taken as the new baseline"),
    ("counter_out_of_range", "counter {about} lies outside 0..2^53"),
    ("signal_without_slot", "a signal of the whole device, but the device has not exactly one slot"),
)
(
    SKIPPED,
    UNKNOWN_DEVICE,
    RETIRED_DEVICE,
    BAD_TIME,
    BAD_SEQUENCE,
    UNKNOWN_SLOT,
    FOREIGN_SLOT,
    BAD_LEVEL,
    IMPLAUSIBLE_COUNTER,
    BAD_COUNTER,
    NO_SUCH_SLOT,
) = range(len(CODES))

UNSIGNED = 0xFFFFFFFFFFFFFFFF
CURSOR_READING, CURSOR_SUPPLY, CURSOR_COUNTER, CURSOR_SIGNAL, CURSOR_EVENT = range(5)
"""Places of the fold's cursor: the next row of each block of the frame, and of the events."""


@inner
def blank(events: Any, cursor: Any, kind: int, reading: Any) -> Any:
    """The next event, about this reading."""
    k = cursor[CURSOR_EVENT]
    cursor[CURSOR_EVENT] = k + 1
    event = events[k]
    event.kind = kind
    event.ts = reading.ts
    event.boot = reading.boot
    event.seq = reading.seq
    event.device = reading.device
    return event


@inner
def quarantine(events: Any, cursor: Any, reading: Any, code: int, about: int) -> None:
    event = blank(events, cursor, i64(QUARANTINE), reading)
    event.code = code
    event.about = about


@inner
def unmapped(events: Any, cursor: Any, reading: Any, name: int) -> None:
    event = blank(events, cursor, i64(UNMAPPED), reading)
    event.code = name


@inner
def usage(events: Any, cursor: Any, reading: Any, slot: Any, day: int, total: float) -> None:
    event = blank(events, cursor, i64(USAGE), reading)
    event.subject = slot.id
    event.day = day
    event.after = total


@inner
def refilled(events: Any, cursor: Any, reading: Any, slot: Any, kind: int, ts: int, before: float, units: float) -> Any:
    """Of the cycle that is about to close; the caller adds `after`."""
    event = blank(events, cursor, i64(REFILL), reading)
    event.refill = kind
    event.subject = slot.id
    event.cycle = i64(slot.cycle)
    event.ts = ts
    event.before = f64(before)
    event.units = units
    event.empty_since = slot.empty_since
    event.shaken = slot.shaken
    return event


REASONS = {
    RefillKind.NEW: "the level rose from {before:.0f} % to {after:.0f} %: a new supply",
    RefillKind.PART_USED: "the level rose from {before:.0f} % to {after:.0f} %, less than full: a part-used supply",
    RefillKind.TOPUP: "the level rose from {before:.0f} % to {after:.0f} %: topped up",
    RefillKind.COUNTER_RESET: "its counter began anew at {before:.0f} %: a new supply",
    RefillKind.SAID: "the device or a person said so; the level was {before:.0f} %",
}


def told(events: Any, names: Sequence[str], known: Container[tuple[int, str]] = ()) -> list[Effect]:
    """Events as effects, in order; a supply name that the ledger does not know once per device, unless `known`."""
    effects: list[Effect] = []
    seen: set[tuple[int, str]] = set()
    for row in events.tolist():
        event = _Event(*row)
        if event.kind == REFILL:
            effects.append(refill_seen(event))
        elif event.kind == USAGE:
            effects.append(UsageBooked(event.subject, event.day, event.after))
        elif event.kind == UNMAPPED:
            name = names[event.code]
            if (event.device, name) not in seen and (event.device, name) not in known:
                seen.add((event.device, name))
                effects.append(UnmappedSeen(event.device, name, event.ts))
        else:
            effects.append(quarantined(event))
    return effects


class _Event(NamedTuple):
    """EVENT as Python numbers."""

    kind: int
    refill: int
    code: int
    subject: int
    cycle: int
    day: int
    ts: int
    boot: int
    seq: int
    empty_since: int
    before: float
    after: float
    units: float
    about: int
    shaken: int
    device: int


def refill_seen(event: _Event) -> RefillSeen:
    kind = RefillKind(event.refill)
    known = not isnan(event.before)
    before = event.before if known else 0.0
    why = (
        REASONS[kind].format(before=before, after=event.after) if known else "said to be new; no level was known before"
    )
    if event.shaken:
        why += f"; {event.shaken} smaller rises before it fell back (shaken or re-seated)"
    return RefillSeen(
        slot=event.subject,
        cycle=event.cycle,
        kind=kind,
        ts=event.ts,
        boot=event.boot & UNSIGNED,
        seq=event.seq,
        level_before=before,
        level_after=event.after,
        units=event.units,
        empty_since=event.empty_since,
        why=why,
    )


def quarantined(event: _Event) -> Quarantined:
    code, reason = CODES[event.code]
    return Quarantined(
        device=event.device,
        ts=event.ts,
        boot=event.boot & UNSIGNED,
        seq=event.seq,
        code=code,
        reason=reason.format(about=event.about),
    )
