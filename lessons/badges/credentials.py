"""What is said of a completed course, in the form of Open Badges 3.0 (1EdTech), and whether somebody's credential is ours.

The proof is a JSON Web Token (OB 3.0, section 8.2): RS256, its header's `kid` is the address of the key as a JWK; the payload is the
credential itself with `iss`, `jti`, `nbf` and `sub`.  Who earned it is named, and by a salted hash of their e-mail address where they
have one.
"""

from __future__ import annotations

import datetime
import hashlib
import uuid
from dataclasses import dataclass
from html import escape
from typing import Any

import jwt
from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from lessons import signing
from lessons.badges.models import Key
from lessons.desk.models import Certificate
from lessons.models import Course

PURPOSE = "badges"
CONTEXT = ("https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json")
SCHEMA = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json"
NAMESPACE = "https://purl.imsglobal.org/ob/v3p0"
#: The most that a pasted credential may be.
LONGEST = 32_768


def address(name: str, *args: str) -> str:
    """A lasting address of ours, without a language, at SITE_URL."""
    return settings.SLIPWAY_SITE_URL.rstrip("/") + reverse(f"badges:{name}", args=args)


def current() -> Key:
    """The key that signs; the first one is made when it is needed."""
    return Key.objects.first() or rotate()


def rotate() -> Key:
    """A new key, which signs from now on; the others stay published."""
    return Key.objects.create(**signing.generate(PURPOSE))


def issuer() -> dict[str, Any]:
    """Our profile."""
    return {"id": address("issuer"), "type": ["Profile"], "name": "Slipway", "url": settings.SLIPWAY_SITE_URL}


def achievement(course: Course, language: str) -> dict[str, Any]:
    """What somebody has achieved who completed a course."""
    with translation.override(language):
        narrative = _(
            "Every exercise was passed on a simulated cluster that checked it, and every quiz of the course was passed."
        )
        text = _("Completed the course “%(course)s”.") % {"course": course.title}
        name = str(course.title)
    return {
        "id": address("achievement", course.slug),
        "type": ["Achievement"],
        "achievementType": "Course",
        "name": name,
        "description": text,
        "criteria": {"narrative": narrative},
        "image": {"id": address("image"), "type": "Image"},
        "inLanguage": language,
    }


def credential(row: Certificate, language: str) -> dict[str, Any]:
    """The credential of a certificate, in a language."""
    subject = uuid.uuid5(uuid.NAMESPACE_URL, f"{settings.SLIPWAY_SITE_URL}/certificates/{row.number}")
    identifiers: list[dict[str, Any]] = [
        {"type": "IdentityObject", "identityType": "name", "hashed": False, "identityHash": row.name}
    ]
    if row.user.email:
        identifiers.append({
            "type": "IdentityObject", "identityType": "emailAddress", "hashed": True, "salt": row.number,
            "identityHash": hashed(row.user.email, row.number),
        })  # fmt: skip
    earned = achievement(row.course, language)
    return {
        "@context": list(CONTEXT),
        "id": address("credential", row.number),
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": earned["name"],
        "issuer": issuer(),
        "validFrom": row.issued_at.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "credentialSubject": {
            "id": f"urn:uuid:{subject}", "type": ["AchievementSubject"], "identifier": identifiers, "achievement": earned,
        },
        "credentialSchema": [{"id": SCHEMA, "type": "1EdTechJsonSchemaValidator2019"}],
    }  # fmt: skip


def hashed(email: str, salt: str) -> str:
    """An identity hash (OB 3.0: IdentityHash)."""
    return "sha256$" + hashlib.sha256((email.strip().lower() + salt).encode()).hexdigest()


def token(row: Certificate, language: str) -> str:
    """The signed credential."""
    said = credential(row, language)
    claims = said | {
        "iss": said["issuer"]["id"],
        "jti": said["id"],
        "sub": said["credentialSubject"]["id"],
        "nbf": int(row.issued_at.timestamp()),
    }
    key = current()
    return signing.sign(PURPOSE, key.private, claims, {"typ": "JWT", "kid": address("key", key.kid)})


def picture(row: Certificate | None, language: str) -> str:
    """The badge as SVG; with a certificate, its credential is baked into it (OB 3.0, section 5.3)."""
    baked = f'<openbadges:credential verify="{token(row, language)}"/>' if row is not None else ""
    title = escape(str(row.course.title)) if row is not None else "Slipway"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="{NAMESPACE}" viewBox="0 0 240 240" width="240" height="240" role="img">'
        f"{baked}<title>{title}</title>"
        '<rect width="240" height="240" rx="28" fill="#10202e"/>'
        '<path d="M28 168c14 10 28 10 42 0s28-10 42 0 28 10 42 0 28-10 42 0v24H28z" fill="#2f7fb5"/>'
        '<path d="M52 150h136l-22 34H74z" fill="#f4f1e8"/><path d="M116 46h8v98h-8z" fill="#f4f1e8"/>'
        '<path d="M128 56l48 78h-48z" fill="#e8a33d"/><path d="M112 70v64H72z" fill="#f4f1e8" opacity=".75"/>'
        '<path d="M168 44l10 12 22-26" fill="none" stroke="#7fd1a0" stroke-width="9" stroke-linecap="round" stroke-linejoin="round"/></svg>\n'
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verification found: why the credential does not hold ("" when it does), what it says, and the certificate it is of."""

    reason: str = ""
    said: dict[str, Any] | None = None
    certificate: Certificate | None = None
    email: bool | None = None


def verify(text: str, email: str = "") -> Verdict:
    """Look at a credential that somebody shows: a token, or an SVG with one in it."""
    text = text.strip()
    if text.startswith("<"):
        text = text.partition('<openbadges:credential verify="')[2].partition('"')[0]
    if not text or len(text) > LONGEST:
        return Verdict(_("This is no signed credential."))
    try:
        kid = str(jwt.get_unverified_header(text).get("kid", ""))
        key = Key.objects.filter(kid=kid.removesuffix(".json").rpartition("/")[2]).first()
        if key is None or address("key", key.kid) != kid:
            return Verdict(_("It is not signed by this site."))
        said = jwt.decode(text, jwt.PyJWK(key.public, algorithm="RS256"), algorithms=["RS256"], issuer=address("issuer"))
    except (jwt.PyJWTError, ValueError, TypeError):
        return Verdict(_("Its signature does not hold: it was changed, or it is not of this site."))
    row = (
        Certificate.objects.select_related("course__version", "user")
        .filter(number=str(said.get("jti", "")).rpartition("/")[2])
        .first()
    )
    if row is None:
        return Verdict(_("It was signed here, and the certificate has been withdrawn since."), said)
    same = None
    if email.strip():
        held = [one for one in said["credentialSubject"].get("identifier") or () if one.get("identityType") == "emailAddress"]
        same = any(one.get("identityHash") == hashed(email, str(one.get("salt", ""))) for one in held)
    return Verdict("", said, row, same)
