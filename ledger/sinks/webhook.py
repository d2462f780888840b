"""HTTP POST with a signature over time stamp and body, and an idempotency key that is the same at each attempt."""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from types import TracebackType
from typing import Final, NamedTuple, Self

import httpx

from ledger.clock import real_ms
from ledger.notices.collect import message_id
from ledger.notices.subscriptions import SECRET_MARK
from ledger.sinks.public import NotPublic, PublicTransport
from models.outbox import OutboxRow, Rejected, Unsent
from models.stores import Unavailable

TIMEOUT_S: Final = 10.0
ANSWER_BYTES: Final = 2_000  # of the answer, for the error's text
NOT_TAKEN = frozenset({429})  # the other side says that it has not looked at it
TRY_AGAIN = frozenset({408})


class Endpoint(NamedTuple):
    url: str
    secret: str


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """`v1=` and the hexadecimal HMAC-SHA256 of `<timestamp>.<body>`; timestamp in unix seconds."""
    return "v1=" + hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


Headers = Callable[[OutboxRow, Endpoint, int], dict[str, str]]
"""What goes out with a row to an endpoint at a time stamp (unix seconds)."""


def to_supplier(row: OutboxRow, endpoint: Endpoint, timestamp: int) -> dict[str, str]:
    return {
        "Idempotency-Key": row.key,
        "Ullage-Timestamp": str(timestamp),
        "Ullage-Signature": sign(endpoint.secret, timestamp, row.payload),
    }


def to_subscriber(row: OutboxRow, endpoint: Endpoint, timestamp: int) -> dict[str, str]:
    """As the specification Standard Webhooks 1.0 says: `webhook-signature` is `v1,` and the base64 HMAC-SHA256 of
    `<id>.<timestamp>.<body>`; the key is what follows `whsec_` in the secret, as base64."""
    name = message_id(row.key)
    key = base64.b64decode(endpoint.secret.removeprefix(SECRET_MARK))
    digest = hmac.new(key, f"{name}.{timestamp}.".encode() + row.payload, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(digest).decode()
    return {"webhook-id": name, "webhook-timestamp": str(timestamp), "webhook-signature": signature}


class WebhookSink:
    """2xx: taken. 408, 429, 5xx, no answer in time: again later. Any other answer, also a redirect: refused."""

    def __init__(
        self,
        endpoint_of: Callable[[str], Endpoint],
        *,
        headers: Headers = to_supplier,
        anywhere: bool = True,
        timeout_s: float = TIMEOUT_S,
        real_now: Callable[[], int] = real_ms,
        answered: Callable[[int, str], None] | None = None,
    ) -> None:
        """`endpoint_of` says where a row's target is, at each attempt anew; it may raise Rejected or Unavailable.

        `anywhere`: also at addresses that are not of the public internet; else such a one is refused. `answered` is
        told the code and the beginning of an answer that took the row."""
        self._endpoint_of = endpoint_of
        self._headers = headers
        self._anywhere = anywhere
        self._timeout_s = timeout_s
        self._real_now = real_now
        self._answered = answered

    def deliver(self, rows: Sequence[OutboxRow]) -> None:
        for row in rows:
            self._post(row, self._endpoint_of(row.target))

    @cached_property
    def _client(self) -> httpx.Client:
        """Made when the first row goes out: loading the certificates of the world takes longer than all of a start."""
        transport = None if self._anywhere else PublicTransport()
        return httpx.Client(
            timeout=self._timeout_s,
            follow_redirects=False,
            headers={"User-Agent": "ullage"},
            transport=transport,
            trust_env=self._anywhere,  # a proxy would connect in our place
        )

    def close(self) -> None:
        if "_client" in self.__dict__:
            self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _post(self, row: OutboxRow, endpoint: Endpoint) -> None:
        timestamp = self._real_now() // 1000
        headers = {"Content-Type": "application/json"} | self._headers(row, endpoint, timestamp)
        where = f"{row.target} at {endpoint.url}"
        deadline = time.monotonic() + self._timeout_s
        try:
            with self._client.stream("POST", endpoint.url, content=row.payload, headers=headers) as answer:
                if answer.is_success and self._answered is None:
                    return
                said = _beginning(answer, deadline)
            if answer.is_success and self._answered is not None:
                self._answered(answer.status_code, said)
                return
        except NotPublic as error:
            raise Rejected(f"{where}: {error}") from error
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Unsent(f"{where}: no connection ({error}): is it running, is the address right?") from error
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise Rejected(f"{where}: {error}: correct the address") from error
        except httpx.HTTPError as error:
            raise Unavailable(f"{where}: {type(error).__name__} {error}: it may have arrived") from error
        text = f"{where} answered {answer.status_code}: {said}"
        if answer.status_code in NOT_TAKEN:
            raise Unsent(text)
        if answer.status_code in TRY_AGAIN or answer.status_code >= 500:
            raise Unavailable(text)
        raise Rejected(text)


def _beginning(answer: httpx.Response, deadline: float) -> str:
    """So much of the answer as helps; a server that drips is not waited for."""
    got = b""
    for chunk in answer.iter_bytes(ANSWER_BYTES):
        got += chunk
        if len(got) >= ANSWER_BYTES or time.monotonic() > deadline:
            break
    return got[:ANSWER_BYTES].decode(errors="replace").strip()
