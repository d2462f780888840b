"""What all answers share: pages, problems, and the words for money, shares and modes."""

from datetime import datetime
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Item = TypeVar("Item")
Money = Annotated[str, Field(pattern=r"^-?\d+\.\d{2,4}$", examples=["54.90"], description="Decimal, in `currency`.")]
Share = Annotated[float, Field(ge=0, le=1)]
Band = Literal["fine", "watch", "at_risk", "empty"]
Mode = Literal["off", "observe", "ask", "auto"]


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Page(Shape, Generic[Item]):
    items: list[Item]
    next: str | None = Field(description="Give it as `cursor` to get the next page; null on the last one.")


class Problem(Shape):
    """RFC 9457 problem details."""

    model_config = ConfigDict(extra="allow")
    type: str = Field(examples=["urn:ullage:problem:not_found"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(description="For people.", examples=["there is no slot 40"])
    code: str = Field(description="For programs; stable.", examples=["not_found"])


class State(Shape):
    state: str = Field(examples=["cancelled"])


class Time(Shape):
    now: datetime
    now_ms: int = Field(description="The same in ms since 1970, UTC.", examples=[1_795_000_000_000])
    speed: float = Field(description="Domain seconds per real second.", examples=[1.0])
