"""Usage: absolute totals of slot and day, told together with the views."""

import numpy as np
import numpy.typing as npt

from models.decide.survey import Survey
from models.effects import UsageBooked
from models.layout import SlotFlag


def usage_booked(seen: Survey, shown: npt.NDArray[np.bool_]) -> list[UsageBooked]:
    """Totals that differ from what was told before; the plans are marked with what is told now."""
    told: list[UsageBooked] = []
    slots, plans = seen.slots, seen.plans
    for i in np.flatnonzero(shown & ((slots["flags"] & int(SlotFlag.USED)) != 0)).tolist():
        slot, plan = slots[i], plans[i]
        ident, day = int(slot["id"]), int(slot["use_day"])
        today, before = float(slot["use_today"]), float(slot["use_before"])
        known = {
            int(plan["use_day"]): float(plan["use_today"]),
            int(plan["use_day"]) - 1: float(plan["use_before"]),
        }
        told.extend(
            UsageBooked(ident, d, total) for d, total in ((day - 1, before), (day, today)) if known.get(d, 0.0) != total
        )
        plan["use_day"], plan["use_today"], plan["use_before"] = day, today, before
    return told
