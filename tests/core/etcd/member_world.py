"""A world with one etcd member for tests of the server and its tools."""

from __future__ import annotations

from simulator.core.kernel.clock import SECOND
from simulator.core.lab.recorded import Recorded
from simulator.core.sandbox import RunResult, Sandbox


class Member:
    """One member on `controlplane`; commands run there as root in /root."""

    def __init__(self, *flags: str, env: tuple[str, ...] = ("etcd1", "default")) -> None:
        self.recorded = Recorded(list(env))
        self.sandbox: Sandbox = self.recorded.sandbox
        if flags:
            self.run(f"sed -i 's|^ExecStart=.*|& {' '.join(flags)}|' /etc/systemd/system/default.service")
            self.run("systemctl daemon-reload; systemctl restart default")
            self.wait(5)

    def run(self, command: str, stdin: bytes = b"") -> RunResult:
        """Run a command line to its end."""
        return self.sandbox.run(command, stdin=stdin)

    def out(self, command: str) -> str:
        """Its standard output; it must succeed."""
        answer = self.run(command)
        assert answer.code == 0, answer
        return answer.stdout

    def wait(self, seconds: float) -> None:
        """Let virtual time pass."""
        self.sandbox.advance(self.sandbox.now + int(seconds * SECOND))
