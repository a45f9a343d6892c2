"""`python -m simulator transcript`: plays one scenario of recorded commands.

Reads `{"scenario", "env", "steps": [{"cmd"} | {"control"}]}` and prints a JSON list with one `{"stdout", "stderr", "code"}` a step: the
protocol of a comparison with recordings of real clusters.  Each command is a new `bash -c` of the user `learner`, standard output is no
terminal, and the world settles after each.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from simulator.core.kernel.clock import SECOND
from simulator.core.kernel.errors import BadInput
from simulator.core.lab import recorded
from simulator.core.sandbox import Sandbox

SETTLE = 40 * SECOND
QUIET = 1500 * 1_000_000
LIMIT = 60 * SECOND


def main() -> int:
    """Exit status 0; 2 for a document that cannot be read."""
    try:
        document = json.load(sys.stdin)
        steps = document["steps"]
        env = str(document["env"]).split()
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"transcript: {error}") from None
    try:
        world = recorded.Recorded(env)
    except BadInput as error:
        print(f"python -m simulator transcript: {error}", file=sys.stderr)
        print(json.dumps([{} for _ in steps]))
        return 0
    print(json.dumps([_step(world, step) for step in steps]))
    return 0


def _step(world: recorded.Recorded, step: dict[str, Any]) -> dict[str, Any]:
    sandbox: Sandbox = world.sandbox
    if "control" in step:
        try:
            world.control(str(step["control"]))
        except BadInput as error:
            print(f"python -m simulator transcript: {error}", file=sys.stderr)
        return {}
    result = sandbox.run(str(step["cmd"]), host="controlplane", user="learner", cwd="/home/learner/work", limit=LIMIT)
    sandbox.settle(SETTLE, QUIET)
    return {"stdout": result.stdout, "stderr": result.stderr, "code": result.code}
