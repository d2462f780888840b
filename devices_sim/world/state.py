"""What a device carries through time; kept in the truth file after every reading."""

import msgspec

from devices_sim.chance import draws, number
from devices_sim.fleet import Device
from devices_sim.scenario import Scenario
from devices_sim.world.kind import Model


class State(msgspec.Struct, array_like=True):
    at: int  # domain ms up to which the device has lived
    next: int  # its next report
    levels: list[float]  # per cent left in truth, per supply of the model
    used: list[float]  # true counters, never wrapped
    offsets: list[int]  # what a board swap made of them
    refills: list[int]  # refills per supply so far
    empty_since: list[int]  # standing empty without a spare since; 0: not
    boots: int = 0
    seq: int = 0
    readings: int = 0
    offline_until: int = 0
    silent_until: int = 0
    bad_until: int = 0
    hostile_until: int = 0
    heavy_until: int = 0
    heavy: float = 1.0
    skew_until: int = 0
    skew: int = 0
    acked: int = 0  # domain ms of the newest reading that was acknowledged
    newest_first: bool = False  # how the backlog is sent


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(State).decode


def fresh(scenario: Scenario, device: Device, model: Model, start: int) -> State:
    """A device at the start of the world. What only a counter or its age meters is new, as its registration says."""
    seed, (low, high) = scenario.seed, scenario.fleet.initial
    chance = draws(seed, "initial", device.name)
    least = [max(low, min(scenario.fleet.least_days / s.days, 0.9)) for s in model.supplies]
    levels = [
        100 * chance.uniform(lowest, max(lowest, high)) if s.meter == "level" else 100.0
        for s, lowest in zip(model.supplies, least, strict=True)
    ]
    used = [
        float(chance.randint(c.start // 2, c.start) if not c.wrap else c.wrap - chance.randint(1, c.wrap // 100))
        for c in model.counters
    ]
    first = min(scenario.report_every_ms, int(30_000 * scenario.speed))
    count = len(model.supplies)
    return State(
        at=start,
        next=start + int(chance.random() * first),
        levels=levels,
        used=used,
        offsets=[0] * len(used),
        refills=[0] * count,
        empty_since=[0] * count,
        newest_first=chance.random() < 0.2,
    )


def boot_of(seed: int, device: str, boots: int) -> int:
    """The 64 bits that name a boot; never 0."""
    return number(seed, "boot", device, boots) | 1
