"""Addresses of stores: `sqlite:///relative/path.db`, `sqlite:////absolute/path.db`, other backends by their scheme."""

from urllib.parse import unquote, urlsplit

from models.stores import StoreError


class BadAddress(StoreError):
    """A store's URL cannot be understood."""


def scheme_of(url: str) -> str:
    """The part before `://`, in lower case. Raises BadAddress where there is none."""
    scheme, found, _ = url.partition("://")
    if not found or not scheme:
        raise BadAddress(f"{url!r} is no store's address: use for example sqlite:///data/journal.db")
    return scheme.lower()


def sqlite_path(url: str) -> str:
    """The file of a `sqlite:` URL, with the number of slashes that SQLAlchemy also expects.

    Raises BadAddress when the scheme is another one, a host is named, or the path is missing."""
    parts = urlsplit(url)
    if scheme_of(url) != "sqlite" or parts.netloc or len(parts.path) < 2:
        raise BadAddress(f"{url!r} names no SQLite file: use sqlite:///relative.db or sqlite:////absolute/path.db")
    return unquote(parts.path[1:])
