"""Notices on their way out: signed as a stranger's library verifies them, never into the house, mail that is mail."""

import email
import json
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from standardwebhooks import Webhook

from ledger.clock import real_ms
from ledger.mail_server import MailServer
from ledger.notices.subscriptions import SECRET_MARK
from ledger.sinks import Endpoint, MailSink, WebhookSink, to_subscriber
from ledger.sinks.public import is_public
from models.outbox import Kind, OutboxRow, Rejected, Unsent
from models.stores import Unavailable
from tests.support.webhooks import Receiver, receiving

SECRET = SECRET_MARK + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
DATA = {"text": "order 17: placed; 2 x TN-Ä", "happened_at": "2026-11-21T09:30:00.250Z", "subject": "order/17"}
BODY = json.dumps({"type": "order.placed", "data": DATA}).encode()


def row(body: bytes = BODY) -> OutboxRow:
    return OutboxRow(1, Kind.WEBHOOK, "subscription/3/order/17", -1, "subscription/3", body, "msg_3_117/0")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


def post(url: str, *, anywhere: bool, timestamp: int | None = None) -> None:
    with WebhookSink(
        lambda _: Endpoint(url, SECRET),
        headers=to_subscriber,
        anywhere=anywhere,
        real_now=lambda: timestamp or real_ms(),
    ) as sink:
        sink.deliver([row()])


def test_a_strangers_library_verifies_it(receiver: Receiver) -> None:
    post(receiver.url, anywhere=True)
    ((headers, body),) = receiver.got
    assert headers["webhook-id"] == "msg_3_117"
    assert Webhook(SECRET).verify(body, headers) == json.loads(BODY)
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(SECRET).verify(body + b" ", headers)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0"])
def test_nothing_goes_into_the_house(receiver: Receiver, host: str) -> None:
    with pytest.raises(Rejected, match="not of the public internet"):
        post(f"http://{host}:{receiver.server_port}/hook", anywhere=False)
    assert receiver.got == []


def test_a_name_that_answers_both_ways_is_refused(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every address of a name is looked at, and none is asked for a second time."""
    asked: list[str] = []

    def answers(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in ("93.184.215.14", "127.0.0.1")]

    monkeypatch.setattr("ledger.sinks.public.socket.getaddrinfo", answers)
    with pytest.raises(Rejected, match=r"127\.0\.0\.1"):
        post("http://both.example/hook", anywhere=False)
    assert asked == ["both.example"]


def test_a_name_that_nobody_knows_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("ledger.sinks.public.socket.getaddrinfo", unknown)
    with pytest.raises(Unsent, match=r"nowhere\.example"):
        post("http://nowhere.example/hook", anywhere=False)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:220:1::1", True),
        ("10.0.0.1", False),
        ("172.16.5.4", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("0.0.0.1", False),
        ("::", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::5db8:d70e", True),
        ("2002:7f00:1::", False),
    ],
)
def test_addresses_of_the_public_internet(address: str, public: bool) -> None:
    assert is_public(address) is public


class Mailbox:
    """A real SMTP server's handler: keeps what comes; says `code` instead where one is set."""

    def __init__(self) -> None:
        self.got: list[tuple[str, list[str], EmailMessage]] = []
        self.code = ""

    async def handle_RCPT(  # noqa: N802 - as aiosmtpd calls it
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if self.code:
            return self.code
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - as above
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        message = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.got.append((envelope.mail_from, envelope.rcpt_tos, message))
        return "250 OK"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def smtp(mailbox: Mailbox) -> Iterator[MailServer]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield MailServer("127.0.0.1", port, secure=False)
    controller.stop()


def send(server: MailServer, body: bytes = BODY) -> None:
    MailSink(server, "Ullage <ullage@house.example>", lambda _: "buyer@acme.example").deliver([row(body)])


def test_a_mail_says_what_happened(smtp: MailServer, mailbox: Mailbox) -> None:
    send(smtp)
    send(smtp)
    ((sender, recipients, message), (*_, again)) = mailbox.got
    assert (sender, recipients) == ("ullage@house.example", ["buyer@acme.example"])
    assert message["Subject"] == "Ullage: order placed, order/17"
    assert "2 x TN-Ä" in message.get_content()
    assert message["Message-ID"] == again["Message-ID"] == "<msg_3_117@house.example>"
    assert message["Auto-Submitted"] == "auto-generated"


def test_a_digest_is_one_mail_with_a_line_each(smtp: MailServer, mailbox: Mailbox) -> None:
    body = {"type": "digest", "data": {"events": [DATA, DATA | {"text": "a task"}], "left_out": 3}}
    send(smtp, json.dumps(body).encode())
    ((*_, message),) = mailbox.got
    assert message["Subject"] == "Ullage: 5 events"
    assert message.get_content().splitlines() == [
        "2026-11-21 09:30  order 17: placed; 2 x TN-Ä",
        "2026-11-21 09:30  a task",
        "... and 3 more",
    ]


@pytest.mark.parametrize(
    ("code", "error"), [("550 no such user", Rejected), ("451 later", Unsent), ("421 closing", Unsent)]
)
def test_what_a_mail_server_says(smtp: MailServer, mailbox: Mailbox, code: str, error: type[Exception]) -> None:
    mailbox.code = code
    with pytest.raises(error, match=code[4:]):
        send(smtp)


def test_a_mail_server_that_is_away_is_tried_again() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        with pytest.raises(Unsent, match="ULLAGE_SMTP"):
            send(MailServer("127.0.0.1", probe.getsockname()[1], secure=False))


def test_a_password_is_never_sent_in_clear(smtp: MailServer, mailbox: Mailbox) -> None:
    """This server has no STARTTLS."""
    with pytest.raises(Unavailable):
        send(MailServer(smtp.host, smtp.port, secure=False, user="u", password="p"))
    assert mailbox.got == []


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.com", MailServer("mail.example.com", 587, False)),
        ("smtps://u%40x:p%3A@mail.example.com", MailServer("mail.example.com", 465, True, "u@x", "p:")),
        ("smtp://127.0.0.1:2525", MailServer("127.0.0.1", 2525, False)),
    ],
)
def test_addresses_of_mail_servers(url: str, server: MailServer) -> None:
    assert MailServer.parse(url) == server


@pytest.mark.parametrize("url", ["mail.example.com", "http://x", "smtp://", "smtp://x/path", "smtp://x:99999"])
def test_wrong_addresses_of_mail_servers(url: str) -> None:
    with pytest.raises(ValueError, match="smtp://user:password@"):
        MailServer.parse(url)
