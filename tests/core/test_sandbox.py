"""The façade: terminals that live on, inputs that are refused with a reason, forks, and worlds that are functions of their inputs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.core.kernel.clock import MINUTE, SECOND
from simulator.core.kernel.errors import BadInput
from simulator.core.sandbox import Sandbox, SnapshotBusy


def typed(sandbox: Sandbox, text: str, terminal: str = "controlplane") -> str:
    sandbox.drain()
    sandbox.apply("line", {"terminal": terminal, "text": text}, sandbox.now)
    while sandbox.terminals()[terminal].busy:
        sandbox.advance(max(sandbox.next_due() or 0, sandbox.now + 10_000_000))
    return "".join(chunk.data for chunk in sandbox.drain() if chunk.fd)


def test_a_fresh_cluster_shows_what_runs_because_it_runs() -> None:
    sandbox = Sandbox.boot()
    names = {
        line.split()[0].rsplit("-", 1)[0] for line in typed(sandbox, "kubectl get pods -n kube-system --no-headers").splitlines()
    }
    assert {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"} <= names
    typed(sandbox, "mv /etc/kubernetes/manifests/kube-scheduler.yaml /tmp/")
    sandbox.advance(sandbox.now + 30 * SECOND)
    typed(sandbox, "kubectl run late --image=nginx")
    sandbox.advance(sandbox.now + MINUTE)
    assert "Pending" in typed(sandbox, "kubectl get pod late --no-headers")
    typed(sandbox, "mv /tmp/kube-scheduler.yaml /etc/kubernetes/manifests/")
    sandbox.advance(sandbox.now + MINUTE)
    assert "Running" in typed(sandbox, "kubectl get pod late --no-headers")


def test_a_terminal_outlives_its_shell_and_remembers_nothing_of_it() -> None:
    sandbox = Sandbox.boot()
    typed(sandbox, "cd /tmp; x=1")
    typed(sandbox, "exit")
    assert sandbox.terminals()["controlplane"].prompt
    assert typed(sandbox, "pwd; echo [$x]") == "/root\n[]\n"


def test_ssh_opens_a_shell_on_another_machine() -> None:
    sandbox = Sandbox.boot()
    sandbox.apply("line", {"terminal": "controlplane", "text": "ssh node01"}, sandbox.now)
    sandbox.advance(sandbox.now + SECOND)
    assert sandbox.terminals()["controlplane"].prompt == "node01:~$ "
    sandbox.apply("line", {"terminal": "controlplane", "text": "hostname"}, sandbox.now)
    assert "node01\n" in "".join(chunk.data for chunk in sandbox.drain() if chunk.fd == 1)


@pytest.mark.parametrize(
    ("kind", "data", "word"),
    [
        ("line", {"terminal": "nowhere", "text": "ls"}, "terminal"),
        ("line", {"terminal": "controlplane", "text": "a\nb"}, "text"),
        ("line", {"terminal": "controlplane", "text": 7}, "text"),
        ("line", {"terminal": "controlplane", "text": "x" * 70_000}, "text"),
        ("key", {"terminal": "controlplane", "key": "ctrl-x"}, "key"),
        ("open", {"terminal": "t", "host": "nowhere"}, "host"),
        ("open", {"terminal": "", "host": "node01"}, "terminal"),
        ("resize", {"terminal": "controlplane", "columns": 0, "rows": 5}, "resize"),
        ("fault", {"name": "flood", "args": []}, "flood"),
        ("fault", {"name": "power-off", "args": []}, "power-off HOST"),
        ("fault", {"name": "kill", "args": ["nothing-of-that-name"]}, "nothing-of-that-name"),
        ("skip", {"ns": -1}, "skip"),
        ("dance", {}, "dance"),
    ],
)
def test_an_input_that_cannot_be_used_says_why_and_changes_nothing(kind: str, data: dict[str, object], word: str) -> None:
    sandbox = Sandbox.boot()
    before = sandbox.digest()
    with pytest.raises(BadInput, match=word):
        sandbox.apply(kind, data, sandbox.now)
    assert sandbox.digest() == before


def test_a_world_in_which_a_program_waits_is_forked_by_replay() -> None:
    sandbox = Sandbox.boot()
    typed(sandbox, "kubectl create deployment web --image=nginx")
    sandbox.apply("line", {"terminal": "controlplane", "text": "kubectl get pods -w"}, sandbox.now)
    sandbox.advance(sandbox.now + 20 * SECOND)
    with pytest.raises(SnapshotBusy):
        sandbox.snapshot()
    fork = sandbox.fork()
    assert fork.digest() == sandbox.digest()
    assert fork.terminals()["controlplane"].busy
    fork.apply("key", {"terminal": "controlplane", "key": "ctrl-c"}, fork.now)
    assert sandbox.terminals()["controlplane"].busy


def test_a_fork_goes_its_own_way() -> None:
    sandbox = Sandbox.boot()
    fork = sandbox.fork()
    typed(fork, "kubectl create namespace other")
    assert "other" in typed(fork, "kubectl get ns -o name")
    assert "other" not in typed(sandbox, "kubectl get ns -o name")


LINES = st.lists(
    st.sampled_from(
        [
            "kubectl create deployment web --image=nginx --replicas=2",
            "kubectl scale deployment web --replicas=1",
            "kubectl get pods -o wide",
            "kubectl delete pod --all --wait=false",
            "cd /tmp; echo $RANDOM > f; cat f",
            "for i in 1 2 3; do echo $i | sed s/2/two/; done",
            "crictl ps | wc -l",
            "nerdctl run -d redis:alpine",
            "echo 'unclosed",
            "done'",
        ]
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=12, deadline=None)
@given(LINES, st.lists(st.integers(1, 20), max_size=4))
def test_the_same_inputs_give_the_same_world_however_time_was_passed(lines: list[str], stops: list[int]) -> None:
    digests = []
    for parts in ([], stops):
        sandbox = Sandbox.boot("one-node", 3)
        for line in lines:
            sandbox.apply("line", {"terminal": "controlplane", "text": line}, sandbox.now)
            end = sandbox.now + 25 * SECOND
            for stop in sorted(parts):
                sandbox.advance(min(end, sandbox.now + stop * SECOND // 3))
            sandbox.advance(end)
        digests.append(sandbox.digest())
    assert digests[0] == digests[1]
