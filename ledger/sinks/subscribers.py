"""Notices, each by its subscription's channel."""

from collections.abc import Mapping, Sequence

from ledger.engine import Ledger
from ledger.notices import subscriptions
from ledger.notices.subscriptions import Subscription
from ledger.scope import NotFound
from ledger.sinks.webhook import Endpoint
from models.outbox import OutboxRow, Rejected, Sink


class SubscriberSink:
    """Channel, address and secret are looked up at each attempt; what is left of a removed subscription is dropped."""

    def __init__(self, ledger: Ledger, channels: Mapping[str, Sink]) -> None:
        self._ledger = ledger
        self._channels = channels

    def deliver(self, rows: Sequence[OutboxRow]) -> None:
        for row in rows:
            try:
                found, _ = look_up(self._ledger, row.target)
            except Rejected:
                continue  # nobody wants it any more
            sink = self._channels.get(found.channel)
            if sink is None:
                raise Rejected(f"{row.target}: no mail server is set: set ULLAGE_SMTP, then retry it")
            sink.deliver([row])


class Subscribers:
    """Where a row's target is, for the sinks of both channels."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def endpoint(self, target: str) -> Endpoint:
        found, secret = look_up(self._ledger, target)
        return Endpoint(found.target, secret)

    def address(self, target: str) -> str:
        return look_up(self._ledger, target)[0].target


def look_up(ledger: Ledger, target: str) -> tuple[Subscription, str]:
    """The subscription that a target names, with its secret. Raises Rejected, Unavailable."""
    try:
        with ledger.read() as tx:
            return subscriptions.target_of(tx, target)
    except NotFound as error:
        raise Rejected(str(error)) from error
