"""What a learner's line may use: files, variables, words and paths end in the real tools' errors before memory does."""

from __future__ import annotations

import time

import pytest

from simulator.core.host.files import HOLD
from simulator.core.host.machine import hosts
from simulator.core.shell import runner

from .test_shell_language import shell_world


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("echo 0123456789abcdef > f; for i in {1..40}; do cat f f > g; mv g f; done", "File too large"),
        ("yes > f", "File too large"),
        ("head -c 60M /dev/zero > f; for i in {1..9}; do cp f f$i; done", "No space left on device"),
        ("for i in {1..20}; do head -c 8M /dev/urandom > f$i; cat f$i f$i f$i f$i > g$i; done", "No space left on device"),
        ('a=(); while :; do a+=("$(head -c 100000 /dev/zero | tr "\\0" x)"); done', "variables may hold"),
        ("echo $(yes)", "argument list too long"),
        ("touch $(printf 'x%.0s' {1..300})", "File name too long"),
    ],
)
def test_growth_ends_in_an_error(text: str, said: str) -> None:
    world = shell_world()
    began = time.process_time()
    found = runner.run(world, text, cwd="/tmp/scratch", limit=60_000_000_000)
    assert said in found.stderr
    held = {id(node.data): len(node.data) for _, node in hosts(world)["controlplane"].fs.tree().walk("/tmp")}
    assert sum(held.values()) <= HOLD
    assert time.process_time() - began < 15


def test_a_full_disk_takes_nothing_more() -> None:
    world = shell_world()
    script = "dd if=/dev/zero of=/big bs=1M 2>/dev/null; head -c 2M /dev/zero > f; rm /big; echo more > f && cat f"
    found = runner.run(world, script, cwd="/tmp/scratch")
    assert "No space left on device" in found.stderr and found.stdout == "more\n"


def test_what_is_gathered_for_a_large_file_is_there_when_it_is_closed() -> None:
    world = shell_world()
    script = "head -c 2000000 /dev/zero > f; for i in {1..50}; do echo $i; done >> f; tail -n 2 f; wc -c < f; { echo a; echo b; } >> f; tail -c 4 f"
    assert runner.run(world, script, cwd="/tmp/scratch").stdout == "49\n50\n2000141\na\nb\n"
