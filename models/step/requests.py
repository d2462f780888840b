"""Requests of people and programs. A reorder waits for the next tick; the others act at once, each only once."""

from models.decide.book import Book, Booking
from models.decide.layout import PlanFlag, Standing
from models.effects import Counted, Effect, RequestAnswered
from models.fold.refill import SEEN_ALREADY
from models.index import pair
from models.layout import SlotFlag
from models.records import AnyRequest, Count, Reorder, Reverse, Swapped
from models.state import State
from models.step.cycles import merge_cycles, refilled, said

REMEMBERED = 4096


def apply_request(state: State, book: Book, offset: int, request: AnyRequest) -> list[Effect]:
    if request.id in book.answered:
        return []
    effects = _act(state, book, offset, request)
    book.answered[request.id] = None
    while len(book.answered) > REMEMBERED:
        del book.answered[next(iter(book.answered))]
    return effects


def _act(state: State, book: Book, offset: int, request: AnyRequest) -> list[Effect]:
    if isinstance(request, Count):
        return _count(state, book, offset, request)
    at = state.slots.row(request.slot)
    if at < 0 or int(state.slots.rows[at]["flags"]) & SlotFlag.RETIRED:
        what = "retired" if at >= 0 else "not known here"
        return [RequestAnswered(request.id, "refused", f"slot {request.slot} is {what}", request.slot)]
    if isinstance(request, Reorder):
        book.waiting.append(request)
        state.look[at] = 0
        return []
    if isinstance(request, Swapped):
        return _swapped(state, book, offset, request, at)
    return _reverse(state, book, offset, request, at)


def _count(state: State, book: Book, offset: int, request: Count) -> list[Effect]:
    if not 0.0 <= request.units < float("inf"):
        return [RequestAnswered(request.id, "refused", f"{request.units} units cannot be on hand")]
    if book.pools.row(pair(request.site, request.product)) < 0 and state.sites.row(request.site) < 0:
        return [RequestAnswered(request.id, "refused", f"site {request.site} is not known here")]
    pool = book.pool(request.site, request.product)
    book.book(pool, Booking(offset, "count", request.units))
    for row in book.members(pool):
        if book.plans[row]["standing"] == Standing.OPEN:
            book.plans[row]["flags"] = int(book.plans[row]["flags"]) | PlanFlag.COUNTED
    book.touch(state, pool)
    return [
        Counted(request.id, request.site, request.product, request.units, request.by),
        RequestAnswered(request.id, "counted", f"{request.units:g} on hand"),
    ]


def _swapped(state: State, book: Book, offset: int, request: Swapped, at: int) -> list[Effect]:
    slot = state.slots.rows[at]
    if int(slot["cycle"]) > 1 and state.time - int(slot["opened"]) < SEEN_ALREADY:
        reason = "this refill was known already"
        return [RequestAnswered(request.id, "swapped", reason, request.slot, int(slot["cycle"]))]
    seen = said(state, at, state.time)
    refilled(state, book, offset, seen)
    return [seen, RequestAnswered(request.id, "swapped", "a new cycle has begun", request.slot, int(slot["cycle"]))]


def _reverse(state: State, book: Book, offset: int, request: Reverse, at: int) -> list[Effect]:
    if not merge_cycles(state, book, offset, at, request.cycle):
        reason = f"cycle {request.cycle} of slot {request.slot} was not closed by its last refill"
        return [RequestAnswered(request.id, "refused", reason, request.slot, request.cycle)]
    reason = f"cycles {request.cycle} and {request.cycle + 1} are one"
    return [RequestAnswered(request.id, "reversed", reason, request.slot, request.cycle)]
