"""What of an OpenAPI document's change would break a program that was written against the one before.

Additions do not: a new call, a new parameter or field that a request may leave out, a new field or status of an answer.
Everything else is a break: what is gone, has another type, or must be given by now.
"""

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
NONE: Json = {}


def breaks(old: Json, new: Json) -> list[str]:
    """In words, one for each break; empty when there is none."""
    return sorted(set(_Comparison(old, new).paths()))


class _Comparison:
    def __init__(self, old: Json, new: Json) -> None:
        self.old, self.new = old, new
        self._seen: set[tuple[str, str, bool]] = set()  # schemas refer to themselves

    def paths(self) -> Iterator[str]:
        for path, operations in self.old["paths"].items():
            for method, operation in operations.items():
                called, after = f"{method.upper()} {path}", self.new["paths"].get(path, NONE).get(method)
                if after is None:
                    yield f"{called}: the call is gone"
                    continue
                yield from self._parameters(called, operation, after)
                yield from self._body(called, operation.get("requestBody"), after.get("requestBody"))
                yield from self._answers(called, operation["responses"], after["responses"])

    def _parameters(self, called: str, old: Json, new: Json) -> Iterator[str]:
        before, after = ({(p["in"], p["name"]): p for p in one.get("parameters", [])} for one in (old, new))
        for key, parameter in before.items():
            if key not in after:
                yield f"{called}: parameter {key[1]} is gone"
            else:
                yield from self._schema(f"{called} ?{key[1]}", parameter["schema"], after[key]["schema"], given=True)
        for key, parameter in after.items():
            if parameter.get("required") and not before.get(key, NONE).get("required"):
                yield f"{called}: parameter {key[1]} must be given"

    def _body(self, called: str, old: Json | None, new: Json | None) -> Iterator[str]:
        if new and new.get("required") and not (old and old.get("required")):
            yield f"{called}: a body must be given"
        if old is not None:
            yield from self._content(f"{called} body", old, new or NONE, given=True)

    def _answers(self, called: str, old: Json, new: Json) -> Iterator[str]:
        for status, answer in old.items():
            if status not in new:
                yield f"{called}: status {status} is gone"
            else:
                yield from self._content(f"{called} {status}", answer, new[status], given=False)

    def _content(self, where: str, old: Json, new: Json, *, given: bool) -> Iterator[str]:
        after = new.get("content", NONE)
        for kind, content in old.get("content", NONE).items():
            if kind not in after:
                yield f"{where}: {kind} is gone"
            else:
                schemas = (one.get("schema", NONE) for one in (content, after[kind]))
                yield from self._schema(where, *schemas, given=given)

    def _schema(self, where: str, old: Json, new: Json, *, given: bool) -> Iterator[str]:
        """`given`: the caller gives it; else the caller gets it."""
        pair = (str(old.get("$ref")), str(new.get("$ref")), given)
        if "$ref" in old and "$ref" in new and pair in self._seen:
            return
        self._seen.add(pair)
        old, new = _found(self.old, old), _found(self.new, new)
        before, after = _types(self.old, old), _types(self.new, new)
        if not (before <= after if given else after <= before):
            yield f"{where}: was {' or '.join(sorted(before))}, is {' or '.join(sorted(after))}"
        if given and (gone := _words(self.old, old) - _words(self.new, new)) and _words(self.new, new):
            yield f"{where}: does not take {', '.join(sorted(gone))} any more"
        for one, other in zip(_parts(self.old, old), _parts(self.new, new), strict=False):
            yield from self._fields(where, one, other, given=given)

    def _fields(self, where: str, old: Json, new: Json, *, given: bool) -> Iterator[str]:
        before, after = old.get("properties", NONE), new.get("properties", NONE)
        for name, schema in before.items():
            if name not in after:
                yield f"{where}: field {name} is gone"
            else:
                yield from self._schema(f"{where}.{name}", schema, after[name], given=given)
        must, musts = set(old.get("required", [])), set(new.get("required", []))
        for name in sorted(musts - must if given else (must - musts) & after.keys()):
            yield f"{where}: field {name} {'must be given' if given else 'may be missing'}"
        if "items" in old and "items" in new:
            yield from self._schema(f"{where}[]", old["items"], new["items"], given=given)
        values = [one.get("additionalProperties") for one in (old, new)]
        if all(isinstance(value, dict) for value in values):
            yield from self._schema(f"{where}{{}}", *values, given=given)


def _found(document: Json, schema: Json) -> Json:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def _parts(document: Json, schema: Json) -> list[Json]:
    """The alternatives of a schema, without null."""
    choices = [_found(document, one) for one in schema.get("anyOf", [schema])]
    return [one for one in choices if one.get("type") != "null"]


def _types(document: Json, schema: Json) -> set[str]:
    """Its types in words, those with a format on their own."""
    named = {str(_found(document, one).get("type", "anything")) for one in schema.get("anyOf", [schema])}
    formats = {f"{one['type']} ({one['format']})" for one in _parts(document, schema) if "format" in one}
    return (named - {"string"}) | formats if formats else named


def _words(document: Json, schema: Json) -> set[str]:
    return {str(word) for one in _parts(document, schema) for word in one.get("enum", [])}
