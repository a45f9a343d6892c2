"""The terminal's kubectl says what the real one (v1.36.3) said to the command lines of `lines.txt`: output, errors and status."""

from __future__ import annotations

import json

import pytest

from . import lines


@pytest.mark.slow
def test_the_terminal_says_what_the_real_client_said() -> None:
    said = json.loads(lines.SAID.read_text())
    asked = lines.lines()[1]
    assert list(said) == asked, "lines.txt changed: python -m tests.gateway.lines"
    sandbox, wrong = lines.terminal(), []
    for line in asked:
        mine = lines.ours(sandbox, line)
        if list(mine) != said[line]:
            wrong.append(f"$ {line}\nreal: {said[line]}\nours: {list(mine)}")
    assert wrong == [], "\n\n".join(wrong)
    assert len(asked) > 150
