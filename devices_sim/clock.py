"""Domain time as the product tells it: asked over HTTP now and then, interpolated by boot time in between.

All times are int ms since 1970-01-01T00:00:00Z (domain time) or ms of CLOCK_BOOTTIME.
"""

import time
from dataclasses import dataclass

from devices_sim.errors import Unavailable

DAY = 86_400_000
HOUR = 3_600_000
MINUTE = 60_000

READINGS_PER_PROCESS = 2_000
"""Readings per second of real time that one process drives with a share of a core to spare."""


def boot_ms() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


@dataclass(slots=True)
class DomainClock:
    """Interpolates domain time. It never goes back: while the product's time is behind ours, ours stands still."""

    domain: int = 0
    boot: int = 0
    speed: float = 1.0
    latest: int = 0
    known: bool = False

    def sync(self, now_ms: int, speed: float, asked: int, answered: int) -> None:
        """Take an answer of GET /v1/time that was asked and answered at these boot times."""
        if speed <= 0:
            raise Unavailable(f"GET /v1/time answered speed {speed}: it must be above 0")
        self.domain, self.boot, self.speed = now_ms, (asked + answered) // 2, speed
        self.known = True

    def resume(self, latest: int) -> None:
        """Do not go behind what the world has already lived through."""
        self.latest = max(self.latest, latest)

    def now(self, boot: int | None = None) -> int:
        if not self.known:
            raise Unavailable("domain time is not known yet: GET /v1/time has not answered")
        at = boot_ms() if boot is None else boot
        self.latest = max(self.latest, self.domain + int((at - self.boot) * self.speed))
        return self.latest


def feasible_speed(devices: int, *, wanted: float = 3_600.0, report_every_ms: int = HOUR, processes: int = 1) -> float:
    """The fastest speed, at most `wanted`, at which `devices` that report every `report_every_ms` can be driven."""
    if devices <= 0:
        return wanted
    most = READINGS_PER_PROCESS * processes * report_every_ms / 1_000 / devices
    return min(wanted, float(int(most)) if most >= 1 else most)


def speed_reason(devices: int, *, wanted: float = 3_600.0, report_every_ms: int = HOUR, processes: int = 1) -> str:
    """Why `feasible_speed` says what it says, as a sentence."""
    speed = feasible_speed(devices, wanted=wanted, report_every_ms=report_every_ms, processes=processes)
    rate = devices * speed * 1_000 / report_every_ms
    if speed >= wanted:
        return f"{devices} devices at {speed:g} x make {rate:,.0f} readings/s"
    return (
        f"{devices} devices at {wanted:g} x would make {devices * wanted * 1_000 / report_every_ms:,.0f} readings/s; "
        f"one process drives {READINGS_PER_PROCESS:,}, so the speed is {speed:g} x"
    )
