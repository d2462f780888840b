"""The fleet document: catalogue, accounts, sites and devices in one text, applied as a whole or not at all."""

from ledger.fleet.apply import FleetResult, apply_fleet
from ledger.fleet.document import BadFleet, Document, parse_fleet

__all__ = ["BadFleet", "Document", "FleetResult", "apply_fleet", "parse_fleet"]
