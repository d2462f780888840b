"""`ullage replay`: from the older checkpoint to the newer one again, and compare: the state bit by bit, views and
needs with the ledger.

Reads only; a worker may run meanwhile. Then the ledger may be ahead of the newer checkpoint: its views and needs are
compared only where
it is not.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, fields

from journal import codec
from models.effects import SlotView
from models.facts import NeedFact
from models.records import Kind
from models.stores import Checkpoint, DecisionLedger, Journal, StateStore, StoreError
from streams.worker.batching import Folder
from streams.worker.checkpoints import split
from streams.worker.logic import this_logic
from streams.worker.ports import Logic
from streams.worker.recovery import folder_of, skipped

Key = tuple[int, int, int]
PAGE = 2_000
MERGE = 20_000
SHOWN = 20


class NothingToReplay(StoreError):
    """There is no checkpoint yet, or the journal no longer reaches back to the older one."""


@dataclass(slots=True)
class Report:
    partition: int
    start: int
    """The offset of the older checkpoint; 0: the beginning of the journal."""
    end: int
    """The offset of the newer checkpoint: what is compared."""
    records: int = 0
    readings: int = 0
    compared: list[str] = field(default_factory=list)
    """What was compared: "state", "needs", "views"."""
    differences: list[str] = field(default_factory=list)
    """One line each, for people; empty: all is as it should be."""

    @property
    def same(self) -> bool:
        return not self.differences


def replay(
    journal: Journal,
    state: StateStore,
    decisions: DecisionLedger,
    partition: int,
    *,
    views: Callable[[int], Mapping[int, SlotView]] | None = None,
    offset: Callable[[int], int] | None = None,
    untold: Set[Key] = frozenset(),
    logic: Logic | None = None,
) -> Report:
    """Replay one partition. `views` gives the ledger's slot views of a partition by slot, `offset` where the ledger is,
    `untold` the needs whose newest state is on its way into the journal.

    Raises NothingToReplay, OtherLogic's kin as StoreError, OffsetGap, Unavailable."""
    logic = logic or this_logic()
    older, newer = _ends(journal, state, partition, logic)
    folder = folder_of(partition, older, logic, MERGE)
    report = Report(partition, folder.offset, newer.offset)
    folder.skipped = skipped(decisions, partition)
    shown: dict[int, SlotView] = {}
    while folder.offset < newer.offset:
        records = journal.read(partition, folder.offset, min(PAGE, newer.offset - folder.offset))
        batch = folder.batch()
        folder.feed(records, batch)
        report.records += batch.records
        report.readings += batch.readings
        shown |= {one.slot: one for one in batch.shown.values() if isinstance(one, SlotView)}
        report.differences += [
            f"record {skip.offset}, reading {skip.index}: cannot be folded ({skip.reason}), but could when it came"
            for skip in batch.skips
        ]
    _compare_state(folder, newer, report)
    if offset is None or offset(partition) == newer.offset:
        _compare_needs(folder, decisions, report, untold | _told_later(journal, partition, newer.offset))
        if views is not None:
            _compare_views(shown.values(), views(partition), report)
    return report


def _ends(journal: Journal, state: StateStore, partition: int, logic: Logic) -> tuple[Checkpoint | None, Checkpoint]:
    kept = state.load(partition)
    if not kept:
        raise NothingToReplay(
            f"partition {partition} has no checkpoint yet: stop the worker once, or wait five minutes."
        )
    newer = kept[0]
    older = next((c for c in kept[1:] if c.offset < newer.offset), None)
    start, earliest = older.offset if older else 0, journal.earliest(partition)
    if newer.journal != journal.id:
        raise NothingToReplay(
            f"partition {partition}: its checkpoints belong to journal {newer.journal}, this is journal {journal.id}."
        )
    if earliest > start:
        raise NothingToReplay(
            f"partition {partition}: replay starts at {start}, but the journal begins at {earliest}. Keep the journal "
            f"longer."
        )
    made_by = {c.logic for c in (older, newer) if c is not None}
    if made_by != {logic.version}:
        raise NothingToReplay(
            f"partition {partition}: the checkpoints were made by version {', '.join(sorted(made_by))} of the logic, "
            f"this is "
            f"version {logic.version}: only the same version gives the same bits."
        )
    return older, newer


def _compare_state(folder: Folder, newer: Checkpoint, report: Report) -> None:
    report.compared.append("state")
    blocks, series = split(newer.blocks)
    kept = dict(blocks) | ({"open buckets": series} if series is not None else {})
    again = dict(folder.fold.snapshot()) | {"open buckets": folder.sink.snapshot()}
    if folder.time != newer.time:
        report.differences.append(f"time: the checkpoint says {newer.time}, the replay {folder.time}")
    for name in sorted(kept.keys() | again.keys()):
        before, now = kept.get(name), again.get(name)
        if before is None or now is None:
            report.differences.append(f"block {name}: only in the {'replay' if before is None else 'checkpoint'}")
        elif before != now:
            at = next(
                (i for i, (a, b) in enumerate(zip(before, now, strict=False)) if a != b), min(len(before), len(now))
            )
            report.differences.append(
                f"block {name}: {len(before)} bytes in the checkpoint, {len(now)} in the replay, first different at "
                f"byte {at}"
            )


def _told_later(journal: Journal, partition: int, offset: int) -> set[Key]:
    """Needs that the ledger had closed by `offset`, and said so behind it."""
    found = set()
    while records := journal.read(partition, offset, PAGE):
        offset = records[-1].offset + 1
        decoded = (codec.decode(r.value) for r in records if codec.kind_of(r.value) is Kind.FACT)
        found |= {(f.slot, f.cycle, f.attempt) for f in decoded if isinstance(f, NeedFact)}
    return found


def _compare_needs(folder: Folder, decisions: DecisionLedger, report: Report, under_way: Set[Key]) -> None:
    report.compared.append("needs")
    ours, theirs = folder.fold.open_needs(), decisions.open_needs(report.partition)
    for needs, where in ((ours - theirs - under_way, "the replay"), (theirs - ours, "the ledger")):
        report.differences += _some(f"need {s}/{c}/{a}: open in {where} only" for s, c, a in sorted(needs))


def _compare_views(ours: Iterable[SlotView], theirs: Mapping[int, SlotView], report: Report) -> None:
    """Of each slot the last view that the replayed stretch decided; the ledger has the same bits."""
    report.compared.append("views")
    lines = []
    for view in sorted(ours, key=lambda view: view.slot):
        written = theirs.get(view.slot)
        if written is None:
            lines.append(f"slot {view.slot}: no view in the ledger")
        elif different := _fields_that_differ(view, written):
            lines.append(f"slot {view.slot}: " + ", ".join(different))
    report.differences += _some(lines)


def _fields_that_differ(ours: SlotView, theirs: SlotView) -> list[str]:
    found = []
    for f in fields(SlotView):
        a, b = getattr(ours, f.name), getattr(theirs, f.name)
        if a != b and not (a != a and b != b):  # noqa: PLR0124  NaN is the same as NaN here
            found.append(f"{f.name} is {a} in the replay, {b} in the ledger")
    return found


def _some(lines: Iterable[str]) -> Sequence[str]:
    found = list(lines)
    rest = len(found) - SHOWN
    return found if rest <= 0 else [*found[:SHOWN], f"... and {rest} more"]
