"""`login`, `logout`, `search`: the client's configuration and its credentials (docker/cli `cli/command/registry`)."""

from __future__ import annotations

import base64
import json
from collections.abc import Generator
from typing import Any

from ...host import files
from ...host.program import Sleep, Wait
from ...kernel.clock import MS
from ...runtime import catalogue, registry
from . import formats
from .session import CliError, EngineSession

HUB = "https://index.docker.io/v1/"


def credentials_path(session: EngineSession) -> str:
    """Where logins are kept."""
    return session.inv.env.get("DOCKER_CONFIG", session.inv.env.get("HOME", "/root") + "/.docker") + "/config.json"


def client_config(session: EngineSession) -> dict[str, Any]:
    """The client's `config.json`."""
    try:
        found = json.loads(session.inv.read_file(credentials_path(session)))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def save_config(session: EngineSession, config: dict[str, Any]) -> None:
    """Write the client's `config.json`."""
    path = credentials_path(session)
    files.make_dir(session.world, session.host, path.rpartition("/")[0], parents=True, mode=0o700)
    session.inv.write_file(path, json.dumps(config, indent="\t").encode(), mode=0o600)


def login_name(session: EngineSession, domain: str) -> str:
    """The user that is logged in to a registry, or ""."""
    key = HUB if domain == "docker.io" else domain
    auth = (client_config(session).get("auths") or {}).get(key, {}).get("auth", "")
    try:
        return base64.b64decode(auth).decode().partition(":")[0]
    except ValueError:
        return ""


def login(session: EngineSession) -> Generator[Wait, Any, int]:
    """`login`: any user with a password that is not empty or `wrong` is known to the simulated registries."""
    server = session.args[0] if session.args else ""
    user, password = session.flag("username"), session.flag("password")
    if session.on("password-stdin"):
        if password:
            raise CliError("--password and --password-stdin are mutually exclusive")
        if not user:
            raise CliError("the --password-stdin option requires --username to be set")
        password = (yield from session.inv.read()).decode(errors="replace").rstrip("\r\n")
    elif password:
        session.inv.err("WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n")
    if not user or not password:
        if not session.inv.stdin_tty:
            raise CliError(
                "cannot perform an interactive login from a non-TTY device"
                if session.docker
                else "error: cannot perform an interactive login from a non TTY device"
            )
        if not server and not user:
            session.inv.out(
                "\nUSING WEB-BASED LOGIN\n\nInfo → To sign in with credentials on the command line, use 'docker login -u <username>'\n         \n\n"
            )
            raise CliError("web-based login: not simulated in Slipway yet; use docker login -u <username>")
        if not user:
            session.inv.out("Username: ")
            user = (yield from session.inv.read_line()).decode(errors="replace").strip()
        session.inv.out(
            "\ni Info → A Personal Access Token (PAT) can be used instead.\n         To create a PAT, visit https://app.docker.com/settings\n\n\nPassword: "
            if not server
            else "Password: "
        )
        password = (yield from session.inv.read_line()).decode(errors="replace").strip()
        session.inv.out("\n")
    yield Sleep(400 * MS)
    domain = server.removeprefix("https://").removeprefix("http://").rstrip("/") or "docker.io"
    try:
        registry.reachable(session.world, session.host, domain)
    except registry.ResolveError as failed:
        raise CliError(f"Error response from daemon: {failed.docker}") from None
    if not password or password == "wrong":
        api = "https://registry-1.docker.io/v2/" if domain == "docker.io" else f"https://{domain}/v2/"
        raise CliError(f'Error response from daemon: Get "{api}": unauthorized: incorrect username or password')
    config = client_config(session)
    config.setdefault("auths", {})[HUB if domain == "docker.io" else domain] = {
        "auth": base64.b64encode(f"{user}:{password}".encode()).decode()
    }
    save_config(session, config)
    session.inv.err(
        f"\nWARNING! Your credentials are stored unencrypted in '{credentials_path(session)}'.\nConfigure a credential helper to remove this warning. See\n"
        "https://docs.docker.com/go/credential-store/\n\n"
    )
    session.inv.out("Login Succeeded\n")
    return 0


def logout(session: EngineSession) -> int:
    """`logout`."""
    server = session.args[0] if session.args else ""
    key = server or HUB
    config = client_config(session)
    if key not in (config.get("auths") or {}):
        session.inv.out(f"Not logged in to {key}\n")
        return 0
    session.inv.out(f"Removing login credentials for {key}\n")
    del config["auths"][key]
    save_config(session, config)
    return 0


def search(session: EngineSession) -> Generator[Wait, Any, int]:
    """`search`: repositories of the catalogue."""
    session.connect()
    yield Sleep(600 * MS)
    term = session.args[0]
    limit = session.values.number("limit") or 25
    names = sorted({repo for repo in catalogue.REPOSITORIES if repo.startswith("docker.io/") and term in repo})[:limit]
    rows = [
        {
            "Name": name.removeprefix("docker.io/library/").removeprefix("docker.io/"),
            "Description": f"{name.rpartition('/')[2]} image",
            "StarCount": str(1000 + len(name) * 37),
            "IsOfficial": "[OK]" if name.startswith("docker.io/library/") else "",
            "IsAutomated": "",
        }
        for name in names
    ]
    header = {"Name": "NAME", "Description": "DESCRIPTION", "StarCount": "STARS", "IsOfficial": "OFFICIAL"}
    session.inv.out(formats.listing(session.flag("format"), header, tuple(header), rows))
    return 0
