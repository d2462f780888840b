"""A scenario lived through on a virtual clock, world and product in one process: days pass in seconds."""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from devices_sim import fleet, report
from devices_sim.api_client import Api
from devices_sim.report import Report
from devices_sim.scenario import Scenario
from devices_sim.supplier import Suppliers
from devices_sim.telling import Teller
from devices_sim.truth import Happening, Truth
from devices_sim.world.world import World
from ledger.sinks import SupplierEndpoints, sign
from models.outbox import OutboxRow
from tests.support.installation import START
from tests.support.whole import Whole, whole
from tests.support.wire import Wire

WITHIN_S = 60.0
URL = "http://suppliers/{}/purchase-orders"


class Webhook:
    """Purchase orders from the product to the world's suppliers, signed as over HTTP."""

    def __init__(self, product: Whole, suppliers: Suppliers) -> None:
        self._suppliers, self._endpoint = suppliers, SupplierEndpoints(product.stores.ledger)
        self._sent: deque[tuple[str, dict[str, str], bytes]] = deque()

    def deliver(self, rows: Sequence[OutboxRow]) -> None:
        """From any thread."""
        for row in rows:
            endpoint, seconds = self._endpoint(row.target), self._suppliers.now() // 1000
            headers = {
                "Idempotency-Key": row.key,
                "Ullage-Timestamp": str(seconds),
                "Ullage-Signature": sign(endpoint.secret, seconds, row.payload),
            }
            self._sent.append((urlsplit(endpoint.url).path.split("/")[1], headers, row.payload))

    def arrive(self) -> None:
        """At the suppliers, in the thread of the world. Raises BadRequest."""
        while self._sent:
            name, headers, body = self._sent.popleft()
            self._suppliers.take(name, headers, body, float(headers["Ullage-Timestamp"]))


def start_of(scenario: Scenario) -> int:
    """Where domain time begins, ms."""
    if scenario.start is None:
        return START
    return int(datetime.combine(scenario.start, datetime.min.time(), UTC).timestamp() * 1000)


def live(scenario: Scenario, folder: Path, product: type[Whole] = Whole, wire: type[Wire] = Wire) -> Report:
    """The report at the scenario's end, judged. `product` and `wire` may be broken ones."""
    return asyncio.run(_live(scenario, folder, product, wire))


async def _live(scenario: Scenario, folder: Path, product_kind: type[Whole], wire_kind: type[Wire]) -> Report:
    now = start_of(scenario)
    assert scenario.duration_ms is not None
    ends = now + scenario.duration_ms
    plan = fleet.make_plan(scenario, datetime.fromtimestamp(now / 1000, UTC).year)
    with whole(folder, now, product_kind) as product, closing(Truth(folder / "world")) as truth:
        api = Api("http://ullage", product.token(), transport=httpx.ASGITransport(product.app))
        secrets = dict.fromkeys(fleet.SUPPLIERS, "secret")
        suppliers = Suppliers(plan, truth, secrets, lambda: product.now)
        product.suppliers = webhook = Webhook(product, suppliers)
        urls = {name: (URL.format(name), secret) for name, secret in secrets.items()}
        await api.apply_fleet(fleet.document(plan, urls))
        product.turn(now)
        world = World(plan, truth, now)
        lines, teller = wire_kind(product, world), Teller(plan, truth, api)
        while now < ends:
            now = min(now + scenario.report_every_ms, ends)
            while not world.advance(now):
                pass
            world.save()
            lines.carry(now)
            product.turn(now)
            webhook.arrive()
            await suppliers.work(world, api, now)
            for kind, device, name in await teller.tell():
                world.users.happened.append(Happening(now, kind, device, name))
        product.turn(now)
        result = report.of_world(world, suppliers.again)
        await report.ask(result, api, world, WITHIN_S)
        report.judge(result, scenario)
        await api.close()
        return result
