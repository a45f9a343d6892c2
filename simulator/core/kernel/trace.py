"""The trace: every cause and effect that a learner can see, in order, each pointing at what caused it.

`actor` says who (`kubectl`, `kube-apiserver`, `etcd`, `deployment-controller`, `kube-scheduler`, `kubelet/node01`,
`containerd/node01`, `kube-proxy/node01`, `terminal`, `fault`, …), `action` what (a dotted word from `docs/trace.md`), `ref`
on what (`pods/default/web-1`, `/registry/pods/default/web-1`, a file, a process).
"""

from __future__ import annotations

from typing import Any

import msgspec


class TraceEvent(msgspec.Struct, array_like=True, frozen=True):
    """One cause or effect.  `at` is virtual nanoseconds, `cause` an earlier event's `seq` or 0."""

    seq: int
    at: int
    actor: str
    action: str
    ref: str
    cause: int
    detail: dict[str, Any] | None = None


#: How many events a world keeps for `why`; the shell around it keeps more, in its own store.
KEEP = 2000
