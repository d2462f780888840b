"""Why an order was made, and why a slot has (or has not) been ordered for: as data, and as a text for a planner."""

from typing import Any

import msgspec
from sqlalchemy import Connection, Row, func, select

from ledger import mode, receipts, why_text
from ledger.receipts import Receipt
from ledger.registry import calendars, weeks
from ledger.scope import NotFound, Scope
from ledger.tables import (
    account,
    account_product,
    alert,
    device,
    device_model,
    need,
    offer,
    order,
    order_line,
    product,
    receipt,
    site,
    slot,
    slot_view,
    stock,
    would_order,
)
from models.facts import NeedState


class OrderWhy(msgspec.Struct, frozen=True, kw_only=True):
    order: int
    state: str
    reason: str  # why it waits or ended
    overdue: bool
    time_zone: str
    receipt: Receipt  # frozen when it was placed; before that, a view of how it stands

    def text(self) -> str:
        return why_text.order_text(self.receipt, self.state, self.reason, overdue=self.overdue, zone=self.time_zone)


class ModePart(msgspec.Struct, frozen=True, kw_only=True):
    """The least of them counts; a pause anywhere is `observe`."""

    effective: str
    account: str
    site: str
    sku: str
    paused: tuple[str, ...]  # where


class ViewPart(msgspec.Struct, frozen=True, kw_only=True):
    """How the slot stood when it was last looked at."""

    ts: int
    cycle: int
    level: float
    level_low: float
    level_high: float
    rate: float
    quantiles: tuple[int, ...]
    probability: float
    threshold: float
    band: int
    status: str
    on_hand: float
    on_order: float
    last_heard: int
    counts_per_day: float  # of the counter that is its clock, per business day; 0: the calendar is
    clock: str  # that counter's name


class CoverNow(msgspec.Struct, frozen=True, kw_only=True):
    """Of the slot's product at its site, by the books: the view may be older than the last count, order or delivery."""

    on_hand: float
    on_order: float


class NeedNow(msgspec.Struct, frozen=True, kw_only=True):
    """The slot's newest need."""

    id: int
    cycle: int
    attempt: int
    state: str
    reason: str
    released: bool
    opened: int
    order: int | None
    order_state: str | None
    expected: int | None


class CalendarPart(msgspec.Struct, frozen=True, kw_only=True):
    """The weights of the site's business time, and why these."""

    weekdays: tuple[float, ...]
    holiday: float
    cause: str
    since: int
    why: str


class SlotWhy(msgspec.Struct, frozen=True, kw_only=True):
    slot: int
    name: str
    device: str
    site: str
    account: str
    time_zone: str
    retired: bool
    product: str | None
    offers: int
    mode: ModePart
    calendar: CalendarPart
    view: ViewPart | None
    cover: CoverNow
    need: NeedNow | None
    would_order: bool  # in this cycle: only the mode kept it from being ordered
    alerts: tuple[str, ...]
    verdict: str  # one sentence

    def text(self) -> str:
        return why_text.slot_text(self)


def why_order(tx: Connection, scope: Scope, order_id: int, now: int) -> OrderWhy:
    """Raises NotFound."""
    row = tx.execute(
        select(order.c.state, order.c.reason, order.c.overdue, site.c.time_zone, receipt.c.document)
        .join(site, site.c.id == order.c.site_id)
        .outerjoin(receipt, receipt.c.order_id == order.c.id)
        .where(order.c.id == order_id, scope.where(order.c.account_id))
    ).one_or_none()
    if row is None:
        raise NotFound(f"there is no order {order_id}")
    frozen = receipts.load(row.document) if row.document else receipts.build(tx, order_id, now, "")
    return OrderWhy(
        order=order_id,
        state=row.state,
        reason=row.reason,
        overdue=row.overdue,
        time_zone=row.time_zone,
        receipt=frozen,
    )


def why_slot(tx: Connection, scope: Scope, slot_id: int) -> SlotWhy:
    """Raises NotFound."""
    row = _slot(tx, scope, slot_id)
    view = _view(tx, slot_id)
    current = _need(tx, slot_id)
    counts = _mode(row)
    offers = 0
    if row.product_id is not None:
        mine = (offer.c.product_id == row.product_id, ~offer.c.retired, offer.c.currency == row.currency)
        offers = len(tx.execute(select(offer.c.id).where(*mine)).all())
    cycle = view.cycle if view else 0
    would = select(would_order.c.slot_id).where(would_order.c.slot_id == slot_id, would_order.c.cycle == cycle)
    subjects = [f"slot/{slot_id}", f"device/{row.device_id}", f"site/{row.site_id}"]
    raised = select(alert.c.text).where(alert.c.subject.in_(subjects), alert.c.cleared.is_(None)).order_by(alert.c.id)
    return SlotWhy(
        slot=slot_id,
        name=row.name,
        device=row.device,
        site=row.site,
        account=row.account,
        time_zone=row.time_zone,
        retired=row.retired,
        product=row.sku,
        offers=offers,
        mode=counts,
        calendar=_calendar(tx, row.site_id),
        view=view,
        cover=_cover(tx, row.site_id, row.product_id),
        need=current,
        would_order=tx.scalar(would) is not None,
        alerts=tuple(tx.scalars(raised)),
        verdict=why_text.verdict(row.sku, row.retired, offers, counts.effective, view, current),
    )


