"""What was set aside: listed, one with its bytes, and how many of each reason."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Select, func, select

from ledger import tables as t
from ledger.scope import Scope
from ledger.views.query import Query
from ledger.views.rows import Dict, columns, only, shown

MOST_COUNTED: Final = 10_000
"""A page must not wait for a count of everything that a broken fleet sent."""
_HELD = "id account_id device_id ts=received_at code reason state settled_by settled_at"


def _held() -> Select[Any]:
    """What nobody's device sent has no account, device and site."""
    return (
        select(
            *columns(t.quarantine, _HELD),
            func.length(t.quarantine.c.raw).label("size"),
            t.account.c.name.label("account"),
            t.device.c.name.label("device"),
            t.device.c.site_id,
            t.site.c.name.label("site"),
            t.site.c.time_zone,
        )
        .outerjoin_from(t.quarantine, t.account, t.account.c.id == t.quarantine.c.account_id)
        .outerjoin(t.device, t.device.c.id == t.quarantine.c.device_id)
        .outerjoin(t.site, t.site.c.id == t.device.c.site_id)
    )


_LIST: Final = Query(
    _held,
    owner=t.quarantine.c.account_id,
    keys=[t.quarantine.c.id],
    newest_first=True,
    state=t.quarantine.c.state,
    device=t.quarantine.c.device_id,
    code=t.quarantine.c.code,
)
_ONE: Final = Query(
    lambda: _held().add_columns(t.quarantine.c.raw),
    owner=t.quarantine.c.account_id,
    keys=[t.quarantine.c.id],
    id=t.quarantine.c.id,
)
_CODES: Final = Query(
    lambda: select(t.quarantine.c.code),
    owner=t.quarantine.c.account_id,
    keys=[t.quarantine.c.id],
    newest_first=True,
    state=t.quarantine.c.state,
)


@dataclass(frozen=True, slots=True)
class Counts:
    by_code: list[tuple[str, int]]  # the most frequent first
    total: int
    more: bool  # only the newest MOST_COUNTED were counted

    def __str__(self) -> str:
        return f"more than {self.total}" if self.more else str(self.total)


NONE: Final = Counts([], 0, more=False)


def held(
    tx: Connection,
    scope: Scope,
    *,
    state: str = "held",
    device: int | None = None,
    code: str | None = None,
    position: Sequence[Any] | None = None,
    limit: int = 100,
) -> list[Dict]:
    """Without the raw bytes, newest first, behind `position` = (id,)."""
    return shown(_LIST.run(tx, scope, position=position, limit=limit, state=state, device=device, code=code))


def one(tx: Connection, scope: Scope, held_id: int) -> Dict:
    """With its raw bytes. Raises NotFound."""
    return only(shown(_ONE.run(tx, scope, id=held_id)), f"held input {held_id}")


def counts(tx: Connection, scope: Scope, state: str = "held", most: int = MOST_COUNTED) -> Counts:
    """How many of each code are in a state."""
    codes = [code for (code,) in _CODES.run(tx, scope, state=state, limit=most + 1)]
    found = Counter(codes[:most])
    return Counts(found.most_common(), sum(found.values()), len(codes) > most)
