"""A reading that the fold cannot take is found by halving, set aside, and the rest of its frame is folded.

`step` is atomic and a frame equals its readings one by one, so the halves can be folded for good while searching: no
copy of the
state is needed, and the result is what a replay gives that leaves the reading out.
"""

from collections.abc import Collection, Iterator
from itertools import pairwise

from models.frame import Frame
from models.records import AnyRecord, AnyRequest, Refused
from models.stores import Skip
from streams.worker.aside import RAW_BYTES, bytes_of, cut
from streams.worker.ports import Fold, Outcome


def isolate(fold: Fold, offset: int, frame: Frame, skipped: Collection[int]) -> Iterator[tuple[Frame, Outcome] | Skip]:
    """Fold what can be folded of a frame that failed, in order; a Skip for each reading that cannot.

    `skipped` are left out already."""
    bounds = [-1, *sorted(skipped), len(frame)]
    spans = [(a + 1, b) for a, b in pairwise(bounds) if a + 1 < b][::-1]
    while spans:
        low, high = spans.pop()
        part = cut(frame, low, high)
        try:
            yield part, fold.step_merged(offset, part, ())
        except Exception as error:  # noqa: BLE001  whatever it is: this is where a poison reading is caught
            if high - low > 1:
                middle = (low + high) // 2
                spans += [(middle, high), (low, middle)]
            else:
                yield skip_reading(offset, low, part, "poison_reading", repr(error))


def skip_reading(offset: int, index: int, part: Frame, code: str, reason: str) -> Skip:
    """`part` is the one reading."""
    return Skip(offset, index, int(part.readings[0]["device"]), code, reason, bytes_of(part))


def skip_record(offset: int, value: bytes, record: AnyRecord | None, code: str, reason: str) -> Skip:
    """All of a record; None: its bytes are damaged."""
    device = record.device if isinstance(record, Refused) else 0
    request = record.id if isinstance(record, AnyRequest) else ""
    return Skip(offset, -1, device, code, reason, value[:RAW_BYTES], request)
