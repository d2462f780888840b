"""A transaction that may turn out to have been only a try."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Never

from sqlalchemy import Connection

from ledger.engine import Ledger


class _Undone(Exception):
    pass


@contextmanager
def undoable(ledger: Ledger) -> Iterator[tuple[Connection, Callable[[], Never]]]:
    """The transaction, and what ends the block and leaves no trace of it."""

    def undo() -> Never:
        raise _Undone

    try:
        with ledger.write() as tx:
            yield tx, undo
    except _Undone:
        return
