"""One transaction's change: who makes it and when; its events at once, the facts about cover at its end."""

from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from ledger import events, facts
from ledger.engine import insert_new
from ledger.rules import Rules
from ledger.tables import task
from models.pricing import Terms


@dataclass(slots=True)
class Change:
    tx: Connection
    now: int  # ms, domain time
    by: str  # "step", "clock", "supplier/3" or a person
    rules: Rules = field(default_factory=Rules)
    drafts: dict[tuple[Any, ...], int] = field(default_factory=dict)  # open drafts that this transaction knows
    unsettled: dict[int, None] = field(default_factory=dict)  # drafts whose money and total wait for its last need
    offers: dict[tuple[int, int], list[Terms]] = field(default_factory=dict)  # by account and product
    _covers: set[tuple[int, int]] = field(default_factory=set)

    def tell(self, account_id: int | None, kind: str, subject: str, /, **data: Any) -> None:
        events.append(self.tx, account_id, kind, subject, {"by": self.by, **data}, self.now)

    def ask_person(self, account_id: int | None, site_id: int | None, kind: str, subject: str, text: str) -> None:
        """Open a task, once for each kind, subject and moment."""
        row = {"account_id": account_id, "site_id": site_id, "kind": kind, "subject": subject, "text": text}
        if insert_new(self.tx, task, row | {"key": f"{kind}/{subject}/{self.now}", "opened": self.now}):
            self.tell(account_id, "task.opened", subject, task=kind, text=text)

    def close_tasks(self, subject: str, *kinds: str) -> None:
        """What was asked for is done, or does not matter any more."""
        mine = task.update().where(task.c.subject == subject, task.c.state == "open")
        if kinds:
            mine = mine.where(task.c.kind.in_(kinds))
        self.tx.execute(mine.values(state="done", closed=self.now, closed_by=self.by))

    def cover_changed(self, site_id: int, product_id: int) -> None:
        self._covers.add((site_id, product_id))

    def fork(self) -> "Change":
        """The same with memory of its own, to be dropped when a savepoint takes back what it wrote."""
        drafts, unsettled, covers = self.drafts.copy(), self.unsettled.copy(), self._covers.copy()
        return replace(self, drafts=drafts, unsettled=unsettled, _covers=covers)

    def finish(self) -> None:
        """Call it once, after the last change: snapshots cover as this transaction leaves it."""
        if self._covers:
            facts.enqueue_stocks(self.tx, self._covers)
            self._covers.clear()
