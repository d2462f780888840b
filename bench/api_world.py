"""A ledger and a series as a buyer with many sites has them: 100,000 slots, orders with receipts, history.

1,000 sites of 50 accounts, each with 50 devices of two slots; every slot has its view. Two needs of each of 400 sites
became an order, half of them placed. A few slots have a month of readings, refills and use.
"""

import random
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import select

from ledger import tables as t
from ledger import tokens
from ledger.decisions import LedgerDecisions
from ledger.engine import Ledger
from ledger.fleet import apply_fleet, parse_fleet
from ledger.migrate import upgrade
from ledger.roles import Role
from models.effects import RefillKind, RefillSeen, UsageBooked
from models.stores import Bucket, Series
from models.units import DAY, HOUR
from tests.support import fleet_world
from tests.support.api_world import need

SEED = 7
T0 = fleet_world.T0
ACCOUNTS, SITES, DEVICES_PER_SITE, SLOTS_PER_DEVICE = 50, 1_000, 50, 2
SLOTS = SITES * DEVICES_PER_SITE * SLOTS_PER_DEVICE
ORDERING_SITES = 400
WITH_HISTORY = 100
HISTORY_DAYS = 30
NOW = T0 + 4 * HOUR
"""The API's time: the orders' windows have closed by then."""


class World(NamedTuple):
    """What may be asked for."""

    operator: str  # a token that sees everything
    buyer: str  # and one that sees one account
    account: int  # the buyer's
    sites: list[int]
    devices: list[int]
    slots: list[int]
    mine: list[int]  # slots of the buyer's account
    storied: list[int]  # slots with a history
    orders: list[int]


def fill(ledger: Ledger, series: Series) -> World:
    upgrade(ledger)
    apply_fleet(ledger, parse_fleet(_document()), T0)
    chance = random.Random(SEED)
    _multiply(ledger, chance)
    _live(ledger, series, chance)
    with ledger.write() as tx:
        real = int(time.time() * 1000)
        account = tx.execute(select(t.account.c.id).limit(1)).scalar_one()
        operator = tokens.create(tx, "bench", Role.OPERATOR, real, accounts=None).secret
        buyer = tokens.create(tx, "bench", Role.BUYER, real, accounts=[account]).secret
        tx.exec_driver_sql("ANALYZE")
        storied = list(tx.scalars(select(t.refill.c.slot_id).distinct()))

        def ids(table: Any, *where: Any) -> list[int]:
            return list(tx.scalars(select(table.c.id).where(*where).order_by(table.c.id)))

        mine = ids(t.slot, t.slot.c.account_id == account)
        return World(operator, buyer, account, ids(t.site), ids(t.device), ids(t.slot), mine, storied, ids(t.order))


def _document() -> dict[str, Any]:
    fleet = fleet_world.document(SITES, sites=SITES, slots=SLOTS_PER_DEVICE)
    (one,) = fleet["accounts"]
    each = SITES // ACCOUNTS
    accounts = [
        one | {"name": f"account-{n}", "sites": one["sites"][n * each : (n + 1) * each]} for n in range(ACCOUNTS)
    ]
    return fleet | {"accounts": accounts}


def _multiply(ledger: Ledger, chance: random.Random) -> None:
    """Every site's only device becomes DEVICES_PER_SITE alike, as fast as rows can be written."""
    with ledger.write() as tx:
        homes = tx.execute(select(t.device)).mappings().all()
        parts: dict[int, list[Any]] = {}
        for part in tx.execute(select(t.slot)).mappings():
            parts.setdefault(part["device_id"], []).append(part)
        devices, slots = [], []
        number, last = max(part["id"] for mine in parts.values() for part in mine), len(homes)
        views = [_view(part, chance) for mine in parts.values() for part in mine]
        for home in homes:
            for n in range(1, DEVICES_PER_SITE):
                last += 1
                more = {"id": last, "name": f"{home['name']}-{n}", "credential": last.to_bytes(32)}
                devices.append(dict(home) | more)
                for part in parts[home["id"]]:
                    number += 1
                    slots.append(dict(part) | {"id": number, "device_id": last})
                    views.append(_view(slots[-1], chance))
        tx.execute(t.device.insert(), devices)
        tx.execute(t.slot.insert(), slots)
        tx.execute(t.slot_view.insert(), views)


def _view(slot: Any, chance: random.Random) -> dict[str, Any]:
    days = chance.uniform(0.5, 90)
    quantiles = [round(T0 + days * DAY * f) for f in (0.5, 0.55, 0.62, 0.8, 1.0, 1.25, 1.6, 1.8, 2.0)]
    return {
        "slot_id": slot["id"],
        "account_id": slot["account_id"],
        "site_id": slot["site_id"],
        "cycle": 1,
        "ts": T0,
        "level_low": days,
        "level_high": days + 1,
        "level": days + 0.5,
        "rate": 1.0,
        "quantiles": quantiles,
        "empty_at": quantiles[4],
        "probability": 0.01,
        "threshold": 0.05,
        "band": 0 if days > 10 else 1,
        "status": "fine",
        "on_hand": 0.0,
        "on_order": 0.0,
        "last_heard": T0,
    }


def _live(ledger: Ledger, series: Series, chance: random.Random) -> None:
    """Orders, and the history of WITH_HISTORY slots spread over the fleet."""
    decisions = LedgerDecisions(ledger, partitions=1)
    epoch = decisions.claim(0, "bench", "bench").epoch
    with ledger.read() as tx:
        slots = tx.execute(select(t.slot.c.id, t.slot.c.site_id, t.slot.c.product_id).order_by(t.slot.c.id)).all()
    first = slots[: ORDERING_SITES * SLOTS_PER_DEVICE]
    half = len(first) // 2
    decisions.apply(0, epoch, 1, T0, [need(s.id, s.site_id, s.product_id) for s in first[:half]])
    decisions.apply(0, epoch, 2, T0 + 2 * HOUR, [need(s.id, s.site_id, s.product_id) for s in first[half:]])
    storied = [s.id for s in chance.sample(slots, WITH_HISTORY)]
    decisions.apply(0, epoch, 3, T0 + 2 * HOUR, [refill for slot in storied for refill in _refills(slot)])
    decisions.show(
        0, epoch, 3, T0, [UsageBooked(slot, T0 // DAY - n, 1.5 + n % 7) for slot in storied for n in range(400)]
    )
    series.write(0, 1, [bucket for slot in storied for bucket in _buckets(slot)], [])


def _refills(slot: int) -> Iterator[RefillSeen]:
    for n in range(4):
        ts = T0 - (120 - 30 * n) * DAY
        yield RefillSeen(slot, n + 1, RefillKind.NEW, ts, 7, n, 3.0, 100.0, 1.0, 0, "a new supply")


def _buckets(slot: int) -> Iterator[Bucket]:
    """A device that reports every half hour."""
    for n in range(HISTORY_DAYS * 48):
        level = 100 - n / 20
        yield Bucket(slot, T0 - n * HOUR // 2, 1, n, level, level, level)
