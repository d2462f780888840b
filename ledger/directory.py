"""Who may publish what: the gateway's look at devices, slots and credentials (ingest.directory.Directory)."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, func, select

from ledger.engine import Ledger
from ledger.registry.common import missing
from ledger.tables import account, device, device_model, site, slot
from models.identity import DeviceIdentity, SlotIdentity

_DEVICES = (
    select(
        device.c.id,
        device.c.name,
        device.c.site_id,
        device.c.credential,
        device.c.credential_before,
        device.c.ready,
        device.c.retired,
        device.c.change,
        device.c.model_id,
        account.c.name.label("account"),
        site.c.shard,
    )
    .join(account, account.c.id == device.c.account_id)
    .join(site, site.c.id == device.c.site_id)
)


class LedgerDirectory:
    """Reads in short transactions; safe to call from several threads."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def changes(self, since: int) -> tuple[int, list[DeviceIdentity]]:
        """Devices whose version is above `since` (0: all) by version, and the version reached. Raises Unavailable."""
        with self._ledger.read() as tx:
            reached = tx.scalar(select(func.max(device.c.change))) or 0
            if reached <= since:
                return since, []
            return reached, _identities(tx, device.c.change > since)

    def lookup(self, account_name: str, device_name: str) -> DeviceIdentity | None:
        """One device as it is now. Raises Unavailable."""
        with self._ledger.read() as tx:
            owner = select(account.c.id).where(account.c.name == account_name).scalar_subquery()
            found = _identities(tx, (device.c.account_id == owner) & (device.c.name == device_name))
            return next(iter(found), None)

    def numbered(self, device_id: int) -> DeviceIdentity:
        """One device as it is now. Raises NotFound, Unavailable."""
        for identity in self.several([device_id]).values():
            return identity
        raise missing("device", device_id)

    def several(self, device_ids: Collection[int]) -> dict[int, DeviceIdentity]:
        """Devices as they are now, by number; whom nobody knows is left out. Raises Unavailable."""
        if not device_ids:
            return {}
        with self._ledger.read() as tx:
            found = _identities(tx, device.c.id.in_(device_ids))
        return {identity.device_id: identity for identity in found}


def _identities(tx: Connection, condition: ColumnElement[bool]) -> list[DeviceIdentity]:
    """The devices of a condition on table device, by version."""
    rows = tx.execute(_DEVICES.where(condition).order_by(device.c.change, device.c.id)).all()
    counters = {
        row.id: tuple(counter["name"] for counter in row.counters)
        for row in tx.execute(select(device_model.c.id, device_model.c.counters))
    }
    slots: dict[int, dict[str, SlotIdentity]] = {row.id: {} for row in rows}
    known = (slot.c.id, slot.c.capacity, slot.c.unit, slot.c.ascending, slot.c.model_slot_id.is_not(None))
    query = select(slot.c.device_id, slot.c.name, *known)
    for device_id, name, *rest in tx.execute(query.join(device).where(condition, ~slot.c.retired)):
        slots[device_id][name] = SlotIdentity(*rest)
    return [
        DeviceIdentity(
            account=row.account,
            device=row.name,
            device_id=row.id,
            site_id=row.site_id,
            shard=row.shard,
            credential=row.credential,
            ready=row.ready,
            retired=row.retired,
            version=row.change,
            slots=slots[row.id],
            counters=counters[row.model_id],
            credential_before=row.credential_before or b"",
        )
        for row in rows
    ]
