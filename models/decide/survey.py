"""A survey: the outlook of the slots that are due, and of those that share the cover of one that wants a refill."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.decide import cover
from models.decide.book import Book
from models.decide.layout import PlanFlag, Standing
from models.decide.outlook import DETAIL, LEAD, OUTLOOK, assess, detail
from models.depletion import NORMAL_Z
from models.depletion.odd import SUSPENSE
from models.facts import Meter
from models.layout import LEAD_POINTS, DeviceFlag, SlotFlag
from models.rows import Rows, gather, scatter
from models.state import State
from models.units import DAY

Longs = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SIGNALS = SlotFlag.REORDER | SlotFlag.SIGNAL_LOW | SlotFlag.SIGNAL_EMPTY
LONGEST_SILENCE = 30 * DAY
"""Of listening time: afterwards the probability alone orders nothing any more, only a signal or a person does."""
_NORMAL = np.array(NORMAL_Z)


class BadOutlookError(ArithmeticError):
    """A slot's state gives no finite forecast. Look at its readings; its site is blocked."""


@dataclass(frozen=True, slots=True)
class Survey:
    """Columns of the same length, sorted by site and slot id. Nothing here belongs to the state: all are copies."""

    rows: Longs
    due: Bools  # it was due itself; else it only shares a pool
    slots: Rows
    plans: Rows
    outlooks: Rows
    placed: Bools  # the facts that it hangs on are there
    gone: Bools
    stopped: Bools  # its site is blocked
    silent: Bools
    imported: Bools  # what is known of it is history
    wants: Bools  # past the threshold, or the device or a person asks
    suspect: Bools  # it would want, but it seems refilled: the second reading decides
    signalled: Bools
    covered: Bools  # where it wants (or its open need was counted): it can do without
    before: npt.NDArray[np.float64]  # units that slots before it claim
    pools: Longs  # rows of the pools that were ranked

    def __len__(self) -> int:
        return len(self.rows)


def survey(state: State, book: Book, now: int, due: Longs, asked: Longs, tested: Longs) -> Survey:
    """`due`: rows to look at; among them `asked`, for which a person asks, and `tested`, about which one asks only.

    Raises BadOutlookError."""
    rows, slots, plans = due, gather(state.slots.rows, due), gather(book.plans, due)
    outlooks = _outlooks(state, now, rows, slots)
    ranked = _pools_to_rank(state, book, outlooks, slots, plans, np.isin(due, np.concatenate([asked, tested])))
    more = np.setdiff1d(cover.pool_members(ranked, book.pools.rows, book.plans), due)
    if len(more):
        more_slots = gather(state.slots.rows, more)
        outlooks = np.concatenate([outlooks, _outlooks(state, now, more, more_slots)])
        rows, slots = np.concatenate([due, more]), np.concatenate([slots, more_slots])
        plans = np.concatenate([plans, gather(book.plans, more)])
    site_row = slots["site_row"]
    site = np.where(site_row >= 0, state.sites.rows["id"][site_row], 0)
    order = np.lexsort((slots["id"], site))
    rows = rows[order]
    outlooks, slots, plans = gather(outlooks, order), gather(slots, order), gather(plans, order)
    basic = _circumstances(state, slots)
    signalled = (slots["flags"] & int(SIGNALS)) != 0
    wants = _wants(state, slots, outlooks) | signalled | np.isin(rows, asked)
    wants &= basic[0] & ~basic[1] & ~basic[2] & (slots["product"] > 0)
    suspect = wants & _seems_refilled(slots, now) & ~np.isin(rows, asked)
    wants &= ~suspect
    covered, before = _cover(book, state, rows, plans, slots, outlooks, signalled, ranked, now)
    return Survey(
        rows,
        (order < len(due)),
        slots,
        plans,
        outlooks,
        *basic,
        imported=_imported(state, slots),
        wants=wants,
        suspect=suspect,
        signalled=signalled,
        covered=covered,
        before=before,
        pools=ranked,
    )


def details(state: State, now: int, outlooks: Rows, receipt: bool = False) -> Rows:
    """DETAIL of each outlook; `earlier` and `later` only for a receipt."""
    out = np.zeros(len(outlooks), DETAIL)
    detail(
        outlooks,
        now,
        state.slots.rows,
        *_tables(state),
        receipt,
        _NORMAL,
        np.zeros(LEAD_POINTS, np.int64),
        np.zeros(LEAD_POINTS),
        out,
    )
    return out


def _tables(state: State) -> tuple[Any, ...]:
    return (
        state.sites.rows,
        state.accounts.rows,
        state.calendars.rows,
        state.classes.rows,
        state.lanes.rows,
        state.days,
    )


