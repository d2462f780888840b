"""Copiers: four toners, a drum that only its page counter meters, a waste box that fills."""

from dataclasses import replace
from datetime import date
from functools import lru_cache

from devices_sim.chance import draws, smooth
from devices_sim.sensors import Style
from devices_sim.usage import OFFICE
from devices_sim.world.kind import Counter, Kind, Model, Product, Supply, taken

COLOURS = ("cyan", "magenta", "yellow")
TONERS = {
    "black": Product("TN-K", "Black toner", "piece", "54.90", "papierwerk"),
    "cyan": Product("TN-C", "Cyan toner", "piece", "72.50", "papierwerk"),
    "magenta": Product("TN-M", "Magenta toner", "piece", "72.50", "papierwerk"),
    "yellow": Product("TN-Y", "Yellow toner", "piece", "72.50", "papierwerk"),
}
DRUM = Product("DR-1", "Drum", "piece", "129.00", "papierwerk")
WASTE = Product("WB-1", "Waste toner box", "piece", "24.00", "papierwerk")


def _toners(quantum: float, styles: tuple[Style, ...]) -> tuple[Supply, ...]:
    black = Supply("black", TONERS["black"], 12_000, "pages", per_use=1.0, clock="pages", days=45)
    rest = (Supply(c, TONERS[c], 10_000, "pages", per_use=0.35, clock="pages", days=100) for c in COLOURS)
    return tuple(replace(toner, quantum=quantum, styles=styles) for toner in (black, *rest))


def _drum_and_waste(quantum: float) -> tuple[Supply, ...]:
    return (
        Supply("drum", DRUM, 40_000, "pages", per_use=1.0, meter="counter", counter="pages", days=150),
        Supply("waste", WASTE, 30_000, "pages", per_use=1.0, ascending=True, quantum=quantum, clock="pages", days=115),
    )


COLOUR = Model(
    "copier-c4",
    "copier",
    use=260,
    supplies=(*_toners(1, (Style.LEVEL,)), *_drum_and_waste(5)),
    counters=(Counter("pages"),),
    profile=OFFICE,
    share=0.55,
)
COARSE = Model(
    "copier-c4-coarse",
    "copier",
    use=220,
    supplies=(*_toners(10, (Style.LEVEL, Style.INTERVAL)), *_drum_and_waste(25)),
    counters=(Counter("pages"),),
    profile=OFFICE,
    share=0.3,
)
MONO = Model(
    "copier-m2",
    "copier",
    use=300,
    supplies=(
        Supply("black", TONERS["black"], 12_000, "pages", per_use=1.0, quantum=5, clock="pages", days=40),
        Supply("drum", DRUM, 40_000, "pages", per_use=1.0, meter="counter", counter="pages", days=130),
    ),
    counters=(Counter("pages", wrap=100_000),),
    profile=OFFICE,
    share=0.15,
)


@lru_cache(maxsize=4_096)
def _colour(seed: int, device: str, day: int) -> float:
    """How much more colour than usual is printed on a day; more brochures in March, September, November."""
    busy = 1.3 if date.fromordinal(day).month in {3, 9, 11} else 1.0
    return busy * 2 ** (
        draws(seed, "colour", device, day).gauss(0, 0.5) + 0.5 * smooth(seed, ("colour", device), day / 45)
    )


class Copier(Kind):
    def drain(self, model: Model, use: float, days: float, seed: int, device: str, day: int) -> list[float]:
        """Colour comes and goes: its share of the pages differs by day and drifts, for all three alike."""
        del days
        if use <= 0:
            return [0.0] * len(model.supplies)
        colour = _colour(seed, device, day)
        out = []
        for supply in model.supplies:
            factor = colour if supply.name in COLOURS else 1.0
            out.append(100 * supply.per_use * use * factor * taken(seed, device, supply) / supply.capacity)
        return out


KIND = Copier("copier", (COLOUR, COARSE, MONO))
