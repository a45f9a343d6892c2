"""What a learner waits for who moves in time: looking back into a long session, and an exercise that asks what would happen if.

Both run in this process, as the worker runs them: no queue, no browser, whose share `tools.bench` measures by itself.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

INPUTS = 500
LOOKS = 40
SECOND = 1_000_000_000
#: Virtual time between two inputs: 500 of them make a session of an hour.
PAUSE = 7 * SECOND
#: What learners type, and what costs most to be done again: things are made, grow, shrink, break and go.
LINES = (
    "kubectl get pods -o wide",
    "kubectl create deployment d{n} --image=nginx --replicas=2",
    "kubectl get events | tail -3",
    "kubectl scale deployment d{n} --replicas=3",
    "kubectl describe pod -l app=d{n} | tail -5",
    "etcdctl endpoint health; ls /etc/kubernetes/manifests",
    "kubectl set image deployment d{n} nginx=nginx:nope",
    "kubectl get deployment,replicaset",
    "crictl ps",
    "kubectl delete deployment d{n}",
)
#: Targets in milliseconds.
REWIND, WHAT_IF = 300.0, 1000.0
CHECK = {
    "id": "survives",
    "title": {"en": "two pods after ten minutes without node01"},
    "what_if": [{"fault": "power-off node01"}, {"wait": "10m"}],
    "object": {"resource": "deployments", "namespace": "default", "name": "web"},
    "expect": {"path": "status.readyReplicas", "equals": 2},
    "expected": {"en": "2"},
    "message": {"en": "not two"},
}


def session(inputs: int = INPUTS) -> Any:
    """A session of the default scenario with so many typed inputs, each done; Django is set up."""
    from django.contrib.auth import get_user_model

    from simulator import services, worlds

    owner = get_user_model().objects.create_user(f"bench-{inputs}")
    found = services.session_for(owner, "three-nodes", "harbour")
    services.advance(found.pk)
    for number in range(inputs):
        found.refresh_from_db()
        text = LINES[number % len(LINES)].format(n=number // len(LINES))
        until = found.advanced_to + PAUSE
        services.append_input(found, kind="line", data={"terminal": "controlplane", "text": text}, at=until)
        services.advance(found.pk, until)
    found.refresh_from_db()
    worlds.cache.clear()
    return found


def rewinds(found: Any, looks: int = LOOKS) -> list[tuple[float, float]]:
    """(wall, CPU) milliseconds of looking at so many moments, spread over the whole session, those before inputs among them.

    What a worker does after it has sent the answer (`simulator.garbage`) is done here as well, and not counted.
    """
    from simulator import advancing, garbage, history

    taken = []
    for number in range(looks):
        with garbage.thrown_away():
            began, used = time.perf_counter(), time.process_time()
            if number % 2:
                moment = history.moment_before(found, 1 + found.applied_seq * number // looks)
            else:
                moment = history.moment_at(found, found.advanced_to * number // looks)
            answer = advancing.look(found.pk, moment.seq, moment.at)
            taken.append(((time.perf_counter() - began) * 1000, (time.process_time() - used) * 1000))
        if "view" not in answer:
            raise SystemExit(f"bench: {answer}")
    return taken


def what_ifs(runs: int = 5) -> list[tuple[float, float]]:
    """(wall, CPU) milliseconds of one check: fork, kill a node, ten virtual minutes, assert."""
    from simulator.core.lab import checks
    from simulator.core.sandbox import Sandbox

    sandbox = Sandbox.boot("three-nodes", 1)
    sandbox.run("kubectl create deployment web --image=nginx --replicas=2")
    sandbox.advance(sandbox.now + 30 * SECOND)
    taken = []
    for _ in range(runs):
        began, used = time.perf_counter(), time.process_time()
        found = checks.evaluate(sandbox, {"checks": [CHECK]})
        taken.append(((time.perf_counter() - began) * 1000, (time.process_time() - used) * 1000))
        if not found["passed"]:
            raise SystemExit(f"bench: {found}")
    return taken


def report() -> bool:
    """Prints both with their targets; whether both were met, by the CPU that they took: others may be at work on the machine."""
    from simulator import garbage

    met = True
    garbage.leave_alone_what_is_there()  # as in a worker
    for name, taken, target in (
        (f"rewind, {INPUTS} inputs", rewinds(session()), REWIND),
        ("what-if, 10 minutes", what_ifs(), WHAT_IF),
    ):
        wall, cpu = [w for w, _ in taken], [c for _, c in taken]
        met = met and max(cpu) < target
        print(
            f"  {name:<18} median {statistics.median(wall):7.1f}   worst {max(wall):7.1f}   of CPU {statistics.median(cpu):7.1f} / {max(cpu):7.1f}"
            f"   (target below {target:.0f})",
            flush=True,
        )
    return met
