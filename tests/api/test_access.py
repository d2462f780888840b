"""Who may call what: tokens, roles, and a limit for who guesses."""

import pytest

from ledger import tables as t
from ledger import tokens
from ledger.roles import Role
from models.units import MINUTE, SECOND
from tests.support.api_world import ApiWorld, Client


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer "}])
def test_without_a_token_it_is_401(still: ApiWorld, headers: dict[str, str]) -> None:
    answer = Client(still.app, None)("GET", "/v1/slots", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["code"] == "unauthorized"


@pytest.mark.parametrize("path", ["/v1/time", "/healthz", "/readyz", "/metrics", "/v1/docs", "/v1/openapi.json"])
def test_some_need_none(still: ApiWorld, path: str) -> None:
    assert Client(still.app, None).get(path).status_code == 200


@pytest.mark.parametrize(
    ("role", "method", "path"),
    [
        (Role.VIEWER, "POST", "/v1/slots/1/reorder"),
        (Role.VIEWER, "POST", "/v1/orders/1/cancel"),
        (Role.BUYER, "POST", "/v1/orders/1/approve"),
        (Role.OPERATOR, "POST", "/v1/orders/1/approve"),
        (Role.ACCOUNT_ADMIN, "POST", "/v1/fleet"),
        (Role.BUYER, "POST", "/v1/purchase-orders/1/acknowledge"),
        (Role.PLANNER, "POST", "/v1/sites/1/spares"),
    ],
)
def test_a_role_may_do_what_it_may(still: ApiWorld, role: Role, method: str, path: str) -> None:
    answer = still.client(role)(method, path, json={"reason": "x", "sku": "TN-K", "units": 1, "lines": [{"line": 1}]})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert role in answer.json()["detail"]


def test_a_revoked_token_ends_within_a_second(world: ApiWorld) -> None:
    client = world.client(Role.VIEWER)
    assert client.get("/v1/slots").status_code == 200
    with world.ledger.write() as tx:
        tokens.revoke(tx, world.rows(t.token)[-1].id, world.real)
    world.real += SECOND
    assert client.get("/v1/slots").status_code == 401


def test_who_guesses_waits(world: ApiWorld) -> None:
    good = world.client(Role.VIEWER)
    assert good.get("/v1/time").status_code == 200
    bad = Client(world.app, "ullage_wrong")
    answers = [bad.get("/v1/slots").status_code for _ in range(25)]
    assert answers == [401] * 20 + [429] * 5
    limited = bad.get("/v1/slots")
    assert 0 < int(limited.headers["retry-after"]) <= 60
    world.real += MINUTE
    assert bad.get("/v1/slots").status_code == 401
    assert good.get("/v1/slots").status_code == 200


def test_a_token_in_use_is_not_stopped_by_others_at_its_address(world: ApiWorld) -> None:
    good, bad = world.client(Role.VIEWER), Client(world.app, "ullage_wrong")
    assert good.get("/v1/slots").status_code == 200
    assert [bad.get("/v1/slots").status_code for _ in range(21)][-1] == 429
    assert good.get("/v1/slots").status_code == 200
