"""Commands on text: cat, head, tail, wc, sort, uniq, cut, paste, tr, tac, rev, nl, fold, tee, seq, yes, shuf, column and others."""

from __future__ import annotations

import re
from collections.abc import Generator
from functools import cmp_to_key
from typing import Any

from ...host import streams
from ...host.invocation import Call
from ...host.program import Sleep, Wait, WaitTopic
from ...kernel.clock import MS
from .common import Code, device_fd, inputs, lines, name_of, parse, usage


def cat(call: Call) -> Code:
    """`cat [-nbEsTA] [files]`: standard input is passed on as it comes."""
    options, names = parse(call, "nbEsTAvetu", "number:n number-nonblank:b show-ends:E squeeze-blank:s show-tabs:T show-all:A")
    code = 0
    state = [0, False]
    for name in names or ["-"]:
        fd = 0 if name == "-" else device_fd(name)
        if fd is not None and fd in call.fds:
            while True:
                stream = yield from call.wait_input(fd)
                data = stream.take(65536)
                if not data:
                    break
                call.out(_decorate(data, options, state))
                if isinstance(stream, streams.Null | streams.Random):
                    yield Sleep(MS)
            continue
        while name in ("/dev/zero", "/dev/urandom", "/dev/random"):
            call.out(_decorate(call.read_file(name), options, state))
            yield Sleep(MS)
        try:
            data = call.read_file(name)
        except OSError as failed:
            call.err(f"cat: {name}: {failed.strerror}\n")
            code = 1
            continue
        call.out(_decorate(data, options, state))
    return code


def _decorate(data: bytes, options: dict[str, str], state: list[Any]) -> bytes:
    if not options:
        return data
    out = []
    for line in lines(data):
        blank = line == b"\n"
        if "s" in options and blank and state[1]:
            continue
        state[1] = blank
        ends = line.endswith(b"\n")
        body = line[:-1] if ends else line
        if "T" in options or "A" in options or "t" in options:
            body = body.replace(b"\t", b"^I")
        if ends and ("E" in options or "A" in options or "e" in options):
            body += b"$"
        if ("n" in options and "b" not in options) or ("b" in options and not blank):
            state[0] += 1
            body = b"%6d\t%s" % (state[0], body)
        out.append(body + (b"\n" if ends else b""))
    return b"".join(out)


def _count(call: Call, text: str, what: str) -> tuple[int, str]:
    match = re.fullmatch(r"([-+]?)(\d+)([bkKMG]?)", text)
    if match is None:
        call.err(f"{name_of(call)}: invalid number of {what}: ‘{text}’\n")
        from ...host.executor import Ended

        raise Ended(1)
    scale = {"": 1, "b": 512, "k": 1024, "K": 1024, "M": 1024**2, "G": 1024**3}[match.group(3)]
    return int(match.group(2)) * scale, match.group(1)


def _old_style(call: Call) -> None:
    if len(call.argv) > 1 and re.fullmatch(r"-\d+[a-z]?", call.argv[1]):
        call.argv = [
            call.argv[0],
            "-n",
            call.argv[1].strip("-qvfF"),
            *(["-f"] if call.argv[1].endswith("f") else []),
            *call.argv[2:],
        ]


def head(call: Call) -> Code:
    """`head [-n lines] [-c bytes] [files]`: stops reading as soon as it has enough."""
    _old_style(call)
    options, names = parse(call, "n:c:qv", "lines=n bytes=c quiet:q verbose:v silent:q")
    by_bytes = "c" in options
    count, sign = _count(call, options.get("c") or options.get("n") or "10", "bytes" if by_bytes else "lines")
    code = 0
    first = True
    for name in names or ["-"]:
        try:
            if name == "-" and sign != "-":
                data = yield from _enough(call, count, by_bytes)
            elif name == "-":
                data = yield from call.read()
            else:
                data = call.read_file(name)
        except OSError as failed:
            call.err(
                f"head: cannot open '{name}' for reading: {failed.strerror}\n"
                if failed.errno != 21
                else f"head: error reading '{name}': Is a directory\n"
            )
            code = 1
            continue
        if (len(names) > 1 or "v" in options) and "q" not in options:
            call.out(("" if first else "\n") + f"==> {'standard input' if name == '-' else name} <==\n")
        first = False
        if by_bytes:
            call.out(data[: len(data) - count] if sign == "-" else data[:count])
        else:
            rows = lines(data)
            call.out(b"".join(rows[: max(len(rows) - count, 0)] if sign == "-" else rows[:count]))
    return code


