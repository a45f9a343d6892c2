"""How a kubelet runs pods of the API: statuses, events, restarts, probes and endings, at the right virtual times."""

from __future__ import annotations

from simulator.core.host import processes
from simulator.core.host.machine import hosts
from simulator.core.kernel import network
from simulator.core.kernel.http import Request
from simulator.core.runtime import containerd, cri, logs

from .conftest import Node


def ready(node: Node, name: str) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in node.status(name)["conditions"])


def test_a_pod_is_pulled_created_started_and_answers(node: Node) -> None:
    node.run(15)
    node.pod("web", "nginx:1.27")
    node.run(8)
    assert node.status("web")["phase"] == "Running"
    assert ready(node, "web")
    assert [e[0] for e in node.events() if e[0] in ("Pulling", "Pulled", "Created", "Started")] == [
        "Pulling",
        "Pulled",
        "Created",
        "Started",
    ]
    assert node.events("Pulled")[0][1].startswith('Successfully pulled image "nginx:1.27" in ')
    ip = node.status("web")["podIP"]
    answer = network.http(node.world, "controlplane", ip, 80, Request(method="GET", path="/", headers={"host": ip}))
    assert answer.status == 200
    assert b"Welcome to nginx!" in answer.body


def test_the_second_pod_finds_the_image_on_the_machine(node: Node) -> None:
    node.run(15)
    node.pod("one", "nginx:1.27")
    node.run(8)
    node.pod("two", "nginx:1.27")
    node.run(2)
    assert node.status("two")["phase"] == "Running"
    assert node.events("Pulled")[1][1] == 'Container image "nginx:1.27" already present on machine and can be accessed by the pod'
    assert node.status("one")["podIP"] != node.status("two")["podIP"]


def test_an_unknown_image_backs_off(node: Node) -> None:
    node.run(15)
    node.pod("bad", "nope")
    node.run(2)
    waiting = node.state("bad")["waiting"]
    assert waiting["reason"] == "ErrImagePull"
    node.run(16)  # the next sync, 10 to 15 s later, says that it backs off
    waiting = node.state("bad")["waiting"]
    assert waiting["reason"] == "ImagePullBackOff"
    assert waiting["message"].startswith(
        'Back-off pulling image "nope": ErrImagePull: rpc error: code = Unknown desc = failed to pull and unpack image'
    )
    assert node.status("bad")["phase"] == "Pending"
    node.run(600)
    pulls = node.events("Pulling")[0][2]
    assert 5 <= pulls <= 9  # 10, 20, 40 … 300 s apart
    reasons = {(r, m.partition(":")[0]) for r, m, _ in node.events() if r in ("Failed", "BackOff")}
    assert ("Failed", "Error") in reasons
    assert ("BackOff", 'Back-off pulling image "nope"') in reasons


def test_a_failing_container_is_restarted_ever_more_slowly(node: Node) -> None:
    node.run(15)
    node.pod("db", "mysql:8.4")
    node.run(40)
    status = node.status("db")["containerStatuses"][0]
    assert status["restartCount"] >= 1
    shown = [name for name, *_ in node.history("db")]
    first = shown.index("CrashLoopBackOff")
    assert "Error" in shown[:first]  # what the relist saw is said first, the back-off by the sync after it
    said = [s for *_, path, o in node.api.log if path.endswith("/pods/db") for s in o["status"].get("containerStatuses") or ()]
    waiting = next(s for s in said if (s["state"].get("waiting") or {}).get("reason") == "CrashLoopBackOff")
    assert waiting["state"]["waiting"]["message"].startswith("back-off 10s restarting failed container=db pod=db_default(")
    assert waiting["lastState"]["terminated"]["exitCode"] == 1
    assert waiting["lastState"]["terminated"]["reason"] == "Error"
    before = status["restartCount"]
    node.run(1200)
    after = node.status("db")["containerStatuses"][0]["restartCount"]
    assert 3 <= after - before <= 8
    assert node.status("db")["phase"] == "Running"
    record = cri.list_containers(node.world, "node01")[0]
    text = "".join(logs.render(line) for line in logs.read(node.world, "node01", record.log_path))
    assert "Database is uninitialized and password option is not specified" in text


