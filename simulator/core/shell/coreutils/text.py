"""Commands on text: cat, head, tail, wc, sort, uniq, cut, paste, tr, tac, rev, nl, fold, tee, seq, yes, shuf, column and others."""

from __future__ import annotations

import errno
import re
from collections.abc import Generator
from typing import Any

from ...host import streams
from ...host.invocation import Call
from ...host.program import Sleep, Wait, WaitTopic
from ...kernel.clock import MS
from . import regexes
from .common import Code, device_fd, inputs, lines, name_of, parse, read_path, usage, whole


def cat(call: Call) -> Code:
    """`cat [-nbEsTA] [files]`: standard input is passed on as it comes."""
    options, names = parse(
        call, "nbEsTAvetu", "number:n number-nonblank:b show-ends:E squeeze-blank:s show-tabs:T show-all:A show-nonprinting:v"
    )
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


def _caret(byte: int) -> bytes:
    """A byte as `cat -v` shows it: `^A`, `M-a`; tabs are -T's business."""
    if byte >= 128:
        return b"M-" + _caret(byte - 128) if byte != 137 else b"M-^I"
    return b"^" + bytes([byte ^ 64]) if (byte < 32 and byte != 9) or byte == 127 else bytes([byte])


_SHOWN = [_caret(byte) for byte in range(256)]


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
        if any(flag in options for flag in "vAet"):
            body = b"".join(_SHOWN[byte] for byte in body)
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
    old = re.fullmatch(r"-(\d+)([bkm]?)([clqvfF]*)", call.argv[1]) if len(call.argv) > 1 else None
    if old is not None:
        call.argv = [
            call.argv[0],
            "-c" if "c" in old.group(3) or old.group(2) else "-n",
            old.group(1) + old.group(2).upper().replace("B", "b"),
            *(["-f"] if call.argv[1].endswith("f") else []),
            *call.argv[2:],
        ]


def head(call: Call) -> Code:
    """`head [-n lines] [-c bytes] [files]`: stops reading as soon as it has enough."""
    _old_style(call)
    options, names = parse(call, "n:c:qvz", "lines=n bytes=c quiet:q verbose:v silent:q zero-terminated:z")
    by_bytes = "c" in options
    count, sign = _count(call, options.get("c") or options.get("n") or "10", "bytes" if by_bytes else "lines")
    code = 0
    first = True
    for name in names or ["-"]:
        try:
            device = call.device(name)
            if sign != "-" and "z" not in options and (name == "-" or device):
                if (len(names) > 1 or "v" in options) and "q" not in options:
                    call.out(("" if first else "\n") + f"==> {'standard input' if name == '-' else name} <==\n")
                first = False
                yield from _enough(call, count, by_bytes, device)
                continue
            data = (yield from call.read()) if name == "-" else call.read_file(name)
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
            call.out(data[: max(len(data) - count, 0)] if sign == "-" else data[:count])
        else:
            rows = re.findall(rb"[^\0]*\0|[^\0]+", data) if "z" in options else lines(data)
            call.out(b"".join(rows[: max(len(rows) - count, 0)] if sign == "-" else rows[:count]))
    return code


#: What copying 64 KiB takes, in ns.
_COPY = 20_000


def _enough(call: Call, count: int, by_bytes: bool, device: streams.Stream | None) -> Generator[Wait, Any, None]:
    """Copy the first `count` bytes or lines of `device` or standard input as they come: nothing is kept, however many they are."""
    while count > 0:
        stream = device or (yield from call.wait_input())
        part = stream.take(min(count, 65536) if by_bytes else 65536)
        if not part:
            return
        if by_bytes:
            count -= len(part)
        elif (found := part.count(b"\n")) < count:
            count -= found
        else:
            part, count = b"".join(lines(part)[:count]), 0
        call.out(part)
        yield Sleep(_COPY)  # whoever reads keeps up


