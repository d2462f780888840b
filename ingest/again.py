"""Refused input once more: its device may have got the slot or unit that it wanted, this program may know better."""

from ingest.config import GatewayConfig
from ingest.frames import Resolver, build
from ingest.limits import Rejected
from ingest.message import decode
from models.identity import DeviceIdentity

KEPT = GatewayConfig().raw_kept


def again(raw: bytes, identity: DeviceIdentity, received: int) -> bytes | Rejected:
    """The journal record of a kept message, or why it is refused still. `received`: when it first came, ms.

    Its boot and seq, or else its moment and content, tell it from others: twice in the journal, it counts once."""
    if not raw:
        return Rejected("not_kept", "nothing was kept that could be taken again")
    if len(raw) >= KEPT:
        return Rejected("not_kept", f"only the first {KEPT} bytes of the message were kept")
    reading = decode(raw)
    if isinstance(reading, Rejected):
        return reading
    row = Resolver(identity).row(reading, raw, received)
    if isinstance(row, Rejected):
        return row
    (record,) = build([row])
    return record
