"""`kubectl run` (`kubectl/pkg/cmd/run/run.go`)."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from ....host.program import Wait
from ... import goyaml
from ...cobra import Command, Flag
from ...flags import quote
from ..attaching import attach_to_new
from ..create.base import with_last_applied
from ..errors import CommandError, UsageError
from ..flagsets import (
    detach_flag,
    dry_run,
    dry_run_flag,
    dry_run_suffix,
    field_manager_flag,
    file_flags,
    print_flags,
    record_flag,
    save_config_flag,
)
from ..mapper import Mapping
from ..patches import apply_local, typed
from ..printers import Output
from ..recording import recorded
from ..session import Session

Obj = dict[str, Any]
#: An image reference.
IMAGE = re.compile(
    r"(?:[a-zA-Z0-9.-]+(?::\d+)?/)?[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?(?:@[\w:.+-]+)?"
)
RESTARTS = ("Always", "OnFailure", "Never")


def _pairs(text: str) -> dict[str, str]:
    out: dict[str, str] = {}
    for item in text.split(",") if text else ():
        key, equals, value = item.partition("=")
        if not equals or not key or (not value and equals and "=" not in item):
            raise CommandError(f"unexpected label spec: {item}")
        out[key] = value
    return out


def _env(items: list[str]) -> list[Obj]:
    out = []
    for item in items:
        name, equals, value = item.partition("=")
        if not equals or not name:
            raise CommandError(f"invalid env: {item}")
        out.append({"name": name, "value": value} if value else {"name": name})
    return out


def pod(s: Session, name: str, words: list[str], labels: dict[str, str]) -> Obj:
    """The Pod, in the order of the Go struct."""
    values = s.values
    item: Obj = {"name": name, "image": values.text("image")}
    if words:
        item["command" if values.on("command") else "args"] = words
    if values.text("port"):
        item["ports"] = [{"containerPort": _port(values.text("port"))}]
    env = _env(values.items("env"))
    if env:
        item["env"] = env
    item["resources"] = {}
    if values.text("image-pull-policy"):
        item["imagePullPolicy"] = values.text("image-pull-policy")
    if values.on("stdin"):
        item["stdin"] = True
        if not values.on("leave-stdin-open"):
            item["stdinOnce"] = True
    if values.on("tty"):
        item["tty"] = True
    if values.on("privileged"):
        item["securityContext"] = {"privileged": True}
    meta: Obj = {"name": name, "labels": labels}
    if values.items("annotations"):
        meta["annotations"] = dict(text.split("=", 1) for text in values.items("annotations") if "=" in text)
    spec = {"containers": [item], "restartPolicy": _restart(s), "dnsPolicy": "ClusterFirst"}
    return {"kind": "Pod", "apiVersion": "v1", "metadata": meta, "spec": spec, "status": {}}


def _port(text: str) -> int:
    if not re.fullmatch(r"[-+]?\d+", text):
        raise CommandError(f"strconv.Atoi: parsing {quote(text)}: invalid syntax")
    return int(text)


def _restart(s: Session) -> str:
    return s.values.text("restart") or "Always"


def overridden(s: Session, obj: Obj, text: str, kind: str, mapping: Mapping) -> Obj:
    """The object after `--overrides`."""
    try:
        patch = goyaml.load(text)
    except goyaml.YamlError:
        raise CommandError("Invalid JSON Patch") from None
    form = {"merge": "merge", "json": "json", "strategic": "strategic"}.get(kind)
    if form is None:
        raise CommandError("invalid override type: " + kind)
    return typed(s, mapping, apply_local(mapping, obj, patch, form))


def run(s: Session) -> Generator[Wait, Any, int]:
    """Create the pod (and service), then attach when asked."""
    values = s.values
    given = values.args if values.dash_at < 0 else values.args[: values.dash_at]
    if not given:
        raise UsageError(s.command, "NAME is required for run")
    name, words = values.args[0], values.args[1:]
    _check(s, name)
    strategy = dry_run(s)
    attach = values.on("attach") if "attach" in values.changed else values.on("stdin") or values.on("tty")
    remove = values.on("rm")
    if remove and not attach:
        raise UsageError(s.command, "--rm should only be used for attached containers")
    if attach and strategy != "none":
        raise UsageError(
            s.command, "--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)"
        )
    if values.text("image-pull-policy") not in ("", "Always", "IfNotPresent", "Never"):
        raise UsageError(s.command, f"invalid image pull policy: {values.text('image-pull-policy')}")
    labels = _pairs(values.text("labels")) if values.text("labels") else {"run": name}
    obj = pod(s, name, words, labels)
    output = Output(s, typed=True)
    suffix = dry_run_suffix(strategy)
    service = None
    if values.on("expose"):
        service = _service(name, labels, values.text("port"))
    s.discover()
    if values.text("overrides"):
        obj = overridden(s, obj, values.text("overrides"), values.text("override-type"), Mapping(s.kind("pods")))
    if values.on("save-config") and strategy != "client":
        obj = with_last_applied(obj, typed=True)
    obj = recorded(s, obj)
    created = [] if service is None else [_send(s, "services", service, strategy)]
    created.append(_send(s, "pods", obj, strategy))
    if attach:
        try:
            yield from attach_to_new(s, created[-1], str(created[-1]["spec"].get("restartPolicy") or ""))
        except Exception:
            _remove(s, created if remove else [])
            raise
        _remove(s, created if remove else [])
        return 0
    for item in created:
        output.done(item, "created" + suffix)
        if output.name == "yaml" and item is not created[-1]:
            s.out("---\n")  # by the command; the printer writes one more before the next document
    return 0


def _remove(s: Session, created: list[Obj]) -> None:
    """What `--rm` does at the end, however it ended; an interrupt leaves everything."""
    for obj in created:
        meta, kind = obj["metadata"], s.kind({"Pod": "pods", "Service": "services"}[obj["kind"]])
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        s.call("DELETE", kind.path(meta["namespace"], meta["name"]), obj=options)
        s.out(f'{kind.singular_name} "{meta["name"]}" deleted from {meta["namespace"]} namespace\n')


def _check(s: Session, name: str) -> None:
    """The words and flags that are looked at before anything is made, in the real tool's order."""
    values = s.values
    image, restart = values.text("image"), values.text("restart")
    if not image:
        raise CommandError("--image is required")
    if not IMAGE.fullmatch(image):
        raise CommandError(f"Invalid image name {quote(image)}: invalid reference format")
    if values.on("tty") and not values.on("stdin"):
        raise UsageError(s.command, "-i/--stdin is required for containers with -t/--tty=true")
    if values.on("expose") and not values.text("port"):
        raise UsageError(s.command, "--port must be set when exposing a service")
    if restart not in ("", *RESTARTS):
        raise UsageError(s.command, f"invalid restart policy: {restart}")


