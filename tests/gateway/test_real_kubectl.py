"""The real kubectl against `python -m simulator serve`."""

from __future__ import annotations

import json
import os
import signal

import pytest
import yaml

from .harness import Client, Process, need_kubectl, objects, until

need_kubectl()
pytestmark = [pytest.mark.kubectl, pytest.mark.slow, pytest.mark.xdist_group("processes")]

NODES = ["controlplane", "node01", "node02"]
SYSTEM = ["coredns", "coredns", "etcd-controlplane", "kube-apiserver-controlplane", "kube-controller-manager-controlplane",
          "kube-proxy-", "kube-proxy-", "kube-proxy-", "kube-scheduler-controlplane"]  # fmt: skip
MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, labels: {app: shop}}
spec:
  replicas: REPLICAS
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: "nginx:1.27"}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: blue}
"""


@pytest.fixture(scope="module")
def kubectl(served: Process) -> Client:
    """The real client, with a deployment `web` and a pod `box` that run."""
    client = Client(served.config)
    client.run("create", "deployment", "web", "--image=nginx", "--replicas=2")
    client.run("run", "box", "--image=busybox", "--", "sh", "-c", "echo first; echo second; sleep 100000")
    client.run("wait", "--for=condition=Available", "deployment/web", "--timeout=180s")
    client.run("wait", "--for=condition=Ready", "pod/box", "--timeout=180s")
    return client


def test_nodes_and_system_pods(kubectl: Client) -> None:
    assert objects(kubectl.out("get", "nodes", "-o", "wide")) == NODES
    listed = yaml.safe_load(kubectl.out("get", "nodes", "-o", "yaml"))
    assert [item["metadata"]["name"] for item in listed["items"]] == NODES
    assert {item["status"]["nodeInfo"]["kubeletVersion"] for item in listed["items"]} == {"v1.36.2"}
    rows = [line.split() for line in kubectl.out("get", "pods", "-A", "-o", "wide").splitlines()]
    assert rows[0][:6] == ["NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    system = [row for row in rows if row[0] == "kube-system"]
    assert all(row[1].startswith(name) for row, name in zip(system, SYSTEM, strict=True))
    assert all(row[2:4] == ["1/1", "Running"] for row in rows[1:])
    pods = yaml.safe_load(kubectl.out("get", "pods", "-A", "-o", "yaml"))
    assert pods["kind"] == "List"
    assert {pod["kind"] for pod in pods["items"]} == {"Pod"}
    assert len(pods["items"]) == len(rows) - 1


def test_watch_sees_a_scale(kubectl: Client) -> None:
    watch = kubectl.start("get", "deployment", "web", "-w", "--no-headers")
    assert watch.stdout is not None
    try:
        assert watch.stdout.readline().split()[1] == "2/2"
        assert kubectl.out("scale", "deployment", "web", "--replicas=3") == "deployment.apps/web scaled\n"
        seen = [watch.stdout.readline().split()[1]]
        while seen[-1] != "3/3":
            seen.append(watch.stdout.readline().split()[1])
        assert seen[0] in ("2/2", "2/3")
        assert "2/3" in seen
    finally:
        watch.terminate()  # Ctrl-C is ignored where whoever started the tests ignores it (nohup)
        watch.communicate(timeout=180)


def test_apply_three_times_and_delete(kubectl: Client) -> None:
    manifest = MANIFEST.replace("REPLICAS", "1")
    assert kubectl.out("apply", "-f", "-", stdin=manifest) == "deployment.apps/shop created\nconfigmap/settings created\n"
    assert kubectl.out("apply", "-f", "-", stdin=manifest) == "deployment.apps/shop unchanged\nconfigmap/settings unchanged\n"
    more = MANIFEST.replace("REPLICAS", "2")
    assert kubectl.run("diff", "-f", "-", stdin=more, code=1)[0].count("\n+  replicas: 2") == 1
    assert kubectl.out("apply", "-f", "-", stdin=more) == "deployment.apps/shop configured\nconfigmap/settings unchanged\n"
    assert kubectl.out("rollout", "status", "deployment/shop", "--timeout=180s").endswith(
        'deployment "shop" successfully rolled out\n'
    )
    assert kubectl.out("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=more).count("serverside-applied") == 2
    deleted = kubectl.out("delete", "-f", "-", "--timeout=180s", stdin=more)
    assert deleted == 'deployment.apps "shop" deleted\nconfigmap "settings" deleted\n'
    out, err, _ = kubectl.run("get", "deployment", "shop", code=1)
    assert (out, err) == ("", 'Error from server (NotFound): deployments.apps "shop" not found\n')


def test_logs(kubectl: Client) -> None:
    assert kubectl.out("logs", "box") == "first\nsecond\n"
    assert kubectl.out("logs", "box", "--tail=1") == "second\n"
    follow = kubectl.start("logs", "-f", "box")
    assert follow.stdout is not None
    assert [follow.stdout.readline() for _ in range(2)] == ["first\n", "second\n"]
    assert follow.poll() is None
    follow.terminate()
    follow.communicate(timeout=180)


def test_a_followed_log_ends_with_its_container(kubectl: Client) -> None:
    kubectl.run("run", "brief", "--image=busybox", "--restart=Never", "--", "sh", "-c", "echo one; sleep 60; echo two")
    until(lambda: kubectl.run("logs", "brief", code=None)[0])
    assert kubectl.out("logs", "-f", "brief") == "one\ntwo\n"
    kubectl.run("delete", "pod", "brief", "--now")


def test_exec(kubectl: Client) -> None:
    assert kubectl.out("exec", "box", "--", "hostname") == "box\n"
    out, err, code = kubectl.run("exec", "box", "--", "sh", "-c", "echo out; echo err >&2; exit 7", code=None)
    assert (out, err, code) == ("out\n", "err\ncommand terminated with exit code 7\n", 7)
    assert kubectl.out("exec", "-i", "box", "--", "cat", stdin="typed\nlines") == "typed\nlines"
    assert kubectl.out("exec", "-i", "box", "--", "sh", stdin="cd /tmp\npwd\n") == "/tmp\n"
    large = "".join(f"{number}\n" for number in range(30_000))
    assert kubectl.out("exec", "-i", "box", "--", "cat", stdin=large) == large
    _, err, code = kubectl.run("exec", "box", "--", "nothing-like-that", code=None)
    assert code == 1
    assert 'exec: "nothing-like-that": executable file not found in $PATH' in err
    assert kubectl.run("exec", "nowhere", "--", "ls", code=1)[1] == 'Error from server (NotFound): pods "nowhere" not found\n'


def test_exec_takes_the_time_that_the_command_takes_and_ends_with_the_client(kubectl: Client) -> None:
    sleeper = kubectl.start("exec", "box", "--", "sh", "-c", "echo up; sleep 90000")
    assert sleeper.stdout is not None
    assert sleeper.stdout.readline() == "up\n"
    assert "sleep 90000" in kubectl.out("exec", "box", "--", "ps", "-ef")
    sleeper.send_signal(signal.SIGKILL)
    sleeper.communicate(timeout=180)
    until(lambda: "sleep 90000" not in kubectl.out("exec", "box", "--", "ps", "-ef"))


def test_exec_at_a_terminal(kubectl: Client) -> None:
    ours, theirs = os.openpty()
    shell = kubectl.start("exec", "-it", "box", "--", "sh", stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    with os.fdopen(ours, "rb+", buffering=0) as screen:
        shown = b""
        while not shown.endswith(b"# "):  # the prompt
            shown += screen.read(1024)
        screen.write(b"echo $((20+1))\r")
        while b"\r\n21\r\n" not in shown:
            shown += screen.read(1024)
        screen.write(b"exit 4\r")
        assert shell.wait(180) == 4


def test_labels_and_taints(kubectl: Client) -> None:
    assert kubectl.out("label", "pod", "box", "tier=back") == "pod/box labeled\n"
    assert objects(kubectl.out("get", "pods", "-l", "tier=back")) == ["box"]
    assert kubectl.out("annotate", "pod", "box", "note=hello") == "pod/box annotated\n"
    assert kubectl.out("taint", "node", "node02", "disk=slow:NoSchedule") == "node/node02 tainted\n"
    assert "disk=slow:NoSchedule" in kubectl.out("describe", "node", "node02")
    assert kubectl.out("taint", "node", "node02", "disk-") == "node/node02 untainted\n"
    assert kubectl.out("cordon", "node02") == "node/node02 cordoned\n"
    assert kubectl.out("uncordon", "node02") == "node/node02 uncordoned\n"


def test_expose_and_describe(kubectl: Client) -> None:
    assert kubectl.out("expose", "deployment", "web", "--port=80") == "service/web exposed\n"
    until(lambda: "192.168." in kubectl.out("get", "endpointslices", "-l", "kubernetes.io/service-name=web"))
    described = kubectl.out("describe", "service", "web")
    assert "Endpoints:" in described
    assert "192.168." in described
    assert "deployment-controller" in kubectl.out("describe", "deployment", "web")
    assert "Started" in kubectl.out("describe", "pod", "box")
    address = kubectl.out("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}")
    assert kubectl.out("exec", "box", "--", "wget", "-qO-", f"http://{address}").count("Welcome to nginx!") == 2


def test_rollout(kubectl: Client) -> None:
    assert kubectl.out("set", "image", "deployment/web", "nginx=nginx:1.27") == "deployment.apps/web image updated\n"
    assert kubectl.out("rollout", "status", "deployment/web", "--timeout=180s").endswith("successfully rolled out\n")
    history = kubectl.out("rollout", "history", "deployment/web").split()
    assert history[-4:] == ["1", "<none>", "2", "<none>"]
    assert kubectl.out("rollout", "undo", "deployment/web") == "deployment.apps/web rolled back\n"


def test_discovery_and_explain(kubectl: Client) -> None:
    assert "deployments" in kubectl.out("api-resources", "--api-group=apps")
    assert "apps/v1" in kubectl.out("api-versions").splitlines()
    explained = kubectl.out("explain", "deployment.spec.replicas")
    assert "FIELD: replicas <integer>" in explained
    version = json.loads(kubectl.out("version", "-o", "json"))
    assert version["serverVersion"]["gitVersion"] == "v1.36.2"


def test_who_may_what(kubectl: Client) -> None:
    assert kubectl.out("auth", "can-i", "create", "pods") == "yes\n"
    assert kubectl.run("auth", "can-i", "create", "pods", "--as=system:serviceaccount:default:default", code=1)[0] == "no\n"
    refused = kubectl.run("get", "nodes", "--as=mina", "--as-group=crew", "--as-group=cooks", code=1)[1]
    assert refused == (
        'Error from server (Forbidden): nodes is forbidden: User "mina" cannot list resource "nodes" in API group "" at the cluster scope\n'
    )
    who = json.loads(kubectl.out("auth", "whoami", "--as=mina", "--as-group=crew", "--as-group=cooks", "-o", "json"))
    assert who["status"]["userInfo"]["groups"] == ["crew", "cooks", "system:authenticated"]
    assert kubectl.out("config", "current-context") == "kubernetes-admin@kubernetes\n"


def test_events_and_wait(kubectl: Client) -> None:
    assert "Successfully assigned default/box" in kubectl.out("events", "--for", "pod/box")
    assert "Scheduled" in kubectl.out("get", "events", "--field-selector", "involvedObject.name=box")
    assert kubectl.out("wait", "--for=jsonpath={.status.phase}=Running", "pod/box") == "pod/box condition met\n"
    assert kubectl.run("wait", "--for=condition=Ready", "pod/web-nope", code=1)[1].startswith("Error from server (NotFound)")


def test_delete(kubectl: Client) -> None:
    kubectl.run("run", "gone", "--image=nginx")
    assert kubectl.out("delete", "pod", "gone", "--timeout=180s") == 'pod "gone" deleted\n'
    assert kubectl.run("get", "pod", "gone", code=1)[1] == 'Error from server (NotFound): pods "gone" not found\n'


def test_a_wrong_token_is_refused(kubectl: Client, served: Process) -> None:
    config = yaml.safe_load(served.config.read_text())
    config["users"][0]["user"] = {"token": "wrong"}
    served.config.with_name("stranger").write_text(yaml.safe_dump(config))
    assert kubectl.run("--kubeconfig", "stranger", "get", "--raw", "/api/v1/nodes", code=1)[1].startswith(
        "error: You must be logged in to the server"
    )