def _enough(call: Call, count: int, by_bytes: bool) -> Generator[Wait, Any, bytes]:
    data = b""
    while (len(data) if by_bytes else data.count(b"\n")) < count:
        stream = yield from call.wait_input()
        part = stream.take(max(count - len(data), 1) if by_bytes else 65536)
        if not part:
            break
        data += part
    return data


def tail(call: Call) -> Code:
    """`tail [-n lines] [-c bytes] [-f] [files]`."""
    _old_style(call)
    options, names = parse(call, "n:c:fFqvs:", "lines=n bytes=c follow?f retry quiet:q verbose:v pid=pid sleep-interval=s")
    by_bytes = "c" in options
    count, sign = _count(call, options.get("c") or options.get("n") or "10", "bytes" if by_bytes else "lines")
    code, first = 0, True
    sizes: dict[str, int] = {}
    for name in names or ["-"]:
        try:
            data = (yield from call.read()) if name == "-" else call.read_file(name)
        except OSError as failed:
            call.err(
                f"tail: cannot open '{name}' for reading: {failed.strerror}\n"
                if failed.errno != 21
                else f"tail: error reading '{name}': Is a directory\n"
            )
            code = 1
            continue
        sizes[name] = len(data)
        if (len(names) > 1 or "v" in options) and "q" not in options:
            call.out(("" if first else "\n") + f"==> {'standard input' if name == '-' else name} <==\n")
        first = False
        if by_bytes:
            call.out(data[count - 1 :] if sign == "+" else data[max(len(data) - count, 0) :])
        else:
            rows = lines(data)
            call.out(b"".join(rows[max(count - 1, 0) :] if sign == "+" else rows[max(len(rows) - count, 0) :]))
    if ("f" in options or "F" in options) and sizes and "-" not in sizes:
        yield from _follow(call, sizes, len(names) > 1 and "q" not in options)
    return code


def _follow(call: Call, sizes: dict[str, int], title: bool) -> Generator[Wait, Any, None]:
    import posixpath

    shown = list(sizes)[-1]
    while True:
        topics = tuple(f"file:{call.host.name}:{posixpath.dirname(call.path(name))}" for name in sizes)
        yield WaitTopic(topics, call.world.now + 1000 * MS)
        for name, size in sizes.items():
            try:
                data = call.read_file(name)
            except OSError:
                continue
            if len(data) < size:
                call.err(f"tail: {name}: file truncated\n")
                size = 0
            if len(data) > size:
                if title and shown != name:
                    call.out(f"\n==> {name} <==\n")
                    shown = name
                call.out(data[size:])
            sizes[name] = len(data)


def wc(call: Call) -> Code:
    """`wc [-lwcmL] [files]`."""
    options, names = parse(call, "lwcmL", "lines:l words:w bytes:c chars:m max-line-length:L")
    wanted = [flag for flag in "lwmcL" if flag in options] or ["l", "w", "c"]
    found, code = yield from inputs(call, names)
    rows: list[tuple[list[int], str]] = []
    for name, data in found:
        numbers = {
            "l": data.count(b"\n"), "w": len(data.split()), "c": len(data), "m": len(data.decode("utf-8", "replace")) if "m" in wanted else 0,
            "L": max((len(line.expandtabs()) for line in data.decode("utf-8", "replace").split("\n")), default=0) if "L" in wanted else 0,
        }  # fmt: skip
        rows.append(([numbers[flag] for flag in wanted], "" if not names else name))
    if len(names) > 1:
        rows.append(([sum(row[0][n] for row in rows) for n in range(len(wanted))], "total"))
    if not names:
        width = 1 if len(wanted) == 1 else 7
    else:
        width = max(
            (len(str(sum(len(d) for _, d in found) if len(wanted) > 1 else n)) for row in rows for n in row[0]), default=1
        )
    for numbers_row, name in rows:
        call.out(" ".join(str(n).rjust(width) for n in numbers_row) + (f" {name}" if name else "") + "\n")
    return code


