"""Devices: registered one by one or thousands at once, with slots from their model's template."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, select, update

from ledger import outbox
from ledger.clock import real_ms
from ledger.facts import enqueue_devices, enqueue_slots
from ledger.facts.outgoing import chunks
from ledger.registry import credentials, device_models, slots
from ledger.registry.common import PAGE, Invalid, Taken, check_name, missing, single, views
from ledger.registry.directory_change import next_change, touch
from ledger.scope import Scope
from ledger.tables import account, device, order, site, slot


class Device(msgspec.Struct, frozen=True):
    """Without the credential."""

    id: int
    account_id: int
    site_id: int
    model_id: int
    name: str
    sandbox: bool
    retired: bool
    ready: bool
    version: int
    created: int


class NewDevice(NamedTuple):
    site_id: int
    name: str
    model_id: int
    sandbox: bool = False


class Issued(NamedTuple):
    """A credential, shown this once."""

    account: str
    device: str
    device_id: int
    token: str


def register(tx: Connection, scope: Scope, new: Sequence[NewDevice], now: int) -> list[Issued]:
    """Create devices with their slots, in the order given. Raises NotFound, Taken, Invalid: then none is there."""
    places = _places(tx, scope, [one.site_id for one in new])
    _check(tx, new, {site_id: place[0] for site_id, place in places.items()})
    _keep_apart(tx, {one.site_id for one in new if not one.sandbox})
    models = {model_id: device_models.get(tx, model_id) for model_id in sorted({one.model_id for one in new})}
    number, made = next_change(tx), real_ms()
    issued: list[str] = []
    rows: list[dict[str, Any]] = []
    for one in new:
        credential = credentials.make()
        rows.append(
            {
                "account_id": places[one.site_id][0],
                "site_id": one.site_id,
                "model_id": one.model_id,
                "name": one.name,
                "sandbox": one.sandbox,
                "credential": credential.digest,
                "credential_made": made,
                "change": number,
                "created": now,
            }
        )
        issued.append(credential.token)
    if rows:
        tx.execute(device.insert(), rows)
    stored = tx.execute(select(device).where(device.c.change == number)).all()
    ids = {(row.account_id, row.name): row.id for row in stored}
    enqueue_devices(tx, sorted(ids.values()))
    slots.reconcile(tx, models, stored, now)
    tx.execute(update(device).where(device.c.change == number).values(ready_after=outbox.last_id(tx)))
    return [
        Issued(places[one.site_id][1], one.name, ids[places[one.site_id][0], one.name], token)
        for one, token in zip(new, issued, strict=True)
    ]


def reconcile(tx: Connection, model_ids: Iterable[int], now: int) -> list[int]:
    """After a change of models or offers: bring the slots of all their devices up to it. Their ids."""
    models = {model_id: device_models.get(tx, model_id) for model_id in sorted(set(model_ids))}
    mine = select(device).where(device.c.model_id.in_(sorted(models)), ~device.c.retired).order_by(device.c.id)
    return slots.reconcile(tx, models, tx.execute(mine).all(), now)


def get(tx: Connection, scope: Scope, device_id: int) -> Device:
    mine = (device.c.id == device_id, scope.where(device.c.account_id))
    return single(tx, Device, device, *mine, called=("device", device_id))


def find(tx: Connection, scope: Scope, account_id: int, name: str) -> Device:
    mine = (device.c.account_id == account_id, device.c.name == name, scope.where(device.c.account_id))
    return single(tx, Device, device, *mine, called=("device", name))


def list_devices(
    tx: Connection,
    scope: Scope,
    *,
    account_id: int | None = None,
    site_id: int | None = None,
    after: int = 0,
    limit: int = PAGE,
) -> list[Device]:
    query = select(device).where(scope.where(device.c.account_id), device.c.id > after).order_by(device.c.id)
    if account_id is not None:
        query = query.where(device.c.account_id == account_id)
    if site_id is not None:
        query = query.where(device.c.site_id == site_id)
    return views(Device, tx.execute(query.limit(limit)))


def rotate(tx: Connection, scope: Scope, device_id: int, *, overlap_ms: int = 0) -> Issued:
    """A new credential. The old one is good for `overlap_ms` more, else it ends when the gateway has polled (a second).

    Raises NotFound, Invalid."""
    found = _in_service(tx, scope, device_id)
    now, overlaps = real_ms(), overlap_ms > 0
    before = {
        "credential_before": device.c.credential if overlaps else None,
        "credential_before_until": now + overlap_ms if overlaps else None,
    }
    return _issue(tx, found, found.name, before, now)


def replace(tx: Connection, scope: Scope, device_id: int, name: str, model_id: int | None, now: int) -> Issued:
    """Another machine or board in the same place: it goes on with the device's history, cycles and spares.

    `name` may be the old one. With another model slots follow its template by their names; those that it lacks are
    retired. The old credential ends at once. Raises NotFound, Taken, Invalid."""
    found = _in_service(tx, scope, device_id)
    check_name("device", name)
    same_name = (device.c.account_id == found.account_id, device.c.name == name, device.c.id != device_id)
    if tx.scalar(select(device.c.id).where(*same_name)) is not None:
        raise Taken("device", name)
    issued = _issue(tx, found, name, {"credential_before": None, "credential_before_until": None}, real_ms())
    if model_id not in {None, found.model_id}:
        _become(tx, device_id, device_models.get(tx, model_id or 0), now)
    return issued


def end_overlaps(tx: Connection, real_now: int) -> int:
    """Take away the credentials whose time is over; how many."""
    over = device.c.credential_before_until <= real_now
    ids = tx.scalars(select(device.c.id).where(over)).all()
    if ids:
        gone = {"credential_before": None, "credential_before_until": None}
        tx.execute(update(device).where(over).values(gone))
        touch(tx, ids)
    return len(ids)


def _in_service(tx: Connection, scope: Scope, device_id: int) -> Device:
    found = get(tx, scope, device_id)
    if found.retired:
        raise Invalid(f"device {device_id} is retired: register it anew under another name")
    return found


def _issue(tx: Connection, found: Device, name: str, before: dict[str, Any], real_now: int) -> Issued:
    """Give the device a new credential. `before`: what becomes of the old one."""
    credential = credentials.make()
    values = {"name": name, "credential": credential.digest, "credential_made": real_now}
    tx.execute(update(device).where(device.c.id == found.id).values(values | before))
    touch(tx, [found.id])
    owner = tx.execute(select(account.c.name).where(account.c.id == found.account_id)).scalar_one()
    return Issued(owner, name, found.id, credential.token)


def _become(tx: Connection, device_id: int, model: device_models.DeviceModel, now: int) -> None:
    """Its slots are those of the model by name: retired where the model lacks them, back in service where it has."""
    row = tx.execute(update(device).where(device.c.id == device_id).values(model_id=model.id).returning(device)).one()
    named = slot.c.name.in_([one.name for one in model.slots])
    moved: list[int] = []
    for where, retired in ((~named & ~slot.c.retired, True), (named & slot.c.retired, False)):
        mine = update(slot).where(slot.c.device_id == device_id, where).values(retired=retired)
        moved += tx.scalars(mine.returning(slot.c.id))
    enqueue_devices(tx, [device_id])
    slots.reconcile(tx, {model.id: model}, [row], now)
    enqueue_slots(tx, sorted(moved))


def retire(tx: Connection, scope: Scope, device_id: int) -> None:
    """For ever: its credential ends, its slots get no needs any more, its goods stay with the site."""
    found = get(tx, scope, device_id)
    if found.retired:
        return
    tx.execute(update(device).where(device.c.id == device_id).values(retired=True))
    mine = tx.scalars(select(slot.c.id).where(slot.c.device_id == device_id).order_by(slot.c.id)).all()
    tx.execute(update(slot).where(slot.c.device_id == device_id).values(retired=True))
    touch(tx, [device_id])
    enqueue_slots(tx, mine)
    enqueue_devices(tx, [device_id])


def _places(tx: Connection, scope: Scope, site_ids: Sequence[int]) -> dict[int, tuple[int, str]]:
    """Account id and name of each site."""
    query = select(site.c.id, site.c.account_id, account.c.name).join(account, account.c.id == site.c.account_id)
    found: dict[int, tuple[int, str]] = {}
    for chunk in chunks(sorted(set(site_ids))):
        rows = tx.execute(query.where(site.c.id.in_(chunk), scope.where(site.c.account_id)))
        found.update({row.id: (row.account_id, row.name) for row in rows})
    for site_id in site_ids:
        if site_id not in found:
            raise missing("site", site_id)
    return found


def _keep_apart(tx: Connection, site_ids: Iterable[int]) -> None:
    """Raises Invalid for a site on whose shelf goods of sandboxes lie, which are not there."""
    query = select(site.c.name).join(order, order.c.site_id == site.c.id)
    for chunk in chunks(sorted(site_ids)):
        name = tx.scalar(query.where(site.c.id.in_(chunk), order.c.sandbox).limit(1))
        if name is not None:
            raise Invalid(
                f"site {name}: sandbox devices have ordered here, and their goods are not real: use another site"
            )


def _check(tx: Connection, new: Sequence[NewDevice], accounts: dict[int, int]) -> None:
    wanted: set[tuple[int, str]] = set()
    for one in new:
        check_name("device", one.name)
        if (accounts[one.site_id], one.name) in wanted:
            raise Taken("device", one.name)
        wanted.add((accounts[one.site_id], one.name))
    for chunk in chunks(sorted({one.name for one in new})):
        for row in tx.execute(select(device.c.account_id, device.c.name).where(device.c.name.in_(chunk))):
            if (row.account_id, row.name) in wanted:
                raise Taken("device", row.name)
