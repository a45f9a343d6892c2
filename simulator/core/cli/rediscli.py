"""redis-cli: asks a Redis server over the simulated network (redis `src/redis-cli.c`)."""

from __future__ import annotations

import shlex
from collections.abc import Generator
from typing import Any

from ..host.program import Invocation, Wait
from ..kernel import network
from ..kernel.errors import ConnectError
from ..kernel.http import Request
from ..runtime.programs.redisdata import Failure, Status
from ..shell.coreutils.names import resolve
from .flags import quote


def _address(call: Any, name: str) -> str:
    """An address for a host name; raises ConnectError where there is none."""
    found = resolve(call, name)
    if not found.addresses:
        raise ConnectError("dns", name)
    return found.addresses[0]


def show(value: Any, tty: bool, indent: str = "") -> str:
    """A reply: with types on a terminal, raw elsewhere."""
    if not tty:
        if isinstance(value, list):
            return "".join(show(item, False) for item in value) or "\n"
        return ("" if value is None else str(value)) + "\n"
    if value is None:
        return "(nil)\n"
    if isinstance(value, Failure):
        return f"(error) {value}\n"
    if isinstance(value, Status):
        return f"{value}\n"
    if isinstance(value, int):
        return f"(integer) {value}\n"
    if isinstance(value, list):
        if not value:
            return "(empty array)\n"
        width = len(str(len(value)))
        return "".join(
            (indent if n else "") + f"{n + 1:>{width}}) " + show(item, True, indent + " " * (width + 2))
            for n, item in enumerate(value)
        )
    return quote(str(value)) + "\n"


def main(inv: Invocation) -> Generator[Wait, Any, int]:
    """The command `redis-cli`."""
    call: Any = inv
    words = list(inv.argv[1:])
    host, port, password, raw = "127.0.0.1", "6379", inv.env.get("REDISCLI_AUTH", ""), not inv.stdout_tty
    while words and words[0].startswith("-") and len(words[0]) > 1:
        word = words.pop(0)
        if word in ("-h", "-p", "-a", "-n", "-u", "--user", "--pass") and words:
            value = words.pop(0)
            if word == "-h":
                host = value
            elif word == "-p":
                port = value
            elif word in ("-a", "--pass"):
                password = value
            elif word == "-u":
                host, _, port = value.removeprefix("redis://").rpartition("@")[2].partition("/")[0].partition(":")
                port = port or "6379"
        elif word in ("--version", "-v"):
            inv.out(f"redis-cli {inv.env.get('REDIS_VERSION', '8.4.0')}\n")
            return 0
        elif word == "--raw":
            raw = True
        elif word == "--no-raw":
            raw = False
        elif word in ("--no-auth-warning", "-3", "-2"):
            continue
        elif word == "--help":
            inv.out(
                "redis-cli\n\nUsage: redis-cli [OPTIONS] [cmd [arg [arg ...]]]\n  -h <hostname>      Server hostname (default: 127.0.0.1).\n  -p <port>          Server port (default: 6379).\n  -a <password>      Password to use when connecting to the server.\n"
            )
            return 0
        else:
            inv.err(f"Unrecognized option or bad number of args for: '{word}'\n")
            return 1
    if password and not raw:
        inv.err("Warning: Using a password with '-a' or '-u' option on the command line interface may not be safe.\n")
    session: dict[str, str] = {"auth": password}

    def send(parts: list[str]) -> tuple[Any, str]:
        try:
            address = _address(inv, host)
            answer = network.http(
                inv.world,
                call.proc.netns,
                address,
                int(port),
                Request(method="RESP", path="/", obj=parts, headers=dict(session), scheme="redis"),
            )
        except ConnectError as failed:
            text = {
                "refused": "Connection refused",
                "timeout": "Connection timed out",
                "dns": "Name or service not known",
                "reset": "Server closed the connection",
            }.get(failed.kind, "No route to host")
            return None, f"Could not connect to Redis at {host}:{port}: {text}\n"
        if answer.status != 200 or not isinstance(answer.obj, tuple):
            return None, 'Error: Protocol error, got "H" as reply type byte\n'
        if parts[0].upper() == "AUTH" and not isinstance(answer.obj[0], Failure):
            session["auth"] = parts[-1]
        return answer.obj[0], ""

    if words:
        value, problem = send(words)
        if problem:
            inv.err(problem)
            return 1
        inv.out(show(value, not raw))
        return 1 if isinstance(value, Failure) and raw else 0
    if inv.stdin_tty:
        return (yield from _prompt(inv, send, f"{host}:{port}> ", raw))
    for line in (yield from inv.read()).decode(errors="replace").splitlines():
        if line.strip():
            value, problem = send(shlex.split(line))
            if problem:
                inv.err(problem)
                return 1
            inv.out(show(value, not raw))
    return 0


def _prompt(inv: Invocation, send: Any, prompt: str, raw: bool) -> Generator[Wait, Any, int]:
    while True:
        inv.out(prompt)
        line = (yield from inv.read_line()).decode(errors="replace")
        if not line:
            return 0
        try:
            words = shlex.split(line)
        except ValueError:
            inv.out("Invalid argument(s)\n")
            continue
        if not words:
            continue
        if words[0].lower() in ("quit", "exit"):
            return 0
        value, problem = send(words)
        inv.out(problem or show(value, not raw))
