"""Lenses show what is there, and change nothing in the world that they look at."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulator.core.kernel import snapshot
from simulator.core.kernel.clock import MS, SECOND
from simulator.core.kernel.errors import BadInput
from simulator.core.lab.lenses import LENSES
from simulator.core.sandbox import Sandbox

Json = dict[str, Any]


@pytest.fixture(scope="module")
def worked() -> bytes:
    """A three-node cluster in which something was created, refused and deleted."""
    sandbox = Sandbox.boot()
    sandbox.run("kubectl create deployment web --image=nginx --replicas=2", settle=20 * SECOND)
    sandbox.run(
        'kubectl expose deployment web --port=80; kubectl run big --image=nginx --overrides=\'{"spec":{"containers":[{"name":"big","image":"nginx","resources":{"requests":{"cpu":"64"}}}]}}\'',
        settle=10 * SECOND,
    )
    sandbox.run("kubectl get pods --as=nobody; kubectl create namespace default")
    return sandbox.snapshot()


@pytest.fixture
def cluster(worked: bytes) -> Sandbox:
    return Sandbox.restore(worked)


@pytest.mark.parametrize("name", LENSES)
def test_a_look_changes_nothing_and_is_plain_data(cluster: Sandbox, name: str) -> None:
    before = snapshot.dump(cluster.world)
    shown = cluster.lens(name)
    for choice in shown["choices"]:
        assert cluster.lens(name, choice)["about"] == choice
    assert snapshot.dump(cluster.world) == before
    assert json.loads(json.dumps(shown)) == shown
    assert shown == cluster.lens(name)
    assert cluster.lens(name, "no such thing")["about"] == shown["about"]
    assert len(json.dumps(shown)) < 24_000


@pytest.mark.parametrize("scenario", ["docker", "empty-hosts", "kubeadm-ready"])
@pytest.mark.parametrize("name", LENSES)
def test_a_world_without_the_component_is_shown_too(scenario: str, name: str) -> None:
    assert Sandbox.boot(scenario).lens(name)["lens"] == name


def test_a_lens_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match="'sonar' is not one of etcd"):
        Sandbox.boot().lens("sonar")


# -- etcd ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def three() -> Sandbox:
    return Sandbox.boot("etcd")


def names(shown: Json) -> dict[str, str]:
    return {m["id"]: m["name"] for m in shown["members"]}


def step(sandbox: Sandbox) -> Json:
    """As the button does: to the next message."""
    sandbox.apply("skip", {"ns": 5 * SECOND, "to": "raft"}, sandbox.now)
    return sandbox.lens("etcd")


def test_three_members_hold_the_same_log_and_the_leader_knows_it(three: Sandbox) -> None:
    shown = three.lens("etcd")
    logs = [m["raft"] for m in shown["members"]]
    assert (len(logs), shown["quorum"]) == (3, 2)
    assert len({(log["last"], log["commit"], log["applied"], log["term"]) for log in logs}) == 1
    leader = next(m for m in shown["members"] if m["role"] == "leader")
    assert [p["match"] for p in leader["raft"]["peers"]] == [leader["raft"]["last"]] * 2
    assert {m["raft"]["leader"] for m in shown["members"]} == {leader["id"]}


def test_a_put_is_appended_answered_and_in_the_history(three: Sandbox) -> None:
    before = three.lens("etcd")
    ask = "etcdctl --cacert=/etc/etcd/ca.crt --cert=/etc/etcd/client.crt --key=/etc/etcd/client.key"
    result = three.run(f"{ask} put anchor down && {ask} del anchor")
    assert result.code == 0, result.stderr
    shown = three.lens("etcd")
    after = [m for m in shown["messages"] if m["at"] > before["at"]]
    assert {"app", "app-resp"} <= {m["kind"] for m in after if m["sent"]}
    changes = [(c["key"], c["version"]) for c in shown["history"]["changes"]][-2:]
    assert changes == [("anchor", 1), ("anchor", 0)]
    assert shown["members"][0]["raft"]["entries"][-1]["index"] == shown["members"][0]["raft"]["last"]


def test_stepping_goes_from_message_to_message_and_sees_an_election(three: Sandbox) -> None:
    at_rest = three.lens("etcd")
    assert at_rest["asleep"] and at_rest["next"]["kind"] == "heartbeat"
    shown = step(three)
    assert shown["at"] == at_rest["next"]["at"] and shown["at"] - at_rest["at"] <= 100 * MS
    lost = names(shown)[next(m["id"] for m in shown["members"] if m["role"] == "leader")]
    three.apply("fault", {"name": "power-off", "args": [lost]}, three.now)
    kinds: list[str] = []
    for _ in range(60):
        before = three.now
        shown = step(three)
        assert before < shown["at"] < before + 2 * SECOND
        kinds += [m["kind"] for m in shown["messages"] if m["at"] >= before]
        if shown["leader"] not in ("", lost) and not shown["next"]["kind"].startswith("vote"):
            break
    assert shown["term"] > at_rest["term"] and shown["leader"] not in ("", lost)
    assert {"pre-vote", "vote"} <= set(kinds), kinds
    winner = next(m["id"] for m in shown["members"] if m["role"] == "leader")
    assert sum(m["raft"]["vote"] == winner for m in shown["members"] if m["name"] != lost) == 2
    assert [m["state"] for m in shown["members"] if m["name"] == lost] == ["stopped"]


def test_a_cut_link_is_shown_with_what_it_swallows(three: Sandbox) -> None:
    three.apply("fault", {"name": "cut", "args": ["etcd1", "etcd2"]}, three.now)
    three.advance(three.now + 4 * SECOND)
    shown = three.lens("etcd")
    assert [sorted(names(shown)[i] for i in pair) for pair in shown["cut"]] == [["etcd1", "etcd2"]]
    lost = {tuple(sorted((names(shown)[m["from"]], names(shown)[m["to"]]))) for m in shown["messages"] if not m["sent"]}
    assert lost <= {("etcd1", "etcd2")}


def test_there_is_nothing_to_step_to_where_one_member_is_alone(cluster: Sandbox) -> None:
    shown = cluster.lens("etcd")
    assert (shown["next"], shown["messages"], shown["members"][0]["raft"]["commit"] > 0) == (None, [], True)
    with pytest.raises(BadInput, match="no second member"):
        step(cluster)


def test_an_etcd_of_the_learners_own_can_be_looked_at(cluster: Sandbox) -> None:
    release = "https://github.com/etcd-io/etcd/releases/download/v3.6.13/etcd-v3.6.13-linux-amd64.tar.gz"
    cluster.run(f"cd /root && curl -sL {release} | tar xz && cd etcd-v3.6.13-linux-amd64 && (./etcd > log 2>&1 &)", host="node01")
    cluster.advance(cluster.now + 5 * SECOND)
    cluster.run("/root/etcd-v3.6.13-linux-amd64/etcdctl put key1 value1", host="node01")
    shown = cluster.lens("etcd")
    assert shown["choices"] == ["controlplane", "default (node01)"]
    own = cluster.lens("etcd", "default (node01)")
    assert [c["key"] for c in own["history"]["changes"]] == ["key1"]


# -- the other components -------------------------------------------------------------------------------------------------


def requests(sandbox: Sandbox) -> list[Json]:
    found = sandbox.lens("apiserver")["requests"]
    assert isinstance(found, list)
    return found


def test_each_request_says_who_asked_and_what_every_gate_made_of_it(cluster: Sandbox) -> None:
    cluster.run("kubectl run small --image=nginx")
    made = next(row for row in reversed(requests(cluster)) if row["ref"] == "pods/default/small" and row["verb"] == "create")
    assert (made["stage"], made["code"], made["how"], made["user"]) == ("done", 201, "x509", "kubernetes-admin")
    binding = 'ClusterRoleBinding "kubeadm:cluster-admins" of ClusterRole "cluster-admin" to Group "kubeadm:cluster-admins"'
    assert (made["by"], made["why"]) == ("RBAC", f"RBAC: allowed by {binding}")
    assert {"ServiceAccount", "Priority", "DefaultTolerationSeconds"} == set(made["changed"])
    assert made["key"] == "/registry/pods/default/small"
    assert f"#{made['revision']}#" in "".join(f"#{c['revision']}#" for c in cluster.lens("etcd")["history"]["changes"])
    assert next(e for e in cluster.world.trace if e.seq == made["event"]).ref == "pods/default/small"


@pytest.mark.parametrize(
    ("command", "stage", "code", "refused"),
    [
        ("kubectl get pods --as=nobody", "authorization", 403, ""),
        ("kubectl create namespace default", "storage", 409, ""),
        ("kubectl run x --image=nginx -n nowhere", "admission", 404, "NamespaceLifecycle"),
        ("kubectl create configmap -n default Not_A_Name", "admission", 422, ""),
        ("curl -sk https://controlplane:6443/api/v1/pods -H 'Authorization: Bearer nonsense'", "authentication", 401, ""),
    ],
)
def test_a_refused_request_stands_at_the_gate_that_refused_it(
    cluster: Sandbox, command: str, stage: str, code: int, refused: str
) -> None:
    cluster.run(command)
    row = requests(cluster)[-1]
    assert (row["stage"], row["code"], row["refused"]) == (stage, code, refused), row
    assert row["ref"] != "pods/nowhere/nowhere"
    assert row["message"]


def test_heartbeats_and_the_making_of_the_cluster_are_not_among_the_requests() -> None:
    sandbox = Sandbox.boot()
    assert requests(sandbox) == []
    sandbox.advance(sandbox.now + 30 * SECOND)
    assert requests(sandbox) == []


def test_the_decision_shows_every_nodes_verdict_and_scores(cluster: Sandbox) -> None:
    shown = cluster.lens("scheduler")
    assert shown["leader"] == "controlplane"
    big = cluster.lens("scheduler", "default/big")["decision"]
    assert (big["node"], {row["plugin"] for row in big["nodes"]}) == ("", {"NodeResourcesFit", "TaintToleration"})
    (waiting,) = shown["queue"]
    assert (waiting["pod"], waiting["where"], waiting["plugins"]) == (
        "default/big",
        "unschedulable",
        ["NodeResourcesFit", "TaintToleration"],
    )
    web = cluster.lens("scheduler", next(pod for pod in shown["choices"] if "/web-" in pod))["decision"]
    totals = {row["node"]: row["total"] for row in web["nodes"] if "total" in row}
    (chosen,) = [row["node"] for row in web["nodes"] if row.get("chosen")]
    assert totals[chosen] == max(totals.values()) and set(totals) == {"node01", "node02"}
    assert {one["name"]: one["weight"] for one in web["plugins"]}["TaintToleration"] == 3


def test_a_controller_compares_what_is_wanted_with_what_is_there(cluster: Sandbox) -> None:
    row = next(one for one in cluster.lens("controllers", "deployment-controller")["objects"] if one["name"] == "default/web")
    assert (row["wanted"], row["found"], row["ok"]) == ("2", "2", True)
    cluster.run("kubectl set image deployment/web nginx=nginx:none", settle=20 * SECOND)
    row = next(one for one in cluster.lens("controllers", "deployment-controller")["objects"] if one["name"] == "default/web")
    assert not row["ok"]
    slices = cluster.lens("controllers", "endpointslice-controller")["objects"]
    assert {one["name"]: one["found"] for one in slices}["default/web"] == "2"
    cluster.apply("fault", {"name": "power-off", "args": ["node01"]}, cluster.now)
    cluster.advance(cluster.now + 90 * SECOND)
    nodes = cluster.lens("controllers", "node-lifecycle-controller")["objects"]
    assert {one["name"]: one["ok"] for one in nodes} == {"controlplane": True, "node01": False, "node02": True}
    assert cluster.lens("controllers", "replicaset-controller")["actions"][-1]["action"] == "request"


def test_the_kubelets_containers_are_crictls_and_its_calls_are_in_order(cluster: Sandbox) -> None:
    node = next(name for name in ("node01", "node02") if "web-" in cluster.run(f"kubectl get pods -o wide | grep {name}").stdout)
    shown = cluster.lens("kubelet", node)
    held = {c["id"] for pod in shown["pods"] for c in pod["containers"]}
    listed = set(cluster.run("crictl ps -q", host=node).stdout.split())
    assert {one[:12] for one in listed} == held - {""}
    calls = [name for call in shown["calls"] for name in call["cri"]]
    assert calls[:4] == ["RunPodSandbox", "PullImage", "CreateContainer", "StartContainer"]
    cluster.run("systemctl stop kubelet", host=node)
    assert not cluster.lens("kubelet", node)["running"]


def test_rules_are_iptables_own_and_a_packet_is_walked(cluster: Sandbox) -> None:
    shown = cluster.lens("kube-proxy", "node01")
    web = next(one for one in shown["services"] if one["service"] == "default/web")
    address = cluster.run("kubectl get service web -o jsonpath={.spec.clusterIP}").stdout
    assert web["ways"] == [{"kind": "ClusterIP", "address": f"{address}:80"}]
    table = cluster.run("iptables-save -t nat", host="node01").stdout
    assert web["chain"] in table and all(one["chain"] in table for one in web["endpoints"]) and web["count"] == 2
    cluster.run(f"curl -s {address}", host="node02")
    walked = cluster.lens("kube-proxy")
    assert walked["about"] == "node02"
    hops = walked["packets"][-1]["detail"]["hops"]
    assert hops[0]["what"] == "dnat" and hops[0]["to"] in [one["address"] for one in web["endpoints"]]


def test_the_stack_of_docker_and_of_kubernetes(cluster: Sandbox) -> None:
    shown = cluster.lens("runtime", "node01")
    assert [(link["from"], link["to"], link["via"]) for link in shown["links"]] == [("kubelet", "containerd", "CRI")]
    docker = Sandbox.boot("docker")
    ident = docker.run("docker run -d --name web nginx", settle=5 * SECOND).stdout.split()[-1]
    shown = docker.lens("runtime")
    assert [(link["from"], link["to"]) for link in shown["links"]] == [("dockerd", "containerd")]
    moby = next(space for space in shown["namespaces"] if space["name"] == "moby")
    assert [(c["id"], c["name"], c["state"]) for c in moby["containers"]] == [(ident[:12], "web", "RUNNING")]
    processes = docker.run("ps -e -o pid=,ppid=,args=").stdout
    assert f"{moby['containers'][0]['pid']} " in processes and f" {moby['containers'][0]['shim']} " in processes
    assert {one["name"]: one["socket"] for one in shown["clients"]}["docker"] == "/run/docker.sock"
    shim = Sandbox.boot("dockershim")
    shown = shim.lens("runtime", "node01")
    assert shown["links"][0]["to"] == "dockerd"
    (moby,) = shown["namespaces"]
    listed = shim.run("ctr -n moby containers ls -q", host="node01").stdout.split()
    assert (moby["name"], sorted(c["id"] for c in moby["containers"])) == ("moby", sorted(one[:12] for one in listed))


def test_the_authoriser_gives_its_reason_to_reviews_and_to_the_audit_log(cluster: Sandbox) -> None:
    review = '{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","spec":{"resourceAttributes":{"verb":"get","resource":"pods"}}}'
    answer = cluster.run(f"echo '{review}' | kubectl create -f - -o jsonpath='{{.status.reason}}'").stdout
    assert answer.startswith('RBAC: allowed by ClusterRoleBinding "kubeadm:cluster-admins" of ClusterRole "cluster-admin"')
    assert cluster.run("kubectl auth can-i get pods").stdout == "yes\n"


# -- a selected part ------------------------------------------------------------------------------------------------------


def test_a_part_tells_its_flags_its_file_and_the_end_of_its_log(cluster: Sandbox) -> None:
    before = snapshot.dump(cluster.world)
    scheduler = cluster.lens("part", "controlplane/kube-scheduler")
    kubelet = cluster.lens("part", "node01/kubelet")
    proxy = cluster.lens("part", "node01/kube-proxy")
    etcd = cluster.lens("part", "etcd")
    assert "--leader-elect=true" in scheduler["flags"]
    assert scheduler["files"][0]["path"] == "/etc/kubernetes/manifests/kube-scheduler.yaml"
    assert [file["path"] for file in kubelet["files"]] == [
        "/usr/lib/systemd/system/kubelet.service",
        "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf",
        "/var/lib/kubelet/config.yaml",
    ]
    assert "mode:" in proxy["files"][0]["text"]
    assert any("--data-dir" in flag for flag in etcd["flags"]) and etcd["files"][0]["path"].endswith("/etcd.yaml")
    assert snapshot.dump(cluster.world) == before
    logged = cluster.run("kubectl logs -n kube-system kube-scheduler-controlplane").stdout.splitlines()
    assert scheduler["log"] == [line[:400] for line in logged][-14:]
    assert kubelet["log"][-1].split(" ", 1)[1] in cluster.run("journalctl -u kubelet --no-pager", host="node01").stdout


def test_a_selected_pod_shows_its_object_and_its_log(cluster: Sandbox) -> None:
    name = cluster.run("kubectl get pods -l app=web -o name").stdout.split()[0].removeprefix("pod/")
    told = cluster.lens("part", f"pod:default/{name}")
    assert told["flags"] == ["/docker-entrypoint.sh nginx -g daemon off;"] and "managedFields" not in told["files"][0]["text"]
    assert told["log"] == cluster.run(f"kubectl logs {name}").stdout.splitlines()[-14:]
    gone = cluster.lens("part", "pod:default/nobody")
    assert (gone["flags"], gone["files"], gone["log"]) == ([], [], [])


def test_a_part_that_is_not_well_says_why(cluster: Sandbox) -> None:
    for name, spec in {
        "adrift": '{"image":"nginx:nope"}',
        "whale": '{"image":"nginx","resources":{"requests":{"cpu":"10"}}}',
        "brief": '{"image":"busybox","command":["sh","-c","exit 3"]}',
        "needy": '{"image":"nginx","envFrom":[{"configMapRef":{"name":"missing"}}]}',
        "deaf": '{"image":"nginx","readinessProbe":{"exec":{"command":["cat","/nope"]}}}',
    }.items():
        line = f'kubectl run {name} --image=x --overrides=\'{{"spec":{{"containers":[{{"name":"c",{spec[1:]}]}}}}\''
        assert cluster.run(line).code == 0
    cluster.advance(cluster.now + 30 * SECOND)
    cluster.run("ssh node02 systemctl stop kubelet; mv /etc/kubernetes/manifests/kube-scheduler.yaml /root")
    cluster.advance(cluster.now + 70 * SECOND)

    def said(about: str) -> str:
        return " / ".join(f"{one['who']} {one.get('text') or one['missing']}" for one in cluster.lens("part", about)["said"])

    wanted = {
        "pod:default/adrift": "docker.io/library/nginx:nope: not found",
        "pod:default/whale": "scheduler 0/3 nodes are available: ",
        "pod:default/brief": "containerd c: Error: exit code 3",
        "pod:default/needy": 'configmap "missing" not found',
        "pod:default/deaf": "kubelet Unhealthy: Readiness probe failed: cat: /nope",
        "node02/kubelet": "systemd Stopped kubelet.service",
        "controlplane/kube-scheduler": "kubelet /etc/kubernetes/manifests/kube-scheduler.yaml",
    }
    assert {about: said(about) for about, words in wanted.items() if words not in said(about)} == {}
    assert "node-controller NodeStatusUnknown: Kubelet stopped posting" in said("node02/kubelet")
    assert said("etcd") == said("node01/kubelet") == ""


def test_a_component_that_does_not_run_shows_the_log_of_its_last_container(cluster: Sandbox) -> None:
    cluster.apply("fault", {"name": "set-flag", "args": ["kube-scheduler", "--no-such-flag"]}, cluster.now)
    cluster.advance(cluster.now + 40 * SECOND)
    told = cluster.lens("part", "controlplane/kube-scheduler")
    assert "--no-such-flag" in told["files"][0]["text"] and any("no-such-flag" in line for line in told["log"])
