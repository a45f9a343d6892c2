"""What settings take from the environment, and the few files under `var/` that stand in where it says nothing.

Every variable that the site reads is listed in `docs/operations.md`; a test compares the two.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


class BadSetting(ValueError):
    """An environment variable has a value that cannot be used."""


def text(name: str, default: str = "") -> str:
    """A variable as it is, without surrounding spaces."""
    return os.environ.get(name, default).strip()


def flag(name: str, default: bool = False) -> bool:
    """A yes or no."""
    value = os.environ.get(name)
    if value is None:
        return default
    lowered = value.strip().lower()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    raise BadSetting(f"{name}={value!r}: expected one of 1, true, yes, on, 0, false, no, off")


def number(name: str, default: int, *, least: int = 0, most: int = 1_000_000) -> int:
    """A whole number within bounds."""
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    try:
        parsed = int(value)
    except ValueError:
        raise BadSetting(f"{name}={value!r}: expected a whole number") from None
    if not least <= parsed <= most:
        raise BadSetting(f"{name}={value!r}: expected {least} to {most}")
    return parsed


def choice(name: str, default: str, among: tuple[str, ...]) -> str:
    """One of a few words."""
    value = text(name, default) or default
    if value not in among:
        raise BadSetting(f"{name}={value!r}: expected one of {', '.join(among)}")
    return value


def words(name: str, default: str = "") -> list[str]:
    """A list separated by commas."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def var_dir() -> Path:
    """Where everything that the site writes lives; made when it is not there."""
    path = Path(text("SLIPWAY_VAR") or BASE_DIR / "var").resolve()
    path.mkdir(parents=True, exist_ok=True)
    return path


def write_private(path: Path, content: str) -> None:
    """Write a file that only its owner may read, in one step: readers see the old or the new one, never half of it."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
    os.replace(scratch, path)


def secret_key(var: Path) -> str:
    """`SECRET_KEY`, else one that was generated at the first start and is kept under `var/`."""
    given = text("SECRET_KEY")
    if given:
        return given
    path = var / "secret_key"
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    key = secrets.token_urlsafe(48)
    with os.fdopen(descriptor, "w") as file:
        file.write(key)
    return key


def redis_url(var: Path) -> str:
    """`REDIS_URL`, else the address that the embedded Valkey wrote when it started, else where it will listen."""
    given = text("REDIS_URL")
    if given:
        return given
    try:
        return (var / "redis.url").read_text().strip()
    except FileNotFoundError:
        return f"unix://{var / 'valkey.sock'}"


def celery_url(url: str) -> str:
    """The same address in Celery's spelling: kombu calls a unix socket `redis+socket`."""
    return "redis+socket://" + url.removeprefix("unix://") if url.startswith("unix://") else url


def memory() -> int:
    """Bytes of memory that this machine has, or that this container may take (cgroup v2)."""
    bounds = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    with contextlib.suppress(OSError, ValueError):  # "max": as much as there is
        bounds.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return min(bounds)


def warm_worlds(workers: int, memory: int) -> int:
    """Clusters that a worker may keep: in half of the memory, shared by all workers, at some 3 MB each; 64 to 1,000."""
    return max(64, min(1_000, memory // 2 // workers // 3_000_000))
