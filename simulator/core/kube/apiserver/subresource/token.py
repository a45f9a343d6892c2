"""TokenRequest: a bound, signed service-account token (`pkg/registry/core/serviceaccount/storage/token.go`)."""

from __future__ import annotations

from typing import Any

from ....kernel import clock
from ....kernel.http import Response
from ...api import errors
from ...api.jwt import sign_jwt
from .. import authn, negotiate
from ..call import Call
from ..registry import store

Obj = dict[str, Any]
MIN_SECONDS, MAX_SECONDS, DEFAULT_SECONDS = 600, 1 << 32, 3600
#: One year: what the real server gives when a projected token asks for 3607 s (`--service-account-extend-token-expiration`).
EXTENDED_SECONDS = 365 * 24 * 3600


def serve(call: Call, verb: str) -> Response:
    """POST of a TokenRequest."""
    account = store.get(call)
    body = negotiate.body_of(call.request)
    spec = dict((body.get("spec") if isinstance(body, dict) else None) or {})
    seconds = spec.get("expirationSeconds")
    seconds = DEFAULT_SECONDS if seconds is None else seconds
    problems = []
    if not isinstance(seconds, int) or seconds < MIN_SECONDS:
        problems.append(
            errors.invalid_value("spec.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")
        )
    elif seconds > MAX_SECONDS:
        problems.append(
            errors.invalid_value("spec.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds")
        )
    if problems:
        raise errors.invalid("TokenRequest", "authentication.k8s.io", "", problems)
    audiences = spec.get("audiences") or [call.server.config.service_account_issuer]
    bound = _bound_object(call, spec.get("boundObjectRef"))
    now = call.server.world.wall // clock.SECOND
    claims = claims_of(call, account, audiences, seconds, bound)
    text = sign_jwt(claims, call.server.config.service_account_key)
    expires = clock.rfc3339((now + seconds) * clock.SECOND)
    spec.update(audiences=audiences, expirationSeconds=seconds)
    spec.setdefault("boundObjectRef", None)
    meta = {"name": call.info.name, "namespace": call.namespace, "creationTimestamp": call.server.world.timestamp()}
    status = {"token": text, "expirationTimestamp": expires}
    out = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "metadata": meta, "spec": spec, "status": status}
    return Response(status=201, obj=out)


def claims_of(call: Call, account: Obj, audiences: list[str], seconds: int, bound: Obj | None) -> Obj:
    """The claims of a token of a service account."""
    world = call.server.world
    now, meta = world.wall // clock.SECOND, account["metadata"]
    life = EXTENDED_SECONDS if seconds == authn.TOKEN_LIFE and bound else seconds
    private: Obj = {"namespace": meta["namespace"], "serviceaccount": {"name": meta["name"], "uid": meta["uid"]}}
    if bound is not None:
        private["pod" if bound["kind"] == "Pod" else "secret"] = {"name": bound["name"], "uid": bound["uid"]}
    claims: Obj = {
        "aud": audiences, "exp": now + life, "iat": now, "iss": call.server.config.service_account_issuer,
        "jti": world.rng("apiserver/uids").uuid(), "kubernetes.io": private, "nbf": now,
        "sub": f"system:serviceaccount:{meta['namespace']}:{meta['name']}",
    }  # fmt: skip
    if life != seconds:
        private["warnafter"] = now + seconds
    return claims


def _bound_object(call: Call, ref: Obj | None) -> Obj | None:
    if not ref:
        return None
    plural = {"Pod": "pods", "Secret": "secrets", "Node": "minions"}.get(ref.get("kind", ""))
    if plural is None:
        raise errors.bad_request(f'cannot bind token for serviceaccount "{call.info.name}" to object of type {ref.get("kind")}')
    found = call.server.storage.get(f"/registry/{plural}/{call.namespace}/{ref.get('name', '')}".encode())
    if found is None:
        raise errors.not_found(plural, str(ref.get("name", "")))
    uid = found[0]["metadata"]["uid"]
    if ref.get("uid") and ref["uid"] != uid:
        text = (
            f"the UID in the bound object reference ({ref['uid']}) does not match the UID in record. "
            "The object might have been deleted and then recreated"
        )
        raise errors.conflict(plural, str(ref["name"]), text)
    return {"kind": ref["kind"], "name": ref["name"], "uid": uid}