def test_the_states_of_a_container_that_exits_at_once(node: Node) -> None:
    """The first relist finds a sandbox and a container that ended: two updates, so the back-off is said a second after the error.

    Later ones find one change each: the pod reads Error until the back-off is over (a worker that failed comes back when the
    back-off ends, up to half as long again), says CrashLoopBackOff at last and restarts in the same sync.  Beyond a minute the
    resync period is shorter than the back-off, and the pod says so for what is left of it.
    """
    node.run(15)
    node.pod("once", "busybox:1.36", command=["sh", "-c", "exit 1"])
    node.run(420)
    states = [one for one in node.history("once") if one[0] not in ("ContainerCreating", "Running")]
    assert [one[:2] for one in states[:11]] == [
        ("Error", 0), ("Error", 1), ("CrashLoopBackOff", 1),
        ("Error", 2), ("CrashLoopBackOff", 2),
        ("Error", 3), ("CrashLoopBackOff", 3),
        ("Error", 4), ("CrashLoopBackOff", 4),
        ("Error", 5), ("CrashLoopBackOff", 5),
    ]  # fmt: skip
    at = {one[:2]: one[2] for one in states}
    assert at["Error", 1] - at["Error", 0] < 2
    assert 0 < at["CrashLoopBackOff", 1] - at["Error", 1] <= 1.1
    assert 9 <= at["Error", 2] - at["Error", 1] <= 17
    for restarts, backoff in ((2, 20), (3, 40)):
        assert backoff - 2 <= at["CrashLoopBackOff", restarts] - at["Error", restarts] <= backoff * 1.5 + 1
        assert at["Error", restarts + 1] - at["CrashLoopBackOff", restarts] < 2
    for restarts in (4, 5):
        assert 58 <= at["CrashLoopBackOff", restarts] - at["Error", restarts] <= 91
    ((_, text, count),) = node.events("BackOff")
    assert text.startswith("Back-off restarting failed container once in pod once_default(") and count >= 6


def test_the_states_of_a_container_that_runs_before_it_fails(node: Node) -> None:
    node.run(15)
    node.pod("soon", "busybox:1.36", command=["sh", "-c", "sleep 3; exit 1"])
    node.run(60)
    states = [one for one in node.history("soon") if one[0] != "ContainerCreating"]
    assert [one[:2] for one in states[:10]] == [
        ("Running", 0), ("Error", 0), ("Running", 1), ("Error", 1), ("CrashLoopBackOff", 1),
        ("Running", 2), ("Error", 2), ("CrashLoopBackOff", 2), ("Running", 3), ("Error", 3),
    ]  # fmt: skip
    at = {one[:2]: one[2] for one in states}
    assert 9 <= at["CrashLoopBackOff", 1] - at["Error", 1] <= 16
    assert at["Running", 2] - at["CrashLoopBackOff", 1] < 2


def test_a_command_that_does_not_exist(node: Node) -> None:
    node.run(15)
    node.pod("cmd", "busybox:1.36", command=["foo"])
    node.run(8)
    status = node.status("cmd")["containerStatuses"][0]
    state = status["state"].get("waiting") or {}
    assert state["reason"] in ("RunContainerError", "CrashLoopBackOff")
    assert status["lastState"]["terminated"]["exitCode"] == 128
    assert status["lastState"]["terminated"]["reason"] == "StartError"
    assert 'exec: "foo": executable file not found in $PATH' in status["lastState"]["terminated"]["message"]


def test_a_pod_that_completes(node: Node) -> None:
    node.run(15)
    node.pod("job", "busybox:1.36", command=["sleep", "5"], restartPolicy="Never")
    node.run(6)
    assert node.status("job")["phase"] == "Running"
    node.run(8)
    status = node.status("job")
    assert status["phase"] == "Succeeded"
    assert status["containerStatuses"][0]["state"]["terminated"]["reason"] == "Completed"
    conditions = {c["type"]: c for c in status["conditions"]}
    assert conditions["Ready"]["status"] == "False"
    assert conditions["Ready"]["reason"] == "PodCompleted"
    assert cri.list_pod_sandboxes(node.world, "node01")[0].state == "NOTREADY"


def test_deletion_is_quick_for_nginx_and_takes_the_grace_period_for_sleep(node: Node) -> None:
    node.run(15)
    node.pod("web", "nginx:1.27")
    node.pod("slow", "busybox:1.36", command=["sleep", "3600"])
    node.run(10)
    node.delete("web")
    node.delete("slow")
    node.run(4)
    assert not node.exists("web")
    assert node.exists("slow")
    node.run(20)
    assert node.exists("slow")
    node.run(10)
    assert not node.exists("slow")
    assert ("Killing", "Stopping container slow", 1) in node.events()
    assert cri.list_pod_sandboxes(node.world, "node01") == []
    assert not any(p.container for p in hosts(node.world)["node01"].processes.values())


