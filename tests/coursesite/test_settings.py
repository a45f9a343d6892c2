"""Settings: from the environment, documented, and strict by default."""

from __future__ import annotations

import datetime
import os
import re
import secrets
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.module_loading import import_string

from coursesite import environment

ROOT = Path(__file__).resolve().parent.parent.parent


def variables() -> set[str]:
    """Every environment variable that the site's code reads."""
    found = set()
    for path in (ROOT / "coursesite").rglob("*.py"):
        found |= set(re.findall(r'(?:env|environment)\.(?:text|flag|number|words|choice)\(\s*"([A-Z_]+)"', path.read_text()))
    text = (ROOT / "coursesite" / "environment.py").read_text()
    return found | set(re.findall(r'\btext\("([A-Z_]+)"', text))


def test_every_variable_is_documented_and_every_documented_one_exists() -> None:
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "operations.md").read_text(), re.M))
    assert documented == variables()


def test_wrong_values_are_named(monkeypatch: Any) -> None:
    monkeypatch.setenv("WORKERS", "many")
    with pytest.raises(environment.BadSetting, match="WORKERS='many'"):
        environment.number("WORKERS", 1)
    monkeypatch.setenv("WORKERS", "0")
    with pytest.raises(environment.BadSetting, match="expected 1 to 4"):
        environment.number("WORKERS", 1, least=1, most=4)
    monkeypatch.setenv("DEBUG", "perhaps")
    with pytest.raises(environment.BadSetting, match="DEBUG"):
        environment.flag("DEBUG")


def test_a_secret_key_is_made_once_and_is_private(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    key = environment.secret_key(tmp_path)
    assert len(key) >= 50
    assert environment.secret_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_redis_is_where_the_environment_or_the_embedded_server_says(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    assert environment.redis_url(tmp_path) == f"unix://{tmp_path}/valkey.sock"
    (tmp_path / "redis.url").write_text("redis://:pw@127.0.0.1:7000/0")
    assert environment.redis_url(tmp_path) == "redis://:pw@127.0.0.1:7000/0"
    monkeypatch.setenv("REDIS_URL", "redis://cache.example:6379/1")
    assert environment.redis_url(tmp_path) == "redis://cache.example:6379/1"
    assert environment.celery_url("unix:///a/b.sock") == "redis+socket:///a/b.sock"


def test_production_settings_are_clean_for_django() -> None:
    env = {name: value for name, value in os.environ.items() if name not in ("DJANGO_SETTINGS_MODULE", "DATABASE_URL")}
    env |= {"HTTPS": "1", "DEMO_ACCOUNTS": "0", "SECRET_KEY": secrets.token_urlsafe(50), "ALLOWED_HOSTS": "slipway.example"}
    argv = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    checked = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "0 silenced" in checked.stdout


def test_every_middleware_can_run_without_a_thread_of_its_own() -> None:
    for name in settings.MIDDLEWARE:
        assert import_string(name).async_capable, name


@pytest.mark.django_db
def test_every_page_carries_the_strict_headers(client: Any) -> None:
    answer = client.get(reverse("account_login"))
    assert answer.status_code == 200
    policy = answer["Content-Security-Policy"]
    assert "script-src 'self';" in policy + ";"
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["account_login", "account_signup"])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_accounts_speak_both_languages(client: Any, name: str, language: str) -> None:
    from django.utils import translation

    with translation.override(language):
        url = reverse(name)
    assert url.startswith(f"/{language}/")
    answer = client.get(url)
    assert answer.status_code == 200
    assert answer.headers["Content-Language"] == language


@pytest.mark.django_db
def test_somebody_can_sign_up_and_log_in_without_a_mail_server(client: Any) -> None:
    fields = {"username": "haru", "email": "haru@example.org", "password1": "harbour-crane-42", "password2": "harbour-crane-42"}
    assert client.post(reverse("account_signup"), fields).status_code == 302
    client.logout()
    for login in ("haru", "haru@example.org"):
        assert client.post(reverse("account_login"), {"login": login, "password": "harbour-crane-42"}).status_code == 302
        assert "_auth_user_id" in client.session
        client.logout()


@pytest.mark.parametrize(("language", "said"), [("en", "9 Nov 2026, 15:29"), ("ko", "2026년 11월 9일 15:29")])
def test_dates_read_the_same_to_everybody(language: str, said: str) -> None:
    at = datetime.datetime(2026, 11, 9, 15, 29, tzinfo=datetime.UTC)
    with translation.override(language):
        assert date_format(at, "DATETIME_FORMAT") == said


def test_a_worker_keeps_as_many_clusters_as_memory_allows() -> None:
    gigabyte = 1_000_000_000
    assert environment.warm_worlds(2, 24 * gigabyte) == 1_000
    assert environment.warm_worlds(2, 3 * gigabyte) == 250
    assert environment.warm_worlds(16, gigabyte) == 64
    assert environment.memory() > 100_000_000
