"""Which ordering mode counts: the least of account, site and SKU; a pause anywhere observes."""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Row

from ledger.tables import account, account_product, site
from models.facts import Mode

Setting = tuple[int | None, bool | None]
"""Mode and pause of one place. None: nothing was set there, which hinders nothing."""
COLUMNS: Final = (
    account.c.mode.label("account_mode"),
    account.c.paused.label("account_paused"),
    site.c.mode.label("site_mode"),
    site.c.paused.label("site_paused"),
    account_product.c.mode.label("sku_mode"),
    account_product.c.paused.label("sku_paused"),
)


def settings_of(row: Row[Any]) -> dict[str, Setting]:
    """By place, of a row with COLUMNS."""
    return {
        "account": (row.account_mode, row.account_paused),
        "site": (row.site_mode, row.site_paused),
        "sku": (row.sku_mode, row.sku_paused),
    }


def said(setting: Setting) -> Mode:
    """What one place says for itself."""
    return Mode.AUTO if setting[0] is None else Mode(setting[0])


def effective(settings: Iterable[Setting]) -> Mode:
    settings = list(settings)
    least = min(said(setting) for setting in settings)
    return Mode(min(least, Mode.OBSERVE)) if any(paused for _, paused in settings) else least
