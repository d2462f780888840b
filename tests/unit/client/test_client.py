"""When a call is made again, and what goes over the line then."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from ullage import client
from ullage.client import AsyncClient, Client, Event, Retry
from ullage.client.events import Reader
from ullage.client.shapes import Asked, LineQuantity

QUICK = Retry(attempts=3, first_s=0.0)
TIME = {"now": "2026-11-21T09:30:00.250Z", "now_ms": 1, "speed": 1.0}


class Server:
    """Answers in turn, the last one for ever; an exception is a line that breaks."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def client(self, retry: Retry = QUICK) -> Client:
        return Client("http://ullage", "secret", retry=retry, transport=httpx.MockTransport(self))

    def async_client(self) -> AsyncClient:
        return AsyncClient("http://ullage", "secret", retry=QUICK, transport=httpx.MockTransport(self))


def refused(status: int, code: str = "some_code", **headers: str) -> httpx.Response:
    return httpx.Response(status, headers=headers, json={"status": status, "code": code, "detail": "why"})


OK = httpx.Response(200, json=TIME)
DELIVERED = httpx.Response(200, json={"state": "delivered"})
BROKEN = httpx.ConnectError("nobody there")


@pytest.mark.parametrize("first", [refused(503), refused(429, **{"Retry-After": "0"}), httpx.Response(502), BROKEN])
def test_what_passes_is_tried_again(first: httpx.Response | Exception) -> None:
    server = Server(first, first, OK)
    assert server.client().time().now == datetime(2026, 11, 21, 9, 30, 0, 250_000, UTC)
    assert len(server.asked) == 3


@pytest.mark.parametrize("first", [refused(404), refused(409), refused(422), refused(500)])
def test_what_does_not_pass_is_not(first: httpx.Response) -> None:
    server = Server(first, OK)
    with pytest.raises(client.Problem, match="some_code: why"):
        server.client().time()
    assert len(server.asked) == 1


def test_it_ends() -> None:
    server = Server(BROKEN)
    with pytest.raises(client.Unreachable, match="GET /v1/time: nobody there"):
        server.client().time()
    assert len(server.asked) == 3


def test_the_key_is_made_and_stays_the_same() -> None:
    server = Server(BROKEN, refused(503), DELIVERED, DELIVERED)
    with server.client() as ullage:
        ullage.deliver(1, [LineQuantity(line=1, quantity=2)])
        ullage.deliver(1, [LineQuantity(line=1, quantity=2)])
    keys = [request.headers["Idempotency-Key"] for request in server.asked]
    assert keys[0] == keys[1] == keys[2] != keys[3]
    assert server.asked[0].content == b'{"lines":[{"line":1,"quantity":2}]}'


def test_the_callers_own_key() -> None:
    server = Server(DELIVERED)
    server.client().deliver(1, [], key="mine")
    assert server.asked[0].headers["Idempotency-Key"] == "mine"


def test_a_call_that_might_happen_twice_is_not_made_twice() -> None:
    server = Server(BROKEN, OK)
    with pytest.raises(client.Unreachable):
        server.client().create_token("report")
    assert len(server.asked) == 1


def test_a_call_that_is_under_way_is_waited_for() -> None:
    server = Server(refused(409, **{"Retry-After": "0"}), DELIVERED)
    assert server.client().deliver(1, []).state == "delivered"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, client.BadRequest),
        (401, client.Unauthorized),
        (403, client.Forbidden),
        (404, client.NotFound),
        (409, client.Conflict),
        (412, client.PreconditionFailed),
        (422, client.Invalid),
        (429, client.TooManyRequests),
        (503, client.Unavailable),
        (500, client.Problem),
    ],
)
def test_problems_have_classes(status: int, kind: type[client.Problem]) -> None:
    with pytest.raises(kind) as caught:
        Server(refused(status, extra="x")).client(Retry(attempts=1)).time()
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.code, caught.value.detail) == (status, "some_code", "why")


def test_an_error_in_words_of_somebody_between() -> None:
    with pytest.raises(client.Problem) as caught:
        Server(httpx.Response(500, content=b"<html>")).client().time()
    assert (caught.value.code, caught.value.detail) == ("none", "Internal Server Error")


