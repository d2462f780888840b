"""One run: provision the fleet, let the world live at the product's clock, end with a report."""

import asyncio
import hashlib
import json
import secrets
import sys
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from devices_sim import fleet, report, status
from devices_sim.api_client import Api, Refused
from devices_sim.clock import DomainClock, feasible_speed, speed_reason
from devices_sim.errors import BadState, Unavailable
from devices_sim.limits import allow_files
from devices_sim.mqtt_client import Broker, Links
from devices_sim.report import Report
from devices_sim.scenario import Scenario
from devices_sim.supplier import Suppliers
from devices_sim.telling import Teller
from devices_sim.truth import Happening, Truth
from devices_sim.world.world import World

TICK_S = 0.05
TELL_S = 0.5
SLICE = 100
"""Devices that report between two looks at the sockets."""
STOPPED_WITHIN_S = 1.5
ANSWERED_WITHIN_S = 30.0
"""How long the report waits for the API: a person who pressed Ctrl-C waits too, at a scenario's end nobody does."""
AGAIN_S = 0.5
GOODBYE_S = 0.5
DRAIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Options:
    broker: Broker
    api: str
    token: str
    scenario: Scenario
    state: Path
    status_file: Path | None = None
    supplier_host: str = "127.0.0.1"
    supplier_port: int = 0
    patience_s: float = 30.0
    keep: bool = False
    progress: bool = False
    say: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True)


