"""Input that was set aside."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.shapes.common import Shape


class Held(Shape):
    id: int
    account_id: int | None
    account: str | None
    site_id: int | None
    site: str | None
    time_zone: str | None
    device_id: int | None
    device: str | None
    received_at: datetime | None
    code: str = Field(examples=["level_out_of_range"])
    reason: str
    means: str = Field(description="The code in words.", examples=["A level outside of 0..1"])
    hint: str = Field(description="What to do about it.", examples=["Correct what the device sends."])
    state: Literal["held", "discarded", "replayed"]
    settled_by: str
    settled_at: datetime | None
    note: str = Field(description="Why, in the words of who settled it.")
    partition: int | None = Field(description="Where it is in the journal as a reading, if it was replayed.")
    offset: int | None
    size: int = Field(description="Bytes of the raw input.")
    usable: bool = Field(description="It waits, and could be replayed as it is: what kept it out is gone.")


class HeldPart(Shape):
    """One thing that the message says."""

    path: str = Field(examples=["supplies.black"])
    said: str = Field(examples=['{"level":42}'])
    taken: str = Field(description="How it would be taken today, or why it would not.")
    fault: bool = Field(description="It is what keeps the message out.")


class HeldDetail(Held):
    raw: str = Field(description="As text, what is no UTF-8 replaced; a packed reading in hexadecimal.")
    fixed: str | None = Field(description="What was replayed in its place, if it was corrected.")
    parts: list[HeldPart] = Field(description="Decoded as far as it can be; empty where nothing can be.")


class Went(Shape):
    id: int
    partition: int
    offset: int


class Stayed(Shape):
    id: int
    code: str = Field(description="Of what keeps it out today.", examples=["wrong_unit"])
    reason: str


class ReplayedMany(Shape):
    replayed: list[Went] = Field(description="In the journal as readings now.")
    kept: list[Stayed] = Field(description="Refused still, and waiting still.")


class DiscardedMany(Shape):
    discarded: list[int]
