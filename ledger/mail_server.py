"""Where mail goes out: the address of an SMTP server. Apart from the sink, so that settings load nothing else."""

from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import unquote, urlsplit

PORTS: Final = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class MailServer:
    host: str
    port: int
    secure: bool  # TLS from the first byte
    user: str = ""
    password: str = ""

    @classmethod
    def parse(cls, url: str) -> Self:
        """`smtp://user:password@host:587`, `smtps://host`; with a password smtp:// insists on STARTTLS.

        Raises ValueError, which says what is allowed and does not repeat the password."""
        allowed = "an address such as smtp://user:password@mail.example.com:587 or smtps://..."
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            raise ValueError(allowed) from None
        if parts.scheme not in PORTS or not parts.hostname or parts.path not in {"", "/"}:
            raise ValueError(allowed)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.hostname, port or PORTS[parts.scheme], parts.scheme == "smtps", user, password)
