"""Backups of the embedded set-up: one file with all that cannot be made again, and the way back.

The file is a gzipped tar of the database (a consistent copy, taken while the site runs), `secret_key`, `demo.json` and uploaded media,
with a manifest that names each part's size and SHA-256, the migrations and the simulator's version.  Valkey is not in it: it holds
tasks on their way, which the journal makes needless.  A restore trusts nothing in the file that it has not checked.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.utils import timezone

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "slipway.sqlite3"
#: Files beside the database, where they exist; and the folder of uploads.
FILES = ("secret_key", "demo.json")
MEDIA = "media"
#: A part larger than this is not restored (a damaged or forged manifest).
PART_LIMIT = 64 * 1024**3
MANIFEST_LIMIT = 8 * 1024**2


class BadBackup(Exception):
    """The file cannot be used, or the site cannot be backed up so; the message says why."""


def database_path(settings: Any) -> Path:
    """The SQLite file; raises `BadBackup` where the site keeps its data elsewhere."""
    database = settings.DATABASES["default"]
    if not database["ENGINE"].endswith("sqlite3"):
        raise BadBackup("this site keeps its data in PostgreSQL: back it up with pg_dump (docs/operations.md, Backups)")
    return Path(database["NAME"])


def check(path: Path) -> list[str]:
    """What SQLite finds wrong with a database; empty when it is whole."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            problems = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(10)") if row[0] != "ok"]
            orphans = connection.execute("PRAGMA foreign_key_check").fetchmany(10)
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return problems + [f"{row[0]} row {row[1]} refers to a {row[2]} that is not there" for row in orphans]


