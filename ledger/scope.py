"""Tenant isolation: what a caller may see. Every read and change of account-bound objects takes a Scope."""

from dataclasses import dataclass
from typing import Self

from sqlalchemy import ColumnElement, false, true
from sqlalchemy.sql.elements import ColumnClause

from models.stores import StoreError


class NotFound(StoreError, LookupError):
    """There is no such object, or it belongs to an account that the caller may not see: the two look the same."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The accounts that a caller may see: a set of ids, or all of them (None)."""

    accounts: frozenset[int] | None = frozenset()

    @classmethod
    def all(cls) -> Self:
        return cls(None)

    @classmethod
    def of(cls, *accounts: int) -> Self:
        return cls(frozenset(accounts))

    def allows(self, account_id: int | None) -> bool:
        return self.accounts is None or account_id in self.accounts

    def where(self, column: ColumnClause[int] | ColumnElement[int]) -> ColumnElement[bool]:
        """The condition on an account_id column."""
        if self.accounts is None:
            return true()
        return column.in_(sorted(self.accounts)) if self.accounts else false()
