"""What the components share: flags, leader election, health, Events, and life without an API server."""

from __future__ import annotations

import pytest

from simulator.core.host import processes
from simulator.core.kernel import network
from simulator.core.kernel.clock import SECOND
from simulator.core.kernel.http import Request
from simulator.core.kube.component import FlagError, parse_duration, parse_flags
from simulator.core.kube.controllers.program import FLAGS, chosen
from simulator.core.kube.events import BURST, Recorder

from ..plane import CONFIG, Plane


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--nope"], "unknown flag: --nope"),
        (["--nope=1"], "unknown flag: --nope"),
        (["-x"], "unknown shorthand flag: 'x' in -x"),
        (["--kubeconfig"], "flag needs an argument: --kubeconfig"),
        (
            ["--leader-elect=maybe"],
            'invalid argument "maybe" for "--leader-elect" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
        ),
        (
            ["--node-monitor-period=5"],
            'invalid argument "5" for "--node-monitor-period" flag: time: missing unit in duration "5"',
        ),
        (
            ["--node-monitor-period=soon"],
            'invalid argument "soon" for "--node-monitor-period" flag: time: invalid duration "soon"',
        ),
        (["--secure-port=x"], 'invalid argument "x" for "--secure-port" flag: strconv.ParseInt: parsing "x": invalid syntax'),
        (["extra"], '"kube-controller-manager" does not take any arguments, got ["extra"]'),
    ],
)
def test_flag_errors(argv: list[str], message: str) -> None:
    with pytest.raises(FlagError) as caught:
        parse_flags(["kube-controller-manager", *argv], FLAGS)
    assert str(caught.value) == message


def test_flags_may_be_separate_words_or_booleans_alone() -> None:
    found = parse_flags(["x", "--kubeconfig", "/a", "--leader-elect", "--v=4", "-v", "2"], FLAGS)
    assert found == {"kubeconfig": "/a", "leader-elect": "true", "v": "2"}


@pytest.mark.parametrize(("text", "seconds"), [("1h2m3s", 3723.0), ("500ms", 0.5), ("0", 0.0), ("-1.5s", -1.5)])
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds * SECOND


@pytest.mark.parametrize("program", ["kube-controller-manager", "kube-scheduler", "kube-proxy"])
def test_an_unknown_flag_ends_the_process(program: str) -> None:
    plane = Plane()
    proc = plane.start(program, f"--kubeconfig={CONFIG}", "--colour=blue")
    assert (proc.state, proc.exit_code) == ("X", 1)
    usage, error = plane.journal(program).splitlines()[0], plane.journal(program).splitlines()[-1]
    assert (usage, error) == ("Usage:", "Error: unknown flag: --colour")


def test_a_missing_kubeconfig_ends_the_process() -> None:
    plane = Plane()
    proc = plane.start("kube-scheduler", "--kubeconfig=/etc/kubernetes/none.conf")
    assert proc.exit_code == 1
    assert plane.journal("kube-scheduler").endswith(
        '"command failed" err="stat /etc/kubernetes/none.conf: no such file or directory"'
    )


def test_controllers_are_chosen_by_flag() -> None:
    names = {c.name for c in chosen({"controllers": "*,-deployment-controller,bootstrapsigner"})}
    assert "replicaset-controller" in names
    assert "deployment-controller" not in names
    assert [c.name for c in chosen({"controllers": "replicaset"})] == ["replicaset-controller"]
    with pytest.raises(ValueError, match='"nope" is not in the list of known controllers'):
        chosen({"controllers": "*,nope"})


def test_a_switched_off_controller_does_nothing() -> None:
    plane = Plane()
    plane.manager("--controllers=*,-replicaset-controller")
    plane.run(2)
    plane.deployment()
    plane.run(2)
    assert len(plane.names("replicasets")) == 1
    assert plane.names("pods") == []


def test_health_ports_answer_while_the_process_lives() -> None:
    plane = Plane()
    proc = plane.manager("--bind-address=127.0.0.1")
    answer = network.http(plane.world, plane.host, "127.0.0.1", 10257, Request(method="GET", path="/healthz"))
    assert (answer.status, answer.body) == (200, b"ok")
    again = plane.manager("--bind-address=127.0.0.1")
    assert again.exit_code == 1
    assert "bind: address already in use" in plane.journal("kube-controller-manager")
    processes.kill(plane.world, proc, 9)
    with pytest.raises(Exception, match="refused"):
        network.http(plane.world, plane.host, "127.0.0.1", 10257, Request(method="GET", path="/healthz"))


