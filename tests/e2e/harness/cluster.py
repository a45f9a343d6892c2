"""A stand-in for a cluster behind the WebSocket: enough of a shell to test the page, and switches to misbehave.

It is a test double of the *protocol*: cursors, acknowledgements, idempotent inputs, states. It imitates no Kubernetes.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from simulator.core.sandbox import Sandbox

Frame = dict[str, Any]
PROMPT = "controlplane:~$ "


def component(ident: str, state: str = "healthy", note: str = "", **more: str) -> Frame:
    """One component of a host's view."""
    return {"id": ident, "name": ident, "state": state, "note": note, **more}


def pod(
    name: str, state: str = "healthy", note: str = "", *, namespace: str = "default", restarts: int = 0, containers: int = 1
) -> Frame:
    """One pod of a host's view."""
    running = state == "healthy"
    return {
        "namespace": namespace,
        "name": name,
        "phase": "Running" if running else "Pending",
        "state": state,
        "note": note,
        "owner": "ReplicaSet/" + name.rsplit("-", 1)[0],
        "ip": "10.244.1.5" if running else "",
        "containers": [
            {
                "name": f"c{i}",
                "image": "nginx:1.27",
                "state": "running" if running else "waiting",
                "ready": running,
                "restarts": restarts,
                "note": note,
            }
            for i in range(containers)
        ],
    }


def node_parts() -> list[Frame]:
    """What every node runs."""
    return [
        component("kubelet", unit="kubelet.service"),
        component("kube-proxy", pod="kube-system/kube-proxy-x7k2p"),
        component("containerd", unit="containerd.service"),
    ]


def three_nodes() -> Frame:
    """The view of a healthy three-node cluster with a rollout that fails on node02 (docs/map.md)."""
    system = "kube-system"
    plane = [
        component(c, note="leader" if c.startswith(("kube-s", "kube-c")) else "", pod=f"{system}/{c}-controlplane")
        for c in ("etcd", "kube-apiserver", "kube-scheduler", "kube-controller-manager")
    ]
    return {
        "rv": 4191,
        "apiserver": {"state": "healthy", "note": ""},
        "etcd": {
            "state": "healthy",
            "term": 2,
            "leader": "controlplane",
            "quorum": 1,
            "revision": 4191,
            "members": [{"name": "controlplane", "host": "controlplane", "role": "leader", "state": "healthy"}],
        },
        "hosts": [
            {
                "name": "controlplane",
                "role": "control-plane",
                "state": "healthy",
                "ready": True,
                "note": "",
                "components": plane + node_parts(),
                "pods": [pod("coredns-7d764666f9-4xk2p", namespace=system)],
            },
            {
                "name": "node01",
                "role": "worker",
                "state": "healthy",
                "ready": True,
                "note": "",
                "components": node_parts(),
                "pods": [
                    pod("web-7c5d8bf9f-7pk4m"),
                    pod("web-7c5d8bf9f-x2v9d"),
                    pod("coredns-7d764666f9-wq8sn", namespace=system),
                ],
            },
            {
                "name": "node02",
                "role": "worker",
                "state": "healthy",
                "ready": True,
                "note": "",
                "components": node_parts(),
                "pods": [pod("web-7c5d8bf9f-q8s5t"), pod("web-5f6d9c7b8b-k2xqp", "failing", "ErrImagePull")],
            },
        ],
        "pending": [],
    }


def rollout(first: int = 141) -> list[Frame]:
    """Trace events of one command, with causes."""
    ms = 1_000_000
    web, new, born = "deployments/default/web", "replicasets/default/web-5f6d9c7b8b", "pods/default/web-5f6d9c7b8b-k2xqp"
    image = "docker.io/library/nginx:1.299"
    rows: list[tuple[int, str, str, str, int, Frame]] = [
        (0, "terminal", "line", "controlplane", 0, {"text": "kubectl set image deployment/web nginx=nginx:1.299"}),
        (3, "kubectl", "request", web, 0, {"verb": "patch", "user": "kubernetes-admin"}),
        (4, "kube-apiserver", "admit", web, 1, {"verb": "patch"}),
        (6, "etcd", "put", f"/registry/{web}", 2, {"revision": 4183}),
        (14, "deployment-controller", "request", new, 3, {"verb": "create"}),
        (19, "kube-apiserver", "admit", new, 4, {"verb": "create"}),
        (22, "etcd", "put", f"/registry/{new}", 5, {"revision": 4184}),
        (33, "replicaset-controller", "request", born, 6, {"verb": "create"}),
        (35, "kube-apiserver", "admit", born, 7, {"verb": "create"}),
        (38, "etcd", "put", f"/registry/{born}", 8, {"revision": 4185}),
        (47, "kube-scheduler", "request", born, 9, {"verb": "create", "subresource": "binding"}),
        (52, "kube-apiserver", "admit", born, 10, {"verb": "create"}),
        (55, "etcd", "put", f"/registry/{born}", 11, {"revision": 4187}),
        (66, "kubelet/node02", "pod.add", born, 12, {"source": "api"}),
        (
            1571,
            "containerd/node02",
            "image.pull.failed",
            image,
            13,
            {"error": "not found", "pod": "default/web-5f6d9c7b8b-k2xqp"},
        ),
        (1580, "kubelet/node02", "request", born, 14, {"verb": "patch", "subresource": "status"}),
        (1590, "kube-apiserver", "admit", born, 15, {"verb": "patch"}),
    ]
    events = []
    for i, (at, actor, action, ref, cause, detail) in enumerate(rows):
        events.append(
            {
                "seq": first + i,
                "at": 200_000 * ms + at * ms,
                "actor": actor,
                "action": action,
                "ref": ref,
                "cause": first + cause if i else 0,
                "detail": detail,
            }
        )
    return events


