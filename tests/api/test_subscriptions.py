"""Subscriptions over HTTP: an account's administrator keeps them, the secret is shown once, every change is audited."""

from typing import Any

from ledger import tables as t
from ledger.notices.collect import collect
from ledger.roles import Role
from tests.support.api_world import ApiWorld

NEW: dict[str, Any] = {
    "name": "shop",
    "channel": "webhook",
    "target": "https://shop.example/hook",
    "account": "acme",
    "kinds": ["order.*"],
}
PATH = "/v1/subscriptions"


def test_made_changed_and_removed(world: ApiWorld) -> None:
    admin = world.client(Role.ACCOUNT_ADMIN)
    made = admin.post(PATH, NEW).json()
    assert made["secret"].startswith("whsec_")
    path = f"{PATH}/{made['id']}"
    assert "secret" not in admin.get(path).json()
    changed = admin("PATCH", path, json={"paused": True, "digest_minutes": 60}).json()
    assert (changed["paused"], changed["digest_minutes"], changed["kinds"]) == (True, 60, ["order.*"])
    assert admin("PATCH", path, json={"digest_minutes": 0}).json()["digest_minutes"] is None
    assert admin.post(f"{path}/secret").json()["secret"] not in {"", made["secret"]}
    assert admin("DELETE", path).status_code == 200
    assert admin.get(path).status_code == 404
    audited = world.rows(t.audit, t.audit.c.subject == f"subscription/{made['id']}")
    assert [row.action.partition(".")[2] for row in audited] == [
        "created",
        "changed",
        "changed",
        "secret_rotated",
        "removed",
    ]
    assert all(row.by == "Ann" for row in audited)
    assert made["secret"] not in str([(row.before, row.after) for row in audited])


def test_what_was_sent_is_listed_newest_first(world: ApiWorld) -> None:
    admin = world.client(Role.ACCOUNT_ADMIN)
    number = admin.get(PATH).json()["items"][0]["id"]
    before = admin.get(f"{PATH}/{number}/sent").json()["items"]
    name = admin.post(f"{PATH}/{number}/test").json()["message_id"]
    newest = admin.get(f"{PATH}/{number}/sent", limit=1).json()
    assert [one["message_id"] for one in newest["items"]] == [name]
    rest = admin.get(f"{PATH}/{number}/sent", cursor=newest["next"]).json()["items"]
    assert rest == before
    assert {one["state"] for one in rest} == {"waiting"}


def test_told_again(world: ApiWorld) -> None:
    admin = world.client(Role.ACCOUNT_ADMIN)
    number = admin.get(PATH).json()["items"][0]["id"]
    sent = len(admin.get(f"{PATH}/{number}/sent", limit=500).json()["items"])
    assert sent > 0
    assert admin.post(f"{PATH}/{number}/replay", {"after": 0}).json()["position"] == 0
    assert collect(world.ledger, world.now) == sent
    refused = admin.post(f"{PATH}/{number}/replay", {"after": 1 << 40})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")


def test_only_administrators_and_only_of_their_account(world: ApiWorld) -> None:
    for role in (Role.VIEWER, Role.BUYER, Role.APPROVER):
        assert world.client(role).post(PATH, NEW).status_code == 403
    admin = world.client(Role.ACCOUNT_ADMIN)
    assert admin.post(PATH, NEW | {"account": "umbra"}).status_code == 404
    assert admin.post(PATH, {name: value for name, value in NEW.items() if name != "account"}).status_code == 404
    assert world.operator.post(PATH, NEW | {"account": None}).json()["account_id"] is None


def test_a_wrong_address_says_so(world: ApiWorld) -> None:
    answer = world.operator.post(PATH, NEW | {"target": "ftp://x"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert "https://example.com/hook" in answer.json()["detail"]
