"""What changes in a running pod: probes by gRPC, a resize in place, ephemeral containers."""

from __future__ import annotations

import json
import re

import pytest

from simulator.core.kernel.clock import MINUTE, SECOND
from simulator.core.sandbox import Sandbox


@pytest.fixture(scope="module")
def base() -> Sandbox:
    made = Sandbox.boot("three-nodes", 1)
    made.advance(30 * SECOND)
    return made


def out(world: Sandbox, line: str, stdin: str = "") -> str:
    found = world.run(line, stdin=stdin.encode())
    return found.stdout + found.stderr


def apply(world: Sandbox, text: str, seconds: int) -> None:
    assert world.run("kubectl apply -f -", stdin=text.encode()).code == 0
    world.advance(world.now + seconds * SECOND)


def pod(name: str, container: str) -> str:
    return f"{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{containers: [{container}]}}}}"


AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.59"


def test_grpc_probes_ask_the_health_protocol(base: Sandbox) -> None:
    world = base.fork()
    probe = "{grpc: {port: 5000}, periodSeconds: 2, failureThreshold: 2}"
    apply(world, pod("g", f"{{name: c, image: '{AGNHOST}', args: [grpc-health-checking], readinessProbe: {probe}}}"), 20)
    assert "1/1     Running" in out(world, "kubectl get pod g")
    out(world, "curl -s http://$(kubectl get pod g -o jsonpath={.status.podIP}):8080/make-not-serving")
    world.advance(world.now + 10 * SECOND)
    assert "0/1     Running" in out(world, "kubectl get pod g")
    assert 'Readiness probe failed: service unhealthy (responded with "NOT_SERVING")' in out(world, "kubectl get events")


def test_a_server_that_speaks_no_grpc_times_out(base: Sandbox) -> None:
    world = base.fork()
    apply(world, pod("plain", "{name: c, image: nginx, readinessProbe: {grpc: {port: 80}, periodSeconds: 2}}"), 20)
    assert "Readiness probe failed: timeout: failed to connect service" in out(world, "kubectl get events")
    assert "within 1s: context deadline exceeded" in out(world, "kubectl get events")


RESIZE = "kubectl patch pod r --subresource resize -p '{}'"


def change(**resources: dict[str, str]) -> str:
    return RESIZE.replace("{}", json.dumps({"spec": {"containers": [{"name": "c", "resources": resources}]}}))


def made(base: Sandbox, extra: str = "") -> Sandbox:
    world = base.fork()
    resources = "{requests: {cpu: 100m, memory: 64Mi}, limits: {cpu: 200m, memory: 128Mi}}"
    apply(world, pod("r", f"{{name: c, image: nginx, resources: {resources}{extra}}}"), 20)
    return world


def test_a_resize_is_granted_without_a_restart(base: Sandbox) -> None:
    world = made(base)
    out(world, change(requests={"cpu": "150m"}, limits={"cpu": "300m"}))
    world.advance(world.now + 5 * SECOND)
    status = json.loads(out(world, "kubectl get pod r -o json"))["status"]
    assert status["containerStatuses"][0]["allocatedResources"] == {"cpu": "150m", "memory": "64Mi"}
    assert status["containerStatuses"][0]["resources"]["limits"] == {"cpu": "300m", "memory": "128Mi"}
    assert status["containerStatuses"][0]["restartCount"] == 0
    assert not any(c["type"].startswith("PodResize") for c in status["conditions"])
    events = out(world, "kubectl get events")
    assert "Pod resize started: " in events
    assert "Pod resize completed: " in events


def test_a_resize_that_asks_for_it_restarts_the_container(base: Sandbox) -> None:
    world = made(base, ", resizePolicy: [{resourceName: memory, restartPolicy: RestartContainer}]")
    out(world, change(limits={"memory": "256Mi"}))
    world.advance(world.now + 10 * SECOND)
    assert "Container c resize requires restart" in out(world, "kubectl get events")
    assert out(world, "kubectl get pod r -o jsonpath={.status.containerStatuses[0].restartCount}") == "1"


def test_what_the_node_could_never_give_is_refused_at_once(base: Sandbox) -> None:
    world = made(base)
    found = world.run(change(requests={"cpu": "100"}, limits={"cpu": "100"}))
    assert found.code == 1 and found.stderr == (
        'Error from server (Forbidden): pods "r" is forbidden: node didn\'t have enough allocatable resources: '
        "cpu, requested: 100000, allocatable: 4000\n"
    )
    assert out(world, "kubectl get pod r -o jsonpath={.status.containerStatuses[0].allocatedResources.cpu}") == "100m"


