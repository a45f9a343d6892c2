"""The learner's own kubectl at their cluster: requests are inputs, watches are asked for again, tokens are good for one cluster."""

from __future__ import annotations

import json
import os
import queue
import select
import shutil
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async

from simulator import connections, edgestreams, edgetokens, worlds
from simulator.core.lab import edge
from simulator.core.sandbox import Sandbox
from simulator.models import ClusterSession, EdgeToken, JournalEntry
from simulator.services import session_for
from tools.stack import Stack

REAL = "simulator.core.sandbox.Sandbox"
KUBECTL = shutil.which("kubectl")


# -- in the core -----------------------------------------------------------------------------------------------------------


def test_a_request_is_an_input_that_replays_alike() -> None:
    body = json.dumps({"metadata": {"name": "web"}, "data": {"a": "1"}}).encode()
    row = {"method": "POST", "path": "/api/v1/namespaces/default/configmaps", "body": _base64(body)}
    boxes = [Sandbox.boot("three-nodes", 7) for _ in range(2)]
    for box in boxes:
        box.apply("http", {**row, "headers": {"content-type": "application/json"}}, box.now)
        assert box.answer["status"] == 201
        box.advance(box.now + 5 * 10**9)
    assert boxes[0].digest() == boxes[1].digest()
    assert boxes[0].run("kubectl get configmap web -o jsonpath={.data.a}").stdout == "1"


def test_whoever_breaks_admin_conf_has_broken_it_outside_too() -> None:
    box = Sandbox.boot("three-nodes", 7)
    row = {"method": "GET", "path": "/api/v1/nodes"}
    assert box.fork().ask(row)["status"] == 200
    box.run("rm /etc/kubernetes/admin.conf")
    assert box.ask(row)["status"] == 403
    box.run("mv /etc/kubernetes/manifests/kube-apiserver.yaml /root", settle=30 * 10**9)
    assert box.ask(row)["error"] == "refused"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"method": "BREW", "path": "/"}, "method"),
        ({"method": "GET", "path": "api"}, "path"),
        ({"method": "GET"}, "path"),
        ({"method": "GET", "path": "/", "body": "%%"}, "http"),
        ({"method": "GET", "path": "/", "more": 1}, "more"),
    ],
)
def test_a_bad_row_is_refused_by_field(row: dict[str, Any], words: str) -> None:
    box = Sandbox.boot("three-nodes", 7)
    assert words in worlds.take_effect(box, "http", row, box.now)
    assert edge.METHODS


def _base64(data: bytes) -> str:
    import base64

    return base64.b64encode(data).decode()


# -- through the site ------------------------------------------------------------------------------------------------------


@pytest.fixture
def stack(transactional_db: None) -> Iterator[Stack]:
    folder = Path(tempfile.mkdtemp(prefix="slipway-edge-"))
    made = Stack(folder, sandbox=REAL)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


class Own:
    """A learner's machine with kubectl and a kubeconfig."""

    def __init__(self, stack: Stack, session: ClusterSession, folder: Path) -> None:
        self.base = f"http://127.0.0.1:{stack.port}"
        self.config = folder / "kubeconfig"
        self.renew(session)
        self.env = {**os.environ, "KUBECONFIG": str(self.config), "HOME": str(folder)}

    def renew(self, session: ClusterSession) -> None:
        """A new kubeconfig."""
        self.token = edgetokens.issue(session)
        self.server = edgetokens.server_url(self.base, session, self.token)
        self.config.write_bytes(edgetokens.kubeconfig(self.base, session, self.token))

    def kubectl(self, *argv: str, text: str = "") -> subprocess.CompletedProcess[str]:
        assert KUBECTL
        return subprocess.run(
            [KUBECTL, *argv], env=self.env, input=text, capture_output=True, text=True, timeout=300, check=False
        )

    def follow(self, *argv: str) -> tuple[subprocess.Popen[str], queue.Queue[str]]:
        assert KUBECTL
        process = subprocess.Popen([KUBECTL, *argv], env=self.env, stdout=subprocess.PIPE, text=True)
        lines: queue.Queue[str] = queue.Queue()

        def read() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                lines.put(line)

        threading.Thread(target=read, daemon=True).start()
        return process, lines


