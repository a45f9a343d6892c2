"""Log-in and launch: what a platform says is believed when every part of it holds.

IMS Security Framework 1.0 (OpenID Connect third-party initiated log-in) and LTI Core 1.3.  A launch is refused for a wrong
signature, algorithm, issuer, audience, deployment, nonce, state, expiry or version; a state and its nonce open once.
"""

from __future__ import annotations

import datetime
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import jwt
import orjson
from django.db import transaction
from django.utils import timezone

from lessons.lti.models import Login, Platform
from lessons.outbox import http

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
DEEP = "https://purl.imsglobal.org/spec/lti-dl/claim/"
#: Seconds that clocks may differ.
LEEWAY = 60
#: How long a platform's keys are believed, and how often a missing one is asked for.
KEYS_LAST = datetime.timedelta(hours=12)
KEYS_AGAIN = datetime.timedelta(seconds=30)


class Refused(Exception):
    """A log-in or launch that is not believed."""


@dataclass(frozen=True, slots=True)
class Launch:
    """A launch that holds."""

    platform: Platform
    claims: dict[str, Any]

    @property
    def deployment(self) -> str:
        """The deployment that it came through."""
        return str(self.claims[CLAIM + "deployment_id"])

    @property
    def is_deep_linking(self) -> bool:
        """Whether somebody chooses content, rather than opens it."""
        return bool(self.claims[CLAIM + "message_type"] == "LtiDeepLinkingRequest")


def begin(given: dict[str, str], launch_url: str) -> tuple[Login, str]:
    """The log-in that a platform asks for, and where to send the browser.  Raises `Refused`."""
    issuer, client_id, hint = given.get("iss", ""), given.get("client_id", ""), given.get("login_hint", "")
    found = Platform.objects.filter(issuer=issuer, active=True)
    rows = list(found.filter(client_id=client_id) if client_id else found[:2])
    if len(rows) != 1:
        raise Refused("this platform is not registered here")
    if not hint:
        raise Refused("login_hint is missing")
    Login.objects.filter(created_at__lt=timezone.now() - Login.LASTS).delete()
    login = Login.objects.create(state=secrets.token_urlsafe(32), nonce=secrets.token_urlsafe(32), platform=rows[0])
    query = {
        "scope": "openid", "response_type": "id_token", "response_mode": "form_post", "prompt": "none", "client_id": rows[0].client_id,
        "redirect_uri": launch_url, "login_hint": hint, "state": login.state, "nonce": login.nonce,
    }  # fmt: skip
    if given.get("lti_message_hint"):
        query["lti_message_hint"] = given["lti_message_hint"]
    return login, rows[0].auth_url + ("&" if "?" in rows[0].auth_url else "?") + urlencode(query)


def finish(state: str, cookie: str, token: str) -> Launch:
    """What a platform's answer says.  Raises `Refused`."""
    if not state or not secrets.compare_digest(state.encode(), cookie.encode()):
        raise Refused("this browser did not begin the log-in")
    with transaction.atomic():
        login = Login.objects.select_for_update().select_related("platform").filter(state=state).first()
        if login is None:
            raise Refused("the log-in is unknown or was used before")
        Login.objects.filter(pk=login.pk).delete()
    if login.created_at < timezone.now() - Login.LASTS:
        raise Refused("the log-in took too long")
    if not login.platform.active:
        raise Refused("this platform is switched off")
    return Launch(login.platform, _believed(login, token))


def _believed(login: Login, token: str) -> dict[str, Any]:
    platform = login.platform
    try:
        header = jwt.get_unverified_header(token)
        claims: dict[str, Any] = jwt.decode(
            token,
            _key(platform, str(header.get("kid", ""))),
            algorithms=["RS256"],
            audience=platform.client_id,
            issuer=platform.issuer,
            leeway=LEEWAY,
            options={"require": ["exp", "iat", "nonce", "sub", "aud", "iss"]},
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise Refused(f"the token does not hold: {error}") from None
    audience = claims["aud"]
    if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != platform.client_id:
        raise Refused("the token is meant for somebody else")
    if not isinstance(claims["nonce"], str) or not secrets.compare_digest(claims["nonce"].encode(), login.nonce.encode()):
        raise Refused("the nonce is not the one that was given")
    if claims.get(CLAIM + "version") != "1.3.0":
        raise Refused("only LTI 1.3.0 is understood")
    if claims.get(CLAIM + "deployment_id") not in platform.deployments:
        raise Refused("this deployment is not registered here")
    if claims.get(CLAIM + "message_type") not in {"LtiResourceLinkRequest", "LtiDeepLinkingRequest"}:
        raise Refused("this kind of message is not understood")
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
        raise Refused("the token names nobody")
    return claims


def _key(platform: Platform, kid: str) -> Any:
    """The platform's public key; fetched again when it is unknown or old.  Raises `jwt.PyJWTError`, `Refused`."""
    now = timezone.now()
    found = _find(platform, kid)
    old = platform.jwks_at is None or platform.jwks_at < now - KEYS_LAST
    if old or (found is None and platform.jwks_at is not None and platform.jwks_at < now - KEYS_AGAIN):
        try:
            answer = http.send("GET", platform.jwks_url, headers={"Accept": "application/json"})
            keys = orjson.loads(answer.body) if answer.ok else None
        except (http.Refused, http.Unreachable, orjson.JSONDecodeError) as error:
            if found is None:
                raise Refused(f"the platform's keys could not be fetched: {error}") from None
            return found.key
        if isinstance(keys, dict):
            platform.jwks, platform.jwks_at = keys, now
            platform.save(update_fields=["jwks", "jwks_at"])
            found = _find(platform, kid)
    if found is None:
        raise Refused("the token is signed with a key that the platform does not publish")
    return found.key


def _find(platform: Platform, kid: str) -> jwt.PyJWK | None:
    keys = platform.jwks.get("keys") if isinstance(platform.jwks, dict) else None
    for entry in keys if isinstance(keys, list) else []:
        if isinstance(entry, dict) and entry.get("kid") == kid and entry.get("kty") == "RSA":
            return jwt.PyJWK(entry, algorithm="RS256")
    return None
