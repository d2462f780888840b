"""Secrets that are shown once: how they are made, and what of them is kept."""

import base64
import hashlib
import secrets


def made() -> str:
    """256 random bits as text that fits an address."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()


def digest(secret: str) -> bytes:
    """SHA-256: enough for what cannot be guessed, and found by an index."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()
