"""Text tools that print what they can before the next input comes: on pipes whose other end is slow or endless."""

from __future__ import annotations

import pytest

from simulator.core.lab import recorded
from simulator.core.sandbox import Sandbox


@pytest.fixture(scope="module")
def box() -> Sandbox:
    return recorded.Recorded(["etcd1", "default"]).sandbox


SLOW = "(echo a 1; sleep 30; echo b 2)"


@pytest.mark.parametrize("tool", ["sed s/x/y/", "sed -u -n p", "awk '{print $1}'", "grep --line-buffered .", "cut -c1-3", "cat"])
def test_a_line_passes_before_the_next_one_comes(box: Sandbox, tool: str) -> None:
    found = box.run(f"{SLOW} | {tool} | while read -r word rest; do echo $SECONDS $word; done").stdout
    assert found in ("0 a\n30 b\n", "30 a\n30 b\n") and (tool.startswith("cut") or found.startswith("0 a"))


@pytest.mark.parametrize(
    ("line", "printed"),
    [
        ("yes | sed 2q", "y\ny\n"),
        ("yes | sed -n '3{p;q}'", "y\n"),
        ("yes | awk 'NR==3{print NR; exit}'", "3\n"),
        ("(echo a; sleep 3; printf b) | sed '$!s/$/,/'", "a,\nb"),
        ("(echo a; sleep 3; echo b; sleep 3; echo c) | sed ':a;N;$!ba;s/\\n/,/g'", "a,b,c\n"),
        ("(seq 3; sleep 3; seq 4 5) | sed -n '2,4p;$='", "2\n3\n4\n5\n"),
        ("(seq 2; sleep 3; echo 3) | sed '$!N;P;D'", "1\n2\n3\n"),
        ("(seq 2; sleep 3; printf 3) | awk 'END{print NR, $0}'", "3 3\n"),
        ("(echo 1; sleep 3; echo 2) | awk '{getline x; print $0 x}'", "12\n"),
        ("printf '' | sed p | wc -c; printf '' | awk '{print}' | wc -c", "0\n0\n"),
    ],
)
def test_programs_that_look_ahead_get_what_they_need(box: Sandbox, line: str, printed: str) -> None:
    assert box.run(line).stdout == printed
