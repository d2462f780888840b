"""The documentation page: made from the OpenAPI document on the server, so it works offline and without scripts."""

import json
from collections import defaultdict
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.pages.render import TEMPLATES, page

router = APIRouter(include_in_schema=False)
DEEPEST = 6


@router.get("/v1/docs")
def docs(request: Request) -> HTMLResponse:
    """Needs no token: it shows what there is, and no data."""
    document = request.app.openapi()
    schemas = document["components"]["schemas"]
    tags: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            shown = operation | {"path": path, "method": method.upper()}
            shown["body"] = _body(operation.get("requestBody", {}), schemas)
            shown["answers"] = [
                (status, answer | {"body": _body(answer, schemas) if status < "300" else ""})
                for status, answer in sorted(operation["responses"].items())
            ]
            tags[operation["tags"][0]].append(shown)
    return page(request, "docs.html", None, api=document, tags=dict(tags))


def _body(part: dict[str, Any], schemas: dict[str, Any]) -> str:
    for content in part.get("content", {}).values():
        if "example" in content:
            return str(content["example"])
        if schema := content.get("schema"):
            return json.dumps(example(schema, schemas), indent=2, ensure_ascii=False)
    return ""


def example(schema: dict[str, Any], schemas: dict[str, Any], depth: int = 0) -> Any:
    """A value that fits the schema: its own example where it has one, else what its type says."""
    if schema.get("examples"):
        return schema["examples"][0]
    if "$ref" in schema:
        return example(schemas[schema["$ref"].rsplit("/", 1)[1]], schemas, depth + 1) if depth < DEEPEST else {}
    for choice in ("anyOf", "allOf", "oneOf"):
        if choice in schema:
            return example(schema[choice][0], schemas, depth)
    fixed = [schema[name] for name in ("default", "const") if name in schema] + schema.get("enum", [])
    if fixed:
        return fixed[0]
    kind = schema.get("type")
    if kind == "array":
        return [example(schema["items"], schemas, depth + 1)]
    if kind == "object":
        return {name: example(part, schemas, depth + 1) for name, part in schema.get("properties", {}).items()}
    if schema.get("format") == "date-time":
        return "2026-11-21T09:30:00.250Z"
    return {"integer": 1, "number": 0.5, "boolean": False, "string": "text"}.get(str(kind))


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
