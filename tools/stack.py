"""The site's real processes for tests and the bench: an embedded Valkey, web and one worker, on the caller's database.

Nobody waits by sleeping: everything polls with a deadline, and the supervisor's own turn runs meanwhile.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import websocket
from django.conf import settings

from coursesite import ports
from coursesite.embedded import Valkey
from coursesite.processes import ready, web_argv, worker_argv
from coursesite.supervisor import Supervisor

ROOT = Path(__file__).resolve().parent.parent
STANDIN = "tests.simulator.standin.StandIn"


class Stack:
    """Valkey, web and worker under a supervisor."""

    def __init__(self, var: Path, *, sandbox: str = STANDIN, debug: bool = True, queues: int = 1) -> None:
        self.var = var
        self.queues = queues
        self.valkey = Valkey(var)
        self.port = ports.free()
        self.sandbox = sandbox
        self.debug = debug
        self.supervisor = Supervisor(env={}, cwd=ROOT, say=lambda text: print(text))

    def start(self) -> None:
        """Start everything and wait until it is ready."""
        url = self.valkey.start()
        database = settings.DATABASES["default"]
        env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "coursesite.settings",
            "SLIPWAY_VAR": str(self.var),
            "SLIPWAY_SANDBOX": self.sandbox,
            "SLIPWAY_WARM_UP": "" if self.sandbox == STANDIN else "three-nodes",
            "SECRET_KEY": settings.SECRET_KEY,
            "REDIS_URL": url,
            "WORKERS": "1",
            "QUEUES": str(self.queues),
            "DATABASE_URL": f"sqlite:///{database['NAME']}",
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "DEBUG": "1" if self.debug else "0",
        }
        self.supervisor.env = env
        self.supervisor.add("web", web_argv("127.0.0.1", self.port), self.var / "log" / "web.log")
        self.supervisor.add("worker", worker_argv(0), self.var / "log" / "worker.log")
        self.wait(lambda: ready("127.0.0.1", self.port), 240)

    def stop(self) -> None:
        """Stop everything."""
        self.supervisor.stop()
        self.valkey.stop()

    def wait(self, check: Callable[[], Any], seconds: float = 180) -> Any:
        """Until `check` gives something true; the supervisor looks after its children meanwhile."""
        deadline = time.monotonic() + seconds
        while True:
            self.supervisor.turn(time.monotonic())
            found = check()
            if found:
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"it did not come true within {seconds:g} s; logs:\n{self.logs()}")
            time.sleep(0.02)

    def logs(self) -> str:
        """The ends of all logs."""
        paths = sorted((self.var / "log").glob("*"))
        return "\n".join(f"--- {path.name}\n{path.read_text(errors='replace')[-3000:]}" for path in paths)

    def pid(self, name: str) -> int:
        """The process of a child now."""
        process = next(child.process for child in self.supervisor.children if child.name == name)
        assert process is not None
        return process.pid

    @contextlib.contextmanager
    def browser(self, session_id: uuid.UUID, user: Any = None, **options: Any) -> Iterator[Browser]:
        """A WebSocket of a logged-in user."""
        cookie = f"{settings.SESSION_COOKIE_NAME}={login(user)}" if user is not None else None
        options.setdefault("origin", f"http://127.0.0.1:{self.port}")
        connection = websocket.create_connection(
            f"ws://127.0.0.1:{self.port}/ws/cluster/{session_id}/", cookie=cookie, timeout=180, **options
        )
        connection.settimeout(0.05)
        try:
            yield Browser(self, connection)
        finally:
            connection.close()


class Browser:
    """One connection and all that it was sent."""

    def __init__(self, stack: Stack, connection: websocket.WebSocket) -> None:
        self.stack = stack
        self.connection = connection
        self.frames: list[dict[str, Any]] = []
        self.read = 0

    def send(self, **frame: Any) -> None:
        """Send one frame."""
        self.connection.send(json.dumps(frame))

    def line(self, text: str, terminal: str = "t1") -> str:
        """Type a line."""
        frame_id = str(uuid.uuid4())
        self.send(t="input", id=frame_id, kind="line", data={"terminal": terminal, "text": text})
        return frame_id

    def hello(self, cursor: int = 0, trace: int = 0) -> dict[str, Any]:
        """Greet and wait for the state."""
        self.send(t="hello", cursor=cursor, trace=trace)
        return self.until(lambda frame: frame["t"] == "state" and bool(frame["terminals"]))

    def until(self, wanted: Callable[[dict[str, Any]], bool], seconds: float = 180) -> dict[str, Any]:
        """The next frame that is wanted."""

        def look() -> dict[str, Any] | None:
            self._receive()
            while self.read < len(self.frames):
                self.read += 1
                if wanted(self.frames[self.read - 1]):
                    return self.frames[self.read - 1]
            return None

        found: dict[str, Any] = self.stack.wait(look, seconds)
        return found

    def receive(self) -> list[dict[str, Any]]:
        """The frames of the next message (docs/protocol.md); none when the connection has ended."""
        text = self.connection.recv()
        news = orjson.loads(text) if text else []
        return news if isinstance(news, list) else [news]

    def _receive(self) -> None:
        """Read what has come."""
        with contextlib.suppress(websocket.WebSocketTimeoutException):
            while True:
                frames = self.receive()
                if not frames:
                    return
                self.frames += frames

    def text(self) -> str:
        """Everything printed so far."""
        return "".join(chunk["data"] for frame in self.frames if frame["t"] == "out" for chunk in frame["chunks"])

    def see(self, text: str, seconds: float = 180) -> None:
        """Wait until this has been printed."""

        def look() -> bool:
            self._receive()
            return text in self.text()

        self.stack.wait(look, seconds)


def login(user: Any) -> str:
    """A session key of a logged-in user, as the log-in view makes it."""
    from importlib import import_module

    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    return str(store.session_key)
