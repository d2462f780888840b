"""Every verb as one call: opens the transaction, checks the scope, sends the facts."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from ledger import people
from ledger.change import Change
from ledger.engine import Ledger
from ledger.orders.acknowledge import Answer, acknowledge, never_sent
from ledger.orders.approve import Outcome, approve
from ledger.orders.cancel import answer_cancel, cancel
from ledger.orders.carried import carry
from ledger.orders.deliver import deliver
from ledger.orders.lost import lost
from ledger.orders.reject import reject
from ledger.orders.release import release
from ledger.orders.ship import ship
from ledger.rules import Rules
from ledger.scope import Scope
from models.orders import OrderState


class Orders:
    """`by` is a person or "supplier/3"; `now` is domain time in ms; quantities are packs by line number.

    All raise NotFound for what the scope may not see, NotAllowed where the state of the order does not take it."""

    def __init__(self, ledger: Ledger, rules: Rules | None = None) -> None:
        self._ledger = ledger
        self._rules = rules or Rules()

    @contextmanager
    def _change(self, by: str, now: int) -> Iterator[Change]:
        with self._ledger.write() as tx:
            change = Change(tx, now, by, self._rules)
            yield change
            change.finish()

    def approve(
        self, scope: Scope, order_id: int, *, by: str, now: int, reason: str = "", person_id: int | None = None
    ) -> Outcome:
        """`person_id`: whose limits count, also NotFound; None: nobody's."""
        with self._change(by, now) as change:
            person = None if person_id is None else people.get(change.tx, Scope.all(), person_id)
            return approve(change, scope, order_id, reason, person)

    def carry(self, scope: Scope, order_id: int, *, by: str, now: int, **values: str | None) -> None:
        """Reference, blanket purchase order, cost centre. Raises Decided, Invalid as well."""
        with self._change(by, now) as change:
            carry(change, scope, order_id, **values)

    def reject(self, scope: Scope, order_id: int, *, by: str, now: int, reason: str) -> OrderState:
        with self._change(by, now) as change:
            return reject(change, scope, order_id, reason)

    def cancel(self, scope: Scope, order_id: int, *, by: str, now: int, reason: str = "") -> OrderState:
        with self._change(by, now) as change:
            return cancel(change, scope, order_id, reason)

    def lost(
        self, scope: Scope, order_id: int, *, by: str, now: int, lines: Collection[int] = (), reason: str = ""
    ) -> OrderState:
        with self._change(by, now) as change:
            return lost(change, scope, order_id, lines, reason)

    def release(self, scope: Scope, need_id: int, *, by: str, now: int) -> None:
        with self._change(by, now) as change:
            release(change, scope, need_id)

    # of purchase orders: `number` is the purchase order's id; a supplier names itself and sees only its own

    def acknowledge(
        self,
        scope: Scope,
        number: int,
        answers: Mapping[int, Answer],
        *,
        by: str,
        now: int,
        supplier_id: int | None = None,
    ) -> OrderState:
        with self._change(by, now) as change:
            return acknowledge(change, scope, number, answers, supplier_id=supplier_id)

    def answer_cancel(
        self, scope: Scope, number: int, *, granted: bool, by: str, now: int, supplier_id: int | None = None
    ) -> OrderState:
        with self._change(by, now) as change:
            return answer_cancel(change, scope, number, granted=granted, supplier_id=supplier_id)

    def never_sent(self, scope: Scope, number: int, *, by: str, now: int, reason: str) -> OrderState:
        with self._change(by, now) as change:
            return never_sent(change, scope, number, reason)

    def ship(
        self,
        scope: Scope,
        number: int,
        quantities: Mapping[int, int],
        *,
        by: str,
        now: int,
        key: str = "",
        supplier_id: int | None = None,
    ) -> OrderState:
        with self._change(by, now) as change:
            return ship(change, scope, number, quantities, key=key, supplier_id=supplier_id)

    def deliver(
        self,
        scope: Scope,
        number: int,
        quantities: Mapping[int, int],
        *,
        by: str,
        now: int,
        key: str = "",
        supplier_id: int | None = None,
    ) -> OrderState:
        with self._change(by, now) as change:
            return deliver(change, scope, number, quantities, key=key, supplier_id=supplier_id)