def test_liveness_probe_restarts_the_container(node: Node) -> None:
    node.run(15)
    probe = {"httpGet": {"path": "/nothing", "port": 80}, "periodSeconds": 5, "failureThreshold": 2}
    node.pod("web", "nginx:1.27", livenessProbe=probe)
    node.run(30)
    assert node.status("web")["containerStatuses"][0]["restartCount"] >= 1
    assert ("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 404") in [(r, m) for r, m, _ in node.events()]
    assert ("Killing", "Container web failed liveness probe, will be restarted") in [(r, m) for r, m, _ in node.events()]


def test_readiness_probe_keeps_a_pod_out(node: Node) -> None:
    node.run(15)
    node.pod("web", "nginx:1.27", readinessProbe={"tcpSocket": {"port": 8080}, "periodSeconds": 2})
    node.run(12)
    assert node.status("web")["phase"] == "Running"
    assert not ready(node, "web")
    ip = node.status("web")["podIP"]
    assert ("Unhealthy", f"Readiness probe failed: dial tcp {ip}:8080: connect: connection refused") in [
        (r, m) for r, m, _ in node.events()
    ]


def test_init_containers_run_one_after_the_other(node: Node) -> None:
    node.run(15)
    inits = [
        {"name": "one", "image": "busybox:1.36", "command": ["sleep", "4"]},
        {"name": "two", "image": "busybox:1.36", "command": ["sleep", "4"]},
    ]
    node.pod("app", spec={"initContainers": inits, "containers": [{"name": "web", "image": "nginx:1.27"}]})
    node.run(5)
    status = node.status("app")
    assert status["phase"] == "Pending"
    assert "running" in status["initContainerStatuses"][0]["state"]
    assert status["initContainerStatuses"][1]["state"] == {"waiting": {"reason": "PodInitializing"}}
    assert (
        next(c for c in status["conditions"] if c["type"] == "Initialized")["message"]
        == "containers with incomplete status: [one two]"
    )
    node.run(20)
    assert node.status("app")["phase"] == "Running"
    assert [s["state"]["terminated"]["reason"] for s in node.status("app")["initContainerStatuses"]] == ["Completed", "Completed"]


def test_a_killed_process_is_restarted(node: Node) -> None:
    node.run(15)
    node.pod("web", "nginx:1.27")
    node.run(8)
    main = next(p for p in hosts(node.world)["node01"].processes.values() if p.program == "nginx")
    processes.kill(node.world, main, 9)
    node.run(3)
    status = node.status("web")["containerStatuses"][0]
    assert status["restartCount"] == 1
    assert status["lastState"]["terminated"]["exitCode"] == 137
    assert "running" in status["state"]


def test_configmap_and_secret_reach_the_container(node: Node) -> None:
    node.run(15)
    base = "/api/v1/namespaces/default"
    node.api.put(
        node.world,
        f"{base}/configmaps/cm",
        {"metadata": {"name": "cm"}, "data": {"color": "blue", "index.html": "<h1>hi</h1>\n"}},
    )
    node.api.put(node.world, f"{base}/secrets/s", {"metadata": {"name": "s"}, "data": {"password": "c2VjcmV0"}})
    env = [
        {"name": "COLOR", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "color"}}},
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "s", "key": "password"}}},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "BOTH", "value": "$(COLOR)-$(PASSWORD)"},
    ]
    mount = [{"name": "page", "mountPath": "/usr/share/nginx/html"}]
    container = {"name": "web", "image": "nginx:1.27", "env": env, "volumeMounts": mount}
    node.pod("web", spec={"containers": [container], "volumes": [{"name": "page", "configMap": {"name": "cm"}}]})
    node.run(8)
    record = cri.list_containers(node.world, "node01")[0]
    assert record.env["BOTH"] == "blue-secret"
    assert record.env["IP"] == node.status("web")["podIP"]
    answer = network.http(node.world, "node01", record.env["IP"], 80, Request(method="GET", path="/"))
    assert answer.body == b"<h1>hi</h1>\n"


