"""Apply what consecutive records decided, in order."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from ledger.change import Change
from ledger.decisions import alerts, answers, needs, refills
from ledger.decisions.data_errors import told_as_bad
from ledger.orders.book import settle_draft
from ledger.orders.propose import propose
from models import effects as e

APPLY: Final[dict[type, Callable[[Change, Any], None]]] = {
    e.Need: propose,
    e.NeedUnnecessary: needs.unnecessary,
    e.WouldOrder: needs.would_order,
    e.RequestAnswered: answers.answered,
    e.Counted: answers.counted,
    e.RefillSeen: refills.seen,
    e.UnmappedSeen: alerts.unmapped,
    e.Quarantined: alerts.quarantined,
    e.Alert: alerts.alert,
}


def apply_all(change: Change, decisions: Sequence[e.Decision]) -> None:
    """All or nothing, and without savepoints: hardly ever is one of them bad. Raises BadEffect with the index; the
    caller's transaction rolls everything back."""
    for index, decision in enumerate(decisions):
        with told_as_bad(index, decision):
            APPLY[type(decision)](change, decision)
    with told_as_bad():
        settle(change)


def apply_alone(change: Change, decision: e.Decision) -> None:
    """One by itself, with the money of its draft: what goes wrong is due to it."""
    APPLY[type(decision)](change, decision)
    settle(change)


def settle(change: Change) -> None:
    for draft in list(change.unsettled):
        settle_draft(change, draft)
