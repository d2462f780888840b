"""How long the API takes at 100 requests a second with 100,000 slots in its ledger.

The server is a process of its own, as in `ullage serve`; requests leave at their times whether or not earlier ones were
answered, and count from then on. A reorder waits for `step`; a third process answers in its place, and the figures
stand apart. `python -m bench.api SECONDS` measures for longer.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import uvloop
from sqlalchemy import select

from api.server import serve
from api.services import Services
from bench.api_client import Answered, Planned, quantile, request
from bench.api_client import run as ask
from bench.api_world import NOW, SEED, SLOTS, World, fill
from ingest.release import Quarantine
from journal.open import open_journal
from ledger import tables as t
from ledger.decisions import LedgerDecisions
from ledger.engine import open_ledger
from ledger.orders import Orders
from models.effects import RequestAnswered
from series.open import open_series
from ullage import logs

PER_SECOND = 100
SECONDS = 20
WARM = 2
STEP_EVERY = 0.02
REORDER = "POST /v1/slots/{slot}/reorder?test=true"
MIX = (
    (18, "GET /v1/slots?sort=empty_at&limit=50"),
    (8, "GET /v1/slots?site={site}&sort=empty_at&limit=50"),
    (6, "GET /v1/slots?site={site}&limit=100"),
    (16, "GET /v1/slots/{slot}"),
    (8, "GET /v1/slots/{slot}/forecast?before=2026-12-01T00:00:00Z"),
    (4, "GET /v1/slots/{storied}/history"),
    (2, "GET /v1/slots/{slot}/why"),
    (8, "GET /v1/devices/{device}"),
    (2, "GET /v1/devices?site={site}&limit=50"),
    (6, "GET /v1/orders?limit=50"),
    (5, "GET /v1/orders/{order}"),
    (3, "GET /v1/orders/{order}/receipt"),
    (5, "GET /v1/needs?state=open&limit=50"),
    (2, "GET /v1/demand?sku=TONER0&site={site}"),
    (2, "GET /v1/sites/{site}/spares"),
    (2, "GET /v1/accounts"),
    (1, "POST /v1/orders/{cancelled}/cancel"),
    (2, REORDER),
)
"""Weights of calls. All kinds of reads, and two that write."""


def plan(world: World, seconds: float) -> list[Planned]:
    """Two callers take turns: one that sees everything, one bound to an account (who asks only for what is its own)."""
    chance = random.Random(SEED)
    weights, calls = [weight for weight, _ in MIX], [call for _, call in MIX]
    cancelled = iter(world.orders)
    planned = []
    for n in range(int((WARM + seconds) * PER_SECOND)):
        (call,) = chance.choices(calls, weights)
        mine = n % 2 == 0 and ("{slot}" in call or "{" not in call)
        names = {
            "slot": chance.choice(world.mine if mine else world.slots),
            "storied": chance.choice(world.storied),
            "site": chance.choice(world.sites),
            "device": chance.choice(world.devices),
            "order": chance.choice(world.orders),
        }
        if "{cancelled}" in call:
            names["cancelled"] = next(cancelled)
        method, _, path = call.partition(" ")
        headers = {"Idempotency_Key": f"bench-{n}"} if method == "POST" else {}
        token = world.buyer if mine else world.operator
        planned.append(Planned(n / PER_SECOND, call, request(method, path.format(**names), token, **headers)))
    return planned


def measure(port: int, world: World, seconds: float) -> dict[str, Any]:
    counted = [one for one in uvloop.run(ask(port, plan(world, seconds))) if one.due >= WARM]
    by_call: dict[str, list[Answered]] = defaultdict(list)
    for one in counted:
        by_call[one.kind].append(one)
    own = [one for one in counted if one.kind != REORDER]
    return {
        "requests": len(counted),
        "p50_ms": _quantile(own, 0.5),
        "p99_ms": _quantile(own, 0.99),
        "reorder_p50_ms": _quantile(by_call[REORDER], 0.5),
        "by_call_p50_p99_ms": {call: (_quantile(of, 0.5), _quantile(of, 0.99)) for call, of in sorted(by_call.items())},
    }


def _quantile(answered: list[Answered], p: float) -> float:
    return quantile((one.seconds for one in answered), p)


async def _serve(folder: Path) -> None:
    """Until standard input ends."""
    logs.configure("warning", "text", "api")  # on stderr: standard output says the port, and is read no further
    with (
        closing(_ledger(folder)) as ledger,
        closing(_series(folder)) as series,
        closing(open_journal(f"sqlite:///{folder / 'journal.db'}")) as journal,
    ):
        wired = Services(
            ledger, Orders(ledger), series, Quarantine(ledger, journal), lambda: NOW, lambda: int(time.time() * 1000)
        )
        stop = asyncio.Event()

        async def until_told() -> None:
            await asyncio.to_thread(sys.stdin.read)
            stop.set()

        telling = asyncio.create_task(until_told())
        await serve(wired, "127.0.0.1", 0, None, None, stop, lambda port: print(port, flush=True))
        await telling


def _step(folder: Path) -> None:
    """In the place of deliver and worker: answers requests. Until standard input ends."""
    told = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), told.set()), daemon=True).start()
    waiting = select(t.request.c.id, t.request.c.slot_id).where(t.request.c.answered.is_(None))
    with closing(_ledger(folder)) as ledger:
        decisions, offset = LedgerDecisions(ledger, partitions=1), 10
        epoch = decisions.claim(0, "bench", "bench").epoch
        while not told.wait(STEP_EVERY):
            with ledger.read() as tx:
                asked = tx.execute(waiting).all()
            if asked:
                offset += 1
                answers = [RequestAnswered(one.id, "would_order", "below the threshold", one.slot_id) for one in asked]
                decisions.apply(0, epoch, offset, NOW, answers)


def _ledger(folder: Path) -> Any:
    return open_ledger(f"sqlite:///{folder / 'ledger.db'}")


def _series(folder: Path) -> Any:
    return open_series(f"sqlite:///{folder / 'series.db'}")


@contextmanager
def _process(role: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "bench.api", role, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.communicate("")


def _cpu_s(pid: int) -> float:
    """Of a process so far, user and system."""
    ticks = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def run(seconds: float = SECONDS) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with closing(_ledger(folder)) as ledger, closing(_series(folder)) as series:
            world = fill(ledger, series)
        with _process("--step", folder), _process("--serve", folder) as server:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            before, mine = _cpu_s(server.pid), time.process_time()
            found = measure(port, world, seconds)
            requests = (WARM + seconds) * PER_SECOND
            server_ms, client_ms = (_cpu_s(server.pid) - before) / requests, (time.process_time() - mine) / requests
        cpu = {"server_cpu_ms": round(1000 * server_ms, 2), "client_cpu_ms": round(1000 * client_ms, 2)}
        return {"slots": SLOTS, "per_second": PER_SECOND} | cpu | found


def rows(found: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """(what, measured, at least, go for)."""
    what = f"API at {found['per_second']} requests/s, {found['slots']:,} slots: p99 (p50), ms"
    return [(what, f"{found['p99_ms']} ({found['p50_ms']})", "100", "20")]


if __name__ == "__main__":
    if "--serve" in sys.argv:
        uvloop.run(_serve(Path(sys.argv[-1])))
    elif "--step" in sys.argv:
        _step(Path(sys.argv[-1]))
    else:
        print(json.dumps(run(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS), indent=2))
