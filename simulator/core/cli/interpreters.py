"""python3 and node in images: versions and `-c "print(…)"` of literals; programs in these languages are not run."""

from __future__ import annotations

import ast
import re

from ..host.program import Invocation


def python(inv: Invocation) -> int:
    """The command `python3`."""
    words = inv.argv[1:]
    if words and words[0] in ("--version", "-V"):
        inv.out(f"Python {inv.env.get('PYTHON_VERSION', '3.12.3')}\n")
        return 0
    if words[:1] == ["-c"] and len(words) > 1:
        lines = [line.strip() for line in re.split(r"[;\n]", words[1]) if line.strip()]
        texts = []
        for line in lines:
            match = re.fullmatch(r"print\((.*)\)", line)
            try:
                texts.append(
                    str(ast.literal_eval(match[1])) if match is not None and match[1] else "" if match is not None else None
                )
            except (ValueError, SyntaxError):
                texts.append(None)
        if texts and all(text is not None for text in texts):
            inv.out("".join(f"{text}\n" for text in texts))
            return 0
    inv.err(f"{inv.argv[0].rpartition('/')[2]}: programs in Python are not simulated in Slipway yet\n")
    return 127


def node(inv: Invocation) -> int:
    """The command `node`."""
    words = inv.argv[1:]
    if words and words[0] in ("--version", "-v"):
        inv.out(f"v{inv.env.get('NODE_VERSION', '24.11.1')}\n")
        return 0
    inv.err("node: programs in JavaScript are not simulated in Slipway yet\n")
    return 127
