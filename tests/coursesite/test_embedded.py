"""The embedded Valkey: nothing lost on a restart, nothing left behind by a killed parent, long paths."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from coursesite.embedded import CannotStart, Valkey

ROOT = Path(__file__).resolve().parent.parent.parent


def eventually(check: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


@pytest.fixture
def var() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="slipway-valkey-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def alive(pid: int) -> bool:
    """Is there such a process, and is it more than a corpse?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_nothing_is_lost_on_a_restart(var: Path) -> None:
    first = Valkey(var)
    redis.Redis.from_url(first.start()).rpush("queue", *[f"message {number}" for number in range(100)])
    first.stop()
    second = Valkey(var)
    try:
        found = redis.Redis.from_url(second.start()).lrange("queue", 0, -1)
        assert found == [f"message {number}".encode() for number in range(100)]
    finally:
        second.stop()


def test_a_killed_server_loses_at_most_its_last_second(var: Path) -> None:
    first = Valkey(var)
    client = redis.Redis.from_url(first.start())
    client.set("old", "kept")
    eventually(lambda: int(client.info("persistence")["aof_pending_bio_fsync"]) == 0 and _written(var) > 0)
    assert first.process is not None
    first.process.kill()
    first.process.wait()
    second = Valkey(var)
    try:
        assert redis.Redis.from_url(second.start()).get("old") == b"kept"
    finally:
        second.stop()


def _written(var: Path) -> int:
    return sum(path.stat().st_size for path in (var / "valkey").rglob("*.incr.aof"))


def test_where_the_path_is_too_long_for_a_socket_it_listens_on_loopback_with_a_password(var: Path) -> None:
    deep = var / ("deep" * 20) / ("er" * 20)
    deep.mkdir(parents=True)
    server = Valkey(deep)
    url = server.start()
    try:
        assert url.startswith("redis://:")
        redis.Redis.from_url(url).set("a", "b")
        port = url.rsplit(":", 1)[1].split("/")[0]
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=int(port)).get("a")
        assert server.process is not None
        server.process.kill()
        server.process.wait()
        assert server.start() == url  # others know this address
    finally:
        server.stop()
    assert (deep / "redis.url").stat().st_mode & 0o077 == 0
    assert (deep / "valkey" / "valkey.conf").stat().st_mode & 0o077 == 0


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs Linux")
def test_it_does_not_outlive_a_killed_parent(var: Path) -> None:
    program = f"""
import sys, signal
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from coursesite.embedded import Valkey
server = Valkey(Path({str(var)!r}))
server.start()
print(server.process.pid, flush=True)
signal.pause()
"""
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert alive(pid)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    eventually(lambda: not alive(pid))


def test_a_server_that_cannot_start_says_why(var: Path) -> None:
    (var / "valkey").mkdir()
    (var / "valkey" / "appendonlydir").write_text("in the way")
    with pytest.raises(CannotStart, match="appendonlydir"):
        Valkey(var).start(patience=120)