def sort(call: Call) -> Code:
    """`sort [-nrufkthVMsco] [files]`."""
    options, names = _sort_options(call)
    found, code = yield from inputs(call, names)
    data = b"".join(d if d.endswith(b"\n") or not d else d + b"\n" for _, d in found)
    rows = data.decode("utf-8", "surrogateescape").split("\n")[:-1]
    keys = [_sort_key(spec, options) for spec in options.get("k", "").split("\0") if spec]
    compare = _comparer(keys, options)
    if "c" in options or "C" in options:
        for number in range(1, len(rows)):
            if compare(rows[number - 1], rows[number]) > 0 or ("u" in options and compare(rows[number - 1], rows[number]) == 0):
                if "c" in options:
                    call.err(f"sort: {names[0] if names else '-'}:{number + 1}: disorder: {rows[number]}\n")
                return 1
        return 0
    rows.sort(key=cmp_to_key(compare))
    if "u" in options:
        rows = [row for n, row in enumerate(rows) if n == 0 or compare(rows[n - 1], row) != 0]
    text = "".join(row + "\n" for row in rows).encode("utf-8", "surrogateescape")
    if "o" in options:
        call.write_file(options["o"], text)
    else:
        call.out(text)
    return code or 0


def _sort_options(call: Call) -> tuple[dict[str, str], list[str]]:
    keys = []
    args = [call.argv[0]]
    at = 1
    while at < len(call.argv):
        word = call.argv[at]
        if word.startswith(("-k", "--key")):
            value = word[2:] if word.startswith("-k") else word.partition("=")[2]
            if not value:
                at += 1
                value = call.argv[at] if at < len(call.argv) else ""
            keys.append(value)
        else:
            args.append(word)
        at += 1
    call.argv = args
    options, names = parse(
        call,
        "nrufbdhVMsczCgit:o:mRS:T:",
        "numeric-sort:n reverse:r unique:u ignore-case:f human-numeric-sort:h version-sort:V stable:s check:c field-separator=t output=o month-sort:M general-numeric-sort:g ignore-leading-blanks:b",
        code=2,
    )
    if keys:
        options["k"] = "\0".join(keys)
    return options, names


def _sort_key(spec: str, options: dict[str, str]) -> tuple[int, int, int, int, str]:
    match = re.match(r"(\d+)(?:\.(\d+))?([a-zA-Z]*)(?:,(\d+)(?:\.(\d+))?([a-zA-Z]*))?\Z", spec)
    if match is None:
        return 1, 1, 0, 0, ""
    a, b, flags, c, d, more = match.groups()
    return int(a), int(b or 1), int(c or 0), int(d or 0), (flags or "") + (more or "")


def _extract(row: str, key: tuple[int, int, int, int, str], sep: str | None) -> str:
    first, start, last, end, flags = key
    if sep is not None:
        parts = row.split(sep)
        starts, at = [], 0
        for part in parts:
            starts.append((at, at + len(part)))
            at += len(part) + len(sep)
    else:
        starts = [(m.start(), m.end()) for m in re.finditer(r"\s*\S+", row)]
    if first > len(starts):
        return ""
    begin = starts[first - 1][0]
    if "b" in flags:
        begin += len(row[begin:]) - len(row[begin:].lstrip())
    begin += start - 1
    stop = len(row) if not last or last > len(starts) else (starts[last - 1][0] + end if end else starts[last - 1][1])
    return row[begin:stop]


