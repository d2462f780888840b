"""Columns that recur, so that they are the same everywhere. All times are ms."""

from sqlalchemy import Boolean, Column, ForeignKey, String, text

from ledger.types import Id, Millis


def key() -> Column[int]:
    """The table's integer id. With `sqlite_autoincrement` a number is never used again."""
    return Column("id", Id, primary_key=True)


def ref(
    name: str, target: str, *, nullable: bool = False, primary_key: bool = False, index: bool = False
) -> Column[int]:
    """A foreign key to `target`.id."""
    return Column(
        name,
        Id,
        ForeignKey(f"{target}.id"),
        nullable=nullable and not primary_key,
        primary_key=primary_key,
        index=index,
    )


def ms(name: str, *, nullable: bool = False, default: int | None = None) -> Column[int]:
    return Column(name, Millis, nullable=nullable, server_default=None if default is None else text(str(default)))


def flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=text("FALSE"))


def word(name: str, length: int = 64, *, default: str | None = None) -> Column[str]:
    return Column(name, String(length), nullable=False, server_default=default)


def version() -> Column[int]:
    """Of the aggregate's snapshot that goes out as a fact."""
    return Column("version", Id, nullable=False, server_default=text("0"))
