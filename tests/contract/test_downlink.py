"""What every source of device messages must do, and that what it says fits the schema that ships."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import jsonschema
import pytest
from sqlalchemy import select

from ingest.downlink import DownlinkSource
from ledger import migrate, tables
from ledger.downlink import LedgerDownlink
from ledger.engine import open_ledger
from ledger.tables import account, order
from models.effects import Quarantined
from models.facts import NeedState
from models.orders import OrderState
from models.units import HOUR
from tests.contract.ledger.decisions.conftest import World as OrderWorld
from tests.support.gateway_fakes import FakeDownlink

SCHEMA = Path(__file__).parents[2] / "docs/schemas/orders.json"
VALID = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))


class World(Protocol):
    """Devices 1 and 2 with slots of which nothing is ordered yet."""

    source: DownlinkSource

    def need(self, device: int) -> None:
        """The device's slot must be refilled: a draft is made."""

    def place(self) -> None:
        """All drafts go to the supplier."""

    def reject(self) -> None:
        """A person says no to the last draft."""


class FakeWorld:
    def __init__(self, folder: Path) -> None:
        self.source = FakeDownlink()

    def need(self, device: int) -> None:
        message = {"v": 1, "need": device, "slot": "black", "sku": "TN-K", "units": 1, "state": "proposed", "order": 1}
        self.source.live[device] = [message]
        self.source.events.append((device, message))

    def place(self) -> None:
        for device, (message,) in self.source.live.items():
            self.source.live[device] = [message | {"state": "placed"}]
            self.source.events.append((device, message | {"state": "placed"}))

    def reject(self) -> None:
        device, (message,) = self.source.live.popitem()
        self.source.events.append((device, message | {"state": "refused", "reason": "too dear"}))

    def close(self) -> None:
        pass


class LedgerWorld:
    def __init__(self, folder: Path) -> None:
        self._ledger = open_ledger(f"sqlite:///{folder}/ledger.db")
        migrate.upgrade(self._ledger)
        self._world = OrderWorld(self._ledger)
        self.source = LedgerDownlink(self._ledger)

    def need(self, device: int) -> None:
        self._world.proposed(self._world.need(self._world.slots[device - 1]))

    def place(self) -> None:
        self._world.apply(after=HOUR)

    def reject(self) -> None:
        world = self._world
        world.change(account, mode=2)  # ask
        self.place()
        world.orders.reject(world.scope, world.last(order).id, reason="too dear", by="anna", now=world.now)

    def close(self) -> None:
        self._ledger.close()


@pytest.fixture(params=[FakeWorld, LedgerWorld])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    made = request.param(tmp_path)
    yield made
    made.close()


def valid(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for message in messages:
        VALID.validate(json.loads(json.dumps(message)))
        for key in ("since", "expected"):  # "format" alone checks nothing
            assert message.get(key) is None or datetime.fromisoformat(message[key]).tzinfo is not None
    return messages


def told(source: DownlinkSource, since: int) -> tuple[int, dict[int, dict[str, Any]]]:
    """The last message to each device."""
    reached, changes = source.changes(since)
    valid([message for _, message in changes])
    return reached, dict(changes)


def test_at_first_there_is_nothing(world: World) -> None:
    assert world.source.snapshot(1) == []
    last, nothing = world.source.changes(-1)
    assert nothing == []
    assert last >= 0
    assert world.source.changes(last) == (last, [])


def test_a_need_is_told_to_its_device_only(world: World) -> None:
    last, _ = world.source.changes(-1)
    world.need(1)
    (message,) = valid(world.source.snapshot(1))
    assert (message["slot"], message["sku"], message["state"]) == ("black", "TN-K", "proposed")
    assert world.source.snapshot(2) == []
    assert world.source.snapshot(99) == []
    reached, changed = told(world.source, last)
    assert changed == {1: message}
    assert reached > last
    assert world.source.changes(reached) == (reached, [])


def test_below_zero_it_says_only_where_it_is(world: World) -> None:
    world.need(1)
    last, nothing = world.source.changes(-1)
    assert nothing == []
    assert world.source.changes(last) == (last, [])


def test_a_step_of_the_order_is_told_to_all_whom_it_concerns(world: World) -> None:
    world.need(1)
    world.need(2)
    last, _ = world.source.changes(-1)
    world.place()
    _, changed = told(world.source, last)
    for device in (1, 2):
        assert changed[device]["state"] == "placed"
        assert valid(world.source.snapshot(device)) == [changed[device]]


def test_a_message_replaces_those_of_the_same_need(world: World) -> None:
    world.need(1)
    (before,) = world.source.snapshot(1)
    world.place()
    (after,) = world.source.snapshot(1)
    assert before["need"] == after["need"]
    assert before["state"] != after["state"]


def test_an_ended_need_is_told_once_more_and_then_forgotten(world: World) -> None:
    world.need(1)
    last, _ = world.source.changes(-1)
    world.reject()
    reached, changed = told(world.source, last)
    assert changed[1]["state"] == "refused"
    assert changed[1]["reason"]
    assert world.source.snapshot(1) == []
    assert world.source.changes(reached) == (reached, [])


def test_the_schema_names_every_state() -> None:
    ended = {state.name.lower() for state in NeedState if state is not NeedState.OPEN}
    assert set(VALID.schema["properties"]["state"]["enum"]) == {"open", *ended, *OrderState}


def test_what_the_decision_could_not_use_is_told_once_and_not_what_the_gateway_told(tmp_path: Path) -> None:
    with closing(open_ledger(f"sqlite:///{tmp_path}/ledger.db")) as ledger:
        migrate.upgrade(ledger)
        world, source = OrderWorld(ledger), LedgerDownlink(ledger)
        with ledger.read() as tx:
            first = tx.execute(select(tables.device.c.id).order_by(tables.device.c.id)).scalars().first()
        assert first is not None
        since, nothing = source.refusals(-1)
        assert nothing == []
        jumped = Quarantined(first, 5, 7, 8, "implausible_counter", "counter 0 jumped")
        world.apply(jumped, Quarantined(first, 6, 0, 9, "nul", "byte 0 is NUL", b"\0", told=True))
        reached, [(number, said)] = source.refusals(since)
        assert (number, said["code"], said["reason"]) == (first, "implausible_counter", "counter 0 jumped")
        errors = json.loads((SCHEMA.parent / "errors.json").read_text())
        jsonschema.validate(said, errors)
        assert source.refusals(reached) == (reached, [])
