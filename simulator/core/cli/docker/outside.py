"""Docker's commands on what Slipway has no part of: Swarm, plugins, content trust, checkpoints.

A host is in no swarm, has no plugin and no experimental daemon: what docker says of that is what it says here.  Only what would change it
(`swarm init`, `plugin install`, …) is refused as not simulated.  `manifest` reads what a registry has; lists made by hand are not simulated.
"""

from __future__ import annotations

import json
from typing import Any

from ...kernel.errors import NotSimulated
from ...runtime import references, registry
from ...runtime.engine.core import EngineError
from ..cobra import ArgsCheck, Command
from ..engine import archives
from ..engine.flagspec import flags
from ..engine.pulling import reference
from ..engine.session import CliError
from .flags import FLAGS
from .usage import at_least, at_most, between, exact, no_args

#: Group → (its description, its commands: usage and description, one a line).
_GROUPS: dict[str, tuple[str, str]] = {
    "checkpoint": (
        "Manage checkpoints",
        """
create [OPTIONS] CONTAINER CHECKPOINT | Create a checkpoint from a running container
ls [OPTIONS] CONTAINER | List checkpoints for a container
rm [OPTIONS] CONTAINER CHECKPOINT | Remove a checkpoint
""",
    ),
    "plugin": (
        "Manage plugins",
        """
create [OPTIONS] PLUGIN PLUGIN-DATA-DIR | Create a plugin from a rootfs and configuration. Plugin data directory must contain config.json and rootfs directory.
disable [OPTIONS] PLUGIN | Disable a plugin
enable [OPTIONS] PLUGIN | Enable a plugin
inspect [OPTIONS] PLUGIN [PLUGIN...] | Display detailed information on one or more plugins
install [OPTIONS] PLUGIN [KEY=VALUE...] | Install a plugin
ls [OPTIONS] | List plugins
push [OPTIONS] PLUGIN[:TAG] | Push a plugin to a registry
rm [OPTIONS] PLUGIN [PLUGIN...] | Remove one or more plugins
set PLUGIN KEY=VALUE [KEY=VALUE...] | Change settings for a plugin
upgrade [OPTIONS] PLUGIN [REMOTE] | Upgrade an existing plugin
""",
    ),
    "trust": (
        "Manage trust on Docker images",
        """
inspect IMAGE[:TAG] [IMAGE[:TAG]...] | Return low-level information about keys and signatures
revoke [OPTIONS] IMAGE[:TAG] | Remove trust for an image
sign IMAGE:TAG | Sign an image
""",
    ),
    "swarm": (
        "Manage Swarm",
        """
ca [OPTIONS] | Display and rotate the root CA
init [OPTIONS] | Initialize a swarm
join [OPTIONS] HOST:PORT | Join a swarm as a node and/or manager
join-token [OPTIONS] (worker|manager) | Manage join tokens
leave [OPTIONS] | Leave the swarm
unlock | Unlock swarm
unlock-key [OPTIONS] | Manage the unlock key
update [OPTIONS] | Update the swarm
""",
    ),
    "config": (
        "Manage Swarm configs",
        """
create [OPTIONS] CONFIG file|- | Create a config from a file or STDIN
inspect [OPTIONS] CONFIG [CONFIG...] | Display detailed information on one or more configs
ls [OPTIONS] | List configs
rm CONFIG [CONFIG...] | Remove one or more configs
""",
    ),
    "node": (
        "Manage Swarm nodes",
        """
demote NODE [NODE...] | Demote one or more nodes from manager in the swarm
inspect [OPTIONS] self|NODE [NODE...] | Display detailed information on one or more nodes
ls [OPTIONS] | List nodes in the swarm
promote NODE [NODE...] | Promote one or more nodes to manager in the swarm
ps [OPTIONS] [NODE...] | List tasks running on one or more nodes, defaults to current node
rm [OPTIONS] NODE [NODE...] | Remove one or more nodes from the swarm
update [OPTIONS] NODE | Update a node
""",
    ),
    "secret": (
        "Manage Swarm secrets",
        """
create [OPTIONS] SECRET [file|-] | Create a secret from a file or STDIN as content
inspect [OPTIONS] SECRET [SECRET...] | Display detailed information on one or more secrets
ls [OPTIONS] | List secrets
rm SECRET [SECRET...] | Remove one or more secrets
""",
    ),
    "service": (
        "Manage Swarm services",
        """
create [OPTIONS] IMAGE [COMMAND] [ARG...] | Create a new service
inspect [OPTIONS] SERVICE [SERVICE...] | Display detailed information on one or more services
logs [OPTIONS] SERVICE|TASK | Fetch the logs of a service or task
ls [OPTIONS] | List services
ps [OPTIONS] SERVICE [SERVICE...] | List the tasks of one or more services
rm SERVICE [SERVICE...] | Remove one or more services
rollback [OPTIONS] SERVICE | Revert changes to a service's configuration
scale SERVICE=REPLICAS [SERVICE=REPLICAS...] | Scale one or multiple replicated services
update [OPTIONS] SERVICE | Update a service
""",
    ),
    "stack": (
        "Manage Swarm stacks",
        """
config [OPTIONS] | Outputs the final config file, after doing merges and interpolations
deploy [OPTIONS] STACK | Deploy a new stack or update an existing stack
ls [OPTIONS] | List stacks
ps [OPTIONS] STACK | List the tasks in the stack
rm [OPTIONS] STACK [STACK...] | Remove one or more stacks
services [OPTIONS] STACK | List the services in the stack
""",
    ),
}
_SWARM = ("swarm", "config", "node", "secret", "service", "stack")
_NO_MANAGER = 'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.'


