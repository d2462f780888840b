"""Examples for the OpenAPI document, made from its schemas: none can say what the schema does not."""

from typing import Any, Final

DEEPEST: Final = 6
NAMED: Final[dict[str, Any]] = {
    "account": "acme", "site": "hq", "device": "copier-01", "slot": "black", "model": "copier-c4",
    "product": "Black toner", "sku": "TN-K", "supplier": "papierwerk", "supplier_sku": "P-1001", "name": "acme",
    "address": "1 Example Street, Berlin", "time_zone": "Europe/Berlin", "currency": "EUR", "unit": "pages",
    "id": 40, "account_id": 1, "site_id": 3, "device_id": 12, "slot_id": 40, "product_id": 7, "supplier_id": 2,
    "order_id": 17, "need_id": 51, "number": 9, "request_id": "0f7c52b1", "held_id": 5, "cycle": 4, "line": 1,
    "capacity": 12_000, "pack": 1, "units": 1, "quantity": 2, "readings": 15, "attempt": 1, "size": 214,
    "level": 0.12, "level_low": 0.11, "level_high": 0.13, "rate": 0.025, "probability": 0.07, "threshold": 0.05,
    "first": 0.42, "last": 0.41, "low": 0.41, "share": 0.025, "amount": 300, "mean": 1.8, "service_level": 0.97,
    "level_before": 0.03, "level_after": 1, "delivered": 0, "cancelled": 0, "shipped": 0, "lost": 0, "over": 0,
    "on_hand": 0, "on_order": 1, "by": "Ann", "reason": "we have two", "channel": "forecast", "state": "placed",
    "approved_by": "Ann", "closed_by": "Ann", "settled_by": "Ann", "reversed_by": "Ann", "why": "it rose to 100 %",
    "uuid": "5d3f5f0e-7b0c-5a43-9c52-0f6f9c8f2a11", "reference": "PO-2026-117", "subject": "slot/40",
    "link": "/v1/requests/0f7c52b1", "next": "WzQwXQ", "cursor": "WzQwXQ", "where": "site/3", "kind": "dead_letter",
    "raw": '{"v": 1, "supplies": {"black": {"level": 42}}}', "code": "level_out_of_range",
    "verdict": "ordered: need 51 is open, order 17 is placed", "text": "Order 17 of acme for hq: 54.90 EUR, placed",
    "days_to_empty": {"0.05": 2.1, "0.5": 4.0}, "quantiles": {"0.5": 2, "0.95": 4}, "total": {"0.5": 6, "0.95": 10},
    "empty_at": {"0.05": "2026-11-23T11:54:00.250Z", "0.5": "2026-11-25T09:30:00.250Z"},
    "receipt": {"version": 1, "order": 17}, "history": [1, 0, 2],
}  # fmt: skip
"""What a field of this name may say, where that fits its schema."""
KINDS: Final[dict[str, type | tuple[type, ...]]] = {
    "integer": int,
    "number": (int, float),
    "string": str,
    "object": dict,
    "array": list,
}
PLAIN: Final = {"integer": 1, "number": 0.5, "boolean": False, "string": "text"}
FORMATS: Final = {"date-time": "2026-11-21T09:30:00.250Z", "date": "2026-11-21"}


def example(schema: dict[str, Any], schemas: dict[str, Any], name: str = "", depth: int = 0) -> Any:
    """A value that fits the schema: its own example where it has one, else what its name, then what its type says."""
    if schema.get("examples"):
        return schema["examples"][0]
    if "$ref" in schema:
        return example(schemas[schema["$ref"].rsplit("/", 1)[1]], schemas, name, depth + 1) if depth < DEEPEST else {}
    for choice in ("anyOf", "allOf", "oneOf"):
        if choice in schema:
            return example(schema[choice][0], schemas, name, depth)
    for word in ("const", "default"):
        if schema.get(word) is not None:
            return schema[word]
    if properties := schema.get("properties"):
        return {part: example(properties[part], schemas, part, depth) for part in properties}
    return _value(schema, schemas, name, depth)


def _value(schema: dict[str, Any], schemas: dict[str, Any], name: str, depth: int) -> Any:
    kind = str(schema.get("type"))
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("format") in FORMATS:
        return FORMATS[schema["format"]]
    if name in NAMED and isinstance(NAMED[name], KINDS.get(kind, ())):
        return NAMED[name]
    if kind == "array":
        return [example(schema["items"], schemas, name, depth)]
    return PLAIN.get(kind, {})


def illustrate(document: dict[str, Any]) -> None:
    """Give every parameter, body and answer of an OpenAPI document an example, unless it has one."""
    schemas = document["components"]["schemas"]
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                parameter.setdefault("example", example(parameter["schema"], schemas, parameter["name"]))
            _content(operation.get("requestBody", {}), schemas)
            for answer in operation["responses"].values():
                _content(answer, schemas)


def _content(part: dict[str, Any], schemas: dict[str, Any]) -> None:
    for content in part.get("content", {}).values():
        if schema := content.get("schema"):
            content.setdefault("example", example(schema, schemas))
