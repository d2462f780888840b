"""CO detectors: a battery with a coarse meter and a sensor cell that simply ages."""

from random import Random

from devices_sim.sensors import Style
from devices_sim.world.kind import Kind, Model, Product, Supply

CELL = Product("CO-CELL", "CO sensor cell", "piece", "29.00", "technoparts")
BATTERY = Product("BAT-9V", "Lithium block 9 V", "piece", "8.20", "technoparts")


class CoDetector(Kind):
    def measures(self, at: int, chance: Random) -> dict[str, object]:
        del at
        ppm = chance.uniform(30, 90) if chance.random() < 0.0003 else abs(chance.gauss(0, 1.2))
        return {"co": {"value": round(ppm, 1), "unit": "ppm"}}


DETECTOR = Model(
    "co-guard",
    "co_detector",
    use=0,
    supplies=(
        Supply("battery", BATTERY, 300, "days", per_day=1, quantum=25, styles=(Style.LEVEL, Style.WORDS), days=300),
        Supply("cell", CELL, 365, "days", per_day=1, meter="age", days=365),
    ),
    follows_people=False,
)

KIND = CoDetector("co_detector", (DETECTOR,))
