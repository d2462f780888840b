"""The world: all devices, advanced lazily to the current domain time. Knows the truth store, no network."""

import heapq
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

import msgspec

from devices_sim import sensors, usage
from devices_sim.chance import draws, unit
from devices_sim.clock import DAY, HOUR
from devices_sim.errors import BadState
from devices_sim.fleet import Device, Plan
from devices_sim.sensors import Sensor
from devices_sim.truth import Happening, Reading, Truth
from devices_sim.users import Closets, Users
from devices_sim.world import state as states
from devices_sim.world import trouble
from devices_sim.world.kinds import KINDS, MODELS, Model
from devices_sim.world.state import State

STORE = 2_000
"""Readings that a device can keep while it has no connection; then it forgets the oldest, as devices do."""
json = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Machine:
    """One device with everything that never changes, its state, and what waits for a PUBACK."""

    device: Device
    model: Model
    use: usage.Usage | None
    sensors: tuple[Sensor, ...]
    state: State
    every: int
    anonymous: bool  # sends neither boot nor seq
    queue: deque[Reading] = field(default_factory=deque)
    events: list[trouble.Trouble] = field(default_factory=list)
    day: int = -1
    today: list[trouble.Trouble] = field(default_factory=list)


@dataclass(slots=True)
class Counts:
    """Since the world began."""

    published: int = 0  # readings made
    acked: int = 0
    duplicates: int = 0  # acknowledgements of what had one
    refused: int = 0  # MQTT 5 said no
    dropped: int = 0  # forgotten by a full device
    missed: int = 0  # failed to be taken at all
    sent: int = 0  # PUBLISH packets
    deaths: int = 0  # connections that were up and ended without our DISCONNECT: each leaves a last will


