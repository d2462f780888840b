"""Who is told of events."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.shapes.common import Shape


class Subscription(Shape):
    id: int
    account_id: int | None = Field(description="null: events of all accounts, for operators.")
    name: str = Field(examples=["ERP"])
    channel: Literal["webhook", "email"]
    target: str = Field(description="A URL, or an e-mail address.", examples=["https://example.com/ullage"])
    kinds: list[str] = Field(examples=[["order.*", "task.opened"]])
    digest_minutes: int | None = Field(description="null: each event at once; else many in one message.")
    position: int = Field(description="Events up to this id were told.")
    paused: bool
    created_at: datetime | None


class SubscriptionMade(Subscription):
    secret: str = Field(
        description="For the receiver to verify messages (Standard Webhooks); shown this once. Empty for e-mail.",
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )


class Sent(Shape):
    """One message to a subscriber."""

    id: int
    message_id: str = Field(description="The receiver's `webhook-id`.", examples=["msg_3_117"])
    state: Literal["waiting", "done", "dead"]
    attempts: int
    last_error: str
    created_at: datetime | None
    settled_at: datetime | None


class TestSent(Shape):
    message_id: str = Field(examples=["msg_3_test-1795000000000"])
