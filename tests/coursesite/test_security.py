"""Passwords cannot be tried without end, a second factor holds, and the admin has no door of its own."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import translation

pytestmark = pytest.mark.django_db

PASSWORD = "harbour-crane-42"


@pytest.fixture(autouse=True)
def _fresh_counts() -> None:
    cache.clear()


@pytest.fixture
def user() -> Any:
    from django.contrib.auth import get_user_model

    return get_user_model().objects.create_superuser("haru", "haru@example.org", PASSWORD)


def address(name: str) -> str:
    with translation.override("en"):
        return reverse(name)


def test_wrong_passwords_are_counted_and_then_even_the_right_one_waits(user: Any, client: Client) -> None:
    url = address("account_login")
    for _ in range(5):
        assert client.post(url, {"login": "haru", "password": "wrong"}).status_code == 200
    answer = client.post(url, {"login": "haru", "password": PASSWORD})
    assert answer.status_code in (200, 429)
    assert "_auth_user_id" not in client.session


def test_a_second_factor_is_asked_for_and_a_used_code_is_no_good_again(user: Any, client: Client) -> None:
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    TOTP.activate(user, generate_totp_secret())
    code = RecoveryCodes.activate(user).get_unused_codes()[0]
    for attempt in (1, 2):
        answer = client.post(address("account_login"), {"login": "haru", "password": PASSWORD})
        assert answer.status_code == 302
        assert "_auth_user_id" not in client.session
        assert client.get(answer["Location"]).status_code == 200
        answer = client.post(answer["Location"], {"code": code})
        assert ("_auth_user_id" in client.session) is (attempt == 1)
        client.logout()


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_pages_of_the_second_factor_are_there(user: Any, client: Client, language: str) -> None:
    client.force_login(user)
    with translation.override(language):
        for name in ("mfa_index", "mfa_activate_totp"):
            answer = client.get(reverse(name))
            if answer.status_code == 302:  # the password is asked for once more before anything is changed
                assert client.get(answer["Location"]).status_code == 200
                answer = client.post(answer["Location"], {"password": PASSWORD}, follow=True)
            assert answer.status_code == 200
            assert "unsafe" not in answer["Content-Security-Policy"]
            assert "<script>" not in answer.content.decode()


def test_the_admin_asks_for_the_sites_own_log_in(user: Any, client: Client) -> None:
    answer = client.get("/en/admin/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/en/accounts/login/")
