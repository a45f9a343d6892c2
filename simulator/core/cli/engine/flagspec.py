"""Flags declared by lines of text: `-f, --filter list =default  What it does`; the types are those that help texts show, `\\n` breaks a description."""

from __future__ import annotations

import re
from typing import Any

from ..cobra import Command
from ..flags import Flag, Values

_LINE = re.compile(r"(?:-(\w), )?--([\w-]+)(?: ([\w:/-]+))?(?: =(\S*))?  (.*)")
#: The type shown → how a value is read.
KINDS = {
    "": "bool", "string": "string", "list": "array", "stringToString": "array", "stringArray": "array", "strings": "strings", "stringSlice": "strings", "filter": "array", "int": "int", "int64": "int64",
    "uint16": "uint", "uint64": "uint", "duration": "duration", "map": "array", "network": "array", "mount": "array", "ulimit": "array", "bytes": "bytes",
    "uint32": "uint", "node-addr": "string", "external-ca": "array", "pem-file": "string", "decimal": "decimal", "ip": "string", "ipSlice": "array", "ipNetSlice": "array", "gpu-request": "string", "float": "float", "optional": "string", "uint": "uint",
}  # fmt: skip


_REFER = "Refer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates"
#: Descriptions that many commands share.
_SHARED = {
    "@table": "Format output using a custom template:\n'table':            Print output in table format with column headers (default)\n"
    "'table TEMPLATE':   Print output in table format using the given Go template\n'json':             Print in JSON format\n"
    "'TEMPLATE':         Print output using the given Go template.\n" + _REFER,
    "@inspect": "Format output using a custom template:\n'json':             Print in JSON format\n"
    "'TEMPLATE':         Print output using the given Go template.\n" + _REFER,
    "@hidden": "",
}


def memory_size(text: str) -> int:
    """`512m` as bytes (go-units `RAMInBytes`); raises ValueError with its message."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kKmMgGtTpP]?)(?:i?[bB])?", text.strip())
    if match is None:
        raise ValueError(f"invalid size: '{text}'")
    return int(float(match[1]) * 1024 ** " kmgtp".index(match[2].lower() or " "))


def _size(text: str) -> str:
    if text != "-1":
        memory_size(text)
    return text


def _decimal(text: str) -> str:
    if not re.fullmatch(r"\d+(\.\d+)?|\.\d+", text):
        raise ValueError(f"failed to parse {text} as a rational number")
    return text


#: Defaults that help texts show although nothing is set.
_EMPTY = ("[]", "map[]")
_CHECKS: dict[str, Any] = {"bytes": _size, "decimal": _decimal}


def flags(text: str, **support: str) -> tuple[Flag, ...]:
    """The flags of a text, one a line; `support` marks some by name (`_` for `-`) as `no` or `inert` (see `flags.Flag`)."""
    out = []
    for line in text.strip().splitlines():
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise ValueError(f"flag: {line!r}")
        short, name, shown, default, usage = match.groups()
        shown = shown or ""
        kind = KINDS[shown]
        check = _CHECKS.get(kind)
        value: Any = None
        if default is not None and default not in _EMPTY:
            value = (default == "true") if kind == "bool" else int(default) if kind in ("int", "int64", "uint") else default
            if kind in ("array", "strings"):
                value = [default]
            if kind == "duration":
                value = None
        out.append(
            Flag(
                name=name, short=short or "", kind="string" if kind in ("bytes", "decimal") else kind, usage=_SHARED.get(usage, usage.replace("\\n", "\n")), hidden=usage == "@hidden", default=value,
                type_name="" if shown in ("string", "") else {"int64": "int", "uint64": "uint", "network": "network"}.get(shown, shown),
                check=check, shown=default if default in _EMPTY else "", support=support.get(name.replace("-", "_"), ""),
            )
        )  # fmt: skip
    return tuple(out)


def refused(command: Command, values: Values) -> str:
    """`docker build --output` when a flag was given that nothing here can obey, else ""."""
    return next((f"{command.path} --{f.name}" for f in command.all_flags() if f.support == "no" and f.name in values.changed), "")
