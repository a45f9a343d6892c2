"""xargs: command lines built from standard input."""

from __future__ import annotations

import re

from ...host.executor import DEFAULT_PATH, resolve
from ...host.invocation import Call
from .common import Code, parse, whole


def xargs(call: Call) -> Code:
    """`xargs [-n max] [-I repl] [-0] [-d delim] [-r] [-t] [command]`."""
    call.argv = [call.argv[0], *(f"-I{word[2:] or '{}'}" if re.match(r"-i", word) else word for word in call.argv[1:])]
    options, command = parse(
        call,
        "n:I:0d:rtL:P:s:xa:p",
        "null:0 max-args=n arg-file=a max-lines=L max-chars=s exit:x replace=I no-run-if-empty:r delimiter=d max-procs=P verbose:t",
        permute=False,
    )
    if "a" in options:
        data = call.read_file(options["a"]).decode("utf-8", "surrogateescape")
    else:
        data = (yield from call.read()).decode("utf-8", "surrogateescape")
    command = command or ["echo"]
    quoted = "0" not in options and "d" not in options
    if quoted:
        plain = re.sub(r"\\.|'[^'\n]*'|\"[^\"\n]*\"", "", data, flags=re.DOTALL)
        mark = next((c for c in plain if c in "'\""), "")
        if mark:
            kind = "single" if mark == "'" else "double"
            call.err(f"xargs: unmatched {kind} quote; by default quotes are special to xargs unless you use the -0 option\n")
            return 1
    if "0" in options:
        items = data.split("\0")[: -1 if data.endswith("\0") else None]
    elif "d" in options:
        delimiter = {"\\n": "\n", "\\t": "\t", "\\0": "\0"}.get(options["d"], options["d"])
        items = data.removesuffix(delimiter).split(delimiter) if data else []
    elif "I" in options:
        items = [line.strip() for line in data.splitlines() if line.strip()]
    elif "L" in options:
        items = [line for line in data.splitlines() if line.strip()]
    else:
        items = [
            re.sub(r"\\(.)|['\"]", lambda m: m.group(1) or "", item)
            for item in re.findall(r"""(?:\\.|'[^'\n]*'|"[^"\n]*"|[^\s\\'"])+""", data, re.DOTALL)
        ]
    batches: list[list[str]] = []
    if "I" in options:
        batches = [[word.replace(options["I"], item) for word in command] for item in items]
    elif "L" in options:
        batches = [[*command, *item.split()] for item in items]
    else:
        size = max(whole(call, options.get("n", "5000"), 'invalid number "{}" for -n option'), 1)
        batches = [[*command, *items[at : at + size]] for at in range(0, len(items), size)]
        if not items and "r" not in options:
            batches = [command]
    code = 0
    for argv in batches:
        try:
            resolve(call.host, call.proc.mnt, argv[0], cwd=call.cwd, path=call.env.get("PATH", DEFAULT_PATH), user=call.proc.user)
        except OSError as failed:
            call.err(f"xargs: {argv[0]}: {failed.strerror}\n")
            return 127 if failed.errno == 2 else 126
        if "t" in options:
            call.err(" ".join(argv) + "\n")
        status = yield from call.run(argv, stdin=b"")
        if status == 255:
            call.err(f"xargs: {argv[0]}: exited with status 255; aborting\n")
            return 124
        code = 123 if status else code
    return code
