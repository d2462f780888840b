"""A surge: more needs in a day than the account's use explains. It is held for a person (LIFECYCLE.md rule 11).

What is expected follows from how fast the account's slots deplete: a slot that loses 2 % a day asks for a fiftieth of
a refill. A run of bad readings, a wrong class or a fleet whose shelves were never counted asks for far more.
"""

from typing import Any, Final

from sqlalchemy import Row, bindparam, func, select

from ledger.change import Change
from ledger.tables import device, need, slot, slot_view
from models.facts import NeedState
from models.units import DAY

SPAN: Final = DAY
LEAST: Final = 20
"""Needs in SPAN that never are a surge: a small account orders in lumps."""
LOOKED_AT: Final = 5_000
"""The account's newest needs that are counted at most."""

_newest = (
    select(need.c.opened, need.c.state, need.c.sandbox)
    .where(need.c.account_id == bindparam("account"))
    .order_by(need.c.id.desc())
    .limit(LOOKED_AT)
    .subquery()
)
_COUNT = select(func.count()).where(
    _newest.c.opened > bindparam("since"), _newest.c.state != NeedState.WITHDRAWN, _newest.c.sandbox.is_(False)
)
_EXPECTED = (
    select(func.coalesce(func.sum(slot_view.c.rate), 0.0) / 100.0)
    .join_from(slot_view, slot, slot.c.id == slot_view.c.slot_id)
    .join(device, device.c.id == slot.c.device_id)
    .where(slot_view.c.account_id == bindparam("account"), slot.c.retired.is_(False), device.c.sandbox.is_(False))
)


def surge(change: Change, row: Row[Any], buyer: Row[Any]) -> str:
    """Why the order is held, in words; empty: there is no surge, or the account's factor is 0."""
    factor = change.rules.surge_factor if buyer.surge_factor is None else buyer.surge_factor
    if factor <= 0 or row.sandbox:
        return ""
    mine = {"account": row.account_id}
    count = change.tx.execute(_COUNT, mine | {"since": change.now - SPAN}).scalar_one()
    if count <= LEAST:
        return ""
    expected = float(change.tx.execute(_EXPECTED, mine).scalar_one())
    if count <= factor * expected:
        return ""
    return f"a surge: {count} needs in a day where {expected:.1f} are expected (more than {factor:g} times)"
