"""less and more as they are in a pipe, and the editors that are not there yet."""

from __future__ import annotations

from ...host.executor import Ended
from ...host.invocation import Call
from ...kernel.errors import NotSimulated
from .common import Code, inputs, name_of


def pager(call: Call) -> Code:
    """`less`, `more`: everything at once.  That is what they do when their output is no terminal; on one, scrolling is the browser's."""
    flags = [word for word in call.argv[1:] if word.startswith(("-", "+")) and word != "-"]
    names = [word for word in call.argv[1:] if word not in flags]
    unknown = [flag for flag in flags if not set(flag[1:]) <= set("RSFXNiIMsmr")]
    if unknown:
        raise NotSimulated(f"{name_of(call)} {unknown[0]}")
    if not names and call.stdin_tty:
        call.err(
            'Missing filename ("less --help" for help)\n'
            if name_of(call) == "less"
            else "more: bad usage\nTry 'more --help' for more information.\n"
        )
        return 1
    for name in names:
        if call.isdir(name):
            call.err(f"{name} is a directory\n")
            raise Ended(1)
    files, code = yield from inputs(call, names)
    numbered = any("N" in flag for flag in flags)
    for _, data in files:
        rows = data.decode("utf-8", "surrogateescape").splitlines(keepends=True)
        call.out("".join(f"{n:7d} {row}" for n, row in enumerate(rows, 1)) if numbered else data)
    return code


def editor(call: Call) -> int:
    """`vi`, `vim`, `nano`: full-screen programs."""
    name = name_of(call)
    path = next((word for word in call.argv[1:] if not word.startswith(("-", "+"))), "FILE")
    call.err(
        f"{NotSimulated(name)}: the terminal has no full-screen editor.\n"
        f"Change {path} with sed -i 's/old/new/' {path}, or write it anew with cat > {path} <<'EOF' … EOF.\n"
    )
    return 1
