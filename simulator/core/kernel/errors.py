"""Errors classify themselves: whose fault it is, and what the caller should do about it."""

from __future__ import annotations


class SimulatorError(Exception):
    """A defect of the simulator itself; never the learner's fault."""


class BadInput(Exception):
    """The learner or author gave something that cannot be used; the message says what and where."""


class NotSimulated(Exception):
    """Something the real tool does and this simulator does not; says so, never pretends."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: not simulated in Slipway yet")
        self.what = what


class BudgetExceeded(Exception):
    """A bound on steps, output or memory was reached; the world is intact and can go on."""


class ConnectError(Exception):
    """A connection over the simulated network failed.

    `kind` is one of `refused`, `timeout`, `no-route`, `reset`, `tls`, `dns`; `address` is `ip:port` or a name.
    """

    def __init__(self, kind: str, address: str, detail: str = "") -> None:
        super().__init__(f"{kind}: {address}" + (f" ({detail})" if detail else ""))
        self.kind = kind
        self.address = address
        self.detail = detail
        #: The request that failed, as Go's client names it: `Get "https://172.30.1.2:6443/api"`.
        self.request = ""
        #: How far the packet came (see routing.py).
        self.hops: list[dict[str, object]] = []


class SnapshotBusy(Exception):
    """A program waits in the warm world; take the snapshot when it has ended."""