def _service(name: str, labels: dict[str, str], port: str) -> Obj:
    number = _port(port)
    spec = {"ports": [{"protocol": "TCP", "port": number, "targetPort": number}], "selector": labels}
    return {"kind": "Service", "apiVersion": "v1", "metadata": {"name": name}, "spec": spec, "status": {"loadBalancer": {}}}


def _send(s: Session, resource: str, obj: Obj, strategy: str) -> Obj:
    if strategy == "client":
        if s.explicit_namespace:
            obj["metadata"]["namespace"] = s.namespace
        return obj
    query = {"fieldManager": s.values.text("field-manager") or "kubectl-run"}
    if strategy == "server":
        query["dryRun"] = "All"
    created: Obj = s.call("POST", s.kind(resource).path(s.namespace), query=query, obj=obj)
    return created


COMMAND = Command(
    'run NAME --image=image [--env="key=value"] [--port=port] [--dry-run=server|client] [--overrides=inline-json] [--command] -- [COMMAND] [args...]',
    short="Run a particular image on the cluster",
    long="Create and run a particular image in a pod.",
    example="""# A pod of nginx
kubectl run nginx --image=nginx

# With a port
kubectl run hazelcast --image=hazelcast/hazelcast --port=5701

# With environment and labels
kubectl run hazelcast --image=hazelcast/hazelcast --env="DNS_DOMAIN=cluster" --labels="app=hazelcast,env=prod"

# Only show what would be made
kubectl run nginx --image=nginx --dry-run=client

# A shell that is removed afterwards
kubectl run -i -t busybox --image=busybox --restart=Never --rm

# Other arguments, or another command
kubectl run nginx --image=nginx -- <arg1> <arg2>
kubectl run nginx --image=nginx --command -- <cmd> <arg1>""",
    flags=(
        *print_flags(),
        Flag(name="annotations", kind="array", usage="An annotation of the pod, key=value; may be repeated."),
        Flag(name="attach", kind="bool", usage="Attach to the pod once it runs; the default with -i."),
        Flag(
            name="cascade", default="background", no_opt="background", usage="What happens to dependents when the pod is removed."
        ),
        detach_flag(),
        *file_flags("Files to remove with --rm."),
        Flag(name="command", kind="bool", usage="Take the words after -- as the command, not as its arguments."),
        Flag(name="env", kind="array", usage="An environment variable, name=value; may be repeated."),
        Flag(name="expose", kind="bool", usage="Create a ClusterIP service for the pod; needs --port."),
        Flag(name="force", kind="bool", usage="With --rm: remove at once."),
        Flag(name="grace-period", kind="int", default=-1, usage="With --rm: seconds to end."),
        Flag(name="image", required=True, usage="The image to run."),
        Flag(name="image-pull-policy", usage="Image pull policy: Always, IfNotPresent or Never."),
        Flag(name="labels", short="l", usage="Labels of the pod, key=value separated by commas."),
        Flag(name="leave-stdin-open", kind="bool", usage="Keep standard input open after the first attach ends."),
        Flag(name="override-type", default="merge", usage="How --overrides is merged: json, merge, or strategic."),
        Flag(name="overrides", usage="JSON that changes the generated object."),
        Flag(name="pod-running-timeout", kind="duration", default=60 * 10**9, usage="How long to wait for the pod to run"),
        Flag(name="port", usage="The port that the container exposes."),
        Flag(name="privileged", kind="bool", usage="Run in privileged mode."),
        Flag(name="quiet", short="q", kind="bool", usage="Print no message."),
        Flag(name="restart", default="Always", usage="Restart policy: Always, OnFailure, Never."),
        Flag(name="rm", kind="bool", usage="Delete the pod when the attached command ends."),
        save_config_flag(),
        record_flag(),
        Flag(name="stdin", short="i", kind="bool", usage="Keep standard input open."),
        Flag(name="timeout", kind="duration", usage="How long to wait for a deletion."),
        Flag(name="tty", short="t", kind="bool", usage="Give the container a terminal."),
        Flag(name="wait", kind="bool", usage="Wait until a deleted pod is gone."),
        dry_run_flag(),
        field_manager_flag("kubectl-run"),
    ),
    run=run,
)
