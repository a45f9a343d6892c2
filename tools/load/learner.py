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
    """What was measured, of everybody together (seconds); one of them counts until every cluster was opened, another after that."""

    command: list[float] = field(default_factory=list)
    ack: list[float] = field(default_factory=list)
    #: From `hello` until there is something to see.
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


class Course:
    """What learners have in common: how things went until now, who has begun, and when it ends."""

    def __init__(self, learners: int) -> None:
        #: What is counted now; `__main__` puts another in its place.
        self.score = Score()
        #: Learners whose first command was not answered yet, and who did not fail before that.
        self.outside = learners
        self.all_inside = asyncio.Event()
        self.over = asyncio.Event()


class Learner:
    """See the module."""

    def __init__(self, port: int, account: Account, course: Course, seed: int, *, every: float, pages: list[str]) -> None:
        self.port, self.account, self.course, self.every, self.pages = port, account, course, every, pages
        self.random = random.Random(seed)
        self.cursor = self.trace = 0
        self.socket: ClientConnection | None = None
        self.state: dict[str, Any] = {}
        self.waiting: dict[str, Any] | None = None
        self.answered = asyncio.Event()
        self.terminal = ""
        self.begun = False

    async def run(self) -> None:
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
                    await self._work()
                finally:
                    reader.cancel()
                    with contextlib.suppress(asyncio.CancelledError, WebSocketException):
                        await reader
        except (OSError, WebSocketException, TimeoutError) as error:
            self.course.score.errors[f"connection: {type(error).__name__}"] += 1
        finally:
            self._begin()

    def _begin(self) -> None:
        if not self.begun:
            self.begun = True
            self.course.outside -= 1
            if not self.course.outside:
                self.course.all_inside.set()

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
            self.course.score.errors[frame["reason"]] += 1
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

    async def _work(self) -> None:
        began = time.perf_counter()
        score = self.course.score
        await self._send(t="hello", cursor=0, trace=0)
        await asyncio.wait_for(self.answered.wait(), 60)
        score.first.append(time.perf_counter() - began)
        self.terminal = sorted(self.state["terminals"])[0]
        web = Client(self.port, self.account.cookie)
        await self._rest(self.random.uniform(0, self.every))
        while not self.course.over.is_set():
            await self._type()
            self._begin()
            if self.pages and self.random.random() < 0.08:
                await self._look(web)
            # pauses of people: mostly short, some long, `every` on the average
            await self._rest(min(self.random.expovariate(1 / self.every), self.every * 4))
        web.close()

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.course.over.wait(), seconds)

    async def _type(self) -> None:
        text = self.random.choices([command for _, command in COMMANDS], [weight for weight, _ in COMMANDS])[0]
        await self._line(text, text.format(n=self.random.randint(1, 3)))
        if text == WATCH:
            await asyncio.sleep(2)
            await self._send(t="input", id=str(uuid.uuid4()), kind="key", data={"terminal": self.terminal, "key": "ctrl-c"})
            await asyncio.sleep(0.5)

    async def _line(self, kind: str, text: str) -> None:
        frame_id = str(uuid.uuid4())
        self.answered.clear()
        score, began = self.course.score, time.perf_counter()
        waiting: dict[str, Any] = {"id": frame_id, "watch": kind == WATCH}
        self.waiting = waiting
        data = {"terminal": self.terminal, "text": text}
        await self._send(t="input", id=frame_id, kind="line", data=data)
        score.sent += 1
        try:
            await asyncio.wait_for(self.answered.wait(), 30)
        except TimeoutError:
            score.errors["no answer within 30 s"] += 1
        else:
            if "out" in waiting:
                score.command.append(waiting["out"] - began)
                score.ack.append(waiting["ack"] - began)
                score.by_text[kind].append(waiting["out"] - began)
        self.waiting = None

    async def _look(self, web: Client) -> None:
        """Read a lesson's page, or save an answer."""
        score, began = self.course.score, time.perf_counter()
        try:
            if self.account.attempt and self.random.random() < 0.4:
                status = await web.post(f"/en/quiz-attempts/{self.account.attempt}/save/", {"q.x": "1"})
                values = score.save
            else:
                status = await web.get(self.random.choice(self.pages))
                values = score.page
        except (OSError, EOFError, asyncio.IncompleteReadError) as error:
            score.errors[f"page: {type(error).__name__}"] += 1
            return
        if status >= 400:
            score.errors[f"page: {status}"] += 1
        else:
            values.append(time.perf_counter() - began)
