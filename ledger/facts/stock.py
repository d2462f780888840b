"""Cover of (site, product): on hand and on order."""

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import Connection, Row, select, update

from ledger import meta
from ledger.engine import insert_new
from ledger.facts.outgoing import put_facts
from ledger.tables import need, order_line, partition_owner, site, stock
from models.facts import NeedState, OnOrder, StockFact

_LINES = select(
    order_line.c.id,
    (order_line.c.units - order_line.c.delivered - order_line.c.cancelled).label("units"),
    order_line.c.expected,
).where(order_line.c.live)
_NEEDS = select(need.c.order_line_id, need.c.slot_id, need.c.cycle, need.c.attempt, need.c.units).where(
    need.c.state == NeedState.OPEN
)


def enqueue_stock(tx: Connection, site_id: int, product_id: int) -> None:
    """Snapshot the cover of one (site, product) as this transaction leaves it: call it after the last change."""
    enqueue_stocks(tx, [(site_id, product_id)])


def enqueue_stocks(tx: Connection, pairs: Iterable[tuple[int, int]]) -> None:
    """The same for several (site, product); each once, in order of the ids."""
    incarnation, partitions = meta.layout(tx)
    shards: dict[int, int] = {}
    facts = []
    for site_id, product_id in sorted(set(pairs)):
        if site_id not in shards:
            shards[site_id] = tx.execute(select(site.c.shard).where(site.c.id == site_id)).scalar_one()
        partition = shards[site_id] % partitions
        row = _bumped(tx, site_id, product_id)  # first: it waits for whoever changes this shelf, and for their offset
        offset = tx.scalar(select(partition_owner.c.offset).where(partition_owner.c.partition == partition)) or 0
        fact = StockFact(
            version=row.version,
            incarnation=incarnation,
            site=site_id,
            product=product_id,
            on_hand=row.on_hand,
            on_order=_on_order(tx, site_id, product_id),
            through=offset - 1,
        )
        facts.append((f"stock/{site_id}/{product_id}", partition, fact))
    put_facts(tx, facts)


def _on_order(tx: Connection, site_id: int, product_id: int) -> tuple[OnOrder, ...]:
    """What is under way, line by line: the share of each open need, then what nobody claims (slot 0)."""
    lines = tx.execute(
        _LINES.where(order_line.c.site_id == site_id, order_line.c.product_id == product_id).order_by(order_line.c.id)
    ).all()
    if not lines:
        return ()
    claims = defaultdict(list)
    mine = _NEEDS.where(need.c.site_id == site_id, need.c.product_id == product_id)
    for claim in tx.execute(mine.order_by(need.c.deadline, need.c.id)):
        claims[claim.order_line_id].append(claim)
    out = []
    for line in lines:
        left = line.units
        for claim in claims[line.id]:
            units = min(left, claim.units)
            left -= units
            if units > 0:
                out.append(OnOrder(claim.slot_id, claim.cycle, claim.attempt, units, line.expected))
        if left > 0:
            out.append(OnOrder(0, 0, 0, left, line.expected))
    return tuple(out)


def _bumped(tx: Connection, site_id: int, product_id: int) -> Row[tuple[int, float]]:
    insert_new(tx, stock, {"site_id": site_id, "product_id": product_id})
    return tx.execute(
        update(stock)
        .where(stock.c.site_id == site_id, stock.c.product_id == product_id)
        .values(version=stock.c.version + 1)
        .returning(stock.c.version, stock.c.on_hand)
    ).one()
