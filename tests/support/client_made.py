"""The shapes and calls of `ullage.client`, made from the contract: `.venv/bin/python -m tests.support.client_made`.

Words of answers stay texts, so that a new word of a newer server is no error; words that a caller gives are Literals.
"""

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from tests.support import openapi, reference

Json = dict[str, Any]
FOLDER: Final = reference.DOCS.parent / "ullage" / "client"
MADE_BY: Final = "Made by tests/support/client_made.py from docs/reference/openapi.json: do not edit."
PLAIN: Final = {"integer": "int", "number": "float", "boolean": "bool", "string": "str", "null": "None"}
FORMATS: Final = {"date-time": "datetime", "date": "date"}
MONEY: Final = r"^-?\d+\.\d{2,4}$"
SHAPES: Final = '''"""What is sent and what comes back.

{made_by}"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec


'''
CALLS: Final = '''"""Every call of /v1.

{made_by}"""

from abc import ABC, abstractmethod
from collections.abc import {iterator}
from datetime import datetime
from typing import Any, Literal, TypeVar

from msgspec import UNSET, UnsetType

from ullage.client import shapes
from ullage.client.wire import Call, Page, path

Kind = TypeVar("Kind")


class {name}(ABC):
    @abstractmethod
    {wait}def _call(self, call: Call[Kind]) -> Kind: ...

    @abstractmethod
    def _pages(self, call: Call[Page[Kind]]) -> {iterator}[Kind]: ...

'''
OWN: Final = frozenset({"Idempotency-Key", "cursor", "format"})
BY_HAND: Final = frozenset({"/v1/events"})