MONTHS = ["", "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]


def _order(flags: str) -> Any:
    def number(text: str) -> float:
        match = re.match(r"\s*(-?\d*\.?\d*)", text)
        try:
            return float(match.group(1)) if match else 0.0
        except ValueError:
            return 0.0

    def human_number(text: str) -> tuple[int, float]:
        match = re.match(r"\s*(-?\d*\.?\d+)([KkMGTPE]?)", text)
        if not match:
            return (0, 0.0)
        return ("KMGTPE".find(match.group(2).upper()) + 1 if match.group(2) else 0, float(match.group(1)))

    def version(text: str) -> list[tuple[int, int, str]]:
        return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in re.findall(r"\d+|\D+", text)]

    if "n" in flags or "g" in flags:
        return number
    if "h" in flags:
        return human_number
    if "V" in flags:
        return version
    if "M" in flags:
        return lambda text: MONTHS.index(text.strip()[:3].upper()) if text.strip()[:3].upper() in MONTHS else 0
    if "f" in flags:
        return lambda text: text.upper().encode("utf-8", "surrogateescape")
    return lambda text: text.encode("utf-8", "surrogateescape")


def _comparer(keys: list[tuple[int, int, int, int, str]], options: dict[str, str]) -> Any:
    overall = "".join(flag for flag in "nhVMfgb" if flag in options)
    sep = options.get("t")
    sep = {"\\t": "\t"}.get(sep, sep) if sep else None
    plan = [
        (
            key,
            _order(key[4] if set(key[4]) & set("nhVMfg") else key[4] + overall),
            ("r" in key[4]) or ("r" in options and not set(key[4]) - {"b"}),
        )
        for key in keys
    ]
    whole = _order(overall)
    reverse = "r" in options

    def compare(a: str, b: str) -> int:
        for key, order, backwards in plan:
            x, y = order(_extract(a, key, sep)), order(_extract(b, key, sep))
            if x != y:
                return (-1 if x < y else 1) * (-1 if backwards else 1)
        if not plan:
            x, y = whole(a), whole(b)
            if x != y:
                return (-1 if x < y else 1) * (-1 if reverse else 1)
        if "s" in options or "u" in options:
            return 0
        raw_a, raw_b = a.encode("utf-8", "surrogateescape"), b.encode("utf-8", "surrogateescape")
        return ((raw_a > raw_b) - (raw_a < raw_b)) * (-1 if reverse else 1)

    return compare


def uniq(call: Call) -> Code:
    """`uniq [-cdui] [-f n] [input [output]]`."""
    options, names = parse(call, "cduif:s:w:D", "count:c repeated:d unique:u ignore-case:i skip-fields=f")
    found, code = yield from inputs(call, names[:1])
    rows = [line.decode("utf-8", "surrogateescape").removesuffix("\n") for _, data in found for line in lines(data)]
    groups: list[tuple[str, str, int]] = []
    for row in rows:
        key = row.lower() if "i" in options else row
        if "f" in options:
            key = re.sub(rf"^(?:\s*\S+){{0,{int(options['f'])}}}", "", key)
        key = key[int(options.get("s", 0)) :]
        if "w" in options:
            key = key[: int(options["w"])]
        if groups and groups[-1][1] == key:
            groups[-1] = (groups[-1][0], key, groups[-1][2] + 1)
        else:
            groups.append((row, key, 1))
    text = ""
    for row, _, count in groups:
        if ("d" in options and count < 2) or ("u" in options and count > 1):
            continue
        text += (f"{count:7d} " if "c" in options else "") + row + "\n"
    if len(names) > 1:
        call.write_file(names[1], text.encode("utf-8", "surrogateescape"))
    else:
        call.out(text)
    return code


