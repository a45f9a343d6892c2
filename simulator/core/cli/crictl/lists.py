"""`crictl ps` and `crictl pods` (`cmd/crictl/container.go: OutputContainers`, `sandbox.go: OutputPodSandboxes`)."""

from __future__ import annotations

import re
from typing import Any

from ...runtime import cri
from ...runtime.state import Container, Sandbox
from .. import human
from .messages import container_message, output, sandbox_message
from .session import CrictlError, Session

_STATES = {"CREATED": "Created", "RUNNING": "Running", "EXITED": "Exited"}


def pattern(text: str) -> re.Pattern[str] | None:
    """A regular expression of the command line."""
    if not text:
        return None
    try:
        return re.compile(text)
    except re.error as failed:
        raise CrictlError(f'invalid regular expression "{text}": error parsing regexp: {failed}') from None


def labels_of(words: list[str]) -> dict[str, str]:
    """`key=value` words."""
    out = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise CrictlError(f"incorrectly specified label: {word}")
        out[key] = value
    return out


def select(session: Session, *, everything: bool = False) -> list[Container]:
    """The containers that a command's filters mean, newest first."""
    world, host = session.world, session.host
    values = session.context.values
    state = str(values.get("state") or "").lower()
    if state and state not in ("created", "running", "exited", "unknown"):
        raise CrictlError("list containers: --state should be one of created, running, exited or unknown")
    name, space = pattern(str(values.get("name") or "")), pattern(str(values.get("namespace") or ""))
    wanted = labels_of(list(values.get("label") or ()))
    latest, last = bool(values.get("latest")), int(values.get("last") or 0)
    found: list[Container] = []
    image = cri.image_status(world, host, str(values["image"])) if values.get("image") else None
    for one in cri.list_containers(world, host):
        if values.get("id") and not one.id.startswith(str(values["id"])):
            continue
        if values.get("pod") and not one.sandbox.startswith(str(values["pod"])):
            continue
        if not (everything or values.get("all") or latest or last) and not state and one.state != "RUNNING":
            continue
        if state and not (latest or last) and one.state.lower() != state:
            continue
        if any(one.labels.get(k) != v for k, v in wanted.items()):
            continue
        if values.get("image") and (image is None or image.image_id != one.image_id):
            continue
        if name is not None and not name.search(one.name):
            continue
        if space is not None and not space.search(one.labels.get("io.kubernetes.pod.namespace", "unknown")):
            continue
        found.append(one)
    if latest:
        return found[:1]
    return found[:last] if last else found


def containers(session: Session) -> int:
    """`crictl ps`."""
    if session.args:
        from .main import ShowHelp

        raise ShowHelp
    session.runtime()
    session.runtime("image")
    found = select(session)
    form = str(session.flag("output"))
    if form in ("json", "yaml"):
        output(session, {"containers": [container_message(session, c) for c in found]}, form)
        return 0
    if form != "table":
        raise CrictlError(f'list containers: unsupported output format "{form}"')
    if session.flag("quiet"):
        session.inv.out("".join(c.id + "\n" for c in found))
        return 0
    if session.flag("verbose"):
        for c in found:
            _verbose(session, c)
        return 0
    rows = [["CONTAINER", "IMAGE", "CREATED", "STATE", "NAME", "ATTEMPT", "POD ID", "POD", "NAMESPACE"]]
    for c in found:
        trunc = not session.flag("no-trunc")
        image = c.image
        if session.flag("resolve-image-path"):
            image = _path(session, c)
        elif trunc and image.startswith("sha256:"):
            image = image[7:20]
        pod, space = c.labels.get("io.kubernetes.pod.name", "unknown"), c.labels.get("io.kubernetes.pod.namespace", "unknown")
        rows.append(
            [
                c.id[:13] if trunc else c.id,
                image,
                human.ago(session.world, c.created_at),
                _STATES[c.state],
                c.name,
                str(c.attempt),
                c.sandbox[:13] if trunc else c.sandbox,
                pod,
                space,
            ]
        )
    session.table(rows)
    return 0


def _path(session: Session, container: Container) -> str:
    for image in cri.list_images(session.world, session.host):
        if image["id"] == container.image_id and image["repoTags"]:
            return str(image["repoTags"][0])
    return container.image


def _pairs(session: Session, title: str, pairs: dict[str, str]) -> None:
    if pairs:
        session.inv.out(f"{title}:\n" + "".join(f"\t{k} -> {pairs[k]}\n" for k in sorted(pairs)))


def _verbose(session: Session, c: Container) -> None:
    out = session.inv.out
    out(f"ID: {c.id}\nPodID: {c.sandbox}\nNamespace: {c.labels.get('io.kubernetes.pod.namespace', 'unknown')}\n")
    out(
        f"Name: {c.name}\nAttempt: {c.attempt}\nState: {_STATES[c.state]}\nImage: {c.image}\nCreated: {human.ago(session.world, c.created_at)}\n"
    )
    _pairs(session, "Labels", c.labels)
    _pairs(session, "Annotations", c.annotations)
    out("\n")


def select_pods(session: Session) -> list[Sandbox]:
    """The sandboxes that a command's filters mean, newest first."""
    values = session.context.values
    state = str(values.get("state") or "").lower()
    if state and state not in ("ready", "notready"):
        raise CrictlError("list pod sandboxes: --state should be ready or notready")
    name, space = pattern(str(values.get("name") or "")), pattern(str(values.get("namespace") or ""))
    wanted = labels_of(list(values.get("label") or ()))
    found = []
    for one in cri.list_pod_sandboxes(session.world, session.host):
        if values.get("id") and not one.id.startswith(str(values["id"])):
            continue
        if state and one.state.lower() != state:
            continue
        if any(one.labels.get(k) != v for k, v in wanted.items()):
            continue
        if name is not None and not name.search(one.name):
            continue
        if space is not None and not space.search(one.namespace):
            continue
        found.append(one)
    if values.get("latest"):
        return found[:1]
    last = int(values.get("last") or 0)
    return found[:last] if last else found


def pods(session: Session) -> int:
    """`crictl pods`."""
    session.runtime()
    found = select_pods(session)
    form = str(session.flag("output"))
    if form in ("json", "yaml"):
        output(session, {"items": [sandbox_message(s) for s in found]}, form)
        return 0
    if form != "table":
        raise CrictlError(f'list pod sandboxes: unsupported output format "{form}"')
    if session.flag("quiet"):
        session.inv.out("".join(s.id + "\n" for s in found))
        return 0
    names: dict[str, Any] = {"READY": "Ready", "NOTREADY": "NotReady"}
    if session.flag("verbose"):
        for s in found:
            session.inv.out(
                f"ID: {s.id}\nName: {s.name}\nUID: {s.uid}\nNamespace: {s.namespace}\n"
                + (f"Attempt: {s.attempt}\n" if s.attempt else "")
            )
            session.inv.out(f"Status: {names[s.state]}\nCreated: {human.clock_time(s.created_at)}\n")
            _pairs(session, "Labels", s.labels)
            _pairs(session, "Annotations", s.annotations)
            session.inv.out("Runtime: (default)\n\n")
        return 0
    rows = [["POD ID", "CREATED", "STATE", "NAME", "NAMESPACE", "ATTEMPT", "RUNTIME"]]
    for s in found:
        ident = s.id if session.flag("no-trunc") else s.id[:13]
        rows.append(
            [ident, human.ago(session.world, s.created_at), names[s.state], s.name, s.namespace, str(s.attempt), "(default)"]
        )
    session.table(rows)
    return 0
