"""Tables of the reference, made from the code: `python -m tests.support.reference` writes them anew.

A page holds them between `<!-- made: NAME -->` and `<!-- end -->`; tests/docs compares the two.
"""

import ast
import inspect
import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec
from fastapi.routing import APIRoute
from prometheus_client import REGISTRY, CollectorRegistry

from api import problems
from api.app import ROUTERS
from api.pages import actions, quarantine, quarantine_actions, views
from ingest.advice import ADVICE
from ingest.check.rules import RULES
from ingest.metrics import GatewayMetrics
from ingest.todo import TODO
from ledger import receipts
from ledger.orders.book import NEED_WORDS
from ledger.roles import PERMISSIONS, Permission
from models.effects import Evidence
from models.fold.events import CODES
from models.orders import Event as OrderEvent
from streams.worker import metrics as _worker_metrics  # noqa: F401 - registers them
from ullage.cli import main
from ullage.settings import SETTINGS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PACKAGES = ("ullage", "api", "ingest", "streams", "journal", "ledger", "series", "sqlitefile", "models")
CLASS = re.compile(r"^class (\w+)\(([\w, ]+)\):", re.MULTILINE)
METRIC = re.compile(r"(?:Counter|Gauge|Histogram)\(\s*\"(\w+)\"")
Node = TypeVar("Node", ast.Call, ast.ClassDef)
BLOCK = re.compile(r"<!-- made: (?P<name>[\w-]+) -->\n.*?<!-- end -->", re.DOTALL)


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines
    )


def settings() -> str:
    rows = [(f"`{s.variable}`", f"`{s.default}`" if s.default else "", s.meaning) for s in SETTINGS]
    return table(("variable", "default", "meaning"), rows)


def below(command: click.Command) -> dict[str, click.Command]:
    """The commands of a group by name; none of another command."""
    if not isinstance(command, click.Group):
        return {}
    context = click.Context(command)
    return {name: found for name in command.list_commands(context) if (found := command.get_command(context, name))}


def leaves(command: click.Command = main, path: tuple[str, ...] = ("ullage",)) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with its full name."""
    if not (commands := below(command)):
        yield " ".join(path), command
    for name, one in sorted(commands.items()):
        yield from leaves(one, (*path, name))


def commands() -> str:
    rows = [
        (f"`{name}{_arguments(command)}`", " ".join((command.help or "").split()), _options(command))
        for name, command in leaves()
    ]
    return table(("command", "does", "options"), rows)


def _arguments(command: click.Command) -> str:
    return "".join(
        f" {p.make_metavar(click.Context(command))}" for p in command.params if isinstance(p, click.Argument)
    )


def _options(command: click.Command) -> str:
    return "; ".join(
        f"`{'`, `'.join(p.opts)}`" + (f" {p.help}" if p.help else "") + (" (must be given)" if p.required else "")
        for p in command.params
        if isinstance(p, click.Option)
    )


def routes() -> list[APIRoute]:
    return [route for module in ROUTERS for route in module.router.routes if isinstance(route, APIRoute)]


def page_routes() -> list[APIRoute]:
    return [
        route
        for module in (views, quarantine, actions, quarantine_actions)
        for route in module.router.routes
        if isinstance(route, APIRoute)
    ]


def page() -> str:
    """The first-page routes, for browsers."""
    rows = []
    for route in page_routes():
        rows += [(f"`{method} {route.path}`", _does(route)) for method in sorted(route.methods)]
    return table(("address", "does"), rows)


def _does(route: APIRoute) -> str:
    return " ".join((inspect.getdoc(route.endpoint) or "").split())


def api() -> str:
    rows = []
    for route in routes():
        rows += [(f"`{m} {route.path}`", who(route), _takes(route), _does(route)) for m in sorted(route.methods)]
    return table(("call", "permission", "takes", "does"), rows)


def who(route: APIRoute) -> str:
    found: list[Permission] = []
    for below in route.dependant.dependencies:
        if below.call is not None and "require." in below.call.__qualname__:
            found += inspect.getclosurevars(below.call).nonlocals["permissions"]
    return " or ".join(found)


def _takes(route: APIRoute) -> str:
    query = [f"`?{field.alias}`" for field in route.dependant.query_params]
    names: tuple[str, ...] = ()
    if route.body_field is not None:
        kind = route.body_field.field_info.annotation
        names = tuple(getattr(kind, "model_fields", ())) or ("the document",)
    return " ".join(query + [f"`{name}`" if " " not in name else name for name in names])


def roles() -> str:
    rows = [(f"`{role}`", ", ".join(p for p in Permission if p in may)) for role, may in PERMISSIONS.items()]
    return table(("role", "permissions"), rows)


def metrics(role: str) -> str:
    """Those whose names begin with the role's."""
    registry = REGISTRY
    if role == "gateway":  # it makes them when it starts
        registry = CollectorRegistry()
        GatewayMetrics(registry)
    rows = []
    for one in _collectors(registry):
        name, kind = getattr(one, "_name", ""), getattr(one, "_type", "")
        if name.startswith(f"ullage_{role}_"):
            full = name + ("_total" if kind == "counter" else "")
            labels = ",".join(one._labelnames)
            rows.append((f"`{full}{{{labels}}}`" if labels else f"`{full}`", kind, one._documentation))
    return table(("metric", "kind", "what"), sorted(rows))


