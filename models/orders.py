"""The state machine of needs and orders: the table of LIFECYCLE.md as data, and the books of an order line.

An order that was sent is in the state that its lines say (`state_of`): so a supplier's no to a cancellation leads back
to where it was. Two things lie over a state instead of being one, because what they lie over goes on: *escalated* over
awaiting, *overdue* over whatever was sent.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from models.facts import NeedState


class OrderState(StrEnum):
    PROPOSED = "proposed"
    AWAITING = "awaiting"
    APPROVED = "approved"
    PLACED = "placed"
    ACKNOWLEDGED = "acknowledged"
    CANCEL_REQUESTED = "cancel_requested"
    PART_SHIPPED = "part_shipped"
    SHIPPED = "shipped"
    PART_DELIVERED = "part_delivered"
    DELIVERED = "delivered"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"


PRE_PLACED = frozenset({OrderState.PROPOSED, OrderState.AWAITING, OrderState.APPROVED})
SENT = frozenset(
    {
        OrderState.PLACED,
        OrderState.ACKNOWLEDGED,
        OrderState.CANCEL_REQUESTED,
        OrderState.PART_SHIPPED,
        OrderState.SHIPPED,
        OrderState.PART_DELIVERED,
    }
)
NOT_YET_SHIPPED = frozenset({OrderState.PLACED, OrderState.ACKNOWLEDGED})
ENDED = frozenset(OrderState) - PRE_PLACED - SENT


class Event(StrEnum):
    NEEDED = "needed"
    WINDOW_CLOSED = "window_closed"
    APPROVED = "approved"
    REJECTED = "rejected"
    APPROVE_BY_PASSED = "approve_by_passed"
    CANCELLED = "cancelled"
    UNNECESSARY = "unnecessary"
    HOLD_ENDED = "hold_ended"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    SILENT = "silent"
    CANCEL_ASKED = "cancel_asked"
    CANCEL_GRANTED = "cancel_granted"
    CANCEL_DENIED = "cancel_denied"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    OVERDUE = "overdue"
    LOST = "lost"


class Guard(StrEnum):
    """What must be so, beyond the state. A row without one applies where no guarded row of its event does."""

    NONE = ""
    INSIDE = "inside limits and budget, and the mode is auto"
    CHECKED = "price and budget, checked again, still hold"
    ESCALATED = "escalated before"
    EMPTY = "no line is left"


class Row(NamedTuple):
    """One row of the table. `then` None: as the lines say (`state_of`), or unchanged before they were sent."""

    event: Event
    sources: frozenset[OrderState]
    then: OrderState | None
    need: NeedState
    guard: Guard = Guard.NONE
    task: str = ""  # a person is asked to look


def _from(*states: OrderState) -> frozenset[OrderState]:
    return frozenset(states)


_S = OrderState
TABLE: tuple[Row, ...] = (
    Row(Event.NEEDED, _from(_S.PROPOSED), _S.PROPOSED, NeedState.OPEN),
    Row(Event.WINDOW_CLOSED, _from(_S.PROPOSED), _S.APPROVED, NeedState.OPEN, Guard.INSIDE),
    Row(Event.WINDOW_CLOSED, _from(_S.PROPOSED), _S.AWAITING, NeedState.OPEN),
    Row(Event.APPROVED, _from(_S.AWAITING), _S.APPROVED, NeedState.OPEN, Guard.CHECKED),
    Row(Event.REJECTED, _from(_S.AWAITING), _S.REJECTED, NeedState.REFUSED),
    Row(Event.APPROVE_BY_PASSED, _from(_S.AWAITING), _S.EXPIRED, NeedState.REFUSED, Guard.ESCALATED, "expired"),
    Row(Event.APPROVE_BY_PASSED, _from(_S.AWAITING), _S.AWAITING, NeedState.OPEN, task="approval_late"),
    Row(Event.CANCELLED, PRE_PLACED, _S.CANCELLED, NeedState.REFUSED),
    Row(Event.UNNECESSARY, PRE_PLACED, _S.CANCELLED, NeedState.WITHDRAWN, Guard.EMPTY),
    Row(Event.UNNECESSARY, PRE_PLACED, None, NeedState.WITHDRAWN),
    Row(Event.HOLD_ENDED, _from(_S.APPROVED), _S.PLACED, NeedState.OPEN),
    Row(Event.ACCEPTED, _from(_S.PLACED, _S.ACKNOWLEDGED), None, NeedState.OPEN),
    Row(Event.REFUSED, NOT_YET_SHIPPED, None, NeedState.FAILED),
    Row(Event.SILENT, _from(_S.PLACED), _S.PLACED, NeedState.OPEN, task="supplier_silent"),
    Row(Event.CANCEL_ASKED, NOT_YET_SHIPPED, _S.CANCEL_REQUESTED, NeedState.OPEN),
    Row(Event.CANCEL_GRANTED, _from(_S.CANCEL_REQUESTED), None, NeedState.REFUSED),
    Row(Event.CANCEL_DENIED, _from(_S.CANCEL_REQUESTED), None, NeedState.OPEN),
    Row(Event.SHIPPED, SENT, None, NeedState.OPEN),
    # Goods at the door are on the shelf, whatever was thought of them before.
    Row(Event.DELIVERED, SENT | _from(_S.DELIVERED, _S.CANCELLED, _S.FAILED), None, NeedState.MET),
    Row(Event.OVERDUE, SENT, None, NeedState.OPEN, task="overdue"),
    Row(Event.LOST, SENT, None, NeedState.FAILED),
)


class NotAllowed(ValueError):
    """The order's state does not take this event."""

    def __init__(self, state: OrderState, event: Event) -> None:
        taken = ", ".join(sorted({e.value for e in events_of(state)})) or "nothing any more"
        super().__init__(f"an order that is {state} cannot be {event}: it takes {taken}")
        self.state = state
        self.event = event