def _ranges(call: Call, text: str) -> list[tuple[int, int]]:
    out = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d*)(-?)(\d*)", part)
        if match is None or not (match.group(1) or match.group(3)):
            raise usage(call, f"invalid field value ‘{part}’" if part else "fields are numbered from 1")
        first = int(match.group(1) or 1)
        last = int(match.group(3) or 1 << 30) if match.group(2) else first
        if first == 0:
            raise usage(call, "fields are numbered from 1")
        if last < first:
            raise usage(call, "invalid decreasing range")
        out.append((first, last))
    return out


def cut(call: Call) -> Code:
    """`cut -f list [-d delimiter] [-s] | -c list | -b list [files]`."""
    options, names = parse(
        call, "f:d:c:b:sn", "fields=f delimiter=d characters=c bytes=b only-delimited:s output-delimiter=o complement"
    )
    kinds = [flag for flag in "fcb" if flag in options]
    if not kinds:
        raise usage(call, "you must specify a list of bytes, characters, or fields")
    ranges = _ranges(call, options[kinds[0]])
    delimiter = options.get("d", "\t")
    if len(delimiter) > 1:
        raise usage(call, "the delimiter must be a single character")
    joiner = options.get("o", delimiter if kinds[0] == "f" else "")

    def wanted(n: int) -> bool:
        inside = any(first <= n <= last for first, last in ranges)
        return inside != ("complement" in options)

    found, code = yield from inputs(call, names)
    for _, data in found:
        out = []
        for raw in lines(data):
            line = raw.decode("utf-8", "surrogateescape").removesuffix("\n")
            if kinds[0] == "f":
                if delimiter not in line:
                    if "s" not in options:
                        out.append(line)
                    continue
                parts = line.split(delimiter)
                out.append(joiner.join(part for n, part in enumerate(parts, 1) if wanted(n)))
            else:
                out.append(joiner.join(c for n, c in enumerate(line, 1) if wanted(n)))
        call.out("".join(line + "\n" for line in out).encode("utf-8", "surrogateescape"))
    return code


def paste(call: Call) -> Code:
    """`paste [-s] [-d delimiters] files`."""
    options, names = parse(call, "sd:", "serial:s delimiters=d")
    seps = options.get("d", "\t").replace("\\n", "\n").replace("\\t", "\t").replace("\\0", "") or ""
    found, code = yield from inputs(call, names)
    columns = [data.decode("utf-8", "surrogateescape").removesuffix("\n").split("\n") if data else [] for _, data in found]
    if names.count("-") > 1:
        source = columns[names.index("-")]
        dashes = names.count("-")
        columns = [source[n::dashes] for n in range(dashes)]

    def join(parts: list[str]) -> str:
        out = parts[0] if parts else ""
        for n, part in enumerate(parts[1:]):
            out += (seps[n % len(seps)] if seps else "") + part
        return out

    if "s" in options:
        call.out("".join(join(column) + "\n" for column in columns).encode("utf-8", "surrogateescape"))
        return code
    for n in range(max((len(column) for column in columns), default=0)):
        call.out((join([column[n] if n < len(column) else "" for column in columns]) + "\n").encode("utf-8", "surrogateescape"))
    return code


def _set(text: str) -> list[str]:
    from .echo import expand

    classes = {
        "alpha": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "digit": "0123456789", "upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "lower": "abcdefghijklmnopqrstuvwxyz", "space": " \t\n\r\v\f", "blank": " \t", "punct": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
        "xdigit": "0123456789ABCDEFabcdef", "cntrl": "".join(map(chr, range(32))) + "\x7f", "print": "".join(map(chr, range(32, 127))), "graph": "".join(map(chr, range(33, 127))),
    }  # fmt: skip
    classes["alnum"] = classes["digit"] + classes["alpha"]
    out: list[str] = []
    text = re.sub(r"\\([0-7]{1,3})", lambda m: chr(int(m.group(1), 8)), text)
    at = 0
    while at < len(text):
        match = re.compile(r"\[:(\w+):\]").match(text, at)
        if match and match.group(1) in classes:
            out += classes[match.group(1)]
            at = match.end()
            continue
        if text[at] == "\\" and at + 1 < len(text):
            out.append(expand(text[at : at + 2])[0] if text[at + 1] in "nrtabfv\\" else text[at + 1])
            at += 2
        elif at + 2 < len(text) and text[at + 1] == "-":
            out += [chr(c) for c in range(ord(text[at]), ord(text[at + 2]) + 1)]
            at += 3
        else:
            out.append(text[at])
            at += 1
    return out


