"""People, tokens, and who changed what."""

from datetime import datetime
from typing import Any

from pydantic import Field

from api.shapes.common import Shape
from ledger.roles import Permission, Role


class Person(Shape):
    id: int
    name: str = Field(examples=["Ann"])
    email: str | None = Field(examples=["ann@example.com"])
    role: Role
    accounts: list[int] | None = Field(description="Null: all.")
    supplier_id: int | None
    created_at: datetime
    ended_at: datetime | None = Field(description="May not come in any more.")


class Token(Shape):
    id: int
    name: str = Field(examples=["nightly report"])
    prefix: str = Field(description="How its secret begins.", examples=["ullage_a1B2c3"])
    role: Role
    person: str = Field(description="What stands in the audit.", examples=["Ann"])
    person_id: int | None = Field(description="Null: a service's, which approves nothing.")
    accounts: list[int] | None = Field(description="Null: all.")
    supplier_id: int | None
    scopes: list[Permission] = Field(description="What it may do.")
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="To the minute.")
    revoked_at: datetime | None


class MadeToken(Token):
    secret: str = Field(description="Shown this once.", examples=["ullage_a1B2c3..."])


class Me(Shape):
    person: str = Field(examples=["Ann"])
    person_id: int | None
    token_id: int
    role: Role
    scopes: list[Permission]
    accounts: list[int] | None = Field(description="Null: all.")
    supplier_id: int | None


class AuditEntry(Shape):
    id: int
    at: datetime
    by: str
    account_id: int | None
    action: str = Field(examples=["order.approved"])
    subject: str = Field(examples=["order/17"])
    before: Any
    after: Any
