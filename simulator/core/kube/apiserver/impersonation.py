"""Impersonation: the `Impersonate-*` headers, each thing authorised by itself (`endpoints/filters/impersonation`).

A header that may be repeated carries its values with line ends between them, which no header can hold.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

from ..api import errors
from ..api.errors import ApiError
from .authn import ANONYMOUS, AUTHENTICATED
from .authz import Attributes
from .call import User

USER, GROUP, UID, EXTRA = "impersonate-user", "impersonate-group", "impersonate-uid", "impersonate-extra-"
UNAUTHENTICATED = "system:unauthenticated"
Authorize = Callable[[Attributes], object]


def asked(headers: dict[str, str]) -> bool:
    """Whether a request wants to be somebody else."""
    return any(name.startswith("impersonate-") for name in headers)


def impersonate(user: User, headers: dict[str, str], authorize: Authorize) -> User:
    """The user that the headers ask for; `authorize` raises 403 for what the requester may not."""
    name, uid = headers.get(USER, ""), headers.get(UID, "")
    groups = headers[GROUP].split("\n") if GROUP in headers else []
    extra = {unquote(key[len(EXTRA) :]).lower(): value.split("\n") for key, value in headers.items() if key.startswith(EXTRA)}
    if not name:
        if not groups and not extra and not uid:
            return user
        raise without_user(groups, extra, uid)
    account = name.split(":") if name.startswith("system:serviceaccount:") and name.count(":") == 3 else []
    given = list(groups)
    if account:
        authorize(Attributes(user, "impersonate", "", "serviceaccounts", "", account[2], account[3]))
        if not groups:
            given = ["system:serviceaccounts", f"system:serviceaccounts:{account[2]}"]
    else:
        authorize(Attributes(user, "impersonate", "", "users", "", "", name))
    for group in groups:
        authorize(Attributes(user, "impersonate", "", "groups", "", "", group))
    api = "authentication.k8s.io"
    for key in sorted(extra):
        for value in extra[key]:
            authorize(Attributes(user, "impersonate", api, "userextras", key, "", value, "", "v1"))
    if uid:
        authorize(Attributes(user, "impersonate", api, "uids", "", "", uid, "", "v1"))
    if name == ANONYMOUS.name:
        if UNAUTHENTICATED not in given:
            given.append(UNAUTHENTICATED)
    elif AUTHENTICATED not in given and UNAUTHENTICATED not in given:
        given.append(AUTHENTICATED)
    return User(name, tuple(given), uid, tuple((key, tuple(extra[key])) for key in sorted(extra)))


def without_user(groups: list[str], extra: dict[str, list[str]], uid: str) -> ApiError:
    """400: something is asked for and nobody named; the references are shown as Go prints them."""
    shown = [f"{{Group    {group}    }}" for group in groups]
    shown += [f"{{UserExtra  {value}  authentication.k8s.io/v1  {key}}}" for key in sorted(extra) for value in extra[key]]
    if uid:
        shown.append(f"{{UID  {uid}  authentication.k8s.io/v1  }}")
    return errors.bad_request(f"requested [{' '.join(shown)}] without impersonating a user")
