"""Replay, correct and discard what was set aside: over HTTP, and by the buttons of the page."""

import json
import re
from typing import Any

import pytest

from journal.codec import decode
from ledger import tables as t
from ledger.decisions import poison
from ledger.ready import mark_ready
from ledger.roles import Role
from models.frame import Frame
from tests.api.test_pages import see, send, signed_in
from tests.support.api_world import REFUSED, T0, ApiWorld, Client

FIX = {"supplies": {"black": {"level": 0.42}}}
GOOD = b'{"boot":"a81f03c2d94e77b1","seq":12,"supplies":{"black":{"level":0.5}}}'


@pytest.fixture
def world(world: ApiWorld) -> ApiWorld:
    """The journal knows the fleet."""
    with world.ledger.write() as tx:
        tx.execute(t.outbox.delete())
        mark_ready(tx)
    return world


@pytest.fixture
def operator(world: ApiWorld) -> Client:
    return world.client(Role.OPERATOR, ["umbra"])


def hold(world: ApiWorld, account: str, raw: bytes = GOOD, code: str = "wrong_unit") -> int:
    device = world.rows(t.device, t.device.c.account_id == world.accounts[account])[0].id
    with world.ledger.write() as tx:
        source = f"{account}/{code}/{len(world.rows(t.quarantine))}"
        assert poison.keep(tx, device, T0, code, "it was so", raw, source=source)
    return int(world.rows(t.quarantine)[-1].id)


def held(world: ApiWorld, account: str) -> int:
    """What the world itself has set aside."""
    return int(world.rows(t.quarantine, t.quarantine.c.account_id == world.accounts[account])[0].id)


def readings(world: ApiWorld) -> list[tuple[int, list[float]]]:
    """(seq, levels) of each in the journal."""
    frames = [decode(value) for log in world.journal.logs for value in log]
    return [(int(f.readings[0]["seq"]), f.supplies["low"].tolist()) for f in frames if isinstance(f, Frame)]


def test_a_correction_becomes_a_reading_once(world: ApiWorld, operator: Client) -> None:
    path = f"/v1/quarantine/{held(world, 'umbra')}/replay"
    refused = operator.post(path)
    assert (refused.status_code, refused.json()["code"]) == (422, "refused_still")
    done = operator.post(path, {"fix": FIX, "reason": "a slip"}, key="k").json()
    assert (done["state"], done["settled_by"], done["note"], done["offset"]) == ("replayed", "Ann", "a slip", 0)
    assert json.loads(done["fixed"])["supplies"]["black"] == {"level": 0.42}
    assert done["raw"] == REFUSED.decode()
    again = operator.post(path, {"fix": FIX, "reason": "a slip"}, key="k")
    assert (again.json(), again.headers["idempotent-replayed"]) == (done, "true")
    settled = operator.post(path, {"fix": FIX})
    assert (settled.status_code, settled.json()["code"]) == (409, "settled")
    assert [seq for seq, _ in readings(world)] == [11]
    (row,) = world.rows(t.audit, t.audit.c.action == "quarantine.replayed")
    assert (row.by, row.before["state"], row.after["state"]) == ("Ann", "held", "replayed")


def test_a_whole_message_takes_its_place(world: ApiWorld, operator: Client) -> None:
    number = hold(world, "umbra", b"{", "not_json")
    assert operator.post(f"/v1/quarantine/{number}/replay", {"message": json.loads(GOOD)}).status_code == 200
    assert readings(world) == [(12, [50.0])]


def test_many_are_replayed_and_the_rest_stays(world: ApiWorld, operator: Client) -> None:
    good, other = hold(world, "umbra"), held(world, "umbra")
    assert {row["id"]: row["usable"] for row in operator.get("/v1/quarantine").json()["items"]} == {
        good: True,
        other: False,
    }
    done = operator.post("/v1/quarantine/replay", {"ids": [good, other]}).json()
    assert [one["id"] for one in done["replayed"]] == [good]
    assert [(one["id"], one["code"]) for one in done["kept"]] == [(other, "level_out_of_range")]
    device = world.rows(t.quarantine, t.quarantine.c.id == other)[0].device_id
    done = operator.post("/v1/quarantine/replay", {"device": device, "code": "level_out_of_range", "fix": FIX}).json()
    assert [one["id"] for one in done["replayed"]] == [other]


def test_all_that_can_be_used_is_replayed(world: ApiWorld, operator: Client) -> None:
    good, theirs = hold(world, "umbra"), hold(world, "acme")
    done = operator.post("/v1/quarantine/replay", {"released": True}).json()
    assert [one["id"] for one in done["replayed"]] == [good]
    assert [one["id"] for one in done["kept"]] == [held(world, "umbra")]
    assert world.rows(t.quarantine, t.quarantine.c.id == theirs)[0].state == "held"


def test_a_fleet_document_says_how_many_it_has_released(world: ApiWorld) -> None:
    hold(world, "umbra", b'{"boot":"a81f03c2d94e77b1","seq":13,"supplies":{"black":{"remaining":3,"unit":"bags"}}}')
    toner = {"name": "black", "capacity": 6, "unit": "bags", "days": 50, "products": [{"sku": "TN-K"}]}
    model = {"name": "copier", "counters": [{"name": "pages"}], "slots": [toner]}
    assert world.operator.post("/v1/fleet", {}).json()["released"] == 0
    assert world.operator.post("/v1/fleet", {"device_models": [model]}).json()["released"] == 1


