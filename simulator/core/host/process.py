"""Processes as plain data.

Everything that runs is a process on a host: daemons (their behaviour is a `Program`, see `program.py`) and commands (a
coroutine in the executor).  Killing a process ends its timers, sockets and subscriptions, whatever it was.
"""

from __future__ import annotations

import msgspec


class Process(msgspec.Struct):
    """One process of a host.

    `program` names its behaviour in `tables['programs']` (daemons) or is the command's name; `sink` says where its output
    goes: `journal:<unit>`, `file:<path>`, `tty:<terminal>` or `null`; `mnt` is `host` or a container id (its root file
    system); `netns` is a key of `Network.namespaces`; `started` is virtual nanoseconds.
    A process that has ended is in no table; whoever still holds it finds `state` X and its `exit_code`.
    """

    pid: int
    ppid: int
    host: str
    program: str
    argv: list[str]
    user: str = "root"
    cwd: str = "/"
    env: dict[str, str] = {}
    started: int = 0
    state: str = "S"
    sink: str = "null"
    mnt: str = "host"
    netns: str = ""
    unit: str = ""
    container: str = ""
    memory_kib: int = 4096
    exit_code: int = -1
    pgid: int = 0
    tty: str = ""
    umask: int = 0o022

    @property
    def title(self) -> str:
        """The command line that `ps` shows; nginx's master writes over its own (ngx_setproctitle)."""
        text = " ".join(self.argv) or self.program
        return f"nginx: master process {text}" if self.program.partition(":")[0] == "nginx" and text[:6] != "nginx:" else text

    @property
    def key(self) -> str:
        """`host/pid`: the key of this process's own state in sections, and of its timers (`proc:host/pid`)."""
        return f"{self.host}/{self.pid}"

    @property
    def target(self) -> str:
        """The timer target that reaches this process's program."""
        return f"proc:{self.host}/{self.pid}"
