"""exec, attach, port-forward, cp, proxy, debug and run of the real kubectl against `serve`, over WebSocket and over SPDY."""

from __future__ import annotations

import contextlib
import os
import re
import select
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from .harness import Client, Process, need_kubectl, until

need_kubectl()
pytestmark = [pytest.mark.kubectl, pytest.mark.slow, pytest.mark.xdist_group("processes")]
#: What makes kubectl 1.32 speak SPDY again.
SPDY = {"KUBECTL_PORT_FORWARD_WEBSOCKETS": "false", "KUBECTL_REMOTE_COMMAND_WEBSOCKETS": "false"}


@pytest.fixture(scope="module")
def ready(served: Process) -> Client:
    """The real client, with a server `web`, a Redis `store`, and a pod `box`."""
    client = Client(served.config)
    client.run("run", "web", "--image=nginx", "--port=80")
    client.run("run", "store", "--image=redis")
    client.run("run", "box", "--image=busybox", "--", "sh", "-c", "echo first; sleep 100000")
    client.run("wait", "--for=condition=Ready", "pod/web", "pod/store", "pod/box", "--timeout=180s")
    return client


@pytest.fixture(params=["websocket", "spdy"])
def kubectl(ready: Client, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Client:
    """The client, speaking one protocol or the other."""
    for name, value in SPDY.items() if request.param == "spdy" else ():
        monkeypatch.setitem(ready.env, name, value)
    return ready


class Screen:
    """kubectl at a terminal of ours."""

    def __init__(self, client: Client, *words: str) -> None:
        self.ours, theirs = os.openpty()
        self.proc = client.start(*words, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        self.shown = b""

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self.ours, text.encode())

    def see(self, pattern: bytes) -> None:
        """Read until the pattern is on the screen; what came before it is forgotten."""
        while (found := re.search(pattern, self.shown)) is None:
            data = b""
            with contextlib.suppress(OSError):  # EIO: the client has ended
                data = os.read(self.ours, 4096) if select.select([self.ours], [], [], 180)[0] else b""
            assert data, f"{pattern!r} not in {self.shown!r}"
            self.shown += data
        self.shown = self.shown[found.end() :]

    def end(self) -> tuple[int, bytes]:
        """The exit status, and the rest of what was shown."""
        with contextlib.suppress(OSError):
            while select.select([self.ours], [], [], 180)[0] and (data := os.read(self.ours, 4096)):
                self.shown += data
        os.close(self.ours)
        return self.proc.wait(180), self.shown


@contextlib.contextmanager
def forwarded(client: Client, *words: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """`port-forward` to any port here: that port and the process."""
    proc = client.start("port-forward", *words)
    assert proc.stdout is not None
    line = proc.stdout.readline()
    assert line.startswith("Forwarding from 127.0.0.1:"), (line, proc.stderr and proc.stderr.read())
    try:
        yield int(line.split(":")[1].split()[0]), proc
    finally:
        proc.terminate()
        proc.communicate(timeout=180)


def fetch(port: int, path: str = "/", **options: Any) -> tuple[int, str]:
    """An answer from this machine's loopback."""
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", **options)
    try:
        with urllib.request.urlopen(asked, timeout=180) as answer:
            return int(answer.status), answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_port_forward_to_a_server(kubectl: Client) -> None:
    with forwarded(kubectl, "pod/web", ":80") as (port, _):
        assert "Welcome to nginx!" in fetch(port)[1]
        assert fetch(port, "/nothing")[0] == 404
        assert fetch(port, method="HEAD") == (200, "")
    assert '"GET /nothing HTTP/1.1" 404' in kubectl.out("logs", "web", "--tail=5")


def test_port_forward_to_redis(kubectl: Client) -> None:
    import socket

    with forwarded(kubectl, "pod/store", ":6379") as (port, _), socket.create_connection(("127.0.0.1", port), 180) as sock:
        sock.sendall(b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$2\r\n42\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n")
        said = b""
        while len(said) < len(b"+OK\r\n$2\r\n42\r\n"):
            said += sock.recv(100)
        assert said == b"+OK\r\n$2\r\n42\r\n"


def test_port_forward_to_nothing(kubectl: Client) -> None:
    with forwarded(kubectl, "pod/web", ":81") as (port, proc):
        with pytest.raises(OSError):
            fetch(port)
        assert proc.wait(180) == 1
        assert proc.stderr is not None
        said = proc.stderr.read()
    assert f"an error occurred forwarding {port} -> 81: error forwarding port 81 to pod " in said
    assert "connect: connection refused" in said
    assert said.endswith("error: lost connection to pod\n")


def test_port_forward_is_refused_for_a_pod_that_does_not_run(kubectl: Client) -> None:
    kubectl.run("run", "stuck", "--image=nothing.example/nothing:1", code=None)
    out = kubectl.run("port-forward", "pod/stuck", ":80", code=1)[1]
    assert out == "error: unable to forward port because pod is not running. Current status=Pending\n"


def test_exec_streams_and_statuses(kubectl: Client) -> None:
    out, err, code = kubectl.run("exec", "box", "--", "sh", "-c", "echo out; echo err >&2; exit 7", code=None)
    assert (out, err, code) == ("out\n", "err\ncommand terminated with exit code 7\n", 7)
    large = "".join(f"{number}\n" for number in range(30_000))
    assert kubectl.out("exec", "-i", "box", "--", "cat", stdin=large) == large
    wrong = kubectl.run("exec", "box", "-c", "nope", "--", "ls", code=1)[1]
    assert wrong == "Error from server (BadRequest): container nope is not valid for pod box\n"
    err = kubectl.run("exec", "stuck", "--", "ls", code=1)[1]
    assert 'unable to upgrade connection: container not found ("stuck")' in err


def test_cp_both_ways(kubectl: Client) -> None:
    folder = kubectl.config.parent
    (folder / "bulk").write_bytes(os.urandom(300_000))
    kubectl.run("cp", "bulk", "box:/tmp/bulk")
    kubectl.run("cp", "box:/tmp/bulk", "back")
    assert (folder / "back").read_bytes() == (folder / "bulk").read_bytes()


def test_run_with_input_and_with_a_status(kubectl: Client) -> None:
    out, _, _ = kubectl.run("run", "-i", "--rm", "once", "--image=busybox", "--restart=Never", "--", "cat", stdin="hello\n")
    assert out == 'hello\npod "once" deleted\n'
    words = ("run", "-i", "--rm", "bad", "--image=busybox", "--restart=Never", "--", "sh", "-c", "read x; echo got $x; exit 3")
    out, _, code = kubectl.run(*words, stdin="tea\n", code=None)
    assert (out, code) == ('got tea\npod "bad" deleted\n', 3)


def test_run_at_a_terminal_and_attach_again(kubectl: Client) -> None:
    screen = Screen(kubectl, "run", "-it", "shell", "--image=busybox", "--restart=Never", "--", "sh")
    screen.see(rb"/ # ")
    screen.type("echo $((20+1))\r")
    screen.see(rb"echo \$\(\(20\+1\)\)\r\n21\r\n/ # ")
    screen.type("cd /tmp\rsleep 90000\r")
    screen.see(rb"sleep 90000\r\n")
    screen.type("\x03")
    screen.see(rb"\^C\r\n/tmp # ")
    screen.proc.kill()  # the client goes, the shell stays
    screen.end()
    again = Screen(kubectl, "attach", "-it", "shell")
    again.type("\rpwd\r")
    again.see(rb"/tmp\r\n")
    again.type("exit 4\r")
    assert again.end()[0] == 0
    status = "jsonpath={.status.phase} {.status.containerStatuses[0].state.terminated.exitCode}"
    until(lambda: kubectl.out("get", "pod", "shell", "-o", status) == "Failed 4")
    assert "echo $((20+1))\n21\n" in kubectl.out("logs", "shell")
    kubectl.run("delete", "pod", "shell")


def test_attach_sees_what_a_daemon_prints(kubectl: Client) -> None:
    watching = kubectl.start("attach", "web")
    assert watching.stdout is not None
    lines = watching.stdout.fileno()
    try:
        with forwarded(kubectl, "pod/web", ":80") as (port, _):
            until(lambda: fetch(port, "/seen") and select.select([lines], [], [], 0.2)[0])
            assert '"GET /seen HTTP/1.1" 404' in watching.stdout.readline()
    finally:
        watching.kill()
        watching.communicate()


def test_debug(kubectl: Client) -> None:
    screen = Screen(kubectl, "debug", "-it", "web", "--image=busybox", "--target=web", "--", "sh")
    screen.see(rb"/ # ")
    screen.type("wget -qO- localhost\r")
    screen.see(rb"Welcome to nginx!")
    screen.type("exit\r")
    assert screen.end()[0] == 0


def test_proxy(ready: Client) -> None:
    proc = ready.start("proxy", "--port=0")
    assert proc.stdout is not None
    try:
        port = int(proc.stdout.readline().rstrip().rpartition(":")[2])
        assert '"gitVersion": "v1.36' in fetch(port, "/version")[1]
        assert "Welcome to nginx!" in fetch(port, "/api/v1/namespaces/default/pods/web/proxy/")[1]
        assert fetch(port, "/api/v1/namespaces/default/pods/web/exec")[0] == 403
    finally:
        proc.terminate()
        proc.communicate()
