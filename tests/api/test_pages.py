"""The page as a browser without scripts uses it."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest

from api import pages
from api.pages.render import CSP
from ledger import tables as t
from ledger import tokens
from ledger.roles import Role
from models.units import HOUR
from tests.support.api_world import ApiWorld, Client

HTML = {"Accept": "text/html"}


def signed_in(world: ApiWorld, role: Role = Role.APPROVER, accounts: tuple[str, ...] = ("umbra",)) -> Client:
    browser = Client(world.app, None)
    answer = browser("POST", "/sign-in", data={"token": world.token(role, accounts)})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    return browser


def see(browser: Client, path: str, status: int = 200) -> str:
    answer = browser("GET", path, headers=HTML)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-security-policy"] == CSP
    return answer.text


def send(browser: Client, page: str, action: str, **fields: Any) -> httpx.Response:
    csrf = re.search(r'name="csrf" value="(\w+)"', see(browser, page))
    assert csrf
    return browser("POST", action, data={"csrf": csrf[1]} | fields)


@pytest.mark.parametrize(
    "path",
    [
        "/", "/orders", "/orders/2", "/slots/6", "/?site=2", "/orders?state=awaiting", "/quarantine", "/quarantine/2",
    ],
)  # fmt: skip
def test_pages_need_nothing_inline(still: ApiWorld, path: str) -> None:
    """The Content-Security-Policy forbids it, so a page with it would be broken."""
    text = see(signed_in(still), path)
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|<script>|https?://(?!www\.w3\.org)", text)
    assert len(text) < 200_000
    assert '<main id="main"' in text


class Outline(HTMLParser):
    """Which element each table is in, and which widths are fixed."""

    VOID = frozenset({"meta", "link", "input", "br", "hr", "img"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.around: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table" and "slots" not in (dict(attrs).get("class") or ""):
            self.around.append(self.open[-1])
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            while self.open.pop() != tag:
                pass


STYLE = (Path(pages.__file__).parents[1] / "static" / "ullage.css").read_text()
NARROW = STYLE.split("@media (max-width: 40rem)")[1]


@pytest.mark.parametrize(
    "path", ["/", "/orders", "/orders/2", "/slots/6", "/quarantine", "/quarantine/2", "/sign-in", "/v1/docs"]
)
def test_pages_fit_a_phone(still: ApiWorld, path: str) -> None:
    """The screen's own width is used, and what is wider than it, tables, scrolls by itself (or falls apart: slots)."""
    text = see(Client(still.app, None) if path == "/sign-in" else signed_in(still), path)
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in text
    assert not re.search(r'<(?!svg|rect|line|circle|path|polygon|text)\w+[^>]* width="\d', text)
    assert set(Outline(text).around) <= set(re.findall(r"(\w+) > table", NARROW))
    assert "overflow-x: auto" in NARROW


def test_nothing_is_wider_than_a_phone() -> None:
    """320 CSS pixels, 20 rem, is the narrowest that is sold."""
    for name, value in re.findall(r"(min-width|(?<![-\w])width): ([\d.]+)rem", STYLE):
        assert float(value) <= 20, (name, value)
    assert not re.search(r"(?<!max-)width: \d+px", STYLE)


def test_without_a_session_it_asks_to_sign_in(still: ApiWorld) -> None:
    for path in ("/", "/orders", "/orders/1", "/slots/1", "/quarantine", "/quarantine/1"):
        answer = Client(still.app, None)("GET", path, headers=HTML)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert Client(still.app, None).get("/live").status_code == 401


def test_a_link_signs_in_once(world: ApiWorld) -> None:
    with world.ledger.write() as tx:
        made = tokens.create(tx, "demo", Role.OPERATOR, world.real, accounts=None)
        code = tokens.make_link(tx, made.token.id, world.real)
    browser = Client(world.app, None)
    assert code in see(browser, f"/sign-in?code={code}")
    assert code in see(browser, f"/sign-in?code={code}")  # looking at it does not use it up
    answer = browser("POST", "/sign-in", data={"code": code})
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "Empty first" in see(browser, "/")
    assert Client(world.app, None)("POST", "/sign-in", data={"code": code}).status_code == 401


def test_a_session_ends(world: ApiWorld) -> None:
    browser = signed_in(world)
    see(browser, "/")
    forged = Client(world.app, None)
    forged.cookies.set("ullage_session", browser.cookies["ullage_session"].replace(".", ".9", 1))
    assert forged.get("/").status_code == 303
    with world.ledger.write() as tx:
        tokens.revoke(tx, world.rows(t.token)[-1].id, world.real)
    assert browser.get("/").status_code == 303
    late = signed_in(world)
    world.real += 12 * HOUR
    assert late.get("/").status_code == 303


