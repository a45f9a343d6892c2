"""`${name@letter}`: values and variables seen otherwise (transform ops of subst.c), and how `declare -p` writes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .fields import ExpansionError, quote, unescape_all
from .state import Var, sorted_items

if TYPE_CHECKING:
    from .params import Parameters


def double(value: str) -> str:
    """A value in double quotes, as `declare -p` prints it."""
    if re.search(r"[\x00-\x1f\x7f]", value):
        return quote(value)
    return '"' + re.sub(r'(["$`\\])', r"\\\1", value) + '"'


def flags(var: Var) -> str:
    """The letters of a variable's attributes, in bash's order."""
    return ("" if var.kind == "s" else var.kind) + "".join(flag for flag in "ciltnrux" if flag in var.flags)


def key_text(key: str) -> str:
    """A subscript as `declare -p` prints it."""
    return key if re.fullmatch(r"[\w.]+", key) else double(key)


def declaration(name: str, var: Var) -> str:
    """The `declare` command that makes a variable, without its newline."""
    head = f"declare -{flags(var) or '-'} {name}"
    if var.kind != "s":
        if var.unset:
            return head
        inner = " ".join(f"[{key_text(key)}]={double(value)}" for key, value in sorted_items(var))
        return f"{head}=({inner}{' ' if var.kind == 'A' and inner else ''})"
    return f"{head}={double(var.value)}" if var.value is not None else head


def of_array(shell: Parameters, name: str, how: str) -> list[str]:
    """`${name[@]@A}`, `@K`, `@k`, `@a` of a whole array (or of the positional parameters)."""
    if name in ("@", "*"):
        values = [quote(value) for value in shell.state.positional]
        return [f"set -- {' '.join(values)}"] if how == "A" and values else []
    var = shell.state.vars.get(shell.nameref(name)[0])
    if var is None:
        return []
    items = sorted_items(var)
    if how == "A":
        return [declaration(name, var)]
    if how == "a":
        return [flags(var) for _ in items]
    if how == "k":
        return [text for pair in items for text in pair]
    return [" ".join(f"{key_text(key)} {double(value)}" for key, value in items) + (" " if var.kind == "A" else "")]


def of_value(shell: Parameters, name: str, how: str, value: str, index: str | None = None) -> str:
    """`${name@letter}` of one value."""
    if how in ("Q", "K", "k"):
        return quote(value)
    if how in ("U", "u", "L"):
        return {"U": value.upper(), "u": value[:1].upper() + value[1:], "L": value.lower()}[how]
    if how == "E":
        return unescape_all(value)
    if how == "P":
        return str(shell.prompt_text(value))
    var = shell.state.vars.get(shell.nameref(name)[0])
    if how == "a":
        return flags(var) if var is not None else ""
    if how == "A":
        letters = flags(var) if var is not None else ""
        target = name if index is None else f"{name}[{index}]"
        return f"{f'declare -{letters} ' if letters else ''}{target}={quote(value)}"
    raise ExpansionError(f"${{{name}@{how}}}: bad substitution")
