"""Purchase orders, each by its supplier's channel."""

from collections.abc import Sequence

from sqlalchemy import select

from ledger.engine import Ledger
from ledger.sinks.webhook import Endpoint
from ledger.tables import supplier
from models.outbox import OutboxRow, Rejected, Sink


class SupplierSink:
    """Channel, address and secret are looked up at each attempt: a corrected address helps what waits."""

    def __init__(self, ledger: Ledger, *, file: Sink, webhook: Sink) -> None:
        """`webhook` finds addresses by `endpoint_of` of this module."""
        self._ledger = ledger
        self._channels = {"file": file, "webhook": webhook}

    def deliver(self, rows: Sequence[OutboxRow]) -> None:
        for row in rows:
            self._channels[self._channel(row.target)].deliver([row])

    def _channel(self, target: str) -> str:
        with self._ledger.read() as tx:
            found = tx.scalar(select(supplier.c.channel).where(supplier.c.id == _number(target)))
        if found is None:
            raise Rejected(f"{target}: there is no such supplier")
        return str(found)


class SupplierEndpoints:
    """Address and secret of a webhook supplier, for WebhookSink."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def __call__(self, target: str) -> Endpoint:
        with self._ledger.read() as tx:
            row = tx.execute(select(supplier.c.url, supplier.c.secret).where(supplier.c.id == _number(target)))
            found = row.one_or_none()
        if found is None:
            raise Rejected(f"{target}: there is no such supplier")
        return Endpoint(found.url, found.secret)


def _number(target: str) -> int:
    noun, _, number = target.partition("/")
    if noun != "supplier" or not number.isdecimal():
        raise Rejected(f"{target}: not a supplier")
    return int(number)
