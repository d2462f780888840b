"""What may be done with what was set aside, on the page: replay it, corrected or not, or discard it; one and many."""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse

from api.pages.render import back
from api.pages.session import Form, Sent
from api.paging import Id
from api.routes.quarantine import actor
from api.services import Services, Wired
from ingest.fix import AS_IT_IS, Fix
from ingest.limits import MAX_BYTES
from ingest.release import Actor, Chosen, RefusedStill
from ledger.quarantine import Settled
from ledger.roles import Permission
from ledger.scope import Scope

router = APIRouter(include_in_schema=False)
LIST = "/quarantine"


@router.post("/quarantine/replay")
def replay_many(wired: Wired, form: Form) -> RedirectResponse:
    """All that waits for one reason (`code`), or for any, and can be used by now."""
    scope, who = _who(wired, form)
    outcome = wired.quarantine.replay(scope, Chosen(code=form.text("code", 64) or None), who)
    return back(LIST, f"{len(outcome.replayed)} replayed, {len(outcome.kept)} are refused still.")


@router.post("/quarantine/discard")
def discard_many(wired: Wired, form: Form) -> RedirectResponse:
    """All that waits for one reason (`code`); needs a reason why."""
    scope, who = _who(wired, form)
    code = form.text("code", 64)
    if not code or not who.note:
        return back(LIST, "Say why: to discard needs a reason.", **({"code": code} if code else {}))
    return back(LIST, f"{len(wired.quarantine.discard(scope, Chosen(code=code), who))} discarded.")


@router.post("/quarantine/{held_id}/replay")
def replay(wired: Wired, form: Form, held_id: Id) -> RedirectResponse:
    """As it is, or a corrected `message` in its place."""
    scope, who = _who(wired, form)
    message = form.text("message", MAX_BYTES)
    fix = Fix(message=message.encode()) if message else AS_IT_IS
    try:
        wired.quarantine.replay_one(scope, held_id, who, fix)
    except (Settled, RefusedStill) as error:
        return back(f"{LIST}/{held_id}", f"Not replayed: {error}.")
    return back(f"{LIST}/{held_id}", "It is a reading now.")


@router.post("/quarantine/{held_id}/discard")
def discard(wired: Wired, form: Form, held_id: Id) -> RedirectResponse:
    """Needs a reason why."""
    scope, who = _who(wired, form)
    if not who.note:
        return back(f"{LIST}/{held_id}", "Say why: to discard needs a reason.")
    done = wired.quarantine.discard(scope, Chosen((held_id,)), who)
    return back(f"{LIST}/{held_id}", "It is discarded." if done else "It was settled before.")


def _who(wired: Services, form: Sent) -> tuple[Scope, Actor]:
    caller = form.session.must(Permission.OPERATE).caller
    return caller.scope, actor(wired, caller, form.text("reason"))
