"""Live reload: a change of a course's files is put up and told to its pages; a mistake is told and changes nothing that is up."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from django.test import Client

from lessons import authoring
from lessons.loading.watching import Watcher

from .test_loading import change, folder  # noqa: F401

PAGE = "/en/courses/harbour-course/harbour/ships/"
ASK = "/en/courses/harbour-course/authoring/"


@pytest.fixture
def var(tmp_path: Path, settings: object) -> Path:
    settings.VAR_DIR = tmp_path / "var"  # type: ignore[attr-defined]
    return tmp_path / "var"


def test_a_change_reaches_the_page(db: None, folder: Path, var: Path, client: Client) -> None:  # noqa: F811
    said: list[str] = []
    watcher = Watcher(folder, folder.parent, said.append)
    watcher.load([])
    page = client.get(PAGE).content.decode()
    stamp = client.get(ASK).json()["stamp"]
    assert f'<meta name="authoring" content="{ASK}" data-stamp="{stamp}">' in page
    assert not watcher.look()

    lesson = folder / "01-harbour" / "lesson-ships.en.md"
    change(lesson, "title: ", "title: Many ")
    assert watcher.look() and client.get(ASK).json()["stamp"] != stamp
    assert "Many " in client.get(PAGE).content.decode()
    assert client.get(ASK).json()["problems"] == []

    stamp = client.get(ASK).json()["stamp"]
    change(lesson, "minutes: ", "minuets: ")
    assert watcher.look()
    told = client.get(ASK).json()
    assert told["stamp"] == stamp and any("lesson-ships.en.md" in problem for problem in told["problems"])
    assert "Many " in client.get(PAGE).content.decode()
    assert any("not loaded" in line for line in said)

    change(lesson, "minuets: ", "minutes: ")
    change(lesson, "CONTAINER …", "VESSEL …")
    change(folder / "01-harbour" / "lesson-ships.ko.md", "CONTAINER …", "VESSEL …")
    assert watcher.look()
    told = client.get(ASK).json()
    assert "the lesson shows" in "".join(told["problems"]), said


def test_nobody_watches(db: None, folder: Path, var: Path, client: Client) -> None:  # noqa: F811
    """Without a watch, or after one, pages ask nothing."""
    Watcher(folder, folder.parent, print).load([])
    place = var / "authoring" / "harbour-course.json"
    old = time.time() - authoring.FRESH - 1
    os.utime(place, (old, old))
    assert "authoring" not in client.get(PAGE).content.decode()
    assert client.get(ASK).status_code == 204
    place.write_text("{")
    assert client.get(ASK).status_code == 204
    assert client.get("/en/courses/no-such/authoring/").status_code == 204