class Runner:
    def __init__(self, options: Options, api: Api | None = None) -> None:
        self.options = options
        self.scenario = options.scenario
        self.truth = Truth(options.state, keep=options.keep)
        self.api = api or Api(options.api, options.token)
        self.clock = DomainClock()
        self.stop = asyncio.Event()
        self.synced = asyncio.Event()
        self.lag_ms = 0
        self._rate = status.Rate()
        self._complaint = ""

    async def run(self, tell: Callable[[Report], Awaitable[None]] | None = None) -> Report:
        """Live until `stop` is set or the scenario's duration is over; then the report. The suppliers answer until
        `tell` has told it."""
        suppliers: Suppliers | None = None
        try:
            allow_files(self.scenario.fleet.devices)
            year = self.truth.meta("year")
            if year:  # purchase orders may wait since the last time
                suppliers = await self._open(int(year))
            await self._first_sync()
            self.clock.resume(int(self.truth.meta("time", "0")))
            self.synced.set()
            self._same_world()
            if suppliers is None:
                suppliers = await self._open(datetime.fromtimestamp(self.clock.now() / 1_000, UTC).year)
            await self._provision(suppliers)
            self._warn_of_speed()
            # a new world begins now: registering thousands of devices takes a while
            world = World(self.plan, self.truth, self.clock.now())
            links = Links(world, self.options.broker, self.truth.credentials())
            self.world, self.suppliers, self.links = world, suppliers, links
            self.teller = Teller(self.plan, self.truth, self.api)
            result = await self._live()
            if tell is not None:
                await tell(result)
            return result
        finally:
            if suppliers is not None:
                await suppliers.close()
            await self.api.close()
            self.truth.close()

    async def _open(self, year: int) -> Suppliers:
        """The suppliers listen, at the port that they had before if it is free."""
        self.truth.set_meta("year", str(year))
        self.plan = fleet.make_plan(self.scenario, year)
        suppliers = Suppliers(self.plan, self.truth, self._secrets(), self.clock.now, self.synced)
        known = self.options.supplier_port or int(self.truth.meta("port", "0"))
        self.truth.set_meta("port", str(await suppliers.listen(self.options.supplier_host, known)))
        return suppliers

    async def _first_sync(self) -> None:
        """The product may still be starting: ask until it answers or patience ends."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + self.options.patience_s
        while True:
            try:
                await self.api.time(self.clock)
            except Refused:
                raise
            except Unavailable:
                if loop.time() > ends or self.stop.is_set():
                    raise
                await self._pause(0.25)
            else:
                return

    def _same_world(self) -> None:
        """A state folder belongs to one world: what the scenario says of it must not change under it."""
        mine = f"{self.scenario.name} seed {self.scenario.seed} devices {self.scenario.fleet.devices}"
        before = self.truth.meta("world", mine)
        if before != mine:
            raise BadState(f"{self.options.state} holds the world {before!r}, this is {mine!r}: use another --state")
        self.truth.set_meta("world", mine)

    def _warn_of_speed(self) -> None:
        """The product chose the speed; tell if it is more than this process can follow."""
        devices, every = self.scenario.fleet.devices, self.scenario.report_every_ms
        if feasible_speed(devices, wanted=self.clock.speed, report_every_ms=every) < self.clock.speed:
            self.options.say(f"this will lag: {speed_reason(devices, wanted=self.clock.speed, report_every_ms=every)}")

    def _secrets(self) -> dict[str, str]:
        found = {name: self.truth.meta(f"secret {name}") or secrets.token_hex(16) for name in fleet.SUPPLIERS}
        for name, secret in found.items():
            self.truth.set_meta(f"secret {name}", secret)
        return found

    async def _provision(self, suppliers: Suppliers) -> None:
        """Register everything, if the product does not have it from us in this form already."""
        host, port = self.options.supplier_host, self.truth.meta("port")
        urls = {n: (f"http://{host}:{port}/{n}/purchase-orders", secret) for n, secret in suppliers.secrets.items()}
        document = fleet.document(self.plan, urls)
        digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
        known = self.truth.credentials()
        missing = [d for d in self.plan.devices if (d.site.account, d.name) not in known]
        if digest == self.truth.meta("provisioned") and not missing:
            return
        self.options.say(f"registering {len(self.plan.devices)} devices at {len(self.plan.sites)} sites")
        given = await self.api.apply_fleet(document)
        self.truth.add_credentials((c["account"], c["device"], int(c["device_id"]), c["token"]) for c in given)
        known = self.truth.credentials()
        missing = [d for d in self.plan.devices if (d.site.account, d.name) not in known]
        if missing:
            raise BadState(
                f"the API gave no token for {len(missing)} devices, first {missing[0].key}: they were registered "
                f"before, with another state folder than {self.options.state}. Use that one, or start the product anew"
            )
        self.truth.set_meta("provisioned", digest)

    # living
    async def _live(self) -> Report:
        jobs: list[Coroutine[None, None, None]] = [
            self._advance(),
            self._every(0.2, self._maintain),
            self._every(0.2, self._sync_acks),
            self._every(1.0, self._sync_clock),
            self._every(0.1, self._arrive),
            self._every(0.25, self._supply),
            self._every(TELL_S, self._tell),
        ]
        if self.options.progress:
            jobs.append(self._every(0.5, self._progress))
        if self.options.status_file is not None:
            jobs.append(self._every(1.0, self._write_status))
        tasks = [asyncio.create_task(job) for job in jobs]
        stopped = asyncio.create_task(self.stop.wait())
        try:
            done, _ = await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopped}:
                task.result()
        finally:
            stopped.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.gather(stopped, *tasks, return_exceptions=True)
            await self._settle()
        return await self._report()

    async def _every(self, seconds: float, work: Callable[[], Coroutine[None, None, None]]) -> None:
        while True:
            await work()
            await asyncio.sleep(seconds)

    async def _pause(self, seconds: float) -> None:
        """Sleep, or wake when the run is to stop."""
        try:
            await asyncio.wait_for(self.stop.wait(), seconds)
        except TimeoutError:
            return

    async def _advance(self) -> None:
        """Move the world to now, over and over; returns when the scenario is over."""
        ends = None if self.scenario.duration_ms is None else self.world.start + self.scenario.duration_ms
        while True:
            now = self.clock.now() if ends is None else min(self.clock.now(), ends)
            caught_up = self.world.advance(now, SLICE)
            self._save()
            self.lag_ms = 0 if caught_up else now - self.world.time
            if caught_up and ends is not None and now >= ends:
                return
            await asyncio.sleep(TICK_S if caught_up else 0)

    def _save(self) -> None:
        for index in self.world.save():
            link = self.links.links[index]
            self.links.pump(link)
            if link.machine.state.hostile_until > self.world.time:
                self.links.intrude(link)

    async def _maintain(self) -> None:
        self.links.maintain(asyncio.get_running_loop().time())

    async def _sync_acks(self) -> None:
        if self.truth.acks.write():
            await asyncio.to_thread(self.truth.acks.sync)

    async def _sync_clock(self) -> None:
        try:
            await self.api.time(self.clock)
        except Unavailable as error:
            self._complain(error)

    async def _arrive(self) -> None:
        self.suppliers.arrive(self.world, self.world.time)

    async def _supply(self) -> None:
        try:
            await self.suppliers.work(self.world, self.api, self.world.time)
        except Unavailable as error:
            self._complain(error)
            await asyncio.sleep(1)

    async def _tell(self) -> None:
        """Users report swaps and counts, a page at a time."""
        try:
            for kind, device, name in await self.teller.tell():
                self.world.users.happened.append(Happening(self.world.time, kind, device, name))
        except Unavailable as error:
            self._complain(error)
            await asyncio.sleep(1)

    async def _write_status(self) -> None:
        self._status("running")

    async def _progress(self) -> None:
        """One line that is written over, for a person at a terminal."""
        counts, happened = self.world.counts, self.world.happened
        date = datetime.fromtimestamp(self.world.time / 1_000, UTC).strftime("%a %Y-%m-%d %H:%M")
        line = f"{date}  {self.links.connected} connected, {counts.acked:,} acknowledged, "
        line += f"{happened['met']} empties met, {happened['missed']} missed"
        print(f"\r{line:<100}", end="", file=sys.stderr, flush=True)

    def _status(self, state: str, final: Report | None = None) -> None:
        path = self.options.status_file
        if path is None:
            return
        rate = self._rate.per_second(self.world.counts.acked, asyncio.get_running_loop().time())
        look = status.snapshot(
            self.world,
            self.links,
            speed=self.clock.speed,
            target_ms=self.world.time + self.lag_ms,
            rate=rate,
            state=state,
        )
        status.write(path, look, None if final is None else msgspec.to_builtins(final))

    def _complain(self, error: Exception) -> None:
        text = str(error)
        if text != self._complaint:
            self._complaint = text
            self.options.say(text)

    # the end
    async def _settle(self) -> None:
        """Let what waits be acknowledged: at the end of a scenario for long, when told to stop for a moment."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + (GOODBYE_S if self.stop.is_set() else DRAIN_S)
        while loop.time() < ends and (self.links.in_flight() if self.stop.is_set() else self.links.waiting()):
            self.links.maintain(loop.time())
            await asyncio.sleep(0.05)
        await self.links.close()
        self._save()
        # what users did last is still to be told; a run that was told to stop goes on with it at its next start
        while not self.stop.is_set() and self.teller.waits() and loop.time() < ends:
            await self._tell()
        self._save()

    async def _report(self) -> Report:
        """At a scenario's end Ullage may still be at work on the last readings: what is not as expected is looked at
        again for a while."""
        loop = asyncio.get_running_loop()
        within = STOPPED_WITHIN_S if self.stop.is_set() else ANSWERED_WITHIN_S
        ends = loop.time() + within
        while True:
            result = report.of_world(self.world, self.suppliers.again)
            await report.ask(result, self.api, self.world, max(ends - loop.time(), STOPPED_WITHIN_S))
            report.judge(result, self.scenario)
            if result.ok or self.stop.is_set() or loop.time() >= ends:
                break
            await self._pause(AGAIN_S)
        self._status("ended", result)
        return result
