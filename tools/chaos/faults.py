"""What goes wrong, each by name: processes killed and stopped, stores flushed and cut off, messages doubled, late and
out of order, disks full, clocks that jump.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import uuid
from collections.abc import Callable

import psycopg
import redis

from tools.load import processes
from tools.production.machine import Machine

from .surroundings import Surroundings

#: Parts that have a clock of their own: the site's processes.  Redis' allocator and libfaketime do not get on, and PostgreSQL stays with Redis.
CLOCKS = ("web", "worker")


class Faults:
    """Each public method without an underscore is a fault; `random` decides on whom."""

    def __init__(self, machine: Machine, surroundings: Surroundings, sessions: list[str], seed: int) -> None:
        self.machine, self.surroundings = machine, surroundings
        self.sessions = sessions
        self.seed = seed
        self.random = random.Random(seed)
        self._later: list[int] = []

    def _one(self, kind: str) -> int:
        names = [name for name in self.machine.parts if name.split(".")[0] == kind and self.machine.pid(name)]
        return self.machine.pid(self.random.choice(names)) if names else 0

    @staticmethod
    def _signal(pid: int, number: signal.Signals) -> None:
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _kill_tree(self, pid: int) -> None:
        """The parent first, or it would start its children again."""
        for each in processes.tree(pid) if pid else ():
            self._signal(each, signal.SIGKILL)

    def kill_worker(self) -> None:
        """A whole worker."""
        self._signal(self._one("worker"), signal.SIGKILL)

    def kill_pool_process(self) -> None:
        """The process in which a worker runs its tasks."""
        pids = processes.tree(self._one("worker"))
        if len(pids) > 1:
            self._signal(self.random.choice(pids[1:]), signal.SIGKILL)

    def kill_web(self) -> None:
        """A web process with everybody who is connected to it."""
        self._signal(self._one("web"), signal.SIGKILL)

    def kill_redis(self) -> None:
        """Redis; it comes back with what its append-only file holds."""
        self._signal(self._one("redis"), signal.SIGKILL)

    def flush_redis(self) -> None:
        """Everything that Redis holds: tasks on their way, attempts, signs of life."""
        with contextlib.suppress(redis.RedisError), redis.Redis.from_url(self.machine.redis_url, socket_timeout=2) as client:
            client.flushall()

    def drop_database_connections(self) -> None:
        """What clients see of a database that fails over."""
        with (
            contextlib.suppress(psycopg.Error),
            psycopg.connect(self.machine.database.url, connect_timeout=2, autocommit=True) as connection,
        ):
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )

    def kill_database(self) -> None:
        """PostgreSQL with all its processes; it recovers from its log."""
        self._kill_tree(self._one("postgresql"))

    def pause_worker(self) -> None:
        """A worker that stands still for a while (its machine swaps, or was moved)."""
        pids = processes.tree(self._one("worker"))
        for pid in pids:
            self._signal(pid, signal.SIGSTOP)
        self._later = [*self._later, *pids]

    def stop_nginx(self) -> None:
        """nginx is killed, with every connection."""
        self._kill_tree(self._one("nginx"))

    def double_and_reorder(self) -> None:
        """Tasks again, late, out of order, for rows of long ago and rows that are not there, at times that have passed."""
        from django.db import DatabaseError
        from kombu.exceptions import OperationalError

        from simulator import tasks
        from simulator.models import JournalEntry

        with contextlib.suppress(OperationalError, DatabaseError, OSError, redis.RedisError):
            for session in self.random.sample(self.sessions, min(3, len(self.sessions))):
                pk = uuid.UUID(session)
                rows = [row.carried() for row in JournalEntry.objects.filter(session_id=pk).order_by("-seq")[:6]]
                self.random.shuffle(rows)
                for row in rows:
                    tasks.send(tasks.advance, pk, None, row, priority=self.random.choice((0, 3, 6)))
                tasks.send(tasks.advance, pk, self.random.randrange(10**10), priority=6)
                tasks.send(tasks.rest, pk, priority=self.random.choice((0, 9)))

    def fill_redis_disk(self) -> None:
        """No room for Redis' append-only file: it refuses every write until there is."""
        self.surroundings.disks["redis"].fill()

    def fill_database_disk(self) -> None:
        """No room for PostgreSQL, which is made to need some at once: it stops, and starts again when there is."""
        self.surroundings.disks["postgresql"].fill()
        with (
            contextlib.suppress(psycopg.Error),
            psycopg.connect(self.machine.database.url, connect_timeout=2, autocommit=True) as connection,
        ):
            for _ in range(8):
                connection.execute("SELECT pg_logical_emit_message(true, 'chaos', repeat('x', 1000))")
                connection.execute("SELECT pg_switch_wal()")

    def one_clock(self) -> None:
        """One process is told another time of day than the others: seconds or an hour, before or after."""
        self.surroundings.clocks.set(self.random.choice(self._clocks()), self._offset())

    def all_clocks(self) -> None:
        """The machine's clock is set."""
        offset = self._offset()
        for name in self._clocks():
            self.surroundings.clocks.set(name, offset)

    def _clocks(self) -> list[str]:
        return [name for name in self.machine.parts if name.split(".")[0] in CLOCKS]

    def _offset(self) -> int:
        return self.random.choice((-3600, -40, 40, 3600))

    def wake(self) -> None:
        """Let go on what was made to stand still, and put right what was taken or set wrong (called before the next fault)."""
        self.surroundings.right()
        for pid in self._later:
            self._signal(pid, signal.SIGCONT)
        self._later = []

    def table(self) -> dict[str, Callable[[], None]]:
        """All faults that can be made here, by name."""
        found = {
            "kill a worker": self.kill_worker,
            "kill a pool process": self.kill_pool_process,
            "flush Redis": self.flush_redis,
            "drop database connections": self.drop_database_connections,
            "double and reorder messages": self.double_and_reorder,
            "kill a web process": self.kill_web,
            "pause a worker": self.pause_worker,
            "kill Redis": self.kill_redis,
            "kill nginx": self.stop_nginx,
            "kill PostgreSQL": self.kill_database,
        }
        if "redis" in self.surroundings.disks:
            found["fill Redis' disk"] = self.fill_redis_disk
        if "postgresql" in self.surroundings.disks:
            found["fill PostgreSQL's disk"] = self.fill_database_disk
        if self.surroundings.clocks.library is not None:
            found |= {"set one clock": self.one_clock, "set all clocks": self.all_clocks}
        return found
