"""Numbers of bc: integers with a count of decimals, cut as bc cuts them, and the functions of its library (`bc -l`)."""

from __future__ import annotations

from math import isqrt

#: How long a result may get, in digits.
MOST = 20_000
#: Decimals that the library's functions are computed with at most.
LIBRARY = 600
#: Decimals more than asked for, so that what is cut off is right.
GUARD = 12


class Problem(Exception):
    """A message of bc's about what it read or runs."""


class Number:
    """`value / 10**scale`."""

    __slots__ = ("scale", "value")

    def __init__(self, value: int, scale: int = 0) -> None:
        if abs(value) >> (MOST * 4):
            raise Problem("stopped by Slipway: the number is too long")
        self.value, self.scale = value, scale

    def at(self, scale: int) -> int:
        """The value with that many decimals, cut."""
        more = scale - self.scale
        return self.value * 10**more if more >= 0 else cut(self.value, 10**-more)


def cut(value: int, by: int) -> int:
    """A quotient towards zero."""
    return abs(value) // by * (1 if value >= 0 else -1)


def compare(op: str, left: Number, right: Number) -> Number:
    """1 or 0."""
    scale = max(left.scale, right.scale)
    a, b = left.at(scale), right.at(scale)
    return Number(int({"<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b, "==": a == b, "!=": a != b}[op]))


def apply(a: Number, op: str, b: Number, scale: int) -> Number:
    """`a op b` with bc's rules for the decimals of a result.  Raises ZeroDivisionError."""
    if op in "+-":
        both = max(a.scale, b.scale)
        return Number(a.at(both) + (b.at(both) if op == "+" else -b.at(both)), both)
    if op == "*":
        keep = min(a.scale + b.scale, max(scale, a.scale, b.scale))
        return Number(Number(a.value * b.value, a.scale + b.scale).at(keep), keep)
    if op == "^":
        times = b.at(0)
        if abs(times) * len(str(abs(a.value))) > MOST:
            raise Problem("stopped by Slipway: the number is too long")
        if times < 0:
            return apply(Number(1), "/", apply(a, "^", Number(-times), scale), scale)
        keep = min(a.scale * times, max(scale, a.scale))
        return Number(Number(a.value**times, a.scale * times).at(keep), keep)
    if b.value == 0:
        raise ZeroDivisionError
    if op == "/":
        top, bottom = a.value * 10 ** (scale + b.scale), b.value * 10**a.scale
        return Number(abs(top) // abs(bottom) * (1 if (top < 0) == (bottom < 0) else -1), scale)
    keep = max(scale + b.scale, a.scale)
    quotient = apply(a, "/", b, scale)
    return Number(a.at(keep) - Number(quotient.value * b.value, quotient.scale + b.scale).at(keep), keep)


def root(number: Number, scale: int) -> Number:
    """`sqrt`."""
    if number.value < 0:
        raise Problem("Square root of a negative number")
    keep = max(number.scale, scale)
    return Number(isqrt(number.at(2 * keep)), keep)


def literal(word: str, base: int) -> Number:
    """A number as it was typed in an input base."""
    whole, _, part = word.partition(".")
    digits = [min(int(digit, 16), base - 1) if len(word) > 1 else int(digit, 16) for digit in whole + part]
    value = 0
    for digit in digits:
        value = value * base + digit
    return Number(value) if not part else Number(value * 10 ** len(part) // base ** len(part), len(part))


def shown(number: Number, base: int) -> str:
    """A number as bc prints it: no zero before the point, lines of 68 digits."""
    if not number.value:
        return "0"
    unit = 10**number.scale
    whole, part = divmod(abs(number.value), unit)
    if base == 10:
        text = (str(whole) if whole else "") + (f".{part:0{number.scale}d}" if number.scale else "")
    else:
        text = _in_base(whole, base) if whole else ""
        reach, fraction = 1, ""
        while number.scale and reach < unit:
            part *= base
            fraction += _digit(part // unit, base)
            part %= unit
            reach *= base
        text += f".{fraction}" if fraction else ""
    text = ("-" if number.value < 0 else "") + (text or "0")
    return "\\\n".join(text[at : at + 68] for at in range(0, len(text), 68)) if len(text) > 69 else text


def _in_base(value: int, base: int) -> str:
    digits: list[str] = []
    while value:
        value, digit = divmod(value, base)
        digits.append(_digit(digit, base))
    return "".join(reversed(digits))


def _digit(digit: int, base: int) -> str:
    return "0123456789ABCDEF"[digit] if base <= 16 else f" {digit:0{len(str(base - 1))}d}"


# -- the library ---------------------------------------------------------------------------------------------------------
def library(name: str, args: list[Number], scale: int) -> Number:
    """`s c a l e` of a number, `j(n, x)`, to so many decimals."""
    if scale > LIBRARY:
        raise Problem(f"stopped by Slipway: more than {LIBRARY} decimals of {name}()")
    places = scale + GUARD
    if name == "e":  # a large power needs as many digits more before the point
        size = args[0].at(0)
        if abs(size) > 2000:
            raise Problem("stopped by Slipway: the number is too long")
        places += max(size, 0) // 2 + 2
    unit = 10**places
    x = args[-1].at(places)
    if name == "l" and x <= 0:
        return Number((1 - 10**scale) * 10**scale, scale)  # libmath.b: the smallest that can be said
    work = {"s": _sine, "c": lambda v, u: _sine(v + _pi(u) // 2, u), "a": _arctangent, "e": _power_of_e, "l": _logarithm}
    value = _bessel(args[0].at(0), x, unit) if name == "j" else work[name](x, unit)
    return Number(cut(value, 10 ** (places - scale)), scale)


def _pi(unit: int) -> int:
    """Machin's formula."""
    return 4 * (4 * _arctangent_of_inverse(5, unit) - _arctangent_of_inverse(239, unit))


def _arctangent_of_inverse(n: int, unit: int) -> int:
    term, total, k, sign = unit * 1000 // n, 0, 1, 1
    while term:
        total += sign * term // k
        term, k, sign = term // (n * n), k + 2, -sign
    return total // 1000


def _sine(x: int, unit: int) -> int:
    turn = 2 * _pi(unit)
    x = (x + turn // 2) % turn - turn // 2
    term, total, k = x, 0, 1
    while term:
        total += term
        term = -cut(cut(term * x, unit) * x, unit)
        term = cut(term, (k + 1) * (k + 2))
        k += 2
    return total


def _arctangent(x: int, unit: int) -> int:
    if abs(x) > unit:
        return (1 if x > 0 else -1) * (_pi(unit) // 2) - _arctangent(unit * unit // x, unit)
    halved = 0
    while abs(x) * 8 > unit:  # atan(x) = 2 atan(x / (1 + sqrt(1 + x²)))
        x = x * unit // (unit + isqrt(unit * unit + x * x))
        halved += 1
    term, total, k = x, 0, 1
    while term:
        total += cut(term, k)
        term, k = -cut(cut(term * x, unit) * x, unit), k + 2
    return total << halved


def _power_of_e(x: int, unit: int) -> int:
    if x < 0:
        return unit * unit // _power_of_e(-x, unit)
    halved = 0
    while x > unit:
        x, halved = x // 2, halved + 1
    fine = unit * 10**6
    x, term, total, k = x * 10**6, fine, 0, 1
    while term:
        total += term
        term, k = term * x // (fine * k), k + 1
    for _ in range(halved):
        total = total * total // fine
    return total // 10**6


def _logarithm(x: int, unit: int) -> int:
    if x < unit:
        return -_logarithm(unit * unit // x, unit)
    times = 0
    while x > 2 * unit:
        x, times = isqrt(x * unit), times + 1
    ratio = (x - unit) * unit // (x + unit)
    term, total, k = ratio, 0, 1
    while term:
        total += term // k
        term, k = term * ratio // unit * ratio // unit, k + 2
    return 2 * total << times


def _bessel(order: int, x: int, unit: int) -> int:
    """J of an integer order, by its series."""
    sign = -1 if order < 0 and order % 2 else 1
    order = min(abs(order), 1000)
    term = unit
    for k in range(1, order + 1):
        term = cut(term * x, 2 * k * unit)
    total, k = 0, 0
    while term:
        total += term
        k += 1
        term = -cut(cut(cut(term * x, unit) * x, unit), 4 * k * (k + order))
    return sign * total
