"""The last requests and what each gate made of them: for the map's lens (`lab/lenses/apiserver.py`), nothing else reads it.

Kept are the requests that leave a trace (`registry/notify.py`), what people ask, and whatever is refused at the door.  Heartbeats and
the reads of components are not: they would push everything else out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ...kernel.http import Request, Response
from .authn import ANONYMOUS
from .authz import MASTERS
from .registry.notify import QUIET, READERS

if TYPE_CHECKING:
    from .audit import Seen
    from .request_info import RequestInfo
    from .server import Server

Obj = dict[str, Any]

#: How many requests are kept: of people, and of components, which ask much more often.
KEPT_PEOPLE = 16
KEPT_OTHERS = 24
#: Clients for people whose requests to plain paths (`/healthz`) are shown as well; kubectl's are discovery.
BROWSERS = ("curl", "wget")


class Row(msgspec.Struct, array_like=True):
    """One request: virtual time (ns), agent, verb, what on, user, groups, how it was known, whom it acts as, the authoriser's mode and
    reason, the last gate and what it said, plugins that changed the object, the one that refused, etcd's key, revision, trace event."""

    at: int
    agent: str
    verb: str
    ref: str
    user: str
    groups: list[str]
    how: str
    acting: str
    by: str
    why: str
    stage: str
    code: int
    message: str
    changed: list[str]
    refused: str
    key: str
    revision: int
    event: int


class Recent(msgspec.Struct, omit_defaults=True):
    """The rows, oldest first: people's, and components'."""

    people: list[Row] = []
    others: list[Row] = []


def wanted(server: Server, request: Request, info: RequestInfo) -> bool:
    """Whether a request is to be kept, as far as can be known before it is answered."""
    resource = info.resource
    if resource == "leases" or server.booting:  # by far the most, so they come first
        return False
    reads = request.method in ("GET", "HEAD")
    agent = request.headers.get("user-agent", "").partition("/")[0]
    if not resource:
        return agent.lower() in BROWSERS
    if agent in READERS:
        return True
    return not reads and resource not in QUIET and not (resource == "nodes" and info.subresource == "status")


def note(server: Server, request: Request, response: Response, seen: Seen, before: int) -> None:
    """Keep a request that has been answered; `before` is the trace's newest event when it came."""
    info, user, call = seen.info, seen.user, seen.call
    assert info is not None
    groups = list(user.groups) if user is not None else []
    stage, agent = _stage(response, seen), request.headers.get("user-agent", "").partition("/")[0]
    obj = response.obj if isinstance(response.obj, dict) else {}
    reads = request.method in ("GET", "HEAD")
    meta = obj.get("metadata") if isinstance(obj.get("metadata"), dict) else {}
    name = _created(request, meta or {}) if seen.verb == "create" else ""
    if seen.reason is None:
        by = ""
    elif seen.reason:
        by = "RBAC"
    else:
        by = "masters" if MASTERS in groups else "Node" if user and user.name.startswith("system:node:") else "AlwaysAllow"
    rows, most = (server.recent.people, KEPT_PEOPLE) if _of_people(agent) else (server.recent.others, KEPT_OTHERS)
    rows.append(
        Row(
            at=server.world.now,
            agent=agent,
            verb=seen.verb,
            ref=_ref(seen, name),
            user=user.name if user is not None else "",
            groups=groups,
            how=_how(request, seen),
            acting=seen.as_user.name if seen.as_user is not None else "",
            by=by,
            why=seen.reason or "",
            stage=stage,
            code=response.status,
            message=str(obj.get("message", ""))[:240] if response.status >= 400 else "",
            changed=list(call.changed or ()) if call is not None else [],
            refused=call.refused if call is not None else "",
            key=_key(seen, name),
            revision=0 if reads or response.status >= 400 else _number((meta or {}).get("resourceVersion")),
            event=before + 1 if server.world.trace_seq > before else 0,
        )
    )
    if len(rows) > most:
        del rows[0]


def _of_people(agent: str) -> bool:
    return agent in READERS or agent.lower() in BROWSERS


def _stage(response: Response, seen: Seen) -> str:
    """The gate at which a request ended, `done` for one that passed them all."""
    if response.status < 400:
        return "done"
    if seen.user is None:
        return "authentication"
    if seen.reason is None:
        return "authorization"
    if (seen.call is not None and seen.call.refused) or response.status in (400, 415, 422):
        return "admission"
    return "storage"


def _how(request: Request, seen: Seen) -> str:
    """By which credential the user was known."""
    user = seen.user
    if user is None:
        return ""
    if user == ANONYMOUS:
        return "anonymous"
    if any(name.endswith("credential-id") and values[0].startswith("X509") for name, values in user.extra):
        return "x509"
    if user.name.startswith("system:serviceaccount:"):
        return "serviceaccount"
    return "bootstrap" if user.name.startswith("system:bootstrap:") else "token"


def _created(request: Request, answered: Obj) -> str:
    """The name of an object that is to be created: as it was stored (with a generated name), else as it was asked for."""
    sent = request.obj.get("metadata") if isinstance(request.obj, dict) else None
    return str(answered.get("name") or (sent.get("name") if isinstance(sent, dict) else "") or "")


def _ref(seen: Seen, name: str) -> str:
    info = seen.info
    assert info is not None
    if not info.resource_request:
        return info.path
    parts = [
        info.resource,
        info.namespace,
        info.name or name,
        info.subresource,
    ]
    return "/".join(part for part in parts if part)


def _key(seen: Seen, name: str) -> str:
    """The key or prefix in etcd that the request is about."""
    call, info = seen.call, seen.info
    if call is None or info is None:
        return ""
    return "/".join(part for part in (call.kind.prefix, call.namespace, info.name or name) if part)


def _number(text: object) -> int:
    return int(text) if isinstance(text, str) and text.isdigit() else 0
