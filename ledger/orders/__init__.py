"""Orders as people, suppliers and receivers change them: one transaction per call. One file per verb."""

from ledger.orders.acknowledge import Answer
from ledger.orders.approve import Outcome
from ledger.orders.facade import Orders

__all__ = ["Answer", "Orders", "Outcome"]
