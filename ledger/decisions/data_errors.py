"""What a wrong value raises, and how a person is told of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

from models import effects as e
from models.stores import BadEffect

_DATA: Final = (IntegrityError, DataError, OverflowError, ValueError, TypeError)


def is_data_error(error: Exception) -> bool:
    """A lost connection, a lock and a programming error are none of these: they say nothing about the value."""
    if isinstance(error, StatementError) and not isinstance(error, DBAPIError):
        return isinstance(error.orig, _DATA)  # a column's type did not take the value
    return isinstance(error, _DATA)


@contextmanager
def told_as_bad(index: int = -1, effect: e.Effect | None = None) -> Iterator[None]:
    """A data error within becomes a BadEffect, of no effect unless one is named."""
    try:
        yield
    except Exception as error:
        if not is_data_error(error):
            raise
        raise BadEffect(index, why(error) if effect is None else reason_of(effect, error)) from error


def reason_of(effect: e.Effect, error: Exception) -> str:
    """For a person: what could not be written, and why."""
    return f"{_what(effect)} could not be written: {why(error)}"


def why(error: Exception) -> str:
    cause = error.orig if isinstance(error, StatementError) and error.orig is not None else error
    said = str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
    if isinstance(error, IntegrityError):
        return f"{_constraint(said.lower())} ({said})"
    if isinstance(error, DataError) or isinstance(cause, OverflowError):
        return f"a value is out of range ({said})"
    return said


def _constraint(said: str) -> str:
    if "foreign key" in said:
        return "it names something that the ledger does not know"
    if "unique" in said:
        return "the ledger has another one of the same name or number"
    return "the ledger does not allow one of its values"


def _what(effect: e.Effect) -> str:
    match effect:
        case e.Need() | e.NeedUnnecessary() | e.WouldOrder():
            return f"the need of slot {effect.slot} in cycle {effect.cycle}"
        case e.RefillSeen():
            return f"the refill of slot {effect.slot} that closed cycle {effect.cycle}"
        case e.RequestAnswered() | e.Counted():
            return f"the outcome of request {effect.id}"
        case e.Quarantined():
            return f"a refused reading of device {effect.device} ({effect.code})"
        case e.UnmappedSeen():
            return f"the supply {effect.name!r} of device {effect.device}, which its model does not know,"
        case e.Alert():
            return f"the alert {effect.code!r} of {effect.subject}"
        case e.UsageBooked():
            return f"the usage of slot {effect.slot} on day {effect.day}"
        case e.SlotView():
            return f"how slot {effect.slot} stands"