def tail(call: Call) -> Code:
    """`tail [-n lines] [-c bytes] [-f] [files]`."""
    _old_style(call)
    options, names = parse(
        call, "n:c:fFqvs:z", "zero-terminated:z lines=n bytes=c follow?f retry quiet:q verbose:v pid=pid sleep-interval=s"
    )
    by_bytes = "c" in options
    count, sign = _count(call, options.get("c") or options.get("n") or "10", "bytes" if by_bytes else "lines")
    code, first = 0, True
    sizes: dict[str, int] = {}
    for name in names or ["-"]:
        try:
            data = (yield from call.read()) if name == "-" else call.read_file(name)
        except OSError as failed:
            if failed.errno == 2 and ("F" in options or "retry" in options):
                sizes[name] = 0  # it may appear
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
            rows = re.findall(rb"[^\0]*\0|[^\0]+", data) if "z" in options else lines(data)
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
    options, names = parse(call, "lwcmL", "lines:l words:w bytes:c chars:m max-line-length:L total=total")
    wanted = [flag for flag in "lwmcL" if flag in options] or ["l", "w", "c"]
    found, code = yield from inputs(call, names)
    rows: list[tuple[list[int], str]] = []
    for name, data in found:
        numbers = {
            "l": data.count(b"\n"), "w": len(data.split()), "c": len(data), "m": len(data.decode("utf-8", "replace")) if "m" in wanted else 0,
            "L": max((len(line.expandtabs()) for line in data.decode("utf-8", "replace").split("\n")), default=0) if "L" in wanted else 0,
        }  # fmt: skip
        rows.append(([numbers[flag] for flag in wanted], "" if not names else name))
    total = options.get("total", "auto")
    if total not in ("auto", "always", "only", "never"):
        raise usage(
            call,
            f"invalid argument ‘{total}’ for ‘--total’\nValid arguments are:\n  - ‘auto’\n  - ‘always’\n  - ‘only’\n  - ‘never’",
        )
    if total in ("always", "only") or (len(names) > 1 and total == "auto"):
        sums = [sum(row[0][n] for row in rows) for n in range(len(wanted))]
        rows = [(sums, "")] if total == "only" else [*rows, (sums, "total")]
    if total == "only":
        width = 1
    elif not names or (names == ["-"] and len(wanted) > 1):
        width = 1 if len(wanted) == 1 else 7
    else:
        width = max(
            (len(str(sum(len(d) for _, d in found) if len(wanted) > 1 else n)) for row in rows for n in row[0]), default=1
        )
    for numbers_row, name in rows:
        call.out(" ".join(str(n).rjust(width) for n in numbers_row) + (f" {name}" if name else "") + "\n")
    return code


