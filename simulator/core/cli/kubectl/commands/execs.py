"""`kubectl exec`, `attach`, `cp` (`kubectl/pkg/cmd/exec`, `attach`, `cp`)."""

from __future__ import annotations

import posixpath
from collections.abc import Generator
from typing import Any

from ....host import files as host_files
from ....host.machine import hosts
from ....host.program import Wait
from ....kernel.clock import SECOND
from ...cobra import Command, Flag
from ..attaching import attach
from ..builder import Builder
from ..errors import CommandError, Silent
from ..flagsets import detach_flag, filename_flag
from ..session import Session
from ..streams import check_container, default_container, execute, open_exec, pod_timeout, pods_of

Obj = dict[str, Any]
CONTAINER = Flag(name="container", short="c", usage="The container; by default the annotated or the first one.")
STDIN = Flag(name="stdin", short="i", kind="bool", usage="Pass standard input to the container")
TTY = Flag(name="tty", short="t", kind="bool", usage="Standard input is a terminal")
DETACH = detach_flag()
QUIET = Flag(name="quiet", short="q", kind="bool", usage="Print only output of the remote side")
TIMEOUT = Flag(name="pod-running-timeout", kind="duration", default=60 * SECOND, usage="How long to wait for a pod to run")


def one_pod(s: Session, word: str, files: list[str] | None = None) -> Obj:
    """The pod that `POD` or `TYPE/NAME` means, or the first object of `files`."""
    words = [] if not word else [word] if "/" in word else ["pods", word]
    builder = Builder(s, args=words, filenames=files or [], eager=False)
    info = builder.infos()[0]
    if files and not builder.single_implied:
        raise CommandError("cannot exec into multiple objects at a time")
    if files and info.mapping.kind.kind == "Pod" and not ((info.obj or {}).get("spec") or {}).get("containers"):
        raise CommandError(f"pod {info.namespace}/{info.name} does not have any containers")
    found = pods_of(s, info.mapping, info.obj or {}, "cannot attach to")
    if not found:
        raise CommandError("timed out waiting for the condition")
    return found[0]


def run_exec(s: Session) -> Generator[Wait, Any, int]:
    """`kubectl exec`."""
    values = s.values
    given = values.args
    words = given[values.dash_at :] if values.dash_at >= 0 else given[1:]
    targets = given[: values.dash_at] if values.dash_at >= 0 else given[:1]
    files = values.items("filename")
    if values.dash_at < 0 and len(given) > (0 if files else 1):
        raise CommandError(
            "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\nSee 'kubectl exec -h' for help and examples"
        )
    if not targets and not files:
        raise CommandError("pod, type/name or --filename must be specified")
    if not words:
        raise CommandError("you must specify at least one command for the container")
    pod_timeout(s)
    pod = one_pod(s, targets[0] if targets else "", files)
    phase = (pod.get("status") or {}).get("phase")
    if phase in ("Succeeded", "Failed"):
        raise CommandError(f"cannot exec into a container in a completed pod; current phase is {phase}")
    container = values.text("container")
    if container:
        check_container(pod, container)
    container = container or default_container(s, pod, values.on("quiet"))
    tty = values.on("tty")
    if tty and not s.inv.stdin_tty:
        s.err("Unable to use a TTY - input is not a terminal or the right kind of file\n")
        tty = False
    code = yield from execute(s, pod, container, words, stdin=values.on("stdin"), tty=tty)
    if code:
        s.err(f"command terminated with exit code {code}\n")
        raise Silent(code)
    return 0


def run_attach(s: Session) -> Generator[Wait, Any, int]:
    """`kubectl attach`."""
    values = s.values
    if not values.args:
        raise CommandError("at least 1 argument is required for attach")
    if len(values.args) > 2:
        raise CommandError(
            f"expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw {len(values.args)}: [{' '.join(values.args)}]",
        )
    pod_timeout(s)
    pod = one_pod(s, "/".join(values.args))
    phase = (pod.get("status") or {}).get("phase")
    if phase in ("Succeeded", "Failed"):
        raise CommandError(f"cannot attach a container in a completed pod; current phase is {phase}")
    container = values.text("container")
    if container:
        check_container(pod, container, "cannot attach to the container: ")
    container = container or default_container(s, pod, values.on("quiet"))
    yield from attach(s, pod, container, stdin=values.on("stdin"), tty=values.on("tty"), quiet=values.on("quiet"))
    return 0


def _spec(text: str) -> tuple[str, str, str]:
    """Namespace, pod and path of one side of `cp`."""
    head, colon, path = text.partition(":")
    if not colon:
        return "", "", text
    if not head:
        raise CommandError("filespec must match the canonical format: [[namespace/]pod:]file/path")
    namespace, slash, pod = head.partition("/")
    if "/" in pod:
        raise CommandError("filespec must match the canonical format: [[namespace/]pod:]file/path")
    return (namespace, pod, path) if slash else ("", head, path)


