"""The audit log: one JSON event a stage, as the policy file says (`apiserver/pkg/audit`, `plugin/pkg/audit/log`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import yaml

from ...host import files, processes
from ...kernel import clock
from ...kernel.http import Request, Response
from ..api.errors import ApiError
from . import negotiate, wire
from .call import User
from .request_info import RequestInfo

if TYPE_CHECKING:
    from .call import Call
    from .server import Server

Obj = dict[str, Any]
LEVELS = ("None", "Metadata", "Request", "RequestResponse")
_LONG = ("watch", "log", "exec", "attach", "portforward", "proxy")


class BadPolicy(Exception):
    """The policy file cannot be used; the message is what the server prints."""


def parse(text: bytes, path: str) -> list[Obj]:
    """The rules of a policy; the policy's own omitStages are added to each.  Raises BadPolicy."""
    try:
        body = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadPolicy(f"failed decoding: {str(error).splitlines()[0]}: from file {path}") from None
    if not isinstance(body, dict) or body.get("kind") != "Policy" or body.get("apiVersion") != "audit.k8s.io/v1":
        raise BadPolicy(f'failed decoding: no kind "Policy" is registered for version "audit.k8s.io/v1": from file {path}')
    rules = [dict(rule) for rule in body.get("rules") or () if isinstance(rule, dict)]
    if not rules:
        raise BadPolicy(f"loaded illegal policy with 0 rules from file {path}")
    for i, rule in enumerate(rules):
        if rule.get("level") not in LEVELS:
            listed = ", ".join(f'"{level}"' for level in sorted(LEVELS))
            raise BadPolicy(f'rules[{i}].level: Unsupported value: "{rule.get("level", "")}": supported values: {listed}')
        rule["omitStages"] = sorted({*(body.get("omitStages") or ()), *(rule.get("omitStages") or ())})
        rule.setdefault("omitManagedFields", bool(body.get("omitManagedFields")))
    return rules


class Seen:
    """What is known of a request while it is served."""

    __slots__ = ("as_user", "call", "info", "noted", "reason", "user", "verb")

    def __init__(self) -> None:
        self.user: User | None = None
        self.as_user: User | None = None
        self.info: RequestInfo | None = None
        self.verb = ""
        #: Why the authoriser let it pass, in its own words; None until it has.
        self.reason: str | None = None
        self.call: Call | None = None
        #: Whether the request is kept for those who look on (recent.py).
        self.noted = False


def rule_for(rules: list[Obj], seen: Seen, request: Request) -> Obj | None:
    """The first rule that matches (`policy/checker.go`)."""
    return next((rule for rule in rules if _matches(rule, seen, request)), None)


def _matches(rule: Obj, seen: Seen, request: Request) -> bool:
    user, info = seen.user, seen.info
    if rule.get("users") and (user is None or user.name not in rule["users"]):
        return False
    if rule.get("userGroups") and (user is None or not set(user.groups) & set(rule["userGroups"])):
        return False
    if rule.get("verbs") and seen.verb not in rule["verbs"]:
        return False
    if info is not None and info.resource_request:
        if rule.get("nonResourceURLs") and not rule.get("resources"):
            return False
        if rule.get("namespaces") and info.namespace not in rule["namespaces"]:
            return False
        return not rule.get("resources") or any(_resource(item, info) for item in rule["resources"])
    if rule.get("namespaces") or rule.get("resources"):
        return False
    urls = rule.get("nonResourceURLs") or ()
    return not urls or any(
        url == "*" or url == request.path or (url.endswith("*") and request.path.startswith(url[:-1])) for url in urls
    )


def _resource(item: Obj, info: RequestInfo) -> bool:
    if (item.get("group") or "") != info.group:
        return False
    names = item.get("resources") or ()
    whole = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    if names and not any(
        n in ("*", whole) or n == f"{info.resource}/*" or (info.subresource and n == f"*/{info.subresource}") for n in names
    ):
        return False
    wanted = item.get("resourceNames") or ()
    return not wanted or info.name in wanted


