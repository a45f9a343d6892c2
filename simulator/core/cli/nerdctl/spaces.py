"""`nerdctl namespace create|remove|inspect|update` (`pkg/cmd/namespace`)."""

from __future__ import annotations

import json

from ...runtime import state as store
from .session import NerdctlError, Session


def _labels(session: Session) -> dict[str, str]:
    return {word.partition("=")[0]: word.partition("=")[2] for word in session.items("label")}


def create(session: Session) -> int:
    """`namespace create`."""
    session.connect()
    name = session.args[0]
    if name in store.spaces(session.world, session.host):
        raise NerdctlError(f'namespace "{name}": already exists')
    store.runtime(session.world, session.host).namespaces[name] = store.Namespace(labels=_labels(session))
    return 0


def remove(session: Session) -> int:
    """`namespace remove`."""
    session.connect()
    spaces = store.runtime(session.world, session.host).namespaces
    for name in session.args:
        space = spaces.get(name)
        if space is None:
            raise NerdctlError(f'namespace "{name}": not found')
        held = [
            what
            for what, there in (
                ("images", space.images),
                ("containers", space.containers),
                ("blobs", space.blobs),
                ('snapshots on "overlayfs" snapshotter', space.snapshots),
            )
            if there
        ]
        if held:
            raise NerdctlError(f'namespace "{name}" must be empty, but it still has {", ".join(held)}: failed precondition')
        del spaces[name]
        session.inv.out(name + "\n")
    return 0


def inspect(session: Session) -> int:
    """`namespace inspect`."""
    session.connect()
    spaces = store.spaces(session.world, session.host)
    found = []
    for name in session.args:
        if name not in spaces:
            raise NerdctlError(f'namespace "{name}": not found')
        found.append({"Name": name, "Labels": spaces[name].labels or None})
    session.inv.out(json.dumps(found, indent=4) + "\n")
    return 0


def update(session: Session) -> int:
    """`namespace update`."""
    session.connect()
    space = store.spaces(session.world, session.host).get(session.args[0])
    if space is None:
        raise NerdctlError(f'namespace "{session.args[0]}": not found')
    space.labels.update(_labels(session))
    return 0
