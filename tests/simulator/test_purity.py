"""The core is pure: what import-linter cannot see (a module that is allowed, used for what is not)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

CORE = Path(__file__).resolve().parent.parent.parent / "simulator" / "core"

#: Calls and attributes that would read the real machine, its clock or its randomness.
FORBIDDEN_CALLS = {"open", "input", "print", "exec", "eval", "breakpoint"}
FORBIDDEN_ATTRIBUTES = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("uuid", "uuid1"),
    ("uuid", "uuid4"),
}
#: From a module that may be imported, only these names.
ONLY = {
    "os": {"strerror"},
    "urllib": {"parse"},
    "http": {"HTTPStatus"},
    "importlib": {"import_module", "resources"},
    "importlib.resources": {"files"},
    "sys": {"maxsize"},
}


def sources() -> list[Path]:
    return sorted(CORE.rglob("*.py"))


def findings(tree: ast.AST) -> Iterator[str]:
    """What a module does that it must not."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_CALLS:
            yield f"line {node.lineno}: calls {node.func.id}()"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
            if (owner.lstrip("_").removesuffix("_dt") or "datetime", node.attr) in FORBIDDEN_ATTRIBUTES:
                yield f"line {node.lineno}: {owner}.{node.attr}"
            if owner in ONLY and node.attr not in ONLY[owner]:
                yield f"line {node.lineno}: {owner}.{node.attr}"
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module in ONLY:
            for name in node.names:
                if name.name not in ONLY[node.module]:
                    yield f"line {node.lineno}: from {node.module} import {name.name}"
        elif isinstance(node, ast.Global):
            yield f"line {node.lineno}: global {', '.join(node.names)}"


@pytest.mark.parametrize(
    "text",
    [
        "open('x')",
        "import datetime\ndatetime.datetime.now()",
        "import datetime as _dt\n_dt.datetime.now()",
        "import os\nos.environ['A']",
        "from os import getenv",
        "from urllib import request",
        "import uuid\nuuid.uuid4()",
    ],
)
def test_the_check_sees_what_it_is_for(text: str) -> None:
    assert list(findings(ast.parse(text)))


def test_the_core_reads_no_clock_file_or_environment() -> None:
    found = [f"{path.relative_to(CORE)}: {what}" for path in sources() for what in findings(ast.parse(path.read_text()))]
    assert not found, "\n".join(found)