def test_waits_double_and_the_server_says_how_long() -> None:
    retry = Retry(attempts=20, first_s=1.0, longest_s=10.0)
    waits = [retry.wait(n, None, repeatable=True) for n in range(1, 8)]
    for wait, most in zip(waits, (1, 2, 4, 8, 10, 10, 10), strict=True):
        assert wait is not None
        assert most / 2 <= wait <= most
    assert retry.wait(1, refused(503, **{"Retry-After": "7"}), repeatable=True) == 7
    assert retry.wait(1, refused(503, **{"Retry-After": "3600"}), repeatable=True) == 10
    assert retry.wait(20, None, repeatable=True) is None


def test_names_stay_one_part_of_the_address() -> None:
    server = Server(refused(404))
    with pytest.raises(client.NotFound):
        server.client().reorder_named(7, "a/../b?c")
    assert server.asked[0].url.raw_path == b"/v1/devices/7/slots/a%2F..%2Fb%3Fc/reorder"


def test_times_need_a_zone() -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        Server(OK).client().show_forecast(1, before=datetime(2026, 11, 21))  # noqa: DTZ001 - that is the point


def test_lines_to_events() -> None:
    reader = Reader(3)
    lines = ["retry: 2000", ": hello", "", "event: missed", 'data: {"first":9}', "", ": alive", "", "id: 9"]
    lines += ["event: order.placed", 'data: {"id":9,"kind":"order.placed","subject":"order/1","account_id":1,']
    lines += ['data: "happened_at":"2026-11-21T09:30:00.250Z","data":{"by":"step"}}', ""]
    found = [event for line in lines if (event := reader.line(line)) is not None]
    moment = datetime(2026, 11, 21, 9, 30, 0, 250_000, UTC)
    assert found == [
        Event(8, "missed", data={"first": 9}),
        Event(9, "order.placed", "order/1", 1, moment, {"by": "step"}),
    ]
    assert reader.after == 9


def said(*numbers: int) -> httpx.Response:
    return httpx.Response(200, text="".join(f'data: {{"id":{n},"kind":"x"}}\n\n' for n in numbers))


def test_a_stream_that_breaks_goes_on_where_it_broke() -> None:
    server = Server(said(4, 5), BROKEN, said(6), refused(401))
    events = server.client().events(3)
    assert [next(events).id for _ in range(3)] == [4, 5, 6]
    with pytest.raises(client.Unauthorized):
        next(events)
    assert [request.url.params["after"] for request in server.asked] == ["3", "5", "5", "6"]


def test_a_stream_that_stays_away_ends() -> None:
    with pytest.raises(client.Unreachable, match="nobody there"):
        next(Server(BROKEN).client().events())


def test_the_same_with_asyncio() -> None:
    async def run() -> None:
        server = Server(BROKEN, refused(503), DELIVERED, said(4), BROKEN, said(5), refused(401))
        async with server.async_client() as ullage:
            assert (await ullage.deliver(1, [])).state == "delivered"
            assert len({request.headers["Idempotency-Key"] for request in server.asked}) == 1
            events = ullage.events(3)
            assert [(await anext(events)).id for _ in range(2)] == [4, 5]
            with pytest.raises(client.Unauthorized):
                await anext(events)

    asyncio.run(run())


def asked(outcome: str | None) -> httpx.Response:
    row: dict[str, Any] = dict.fromkeys(Asked.__struct_fields__)
    texts = {"id": "r-1", "kind": "count", "by": "Ann", "reason": "", "link": "/v1/requests/r-1", "outcome": outcome}
    numbers = dict.fromkeys(("account_id", "site_id", "cycle", "attempt"), 1)
    return httpx.Response(200, json=row | texts | numbers | {"created_at": "2026-11-21T09:30:00Z"})


def test_an_outcome_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ullage.client.synchronous.LOOK_EVERY_S", 0)
    ullage = Server(asked(None), asked(None), asked("counted")).client()
    first = ullage.count(1, "TN-K", 3)
    assert first.outcome is None
    assert ullage.outcome(first).outcome == "counted"
    assert ullage.outcome(first, within_s=0).outcome is None


def test_it_loads_nothing_of_the_server() -> None:
    loaded = "import sys, ullage.client; print(*{m for m in sys.modules if not m.startswith('ullage.client')})"
    found = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout.split()
    ours = {"models", "ingest", "streams", "journal", "ledger", "series", "sqlitefile", "api", "ullage", "numpy"}
    assert {name for name in found if name.split(".")[0] in ours} == {"ullage"}


def calls(one: type) -> set[str]:
    return {name for name in dir(one) if not name.startswith("_")}


def test_both_clients_have_the_same_calls() -> None:
    assert calls(Client) == calls(AsyncClient)