def record(server: Server, request: Request, response: Response, seen: Seen) -> None:
    """Write the events of a request that has been answered."""
    rule = rule_for(server.config.audit_rules, seen, request)
    if rule is None or rule["level"] == "None":
        return
    event = _event(server, request, seen, rule["level"])
    lines = []
    if "RequestReceived" not in rule["omitStages"]:
        early = {k: v for k, v in event.items() if k not in ("requestObject", "objectRef_full")}
        lines.append(_stage(early, "RequestReceived", None))
    long_running = seen.verb in _LONG or (seen.info is not None and seen.info.subresource in _LONG)
    stage = "ResponseStarted" if long_running and response.stream is not None else "ResponseComplete"
    if stage not in rule["omitStages"]:
        body = None
        if rule["level"] == "RequestResponse" and response.stream is None:
            body = wire.bare(response.obj)
        late = dict(event)
        if rule["level"] in ("Request", "RequestResponse"):
            sent = _sent(request)
            if sent is not None:
                late["requestObject"] = _trimmed(sent, rule)
        lines.append(_stage(late, stage, response, _trimmed(body, rule), seen.reason or ""))
    _write(server, b"".join(orjson.dumps(line) + b"\n" for line in lines))


def _sent(request: Request) -> Any:
    if request.method not in ("POST", "PUT", "PATCH", "DELETE") or (request.obj is None and not request.body):
        return None
    try:
        return negotiate.body_of(request)
    except ApiError:
        return None


def _trimmed(obj: Any, rule: Obj) -> Any:
    if not rule.get("omitManagedFields") or not isinstance(obj, dict) or "managedFields" not in (obj.get("metadata") or {}):
        return obj
    return {**obj, "metadata": {k: v for k, v in obj["metadata"].items() if k != "managedFields"}}


def _user(user: User) -> Obj:
    out: Obj = {"username": user.name}
    if user.uid:
        out["uid"] = user.uid
    out["groups"] = list(user.groups)
    if user.extra:
        out["extra"] = {name: list(values) for name, values in user.extra}
    return out


def _event(server: Server, request: Request, seen: Seen, level: str) -> Obj:
    query = "&".join(f"{name}={value}" for name, values in request.query.items() for value in values)
    out: Obj = {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": level}
    out["auditID"] = server.world.rng("apiserver/audit").uuid()
    out["stage"], out["requestURI"], out["verb"] = "", request.path + (f"?{query}" if query else ""), seen.verb
    out["user"] = _user(seen.user) if seen.user is not None else {}
    if seen.as_user is not None:
        out["impersonatedUser"] = _user(seen.as_user)
    out["sourceIPs"] = [request.source or server.config.advertise_address]
    out["userAgent"] = request.headers.get("user-agent", "")
    info = seen.info
    if info is not None and info.resource_request:
        ref = {
            "resource": info.resource,
            "namespace": info.namespace,
            "name": info.name,
            "apiGroup": info.group,
            "apiVersion": info.version,
            "subresource": info.subresource,
        }
        out["objectRef"] = {k: v for k, v in ref.items() if v}
    out["requestReceivedTimestamp"] = clock.rfc3339_micro(server.world.wall)
    return out


def _stage(event: Obj, stage: str, response: Response | None, body: Any = None, why: str = "") -> Obj:
    out = {**event, "stage": stage, "stageTimestamp": event["requestReceivedTimestamp"]}
    if response is None:
        return out
    status: Obj = {"metadata": {}}
    if response.status >= 400 and isinstance(response.obj, dict):
        status.update({k: response.obj[k] for k in ("status", "message", "reason", "details") if k in response.obj})
    status["code"] = response.status
    out["responseStatus"] = status
    if body is not None:
        out["responseObject"] = body
    allowed = response.status not in (401, 403)
    out["annotations"] = {"authorization.k8s.io/decision": "allow" if allowed else "forbid", "authorization.k8s.io/reason": why}
    if response.status == 401:
        del out["annotations"]
    order = [k for k in out if k not in ("requestReceivedTimestamp", "stageTimestamp", "annotations")]
    return {k: out[k] for k in (*order, "requestReceivedTimestamp", "stageTimestamp", "annotations") if k in out}


def _write(server: Server, data: bytes) -> None:
    path, proc = server.config.audit_log, server.process()
    if not data or proc is None or not path:
        return
    if path == "-":
        for line in data.decode().splitlines():
            processes.log(server.world, proc, line)
        return
    try:
        files.write_file(server.world, proc.host, path, data, mode=0o600, mnt=proc.mnt, parents=True, append=True)
    except OSError:
        return
