"""A snapshot put back under a running control plane: with `--bump-revision --mark-compacted` everybody lists again and agrees."""

from __future__ import annotations

from simulator.core.kernel.clock import SECOND
from simulator.core.sandbox import Sandbox

PKI = "/etc/kubernetes/pki/etcd"
ACCESS = f"--cacert={PKI}/ca.crt --cert={PKI}/server.crt --key={PKI}/server.key"


def test_everybody_lists_again_after_a_restore_that_moved_the_revision_on() -> None:
    box = Sandbox.boot("three-nodes")
    assert box.run("kubectl create deployment web --image=nginx --replicas=2; kubectl rollout status deployment web").code == 0
    assert box.run(f"etcdctl {ACCESS} snapshot save /root/etcd.db").code == 0
    assert box.run("kubectl delete deployment web; kubectl create deployment late --image=nginx").code == 0
    assert box.run("kubectl rollout status deployment late").code == 0
    box.run("etcdutl snapshot restore /root/etcd.db --data-dir=/var/lib/again --bump-revision=1000000000 --mark-compacted")
    box.run("sed -i 's#path: /var/lib/etcd$#path: /var/lib/again#' /etc/kubernetes/manifests/etcd.yaml")
    box.advance(box.now + 120 * SECOND)
    assert (
        box.run("kubectl get deployments -o name; kubectl get replicasets -o name | wc -l").stdout == "deployment.apps/web\n1\n"
    )
    running = [
        box.run("crictl pods --namespace default --state ready -q | wc -l", host=node).stdout for node in ("node01", "node02")
    ]
    assert running == ["1\n", "1\n"]
    assert box.run("for n in node01 node02; do ssh $n crictl ps --name nginx; done | grep -c late").stdout == "0\n"
    answer = box.run(f"etcdctl {ACCESS} endpoint status -w json | jq '.[0].Status.header.revision > 1000000000'")
    assert answer.stdout == "true\n"


def test_the_bump_is_a_number_and_goes_with_its_mark() -> None:
    box = Sandbox.boot("three-nodes")
    box.run(f"etcdctl {ACCESS} snapshot save /root/etcd.db")
    alone = box.run("etcdutl snapshot restore /root/etcd.db --data-dir=/root/a --bump-revision=5")
    assert alone.code and "--mark-compacted required if --revision-bump > 0" in alone.stderr
    assert "strconv.ParseUint" in box.run("etcdutl snapshot restore /root/etcd.db --data-dir=/root/a --bump-revision=-5").stderr
