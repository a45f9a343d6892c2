"""`python -m simulator soak`: clusters under random work and random faults, and what must hold all the same.

Each seed is one run: a restored three-node world, a random sequence of what learners do and what breaks, checks after every step,
then an end to the faults and a bound within which everything has to come to rest.  A run is a function of its seed alone; every
`--repeat`th seed is played twice and has to leave the same trace, byte for byte.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from simulator.core.host import files
from simulator.core.kernel.clock import SECOND
from simulator.core.kernel.errors import BadInput, ConnectError
from simulator.core.kube.api.objects import Obj, condition, controller_of
from simulator.core.kube.client import ApiError, KubeClient
from simulator.core.lab import faults
from simulator.core.runtime.state import runtimes
from simulator.core.sandbox import Sandbox

#: After the last fault: virtual seconds within which the cluster has to have come to rest.  The sum of what may follow one another, here
#: as in a real cluster: the longest back-off of client-go's work queues, 1000 s (5 ms doubled 18 times is 1311 s; a ReplicaSet that a full
#: quota refused that often is told by nobody that there is room again), counted from its last refusal; and before that the time until the
#: pods that fill the quota are gone: 60 s for a node to report again, 30 s of grace and 10 s for the deletion; and 30 s for the new pod to
#: be ready: 130 s, rounded up to 200 s.  Back-offs of crashes and image pulls (300 s at most) and the patience with a lost node
#: (50 s + 300 s) run meanwhile, not afterwards: they belong to pods that are there, and a new pod begins without.
BOUND = 1200
WORKERS = ("node01", "node02")
QUOTA = 12


class Broken(AssertionError):
    """An invariant does not hold."""


class Run:
    """One seed's world and what was asked of it."""

    def __init__(self, image: bytes, seed: int) -> None:
        self.random = random.Random(seed)
        self.sandbox = Sandbox.restore(image)
        self.world = self.sandbox.world
        text = files.read_file(self.world, "controlplane", "/root/.kube/config")
        self.client = KubeClient.from_kubeconfig(self.world, "controlplane", text, user_agent="soak")
        self.node_of: dict[str, str] = {}
        #: The most pods that a Deployment may have had a right to since it last was at rest.
        self.most: dict[str, int] = {}
        self.down: dict[str, list[str]] = {}
        self.steps: list[str] = []

    def api(self, work: Callable[[], Any]) -> Any:
        """Do something that the API may be away for."""
        try:
            return work()
        except (ApiError, ConnectError):
            return None

    def items(self, resource: str, namespace: str | None = None) -> list[Obj] | None:
        """A list, or None while the API is away."""
        found = self.api(lambda: self.client.list(resource, namespace))
        return None if found is None else found.items

    # -- what happens ----------------------------------------------------------------------------------------------------
    def set_up(self) -> None:
        """A namespace with a quota and two Deployments."""
        self.client.create("namespaces", None, {"kind": "Namespace", "metadata": {"name": "soak"}})
        self.sandbox.advance(self.sandbox.now + SECOND)
        quota = {"kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": {"pods": str(QUOTA)}}}
        self.client.create("resourcequotas", "soak", quota)
        for name, replicas in (("web", 3), ("api", 2)):
            self.client.create("deployments", "soak", deployment(name, replicas))
        self.sandbox.advance(self.sandbox.now + 5 * SECOND)

    def act(self) -> None:
        """One random thing."""
        name, work = self.random.choice(ACTIONS)
        self.steps.append(f"{self.sandbox.now / SECOND:.3f} {name}")
        work(self)

    def fault(self, name: str, *args: str) -> None:
        """A fault of the laboratory; one that makes no sense now is none."""
        self.steps[-1] += " " + " ".join((name, *args))
        try:
            faults.inject(self.world, name, list(args))
        except BadInput:
            self.steps[-1] += " (not now)"

    def mend(self) -> None:
        """Undo what is undone still."""
        for name, args in list(self.down.items()):
            self.steps.append(f"{self.sandbox.now / SECOND:.3f} mend {name}")
            self.fault(*args)
        self.down.clear()

    # -- what must hold --------------------------------------------------------------------------------------------------
    def check(self) -> None:
        """The invariants of every moment."""
        pods = self.items("pods")
        if pods is not None:
            self._one_node(pods)
            self._surge([p for p in pods if p["metadata"]["namespace"] == "soak"])
        self._one_runtime()

    def _one_node(self, pods: list[Obj]) -> None:
        for pod in pods:
            uid, node = pod["metadata"]["uid"], pod["spec"].get("nodeName")
            if node and self.node_of.setdefault(uid, node) != node:
                raise Broken(f"pod {pod['metadata']['name']} moved from {self.node_of[uid]} to {node}")

    def _one_runtime(self) -> None:
        held: dict[str, str] = {}
        for host, state in sorted(runtimes(self.world).items()):
            for box in state.sandboxes.values():
                if box.namespace == "soak" and held.setdefault(box.uid, host) != host:
                    raise Broken(f"pod {box.name} has sandboxes on {held[box.uid]} and {host}")

    def _surge(self, pods: list[Obj]) -> None:
        going = [p for p in pods if not p["metadata"].get("deletionTimestamp")]
        live = [p for p in going if (p.get("status") or {}).get("phase") not in ("Succeeded", "Failed")]
        if len(live) > QUOTA:
            raise Broken(f"{len(live)} pods in a namespace with a quota of {QUOTA}")
        counts: dict[str, int] = {}
        for pod in live:
            name = (pod["metadata"].get("labels") or {}).get("app", "")
            counts[name] = counts.get(name, 0) + 1
        for d in self.items("deployments", "soak") or ():
            name, wanted = d["metadata"]["name"], d["spec"]["replicas"]
            most = wanted + -(-wanted * 25 // 100)
            self.most[name] = max(self.most.get(name, 0), most)
            if counts.get(name, 0) > self.most[name]:
                raise Broken(f"deployment {name}: {counts[name]} pods, {self.most[name]} with surge")
            if settled(d):
                self.most[name] = most

    # -- the end ---------------------------------------------------------------------------------------------------------
    def converge(self) -> int:
        """Virtual seconds until everything was at rest after the last fault; raises Broken when the bound has passed."""
        began = self.sandbox.now
        why = "never looked"
        while self.sandbox.now < began + BOUND * SECOND:
            self.sandbox.advance(self.sandbox.now + 10 * SECOND)
            self.check()
            why = self._unrest()
            if not why:
                return (self.sandbox.now - began) // SECOND
        raise Broken(f"not at rest {BOUND} s after the last fault: {why}")

    def _unrest(self) -> str:
        lists = {r: self.items(r) for r in ("nodes", "pods", "replicasets", "deployments", "daemonsets", "resourcequotas")}
        if any(found is None for found in lists.values()):
            return "the API server is away"
        nodes, pods, sets, deployments, daemons, quotas = (found or [] for found in lists.values())
        for node in nodes:
            if (condition(node, "Ready") or {}).get("status") != "True":
                return f"node {node['metadata']['name']} is not Ready"
        for d in deployments:
            if not settled(d):
                return f"deployment {d['metadata']['name']}: {d.get('status')}"
        for item in daemons:
            status = item.get("status") or {}
            if status.get("numberReady") != status.get("desiredNumberScheduled"):
                return f"daemon set {item['metadata']['name']}: {status}"
        owners = {o["metadata"]["uid"] for o in (*sets, *deployments, *daemons, *nodes)}
        for obj in (*pods, *sets):
            if obj["metadata"].get("deletionTimestamp"):
                return f"{obj['metadata']['name']} is still going"
            ref = controller_of(obj)
            if ref is not None and ref["uid"] not in owners:
                return f"{obj['metadata']['name']} is an orphan of {ref['kind']} {ref['name']}"
        return self._quota(pods, quotas)

    @staticmethod
    def _quota(pods: list[Obj], quotas: list[Obj]) -> str:
        over = ("Succeeded", "Failed")
        mine = sum(1 for p in pods if p["metadata"]["namespace"] == "soak" and (p.get("status") or {}).get("phase") not in over)
        for quota in quotas:
            used = int(((quota.get("status") or {}).get("used") or {}).get("pods") or 0)
            if quota["metadata"]["namespace"] == "soak" and used != mine:
                return f"the quota counts {used} pods of {mine}"
        return ""


def deployment(name: str, replicas: int) -> Obj:
    """A Deployment of pods that start at once and stop at once."""
    labels = {"app": name}
    container = {"name": "c", "image": "nginx:1.25", "resources": {"requests": {"cpu": "50m"}}}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], "terminationGracePeriodSeconds": 2}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, "revisionHistoryLimit": 2}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def settled(d: Obj) -> bool:
    """A rollout that has come to its end."""
    status, wanted = d.get("status") or {}, d["spec"]["replicas"]
    counts = [int(status.get(name) or 0) for name in ("replicas", "updatedReplicas", "availableReplicas")]
    return bool(status.get("observedGeneration") == d["metadata"]["generation"] and counts == [wanted] * 3)


