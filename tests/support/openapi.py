"""The API's contract as it was last meant: docs/reference/openapi.json, which a test holds against the code.

Write it anew: `.venv/bin/python -m tests.support.openapi`. That takes additions only; if something in it would break
programs of others (`tests/support/breaking.py` says what that is), it says so and writes nothing, until you say
`--breaking`. Examples are left out: they may change as they like.
"""

import json
import sys
from types import SimpleNamespace
from typing import Any, Final, cast

from api.app import create_app
from api.services import Services
from tests.support.breaking import breaks
from tests.support.reference import DOCS

KEPT: Final = DOCS / "reference" / "openapi.json"


def current() -> dict[str, Any]:
    """As the code has it now."""
    app = create_app(cast("Services", SimpleNamespace(ledger=None)))  # nothing of it is asked
    return cast("dict[str, Any]", _without_examples(app.openapi()))


def kept() -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(KEPT.read_text()))


def text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _without_examples(part: Any, *, names: bool = False) -> Any:
    """`names`: the keys of this part are names of fields, and stay."""
    if isinstance(part, dict):
        kept = {key: value for key, value in part.items() if names or key not in {"example", "examples"}}
        return {key: _without_examples(value, names=key == "properties") for key, value in kept.items()}
    return [_without_examples(one) for one in part] if isinstance(part, list) else part


def renew(arguments: list[str]) -> int:
    document = current()
    broken = breaks(kept(), document) if KEPT.exists() else []
    if broken and "--breaking" not in arguments:
        print("\n".join(broken), file=sys.stderr)
        print(f"{len(broken)} would break programs of others: if it is meant, say --breaking", file=sys.stderr)
        return 1
    KEPT.write_text(text(document))
    return 0


if __name__ == "__main__":
    sys.exit(renew(sys.argv[1:]))
