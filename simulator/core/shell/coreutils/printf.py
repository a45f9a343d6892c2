"""`printf`: formats of the builtin, reused while arguments are left (builtins/printf.def)."""

from __future__ import annotations

import math
import re
from typing import Any

from ...kernel.clock import SECOND, to_datetime
from .echo import expand

SPEC = re.compile(r"%(?:%|\(([^)]*)\)T|([-+ 0#']*)(\*|\d+)?(?:\.(\*|-?\d+)?)?(?:[hlLjzt]*)([diouxXeEfFgGaAcsbqQn]))")
DOT = re.compile(r"\.")


class _Printer:
    def __init__(self, call: Any, args: list[str]) -> None:
        self.call, self.args, self.code, self.used, self.stop = call, args, 0, 0, False

    def next(self) -> str | None:
        if self.used < len(self.args):
            self.used += 1
            return self.args[self.used - 1]
        self.used += 1
        return None

    def number(self, text: str | None) -> int:
        if not text:
            return 0
        if text[0] in "'\"":
            return ord(text[1]) if len(text) > 1 else 0
        match = re.match(r"\s*([-+]?(?:0[xX][0-9a-fA-F]+|\d+))", text)
        value = 0
        if match:
            digits = match.group(1)
            sign = -1 if digits[0] == "-" else 1
            plain = digits.lstrip("+-")
            value = sign * int(
                plain, 16 if plain[:2].lower() == "0x" else 8 if plain[0] == "0" and re.fullmatch("[0-7]+", plain) else 10
            )
        if not match or match.end() != len(text):
            self.complain(f"{text}: invalid number")
        return value

    def complain(self, message: str) -> None:
        complain = getattr(self.call, "complain", None)
        if complain is not None:
            complain(f"printf: {message}")
        else:
            self.call.err(f"printf: {message}\n")
        self.code = 1

    def decimal(self, text: str | None) -> float:
        if not text:
            return 0.0
        try:
            return float(text)
        except ValueError:
            return float(self.number(text))

    def spec(self, match: re.Match[str]) -> str:
        moment, flags, width, precision, kind = match.groups()
        if moment is not None:
            text = self.next()
            stamp = self.call.world.wall if text in (None, "-1", "-2") else min(abs(self.number(text)), 250_000_000_000) * SECOND
            return to_datetime(stamp).strftime(moment or "%X")
        if kind is None:
            return "%"
        if width == "*":
            value = self.number(self.next())
            width = str(abs(value))
            flags += "-" if value < 0 else ""
        has_dot = DOT.search(match.group()) is not None
        if precision == "*":
            precision = str(self.number(self.next()))
        if has_dot and not precision:
            precision = "0"
        if precision and int(precision) < 0:
            precision = None
        if int(width or 0) > 100_000 or int(precision or 0) > 100_000:
            self.complain("width too large")
            return ""
        return self.convert(kind, flags.replace("'", ""), width or "", precision)

    def convert(self, kind: str, flags: str, width: str, precision: str | None) -> str:
        arg = self.next()
        if kind in "di":
            value = self.number(arg)
            return ("%" + flags + width + (f".{precision}" if precision is not None else "") + "d") % value
        if kind in "ouxX":
            value = self.number(arg) & 0xFFFFFFFFFFFFFFFF
            text = ("%" + (f".{precision}" if precision is not None else "") + kind.replace("u", "d")) % value
            if "#" in flags and value:
                text = {"o": "0", "x": "0x", "X": "0X"}.get(kind, "") + text
            if "0" in flags and "-" not in flags and precision is None and width:
                return text.zfill(int(width))
            return _pad(text, flags, width)
        if kind in "eEfFgG":
            return ("%" + flags + width + (f".{precision}" if precision is not None else "") + kind) % self.decimal(arg)
        if kind in "aA":
            text = _hexadecimal(self.decimal(arg), int(precision) if precision is not None else None, flags)
            return _pad(text.upper() if kind == "A" else text, flags, width)
        if kind == "n":
            return ""
        text = arg or ""
        if kind == "c":
            return _pad(text[:1], flags, width)
        if kind == "b":
            text, self.stop = expand(text, octal=True)
        elif kind in "qQ":
            from ..expand import shell_quote

            text = shell_quote(text)
        if precision is not None:
            text = text.encode("utf-8", "surrogateescape")[: int(precision)].decode("utf-8", "surrogateescape")
        return _pad(text, flags, width)


