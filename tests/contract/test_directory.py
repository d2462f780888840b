"""What every directory of devices must do, whatever is behind it: the gateway trusts nothing else about credentials."""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest

from ingest.directory import Directory, credential_matches
from ledger import migrate, outbox
from ledger.clock import real_ms
from ledger.directory import LedgerDirectory
from ledger.engine import open_ledger
from ledger.fleet import apply_fleet, parse_fleet
from ledger.ready import mark_ready
from ledger.registry import devices
from ledger.scope import NotFound, Scope
from models.outbox import Kind
from models.units import HOUR
from tests.contract.ledger.world import NOW, fleet_content
from tests.support.gateway_fakes import FakeDirectory, identity


class World(Protocol):
    """A directory that knows acme's copier-01 and coffee-01 and umbra's copier-01, none of them ready."""

    directory: Directory

    def make_ready(self) -> None: ...

    def rotate(self, account: str, name: str, *, overlap: bool = False) -> bytes:
        """The new token; with `overlap` the one before stays good as well."""

    def end_overlaps(self) -> None: ...

    def retire(self, account: str, name: str) -> None: ...


class FakeWorld:
    def __init__(self, folder: Path) -> None:
        names = [("acme", "copier-01"), ("acme", "coffee-01"), ("umbra", "copier-01")]
        self.directory = FakeDirectory(
            *(identity(n, account=a, device=d, ready=False) for n, (a, d) in enumerate(names, 1))
        )

    def make_ready(self) -> None:
        for known in list(self.directory.identities.values()):
            self.directory.put(replace(known, ready=True))

    def rotate(self, account: str, name: str, *, overlap: bool = False) -> bytes:
        token = secrets.token_urlsafe(32).encode()
        known = self.directory.lookup(account, name)
        before = known.credential if overlap and known else b""
        self._change(account, name, credential=hashlib.sha256(token).digest(), credential_before=before)
        return token

    def end_overlaps(self) -> None:
        for known in list(self.directory.identities.values()):
            if known.credential_before:
                self._change(known.account, known.device, credential_before=b"")

    def retire(self, account: str, name: str) -> None:
        self._change(account, name, retired=True)

    def _change(self, account: str, name: str, **changes: object) -> None:
        known = self.directory.lookup(account, name)
        assert known is not None
        self.directory.put(replace(known, **changes))  # type: ignore[arg-type]  # a field of whatever type

    def close(self) -> None:
        pass


class LedgerWorld:
    def __init__(self, folder: Path) -> None:
        self._ledger = open_ledger(f"sqlite:///{folder}/ledger.db")
        migrate.upgrade(self._ledger)
        apply_fleet(self._ledger, parse_fleet(fleet_content()), NOW)
        self.directory = LedgerDirectory(self._ledger)

    def make_ready(self) -> None:
        with self._ledger.write() as tx:
            while rows := outbox.claim(tx, "deliver", [Kind.FACT], NOW, 1_000):
                outbox.settle_delivered(tx, rows, NOW)
            mark_ready(tx)

    def rotate(self, account: str, name: str, *, overlap: bool = False) -> bytes:
        with self._ledger.write() as tx:
            number = self._id(account, name)
            return devices.rotate(tx, Scope.all(), number, overlap_ms=HOUR if overlap else 0).token.encode()

    def end_overlaps(self) -> None:
        with self._ledger.write() as tx:
            assert devices.end_overlaps(tx, real_ms()) == 0  # not yet
            assert devices.end_overlaps(tx, real_ms() + HOUR) == 1

    def retire(self, account: str, name: str) -> None:
        with self._ledger.write() as tx:
            devices.retire(tx, Scope.all(), self._id(account, name))

    def _id(self, account: str, name: str) -> int:
        found = self.directory.lookup(account, name)
        assert found is not None
        return found.device_id

    def close(self) -> None:
        self._ledger.close()


@pytest.fixture(params=[FakeWorld, LedgerWorld])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    made = request.param(tmp_path)
    yield made
    made.close()


