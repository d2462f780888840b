"""A call as HTTP carries it, the same for both clients: address, query, body, key; and its answer, typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx
import msgspec

from ullage.client.problems import problem

Kind = TypeVar("Kind")
Item = TypeVar("Item")
KEY: Final = "Idempotency-Key"
JSON: Final = {"Content-Type": "application/json"}


class Page(msgspec.Struct, Generic[Item], frozen=True):
    items: list[Item]
    next: str | None


@dataclass(frozen=True, slots=True)
class Call(Generic[Kind]):
    """`once`: the server keeps its answer by an Idempotency-Key; the key is made here unless the caller has one."""

    method: str
    path: str
    answer: type[Kind]
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str | None] = field(default_factory=dict)
    body: Any = None
    once: bool = False
    key: str | None = None

    @property
    def repeatable(self) -> bool:
        """Made twice it does what it does once."""
        return self.once or self.method != "POST"

    def request(self, http: httpx.Client | httpx.AsyncClient) -> httpx.Request:
        """Built once per call: what is sent again is the same, its key included."""
        headers = {name: value for name, value in self.headers.items() if value is not None}
        if self.once:
            headers[KEY] = self.key or uuid4().hex
        content = None
        if self.body is not None:
            content, headers = msgspec.json.encode(_given(self.body)), headers | JSON
        query = {name: _text(value) for name, value in self.query.items() if value is not None}
        return http.build_request(self.method, self.path, params=query, headers=headers, content=content)


def behind(call: Call[Kind], cursor: str) -> Call[Kind]:
    """The same for the next page."""
    return replace(call, query={**call.query, "cursor": cursor})


def path(template: str, **names: int | str) -> str:
    """Names may hold anything; they stay one part of the address."""
    return template.format_map({name: quote(str(value), safe="") for name, value in names.items()})


def typed(answer: httpx.Response, kind: type[Kind]) -> Kind:
    """Raises Problem. Fields that this version does not know are left out: the server may be newer."""
    if not answer.is_success:
        raise problem(answer)
    return msgspec.json.decode(answer.content, type=kind)


def headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _given(body: Any) -> Any:
    """Without what the caller left out."""
    return {k: v for k, v in body.items() if v is not msgspec.UNSET} if isinstance(body, dict) else body


def _text(value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is None:
        raise ValueError(f"{value}: without a time zone; say which, such as datetime.UTC")
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
