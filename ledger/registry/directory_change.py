"""Every change that the gateway must see gives the devices concerned the directory's next number."""

from collections.abc import Sequence

from sqlalchemy import Connection, update

from ledger import meta
from ledger.facts.outgoing import chunks
from ledger.tables import device

DIRECTORY = "directory"


def next_change(tx: Connection) -> int:
    """One number for all of a transaction's devices: it locks the counter, so numbers are committed in their order."""
    return meta.count(tx, DIRECTORY)


def touch(tx: Connection, device_ids: Sequence[int]) -> None:
    if not device_ids:
        return
    number = next_change(tx)
    for chunk in chunks(device_ids):
        tx.execute(update(device).where(device.c.id.in_(chunk)).values(change=number))