def test_many_are_discarded_for_a_reason(world: ApiWorld, operator: Client) -> None:
    numbers = [hold(world, "umbra", code="noise") for _ in range(3)]
    assert operator.post("/v1/quarantine/discard", {"code": "noise"}).status_code == 422
    done = operator.post("/v1/quarantine/discard", {"code": "noise", "reason": "a test"}).json()
    assert done == {"discarded": numbers}
    again = operator.post("/v1/quarantine/discard", {"ids": numbers, "reason": "a test"}).json()
    assert again == {"discarded": []}
    gone = operator.get("/v1/quarantine", state="discarded").json()["items"]
    assert [(row["id"], row["note"]) for row in gone] == [(number, "a test") for number in reversed(numbers)]


@pytest.mark.parametrize(
    "body", [{}, {"ids": []}, {"ids": [1], "code": "x"}, {"ids": [1], "released": True}, {"ids": [0] * 501}]
)
def test_what_is_meant_must_be_said(world: ApiWorld, operator: Client, body: dict[str, Any]) -> None:
    assert operator.post("/v1/quarantine/replay", body).status_code == 422


def test_another_accounts_are_not_there(world: ApiWorld, operator: Client) -> None:
    theirs, mine = hold(world, "acme"), hold(world, "umbra")
    for call, more in (("replay", {}), ("discard", {"reason": "x"})):
        hidden = operator.post(f"/v1/quarantine/{call}", {"ids": [mine, theirs]} | more)
        missing = operator.post(f"/v1/quarantine/{call}", {"ids": [mine, 987654]} | more)
        assert hidden.status_code == missing.status_code == 404
        assert hidden.json()["detail"] == missing.json()["detail"].replace("987654", str(theirs))
    assert operator.post("/v1/quarantine/discard", {"code": "wrong_unit", "reason": "x"}).json() == {
        "discarded": [mine]
    }
    assert readings(world) == []


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.OPERATOR, Role.SUPPLIER}))
def test_only_operators_settle(world: ApiWorld, role: Role) -> None:
    number = hold(world, "umbra")
    client = world.client(role, ["umbra"])
    calls = [("/v1/quarantine/replay", {"ids": [number]}), ("/v1/quarantine/discard", {"ids": [number], "reason": "x"})]
    calls += [(f"/v1/quarantine/{number}/{call}", {}) for call in ("replay", "discard")]
    assert {client.post(path, body).status_code for path, body in calls} == {403}
    browser = signed_in(world, role, ("umbra",))
    assert "<button>Discard" not in see(browser, f"/quarantine/{number}")
    for path in ("/quarantine/replay", "/quarantine/discard", f"/quarantine/{number}/replay"):
        assert send(browser, "/", path, code="wrong_unit", reason="x").status_code == 403
    assert world.rows(t.quarantine, t.quarantine.c.id == number)[0].state == "held"


def test_buttons_of_one(world: ApiWorld) -> None:
    browser, wrong, good = signed_in(world, Role.OPERATOR), held(world, "umbra"), hold(world, "umbra")
    assert "Replay</button>" in see(browser, f"/quarantine/{good}")
    send(browser, f"/quarantine/{good}", f"/quarantine/{good}/replay")
    assert "It is a reading now." in see(browser, f"/quarantine/{good}")
    text = see(browser, f"/quarantine/{wrong}")
    assert "Replay</button>" not in text
    area = re.search(r"<textarea.*?>(.*?)</textarea>", text, re.DOTALL)
    assert area
    assert area[1].replace("&#34;", '"') == REFUSED.decode()
    send(browser, f"/quarantine/{wrong}", f"/quarantine/{wrong}/replay", message=REFUSED.decode())
    assert "Not replayed" in see(browser, f"/quarantine/{wrong}")
    send(browser, f"/quarantine/{wrong}", f"/quarantine/{wrong}/replay", message=GOOD.decode(), reason="a slip")
    shown = see(browser, f"/quarantine/{wrong}")
    for words in ("replayed", "by Ann", "a slip", "As it was corrected"):
        assert words in shown
    assert [seq for seq, _ in readings(world)] == [12, 12]


def test_buttons_of_many(world: ApiWorld) -> None:
    browser = signed_in(world, Role.OPERATOR)
    number = hold(world, "umbra")
    assert "can be replayed" in see(browser, "/quarantine")
    send(browser, "/quarantine", "/quarantine/replay", code="")
    assert "1 replayed, 1 are refused still." in see(browser, "/quarantine")
    assert readings(world) == [(12, [50.0])]
    noise = hold(world, "umbra", code="noise")
    send(browser, "/quarantine?code=noise", "/quarantine/discard", code="noise", reason="")
    assert "Say why" in see(browser, "/quarantine")
    send(browser, "/quarantine?code=noise", "/quarantine/discard", code="noise", reason="a test")
    assert "1 discarded." in see(browser, "/quarantine")
    states = {row.id: row.state for row in world.rows(t.quarantine)}
    assert (states[number], states[noise]) == ("replayed", "discarded")


def test_discarding_one_on_the_page_needs_a_reason(world: ApiWorld) -> None:
    browser, number = signed_in(world, Role.OPERATOR), held(world, "umbra")
    send(browser, f"/quarantine/{number}", f"/quarantine/{number}/discard")
    assert "Say why" in see(browser, f"/quarantine/{number}")
    send(browser, f"/quarantine/{number}", f"/quarantine/{number}/discard", reason="a test")
    assert "It is discarded." in see(browser, f"/quarantine/{number}")
    assert "a test" in see(browser, f"/quarantine/{number}")