def events_of(state: OrderState) -> frozenset[Event]:
    return frozenset(row.event for row in TABLE if state in row.sources)


def row_of(state: OrderState, event: Event, holds: frozenset[Guard] = frozenset()) -> Row:
    """The row that applies: the one whose guard holds, else the one without. Raises NotAllowed."""
    rows = [row for row in TABLE if row.event is event and state in row.sources]
    for row in rows:
        if row.guard is not Guard.NONE and row.guard in holds:
            return row
    for row in rows:
        if row.guard is Guard.NONE:
            return row
    raise NotAllowed(state, event)


class LineState(StrEnum):
    DRAFT = "draft"  # nothing of it was sent
    WITHDRAWN = "withdrawn"
    PLACED = "placed"
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    PART_SHIPPED = "part_shipped"
    SHIPPED = "shipped"
    PART_DELIVERED = "part_delivered"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    LOST = "lost"


class ImplausibleQuantity(ValueError):
    """Far more was shipped or delivered than was ordered: a slip of the keyboard, not goods."""

    def __init__(self, quantity: int, ordered: int) -> None:
        super().__init__(f"{quantity} units for a line of {ordered}: give a quantity between 1 and {10 * ordered}")


@dataclass(frozen=True, slots=True)
class LineBooks:
    """Where the units of a sent line are. quantity + over = delivered + under way + cancelled + lost, always."""

    quantity: int
    accepted: bool = False
    refused: bool = False
    shipped: int = 0
    delivered: int = 0
    cancelled: int = 0
    lost: int = 0
    over: int = 0  # delivered beyond what was ordered

    @property
    def under_way(self) -> int:
        return self.quantity + self.over - self.delivered - self.cancelled - self.lost

    def accept(self) -> "LineBooks":
        return replace(self, accepted=True)

    def refuse(self) -> "LineBooks":
        return replace(self, refused=True, cancelled=self.cancelled + self.under_way)

    def cancel(self) -> "LineBooks":
        return replace(self, cancelled=self.cancelled + self.under_way)

    def lose(self) -> "LineBooks":
        return replace(self, lost=self.lost + self.under_way)

    def ship(self, units: int) -> "LineBooks":
        self._plausible(self.shipped + units, units)
        return replace(self, accepted=True, shipped=self.shipped + units)

    def deliver(self, units: int) -> "LineBooks":
        """First what is under way, then what was given up as lost or cancelled and came all the same, then over."""
        self._plausible(self.delivered + units, units)
        rest = units - min(units, self.under_way)
        found = min(rest, self.lost)
        revived = min(rest - found, self.cancelled)
        return replace(
            self,
            accepted=True,
            delivered=self.delivered + units,
            shipped=max(self.shipped, self.delivered + units),
            lost=self.lost - found,
            cancelled=self.cancelled - revived,
            over=self.over + rest - found - revived,
        )

    def _plausible(self, total: int, units: int) -> None:
        if units < 1 or total > 10 * self.quantity:
            raise ImplausibleQuantity(units, self.quantity)

    @property
    def state(self) -> LineState:
        if self.under_way == 0:
            if self.delivered:
                return LineState.DELIVERED
            if self.lost:
                return LineState.LOST
            return LineState.REFUSED if self.refused else LineState.CANCELLED
        if self.delivered:
            return LineState.PART_DELIVERED
        if self.shipped:
            return LineState.SHIPPED if self.shipped >= self.under_way else LineState.PART_SHIPPED
        return LineState.ACKNOWLEDGED if self.accepted else LineState.PLACED


_FAILED = frozenset({LineState.REFUSED, LineState.LOST})
_GONE = frozenset({LineState.WITHDRAWN, LineState.CANCELLED}) | _FAILED


def state_of(lines: Iterable[LineState]) -> OrderState:
    """The state of a sent order, from its lines. Lines that failed or were cancelled do not hold the others back."""
    states = set(lines)
    live = states - _GONE
    if not live:
        return OrderState.FAILED if states & _FAILED else OrderState.CANCELLED
    if LineState.DELIVERED in live or LineState.PART_DELIVERED in live:
        return OrderState.DELIVERED if live == {LineState.DELIVERED} else OrderState.PART_DELIVERED
    if live == {LineState.SHIPPED}:
        return OrderState.SHIPPED
    if live & {LineState.SHIPPED, LineState.PART_SHIPPED}:
        return OrderState.PART_SHIPPED
    return OrderState.ACKNOWLEDGED if live == {LineState.ACKNOWLEDGED} else OrderState.PLACED
