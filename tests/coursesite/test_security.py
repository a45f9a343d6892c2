"""Passwords cannot be tried without end, a second factor holds, and the admin has no door of its own."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

import pytest
from asgiref.sync import async_to_sync
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


class TestBodies:
    """Bodies without an end, with and without a word about their length, before and after the answer has begun."""

    @staticmethod
    def asked(headers: list[tuple[bytes, bytes]], parts: int) -> tuple[list[dict[str, Any]], int]:
        """Post so many megabytes to a page; what was answered, and how many of them were read."""
        from coursesite.asgi import application

        sent: list[dict[str, Any]] = []
        read = 0

        async def receive() -> dict[str, Any]:
            nonlocal read
            if read == parts:
                await asyncio.Event().wait()  # the client stays and says no more
            read += 1
            return {"type": "http.request", "body": b"x" * 1_000_000, "more_body": read < parts}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {
            "type": "http", "method": "POST", "path": "/en/accounts/login/", "raw_path": b"/en/accounts/login/", "query_string": b"",
            "headers": [(b"host", b"testserver"), *headers], "client": ("127.0.0.1", 1), "server": ("testserver", 80), "scheme": "http",
        }  # fmt: skip
        contextvars.copy_context().run(async_to_sync(application), scope, receive, send)
        return sent, read

    def test_one_that_says_how_long_it_is(self) -> None:
        sent, read = self.asked([(b"content-length", b"99999999999"), (b"content-type", b"multipart/form-data; boundary=x")], 200)
        assert (sent[0]["status"], read) == (413, 0)

    def test_one_that_does_not(self) -> None:
        sent, read = self.asked([(b"content-type", b"multipart/form-data; boundary=x")], 200)
        assert sent[0]["status"] == 413
        assert read < 15

    def test_one_whose_length_is_no_number(self) -> None:
        assert self.asked([(b"content-length", b"-1")], 1)[0][0]["status"] == 413

    def test_one_within_bounds(self) -> None:
        assert self.asked([(b"content-type", b"text/plain")], 2)[0][0]["status"] == 403  # no token of the form


def test_no_token_in_an_address_is_logged() -> None:
    import logging

    from django.conf import settings

    from coursesite.logs import without_secrets

    token = "Zq3_x-9aKf0PwTb7mYc1LrHd"
    for text in (
        f'127.0.0.1:42704 - "WebSocket /clusters/1b9f/kube/~{token}/api/v1/namespaces/default/pods/web/exec?command=sh" [accepted]',
        f"Not Found: /clusters/1b9f/kube/%7E{token}/api",
        f'127.0.0.1:42704 - "WebSocket /ws/desk/3/?token={token}" [accepted]',
        f"Authorization: Bearer {token}",
        f"redis://:{token}@127.0.0.1:6379/0",
    ):
        assert token not in without_secrets(text)
    assert without_secrets('"WebSocket /ws/cluster/1b9f/" [accepted]') == '"WebSocket /ws/cluster/1b9f/" [accepted]'
    # uvicorn's own lines go the same way: it names the whole address of a WebSocket
    assert settings.LOGGING["loggers"]["uvicorn"] == {"handlers": ["stderr"], "level": "INFO", "propagate": False}
    assert logging.getLogger("uvicorn.error").propagate


class TestStoresAway:
    """A store that is away costs an honest 503, in both languages, and no page of errors."""

    @staticmethod
    def told(answer: Any) -> None:
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert "다시 시작" in answer.content.decode() and "started again" in answer.content.decode()
        assert "Content-Security-Policy" in answer

    def test_redis(self, client: Client, user: Any, settings: Any) -> None:
        settings.CACHES = {
            "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1"}
        }
        self.told(client.post(address("account_login"), {"login": "haru", "password": PASSWORD}))
        client.force_login(user)
        assert client.get(address("lessons:progress")).status_code == 200  # who is logged in works on

    def test_the_database(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        from allauth.account.views import LoginView
        from django.db import OperationalError

        def away(*_args: Any, **_options: Any) -> None:
            raise OperationalError("the database system is starting up")

        monkeypatch.setattr(LoginView, "get_context_data", away)
        self.told(client.get(address("account_login")))
