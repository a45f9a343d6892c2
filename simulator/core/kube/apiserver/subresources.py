"""Subresources with behaviour of their own, and the kinds that are only asked (reviews).

`scale`, `binding`, `eviction`, `token`, `log`, `exec` … each is one function here; `HANDLERS` and `REVIEWS` are the tables.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...kernel.http import Response
from .call import Call
from .subresource import binding, ephemeral, eviction, finalize, proxy, reviews, scale, token

Handler = Callable[[Call, str], Response]

HANDLERS: dict[str, Handler] = {
    "scale": scale.serve,
    "binding": binding.serve,
    "eviction": eviction.serve,
    "token": token.serve,
    "log": proxy.log,
    "exec": proxy.execute,
    "attach": proxy.attach,
    "portforward": proxy.port_forward,
    "proxy": proxy.proxy,
    "finalize": finalize.serve,
    "approval": finalize.approval,
    "ephemeralcontainers": ephemeral.serve,
    "resize": ephemeral.serve,
}

REVIEWS: dict[tuple[str, str], Handler] = {
    ("", "Binding"): binding.serve,
    ("", "ComponentStatus"): reviews.component_status,
    ("authentication.k8s.io", "SelfSubjectReview"): reviews.self_subject,
    ("authentication.k8s.io", "TokenReview"): reviews.token_review,
    ("authorization.k8s.io", "SelfSubjectAccessReview"): reviews.self_access,
    ("authorization.k8s.io", "SelfSubjectRulesReview"): reviews.self_rules,
    ("authorization.k8s.io", "SubjectAccessReview"): reviews.access,
    ("authorization.k8s.io", "LocalSubjectAccessReview"): reviews.access,
}

Obj = dict[str, Any]