@pytest.mark.stack
@pytest.mark.kubectl
@pytest.mark.xdist_group("stack")
@pytest.mark.django_db(transaction=True)
def test_the_real_kubectl_works_with_a_cluster_of_the_site(stack: Stack, learner: Any, tmp_path: Path) -> None:
    if KUBECTL is None:
        pytest.skip("kubectl is not installed")
    session = session_for(learner, "three-nodes")
    own = Own(stack, session, tmp_path)
    nodes = own.kubectl("get", "nodes")
    assert nodes.stdout.count(" Ready ") == 3, nodes.stderr
    assert JournalEntry.objects.filter(session=session).count() == 0, "a read is no input"
    watching, lines = own.follow("get", "pods", "--watch", "--no-headers")
    try:
        made = own.kubectl("create", "deployment", "web", "--image=nginx", "--replicas=2")
        assert made.stdout == "deployment.apps/web created\n", made.stderr
        seen = ""
        while seen.count(" Running ") < 2:
            seen += lines.get(timeout=180)
        assert "ContainerCreating" in seen
    finally:
        watching.kill()
        watching.wait()
    assert [row.kind for row in JournalEntry.objects.filter(session=session)] == ["http"]
    assert own.kubectl("wait", "--for=condition=available", "deployment/web", "--timeout=180s").returncode == 0
    assert "start worker process" in own.kubectl("logs", "deploy/web").stdout
    applied = own.kubectl(
        "apply", "-f", "-", text='{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"k":"v"}}'
    )
    assert applied.stdout == "configmap/c created\n", applied.stderr
    with stack.browser(session.pk, learner) as browser:  # the page sees what was done from outside
        browser.hello()
        browser.line("kubectl get configmap c -o jsonpath={.data.k}", "controlplane")
        browser.see("v")
    edgetokens.revoke(session)
    assert "not, or no longer, good" in own.kubectl("get", "nodes").stderr


