"""Limits, budgets, delegations, and what orders carry."""

from datetime import datetime

from pydantic import Field

from api.shapes.common import Money, Shape


class Limit(Shape):
    id: int
    account_id: int
    subject: str = Field(description="`person/4`, `role/approver`; empty: automatic orders.", examples=["person/4"])
    cost_centre: str = Field(description="Empty: all that have no limit of their own.", examples=["4711"])
    per_order: Money | None
    per_span: Money | None
    span_days: float | None = Field(examples=[30])
    currency: str


class Budget(Shape):
    id: int
    account_id: int
    cost_centre: str = Field(description="Empty: the account's.", examples=["4711"])
    month: str = Field(examples=["2026-11"])
    currency: str
    amount: Money
    reserved: Money = Field(description="By orders that are not delivered yet.")
    spent: Money


class Delegation(Shape):
    id: int
    person_id: int
    deputy_id: int
    starts_at: datetime
    ends_at: datetime


class Purchasing(Shape):
    reference: str
    blanket_order: str = Field(examples=["BPO-7"])
    cost_centre: str = Field(examples=["4711"])


class AccountPurchasing(Purchasing):
    escalate_to: int | None = Field(description="The person who is asked when nobody approved in time.", examples=[4])
