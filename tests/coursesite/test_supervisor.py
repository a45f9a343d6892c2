"""The supervisor: children are started again with growing pauses, and none is left at the end."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from coursesite import children
from coursesite.supervisor import BACKOFF, HEALTHY, LOG_LIMIT, Supervisor, rotate

STAY = [sys.executable, "-c", "import signal; signal.pause()"]
STUBBORN_PROGRAM = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
while True:
    signal.pause()
"""
STUBBORN = [sys.executable, "-c", STUBBORN_PROGRAM]


def eventually(check: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


def made(tmp_path: Path, argv: list[str]) -> tuple[Supervisor, list[str]]:
    said: list[str] = []
    supervisor = Supervisor(env=dict(os.environ), cwd=tmp_path, say=said.append)
    supervisor.add("child", argv, tmp_path / "child.log", patience=0.3)
    return supervisor, said


def ended(supervisor: Supervisor) -> bool:
    process = supervisor.children[0].process
    return process is None or process.poll() is not None


def test_a_child_that_keeps_failing_is_started_with_growing_pauses(tmp_path: Path) -> None:
    supervisor, said = made(tmp_path, [sys.executable, "-c", "raise SystemExit(3)"])
    child = supervisor.children[0]
    now, pauses = 0.0, []
    for _ in range(len(BACKOFF) + 2):
        supervisor.turn(now)  # starts it
        eventually(lambda: ended(supervisor))
        supervisor.turn(now + 0.001)  # notices
        if child.process is None:
            assert child.due is not None
            pauses.append(round(child.due - now - 0.001, 3))
            now = child.due
        else:  # started at once
            pauses.append(0.0)
    supervisor.stop()
    assert pauses[: len(BACKOFF)] == list(BACKOFF)
    assert pauses[-1] == BACKOFF[-1]
    assert "ended with 3" in said[0]


def test_a_child_that_ran_well_is_started_at_once(tmp_path: Path) -> None:
    supervisor, said = made(tmp_path, STAY)
    supervisor.turn(0.0)
    child = supervisor.children[0]
    child.failures = 5
    assert child.process is not None
    first = child.process.pid
    os.kill(first, signal.SIGKILL)
    eventually(lambda: ended(supervisor))
    supervisor.turn(HEALTHY + 1)
    assert child.process is not None
    assert child.process.pid != first
    assert "SIGKILL" in said[0]
    supervisor.stop()
    assert child.process is None


def test_a_child_that_does_not_go_is_killed(tmp_path: Path) -> None:
    supervisor, _ = made(tmp_path, STUBBORN)
    supervisor.turn(0.0)
    process = supervisor.children[0].process
    assert process is not None
    eventually(lambda: "up" in (tmp_path / "child.log").read_text())
    supervisor.stop()
    assert process.returncode == -signal.SIGKILL


def test_children_have_a_session_of_their_own_and_die_with_their_parent(tmp_path: Path) -> None:
    inner = "import signal; signal.pause()"
    program = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
        "from pathlib import Path; from coursesite import children; import signal, sys\n"
        f"p = children.start([sys.executable, '-c', {inner!r}], log=Path('log'))\n"
        "Path('pid.new').write_text(str(p.pid)); Path('pid.new').rename('pid'); signal.pause()\n"
    )
    parent = children.start([sys.executable, "-c", program], log=tmp_path / "parent.log", cwd=tmp_path)
    eventually(lambda: (tmp_path / "pid").exists())
    pid = int((tmp_path / "pid").read_text())
    assert os.getsid(pid) == pid
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()

    def gone() -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True

    eventually(gone)


def test_long_logs_are_begun_anew(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_bytes(b"x" * (LOG_LIMIT + 1))
    rotate(log)
    assert not log.exists()
    assert (tmp_path / "web.log.1").stat().st_size == LOG_LIMIT + 1
    log.write_bytes(b"short")
    rotate(log)
    assert log.exists()
