"""LTI Dynamic Registration 1.0: a platform's administrator opens a link, and the two sides tell each other what they need.

The link is made by staff, holds for a day and registers once.  The platform's configuration is fetched only from hosts of
`INTEGRATION_HOSTS`, has to name an issuer at that very host, and so have its addresses to be ones that may be contacted.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import orjson
from django.utils import timezone

from lessons.lti.grades import ROSTER, SCORE
from lessons.lti.launch import Refused
from lessons.lti.models import Platform, RegistrationLink
from lessons.outbox import http

TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"
PLATFORM = "https://purl.imsglobal.org/spec/lti-platform-configuration"
_ADDRESSES = {
    "auth_url": "authorization_endpoint", "token_url": "token_endpoint", "jwks_url": "jwks_uri", "register": "registration_endpoint",
}  # fmt: skip


def register(secret: str, address: str, token: str, ours: dict[str, str]) -> Platform:
    """Register with the platform whose OpenID configuration is at `address`; `ours` are login, launch, jwks.  Raises `Refused`."""
    now = timezone.now()
    claimed = RegistrationLink.objects.filter(digest=RegistrationLink.digest_of(secret), used_at=None)
    link = claimed.first()
    # one opening takes the link, before anything is sent: no transaction stays open while another host answers
    if link is None or not link.live or not claimed.update(used_at=now):
        raise Refused("this registration link has been used or has ended")
    try:
        return _registered(address, token, ours)
    except BaseException:
        RegistrationLink.objects.filter(pk=link.pk, used_at=now).update(used_at=None)  # it can be opened again
        raise


def _registered(address: str, token: str, ours: dict[str, str]) -> Platform:
    try:
        http.check(address)
        configuration = _object(http.send("GET", address, headers={"Accept": "application/json"}))
    except (http.Refused, http.Unreachable) as error:
        raise Refused(f"the platform's configuration could not be fetched: {error}") from None
    found = _addresses(address, configuration)
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        answer = _object(http.send("POST", found.pop("register"), body=orjson.dumps(_request(ours)), headers=headers))
    except (http.Refused, http.Unreachable) as error:
        raise Refused(f"the platform did not take the registration: {error}") from None
    client = answer.get("client_id")
    if not isinstance(client, str) or not 0 < len(client) <= 255:
        raise Refused("the platform did not take the registration: it gave no client_id")
    issuer = str(configuration["issuer"])
    tool = answer.get(TOOL)
    deployment = tool.get("deployment_id") if isinstance(tool, dict) else None
    described = configuration.get(PLATFORM)
    family = described.get("product_family_code") if isinstance(described, dict) else ""
    made, new = Platform.objects.get_or_create(
        issuer=issuer,
        client_id=client,
        defaults={
            "name": f"{urlsplit(issuer).hostname} ({family})"[:80] if family else str(urlsplit(issuer).hostname)[:80],
            "deployments": [str(deployment)] if deployment else [],
            **found,
        },
    )
    if not new:
        raise Refused("this platform is registered already")
    return made


def _object(answer: http.Answer) -> dict[str, Any]:
    if not answer.ok:
        raise http.Unreachable(f"answered {answer.status}")
    try:
        found = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        raise http.Unreachable("the answer is no JSON") from None
    if not isinstance(found, dict):
        raise http.Unreachable("the answer is no object")
    return found


def _addresses(address: str, configuration: dict[str, Any]) -> dict[str, str]:
    """The platform's addresses out of its configuration, each one that may be contacted.  Raises `Refused`."""
    issuer = configuration.get("issuer")
    if not isinstance(issuer, str) or urlsplit(issuer).hostname != urlsplit(address).hostname or len(issuer) > 255:
        raise Refused("the configuration names an issuer at another host")
    found: dict[str, str] = {}
    for ours, theirs in _ADDRESSES.items():
        value = configuration.get(theirs)
        if not isinstance(value, str) or len(value) > 500:
            raise Refused(f"the configuration lacks {theirs}")
        try:
            found[ours] = value if ours == "auth_url" and value.startswith("https://") else http.check(value)
        except http.Refused as error:
            raise Refused(f"{theirs}: {error}") from None
    return found


def _request(ours: dict[str, str]) -> dict[str, Any]:
    """What we ask for."""
    return {
        "application_type": "web",
        "response_types": ["id_token"],
        "grant_types": ["implicit", "client_credentials"],
        "initiate_login_uri": ours["login"],
        "redirect_uris": [ours["launch"]],
        "jwks_uri": ours["jwks"],
        "client_name": "Slipway",
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": f"{SCORE} {ROSTER}",
        TOOL: {
            "domain": urlsplit(ours["launch"]).netloc,
            "description": "Kubernetes from the inside, on a simulated cluster for each learner",
            "target_link_uri": ours["launch"],
            "claims": ["iss", "sub", "name", "given_name", "family_name", "email"],
            "messages": [{"type": "LtiDeepLinkingRequest", "target_link_uri": ours["launch"], "label": "Slipway"}],
        },
    }
