"""The API keeps its word: nothing that programs of others rely on changes unless it is meant."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.support import openapi
from tests.support.breaking import breaks

Json = dict[str, Any]
ORDER = "/v1/orders/{order_id}"
RENEW = "write it anew: .venv/bin/python -m tests.support.openapi"


def test_nothing_breaks() -> None:
    """If a break is meant: write the contract anew with --breaking, and say so in the changelog."""
    assert breaks(openapi.kept(), openapi.current()) == []


def test_the_kept_contract_is_up_to_date() -> None:
    assert openapi.KEPT.read_text() == openapi.text(openapi.current()), RENEW


def _no_call(d: Json) -> None:
    del d["paths"][ORDER]["get"]


def _no_parameter(d: Json) -> None:
    d["paths"]["/v1/orders"]["get"]["parameters"].pop(0)


def _parameter_must(d: Json) -> None:
    d["paths"]["/v1/orders"]["get"]["parameters"][0]["required"] = True


def _no_field(d: Json) -> None:
    del d["components"]["schemas"]["Need"]["properties"]["sku"]


def _other_type(d: Json) -> None:
    d["components"]["schemas"]["Need"]["properties"]["units"] = {"type": "string"}


def _null(d: Json) -> None:
    d["components"]["schemas"]["Need"]["properties"]["units"] = {"anyOf": [{"type": "number"}, {"type": "null"}]}


def _may_miss(d: Json) -> None:
    d["components"]["schemas"]["Need"]["required"].remove("units")


def _must(d: Json) -> None:
    d["components"]["schemas"]["Lost"]["required"] = ["lines"]


def _narrower(d: Json) -> None:
    d["components"]["schemas"]["Lost"]["properties"]["reason"]["type"] = "integer"


def _body_must(d: Json) -> None:
    d["paths"][ORDER + "/cancel"]["post"]["requestBody"]["required"] = True


def _no_status(d: Json) -> None:
    del d["paths"]["/v1/slots/{slot_id}/reorder"]["post"]["responses"]["202"]


def _fewer_words(d: Json) -> None:
    d["components"]["schemas"]["OrderState"]["enum"].remove("placed")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_no_call, "GET /v1/orders/{order_id}: the call is gone"),
        (_no_parameter, "GET /v1/orders: parameter state is gone"),
        (_parameter_must, "GET /v1/orders: parameter state must be given"),
        (_no_field, "field sku is gone"),
        (_other_type, "units: was number, is string"),
        (_null, "units: was number, is null or number"),
        (_may_miss, "field units may be missing"),
        (_must, "POST /v1/orders/{order_id}/lost body: field lines must be given"),
        (_narrower, "POST /v1/orders/{order_id}/lost body.reason: was string, is integer"),
        (_body_must, "POST /v1/orders/{order_id}/cancel: a body must be given"),
        (_no_status, "POST /v1/slots/{slot_id}/reorder: status 202 is gone"),
        (_fewer_words, "GET /v1/orders ?state: does not take placed any more"),
    ],
)
def test_a_break_is_seen(change: Callable[[Json], None], told: str) -> None:
    old = openapi.kept()
    new = copy.deepcopy(old)
    change(new)
    found = breaks(old, new)
    assert any(told in one for one in found), found


def test_additions_do_not_break() -> None:
    old = openapi.kept()
    new = copy.deepcopy(old)
    new["paths"]["/v1/new"] = new["paths"]["/v1/orders"]
    new["paths"]["/v1/orders"]["get"]["parameters"].append({"in": "query", "name": "q", "schema": {"type": "string"}})
    new["components"]["schemas"]["Need"]["properties"]["more"] = {"type": "string"}
    new["components"]["schemas"]["Need"]["required"].append("more")
    new["components"]["schemas"]["Lost"]["properties"]["more"] = {"type": "string"}
    new["components"]["schemas"]["Lost"]["properties"]["reason"] = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    new["components"]["schemas"]["OrderState"]["enum"].append("shelved")
    assert breaks(old, new) == []


def test_examples_are_no_part_of_it() -> None:
    assert '"example"' not in openapi.KEPT.read_text()
