"""What a sensor makes of a true level: steps, noise, words, intervals, grams, and nonsense now and then."""

import math
import random
from dataclasses import dataclass
from enum import StrEnum

from devices_sim.chance import draws


class Style(StrEnum):
    LEVEL = "level"  # 0.42
    INTERVAL = "interval"  # [0.1, 0.25]
    WORDS = "words"  # "some"
    REMAINING = "remaining"  # 830 g


@dataclass(frozen=True, slots=True)
class Sensor:
    style: Style = Style.LEVEL
    quantum: float = 1.0  # per cent; the sensor rounds up
    noise: float = 0.0  # standard deviation, per cent
    glitch: float = 0.0  # share of readings that say 0 or 100

    def read(self, level: float, capacity: float, unit: str, chance: random.Random) -> dict[str, object]:
        """The `supplies` entry for a level in per cent."""
        seen = level + chance.gauss(0, self.noise) if self.noise else level
        if self.glitch and chance.random() < self.glitch:
            seen = 0.0 if chance.random() < 0.5 else 100.0
        seen = min(max(seen, 0.0), 100.0)
        if self.style is Style.WORDS:
            return {"state": word(seen)}
        if self.style is Style.REMAINING:
            return {"remaining": round(seen / 100 * capacity), "unit": unit}
        high = min(math.ceil(round(seen / self.quantum, 9)) * self.quantum, 100.0)
        if self.style is Style.INTERVAL:
            return {"level": [round(max(high - self.quantum, 0.0) / 100, 4), round(high / 100, 4)]}
        return {"level": round(high / 100, 4)}


def word(level: float) -> str:
    """The words of a lamp: ok, some left, low, empty."""
    if level <= 1:
        return "empty"
    if level <= 12:
        return "low"
    return "some" if level <= 50 else "ok"


def fitted(seed: int, device: str, slot: str, styles: tuple[Style, ...], quantum: float, bad: float) -> Sensor:
    """The sensor that this slot happens to have. `bad`: share of sensors that glitch often."""
    chance = draws(seed, "sensor", device, slot)
    return Sensor(
        style=chance.choice(styles),
        quantum=quantum,
        noise=chance.choice((0.0, 0.0, 0.5, 1.5)) if quantum < 10 else 0.0,
        glitch=0.03 if chance.random() < bad else 0.0005,
    )
