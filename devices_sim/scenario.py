"""Scenario files: what world, what troubles, what to expect. YAML, read strictly."""

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

from devices_sim.errors import BadScenario
from devices_sim.world.kinds import KINDS

Share = Annotated[float, Meta(ge=0, le=1)]
Positive = Annotated[int, Meta(ge=1)]
UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
BUILT_IN = Path(__file__).parent / "scenarios"

EventKind = Literal[
    "network_loss",
    "silence",
    "board_swap",
    "reboot",
    "shaken",
    "bad_sensor",
    "clock_error",
    "heavy",
    "hostile",
    "supplier_late",
]


def milliseconds(text: str) -> int:
    """ "90s", "30m", "6h", "2d", "2d 6h", a minus sign in front allowed."""
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", text)
    sign = -1 if text.strip().startswith("-") else 1
    if not parts or re.sub(r"[\d.smhd\s-]", "", text):
        raise BadScenario(f"{text!r} is not a duration: write for example 90s, 30m, 6h or 2d")
    return sign * int(sum(float(number) * UNITS[unit] for number, unit in parts))


def days(text: str) -> list[date]:
    """ "2026-12-24", or "2026-12-21/2027-01-03": the days from the first to the last (an ISO 8601 interval)."""
    first, _, last = text.partition("/")
    try:
        begins, ends = date.fromisoformat(first), date.fromisoformat(last or first)
    except ValueError as error:
        raise BadScenario(f"{text!r} is not a date or an interval of dates: write 2026-12-21/2027-01-03") from error
    if not 0 <= (ends - begins).days <= 366:
        raise BadScenario(f"{text!r}: the last day is to be after the first, by a year at most")
    return [begins + timedelta(days=day) for day in range((ends - begins).days + 1)]


SHARES = {"copier": 0.4, "coffee": 0.25, "industrial": 0.15, "thermostat": 0.1, "co_detector": 0.1}


class FleetSize(Struct, frozen=True, forbid_unknown_fields=True):
    devices: Positive = 200
    accounts: Positive = 3
    sites: Positive = 12
    kinds: dict[str, float] = field(default_factory=SHARES.copy)
    report_every: str = "1h"
    mode: Literal["off", "observe", "ask", "auto"] = "auto"
    service_level: Share = 0.97
    initial: tuple[Share, Share] = (0.06, 1.0)  # levels at the start
    least_days: Annotated[float, Meta(ge=0)] = 0.0  # and at least so many days of typical use left
    spares: Share = 0.5  # chance that a site has one spare of a product at the start
    weekdays: tuple[float, float, float, float, float, float, float] | None = None  # use, Monday first; None: drawn
    holidays: tuple[str, ...] = ()  # beside the public ones: dates, or first/last of a closure; the product knows them

    @property
    def closed(self) -> frozenset[date]:
        return frozenset(day for text in self.holidays for day in days(text))


class Users(Struct, frozen=True, forbid_unknown_fields=True):
    early: Share = 0.25  # swap as soon as goods arrive
    tell: Share = 0.6  # tell the product about a swap
    part_used: Share = 0.05  # put in a cartridge from elsewhere that is not full, and leave the spare on the shelf
    button: Share = 0.1  # press reorder when nothing is there
    count: Share = 0.05  # of refills: count what is left on the shelf and tell the product "we have N"
    miscount: Share = 0.1  # of these counts: wrong by one


class Rates(Struct, frozen=True, forbid_unknown_fields=True):
    """Troubles per device and day."""

    network_loss: Share = 0.002
    silence: Share = 0.0005
    board_swap: Share = 0.0001
    reboot: Share = 0.004
    shaken: Share = 0.002
    clock_error: Share = 0.0005
    duplicate: Share = 0.002  # per reading
    disorder: Share = 0.002  # per reading
    missed: Share = 0.02  # per reading
    bad_sensors: Share = 0.01  # share of sensors
    sleepers: Share = 0.1  # share of devices that report seldom
    no_seq: Share = 0.02  # share of devices without boot and seq


