"""How exercises are played for their proof."""

from __future__ import annotations

from lessons.loading import proof
from simulator.core.kernel.clock import SECOND


def test_a_set_up_may_name_hosts_and_wait() -> None:
    setup = ["echo one > /tmp/here", {"host": "node01", "run": "echo two > /tmp/there"}, {"wait": "90s"}]
    sandbox = proof.world_of({"setup": setup}, "two-nodes")
    assert sandbox.run("cat /tmp/here").stdout == "one\n"
    assert sandbox.run("cat /tmp/there", host="node01").stdout == "two\n"
    assert sandbox.now >= 90 * SECOND
