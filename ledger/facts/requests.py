"""A person's or program's request on its way into the journal."""

import msgspec
from sqlalchemy import Connection, select

from ledger import meta, outbox
from ledger.tables import site
from models.outbox import Kind
from models.records import AnyRequest

_encode = msgspec.msgpack.Encoder().encode


def enqueue_request(tx: Connection, site_id: int, request: AnyRequest) -> bool:
    """Send it to the partition of its site; False if a request with this id was sent before."""
    shard = tx.execute(select(site.c.shard).where(site.c.id == site_id)).scalar_one()
    partition = shard % meta.layout(tx).partitions
    key = f"request/{request.id}"
    return outbox.put(tx, Kind.REQUEST, key, _encode(request), key=key, partition=partition)
