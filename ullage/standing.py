"""How the installation stands, in numbers: for `ullage status`, the demo's live view and its summary."""

from dataclasses import dataclass, field

from sqlalchemy import func, select

from ledger import tables as t
from ledger.engine import Ledger
from models.facts import NeedState

BANDS = ("fine", "watch", "at risk", "empty")


@dataclass(frozen=True, slots=True)
class NextEmpty:
    account: str
    device: str
    slot: str
    empty_at: int  # ms, median
    probability: float  # of being empty before an order of now arrives
    status: str


@dataclass(slots=True)
class Standing:
    now: int = 0  # last tick that the ledger saw a slot at, ms
    accounts: int = 0
    sites: int = 0
    devices: int = 0
    bands: dict[str, int] = field(default_factory=dict)
    orders: dict[str, int] = field(default_factory=dict)
    needs: dict[str, int] = field(default_factory=dict)
    empties_met: int = 0  # refills of slots that had not run empty
    empties_missed: int = 0
    quarantined: int = 0
    tasks: int = 0
    outbox_waiting: int = 0
    outbox_dead: int = 0
    next_empties: list[NextEmpty] = field(default_factory=list)


def standing(ledger: Ledger, soonest: int = 8) -> Standing:
    s = Standing()
    with ledger.read() as tx:

        def count(statement: object) -> int:
            return int(tx.execute(statement).scalar_one())  # type: ignore[call-overload]  # any select of one number

        s.now = count(select(func.coalesce(func.max(t.slot_view.c.ts), 0)))
        s.accounts = count(select(func.count()).select_from(t.account))
        s.sites = count(select(func.count()).select_from(t.site))
        s.devices = count(select(func.count()).select_from(t.device).where(~t.device.c.retired))
        s.bands = {
            BANDS[b]: n for b, n in tx.execute(select(t.slot_view.c.band, func.count()).group_by(t.slot_view.c.band))
        }
        s.orders = dict(tx.execute(select(t.order.c.state, func.count()).group_by(t.order.c.state)).all())
        s.needs = {
            NeedState(state).name.lower(): n
            for state, n in tx.execute(select(t.need.c.state, func.count()).group_by(t.need.c.state))
        }
        refills = select(func.count()).select_from(t.refill).where(t.refill.c.reversed_at.is_(None))
        s.empties_met = count(refills.where(t.refill.c.empty_since == 0))
        s.empties_missed = count(refills.where(t.refill.c.empty_since > 0))
        s.quarantined = count(select(func.count()).select_from(t.quarantine).where(t.quarantine.c.state == "held"))
        s.tasks = count(select(func.count()).select_from(t.task).where(t.task.c.state == "open"))
        s.outbox_waiting = count(select(func.count()).select_from(t.outbox).where(t.outbox.c.state == "waiting"))
        s.outbox_dead = count(select(func.count()).select_from(t.outbox).where(t.outbox.c.state == "dead"))
        s.next_empties = [
            NextEmpty(*row)
            for row in tx.execute(
                select(
                    t.account.c.name,
                    t.device.c.name,
                    t.slot.c.name,
                    t.slot_view.c.empty_at,
                    t.slot_view.c.probability,
                    t.slot_view.c.status,
                )
                .join_from(t.slot_view, t.slot, t.slot.c.id == t.slot_view.c.slot_id)
                .join(t.device, t.device.c.id == t.slot.c.device_id)
                .join(t.account, t.account.c.id == t.slot.c.account_id)
                .order_by(t.slot_view.c.empty_at, t.slot_view.c.slot_id)
                .limit(soonest)
            )
        ]
    return s