def _check(words: list[str]) -> ArgsCheck:
    """The check of the positional arguments that a usage line promises: `PLUGIN`, `[REMOTE]`, `NODE [NODE...]`."""
    needed = sum(not word.startswith("[") for word in words)
    spare = [word for word in words if word.startswith("[")]
    if any(word.endswith("...]") for word in spare):
        return at_least(needed)
    if spare:
        return between(needed, needed + len(spare)) if needed else at_most(len(spare))
    return exact(needed) if needed else no_args


def _swarm(group: str, name: str) -> Any:
    """What a host outside any swarm answers (moby `daemon/cluster/errors.go`)."""

    def run(session: Any) -> int:
        session.connect()
        if group == "swarm":
            if name == "leave":
                raise EngineError("This node is not part of a swarm")
            if name in ("init", "join"):
                raise NotSimulated(f"docker swarm {name}")
        if (group, name) == ("stack", "config"):
            raise NotSimulated("docker stack config")
        if (group, name) == ("stack", "deploy"):
            raise CliError(_NO_MANAGER[0].lower() + _NO_MANAGER[1:-1])
        raise EngineError(_NO_MANAGER)

    return run


def _plugin(name: str) -> Any:
    """A host without plugins."""

    def run(session: Any) -> int:
        session.connect()
        if name == "ls":
            if not session.flag("format") and not session.on("quiet"):
                session.inv.out("ID        NAME      DESCRIPTION   ENABLED\n")
            return 0
        if name in ("create", "install"):
            raise NotSimulated(f"docker plugin {name}")
        raise EngineError(f'plugin "{session.args[0]}" not found', 404)

    return run


def _later(group: str, name: str) -> Any:
    def run(session: Any) -> int:
        if group == "checkpoint":
            session.connect()
            raise CliError(f"docker checkpoint {name} is only supported on a Docker daemon with experimental features enabled")
        raise NotSimulated(f"docker {group} {name}")

    return run


def groups() -> tuple[Command, ...]:
    """The groups with their commands."""
    out = []
    for group, (about, rows) in _GROUPS.items():
        commands = []
        for row in rows.strip().splitlines():
            use, _, short = row.partition(" | ")
            name, *words = use.split()
            known = FLAGS.get(f"{group} {name}")
            run = _plugin(name) if group == "plugin" else (_swarm if group in _SWARM else _later)(group, name)
            commands.append(
                Command(
                    use, short=short, run=run, aliases={"ls": ("list",), "rm": ("remove",)}.get(name, ()), flags=flags(known) if known else (), raw=known is None and "[OPTIONS]" in words,
                    args=None if known is None and "[OPTIONS]" in words else _check([w for w in words if w != "[OPTIONS]"]),
                )
            )  # fmt: skip
        out.append(
            Command(
                group, short=about, commands=tuple(commands), group="swarm" if group == "swarm" else "",
                hidden=group == "checkpoint" or group in _SWARM[1:],
            )
        )  # fmt: skip
    return tuple(out)


def _experimental(path: str) -> str:
    return (
        f"\n\nEXPERIMENTAL:\n  {path} is an experimental feature.\n  Experimental features provide early access to product functionality. These\n"
        "  features may change between releases without warning, or can be removed from a\n"
        "  future release. Learn more about experimental features in our documentation:\n  https://docs.docker.com/go/experimental/"
    )


def manifest_inspect(session: Any) -> int:
    """`manifest inspect`: what a registry has under a name, asked without the engine."""
    if len(session.args) == 2:
        raise NotSimulated("docker manifest inspect with a local list")
    word = session.args[0]
    if session.on("verbose"):
        raise NotSimulated("docker manifest inspect --verbose")
    ref = references.normalise(reference(session, word))
    try:
        build = registry.resolve(session.world, session.host, ref)
    except registry.ResolveError as failed:
        if failed.docker.startswith(("manifest for", "pull access denied")):
            raise CliError(f"no such manifest: {ref.name}") from None
        raise CliError(failed.docker) from None
    session.inv.out(json.dumps(archives.index_of(build), indent=3) + "\n")
    return 0


_MANIFEST = """
annotate [OPTIONS] MANIFEST_LIST MANIFEST | Add additional information to a local image manifest
create MANIFEST_LIST MANIFEST [MANIFEST...] | Create a local manifest list for annotating and pushing to a registry
inspect [OPTIONS] [MANIFEST_LIST] MANIFEST | Display an image manifest, or manifest list
push [OPTIONS] MANIFEST_LIST | Push a manifest list to a repository
rm MANIFEST_LIST [MANIFEST_LIST...] | Delete one or more manifest lists from local storage
"""


def manifest() -> Command:
    """`docker manifest`."""
    commands = []
    for row in _MANIFEST.strip().splitlines():
        use, _, short = row.partition(" | ")
        name, *words = use.split()
        known = FLAGS.get(f"manifest {name}")
        commands.append(
            Command(
                use, short=short, long=short + _experimental(f"docker manifest {name}"), flags=flags(known) if known else (),
                args=_check([w for w in words if w != "[OPTIONS]"]), run=manifest_inspect if name == "inspect" else _later("manifest", name),
            )
        )  # fmt: skip
    about = (
        "The **docker manifest** command has subcommands for managing image manifests and\n"
        "manifest lists. A manifest list allows you to use one name to refer to the same image\nbuilt for multiple architectures.\n\n"
        "To see help for a subcommand, use:\n\n    docker manifest CMD --help\n\n"
        "For full details on using docker manifest lists, see the registry v2 specification."
    )
    return Command(
        "manifest",
        short="Manage Docker image manifests and manifest lists",
        long=about + _experimental("docker manifest"),
        commands=tuple(commands),
    )