def _slot(tx: Connection, scope: Scope, slot_id: int) -> Row[Any]:
    sku = (account_product.c.account_id == slot.c.account_id) & (account_product.c.product_id == slot.c.product_id)
    found = tx.execute(
        select(
            slot.c.name,
            slot.c.device_id,
            slot.c.site_id,
            slot.c.product_id,
            (slot.c.retired | device.c.retired | site.c.retired).label("retired"),
            device.c.name.label("device"),
            site.c.name.label("site"),
            site.c.time_zone,
            account.c.name.label("account"),
            account.c.currency,
            product.c.sku,
            *mode.COLUMNS,
        )
        .join(device, device.c.id == slot.c.device_id)
        .join(site, site.c.id == slot.c.site_id)
        .join(account, account.c.id == slot.c.account_id)
        .outerjoin(product, product.c.id == slot.c.product_id)
        .outerjoin(account_product, sku)
        .where(slot.c.id == slot_id, scope.where(slot.c.account_id))
    ).one_or_none()
    if found is None:
        raise NotFound(f"there is no slot {slot_id}")
    return found


def _mode(row: Row[Any]) -> ModePart:
    settings = mode.settings_of(row)
    paused = tuple(where for where, setting in settings.items() if setting[1])
    words = {where: mode.said(setting).name.lower() for where, setting in settings.items()}
    return ModePart(effective=mode.effective(settings.values()).name.lower(), paused=paused, **words)


def _calendar(tx: Connection, site_id: int) -> CalendarPart:
    now = weeks.newest(tx, site_id)
    week = calendars.get_spec(tx, now.calendar_id).week
    return CalendarPart(weekdays=week.weekdays, holiday=week.holiday, cause=now.cause, since=now.since, why=now.why)


def _view(tx: Connection, slot_id: int) -> ViewPart | None:
    row = tx.execute(
        select(slot_view, slot.c.clock, device_model.c.counters)
        .join_from(slot_view, slot, slot.c.id == slot_view.c.slot_id)
        .join(device, device.c.id == slot.c.device_id)
        .join(device_model, device_model.c.id == device.c.model_id)
        .where(slot_view.c.slot_id == slot_id)
    ).one_or_none()
    if row is None:
        return None
    same = ViewPart.__struct_fields__[:-1]  # the last is put together here
    values = {name: getattr(row, name) for name in same} | {"quantiles": tuple(row.quantiles)}
    return ViewPart(**values, clock=receipts.clock_name(row))


def _cover(tx: Connection, site_id: int, product_id: int | None) -> CoverNow:
    shelf = select(stock.c.on_hand).where(stock.c.site_id == site_id, stock.c.product_id == product_id)
    left = func.sum(order_line.c.units - order_line.c.delivered - order_line.c.cancelled)
    mine = (order_line.c.live, order_line.c.site_id == site_id, order_line.c.product_id == product_id)
    return CoverNow(on_hand=tx.scalar(shelf) or 0.0, on_order=tx.scalar(select(left).where(*mine)) or 0.0)


def _need(tx: Connection, slot_id: int) -> NeedNow | None:
    row = tx.execute(
        select(
            need.c.id,
            need.c.cycle,
            need.c.attempt,
            need.c.state,
            need.c.reason,
            need.c.released,
            need.c.opened,
            order_line.c.order_id,
            order_line.c.expected,
            order.c.state.label("order_state"),
        )
        .outerjoin(order_line, order_line.c.id == need.c.order_line_id)
        .outerjoin(order, order.c.id == order_line.c.order_id)
        .where(need.c.slot_id == slot_id)
        .order_by(need.c.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    return NeedNow(
        id=row.id,
        cycle=row.cycle,
        attempt=row.attempt,
        state=NeedState(row.state).name.lower(),
        reason=row.reason,
        released=row.released,
        opened=row.opened,
        order=row.order_id,
        order_state=row.order_state,
        expected=row.expected,
    )
