"""Facts: what the ledger decided, applied if newer (LIFECYCLE.md rule 9). They come at least once and in any order.

A fact may refer to an aggregate whose own fact has not come yet: a blank row stands in for it, and nothing that hangs
on it is decided until it comes.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from models.calendar import day_rows, first_day
from models.decide.book import Book
from models.decide.layout import PlanFlag, Standing
from models.depletion.prior import begin
from models.facts import (
    AccountFact,
    AccountProductFact,
    AnyFact,
    CalendarFact,
    ClassFact,
    DeviceFact,
    Fact,
    LaneFact,
    Meter,
    NeedFact,
    NeedState,
    RefillVerdictFact,
    SiteFact,
    SlotFact,
    StockFact,
)
from models.index import pair
from models.layout import COUNTERS, LEAD_POINTS, DeviceFlag, SlotFlag
from models.state import State
from models.step.clocks import clock_of, set_clock, set_usuals
from models.step.cycles import merge_cycles


def apply_fact(state: State, book: Book, offset: int, fact: AnyFact) -> None:
    """Raises ValueError for a fact that contradicts itself, before anything is changed."""
    if isinstance(fact, RefillVerdictFact):
        at = state.slots.row(fact.slot)
        if at >= 0:
            merge_cycles(state, book, offset, at, fact.cycle)
        return
    _APPLY[type(fact)](state, book, fact)


def newer(row: Any, fact: Fact) -> bool:
    """Is the fact newer than what the row holds? Then the row is marked with it."""
    if (fact.incarnation, fact.version) <= (int(row["incarnation"]), int(row["version"])):
        return False
    row["incarnation"], row["version"] = fact.incarnation, fact.version
    return True


def _account(state: State, book: Book, fact: AccountFact) -> None:
    if not 0.0 < fact.service_level < 1.0:
        raise ValueError(f"account {fact.account}: service level {fact.service_level} is not between 0 and 1")
    at = state.accounts.row_or_add(fact.account)
    row = state.accounts.rows[at]
    if newer(row, fact):
        row["mode"], row["paused"] = fact.mode, fact.paused
        row["service_level"], row["review"] = fact.service_level, fact.review_ms
        book.touched.add(("account", at))


def _account_product(state: State, book: Book, fact: AccountProductFact) -> None:
    at = book.modes.row_or_add(pair(fact.account, fact.product))
    row = book.modes.rows[at]
    if newer(row, fact):
        row["mode"], row["paused"] = fact.mode, fact.paused
        book.touched.add(("account", state.accounts.row_or_add(fact.account)))


def _site(state: State, book: Book, fact: SiteFact) -> None:
    at = state.sites.row_or_add(fact.site)
    if newer(state.sites.rows[at], fact):
        row = state.sites.rows[at]
        row["account_row"] = state.accounts.row_or_add(fact.account)
        row["calendar_row"] = state.calendars.row_or_add(fact.calendar)
        row["mode"], row["paused"] = fact.mode, fact.paused
        row["blocked"] = 0  # whoever changed the site has looked at it: try again
        book.touched.add(("site", at))


def _calendar(state: State, _book: Book, fact: CalendarFact) -> None:
    starts = np.frombuffer(fact.starts, "<i8")
    weights, opened = np.frombuffer(fact.weights, "<f4"), np.frombuffer(fact.open_days, "u1")
    if len(starts) < 2 or len(weights) != len(starts) - 1 or len(opened) != len(weights):
        counts = f"{len(starts)} midnights, {len(weights)} weights, {len(opened)} days"
        raise ValueError(f"calendar {fact.calendar}: {counts}")
    number = first_day(starts) if fact.first_day is None else fact.first_day
    at = state.calendars.row_or_add(fact.calendar)
    number = first_day(starts) if fact.first_day is None else fact.first_day
    if newer(state.calendars.rows[at], fact):
        state.set_days(at, day_rows(starts, weights, opened), number)


def class_row(state: State, slot_class: int) -> int:
    """Row of a class; one without a fact gets the defaults of ClassFact."""
    at = state.classes.row(slot_class)
    if at < 0:
        at = state.classes.add(slot_class)
        _set_class(state.classes.rows[at], ClassFact(version=0, slot_class=slot_class))
    return at


def _set_class(row: Any, fact: ClassFact) -> None:
    for name in ("rate", "rate_cv2", "dispersion", "kappa", "eta", "half_slow"):
        row[name] = getattr(fact, name)
    row["z"] = fact.z or 0.0


def _class(state: State, _book: Book, fact: ClassFact) -> None:
    if len(fact.z) not in {0, 9}:
        raise ValueError(f"class {fact.slot_class}: {len(fact.z)} quantiles, not 9")
    at = class_row(state, fact.slot_class)
    row = state.classes.rows[at]
    if newer(row, fact):
        _set_class(row, fact)
        slots = state.slots.live
        for k in np.flatnonzero((slots["class_row"] == at) & np.isnan(slots["level"])).tolist():
            begin(slots[k], row)


def _device(state: State, book: Book, fact: DeviceFact) -> None:
    at = state.devices.row_or_add(fact.device)
    if not newer(state.devices.rows[at], fact):
        return
    row = state.devices.rows[at]
    row["account_row"] = state.accounts.row_or_add(fact.account)
    row["site_row"] = state.sites.row_or_add(fact.site)
    flags = DeviceFlag(int(row["flags"])) & ~(DeviceFlag.RETIRED | DeviceFlag.SANDBOX)
    row["flags"] = flags | (DeviceFlag.RETIRED if fact.retired else 0) | (DeviceFlag.SANDBOX if fact.sandbox else 0)
    row["counters"] = min(fact.counters, COUNTERS)
    for k, wrap in enumerate(fact.counter_wraps[:COUNTERS]):
        row["wrap"][k] = wrap
    for k, limit in enumerate(fact.counter_limits[:COUNTERS]):
        row["limit"][k] = limit
    set_usuals(state, at, fact)
    book.fit(state)
    slot = int(row["first_slot"])
    while slot >= 0:
        state.slots.rows[slot]["site_row"] = row["site_row"]
        _settle(state, book, slot)
        slot = int(state.slots.rows[slot]["next_slot"])


def _slot(state: State, book: Book, fact: SlotFact) -> None:
    if not (fact.capacity > 0.0 and fact.pack_units > 0.0):
        raise ValueError(f"slot {fact.slot}: capacity {fact.capacity} and pack {fact.pack_units} must be above 0")
    at = state.slots.row(fact.slot)
    fresh = at < 0
    if fresh:
        at = state.add_slot(fact.slot, state.devices.row_or_add(fact.device))
    book.fit(state)
    row = state.slots.rows[at]
    if not newer(row, fact):
        return
    row["class_row"] = class_row(state, fact.slot_class)
    row["lane_row"] = state.lanes.row_or_add(fact.lane) if fact.lane else -1
    for name in ("product", "meter", "refill", "capacity", "pack_units", "quantum"):
        row[name] = getattr(fact, name)
    set_clock(state, at, clock_of(fact))
    if clock_of(fact) < 0:
        row["counter"] = fact.counter
    told = {SlotFlag.RETIRED: fact.retired, SlotFlag.UNMAPPED: fact.product == 0, SlotFlag.ASCENDING: fact.ascending}
    row["flags"] = int(row["flags"]) & ~sum(told) | sum(flag for flag, holds in told.items() if holds)
    if fact.meter == Meter.COUNTER:
        device = state.devices.rows[int(row["device_row"])]
        device["flags"] |= DeviceFlag.COUNTED
    if fresh:
        row["opened"] = fact.registered
        book.plans[at]["first_cycle"] = row["cycle"]
        begin(row, state.classes.rows[int(row["class_row"])])
    _settle(state, book, at)


def _settle(state: State, book: Book, at: int) -> None:
    """Put a slot into the pool that it belongs to by now, and look at it."""
    row = state.slots.rows[at]
    old = int(book.plans[at]["pool_row"])
    device = state.devices.rows[int(row["device_row"])]
    gone = int(row["flags"]) & SlotFlag.RETIRED or int(device["flags"]) & DeviceFlag.RETIRED
    site = int(row["site_row"])
    new = -1
    if site >= 0 and row["product"] and not gone:
        new = book.pool(int(state.sites.rows[site]["id"]), int(row["product"]))
    book.place(at, new)
    state.look[at] = 0
    if old not in {-1, new}:
        book.touch(state, old)


def _lane(state: State, book: Book, fact: LaneFact) -> None:
    if len(fact.grid_ms) != LEAD_POINTS:
        raise ValueError(f"lane {fact.lane}: {len(fact.grid_ms)} lead times, not {LEAD_POINTS}")
    at = state.lanes.row_or_add(fact.lane)
    row = state.lanes.rows[at]
    if newer(row, fact):
        row["site_row"] = state.sites.row_or_add(fact.site)
        row["grid"], row["cutoff"] = fact.grid_ms, fact.cutoff_ms
        book.touched.add(("site", int(row["site_row"])))


def _stock(state: State, book: Book, fact: StockFact) -> None:
    at = book.pool(fact.site, fact.product)
    row = book.pools.rows[at]
    if newer(row, fact):
        row["fact_on_hand"], row["through"] = max(fact.on_hand, 0.0), fact.through
        row["fact_on_order"] = sum(line.units for line in fact.on_order)
        book.recount(at)
        book.touch(state, at)


def _need(state: State, book: Book, fact: NeedFact) -> None:
    at = state.slots.row(fact.slot)
    if at < 0:
        return  # of a slot that is not in this partition
    plan = book.plans[at]
    mine = (int(plan["need_cycle"]), int(plan["need_attempt"]))
    theirs = (fact.cycle, fact.attempt)
    if theirs < mine:
        return  # of a need that is closed long since
    if theirs > mine:
        plan["need_cycle"], plan["need_attempt"] = theirs
        plan["need_version"] = plan["need_incarnation"] = plan["flags"] = 0
    if (fact.incarnation, fact.version) <= (int(plan["need_incarnation"]), int(plan["need_version"])):
        return
    plan["need_incarnation"], plan["need_version"] = fact.incarnation, fact.version
    if fact.state == NeedState.OPEN:
        plan["standing"] = Standing.OPEN
    elif fact.state == NeedState.REFUSED and not fact.released:
        plan["standing"] = Standing.BLOCKED
    else:
        plan["standing"] = Standing.NONE
        plan["need_attempt"] = fact.attempt + 1
        plan["need_version"] = plan["need_incarnation"] = 0
    plan["flags"] = int(plan["flags"]) & ~PlanFlag.PROPOSED
    _cover_of_need(state, book, at, fact)
    state.look[at] = 0


def _cover_of_need(state: State, book: Book, at: int, fact: NeedFact) -> None:
    """A need that ended without goods frees what it had booked; goods that came are in the stock's own fact."""
    for pool_row in {int(book.plans[at]["pool_row"]), int(book.plans[at]["need_pool"])} - {-1}:
        if fact.state not in {NeedState.OPEN, NeedState.MET}:
            book.forget_need(pool_row, fact.slot, fact.cycle, fact.attempt)
        book.touch(state, pool_row)


_APPLY: dict[type, Callable[[State, Book, Any], None]] = {
    AccountFact: _account,
    AccountProductFact: _account_product,
    SiteFact: _site,
    CalendarFact: _calendar,
    ClassFact: _class,
    DeviceFact: _device,
    SlotFact: _slot,
    LaneFact: _lane,
    StockFact: _stock,
    NeedFact: _need,
}
