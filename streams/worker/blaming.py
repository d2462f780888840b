"""Which reading or request is to blame for a decision that the ledger cannot write."""

from collections.abc import Sequence

from journal import codec
from models.effects import Decision, Quarantined, RefillSeen, UnmappedSeen
from models.frame import Frame
from models.records import AnyRequest
from models.stores import Part, Record, Skip
from streams.worker import poison
from streams.worker.aside import cut
from streams.worker.batching import Batch


class Causes:
    """The parts of a batch, and the records behind each."""

    def __init__(self, batch: Batch) -> None:
        self.parts: list[Part] = []
        self._records: list[Sequence[Record]] = []
        ends = [origin.first for origin in batch.origins[1:]] + [len(batch.decisions)]
        for origin, end in zip(batch.origins, ends, strict=True):
            self._add(origin.records, batch.decisions[origin.first : end])

    def _add(self, records: Sequence[Record], decisions: Sequence[Decision]) -> None:
        """A frame that was halved comes in several pieces, which the ledger can only take together."""
        through = records[-1].offset + 1 if records else 0  # what recovery repairs has no record
        if self.parts and self.parts[-1].through == through:
            self.parts[-1] = Part(through, [*self.parts[-1].decisions, *decisions])
            return
        self.parts.append(Part(through, decisions))
        self._records.append(records)

    def blame(self, part: int, decision: Decision, reason: str) -> Skip | None:
        """models.stores.Blame."""
        for record in self._records[part]:
            decoded = codec.decode(record.value)
            if isinstance(decoded, AnyRequest):
                return poison.skip_record(record.offset, record.value, decoded, "bad_effect", reason)
            if not isinstance(decoded, Frame):
                return None
            index = _reading(decision, decoded)
            if index is not None:
                one = cut(decoded, index, index + 1)
                return poison.skip_reading(record.offset, index, one, "bad_effect", reason)
        return None


def _reading(decision: Decision, frame: Frame) -> int | None:
    for i, reading in enumerate(frame.readings):
        if isinstance(decision, RefillSeen | Quarantined):
            if (decision.boot, decision.seq) != (int(reading["boot"]), int(reading["seq"])):
                continue
            if isinstance(decision, Quarantined):
                if decision.device == int(reading["device"]):
                    return i
            elif decision.slot in cut(frame, i, i + 1).supplies["slot"].tolist():
                return i
        elif isinstance(decision, UnmappedSeen) and (decision.device, decision.ts) == (
            int(reading["device"]),
            int(reading["ts"]),
        ):
            return i
    return None
