"""`--record`: the command line as the change cause of an object (`cli-runtime/pkg/genericclioptions/record_flags.go`)."""

from __future__ import annotations

from typing import Any

from .mapper import Mapping
from .patches import merge_diff, send
from .session import Session

Obj = dict[str, Any]
CAUSE = "kubernetes.io/change-cause"


def change_cause(s: Session) -> str:
    """`kubectl set image deploy/web web=nginx --record=true`: words first, then flags as they were given; "" without `--record`."""
    if not (s.values.has("record") and s.values.on("record")):
        return ""
    flags = [f"--{name}={text}" for name, text in s.values.given]
    return " ".join([s.command.path, *s.values.args, *flags])


def recorded(s: Session, obj: Obj) -> Obj:
    """The object with its change cause, itself without `--record`."""
    cause = change_cause(s)
    if not cause:
        return obj
    meta = obj.get("metadata") or {}
    return {**obj, "metadata": {**meta, "annotations": {**(meta.get("annotations") or {}), CAUSE: cause}}}


def record_after(s: Session, mapping: Mapping, obj: Obj) -> None:
    """Write the change cause of an object that has been changed already."""
    after = recorded(s, obj)
    if after is not obj:
        meta = obj["metadata"]
        send(s, mapping, meta.get("namespace", ""), meta["name"], merge_diff(obj, after), "merge", manager="")
