"""Volumes follow their objects; what reads its configuration from one notices."""

from __future__ import annotations

import pytest

from simulator.core.kernel.clock import SECOND
from simulator.core.sandbox import Sandbox

POD = """
apiVersion: v1
kind: Pod
metadata: {name: p, labels: {x: one}}
spec:
  volumes:
  - {name: v, configMap: {name: c, defaultMode: 0400}}
  - {name: s, secret: {secretName: s}}
  - {name: d, downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}}
  containers:
  - name: c
    image: busybox
    command: [sleep, "3600"]
    volumeMounts:
    - {name: v, mountPath: /etc/c}
    - {name: v, mountPath: /etc/one, subPath: a}
    - {name: s, mountPath: /etc/s}
    - {name: d, mountPath: /etc/d}
"""


@pytest.fixture(scope="module")
def base() -> Sandbox:
    made = Sandbox.boot("three-nodes", 1)
    made.advance(30 * SECOND)
    for line in (
        "kubectl create cm c --from-literal=a=1 --from-literal=b=2",
        "kubectl create secret generic s --from-literal=k=old",
    ):
        assert made.run(line).code == 0
    assert made.run("kubectl apply -f -", stdin=POD.encode()).code == 0
    made.advance(made.now + 20 * SECOND)
    return made


def out(world: Sandbox, line: str) -> str:
    found = world.run(line)
    return found.stdout + found.stderr


def test_files_change_with_the_next_sync_and_subpaths_never(base: Sandbox) -> None:
    world = base.fork()
    out(world, """kubectl patch cm c -p '{"data":{"a":"changed","b":null,"z":"new"}}'""")
    out(world, """kubectl patch secret s -p '{"stringData":{"k":"new"}}'""")
    out(world, "kubectl label pod p x=two --overwrite")
    assert out(world, "kubectl exec p -- cat /etc/c/a") == "1", "not at once"
    world.advance(world.now + 95 * SECOND)
    assert out(world, "kubectl exec p -- cat /etc/c/a") == "changed"
    assert out(world, "kubectl exec p -- ls /etc/c").split() == ["a", "z"]
    assert out(world, "kubectl exec p -- stat -c %a /etc/c/z").strip() == "400"
    assert out(world, "kubectl exec p -- cat /etc/one") == "1"
    assert out(world, "kubectl exec p -- cat /etc/s/k") == "new"
    assert out(world, "kubectl exec p -- cat /etc/d/labels") == 'x="two"'


def test_an_object_that_is_gone_leaves_its_files_and_an_event(base: Sandbox) -> None:
    world = base.fork()
    out(world, "kubectl delete cm c")
    world.advance(world.now + 95 * SECOND)
    assert out(world, "kubectl exec p -- cat /etc/c/a") == "1"
    assert 'MountVolume.SetUp failed for volume "v" : configmap "c" not found' in out(world, "kubectl describe pod p")


def test_kube_proxy_starts_anew_with_another_configuration(base: Sandbox) -> None:
    world = base.fork()
    edit = "kubectl -n kube-system get cm kube-proxy -o yaml | sed 's#mode: .*#mode: {}#' | kubectl apply -f -"
    out(world, edit.replace("{}", "nftables"))
    world.advance(world.now + 120 * SECOND)
    assert "Using nftables Proxier" in out(world, "kubectl -n kube-system logs ds/kube-proxy")
    previous = out(world, "kubectl -n kube-system logs -p ds/kube-proxy")
    assert "content of the proxy server's configuration file was updated" in previous
    out(world, edit.replace("{}", "nonsense"))
    world.advance(world.now + 150 * SECOND)
    assert out(world, "kubectl -n kube-system get pods -l k8s-app=kube-proxy").count(" 0/1 ") == 3
    assert "Back-off restarting failed container kube-proxy" in out(world, "kubectl -n kube-system get events")
    assert 'ProxyMode: Invalid value: \\"nonsense\\"' in out(world, "kubectl -n kube-system logs ds/kube-proxy")


def test_coredns_keeps_its_corefile_until_a_good_one_comes(base: Sandbox) -> None:
    world = base.fork()
    edit = "kubectl -n kube-system get cm coredns -o yaml | sed '{}' | kubectl apply -f -"
    out(world, edit.replace("{}", "s#kubernetes cluster.local#kubernetess cluster.local#"))
    world.advance(world.now + 140 * SECOND)
    logs = out(world, "kubectl -n kube-system logs deploy/coredns")
    assert "Corefile:7 - Error during parsing: Unknown directive 'kubernetess'" in logs
    assert "10.96.0.1" in out(world, "kubectl exec p -- nslookup kubernetes.default.svc.cluster.local")
    out(world, edit.replace("{}", "s#kubernetess#kubernetes#; s#cache 30#cache 31#"))
    world.advance(world.now + 140 * SECOND)
    assert "Reloading complete" in out(world, "kubectl -n kube-system logs deploy/coredns")
