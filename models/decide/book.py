"""What the decision side keeps: plans of slots, cover of pools, modes of products, requests that wait for a tick."""

from typing import NamedTuple

import msgspec
import numpy as np

from models.decide.layout import MODE, PLAN, POOL, WATCH
from models.index import pair
from models.records import Reorder
from models.rows import Rows
from models.state import State, Table
from models.units import DAY

FIRST_INTERVAL = DAY
"""How seldom a device reports that was never heard: silence is said after three times this."""


class Booking(NamedTuple):
    """A change of cover that `step` made itself. A StockFact whose `through` is below `offset` does not know it."""

    offset: int
    kind: str  # "need": on order grows; "refill": on hand shrinks; "undo": it grows; "count": it is this
    units: float
    slot: int = 0
    cycle: int = 0
    attempt: int = 0


class Book:
    """Tables beside those of State, row by row."""

    def __init__(self) -> None:
        self.plans: Rows = np.zeros(0, PLAN)
        self.watches: Rows = np.zeros(0, WATCH)
        self.pools = Table(POOL, key="key", first_slot=-1, through=-1)
        self.modes = Table(MODE, key="key")
        self.bookings: dict[int, list[Booking]] = {}  # by row of the pool; empty lists are removed
        self.waiting: list[Reorder] = []
        self.answered: dict[str, None] = {}  # ids of the last requests, oldest first: one that comes twice acts once
        self.touched: set[tuple[str, int]] = set()  # ("site" or "account", row): all of its slots are due

    def fit(self, state: State) -> None:
        """Blank rows for slots and devices that came since."""
        if len(self.plans) < len(state.slots.rows):
            blank = np.zeros(len(state.slots.rows) - len(self.plans), PLAN)
            blank["pool_row"] = blank["next_slot"] = blank["need_pool"] = -1
            self.plans = np.concatenate([self.plans, blank])
        if len(self.watches) < len(state.devices.rows):
            blank = np.zeros(len(state.devices.rows) - len(self.watches), WATCH)
            blank["interval"] = FIRST_INTERVAL
            self.watches = np.concatenate([self.watches, blank])

    def pool(self, site: int, product: int) -> int:
        """Row of the pool, added when it is new."""
        return self.pools.row_or_add(pair(site, product))

    def members(self, pool_row: int) -> list[int]:
        """Rows of the slots that the pool refills, in no particular order."""
        result = []
        row = int(self.pools.rows[pool_row]["first_slot"])
        while row >= 0:
            result.append(row)
            row = int(self.plans[row]["next_slot"])
        return result

    def place(self, row: int, pool_row: int) -> None:
        """Move a slot to a pool; -1: to none."""
        plan = self.plans[row]
        old = int(plan["pool_row"])
        if old == pool_row:
            return
        if old >= 0:
            self._unlink(row, old)
        plan["pool_row"] = pool_row
        plan["next_slot"] = -1
        if pool_row >= 0:
            plan["next_slot"] = self.pools.rows[pool_row]["first_slot"]
            self.pools.rows[pool_row]["first_slot"] = row

    def _unlink(self, row: int, pool_row: int) -> None:
        after = int(self.plans[row]["next_slot"])
        at = int(self.pools.rows[pool_row]["first_slot"])
        if at == row:
            self.pools.rows[pool_row]["first_slot"] = after
            return
        while int(self.plans[at]["next_slot"]) != row:
            at = int(self.plans[at]["next_slot"])
        self.plans[at]["next_slot"] = after

    def touch(self, state: State, pool_row: int) -> None:
        """The cover changed: every slot of the pool is due, and shows it."""
        self.pools.rows[pool_row]["changed"] = state.time
        for row in self.members(pool_row):
            state.look[row] = 0

    def book(self, pool_row: int, booking: Booking) -> None:
        self.bookings.setdefault(pool_row, []).append(booking)
        self._apply(pool_row, booking)

    def recount(self, pool_row: int) -> None:
        """The fact's figures, then the bookings that it does not know."""
        pool = self.pools.rows[pool_row]
        pool["on_hand"], pool["on_order"] = pool["fact_on_hand"], pool["fact_on_order"]
        kept = [b for b in self.bookings.pop(pool_row, ()) if b.offset > pool["through"]]
        if kept:
            self.bookings[pool_row] = kept
        for booking in kept:
            self._apply(pool_row, booking)

    def forget_need(self, pool_row: int, slot: int, cycle: int, attempt: int) -> None:
        """The ledger closed the need without goods: what it booked will not come."""
        mine = ("need", slot, cycle, attempt)
        before = self.bookings.get(pool_row, [])
        kept = [b for b in before if (b.kind, b.slot, b.cycle, b.attempt) != mine]
        if len(kept) < len(before):
            self.bookings[pool_row] = kept
            self.recount(pool_row)

    def _apply(self, pool_row: int, booking: Booking) -> None:
        pool = self.pools.rows[pool_row]
        if booking.kind == "need":
            pool["on_order"] += booking.units
        elif booking.kind == "refill":
            pool["on_hand"] = max(float(pool["on_hand"]) - booking.units, 0.0)
        elif booking.kind == "undo":
            pool["on_hand"] += booking.units
        else:
            pool["on_hand"] = booking.units

    def snapshot(self, state: State) -> tuple[tuple[str, bytes], ...]:
        """Blocks that depend on what the book holds only; links between slots are left out."""
        plans = self.plans[: state.slots.count].copy()
        plans["next_slot"] = -1
        pools = self.pools.live.copy()
        pools["first_slot"] = -1
        return (
            ("plans", plans.tobytes()),
            ("watches", self.watches[: state.devices.count].tobytes()),
            ("pools", pools.tobytes()),
            ("modes", self.modes.live.tobytes()),
            ("bookings", msgspec.msgpack.encode(sorted(self.bookings.items()))),
            ("waiting", msgspec.msgpack.encode(self.waiting)),
            ("answered", msgspec.msgpack.encode(list(self.answered))),
            ("touched", msgspec.msgpack.encode(sorted(self.touched))),
        )

    @classmethod
    def restore(cls, blocks: tuple[tuple[str, bytes], ...], state: State) -> "Book":
        given = dict(blocks)
        book = cls()
        book.plans = np.frombuffer(given["plans"], PLAN).copy()
        book.watches = np.frombuffer(given["watches"], WATCH).copy()
        book.pools.load(given["pools"])
        book.modes.load(given["modes"])
        book.bookings = dict(msgspec.msgpack.decode(given["bookings"], type=list[tuple[int, list[Booking]]]))
        book.waiting = msgspec.msgpack.decode(given["waiting"], type=list[Reorder])
        book.answered = dict.fromkeys(msgspec.msgpack.decode(given["answered"], type=list[str]))
        book.touched = set(msgspec.msgpack.decode(given["touched"], type=list[tuple[str, int]]))
        book._link()
        book.fit(state)
        return book

    def _link(self) -> None:
        """Chain the slots of each pool, as `place` does one by one."""
        pool_row = self.plans["pool_row"]
        rows = np.argsort(pool_row, kind="stable")
        rows = rows[pool_row[rows] >= 0]
        pools = pool_row[rows]
        again = np.flatnonzero(pools[1:] == pools[:-1]) + 1
        self.plans["next_slot"] = -1
        self.plans["next_slot"][rows[again]] = rows[again - 1]
        self.pools.rows["first_slot"][pools] = rows  # the last of each pool stays
