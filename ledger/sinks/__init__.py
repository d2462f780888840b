"""Where rows of the outbox go, but for the journal, which the composition root brings (models.outbox.Sink)."""

from ledger.sinks.file import FileSink
from ledger.sinks.mail import MailSink
from ledger.sinks.subscribers import Subscribers, SubscriberSink
from ledger.sinks.suppliers import SupplierEndpoints, SupplierSink
from ledger.sinks.webhook import Endpoint, WebhookSink, sign, to_subscriber

__all__ = [
    "Endpoint",
    "FileSink",
    "MailSink",
    "SubscriberSink",
    "Subscribers",
    "SupplierEndpoints",
    "SupplierSink",
    "WebhookSink",
    "sign",
    "to_subscriber",
]
