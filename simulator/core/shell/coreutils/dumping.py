"""od, hexdump and xxd: bytes made visible."""

from __future__ import annotations

import re

from ...host.executor import Ended
from ...host.invocation import Call
from .common import Code, inputs, name_of, parse, usage

NAMED = ["nul", "soh", "stx", "etx", "eot", "enq", "ack", "bel", "bs", "ht", "nl", "vt", "ff", "cr", "so", "si", "dle", "dc1", "dc2", "dc3",
         "dc4", "nak", "syn", "etb", "can", "em", "sub", "esc", "fs", "gs", "rs", "us", "sp"]  # fmt: skip
ESCAPES = {0: "\\0", 7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r"}
SIZES = {"C": 1, "S": 2, "I": 4, "L": 8, "": 4}


def count(text: str) -> int:
    """A number of bytes: decimal, octal with 0, hexadecimal with 0x, with `b`, `k`, `M` behind it.  Raises ValueError."""
    match = re.fullmatch(r"(0[xX][0-9a-fA-F]{1,8}|\d{1,9})([bkKmM]B?)?", text)
    if match is None:
        raise ValueError(text)
    digits = match.group(1)
    base = (
        16
        if digits[:2].lower() == "0x"
        else 8
        if digits.startswith("0") and digits.isdigit() and not set(digits) & set("89")
        else 10
    )
    value = int(digits, base)
    return value * {"": 1, "b": 512, "k": 1024, "K": 1024, "m": 1 << 20, "M": 1 << 20}[(match.group(2) or "")[:1]]


def _cell(kind: str, size: int, piece: bytes) -> str:
    value = int.from_bytes(piece.ljust(size, b"\0"), "little", signed=kind == "d")
    if kind == "c":
        byte = piece[0]
        return ESCAPES.get(byte, chr(byte) if 32 <= byte < 127 else f"{byte:03o}")
    if kind == "a":
        byte = piece[0] & 0x7F
        return NAMED[byte] if byte < 33 else "del" if byte == 127 else chr(byte)
    if kind == "x":
        return f"{value:0{size * 2}x}"
    if kind == "o":
        return f"{value:0{-(-size * 8 // 3)}o}"
    return str(value)


def _width(kind: str, size: int) -> int:
    if kind in "ca":
        return 3
    if kind == "x":
        return size * 2
    if kind == "o":
        return -(-size * 8 // 3)
    return {1: 3, 2: 5, 4: 10, 8: 20}[size] + (kind == "d")


def od(call: Call) -> Code:
    """`od [-A base] [-t type] [-N count] [-j skip] [-v] [-w width] [-abcdox] [file]`."""
    short = {"a": "a", "b": "o1", "c": "c", "d": "u2", "o": "o2", "x": "x2", "X": "x4", "i": "dI", "s": "d2", "l": "dL"}
    args, kinds = [call.argv[0]], []
    for word in call.argv[1:]:
        if re.fullmatch(r"-[abcdoxXisl]+", word):
            kinds += [short[letter] for letter in word[1:]]
        else:
            args.append(word)
    call.argv = args
    options, names = parse(
        call, "A:t:N:j:vw:S:", "address-radix=A format=t read-bytes=N skip-bytes=j output-duplicates:v width?w"
    )
    formats: list[tuple[str, int, bool]] = []
    for text in [*kinds, *([options["t"]] if "t" in options else [])] or ["o2"]:
        for kind, size, z in re.findall(r"([acdoux])([1248CSIL]?)(z?)", text):
            formats.append((kind, 1 if kind in "ac" else int(size) if size.isdigit() else SIZES[size], bool(z)))
    if not formats:
        call.err(f"od: invalid type string ‘{options.get('t', '')}’\n")
        return 1
    found, code = yield from inputs(call, names)
    data = b"".join(part for _, part in found)
    try:
        skip, most = count(options.get("j", "0")), count(options["N"]) if "N" in options else len(data)
        width = count(options.get("w") or "32") if "w" in options else 16
    except ValueError as failed:
        call.err(f"od: invalid argument ‘{failed}’\n")
        return 1
    if not width or width % max(size for _, size, _ in formats):
        width = 16
    if skip > len(data):
        call.err("od: cannot skip past end of combined input\n")
        return 1
    data = data[skip : skip + most]
    column = max(width // size * (_width(kind, size) + 1) for kind, size, _ in formats)
    radix = options.get("A", "o")

    def address(at: int) -> str:
        return {"o": f"{at:07o}", "d": f"{at:07d}", "x": f"{at:06x}", "n": ""}.get(radix, f"{at:07o}")

    before, starred = None, False
    for at in range(0, len(data), width):
        row = data[at : at + width]
        if row == before and len(row) == width and "v" not in options:
            call.out("" if starred else "*\n")
            starred = True
            continue
        before, starred = row, False
        for number, (kind, size, z) in enumerate(formats):
            each = column // (width // size)
            cells = "".join(_cell(kind, size, row[n : n + size]).rjust(each) for n in range(0, len(row), size))
            text = (address(skip + at) if not number else " " * len(address(0))) + cells
            if z:
                text = text.ljust(len(address(0)) + column) + "  >" + "".join(chr(b) if 32 <= b < 127 else "." for b in row) + "<"
            call.out(text + "\n")
    if radix != "n":
        call.out(address(skip + len(data)) + "\n")
    return code


def hexdump(call: Call) -> Code:
    """`hexdump [-C] [-n length] [-s skip] [-v] [file]`, `hd`."""
    options, names = parse(call, "Cbcdoxn:s:ve:", "canonical:C length=n skip=s no-squeezing:v")
    found, code = yield from inputs(call, names)
    if "e" in options:
        call.err("hexdump: option '-e': not simulated in Slipway yet\n")
        raise Ended(1)
    data = b"".join(part for _, part in found)
    try:
        skip, most = count(options.get("s", "0")), count(options["n"]) if "n" in options else len(data)
    except ValueError:
        call.err("hexdump: bad length value\n")
        return 1
    data = data[skip : skip + most]
    canonical = "C" in options or name_of(call) == "hd"
    size = 1 if any(flag in options for flag in "bc") else 2
    kind = next((flag for flag in "bcdox" if flag in options), "x")
    before, starred = None, False
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        if row == before and len(row) == 16 and "v" not in options:
            call.out("" if starred else "*\n")
            starred = True
            continue
        before, starred = row, False
        if canonical:
            hexa = " ".join(f"{b:02x}" for b in row[:8]).ljust(23) + "  " + " ".join(f"{b:02x}" for b in row[8:]).ljust(23)
            call.out(f"{skip + at:08x}  {hexa}  |{''.join(chr(b) if 32 <= b < 127 else '.' for b in row)}|\n")
            continue
        form = {"b": ("o", 4), "c": ("c", 4), "d": ("u", 8), "o": ("o", 8), "x": ("x", 5)}[kind]
        wide = {"x": 4, "d": 5, "o": 6, "b": 3, "c": 3}[kind]
        cells = [_cell(form[0], size, row[n : n + size]) for n in range(0, len(row), size)]
        text = "".join((cell.rjust(wide, "0") if kind in "do" else cell.rjust(wide)).rjust(form[1]) for cell in cells)
        call.out(f"{skip + at:07x}{text.ljust((16 // size) * form[1])}\n")
    if data:
        call.out(f"{skip + len(data):08x}\n" if canonical else f"{skip + len(data):07x}\n")
    return code


def xxd(call: Call) -> Code:
    """`xxd [-b] [-c cols] [-g bytes] [-i] [-l length] [-p] [-r] [-s seek] [-u] [file [out]]`."""
    call.argv = [
        {"-ps": "-p", "-plain": "-p", "-postscript": "-p", "-revert": "-r", "-include": "-i", "-bits": "-b"}.get(word, word)
        for word in call.argv
    ]
    options, names = parse(
        call, "abc:eg:il:pro:s:uv", "bits:b cols=c groupsize=g include:i len=l plain:p revert:r seek=s uppercase:u"
    )
    if len(names) > 2:
        raise usage(call, "too many operands")
    found, code = yield from inputs(call, names[:1])
    if code:
        return 2
    data = found[0][1]
    if "r" in options:
        _put(call, _reverted(data.decode("latin-1"), plain="p" in options), names)
        return 0
    try:
        seek, most = count(options.get("s", "0").lstrip("+")), count(options["l"]) if "l" in options else len(data)
        width = (
            count(options["c"])
            if "c" in options
            else 30
            if "p" in options
            else 12
            if "i" in options
            else 6
            if "b" in options
            else 16
        )
        group = count(options["g"]) if "g" in options else 1 if "b" in options else 4 if "e" in options else 2
    except ValueError as failed:
        call.err(f"xxd: invalid number {failed}\n")
        return 1
    data = data[seek : seek + most]
    hexa = "{:02X}" if "u" in options else "{:02x}"
    out: list[str] = []
    if "p" in options:
        out = ["".join(hexa.format(b) for b in data[at : at + width]) + "\n" for at in range(0, len(data), width or 30)]
    elif "i" in options:
        rows = [", ".join(f"0x{hexa.format(b)}" for b in data[at : at + width]) for at in range(0, len(data), width)]
        body = ",\n".join("  " + row for row in rows)
        name = re.sub(r"\W", "_", names[0]) if names and names[0] != "-" else ""
        out = [f"unsigned char {name}[] = {{\n{body}\n}};\nunsigned int {name}_len = {len(data)};\n" if name else body + "\n"]
    else:
        width = min(max(width, 1), 256)
        group = group or width
        form = "{:08b}" if "b" in options else hexa
        size = 8 if "b" in options else 2
        full = width * size + (width - 1) // group
        for at in range(0, len(data), width):
            row = data[at : at + width]
            cells = " ".join("".join(form.format(b) for b in row[n : n + group]) for n in range(0, len(row), group))
            out.append(f"{seek + at:08x}: {cells.ljust(full)}  {''.join(chr(b) if 32 <= b < 127 else '.' for b in row)}\n")
    _put(call, "".join(out).encode(), names)
    return 0


def _put(call: Call, data: bytes, names: list[str]) -> None:
    if len(names) > 1:
        call.write_file(names[1], data)
    else:
        call.out(data)


def _reverted(text: str, *, plain: bool) -> bytes:
    if plain:
        digits = re.sub(r"[^0-9a-fA-F]", "", text)
        return bytes.fromhex(digits[: len(digits) // 2 * 2])
    out = bytearray()
    for line in text.splitlines():
        match = re.match(r"\s*([0-9a-fA-F]+):? ?(.*)", line)
        if not match:
            continue
        at = int(match.group(1)[-8:], 16)
        if at > 4 * 1024 * 1024:
            continue
        body = re.match(r"((?:[0-9a-fA-F]{2,} ?)*)", match.group(2).split("  ")[0])
        digits = re.sub(r"\s", "", body.group(1)) if body else ""
        data = bytes.fromhex(digits[: len(digits) // 2 * 2])
        out[len(out) : at] = b"\0" * (at - len(out))
        out[at : at + len(data)] = data
    return bytes(out)
