"""What a tick would do at the surveyed slots, as columns and effects; nothing is changed yet."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from models.decide.book import Book
from models.decide.layout import PLAN, PlanFlag, Standing, Status
from models.decide.survey import Longs, Survey
from models.effects import Effect, Need
from models.facts import Mode
from models.layout import SlotFlag
from models.records import Reorder
from models.rows import Rows
from models.state import State
from models.step.needs import Reasons, answers, needs_of, ordering_mode, proposals, would_orders
from models.step.usage import usage_booked
from models.step.views import risk_band, slot_views
from models.units import DAY, MINUTE

VIEW_EVERY = 15 * MINUTE
COVERED_LOOK = 6 * 60 * MINUTE
"""A slot that leans on cover is looked at this often at least: others may come to need it earlier."""


@dataclass(slots=True)
class Draft:
    rows: Longs
    look: Longs
    cleared: npt.NDArray[np.uint32]  # flags of the slots that the tick answered
    plans: Rows
    pools: Longs
    hot: npt.NDArray[np.int32]
    needs: list[tuple[int, Need]] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    blocked_site: int | None = None

    @classmethod
    def blank(cls, rows: Longs) -> "Draft":
        none = np.zeros(0, np.int64)
        size = len(rows)
        return cls(
            rows, np.zeros(size, np.int64), np.zeros(size, np.uint32), np.zeros(size, PLAN), none, none.astype("i4")
        )


def make_draft(state: State, book: Book, now: int, seen: Survey, waiting: list[Reorder]) -> Draft:
    plans = seen.plans
    expired = (plans["standing"] == Standing.BLOCKED) & (plans["need_cycle"] < plans["first_cycle"])
    plans["standing"][expired] = Standing.NONE
    unnecessary = proposals(seen)
    modes = np.full(len(seen), Mode.AUTO, np.uint8)
    for i in np.flatnonzero(seen.wants).tolist():
        modes[i] = ordering_mode(state, book, seen.slots[i])
    status = statuses(seen, modes)
    reasons = Reasons(state, book, now, seen, modes, waiting)
    draft = Draft.blank(seen.rows)
    draft.plans, draft.pools = plans, seen.pools
    ordering = np.flatnonzero(status == Status.NEED_OPEN)
    ordering = ordering[plans["standing"][ordering] != Standing.OPEN]
    draft.needs = needs_of(reasons, ordering)
    plans["standing"][ordering] = Standing.OPEN
    would = would_orders(reasons, np.flatnonzero(_would(seen, status)))
    plans["would_cycle"][_would(seen, status)] = seen.slots["cycle"][_would(seen, status)]
    plans["flags"] &= ~np.uint8(PlanFlag.COUNTED)
    band = risk_band(seen)
    shown = _shown(book, now, seen, status, band)
    draft.effects = [need for _, need in draft.needs]
    draft.effects += unnecessary + would + answers(reasons, draft.needs)
    draft.effects += usage_booked(seen, shown)
    draft.effects += slot_views(state, book, now, seen, status, band, np.flatnonzero(shown))
    plans["status"], plans["band"] = status, band
    draft.look = _next_look(now, seen, status, shown)
    plans["viewed"][shown] = now
    draft.cleared = _cleared(seen, shown)
    draft.hot = _hot(seen, status)
    return draft


def statuses(seen: Survey, modes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Why each slot is (not) ordered; NEED_OPEN also where this tick opens the need. The first that holds counts."""
    standing = seen.plans["standing"]
    choices = [
        (seen.gone, Status.RETIRED),
        (~seen.placed, Status.UNPLACED),
        (standing == Standing.OPEN, Status.NEED_OPEN),
        (seen.stopped, Status.SITE_BLOCKED),
        (seen.slots["product"] == 0, Status.UNMAPPED),
        (standing == Standing.BLOCKED, Status.BLOCKED),
        (seen.wants & seen.covered, Status.COVERED),
        (seen.wants & (modes == Mode.OFF), Status.OFF),
        (seen.wants & (modes == Mode.OBSERVE), Status.OBSERVE),
        (seen.wants, Status.NEED_OPEN),
        (seen.suspect, Status.SUSPECT),
        (seen.imported, Status.IMPORTED),
        (seen.silent, Status.SILENT),
        (~seen.outlooks["known"], Status.UNKNOWN),
    ]
    return np.select([c for c, _ in choices], [s for _, s in choices], Status.FINE).astype(np.uint8)


def _would(seen: Survey, status: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    watched = (status == Status.OFF) | (status == Status.OBSERVE)
    result: npt.NDArray[np.bool_] = np.logical_and(watched, seen.plans["would_cycle"] < seen.plans["first_cycle"])
    return result


def _shown(
    book: Book, now: int, seen: Survey, status: npt.NDArray[np.uint8], band: npt.NDArray[np.uint8]
) -> npt.NDArray[np.bool_]:
    """Which slots' views are written: changed ones at once, others when the last view is old."""
    changed = (status != seen.plans["status"]) | (band != seen.plans["band"]) | (seen.plans["viewed"] == 0)
    refilled = (seen.slots["flags"] & int(SlotFlag.REFILLED)) != 0
    pool_row = seen.plans["pool_row"]
    changed |= (pool_row >= 0) & (book.pools.rows["changed"][pool_row] >= seen.plans["viewed"])
    age = now - seen.plans["viewed"]
    # who only shares a pool is put off at each look: it would never be due while the others are at work
    old = (seen.due & (age >= VIEW_EVERY)) | (age >= COVERED_LOOK)
    shown: npt.NDArray[np.bool_] = np.logical_and(changed | refilled | old, seen.placed)
    return shown


def _next_look(
    now: int, seen: Survey, status: npt.NDArray[np.uint8], shown: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    look = np.where(seen.outlooks["look"] > now, seen.outlooks["look"], now + DAY)
    look = np.where(status == Status.COVERED, np.minimum(look, now + COVERED_LOOK), look)
    waits = ~shown & ((seen.slots["flags"] & int(SlotFlag.USED)) != 0)
    look = np.where(waits, np.minimum(look, seen.plans["viewed"] + VIEW_EVERY), look)
    return np.maximum(look, now + 1)


def _cleared(seen: Survey, shown: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint32]:
    cleared = np.where(seen.placed, int(SlotFlag.REORDER), 0)
    cleared |= np.where(shown, int(SlotFlag.REFILLED | SlotFlag.USED), 0)
    return cleared.astype(np.uint32)


def _hot(seen: Survey, status: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
    """Of each surveyed pool: does a slot lean on its cover?"""
    leaning = seen.plans["pool_row"][status == Status.COVERED]
    return np.isin(seen.pools, leaning).astype(np.int32)
