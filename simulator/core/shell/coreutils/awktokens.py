"""Tokens of awk."""

from __future__ import annotations

import re

TOKEN = re.compile(
    r"(?P<skip>(?:[ \t\r]|\\\n|#[^\n]*)+)|(?P<newline>\n)|(?P<number>0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
    r'|(?P<string>"(?:\\.|[^"\\\n])*")|(?P<name>[A-Za-z_]\w*)'
    r"|(?P<op>\+\+|--|\*\*=|\*\*|[-+*/%^]=|==|<=|>=|!=|!~|&&|\|\||>>|[-+*/%^!<>=~?:,;(){}\[\]$|])",
    re.DOTALL,
)
KEYWORDS = {"BEGIN", "END", "function", "func", "if", "else", "while", "for", "do", "break", "continue", "next", "nextfile", "exit", "return", "delete", "in", "getline", "print", "printf"}  # fmt: skip
NOT_OPERANDS = {")", "]", "$"}


class AwkSyntaxError(Exception):
    """The program is wrong."""


def unquote(text: str) -> str:
    """The escapes of a string constant."""
    table = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "/": "/", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}

    def one(match: re.Match[str]) -> str:
        body = match.group(1)
        if body[0] in "01234567":
            return chr(int(body, 8))
        return table.get(body, "\\" + body)

    return re.sub(r"\\([0-7]{1,3}|.)", one, text, flags=re.DOTALL)
