"""column, expand, unexpand, fmt and split: text laid out anew."""

from __future__ import annotations

import itertools
import json
import re
import unicodedata

from ...host import streams
from ...host.invocation import Call
from .common import Code, inputs, name_of, parse, text_lines, whole
from .dumping import count


def _wide(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def _pad(text: str, size: int, right: bool = False) -> str:
    gap = " " * max(size - _wide(text), 0)
    return gap + text if right else text + gap


def column(call: Call) -> Code:
    """`column [-t] [-s seps] [-o sep] [-c width] [-x] [-n] [-N names] [-R columns] [-H columns] [file]`."""
    options, names = parse(
        call,
        "ts:o:c:xneN:R:H:O:l:dJT:",
        "table:t separator=s output-separator=o output-width=c fillrows:x table-columns=N table-right=R table-hide=H table-order=O "
        "json:J table-name=T table-columns-limit=l table-noheadings:d keep-empty-lines:L",
    )
    found, code = yield from inputs(call, names)
    rows = [line for _, data in found for line in text_lines(data)]
    if "J" in options:
        return _json(call, rows, options)
    if "t" in options or "N" in options:
        _table(call, rows, options)
        return code
    width = whole(call, options["c"], "invalid columns argument: ‘{}’") if "c" in options else call.columns
    cells = [row.strip() for row in rows if row.strip()]
    if not cells:
        return code
    size = (max(_wide(cell) for cell in cells) // 8 + 1) * 8
    across = max(width // size, 1)
    if "x" in options:
        rows_of = [cells[at : at + across] for at in range(0, len(cells), across)]
    else:
        high = -(-len(cells) // across)
        rows_of = [cells[at::high] for at in range(high)]
    for row_cells in rows_of:
        text = ""
        for number, cell in enumerate(row_cells):
            text += cell
            if number < len(row_cells) - 1:
                text += "\t" * (-(-(size - _wide(cell)) // 8))
        call.out(text + "\n")
    return code


def _json(call: Call, rows: list[str], options: dict[str, str]) -> int:
    """`column -J`: an object a row, its keys the names of -N."""
    names = options.get("N", "").split(",") if options.get("N") else []
    if not names:
        call.err("column: option --table-columns or --table-column required for --json\n")
        return 1
    seps = options.get("s")
    objects = []
    for row in rows:
        if not row.strip():
            continue
        cells = row.split() if seps is None else re.split("[" + re.escape(seps) + "]", row)
        pairs = ",\n".join(
            f"         {json.dumps(name.lower(), ensure_ascii=False)}: {json.dumps(cell, ensure_ascii=False) if cell else 'null'}"
            for name, cell in zip(names, cells + [""] * len(names), strict=False)
        )
        objects.append(f"{{\n{pairs}\n      }}")
    body = ",".join(objects)
    call.out(f'{{\n   "{options.get("T", "table")}": [\n      {body}\n   ]\n}}\n')
    return 0


def _table(call: Call, rows: list[str], options: dict[str, str]) -> None:
    seps = options.get("s")
    limit = int(options["l"]) - 1 if options.get("l", "").isdigit() else -1
    table: list[list[str]] = []
    for row in rows:
        if not row.strip():
            if "L" in options:
                table.append([])
            continue
        if seps is None:
            table.append(row.split(None, limit))
        elif "n" in options:
            table.append([part for part in re.split("[" + re.escape(seps) + "]", row) if part])
        else:
            table.append(re.split("[" + re.escape(seps) + "]", row, maxsplit=max(limit, 0)))
    if options.get("N") and "d" not in options:
        table.insert(0, options["N"].split(","))
    if not table:
        return
    size = max(len(row) for row in table)
    names = options.get("N", "").split(",")

    def chosen(text: str) -> set[int]:
        out = set()
        for part in text.split(","):
            if not part:
                continue
            if part in names:
                out.add(names.index(part))
            elif part.isdigit():
                out.add(int(part) - 1)
        return out

    right, hidden = chosen(options.get("R", "")), chosen(options.get("H", ""))
    widths = [max((_wide(record[n]) for record in table if n < len(record)), default=0) for n in range(size)]
    glue = options.get("o", "  ")
    shown = [n for n in range(size) if n not in hidden]
    for cells_of in table:
        cells = [cells_of[n] if n < len(cells_of) else "" for n in shown]
        text = glue.join(
            cell if number == len(shown) - 1 and n not in right else _pad(cell, widths[n], n in right)
            for number, (n, cell) in enumerate(zip(shown, cells, strict=True))
        )
        call.out((text if seps or "o" in options else text.rstrip() if not cells_of else text) + "\n")


def _stops(call: Call, options: dict[str, str]) -> list[int]:
    return [int(part) for part in re.split("[, ]", options.get("t", "8")) if part.isdigit() and int(part)] or [8]


def _next_stop(at: int, stops: list[int]) -> int:
    if len(stops) == 1:
        return at + stops[0] - at % stops[0]
    return next((stop for stop in stops if stop > at), at + 1)


def expand(call: Call) -> Code:
    """`expand [-i] [-t stops] [file]`: tabs to blanks."""
    call.argv = [re.sub(r"^-(\d[\d,]*)$", r"-t\1", word) for word in call.argv]
    options, names = parse(call, "it:", "initial:i tabs=t")
    stops = _stops(call, options)
    found, code = yield from inputs(call, names)
    for _, data in found:
        for line in data.decode("utf-8", "surrogateescape").splitlines(keepends=True):
            out, at, leading = "", 0, True
            for c in line:
                leading = leading and c in " \t"
                if c == "\t" and (leading or "i" not in options):
                    stop = _next_stop(at, stops)
                    out, at = out + " " * (stop - at), stop
                else:
                    out, at = out + c, at + 1
            call.out(out.encode("utf-8", "surrogateescape"))
    return code


def unexpand(call: Call) -> Code:
    """`unexpand [-a] [-t stops] [file]`: blanks to tabs."""
    options, names = parse(call, "at:", "all:a tabs=t first-only:f")
    stops = _stops(call, options)
    everywhere = ("a" in options or "t" in options) and "f" not in options
    found, code = yield from inputs(call, names)
    for _, data in found:
        for line in data.decode("utf-8", "surrogateescape").splitlines(keepends=True):
            out, at, start, leading = "", 0, 0, True
            for c in line:
                if c in " \t" and (leading or everywhere):
                    at = _next_stop(at, stops) if c == "\t" else at + 1
                    if (
                        c == "\t"
                        or (at == _next_stop(at - 1, stops) and at - start > 1)
                        or (leading and at == _next_stop(at - 1, stops))
                    ):
                        out, start = out + "\t", at
                    continue
                out += " " * (at - start) + c
                leading = leading and c in " \t"
                at += 1
                start = at
            call.out((out + " " * (at - start)).encode("utf-8", "surrogateescape"))
    return code


def fmt(call: Call) -> Code:
    """`fmt [-w width] [-s] [-u] [file]`: paragraphs filled up to a width."""
    call.argv = [re.sub(r"^-(\d+)$", r"-w\1", word) for word in call.argv]
    options, names = parse(call, "w:sucp:t", "width=w split-only:s uniform-spacing:u")
    width = whole(call, options.get("w", "75"), "invalid width: ‘{}’")
    found, code = yield from inputs(call, names)
    for _, data in found:
        paragraph: list[str] = []
        indent, blanks = "", 0
        for line in [*text_lines(data), ""]:
            lead = re.match(r"\s*", line)
            this = lead.group() if lead else ""
            if not line.strip() or (paragraph and this != indent):
                if paragraph:
                    call.out("".join(f"{indent}{row}\n" for row in _filled(paragraph, width - len(indent))))
                paragraph = []
            if not line.strip():
                blanks += 1
                continue
            call.out("\n" * blanks)
            blanks = 0
            if not paragraph:
                indent = this
            paragraph += line.split()
        # the empty line that was added to end the last paragraph is not printed
    return code


def _filled(words: list[str], width: int) -> list[str]:
    """Lines as even as fmt's goal (93% of the width) makes them: greedy here."""
    rows: list[str] = []
    row = ""
    goal = max(width * 187 // 200, 1)
    for word in words:
        joined = f"{row} {word}" if row else word
        if row and (len(joined) > width or (len(joined) > goal and len(joined) - goal > goal - len(row))):
            rows.append(row)
            row = word
        else:
            row = joined
    return [*rows, row] if row else rows


def split(call: Call) -> Code:
    """`split [-l lines] [-b bytes] [-n chunks] [-a length] [-d] [--additional-suffix x] [file [prefix]]`."""
    call.argv = [re.sub(r"^-(\d+)$", r"-l\1", word) for word in call.argv]
    options, names = parse(
        call,
        "l:b:C:n:a:dxet:",
        "filter=filter lines=l bytes=b number=n suffix-length=a numeric-suffixes?d hex-suffixes?x additional-suffix=s line-bytes=C verbose:v",
    )
    source = names[0] if names else "-"
    prefix = names[1] if len(names) > 1 else "x"
    try:
        data = (yield from call.read()) if source == "-" else call.read_file(source)
    except OSError as failed:
        call.err(f"split: cannot open '{source}' for reading: {failed.strerror}\n")
        return 1
    try:
        if "b" in options:
            size = count(options["b"])
            parts = [data[at : at + size] for at in range(0, len(data), size)]
        elif "n" in options:
            many = count(options["n"].rpartition("/")[2])
            if source == "-":
                call.err("split: -: cannot determine file size\n")
                return 1
            size, over = divmod(len(data), many)  # the first pieces are a byte longer where it does not come out even
            cuts = [n * size + min(n, over) for n in range(many + 1)]
            if options["n"].startswith("l/"):  # no line is cut: it belongs to the piece in which it begins
                starts = [0, *(match.end() for match in re.finditer(rb"\n", data))]
                cuts = [0, *(next((at for at in starts if at >= cut), len(data)) for cut in cuts[1:-1]), len(data)]
            elif options["n"].startswith("r/"):
                rows = data.splitlines(keepends=True)
                data = b"".join(b"".join(rows[n::many]) for n in range(many))
                cuts = [0]
                for n in range(many):
                    cuts.append(cuts[-1] + sum(len(row) for row in rows[n::many]))
            parts = [data[a:b] for a, b in itertools.pairwise(cuts)]
        else:
            size = count(options.get("l", "1000"))
            lines = data.splitlines(keepends=True)
            parts = [b"".join(lines[at : at + size]) for at in range(0, len(lines), size)]
    except (ValueError, ZeroDivisionError):
        what = "lines" if "b" not in options and "n" not in options else "bytes" if "b" in options else "chunks"
        given = options.get("l", options.get("b", options.get("n", "")))
        tail = ": Numerical result out of range" if given.strip("0") == "" and given else ""
        call.err(f"split: invalid number of {what}: ‘{given}’{tail}\n")
        return 1
    length = min(whole(call, options.get("a", "2"), "invalid suffix length: ‘{}’"), 20)
    first = int(options["d"]) if options.get("d", "").isdigit() and options["d"] != "1" else 0
    for number, part in enumerate(parts):
        value, suffix = number + (first if "d" in options else 0), ""
        base, digits = (
            (10, "0123456789")
            if "d" in options
            else (16, "0123456789abcdef")
            if "x" in options
            else (26, "abcdefghijklmnopqrstuvwxyz")
        )
        for _ in range(length):
            value, rest = divmod(value, base)
            suffix = digits[rest] + suffix
        if value:
            call.err("split: output file suffixes exhausted\n")
            return 1
        if "verbose" in options or "v" in options:
            call.out(f"creating file '{prefix + suffix + options.get('s', '')}'\n")
        if "filter" not in options:
            call.write_file(prefix + suffix + options.get("s", ""), part)
            continue
        fds = {0: streams.Buffer(part), **{fd: stream for fd, stream in call.fds.items() if fd in (1, 2)}}
        env = {**call.env, "FILE": prefix + suffix + options.get("s", "")}
        proc = call.executor.spawn_like(call.proc, ["sh", "-c", options["filter"]], fds, env=env, cwd=call.cwd)
        yield from call.executor.wait(proc)
    return 0


def factor(call: Call) -> Code:
    """`factor numbers`."""
    words = call.argv[1:] or (yield from call.read()).decode(errors="replace").split()
    code = 0
    for word in words:
        if not word.isdigit() or len(word) > 15:
            call.err(f"{name_of(call)}: ‘{word}’ is not a valid positive integer\n")
            code = 1
            continue
        value, found, by = int(word), [], 2
        while by * by <= value and by < 100_000:
            while value % by == 0:
                found.append(by)
                value //= by
            by += 1
        call.out(f"{word}:{''.join(f' {n}' for n in [*found, value] if n > 1)}\n")
    return code


def numfmt(call: Call) -> Code:
    """`numfmt [--to=iec|si|iec-i] [--from=…] [--suffix=x] [numbers]`."""
    options, words = parse(
        call,
        "d:",
        "grouping:grouping delimiter=d invalid=invalid to=to from=from suffix=suffix padding=padding format=format field=field round=round header?header",
    )
    given = bool(words)
    words = words or text_lines((yield from call.read()))
    units = "KMGTPE"
    form = re.fullmatch(r"(.*?)%('?)(-?\d*)(?:\.(\d+))?f(.*)", options.get("format", "%f"), re.DOTALL)
    if form is None:
        call.err(f"numfmt: format ‘{options['format']}’ has no % directive\n")
        return 1
    places = int(form.group(4)) if form.group(4) else None
    column = whole(call, options.get("field", "1"), "invalid field value ‘{}’")
    skip = int(options.get("header") or 1) if "header" in options else 0
    for place, line in enumerate(words):
        if place < skip and not given:
            call.out(line + "\n")
            continue
        cells = re.split(f"({re.escape(options['d'])})" if options.get("d") else r"(?<=\S)(\s+)", line)
        at = 2 * (column - 1)
        if at >= len(cells):
            call.out(line + "\n")
            continue
        word = cells[at]
        if "suffix" in options:
            word = word.removesuffix(options["suffix"])
        match = re.fullmatch(r"\s*(-?\d+(?:\.\d+)?)([KMGTPE]?)(i?)\s*", word)
        if not match:
            call.err(f"numfmt: invalid number: ‘{word}’\n")
            return 2
        value = float(match.group(1))
        if match.group(2):
            if "from" not in options:
                call.err(f"numfmt: rejecting suffix in input: ‘{word}’ (consider using --from)\n")
                return 2
            base = 1000 if options["from"] == "si" else 1024
            value *= base ** (units.index(match.group(2)) + 1)
        to = options.get("to", "")
        if not to:
            text = (
                f"{_away(value, places):.{places}f}"
                if places is not None
                else f"{value:.0f}"
                if value == int(value)
                else f"{value}"
            )
        else:
            base, power = (1000 if to == "si" else 1024), 0
            while abs(value) >= base and power < 6:
                value /= base
                power += 1
            shown = -(-value * 10 // 1) / 10 if abs(value) < 10 and power else -(-value // 1)
            text = f"{shown:.1f}" if abs(value) < 10 and power else f"{shown:.0f}"
            text = text if places is None else f"{_away(value, places):.{places}f}"
            text += (units[power - 1] if power else "") + ("i" if to == "iec-i" and power else "")
        text += options.get("suffix", "")
        padding = options.get("padding", form.group(3) or "0")
        if not re.fullmatch(r"-?\d{1,4}", padding):
            call.err(f"numfmt: invalid padding value ‘{padding}’\n")
            return 1
        text = text.ljust(-int(padding)) if padding.startswith("-") else text.rjust(int(padding))
        before = "".join(cells[:at])
        call.out(f"{before}{form.group(1)}{text}{form.group(5)}{''.join(cells[at + 1 :])}\n")
    return 0


def _away(value: float, places: int) -> float:
    """A number rounded away from zero, numfmt's way."""
    scale: float = 10.0**places
    return float((-(-value * scale // 1) if value > 0 else value * scale // 1) / scale)
