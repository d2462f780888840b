"""How the world is right now, as a flat snapshot and as a file that others may read at any time."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from devices_sim.mqtt_client import Links
from devices_sim.world.world import World


class Status(msgspec.Struct, kw_only=True):
    """Written once per second, replaced atomically. `*_ms` are domain time unless they say real."""

    pid: int
    state: str  # running, ended
    now_ms: int
    date: str
    speed: float
    devices: int
    connected: int
    published: int
    acked: int
    pending: int
    dropped: int
    readings_per_second: float  # acknowledged, real time, over the last second
    lag_ms: int  # how far the world is behind domain time
    empties_met: int
    empties_missed: int
    standing_empty: int
    swaps: int
    topups: int
    delivered: int
    purchase_orders: int
    spares: int
    errors_told: int
    problems: dict[str, int]


class Rate:
    """Acknowledged readings per real second between two looks."""

    def __init__(self) -> None:
        self._acked, self._at = 0, 0.0

    def per_second(self, acked: int, at: float) -> float:
        gone = at - self._at
        rate = (acked - self._acked) / gone if self._at and gone > 0 else 0.0
        self._acked, self._at = acked, at
        return rate


def snapshot(
    world: World, links: Links, *, speed: float, target_ms: int, rate: float, state: str = "running"
) -> Status:
    counts, happened = world.counts, world.happened
    return Status(
        pid=os.getpid(),
        state=state,
        now_ms=world.time,
        date=datetime.fromtimestamp(world.time / 1_000, UTC).strftime("%a %Y-%m-%d %H:%M"),
        speed=speed,
        devices=len(world.machines),
        connected=links.connected,
        published=counts.published,
        acked=counts.acked,
        pending=counts.published - counts.acked - counts.refused - counts.dropped,
        dropped=counts.dropped,
        readings_per_second=round(rate, 1),
        lag_ms=max(target_ms - world.time, 0),
        empties_met=happened.get("met", 0),
        empties_missed=happened.get("missed", 0),
        standing_empty=sum(1 for m in world.machines for since in m.state.empty_since if since),
        swaps=happened.get("swap", 0),
        topups=happened.get("topup", 0),
        delivered=happened.get("delivered", 0),
        purchase_orders=world.truth.purchase_orders(),
        spares=world.closets.total(),
        errors_told=links.told_errors,
        problems=links.problems,
    )


def write(path: Path, status: Status, report: dict[str, object] | None = None) -> None:
    """Replace the status file; `report` is there once the world has ended."""
    body = msgspec.to_builtins(status) | ({"report": report} if report is not None else {})
    temporary = path.with_suffix(f".{os.getpid()}.new")
    temporary.write_text(json.dumps(body))
    temporary.replace(path)
