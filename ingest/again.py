"""Refused input once more: its device may have got the slot or unit that it wanted, this program may know better."""

import numpy as np

from ingest.config import GatewayConfig
from ingest.frames import Resolver, build
from ingest.limits import MAX_INTEGER, Rejected
from ingest.message import decode
from journal import codec
from models.frame import Frame, ReadingFlag
from models.identity import DeviceIdentity
from models.records import Kind

KEPT = GatewayConfig().raw_kept


def again(raw: bytes, identity: DeviceIdentity, received: int) -> bytes | Rejected:
    """The journal record of what was kept, a message or a packed reading; or why it is refused still.

    `identity`: its device as it is now; `received`: when it first came, ms."""
    if not raw:
        return Rejected("not_kept", "nothing was kept that could be taken again")
    if packed(raw):
        return _reading(raw, identity)
    if len(raw) >= KEPT:
        return Rejected("not_kept", f"only the first {KEPT} bytes of the message were kept")
    return take(raw, identity, received)


def take(message: bytes, identity: DeviceIdentity, received: int) -> bytes | Rejected:
    """The journal record of a whole message, or why it is refused.

    Its boot and seq, or else its moment and content, tell it from others: twice in the journal, it counts once."""
    reading = decode(message)
    if isinstance(reading, Rejected):
        return reading
    row = Resolver(identity).row(reading, message, received)
    if isinstance(row, Rejected):
        return row
    (record,) = build([row])
    return _reading(record, identity)


def packed(raw: bytes) -> bool:
    """Is it a reading as the journal has it? Else it is what the device sent."""
    try:
        return codec.kind_of(raw) is Kind.FRAME
    except codec.DamagedRecord:
        return False


def _reading(record: bytes, identity: DeviceIdentity) -> bytes | Rejected:
    """The same with the mark that it was replayed."""
    try:
        frame = codec.decode(record)
    except codec.DamagedRecord as error:
        return Rejected("not_kept", f"not all of the reading was kept: {error}")
    if not isinstance(frame, Frame) or frame.readings["device"].tolist() != [identity.device_id]:
        return Rejected("identity_mismatch", f"this is no reading of {identity.device}")
    if not 0 < int(frame.readings[0]["ts"]) <= MAX_INTEGER:
        return Rejected("time_out_of_range", "its time cannot be stored: give the whole message with another")
    if frame.readings[0]["boot"] and not 0 <= int(frame.readings[0]["seq"]) <= MAX_INTEGER:
        return Rejected("sequence_out_of_range", "its seq cannot be stored: give the whole message with another")
    frame.readings["flags"] |= np.uint16(ReadingFlag.REPLAYED)
    return codec.encode_frame(frame)
