"""Thermostats: a battery, metered coarsely or by its age alone, and the room's temperature."""

import math
from random import Random

from devices_sim.sensors import Style
from devices_sim.world.kind import Kind, Model, Product, Supply

BATTERY = Product("BAT-AA2", "Lithium cells AA, pair", "pair", "4.90", "technoparts")


class Thermostat(Kind):
    def measures(self, at: int, chance: Random) -> dict[str, object]:
        hour = at / 3_600_000 % 24
        room = 20.5 + 1.2 * math.sin((hour - 9) / 24 * 2 * math.pi) + chance.gauss(0, 0.2)
        return {"temperature": {"value": round(room, 1), "unit": "Cel"}}


METERED = Model(
    "thermo-b",
    "thermostat",
    use=0,
    supplies=(
        Supply("battery", BATTERY, 180, "days", per_day=1, quantum=10, styles=(Style.LEVEL, Style.WORDS), days=180),
    ),
    follows_people=False,
    share=0.6,
)
BY_AGE = Model(
    "thermo-a",
    "thermostat",
    use=0,
    supplies=(Supply("battery", BATTERY, 150, "days", per_day=1, meter="age", days=150),),
    follows_people=False,
    share=0.4,
)

KIND = Thermostat("thermostat", (METERED, BY_AGE))
