"""Column types that mean the same on SQLite and PostgreSQL."""

from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Integer, MetaData, Numeric
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from models.money import SCALE

Id = BigInteger().with_variant(Integer(), "sqlite")
"""Integer ids; SQLite numbers a key by itself only if its type is exactly INTEGER."""

Millis = BigInteger()
"""A time in ms since 1970-01-01T00:00:00Z, or a duration in ms."""


class Amount(TypeDecorator[Decimal]):
    """An exact decimal of at most four places; the currency is in a column beside it.

    SQLite knows no exact decimals: there it is a whole number of ten-thousandths, and SQL adds and compares exactly.
    """

    impl = Numeric(18, 4)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(BigInteger() if dialect.name == "sqlite" else Numeric(18, 4))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if not isinstance(value, Decimal) or not value.is_finite() or (value * SCALE) % 1:
            raise TypeError(f"money is a Decimal with at most four places, not {value!r}")
        return int(value * SCALE) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        if value is None or dialect.name != "sqlite":
            return None if value is None else Decimal(value)
        return Decimal(value) / SCALE


class Unsigned64(TypeDecorator[int]):
    """0 .. 2^64 - 1 (the hash of a boot) in a signed 64-bit column."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - as SQLAlchemy calls
        return value - (1 << 64) if value is not None and value >= 1 << 63 else value

    def process_result_value(self, value: int | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - as SQLAlchemy calls
        return value + (1 << 64) if value is not None and value < 0 else value


NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMING)
