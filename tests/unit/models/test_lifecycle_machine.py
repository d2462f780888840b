"""LIFECYCLE.md as a state machine: a step, a ledger, late and repeated facts, people who swap and count, and crashes.

What holds after every rule: never two open needs of a slot, never a need while cover suffices, and every slot past its
threshold has an open need or a stated reason. When everything was delivered, step and ledger agree on what is open.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from models.effects import Effect, Need
from models.facts import Mode
from models.frame import Signal
from models.partition import Partition
from models.records import AnyRecord, Count, Reorder, Reverse, Swapped, Tick
from models.units import DAY, HOUR
from tests.support.model_ledger import FAILED, MET, PLACED, PRE_PLACED, REFUSED, RELEASED, ModelLedger
from tests.support.slots import START, TONER, World, reading, slot_fact

SLOTS = (1, 2, 3)
EXCUSES = {"need_open", "blocked", "covered", "suspect"}


class Lifecycle(RuleBasedStateMachine):
    @initialize(spares=st.integers(0, 2))
    def begin(self, spares):
        world = World(mode=Mode.AUTO, on_hand=float(spares))
        world.do(slot_fact(2), slot_fact(3))
        self.partition = world.partition
        self.ledger = ModelLedger(on_hand=float(spares))
        self.now, self.seq, self.requests = START, 0, 0
        self.levels = dict.fromkeys(SLOTS, 100.0)
        self.offset = world.offset
        self.pending: list[tuple[int, list[Effect]]] = []
        self.checkpoint = (self.offset, self.partition.time, self.partition.snapshot())
        self.journal: list[tuple[AnyRecord, list[Effect]]] = []
        for slot in SLOTS:
            self.report(slot)
        self.tick(1)

    def append(self, record):
        effects = self.partition.step(self.offset, record).effects
        self.journal.append((record, effects))
        if effects:
            self.pending.append((self.offset, effects))
        self.offset += 1
        return effects

    def report(self, slot, signals=()):
        self.seq += 1
        self.append(reading(1, self.now + self.seq % HOUR, self.seq, {slot: self.levels[slot]}, signals=signals))

    # what happens at the site

    @rule(slot=st.sampled_from(SLOTS), share=st.sampled_from([2, 90, 96]))
    def use(self, slot, share):
        self.levels[slot] = max(self.levels[slot] - share, 0.0)
        for _ in range(2):  # a leap down is believed the second time
            self.report(slot)
        self.tick(HOUR)

    @rule(slot=st.sampled_from(SLOTS))
    def swap(self, slot):
        self.levels[slot] = 100.0
        for _ in range(2):
            self.report(slot)

    @rule(slot=st.sampled_from(SLOTS), signal=st.sampled_from([Signal.EMPTY, Signal.LOW, Signal.REORDER]))
    def signal(self, slot, signal):
        self.report(slot, [(signal, slot)])

    @rule(ms=st.sampled_from([1, HOUR, DAY // 2, 2 * DAY]))
    def tick(self, ms):
        self.now += ms
        open_before = {slot for slot, _, _ in self.partition.open_needs()}
        effects = self.append(Tick(self.now, ms))
        for need in [e for e in effects if isinstance(e, Need)]:
            proof = need.evidence
            free = proof.on_hand + proof.on_order - len(open_before)
            assert free <= proof.claims, f"{need} while {free} units were free"
            assert need.slot not in open_before

    # what people ask for

    @rule(slot=st.sampled_from(SLOTS), test=st.booleans())
    def reorder(self, slot, test):
        self.requests += 1
        self.append(Reorder(id=f"r{self.requests}", slot=slot, by="ann", test=test))

    @rule(units=st.integers(0, 3))
    def count(self, units):
        self.requests += 1
        self.append(Count(id=f"c{self.requests}", site=1, product=TONER, units=float(units), by="ann"))

    @rule(slot=st.sampled_from(SLOTS))
    def say_swapped(self, slot):
        self.requests += 1
        self.levels[slot] = 100.0
        self.append(Swapped(id=f"s{self.requests}", slot=slot, by="ann"))

    @rule(slot=st.sampled_from(SLOTS), cycle=st.integers(1, 3))
    def reverse(self, slot, cycle):
        self.requests += 1
        self.append(Reverse(id=f"v{self.requests}", slot=slot, cycle=cycle, by="ann"))

    # what the ledger does, late

    @rule()
    @precondition(lambda self: self.pending)
    def ledger_applies(self):
        self.ledger.apply(*self.pending.pop(0))

    @rule(
        data=st.data(),
        change=st.sampled_from(
            [(PRE_PLACED, PLACED), (PRE_PLACED, REFUSED), (PLACED, MET), (PLACED, FAILED), (REFUSED, RELEASED)]
        ),
    )
    def ledger_moves(self, data, change):
        before, after = change
        keys = self.ledger.among(before)
        if keys:
            self.ledger.move(data.draw(st.sampled_from(keys)), after)

    @rule(data=st.data(), keep=st.booleans())
    def fact_arrives(self, data, keep):
        """In any order, and again when `keep`."""
        if self.ledger.outbox:
            k = data.draw(st.integers(0, len(self.ledger.outbox) - 1))
            self.append(self.ledger.outbox[k] if keep else self.ledger.outbox.pop(k))

    # crashes

    @rule()
    def take_checkpoint(self):
        self.checkpoint = (self.offset, self.partition.time, self.partition.snapshot())
        self.journal.clear()

    @rule()
    def crash_and_replay(self):
        offset, time, blocks = self.checkpoint
        before = self.partition.snapshot()
        again = Partition.restore(0, time, blocks)
        for record, effects in self.journal:
            assert again.step(offset, record).effects == effects
            offset += 1
        assert again.snapshot() == before
        self.partition = again

    # what must hold

    @rule()
    def settle(self):
        """Everything arrives: then both sides agree, and whoever is past the threshold has a reason."""
        for _ in range(20):
            while self.pending:
                self.ledger.apply(*self.pending.pop(0))
            while self.ledger.outbox:
                self.append(self.ledger.outbox.pop())
            self.tick(1)
            if not self.pending and not self.ledger.outbox:
                break
        while self.pending:
            self.ledger.apply(*self.pending.pop(0))
        assert self.partition.open_needs() == set(self.ledger.open())
        assert float(self.partition.book.pools.rows[0]["on_hand"]) == self.ledger.on_hand
        for view in self.partition.views():
            assert view.probability < view.threshold or view.status in EXCUSES, view

    @invariant()
    def no_slot_has_two_open_needs(self):
        if hasattr(self, "partition"):
            slots = [slot for slot, _, _ in self.partition.open_needs()]
            assert len(slots) == len(set(slots))


Lifecycle.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestLifecycle = Lifecycle.TestCase
