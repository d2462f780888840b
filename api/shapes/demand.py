"""Demand per week."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.shapes.common import Shape


class DemandWeek(Shape):
    starts_at: datetime
    mean: float
    quantiles: dict[str, float]


class Demand(Shape):
    sku: str
    where: str = Field(examples=["site/3"])
    unit: Literal["stock units"]
    now_at: datetime
    weeks: list[DemandWeek]
    total: dict[str, float] = Field(description="Quantiles of the whole horizon: those of weeks do not add up.")
    history: list[float] = Field(description="Units used per week, oldest first; the last one ended now.")