def migrations(path: Path) -> list[str]:
    """The migrations that a database has had, as `app.name`."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return [f"{app}.{name}" for app, name in connection.execute("SELECT app, name FROM django_migrations ORDER BY app, name")]


def _copy(source: Path, target: Path) -> None:
    """A consistent copy of a database in use."""
    with contextlib.closing(sqlite3.connect(source)) as one, contextlib.closing(sqlite3.connect(target)) as other:
        one.backup(other, pages=2_000)
        other.execute("PRAGMA journal_mode=DELETE")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def make(settings: Any, target: Path, engine_version: str) -> dict[str, Any]:
    """Write a backup; returns its manifest.  The target appears whole or not at all, readable by its owner only."""
    source, var = database_path(settings), Path(settings.VAR_DIR)
    if not source.exists():
        raise BadBackup(f"there is no database at {source}")
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=target.parent) as folder:
        copy = Path(folder) / DATABASE
        _copy(source, copy)
        problems = check(copy)
        if problems:
            raise BadBackup(f"the database is damaged, nothing was written: {'; '.join(problems)}")
        parts = {DATABASE: copy, **{name: var / name for name in FILES if (var / name).is_file()}}
        media = Path(settings.MEDIA_ROOT)
        for path in sorted(media.rglob("*")) if media.is_dir() else ():
            if path.is_file() and not path.is_symlink():
                parts[f"{MEDIA}/{path.relative_to(media).as_posix()}"] = path
        manifest = {
            "format": FORMAT,
            "made": timezone.now().isoformat(),
            "simulator": engine_version,
            "migrations": migrations(copy),
            "parts": {name: {"size": path.stat().st_size, "sha256": _digest(path)} for name, path in parts.items()},
        }
        scratch = Path(folder) / "archive"
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=5) as archive:
                text = json.dumps(manifest, indent=2).encode()
                head = tarfile.TarInfo(MANIFEST)
                head.size = len(text)
                archive.addfile(head, io.BytesIO(text))
                for name, path in parts.items():
                    archive.add(path, arcname=name, recursive=False)
            file.flush()
            os.fsync(file.fileno())
        _verify(scratch, Path(folder) / "again")  # what was written can be read, or it is no backup
        os.replace(scratch, target)
    return manifest


def _verify(source: Path, folder: Path) -> dict[str, Any]:
    """Unpack a backup into a new folder, believing nothing: names, kinds, sizes and digests must be those of its manifest."""
    folder.mkdir()
    try:
        with tarfile.open(source, mode="r:gz") as archive:
            head = archive.next()
            if head is None or head.name != MANIFEST or not head.isreg() or head.size > MANIFEST_LIMIT:
                raise BadBackup(f"{source} is no backup of Slipway")
            opened = archive.extractfile(head)
            assert opened is not None
            manifest: dict[str, Any] = json.loads(opened.read())
            if manifest.get("format") != FORMAT:
                raise BadBackup(f"{source} has format {manifest.get('format')!r}; this version reads {FORMAT}")
            wanted = dict(manifest["parts"])
            while (member := archive.next()) is not None:
                if member.name not in wanted or not member.isreg() or not _safe(member.name):
                    raise BadBackup(f"{source} holds {member.name!r}, which its manifest does not name")
                part = wanted.pop(member.name)
                _unpack(archive, member, folder / member.name, part, source)
    except (tarfile.TarError, OSError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadBackup(f"{source} cannot be read: {error}") from error
    if wanted:
        raise BadBackup(f"{source} lacks {', '.join(sorted(wanted))}")
    return manifest


def _safe(name: str) -> bool:
    parts = name.split("/")
    return name in (DATABASE, *FILES) or (
        parts[0] == MEDIA and len(parts) > 1 and not {"", ".", ".."} & set(parts) and "\0" not in name
    )


def _unpack(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path, part: dict[str, Any], source: Path) -> None:
    size = int(part["size"])
    if member.size != size or size > PART_LIMIT:
        raise BadBackup(f"{source}: {member.name} has {member.size} bytes, the manifest says {size}")
    target.parent.mkdir(parents=True, exist_ok=True)
    opened = archive.extractfile(member)
    assert opened is not None
    digest = hashlib.sha256()
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while piece := opened.read(1024 * 1024):
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    if digest.hexdigest() != part["sha256"]:
        raise BadBackup(f"{source}: {member.name} is damaged (its digest is not the manifest's)")


@contextlib.contextmanager
def stopped(var: Path) -> Iterator[None]:
    """Hold the lock of `manage.py up`; raises `BadBackup` while the site runs."""
    with (var / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BadBackup("the site is running: stop it first (Ctrl-C in its terminal)") from None
        yield


def restore(settings: Any, source: Path, known: set[str]) -> dict[str, Any]:
    """Put a backup in the place of what is there, which is kept beside it; returns the manifest.

    `known` are the migrations of this version: a backup of a newer one is refused.  Everything is checked before anything is changed.
    """
    target, var = database_path(settings), Path(settings.VAR_DIR)
    if not source.is_file():
        raise BadBackup(f"there is no file {source}")
    with stopped(var), tempfile.TemporaryDirectory(prefix=".restore-", dir=var) as scratch:
        folder = Path(scratch) / "parts"
        manifest = _verify(source, folder)
        newer = sorted(set(manifest["migrations"]) - known)
        if newer:
            raise BadBackup(f"{source} was made by a newer version of Slipway (migration {newer[-1]}): upgrade first")
        problems = check(folder / DATABASE)
        if problems:
            raise BadBackup(f"{source}: its database is damaged: {'; '.join(problems)}")
        kept = target.with_name(f"{target.name}.before-{timezone.now():%Y%m%d-%H%M%S}")
        if target.exists():
            _copy(target, kept)  # with what is still in its write-ahead log
            kept.chmod(0o600)
        for suffix in ("-wal", "-shm"):
            target.with_name(target.name + suffix).unlink(missing_ok=True)
        os.replace(folder / DATABASE, target)
        for name in FILES:
            if (folder / name).exists():
                os.replace(folder / name, var / name)
        if (folder / MEDIA).is_dir():
            shutil.copytree(folder / MEDIA, Path(settings.MEDIA_ROOT), dirs_exist_ok=True)
    manifest["kept"] = str(kept) if kept.exists() else ""
    return manifest
