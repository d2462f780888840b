"""Needs, proposals and answers of a tick, from its survey."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.decide.book import Book
from models.decide.layout import PlanFlag, Standing
from models.decide.survey import Longs, Survey
from models.effects import Cause, Effect, Need, NeedUnnecessary, RequestAnswered, WouldOrder
from models.facts import Mode
from models.index import pair
from models.layout import DeviceFlag, SlotFlag
from models.records import Reorder
from models.state import State
from models.step.views import evidence

URGENT = 0.5
"""P(empty before arrival) from which waiting for the cut-off or a hold would cost more than it saves."""


@dataclass(frozen=True, slots=True)
class Reasons:
    state: State
    book: Book
    now: int
    seen: Survey
    modes: npt.NDArray[np.uint8]
    waiting: list[Reorder]

    def request_of(self, slot: int) -> Reorder | None:
        return next((r for r in self.waiting if r.slot == slot and not r.test), None)


def needs_of(why: Reasons, chosen: Longs) -> list[tuple[int, Need]]:
    """(row, need) of the chosen positions."""
    proofs = evidence(why.state, why.book, why.now, why.seen, chosen)
    return [(int(why.seen.rows[i]), _need(why, i, e)) for i, e in zip(chosen.tolist(), proofs, strict=True)]


def _need(why: Reasons, i: int, proof: Any) -> Need:
    slot, plan, outlook = why.seen.slots[i], why.seen.plans[i], why.seen.outlooks[i]
    cycle = int(slot["cycle"])
    request = why.request_of(int(slot["id"]))
    cause, channel = Cause.PROBABILITY, "forecast"
    if request is not None:
        cause, channel = Cause.REQUEST, request.channel
    elif why.seen.signalled[i]:
        cause, channel = Cause.SIGNAL, "device"
    said_empty = bool(int(slot["flags"]) & SlotFlag.SIGNAL_EMPTY)
    return Need(
        slot=int(slot["id"]),
        cycle=cycle,
        attempt=int(plan["need_attempt"]) if int(plan["need_cycle"]) == cycle else 1,
        site=int(why.state.sites.rows[int(slot["site_row"])]["id"]),
        product=int(slot["product"]),
        cause=cause,
        channel=channel,
        urgent=said_empty or proof.probability >= URGENT,
        deadline=why.now if said_empty else int(outlook["empty"]),
        evidence=proof,
        request=request.id if request is not None else "",
        mode=int(why.modes[i]),
    )


def would_orders(why: Reasons, chosen: Longs) -> list[Effect]:
    proofs = evidence(why.state, why.book, why.now, why.seen, chosen)
    return [
        WouldOrder(
            slot=int(why.seen.slots[i]["id"]),
            cycle=int(why.seen.slots[i]["cycle"]),
            site=int(why.state.sites.rows[int(why.seen.slots[i]["site_row"])]["id"]),
            product=int(why.seen.slots[i]["product"]),
            evidence=proof,
        )
        for i, proof in zip(chosen.tolist(), proofs, strict=True)
    ]


def proposals(seen: Survey) -> list[Effect]:
    """Open needs that something made unnecessary: said once, then the ledger decides (LIFECYCLE.md rule 9)."""
    plans = seen.plans
    asked = (plans["flags"] & int(PlanFlag.PROPOSED)) != 0
    open_need = (plans["standing"] == Standing.OPEN) & ~asked
    refilled = plans["need_cycle"] < plans["first_cycle"]
    counted = ((plans["flags"] & int(PlanFlag.COUNTED)) != 0) & seen.covered
    result: list[Effect] = []
    for i in np.flatnonzero(open_need & (refilled | seen.gone | counted)).tolist():
        reason = "retired" if seen.gone[i] else "refilled" if refilled[i] else "counted"
        plan = plans[i]
        plan["flags"] = int(plan["flags"]) | PlanFlag.PROPOSED
        result.append(
            NeedUnnecessary(int(seen.slots[i]["id"]), int(plan["need_cycle"]), int(plan["need_attempt"]), reason)
        )
    return result


def answers(why: Reasons, needs: list[tuple[int, Need]]) -> list[Effect]:
    """What became of the reorders that waited for this tick, in the order in which they came."""
    if not why.waiting:
        return []
    made = {need.request: need for _, need in needs if need.request}
    place = {int(s): i for i, s in enumerate(why.seen.slots["id"].tolist())}
    return [_answer(why, r, place[r.slot], made.get(r.id)) for r in why.waiting]


def _answer(why: Reasons, request: Reorder, i: int, need: Need | None) -> RequestAnswered:
    slot = why.seen.slots[i]
    cycle = int(slot["cycle"])
    proof = need.evidence if need else evidence(why.state, why.book, why.now, why.seen, np.array([i]))[0]
    outcome, reason = ("need", "") if need else _guarded(why, i)
    attempt = need.attempt if need else 0
    return RequestAnswered(request.id, outcome, reason, request.slot, cycle, attempt, proof)


def _guarded(why: Reasons, i: int) -> tuple[str, str]:
    """What stands against a need of this slot; for a test also that nothing does."""
    seen = why.seen
    plan = seen.plans[i]
    if seen.gone[i] or not seen.placed[i] or seen.stopped[i]:
        return "refused", "the slot is retired, its site is blocked or not registered completely"
    if seen.slots[i]["product"] == 0:
        return "refused", "no product is known to fit this slot"
    if plan["standing"] == Standing.OPEN:
        return "guarded", "a need of this slot is open"
    if plan["standing"] == Standing.BLOCKED:
        return "guarded", "its last need was refused; release it first"
    if seen.covered[i]:
        return "guarded", "spares or goods on order cover this slot"
    mode = ordering_mode(why.state, why.book, seen.slots[i])
    if mode <= Mode.OBSERVE:
        return "would_order", f"the ordering mode is {Mode(mode).name.lower()}"
    return "need", "this is what would happen"


def ordering_mode(state: State, book: Book, slot: Any) -> int:
    """The least mode of account, site and product; a pause allows `observe` at most, and so does a sandbox device at a
    site with real ones: its goods would be cover for theirs."""
    site_row = int(slot["site_row"])
    site = state.sites.rows[site_row]
    account = state.accounts.rows[int(site["account_row"])]
    found = [_mode(site), _mode(account)]
    product = book.modes.row(pair(int(account["id"]), int(slot["product"])))
    if product >= 0:
        found.append(_mode(book.modes.rows[product]))
    if int(state.devices.rows[int(slot["device_row"])]["flags"]) & DeviceFlag.SANDBOX and has_real(state, site_row):
        found.append(int(Mode.OBSERVE))
    return min(found)


def has_real(state: State, site_row: int) -> bool:
    """Does a device that is no sandbox stand, or did it ever stand, at the site?"""
    devices = state.devices.live
    return bool(np.any((devices["site_row"] == site_row) & ((devices["flags"] & int(DeviceFlag.SANDBOX)) == 0)))


def _mode(row: Any) -> int:
    return min(int(row["mode"]), int(Mode.OBSERVE)) if row["paused"] else int(row["mode"])
