"""Child processes that do not outlive their parent, and how to end them.

Each child gets a session of its own, so that Ctrl-C reaches the supervisor alone and the order of stopping is ours, and the
kernel's parent-death signal, so that even a killed supervisor leaves nothing behind.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None


def die_with_parent(how: int = signal.SIGTERM) -> None:
    """Ask the kernel to send this process a signal when its parent's thread ends (Linux; elsewhere nothing happens)."""
    prctl = getattr(_libc, "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, how, 0, 0, 0)


def start(
    argv: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    how: int = signal.SIGTERM,
    user: pwd.struct_passwd | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child that writes to `log` (appended); root may give it to another user."""
    parent = os.getpid()

    def prepare() -> None:
        if user is not None:
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
        die_with_parent(how)  # after setuid, which clears it
        if os.getppid() != parent:  # it ended before the signal was asked for
            os._exit(1)

    with log.open("ab") as file:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=cwd,
            start_new_session=True,
            preexec_fn=prepare,
        )


def stop(process: subprocess.Popen[bytes], *, patience: float = 10.0, how: int = signal.SIGTERM) -> int:
    """End a child: SIGTERM (or `how`), and SIGKILL to its whole session when it does not go."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                process.kill()
            process.wait()
    return process.returncode
