"""What a device shows at the gateway: 32 random bytes as 43 characters of base64url, of which only SHA-256 is kept."""

import base64
import hashlib
import secrets
from typing import NamedTuple


class Credential(NamedTuple):
    token: str  # shown once
    digest: bytes  # SHA-256 of the token's ASCII


def make() -> Credential:
    token = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=")
    return Credential(token.decode(), hashlib.sha256(token).digest())
