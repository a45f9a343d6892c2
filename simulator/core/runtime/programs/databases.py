"""Databases of images: redis, MySQL, MariaDB and PostgreSQL: their logs, and what they refuse to start without."""

from __future__ import annotations

from typing import Any

from ...host import processes
from ...host.process import Process
from ...host.program import Exited
from ...kernel import clock, network
from ...kernel.clock import MS, SECOND
from ...kernel.errors import ConnectError
from ...kernel.http import Request, Response
from ...kernel.world import World
from .. import logs
from . import redisdata
from .basics import Quiet


def data(world: World) -> dict[str, dict[str, str]]:
    """The section `redis`: keys and values of each server by `Process.key`."""
    found: dict[str, dict[str, str]] = world.section("redis", dict)
    return found


class Redis(Quiet):
    """redis-server: start and stop lines; its data are in the section `redis` for redis-cli."""

    def start(self, world: World, proc: Process) -> None:
        """Bind and log the start."""
        version = proc.env.get("REDIS_VERSION", "8.4.0")
        port = int(proc.argv[proc.argv.index("--port") + 1]) if "--port" in proc.argv[:-1] else 6379
        if not version.startswith(("5", "6", "7")):
            logs.emit(world, proc, "Starting Redis Server")
        self._line(world, proc, "C", "oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo")
        self._line(world, proc, "C", f"Redis version={version}, bits=64, commit=00000000, modified=0, pid=1, just started")
        if len(proc.argv) == 1:
            self._line(
                world,
                proc,
                "C",
                "Warning: no config file specified, using the default config. In order to specify a config file use redis-server /path/to/redis.conf",
                "#",
            )
        try:
            network.listen(world, proc.netns, port, host=proc.host, pid=proc.pid)
        except OSError:
            self._line(
                world,
                proc,
                "M",
                f"Warning: Could not create server TCP listening socket *:{port}: bind: Address already in use",
                "#",
            )
            self._line(world, proc, "M", f"Failed listening on port {port} (tcp), aborting.", "#")
            raise Exited(1) from None
        self._line(world, proc, "M", "monotonic clock: POSIX clock_gettime")
        self._line(world, proc, "M", f"Running mode=standalone, port={port}.")
        self._line(world, proc, "M", "Server initialized")
        self._line(world, proc, "M", "Ready to accept connections tcp")
        data(world)[proc.key] = {}

    @staticmethod
    def _line(world: World, proc: Process, role: str, text: str, level: str = "*") -> None:
        now = clock.to_datetime(world.wall)
        logs.emit(world, proc, f"1:{role} {now.strftime('%d %b %Y %H:%M:%S')}.{now.microsecond // 1000:03d} {level} {text}")

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """A command of redis-cli (method `RESP`, `obj` its words, header `auth` the password); HTTP is refused as Redis does."""
        if request.method != "RESP":
            raise ConnectError("reset", proc.netns)
        secret = self._option(proc, "--requirepass")
        words = [str(word) for word in request.obj or []]
        name = words[0].upper() if words else ""
        value: Any
        if name == "AUTH":
            if not secret:
                value = redisdata.Failure(
                    "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?"
                )
            else:
                value = (
                    redisdata.OK
                    if words[-1] == secret
                    else redisdata.Failure("WRONGPASS invalid username-password pair or user is disabled.")
                )
        elif secret and request.headers.get("auth") != secret:
            value = redisdata.Failure("NOAUTH Authentication required.")
        elif name == "INFO":
            version = proc.env.get("REDIS_VERSION", "8.4.0")
            up = (world.now - proc.started) // SECOND
            value = f"# Server\nredis_version:{version}\nredis_mode:standalone\nos:Linux x86_64\nprocess_id:1\ntcp_port:6379\nuptime_in_seconds:{up}\n\n# Clients\nconnected_clients:1\n\n# Memory\nused_memory_human:1.02M\n\n# Replication\nrole:master\nconnected_slaves:0\n\n# Keyspace"
            count = len(redisdata.keys(data(world).get(proc.key, {})))
            value += f"\ndb0:keys={count},expires=0,avg_ttl=0" if count else ""
        elif name == "CONFIG":
            wanted = words[2].lower() if len(words) > 2 else ""
            known = {
                "port": "6379",
                "maxmemory": self._option(proc, "--maxmemory") or "0",
                "appendonly": self._option(proc, "--appendonly") or "no",
                "save": "3600 1 300 100 60 10000",
            }
            value = [wanted, known[wanted]] if wanted in known else []
        else:
            value = redisdata.execute(data(world).setdefault(proc.key, {}), words or [""], world.now)
        return Response(status=200, obj=(value,))

    @staticmethod
    def _option(proc: Process, name: str) -> str:
        words = proc.argv
        return words[words.index(name) + 1] if name in words[:-1] else ""

    def stop(self, world: World, proc: Process, signal: int) -> int:
        """TERM saves and ends with 0."""
        data(world).pop(proc.key, None)
        if signal == 9:
            return 137
        now = world.wall // SECOND
        logs.emit(
            world, proc, f"1:signal-handler ({now}) Received {'SIGINT' if signal == 2 else 'SIGTERM'} scheduling shutdown..."
        )
        self._line(world, proc, "M", "User requested shutdown...")
        self._line(world, proc, "M", "Saving the final RDB snapshot before exiting.")
        self._line(world, proc, "M", "DB saved on disk")
        self._line(world, proc, "M", "Redis is now ready to exit, bye bye...", "#")
        return 0


