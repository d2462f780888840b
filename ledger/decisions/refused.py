"""What time or a fact decided and the ledger cannot write: nobody can leave it out of a replay, so it is answered."""

from sqlalchemy import select

from ledger.change import Change
from ledger.decisions import alerts
from ledger.facts.needs import tell_need
from ledger.tables import slot
from models import effects as e
from models.facts import NeedState


def refused(change: Change, effect: e.Effect, reason: str) -> None:
    """An alert says so; a need is answered as well, or `step` would wait for it for ever."""
    number = getattr(effect, "slot", 0)
    subject = f"slot/{number}" if number else str(getattr(effect, "subject", "")) or "ledger"
    alerts.alert(change, e.Alert("effect_refused", subject, getattr(effect, "site", 0), change.now, reason))
    if isinstance(effect, e.Need) and _known(change, effect.slot):
        tell_need(change.tx, effect.slot, effect.cycle, effect.attempt, NeedState.REFUSED, reason)


def _known(change: Change, slot_id: int) -> bool:
    return change.tx.scalar(select(slot.c.id).where(slot.c.id == slot_id)) is not None
