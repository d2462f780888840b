"""Apply the effects of consecutive records, in their order; views and usage at the end and all at once."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy.exc import DataError, IntegrityError

from ledger.change import Change
from ledger.decisions import alerts, answers, bulk, needs, refills
from ledger.orders.book import settle_draft
from ledger.orders.propose import BadNeed, propose
from models import effects as e
from models.stores import BadEffect

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
_BAD: Final = (IntegrityError, DataError, BadNeed, OverflowError, ValueError, TypeError)
"""What a wrong value in an effect raises; a lost connection or a programming error is none of these."""


def apply_all(change: Change, all_effects: Sequence[e.Effect]) -> None:
    """Raises BadEffect with the index; the caller's transaction rolls everything back."""
    views: dict[int, tuple[int, e.SlotView]] = {}
    usage: dict[tuple[int, int], tuple[int, e.UsageBooked]] = {}
    for index, effect in enumerate(all_effects):
        if isinstance(effect, e.SlotView):
            views[effect.slot] = index, effect  # the newest counts
        elif isinstance(effect, e.UsageBooked):
            usage[effect.slot, effect.day] = index, effect
        else:
            _one(change, index, effect)
    for draft in list(change.unsettled):
        settle_draft(change, draft)
    bulk.write_views(change, list(views.values()))
    bulk.write_usage(change, list(usage.values()))


def _one(change: Change, index: int, effect: e.Effect) -> None:
    try:
        APPLY[type(effect)](change, effect)
    except _BAD as error:
        raise BadEffect(index, f"{type(effect).__name__}: {error}") from error
