"""Ullage's own format: docs/schemas/reading.json."""

from ingest.message import decode

__all__ = ["decode"]
