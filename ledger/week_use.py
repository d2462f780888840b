"""What the learning of weeks reads of the ledger, and what it keeps there between two looks at a site."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, select, update

from ledger.engine import upsert
from ledger.tables import (
    calendar,
    device,
    refill,
    site,
    site_week,
    slot,
    usage_day,
    week_class,
    week_evidence,
)
from models.facts import Meter
from models.week.shape import Week


class Metered(NamedTuple):
    slot: int
    device: int
    model: int
    counted: bool  # by a counter; else the device reports a level
    step: float  # of the sensor, per cent


class Form(NamedTuple):
    """Evidence of one device model at one site, as it is kept (see ledger.tables.weeks)."""

    model: int
    form: bytes
    slots: int
    days: float


def due(tx: Connection, looked_before: int) -> list[int]:
    """Sites whose use was not looked at since (ms), longest ago first."""
    mine = (site_week.c.looked < looked_before, ~site_week.c.pinned, ~site.c.retired)
    joined = site_week.join(site, site.c.id == site_week.c.site_id)
    query = select(site_week.c.site_id).select_from(joined).where(*mine)
    return list(tx.scalars(query.order_by(site_week.c.looked, site_week.c.site_id)))


def metered(tx: Connection, site_id: int) -> list[Metered]:
    """Slots of a site whose use can be seen. Not those of sandboxes: whoever tries one out does not work by the site's
    clock; nor those that age: their time is the calendar's."""
    mine = (slot.c.site_id == site_id, slot.c.meter != Meter.AGE, ~slot.c.retired, ~device.c.retired, ~device.c.sandbox)
    query = select(slot.c.id, slot.c.device_id, device.c.model_id, slot.c.meter, slot.c.quantum)
    rows = tx.execute(query.join(device, device.c.id == slot.c.device_id).where(*mine).order_by(slot.c.id))
    return [Metered(row.id, row.device_id, row.model_id, row.meter == Meter.COUNTER, row.quantum) for row in rows]


def midnights(tx: Connection, calendar_id: int) -> bytes:
    """As in models.facts.CalendarFact."""
    return bytes(tx.execute(select(calendar.c.starts).where(calendar.c.id == calendar_id)).scalar_one())


def rises(tx: Connection, site_id: int, since: int) -> dict[int, list[tuple[int, float]]]:
    """Of each slot its refills that nobody reversed: (ms, by how much the level rose in per cent)."""
    found = defaultdict(list)
    mine = (slot.c.site_id == site_id, refill.c.ts >= since, refill.c.reversed_at.is_(None))
    query = select(refill.c.slot_id, refill.c.ts, refill.c.level_before, refill.c.level_after)
    for row in tx.execute(query.join(slot, slot.c.id == refill.c.slot_id).where(*mine).order_by(refill.c.id)):
        found[row.slot_id].append((row.ts, row.level_after - row.level_before))
    return found


def totals(tx: Connection, site_id: int, first_day: int) -> dict[int, list[tuple[int, float]]]:
    """Of each slot that a counter meters: (local day, use in per cent), in order. No day without use is among them."""
    found = defaultdict(list)
    mine = (slot.c.site_id == site_id, slot.c.meter == Meter.COUNTER, usage_day.c.day >= first_day)
    query = select(usage_day).join(slot, slot.c.id == usage_day.c.slot_id).where(*mine)
    for row in tx.execute(query.order_by(usage_day.c.slot_id, usage_day.c.day)):
        found[row.slot_id].append((row.day, row.total))
    return found


def keep(tx: Connection, site_id: int, forms: Sequence[Form], now: int) -> None:
    """The site was looked at: this is what it shows now."""
    tx.execute(week_evidence.delete().where(week_evidence.c.site_id == site_id))
    if forms:
        tx.execute(week_evidence.insert(), [{"site_id": site_id, "model_id": one.model} | _kept(one) for one in forms])
    tx.execute(update(site_week).where(site_week.c.site_id == site_id).values(looked=now))


def _kept(one: Form) -> dict[str, object]:
    return {"form": one.form, "slots": one.slots, "days": one.days}


def evidence(tx: Connection) -> dict[int, list[Form]]:
    """Of all sites, by device model."""
    found = defaultdict(list)
    for row in tx.execute(select(week_evidence).order_by(week_evidence.c.model_id, week_evidence.c.site_id)):
        found[row.model_id].append(Form(row.model_id, bytes(row.form), row.slots, row.days))
    return found


def classes(tx: Connection) -> dict[int, Week]:
    """The week of each device model."""
    return {row.model_id: Week(tuple(row.weekdays), row.holiday) for row in tx.execute(select(week_class))}


def keep_classes(tx: Connection, weeks: Mapping[int, tuple[Week, int]], now: int) -> None:
    """`weeks`: of each device model its week, and how many sites show it."""
    rows = [
        {"model_id": model, "weekdays": list(week.weekdays), "holiday": week.holiday, "sites": sites, "fitted": now}
        for model, (week, sites) in weeks.items()
    ]
    upsert(tx, week_class, rows, on=["model_id"])


def fitted(tx: Connection) -> int:
    """When the device models' weeks were learned last (ms); 0: never."""
    return int(tx.scalar(select(func.max(week_class.c.fitted))) or 0)