def test_signing_out(world: ApiWorld) -> None:
    browser = signed_in(world)
    assert send(browser, "/", "/sign-out").headers["location"] == "/sign-in"
    assert browser.get("/").status_code == 303


def test_home_shows_what_is_mine(still: ApiWorld) -> None:
    text = see(signed_in(still), "/")
    assert "acme" not in text
    assert text.count('class="bar') == 4
    see(signed_in(still), "/slots/1", 404)
    see(signed_in(still), "/orders/1", 404)


def test_an_order_shows_why_and_what_else(still: ApiWorld) -> None:
    number = still.rows(t.order, t.order.c.state == "awaiting")[0].id
    text = see(signed_in(still), f"/orders/{number}")
    for words in ("A day earlier", "2.0 %", "15 %", "zweitwerk", "60.00 EUR", "Receipt", "instead of", "Approve 54.90"):
        assert words in text


def test_a_slot_shows_its_forecast(still: ApiWorld) -> None:
    text = see(signed_in(still), f"/slots/{still.slots['umbra'][1]}")
    assert text.count('<polygon class="band') == 2
    assert '<polyline class="level"' in text
    assert '<line class="refill"' in text
    assert "We have" in text
    see(signed_in(still), f"/slots/{still.slots['umbra'][4]}")  # nothing was heard of it


def test_approve_reject_cancel(world: ApiWorld) -> None:
    browser = signed_in(world)
    first, second = [row.id for row in world.rows(t.order, t.order.c.state == "awaiting")]
    answer = send(browser, f"/orders/{first}", f"/orders/{first}/approve")
    assert answer.headers["location"] == f"/orders/{first}"
    assert f"order {first} is approved" in see(browser, f"/orders/{first}")
    assert "is approved</p>" not in see(browser, f"/orders/{first}")  # a note is shown once
    send(browser, f"/orders/{second}", f"/orders/{second}/reject", reason="too dear")
    approval = world.rows(t.approval, t.approval.c.order_id == second)[-1]
    assert (approval.decision, approval.by, approval.reason) == ("rejected", "Ann", "too dear")
    proposed = world.rows(t.order, t.order.c.state == "placed")[0].id
    buyer = signed_in(world, Role.BUYER, ("acme",))
    assert "Approve" not in see(buyer, f"/orders/{proposed}")
    send(buyer, f"/orders/{proposed}", f"/orders/{proposed}/cancel")
    assert world.rows(t.order, t.order.c.id == proposed)[0].state == "cancel_requested"


@pytest.mark.parametrize(
    ("what", "fields", "kind"),
    [
        ("swapped", {}, "swapped"),
        ("reorder", {}, "reorder"),
        ("reverse", {"cycle": "1"}, "reverse"),
        ("count", {"sku": "TN-K", "units": "3"}, "count"),
    ],
)
def test_what_may_be_asked_for_a_slot(world: ApiWorld, what: str, fields: dict[str, str], kind: str) -> None:
    browser, slot = signed_in(world, Role.BUYER), world.slots["umbra"][1]
    answer = send(browser, f"/slots/{slot}", f"/slots/{slot}/{what}", **fields)
    assert answer.status_code == 303
    (row,) = world.rows(t.request)
    assert (row.kind, row.by) == (kind, "Ann")
    assert "the outcome will show here" in see(browser, f"/slots/{slot}")


def test_forms_of_others_are_refused(world: ApiWorld) -> None:
    browser, number = signed_in(world), world.rows(t.order, t.order.c.state == "awaiting")[0].id
    path = f"/orders/{number}/approve"
    assert browser("POST", path, data={"csrf": "0" * 64}).status_code == 403
    assert browser("POST", path, data={}).status_code == 403
    theirs = {"Origin": "https://evil.example"}
    csrf = re.search(r'name="csrf" value="(\w+)"', see(browser, "/"))
    assert csrf
    assert browser("POST", path, data={"csrf": csrf[1]}, headers=theirs).status_code == 403
    viewer = signed_in(world, Role.VIEWER)
    assert send(viewer, "/", path).status_code == 403
    assert world.rows(t.order, t.order.c.id == number)[0].state == "awaiting"


def test_what_people_wrote_is_text(world: ApiWorld) -> None:
    browser, number = signed_in(world), world.rows(t.order, t.order.c.state == "awaiting")[0].id
    send(browser, f"/orders/{number}", f"/orders/{number}/reject", reason="<script>alert(1)</script>")
    text = see(browser, f"/orders/{number}")
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_the_documentation_works_offline(still: ApiWorld) -> None:
    text = see(Client(still.app, None), "/v1/docs")
    assert "/v1/slots/{slot_id}/reorder" in text
    assert not re.search(r"<script|(src|href|action)=.?https?://|url\(", text)