@pytest.mark.stack
@pytest.mark.kubectl
@pytest.mark.xdist_group("stack")
@pytest.mark.django_db(transaction=True)
def test_the_real_kubectl_execs_copies_and_forwards(stack: Stack, learner: Any, tmp_path: Path) -> None:
    if KUBECTL is None:
        pytest.skip("kubectl is not installed")
    session = session_for(learner, "three-nodes")
    own = Own(stack, session, tmp_path)
    assert own.kubectl("run", "web", "--image=nginx").returncode == 0
    assert own.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=180s").returncode == 0
    ran = own.kubectl("exec", "web", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (ran.stdout, ran.stderr, ran.returncode) == ("out\n", "err\ncommand terminated with exit code 7\n", 7)
    assert own.kubectl("exec", "-i", "web", "--", "cat", text="typed\nlines").stdout == "typed\nlines"
    missing = own.kubectl("exec", "nowhere", "--", "ls").stderr
    assert missing == 'Error from server (NotFound): pods "nowhere" not found\n'
    (tmp_path / "cargo").write_bytes(os.urandom(2_000_000))
    assert own.kubectl("cp", str(tmp_path / "cargo"), "web:/tmp/cargo").stderr == ""
    own.kubectl("cp", "web:/tmp/cargo", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == (tmp_path / "cargo").read_bytes()
    forwarding, lines = own.follow("port-forward", "pod/web", ":80")
    try:
        port = lines.get(timeout=180).split(":")[1].split()[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=180) as answer:
            assert b"Welcome to nginx!" in answer.read()
    finally:
        forwarding.kill()
        forwarding.wait()
    _follows_and_proxies(own)
    _attaches(own)
    _at_a_terminal(own, session)
    once = own.kubectl("run", "-i", "--rm", "once", "--image=busybox", "--restart=Never", "--", "cat", text="tea\n")
    assert once.stdout == 'tea\npod "once" deleted\n', once.stderr
    stack.wait(lambda: not ClusterSession.objects.get(pk=session.pk).pending)
    rows = JournalEntry.objects.filter(session=session, kind="stream")
    assert not any(row.refusal or row.quarantined for row in rows)
    stored = ClusterSession.objects.get(pk=session.pk)
    replayed = worlds.past(stored, stored.digest_seq, stored.digest_at)
    assert replayed.digest() == stored.digest, "what came from outside replays alike"


def _follows_and_proxies(own: Own) -> None:
    """A log that is followed tells of a later request; a proxy answers for the cluster."""
    following, lines = own.follow("logs", "-f", "web", "--tail=1")
    try:
        assert '"GET / HTTP/1.1" 200' in lines.get(timeout=180), "the last line is that of the forwarded request"
        assert own.kubectl("exec", "web", "--", "curl", "-s", "http://127.0.0.1/asked").returncode == 0
        while "/asked" not in lines.get(timeout=180):
            pass
    finally:
        following.kill()
        following.wait()
    serving, lines = own.follow("proxy", "--port=0", "--append-server-path")
    try:
        port = lines.get(timeout=180).rpartition(":")[2].strip()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/namespaces/default/pods/web", timeout=180) as answer:
            assert json.load(answer)["metadata"]["name"] == "web"
    finally:
        serving.kill()
        serving.wait()


def _attaches(own: Own) -> None:
    """Attached without a terminal: what a container says from now on; what it is told, until it ends; and a log that ends with it."""
    loop = "while true; do echo tick; sleep 1; done"
    assert own.kubectl("run", "talker", "--image=busybox", "--", "sh", "-c", loop).returncode == 0
    assert (
        own.kubectl("run", "listener", "--image=busybox", "-i", "--attach=false", "--restart=Never", "--", "cat").returncode == 0
    )
    ready = own.kubectl("wait", "--for=condition=Ready", "pod/talker", "pod/listener", "--timeout=180s")
    assert ready.returncode == 0, ready.stderr
    attached, lines = own.follow("attach", "talker")
    try:
        assert [lines.get(timeout=180), lines.get(timeout=180)] == ["tick\n", "tick\n"]
    finally:
        attached.kill()
        attached.wait()
    following, lines = own.follow("logs", "-f", "listener")
    try:
        told = own.kubectl("attach", "-i", "listener", text="tea\n")
        assert (told.stdout, told.returncode) == ("tea\n", 0), told.stderr
        assert lines.get(timeout=180) == "tea\n"
        assert following.wait(180) == 0
    finally:
        following.kill()
        following.wait()


def _at_a_terminal(own: Own, session: ClusterSession) -> None:
    """A shell in a container, for as long as its token is good."""
    assert KUBECTL
    ours, theirs = os.openpty()
    shell = subprocess.Popen([KUBECTL, "exec", "-it", "web", "--", "sh"], env=own.env, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""

    def see(text: bytes) -> None:
        nonlocal shown
        while text not in shown:
            assert select.select([ours], [], [], 180)[0], shown
            shown += os.read(ours, 4096)

    try:
        see(b"# ")
        os.write(ours, b"sleep 2; echo $((20+1))\r")
        see(b"\r\n21\r\n")
        edgetokens.revoke(session)
        assert shell.wait(180) != 0
    finally:
        shell.kill()
        shell.wait()
        os.close(ours)
    own.renew(session)


@pytest.mark.stack
@pytest.mark.xdist_group("stack")
@pytest.mark.django_db(transaction=True)
def test_a_token_is_good_for_one_cluster(stack: Stack, learner: Any, stranger: Any, tmp_path: Path) -> None:
    mine, theirs = session_for(learner, "three-nodes"), session_for(stranger, "three-nodes")
    own = Own(stack, mine, tmp_path)

    kinds: set[str] = set()

    def status(url: str, method: str = "GET", body: bytes | None = None) -> int:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, method=method, data=body), timeout=180) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            said = error.read()
            kinds.add("page" if said == b"404 page not found\n" else json.loads(said)["kind"])
            return error.code

    stack.wait(lambda: status(f"{own.server}/api/v1/namespaces/default") == 200, 240)  # 504 until the worker has started
    assert status(f"{own.server.replace(str(mine.pk), str(theirs.pk))}/api") == 401
    assert status(f"{own.base}/clusters/{mine.pk}/kube/api") == 401
    assert status(f"{own.base}/clusters/{'0' * 36}/kube/~{own.token}/api") == 404
    assert status(f"{own.server}/api", "TRACE") == 405
    assert status(f"{own.server}/api/v1/namespaces", "POST", b"x" * (edge.MAX_BODY + 1)) == 413
    assert status(f"{own.server}/api/v1/namespaces", "POST", b"\xff{") in (400, 415)
    assert kinds == {"Status"}
    assert status(f"{own.server}/nowhere") == 404  # the API server's own answer
    assert kinds == {"Status", "page"}


@pytest.mark.django_db
def test_the_newest_tokens_are_kept_and_only_their_hashes(learner: Any, standin: type) -> None:
    session = session_for(learner, "three-nodes")
    tokens = [edgetokens.issue(session) for _ in range(edgetokens.MOST + 1)]
    good = [edgetokens.session_of(session.pk, token) is not None for token in tokens]
    assert good == [False] + [True] * edgetokens.MOST
    assert not EdgeToken.objects.filter(digest__in=tokens).exists()
    assert edgetokens.revoke(session) == edgetokens.MOST


@pytest.mark.django_db
@pytest.mark.usefixtures("standin")
@pytest.mark.parametrize(("who", "status"), [("owner", 200), ("stranger", 404), ("nobody", 302)])
def test_only_the_owner_gets_a_kubeconfig(client: Any, learner: Any, stranger: Any, who: str, status: int) -> None:
    from django.urls import reverse

    session = session_for(learner, "three-nodes")
    if who != "nobody":
        client.force_login(learner if who == "owner" else stranger)
    assert client.get(reverse("lessons:own-terminal", args=[session.pk])).status_code == status
    made = client.post(reverse("lessons:own-terminal-new", args=[session.pk]))
    assert made.status_code == status
    assert EdgeToken.objects.count() == (1 if who == "owner" else 0)
    revoked = client.post(reverse("lessons:own-terminal-revoke", args=[session.pk]))
    assert revoked.status_code == (404 if who == "stranger" else 302)
    if who == "owner":
        assert made["Content-Disposition"].endswith('.kubeconfig"') and b"/kube/~" in made.content
        assert not EdgeToken.objects.filter(revoked_at=None).exists()


@pytest.mark.django_db(transaction=True)
async def test_an_account_with_too_many_connections_gets_no_stream(learner: Any, standin: type, settings: Any) -> None:
    session = await database_sync_to_async(session_for)(learner, "three-nodes")
    token = await database_sync_to_async(edgetokens.issue)(session)
    settings.SLIPWAY_SOCKETS = 1
    assert connections.enter(learner.pk)
    try:
        path = f"/clusters/{session.pk}/kube/~{token}/api/v1/namespaces/default/pods/web/exec"
        scope = {
            "type": "websocket", "path": path, "raw_path": path.encode(), "query_string": b"command=ls&stdout=true",
            "headers": [], "subprotocols": ["v5.channel.k8s.io"],
        }  # fmt: skip
        client = ApplicationCommunicator(edgestreams.application, scope)
        await client.send_input({"type": "websocket.connect"})
        assert (await client.receive_output(120))["status"] == 429
        assert b"too many connections" in (await client.receive_output(120))["body"]
        await client.wait()
        assert connections.held(learner.pk) == 1
    finally:
        connections.leave(learner.pk)
