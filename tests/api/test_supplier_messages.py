"""What suppliers say: the published schemas and the API take the same, and the simulated suppliers say just that."""

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from api.routes.purchase_orders import Answers, Granted, Quantities
from tests.support.reference import DOCS

MODELS: dict[str, type[BaseModel]] = {
    "acknowledgement": Answers,
    "shipment": Quantities,
    "delivery": Quantities,
    "cancellation": Granted,
}
NUMBERS = st.integers(-1, 2) | st.sampled_from([1_000_000, 1_000_001])
ODD = st.none() | st.text(max_size=3) | st.booleans()
LINE = st.fixed_dictionaries(
    {},
    optional={
        "line": NUMBERS | ODD,
        "quantity": NUMBERS | ODD,
        "accepted": st.booleans() | ODD,
        "reason": ODD | st.sampled_from(["x" * 1000, "x" * 1001]) | NUMBERS,
        "more": ODD,
    },
)
BODY = st.fixed_dictionaries({}, optional={"lines": st.lists(LINE, max_size=3) | ODD, "granted": st.booleans() | ODD})


def schema(name: str) -> Any:
    return json.loads((DOCS / "schemas" / f"{name}.json").read_text())


def taken(name: str, body: Any) -> bool:
    try:
        MODELS[name].model_validate_json(json.dumps(body), strict=True)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("name", MODELS)
@given(body=BODY)
def test_the_schema_says_what_is_taken(name: str, body: Any) -> None:
    assert jsonschema.Draft202012Validator(schema(name)).is_valid(body) == taken(name, body)


@pytest.mark.parametrize("name", MODELS)
def test_the_examples_are_taken(name: str) -> None:
    assert all(taken(name, example) for example in schema(name)["examples"])
    assert not taken(name, {})


@pytest.mark.parametrize("name", ["acknowledgement", "shipment", "delivery"])
@pytest.mark.parametrize("lines", [0, 501])
def test_as_many_lines_as_the_schema_says(name: str, lines: int) -> None:
    body = {"lines": [{"line": n + 1, "quantity": 1} for n in range(lines)]}
    assert not taken(name, body)
    assert not jsonschema.Draft202012Validator(schema(name)).is_valid(body)
