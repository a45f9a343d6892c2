"""`ssh`: to the nodes of the world by name or address; a shell there, or one command."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ..host import executor, users
from ..host.files import tree
from ..host.invocation import Call
from ..host.machine import Host, hosts
from ..host.program import Wait
from ..kernel import network
from ..kernel.errors import NotSimulated
from ..shell.coreutils.names import lookup_name

VALUED = set("bcDEeFIiJLlmOopQRSWw")


def _target(call: Call) -> tuple[str, str, list[str]] | None:
    user, rest, target = "", list(call.argv[1:]), ""
    while rest:
        word = rest[0]
        if word.startswith("-") and not target:
            rest.pop(0)
            if word[1:2] in ("L", "R", "D", "W"):
                raise NotSimulated("port forwarding")
            if word[1:2] in VALUED:
                value = word[2:] or (rest.pop(0) if rest else "")
                user = value if word[1] == "l" else user
            continue
        if target:
            break
        target = rest.pop(0)
    if not target:
        return None
    if "@" in target:
        user, _, target = target.rpartition("@")
    return user or call.proc.user, target, rest


def machine_of(call: Call, name: str) -> Host | str:
    """The machine of a name or address as its ssh server answers, or why it does not."""
    addresses = lookup_name(call, name)
    machines = hosts(call.world)
    machine = next((item for item in machines.values() if item.name == name or (addresses and item.ip == addresses[0])), None)
    if machine is None and addresses == ["127.0.0.1"]:
        machine = call.host
    if machine is None:
        if not addresses:
            return f"Could not resolve hostname {name}: Name or service not known"
        return f"connect to host {name} port 22: Connection timed out"
    net = network.network(call.world)
    if not machine.up or net.down.get(machine.name) or net.cut.get(network.link_key(machine.name, call.host.name)):
        return f"connect to host {name} port 22: {'No route to host' if not machine.up else 'Connection timed out'}"
    return machine


def ssh(call: Call) -> Generator[Wait, Any, int]:
    """`ssh [user@]host [command]`."""
    found = _target(call)
    if found is None:
        call.err("usage: ssh [-46AaCfGgKkMNnqsTtVvXxYy] [-l login_name] [-p port] destination [command [argument ...]]\n")
        return 255
    user, name, command = found
    machine = machine_of(call, name)
    if isinstance(machine, str):
        call.err(f"ssh: {machine}\n")
        return 255
    files = tree(machine)
    if user != "root" and users.passwd(files, user) is None:
        call.err(f"{user}@{name}: Permission denied (publickey).\n")
        return 255
    home = users.home_of(files, user)
    env = {
        "HOME": home,
        "USER": user,
        "LOGNAME": user,
        "SHELL": "/bin/bash",
        "PATH": executor.DEFAULT_PATH,
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "SSH_CONNECTION": f"{call.host.ip} 40022 {machine.ip} 22",
    }
    cwd = home if files.isdir(home) else "/"
    if not command and call.stdin_tty:
        call.out(f"Welcome to {machine.os_image} (GNU/Linux {machine.kernel} x86_64)\n\n")
        code = yield from executor.exec_in(
            call, machine.name, ["bash", "-l"], mnt="host", netns=machine.name, env=env, user=user, cwd=cwd, stdin=True
        )
        call.err(f"Connection to {name} closed.\n")
        return code
    argv = ["bash", "-c", " ".join(command)] if command else ["bash"]
    return (
        yield from executor.exec_in(
            call, machine.name, argv, mnt="host", netns=machine.name, env=env, user=user, cwd=cwd, stdin=True
        )
    )
