"""What the demo says at its end: the simulator's truth against what Ullage did."""

from typing import Any

from rich.table import Table

from ullage.standing import Standing

Row = tuple[str, str, str]


def summary(s: Standing, truth: dict[str, Any], elapsed: float) -> Table:
    """A table of three columns: what, in truth (the simulator), what Ullage did."""
    table = Table(title=f"Summary after {elapsed:,.0f} s", title_justify="left")
    for name in ("", "in truth", "Ullage"):
        table.add_column(name)
    for row in rows(s, truth):
        table.add_row(*row)
    return table


def rows(s: Standing, truth: dict[str, Any]) -> list[Row]:
    def told(name: str, unit: str = "", digits: int = 0) -> str:
        value = truth.get(name)
        return "-" if value is None else f"{value:,.{digits}f}{unit}"

    placed = sum(n for state, n in s.orders.items() if state not in {"proposed", "cancelled", "rejected", "expired"})
    return [
        ("simulated days", told("days", digits=1), ""),
        ("readings", f"{told('published')} published", f"{told('acked')} acknowledged"),
        ("needs", "", ", ".join(f"{n} {state}" for state, n in s.needs.items()) or "none"),
        (
            "orders",
            f"{told('purchase_orders')} reached suppliers",
            f"{sum(s.orders.values())}, {placed} of them placed",
        ),
        ("empties met in time", told("empties_met"), f"{s.empties_met} refills seen in time"),
        (
            "empties missed (stock-outs)",
            f"{told('empties_missed')} ({told('stock_outs_pct', ' %', 1)} of the refills)",
            "",
        ),
        ("spare days per slot and year", told("spare_days_per_slot_year", digits=1), ""),
        ("residue thrown away", told("residue_pct", " % of a supply", 1), ""),
        ("ordered twice", told("orders_twice"), "0 wanted"),
    ]
