"""Does the ledger hold what follows from the journal: no decision missing, none extra, none twice? And liveness."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from ledger.views.replayed import written_views
from models.effects import Need, Quarantined, RefillSeen, RequestAnswered, SlotView, UsageBooked, WouldOrder, need_id
from models.facts import NeedState
from tests.faults.audit.evidence import Evidence

STATED = {
    "need_open",
    "covered",
    "blocked",
    "observe",
    "off",
    "unmapped",
    "retired",
    "site_blocked",
    "suspect",
    "imported",
}
"""Why a slot past its threshold is (not) ordered for."""
KEPT_PER_DEVICE = 200


def check(evidence: Evidence) -> Iterator[str]:
    yield from _needs(evidence)
    yield from _open_needs(evidence)
    yield from _refills(evidence)
    yield from _would_orders(evidence)
    yield from _usage(evidence)
    yield from _answers(evidence)
    yield from _quarantine(evidence)
    yield from _lines(evidence)
    yield from _views(evidence)
    yield from _alive(evidence)


def _of(evidence: Evidence, kind: type[Any]) -> list[Any]:
    return [effect for effect in evidence.replayed.effects if isinstance(effect, kind)]


def _differ(what: str, decided: Iterable[Any], written: Iterable[Any]) -> Iterator[str]:
    """Compare as multisets."""
    ours, theirs = Counter(decided), Counter(written)
    for one, count in sorted((ours - theirs).items(), key=repr):
        yield f"{what} {one}: decided, but {'not' if one not in theirs else f'{count} times too seldom'} in the ledger"
    for one, count in sorted((theirs - ours).items(), key=repr):
        yield f"{what} {one}: in the ledger, but {'never decided' if one not in ours else f'{count} times too often'}"


def _needs(evidence: Evidence) -> Iterator[str]:
    decided = _of(evidence, Need)
    rows = evidence.rows("select * from need")
    yield from _differ(
        "need (slot, cycle, attempt)",
        [(n.slot, n.cycle, n.attempt) for n in decided],
        [(r.slot_id, r.cycle, r.attempt) for r in rows],
    )
    ours = {str(need_id(n.slot, n.cycle, n.attempt)): n for n in decided}
    for row in rows:
        need = ours.get(row.uuid)
        if need is None:
            continue
        said = (row.site_id, row.product_id, row.cause, bool(row.urgent), row.deadline, row.channel, row.request)
        if said != (need.site, need.product, need.cause, need.urgent, need.deadline, need.channel, need.request):
            yield f"need {row.id} of slot {row.slot_id} says {said}, decided was {need}"
        if json.loads(row.evidence) != json.loads(msgspec.json.encode(msgspec.to_builtins(need.evidence))):
            yield f"need {row.id} of slot {row.slot_id} rests on other evidence than was there"


def _open_needs(evidence: Evidence) -> Iterator[str]:
    twice = evidence.rows(
        "select slot_id, count(*) as n from need where state = 0 group by slot_id having count(*) > 1"
    )
    for row in twice:
        yield f"slot {row.slot_id} has {row.n} open needs"


def _refills(evidence: Evidence) -> Iterator[str]:
    yield from _differ(
        "refill (slot, closed cycle, kind, time, units)",
        [(e.slot, e.cycle, int(e.kind), e.ts, e.units) for e in _of(evidence, RefillSeen)],
        [(r.slot_id, r.cycle, r.kind, r.ts, r.units) for r in evidence.rows("select * from refill")],
    )


def _would_orders(evidence: Evidence) -> Iterator[str]:
    yield from _differ(
        "would-order (slot, cycle)",
        [(e.slot, e.cycle) for e in _of(evidence, WouldOrder)],
        [tuple(r) for r in evidence.rows("select slot_id, cycle from would_order")],
    )


def _usage(evidence: Evidence) -> Iterator[str]:
    """The last total of a day counts."""
    totals = {(e.slot, e.day): e.total for e in _of(evidence, UsageBooked)}
    yield from _differ(
        "usage (slot, day, total)",
        [(*place, total) for place, total in totals.items()],
        [tuple(r) for r in evidence.rows("select slot_id, day, total from usage_day")],
    )


def _answers(evidence: Evidence) -> Iterator[str]:
    """The first answer counts; a request that no row asks for came from elsewhere."""
    answers: dict[str, tuple[str, str]] = {}
    for effect in _of(evidence, RequestAnswered):
        answers.setdefault(effect.id, (effect.outcome, effect.reason))
    rows = {r.id: (r.outcome, r.reason) for r in evidence.rows("select id, outcome, reason from request")}
    asked = {number: answer for number, answer in answers.items() if number in rows}
    answered = {number: answer for number, answer in rows.items() if answer[0]}
    yield from _differ("answer (request, (outcome, reason))", asked.items(), answered.items())


def _quarantine(evidence: Evidence) -> Iterator[str]:
    """As far as a device has not so many that its oldest went."""
    kept = Counter(e.device for e in _of(evidence, Quarantined))
    decided = {
        f"reading/{e.device}/{e.boot}/{e.seq}/{e.code}/{e.ts}"
        for e in _of(evidence, Quarantined)
        if kept[e.device] < KEPT_PER_DEVICE
    }
    rows = {r.source for r in evidence.rows("select source from quarantine")}
    for source in sorted(decided - rows):
        yield f"{source}: to be quarantined, but it is not"
    for row in evidence.rows('select partition, "offset", "index" from skipped'):
        if f"record/{row[0]}/{row[1]}/{row[2]}" not in rows:
            yield f"record {row[1]} of partition {row[0]} is left out, but nobody can see why in the quarantine"


def _lines(evidence: Evidence) -> Iterator[str]:
    """Order lines come from needs or persons only."""
    orphans = evidence.rows(
        "select l.id, l.order_id from order_line l join orders o on o.id = l.order_id"
        " where o.channel in ('device', 'forecast')"
        " and not exists (select 1 from need n where n.order_line_id = l.id)"
    )
    for row in orphans:
        yield f"line {row.id} of order {row.order_id} has neither a need nor a person behind it"
    requests = {r.id for r in evidence.rows("select id from request")}
    for row in evidence.rows("select id, slot_id, request from need where cause = 3"):
        if row.request not in requests:
            yield f"need {row.id} of slot {row.slot_id} was asked for by request {row.request!r}, which is unknown"


def _views(evidence: Evidence) -> Iterator[str]:
    """Of each slot the last one that was decided, bit by bit."""
    ours = {view.slot: view for view in _of(evidence, SlotView)}
    theirs: dict[int, SlotView] = {}
    for number in range(evidence.journal.partitions):
        theirs |= written_views(evidence.tx, number, evidence.journal.partitions)
    for slot in sorted(ours.keys() | theirs.keys()):
        if ours.get(slot) != theirs.get(slot):
            yield f"slot {slot} is shown as {theirs.get(slot)}, decided was {ours.get(slot)}"


def _alive(evidence: Evidence) -> Iterator[str]:
    """Past the threshold means: an open need, or a reason that is shown."""
    waiting = {r.slot_id for r in evidence.rows("select slot_id from need where state = :open", open=NeedState.OPEN)}
    shown = {r.slot_id: r.status for r in evidence.rows("select slot_id, status from slot_view")}
    for partition in evidence.replayed.partitions:
        for view in partition.views():
            if view.probability < view.threshold and view.band < 3:
                continue
            due = partition.state.look[partition.state.slots.row(view.slot)] <= partition.time
            if due and evidence.replayed.since_tick[partition.number]:
                continue  # touched since the last tick: the next one would decide
            if view.status not in STATED:
                yield f"slot {view.slot} is past its threshold ({view.probability:.2f}), it is {view.status!r}"
            elif view.status == "need_open" and view.slot not in waiting | evidence.replayed.coming:
                yield f"slot {view.slot} is past its threshold and thought to have an open need, but has none"
            elif view.slot not in shown:
                yield f"slot {view.slot} is past its threshold, and nobody is shown why it is {view.status!r}"
