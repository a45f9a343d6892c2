"""Being the terminal of a running container (`kubectl/pkg/cmd/attach/attach.go`).

A container whose main process is a shell with standard input gets a shell of the same kind at this terminal; of any other only what it prints
is seen: no image here has a main process that reads commands.
"""

from __future__ import annotations

import posixpath
from collections.abc import Generator
from typing import Any

from ...host.program import Wait
from .session import Session
from .streams import execute, follow_log

Obj = dict[str, Any]
SHELLS = ("sh", "bash", "ash", "dash")
#: Images whose own command is a shell.
SHELL_IMAGES = ("busybox", "alpine", "ubuntu", "debian", "netshoot")


def spec_of(pod: Obj, container: str) -> Obj:
    """The container's part of the pod."""
    spec = pod["spec"]
    listed = [item for key in ("containers", "initContainers", "ephemeralContainers") for item in spec.get(key) or ()]
    found: Obj = next((item for item in listed if item["name"] == container), {})
    return found


def shell_of(item: Obj) -> list[str]:
    """The shell that a container runs, nothing when it runs something else."""
    words = [*(item.get("command") or ()), *(item.get("args") or ())]
    if words:
        return words if posixpath.basename(words[0]) in SHELLS and len(words) == 1 else []
    image = posixpath.basename(str(item.get("image") or "").split("@")[0]).split(":")[0]
    return ["sh"] if image in SHELL_IMAGES else []


def attach(s: Session, pod: Obj, container: str, *, stdin: bool, tty: bool, quiet: bool) -> Generator[Wait, Any, None]:
    """Be the terminal of a container until its shell or its main process ends."""
    item, meta = spec_of(pod, container), pod["metadata"]
    if tty and not item.get("tty"):
        tty = False
        if not quiet:
            s.err(f"error: Unable to use a TTY - container {container} did not allocate one\n")
    elif item.get("tty"):
        tty = True
    raw = tty and stdin and s.inv.stdin_tty
    if not quiet:
        s.err("All commands and output from this session will be recorded in container logs, including credentials and sensitive information passed "
              "through the command prompt.\nIf you don't see a command prompt, try pressing enter.\n")  # fmt: skip
    shell = shell_of(item) if stdin and item.get("stdin") else []
    if shell:
        yield from execute(s, pod, container, shell, stdin=True, tty=raw)
    else:
        yield from follow_log(s, pod, {"container": container, "tailLines": "0"})
    if quiet or not raw:
        return
    again = f"kubectl attach {meta['name']} -c {container} -n {meta['namespace']} -i -t"
    if any(one["name"] == container for one in pod["spec"].get("ephemeralContainers") or ()):
        s.out(
            f"Session ended, the ephemeral container will not be restarted but may be reattached using '{again}' if it is still running\n"
        )
    else:
        s.out(f"Session ended, resume using '{again}' command\n")
