"""Being the terminal of a running container (`kubectl/pkg/cmd/attach/attach.go`), and `run -i` (`run.go: handleAttachPod`).

What is not typed at a terminal is fed to the container's main process, and its output is followed. At a terminal, a main process that waits for
what is typed (a shell, a client of a database) is stood for by another one of the same words, so that editing and completion work as at every
terminal of the site; the main process then ends as that one did.
"""

from __future__ import annotations

import posixpath
from collections.abc import Generator
from typing import Any

from ...host import executor
from ...host.program import Wait, WaitTopic
from ...kernel.clock import MS
from ...kube.api.errors import ApiError
from ...runtime import stdio
from ...runtime.state import find_container
from .errors import CommandError, Exit, UrlError
from .session import Session
from .streams import ENDED, execute, log_path, open_exec, phase_of, pod_timeout, read_log, until

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
    if tty and stdin and not s.inv.stdin_tty and not quiet:
        s.err("Unable to use a TTY - input is not a terminal or the right kind of file\n")
    if not quiet:
        s.err("All commands and output from this session will be recorded in container logs, including credentials and sensitive information passed "
              "through the command prompt.\nIf you don't see a command prompt, try pressing enter.\n")  # fmt: skip
    yield from _converse(s, pod, item, stdin=stdin and bool(item.get("stdin")), tty=raw)
    if quiet or not raw:
        return
    again = f"kubectl attach {meta['name']} -c {container} -n {meta['namespace']} -i -t"
    if any(one["name"] == container for one in pod["spec"].get("ephemeralContainers") or ()):
        s.out(
            f"Session ended, the ephemeral container will not be restarted but may be reattached using '{again}' if it is still running\n"
        )
    else:
        s.out(f"Session ended, resume using '{again}' command\n")


def _converse(s: Session, pod: Obj, item: Obj, *, stdin: bool, tty: bool) -> Generator[Wait, Any, None]:
    """See what the main process prints from now on, and let it read what is typed or piped, until it ends."""
    name = item["name"]
    target = open_exec(s, pod, name, [], stdin=stdin, tty=tty, verb="attach")
    held = stdio.of(s.world, str(target["container"])) if stdin else None
    words = shell_of(item)
    # at the end of what is piped the container's input ends, or the client leaves it to the next one (`container_io.go: Attach`)
    leaves = int(held is not None and not s.inv.stdin_tty and (not target.get("once") or held.pty is not None))
    if held is not None and words and s.inv.stdin_tty:
        yield from _stand_in(s, pod, name, words, held, tty)
        return
    if words and leaves:  # a shell here reads its input whole, so one that is never told its end would do nothing
        yield from execute(s, pod, name, words, stdin=True, tty=False)
        return
    follow = s.request(
        "GET", log_path(s, pod), query={"container": name, "tailLines": "0", "follow": "true"}, accept="text/plain"
    )
    stream = follow.stream
    if stream is None:
        return
    if held is not None and not s.inv.stdin_tty:
        held.type((yield from s.inv.read()))
        if not leaves:
            held.end()
        executor.get(s.world).pump()
    try:
        while True:
            for line in stream.poll():
                s.out(line.decode("utf-8", "replace"))
            if stream.closed or leaves > 1:
                return
            if held is not None and s.inv.stdin_tty and held.waits:
                words = [*(item.get("command") or ()), *(item.get("args") or ())]
                record = find_container(s.world, str(target["host"]), str(target["container"]))
                words = words or (list(record.argv) if record is not None else [])
                yield from _stand_in(s, pod, name, words, held, tty)
                return
            yield WaitTopic((stream.topic, s.kind("pods").topic), s.world.now + 200 * MS)
            leaves += bool(leaves)
    finally:
        stream.close()


def _stand_in(s: Session, pod: Obj, name: str, words: list[str], held: stdio.Stdio, tty: bool) -> Generator[Wait, Any, None]:
    code = yield from execute(s, pod, name, words, stdin=True, tty=tty)
    if posixpath.basename(words[0]) in SHELLS:
        held.type(f"exit {code}\n".encode())
    held.end()
    executor.get(s.world).pump()


def _running_and_ready(pod: Obj) -> bool:
    if phase_of(pod) in ENDED:
        return True
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return phase_of(pod) == "Running" and any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def attach_to_new(s: Session, pod: Obj, restart: str) -> Generator[Wait, Any, None]:
    """What `run -i` does once its pod is made: attach to it, then end as it ends. Raises `Exit` with the container's status."""
    values = s.values
    timeout = pod_timeout(s)
    found = yield from until(s, pod, _running_and_ready, timeout)
    name = found["spec"]["containers"][0]["name"]
    s.out(read_log(s, found, {"container": name}))
    if phase_of(found) not in ENDED:
        try:
            yield from attach(s, found, name, stdin=values.on("stdin"), tty=values.on("tty"), quiet=values.on("quiet"))
        except (ApiError, UrlError, CommandError) as failed:
            s.err(f"warning: couldn't attach to pod/{found['metadata']['name']}, falling back to streaming logs: {failed}\n")
            s.out(read_log(s, found, {"container": name}))
    if values.on("leave-stdin-open") or restart not in ("Never", "OnFailure"):
        return
    wanted = ("Succeeded",) if restart == "OnFailure" else ENDED
    found = yield from until(s, found, lambda one: phase_of(one) in wanted, timeout)
    if phase_of(found) == "Failed":
        meta, statuses = found["metadata"], (found.get("status") or {}).get("containerStatuses") or ()
        ended = (statuses[0].get("state") or {}).get("terminated") if statuses else None
        if not ended or not ended.get("exitCode"):
            raise CommandError(f"pod {meta['namespace']}/{meta['name']} failed with unknown exit code")
        raise Exit(
            int(ended["exitCode"]),
            f"pod {meta['namespace']}/{meta['name']} terminated ({ended.get('reason', '')})\n{ended.get('message', '')}",
        )
