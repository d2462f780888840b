"""Ordering modes and pauses: of an account, of a site, of one SKU in an account."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import shapes
from api.answer import Answer
from api.auth import Admin, Caller, Reader
from api.paging import Id
from api.problems import Problem
from api.services import Services, Wired
from api.threads import quick, writing
from ledger import ordering
from ledger.ordering import TOLD, Level, Uncounted
from ledger.registry import accounts, products, sites
from models.facts import Mode

router = APIRouter(prefix="/v1", tags=["ordering"])
Sku = Annotated[str, Path(max_length=64, examples=["TN-K"])]
ACCOUNT = "/accounts/{account_id}/ordering"
SITE = "/sites/{site_id}/ordering"
PRODUCT = "/accounts/{account_id}/products/{sku}/ordering"


class OrderingChange(BaseModel):
    """What is left out stays as it is."""

    mode: shapes.Mode | None = Field(default=None, examples=["ask"])
    paused: bool | None = Field(default=None, description="Nothing is ordered until it is false again.")
    counted: bool = Field(default=False, description="Go to `auto` although the books know of no count.")


@router.get(ACCOUNT, response_model=shapes.Ordering)
@quick
def show_account_ordering(wired: Wired, caller: Reader, account_id: Id) -> Answer:
    """Mode and pause of the account; the least of account, site and SKU counts."""
    with wired.ledger.read() as tx:
        return Answer(ordering.get(tx, caller.scope, Level(account_id)).worded())


@router.patch(ACCOUNT, response_model=shapes.Ordering)
@writing
def change_account_ordering(wired: Wired, caller: Admin, account_id: Id, body: OrderingChange) -> Answer:
    """Set mode or pause. Going to `auto` with shelves that were never counted is a 409 that names them."""
    return _change(wired, caller, lambda _: Level(account_id), body)


@router.get(SITE, response_model=shapes.Ordering)
@quick
def show_site_ordering(wired: Wired, caller: Reader, site_id: Id) -> Answer:
    """Mode and pause of the site."""
    with wired.ledger.read() as tx:
        return Answer(ordering.get(tx, caller.scope, _of_site(tx, caller, site_id)).worded())


@router.patch(SITE, response_model=shapes.Ordering)
@writing
def change_site_ordering(wired: Wired, caller: Admin, site_id: Id, body: OrderingChange) -> Answer:
    """The same for one site."""
    return _change(wired, caller, lambda tx: _of_site(tx, caller, site_id), body)


@router.get(PRODUCT, response_model=shapes.Ordering)
@quick
def show_product_ordering(wired: Wired, caller: Reader, account_id: Id, sku: Sku) -> Answer:
    """Mode and pause of one SKU in the account; `auto` unless somebody said otherwise."""
    with wired.ledger.read() as tx:
        return Answer(ordering.get(tx, caller.scope, _of_product(tx, caller, account_id, sku)).worded())


@router.patch(PRODUCT, response_model=shapes.Ordering)
@writing
def change_product_ordering(wired: Wired, caller: Admin, account_id: Id, sku: Sku, body: OrderingChange) -> Answer:
    """The same for one SKU."""
    return _change(wired, caller, lambda tx: _of_product(tx, caller, account_id, sku), body)


def _of_site(tx: Connection, caller: Caller, site_id: int) -> Level:
    return Level(sites.get(tx, caller.scope, site_id).account_id, site_id)


def _of_product(tx: Connection, caller: Caller, account_id: int, sku: str) -> Level:
    accounts.get(tx, caller.scope, account_id)  # first: who may not see it learns nothing of the SKU
    return Level(account_id, product_id=products.find(tx, sku).id)


def _change(wired: Services, caller: Caller, find: Callable[[Connection], Level], body: OrderingChange) -> Answer:
    """Raises NotFound, Problem 409."""
    try:
        with wired.ledger.write() as tx:
            after = ordering.change(
                tx,
                caller.scope,
                find(tx),
                mode=None if body.mode is None else Mode[body.mode.upper()],
                paused=body.paused,
                counted=body.counted,
                by=caller.by,
                now=wired.now(),
                real_now=wired.real_now(),
            )
    except Uncounted as error:
        shelves = [{"site": place, "sku": sku} for place, sku in error.shelves[:TOLD]]
        raise Problem(409, "uncounted", str(error), uncounted=shelves, count=len(error.shelves)) from None
    return Answer(after.worded())
