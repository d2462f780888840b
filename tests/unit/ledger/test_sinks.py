"""Sinks: what reaches the other side, and what each of its answers means."""

import hashlib
import hmac
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.sinks import Endpoint, FileSink, WebhookSink
from models.outbox import Kind, OutboxRow, Rejected, Unsent
from models.stores import Unavailable
from tests.support.http_supplier import Supplier, listening

BODY = json.dumps({"purchase_order": 7}).encode()


def row(key: str = "purchase_order/7") -> OutboxRow:
    return OutboxRow(1, Kind.PURCHASE_ORDER, "purchase_order/7", -1, "supplier/3", BODY, key)


@pytest.fixture
def supplier() -> Iterator[Supplier]:
    with listening() as server:
        yield server


def post(url: str, timeout_s: float = 5.0) -> None:
    with WebhookSink(
        lambda _: Endpoint(url, "s3cret"), timeout_s=timeout_s, real_now=lambda: 1_795_000_000_999
    ) as sink:
        sink.deliver([row()])


def test_a_webhook_is_signed(supplier: Supplier) -> None:
    post(supplier.url)
    ((headers, body),) = supplier.got
    assert body == BODY
    assert headers["idempotency-key"] == "purchase_order/7"
    assert headers["content-type"] == "application/json"
    assert headers["ullage-timestamp"] == "1795000000"
    digest = hmac.new(b"s3cret", b"1795000000." + BODY, hashlib.sha256).hexdigest()
    assert headers["ullage-signature"] == f"v1={digest}"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, Rejected),
        (400, Rejected),
        (404, Rejected),
        (408, Unavailable),
        (429, Unsent),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
def test_what_an_answer_means(supplier: Supplier, status: int, error: type[Exception]) -> None:
    supplier.status = status
    with pytest.raises(error, match=f"supplier/3 at http.* answered {status}: because") as raised:
        post(supplier.url)
    assert type(raised.value) is error
    assert len(supplier.got) == 1  # a redirect is not followed


def test_no_answer_in_time_may_have_arrived(supplier: Supplier) -> None:
    supplier.wait = 0.3
    with pytest.raises(Unavailable, match="may have arrived") as raised:
        post(supplier.url, timeout_s=0.05)
    assert not isinstance(raised.value, Unsent)


def test_no_connection_is_surely_not_sent() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(Unsent, match="no connection"):
        post(f"http://127.0.0.1:{port}/")


def test_an_address_that_is_none() -> None:
    with pytest.raises(Rejected, match="correct the address"):
        post("gopher://example.org")


def test_files_are_whole_and_the_same_again(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "orders")
    sink.deliver([row()])
    sink.deliver([row()])
    (file,) = (tmp_path / "orders").iterdir()
    assert file.name == "purchase_order-7.json"
    assert file.read_bytes() == BODY


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "orders").write_text("a file where the folder should be")
    with pytest.raises(Unavailable, match="orders"):
        FileSink(tmp_path / "orders").deliver([row()])
