"""Two accounts in a ledger of their own, with slots that run empty, orders in several states, and an API over them."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Table, select

from api.app import create_app
from api.services import Services
from ingest.release import Quarantine
from ledger import people, tokens
from ledger import tables as t
from ledger.decisions import LedgerDecisions
from ledger.engine import Ledger, open_ledger
from ledger.fleet import apply_fleet, parse_fleet
from ledger.grants import OWNER
from ledger.migrate import upgrade
from ledger.notices import subscriptions
from ledger.notices.collect import collect
from ledger.orders import Orders
from ledger.roles import Role
from ledger.scope import Scope
from models.effects import (
    Alert,
    Cause,
    Decision,
    Evidence,
    Need,
    Quarantined,
    RefillKind,
    RefillSeen,
    Shown,
    SlotView,
    UsageBooked,
)
from models.stores import Bucket
from models.units import DAY, HOUR
from series.sqlite import SqliteSeries
from tests.support.gateway_fakes import MemoryJournal

T0 = 1_795_000_000_000  # 2026-11-18T11:06:40Z
REAL = 1_700_000_000_000
LIVED = 2 * HOUR
REFUSED = b'{"v":1,"boot":"a81f03c2d94e77b1","seq":11,"supplies":{"black":{"level":42},"beans":{"state":"ok"}}}'


def document() -> dict[str, Any]:
    toner = {"name": "black", "capacity": 12_000, "unit": "pages", "days": 50, "products": [{"sku": "TN-K"}]}
    beans = {"name": "beans", "refill": "topup", "capacity": 1_200, "unit": "g"}
    offer = {"sku": "TN-K", "supplier_sku": "P-1", "price": "54.90", "currency": "EUR", "lead_days": [1, 2, 3]}
    return {
        "products": [
            {"sku": "TN-K", "name": "Black toner", "unit": "pages"},
            {"sku": "BEANS", "name": "Beans, 1 kg", "unit": "g"},
        ],
        "suppliers": [
            {"name": "papierwerk", "offers": [offer, offer | {"sku": "BEANS", "price": "18.50"}]},
            {"name": "zweitwerk", "offers": [offer | {"price": "60"}]},
        ],
        "device_models": [
            {"name": "copier", "counters": [{"name": "pages"}], "slots": [toner]},
            {"name": "coffee", "slots": [beans | {"products": [{"sku": "BEANS", "units": 1000}]}]},
        ],
        "accounts": [_account("acme", "auto"), _account("umbra", "ask")],
    }


def _account(name: str, mode: str) -> dict[str, Any]:
    devices = [{"name": f"copier-{n}", "model": "copier"} for n in range(4)] + [{"name": "coffee", "model": "coffee"}]
    site = {"name": "hq", "address": "Main St 1", "time_zone": "Europe/Berlin", "devices": devices}
    return {"name": name, "mode": mode, "currency": "EUR", "limit_per_order": "500.00", "sites": [site]}


def view(slot: int, days: float = 8.0, **more: Any) -> SlotView:
    quantiles = tuple(round(T0 + days * DAY * f) for f in (0.5, 0.55, 0.62, 0.8, 1.0, 1.25, 1.6, 1.8, 2.0))
    values: dict[str, Any] = {
        "slot": slot,
        "cycle": 1,
        "ts": T0,
        "level_low": 11.0,
        "level_high": 12.0,
        "level": 11.5,
        "rate": 2.5,
        "quantiles": quantiles,
        "probability": 0.07,
        "threshold": 0.05,
        "band": 2 if days < 6 else 1,
        "status": "need_open",
        "on_hand": 0.0,
        "on_order": 1.0,
        "last_heard": T0 - HOUR,
    }
    return SlotView(**(values | more))


def need(slot: int, site: int, product: int, **more: Any) -> Need:
    seen = view(slot)
    evidence = Evidence(
        time=T0,
        read=T0 - HOUR,
        read_boot="00000000000000b7",
        read_seq=1042,
        level_low=11.0,
        level_high=12.0,
        level=11.5,
        rate=2.5,
        quantiles=seen.quantiles,
        probability=0.07,
        probability_earlier=0.02,
        probability_later=0.15,
        threshold=0.05,
        lead_ms=tuple((i + 1) * DAY // 4 for i in range(16)),
        on_hand=0.0,
        on_order=0.0,
        claims=0,
        last_heard=T0 - HOUR,
    )
    values: dict[str, Any] = {
        "slot": slot,
        "cycle": 1,
        "attempt": 1,
        "site": site,
        "product": product,
        "cause": Cause.PROBABILITY,
        "channel": "device",
        "urgent": False,
        "deadline": T0 + 4 * DAY,
        "evidence": evidence,
    }
    return Need(**(values | more))


class Client:
    """Calls as one token; each in an event loop of its own."""

    def __init__(self, app: Any, secret: str | None, **more: Any) -> None:
        self.app = app
        self.headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        self.more = more
        self.cookies = httpx.Cookies()

    def __call__(self, method: str, path: str, **more: Any) -> httpx.Response:
        return asyncio.run(self.call(method, path, **more))

    async def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = self.headers | more.pop("headers", {})
        transport = httpx.ASGITransport(self.app, **self.more)
        async with httpx.AsyncClient(transport=transport, base_url="http://ullage", cookies=self.cookies) as http:
            answer = await http.request(method, path, headers=headers, **more)
            self.cookies = http.cookies
            return answer

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self("GET", path, params=query or None)

    def post(self, path: str, body: Any = None, key: str | None = None, **more: Any) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return self("POST", path, json=body, headers=headers, **more)


class ApiWorld:
    """`acme` orders by itself, `umbra` asks a person. Of each: slots[account], devices, site."""

    def __init__(self, ledger: Ledger, series: SqliteSeries, *, empty: bool) -> None:
        self.ledger, self.series = ledger, series
        self.journal = MemoryJournal()
        self.now, self.real = T0, REAL
        if empty:
            apply_fleet(ledger, parse_fleet(document()), T0)
        self.decisions = LedgerDecisions(ledger, partitions=1)
        claim = self.decisions.claim(0, "worker", "journal")
        self.epoch, self.offset = claim.epoch, claim.offset
        self.orders = Orders(ledger)
        with ledger.read() as tx:
            self.accounts = dict(tx.execute(select(t.account.c.name, t.account.c.id)).all())
            self.sites = {row.account_id: row.id for row in tx.execute(select(t.site))}
            self.products = dict(tx.execute(select(t.product.c.sku, t.product.c.id)).all())
            self.suppliers = dict(tx.execute(select(t.supplier.c.name, t.supplier.c.id)).all())
            self.slots: dict[str, list[int]] = {name: [] for name in self.accounts}
            names = {number: name for name, number in self.accounts.items()}
            for row in tx.execute(select(t.slot.c.id, t.slot.c.account_id).order_by(t.slot.c.id)):
                self.slots[names[row.account_id]].append(row.id)
        if empty:
            self._live()
        self.now = T0 + 2 * LIVED
        self.services = Services(
            ledger,
            self.orders,
            series,
            Quarantine(ledger, self.journal),
            lambda: self.now,
            lambda: self.real,
            answer_within_s=0.05,
        )
        self.app = create_app(self.services)
        self.operator = self.client(Role.OPERATOR, accounts=None)

    def site(self, account: str) -> int:
        return self.sites[self.accounts[account]]

    def need(self, account: str, n: int, **more: Any) -> Need:
        return need(self.slots[account][n], self.site(account), self.products["TN-K"], **more)

    def _live(self) -> None:
        """Of each account: an order that is placed, one that waits or collects, a cancelled one; history, an alert."""
        for account in self.slots:
            self.apply(self.need(account, 0))
        self.apply(after=LIVED)  # acme's is placed, umbra's awaits a person
        for account, slots in self.slots.items():
            site, device = self.site(account), self._device(slots[0])
            self.apply(
                self.need(account, 1),
                RefillSeen(slots[1], 1, RefillKind.NEW, T0 - 20 * DAY, 7, 9, 3.0, 100.0, 1.0, 0, "a new supply"),
                Alert("silent", f"device/{device}", site, T0, "nothing was heard for 3 days"),
                Quarantined(device, T0, 0, 11, "level_out_of_range", "supplies.black.level is 42: use 0..1", REFUSED),
            )
            self.show(*(view(slot, 4.0 + 2 * n) for n, slot in enumerate(slots[:4])))
            self.show(*(UsageBooked(slots[0], T0 // DAY - n, 1.5 + n) for n in range(30)))
        self.apply(after=LIVED)
        with self.ledger.write() as tx:
            for name, number in self.accounts.items():
                made = subscriptions.create(
                    tx, Scope.all(), "ERP", "webhook", f"https://{name}.example/hook", self.now, account_id=number
                )
                subscriptions.replay(tx, Scope.all(), made.subscription.id, 0)
        collect(self.ledger, self.now)
        buckets = [
            Bucket(slot, T0 - (100 - n) * 900_000, 3, 1, 60.0 - n / 4, 59.8 - n / 4, 59.8 - n / 4)
            for slots in self.slots.values()
            for slot in slots[:2]
            for n in range(100)
        ]
        self.series.write(0, 1, buckets, [])

    def _device(self, slot: int) -> int:
        with self.ledger.read() as tx:
            return int(tx.execute(select(t.slot.c.device_id).where(t.slot.c.id == slot)).scalar_one())

    def apply(self, *effects: Decision, after: int = 0) -> None:
        self.now += after
        self.offset += 1
        self.decisions.apply(0, self.epoch, self.offset, self.now, effects)

    def show(self, *shown: Shown) -> None:
        self.decisions.show(0, self.epoch, self.offset, self.now, shown)

    def token(self, role: Role, accounts: Any = ("acme",), supplier: str | None = None, person: str = "Ann") -> str:
        ids = None if accounts is None else [self.accounts[name] for name in accounts]
        number = None if supplier is None else self.suppliers[supplier]
        with self.ledger.write() as tx:
            bound: dict[str, Any] = {"accounts": ids, "supplier_id": number}
            who = people.create(tx, OWNER, person, role, self.real, **bound)
            return tokens.create_for(tx, "test", who.id, self.real).secret

    def client(self, role: Role, accounts: Any = ("acme",), **more: Any) -> Client:
        return Client(self.app, self.token(role, accounts, **more))

    def rows(self, table: Table, *where: Any) -> list[Any]:
        with self.ledger.read() as tx:
            return list(tx.execute(select(table).where(*where).order_by(*table.primary_key.columns)).all())


@contextmanager
def api_world(folder: Path, model: Path | None = None) -> Iterator[ApiWorld]:
    """A new one, or a copy of the one in the folder `model`, which is quicker."""
    if model is not None:
        for name in ("ledger.db", "series.db"):
            shutil.copy(model / name, folder / name)
    with (
        closing(open_ledger(f"sqlite:///{folder / 'ledger.db'}")) as ledger,
        closing(SqliteSeries(folder / "series.db")) as series,
    ):
        if model is None:
            upgrade(ledger)
        yield ApiWorld(ledger, series, empty=model is None)