def test_all_devices_come_first_by_version(world: World) -> None:
    reached, everyone = world.directory.changes(0)
    assert {(i.account, i.device) for i in everyone} == {
        ("acme", "copier-01"),
        ("acme", "coffee-01"),
        ("umbra", "copier-01"),
    }
    assert len({i.device_id for i in everyone}) == 3
    versions = [i.version for i in everyone]
    assert versions == sorted(versions)
    assert versions[-1] == reached > 0


def test_then_only_what_changed(world: World) -> None:
    reached, _ = world.directory.changes(0)
    assert world.directory.changes(reached) == (reached, [])
    world.rotate("acme", "coffee-01")
    later, (changed,) = world.directory.changes(reached)
    assert later == changed.version > reached
    assert (changed.account, changed.device) == ("acme", "coffee-01")
    assert world.directory.changes(later) == (later, [])


def test_a_look_up_says_what_a_poll_says(world: World) -> None:
    for known in world.directory.changes(0)[1]:
        assert world.directory.lookup(known.account, known.device) == known


def test_names_are_an_accounts_own(world: World) -> None:
    one, other = world.directory.lookup("acme", "copier-01"), world.directory.lookup("umbra", "copier-01")
    assert one is not None
    assert other is not None
    assert one.device_id != other.device_id
    for nobody in (("umbra", "coffee-01"), ("nobody", "copier-01"), ("acme", "nothing"), ("", "")):
        assert world.directory.lookup(*nobody) is None


def test_slots_and_counters_have_the_ledgers_integers(world: World) -> None:
    _, everyone = world.directory.changes(0)
    slots = [(i.account, i.device, name, slot) for i in everyone for name, slot in i.slots.items()]
    assert ("acme", "copier-01", "black") in {slot[:3] for slot in slots}
    assert len({slot[3].slot for slot in slots}) == len(slots)
    assert all(slot[3].capacity > 0 for slot in slots)
    known = world.directory.lookup("acme", "copier-01")
    assert known is not None
    assert known.counters[0] == "pages"


def test_a_device_becomes_ready(world: World) -> None:
    reached, before = world.directory.changes(0)
    assert not any(i.ready for i in before)
    world.make_ready()
    _, after = world.directory.changes(reached)
    assert len(after) == 3
    assert all(i.ready for i in after)


def test_a_rotated_credential_ends_the_old_one(world: World) -> None:
    first = world.rotate("acme", "copier-01")
    _, everyone = world.directory.changes(0)
    assert [i.device for i in everyone if credential_matches(i, first)] == ["copier-01"]
    reached, _ = world.directory.changes(0)
    world.rotate("acme", "coffee-01")
    (changed,) = world.directory.changes(reached)[1]
    assert not credential_matches(changed, first.swapcase())
    assert len(changed.credential) == 32


def test_while_a_rotation_takes_its_time_both_credentials_are_good(world: World) -> None:
    first = world.rotate("acme", "copier-01")
    second = world.rotate("acme", "copier-01", overlap=True)
    reached, everyone = world.directory.changes(0)
    for token in (first, second):
        assert [(i.account, i.device) for i in everyone if credential_matches(i, token)] == [("acme", "copier-01")]
    world.end_overlaps()
    (changed,) = world.directory.changes(reached)[1]
    assert credential_matches(changed, second)
    assert not credential_matches(changed, first)


def test_no_credential_is_not_an_empty_one(world: World) -> None:
    _, everyone = world.directory.changes(0)
    assert not any(credential_matches(i, b"") for i in everyone)


def test_a_retired_device_is_still_listed(world: World) -> None:
    reached, _ = world.directory.changes(0)
    world.retire("acme", "copier-01")
    (changed,) = world.directory.changes(reached)[1]
    assert (changed.device, changed.retired) == ("copier-01", True)
    assert world.directory.lookup("acme", "copier-01") == changed
    assert changed in world.directory.changes(0)[1]


def test_the_ledger_finds_a_device_by_its_number(tmp_path: Path) -> None:
    with closing(LedgerWorld(tmp_path)) as world:
        for known in world.directory.changes(0)[1]:
            assert world.directory.numbered(known.device_id) == known
        with pytest.raises(NotFound):
            world.directory.numbered(999_999)