class Maker:
    def __init__(self, document: Json) -> None:
        self.document, self.schemas = document, document["components"]["schemas"]
        self.used: dict[str, None] = {}

    def files(self) -> dict[Path, str]:
        calls, async_calls = self._calls(asynchronous=False), self._calls(asynchronous=True)
        made = {"calls": calls, "async_calls": async_calls, "shapes": self._shapes()}
        return {FOLDER / f"{name}.py": formatted(text, FOLDER / f"{name}.py") for name, text in made.items()}

    def kind(self, schema: Json, *, given: bool, prefix: str = "") -> str:
        """The annotation of a schema; `given`: by the caller."""
        inner = partial(self.kind, given=given, prefix=prefix)
        if "$ref" in schema:
            name = str(schema["$ref"]).rsplit("/", 1)[1]
            if "properties" not in self.schemas[name]:
                return inner(self.schemas[name])
            self.used[name] = None
            return prefix + name
        if "anyOf" in schema:
            return " | ".join(dict.fromkeys(inner(one) for one in schema["anyOf"]))
        if given and "enum" in schema:
            return f"Literal[{', '.join(map(repr, schema['enum']))}]"
        kind = schema.get("type", "")
        if kind == "array":
            return f"list[{inner(schema.get('items', {}))}]"
        if kind == "object":
            values = schema.get("additionalProperties")
            return f"dict[str, {inner(values) if isinstance(values, dict) else 'Any'}]"
        if kind == "string" and schema.get("pattern") == MONEY:
            return "Decimal"
        return FORMATS.get(schema.get("format", ""), PLAIN.get(kind, "Any"))

    def _shapes(self) -> str:
        bodies: dict[str, str] = {}
        for name in sorted(self.used):
            self._add(name, bodies)
        text = "\n\n".join(bodies.values())
        return SHAPES.format(made_by=MADE_BY) + text

    def _add(self, name: str, bodies: dict[str, str]) -> None:
        """What it is made of comes before it."""
        if name in bodies:
            return
        before, self.used = self.used, {}
        text = self._shape(name)
        parts, self.used = self.used, before
        for part in sorted(parts):
            self._add(part, bodies)
        bodies[name] = text

    def _shape(self, name: str) -> str:
        schema = self.schemas[name]
        lines = [f"class {name}(msgspec.Struct, frozen=True, kw_only=True):"]
        lines += docstring(schema.get("description", ""), 4)
        for field, value in schema["properties"].items():
            default = "" if field in schema.get("required", []) else f" = {value.get('default')!r}"
            lines.append(f"    {field}: {self.kind(value, given=False)}{default}")
        return "\n".join(lines) + "\n"

    def _calls(self, *, asynchronous: bool) -> str:
        name = "AsyncCalls" if asynchronous else "Calls"
        wait, iterator = ("async ", "AsyncIterator") if asynchronous else ("", "Iterator")
        methods = "\n".join(
            self._method(path, method, operation, wait, iterator)
            for path, operations in self.document["paths"].items()
            for method, operation in operations.items()
            if path.startswith("/v1/") and path not in BY_HAND
        )
        head = CALLS.format(made_by=MADE_BY, iterator=iterator, name=name, wait=wait)
        return head + methods

    def _method(self, path: str, method: str, operation: Json, wait: str, iterator: str) -> str:
        answer = self.kind(_schema(operation["responses"]["200"]), given=False, prefix="shapes.")
        paged = answer.startswith("shapes.Page_")
        if paged:
            self.used.pop(answer.removeprefix("shapes."))
            item = self.schemas[answer.removeprefix("shapes.")]["properties"]["items"]["items"]
            answer = self.kind(item, given=False, prefix="shapes.")
        wait = "" if paged else wait
        names, arguments = self._arguments(operation)
        taken = ", ".join(["self", *names, *(["*", *arguments] if arguments else [])])
        back = f"{iterator}[{answer}]" if paged else answer
        lines = [f"    {wait}def {operation['operationId']}({taken}) -> {back}:"]
        lines += docstring(operation.get("description", operation["summary"]), 8)
        kind = f"Page[{answer}]" if paged else answer
        sent = [repr(method.upper()), _path(path), kind, *self._sent(operation)]
        does = "self._pages" if paged else f"{'await ' * bool(wait)}self._call"
        return "\n".join([*lines, f"        return {does}(Call({', '.join(sent)}))"]) + "\n"

    def _arguments(self, operation: Json) -> tuple[list[str], list[str]]:
        """Those by position: of the path, and what the body must have; then those by name."""
        first, named = [], []
        for one in _parameters(operation):
            kind = self.kind(one["schema"], given=True, prefix="shapes.")
            if one["in"] == "path":
                first.append(f"{one['name']}: {kind}")
            elif one.get("required"):
                named.append(f"{_name(one)}: {kind}")
            else:
                named.append(f"{_name(one)}: {kind.removesuffix(' | None')} | None = None")
        body = self._body(operation)
        for name, schema in body.get("properties", {}).items():
            kind = self.kind(schema, given=True, prefix="shapes.")
            must = name in body.get("required", [])
            (first if must else named).append(f"{name}: {kind if must else _or_unset(kind)}")
        if body and "properties" not in body:
            first.append("document: dict[str, Any]")
        return first, named + ["key: str | None = None"] * _once(operation)

    def _sent(self, operation: Json) -> Iterator[str]:
        for where, argument in (("query", "query"), ("header", "headers")):
            found = [f"{one['name']!r}: {_name(one)}" for one in _parameters(operation) if one["in"] == where]
            if found:
                yield f"{argument}={{{', '.join(found)}}}"
        body = self._body(operation)
        if "properties" in body:
            yield f"body={{{', '.join(f'{name!r}: {name}' for name in body['properties'])}}}"
        elif body:
            yield "body=document"
        if _once(operation):
            yield "once=True, key=key"

    def _body(self, operation: Json) -> Json:
        schema: Json = _schema(operation.get("requestBody", {}))
        return self.schemas[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema


def _schema(part: Json) -> Json:
    content: Json = part.get("content", {}).get("application/json", {})
    return content.get("schema", {}) if content else {}


def _parameters(operation: Json) -> list[Json]:
    """Without those that the client gives itself."""
    return [one for one in operation.get("parameters", []) if one["name"] not in OWN]


def _or_unset(kind: str) -> str:
    none = " | None" * kind.endswith(" | None")
    return f"{kind.removesuffix(' | None')} | UnsetType{none} = UNSET"


def _once(operation: Json) -> bool:
    return any(one["name"] == "Idempotency-Key" for one in operation.get("parameters", []))


def _name(parameter: Json) -> str:
    return str(parameter["name"]).lower().replace("-", "_")


def _path(template: str) -> str:
    names = [part[1:-1] for part in template.split("/") if part.startswith("{")]
    return f"path({template!r}, {', '.join(f'{name}={name}' for name in names)})" if names else repr(template)


def docstring(text: str, indent: int) -> list[str]:
    if not text:
        return []
    parts = ["\n".join(textwrap.wrap(part, 112 - indent)) for part in text.split("\n\n")]
    whole = '"""' + "\n\n".join(parts) + '"""'
    return textwrap.indent(whole, " " * indent).splitlines()


def formatted(text: str, path: Path) -> str:
    for arguments in (["check", "--fix", "--select", "F401,I001,PYI016"], ["format"]):
        command = [sys.executable, "-m", "ruff", *arguments, "--quiet", "--stdin-filename", str(path), "-"]
        text = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    return text


def made() -> dict[Path, str]:
    return Maker(openapi.kept()).files()


if __name__ == "__main__":
    for path, text in made().items():
        path.write_text(text)
