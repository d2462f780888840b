"""Taking a partition: which stores belong together, what is repaired, and what is refused with words that help."""

import pytest

from models.effects import Alert
from models.stores import Checkpoint, Fenced, StoreError
from streams.worker.ports import Logic
from streams.worker.recovery import OtherLogic, Recovered, StoresDisagree, recover
from tests.support import worker as kit


def journal() -> list[bytes]:
    return [kit.frame_bytes((1, 1, 5.0), (2, 2, 50.0)), kit.tick_bytes(2_000_000), kit.frame_bytes((2, 3, 4.0))]


def disks(offset: int, *, logic: str = "logic-1", ledger: int = 3, journal_id: str = "journal-1") -> kit.Disks:
    """A checkpoint at `offset`, the ledger at `ledger`, as if one worker had made them."""
    made = kit.Disks().add(*journal())
    fold = kit.FakeFold()
    stores = kit.stores_over(made)
    for record in stores.journal.read(0, 0, offset):
        fold.step(record.offset, kit.codec.decode(record.value), ())
    made.state["epoch"] = made.ledger["epoch"] = 1
    made.state["kept"] = [Checkpoint(journal_id, 1, offset, 0, logic, fold.snapshot())]
    made.ledger |= {"offset": ledger, "journal": "journal-1", "needs": {(1, 1, 0)} if ledger > 1 else set()}
    return made


def taken(made: kit.Disks, tmp_path: kit.Path, logic: Logic = kit.LOGIC, **changes: object) -> Recovered:
    return recover(
        0, kit.stores_over(made), logic, kit.config_in(tmp_path, **changes), kit.Time().clocks(), lambda: None
    )


def test_replay_ends_where_the_ledger_is_and_repeats_no_effect(tmp_path: kit.Path) -> None:
    made = disks(0)
    recovered = taken(made, tmp_path)
    assert recovered.folder.offset == 3
    assert recovered.owned.epoch == made.ledger["epoch"] == made.state["epoch"] == 2
    assert recovered.repairs == []
    assert recovered.folder.fold.open_needs() == {(1, 1, 0)}
    assert made.ledger["rows"] == {}


def test_a_need_that_the_ledger_lost_is_offered_again(tmp_path: kit.Path) -> None:
    made = disks(0)
    made.ledger["needs"] = set()
    assert [kit.identity(e) for e in taken(made, tmp_path).repairs] == [("need", 1, 1, 0)]


def test_a_need_that_only_the_ledger_has_is_an_alert(tmp_path: kit.Path) -> None:
    made = disks(2)
    made.ledger["needs"].add((9, 4, 0))
    (alert,) = taken(made, tmp_path).repairs
    assert isinstance(alert, Alert)
    assert (alert.code, alert.subject) == ("need_unknown", "slot/9")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: setattr(d, "journal_id", "journal-2"), "the ledger follows journal journal-1, but this is"),
        (lambda d: d.ledger.__setitem__("offset", 9), "the ledger knows records up to 9, but the journal ends at 3"),
        (lambda d: d.ledger.__setitem__("offset", 1), "the checkpoint is at 2, but the ledger is at 1: .*older copy"),
        (lambda d: setattr(d, "earliest", 3), "the checkpoint is at 2, but the journal begins at 3: .*Restore a newer"),
        (lambda d: d.state.__setitem__("kept", []) or setattr(d, "earliest", 1), "there is no checkpoint, but"),
    ],
)  # fmt: skip
def test_stores_of_different_times_are_refused(change: object, message: str, tmp_path: kit.Path) -> None:
    made = disks(2)
    change(made)  # type: ignore[operator]
    with pytest.raises(StoresDisagree, match=message):
        taken(made, tmp_path)


def test_a_checkpoint_of_another_journal_is_refused(tmp_path: kit.Path) -> None:
    with pytest.raises(StoresDisagree, match="made from journal other, but this is journal journal-1"):
        taken(disks(2, journal_id="other"), tmp_path)


def test_a_ledger_older_than_the_state_is_told_and_not_taken_for_another_worker(tmp_path: kit.Path) -> None:
    made = disks(2)
    made.state["epoch"] = 7
    with pytest.raises(StoresDisagree, match=r"later epoch than the ledger gives.*older copy than the state"):
        taken(made, tmp_path)


def test_a_worker_that_came_between_ledger_and_state_is_no_old_ledger(
    tmp_path: kit.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = disks(2)
    claim = kit.FakeState.claim

    def overtaken(state: kit.FakeState, partition: int, epoch: int) -> None:
        made.ledger["epoch"] = made.state["epoch"] = epoch + 1
        claim(state, partition, epoch)

    monkeypatch.setattr(kit.FakeState, "claim", overtaken)
    with pytest.raises(Fenced):
        taken(made, tmp_path)


def test_another_logic_does_not_replay_what_was_decided(tmp_path: kit.Path) -> None:
    with pytest.raises(OtherLogic, match=r"version logic-0 .*clean stop .*--accept-logic"):
        taken(disks(2, logic="logic-0"), tmp_path)
    assert taken(disks(3, logic="logic-0"), tmp_path).folder.offset == 3  # nothing to replay: any version may go on
    assert taken(disks(2, logic="logic-0"), tmp_path, accept_logic=True).folder.offset == 3


def test_a_lost_state_store_is_rebuilt_from_a_whole_journal(tmp_path: kit.Path) -> None:
    made = disks(2)
    made.state = {"epoch": 0, "kept": []}
    assert taken(made, tmp_path).folder.fold.open_needs() == {(1, 1, 0)}


def test_a_damaged_checkpoint_is_told(tmp_path: kit.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(*_: object) -> None:
        raise StoreError("block 'slots' is damaged")

    monkeypatch.setattr(kit.FakeState, "load", damaged)
    with pytest.raises(StoreError, match="block 'slots' is damaged"):
        taken(disks(2), tmp_path)
