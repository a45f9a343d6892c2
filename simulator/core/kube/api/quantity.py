"""Quantities: `500m`, `1Gi`, `1e3` (`apimachinery/pkg/api/resource/quantity.go`).

A parsed quantity is an exact integer count of nano-units with the format it was written in; `canonical` prints it the way
the API server stores it.  Arithmetic is plain integer arithmetic on `nano`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import msgspec

NANO = 1_000_000_000

_PATTERN = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?(.*)\Z", re.S)
_BINARY = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40, "Pi": 1 << 50, "Ei": 1 << 60}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BY_EXPONENT = {v: k for k, v in _DECIMAL.items()}
_EXPONENT = re.compile(r"[eE]([+-]?\d{1,3})\Z")

#: The two messages of `ParseQuantity`.
FORMAT_WRONG = r"quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
SUFFIX_WRONG = "unable to parse quantity's suffix"


class Quantity(msgspec.Struct, frozen=True):
    """An amount in nano-units and its format: `BinarySI`, `DecimalSI` or `DecimalExponent`."""

    nano: int
    format: str = "DecimalSI"

    @property
    def value(self) -> int:
        """Whole units, rounded up (`Quantity.Value`)."""
        return -((-self.nano) // NANO)

    @property
    def milli(self) -> int:
        """Thousandths, rounded up (`Quantity.MilliValue`)."""
        return -((-self.nano) // 1_000_000)

    def __str__(self) -> str:
        return _format(self.nano, self.format)


@lru_cache(maxsize=4096)
def parse(text: Any) -> Quantity:
    """A quantity of its text (or JSON number); raises ValueError with the real message."""
    text = str(text)
    match = _PATTERN.match(text) if len(text) < 200 else None
    if not text or match is None:
        raise ValueError(FORMAT_WRONG)
    sign, whole, fraction, suffix = match.groups()
    if not whole and not fraction:
        raise ValueError(FORMAT_WRONG)
    digits = int((whole or "") + (fraction or "") or "0")
    scale = len(fraction or "")
    if suffix in _BINARY:
        multiplier, exponent, form = _BINARY[suffix], 0, "BinarySI"
    elif suffix in _DECIMAL:
        multiplier, exponent, form = 1, _DECIMAL[suffix], "DecimalSI"
    else:
        found = _EXPONENT.match(suffix)
        if found is None:
            raise ValueError(SUFFIX_WRONG if re.match(r"[eEinumkKMGTP]*[-+]?\d*\Z", suffix) else FORMAT_WRONG)
        multiplier, exponent, form = 1, int(found.group(1)), "DecimalExponent"
    nano = _scaled(digits * multiplier, exponent - scale + 9)
    return Quantity(-nano if sign == "-" else nano, form)


def _scaled(value: int, exponent: int) -> int:
    """value × 10^exponent, fractions rounded up, capped at 2^63-1 units as the real one caps."""
    if exponent >= 0:
        out = value * int(10 ** min(exponent, 60))
    else:
        out = -(-value // int(10 ** min(-exponent, 400)))
    return min(out, ((1 << 63) - 1) * NANO)


def _format(nano: int, form: str) -> str:
    """The canonical text: no fractional digits, the largest suffix that keeps it whole."""
    if nano == 0:
        return "0"
    sign, amount = ("-", -nano) if nano < 0 else ("", nano)
    if form == "BinarySI" and amount % NANO == 0 and amount >= 1024 * NANO:
        units, best = amount // NANO, ""
        for suffix, size in _BINARY.items():
            if units % size == 0:
                best = suffix
        return f"{sign}{units // _BINARY[best] if best else units}{best}"
    if form == "BinarySI" and amount % NANO == 0:
        return f"{sign}{amount // NANO}"
    exponent = -9
    while exponent < 18 and amount % 1000 == 0:
        amount //= 1000
        exponent += 3
    if form == "DecimalExponent":
        return f"{sign}{amount}e{exponent}" if exponent else f"{sign}{amount}"
    return f"{sign}{amount}{_BY_EXPONENT[exponent]}"


def canonical(text: Any) -> str:
    """The text that the API server stores for a quantity; raises ValueError."""
    return str(parse(text))


def nano(text: Any) -> int:
    """Nano-units of a text that is known to be good; 0 for None."""
    return 0 if text is None else int(parse(text).nano)


def value(text: Any) -> int:
    """Whole units, rounded up; 0 for None."""
    return 0 if text is None else parse(text).value


def milli(text: Any) -> int:
    """Thousandths, rounded up; 0 for None."""
    return 0 if text is None else parse(text).milli


def from_milli(amount: int) -> str:
    """The canonical decimal text of an amount in thousandths (`500` → `500m`)."""
    return _format(amount * 1_000_000, "DecimalSI")


def from_value(amount: int, form: str = "DecimalSI") -> str:
    """The canonical text of whole units."""
    return _format(amount * NANO, form)


def compare(a: Any, b: Any) -> int:
    """-1, 0 or 1."""
    left, right = nano(a), nano(b)
    return (left > right) - (left < right)
