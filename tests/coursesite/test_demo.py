"""The demo accounts work with the passwords that `make run` prints, whatever became of them since the last start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User

from coursesite import demo

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def var(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.VAR_DIR = str(tmp_path)
    monkeypatch.setenv("DEMO_ACCOUNTS", "1")
    return tmp_path


def works() -> bool:
    """Do both accounts open with what would be printed?"""
    printed = demo.ensure()
    assert printed is not None
    users = get_user_model().objects
    return all(users.get(username=name).check_password(word) for name, word in (printed.learner, printed.instructor))


def test_they_are_made_and_stay() -> None:
    assert works()
    assert works()
    assert get_user_model().objects.count() == 2


def test_a_password_that_somebody_changed_is_put_back() -> None:
    assert works()
    user = get_user_model().objects.get(username="learner")
    user.set_password("something else")
    user.save()
    assert works()


def test_a_new_file_of_passwords_counts(var: Path) -> None:
    assert works()
    (var / "demo.json").write_text(json.dumps({"learner": "one", "instructor": "two"}))
    assert works()


def test_an_unchanged_start_hashes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert demo.ensure()

    def asked(*_args: object) -> bool:
        raise AssertionError("a password was hashed")

    monkeypatch.setattr(User, "check_password", asked)
    assert demo.ensure()
