"""What a sandbox device causes is shown in the house and told to nobody outside."""

from sqlalchemy import Connection, Select, select

from ledger.tables import device, need, order, purchase_order, slot


def of_sandbox(tx: Connection, subject: str) -> bool:
    """Whether an event's subject ("order/17") is a sandbox device's, or came of one."""
    noun, _, number = subject.partition("/")
    query = _QUERIES.get(noun)
    return query is not None and number.isdecimal() and bool(tx.scalar(query.where(_IDS[noun] == int(number))))


_QUERIES: dict[str, Select[tuple[bool]]] = {
    "device": select(device.c.sandbox),
    "slot": select(device.c.sandbox).join_from(slot, device, device.c.id == slot.c.device_id),
    "need": select(need.c.sandbox),
    "order": select(order.c.sandbox),
    "purchase_order": select(order.c.sandbox).join_from(purchase_order, order, order.c.id == purchase_order.c.order_id),
}
_IDS = {
    "device": device.c.id,
    "slot": slot.c.id,
    "need": need.c.id,
    "order": order.c.id,
    "purchase_order": purchase_order.c.id,
}
