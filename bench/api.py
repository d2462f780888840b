"""How long the API takes at 100 requests a second with 100,000 slots in its ledger.

The server is a process of its own, as in `ullage serve`; requests leave at their times whether or not earlier ones were
answered, and count from then on. `python -m bench.api SECONDS` measures for longer.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import httpx
import uvloop
from sqlalchemy import select

from api.server import serve
from api.services import Services
from ledger import tables as t
from ledger import tokens
from ledger.engine import Ledger, open_ledger
from ledger.fleet import apply_fleet, parse_fleet
from ledger.migrate import upgrade
from ledger.orders import Orders
from ledger.roles import Role
from models.units import DAY
from series.open import open_series
from tests.support.fleet_world import T0, document

SEED = 7
SLOTS = 100_000
PER_SECOND = 100
SECONDS = 20
WARM = 2
MIX = (
    (25, "/v1/slots?sort=empty_at&limit=50"),
    (10, "/v1/slots?site={site}&sort=empty_at&limit=50"),
    (10, "/v1/slots?limit=100"),
    (25, "/v1/slots/{slot}"),
    (10, "/v1/slots/{slot}/forecast?before=2026-12-01T00:00:00Z"),
    (10, "/v1/devices/{device}"),
    (5, "/v1/orders?limit=50"),
    (5, "/v1/needs?state=open&limit=50"),
)


def fill(ledger: Ledger, slots: int) -> tuple[str, int, int]:
    """An account with 20 sites; a token, the first device's and the first slot's id."""
    upgrade(ledger)
    apply_fleet(ledger, parse_fleet(document(20, sites=20)), T0)
    chance = random.Random(SEED)
    with ledger.write() as tx:
        device, slot = tx.execute(select(t.device)).mappings().all(), tx.execute(select(t.slot)).mappings().all()
        devices, rows, views = [], [], []
        number = len(slot)
        for n in range(slots // 2):
            home = device[n % len(device)]
            row = dict(home) | {"id": len(device) + n + 1, "name": f"more-{n}", "credential": n.to_bytes(32)}
            devices.append(row)
            for part in slot[:2]:
                number += 1
                place = {"account_id": row["account_id"], "site_id": row["site_id"], "device_id": row["id"]}
                rows.append(dict(part) | place | {"id": number})
                views.append(_view(number, row, chance.uniform(0.5, 90)))
        tx.execute(t.device.insert(), devices)
        tx.execute(t.slot.insert(), rows)
        tx.execute(t.slot_view.insert(), views)
        secret = tokens.create(tx, "bench", Role.OPERATOR, int(time.time() * 1000), accounts=None).secret
        tx.exec_driver_sql("ANALYZE")
    return secret, devices[0]["id"], rows[0]["id"]


def _view(slot: int, home: dict[str, Any], days: float) -> dict[str, Any]:
    quantiles = [round(T0 + days * DAY * f) for f in (0.5, 0.55, 0.62, 0.8, 1.0, 1.25, 1.6, 1.8, 2.0)]
    return {
        "slot_id": slot,
        "account_id": home["account_id"],
        "site_id": home["site_id"],
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


async def _serve(folder: Path) -> None:
    ledger, series = open_ledger(f"sqlite:///{folder / 'ledger.db'}"), open_series(f"sqlite:///{folder / 'series.db'}")
    wired = Services(ledger, Orders(ledger), series, lambda: T0, lambda: int(time.time() * 1000))
    stop = asyncio.Event()

    async def until_told() -> None:
        await asyncio.to_thread(sys.stdin.read)
        stop.set()

    telling = asyncio.create_task(until_told())
    await serve(wired, "127.0.0.1", 0, None, None, stop, lambda port: print(port, flush=True))
    await telling


async def load(url: str, secret: str, device: int, slot: int, seconds: float) -> dict[str, Any]:
    chance = random.Random(SEED)
    weights, paths = [weight for weight, _ in MIX], [path for _, path in MIX]
    took: dict[str, list[float]] = defaultdict(list)
    limits = httpx.Limits(max_connections=50, max_keepalive_connections=50)
    headers = {"Authorization": f"Bearer {secret}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=30) as http:

        async def ask(path: str, due: float, *, counts: bool) -> None:
            names = {"slot": slot + chance.randrange(SLOTS - 2), "site": chance.randint(1, 20)}
            answer = await http.get(path.format(**names, device=device + chance.randrange(SLOTS // 2 - 1)))
            assert answer.status_code == 200, answer.text
            if counts:
                took[path].append(time.perf_counter() - due)

        start = time.perf_counter()
        calls = []
        for n in range(int((WARM + seconds) * PER_SECOND)):
            due = start + n / PER_SECOND
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            (path,) = chance.choices(paths, weights)
            calls.append(asyncio.create_task(ask(path, due, counts=n >= WARM * PER_SECOND)))
        await asyncio.gather(*calls)
    everything = [one for times in took.values() for one in times]
    return {
        "requests": len(everything),
        "p50_ms": _quantile(everything, 0.5),
        "p99_ms": _quantile(everything, 0.99),
        "by_path_p99_ms": {path: _quantile(times, 0.99) for path, times in took.items()},
    }


def _cpu_s(pid: int) -> float:
    """Of a process so far, user and system."""
    ticks = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def _quantile(times: list[float], p: float) -> float:
    return round(1000 * sorted(times)[min(int(p * len(times)), len(times) - 1)], 2)


def run(seconds: float = SECONDS) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ledger = open_ledger(f"sqlite:///{folder / 'ledger.db'}")
        secret, device, slot = fill(ledger, SLOTS)
        ledger.close()
        command = [sys.executable, "-m", "bench.api", "--serve", name]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            before = _cpu_s(server.pid)
            found = uvloop.run(load(f"http://127.0.0.1:{port}", secret, device, slot, seconds))
            cpu = 1000 * (_cpu_s(server.pid) - before) / (found["requests"] + WARM * PER_SECOND)
            server.communicate("")
        return {"slots": SLOTS, "per_second": PER_SECOND, "cpu_ms_per_request": round(cpu, 2)} | found


def rows(found: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """(what, measured, at least, go for)."""
    what = f"API at {found['per_second']} requests/s, {found['slots']:,} slots: p99 (p50), ms"
    return [(what, f"{found['p99_ms']} ({found['p50_ms']})", "100", "20")]


if __name__ == "__main__":
    if "--serve" in sys.argv:
        uvloop.run(_serve(Path(sys.argv[-1])))
    else:
        print(json.dumps(run(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS), indent=2))
