"""The page of one's own API tokens: shown once, with scopes and an end, revoked; nobody else's."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from lessons.api.models import Token
from lessons.api.pages import MOST

PAGE = "/en/api-tokens/"


@pytest.fixture
def ada(db: None, client: Client) -> User:
    user = User.objects.create_user("ada", "ada@example.org", "a long password")
    client.force_login(user)
    return user


def test_a_token_is_made_shown_once_used_and_revoked(client: Client, ada: User) -> None:
    made = client.post(PAGE, {"name": "gradebook", "scopes": ["courses:read", "grades:read"], "days": "30"})
    found = re.search(r"slw_[\w-]{30,}", made.content.decode())
    assert found is not None and made["Cache-Control"].startswith("max-age=0")
    row = Token.objects.get()
    assert (
        row.scopes == ["courses:read", "grades:read"]
        and row.expires_at is not None
        and found[0] not in client.get(PAGE).content.decode()
    )
    program = Client(headers={"authorization": f"Bearer {found[0]}"})
    assert program.get("/api/v1/courses").status_code == 200 and program.get("/api/v1/cohorts").status_code == 403
    other = Client()
    other.force_login(User.objects.create_user("eve", "eve@example.org", "a long password"))
    assert "gradebook" not in other.get(PAGE).content.decode()
    other.post(f"{PAGE}{row.pk}/revoke/")
    assert program.get("/api/v1/courses").status_code == 200
    client.post(f"{PAGE}{row.pk}/revoke/")
    assert program.get("/api/v1/courses").status_code == 401 and "gradebook" not in client.get(PAGE).content.decode()


def test_what_is_wrong_is_said_and_makes_nothing(client: Client, ada: User) -> None:
    for form in (
        {"name": "x", "days": "30"},
        {"name": "", "scopes": ["webhooks"], "days": "30"},
        {"name": "x", "scopes": ["root"], "days": "1"},
    ):
        assert client.post(PAGE, form).status_code == 200 and not Token.objects.exists()
    for number in range(MOST):
        Token.make(ada.pk, f"t{number}", ["webhooks"])
    assert "revoke one first" in client.post(PAGE, {"name": "x", "scopes": ["webhooks"], "days": "0"}).content.decode()
    assert Client().get(PAGE).status_code == 302
