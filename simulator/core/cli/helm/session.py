"""One run of helm: its command line, and the connection to the cluster that kubectl's session makes."""

from __future__ import annotations

import functools
from typing import Any

from ...kube.api import kinds
from ...kube.api.kinds import KindInfo
from ..cobra import Command
from ..flags import Values
from ..kubectl.registry import ROOT as KUBECTL
from ..kubectl.session import Session


class Helm:
    """The state of one invocation."""

    VERSION = "v3.19.2"

    def __init__(self, call: Any, command: Command, values: Values) -> None:
        self.call, self.command, self.values = call, command, values
        #: What `-f` reads of descriptors, by the name that was given.
        self.inputs: dict[str, bytes] = {}
        self.rows: tuple[KindInfo, ...] = kinds.KINDS

    @functools.cached_property
    def s(self) -> Session:
        """kubectl's session with this kubeconfig, context and namespace."""
        args = []
        env = self.call.env
        for own, theirs, name in (
            ("kubeconfig", "kubeconfig", ""),
            ("kube-context", "context", "HELM_KUBECONTEXT"),
            ("namespace", "namespace", "HELM_NAMESPACE"),
            ("kube-apiserver", "server", "HELM_KUBEAPISERVER"),
            ("kube-token", "token", "HELM_KUBETOKEN"),
            ("kube-as-user", "as", ""),
        ):
            value = self.values.text(own) or (env.get(name, "") if name else "")
            if value:
                args.append(f"--{theirs}={value}")
        command, rest = KUBECTL.find(["get", *args])
        session = Session(self.call, command, command.parse(rest))
        session.tries = 1
        return session

    def forget(self) -> None:
        """Definitions have changed: look again at what the server has."""
        self.__dict__.pop("s", None)

    @property
    def namespace(self) -> str:
        """The namespace of this run."""
        return self.values.text("namespace") or self.call.env.get("HELM_NAMESPACE") or self.s.namespace or "default"

    def out(self, text: str) -> None:
        """Standard output."""
        self.call.out(text)

    def err(self, text: str) -> None:
        """Standard error."""
        self.call.err(text)
