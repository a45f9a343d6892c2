"""`compose config`: a project as the file means it, in canonical form."""

from __future__ import annotations

import posixpath
from typing import Any

import yaml

from ...runtime.engine import creation
from . import composefile, composeup, formats
from .session import EngineSession


def config(session: EngineSession) -> int:
    """`config`: the file as compose reads it."""
    project = composefile.load(session)
    if session.on("services"):
        session.inv.out("".join(f"{name}\n" for name in sorted(project.services)))
        return 0
    if session.on("volumes"):
        session.inv.out("".join(f"{name}\n" for name in sorted(project.volumes)))
        return 0
    if session.on("images"):
        session.inv.out(
            "".join(f"{composeup.image_of(project, s)}\n" for s in sorted(project.services.values(), key=lambda s: s.name))
        )
        return 0
    if session.on("quiet"):
        return 0
    data = canonical(project)
    if session.flag("format") == "json":
        session.inv.out(formats.go_json(data, indent=2) + "\n")
    else:
        session.inv.out(yaml.safe_dump(data, sort_keys=False, default_flow_style=False, width=1000))
    return 0


def canonical(project: composefile.Project) -> dict[str, Any]:
    """A project in compose's canonical form."""
    services: dict[str, Any] = {}
    for name in sorted(project.services):
        raw = dict(project.services[name].raw)
        own: dict[str, Any] = {}
        for key in sorted(raw):
            value = raw[key]
            if key == "build":
                value = {"context": value} if isinstance(value, str) else dict(value)
                value["context"] = posixpath.normpath(posixpath.join(project.directory, str(value.get("context", "."))))
                value.setdefault("dockerfile", "Dockerfile")
            elif key in ("command", "entrypoint") and isinstance(value, str):
                value = value.split()
            elif key == "environment":
                pairs = composeup._pairs(value)
                value = {k: pairs[k] for k in sorted(pairs)}
            elif key == "depends_on":
                value = {d: {"condition": c, "required": True} for d, c in sorted(project.services[name].depends.items())}
            elif key == "ports":
                value = [_port(item) for item in value]
            elif key == "volumes":
                value = [_volume(project, item) for item in value]
            elif key == "networks":
                value = {
                    n: (raw["networks"].get(n) if isinstance(raw["networks"], dict) else None) for n in composefile._names(value)
                }
            own[key] = value
        own.setdefault("networks", {"default": None}) if not raw.get("network_mode") else None
        services[name] = {key: own[key] for key in sorted(own)}
    data: dict[str, Any] = {"name": project.name, "services": services}
    used = composeup.used_networks(project, list(project.services.values()))
    if used:
        data["networks"] = {
            key: {
                "name": composeup.network_name(project, key),
                **{k: v for k, v in (project.networks.get(key) or {}).items() if k != "name"},
            }
            for key in used
        }
    if project.volumes:
        data["volumes"] = {
            key: {
                "name": composeup.volume_name(project, key),
                **{k: v for k, v in (project.volumes[key] or {}).items() if k != "name"},
            }
            for key in sorted(project.volumes)
        }
    return data


def _port(item: Any) -> Any:
    if isinstance(item, dict):
        return item
    found = creation.parse_ports([str(item)])[0]
    out: dict[str, Any] = {"mode": "ingress"}
    if found.host_ip != "0.0.0.0":
        out["host_ip"] = found.host_ip
    out["target"] = found.container_port
    if found.host_port:
        out["published"] = str(found.host_port)
    out["protocol"] = found.protocol
    return out


def _volume(project: composefile.Project, item: Any) -> Any:
    if isinstance(item, dict):
        return item
    source, colon, rest = str(item).partition(":")
    target, _, mode = rest.partition(":")
    if not colon:
        return {"type": "volume", "target": source, "volume": {}}
    bind = source.startswith((".", "/", "~"))
    out: dict[str, Any] = {
        "type": "bind" if bind else "volume",
        "source": posixpath.normpath(posixpath.join(project.directory, source)) if bind else source,
        "target": target,
    }
    if "ro" in mode.split(","):
        out["read_only"] = True
    out["bind" if bind else "volume"] = {"create_host_path": True} if bind else {}
    return out
