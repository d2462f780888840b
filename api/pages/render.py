"""Templates with what they need: local times, per cents, bars; and the headers of a page."""

import base64
import binascii
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.staticfiles import StaticFiles

from api.pages.session import Session
from ledger.views.rows import money
from ledger.why_text import percent
from models.orders import OrderState

ROOT: Final = Path(__file__).parent.parent
CSP: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
FLASH: Final = "ullage_note"
BAR_DAYS: Final = 30.0


def local(iso: str | None, zone: str = "UTC") -> str:
    """In the site's time zone, as people read it."""
    if iso is None:
        return "not in sight"
    return datetime.fromisoformat(iso).astimezone(ZoneInfo(zone)).strftime("%a %d %b %Y, %H:%M")


def level(slot: dict[str, Any]) -> str:
    """A level as sure as it is known."""
    if slot["level"] is None:
        return "unknown"
    low, high = 100 * slot["level_low"], 100 * slot["level_high"]
    return f"{100 * slot['level']:.0f} %" if high - low < 2 else f"{low:.0f}-{high:.0f} %"


def bar(slot: dict[str, Any]) -> dict[str, float] | None:
    """Days until empty on a scale of BAR_DAYS, in per cent of the bar's width: median and the 90 % interval."""
    days = slot["days_to_empty"]
    if not days or days["0.5"] is None:
        return None
    share = {
        name: 100 * min(days[p] / BAR_DAYS, 1.0) for name, p in (("low", "0.05"), ("mid", "0.5"), ("high", "0.95"))
    }
    return share | {"width": max(share["high"] - share["low"], 0.5), "days": days["0.5"]}


def words(code: str) -> str:
    return code.replace("_", " ")


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"local": local, "percent": percent, "words": words, "money": money}
    made.globals |= {"level": level, "bar": bar, "states": list(OrderState)}
    return made


TEMPLATES: Final = _environment()


def page(request: Request, template: str, session: Session | None, status: int = 200, **values: Any) -> HTMLResponse:
    text = TEMPLATES.get_template(template).render(
        session=session, path=request.url.path, note=_note(request), query=request.query_params, **values
    )
    answer = HTMLResponse(text, status, {"Content-Security-Policy": CSP})
    if FLASH in request.cookies:
        answer.delete_cookie(FLASH, httponly=True, samesite="strict")
    return answer


def back(path: str, note: str = "", **query: Any) -> RedirectResponse:
    """See other; `note` is shown once on the next page."""
    answer = RedirectResponse(path + (f"?{urlencode(query)}" if query else ""), 303)
    if note:
        text = base64.urlsafe_b64encode(note[:500].encode()).decode()
        answer.set_cookie(FLASH, text, 60, httponly=True, samesite="strict")
    return answer


def _note(request: Request) -> str:
    try:
        return base64.urlsafe_b64decode(request.cookies.get(FLASH, "")).decode()[:500]
    except (binascii.Error, ValueError):
        return ""


class Static(StaticFiles):
    """Files of ours, kept by browsers for an hour."""

    def file_response(self, *args: Any, **more: Any) -> Any:
        answer = super().file_response(*args, **more)
        answer.headers.setdefault("Cache-Control", "public, max-age=3600")
        return answer