# -- actions -------------------------------------------------------------------------------------------------------------


def _scale(run: Run) -> None:
    name, size = run.random.choice(("web", "api")), run.random.randint(0, 5)
    run.steps[-1] += f" {name} {size}"
    run.check()
    run.api(lambda: run.client.patch("deployments", "soak", name, {"spec": {"replicas": size}}, kind="merge"))


def _image(run: Run) -> None:
    tag = run.random.choice(("1.25", "1.26", "1.27", "does-not-exist"))
    if tag == "does-not-exist":
        run.down["image"] = []  # put right at the end
    containers = [{"name": "c", "image": f"nginx:{tag}"}]
    patch = {"spec": {"template": {"spec": {"containers": containers}}}}
    run.steps[-1] += " " + tag
    run.api(lambda: run.client.patch("deployments", "soak", "web", patch))


def _delete_pod(run: Run) -> None:
    pods = run.items("pods", "soak")
    if pods:
        name = run.random.choice(sorted(p["metadata"]["name"] for p in pods))
        grace = run.random.choice((None, 0))
        run.api(lambda: run.client.delete("pods", "soak", name, grace=grace))


def _delete_set(run: Run) -> None:
    sets = run.items("replicasets", "soak")
    if sets:
        name = run.random.choice(sorted(s["metadata"]["name"] for s in sets))
        how = run.random.choice(("Background", "Foreground"))
        run.api(lambda: run.client.delete("replicasets", "soak", name, propagation=how))


