"""What all nouns share."""

import re
from collections.abc import Iterable
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Table, select

from ledger.scope import NotFound, Scope
from models.stores import StoreError

PAGE: Final = 100
ACCOUNT_NAME: Final = re.compile(r"[a-z0-9-]{1,64}")
DEVICE_NAME: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")

View = TypeVar("View", bound=msgspec.Struct)


class Taken(StoreError):
    """The name is in use already."""

    def __init__(self, noun: str, name: object) -> None:
        super().__init__(f"{noun} {name}: this name is taken: choose another, or change the one that is there")


class Invalid(StoreError):
    """A value that the registry does not take; the message says which and what it takes."""


def missing(noun: str, name: object) -> NotFound:
    """Also for what is another account's: the two look the same."""
    return NotFound(f"there is no {noun} {name}")


def check_account(scope: Scope, account_id: int) -> None:
    """Raises NotFound for an account outside of the scope."""
    if not scope.allows(account_id):
        raise missing("account", account_id)


def view(cls: type[View], row: Row[Any]) -> View:
    """A row as the struct of its noun: fields are columns by name."""
    mapping = row._mapping
    return cls(**{name: mapping[name] for name in cls.__struct_fields__})


def views(cls: type[View], rows: Iterable[Row[Any]]) -> list[View]:
    return [view(cls, row) for row in rows]


def single(
    tx: Connection, cls: type[View], table: Table, *where: ColumnElement[bool], called: tuple[str, object]
) -> View:
    """The only row of `table` that fits, as a struct. Raises NotFound, which names what was `called` (noun, name)."""
    row = tx.execute(select(table).where(*where)).one_or_none()
    if row is None:
        raise missing(*called)
    return view(cls, row)


def check_name(noun: str, name: str, pattern: re.Pattern[str] = DEVICE_NAME) -> None:
    if not pattern.fullmatch(name):
        raise Invalid(f"{noun} {name[:100]!r}: use {pattern.pattern}")


def check_text(noun: str, text: str, length: int = 200) -> None:
    if not text.strip() or len(text) > length or "\x00" in text:
        raise Invalid(f"{noun} {text[:100]!r}: use 1 to {length} characters")


def check_currency(currency: str) -> None:
    if not re.fullmatch(r"[A-Z]{3}", currency):
        raise Invalid(f"currency {currency[:10]!r}: use three capital letters such as EUR")
