"""`docker context`: the file of contexts, and which one is used (docker/cli `cli/context/store`)."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from ...host import files
from ...host.filesystem import Inode
from ...kernel.errors import NotSimulated
from ...shell.coreutils import archive
from . import archives, formats
from .registrycmds import client_config, credentials_path, save_config
from .session import CliError, EngineSession


def _not_found(session: EngineSession, name: str) -> CliError:
    return CliError(f'context "{name}": context not found: open {_context_path(session, name)}: no such file or directory')


def _context_path(session: EngineSession, name: str) -> str:
    """Where the client keeps a context: a directory named by the digest of its name."""
    folder = credentials_path(session).rpartition("/")[0]
    return f"{folder}/contexts/meta/{hashlib.sha256(name.encode()).hexdigest()}/meta.json"


def contexts(session: EngineSession) -> dict[str, dict[str, str]]:
    """The client's contexts: name → description, endpoint."""
    found = {
        "default": {
            "Description": "Current DOCKER_HOST based configuration",
            "Endpoint": session.inv.env.get("DOCKER_HOST", "unix:///var/run/docker.sock"),
        }
    }
    root = credentials_path(session).rpartition("/")[0] + "/contexts/meta"
    fs = session.inv.host.fs
    for folder in fs.listdir(root) if fs.isdir(root) else []:
        try:
            meta = json.loads(fs.read(f"{root}/{folder}/meta.json"))
            found[str(meta["Name"])] = {
                "Description": str(meta["Metadata"].get("Description", "")),
                "Endpoint": str(meta["Endpoints"]["docker"]["Host"]),
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return found


def context_list(session: EngineSession) -> int:
    """`context ls`."""
    current = session.context_name()
    rows = [
        {"Name": n, "Current": n == current, "Description": c["Description"], "DockerEndpoint": c["Endpoint"], "Error": ""}
        for n, c in sorted(contexts(session).items())
    ]
    shown = [{**r, "Name": f"{r['Name']} *" if r["Current"] and not session.flag("format") else r["Name"]} for r in rows]
    header = {
        "Name": "NAME",
        "Description": "DESCRIPTION",
        "DockerEndpoint": "DOCKER ENDPOINT",
        "Error": "ERROR",
        "Current": "CURRENT",
    }
    if session.on("quiet"):
        session.inv.out("".join(f"{r['Name']}\n" for r in rows))
    else:
        session.inv.out(
            formats.listing(session.flag("format"), header, ("Name", "Description", "DockerEndpoint", "Error"), shown)
        )
    return 0


def context_show(session: EngineSession) -> int:
    """`context show`."""
    session.inv.out(session.context_name() + "\n")
    return 0


def context_create(session: EngineSession) -> int:
    """`context create`."""
    name = session.args[0]
    if name in contexts(session):
        raise CliError(f'context "{name}" already exists' if name != "default" else '"default" is a reserved context name')
    if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.+-]+", name):
        raise CliError(f'context name "{name}" is invalid, names are validated against regexp "^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$"')
    known = contexts(session)
    copied = session.flag("from")
    if copied and copied not in known:
        raise CliError(f'context "{copied}": context not found')
    _save(
        session,
        name,
        session.flag("description") or (known[copied]["Description"] if copied else ""),
        known[copied]["Endpoint"] if copied else _endpoint(session, known),
    )
    session.inv.out(f"{name}\n")
    session.inv.err(f'Successfully created context "{name}"\n')
    return 0


def _endpoint(session: EngineSession, known: dict[str, dict[str, str]]) -> str:
    """The address that `--docker` names, directly or by another context; raises CliError."""
    words = [word.partition("=") for word in ",".join(session.items("docker")).split(",") if word]
    for name, _, value in words:
        if name == "host":
            return value
        if name == "from":
            if value not in known:
                raise CliError(f'unable to create docker endpoint config: context "{value}": context not found')
            return known[value]["Endpoint"]
        if name not in ("ca", "cert", "key", "skip-tls-verify"):
            raise CliError(f"unable to create docker endpoint config: {name}: unrecognized config key")
    raise CliError("docker endpoint configuration is required")


def _save(session: EngineSession, name: str, description: str, endpoint: str) -> None:
    meta = {
        "Name": name,
        "Metadata": {"Description": description},
        "Endpoints": {"docker": {"Host": endpoint, "SkipTLSVerify": False}},
    }
    files.write_file(session.world, session.host, _context_path(session, name), json.dumps(meta).encode(), parents=True)