class Suppliers(Struct, frozen=True, forbid_unknown_fields=True):
    late: Share = 0.03  # + 7 days
    part: Share = 0.1  # ships in two parts, where it can
    reject: Share = 0.0
    acknowledge: bool = True
    ship: bool = True


class Event(Struct, frozen=True, forbid_unknown_fields=True):
    at: str
    kind: EventKind
    device: str | None = None
    site: str | None = None
    slot: str | None = None
    supplier: str | None = None
    lasts: str = "6h"
    by: str = "1h"  # clock_error: ahead, or behind with a minus; supplier_late: how late
    factor: float = 5.0  # heavy

    @property
    def at_ms(self) -> int:
        return milliseconds(self.at)


class Bound(Struct, frozen=True, forbid_unknown_fields=True):
    min: float | None = None
    max: float | None = None


class Scenario(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    about: str = ""
    seed: int = 1
    start: date | None = None  # where domain time begins, for whoever starts the product
    speed: Annotated[float, Meta(gt=0)] = 3_600.0
    duration: str | None = None
    fleet: FleetSize = FleetSize()
    users: Users = Users()
    trouble: Rates = Rates()
    suppliers: Suppliers = Suppliers()
    events: tuple[Event, ...] = ()
    expect: dict[str, float | Bound] = {}

    @property
    def duration_ms(self) -> int | None:
        return None if self.duration is None else milliseconds(self.duration)

    @property
    def report_every_ms(self) -> int:
        return milliseconds(self.fleet.report_every)


def read(name: str, *, devices: int | None = None, seed: int | None = None) -> Scenario:
    """Read a file, or a built-in scenario by its name; devices and seed replace the file's."""
    path = Path(name)
    if not path.exists() and (BUILT_IN / f"{path.stem}.yaml").exists():
        path = BUILT_IN / f"{path.stem}.yaml"
    try:
        raw = path.read_bytes()
    except OSError as error:
        known = ", ".join(sorted(p.stem for p in BUILT_IN.glob("*.yaml")))
        raise BadScenario(f"scenario {name}: {error.strerror}; built in are {known}") from error
    scenario = parse(raw, str(path))
    fleet = scenario.fleet if devices is None else msgspec.structs.replace(scenario.fleet, devices=devices)
    return msgspec.structs.replace(scenario, fleet=fleet, seed=scenario.seed if seed is None else seed)


def parse(raw: bytes, where: str = "scenario") -> Scenario:
    try:
        scenario = msgspec.yaml.decode(raw, type=Scenario)
    except msgspec.MsgspecError as error:
        raise BadScenario(f"{where}: {error}") from error
    for text in (scenario.fleet.report_every, *([scenario.duration] if scenario.duration else [])):
        milliseconds(text)
    try:
        _ = scenario.fleet.closed
    except BadScenario as error:
        raise BadScenario(f"{where}: fleet.holidays: {error}") from error
    unknown = scenario.fleet.kinds.keys() - KINDS.keys()
    if unknown:
        raise BadScenario(f"{where}: fleet.kinds: unknown {', '.join(sorted(unknown))}; known are {', '.join(KINDS)}")
    if not sum(scenario.fleet.kinds.values()) > 0:
        raise BadScenario(f"{where}: fleet.kinds: at least one kind needs a share above 0")
    for index, event in enumerate(scenario.events):
        try:
            milliseconds(event.at), milliseconds(event.lasts), milliseconds(event.by)
        except BadScenario as error:
            raise BadScenario(f"{where}: events[{index}]: {error}") from error
        if event.kind == "supplier_late":
            continue
        if (event.device is None) == (event.site is None):
            raise BadScenario(f"{where}: events[{index}]: {event.kind} needs either a device or a site")
    return scenario
