"""Join the page to the application: routes, static files, and what a browser sees of an error."""

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.pages import actions, quarantine, quarantine_actions, views
from api.pages.render import ROOT, Static, page
from api.pages.session import SignedOut


def install(app: FastAPI) -> None:
    app.include_router(views.router)
    app.include_router(quarantine.router)
    app.include_router(quarantine_actions.router)
    app.include_router(actions.router)
    app.mount("/static", Static(directory=ROOT / "static"))
    app.state.problem_page = problem_page

    @app.exception_handler(SignedOut)
    async def _signed_out(request: Request, _: SignedOut) -> Response:
        if request.url.path == "/live":
            return Response(status_code=401)
        return RedirectResponse("/sign-in", 303)


def problem_page(request: Request, status: int, title: str, detail: str) -> HTMLResponse | None:
    """None: whoever asks is a program, or asks the API."""
    if request.url.path.startswith("/v1/") or "text/html" not in request.headers.get("accept", ""):
        return None
    return page(request, "problem.html", None, status, title=title, detail=detail)
