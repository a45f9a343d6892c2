"""Commands that a program calls: `subprocess`, `os.system`, `os.popen`.  They run to their end while the program stands still; no time passes."""

from __future__ import annotations

from typing import Any

from ...host import streams
from ...host.invocation import Call
from .values import Absent, Module, Stream

PIPE, STDOUT, DEVNULL = -1, -2, -3
#: Calls that one program may make.
CALLS = 200


class CalledProcessError(Exception):
    """A command that `check` was asked for ended with another status than 0."""

    def __init__(self, returncode: int, cmd: Any, output: Any = None, stderr: Any = None) -> None:
        self.returncode, self.cmd, self.output, self.stdout, self.stderr = returncode, cmd, output, output, stderr
        super().__init__(f"Command {cmd!r} returned non-zero exit status {returncode}.")


CalledProcessError.__module__ = "subprocess"


class Children:
    """What one program calls."""

    def __init__(self, call: Call) -> None:
        self.call, self.count = call, 0

    def _argv(self, args: Any, shell: bool) -> list[str]:
        if shell:
            return ["/bin/sh", "-c", args if isinstance(args, str) else str(args[0])]
        return [args] if isinstance(args, str) else [str(one) for one in args]

    def run(
        self, args: Any, *, shell: bool = False, capture_output: bool = False, text: bool = False, universal_newlines: bool = False,
        stdout: Any = None, stderr: Any = None, stdin: Any = None, input: Any = None, check: bool = False, encoding: Any = None,
        cwd: Any = None, env: Any = None, timeout: Any = None, errors: Any = None, executable: Any = None,
    ) -> Module:  # fmt: skip
        """`subprocess.run`."""
        if (
            env is not None
            or (stdout is not None and not isinstance(stdout, int))
            or (stderr is not None and not isinstance(stderr, int))
        ):
            raise Absent("subprocess with env, or with files for its outputs")
        self.count += 1
        if self.count > CALLS:
            raise Absent(f"a program that calls more than {CALLS} commands")
        argv = self._argv(args, shell)
        folders = [""] if "/" in argv[0] else [f"{one}/" for one in self.call.env.get("PATH", "/usr/bin:/bin").split(":")]
        if not any(self.call.exists(folder + argv[0]) for folder in folders):
            raise FileNotFoundError(2, "No such file or directory", argv[0])
        if cwd is not None:
            argv = ["/bin/sh", "-c", 'cd "$1" || exit 1; shift; exec "$@"', "sh", str(cwd), *argv]
        plain = text or universal_newlines or encoding is not None
        data = (input.encode() if isinstance(input, str) else bytes(input)) if input is not None else b""
        out, err = (PIPE, PIPE) if capture_output else (stdout, stderr)
        said = streams.Capture()
        sink = said if err == PIPE else streams.Null() if err == DEVNULL else None
        if err == STDOUT:
            argv = ["/bin/sh", "-c", 'exec "$@" 2>&1', "sh", *argv]
        code, found = self.call.executor.run_now(self.call, argv, data, capture=out in (PIPE, DEVNULL), errors=sink)

        def shown(data: bytes) -> Any:
            return data.decode("utf-8", "replace") if plain else data

        result = shown(found) if out == PIPE else None
        wrong = shown(bytes(said.data)) if err == PIPE else None
        if check and code:
            raise CalledProcessError(code, args, result, wrong)

        def insist() -> None:
            if code:
                raise CalledProcessError(code, args, result, wrong)

        return Module(
            "CompletedProcess", {"args": args, "returncode": code, "stdout": result, "stderr": wrong, "check_returncode": insist}
        )

    def output(self, args: Any, **more: Any) -> Any:
        """`subprocess.check_output`."""
        return self.run(args, stdout=PIPE, check=True, **more).members["stdout"]

    def status_output(self, command: str) -> tuple[int, str]:
        """`subprocess.getstatusoutput`."""
        done = self.run(command, shell=True, text=True, stdout=PIPE, stderr=STDOUT)
        return done.members["returncode"], done.members["stdout"].removesuffix("\n")

    def system(self, command: str) -> int:
        """`os.system`: the status as wait(2) has it."""
        return int(self.run(command, shell=True).members["returncode"]) << 8

    def popen(self, command: str) -> Stream:
        """`os.popen(…)`, to be read from."""
        return Stream(self.run(command, shell=True, text=True, stdout=PIPE).members["stdout"])

    def module(self) -> Module:
        """The module `subprocess`."""
        return Module(
            "subprocess",
            {
                "run": self.run, "check_output": self.output, "PIPE": PIPE, "STDOUT": STDOUT, "DEVNULL": DEVNULL,
                "call": lambda args, **more: self.run(args, **more).members["returncode"],
                "check_call": lambda args, **more: self.run(args, check=True, **more).members["returncode"],
                "getoutput": lambda command: self.status_output(command)[1], "getstatusoutput": self.status_output,
                "CalledProcessError": CalledProcessError, "SubprocessError": CalledProcessError, "TimeoutExpired": TimeoutError,
            },
        )  # fmt: skip
