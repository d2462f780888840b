"""Simulated suppliers: they take purchase orders by webhook and acknowledge, ship and deliver in domain time.

A purchase order is taken once: the same Idempotency-Key gives the same answer, its signature and time stamp are
verified, and it is on record before the answer is sent.
"""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

from aiohttp import web

from devices_sim.api_client import Api, Refused
from devices_sim.chance import draws
from devices_sim.clock import DAY, HOUR
from devices_sim.errors import Unavailable
from devices_sim.fleet import SUPPLIERS, Plan, Site
from devices_sim.truth import Happening, Truth
from devices_sim.usage import next_open
from devices_sim.world.trouble import late_by
from devices_sim.world.world import World

TOLERANCE_S = 300
AT_ONCE = 8
Lines = list[dict[str, Any]]


class BadRequest(Exception):
    """A webhook that is not from the product, or not understood; the text says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def verify(secret: str, timestamp: str, signature: str, body: bytes, now_s: float) -> None:
    """Check `v1=<hex HMAC-SHA256(secret, timestamp + "." + body)>`; raises BadRequest."""
    if not timestamp.isdigit() or abs(now_s - int(timestamp)) > TOLERANCE_S:
        raise BadRequest(401, f"Ullage-Timestamp {timestamp!r} is not within {TOLERANCE_S} s of now")
    expected = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(f"v1={expected}", signature):
        raise BadRequest(401, "Ullage-Signature does not fit the body")


class Suppliers:
    """All suppliers of the world, on one port: POST /{supplier}/purchase-orders."""

    def __init__(
        self,
        plan: Plan,
        truth: Truth,
        secrets: dict[str, str],
        now: Callable[[], int],
        opened: asyncio.Event | None = None,
    ) -> None:
        """`opened`: until it is set whoever sends a purchase order waits, for nobody knows yet what time it is."""
        self.plan, self.truth, self.secrets, self.now, self.opened = plan, truth, secrets, now, opened
        self.sites: dict[str, Site] = {site.key: site for site in plan.sites}
        self.rejected = 0
        self.again = 0
        self._runner: web.AppRunner | None = None

    async def listen(self, host: str, port: int) -> int:
        """Serve on `port`, or on any free one if that is taken; returns the port."""
        app = web.Application()
        app.router.add_post("/{supplier}/purchase-orders", self._post)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        try:
            site = web.TCPSite(self._runner, host, port)
            await site.start()
        except OSError:
            if port == 0:
                raise
            site = web.TCPSite(self._runner, host, 0)
            await site.start()
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _post(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.opened is not None:
            await self.opened.wait()
        try:
            answer = self.take(request.match_info["supplier"], dict(request.headers), body, time.time())
        except BadRequest as error:
            self.rejected += 1
            return web.json_response({"error": str(error)}, status=error.status)
        return web.json_response(answer)

    def take(self, supplier: str, headers: dict[str, str], body: bytes, now_s: float) -> dict[str, object]:
        """Take a purchase order; the answer. Raises BadRequest."""
        if supplier not in self.secrets:
            raise BadRequest(404, f"no supplier {supplier}")
        got = {name.lower(): value for name, value in headers.items()}
        key = got.get("idempotency-key", "")
        if not key:
            raise BadRequest(400, "Idempotency-Key is missing")
        verify(self.secrets[supplier], got.get("ullage-timestamp", ""), got.get("ullage-signature", ""), body, now_s)
        try:
            document = json.loads(body)
            number = str(document["purchase_order"])
            site = self.sites.get(f"{document['account']}/{document['site']['name']}")
            lines = [
                {"line": x["line"], "sku": str(x["sku"]), "quantity": int(x["quantity"])} for x in document["lines"]
            ]
        except (ValueError, KeyError, TypeError) as error:
            raise BadRequest(400, f"not a purchase order: {type(error).__name__} {error}") from error
        if document.get("test") is True:
            return {"reference": "test", "taken": False}
        digest = hashlib.sha256(body).hexdigest()
        before = self.truth.purchase_order(number)
        if before is None:
            taken = self.now()
            row = (number, supplier, key, digest, taken, site.key if site else None, body.decode())
            self.truth.take(row, self.jobs(supplier, number, lines, site, taken))
        elif before[0] != key:
            raise BadRequest(409, f"purchase order {number} was taken with another Idempotency-Key")
        else:
            self.again += 1
        return {"reference": f"{supplier[:2].upper()}-{number}", "taken": before is None}

    def jobs(
        self, supplier: str, number: str, lines: Lines, site: Site | None, taken: int
    ) -> list[tuple[str, str, int, str]]:
        """What follows from a purchase order: (purchase order, what, due in domain ms, lines as JSON)."""
        habits = self.plan.scenario.suppliers
        chance = draws(self.plan.scenario.seed, "lead time", supplier, number)
        accepted = chance.random() >= habits.reject
        answers = [
            {"line": x["line"], "accepted": accepted, "reason": None if accepted else "discontinued"} for x in lines
        ]
        known = taken + int(chance.uniform(0.1, 3) * HOUR)
        out = [(number, "acknowledge", known, json.dumps(answers))] if habits.acknowledge else []
        if not accepted:
            return out
        start = int(self.truth.meta("start", str(taken)))
        days = chance.choice(SUPPLIERS[supplier]) + (7 if chance.random() < habits.late else 0)
        arrives = taken + int(days * DAY) + late_by(self.plan.scenario, start, supplier, taken)
        parts = [lines]
        if chance.random() < habits.part and sum(x["quantity"] for x in lines) > 1:
            first = [x | {"quantity": (x["quantity"] + 1) // 2} for x in lines]
            rest = [x | {"quantity": x["quantity"] // 2} for x in lines if x["quantity"] > 1]
            parts = [first, rest] if rest else [lines[:1], lines[1:]]
        for part, goods in enumerate(parts):
            due = self._opens(site, arrives + part * chance.randint(1, 3) * DAY, chance.uniform(8.5, 15))
            if habits.ship:
                out.append((number, "ship", max(due - 20 * HOUR, known + 1), json.dumps(goods)))
            out.append((number, "deliver", due, json.dumps(goods)))
        return out

    def _opens(self, site: Site | None, at: int, hour: float) -> int:
        if site is None:
            return at
        whole = next_open(site.zone, site.open_days, site.closed, at, int(hour))
        return max(whole + int((hour - int(hour)) * HOUR), at)

    async def work(self, world: World, api: Api, now: int) -> None:
        """Do what is due, one call per purchase order at a time. Raises Unavailable to be called again later."""
        self.arrive(world, now)
        first: dict[str, tuple[int, str, str, str, int, str | None, str]] = {}
        for job in self.truth.due_jobs(now):
            first.setdefault(job[1], job)
        jobs = list(first.values())[:AT_ONCE]
        results = await asyncio.gather(*(self._tell(world, api, job, now) for job in jobs), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    def arrive(self, world: World, now: int) -> None:
        """Goods come when they are due, however long it takes until Ullage is told."""
        due = self.truth.due_arrivals(now)
        for number, site, text in due:
            for line in json.loads(text):
                world.deliver(site, line["sku"], line["quantity"], now)
            world.arrived(number)
        if due:
            world.save()

    async def _tell(
        self, world: World, api: Api, job: tuple[int, str, str, str, int, str | None, str], now: int
    ) -> None:
        number, order, what, text, *_ = job
        lines: Lines = json.loads(text)
        told = lines if what == "acknowledge" else [{"line": x["line"], "quantity": x["quantity"]} for x in lines]
        try:
            await api.call(
                "POST", f"/v1/purchase-orders/{order}/{what}", body={"lines": told}, key=f"{order}-{what}-{number}"
            )
        except Refused as error:
            if error.status >= 500 or error.status in {408, 425, 429}:
                raise Unavailable(str(error)) from error
            world.users.happened.append(Happening(now, f"{what}_refused", slot=order))
        self.truth.job_done(number)
