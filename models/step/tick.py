"""A tick: decide what is due. First a draft that changes nothing, then its commitment: a failure leaves no trace.

Site by site, rows in id order; pools never span sites, so that a tick can be cut between sites: when very much is due,
and when a draft fails. Then the site that fails is found by halving and blocked, and the rest goes on.
"""

from collections import Counter

import numpy as np
import numpy.typing as npt

from models.decide.book import Book, Booking
from models.decide.cover import claim_at
from models.decide.layout import Standing
from models.decide.survey import Longs, survey
from models.effects import Alert, Effect, Need, RequestAnswered
from models.records import Reorder, Tick
from models.state import State
from models.step.draft import Draft, make_draft
from models.step.silence import hear
from models.units import DAY

AT_ONCE = 50_000
"""Slots that are looked at together, if they are of several sites: a survey copies what it looks at."""

MOST_NEEDS = 50
"""Of one tick, if they are of several sites: the ledger writes them in one transaction, and others wait for it."""

_DATA = (ArithmeticError, LookupError, ValueError)
"""What the data of one site can provoke; anything else is a fault of the program, and the whole tick fails."""


def apply_tick(state: State, book: Book, offset: int, tick: Tick) -> list[Effect]:
    """Everything that is due at the tick; nothing if time did not go on."""
    if tick.time <= state.time:
        return []
    book.fit(state)
    due = np.flatnonzero((state.look[: state.slots.count] <= tick.time) | _touched(state, book))
    drafts = _drafts(state, book, tick.time, due, book.waiting) if len(due) or book.waiting else []
    later = _later(state, drafts, book.waiting)
    if len(later):
        rest = np.isin(state.slots.rows["site_row"][due], later)
        drafts = _drafts(state, book, tick.time, due[~rest], book.waiting)
        state.look[due[rest]] = 0  # also what is due only because its site was touched
    book.touched.clear()
    book.waiting = []
    state.time = tick.time
    state.listening += tick.listening
    effects: list[Effect] = []
    for draft in drafts:
        _commit(state, book, offset, draft)
        effects += draft.effects
    return effects + hear(state, book, tick.time, tick.listening)


def _later(state: State, drafts: list[Draft], waiting: list[Reorder]) -> list[int]:
    """Rows of the sites whose needs must wait for the next tick, in a burst; never those for which a person waits."""
    site_of = state.slots.rows["site_row"]
    asked = {int(site_of[state.slots.row(r.slot)]) for r in waiting}
    needs = Counter(int(site_of[at]) for draft in drafts for at, _ in draft.needs)
    later, total = [], 0
    for site, count in needs.items():
        if total > 0 and total + count > MOST_NEEDS and site not in asked:
            later.append(site)
        else:
            total += count
    return later


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


def _drafts(state: State, book: Book, now: int, due: Longs, waiting: list[Reorder]) -> list[Draft]:
    asked = np.array([state.slots.row(r.slot) for r in waiting], np.int64)
    ordering = np.array([not r.test for r in waiting], np.bool_)
    due = np.union1d(due, asked).astype(np.int64)
    if len(due) > AT_ONCE and (halves := _halves(state, due, waiting)):
        return [draft for half in halves for draft in _drafts(state, book, now, *half)]
    try:
        return [make_draft(state, book, now, survey(state, book, now, due, asked[ordering], asked[~ordering]), waiting)]
    except _DATA as error:
        if halves := _halves(state, due, waiting):
            return [draft for half in halves for draft in _drafts(state, book, now, *half)]
        return [_blocked(state, now, int(state.slots.rows["site_row"][due[0]]), due, waiting, error)]


def _halves(state: State, due: Longs, waiting: list[Reorder]) -> list[tuple[Longs, list[Reorder]]]:
    """What is due and what waits, of the first and of the second half of the sites; nothing where there is one site."""
    site_of = state.slots.rows["site_row"]
    sites = np.unique(site_of[due])
    if len(sites) == 1:
        return []
    return [
        (due[np.isin(site_of[due], half)], [r for r in waiting if site_of[state.slots.row(r.slot)] in half])
        for half in np.array_split(sites, 2)
    ]


def _blocked(state: State, now: int, site_row: int, due: Longs, waiting: list[Reorder], error: Exception) -> Draft:
    draft = Draft.blank(due)
    draft.look[:] = now + DAY
    site = int(state.sites.rows[site_row]["id"]) if site_row >= 0 else 0
    draft.blocked_site = site_row
    text = f"decisions of site {site} stopped, the rest goes on: {error}. A new fact of the site tries again"
    draft.effects.append(Alert("site_blocked", f"site/{site}", site, now, text))
    draft.effects += [RequestAnswered(r.id, "refused", f"site {site} is blocked", r.slot) for r in waiting]
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
