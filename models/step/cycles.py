"""What a refill changes beside the slot: cover, and the numbers of its cycle. Taking one back; one that is said."""

from math import isnan
from typing import Any

from models.calendar import tau_at
from models.decide.book import Book, Booking
from models.decide.cover import claim_at
from models.decide.layout import PlanFlag
from models.effects import RefillKind, RefillSeen
from models.fold.clock import mark_clock
from models.fold.moment import Moment
from models.fold.refill import open_cycle, reset_level, reverse, units_of
from models.jit import entry, fingerprint, i64, inner
from models.layout import COUNTERS, NO_TOTAL
from models.state import State

_SAID = int(RefillKind.SAID)
SAID_LEVEL = 97.0
SAID_VARIANCE = 9.0
"""A new supply that nobody measured: per cent, and per cent squared."""


def refilled(state: State, book: Book, offset: int, seen: RefillSeen) -> None:
    """A cycle closed and the next one opened: book the stock that it used."""
    at = state.slots.row(seen.slot)
    book.fit(state)
    plan = book.plans[at]
    plan["before_cycle"] = plan["first_cycle"]
    plan["first_cycle"] = seen.cycle + 1
    pool = int(plan["pool_row"])
    if pool >= 0 and seen.units > 0.0:
        book.book(pool, Booking(offset, "refill", seen.units, seen.slot, seen.cycle))
        book.touch(state, pool)
    state.look[at] = 0


def merge_cycles(state: State, book: Book, offset: int, at: int, cycle: int) -> bool:
    """Take back the refill that closed `cycle`: it and its successor are one. False: that was not the last refill."""
    slot = state.slots.rows[at]
    plan = book.plans[at]
    if int(slot["cycle"]) != cycle + 1 or not reverse(slot):
        return False
    plan["first_cycle"] = plan["before_cycle"]
    plan["flags"] = int(plan["flags"]) & ~PlanFlag.PROPOSED
    pool = int(plan["pool_row"])
    mine = [b for b in book.bookings.get(pool, ()) if (b.kind, b.slot, b.cycle) == ("refill", int(slot["id"]), cycle)]
    units = mine[-1].units if mine else claim_at(state.slots.rows, at)
    if pool >= 0:
        book.book(pool, Booking(offset, "undo", units, int(slot["id"]), cycle))
        book.touch(state, pool)
    state.look[at] = 0
    return True


@inner
def renew(
    slots: Any, at: int, now: int, total: int, left: float, devices: Any, days: Any, first: int, count: int
) -> float:
    """Open the next cycle with a full supply; the stock that it used."""
    units = units_of(slots[at], _SAID, left, SAID_LEVEL)
    open_cycle(slots[at], now, total)
    reset_level(slots[at], SAID_LEVEL, SAID_VARIANCE)
    moment = Moment(now, tau_at(days, first, count, now), 0, first, count, False)
    mark_clock(days, moment, devices[i64(slots[at].device_row)], slots[at])
    slots[at].read = now
    slots[at].read_boot = slots[at].read_seq = 0
    return units


def _entry(logic: int) -> Any:
    def renew_slot(*arguments: Any) -> float:
        return renew(*arguments) if logic else 0.0

    return entry(renew_slot)


renew_slot = _entry(fingerprint(renew))


def said(state: State, at: int, now: int) -> RefillSeen:
    """A person put a new supply in."""
    slot = state.slots.rows[at]
    before = float(slot["level"])
    cycle, empty_since = int(slot["cycle"]), int(slot["empty_since"])
    counter = int(slot["counter"])
    total = NO_TOTAL
    if counter < COUNTERS:
        total = int(state.devices.rows[int(slot["device_row"])]["total"][counter])
    left = 0.0 if isnan(before) else before
    days = (state.days, *_calendar_of(state, int(slot["site_row"])))
    units = float(renew_slot(state.slots.rows, at, now, total, left, state.devices.rows, *days))
    return RefillSeen(
        slot=int(slot["id"]),
        cycle=cycle,
        kind=RefillKind.SAID,
        ts=now,
        boot=0,
        seq=0,
        level_before=left,
        level_after=SAID_LEVEL,
        units=units,
        empty_since=empty_since,
        why="a person said so",
    )


def _calendar_of(state: State, site_row: int) -> tuple[int, int]:
    """First row and number of the local days of a site; (0, 0): it has no calendar."""
    row = int(state.sites.rows["calendar_row"][site_row]) if site_row >= 0 else -1
    if row < 0:
        return 0, 0
    calendar = state.calendars.rows[row]
    return int(calendar["first"]), int(calendar["count"])