def tac(call: Call) -> Code:
    """`tac [-b] [-s SEPARATOR] [files]`."""
    options, names = parse(call, "bs:", "before:b separator=s")
    if options.get("s") == "":
        call.err("tac: separator cannot be empty\n")
        return 1
    code = 0
    for name in names or ["-"]:
        try:
            data = (yield from call.read()) if name == "-" else (yield from read_path(call, name))
        except OSError as failed:
            if failed.errno == errno.ENOENT:
                call.err(f"tac: failed to open '{name}' for reading: {failed.strerror}\n")
            else:
                call.err(f"tac: {name}: read error: {failed.strerror}\n")
            code = 1
            continue
        if "s" not in options:
            call.out(b"".join(reversed(lines(data))))
            continue
        mark = options["s"].encode("utf-8", "surrogateescape")
        parts = data.split(mark)
        pieces = [part + mark for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
        call.out(b"".join(reversed(pieces)))
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
    options, names = parse(
        call,
        "b:w:s:n:v:i:l:h:f:pd:",
        "body-numbering=b starting-line-number=v line-increment=i number-width=w number-format=n number-separator=s",
    )
    found, code = yield from inputs(call, names)
    step = whole(call, options.get("i", "1"), "invalid line number increment: ‘{}’")
    number = whole(call, options.get("v", "1"), "invalid starting line number: ‘{}’") - step
    width = min(whole(call, options.get("w", "6"), "invalid line number field width: ‘{}’"), 4096)
    for _, data in found:
        for raw in lines(data):
            line = raw.decode("utf-8", "surrogateescape").removesuffix("\n")
            style = options.get("b", "t")
            if (
                style == "a"
                or (style == "t" and line)
                or (style[:1] == "p" and regexes.compile_posix(style[1:], extended=False).search(line))
            ):
                number += step
                shown = {"ln": f"{number:<{width}d}", "rz": f"{number:0{width}d}"}.get(
                    options.get("n", "rn"), f"{number:{width}d}"
                )
                call.out(f"{shown}{options.get('s', chr(9))}{line}\n".encode("utf-8", "surrogateescape"))
            else:
                call.out((" " * (width + len(options.get("s", "\t"))) + f"{line}\n").encode("utf-8", "surrogateescape"))
    return code


def fold(call: Call) -> Code:
    """`fold [-w width] [-s] [files]`."""
    options, names = parse(call, "w:sb", "width=w spaces:s")
    width = max(whole(call, options.get("w", "80"), "invalid number of columns: ‘{}’"), 1)
    found, code = yield from inputs(call, names)
    for _, data in found:
        for raw in lines(data):
            line = raw.decode("utf-8", "surrogateescape").removesuffix("\n")
            start, pieces = 0, []
            while len(line) - start > width:
                end = start + width
                blank = line.rfind(" ", start, end) if "s" in options else -1
                end = blank + 1 if blank >= 0 else end
                pieces.append(line[start:end])
                start = end
            pieces.append(line[start:])
            call.out(("\n".join(pieces) + "\n").encode("utf-8", "surrogateescape"))
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


def _seq_format(text: str) -> str:
    """What is wrong with a format of `seq -f`; "" when nothing: one directive for a floating point number (seq.c: long_double_format)."""
    plain = text.replace("%%", "")
    begun = plain.partition("%")
    if not begun[1]:
        return f"format ‘{text}’ has no % directive"
    match = re.match(r"[-+#0 ']*\d*(\.\d*)?(.?)", begun[2], re.DOTALL)
    kind = match[2] if match is not None else ""
    if not kind:
        return f"format ‘{text}’ ends in %"
    if kind not in "efgEFG":  # nor hexadecimal %a here
        return f"format ‘{text}’ has unknown %{kind} directive"
    if "%" in begun[2]:
        return f"format ‘{text}’ has too many % directives"
    return ""


def seq(call: Call) -> Code:
    """`seq [-s sep] [-w] [-f format] [first [step]] last`."""
    args = list(call.argv[1:])
    options: dict[str, str] = {}
    while args and re.match(r"-[swf]|--[a-z]|--$", args[0]):
        word = args.pop(0)
        if word == "--":
            break
        if word.startswith("--"):
            name, equals, given = word[2:].partition("=")
            full = next((known for known in ("separator", "equal-width", "format") if known.startswith(name)), "")
            if not full:
                call.argv = [call.argv[0], word]
                parse(call, "")
            word = f"-{'w' if full == 'equal-width' else full[0]}"
            if full != "equal-width":
                args.insert(0, given if equals else args.pop(0) if args else "")
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
    if "f" in options and (wrong := _seq_format(options["f"])):
        call.err(f"seq: {wrong}\n")
        return 1
    form = options.get("f", "").replace("'", "")  # the C locale groups no digits
    form = re.sub(r"\d{5,}", "4096", form)  # no line of a screen is longer, and a worker's memory is everybody's
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
        out.append(form % value if form else f"{value:0{width}.{digits}f}")
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
    _, words = parse(call, "", "", permute=False)
    text = (" ".join(words) or "y") + "\n"
    block = text * max(4096 // len(text), 1)
    while True:
        call.out(block)
        yield Sleep(MS)


def strings(call: Call) -> Code:
    """`strings [files]`: runs of four printable characters."""
    _, names = parse(call, "an:")
    found, code = yield from inputs(call, names)
    for _, data in found:
        for run in re.findall(rb"[\x20-\x7e\t]{4,}", data):
            call.out(run + b"\n")
    return code
