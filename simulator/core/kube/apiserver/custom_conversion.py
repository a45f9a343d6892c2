"""Custom resources in another version than the one they were written in (`apiextensions-apiserver/pkg/apiserver/conversion`).

With the strategy `None` only the apiVersion changes; with `Webhook` the definition's webhook is asked, over the simulated network like
any other, and what it answers is checked as the real converter does.
"""

from __future__ import annotations

from typing import Any

import orjson

from ..api.errors import ApiError, status
from ..api.kinds import KindInfo
from . import service_endpoints
from .server import Server

Obj = dict[str, Any]
#: Seconds that a conversion webhook is given (`webhook_converter.go`).
TIMEOUT = 30
#: The versions of ConversionReview that this server speaks.
REVIEWS = ("v1", "v1beta1")


def storage_version(server: Server, kind: KindInfo) -> str:
    """The version that a definition stores its objects in, if its webhook converts; "" where an object is stored as it was written."""
    spec = server.definition_spec(kind)
    if (spec.get("conversion") or {}).get("strategy") != "Webhook":
        return ""
    return str(next((item["name"] for item in spec["versions"] if item.get("storage")), ""))


def storable(server: Server, kind: KindInfo, obj: Obj) -> Obj:
    """An object as it is stored: in the storage version where a webhook converts, else as it was written."""
    version = storage_version(server, kind) if kind.custom else ""
    return convert(server, kind, [obj], version)[0] if version else obj


def live(server: Server, kind: KindInfo, obj: Obj, version: str) -> Obj:
    """A stored object as a request of a version changes it."""
    return convert(server, kind, [obj], version)[0] if kind.custom and storage_version(server, kind) else obj


def convert(server: Server, kind: KindInfo, objects: list[Obj], version: str) -> list[Obj]:
    """The objects in a version; those that have it already are not touched.  Raises ApiError when the webhook fails."""
    wanted = f"{kind.group}/{version}"
    others = [obj for obj in objects if obj.get("apiVersion") != wanted and obj.get("kind") == kind.kind]
    if not others:
        return objects
    conversion = server.definition_spec(kind).get("conversion") or {}
    if conversion.get("strategy") != "Webhook":
        done = [{**obj, "apiVersion": wanted} for obj in others]
    else:
        done = _ask(server, conversion.get("webhook") or {}, others, wanted)
    converted = iter(done)
    return [next(converted) if obj.get("apiVersion") != wanted and obj.get("kind") == kind.kind else obj for obj in objects]


def _ask(server: Server, webhook: Obj, objects: list[Obj], wanted: str) -> list[Obj]:
    group_version, kind = str(objects[0]["apiVersion"]), objects[0]["kind"]
    head = f"conversion webhook for {group_version}, Kind={kind}"
    review = next((name for name in webhook.get("conversionReviewVersions") or () if name in REVIEWS), "v1")
    uid = server.world.rng("apiserver/webhooks").uuid()
    body = {
        "kind": "ConversionReview",
        "apiVersion": f"apiextensions.k8s.io/{review}",
        "request": {"uid": uid, "desiredAPIVersion": wanted, "objects": objects},
    }
    try:
        answer = service_endpoints.post(
            server.world, server.netns, server.storage, webhook.get("clientConfig") or {}, orjson.dumps(body), TIMEOUT
        )
    except service_endpoints.CannotPost as why:
        raise _failed(f"{head} failed: {why}") from None
    try:
        said = answer.obj if answer.obj is not None else orjson.loads(answer.body)
        response = said["response"]
        result = (response.get("result") or {}).get("status")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _failed(f"{head} failed: the server rejected our request for an unknown reason (code {answer.status})") from None
    if response.get("uid") != uid:
        raise _failed(f"{head} failed: expected response.uid={uid!r}, got {response.get('uid')!r}".replace("'", '"'))
    if result != "Success":
        text = (response.get("result") or {}).get("message") or ""
        raise _failed(
            f"{head} failed: {text}" if text else f"{head} failed: response.result.status was '{result or ''}', not 'Success'"
        )
    found = response.get("convertedObjects")
    if not isinstance(found, list) or len(found) != len(objects):
        count = len(found) if isinstance(found, list) else 0
        raise _failed(f"{head} returned {count} objects, expected {len(objects)}")
    return [_checked(head, old, new, wanted) for old, new in zip(objects, found, strict=True)]


def _checked(head: str, old: Obj, new: Any, wanted: str) -> Obj:
    """`validateConvertedObject` and `restoreObjectMeta`: of the metadata a webhook may change labels and annotations only."""
    if not isinstance(new, dict) or not isinstance(new.get("metadata"), dict):
        raise _failed(f"{head} returned an invalid converted object: missing metadata")
    if new.get("apiVersion") != wanted or new.get("kind") != old["kind"]:
        raise _failed(
            f"{head} returned an invalid converted object: invalid groupVersion, expected {wanted}, got {new.get('apiVersion')}"
        )
    for name in ("name", "namespace", "uid"):
        if new["metadata"].get(name) != old["metadata"].get(name):
            raise _failed(f"{head} returned an invalid converted object: must have the same {name}: {old['metadata'].get(name)}")
    changed = {key: new["metadata"][key] for key in ("labels", "annotations") if isinstance(new["metadata"].get(key), dict)}
    kept = {key: value for key, value in old["metadata"].items() if key not in ("labels", "annotations")}
    return {**new, "metadata": {**kept, **changed}}


def _failed(text: str) -> ApiError:
    return ApiError(status(500, "", text))
