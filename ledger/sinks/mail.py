"""E-mail by SMTP: one message per row, with a Message-ID that is the same at each attempt."""

import smtplib
import ssl
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from email.utils import formatdate
from typing import Final

import msgspec

from ledger.mail_server import MailServer
from ledger.notices.collect import message_id
from ledger.notices.words import mail
from models.outbox import OutboxRow, Rejected, Unsent
from models.stores import Unavailable

TIMEOUT_S: Final = 20.0


class MailSink:
    """`address_of` says to whom a row's target is, at each attempt anew; it may raise Rejected."""

    def __init__(
        self, server: MailServer, sender: str, address_of: Callable[[str], str], *, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._server = server
        self._sender = sender
        self._address_of = address_of
        self._timeout_s = timeout_s

    def deliver(self, rows: Sequence[OutboxRow]) -> None:
        for row in rows:
            self._send(self._message(row))

    def _message(self, row: OutboxRow) -> EmailMessage:
        subject, text = mail(msgspec.json.decode(row.payload))
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = self._address_of(row.target)
        message["Subject"] = " ".join(subject.split())
        message["Date"] = formatdate(row.created / 1000)
        message["Message-ID"] = f"<{message_id(row.key)}@{self._sender.rpartition('@')[2].rstrip('>')}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence assistant answers
        message.set_content(text)
        return message

    def _send(self, message: EmailMessage) -> None:
        where = f"mail to {message['To']} by {self._server.host}:{self._server.port}"
        try:
            with self._connected() as smtp:
                smtp.send_message(message)
        except (smtplib.SMTPConnectError, ConnectionRefusedError, TimeoutError) as error:
            raise Unsent(f"{where}: no connection ({error}): is it running, is ULLAGE_SMTP right?") from error
        except smtplib.SMTPAuthenticationError as error:
            raise Unsent(f"{where}: user or password is wrong: correct ULLAGE_SMTP") from error
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            raise _refused(where, code, said) from error
        except smtplib.SMTPResponseException as error:
            raise _refused(where, error.smtp_code, error.smtp_error) from error
        except (smtplib.SMTPException, OSError) as error:
            raise Unavailable(f"{where}: {type(error).__name__} {error}: it may have arrived") from error

    def _connected(self) -> smtplib.SMTP:
        server = self._server
        if server.secure:
            context = ssl.create_default_context()
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=self._timeout_s, context=context)
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=self._timeout_s)
        try:
            smtp.ehlo()
            if not server.secure and (server.password or smtp.has_extn("starttls")):
                smtp.starttls(context=ssl.create_default_context())
            if server.user:
                smtp.login(server.user, server.password)
        except BaseException:
            smtp.close()
            raise
        return smtp


def _refused(where: str, code: int, said: bytes | str) -> Unavailable | Rejected:
    """RFC 5321: 4xx is for now, 5xx for good."""
    text = f"{where}: {code} {said.decode(errors='replace') if isinstance(said, bytes) else said}"
    return Unsent(text) if code < 500 else Rejected(text)