def tr(call: Call) -> Code:
    """`tr [-cds] set1 [set2]`."""
    options, sets = parse(call, "cCdst", "complement:c delete:d squeeze-repeats:s truncate-set1:t")
    if not sets:
        raise usage(call, "missing operand")
    if len(sets) < 2 and "d" not in options and "s" not in options:
        raise usage(call, f"missing operand after ‘{sets[0]}’\nTwo strings must be given when translating.")
    first = _set(sets[0])
    second = _set(sets[1]) if len(sets) > 1 else []
    data = (yield from call.read()).decode("utf-8", "surrogateescape")
    complement = "c" in options or "C" in options
    members = set(first)

    def inside(c: str) -> bool:
        return (c in members) != complement

    if "d" in options:
        text = "".join(c for c in data if not inside(c))
        squeeze = set(second) if "s" in options else set()
    elif second:
        if complement:
            text = "".join(second[-1] if inside(c) else c for c in data)
        else:
            padded = second + [second[-1]] * (len(first) - len(second))
            table = {ord(a): b for a, b in reversed(list(zip(first, padded, strict=False)))}
            text = data.translate(table)
        squeeze = set(second) if "s" in options else set()
    else:
        text, squeeze = data, ({c for c in set(data) if inside(c)})
    if squeeze:
        text = re.sub("([" + re.escape("".join(sorted(squeeze))) + r"])\1+", r"\1", text, flags=re.DOTALL)
    call.out(text.encode("utf-8", "surrogateescape"))
    return 0


def tac(call: Call) -> Code:
    """`tac [files]`."""
    _, names = parse(call, "")
    found, code = yield from inputs(call, names)
    for _, data in found:
        call.out(b"".join(reversed(lines(data))))
    return code


def rev(call: Call) -> Code:
    """`rev [files]`."""
    _, names = parse(call, "")
    found, code = yield from inputs(call, names)
    for _, data in found:
        for line in data.decode("utf-8", "surrogateescape").splitlines():
            call.out((line[::-1] + "\n").encode("utf-8", "surrogateescape"))
    return code


def nl(call: Call) -> Code:
    """`nl [-ba] [files]`."""
    options, names = parse(call, "b:w:s:n:", "body-numbering=b")
    found, code = yield from inputs(call, names)
    number, width = 0, int(options.get("w", 6))
    for _, data in found:
        for raw in lines(data):
            line = raw.decode("utf-8", "surrogateescape").removesuffix("\n")
            if line or options.get("b") == "a":
                number += 1
                call.out(f"{number:{width}d}{options.get('s', chr(9))}{line}\n".encode("utf-8", "surrogateescape"))
            else:
                call.out(" " * (width + 1) + "\n")
    return code


def fold(call: Call) -> Code:
    """`fold [-w width] [-s] [files]`."""
    options, names = parse(call, "w:sb", "width=w spaces:s")
    width = max(int(options.get("w", 80)), 1)
    found, code = yield from inputs(call, names)
    for _, data in found:
        for raw in lines(data):
            line = raw.decode("utf-8", "surrogateescape").removesuffix("\n")
            while len(line) > width:
                at = width
                if "s" in options and " " in line[:width]:
                    at = line[:width].rindex(" ") + 1
                call.out((line[:at] + "\n").encode("utf-8", "surrogateescape"))
                line = line[at:]
            call.out((line + "\n").encode("utf-8", "surrogateescape"))
    return code


