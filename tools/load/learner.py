"""One learner: a WebSocket to a cluster, a keyboard with pauses, now and then a page or an answer of a quiz."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from .web import Client

#: What learners type, with weights: looking around most, changing something now and then, watching a little.
COMMANDS: tuple[tuple[int, str], ...] = (
    (20, "kubectl get pods"),
    (12, "kubectl get pods -A"),
    (10, "kubectl get nodes -o wide"),
    (6, "kubectl describe node node01 | head -30"),
    (6, "kubectl get events --sort-by=.lastTimestamp | tail"),
    (8, "ls -l /etc/kubernetes/manifests"),
    (8, "echo hello"),
    (5, "kubectl create deployment web{n} --image=nginx --replicas=2"),
    (4, "kubectl delete deployment web{n} --wait=false"),
    (4, "kubectl scale deployment web{n} --replicas=3"),
    (4, "systemctl status kubelet | head -5"),
    (4, "crictl ps"),
    (3, "kubectl get pods -w"),
    (3, "cat /etc/kubernetes/manifests/etcd.yaml | grep -c ."),
    (2, "for i in 1 2 3; do kubectl get ns; done"),
    (1, "kubectl get pods -o yaml"),
)
WATCH = "kubectl get pods -w"


@dataclass(slots=True)
class Score:
    """What was measured, of everybody together (seconds)."""

    command: list[float] = field(default_factory=list)
    ack: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    page: list[float] = field(default_factory=list)
    save: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    #: Latencies by what was typed.
    by_text: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


@dataclass(slots=True)
class Account:
    """Who a learner is: made beforehand by `tools.load.people`."""

    cookie: str
    session: str
    attempt: int = 0


class Learner:
    """See the module."""

    def __init__(self, port: int, account: Account, score: Score, seed: int, *, every: float, pages: list[str]) -> None:
        self.port, self.account, self.score, self.every, self.pages = port, account, score, every, pages
        self.random = random.Random(seed)
        self.cursor = self.trace = 0
        self.socket: ClientConnection | None = None
        self.state: dict[str, Any] = {}
        self.waiting: dict[str, Any] | None = None
        self.answered = asyncio.Event()
        self.terminal = ""

    async def run(self, measured: asyncio.Event, until: float) -> None:
        """Connect, work until the time is over, and go."""
        origin = f"http://127.0.0.1:{self.port}"
        try:
            async with connect(
                f"ws://127.0.0.1:{self.port}/ws/cluster/{self.account.session}/",
                additional_headers={"Cookie": f"sessionid={self.account.cookie}", "Origin": origin},
                compression=None,
                open_timeout=60,
                ping_interval=None,
                max_size=None,
                close_timeout=1,
            ) as socket:
                self.socket = socket
                reader = asyncio.create_task(self._read())
                try:
                    await self._work(measured, until)
                finally:
                    reader.cancel()
                    with contextlib.suppress(asyncio.CancelledError, WebSocketException):
                        await reader
        except (OSError, WebSocketException, TimeoutError) as error:
            self.score.errors[f"connection: {type(error).__name__}"] += 1

    async def _read(self) -> None:
        assert self.socket is not None
        async for message in self.socket:
            news = orjson.loads(message)
            for frame in news if isinstance(news, list) else [news]:
                self._frame(frame)

    def _frame(self, frame: dict[str, Any]) -> None:
        kind = frame["t"]
        waiting = self.waiting
        now = time.perf_counter()
        if kind == "out":
            self.cursor = frame["cursor"]
            if waiting is not None:
                waiting["out"] = now
        elif kind == "trace":
            self.trace = frame["cursor"]
        elif kind == "ack" and waiting is not None and frame["id"] == waiting["id"]:
            waiting["ack"] = now
        elif kind == "error":
            self.score.errors[frame["reason"]] += 1
            self.answered.set()
        elif kind == "state":
            self.state = frame
            if waiting is None:
                if frame["terminals"]:
                    self.answered.set()
            elif (
                {"ack", "out"} <= waiting.keys()
                and not frame["pending"]
                and (waiting["watch"] or not frame["terminals"][self.terminal]["busy"])
            ):
                self.answered.set()

    async def _send(self, **frame: Any) -> None:
        assert self.socket is not None
        await self.socket.send(orjson.dumps(frame), text=True)

    async def _work(self, measured: asyncio.Event, until: float) -> None:
        began = time.perf_counter()
        await self._send(t="hello", cursor=0, trace=0)
        await asyncio.wait_for(self.answered.wait(), 60)
        if measured.is_set():
            self.score.first.append(time.perf_counter() - began)
        self.terminal = sorted(self.state["terminals"])[0]
        web = Client(self.port, self.account.cookie)
        await asyncio.sleep(self.random.uniform(0, self.every))
        while time.monotonic() < until:
            await self._type(measured.is_set())
            if self.pages and self.random.random() < 0.08:
                await self._look(web, measured.is_set())
            # pauses of people: mostly short, some long, `every` on the average
            await asyncio.sleep(min(self.random.expovariate(1 / self.every), self.every * 4))
        web.close()

    async def _type(self, measured: bool) -> None:
        text = self.random.choices([command for _, command in COMMANDS], [weight for weight, _ in COMMANDS])[0]
        await self._line(text, text.format(n=self.random.randint(1, 3)), measured)
        if text == WATCH:
            await asyncio.sleep(2)
            await self._send(t="input", id=str(uuid.uuid4()), kind="key", data={"terminal": self.terminal, "key": "ctrl-c"})
            await asyncio.sleep(0.5)

    async def _line(self, kind: str, text: str, measured: bool) -> None:
        frame_id = str(uuid.uuid4())
        self.answered.clear()
        began = time.perf_counter()
        waiting: dict[str, Any] = {"id": frame_id, "watch": kind == WATCH}
        self.waiting = waiting
        data = {"terminal": self.terminal, "text": text}
        await self._send(t="input", id=frame_id, kind="line", data=data)
        if measured:
            self.score.sent += 1
        try:
            await asyncio.wait_for(self.answered.wait(), 30)
        except TimeoutError:
            self.score.errors["no answer within 30 s"] += 1
        else:
            if measured and "out" in waiting:
                self.score.command.append(waiting["out"] - began)
                self.score.ack.append(waiting["ack"] - began)
                self.score.by_text[kind].append(waiting["out"] - began)
        self.waiting = None

    async def _look(self, web: Client, measured: bool) -> None:
        """Read a lesson's page, or save an answer."""
        began = time.perf_counter()
        try:
            if self.account.attempt and self.random.random() < 0.4:
                status = await web.post(f"/en/quiz-attempts/{self.account.attempt}/save/", {"q.x": "1"})
                score = self.score.save
            else:
                status = await web.get(self.random.choice(self.pages))
                score = self.score.page
        except (OSError, EOFError, asyncio.IncompleteReadError) as error:
            self.score.errors[f"page: {type(error).__name__}"] += 1
            return
        if status >= 400:
            self.score.errors[f"page: {status}"] += 1
        elif measured:
            score.append(time.perf_counter() - began)
