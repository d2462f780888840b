"""A batch in transactions that are short enough for other writers to come in between."""

from collections.abc import Iterator
from itertools import pairwise

from journal import codec
from models.records import Tick
from streams.worker.batching import Batch, Origin


def pieces(batch: Batch, most: int, began: int) -> Iterator[Batch]:
    """Cut between records, so that only where one record decides more than `most` a piece does. Each has the time of
    its last tick, `began` if it has none: what is due fires neither earlier nor later than without a cut."""
    ends = [*(origin.first for origin in batch.origins[1:]), len(batch.decisions)]
    first, now = 0, began
    for (origin, later), (end, next_end) in zip(pairwise(batch.origins), pairwise(ends), strict=True):
        now = max(now, _time(origin))
        if next_end - first > most and _parted(origin, later):
            yield _piece(batch, origin.records[-1].offset + 1, now, first, end)
            first = end
    yield _piece(batch, batch.through, batch.now, first, len(batch.decisions)) if first else batch


def _parted(origin: Origin, later: Origin) -> bool:
    """The ledger's offset can stand between them: not so within a frame that was folded in parts, nor behind what
    recovery repairs, which has no record."""
    return bool(origin.records) and origin.records[-1].offset < later.records[0].offset


def _piece(batch: Batch, through: int, now: int, first: int, end: int) -> Batch:
    origins = [Origin(o.first - first, o.records) for o in batch.origins if first <= o.first < end]
    return Batch(batch.partition, through, now, batch.decisions[first:end], origins)


def _time(origin: Origin) -> int:
    if not origin.records:
        return 0
    record = codec.decode(origin.records[-1].value)
    return record.time if isinstance(record, Tick) else 0
