"""Facts on their way to the journal: snapshots of aggregates, written into the outbox with the change itself."""

from ledger.facts.catalogue import enqueue_calendars, enqueue_classes, enqueue_lanes
from ledger.facts.fleet import enqueue_devices, enqueue_slots
from ledger.facts.modes import enqueue_account_products, enqueue_accounts, enqueue_sites
from ledger.facts.needs import enqueue_need, enqueue_verdict
from ledger.facts.requests import enqueue_request
from ledger.facts.stock import enqueue_stock, enqueue_stocks

__all__ = [
    "enqueue_account_products",
    "enqueue_accounts",
    "enqueue_calendars",
    "enqueue_classes",
    "enqueue_devices",
    "enqueue_lanes",
    "enqueue_need",
    "enqueue_request",
    "enqueue_sites",
    "enqueue_slots",
    "enqueue_stock",
    "enqueue_stocks",
    "enqueue_verdict",
]
