"""The ledger as the worker sees it: effects of `step` go in, facts come out through the outbox."""

from ledger.decisions.ledger import LedgerDecisions

__all__ = ["LedgerDecisions"]