def context_update(session: EngineSession) -> int:
    """`context update`."""
    name = session.args[0]
    known = contexts(session)
    if name == "default":
        raise CliError('"default" is a reserved context name')
    if name not in known:
        raise CliError(f'context "{name}": context not found')
    _save(
        session,
        name,
        session.flag("description") if session.given("description") else known[name]["Description"],
        _endpoint(session, known) if session.items("docker") else known[name]["Endpoint"],
    )
    session.inv.out(f"{name}\n")
    session.inv.err(f'Successfully updated context "{name}"\n')
    return 0


def context_export(session: EngineSession) -> int:
    """`context export`: a tar with the context's `meta.json`."""
    name = session.args[0]
    if name == "default":
        raise CliError('"default" is a reserved context name')
    if name not in contexts(session):
        raise CliError(f'context "{name}": context not found')
    target = session.args[1] if len(session.args) > 1 else f"{name}.dockercontext"
    content = session.inv.host.fs.read(_context_path(session, name))
    packed = archive.build([("meta.json", Inode("file", 0o644, data=content))], compress=False)
    if target == "-":
        session.inv.out(packed)
        return 0
    try:
        session.inv.read_file(target)
    except FileNotFoundError:
        session.inv.write_file(target, packed)
    else:
        raise CliError(f"open {target}: file exists")
    session.inv.err(f'Written file "{target}"\n')
    return 0


def context_import(session: EngineSession) -> int:
    """`context import`."""
    name, source = session.args
    if name == "default":
        raise CliError('"default" is a reserved context name')
    if name in contexts(session):
        raise CliError(f'context "{name}" already exists')
    if source == "-":
        raise NotSimulated("docker context import from standard input")
    try:
        content = session.inv.read_file(source)
    except OSError:
        raise CliError(f"open {source}: no such file or directory") from None
    try:
        meta = json.loads(dict(archives.read_entries(content))["meta.json"].data)
        _save(session, name, str(meta["Metadata"].get("Description", "")), str(meta["Endpoints"]["docker"]["Host"]))
    except (archives.BadArchive, ValueError, KeyError, TypeError, AttributeError):
        raise CliError("unexpected context file") from None
    session.inv.out(f"{name}\n")
    session.inv.err(f'Successfully imported context "{name}"\n')
    return 0


def context_use(session: EngineSession) -> int:
    """`context use`."""
    name = session.args[0]
    if name not in contexts(session):
        raise _not_found(session, name)
    config = client_config(session)
    config["currentContext"] = name
    if name == "default":
        del config["currentContext"]
    save_config(session, config)
    session.inv.out(f"{name}\n")
    session.inv.err(f'Current context is now "{name}"\n')
    return 0


def context_remove(session: EngineSession) -> int:
    """`context rm`."""
    config = client_config(session)
    for name in session.args:
        if name == "default":
            raise CliError('context "default" cannot be removed')
        if name not in contexts(session):
            raise CliError(f'context "{name}" does not exist')
        if config.get("currentContext") == name and not session.on("force"):
            raise CliError(f'context "{name}" is in use, set -f flag to force remove')
        files.remove_file(session.world, session.host, _context_path(session, name).rpartition("/")[0], recursive=True)
        if config.get("currentContext") == name:
            del config["currentContext"]
        session.inv.out(name + "\n")
    save_config(session, config)
    return 0


def context_inspect(session: EngineSession) -> int:
    """`context inspect`."""
    found: list[dict[str, Any]] = []
    known = contexts(session)
    for name in session.args or [session.context_name()]:
        if name not in known:
            session.inv.out(formats.inspect(session.flag("format"), found))
            raise _not_found(session, name)
        path = _context_path(session, name).rpartition("/")[0]
        about = known[name]["Description"]
        found.append(
            {
                "Name": name,
                "Metadata": {"Description": about} if name != "default" and about else {},
                "Endpoints": {"docker": {"Host": known[name]["Endpoint"], "SkipTLSVerify": False}},
                "TLSMaterial": {},
                "Storage": {"MetadataPath": "<IN MEMORY>", "TLSPath": "<IN MEMORY>"}
                if name == "default"
                else {"MetadataPath": path, "TLSPath": path.replace("/meta/", "/tls/")},
            }
        )
    session.inv.out(formats.inspect(session.flag("format"), found))
    return 0
