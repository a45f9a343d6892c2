"""Social providers by settings: what is named is configured, gets a button and a place in the content policy; what is wrong stops the start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from coursesite import social
from coursesite.environment import BadSetting

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            {"SOCIAL_PROVIDERS": "myspace"},
            "SOCIAL_PROVIDERS: myspace: must be of github, gitlab, google, kakao, microsoft, naver",
        ),
        ({"SOCIAL_PROVIDERS": "kakao", "KAKAO_CLIENT_ID": "a"}, "KAKAO_CLIENT_ID and KAKAO_CLIENT_SECRET are needed"),
    ],
)
def test_what_is_wrong_is_said(monkeypatch: pytest.MonkeyPatch, given: dict[str, str], says: str) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadSetting, match=says):
        social.chosen()


PROGRAM = """
import django; django.setup()
from django.test import Client
from django.db import connection
from django.core.management import call_command
call_command("migrate", verbosity=0)
answer = Client().get("/ko/accounts/login/")
page, policy = answer.content.decode(), answer["Content-Security-Policy"]
print(*sorted(name for name in ("GitHub", "Kakao", "Google") if name in page))
print(*sorted(word for word in policy.split("form-action")[1].split(";")[0].split() if word.startswith("https")))
away = Client().post("/ko/accounts/github/login/")
print(away.status_code, away["Location"].split("?")[0], "client_id=ours" in away["Location"])
"""


def test_named_providers_are_offered(tmp_path: Path) -> None:
    """A button each, in a form that the policy lets through, and the way to the provider with our client."""
    env = {
        **os.environ, "SOCIAL_PROVIDERS": "github, kakao", "GITHUB_CLIENT_ID": "ours", "GITHUB_CLIENT_SECRET": "x", "KAKAO_CLIENT_ID": "k",
        "KAKAO_CLIENT_SECRET": "y", "DJANGO_SETTINGS_MODULE": "coursesite.settings_test", "SLIPWAY_VAR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
    }  # fmt: skip
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=300
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert ran.stdout.splitlines() == [
        "GitHub Kakao",
        "https://github.com https://kauth.kakao.com",
        "302 https://github.com/login/oauth/authorize True",
    ]
