"""What goes wrong, as exceptions: one class per status, the server's stable code and words inside."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import httpx
import msgspec


class ClientError(Exception):
    """Everything that this package raises of its own."""


class Unreachable(ClientError):
    """No answer came, however often it was tried."""


class Problem(ClientError):
    """The server's answer was an error. `code` is stable, for programs; `detail` is for people."""

    def __init__(self, status: int, code: str, detail: str, more: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status, self.code, self.detail, self.more = status, code, detail, more


class BadRequest(Problem):
    """400: the call makes no sense, such as a cursor of somewhere else."""


class Unauthorized(Problem):
    """401: no token, or a wrong one."""


class Forbidden(Problem):
    """403: the token's role or scopes do not permit it."""


class NotFound(Problem):
    """404: there is no such object that the caller may see."""


class Conflict(Problem):
    """409: its state does not permit it."""


class PreconditionFailed(Problem):
    """412: somebody else has changed it since."""


class Invalid(Problem):
    """422: the call does not say what it must; `more["errors"]` names the fields."""


class TooManyRequests(Problem):
    """429: slow down."""


class Unavailable(Problem):
    """503: a store is away; it was tried again already."""


BY_STATUS: Final[Mapping[int, type[Problem]]] = MappingProxyType(
    {
        400: BadRequest,
        401: Unauthorized,
        403: Forbidden,
        404: NotFound,
        409: Conflict,
        412: PreconditionFailed,
        422: Invalid,
        429: TooManyRequests,
        503: Unavailable,
    }
)


def problem(answer: httpx.Response) -> Problem:
    """Of an answer that is an error; also where something between us and the server answered in words of its own."""
    try:
        body = msgspec.json.decode(answer.content, type=dict[str, Any])
    except msgspec.DecodeError:
        body = {}
    code, detail = str(body.get("code", "none")), str(body.get("detail", answer.reason_phrase))
    return BY_STATUS.get(answer.status_code, Problem)(answer.status_code, code, detail, body)
