"""Industrial equipment: lubricant is topped up by the litre, filters are due after so many hours of running."""

from random import Random

from devices_sim.sensors import Style
from devices_sim.usage import SHIFTS
from devices_sim.world.kind import Counter, Kind, Model, Product, Supply

LUBRICANT = Product("LUB-1L", "Spindle lubricant, 1 l", "bottle", "21.40", "technoparts", refills=1_000)
FILTER = Product("FLT-1", "Air filter", "piece", "38.00", "technoparts")


class Industrial(Kind):
    def measures(self, at: int, chance: Random) -> dict[str, object]:
        del at
        return {"vibration": {"value": round(abs(chance.gauss(2.2, 0.4)), 2), "unit": "mm/s"}}


PRESS = Model(
    "press-3000",
    "industrial",
    use=13,
    supplies=(
        Supply(
            "lubricant",
            LUBRICANT,
            5_000,
            "ml",
            per_use=8,
            refill="topup",
            quantum=2,
            styles=(Style.LEVEL, Style.REMAINING),
            days=48,
        ),
        Supply("filter", FILTER, 600, "hours", per_use=1, meter="counter", counter="hours", days=46),
    ),
    counters=(Counter("hours", wrap=10_000, most_per_day=24, start=9_900),),
    profile=SHIFTS,
    busiest=1,
)

KIND = Industrial("industrial", (PRESS,))