def run_cp(s: Session) -> Generator[Wait, Any, int]:
    """`kubectl cp`: copy a file or a tree to or from a container."""
    values = s.values
    if len(values.args) != 2:
        raise CommandError("source and destination are required")
    source, target = (_spec(item) for item in values.args)
    if source[1] and target[1]:
        raise CommandError("one of src or dest must be a local file specification")
    if not (source[2] and target[2]):
        raise CommandError("filepath can not be empty")
    if not source[1] and not target[1]:
        raise CommandError("one of src or dest must be a remote file specification")
    if not source[1] and not s.inv.exists(source[2]):
        raise CommandError(f"{source[2]} doesn't exist in local filesystem")
    remote = source if source[1] else target
    namespace = remote[0] or s.namespace
    pod = s.get(s.kind("pods"), namespace, remote[1])
    container = values.text("container")
    if container:
        check_container(pod, container)
    container = container or default_container(s, pod)
    where = open_exec(s, pod, container, ["tar"])
    host = hosts(s.world)[where["host"]]
    tree = host_files.tree(host, where["container"])
    if source[1]:
        path = posixpath.normpath("/" + posixpath.join(where["cwd"] or "/", source[2]).lstrip("/"))
        # what tar complains of in the container goes to standard output, and the pipe ends as an empty archive does
        if source[2].startswith("/"):
            s.out("tar: Removing leading `/' from member names\n")
        if not tree.exists(path):
            s.out(
                f"tar: {source[2]}: Cannot stat: No such file or directory\ntar: Exiting with failure status due to previous errors\n"
            )
            return 0
        _from_container(s, tree, path, target[2])
        return 0
    base = posixpath.normpath("/" + posixpath.join(where["cwd"] or "/", target[2]).lstrip("/"))
    if tree.isdir(base):
        base = posixpath.join(base, posixpath.basename(source[2].rstrip("/")))
    if not tree.isdir(posixpath.dirname(base)):  # the container's tar says so in its own words
        code = yield from execute(s, pod, container, ["tar", "-xmf", "-", "-C", posixpath.dirname(base)])
        if code:
            s.err(f"command terminated with exit code {code}\n")
            raise Silent(code)
    _to_container(s, where, source[2], base)
    return 0


def _from_container(s: Session, tree: Any, path: str, to: str) -> None:
    if s.inv.isdir(to):
        to = posixpath.join(to, posixpath.basename(path))
    if not tree.isdir(path):
        s.inv.write_file(to, tree.read(path))
        return
    s.inv.tree.mkdir(s.inv.path(to), True)
    for name in tree.listdir(path):
        inner = posixpath.join(path, name)
        if tree.isdir(inner):
            s.inv.tree.mkdir(s.inv.path(posixpath.join(to, name)), True)
        _from_container(s, tree, inner, posixpath.join(to, name) if not tree.isdir(inner) else to)


def _to_container(s: Session, where: Obj, path: str, to: str) -> None:
    host = hosts(s.world)[where["host"]]
    if s.inv.isdir(path):
        for name in s.inv.tree.listdir(s.inv.path(path)):
            _to_container(s, where, posixpath.join(path, name), posixpath.join(to, name))
        return
    host_files.write_file(
        s.world, host, to, s.inv.read_file(path), mnt=where["container"], parents=True, mode=0o644, uid=0, gid=0
    )


EXEC = Command(
    "exec (POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...]",
    short="Execute a command in a container",
    long="Execute a command in a container.",
    example="""# date in the first container of pod mypod
kubectl exec mypod -- date

# In container ruby-container
kubectl exec mypod -c ruby-container -- date

# A shell
kubectl exec mypod -c ruby-container -i -t -- bash -il

# In the first pod of a deployment or service
kubectl exec deploy/mydeployment -- date""",
    flags=(filename_flag("Files, directories or URLs that name the pod"), CONTAINER, STDIN, TTY, QUIET, TIMEOUT),
    run=run_exec,
)
ATTACH = Command(
    "attach (POD | TYPE/NAME) -c CONTAINER",
    short="Attach to a running container",
    long="Attach to a process that is already running inside an existing container.",
    example="# Output of pod mypod\nkubectl attach mypod\n\n# Of one container\nkubectl attach mypod -c ruby-container",
    flags=(CONTAINER, STDIN, TTY, DETACH, QUIET, TIMEOUT),
    run=run_attach,
)
CP = Command(
    "cp <file-spec-src> <file-spec-dest>",
    short="Copy files and directories to and from containers",
    long="Copy files and directories to and from containers.",
    example="""# To a pod
kubectl cp /tmp/foo_dir <some-pod>:/tmp/bar_dir

# From a pod
kubectl cp <some-namespace>/<some-pod>:/tmp/foo /tmp/bar""",
    flags=(
        CONTAINER,
        Flag(name="no-preserve", support="inert", kind="bool", usage="Keep neither owner nor permissions"),
        Flag(name="retries", support="inert", kind="int", usage="How often to try again; 0 never, negative for ever."),
    ),
    run=run_cp,
)
