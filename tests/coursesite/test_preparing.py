"""What is prepared at a start is prepared once, and again when something has changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from coursesite import preparing
from lessons.models import Version


@pytest.mark.django_db
def test_courses_are_read_again_only_when_something_changed(settings: Any, tmp_path: Path, monkeypatch: Any) -> None:
    settings.VAR_DIR, settings.BASE_DIR = tmp_path, tmp_path
    lesson = tmp_path / "lessons" / "content" / "one" / "lesson.md"
    lesson.parent.mkdir(parents=True)
    lesson.write_text("one")
    calls: list[str] = []
    monkeypatch.setattr(preparing, "call_command", lambda name, **_options: calls.append(name))
    preparing.load_courses()
    preparing.load_courses()
    assert len(calls) == 1
    lesson.write_text("another")
    preparing.load_courses()
    assert len(calls) == 2
    Version.objects.create(kind="course", digest="x", data={})
    preparing.load_courses()  # somebody put something up, or the database is another one
    assert len(calls) == 3
