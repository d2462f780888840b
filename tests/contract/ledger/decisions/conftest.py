"""A small world in an empty ledger: one account, one site, three copiers that take the same toner, two suppliers."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, Table, insert, select, update

from ledger import tables as t
from ledger.decisions import LedgerDecisions
from ledger.engine import Ledger
from ledger.orders import Orders
from ledger.registry.weeks import give
from ledger.rules import Rules
from ledger.scope import Scope
from models.effects import Cause, Decision, Evidence, Need, Shown
from models.facts import AnyFact, NeedFact, StockFact
from models.units import DAY, HOUR

T0 = 1_760_000_000_000
PARTITIONS = 4
GRID = [(i + 1) * DAY // 4 for i in range(16)]


def evidence(**more: Any) -> Evidence:
    values: dict[str, Any] = {
        "time": T0,
        "read": T0 - HOUR,
        "read_boot": "00000000000000b7",
        "read_seq": 1042,
        "level_low": 11.0,
        "level_high": 12.0,
        "level": 11.5,
        "rate": 2.5,
        "quantiles": tuple(T0 + d * DAY for d in (2, 3, 4, 5, 7)),
        "probability": 0.07,
        "probability_earlier": 0.02,
        "probability_later": 0.15,
        "threshold": 0.05,
        "lead_ms": tuple(GRID),
        "on_hand": 0.0,
        "on_order": 0.0,
        "claims": 0,
        "last_heard": T0 - HOUR,
    }
    return Evidence(**(values | more))


class World:
    """Ids are looked up by name: `site`, `slots`, `toner`, `beans`."""

    def __init__(self, ledger: Ledger, rules: Rules | None = None) -> None:
        self.ledger = ledger
        with ledger.write() as tx:
            self._build(tx)
        self.partition = 7 % PARTITIONS
        self.now = T0
        self.open(rules)

    def open(self, rules: Rules | None = None) -> None:
        """As a worker does at its start; also after a crash."""
        self.rules = rules or Rules(logic="7")
        self.decisions = LedgerDecisions(self.ledger, partitions=PARTITIONS, rules=self.rules)
        self.orders = Orders(self.ledger, self.rules)
        claim = self.decisions.claim(self.partition, "worker", "journal-1")
        self.epoch, self.offset = claim.epoch, claim.offset
        self.scope = Scope.of(self.account)

    def _add(self, tx: Connection, table: Table, **values: Any) -> int:
        return int(tx.execute(insert(table).values(values)).inserted_primary_key[0])

    def _build(self, tx: Connection) -> None:
        add = self._add
        self.account = add(tx, t.account, name="acme", mode=3, currency="EUR", created=T0)
        calendar = add(
            tx,
            t.calendar,
            digest="d",
            time_zone="UTC",
            spec={"time_zone": "Europe/Berlin"},
            first=0,
            last=1,
            starts=b"",
            weights=b"",
            open_days=b"",
        )
        self.site = add(
            tx, t.site, account_id=self.account, name="hq", address="Main St 1", time_zone="Europe/Berlin",
            calendar_id=calendar, shard=7, created=T0,
        )  # fmt: skip
        give(tx, self.site, calendar, T0, pinned=False)
        self.toner = add(tx, t.product, sku="TN-K", name="Black toner", unit="pages", created=T0)
        self.beans = add(tx, t.product, sku="BEANS", name="Beans", unit="g", created=T0)
        self.supplier = add(tx, t.supplier, name="papierwerk", channel="webhook", url="http://x", created=T0)
        self.dear = add(tx, t.supplier, name="dear", channel="file", created=T0)
        self.offer = self.add_offer(tx, self.supplier, self.toner, "54.90")
        self.add_offer(tx, self.dear, self.toner, "70")
        self.add_offer(tx, self.supplier, self.beans, "12.50", pack=2)
        model = add(tx, t.device_model, name="copier", counters=[], created=T0)
        self.slots = [self._device(tx, model, f"copier-{n}", self.toner) for n in range(3)]
        self.hopper = self._device(tx, model, "coffee", self.beans, refill=1, capacity=1200.0, pack_units=1000.0)

    def add_offer(self, tx: Connection, supplier: int, product: int, price: str, **more: Any) -> int:
        values = {"supplier_id": supplier, "product_id": product, "supplier_sku": f"P-{product}", "currency": "EUR"}
        values |= {"price": Decimal(price), "grid_ms": GRID, "created": T0}
        return self._add(tx, t.offer, **(values | more))

    def _device(self, tx: Connection, model: int, name: str, product: int, **slot: Any) -> int:
        home = {"account_id": self.account, "site_id": self.site}
        device = self._add(
            tx, t.device, **home, model_id=model, name=name, credential=name.encode().ljust(32), credential_made=0,
            change=0, created=T0,
        )  # fmt: skip
        values = {"name": "black", "meter": 0, "refill": 0, "capacity": 12000.0, "unit": "pages", "registered": T0}
        return self._add(tx, t.slot, **home, device_id=device, product_id=product, **(values | slot))

    # what step says

    def need(self, slot: int, cycle: int = 1, attempt: int = 1, **more: Any) -> Need:
        values: dict[str, Any] = {
            "slot": slot,
            "cycle": cycle,
            "attempt": attempt,
            "site": self.site,
            "product": self.beans if slot == self.hopper else self.toner,
            "cause": Cause.PROBABILITY,
            "channel": "device",
            "urgent": False,
            "deadline": T0 + 4 * DAY,
            "evidence": evidence(),
        }
        return Need(**(values | more))

    def apply(self, *effects: Decision, after: int = 0) -> None:
        """`after` ms later, a tick with these effects."""
        self.now += after
        self.offset += 1
        self.decisions.apply(self.partition, self.epoch, self.offset, self.now, effects)

    def show(self, *shown: Shown) -> None:
        self.decisions.show(self.partition, self.epoch, self.offset, self.now, shown)

    def proposed(self, *needs: Need) -> int:
        """The order of these needs."""
        self.apply(*(needs or (self.need(self.slots[0]),)))
        return int(self.rows(t.order)[-1].id)

    def placed(self, *needs: Need) -> int:
        """The purchase order of the order of these needs."""
        self.proposed(*needs)
        self.apply(after=HOUR)
        return int(self.rows(t.purchase_order)[-1].id)

    # what is there

    def rows(self, table: Table, *where: Any) -> Sequence[Any]:
        with self.ledger.read() as tx:
            return tx.execute(select(table).where(*where).order_by(*table.primary_key.columns)).all()

    def change(self, table: Table, **values: Any) -> None:
        with self.ledger.write() as tx:
            tx.execute(update(table).values(values))

    def last(self, table: Table, *where: Any) -> Any:
        return self.rows(table, *where)[-1]

    def states(self) -> tuple[list[str], list[int]]:
        """Of orders and needs."""
        return [row.state for row in self.rows(t.order)], [row.state for row in self.rows(t.need)]

    def facts(self, kind: type[Any]) -> list[Any]:
        rows = self.rows(t.outbox, t.outbox.c.kind == "fact")
        decoded: list[AnyFact] = [msgspec.msgpack.decode(row.payload, type=AnyFact) for row in rows]
        return [fact for fact in decoded if isinstance(fact, kind)]

    def cover(self, product: int | None = None) -> tuple[float, float]:
        """On hand and on order, by the newest fact."""
        mine = [f for f in self.facts(StockFact) if f.product == (product or self.toner)]
        newest = max(mine, key=lambda fact: fact.version)
        return newest.on_hand, sum(x.units for x in newest.on_order)

    def last_need_fact(self) -> NeedFact:
        found: NeedFact = max(self.facts(NeedFact), key=lambda fact: fact.version)
        return found


@pytest.fixture
def world(ledger: Ledger) -> World:
    return World(ledger)


@pytest.fixture
def worlds(ledger: Ledger) -> Callable[[Rules], World]:
    return lambda rules: World(ledger, rules)


@pytest.fixture
def new_world() -> Callable[..., World]:
    """For tests that make their own ledgers."""
    return World
