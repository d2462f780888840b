"""Money: a Decimal with its currency. Never a float, never two currencies in one sum."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import total_ordering

SCALE = 10_000
"""A ledger stores money as an integer of ten-thousandths, so that sums are exact in every database's SQL."""

_QUANTUM = Decimal(1) / SCALE
_MINOR = {"BHD": 3, "CLP": 0, "ISK": 0, "JOD": 3, "JPY": 0, "KRW": 0, "KWD": 3, "OMR": 3, "TND": 3, "VND": 0}
"""Digits of the minor unit where they are not 2 (ISO 4217)."""


class CurrencyMismatch(ValueError):
    """Two currencies met in one sum or comparison."""

    def __init__(self, left: str, right: str) -> None:
        super().__init__(f"cannot reckon {left} with {right}: convert one of them first")


@total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    """An amount of at most four decimals. Raises TypeError for anything but Decimal, ValueError for a bad currency."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal):
            raise TypeError(f"money is a Decimal, not {type(self.amount).__name__}: {self.amount!r}")
        if not self.amount.is_finite():
            raise ValueError(f"money must be a finite number, not {self.amount}")
        if self.amount != self.amount.quantize(_QUANTUM):
            raise ValueError(f"money has at most four decimals: {self.amount}")
        if not (
            len(self.currency) == 3 and self.currency.isascii() and self.currency.isalpha() and self.currency.isupper()
        ):
            raise ValueError(f"a currency is three capital letters such as EUR, not {self.currency!r}")

    @classmethod
    def of(cls, amount: str | int | Decimal, currency: str) -> "Money":
        if isinstance(amount, float):
            raise TypeError(f"money is never a float: {amount!r}; write it as text")
        return cls(Decimal(amount), currency)

    @classmethod
    def zero(cls, currency: str) -> "Money":
        return cls(Decimal(0), currency)

    @classmethod
    def from_scaled(cls, scaled: int, currency: str) -> "Money":
        """From the integer that a ledger stores."""
        return cls(Decimal(scaled) / SCALE, currency)

    @property
    def scaled(self) -> int:
        return int(self.amount * SCALE)

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(self.currency, other.currency)

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.amount - other.amount, self.currency)

    def __mul__(self, count: int) -> "Money":
        if not isinstance(count, int):
            raise TypeError(f"money is multiplied by a whole number, not by {count!r}")
        return Money(self.amount * count, self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.amount < other.amount

    def __bool__(self) -> bool:
        return self.amount != 0

    def rounded(self) -> "Money":
        """To the currency's minor unit, half to even."""
        digits = _MINOR.get(self.currency, 2)
        return Money(self.amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN), self.currency)

    def __str__(self) -> str:
        """`54.90 EUR`; more digits only where the amount has them."""
        minor = self.rounded().amount
        return f"{minor if minor == self.amount else self.amount.normalize():f} {self.currency}"
