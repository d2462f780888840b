"""What was set aside: listed, one with its bytes, and how many of each reason."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Select, func, literal_column, select

from ledger import tables as t
from ledger.scope import Scope
from ledger.views.query import Query
from ledger.views.rows import Dict, columns, only, shown

MOST_COUNTED: Final = 10_000
"""A page must not wait for a count of everything that a broken fleet sent."""
WAITING: Final = "held"
_COLUMNS = "id account_id device_id ts=received_at code reason state settled_by settled_at note partition offset"
_WAITS: Final = t.quarantine.c.state == literal_column(f"'{WAITING}'")
"""Written out: only then does SQLite look where nothing else is, in ix_quarantine_held."""


def _rows() -> Select[Any]:
    """What nobody's device sent has no account, device and site."""
    return (
        select(
            *columns(t.quarantine, _COLUMNS),
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


_HOW: Final[dict[str, Any]] = {
    "owner": t.quarantine.c.account_id,
    "keys": [t.quarantine.c.id],
    "newest_first": True,
    "id": t.quarantine.c.id,
    "state": t.quarantine.c.state,
    "device": t.quarantine.c.device_id,
    "code": t.quarantine.c.code,
}
_ANY: Final = Query(_rows, **_HOW)
_WAITING: Final = Query(lambda: _rows().where(_WAITS), **_HOW)
_ONE: Final = Query(lambda: _rows().add_columns(t.quarantine.c.raw, t.quarantine.c.fixed), **_HOW)
_CODES: Final = Query(lambda: select(t.quarantine.c.code), **_HOW)
_WAITING_CODES: Final = Query(lambda: select(t.quarantine.c.code).where(_WAITS), **_HOW)


@dataclass(frozen=True, slots=True)
class Counts:
    by_code: list[tuple[str, int]]  # the most frequent first
    total: int
    more: bool  # only the newest were counted

    def __str__(self) -> str:
        return f"more than {self.total}" if self.more else str(self.total)


NONE: Final = Counts([], 0, more=False)


def held(
    tx: Connection,
    scope: Scope,
    *,
    state: str = WAITING,
    device: int | None = None,
    code: str | None = None,
    position: Sequence[Any] | None = None,
    limit: int = 100,
) -> list[Dict]:
    """Without the raw bytes, newest first, behind `position` = (id,)."""
    query, wanted = (_WAITING, None) if state == WAITING else (_ANY, state)
    return shown(query.run(tx, scope, position=position, limit=limit, state=wanted, device=device, code=code))


def one(tx: Connection, scope: Scope, held_id: int) -> Dict:
    """With its raw bytes and what was replayed in their place. Raises NotFound."""
    return only(shown(_ONE.run(tx, scope, id=held_id)), f"quarantined input {held_id}")


def counts(tx: Connection, scope: Scope, state: str = WAITING, most: int = MOST_COUNTED) -> Counts:
    """How many of each code are in a state."""
    query, wanted = (_WAITING_CODES, None) if state == WAITING else (_CODES, state)
    codes = query.run(tx, scope, state=wanted, limit=most + 1).scalars().all()
    found = Counter(codes[:most])
    return Counts(found.most_common(), sum(found.values()), len(codes) > most)
