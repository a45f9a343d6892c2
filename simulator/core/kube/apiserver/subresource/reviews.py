"""Kinds that are only asked: access reviews, who am I, token reviews, component statuses."""

from __future__ import annotations

from typing import Any

from ....etcd.errors import EtcdError
from ....kernel import network
from ....kernel.errors import ConnectError
from ....kernel.http import Request, Response
from ...api import errors
from .. import resource, tables
from ..authz import Attributes
from ..call import Call, User

Obj = dict[str, Any]


def _user_info(user: User) -> Obj:
    out: Obj = {"username": user.name}
    if user.uid:
        out["uid"] = user.uid
    if user.groups:
        out["groups"] = list(user.groups)
    if user.extra:
        out["extra"] = {name: list(values) for name, values in user.extra}
    return out


def self_subject(call: Call, verb: str) -> Response:
    """SelfSubjectReview: who the server takes the client for."""
    body = resource.decode_body(call)
    body["metadata"] = {"creationTimestamp": call.server.world.timestamp()}
    body["status"] = {"userInfo": _user_info(call.user)}
    return resource.answer(call, body, 201)


def token_review(call: Call, verb: str) -> Response:
    """TokenReview: whose token is this."""
    body = resource.decode_body(call)
    text = (body.get("spec") or {}).get("token", "")
    if not text:
        raise errors.bad_request("token is required for TokenReview in authentication")
    user = call.server.authenticator.review(text)
    if user is None:
        body["status"] = {"error": "[invalid bearer token, square/go-jose: error in cryptographic primitive]", "user": {}}
    else:
        audiences = [call.server.config.service_account_issuer]
        body["status"] = {"authenticated": True, "user": _user_info(user), "audiences": audiences}
    return resource.answer(call, body, 201)


def _asked(spec: Obj, user: User) -> Attributes:
    attributes = spec.get("resourceAttributes")
    if attributes is not None:
        return Attributes(
            user, attributes.get("verb", ""), attributes.get("group", ""), attributes.get("resource", ""),
            attributes.get("subresource", ""), attributes.get("namespace", ""), attributes.get("name", ""),
        )  # fmt: skip
    path = spec.get("nonResourceAttributes") or {}
    return Attributes(user, path.get("verb", ""), path=path.get("path", ""))


def _verdict(call: Call, body: Obj, user: User) -> Response:
    spec = body.get("spec") or {}
    if (spec.get("resourceAttributes") is None) == (spec.get("nonResourceAttributes") is None):
        text = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        problem = errors.invalid_value("spec.resourceAttributes", spec.get("nonResourceAttributes"), text)
        raise errors.invalid(call.kind.kind, call.kind.group, "", [problem])
    allowed, why = call.server.authorizer.allowed(_asked(spec, user))
    status: Obj = {"allowed": allowed}
    if why:
        status["reason"] = why
    body["status"] = status
    return resource.answer(call, body, 201)


def self_access(call: Call, verb: str) -> Response:
    """SelfSubjectAccessReview: may I."""
    return _verdict(call, resource.decode_body(call), call.user)


def access(call: Call, verb: str) -> Response:
    """SubjectAccessReview and LocalSubjectAccessReview: may they."""
    body = resource.decode_body(call)
    spec = body.get("spec") or {}
    if not spec.get("user") and not spec.get("groups"):
        problem = errors.invalid_value("spec.user", "", "at least one of user or group must be specified")
        raise errors.invalid(call.kind.kind, call.kind.group, "", [problem])
    return _verdict(call, body, User(spec.get("user", ""), tuple(spec.get("groups") or ()), spec.get("uid", "")))


def self_rules(call: Call, verb: str) -> Response:
    """SelfSubjectRulesReview: everything I may do in a namespace."""
    body = resource.decode_body(call)
    namespace = (body.get("spec") or {}).get("namespace", "")
    if not namespace:
        raise errors.bad_request("no namespace on request")
    paths, resources = [], []
    for rule in call.server.authorizer.rules(call.user, namespace):
        if rule.get("nonResourceURLs"):
            paths.append({"verbs": rule["verbs"], "nonResourceURLs": rule["nonResourceURLs"]})
        else:
            resources.append({k: rule[k] for k in ("verbs", "apiGroups", "resources", "resourceNames") if k in rule})
    body["status"] = {"resourceRules": resources, "nonResourceRules": paths, "incomplete": False}
    return resource.answer(call, body, 201)


# -- component statuses -------------------------------------------------------------------------------------------------

COMPONENTS = (("controller-manager", "127.0.0.1", 10257), ("scheduler", "127.0.0.1", 10259))


def component_status(call: Call, verb: str) -> Response:
    """GET and LIST: the API server asks the health ports and etcd (`pkg/registry/core/componentstatus`)."""
    call.warnings.append("v1 ComponentStatus is deprecated in v1.19+")
    items = [_probe(call, name, ip, port) for name, ip, port in COMPONENTS]
    for i, _ in enumerate(call.server.config.etcd_servers):
        try:
            call.server.client.current_revision()
            items.append(_component(f"etcd-{i}", "True", "ok", ""))
        except (ConnectError, EtcdError) as error:
            items.append(_component(f"etcd-{i}", "False", "", str(error)))
    if call.info.name:
        for item in items:
            if item["metadata"]["name"] == call.info.name:
                return resource.answer(call, item)
        raise errors.not_found("componentstatuses", call.info.name)
    header = call.request.headers.get("accept", "")
    if "as=Table" in header:
        return Response(obj=tables.table_of(call, items, {}, include="Metadata"))
    return Response(obj={"kind": "ComponentStatusList", "apiVersion": "v1", "metadata": {"resourceVersion": ""}, "items": items})


def _probe(call: Call, name: str, ip: str, port: int) -> Obj:
    try:
        answer = network.http(call.server.world, call.server.netns, ip, port, Request(method="GET", path="/healthz"))
    except ConnectError:
        text = f'Get "https://{ip}:{port}/healthz": dial tcp {ip}:{port}: connect: connection refused'
        return _component(name, "False", text, "")
    text = answer.body.decode("utf-8", "replace") or "ok"
    return _component(name, "True" if answer.status == 200 else "False", text, "")


def _component(name: str, healthy: str, message: str, error: str) -> Obj:
    condition = {"type": "Healthy", "status": healthy, "message": message}
    if error:
        condition["error"] = error
    return {"kind": "ComponentStatus", "apiVersion": "v1", "metadata": {"name": name}, "conditions": [condition]}
