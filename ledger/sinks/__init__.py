"""Where rows of the outbox go, but for the journal, which the composition root brings (models.outbox.Sink)."""

from ledger.sinks.file import FileSink
from ledger.sinks.suppliers import SupplierEndpoints, SupplierSink
from ledger.sinks.webhook import Endpoint, WebhookSink, sign

__all__ = ["Endpoint", "FileSink", "SupplierEndpoints", "SupplierSink", "WebhookSink", "sign"]