def test_what_does_not_fit_now_waits_until_it_does(base: Sandbox) -> None:
    world = made(base)
    node = out(world, "kubectl get pod r -o jsonpath={.spec.nodeName}")
    big = f"{{apiVersion: v1, kind: Pod, metadata: {{name: big}}, spec: {{nodeName: {node}, terminationGracePeriodSeconds: 0, "
    apply(world, big + "containers: [{name: c, image: nginx, resources: {requests: {cpu: '3'}}}]}}", 15)
    out(world, change(requests={"cpu": "2"}, limits={"cpu": "2"}))
    world.advance(world.now + 5 * SECOND)
    condition = "kubectl get pod r -o jsonpath=\"{.status.conditions[?(@.type=='PodResizePending')]['reason','message']}\""
    waiting = out(world, condition)
    assert waiting.startswith("Deferred Node didn't have enough resource: cpu, requested: 2000, used: 3")
    assert waiting.endswith("capacity: 4000")
    events = out(world, "kubectl get events --field-selector reason=ResizeDeferred")
    assert "Pod resize OutOfcpu: " in events and '"generation":2,"error":"Node didn\'t have enough resource: cpu' in events
    out(world, "kubectl delete pod big")  # what goes makes room at once
    world.advance(world.now + 5 * SECOND)
    assert out(world, condition) == ""
    assert out(world, "kubectl get pod r -o jsonpath={.status.containerStatuses[0].allocatedResources.cpu}") == "2"


def test_a_memory_limit_does_not_go_below_what_is_in_use(base: Sandbox) -> None:
    world = made(base)
    out(world, change(requests={"memory": "1Mi"}, limits={"memory": "1Mi"}))
    world.advance(world.now + 30 * SECOND)
    condition = "kubectl get pod r -o jsonpath=\"{.status.conditions[?(@.type=='PodResizeInProgress')]['reason','message']}\""
    failed = re.fullmatch(
        r"Error cannot decrease memory limits: \[attempting to set pod memory limit \(1048576\) below current usage \((\d+)\), "
        r'attempting to set container "c" memory limit \(1048576\) below current usage \(\1\)\]',
        out(world, condition),
    )
    assert failed and int(failed[1]) > 1048576
    assert out(world, "kubectl get events --field-selector reason=ResizeError").count("Pod resize error: ") == 1
    assert out(world, "kubectl get pod r -o jsonpath={.status.containerStatuses[0].restartCount}") == "0"
    out(world, change(requests={"memory": "64Mi"}, limits={"memory": "96Mi"}))
    world.advance(world.now + 20 * SECOND)
    assert out(world, condition) == ""
    assert out(world, "kubectl get pod r -o jsonpath={.status.containerStatuses[0].resources.limits.memory}") == "96Mi"


def test_an_ephemeral_container_runs_beside_the_others_and_never_again(base: Sandbox) -> None:
    world = base.fork()
    apply(world, pod("e", "{name: c, image: nginx}"), 15)
    debug = {"name": "debug", "image": "busybox", "command": ["sh", "-c", "sleep 20; echo bye"], "targetContainerName": "c"}
    patch = json.dumps({"spec": {"ephemeralContainers": [debug]}})
    out(world, f"kubectl patch pod e --subresource ephemeralcontainers -p '{patch}'")
    world.advance(world.now + 8 * SECOND)
    state = "kubectl get pod e -o jsonpath='{.status.ephemeralContainerStatuses[0].state}'"
    assert "running" in out(world, state)
    assert "Address" in out(world, "kubectl exec e -c debug -- nslookup kubernetes.default.svc.cluster.local")
    world.advance(world.now + 60 * SECOND)
    assert '"exitCode":0' in out(world, state)
    assert "1/1     Running   0" in out(world, "kubectl get pod e")
    assert out(world, "kubectl logs e -c debug") == "bye\n"


def test_a_log_that_has_become_too_large_is_put_aside(base: Sandbox) -> None:
    world = base.fork()
    script = "while true; do seq 1 400; sleep 1; done"
    apply(world, pod("loud", f"{{name: c, image: busybox, command: [sh, -c, '{script}']}}"), 8)
    node = out(world, "kubectl get pod loud -o jsonpath={.spec.nodeName}")
    world.run("echo 'containerLogMaxSize: 40Ki' >> /var/lib/kubelet/config.yaml; systemctl restart kubelet", host=node)
    world.advance(world.now + MINUTE)
    names = world.run("ls /var/log/pods/default_loud_*/c", host=node).stdout.split()
    assert "0.log" in names
    assert any(name.startswith("0.log.2026") for name in names)
    assert len(names) <= 5
    assert "400" in out(world, "kubectl logs loud --tail 5")


def test_sidecars_stop_after_the_others_the_last_one_first(base: Sandbox) -> None:
    world = base.fork()
    loop = "trap 'exit 0' TERM; while true; do sleep 1; done"
    apply(
        world,
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  initContainers:\n"
        f'  - {{name: first, image: busybox, restartPolicy: Always, command: [sh, -c, "{loop}"]}}\n'
        "  - {name: second, image: nginx, restartPolicy: Always}\n  containers:\n"
        "  - {name: main, image: redis, lifecycle: {preStop: {exec: {command: [sleep, '5']}}}}\n",
        20,
    )
    node = out(world, "kubectl get pod p -o jsonpath={.spec.nodeName}")
    names = {c["id"]: c["metadata"]["name"] for c in json.loads(world.run("crictl ps -o json", host=node).stdout)["containers"]}
    began = world.now
    out(world, "kubectl delete pod p --wait=false")
    world.advance(began + 12 * SECOND)
    ends = [e for e in world.world.trace if e.action == "container.exit" and e.at > began]
    order = [next(n for i, n in names.items() if i.startswith(e.ref.removeprefix("containers/"))) for e in ends]
    assert order == ["main", "second", "first"]
    assert ends[0].at - began >= 5 * SECOND  # main's hook
    assert "not found" in out(world, "kubectl get pod p")
