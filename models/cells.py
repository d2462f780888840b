"""Cells of a table (CSV) that a spreadsheet takes for what they are."""

from typing import Any, Final

import msgspec

FORMULA: Final = frozenset("=+-@\t\r")
"""A text that begins with one of these would be calculated (https://owasp.org/www-community/attacks/CSV_Injection)."""


def cell(value: Any) -> str | int | float:
    """Numbers stay numbers, nothing is an empty cell, what has parts is JSON; a text never becomes a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return f"'{text}" if text[:1] in FORMULA else text
