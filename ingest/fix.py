"""Corrections of a message that was refused: a whole one, or a JSON merge patch, also written as KEY=VALUE."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from ingest.limits import Rejected
from models.stores import StoreError

Patch = dict[str, Any]
_FIELDS: Final = {"supplies": {"level", "remaining", "unit", "state"}, "measures": {"value", "unit"}}
"""What may follow a name, which may have dots itself."""


class BadFix(StoreError):
    """A correction is neither KEY=VALUE nor a file with a JSON object."""


@dataclass(frozen=True, slots=True)
class Fix:
    """What to take in place of what was kept."""

    message: bytes | None = None
    patch: Patch | None = None

    def of(self, raw: bytes) -> bytes | Rejected | None:
        """The corrected message; None if nothing is corrected."""
        if self.message is not None or self.patch is None:
            return self.message
        return patched(raw, self.patch)


AS_IT_IS: Final = Fix()


def patched(raw: bytes, patch: Patch) -> bytes | Rejected:
    """The message with a patch applied."""
    try:
        message = json.loads(raw)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        return Rejected(
            "not_json", "what was kept is no JSON object, so no part of it can be corrected: give all of it"
        )
    return json.dumps(merged(message, patch)).encode()


def merged(target: Any, patch: Any) -> Any:
    """RFC 7396: objects are merged key by key, null removes, anything else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def assignments(texts: Sequence[str]) -> Patch:
    """`supplies.black.level=0.42`: the value is JSON, or else a text; null removes. Raises BadFix."""
    patch: Patch = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise BadFix(f"{text}: write KEY=VALUE, such as supplies.black.level=0.42")
        below = patch
        *path, last = _path(key)
        for part in path:
            below = below.setdefault(part, {})
            if not isinstance(below, dict):
                raise BadFix(f"{text}: {part} was set to a value before: say it once")
        below[last] = _value(value)
    return patch


def _path(key: str) -> list[str]:
    section, _, rest = key.partition(".")
    if not rest:
        return [section]
    name, _, field = rest.rpartition(".")
    if name and field in _FIELDS.get(section, ()):
        return [section, name, field]
    return [section, rest]


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