def tee(call: Call) -> Code:
    """`tee [-a] [files]`: as input comes."""
    options, names = parse(call, "ai", "append:a")
    code = 0
    good = []
    for name in names:
        fd = device_fd(name)
        try:
            if fd is None:
                call.write_file(name, b"", append="a" in options)
            good.append(name)
        except OSError as failed:
            call.err(f"tee: {name}: {failed.strerror}\n")
            code = 1
    while True:
        data = yield from call.read_some(65536)
        if not data:
            return code
        call.out(data)
        for name in good:
            fd = device_fd(name)
            if fd is not None and fd in call.fds:
                call.write_fd(fd, data)
            else:
                call.write_file(name, data, append=True)


def seq(call: Call) -> Code:
    """`seq [-s sep] [-w] [-f format] [first [step]] last`."""
    args = list(call.argv[1:])
    options: dict[str, str] = {}
    while args and re.match(r"-[swf]", args[0]):
        word = args.pop(0)
        options[word[1]] = (word[2:] or (args.pop(0) if args else "")) if word[1] != "w" else "1"
    if not args:
        raise usage(call, "missing operand")
    if len(args) > 3:
        raise usage(call, f"extra operand ‘{args[3]}’")
    try:
        numbers = [float(arg) for arg in args]
    except ValueError:
        bad = next(arg for arg in args if not re.fullmatch(r"[-+]?\d*\.?\d+([eE][-+]?\d+)?", arg))
        raise usage(call, f"invalid floating point argument: ‘{bad}’") from None
    first = numbers[0] if len(args) > 1 else 1.0
    step = numbers[1] if len(args) > 2 else 1.0
    last = numbers[-1]
    if step == 0:
        raise usage(call, f"invalid Zero increment value: ‘{args[1]}’")
    digits = max((len(arg.partition(".")[2]) for arg in args), default=0)
    total = int((last - first) / step + 1e-9) + 1
    out, n = [], 0
    width = max(len(f"{first:.{digits}f}"), len(f"{last:.{digits}f}")) if "w" in options else 0
    while n < total:
        value = first + n * step
        out.append(options["f"] % value if "f" in options else f"{value:0{width}.{digits}f}")
        n += 1
        if len(out) >= 5000 and "s" not in options:
            call.out("\n".join(out) + "\n")
            out = []
            yield Sleep(MS)
    if out:
        call.out(options.get("s", "\n").join(out) + "\n")
    return 0


def yes(call: Call) -> Code:
    """`yes [text]`: until nobody reads."""
    text = (" ".join(call.argv[1:]) or "y") + "\n"
    block = text * max(4096 // len(text), 1)
    while True:
        call.out(block)
        yield Sleep(MS)


def shuf(call: Call) -> Code:
    """`shuf [-n count] [-e args] [-i lo-hi] [file]`."""
    options, names = parse(call, "n:ei:r", "head-count=n echo:e input-range=i")
    if "i" in options:
        low, _, high = options["i"].partition("-")
        rows = [str(n) for n in range(int(low), min(int(high), int(low) + 100_000) + 1)]
    elif "e" in options:
        rows = names
    else:
        found, _ = yield from inputs(call, names)
        rows = [line.decode("utf-8", "surrogateescape").removesuffix("\n") for _, data in found for line in lines(data)]
    rng = call.world.rng("shuf")
    for n in range(len(rows) - 1, 0, -1):
        m = rng.below(n + 1)
        rows[n], rows[m] = rows[m], rows[n]
    call.out("".join(row + "\n" for row in rows[: int(options.get("n", len(rows)))]))
    return 0


def strings(call: Call) -> Code:
    """`strings [files]`: runs of four printable characters."""
    _, names = parse(call, "an:")
    found, code = yield from inputs(call, names)
    for _, data in found:
        for run in re.findall(rb"[\x20-\x7e\t]{4,}", data):
            call.out(run + b"\n")
    return code