def test_a_missing_configmap_is_waited_for(node: Node) -> None:
    node.run(15)
    container = {"name": "web", "image": "nginx:1.27", "volumeMounts": [{"name": "page", "mountPath": "/x"}]}
    node.pod("web", spec={"containers": [container], "volumes": [{"name": "page", "configMap": {"name": "cm"}}]})
    node.pod("env", "nginx:1.27", env=[{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "a"}}}])
    node.run(10)
    assert node.state("web")["waiting"]["reason"] == "ContainerCreating"
    assert node.events("FailedMount")[0][1] == 'MountVolume.SetUp failed for volume "page" : configmap "cm" not found'
    assert node.state("env")["waiting"] == {"reason": "CreateContainerConfigError", "message": 'configmap "cm" not found'}
    said = r'err="failed to \"StartContainer\" for \"env\" with CreateContainerConfigError: \"configmap \\\"cm\\\" not found\""'
    assert any(said in line.text for line in hosts(node.world)["node01"].journal)
    node.api.put(node.world, "/api/v1/namespaces/default/configmaps/cm", {"metadata": {"name": "cm"}, "data": {"a": "1"}})
    node.run(40)
    assert node.status("web")["phase"] == "Running"
    assert node.status("env")["phase"] == "Running"


def test_a_container_made_by_hand_is_removed(node: Node) -> None:
    node.run(15)
    config = {"metadata": {"name": "mine", "namespace": "default", "uid": "by-hand"}, "logDirectory": "/tmp"}
    sandbox = cri.run_pod_sandbox(node.world, "node01", config)
    containerd.preload(node.world, "node01", ["busybox"])
    made = cri.create_container(
        node.world, "node01", sandbox, {"metadata": {"name": "c"}, "image": "busybox", "command": ["sleep", "99"]}
    )
    cri.start_container(node.world, "node01", made)
    node.run(6)
    assert cri.list_containers(node.world, "node01") == []
    assert cri.list_pod_sandboxes(node.world, "node01") == []


def test_a_hook_holds_the_start_and_its_failure_is_told(node: Node) -> None:
    node.run(15)
    slow = {"postStart": {"exec": {"command": ["sh", "-c", "sleep 6"]}}}
    bad = {"postStart": {"exec": {"command": ["sh", "-c", "echo oh; exit 3"]}}}
    both = [{"name": "a", "image": "nginx", "lifecycle": slow}, {"name": "b", "image": "busybox", "command": ["sleep", "99"]}]
    node.pod("held", spec={"containers": both})
    node.pod("bad", lifecycle=bad)
    node.run(30)
    began = {one["name"]: one["state"]["running"]["startedAt"] for one in node.status("held")["containerStatuses"]}
    assert began["b"] > began["a"]
    ((first, _, _), (then, _, at), *_) = node.history("held")
    assert (first, then) == ("ContainerCreating", "Running") and at > 6
    states = [one[:2] for one in node.history("bad")]
    assert states[:4] == [("ContainerCreating", 0), ("PostStartHookError", 0), ("PostStartHookError", 1), ("CrashLoopBackOff", 1)]
    said = [
        s["state"].get("waiting") or {}
        for *_, path, o in node.api.log
        if path.endswith("/pods/bad")
        for s in (o["status"].get("containerStatuses") or ())
    ]
    text = next(w["message"] for w in said if w.get("reason") == "PostStartHookError")
    assert text.startswith('Exec lifecycle hook ([sh -c echo oh; exit 3]) for Container "bad" in Pod "bad_default(')
    assert text.endswith("failed - error: command 'sh -c echo oh; exit 3' exited with 3: , message: \"oh\\n\"")
    assert {("FailedPostStartHook", "PostStartHook failed"), ("Killing", "FailedPostStartHook")} <= {e[:2] for e in node.events()}


def test_a_container_restarts_by_its_own_rules(node: Node) -> None:
    """What a rule for its exit code says comes first, then its own policy; the pod's policy is for the others."""
    node.run(15)
    rule = {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}
    for name, code in (("again", 42), ("ends", 1)):
        node.pod(
            name, "busybox", command=["sh", "-c", f"sleep 1; exit {code}"],
            spec={"restartPolicy": "Never", "containers": [
                {"name": name, "image": "busybox", "command": ["sh", "-c", f"sleep 1; exit {code}"],
                 "restartPolicy": "Never", "restartPolicyRules": [rule]},
            ]},
        )  # fmt: skip
    everything = {
        "name": "c",
        "image": "busybox",
        "restartPolicy": "Never",
        "restartPolicyRules": [{**rule, "action": "RestartAllContainers"}],
    }
    node.pod("all", spec={"containers": [everything]})
    node.run(25)
    assert node.status("again")["phase"] == "Running" and node.status("again")["containerStatuses"][0]["restartCount"] >= 1
    assert node.status("ends")["phase"] == "Failed"
    assert (node.status("all")["phase"], node.status("all")["reason"]) == ("Failed", "NotSimulated")
