"""The real kubectl against `serve`, beside the same against a server that says the same words from memory: what the simulator adds."""

from __future__ import annotations

import contextlib
import http.server
import os
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from simulator.core.sandbox import Sandbox
from simulator.gateway.tls import Material

RUNS = 21
HANDSHAKE = 10.0


class _Empty(http.server.BaseHTTPRequestHandler):
    """Answers each path with what was put down for it; nothing is computed."""

    protocol_version = "HTTP/1.1"
    answers: dict[str, bytes] = {}

    def do_GET(self) -> None:
        """One request."""
        path = self.path.partition("?timeout=")[0]  # discovery says how long it would wait
        body = self.answers.get(path, b'{"kind":"Status","apiVersion":"v1","status":"Failure","code":404}')
        self.send_response(200 if path in self.answers else 404)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@contextlib.contextmanager
def _serve(folder: Path) -> Iterator[Path]:
    """`python -m simulator serve`; its kubeconfig."""
    config = folder / "served"
    words = ["-m", "simulator", "serve", "--listen", "127.0.0.1:0", "--kubeconfig", str(config)]
    with subprocess.Popen([sys.executable, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            if not process.stdout.readline().startswith("ready "):
                raise RuntimeError("serve did not start")
            yield config
        finally:
            process.terminate()


@contextlib.contextmanager
def _empty(folder: Path, answers: dict[str, bytes]) -> Iterator[Path]:
    """The server that computes nothing, with the certificates of a world; its kubeconfig."""
    sandbox = Sandbox.boot("three-nodes", 1)
    material = Material(sandbox.world, sandbox.first_host)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Empty", (_Empty,), {"answers": answers}))
    context = material.server_context(("localhost",), ("127.0.0.1",))
    context.verify_mode = ssl.CERT_NONE
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        config = folder / "empty"
        config.write_bytes(material.kubeconfig(f"https://127.0.0.1:{server.server_port}"))
        yield config
    finally:
        server.shutdown()
        server.server_close()
        thread.join(HANDSHAKE)


def _fetch(kubectl: str, config: Path, env: dict[str, str], paths: list[str]) -> dict[str, bytes]:
    """What the served world says at some paths, in the form that `get` asks for."""
    out = {}
    for path in paths:
        done = subprocess.run(
            [kubectl, "--kubeconfig", str(config), "get", "--raw", path], env=env, capture_output=True, check=True
        )
        out[path] = done.stdout
    return out


def measure() -> dict[str, float]:
    """Seconds of `kubectl get pods`, whole process, against both, and their ratio; nothing where there is no kubectl."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        return {}
    with tempfile.TemporaryDirectory() as name, _serve(Path(name)) as served:
        folder = Path(name)
        env = {"PATH": os.environ["PATH"], "HOME": name}
        listed = "/api/v1/namespaces/default/pods?limit=500"
        answers = _fetch(kubectl, served, env, ["/api", "/api/v1", listed])
        answers["/apis"] = b'{"kind":"APIGroupList","apiVersion":"v1","groups":[]}'
        with _empty(folder, answers) as empty:
            times: dict[Path, list[float]] = {served: [], empty: []}
            for run in range(RUNS + 2):
                for config in (served, empty) if run % 2 else (empty, served):
                    began = time.perf_counter()
                    words = [kubectl, "--kubeconfig", str(config), "get", "pods"]
                    subprocess.run(words, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=True)
                    if run >= 2:  # the first two fill kubectl's caches of what is served
                        times[config].append(time.perf_counter() - began)
    ours, bare = statistics.median(times[served]), statistics.median(times[empty])
    return {"client_get_pods_s": ours, "client_empty_server_s": bare, "client_get_pods_times": ours / bare}


#: `kubectl get pods` as a whole takes at most so many times what it takes against a server that computes nothing.
TARGETS = {"client_get_pods_times": 1.3}
