"""`network` and `volume` (docker/cli `cli/command/{network,volume}`)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...host.program import Wait
from ...runtime.engine import core, creation, networks
from ...runtime.engine.core import EngineError
from ...runtime.state import Network, Volume
from .. import human
from . import formats, inspecting, lifecycle
from .session import CliError, EngineSession

NETWORK_HEADER = {
    "ID": "NETWORK ID",
    "Name": "NAME",
    "Driver": "DRIVER",
    "Scope": "SCOPE",
    "CreatedAt": "CREATED AT",
    "IPv6": "IPV6",
    "Internal": "INTERNAL",
    "Labels": "LABELS",
}
VOLUME_HEADER = {
    "Name": "VOLUME NAME",
    "Driver": "DRIVER",
    "Scope": "SCOPE",
    "Mountpoint": "MOUNTPOINT",
    "Labels": "LABELS",
    "Links": "LINKS",
    "Size": "SIZE",
}


def _labels(values: dict[str, str]) -> str:
    return ",".join(f"{k}={v}" for k, v in sorted(values.items()))


def _pairs(words: list[str]) -> dict[str, str]:
    return {word.partition("=")[0]: word.partition("=")[2] for word in words}


# -- networks -------------------------------------------------------------------------------------------------------------
def network_list(session: EngineSession) -> int:
    """`network ls`."""
    session.connect()
    found = sorted(core.engine(session.world, session.host, session.space).networks.values(), key=lambda n: n.name)
    for text in session.items("filter"):
        key, _, value = text.partition("=")
        if key == "name":
            found = [n for n in found if value in n.name]
        elif key == "id":
            found = [n for n in found if n.id.startswith(value)]
        elif key == "driver":
            found = [n for n in found if n.driver == value]
        elif key == "label":
            found = [
                n
                for n in found
                if value.partition("=")[0] in n.labels
                and ("=" not in value or n.labels[value.partition("=")[0]] == value.partition("=")[2])
            ]
        elif key == "type":
            found = [n for n in found if (n.name in networks.PREDEFINED) == (value == "builtin")]
        elif key == "scope":
            found = [n for n in found if value == "local"]
        else:
            raise EngineError(f"invalid filter '{key}'", 400)
    full = session.on("no-trunc")
    rows = [
        {"ID": n.id if full else n.id[:12], "Name": n.name, "Driver": n.driver, "Scope": "local", "IPv6": "false", "Internal": str(n.internal).lower(),
         "CreatedAt": inspecting.stamp(n.created_at), "Labels": _labels(n.labels)}
        for n in found
    ]  # fmt: skip
    session.inv.out(
        formats.listing(
            session.flag("format"),
            NETWORK_HEADER,
            ("ID", "Name", "Driver", "Scope"),
            rows,
            quiet="ID" if session.on("quiet") else "",
        )
    )
    return 0


def network_create(session: EngineSession) -> int:
    """`network create`."""
    session.connect()
    subnets = (
        session.items("subnet") if session.values.declared("subnet").kind in ("array", "strings") else [session.flag("subnet")]
    )
    made = networks.create(
        session.world, session.host, session.space, session.args[0], driver=session.flag("driver") or "bridge", subnet=subnets[0] if subnets else "",
        internal=session.on("internal"), labels=_pairs(session.items("label")), options=_pairs(session.items("opt")),
    )  # fmt: skip
    session.inv.out(made.id + "\n")
    return 0


def network_remove(session: EngineSession) -> int:
    """`network rm`."""
    session.connect()
    code = 0
    for word in session.args:
        try:
            networks.remove(session.world, session.host, session.space, word)
            session.inv.out(word + "\n")
        except EngineError as failed:
            if not (session.on("force") and failed.status == 404):
                session.print_error(str(failed))
                code = 1
    return code


def network_connect(session: EngineSession) -> int:
    """`network connect`."""
    session.connect()
    container = session.find(session.args[1])
    networks.connect(
        session.world, session.host, container, session.args[0], aliases=session.items("alias"), ip=session.flag("ip")
    )
    return 0


def network_disconnect(session: EngineSession) -> int:
    """`network disconnect`."""
    session.connect()
    networks.disconnect(session.world, session.host, session.find(session.args[1]), session.args[0], force=session.on("force"))
    return 0


def network_prune(session: EngineSession) -> Generator[Wait, Any, int]:
    """`network prune`."""
    session.connect()
    if not session.on("force"):
        session.inv.out("WARNING! This will remove all custom networks not used by at least one container.\n")
        if not (yield from lifecycle.confirmed(session)):
            return 0
    gone = prune_networks(session)
    if gone:
        session.inv.out("Deleted Networks:\n" + "".join(n.name + "\n" for n in gone) + "\n")
    return 0


def prune_networks(session: EngineSession) -> list[Network]:
    """Remove networks that no container has."""
    engine = core.engine(session.world, session.host, session.space)
    used = {name for c in core.containers(session.world, session.host, session.space).values() for name in c.networks}
    gone = [
        n
        for n in sorted(engine.networks.values(), key=lambda n: n.name)
        if n.name not in networks.PREDEFINED and n.name not in used
    ]
    for one in gone:
        del engine.networks[one.name]
    return gone


# -- volumes --------------------------------------------------------------------------------------------------------------
def volume_list(session: EngineSession) -> int:
    """`volume ls`."""
    session.connect()
    found = sorted(core.engine(session.world, session.host, session.space).volumes.values(), key=lambda v: v.name)
    for text in session.items("filter"):
        key, _, value = text.partition("=")
        if key == "name":
            found = [v for v in found if value in v.name]
        elif key == "dangling":
            found = [
                v
                for v in found
                if (not creation.users_of(session.world, session.host, session.space, v.name)) == (value in ("true", "1"))
            ]
        elif key == "label":
            found = [v for v in found if value.partition("=")[0] in v.labels]
        elif key == "driver":
            found = [v for v in found if value == "local"]
        else:
            raise EngineError(f"invalid filter '{key}'", 400)
    rows = [
        {"Name": v.name, "Driver": "local", "Scope": "local", "Mountpoint": core.volume_path(session.space, v.name), "Labels": _labels(v.labels), "Links": "N/A", "Size": "N/A"}
        for v in found
    ]  # fmt: skip
    session.inv.out(
        formats.listing(
            session.flag("format"), VOLUME_HEADER, ("Driver", "Name"), rows, quiet="Name" if session.on("quiet") else ""
        )
    )
    return 0


def volume_create(session: EngineSession) -> int:
    """`volume create`."""
    name = session.flag("name")
    if session.args and name:
        raise CliError("conflicting options: cannot specify a volume-name through both --name and as a positional arg")
    session.connect()
    driver = session.flag("driver")
    if driver not in ("", "local"):
        raise EngineError(
            f'create {session.args[0] if session.args else ""}: error looking up volume plugin {driver}: plugin "{driver}" not found',
            404,
        )
    made = creation.make_volume(
        session.world, session.host, session.space, session.args[0] if session.args else name, _pairs(session.items("label"))
    )
    session.inv.out(made.name + "\n")
    return 0


def volume_remove(session: EngineSession) -> int:
    """`volume rm`."""
    session.connect()
    failures = []
    for word in session.args:
        try:
            creation.remove_volume(session.world, session.host, session.space, word, force=session.on("force"))
            session.inv.out(word + "\n")
        except EngineError as failed:
            failures.append(str(failed))
    return session.failed(failures)


def volume_prune(session: EngineSession) -> Generator[Wait, Any, int]:
    """`volume prune`: anonymous ones, with `-a` all that no container has."""
    session.connect()
    if not session.on("force"):
        what = (
            "all local volumes not used by at least one container"
            if session.on("all")
            else "anonymous local volumes not used by at least one container"
        )
        session.inv.out(f"WARNING! This will remove {what}.\n")
        if not (yield from lifecycle.confirmed(session)):
            return 0
    gone, freed = prune_volumes(session, everything=session.on("all"))
    session.inv.out(
        ("Deleted Volumes:\n" + "".join(v.name + "\n" for v in gone) + "\n" if gone else "")
        + f"Total reclaimed space: {human.size(freed)}\n"
    )
    return 0


def volume_size(session: EngineSession, found: Volume) -> int:
    """Bytes in a volume."""
    path = core.volume_path(session.space, found.name)
    tree = session.inv.host.fs.tree()
    return sum(len(node.data) for _, node in tree.walk(path)) if tree.isdir(path) else 0


def prune_volumes(session: EngineSession, *, everything: bool) -> tuple[list[Volume], int]:
    """Remove unused volumes: (volumes, bytes)."""
    engine = core.engine(session.world, session.host, session.space)
    gone = [
        v for v in sorted(engine.volumes.values(), key=lambda v: v.name)
        if (v.anonymous or everything) and not creation.users_of(session.world, session.host, session.space, v.name)
    ]  # fmt: skip
    freed = sum(volume_size(session, v) for v in gone)
    for one in gone:
        creation.remove_volume(session.world, session.host, session.space, one.name)
    return gone, freed
