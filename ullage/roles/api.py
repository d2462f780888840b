"""Role `api`: the HTTP API and the page."""

from contextlib import closing

from api.server import serve
from api.services import Services
from ingest.release import Quarantine
from ledger.clock import real_ms
from ledger.orders.facade import Orders
from ullage import compose, gauges
from ullage.role import Role


async def main(role: Role) -> None:
    s = role.settings
    with (
        closing(compose.journal_of(s)) as journal,
        closing(compose.ledger_of(s)) as ledger,
        closing(compose.series_of(s)) as series,
    ):

        def not_ready() -> list[str]:
            ends = [journal.end(p) for p in range(journal.partitions)]
            return [] if any(ends) else ["the journal is empty: is the role `clock` running?"]

        services = Services(
            ledger,
            Orders(ledger, compose.rules_of(s)),
            series,
            Quarantine(ledger, journal),
            role.now,
            real_ms,
            speed=role.speed,
            not_ready=not_ready,
            other_metrics=lambda: gauges.others(s.data, role.name),
        )
        await serve(
            services, s.api_host, s.api_port, s.api_tls_cert, s.api_tls_key, role.stop, lambda _port: role.ready()
        )