def test_the_lease_is_held_renewed_and_taken_over_after_15_seconds() -> None:
    plane = Plane()
    first = plane.manager()
    plane.run(1)
    lease = plane.get("leases", "kube-controller-manager", "kube-system")
    assert lease["spec"]["leaseDurationSeconds"] == 15
    assert lease["spec"]["leaseTransitions"] == 0
    holder = lease["spec"]["holderIdentity"]
    assert holder.startswith("controlplane_")
    assert plane.messages("LeaderElection") == [f"{holder} became leader"]
    plane.run(4)
    assert plane.get("leases", "kube-controller-manager", "kube-system")["spec"]["renewTime"] > lease["spec"]["renewTime"]
    processes.kill(plane.world, first, 9)
    plane.manager()
    plane.run(10)
    assert plane.get("leases", "kube-controller-manager", "kube-system")["spec"]["holderIdentity"] == holder
    plane.run(12)
    taken = plane.get("leases", "kube-controller-manager", "kube-system")["spec"]
    assert taken["holderIdentity"] != holder
    assert taken["leaseTransitions"] == 1


def test_a_scheduler_that_is_terminated_gives_its_lease_back() -> None:
    plane = Plane()
    first = plane.scheduler()
    plane.run(1)
    processes.kill(plane.world, first, 15)
    assert plane.get("leases", "kube-scheduler", "kube-system")["spec"]["holderIdentity"] == ""
    plane.scheduler()
    plane.run(1)
    assert plane.get("leases", "kube-scheduler", "kube-system")["spec"]["holderIdentity"] != ""


def test_a_leader_that_cannot_renew_for_10_seconds_ends() -> None:
    plane = Plane()
    manager = plane.manager()
    scheduler = plane.scheduler()
    plane.run(2)
    processes.kill(plane.world, plane.apiserver, 9)
    plane.run(7)
    assert processes.alive(plane.world, manager)
    plane.run(6)
    assert (manager.state, manager.exit_code) == ("X", 1)
    assert (scheduler.state, scheduler.exit_code) == ("X", 1)
    assert '"leaderelection lost"' in plane.journal("kube-controller-manager")
    assert "connect: connection refused" in plane.journal("kube-controller-manager")


def test_work_goes_on_where_it_stopped_when_the_server_is_back_in_time() -> None:
    plane = Plane().all()
    plane.deployment(replicas=2)
    plane.run(2)
    processes.kill(plane.world, plane.apiserver, 9)
    plane.world.run_until(plane.world.now + 5 * SECOND)
    plane.start("kube-apiserver")
    plane.client.patch("deployments", "default", "web", {"spec": {"replicas": 5}}, kind="merge")
    plane.run(6)
    assert plane.get("deployments", "web")["status"]["availableReplicas"] == 5


# -- Events --------------------------------------------------------------------------------------------------------------


def recorder(plane: Plane) -> tuple[Recorder, dict[str, object]]:
    """A recorder with an object to talk about."""
    from simulator.core.kube.events import EventState

    pod = plane.pod("p")
    return Recorder(plane.world, plane.client, EventState(), "tester", ""), pod


def test_an_event_that_repeats_is_counted() -> None:
    plane = Plane()
    record, pod = recorder(plane)
    for _ in range(3):
        record.event(pod, "Warning", "Broken", "it is broken")
        plane.run(1)
    (event,) = plane.events("Broken")
    assert event["count"] == 3
    assert event["lastTimestamp"] > event["firstTimestamp"]
    assert event["source"] == {"component": "tester"}
    assert event["involvedObject"]["name"] == "p"


def test_ten_different_messages_of_one_reason_are_combined() -> None:
    plane = Plane()
    record, pod = recorder(plane)
    for number in range(13):
        record.event(pod, "Warning", "Broken", f"number {number}")
    messages = plane.messages("Broken")
    assert messages[:9] == [f"number {n}" for n in range(9)]
    assert messages[9:] == ["(combined from similar events): number 12"]
    assert plane.events("Broken")[-1]["count"] == 4


def test_events_of_one_object_are_limited() -> None:
    plane = Plane()
    record, pod = recorder(plane)
    for number in range(BURST + 10):
        record.event(pod, "Normal", f"Reason{number}", "x")
    assert len(plane.client.list("events").items) == BURST
    plane.run(301)
    record.event(pod, "Normal", "Later", "x")
    assert len(plane.events("Later")) == 1
