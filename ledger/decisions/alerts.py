"""Alerts, input that was refused by `step`, and supply names that a device's model does not know."""

from typing import Final

from sqlalchemy import select, update

from ledger.change import Change
from ledger.decisions import poison
from ledger.engine import insert_new
from ledger.registry.unmapped import add_unmapped
from ledger.tables import alert as alert_table
from ledger.tables import device, site
from models.effects import Alert, Quarantined, UnmappedSeen

NEEDS_A_PERSON: Final = frozenset({"implausible_counter", "site_blocked", "silent"})
"""Codes that somebody must look at; the others are only shown."""


def alert(change: Change, effect: Alert) -> None:
    """Raised once until it is cleared."""
    account_id = change.tx.scalar(select(site.c.account_id).where(site.c.id == effect.site))
    site_id = effect.site if account_id is not None else None
    if effect.cleared:
        raised = (alert_table.c.code == effect.code, alert_table.c.subject == effect.subject)
        done = update(alert_table).where(*raised, alert_table.c.cleared.is_(None)).values(cleared=effect.ts)
        if change.tx.execute(done).rowcount:
            change.close_tasks(effect.subject, effect.code)
            change.tell(account_id, "alert.cleared", effect.subject, code=effect.code, text=effect.text)
        return
    row = {"account_id": account_id, "site_id": site_id, "code": effect.code, "subject": effect.subject}
    if insert_new(change.tx, alert_table, row | {"text": effect.text, "raised": effect.ts}):
        change.tell(account_id, "alert.raised", effect.subject, code=effect.code, text=effect.text)
        if effect.code in NEEDS_A_PERSON:
            change.ask_person(account_id, site_id, effect.code, effect.subject, effect.text)


def quarantined(change: Change, effect: Quarantined) -> None:
    source = f"reading/{effect.device}/{effect.boot}/{effect.seq}/{effect.code}/{effect.ts}"
    if poison.keep(
        change.tx,
        effect.device,
        effect.ts,
        effect.code,
        effect.reason,
        effect.raw,
        source=source,
        boot=effect.boot,
        seq=effect.seq,
    ):
        change.tell(
            _account(change, effect.device),
            "device.quarantined",
            f"device/{effect.device}",
            code=effect.code,
            reason=effect.reason,
            told=effect.told,
        )


def unmapped(change: Change, effect: UnmappedSeen) -> None:
    """The name becomes an unmapped slot: tracked and shown, never ordered."""
    number = add_unmapped(change.tx, effect.device, effect.name, effect.ts)
    if number is not None:
        change.tell(
            _account(change, effect.device), "slot.unmapped", f"slot/{number}", device=effect.device, name=effect.name
        )


def _account(change: Change, device_id: int) -> int | None:
    return change.tx.scalar(select(device.c.account_id).where(device.c.id == device_id))