def _circumstances(state: State, slots: Rows) -> tuple[Bools, Bools, Bools, Bools]:
    """(placed, gone, stopped, silent)"""
    site_row, device_row = slots["site_row"], slots["device_row"]
    sites, devices = state.sites.rows, state.devices.rows
    placed = (site_row >= 0) & (devices["version"][device_row] > 0) & (slots["version"] > 0)
    account_row = np.where(placed, sites["account_row"][site_row], -1)
    placed &= account_row >= 0
    placed &= np.where(placed, state.accounts.rows["version"][account_row] > 0, False)
    flags = devices["flags"][device_row]
    gone = (slots["flags"] & int(SlotFlag.RETIRED) != 0) | (flags & int(DeviceFlag.RETIRED) != 0)
    stopped = placed & (sites["blocked"][site_row] != 0)
    return placed, gone, stopped, (flags & int(DeviceFlag.SILENT)) != 0


def _outlooks(state: State, now: int, rows: Longs, slots: Rows) -> Rows:
    """Of slots whose site works; the others stay without a forecast. `slots`: copies of the rows.

    Raises BadOutlookError."""
    placed, _, stopped, _ = _circumstances(state, slots)
    out = np.zeros(len(rows), OUTLOOK)
    out["row"] = rows
    out["empty"] = out["look"] = now + DAY
    out["level"] = np.nan
    able = np.flatnonzero(placed & ~stopped)
    lanes, place = np.unique(slots["lane_row"][able], return_inverse=True)
    leads = np.zeros(len(lanes), LEAD)
    leads["stamp"] = -1
    part = gather(out, able)
    machines = state.slots.rows, state.devices.rows
    assess(rows[able], place, now, *machines, *_tables(state), leads, np.zeros(LEAD_POINTS), part)
    if not np.isfinite(part["probability"]).all() or not np.isfinite(part["median"]).all():
        bad = part["row"][~(np.isfinite(part["probability"]) & np.isfinite(part["median"]))]
        ids = ", ".join(str(i) for i in state.slots.rows["id"][bad[:5]].tolist())
        raise BadOutlookError(f"no finite forecast of slot {ids}")
    scatter(out, able, part)
    return out


def _wants(state: State, slots: Rows, outlooks: Rows) -> Bools:
    """Past the threshold, by a forecast that still deserves belief."""
    quiet = state.devices.rows["quiet"][slots["device_row"]] > LONGEST_SILENCE
    believed = ~(quiet | _imported(state, slots)) | (slots["meter"] == int(Meter.AGE))
    past: Bools = outlooks["known"] & outlooks["near"] & (outlooks["probability"] >= outlooks["threshold"]) & believed
    return past


def _imported(state: State, slots: Rows) -> Bools:
    imported: Bools = (state.devices.rows["flags"][slots["device_row"]] & int(DeviceFlag.IMPORTED)) != 0
    return imported


def _seems_refilled(slots: Rows, now: int) -> Bools:
    """A rise waits for its second reading, for a while, and the device does not ask for goods itself."""
    flags = slots["flags"]
    waits: Bools = ((flags & int(SlotFlag.SUSPECT)) != 0) & ((flags & int(SlotFlag.REORDER)) == 0)
    waits &= now - slots["odd_read"] < SUSPENSE
    return waits


def _pools_to_rank(state: State, book: Book, outlooks: Rows, slots: Rows, plans: Rows, asked: Bools) -> Longs:
    """Pools of what is due in which something may have to be decided."""
    pooled = plans["pool_row"] >= 0
    open_need = plans["standing"] == Standing.OPEN
    wants = _wants(state, slots, outlooks) | ((slots["flags"] & int(SIGNALS)) != 0) | asked
    hot = book.pools.rows["hot"][plans["pool_row"]] != 0
    counted = open_need & ((plans["flags"] & int(PlanFlag.COUNTED)) != 0)
    return np.unique(plans["pool_row"][pooled & ((wants & ~open_need) | hot | counted)]).astype(np.int64)


def _cover(
    book: Book,
    state: State,
    rows: Longs,
    plans: Rows,
    slots: Rows,
    outlooks: Rows,
    signalled: Bools,
    ranked: Longs,
    now: int,
) -> tuple[Bools, npt.NDArray[np.float64]]:
    covered, before = np.zeros(len(rows), np.bool_), np.zeros(len(rows))
    inside = np.flatnonzero(np.isin(plans["pool_row"], ranked))
    empty = np.where(signalled[inside], now, outlooks["empty"][inside])
    order = np.lexsort((slots["id"][inside], empty, plans["pool_row"][inside]))
    some_covered, some_before = np.zeros(len(inside), np.bool_), np.zeros(len(inside))
    cover.rank(order, rows[inside], state.slots.rows, book.plans, book.pools.rows, some_before, some_covered)
    covered[inside], before[inside] = some_covered, some_before
    return covered, before
