"""Backups of the embedded set-up: whole, checked, and nothing restored that was not."""

from __future__ import annotations

import io
import json
import sqlite3
import stat
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from coursesite import backups

KNOWN = {"simulator.0001_initial"}


@pytest.fixture
def site(tmp_path: Path) -> Any:
    var = tmp_path / "var"
    (var / "media" / "a").mkdir(parents=True)
    (var / "media" / "a" / "picture.png").write_bytes(b"png")
    (var / "secret_key").write_text("the key")
    database = var / "slipway.sqlite3"
    connection = sqlite3.connect(database)
    connection.executescript(
        "PRAGMA journal_mode=WAL; CREATE TABLE django_migrations (app, name); CREATE TABLE journal (seq PRIMARY KEY, text);"
        "INSERT INTO django_migrations VALUES ('simulator', '0001_initial'); INSERT INTO journal VALUES (1, 'kubectl get pods');"
    )
    connection.commit()
    engine = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(database)}
    # the connection stays open: a backup is taken while the site writes
    yield SimpleNamespace(VAR_DIR=var, MEDIA_ROOT=var / "media", DATABASES={"default": engine}, connection=connection)
    connection.close()


def rows(site: Any) -> list[Any]:
    connection = sqlite3.connect(site.DATABASES["default"]["NAME"])
    try:
        return connection.execute("SELECT text FROM journal ORDER BY seq").fetchall()
    finally:
        connection.close()


def test_what_was_backed_up_comes_back(site: Any, tmp_path: Path) -> None:
    target = tmp_path / "one.tar.gz"
    backups.make(site, target, "engine-1")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    site.connection.execute("INSERT INTO journal VALUES (2, 'later')")
    site.connection.commit()
    site.connection.close()
    (site.VAR_DIR / "secret_key").write_text("another")
    (site.VAR_DIR / "media" / "a" / "picture.png").unlink()
    manifest = backups.restore(site, target, KNOWN)
    assert rows(site) == [("kubectl get pods",)]
    assert (site.VAR_DIR / "secret_key").read_text() == "the key"
    assert (site.VAR_DIR / "media" / "a" / "picture.png").read_bytes() == b"png"
    kept = sqlite3.connect(manifest["kept"])
    assert kept.execute("SELECT count(*) FROM journal").fetchone() == (2,)
    kept.close()


def repacked(source: Path, target: Path, change: Any) -> Path:
    """The same archive with its members changed: `change(name, data) -> (TarInfo, data) | None`."""
    with tarfile.open(source) as old, tarfile.open(target, "w:gz") as new:
        for member in old:
            opened = old.extractfile(member)
            assert opened is not None
            made = change(member.name, opened.read())
            if made is not None:
                info, data = made
                info.size = len(data)
                new.addfile(info, io.BytesIO(data))
    return target


def same(name: str, data: bytes) -> tuple[tarfile.TarInfo, bytes]:
    return tarfile.TarInfo(name), data


def newer(name: str, data: bytes) -> tuple[tarfile.TarInfo, bytes]:
    if name != backups.MANIFEST:
        return same(name, data)
    manifest = json.loads(data)
    manifest["migrations"].append("lessons.9999_of_tomorrow")
    return same(name, json.dumps(manifest).encode())


def escape(name: str, data: bytes) -> tuple[tarfile.TarInfo, bytes]:
    if name != backups.MANIFEST:
        return same("media/../../evil" if name.startswith("media/") else name, data)
    return same(name, data.replace(b"media/a/picture.png", b"media/../../evil"))


def link(name: str, data: bytes) -> tuple[tarfile.TarInfo, bytes]:
    info, data = same(name, data)
    if name.startswith("media/"):
        info.type, info.linkname, data = tarfile.SYMTYPE, "/etc/passwd", b""
    return info, data


CHANGES: dict[str, tuple[Any, str]] = {
    "damaged": (lambda name, data: same(name, data[:-1] + b"x" if name == "slipway.sqlite3" else data), "damaged"),
    "short": (lambda name, data: same(name, data[:-1] if name == "slipway.sqlite3" else data), "the manifest says"),
    "lacking": (lambda name, data: None if name == "secret_key" else same(name, data), "lacks secret_key"),
    "newer": (newer, "newer version"),
    "escape": (escape, "does not name"),
    "link": (link, "does not name"),
}


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_nothing_is_changed_by_a_file_that_is_wrong(site: Any, tmp_path: Path, name: str) -> None:
    whole = tmp_path / "one.tar.gz"
    backups.make(site, whole, "engine-1")
    site.connection.execute("INSERT INTO journal VALUES (2, 'later')")
    site.connection.commit()
    change, message = CHANGES[name]
    bad = repacked(whole, tmp_path / "bad.tar.gz", change)
    with pytest.raises(backups.BadBackup, match=message):
        backups.restore(site, bad, KNOWN)
    assert rows(site) == [("kubectl get pods",), ("later",)]
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("content", [b"", b"not an archive", b"\x1f\x8b\x08\x00broken"])
def test_other_files_are_refused(site: Any, tmp_path: Path, content: bytes) -> None:
    bad = tmp_path / "bad"
    bad.write_bytes(content)
    with pytest.raises(backups.BadBackup):
        backups.restore(site, bad, KNOWN)


def test_a_running_site_is_not_restored(site: Any, tmp_path: Path) -> None:
    target = tmp_path / "one.tar.gz"
    backups.make(site, target, "engine-1")
    with backups.stopped(site.VAR_DIR), pytest.raises(backups.BadBackup, match="running"):
        backups.restore(site, target, KNOWN)


def test_a_damaged_database_is_not_backed_up(site: Any, tmp_path: Path) -> None:
    site.connection.executescript(
        "PRAGMA foreign_keys=OFF; CREATE TABLE a (x REFERENCES journal(seq)); INSERT INTO a VALUES (77);"
    )
    with pytest.raises(backups.BadBackup, match="damaged"):
        backups.make(site, tmp_path / "one.tar.gz", "engine-1")
    assert not (tmp_path / "one.tar.gz").exists()


def test_postgresql_has_its_own_tools(site: Any, tmp_path: Path) -> None:
    site.DATABASES["default"]["ENGINE"] = "django.db.backends.postgresql"
    with pytest.raises(backups.BadBackup, match="pg_dump"):
        backups.make(site, tmp_path / "one.tar.gz", "engine-1")