def metric_names() -> set[str]:
    """As they stand in the code."""
    found = (name for package in PACKAGES for text in sources(package) for name in METRIC.findall(text))
    return set(found)


def _collectors(registry: CollectorRegistry) -> list[Any]:
    return list(registry._collector_to_names)


def message(name: str) -> str:
    """The fields of a message by its JSON Schema, objects within as `supplies.*.level`."""
    schema = json.loads((DOCS / "schemas" / f"{name}.json").read_text())
    rows = list(_fields(schema, schema, ""))
    return table(("field", "form", "meaning"), rows)


def _fields(part: dict[str, Any], schema: dict[str, Any], path: str) -> Iterator[tuple[str, str, str]]:
    must = set(part.get("required", ()))
    for name, given in part.get("properties", {}).items():
        full, below = f"{path}{name}", _resolved(given, schema)
        yield f"`{full}`" + (" (always)" if name in must else ""), _form(below, schema), below.get("description", "")
        inner = _resolved(below.get("additionalProperties") or {}, schema) if "additionalProperties" in below else below
        if inner is not below:
            yield from _fields(inner, schema, f"{full}.*.")
        elif below.get("type") == "object":
            yield from _fields(below, schema, f"{full}.")
        elif "items" in below:
            yield from _fields(_resolved(below["items"], schema), schema, f"{full}[].")


