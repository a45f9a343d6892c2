"""`python -m simulator transcript`: plays one scenario of recorded commands.

Reads `{"scenario", "env", "steps": [{"cmd"} | {"control"}]}` and prints a JSON list with one `{"stdout", "stderr", "code", "changes"}` a step:
the protocol of a comparison with recordings of real clusters.  `changes` are the ordered writes below `/registry/` from the command on
until the world was quiet, `[CREATE|UPDATE|DELETE, key]`, without leases and what the API server keeps for itself.  Each command is a new
`bash -c` of the user `learner`, standard output is no terminal, and the world settles after each; worlds of etcd alone go on at once.

The recordings' kubelets were stand-ins that pulled in a fraction of a second; pulls here take as long as anywhere in the simulator, so the
world only counts as settled once no image is on its way.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from simulator.core.kernel.clock import SECOND
from simulator.core.kernel.errors import BadInput
from simulator.core.lab import recorded
from simulator.core.runtime.state import RuntimeState
from simulator.core.sandbox import Sandbox

SETTLE = 40 * SECOND
QUIET = 1500 * 1_000_000
LIMIT = 60 * SECOND
#: How often a world may settle again because an image was still on its way: pods of one command pull several, one after another.
ROUNDS = 12


def main() -> int:
    """Exit status 0; 2 for a document that cannot be read."""
    try:
        document = json.load(sys.stdin)
        steps = document["steps"]
        env = str(document["env"]).split()
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"transcript: {error}") from None
    if not isinstance(steps, list) or not all(isinstance(step, dict) and ("cmd" in step or "control" in step) for step in steps):
        raise BadInput("transcript: steps: must be a list of objects with cmd or control")
    print(json.dumps(play(env, steps)))
    return 0


def play(env: list[str], steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One result a step; empty ones where the world is not simulated, which is said on standard error."""
    try:
        world = recorded.Recorded(env)
    except BadInput as error:
        print(f"python -m simulator transcript: {error}", file=sys.stderr)
        return [{} for _ in steps]
    waits = not env[0].startswith("etcd")  # nothing but etcd runs there: the recorder saw nothing that could settle
    return [_step(world, step, waits) for step in steps]


def _step(world: recorded.Recorded, step: dict[str, Any], waits: bool) -> dict[str, Any]:
    sandbox: Sandbox = world.sandbox
    if "control" in step:
        try:
            world.control(str(step["control"]))
        except BadInput as error:
            print(f"python -m simulator transcript: {error}", file=sys.stderr)
        return {}
    before = world.revision()
    result = sandbox.run(str(step["cmd"]), host="controlplane", user="learner", cwd="/home/learner/work", limit=LIMIT)
    if waits:
        settle(sandbox)
    return {"stdout": result.stdout, "stderr": result.stderr, "code": result.code, "changes": world.changes(before)}


def settle(sandbox: Sandbox) -> None:
    """Pass time until nothing visible happens any more and no host pulls an image."""
    for _ in range(ROUNDS):
        sandbox.settle(SETTLE, QUIET)
        until = pulled(sandbox)
        if until <= sandbox.now:
            return
        sandbox.advance(until)


def pulled(sandbox: Sandbox) -> int:
    """When the last of the pulls under way ends; 0 without any."""
    states: dict[str, RuntimeState] = sandbox.world.section("runtime", dict)
    return max((pull.ends for state in states.values() for pull in state.pulls.values() if not pull.done), default=0)
