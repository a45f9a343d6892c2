"""containerd and dockerd typed in a shell: what prints and ends does so here, on standard output; else the daemon runs in the foreground."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, cast

from ..host import processes
from ..host.invocation import Call
from ..host.program import Invocation, Wait, WaitTopic
from ..runtime import config, configtext, containerd
from ..runtime.engine import dockerd

_CONFIG_HELP = (
    "NAME:\n   containerd config - Information on the containerd config\n\nUSAGE:\n   containerd config command [command options]\n\nCOMMANDS:\n"
    "   default  See the output of the default config\n   dump     See the output of the final main config with imported in subconfig files\n"
    "   migrate  Migrate the current configuration file to the latest version (does not migrate subconfig files)\n\nOPTIONS:\n   --help, -h  show help\n"
)


def containerd_main(inv: Invocation) -> Generator[Wait, Any, int] | int:
    """The command `containerd`."""
    words = [word for word in inv.argv[1:] if not word.startswith("-")]
    if {"--version", "-v"} & set(inv.argv[1:]):
        inv.out(f"containerd github.com/containerd/containerd/v2 v{containerd.VERSION} {containerd.REVISION}\n")
        return 0
    if words[:1] == ["config"]:
        try:
            if words[1:] == ["default"]:
                inv.out(configtext.default_text())
            elif words[1:] == ["dump"]:
                inv.out(configtext.dump_text(inv.world, inv.host.name))
            elif words[1:] == ["migrate"]:
                inv.out(configtext.migrate_text(inv.world, inv.host.name))
            else:
                inv.out(_CONFIG_HELP)
        except config.BadConfig as bad:
            inv.err(f"{bad}\n")
            return 1
        return 0
    return _foreground(inv, "containerd")


def dockerd_main(inv: Invocation) -> Generator[Wait, Any, int] | int:
    """The command `dockerd`."""
    if {"--version", "-v"} & set(inv.argv[1:]):
        inv.out(f"Docker version {dockerd.VERSION}, build {dockerd.COMMIT}\n")
        return 0
    return _foreground(inv, "dockerd")


def _foreground(inv: Invocation, program: str) -> Generator[Wait, Any, int]:
    call = cast(Call, inv)
    if call.proc.user != "root":
        text = "dockerd needs to be started with root privileges. To run dockerd in rootless mode as an unprivileged user, see https://docs.docker.com/go/rootless/"
        inv.err(
            f"{text}\n"
            if program == "dockerd"
            else "containerd: failed to create temp dir: mkdir /var/lib/containerd: permission denied\n"
        )
        return 1
    daemon = processes.start(
        inv.world, host=inv.host.name, program=program, argv=inv.argv, ppid=call.proc.pid, sink=f"fd:{call.proc.key}"
    )
    try:
        while processes.alive(inv.world, daemon):
            yield WaitTopic((f"exit:{daemon.key}",))
        return daemon.exit_code
    finally:
        if processes.alive(inv.world, daemon):
            processes.kill(inv.world, daemon, 15)