def _resolved(part: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    found: dict[str, Any] = schema["$defs"][part["$ref"].rpartition("/")[2]]
    return found | {k: v for k, v in part.items() if k != "$ref"}


def _form(part: dict[str, Any], schema: dict[str, Any]) -> str:
    if "anyOf" in part and "type" not in part:
        return " or ".join(_form(_resolved(one, schema), schema) for one in part["anyOf"])
    if "const" in part:
        return f"`{json.dumps(part['const'])}`"
    if "enum" in part:
        return ", ".join(f"`{word}`" for word in part["enum"])
    kind = part.get("type", "anything")
    text = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if "items" in part:
        text = f"list of {_form(_resolved(part['items'], schema), schema)}"
    return text + _bounds(part)


def _bounds(part: dict[str, Any]) -> str:
    low, high = part.get("minimum"), part.get("maximum")
    if low is not None and high is not None:
        return f", {low} to {'2^53' if high == 2**53 else high}" if low != -(2**53) else ", up to 2^53 either way"
    if low is not None:
        return f", at least {low}"
    most = part.get("maxItems", part.get("maxProperties", part.get("maxLength")))
    unit = " characters" if "maxLength" in part else ""
    return f", at most {most}{unit}" if most is not None else ""


@cache
def sources(package: str) -> tuple[str, ...]:
    return tuple(path.read_text() for path in sorted((ROOT / package).rglob("*.py")))


def _nodes(kind: type[Node], hint: str, *packages: str) -> Iterator[Node]:
    """Nodes of the files that have the hint, a regular expression: to parse all of them takes seconds."""
    for text in (text for package in packages for text in sources(package)):
        if re.search(hint, text):
            yield from (node for node in ast.walk(ast.parse(text)) if isinstance(node, kind))


def _words(function: str, place: int, *packages: str) -> set[str]:
    """What literal texts `function` is called with at `place`."""
    found = set()
    for call in _nodes(ast.Call, rf"\b{function}\(", *packages):
        called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        word = call.args[place] if called == function and len(call.args) > place else None
        if isinstance(word, ast.Constant) and isinstance(word.value, str):
            found.add(word.value)
    return found


def problem_codes() -> set[str]:
    """Codes of the HTTP API."""
    known = {code for _, code in problems.STATUS.values()}
    return known | _words("Problem", 1, "api") | _words("_answer", 2, "api")


def told_codes() -> set[str]:
    """Codes that a device may hear."""
    schema = json.loads((DOCS / "schemas" / "errors.json").read_text())
    return set(schema["properties"]["code"]["enum"])


def gateway_codes() -> set[str]:
    """Codes with which a message is refused before it is a reading."""
    calls = _nodes(ast.Call, r"\b(Rejected|_Found)\(", "ingest")
    first = [call.args[0] for call in calls if getattr(call.func, "id", "") in {"Rejected", "_Found"} and call.args]
    found = {code.value for code in first if isinstance(code, ast.Constant)}
    found |= _words("_number", 2, "ingest") | _words("_count", 2, "ingest")
    return found - REPLAYS


REPLAYS = {
    "used", "not_yet", "not_kept", "unknown_device", "retired_device", "time_out_of_range", "sequence_out_of_range",
}  # fmt: skip
"""Why the quarantine desk takes a message not (again): these go to people."""


def worker_codes() -> set[str]:
    return {code for code, _ in CODES} | _words("skip_record", 3, "streams") | _words("skip_reading", 3, "streams")


def alert_codes() -> set[str]:
    return _words("Alert", 0, "models", "streams", "ledger")


def event_kinds() -> set[str]:
    """Kinds of GET /v1/events."""
    told = _words("tell", 1, "ledger") | {f"order.{event}" for event in OrderEvent}
    return told | {f"need.{word}" for word in NEED_WORDS.values()} | {"outbox.dead"}


def error_classes() -> str:
    """Errors that end a command or a process with one line; a class means what its docstring says."""
    heads = [head for package in PACKAGES for text in sources(package) for head in CLASS.findall(text)]
    shown = {"StoreError", "ConfigurationError", "CannotListen"}
    while more := {name for name, bases in heads if shown & set(bases.split(", "))} - shown:
        shown |= more
    rows = [
        (f"`{node.name}`", " ".join((ast.get_docstring(node) or "").split()))
        for node in _nodes(ast.ClassDef, rf"(?m)^class (?:{'|'.join(sorted(shown))})\(", *PACKAGES)
        if node.name in shown and {ast.unparse(base) for base in node.bases} & (shown | {"Exception"})
    ]
    return table(("error", "means"), sorted(rows))


def receipt() -> str:
    rows = []
    for struct in (receipts.Receipt, receipts.LinePart, receipts.OfferPart, receipts.NeedPart, Evidence,
                   receipts.BudgetPart, receipts.ApprovalPart):  # fmt: skip
        names = struct.__struct_fields__ if issubclass(struct, msgspec.Struct) else struct.__slots__
        rows.append((f"`{struct.__name__}`", ", ".join(f"`{name}`" for name in names)))
    return table(("part", "fields"), rows)


def refusals(codes: Iterable[str]) -> str:
    rows = [(f"`{code}`", ADVICE[code].means, TODO[code]) for code in TODO if code in codes]
    return table(("code", "means", "what to send instead"), rows)


def device_rules() -> str:
    rows = [(f"`{r.name}`" + (", live" if r.live else ""), r.demands, r.todo) for r in RULES]
    return table(("rule", "demands", "if it fails"), rows)


MADE = {
    "settings": settings,
    "commands": commands,
    "api": api,
    "page": page,
    "roles": roles,
    "gateway-metrics": lambda: metrics("gateway"),
    "worker-metrics": lambda: metrics("worker"),
    "api-metrics": lambda: metrics("api"),
    "reading": lambda: message("reading"),
    "orders": lambda: message("orders"),
    "errors": lambda: message("errors"),
    "purchase-order": lambda: message("purchase-order"),
    "acknowledgement": lambda: message("acknowledgement"),
    "shipment": lambda: message("shipment"),
    "delivery": lambda: message("delivery"),
    "cancellation": lambda: message("cancellation"),
    "error-classes": error_classes,
    "device-rules": device_rules,
    "gateway-refusals": lambda: refusals(gateway_codes()),
    "decision-refusals": lambda: refusals(TODO.keys() - gateway_codes()),
    "receipt": receipt,
}


def renewed(text: str) -> str:
    """The page with its tables as the code has them now."""
    return BLOCK.sub(lambda m: f"<!-- made: {m['name']} -->\n{MADE[m['name']]()}\n<!-- end -->", text)


def code_of(page: Path, language: str) -> list[str]:
    """The page's blocks of code in a language; "": those that name none."""
    parts = re.split(r"^```(.*)\n", page.read_text(), flags=re.MULTILINE)
    return [code for named, code in zip(parts[1::4], parts[2::4], strict=True) if named == language]


def pages() -> list[Path]:
    return sorted(DOCS.rglob("*.md"))


def write() -> None:
    for page in pages():
        text = page.read_text()
        if (new := renewed(text)) != text:
            page.write_text(new)


if __name__ == "__main__":
    write()
