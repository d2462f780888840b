"""Rows that leave the house, and the Protocol of who takes them. Delivered at least once, in order per aggregate."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from models.stores import StoreError, Unavailable

ALL: Final = -1
"""As a partition: every one of the journal's."""


class Kind(StrEnum):
    FACT = "fact"  # payload: msgpack of models.facts.AnyFact, for the journal
    REQUEST = "request"  # payload: msgpack of models.records.AnyRequest, for the journal
    PURCHASE_ORDER = "purchase_order"  # payload: JSON, for the supplier
    WEBHOOK = "webhook"  # payload: JSON, for whoever subscribed


class Verdict(StrEnum):
    """What is known of a dead letter."""

    NONE = ""
    REFUSED = "refused"  # the other side said no
    UNSENT = "unsent"  # no attempt ever reached the other side
    UNKNOWN = "unknown"  # an attempt may have arrived


@dataclass(frozen=True, slots=True)
class OutboxRow:
    id: int
    kind: Kind
    aggregate: str  # "slot/40", "order/17"
    partition: int  # of the journal, or ALL; facts and requests only
    target: str  # "supplier/3"
    payload: bytes
    key: str  # idempotency key: the same at each attempt
    attempts: int = 0
    maybe_sent: bool = False
    last_error: str = ""
    verdict: Verdict = Verdict.NONE
    created: int = 0  # real ms


class Rejected(StoreError):
    """The other side has understood and will never take it: do not try again."""


class Unsent(Unavailable):
    """The other side was not reached at all, so it cannot have taken anything."""


class Sink(Protocol):
    def deliver(self, rows: Sequence[OutboxRow]) -> None:
        """Hand all rows over, in order; on return they are the other side's. May be called again with the same rows.

        Raises Unavailable (Unsent where that is certain): try all of them later. Rejected: none was taken, and a lone
        row is dead; of several, each is tried alone."""
