"""The whole site as `make run` starts it: `manage.py up` on folders of its own, stopped with everything that it started."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from coursesite import ports

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = re.compile(r"^\s*(learner|instructor)\s+user (\S+)\s+password (\S+)", re.MULTILINE)


@dataclass
class Site:
    """A running site: its address, the demo accounts that it printed, and the folder where it keeps everything."""

    url: str
    accounts: dict[str, tuple[str, str]]
    process: subprocess.Popen[str]
    var: Path

    def stop(self) -> None:
        """Ctrl-C, and wait for the end."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(120)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)


def start(var: Path, *, seconds: float = 400) -> Site:
    """Starts the site and reads the address and the accounts that it prints; raises with its logs when it does not come up."""
    port = ports.free()
    env = {
        k: v for k, v in os.environ.items() if k not in ("DJANGO_SETTINGS_MODULE", "SLIPWAY_SANDBOX", "DATABASE_URL", "REDIS_URL")
    }
    env |= {"SLIPWAY_VAR": str(var), "WORKERS": "1", "SLIPWAY_SHELVE": "0", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "manage.py", "up", "--port", str(port)],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    said = read_until(process, "Ctrl-C stops it", seconds)
    if "Ctrl-C stops it" not in said:
        logs = "\n".join(f"{log.name}:\n{log.read_text()[-3000:]}" for log in sorted((var / "log").glob("*.log")))
        os.killpg(process.pid, signal.SIGKILL)
        raise AssertionError(f"the site did not come up:\n{said}\n{logs}")
    accounts = {role: (name, password) for role, name, password in ACCOUNT.findall(said)}
    return Site(f"http://127.0.0.1:{port}", accounts, process, var)


def read_until(process: subprocess.Popen[str], words: str, seconds: float) -> str:
    """What a process prints until it has said `words`, ended, or `seconds` have passed."""
    assert process.stdout is not None
    said = ""
    deadline = time.monotonic() + seconds
    while words not in said and time.monotonic() < deadline:
        readable, _, _ = select.select([process.stdout], [], [], 0.2)
        if readable:
            piece = os.read(process.stdout.fileno(), 65536).decode("utf-8", "replace")
            if not piece:
                break
            said += piece
    return said