def _cordon(run: Run) -> None:
    node = run.random.choice(WORKERS)
    on = run.random.random() < 0.5
    run.api(lambda: run.client.patch("nodes", None, node, {"spec": {"unschedulable": on or None}}, kind="merge"))


def _power(run: Run) -> None:
    node = run.random.choice(WORKERS)
    if run.down.pop("power " + node, None):
        run.fault("power-on", node)
    else:
        run.down["power " + node] = ["power-on", node]
        run.fault("power-off", node)


def _cut(run: Run) -> None:
    node = run.random.choice(WORKERS)
    if run.down.pop("cut " + node, None):
        run.fault("mend", node, "controlplane")
    else:
        run.down["cut " + node] = ["mend", node, "controlplane"]
        run.fault("cut", node, "controlplane")


def _kubelet(run: Run) -> None:
    node = run.random.choice(WORKERS)
    if run.down.pop("kubelet " + node, None):
        run.fault("start", "kubelet", node)
    else:
        run.down["kubelet " + node] = ["start", "kubelet", node]
        run.fault("stop", "kubelet", node)


def _kill(run: Run) -> None:
    names = ("kube-controller-manager", "kube-scheduler", "kube-apiserver", "etcd", "kubelet", "kube-proxy")
    run.fault("kill", run.random.choice(names))


ACTIONS: tuple[tuple[str, Callable[[Run], None]], ...] = (
    ("scale", _scale),
    ("scale", _scale),
    ("image", _image),
    ("image", _image),
    ("delete pod", _delete_pod),
    ("delete pod", _delete_pod),
    ("delete set", _delete_set),
    ("cordon", _cordon),
    ("power", _power),
    ("cut", _cut),
    ("kubelet", _kubelet),
    ("kill", _kill),
    ("kill", _kill),
)


def play(image: bytes, seed: int, *, actions: int = 8) -> tuple[str, int, list[str]]:
    """One run: (digest, virtual seconds to rest, what happened); raises Broken with the steps in its notes."""
    run = Run(image, seed)
    try:
        run.set_up()
        for _ in range(actions):
            run.act()
            for _ in range(run.random.randint(1, 4)):
                run.sandbox.advance(run.sandbox.now + run.random.randint(1, 8_000) * 1_000_000)
                run.check()
        run.down.pop("image", None)
        run.mend()
        _rest(run)
        took = run.converge()
    except Broken as error:
        error.add_note("\n".join(run.steps))
        raise
    return run.sandbox.digest(), took, run.steps


def _rest(run: Run) -> None:
    """The last wishes: images that exist, nodes that take pods.  Repeated until the API server has taken them."""
    containers = [{"name": "c", "image": "nginx:1.25"}]
    wishes: list[tuple[str, str | None, str, Obj]] = [
        ("deployments", "soak", "web", {"spec": {"template": {"spec": {"containers": containers}}}})
    ]
    wishes += [("nodes", None, node, {"spec": {"unschedulable": None}}) for node in WORKERS]
    for resource, namespace, name, patch in wishes:
        for _ in range(60):
            if run.api(partial(run.client.patch, resource, namespace, name, patch)) is not None:
                break
            run.sandbox.advance(run.sandbox.now + 5 * SECOND)
        run.check()


def main(args: argparse.Namespace) -> int:
    """Play the seeds; exit status 1 when one of them broke something."""
    image = Sandbox.boot("three-nodes", 1).snapshot()
    began = time.perf_counter()
    broken, times = 0, []
    for seed in range(args.start, args.start + args.seeds):
        try:
            digest, took, _ = play(image, seed)
            times.append(took)
            if args.repeat and seed % args.repeat == 0 and play(image, seed)[0] != digest:
                raise Broken("played again it left another trace")
        except Broken as error:
            broken += 1
            print(f"seed {seed}: {error}")
            for note in getattr(error, "__notes__", ()):
                print("  " + note.replace("\n", "\n  "))
            sys.stdout.flush()
    spent = time.perf_counter() - began
    slowest = max(times, default=0)
    print(f"{args.seeds} seeds, {broken} broken, {spent:.1f} s, slowest to rest {slowest} virtual seconds")
    return 1 if broken else 0
