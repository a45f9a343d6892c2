"""Requests to other systems.  Only hosts that the operator lists are contacted, redirects are not followed, answers are bounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings

#: Seconds to connect and to wait between bytes.
TIMEOUT = (3.05, 10.0)
MAX_ANSWER = 1024 * 1024


class Refused(Exception):
    """The address may not be contacted."""


class Unreachable(Exception):
    """No answer; trying again later may help."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether it was taken."""
        return 200 <= self.status < 300


def check(url: str) -> str:
    """`url` when it is one that may be contacted: https (http on this machine), no user in it, a host of `INTEGRATION_HOSTS`."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise Refused("is not an address") from None
    allowed = {name.lower() for name in settings.SLIPWAY_INTEGRATION_HOSTS}
    if parts.scheme not in {"http", "https"} or not host or parts.username is not None or parts.password is not None:
        raise Refused("is not a plain http or https address")
    if host not in allowed and f"{host}:{port}" not in allowed:
        raise Refused(f"{host} is not in INTEGRATION_HOSTS")
    if parts.scheme == "http" and host not in {"localhost", "127.0.0.1", "::1"}:
        raise Refused("must begin with https")
    return url


def send(method: str, url: str, *, body: bytes | None = None, headers: dict[str, str] | None = None, **more: Any) -> Answer:
    """Make one request.  Raises `Refused` or `Unreachable`."""
    check(url)
    given = {"User-Agent": "Slipway", **(headers or {})}
    try:
        with requests.Session() as session:
            session.trust_env = False
            with session.request(
                method, url, data=body, headers=given, timeout=TIMEOUT, allow_redirects=False, stream=True, **more
            ) as answer:
                content = answer.raw.read(MAX_ANSWER + 1, decode_content=True)
                if len(content) > MAX_ANSWER:
                    raise Unreachable("the answer is too long")
                return Answer(answer.status_code, dict(answer.headers), content)
    except (requests.RequestException, OSError) as error:
        raise Unreachable(type(error).__name__) from None
