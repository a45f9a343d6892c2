"""Which task runs next: the queue, the waits of tasks, and what wakes them."""

from __future__ import annotations

from collections import deque
from typing import Any

from ..kernel.world import World
from . import processes, streams
from .process import Process
from .program import Sleep, Wait, WaitChild, WaitRead, WaitTopic
from .tasks import (
    SIGKILL,
    Task,
    _fail,
    _name,
)

#: Resumptions in one pump: a loop among tasks that takes no time meets it.
MAX_RESUMES = 200_000


class Scheduler:
    """The queue of tasks that can run, and what the others wait for."""

    def signal(self, proc: Process, number: int) -> int:
        """Send a signal to a task."""
        raise NotImplementedError

    def end(self, proc: Process, code: int) -> None:
        """A task has ended."""
        raise NotImplementedError

    def __init__(self, world: World) -> None:
        self.world = world
        self.tasks: dict[str, Task] = {}
        #: The standard outputs of daemons that are starting this moment.
        self.starting: dict[str, streams.Stream] = {}
        self.ready: deque[Task] = deque()
        self.topics: dict[str, list[tuple[Task, int]]] = {}
        self.pumping = False
        self.umask = 0o022  # of the process that is being spawned

    def _enqueue(self, task: Task, value: Any = None) -> None:
        if not task.queued:
            task.queued = True
            task.value = value
            self.ready.append(task)

    def pump(self) -> None:
        """Run every task that can go on, until all wait."""
        if self.pumping:
            return
        self.pumping = True
        resumed = 0
        try:
            while self.ready:
                task = self.ready.popleft()
                task.queued = False
                if self.tasks.get(task.proc.key) is not task or task.steps is None:
                    continue
                if task.stopped:
                    task.missed = True
                    continue
                resumed += 1
                if resumed > MAX_RESUMES:
                    _fail(task, f"{_name(task)}: too many steps at one instant; stopped by Slipway\n", 1)
                    self.signal(task.proc, SIGKILL)
                    continue
                self._resume(task)
        finally:
            self.pumping = False

    def _resume(self, task: Task) -> None:
        task.turn += 1
        task.wait = None
        if task.timer:
            self.world.cancel(task.timer)
            task.timer = 0
        assert task.steps is not None
        try:
            wait = task.steps.send(task.value if task.turn > 1 else None)
        except StopIteration as stop:
            self.end(task.proc, int(stop.value or 0))
            return
        task.wait = wait
        self._arm(task, wait)

    def _arm(self, task: Task, wait: Wait) -> None:
        turn = task.turn
        target = f"co:{task.proc.key}"
        if isinstance(wait, Sleep):
            task.timer = self.world.after(max(wait.ns, 0), target, turn)
        elif isinstance(wait, WaitRead):
            stream = task.fds.get(wait.fd)
            if stream is None or stream.ready:
                self._enqueue(task)
            else:
                stream.watch(lambda: self._wake(task, turn, None))
        elif isinstance(wait, WaitChild):
            child = processes.find(self.world, task.proc.host, wait.pid)
            if child is None:
                self._enqueue(task)
            else:
                self.topics.setdefault(f"exit:{child.key}", []).append((task, turn))
        elif isinstance(wait, WaitTopic):
            for topic in wait.topics:
                self.topics.setdefault(topic, []).append((task, turn))
            if wait.deadline is not None:
                task.timer = self.world.at(wait.deadline, target, turn)

    def _wake(self, task: Task, turn: int, value: Any) -> None:
        if task.turn == turn and not task.queued and self.tasks.get(task.proc.key) is task:
            self._enqueue(task, value)
            if not self.pumping:
                self.world.at(self.world.now, "co:", None)

    def on_ring(self, topic: str) -> None:
        """The world's bell: wake tasks that wait for the topic."""
        waiting = self.topics.pop(topic, None)
        if waiting:
            for task, turn in waiting:
                self._wake(task, turn, True)

    def dispatch(self, rest: str, payload: Any) -> None:
        """Timer handler of `co:<host>/<pid>`."""
        task = self.tasks.get(rest)
        if task is not None:
            if task.daemon:
                self._drop(rest)
            elif task.turn == payload and not task.queued:
                task.timer = 0
                self._enqueue(task, False if isinstance(task.wait, WaitTopic) else None)
        self.pump()

    def _drop(self, key: str) -> None:
        task = self.tasks.pop(key, None)
        if task is not None:
            for fd in sorted(task.fds):
                task.fds[fd].close()
            task.fds.clear()
