"""What people have to look at: requests, alerts, tasks."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.shapes.common import Shape, Share


class Asked(Shape):
    """A request to `step`; `outcome` is null until it is answered."""

    id: str
    kind: Literal["reorder", "count", "swapped", "reverse"]
    account_id: int
    site_id: int
    slot_id: int | None
    by: str
    outcome: Literal["need", "guarded", "would_order", "counted", "swapped", "reversed", "refused"] | None
    reason: str
    cycle: int
    attempt: int
    need_id: int | None
    order_id: int | None
    probability: Share | None
    threshold: Share | None
    created_at: datetime
    answered_at: datetime | None
    link: str = Field(description="Where to ask for the outcome.")


class Alert(Shape):
    id: int
    account_id: int | None
    site_id: int | None
    code: str = Field(examples=["silent"])
    subject: str = Field(examples=["device/12"])
    text: str
    raised_at: datetime
    cleared_at: datetime | None


class Task(Shape):
    id: int
    account_id: int | None
    site_id: int | None
    kind: str
    subject: str
    text: str
    state: Literal["open", "done"]
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str
