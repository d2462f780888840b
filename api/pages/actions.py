"""What may be done on the page: sign in and out; approve, reject, cancel; swapped, order now, "we have N"."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from api.asking import ask, request_id
from api.auth import Gate, client_of
from api.pages import session
from api.pages.render import back, page
from api.pages.session import Form, Viewer
from api.paging import Id
from api.problems import Problem
from api.routes.events import stream
from api.routes.sites import Counted, submit_count
from api.services import Services, Wired
from ledger import people, requests, tokens
from ledger.people import Person
from ledger.roles import Permission
from ledger.tokens import Token
from models.records import AnyRequest, Reorder, Reverse, Swapped

router = APIRouter(include_in_schema=False)


@router.get("/sign-in")
async def sign_in_form(request: Request, code: Annotated[str, Query(max_length=200)] = "") -> HTMLResponse:
    """A one-time link leads here; it is used up by the form, not by whoever only looks at the address."""
    return page(request, "sign_in.html", None, code=code, failed=False)


@router.post("/sign-in")
async def sign_in(request: Request, wired: Wired) -> Response:
    """By a one-time link's code, or by a token; sets the session's cookie."""
    session.check_origin(request)
    fields = await request.form(max_files=0, max_fields=10)
    gate: Gate = request.app.state.gate
    now, client = wired.real_now(), client_of(request)
    gate.check(client, now)
    found = await run_in_threadpool(_who, wired, str(fields.get("code", "")), str(fields.get("token", "")), now)
    if found is None or Permission.READ not in found.permissions:
        gate.failed(client, now)
        return page(request, "sign_in.html", None, 401, code="", failed=True)
    answer = RedirectResponse("/", 303)
    await run_in_threadpool(session.begin, wired, answer, found, secure=request.url.scheme == "https")
    return answer


def _who(wired: Services, code: str, secret: str, now: int) -> Token | Person | None:
    with wired.ledger.write() as tx:
        if not code:
            return tokens.verify(tx, secret.strip(), now)
        return tokens.use_link(tx, code, now) or people.use_link(tx, code, now)


@router.post("/sign-out")
async def sign_out(form: Form) -> RedirectResponse:  # noqa: ARG001 - only our own page may do it
    """Ends the session in this browser."""
    answer = RedirectResponse("/sign-in", 303)
    session.end(answer)
    return answer


@router.get("/live")
async def live(request: Request, wired: Wired, viewer: Viewer) -> StreamingResponse:
    """What happens, for the page's script."""

    async def still() -> None:
        try:
            await run_in_threadpool(session.of_request, request)
        except session.SignedOut as error:
            raise Problem(401, "unauthorized", "signed out") from error

    return await stream(request.app.state.feed, wired, viewer.caller.scope, None, still, named=False)


@router.post("/orders/{order_id}/approve")
def approve(wired: Wired, form: Form, order_id: Id) -> RedirectResponse:
    """As POST /v1/orders/{order_id}/approve."""
    who = form.session.must(Permission.APPROVE)
    done = wired.orders.approve(
        who.caller.scope,
        order_id,
        by=who.caller.person,
        now=wired.now(),
        reason=form.text("reason"),
        person_id=who.caller.person_id,
    )
    return back(f"/orders/{order_id}", done.text)


@router.post("/orders/{order_id}/reject")
def reject(wired: Wired, form: Form, order_id: Id) -> RedirectResponse:
    """Needs a reason."""
    who, reason = form.session.must(Permission.APPROVE), form.text("reason")
    if not reason:
        return back(f"/orders/{order_id}", "Say why: a rejection needs a reason.")
    wired.orders.reject(who.caller.scope, order_id, by=who.caller.person, now=wired.now(), reason=reason)
    return back(f"/orders/{order_id}", f"Order {order_id} is rejected.")


@router.post("/orders/{order_id}/cancel")
def cancel(wired: Wired, form: Form, order_id: Id) -> RedirectResponse:
    """As POST /v1/orders/{order_id}/cancel."""
    who = form.session.must(Permission.ORDER)
    state = wired.orders.cancel(
        who.caller.scope, order_id, by=who.caller.person, now=wired.now(), reason=form.text("reason")
    )
    return back(f"/orders/{order_id}", f"Order {order_id}: {state.replace('_', ' ')}.")


@router.post("/slots/{slot_id}/count")
async def count(request: Request, wired: Wired, form: Form, slot_id: Id) -> RedirectResponse:
    """We have N of what this slot takes, on the shelf of its site."""
    who = form.session.must(Permission.ORDER)
    try:
        body = Counted(sku=form.text("sku", 64), units=float(form.text("units", 20)))
    except ValueError as error:
        raise Problem(422, "invalid", "write how many there are as a number from 0") from error

    def submit() -> str:
        with wired.ledger.read() as tx:
            _, site_id = requests.home(tx, who.caller.scope, slot_id)
        return submit_count(wired, who.caller, site_id, body, request_id(request, who.caller))

    number = await run_in_threadpool(submit)
    return back(f"/slots/{slot_id}", _told(await ask(wired, who.caller.scope, number)))


@router.post("/slots/{slot_id}/{what}")
async def ask_for(request: Request, wired: Wired, form: Form, slot_id: Id, what: str) -> RedirectResponse:
    """swapped, reorder, reverse (of `cycle`)."""
    who = form.session.must(Permission.ORDER)
    number, by = request_id(request, who.caller), who.caller.person
    asked: AnyRequest
    if what == "swapped":
        asked = Swapped(id=number, slot=slot_id, by=by)
    elif what == "reorder":
        asked = Reorder(id=number, slot=slot_id, by=by, channel="web")
    elif what == "reverse" and form.text("cycle", 10).isdecimal():
        asked = Reverse(id=number, slot=slot_id, cycle=int(form.text("cycle", 10)), by=by)
    else:
        raise Problem(404, "not_found", "there is no such page")

    def submit() -> None:
        with wired.ledger.write() as tx:
            account_id, site_id = requests.home(tx, who.caller.scope, slot_id)
            requests.submit(tx, asked, account_id, site_id, wired.now())

    await run_in_threadpool(submit)
    return back(f"/slots/{slot_id}", _told(await ask(wired, who.caller.scope, number)))


OUTCOMES = {
    "need": "It is ordered.",
    "guarded": "Not ordered again.",
    "would_order": "It would be ordered, but ordering is only observed here.",
    "counted": "Noted.",
    "swapped": "Noted.",
    "reversed": "Noted: that was no refill.",
    "refused": "That was refused.",
}


def _told(found: dict[str, Any]) -> str:
    if found["outcome"] is None:
        return "Noted; the outcome will show here in a moment."
    return f"{OUTCOMES[found['outcome']]} {found['reason']}".strip()