class World:
    """`advance` moves time; `save` puts what changed on record; only then may `queue`s be published."""

    def __init__(self, plan: Plan, truth: Truth, now: int) -> None:
        self.plan, self.truth = plan, truth
        self.start = int(truth.meta("start", str(now)))
        self.time = int(truth.meta("time", str(now)))
        self.counts = msgspec.json.decode(truth.meta("counts", "{}"), type=Counts)
        self.closets = self._closets()
        self.users = Users(plan, self.closets)
        self.happened = Counter(truth.counts())
        self.machines = self._machines()
        self.by_site: dict[str, list[Machine]] = {}
        for machine in self.machines:
            self.by_site.setdefault(machine.device.site.key, []).append(machine)
        self._due = [(machine.state.next, machine.device.index) for machine in self.machines]
        heapq.heapify(self._due)
        self._changed: set[int] = {m.device.index for m in self.machines}
        self._made: list[Reading] = []
        self._gone: list[int] = []
        self._arrived: list[int] = []
        self._wake()
        self.save()

    def _wake(self) -> None:
        """Queue what waits. A PUBACK may be in the log although the process ended before its reading was put away."""
        ranges = self.truth.acks.ranges
        for reading in self.truth.pending():
            known = ranges.get((reading.device, reading.boot))
            if reading.seq and known is not None and reading.seq in known:
                self.counts.acked += 1
                self._gone.append(reading.id)
            else:
                self.machines[reading.device].queue.append(reading)

    def _closets(self) -> Closets:
        new = not self.truth.meta("start")
        units = dict(self.plan.spares) if new else self.truth.closets()
        closets = Closets(units, float(self.truth.meta("unit_ms", "0")), self.time)
        if new:
            closets.changed.update(units)
            self.truth.set_meta("start", str(self.start))
        return closets

    def _machines(self) -> list[Machine]:
        saved = self.truth.states()
        if saved and len(saved) != len(self.plan.devices):
            raise BadState(
                f"{self.truth.folder} holds a world of {len(saved)} devices, the scenario {len(self.plan.devices)}: "
                "use the same --devices and scenario, or another --state"
            )
        events = trouble.of_scenario(self.plan, self.start)
        return [
            self._machine(device, saved.get(device.index), events.get(device.index, [])) for device in self.plan.devices
        ]

    def _machine(self, device: Device, saved: bytes | None, events: list[trouble.Trouble]) -> Machine:
        scenario, site, model = self.plan.scenario, device.site, MODELS[device.model]
        seed, rates = scenario.seed, scenario.trouble
        state = states.decode(saved) if saved else states.fresh(scenario, device, model, self.start)
        use = None
        if model.use:
            per_day = model.use * usage.spread(seed, device.name)
            use = usage.Usage(seed, device.name, per_day, site.zone, site.weekdays, site.closed, model.profile)
        chance = draws(seed, "habits", device.name)
        sleeper = chance.random() < rates.sleepers
        return Machine(
            device,
            model,
            use,
            tuple(
                sensors.fitted(seed, device.name, s.name, s.styles, s.quantum, rates.bad_sensors)
                for s in model.supplies
            ),
            state,
            every=scenario.report_every_ms * (chance.randint(4, 12) if sleeper else 1),
            anonymous=chance.random() < rates.no_seq,
            events=events,
        )

    # time
    def advance(self, now: int, limit: int = 500) -> bool:
        """Let at most `limit` devices report up to `now`; False if some still wait (call again after a breath)."""
        due = self._due
        while due and due[0][0] <= now and limit:
            ts, index = heapq.heappop(due)
            self.time = max(self.time, ts)
            machine = self.machines[index]
            self._live(machine, ts)
            jitter = unit(self.plan.scenario.seed, "jitter", index, machine.state.readings) - 0.5
            machine.state.next = ts + max(int(machine.every * (1 + 0.1 * jitter)), 1)
            heapq.heappush(due, (machine.state.next, index))
            limit -= 1
        caught_up = not due or due[0][0] > now
        if caught_up:
            self.time = max(self.time, now)
        return caught_up

    def _live(self, machine: Machine, now: int) -> None:
        """One device from its last moment to `now`: use, people, troubles, and a reading."""
        state, device = machine.state, machine.device
        signals = self._use(machine, now)
        for happened in self._troubles(machine, state.at, now):
            self._suffer(machine, happened)
        state.at = now
        state.readings += 1
        self._changed.add(device.index)
        if state.silent_until > now:
            return
        chance = draws(self.plan.scenario.seed, "reading", device.index, state.readings)
        if not signals and chance.random() < self.plan.scenario.trouble.missed:
            self.counts.missed += 1
            return
        self._report(machine, now, signals, chance)

    def _use(self, machine: Machine, now: int) -> list[str]:
        state, device, model = machine.state, machine.device, machine.model
        amount = machine.use.amount(state.at, now) if machine.use else 0.0
        if state.heavy_until > now:
            amount *= state.heavy
        if model.busiest:
            amount = min(amount, model.busiest * (now - state.at) / HOUR)
        days = (now - state.at) / DAY
        day = usage.local_day(device.site.zone, now)
        drained = KINDS[model.kind].drain(model, amount, days, self.plan.scenario.seed, device.name, day)
        for index, counter in enumerate(model.counters):
            state.used[index] += counter.per_use * amount
        signals = []
        for slot, loss in enumerate(drained):
            if loss <= 0:
                continue
            state.levels[slot] = max(state.levels[slot] - loss, 0.0)
            if state.levels[slot] < 30:
                signal = self.users.look(device, state, slot, now)
                if signal:
                    signals.append(signal)
        return signals

    def _troubles(self, machine: Machine, after: int, until: int) -> list[trouble.Trouble]:
        out = [t for t in machine.events if after < t.ts <= until]
        for day in range(after // DAY, until // DAY + 1):
            if machine.day != day:
                machine.day = day
                machine.today = trouble.of_day(self.plan.scenario, machine.device.name, day)
            out += [t for t in machine.today if after < t.ts <= until]
        return out

    def _suffer(self, machine: Machine, what: trouble.Trouble) -> None:
        state, ends = machine.state, what.ts + what.lasts
        slot = self._slot(machine, what)
        self.users.happened.append(
            Happening(what.ts, what.kind, machine.device.index, machine.model.supplies[slot].name)
        )
        match what.kind:
            case "network_loss":
                state.offline_until = max(state.offline_until, ends)
            case "silence":
                state.silent_until = max(state.silent_until, ends)
            case "bad_sensor":
                state.bad_until = ends
            case "hostile":
                state.hostile_until = ends
            case "heavy":
                state.heavy_until, state.heavy = ends, what.factor
            case "clock_error":
                state.skew_until, state.skew = ends, what.by
            case "reboot":
                state.boots, state.seq = state.boots + 1, 0
            case "board_swap":
                chance = draws(self.plan.scenario.seed, "board", machine.device.name, what.ts)
                state.offsets = [int(chance.choice((-1, 1)) * chance.randint(50_000, 900_000)) for _ in state.offsets]
                state.boots, state.seq = state.boots + 1, 0
            case "shaken":
                # a shaken cartridge prints on for a while: the level rises and no spare was used
                level = state.levels[slot]
                refill = machine.model.supplies[slot].refill
                if level < 30 and refill == "swap":
                    state.levels[slot] = level + 5

    def _slot(self, machine: Machine, what: trouble.Trouble) -> int:
        names = [s.name for s in machine.model.supplies]
        if what.slot in names:
            return names.index(what.slot)
        return min(range(len(names)), key=lambda slot: machine.state.levels[slot])

    # readings
    def _report(self, machine: Machine, now: int, signals: list[str], chance: Random) -> None:
        state, device, seed = machine.state, machine.device, self.plan.scenario.seed
        state.seq += 1
        boot = 0 if machine.anonymous else states.boot_of(seed, device.name, state.boots)
        seq = state.readings if machine.anonymous else state.seq
        ts = now + (state.skew if state.skew_until > now else 0)
        body = self._body(machine, now, ts, signals, chance)
        if boot:
            body |= {"boot": f"{boot:016x}", "seq": seq}
        payload = json(body)
        if state.hostile_until > now:
            payload, boot, seq = _junk(payload, chance), 0, 0
        self.counts.published += 1
        self._keep(machine, Reading(self.truth.reading_id(), device.index, boot, seq, now, payload), chance)

    def _keep(self, machine: Machine, reading: Reading, chance: Random) -> None:
        rates, queue = self.plan.scenario.trouble, machine.queue
        queue.append(reading)
        self._made.append(reading)
        # both are drawn in any case: chance must not depend on how long the queue is
        disorder, duplicate = chance.random() < rates.disorder, chance.random() < rates.duplicate
        if disorder and len(queue) > 1:
            queue[-1], queue[-2] = queue[-2], queue[-1]
        if duplicate and reading.seq:
            queue.append(reading)
        if len(queue) > STORE:
            self._gone.append(queue.popleft().id)
            self.counts.dropped += 1

    def _body(self, machine: Machine, now: int, ts: int, signals: list[str], chance: Random) -> dict[str, object]:
        state, model = machine.state, machine.model
        supplies = {}
        for slot, supply in enumerate(model.supplies):
            if supply.meter != "level":
                continue
            level = state.levels[slot]
            sensor = machine.sensors[slot]
            if state.bad_until > now:
                sensor = Sensor(sensor.style, sensor.quantum, sensor.noise, 0.5)
            shown = 100 - level if supply.ascending else level
            supplies[supply.name] = sensor.read(shown, supply.capacity, supply.unit, chance)
        counters = {}
        for index, counter in enumerate(model.counters):
            value = int(state.used[index]) + state.offsets[index]
            counters[counter.name] = value % counter.wrap if counter.wrap else max(value, 0)
        measures = KINDS[model.kind].measures(now, chance)
        body: dict[str, object] = {"v": 1, "ts": iso(ts)}
        parts = (("supplies", supplies), ("counters", counters), ("measures", measures), ("signals", signals))
        return body | {name: part for name, part in parts if part}

    # what others do to the world
    def deliver(self, site: str, sku: str, units: int, now: int) -> None:
        """Goods arrive at a site (`account/name`)."""
        if units <= 0:
            return
        now = max(now, self.time)
        self.closets.add(site, sku, units, now)
        self.users.happened.append(Happening(now, "delivered", value=float(units), slot=sku))
        pairs = [(m.device, m.state) for m in self.by_site.get(site, [])]
        self._changed.update(self.users.goods_came(pairs, sku, now))

    def arrived(self, job: int) -> None:
        """The supplier's delivery is done in truth; saved together with its goods."""
        self._arrived.append(job)

    def acknowledged(self, reading: Reading) -> None:
        junk = reading.boot == reading.seq == 0
        if junk or self.truth.acks.add(reading.device, reading.boot, reading.seq):
            self.counts.acked += 1
            state = self.machines[reading.device].state
            state.acked = max(state.acked, 0 if junk else reading.ts)
            self._gone.append(reading.id)
        else:
            self.counts.duplicates += 1

    def refused(self, reading: Reading) -> None:
        self.counts.refused += 1
        self._gone.append(reading.id)

    def online(self, index: int) -> bool:
        return self.machines[index].state.offline_until <= self.time

    def save(self) -> set[int]:
        """Everything since the last call on record, in one transaction. Returns the devices with new readings."""
        users, closets = self.users, self.closets
        self.truth.acks.write()
        if not (self._changed or self._made or self._gone or self._arrived or users.happened or closets.changed):
            return set()
        closets.pass_time(self.time)
        self.happened.update(happened.kind for happened in users.happened)
        devices = (self.machines[index] for index in self._changed)
        self.truth.save(
            ((m.device.index, m.device.site.account, m.device.name, states.encode(m.state)) for m in devices),
            self._made,
            users.happened,
            ((site, sku, closets.units[site, sku]) for site, sku in closets.changed),
            users.tells,
            self._gone,
            self._arrived,
            {"time": str(self.time), "counts": json(self.counts).decode(), "unit_ms": repr(closets.unit_ms)},
            users.counts,
        )
        self._changed.clear()
        ready = {reading.device for reading in self._made}
        self._made, self._gone, self._arrived = [], [], []
        users.happened, users.tells, users.counts = [], [], []
        closets.changed.clear()
        return ready


def iso(ts: int) -> str:
    """UTC with milliseconds, as devices write it."""
    return f"{datetime.fromtimestamp(ts // 1_000, UTC).isoformat()[:19]}.{ts % 1_000:03d}Z"


def _junk(payload: bytes, chance: Random) -> bytes:
    """What a hostile or broken device sends in place of a reading."""
    return chance.choice(
        (
            payload[: len(payload) // 2],
            b"\x00" + payload,
            b'{"v":1,"supplies":{"black":{"level":42}}}',
            b'{"v":1,"supplies":{"black":{"level":NaN}}}',
            b'{"v":9,"supplies":{"black":{"level":0.5}}}',
            b'{"v":1,"counters":{"pages":99999999999999999999}}',
            b'{"a":' * 50 + b"1" + b"}" * 50,
            b'{"v":1,"counters":{"pages":1,"pages":2}}',
            bytes(chance.randrange(256) for _ in range(64)),
        )
    )
