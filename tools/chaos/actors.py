"""Learners as stubborn as a browser: what was not acknowledged is sent again with the same id, what was shown is remembered by cursor."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tools.load.learner import Account
from tools.load.web import Client

#: Commands whose output depends on everything before them, so that a lost or doubled one shows.
LINES = (
    "echo {n} >> log; wc -l < log",
    "kubectl create configmap c{n} --from-literal=n={n}",
    "kubectl get configmaps",
    "kubectl create deployment d{n} --image=nginx --replicas=2",
    "kubectl get pods",
    "kubectl scale deployment --all --replicas=1",
    "kubectl delete configmap --all",
    "kubectl get events | tail -n 3",
    "sleep 1; date +%s",
)


@dataclass(slots=True)
class Record:
    """What a learner knows: the site has to agree at the end."""

    #: Journal position of every acknowledged input, by the id it was sent with, in the order of typing.
    acked: dict[str, int] = field(default_factory=dict)
    #: `cursor: (terminal, fd, text)` of all output that was shown.
    screen: dict[int, tuple[str, int, str]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    #: Answers of the quiz in the order in which they were sent; and how many of them are known to be stored.
    sent: list[str] = field(default_factory=list)
    stored: int = 0
    #: (when it was sent, seconds until its output was there) of each command.
    answered: list[tuple[float, float]] = field(default_factory=list)
    connections: int = 0


class Learner:
    """One learner on one cluster."""

    def __init__(self, port: int, account: Account, seed: int) -> None:
        self.port, self.account = port, account
        self.random = random.Random(seed)
        self.record = Record()
        self.cursor = self.trace = 0
        self.number = 0
        self.outbox: dict[str, Any] | None = None
        self.since = 0.0
        self.ready, self.arrived = asyncio.Event(), asyncio.Event()
        self.terminal = ""

    async def run(self, stop: asyncio.Event) -> None:
        """Type until told to stop and the last input was acknowledged; connect again whenever the connection ends."""
        while not (stop.is_set() and self.outbox is None):
            try:
                await self._connection(stop)
            except (OSError, WebSocketException, TimeoutError, asyncio.CancelledError) as error:
                if isinstance(error, asyncio.CancelledError):
                    raise
                await asyncio.sleep(0.3)

    def _connect(self) -> connect:
        return connect(
            f"ws://127.0.0.1:{self.port}/ws/cluster/{self.account.session}/",
            additional_headers={"Cookie": f"sessionid={self.account.cookie}", "Origin": f"http://127.0.0.1:{self.port}"},
            compression=None,
            open_timeout=10,
            ping_interval=2,
            ping_timeout=8,
            max_size=None,
            close_timeout=1,
        )

    async def _connection(self, stop: asyncio.Event) -> None:
        async with self._connect() as socket:
            self.record.connections += 1
            reader = asyncio.create_task(self._read(socket))
            try:
                await socket.send(orjson.dumps({"t": "hello", "cursor": self.cursor, "trace": self.trace}), text=True)
                while not reader.done():
                    if self.outbox is None:
                        if stop.is_set():
                            return
                        await asyncio.sleep(self.random.uniform(0.05, 0.5))
                        if not self.terminal:
                            continue
                        self._next()
                    self.ready.clear()
                    await socket.send(orjson.dumps(self.outbox), text=True)
                    with contextlib.suppress(TimeoutError):  # no acknowledgement: send it again, as the page does
                        await asyncio.wait_for(self.ready.wait(), 4)
                await reader
            finally:
                reader.cancel()
                with contextlib.suppress(asyncio.CancelledError, WebSocketException, OSError):
                    await reader

    def _next(self) -> None:
        self.number += 1
        text = self.random.choice(LINES).format(n=self.number)
        self.outbox = {"t": "input", "id": str(uuid.uuid4()), "kind": "line", "data": {"terminal": self.terminal, "text": text}}
        self.since = time.monotonic()

    async def _read(self, socket: ClientConnection) -> None:
        waiting = 0.0
        async for message in socket:
            news = orjson.loads(message)
            for frame in news if isinstance(news, list) else [news]:
                kind = frame["t"]
                if kind == "out":
                    self._show(frame)
                elif kind == "trace":
                    self.trace = frame["cursor"]
                elif kind == "ack" and self.outbox is not None and frame["id"] == self.outbox["id"]:
                    self.record.acked[frame["id"]] = frame["seq"]
                    waiting, self.outbox = waiting or self.since, None  # several may wait: the first one counts
                    self.ready.set()
                elif kind == "error" and frame["reason"] in ("busy", "rate"):
                    asyncio.get_running_loop().call_later(0.5, self.ready.set)  # once more, a little later
                elif kind == "error":
                    self.record.errors.append(f"{frame['reason']}: {frame['message']}")
                elif kind == "state":
                    self.terminal = self.terminal or min(frame["terminals"], default="")
                    if self.terminal:
                        self.arrived.set()
                    if waiting and not frame["pending"]:
                        self.record.answered.append((waiting, time.monotonic() - waiting))
                        waiting = 0.0

    def _show(self, frame: dict[str, Any]) -> None:
        for chunk in frame["chunks"]:
            shown = (chunk["terminal"], chunk["fd"], chunk["data"])
            before = self.record.screen.setdefault(chunk["cursor"], shown)
            if before != shown:
                self.record.errors.append(f"output {chunk['cursor']} was {before!r} and is {shown!r}")
        self.cursor = frame["cursor"]

    async def answer(self, stop: asyncio.Event, field_name: str, choices: list[str]) -> None:
        """Answer one question of a quiz again and again, saying with each answer what the page says (static/js/autosave.js): the revision
        that it was changed from, its age, and the browser with its own clock.  An answer counts as stored when the page was told so."""
        web = Client(self.port, self.account.cookie)
        device, seen, latest = f"{self.random.getrandbits(128):032x}", 0, 0
        while not stop.is_set():
            await asyncio.sleep(self.random.uniform(0.2, 1.0))
            choice = self.random.choice(choices)
            self.record.sent.append(choice)
            latest = max(time.monotonic_ns() // 1_000_000, latest + 1)
            said = {f"{field_name}.seen": str(seen), f"{field_name}.age": "0", f"{field_name}.at": str(latest), "device": device}
            try:
                status = await asyncio.wait_for(
                    web.post(f"/en/quiz-attempts/{self.account.attempt}/save/", {field_name: choice, **said}), 15
                )
            except (OSError, TimeoutError):
                web.close()
                continue
            if 200 <= status < 300:  # what the page's script takes for "saved" (docs/protocol.md)
                self.record.stored = len(self.record.sent)
                seen = orjson.loads(web.body)["revisions"][field_name]
            elif status < 500:
                self.record.errors.append(f"an answer was refused with {status}")
        web.close()
