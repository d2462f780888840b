"""Columns of the decision side, beside models.layout: what `step` knows of needs, cover, ordering modes and views."""

from enum import IntEnum, IntFlag

import numpy as np

from models.layout import _FACT as FACT


class Standing(IntEnum):
    """Of the slot's latest need, (need_cycle, need_attempt)."""

    NONE = 0  # none yet, or closed: need_attempt is the one that the next need of need_cycle gets
    OPEN = 1
    BLOCKED = 2  # refused, until a person releases it or a new cycle begins


class PlanFlag(IntFlag):
    PROPOSED = 1  # NeedUnnecessary was emitted for the open need
    COUNTED = 2  # the spares were counted since the last look: is the open need still necessary?
    WANTED = 4  # past the threshold or asked for at the last look, and not ordered: covered, observed or blocked


class Status(IntEnum):
    """Why a slot was (not) ordered at its last look; the names are those of SlotView.status."""

    FINE = 0
    COVERED = 1
    NEED_OPEN = 2
    BLOCKED = 3
    OBSERVE = 4
    OFF = 5
    UNMAPPED = 6
    SILENT = 7
    UNKNOWN = 8  # no level was ever seen
    RETIRED = 9
    SITE_BLOCKED = 10
    UNPLACED = 11  # its device, site or account is not in the journal yet
    SUSPECT = 12  # it seems refilled: its second reading decides
    IMPORTED = 13  # only history from a file is known: its device has said nothing since


PLAN = np.dtype(
    [
        ("need_cycle", "<u4"),
        ("need_attempt", "<u4"),
        ("need_incarnation", "<i4"),
        ("pool_row", "<i4"),
        ("need_version", "<i8"),
        ("need_pool", "<i4"),  # row of the pool that the need counts in
        ("next_slot", "<i4"),  # the next slot of the same pool, by row; rebuilt by restore
        ("first_cycle", "<u4"),  # the current cycle holds the numbers first_cycle..cycle (merged by a person)
        ("before_cycle", "<u4"),  # first_cycle before the last refill, to undo it
        ("would_cycle", "<u4"),  # the cycle for which WouldOrder was emitted last
        ("standing", "u1"),
        ("flags", "u1"),  # PlanFlag
        ("status", "u1"),  # shown last
        ("band", "u1"),  # shown last
        ("use_day", "<i4"),  # what was booked last: UsageBooked of this day and the one before
        ("use_today", "<f4"),
        ("use_before", "<f4"),
        ("viewed", "<i8"),  # time of the last SlotView
    ]
)
"""One row per slot, at the slot's row."""

POOL = np.dtype(
    [
        ("key", "<i8"),  # models.index.pair(site, product)
        *FACT,
        ("hot", "<i4"),  # 1: a slot past its threshold leans on this cover: look when any slot of the pool is due
        ("first_slot", "<i4"),  # row of the first of its slots; rebuilt by restore
        ("through", "<i8"),  # the fact's: later bookings are applied again
        ("fact_on_hand", "<f8"),
        ("fact_on_order", "<f8"),
        ("on_hand", "<f8"),  # with the bookings since
        ("on_order", "<f8"),
        ("changed", "<i8"),  # time of the last tick before the cover changed last
    ]
)
"""Cover of one (site, product): the spares, and the slots that they refill."""

MODE = np.dtype([("key", "<i8"), *FACT, ("mode", "u1"), ("paused", "u1"), ("spare", "<u2")])
"""Ordering mode of one (account, product)."""

WATCH = np.dtype([("interval", "<i8")])
"""One row per device: the longest gap between its readings, in listening ms, slowly forgotten."""
