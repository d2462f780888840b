"""A tick: decide what is due. First a draft that changes nothing, then its commitment: a failure leaves no trace.

Site by site, rows in id order; a tick can be cut between sites (models.step.parts): when very much is due, and when a
draft fails. Then the site that fails is found by halving and blocked, and the rest goes on.
"""

import numpy as np
import numpy.typing as npt

from models.decide.book import Book, Booking
from models.decide.cover import claim_at
from models.decide.layout import Standing
from models.decide.survey import Longs, survey
from models.effects import Alert, Effect, Need, RequestAnswered
from models.records import Tick
from models.state import State
from models.step.draft import Draft, make_draft
from models.step.parts import MOST_NEEDS, Part, parts, split, too_many
from models.step.silence import hear
from models.units import DAY

_DATA = (ArithmeticError, LookupError, ValueError)
"""What the data of one site can provoke; anything else is a fault of the program, and the whole tick fails."""


def apply_tick(state: State, book: Book, offset: int, tick: Tick) -> list[Effect]:
    """Everything that is due at the tick; nothing if time did not go on."""
    if tick.time <= state.time:
        return []
    book.fit(state)
    due = np.flatnonzero((state.look[: state.slots.count] <= tick.time) | _touched(state, book))
    asked = np.array([state.slots.row(r.slot) for r in book.waiting], np.int64)
    drafts, later = _decide(state, book, tick.time, Part(np.union1d(due, asked).astype(np.int64), book.waiting))
    for rows in later:
        state.look[rows] = 0  # also what is due only because its site was touched
    book.touched.clear()
    book.waiting = []
    state.time = tick.time
    state.listening += tick.listening
    effects: list[Effect] = []
    for draft in drafts:
        _commit(state, book, offset, draft)
        effects += draft.effects
    return effects + hear(state, book, tick.time, tick.listening)


def _decide(state: State, book: Book, now: int, whole: Part) -> tuple[list[Draft], list[Longs]]:
    """Drafts, and what stays due for the next tick: in a burst of needs the rest is not even looked at."""
    drafts: list[Draft] = []
    later: list[Longs] = []
    needs, full = 0, False
    for part in parts(state, whole) if len(whole.due) else ():
        if full and not part.waiting:
            later.append(part.due)
            continue
        made = _drafts(state, book, now, part)
        if sites := too_many(state, made, part.waiting, needs):
            rest = np.isin(state.slots.rows["site_row"][part.due], sites)
            later.append(part.due[rest])
            made = _drafts(state, book, now, Part(part.due[~rest], part.waiting))
        needs += sum(len(draft.needs) for draft in made)
        full = full or bool(sites) or needs >= MOST_NEEDS
        drafts += made
    return drafts, later


def _touched(state: State, book: Book) -> npt.NDArray[np.bool_] | np.bool_:
    """Slots of the sites and accounts that a fact has changed."""
    if not book.touched:
        return np.False_
    sites = state.sites.live
    hit = np.zeros(len(sites) + 1, np.bool_)  # the last one stands for no site
    for kind, row in book.touched:
        if kind == "site":
            hit[row] = True
        else:
            hit[:-1] |= sites["account_row"] == row
    touched: npt.NDArray[np.bool_] = hit[state.slots.live["site_row"]]
    return touched


def _drafts(state: State, book: Book, now: int, part: Part) -> list[Draft]:
    if not len(part.due):
        return []
    asked = np.array([state.slots.row(r.slot) for r in part.waiting], np.int64)
    ordering = np.array([not r.test for r in part.waiting], np.bool_)
    try:
        seen = survey(state, book, now, part.due, asked[ordering], asked[~ordering])
        return [make_draft(state, book, now, seen, part.waiting)]
    except _DATA as error:
        if halves := split(state, part):
            return [draft for half in halves for draft in _drafts(state, book, now, half)]
        return [_blocked(state, now, int(state.slots.rows["site_row"][part.due[0]]), part, error)]


def _blocked(state: State, now: int, site_row: int, part: Part, error: Exception) -> Draft:
    draft = Draft.blank(part.due)
    draft.look[:] = now + DAY
    site = int(state.sites.rows[site_row]["id"]) if site_row >= 0 else 0
    draft.blocked_site = site_row
    text = f"decisions of site {site} stopped, the rest goes on: {error}. A new fact of the site tries again"
    draft.effects.append(Alert("site_blocked", f"site/{site}", site, now, text))
    draft.effects += [RequestAnswered(r.id, "refused", f"site {site} is blocked", r.slot) for r in part.waiting]
    return draft


def _commit(state: State, book: Book, offset: int, draft: Draft) -> None:
    rows = draft.rows
    state.look[rows] = draft.look
    if draft.blocked_site is not None:
        if draft.blocked_site >= 0:
            state.sites.rows[draft.blocked_site]["blocked"] = 1
            book.touched.add(("site", draft.blocked_site))  # the next tick shows it at every slot
        return
    state.slots.rows["flags"][rows] &= ~draft.cleared
    for name in ("flags", "status", "band", "use_day", "use_today", "use_before", "viewed", "would_cycle", "standing"):
        book.plans[name][rows] = draft.plans[name]
    book.pools.rows["hot"][draft.pools] = draft.hot
    for at, need in draft.needs:
        _open(state, book, offset, at, need)


def _open(state: State, book: Book, offset: int, at: int, need: Need) -> None:
    plan = book.plans[at]
    plan["standing"] = Standing.OPEN
    plan["need_cycle"], plan["need_attempt"] = need.cycle, need.attempt
    plan["need_version"] = plan["need_incarnation"] = 0
    plan["need_pool"] = plan["pool_row"]
    units = claim_at(state.slots.rows, at)
    book.book(int(plan["pool_row"]), Booking(offset, "need", units, need.slot, need.cycle, need.attempt))
