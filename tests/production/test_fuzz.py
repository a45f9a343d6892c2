"""What comes from outside, mutilated at random: every reader answers with its own error, never with another, and in time.

Shell lines are fuzzed in `tests/core/test_shell_fuzz.py`, the gateway's requests in `tests/gateway/test_robustness.py`.
"""

from __future__ import annotations

import contextlib
import io
import json
import sqlite3
import tarfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coursesite import backups
from lessons.loading import marked
from simulator import frames
from simulator.core.kernel.errors import BadInput
from simulator.core.sandbox import Sandbox
from simulator.packing import clean, pack, unpack, without_nul

FAST = settings(max_examples=80, suppress_health_check=list(HealthCheck))
SLOW = settings(max_examples=30, suppress_health_check=list(HealthCheck))

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=20,
)
WORDS = st.sampled_from(
    ["hello", "input", "speed", "complete", "ping", "line", "key", "resize", "open", "skip", "fault", "http", "close"]
)
FRAME = st.fixed_dictionaries(
    {},
    optional={
        "t": WORDS | JSON,
        "id": st.uuids().map(str) | JSON,
        "kind": WORDS | JSON,
        "data": st.dictionaries(
            st.sampled_from(["terminal", "text", "key", "columns", "rows", "host", "ns", "name", "args"]), JSON
        )
        | JSON,
        "cursor": JSON,
        "trace": JSON,
        "value": JSON,
        "terminal": JSON,
        "line": JSON,
    },
)


@FAST
@given(
    FRAME.map(lambda value: json.dumps(value, default=str)) | st.text() | JSON.map(lambda value: json.dumps(value, default=str))
)
def test_frames(text: str) -> None:
    with contextlib.suppress(frames.BadFrame):
        frame = frames.parse(text)
        if isinstance(frame, frames.Input):
            frames.check_input(frame.kind, frame.data)


def test_frames_of_great_depth_and_length() -> None:
    began = time.process_time()
    for text in (
        "[" * 60_000,
        '{"a":' * 10_000,
        '{"t":"input","data":' + "[" * 20_000 + "]" * 20_000 + "}",
        "9" * 60_000,
        '"' * 60_000,
    ):
        with pytest.raises(frames.BadFrame):
            frames.parse(text)
    assert time.process_time() - began < 5  # 0.3 s; without the bounds minutes, or the memory ends


@FAST
@given(JSON)
def test_what_is_packed_comes_back(value: Any) -> None:
    value = json.loads(
        json.dumps(clean(value), allow_nan=True).replace("NaN", "null").replace("-Infinity", "0").replace("Infinity", "0")
    )
    with contextlib.suppress(TypeError):  # a whole number beyond 64 bits is no JSON of ours
        assert unpack(pack(value)) == value
        assert "\0" not in json.dumps(without_nul(value), ensure_ascii=False)


@FAST
@given(
    JSON.map(lambda value: yaml.safe_dump(value, allow_unicode=True)) | st.text(alphabet="a:-[]{}&*!|>'\"# \n\t0", max_size=200)
)
def test_yaml_of_authors(text: str) -> None:
    found = marked.parse(text, "lesson.yaml")
    assert found.data is None or not found.problems


def test_yaml_bombs() -> None:
    began = time.process_time()
    bomb = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefghijk", "bcdefghijkl", strict=True))
    for text in (bomb, "[" * 5_000, "? " * 3_000, "!!python/object/apply:os.system [id]"):
        assert marked.parse(text, "lesson.yaml").problems, text[:20]
    assert time.process_time() - began < 5  # 0.3 s; without the bounds minutes, or the memory ends


@pytest.fixture(scope="module")
def snapshot() -> bytes:
    return Sandbox.boot("bare", 1).snapshot()


@SLOW
@given(at=st.floats(0, 1, exclude_max=True), piece=st.binary(max_size=40), cut=st.integers(0, 60))
def test_snapshots(snapshot: bytes, at: float, piece: bytes, cut: int) -> None:
    """A damaged snapshot is refused or is a world; nothing else, and nothing is run."""
    place = int(at * len(snapshot))
    with contextlib.suppress(BadInput):
        Sandbox.restore(snapshot[:place] + piece + snapshot[place + cut :])


@pytest.fixture(scope="module")
def backup(tmp_path_factory: Any) -> tuple[Any, bytes]:
    var = tmp_path_factory.mktemp("fuzz")
    connection = sqlite3.connect(var / "slipway.sqlite3")
    connection.executescript("CREATE TABLE django_migrations (app, name); CREATE TABLE t (a); INSERT INTO t VALUES (1);")
    connection.close()
    engine = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(var / "slipway.sqlite3")}
    site = SimpleNamespace(VAR_DIR=var, MEDIA_ROOT=var / "media", DATABASES={"default": engine})
    backups.make(site, var / "whole", "1")
    return site, (var / "whole").read_bytes()


@SLOW
@given(at=st.floats(0, 1, exclude_max=True), piece=st.binary(min_size=1, max_size=8), cut=st.integers(0, 2000))
def test_backups(backup: tuple[Any, bytes], at: float, piece: bytes, cut: int) -> None:
    """Refused, or (where the damage means nothing) the same database."""
    site, whole = backup
    place = int(at * len(whole))
    bad = Path(site.VAR_DIR) / "bad"
    bad.write_bytes(whole[:place] + piece + whole[place + cut :])
    with contextlib.suppress(backups.BadBackup):
        backups.restore(site, bad, set())
    connection = sqlite3.connect(site.DATABASES["default"]["NAME"])
    assert connection.execute("SELECT a FROM t").fetchall() == [(1,)]
    connection.close()


def test_a_bomb_in_a_backup_is_not_unpacked(backup: tuple[Any, bytes], tmp_path: Path) -> None:
    site, _whole = backup
    bomb = tmp_path / "bomb"
    with tarfile.open(bomb, "w:gz") as archive:
        head = tarfile.TarInfo(backups.MANIFEST)
        text = json.dumps({"format": 1, "migrations": [], "parts": {"slipway.sqlite3": {"size": 10, "sha256": ""}}}).encode()
        head.size = len(text)
        archive.addfile(head, io.BytesIO(text))
        body = tarfile.TarInfo("slipway.sqlite3")
        body.size = 64 * 1024 * 1024
        archive.addfile(body, io.BytesIO(bytes(body.size)))
    with pytest.raises(backups.BadBackup, match="the manifest says 10"):
        backups.restore(site, bomb, set())
