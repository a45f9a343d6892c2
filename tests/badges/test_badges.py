"""Open Badges: a completed course's credential, verified with a library that did not sign it; what is not complete or was changed is refused."""

from __future__ import annotations

import hashlib
import io
import json
import re
from typing import Any

import pytest
from django.test import Client
from jwcrypto import jwk, jws

from lessons.badges import credentials
from lessons.badges.models import Key
from lessons.desk.models import Certificate
from lessons.models import Course
from tests.lessons.conftest import People
from tests.lessons.conftest import course as course
from tests.lessons.conftest import people as people

SITE = "https://learn.example"
VERIFY = "/en/badges/verify/"


@pytest.fixture
def row(course: Course, people: People, settings: Any) -> Certificate:
    """The certificate of somebody who has completed the course."""
    settings.SLIPWAY_SITE_URL = SITE
    user = people.learner
    user.email = "Ada@Example.org"
    user.save()
    facts = {"lessons": [1, 1], "exercises": [1, 1], "quizzes": [1, 1], "points": 20.0, "complete": True}
    return Certificate.objects.create(user=user, course=course, name="Ada Lovelace", facts=facts)


def verified(client: Client, token: str) -> dict[str, Any]:
    """As any verifier does: the key from the address in the header, the signature with a library of its own; raises InvalidJWSSignature."""
    found = jws.JWS()
    found.deserialize(token)
    kid = found.jose_header["kid"]
    assert found.jose_header["alg"] == "RS256" and kid.startswith(f"{SITE}/badges/keys/")
    answer = client.get(kid.removeprefix(SITE))
    assert answer.status_code == 200 and answer["Access-Control-Allow-Origin"] == "*"
    assert not {"d", "p", "q"} & set(answer.json())
    found.verify(jwk.JWK(**answer.json()))
    said: dict[str, Any] = json.loads(found.payload)
    return said


def test_a_completed_course_gives_a_credential_that_others_verify(client: Client, row: Certificate) -> None:
    """Everything that OB 3.0 requires, and addresses that answer."""
    answer = client.get(f"/badges/credentials/{row.number}?lang=ko")
    assert answer["Content-Type"] == "application/vc+jwt"
    said = verified(client, answer.content.decode())
    assert said["@context"] == list(credentials.CONTEXT)
    assert said["type"] == ["VerifiableCredential", "OpenBadgeCredential"] and re.fullmatch(r"[\dT:-]+Z", said["validFrom"])
    assert said["id"] == said["jti"] == f"{SITE}/badges/credentials/{row.number}"
    assert said["iss"] == said["issuer"]["id"] and said["nbf"] == int(row.issued_at.timestamp())
    subject = said["credentialSubject"]
    assert subject["id"] == said["sub"] and subject["type"] == ["AchievementSubject"]
    email = next(one for one in subject["identifier"] if one["identityType"] == "emailAddress")
    assert email["identityHash"] == "sha256$" + hashlib.sha256(f"ada@example.org{email['salt']}".encode()).hexdigest()
    earned = subject["achievement"]
    assert earned["inLanguage"] == "ko" and "시뮬레이션" in earned["criteria"]["narrative"]
    for where in (said["issuer"]["id"], earned["id"], earned["image"]["id"]):
        assert client.get(where.removeprefix(SITE)).status_code == 200
    assert client.get(earned["id"].removeprefix(SITE)).json()["name"] == row.course.title


def test_old_credentials_verify_after_the_key_has_changed(client: Client, row: Certificate) -> None:
    old = client.get(f"/badges/credentials/{row.number}").content.decode()
    credentials.rotate()
    new = client.get(f"/badges/credentials/{row.number}").content.decode()
    assert verified(client, old) == verified(client, new) and old != new
    assert len(client.get("/badges/jwks.json").json()["keys"]) == 2
    assert b"PRIVATE" not in bytes(Key.objects.first().private)  # type: ignore[union-attr]


def test_the_badge_carries_its_credential(client: Client, row: Certificate) -> None:
    """Baked into the SVG; the page takes the file."""
    svg = client.get(f"/badges/credentials/{row.number}.svg")
    found = re.search(rb'<openbadges:credential verify="([\w.-]+)"/>', svg.content)
    assert found is not None and verified(client, found[1].decode())["name"] == row.course.title
    page = client.post(VERIFY, {"file": io.BytesIO(svg.content), "email": "ada@example.org"})
    assert "It is genuine" in page.content.decode() and "It was issued to this e-mail address" in page.content.decode()


def test_what_does_not_hold_is_refused(client: Client, row: Certificate) -> None:
    """Changed text, another key, the algorithm none, nothing, too much, a withdrawn certificate, somebody else's address."""
    token = credentials.token(row, "en")
    head, body, signature = token.split(".")
    forged = jwk.JWK.generate(kty="RSA", size=2048)
    other = jws.JWS(json.dumps({"iss": f"{SITE}/badges/issuer.json"}))
    kid = credentials.address("key", credentials.current().kid)
    other.add_signature(forged, alg="RS256", protected=json.dumps({"alg": "RS256", "kid": kid}))
    changed = f"{head}.{body[:-4]}AAAA.{signature}"
    with pytest.raises(jws.InvalidJWSSignature):
        verified(client, changed)
    for text in (changed, other.serialize(True), "eyJhbGciOiJub25lIn0.e30.", "", "<svg/>", "x" * 40_000, "a.b.c"):
        found = credentials.verify(text)
        assert found.reason and found.certificate is None, text[:30]
    assert credentials.verify(token, "eve@example.org").email is False
    page = client.post("/ko/badges/verify/", {"credential": token})
    assert "Ada Lovelace" in page.content.decode() and page.context["found"].reason == ""
    row.delete()
    assert credentials.verify(token).reason


def test_a_course_under_way_gives_none(client: Client, row: Certificate) -> None:
    """Neither download, and the certificate's page offers none."""
    page = client.get(f"/en/certificates/{row.number}/").content.decode()
    assert f"/badges/credentials/{row.number}?lang=en" in page and f"/badges/credentials/{row.number}.svg" in page
    row.facts["complete"] = False
    row.save()
    assert client.get(f"/badges/credentials/{row.number}").status_code == 404
    assert client.get(f"/badges/credentials/{row.number}.svg").status_code == 404
    assert "/badges/credentials/" not in client.get(f"/en/certificates/{row.number}/").content.decode()
    assert client.get("/badges/credentials/NONE").status_code == 404 == client.get("/badges/keys/none.json").status_code
