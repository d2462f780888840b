"""Accounts, their products' modes, sites."""

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from ledger import meta
from ledger.facts.outgoing import bump, chunks, put_facts
from ledger.tables import account, account_product, site
from models.facts import AccountFact, AccountProductFact, Mode, SiteFact
from models.outbox import ALL


def enqueue_accounts(tx: Connection, ids: Sequence[int]) -> None:
    """To all partitions."""
    bump(tx, account, ids)
    incarnation = meta.layout(tx).incarnation
    for chunk in chunks(ids):
        rows = tx.execute(select(account).where(account.c.id.in_(chunk)).order_by(account.c.id))
        put_facts(
            tx,
            (
                (
                    f"account/{row.id}",
                    ALL,
                    AccountFact(
                        version=row.version,
                        incarnation=incarnation,
                        account=row.id,
                        mode=Mode(row.mode),
                        paused=row.paused,
                        service_level=row.service_level,
                        review_ms=row.review_ms,
                    ),
                )
                for row in rows
            ),
        )


def enqueue_account_products(tx: Connection, account_id: int, product_ids: Sequence[int]) -> None:
    """To all partitions."""
    incarnation = meta.layout(tx).incarnation
    mine = account_product.c.account_id == account_id
    for chunk in chunks(product_ids):
        these = mine & account_product.c.product_id.in_(chunk)
        tx.execute(update(account_product).where(these).values(version=account_product.c.version + 1))
        rows = tx.execute(select(account_product).where(these).order_by(account_product.c.product_id))
        put_facts(
            tx,
            (
                (
                    f"account_product/{row.account_id}/{row.product_id}",
                    ALL,
                    AccountProductFact(
                        version=row.version,
                        incarnation=incarnation,
                        account=row.account_id,
                        product=row.product_id,
                        mode=Mode(row.mode),
                        paused=row.paused,
                    ),
                )
                for row in rows
            ),
        )


def enqueue_sites(tx: Connection, ids: Sequence[int]) -> None:
    """Each to its own partition."""
    bump(tx, site, ids)
    incarnation, partitions = meta.layout(tx)
    for chunk in chunks(ids):
        rows = tx.execute(select(site).where(site.c.id.in_(chunk)).order_by(site.c.id))
        put_facts(
            tx,
            (
                (
                    f"site/{row.id}",
                    row.shard % partitions,
                    SiteFact(
                        version=row.version,
                        incarnation=incarnation,
                        site=row.id,
                        account=row.account_id,
                        calendar=row.calendar_id,
                        mode=Mode(row.mode),
                        paused=row.paused,
                    ),
                )
                for row in rows
            ),
        )
