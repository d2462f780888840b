"""The documentation page: made from the OpenAPI document on the server, so it works offline and without scripts."""

import json
from collections import defaultdict
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.pages.render import TEMPLATES, page

router = APIRouter(include_in_schema=False)


@router.get("/v1/docs")
def docs(request: Request) -> HTMLResponse:
    """Needs no token: it shows what there is, and no data."""
    document = request.app.openapi()
    tags: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            shown = operation | {"path": path, "method": method.upper()}
            shown["body"] = _body(operation.get("requestBody", {}))
            shown["answers"] = [
                (status, answer | {"body": _body(answer) if status < "300" else ""})
                for status, answer in sorted(operation["responses"].items())
            ]
            tags[operation["tags"][0]].append(shown)
    return page(request, "docs.html", None, api=document, tags=dict(tags))


def _body(part: dict[str, Any]) -> str:
    for content in part.get("content", {}).values():
        found = content.get("example", "")
        return found if isinstance(found, str) else json.dumps(found, indent=2, ensure_ascii=False)
    return ""


def shape(schema: dict[str, Any]) -> str:
    """A schema in a few words, for a parameter."""
    if "anyOf" in schema:
        return " or ".join(shape(part) for part in schema["anyOf"] if part.get("type") != "null")
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    words = [str(schema.get("format") or schema.get("type", ""))]
    if "default" in schema:
        words.append(f"default {schema['default']}")
    if "maximum" in schema:
        words.append(f"at most {schema['maximum']}")
    return ", ".join(word for word in words if word)


TEMPLATES.filters["shape"] = shape
