"""kube-webhook-certgen (kubernetes/ingress-nginx, images/kube-webhook-certgen): a webhook's certificate, made once and put into its configuration.

`create` makes an authority and a certificate for `--host` and keeps them in `--secret-name`, unless it is there; `patch` puts the
authority into the webhook configuration `--webhook-name`.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from ...host import processes, x509
from ...host.process import Process
from ...kernel.clock import MS
from ...kernel.errors import ConnectError
from ...kernel.world import World
from ...kube.client import ApiError, KubeClient
from .. import logs
from .account import client_of
from .basics import Quiet


def _flags(proc: Process) -> dict[str, str]:
    found = {}
    for word in proc.argv[1:]:
        name, equals, value = word.lstrip("-").partition("=")
        found[name] = value if equals else "true"
    return found


def _line(**fields: str) -> str:
    """A line of logrus' JSON formatter."""
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False)


class Certgen(Quiet):
    """The `Program`."""

    def start(self, world: World, proc: Process) -> None:
        """Begin in a moment: a program asks the API when it is up."""
        world.after(200 * MS, proc.target, ["go"])

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """Do what the first argument says, and end."""
        flags = _flags(proc)
        client = client_of(world, proc, "kube-webhook-certgen")
        work = {"create": self._create, "patch": self._patch}.get(proc.argv[1] if len(proc.argv) > 1 else "")
        if work is None:
            logs.emit(world, proc, "Use this to create a ca and signed certificates and patch admission webhooks", "stderr")
            processes.exit(world, proc, 0)
            return
        try:
            said = work(world, client, flags)
        except (ApiError, ConnectError) as error:
            logs.emit(world, proc, _line(error=str(error), level="fatal", msg="error working with the API"), "stderr")
            processes.exit(world, proc, 1)
            return
        for text in said:
            logs.emit(world, proc, _line(level="info", msg=text, source=f"cmd/{proc.argv[1]}.go"), "stderr")
        processes.exit(world, proc, 0)

    @staticmethod
    def _create(world: World, client: KubeClient, flags: dict[str, str]) -> list[str]:
        namespace, name = flags.get("namespace", "default"), flags.get("secret-name", "")
        try:
            client.get("secrets", namespace, name)
            return [f"secret '{name}' in namespace '{namespace}' already exists"]
        except ApiError as missing:
            if missing.code != 404:
                raise
        authority = x509.issue(world, "nil1", organizations=("nil1",), days=36500)
        hosts = tuple(host for host in flags.get("host", "").split(",") if host)
        pair = x509.issue(world, "nil2", organizations=("nil2",), issuer=authority, dns=hosts, server=True, days=36500)
        data = {"ca": authority.cert, "cert": pair.cert, "key": pair.key}
        body = {
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace},
            "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
        }  # fmt: skip
        client.create("secrets", namespace, body)
        return ["no secret found", "creating new secret"]

    @staticmethod
    def _patch(world: World, client: KubeClient, flags: dict[str, str]) -> list[str]:
        namespace, name = flags.get("namespace", "default"), flags.get("webhook-name", "")
        authority = client.get("secrets", namespace, flags.get("secret-name", ""))["data"]["ca"]
        kinds = [kind for kind in ("mutating", "validating") if flags.get(f"patch-{kind}", "true") == "true"]
        for kind in kinds:
            resource = f"{kind}webhookconfigurations"
            held = client.get(resource, None, name)
            for hook in held.get("webhooks") or ():
                hook["clientConfig"] = {**hook["clientConfig"], "caBundle": authority}
                if flags.get("patch-failure-policy"):
                    hook["failurePolicy"] = flags["patch-failure-policy"]
            client.update(resource, held)
        return [
            f"patching webhook configurations '{name}' {', '.join(kinds)}, failurePolicy={flags.get('patch-failure-policy', '')}",
            "Patched hook(s)",
        ]


__all__ = ["Certgen"]