class _Database(Quiet):
    """A database that needs its environment before it starts, then some time before it listens."""

    port = 0
    ready_after = 4 * SECOND

    def missing(self, proc: Process) -> str:
        """The message of the image's entrypoint when something is missing, or ""."""
        raise NotImplementedError

    def begin(self, world: World, proc: Process) -> None:
        """Log the first lines."""

    def ready(self, world: World, proc: Process) -> None:
        """Log that it serves."""

    def start(self, world: World, proc: Process) -> None:
        """Check the environment, then initialise for a while."""
        self.begin(world, proc)
        problem = self.missing(proc)
        if problem:
            logs.emit(world, proc, problem.replace("{now}", self.when(world)), "stderr")
            world.after(180 * MS, proc.target, "fail")
            return
        world.after(self.ready_after, proc.target, "ready")

    @staticmethod
    def when(world: World) -> str:
        """`2026-11-02 09:00:00+00:00`, as the entrypoints of MySQL and MariaDB print it."""
        return clock.to_datetime(world.wall).strftime("%Y-%m-%d %H:%M:%S+00:00")

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """Initialisation is over, or the entrypoint gives up."""
        if payload == "fail":
            processes.exit(world, proc, 1)
            return
        try:
            network.listen(world, proc.netns, self.port, host=proc.host, pid=proc.pid)
        except OSError:
            logs.emit(world, proc, f"Can't start server: Bind on TCP/IP port: Address already in use ({self.port})", "stderr")
            processes.exit(world, proc, 1)
            return
        self.ready(world, proc)


class Mysql(_Database):
    """MySQL and MariaDB (docker-library/mysql: docker-entrypoint.sh)."""

    port = 3306
    ready_after = 9 * SECOND

    def __init__(self, product: str, prefix: str) -> None:
        self.product, self.prefix = product, prefix

    def begin(self, world: World, proc: Process) -> None:
        """The entrypoint's greeting."""
        version = proc.env.get(f"{self.prefix}_VERSION", "")
        for text in (
            f"Entrypoint script for {self.product} Server {version} started.",
            "Switching to dedicated user 'mysql'",
            f"Entrypoint script for {self.product} Server {version} started.",
        ):
            logs.emit(world, proc, f"{self.when(world)} [Note] [Entrypoint]: {text}")

    def missing(self, proc: Process) -> str:
        """The root password, or leave to do without."""
        names = [f"{self.prefix}_ROOT_PASSWORD", f"{self.prefix}_ALLOW_EMPTY_PASSWORD", f"{self.prefix}_RANDOM_ROOT_PASSWORD"]
        if self.prefix == "MARIADB":
            names = [
                "MARIADB_ROOT_PASSWORD",
                "MARIADB_ROOT_PASSWORD_HASH",
                "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD",
                "MARIADB_RANDOM_ROOT_PASSWORD",
            ]
        if any(proc.env.get(name) or proc.env.get(name.replace("MARIADB", "MYSQL")) for name in names):
            return ""
        listing = "".join(f"\n    - {name}" for name in names)
        which = (
            "one of the following as an environment variable"
            if self.prefix == "MYSQL"
            else f"one of {', '.join(names[:-1])} and {names[-1]}"
        )
        if self.prefix == "MARIADB":
            return f"{{now}} [ERROR] [Entrypoint]: Database is uninitialized and password option is not specified\n\tYou need to specify {which}"
        return f"{{now}} [ERROR] [Entrypoint]: Database is uninitialized and password option is not specified\n    You need to specify {which}:{listing}"

    def ready(self, world: World, proc: Process) -> None:
        """Serving."""
        stamp = clock.rfc3339_micro(world.wall)
        version = proc.env.get(f"{self.prefix}_VERSION", "").partition("-")[0]
        logs.emit(world, proc, f"{self.when(world)} [Note] [Entrypoint]: {self.product} init process done. Ready for start up.")
        logs.emit(
            world,
            proc,
            f"{stamp} 0 [System] [MY-010931] [Server] /usr/sbin/mysqld: ready for connections. Version: '{version}'  socket: '/var/run/mysqld/mysqld.sock'  port: 3306  {self.product} Community Server - GPL.",
            "stderr",
        )


class Postgres(_Database):
    """PostgreSQL (docker-library/postgres: docker-entrypoint.sh)."""

    port = 5432
    ready_after = 2 * SECOND

    def missing(self, proc: Process) -> str:
        """The superuser's password, or trust."""
        if proc.env.get("POSTGRES_PASSWORD") or proc.env.get("POSTGRES_HOST_AUTH_METHOD") == "trust":
            return ""
        return (
            "Error: Database is uninitialized and superuser password is not specified.\n"
            "       You must specify POSTGRES_PASSWORD to a non-empty value for the\n"
            '       superuser. For example, "-e POSTGRES_PASSWORD=password" on "docker run".\n\n'
            '       You may also use "POSTGRES_HOST_AUTH_METHOD=trust" to allow all\n'
            "       connections without a password. This is *not* recommended.\n\n"
            '       See PostgreSQL documentation about "trust":\n'
            "       https://www.postgresql.org/docs/current/auth-trust.html"
        )

    def ready(self, world: World, proc: Process) -> None:
        """Serving."""
        now = clock.to_datetime(world.wall)
        stamp = now.strftime("%Y-%m-%d %H:%M:%S.") + f"{now.microsecond // 1000:03d} UTC"
        logs.emit(world, proc, "\nPostgreSQL init process complete; ready for start up.\n")
        logs.emit(world, proc, f'{stamp} [1] LOG:  listening on IPv4 address "0.0.0.0", port 5432', "stderr")
        logs.emit(world, proc, f"{stamp} [1] LOG:  database system is ready to accept connections", "stderr")
