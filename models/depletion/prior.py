"""How a slot begins: with what its class has shown (empirical Bayes), until it has shown something itself."""

from typing import Any

from models.facts import Meter

SENSOR_NOISE = 0.3
"""Variance of a level sensor, per cent squared, before anything is known of it."""
LEAST_NOISE = 0.02


def begin(slot: Any, slot_class: Any) -> None:
    """Set the filter of a new slot row to its class's statistics; the level stays unknown."""
    rate = float(slot_class["rate"])
    slot["rate"] = rate
    slot["p11"] = 0.0
    slot["p12"] = 0.0
    slot["p22"] = rate * rate * float(slot_class["rate_cv2"])
    slot["phi"] = slot_class["dispersion"]
    slot["noise"] = LEAST_NOISE if slot["meter"] == Meter.COUNTER else SENSOR_NOISE
