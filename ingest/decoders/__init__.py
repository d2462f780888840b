"""Decoders by the last level of the topic: bytes -> `Reading` or `Rejected`. A new format is one entry here."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ingest.decoders import json_v1
from ingest.limits import Rejected
from ingest.message import Reading

Decoder = Callable[[bytes], Reading | Rejected]

DECODERS: Mapping[str, Decoder] = MappingProxyType({"readings": json_v1.decode})
"""`ullage/v1/{account}/{device}/<key>` is decoded by the value."""
