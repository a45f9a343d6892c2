"""Reserved words, operators and the shapes of redirections and function heads."""

from __future__ import annotations

import re

RESERVED = {
    "if",
    "then",
    "elif",
    "else",
    "fi",
    "for",
    "while",
    "until",
    "do",
    "done",
    "case",
    "esac",
    "in",
    "{",
    "}",
    "!",
    "[[",
    "]]",
    "function",
    "select",
    "coproc",
    "time",
}
CLOSERS = {"then", "elif", "else", "fi", "do", "done", "esac", "}"}
REDIRECT = re.compile(r"(\d+|\{[A-Za-z_]\w*(?:\[\w+\])?\})?(<<<|<<-|<<|<>|<&|>&|>>|>\||&>>|&>|<|>)")
FUNCTION = re.compile(r"([^\s()<>|&;$\"'`=\\]+)[ \t]*\([ \t]*\)")
OPERATORS = ("&&", "||", ";;&", ";;", ";&", "|&", "|", "&", ";", "(", ")", "<<<", "<<", "<", ">>", ">")
DECLARERS = {"declare", "typeset", "local", "export", "readonly"}
MAX_SOURCE = 200_000