def _hexadecimal(value: float, digits: int | None, flags: str) -> str:
    """`%a` of an x87 long double, as bash prints it: the first digit has the top four bits of the mantissa (1 is `0x8p-3`)."""
    sign = "-" if math.copysign(1.0, value) < 0 else "+" if "+" in flags else " " if " " in flags else ""
    if not math.isfinite(value):
        return sign + ("nan" if math.isnan(value) else "inf")
    mantissa, exponent = math.frexp(abs(value))
    whole, power = (int(mantissa * (1 << 64)), exponent - 4) if value else (0, 0)
    if digits is not None and digits < 15:
        drop = 4 * (15 - digits)
        whole = (whole + (1 << (drop - 1))) >> drop << drop
        if whole >> 64:
            whole, power = whole >> 4, power + 4
    text = f"{whole:016x}"
    rest = text[1:].rstrip("0") if digits is None else text[1 : 1 + digits].ljust(digits, "0")
    return f"{sign}0x{text[0]}{'.' if rest else ''}{rest}p{power:+d}"


def _pad(text: str, flags: str, width: str) -> str:
    if not width:
        return text
    fill = " " * (int(width) - len(text.encode("utf-8", "surrogateescape")))  # widths are bytes
    return text + fill if "-" in flags else fill + text


def render(call: Any, args: list[str]) -> tuple[bytes, int]:
    """The text of `printf ARGS` and its status."""
    if args and args[0] == "--":
        args = args[1:]
    args = args or [""]
    printer = _Printer(call, args[1:])
    out: list[str] = []
    size = 0
    while True:
        before = printer.used
        at, form = 0, args[0]
        while at < len(form) and not printer.stop:
            if form[at] == "%":
                match = SPEC.match(form, at)
                if match is None:
                    bad = re.compile(r"%[-+ 0#']*(?:\*|\d+)?(?:\.(?:\*|-?\d+)?)?[hlLjzt]*(.?)", re.DOTALL).match(form, at)
                    letter = bad.group(1) if bad else ""
                    printer.complain(
                        f"`{letter}': invalid format character" if letter else f"`{form[at:]}': missing format character"
                    )
                    return "".join(out).encode("utf-8", "surrogateescape"), 1
                out.append(printer.spec(match))
                at = match.end()
            elif form[at] == "\\":
                match = re.compile(r"\\(?:[0-7]{1,3}|x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{1,4}|U[0-9a-fA-F]{1,8}|.)", re.DOTALL).match(
                    form, at
                )
                piece = match.group() if match else "\\"
                if piece == "\\c" and hasattr(call, "complain"):
                    out.append(piece)  # the builtin knows it in %b only
                else:
                    out.append(_escape(piece))
                    printer.stop = printer.stop or piece == "\\c"
                at += len(piece)
            else:
                end = min((n for n in (form.find("%", at), form.find("\\", at)) if n >= 0), default=len(form))
                out.append(form[at:end])
                at = end
        size += sum(len(piece) for piece in out[-8:])
        if printer.stop or printer.used >= len(printer.args) or printer.used == before or size > 4_000_000:
            return "".join(out).encode("utf-8", "surrogateescape"), printer.code


def _escape(piece: str) -> str:
    if piece[1:2] in "01234567" and piece[1:2]:
        value = int(piece[1:], 8) & 0xFF
        return chr(value) if value < 128 else bytes([value]).decode("utf-8", "surrogateescape")
    if piece in ('\\"', "\\'", "\\?"):
        return piece[1]
    return expand(piece)[0]


def printf(call: Any) -> int:
    """`printf format args`."""
    if len(call.argv) < 2:
        complain = getattr(call, "complain", None)
        if complain is not None:
            call.err("printf: usage: printf [-v var] format [arguments]\n")
            return 2
        call.err("printf: missing operand\nTry 'printf --help' for more information.\n")
        return 1
    text, code = render(call, call.argv[1:])
    call.out(text)
    return code