@dataclass
class Terminal:
    """One scripted terminal."""

    name: str
    host: str
    prompt: str = PROMPT
    program: str = ""
    typed: list[str] = field(default_factory=list)
    continuation: bool = False
    raw: bool = False

    def view(self) -> Frame:
        return {
            "host": self.host,
            "prompt": "> " if self.continuation else self.prompt,
            "busy": bool(self.program) or self.raw,
            "continuation": self.continuation,
            "raw": self.raw,
        }


class FakeCluster:
    """State behind one WebSocket path; `send` of each connection is called with whole frames."""

    def __init__(self) -> None:
        self.connections: list[Callable[[Frame], None]] = []
        self.chunks: list[Frame] = []
        self.events: list[Frame] = []
        self.terminals = {"controlplane": Terminal("controlplane", "controlplane")}
        self.inputs: dict[str, Frame] = {}
        self.order: list[Frame] = []
        self.received: list[Frame] = []
        self.view = three_nodes()
        self.version = 1
        self.now = 220_120_000_000
        self.speed: int = 1
        self.hold_acks = False
        self.completions: list[str] = []
        self.history: dict[str, list[str]] = {}
        #: A simulated world that answers questions of lenses and editors and skips of time; nothing answers without one.
        self.world: Sandbox | None = None
        #: Whether that world takes all inputs and prints everything, in place of the pretended shell.
        self.live = False

    # ---- frames in

    def handle(self, frame: Frame, send: Callable[[Frame], None]) -> None:
        """One frame of a browser."""
        self.received.append(frame)
        kind = frame.get("t")
        if kind == "hello":
            self.hello(frame, send)
        elif kind == "input":
            self.input(frame, send)
        elif kind == "speed":
            self.speed = frame["value"]
            self.broadcast(self.state())
        elif kind == "complete":
            self.complete(frame, send)
        elif kind == "lens" and self.world is not None:
            send({"t": "lens", "id": frame["id"], "data": self.world.lens(frame["name"], frame["about"])})
        elif kind == "file" and self.world is not None:
            data = self.world.file(frame["terminal"], frame["path"], taken=frame["taken"])
            send({"t": "file", "id": frame["id"], "data": data})
        elif kind == "outline" and self.world is not None:
            data = self.world.outline(frame["api"], frame["kind"], frame["about"])
            send({"t": "outline", "id": frame["id"], "data": data})
        elif kind == "ping":
            send({"t": "pong", "id": frame.get("id")})

    def hello(self, frame: Frame, send: Callable[[Frame], None]) -> None:
        """History, then what is newer than the browser's cursors, then the state."""
        if send not in self.connections:
            send({"t": "history", "terminals": self.history})
            self.connections.append(send)
        chunks = [c for c in self.chunks if c["cursor"] > frame["cursor"]]
        if chunks:
            send({"t": "out", "cursor": chunks[-1]["cursor"], "chunks": chunks})
        events = [e for e in self.events if e["seq"] > frame["trace"]]
        if events:
            send({"t": "trace", "cursor": events[-1]["seq"], "events": events})
        if self.version > frame.get("view", 0):
            send({"t": "view", "version": self.version, "view": self.view})
        send(self.state())

    def input(self, frame: Frame, send: Callable[[Frame], None]) -> None:
        """A journal row; idempotent by its id."""
        fresh = frame["id"] not in self.inputs
        if fresh:
            self.inputs[frame["id"]] = frame
            self.order.append(frame)
        if not self.hold_acks:
            send({"t": "ack", "id": frame["id"], "seq": list(self.inputs).index(frame["id"]) + 1})
        if fresh:
            self.take_effect(frame["kind"], frame["data"])
            if not self.hold_acks:
                self.broadcast(self.state())

    def complete(self, frame: Frame, send: Callable[[Frame], None]) -> None:
        """Candidates for the word before the cursor."""
        if self.live and self.world is not None:
            found = self.world.complete(frame["terminal"], frame["line"], frame["cursor"])
            listed = [{"text": one, "hint": ""} for one in found.items]
            send({"t": "completion", "id": frame["id"], "start": found.start, "end": found.end, "items": listed})
            return
        before = frame["line"][: frame["cursor"]]
        word = before.rsplit(" ", 1)[-1]
        items = [{"text": c, "hint": ""} for c in self.completions if c.startswith(word)]
        send({"t": "completion", "id": frame["id"], "start": frame["cursor"] - len(word), "end": frame["cursor"], "items": items})

    # ---- the pretended shell

    def take_effect(self, kind: str, data: Frame) -> None:
        """What an input does."""
        if self.live and self.world is not None:
            self.play(self.world, kind, data)
        elif kind == "open":
            self.terminals[data["terminal"]] = Terminal(data["terminal"], data["host"], prompt=f"{data['host']}:~$ ")
        elif kind == "skip":
            self.now += data["ns"]
            if self.world is not None:
                self.world.apply("skip", data, self.world.now)
                self.now = self.world.now
        elif kind == "line":
            self.line(self.terminals[data["terminal"]], data["text"])
        elif kind == "key":
            self.key(self.terminals[data["terminal"]], data["key"])

    def play(self, world: Sandbox, kind: str, data: Frame) -> None:
        """An input takes effect in the world; what it printed and caused is sent."""
        world.apply(kind, data, world.now)
        world.advance(world.now + 1_000_000_000)
        self.now = world.now
        for chunk in world.drain():
            self.out(chunk.terminal, chunk.fd, chunk.data)
        events = [msgspec.structs.asdict(event) for event in world.drain_trace()]
        if events:
            self.emit(events)

    def line(self, terminal: Terminal, text: str) -> None:
        """A line for the program in the foreground, for an open here-document, or for the shell."""
        name = terminal.name
        if terminal.program == "cat":
            self.out(name, 0, text + "\n")
            self.out(name, 1, text + "\n")
            return
        if terminal.program:
            terminal.typed.append(text)
            return
        self.out(name, 0, terminal.view()["prompt"] + text + "\n")
        if terminal.continuation:
            terminal.continuation = text != "EOF"
            return
        self.command(terminal, text)

    def command(self, terminal: Terminal, text: str) -> None:
        """One command of the pretended shell."""
        word, _, rest = text.strip().partition(" ")
        if word == "echo":
            self.out(terminal.name, 1, rest + "\n")
        elif word == "printf":
            self.out(terminal.name, 1, rest)
        elif word in ("cat", "sleep"):
            terminal.program = word
            if "<<" in rest:
                terminal.program, terminal.continuation = "", True
        elif word == "clear":
            self.out(terminal.name, 1, "\x1b[H\x1b[2J")
        elif word == "rollout":
            self.emit(rollout(141 + 100 * len(self.events)))
        elif word:
            self.out(terminal.name, 2, f"-bash: {word}: command not found\n")

    def key(self, terminal: Terminal, key: str) -> None:
        """Ctrl-C ends what runs, or gives a new prompt."""
        if key == "ctrl-c":
            shown = "^C\n" if terminal.program else terminal.view()["prompt"] + "^C\n"
            self.out(terminal.name, 0, shown)
            terminal.typed.clear()
            terminal.continuation = False
        if key in ("ctrl-c", "ctrl-d"):
            self.finish(terminal.name, tell=False)

    def finish(self, name: str, *, tell: bool = True) -> None:
        """The program in the foreground ends; the shell reads what was typed meanwhile."""
        terminal = self.terminals[name]
        terminal.program = ""
        while terminal.typed and not terminal.program:
            self.line(terminal, terminal.typed.pop(0))
        if tell:
            self.broadcast(self.state())

    def full_screen(self, on: bool) -> None:
        """A full-screen program takes the first terminal's keys, or has ended."""
        next(iter(self.terminals.values())).raw = on
        self.broadcast(self.state())

    # ---- frames out

    def state(self) -> Frame:
        return {
            "t": "state",
            "now": self.now,
            "epoch": "1793610000000000000",
            "speed": self.speed,
            "running": self.speed > 0,
            "scenario": "three-nodes",
            "pending": 0,
            "terminals": self.views(),
            "cursor": self.chunks[-1]["cursor"] if self.chunks else 0,
            "trace": self.events[-1]["seq"] if self.events else 0,
        }

    def views(self) -> Frame:
        """The terminals as the state tells them."""
        if self.live and self.world is not None:
            return {name: msgspec.to_builtins(view) for name, view in self.world.terminals().items()}
        return {name: t.view() for name, t in self.terminals.items()}

    def out(self, terminal: str, fd: int, data: str) -> None:
        """Terminal output, kept and sent to every browser."""
        chunk = {"cursor": len(self.chunks) + 1, "terminal": terminal, "fd": fd, "data": data, "at": self.now}
        self.chunks.append(chunk)
        self.broadcast({"t": "out", "cursor": chunk["cursor"], "chunks": [chunk]})

    def emit(self, events: list[Frame]) -> None:
        """Trace events, kept and sent."""
        self.events += events
        self.broadcast({"t": "trace", "cursor": events[-1]["seq"], "events": events})

    def change(self, change: Callable[[Frame], None]) -> None:
        """A new version of the view."""
        self.view = copy.deepcopy(self.view)
        change(self.view)
        self.version += 1
        self.broadcast({"t": "view", "version": self.version, "view": self.view})

    def broadcast(self, frame: Frame) -> None:
        for send in list(self.connections):
            send(frame)

    def texts(self) -> list[str]:
        """The lines that took effect, in order."""
        return [f["data"]["text"] for f in self.order if f["kind"] == "line"]
