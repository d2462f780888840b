"""Every role x every route: what `ledger.roles` permits is let in, the rest is a 403. Also on the page."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.roles import PERMISSIONS, Permission, Role
from tests.api.test_isolation import BODIES, give_all, ids
from tests.support import reference
from tests.support.api_world import ApiWorld, Client, api_world

OPEN = {"/v1/time", "/healthz", "/readyz", "/metrics", "/v1/docs"}
ROUTES = [(method, route) for route in reference.routes() if route.path not in OPEN for method in route.methods]
BODY = {
    "/v1/fleet": {"nonsense": 1},
    "/v1/people": {"role": "nobody"},
    "/v1/tokens": {"name": ""},
    "/v1/quarantine/replay": {"ids": []},
    "/v1/quarantine/discard": {"ids": []},
}
"""Where no id is named: bodies that are refused after the role was looked at, so that nothing changes."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Iterator[ApiWorld]:
    with api_world(tmp_path_factory.mktemp("roles"), model) as world:
        give_all(world)
        yield world


@pytest.fixture(scope="module")
def callers(shared: ApiWorld) -> dict[Role, Client]:
    of = {role: shared.client(role) for role in Role if role is not Role.SUPPLIER}
    return of | {Role.SUPPLIER: shared.client(Role.SUPPLIER, (), supplier="papierwerk")}


def wanted(route: Any) -> set[Permission]:
    """One of these is asked for."""
    return set(map(Permission, filter(None, reference.who(route).split(" or "))))


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("method", "route"), ROUTES, ids=lambda part: getattr(part, "path", part))
def test_a_role_may_call_what_its_permissions_say(
    shared: ApiWorld, callers: dict[Role, Client], role: Role, method: str, route: Any
) -> None:
    needed = wanted(route)
    assert needed, "who may call this?"
    # an id that nobody has: whoever is let in finds nothing, and nothing changes for the next
    path = re.sub(r"\{\w+\}", "987654", route.path, count=1).format(**ids(shared, "acme"))
    body = BODY.get(route.path, BODIES.get(route.path, {})) if method != "GET" else None
    if path == "/v1/events":
        assert needed == {Permission.READ}  # streams for ever to who may
        return
    answer = callers[role](method, path, json=body)
    if needed & PERMISSIONS[role]:
        assert answer.status_code == (404 if "{" in route.path else answer.status_code), answer.text
        assert answer.status_code not in {401, 403, 500}, answer.text
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


PAGES = [(method, route) for route in reference.page_routes() for method in route.methods]
FORMS: dict[str, Permission] = {
    "/orders/{order_id}/approve": Permission.APPROVE,
    "/orders/{order_id}/reject": Permission.APPROVE,
    "/orders/{order_id}/cancel": Permission.ORDER,
    "/slots/{slot_id}/count": Permission.ORDER,
    "/slots/{slot_id}/{what}": Permission.ORDER,
    "/quarantine/{held_id}/replay": Permission.OPERATE,
    "/quarantine/{held_id}/discard": Permission.OPERATE,
    "/quarantine/replay": Permission.OPERATE,
    "/quarantine/discard": Permission.OPERATE,
}
FREE = {"/sign-in", "/sign-out", "/live"}


def test_every_form_of_the_page_is_in_the_table() -> None:
    assert {route.path for method, route in PAGES if method == "POST"} - FREE == set(FORMS)


@pytest.fixture(scope="module")
def browsers(shared: ApiWorld) -> dict[Role, tuple[Client, str]]:
    """Signed in, with the csrf of the session."""
    made = {}
    for role in Role:
        if role is Role.SUPPLIER:
            continue  # has no page
        browser = Client(shared.app, None)
        assert browser("POST", "/sign-in", data={"token": shared.token(role)}).status_code == 303
        found = re.search(r'name="csrf" value="(\w+)"', browser("GET", "/", headers={"Accept": "text/html"}).text)
        assert found
        made[role] = browser, found[1]
    return made


@pytest.mark.parametrize("path", sorted(FORMS))
@pytest.mark.parametrize("role", sorted(set(Role) - {Role.SUPPLIER}))
def test_a_role_may_send_the_forms_that_its_permissions_say(
    shared: ApiWorld, browsers: dict[Role, tuple[Client, str]], role: Role, path: str
) -> None:
    browser, csrf = browsers[role]
    target = re.sub(r"\{\w+_id\}", "987654", path).replace("{what}", "swapped")
    fields = {"csrf": csrf, "reason": "no", "sku": "TN-K", "units": "1"}
    answer = browser("POST", target, data=fields, headers={"Accept": "text/html"})
    if FORMS[path] in PERMISSIONS[role]:
        assert answer.status_code in {303, 404, 422}, answer.text
    else:
        assert answer.status_code == 403


def test_who_supplies_has_no_page(shared: ApiWorld) -> None:
    secret = shared.token(Role.SUPPLIER, (), supplier="papierwerk")
    assert Client(shared.app, None)("POST", "/sign-in", data={"token": secret}).status_code == 401
