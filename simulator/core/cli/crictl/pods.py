"""`crictl runp`, `stopp`, `rmp` (`cmd/crictl/sandbox.go`)."""

from __future__ import annotations

from typing import Any

import yaml

from ...runtime import cri
from .session import CrictlError, Session

Obj = dict[str, Any]


def load(session: Session, path: str, what: str) -> Obj:
    """A JSON or YAML configuration file."""
    try:
        loaded = yaml.load(session.inv.read_file(path)[:1_000_000], Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except OSError as failed:
        raise CrictlError(f"load {what}: open {path}: {(failed.strerror or '').lower()}") from None
    except yaml.YAMLError as failed:
        raise CrictlError(f"load {what}: {failed}".splitlines()[0]) from None
    if not isinstance(loaded, dict):
        raise CrictlError(f"load {what}: not an object")
    return loaded


def sandbox_config(session: Session, path: str) -> Obj:
    """A PodSandboxConfig file as `cri.run_pod_sandbox` takes it; missing metadata get their defaults."""
    config = load(session, path, "podSandboxConfig")
    meta = config.get("metadata") or {}
    if not meta.get("name") or not meta.get("namespace") or not meta.get("uid"):
        missing = next(key for key in ("name", "namespace", "uid") if not meta.get(key))
        if missing != "uid":
            raise CrictlError(f"load podSandboxConfig: metadata.{missing} is not set")
        meta["uid"] = session.world.rng("crictl").uuid()
    options = ((config.get("linux") or {}).get("security_context") or {}).get("namespace_options") or {}
    return {
        "metadata": meta,
        "hostname": config.get("hostname", ""),
        "logDirectory": config.get("log_directory", ""),
        "labels": config.get("labels"),
        "annotations": config.get("annotations"),
        "hostNetwork": options.get("network") == 2,
        "portMappings": [
            {"hostPort": p.get("host_port"), "containerPort": p.get("container_port")} for p in config.get("port_mappings") or ()
        ],
    }


def run_pod(session: Session) -> int:
    """`crictl runp`."""
    from .main import ShowHelp

    if len(session.args) != 1:
        raise ShowHelp
    session.runtime()
    config = sandbox_config(session, session.args[0])
    try:
        ident = cri.run_pod_sandbox(session.world, session.host, config)
    except cri.CriError as failed:
        session.rpc_failed("RunPodSandbox from runtime service", failed)
        raise CrictlError(f"run pod sandbox: {failed}") from None
    session.inv.out(ident + "\n")
    return 0


def stop(session: Session) -> int:
    """`crictl stopp`."""
    from .main import ShowHelp

    if not session.args:
        raise ShowHelp
    session.runtime()
    for ident in session.args:
        try:
            cri.stop_pod_sandbox(session.world, session.host, ident)
        except cri.CriError as failed:
            session.rpc_failed("StopPodSandbox from runtime service", failed, podSandboxID=ident)
            raise CrictlError(f'stopping the pod sandbox "{ident}": {failed}') from None
        session.inv.out(f"Stopped sandbox {ident}\n")
    return 0


def remove(session: Session) -> int:
    """`crictl rmp`."""
    from .main import ShowHelp

    session.runtime()
    ids = list(session.args)
    if session.flag("all"):
        ids = [s.id for s in cri.list_pod_sandboxes(session.world, session.host)]
    if not ids:
        if session.flag("all"):
            return 0
        raise ShowHelp
    for ident in ids:
        try:
            sandbox = cri.find_sandbox(session.world, session.host, ident)
            if sandbox.state == "READY" and not session.flag("force"):
                raise CrictlError(f'pod sandbox "{ident}" is running, please stop it first')
            cri.remove_pod_sandbox(session.world, session.host, ident)
        except cri.CriError as failed:
            raise CrictlError(f'removing the pod sandbox "{ident}": {failed}') from None
        session.inv.out(f"Removed sandbox {ident}\n")
    return 0
