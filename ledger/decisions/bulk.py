"""Views and usage: thousands of rows in one transaction."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

from sqlalchemy import select

from ledger.change import Change
from ledger.engine import upsert
from ledger.facts.outgoing import chunks
from ledger.tables import slot, slot_view, usage_day
from models.effects import SlotView, UsageBooked
from models.stores import BadEffect
from models.units import NEVER


def write_views(change: Change, views: Sequence[tuple[int, SlotView]]) -> None:
    """Of (index of the effect, view). Raises BadEffect for a slot that nobody registered or numbers that are none."""
    homes = _homes(change, [view.slot for _, view in views])
    rows = []
    for index, view in views:
        home = homes.get(view.slot)
        if home is None:
            raise BadEffect(index, f"SlotView: the ledger knows no slot {view.slot}")
        numbers = (view.level_low, view.level_high, view.level, view.rate, view.probability, view.threshold)
        if not all(map(isfinite, (*numbers, view.on_hand, view.on_order))):
            raise BadEffect(index, f"SlotView: slot {view.slot} has a number that is not finite: {view}")
        rows.append(_view(view, *home))
    upsert(change.tx, slot_view, rows, on=["slot_id"])


def write_usage(change: Change, usage: Sequence[tuple[int, UsageBooked]]) -> None:
    """Absolute totals: writing one again changes nothing."""
    homes = _homes(change, [booked.slot for _, booked in usage])
    rows = []
    for index, booked in usage:
        if booked.slot not in homes or not isfinite(booked.total):
            raise BadEffect(index, f"UsageBooked: no slot {booked.slot}, or no number: {booked.total}")
        rows.append({"slot_id": booked.slot, "day": booked.day, "total": booked.total})
    upsert(change.tx, usage_day, rows, on=["slot_id", "day"])


def _homes(change: Change, slots: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Account and site of each."""
    found = {}
    for chunk in chunks(slots):
        query = select(slot.c.id, slot.c.account_id, slot.c.site_id).where(slot.c.id.in_(chunk))
        found.update({number: (account, site) for number, account, site in change.tx.execute(query)})
    return found


def _view(view: SlotView, account_id: int, site_id: int) -> dict[str, Any]:
    return {
        "slot_id": view.slot,
        "account_id": account_id,
        "site_id": site_id,
        "cycle": view.cycle,
        "ts": view.ts,
        "level_low": view.level_low,
        "level_high": view.level_high,
        "level": view.level,
        "rate": view.rate,
        "quantiles": list(view.quantiles),
        "empty_at": view.quantiles[len(view.quantiles) // 2] if view.quantiles else NEVER,
        "probability": view.probability,
        "threshold": view.threshold,
        "band": view.band,
        "status": view.status,
        "on_hand": view.on_hand,
        "on_order": view.on_order,
        "last_heard": view.last_heard,
    }
