"""`docker context`: the file of contexts, and which one is used (docker/cli `cli/context/store`)."""

from __future__ import annotations

import hashlib
import json

from ...host import files
from . import formats
from .registrycmds import client_config, credentials_path, save_config
from .session import CliError, EngineSession


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
    endpoint = ""
    for word in ",".join(session.items("docker")).split(","):
        if word.startswith("host="):
            endpoint = word[5:]
    meta = {
        "Name": name,
        "Metadata": {"Description": session.flag("description")},
        "Endpoints": {"docker": {"Host": endpoint, "SkipTLSVerify": False}},
    }
    files.write_file(session.world, session.host, _context_path(session, name), json.dumps(meta).encode(), parents=True)
    session.inv.out(f"{name}\n")
    session.inv.err(f'Successfully created context "{name}"\n')
    return 0


def context_use(session: EngineSession) -> int:
    """`context use`."""
    name = session.args[0]
    if name not in contexts(session):
        raise CliError(
            f'context "{name}": context not found: open {credentials_path(session).rpartition("/")[0]}/contexts/meta/{name}/meta.json: no such file or directory'
        )
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
    found = []
    known = contexts(session)
    for name in session.args or [session.context_name()]:
        if name not in known:
            raise CliError(f'context "{name}": context not found')
        found.append(
            {
                "Name": name,
                "Metadata": {"Description": known[name]["Description"]} if name != "default" else {},
                "Endpoints": {"docker": {"Host": known[name]["Endpoint"], "SkipTLSVerify": False}},
                "TLSMaterial": {},
                "Storage": {"MetadataPath": "<IN MEMORY>", "TLSPath": "<IN MEMORY>"},
            }
        )
    session.inv.out(formats.inspect(session.flag("format"), found))
    return 0
