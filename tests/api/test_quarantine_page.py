"""The page of what was set aside."""

import re

from ledger import tables as t
from ledger.decisions import poison
from ledger.roles import Role
from models.effects import Quarantined
from tests.api.test_pages import see, signed_in
from tests.support.api_world import T0, ApiWorld


def hold(world: ApiWorld, account: str, count: int, code: str = "not_json", raw: bytes = b"{") -> None:
    device = world.rows(t.device, t.device.c.account_id == world.accounts[account])[0].id
    with world.ledger.write() as tx:
        for n in range(count):
            assert poison.keep(tx, device, T0, code, f"{code} {n}", raw, source=f"{account}/{code}/{n}")


def number(world: ApiWorld, account: str) -> int:
    return int(world.rows(t.quarantine, t.quarantine.c.account_id == world.accounts[account])[-1].id)


def test_it_says_what_when_from_whom_why_and_what_to_do(still: ApiWorld) -> None:
    text = see(signed_in(still), "/quarantine")
    for words in (
        "A level outside of its range",
        "Correct what the device sends",
        "supplies.black.level is 42: use 0..1",
        "copier-0 at hq, umbra",
        "Wed 18 Nov 2026, 12:06",
        "1 by reason",
    ):
        assert words in text


def test_one_shows_everything_that_it_says(still: ApiWorld) -> None:
    text = see(signed_in(still), f"/quarantine/{number(still, 'umbra')}")
    rows = re.findall(r"<tr(.*?)>\s*<td>([\w.]+)</td><td>(.*?)</td>\s*<td>(.*?)</td>", text, re.DOTALL)
    assert [(path, "fault" in fault) for fault, path, _, _ in rows] == [
        ("v", False),
        ("boot", False),
        ("seq", False),
        ("supplies.black", True),
        ("supplies.beans", False),
    ]
    assert "use 0..1" in rows[3][3]
    assert "the device model has no slot of this name" in rows[4][3]
    assert "&#34;seq&#34;:11" in text


def test_home_leads_there_when_there_is_something(world: ApiWorld) -> None:
    browser = signed_in(world)
    hold(world, "umbra", 2)
    text = see(browser, "/")
    assert re.search(r'<a href="/quarantine">3 in quarantine</a>:\s*2 not json, 1 a level outside', text)
    with world.ledger.write() as tx:
        tx.execute(t.quarantine.update().values(state="discarded"))
    assert "in quarantine" not in see(browser, "/")
    assert "Nothing waits for a person" in see(browser, "/quarantine")


def test_another_account_sees_nothing_of_it(world: ApiWorld) -> None:
    hold(world, "acme", 3)
    theirs = signed_in(world)
    text = see(theirs, "/quarantine")
    assert "acme" not in text
    assert "Not JSON" not in text
    see(theirs, f"/quarantine/{number(world, 'acme')}", 404)
    assert "3" in see(signed_in(world, Role.VIEWER, ("acme",)), "/quarantine?code=not_json")


def test_what_nobody_sent_is_for_operators_of_all_accounts(world: ApiWorld) -> None:
    world.apply(Quarantined(0, T0, 0, 99, "unknown_device", "device 99 is not registered", b""))
    (row,) = world.rows(t.quarantine, t.quarantine.c.account_id.is_(None))
    see(signed_in(world), f"/quarantine/{row.id}", 404)
    text = see(signed_in(world, Role.PLANNER, None), f"/quarantine/{row.id}")
    assert "no known device" in text
    assert "Nothing of it was kept" in text


def test_pages_are_bounded_and_go_on(world: ApiWorld) -> None:
    hold(world, "umbra", 60)
    browser = signed_in(world)
    text = see(browser, "/quarantine?code=not_json")
    assert text.count('<li><a href="/quarantine/') == 50
    more = re.search(r'<a rel="next" href="(.*?)"', text)
    assert more
    rest = see(browser, "/quarantine" + more[1].replace("&amp;", "&"))
    assert rest.count('<li><a href="/quarantine/') == 10
    assert "level is 42" not in rest


def test_states_have_lists_of_their_own(world: ApiWorld) -> None:
    mine = world.client(Role.OPERATOR, ["umbra"])
    assert mine.post(f"/v1/quarantine/{number(world, 'umbra')}/discard").json()["state"] == "discarded"
    browser = signed_in(world)
    assert "level is 42" not in see(browser, "/quarantine")
    assert "discarded by Ann" in see(browser, "/quarantine?state=discarded")
    see(browser, "/quarantine?state=lost", 422)


def test_what_a_device_wrote_is_text(world: ApiWorld) -> None:
    raw = b'{"<script>alert(1)</script>": "\\ud800", "supplies": {"<b>": {"level": 42}}}'
    hold(world, "umbra", 1, "bad_name", raw)
    text = see(signed_in(world), f"/quarantine/{number(world, 'umbra')}")
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text
