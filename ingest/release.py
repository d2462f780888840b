"""Out of the quarantine: what can be used by now goes into the journal as a reading, once; or it is discarded.

Whether it can be used is asked of the decoder and of the device as they are now, so whatever mends the cause releases
what was held for it: a mapped supply, another unit or capacity, a registered device, a newer program."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from ingest.again import again, take
from ingest.fix import AS_IT_IS, Fix
from ingest.limits import Rejected
from journal.routing import partition_of
from ledger import quarantine
from ledger.change import Change
from ledger.directory import LedgerDirectory
from ledger.engine import Ledger
from ledger.quarantine import Held, Settled
from ledger.ready import unsent
from ledger.registry.common import missing
from ledger.scope import Scope
from models.identity import DeviceIdentity
from models.stores import Journal, StoreError

AT_ONCE: Final = 100
"""So many in one transaction: others wait for its end."""
MOST_LOOKED_AT: Final = 1_000
PARTLY: Final = frozenset(
    {"unknown_slot", "foreign_slot", "implausible_counter", "counter_out_of_range", "signal_without_slot"}
)
USED: Final = Rejected("used", "the rest of this reading was used when it came: it would not count again")


class RefusedStill(StoreError):
    """What is in quarantine cannot be used, neither as it came nor as it was corrected."""


class Chosen(NamedTuple):
    """What is looked at: these, or all that waits and fits."""

    ids: tuple[int, ...] = ()
    device_id: int | None = None
    code: str | None = None


class Actor(NamedTuple):
    """Who settles it, what for, and when (ms, domain time)."""

    by: str
    now: int
    note: str = ""


class Replayed(NamedTuple):
    id: int
    partition: int
    offset: int


class Kept(NamedTuple):
    id: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    replayed: list[Replayed] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)

    def as_json(self) -> dict[str, list[dict[str, Any]]]:
        return {
            "replayed": [one._asdict() for one in self.replayed],
            "kept": [one._asdict() for one in self.kept],
        }


class _Ready(NamedTuple):
    held: Held
    partition: int
    record: bytes
    fixed: bytes | None


class _Known(NamedTuple):
    """Devices as they are now, and those of which the journal does not know all yet."""

    identities: dict[int, DeviceIdentity]
    unsent: set[int]

    def hindrance(self, held: Held) -> Rejected | None:
        """Why nothing of this device can be used."""
        identity = self.identities.get(held.device_id or 0)
        if identity is None:
            return Rejected("unknown_device", "it is of no registered device")
        if identity.retired:
            return Rejected("retired_device", f"{identity.device} is retired: register it anew if it is in use")
        if not identity.ready or identity.device_id in self.unsent:
            return Rejected(
                "not_yet", f"what was registered of {identity.device} is on its way into the journal: try again soon"
            )
        return None


class Quarantine:
    """Safe to call from several threads and processes: what one of them settles is settled for the others."""

    def __init__(self, ledger: Ledger, journal: Journal) -> None:
        self._ledger = ledger
        self._journal = journal
        self._directory = LedgerDirectory(ledger)

    def replay_one(self, scope: Scope, number: int, actor: Actor, fix: Fix = AS_IT_IS) -> Replayed:
        """Raises NotFound, Settled, RefusedStill, Unavailable: then nothing was replayed."""
        held = self._waiting(scope, number)
        ready = self._judge(held, self._known([held]), fix)
        if isinstance(ready, Kept):
            raise RefusedStill(f"quarantined input {number} is refused still: {ready.reason}")
        done = self._append(scope, [ready], actor)
        if not done:
            self._waiting(scope, number)  # says what became of it meanwhile
        return done[0]

    def replay(self, scope: Scope, chosen: Chosen, actor: Actor, fix: Fix = AS_IT_IS) -> Outcome:
        """What can be used goes, the rest stays. Raises NotFound for an id; Unavailable: what went before is gone."""
        outcome = Outcome()
        for waiting in self.pages(scope, chosen):
            known = self._known(waiting)
            judged = [self._judge(held, known, fix) for held in waiting]
            outcome.kept.extend(one for one in judged if isinstance(one, Kept))
            ready = [one for one in judged if isinstance(one, _Ready)]
            outcome.replayed.extend(self._append(scope, ready, actor))
        return outcome

    def discard(self, scope: Scope, chosen: Chosen, actor: Actor) -> list[int]:
        """The ids of what was discarded now. Raises NotFound for an id."""
        done = []
        for waiting in self.pages(scope, chosen):
            with self._ledger.write() as tx:
                change = Change(tx, actor.now, actor.by)
                done += [held.id for held in waiting if quarantine.discard(change, held, actor.note)]
        return done

    def usable(self, scope: Scope, ids: Sequence[int]) -> set[int]:
        """Those that could be replayed as they are."""
        with self._ledger.read() as tx:
            waiting = [held for held in quarantine.some(tx, scope, ids) if held.state == "held"]
        known = self._known(waiting)
        return {held.id for held in waiting if isinstance(self._judge(held, known, AS_IT_IS), _Ready)}

    def released(self, scope: Scope, most: int = MOST_LOOKED_AT) -> int:
        """How many of the oldest `most` can be used, now or when the journal knows what was registered just now."""
        count = looked = 0
        for waiting in self.pages(scope, Chosen()):
            known = self._known(waiting)._replace(unsent=set())
            count += sum(isinstance(self._judge(held, known, AS_IT_IS), _Ready) for held in waiting)
            looked += len(waiting)
            if looked >= most:
                break
        return count

    def pages(self, scope: Scope, chosen: Chosen) -> Iterator[list[Held]]:
        """What waits, oldest first. Raises NotFound for an id, before the first page."""
        if chosen.ids:
            yield from self._numbered(scope, sorted(set(chosen.ids)))
            return
        after = 0
        while True:
            with self._ledger.read() as tx:
                found = quarantine.list_held(
                    tx, scope, device_id=chosen.device_id, code=chosen.code, after=after, limit=AT_ONCE
                )
            if not found:
                return
            yield found
            after = found[-1].id

    def _numbered(self, scope: Scope, numbers: Sequence[int]) -> Iterator[list[Held]]:
        with self._ledger.read() as tx:
            found = [
                held
                for at in range(0, len(numbers), AT_ONCE)
                for held in quarantine.some(tx, scope, numbers[at : at + AT_ONCE])
            ]
        for number in sorted(set(numbers) - {held.id for held in found}):
            raise missing("quarantined input", number)
        waiting = [held for held in found if held.state == "held"]
        for at in range(0, len(waiting), AT_ONCE):
            yield waiting[at : at + AT_ONCE]

    def _waiting(self, scope: Scope, number: int) -> Held:
        with self._ledger.read() as tx:
            held = quarantine.get(tx, scope, number)
        if held.state != "held":
            raise Settled(f"quarantined input {number} was {held.state} already")
        return held

    def _known(self, waiting: Sequence[Held]) -> _Known:
        devices = {held.device_id for held in waiting if held.device_id is not None}
        identities = self._directory.several(devices)
        with self._ledger.read() as tx:
            return _Known(identities, unsent(tx, devices))

    def _judge(self, held: Held, known: _Known, fix: Fix) -> _Ready | Kept:
        hindrance = USED if held.code in PARTLY else known.hindrance(held)
        if hindrance is not None:
            return Kept(held.id, *hindrance)
        identity, fixed = known.identities[held.device_id or 0], fix.of(held.raw)
        if isinstance(fixed, Rejected):
            return Kept(held.id, *fixed)
        record = again(held.raw, identity, held.ts) if fixed is None else take(fixed, identity, held.ts)
        if isinstance(record, Rejected):
            return Kept(held.id, *record)
        return _Ready(held, partition_of(identity.shard, self._journal.partitions), record, fixed)

    def _append(self, scope: Scope, ready: Sequence[_Ready], actor: Actor) -> list[Replayed]:
        """In the ledger's transaction, so that no two append the same; those that wait no more are left out.

        When the process dies between the two commits it is in the journal and waits still: replayed once more it has
        the same boot and seq, or the same moment and content, and does not count."""
        if not ready:
            return []
        with self._ledger.write() as tx:
            still = {
                held.id
                for held in quarantine.some(tx, scope, [one.held.id for one in ready], lock=True)
                if held.state == "held"
            }
            going = [one for one in ready if one.held.id in still]
            offsets = self._journal.append([(one.partition, one.record) for one in going])
            change = Change(tx, actor.now, actor.by)
            for one, offset in zip(going, offsets, strict=True):
                quarantine.replayed(change, one.held, one.partition, offset, note=actor.note, fixed=one.fixed)
        return [Replayed(one.held.id, one.partition, offset) for one, offset in zip(going, offsets, strict=True)]
