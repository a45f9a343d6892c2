"""One run of kubeadm: its command line, the files of its machine, its clients, and how it reports (cmd/kubeadm/app/util/errors)."""

from __future__ import annotations

import errno
import posixpath
import re
from collections.abc import Callable, Generator
from typing import Any

from ...host import files
from ...host.filesystem import Tree
from ...host.invocation import Call
from ...host.program import Sleep, Wait
from ...kernel import clock
from ...kernel.clock import MS, SECOND
from ...kernel.errors import BadInput, ConnectError
from ...kernel.versions import VERSION
from ...kernel.world import World
from ...kube import component
from ...kube.api.errors import ApiError
from ...kube.client import KubeClient
from ..flags import Values

Json = dict[str, Any]
#: What every step of a command is: it may wait, and returns nothing.
Steps = Generator[Wait, Any, None]

KUBERNETES_DIR = "/etc/kubernetes"
ADMIN_CONF = f"{KUBERNETES_DIR}/admin.conf"
KUBELET_CONF = f"{KUBERNETES_DIR}/kubelet.conf"
MANIFESTS = f"{KUBERNETES_DIR}/manifests"
KUBELET_DIR = "/var/lib/kubelet"
#: KubernetesAPICallRetryInterval.
RETRY = 500 * MS


class Failure(Exception):
    """What ends a run: kubeadm prints `error: ` and the message, and how to see more."""


#: A call on one object carries the client's time-out (kubeadm `util/kubeconfig: ToClientSet`); lists do not.
_ONE_OBJECT = re.compile(r'^((?:Get|Post|Put|Patch|Delete) "[^"?]*)(": )')


def reason(error: Exception, client: KubeClient | None = None) -> str:
    """An error as Go prints it."""
    if isinstance(error, OSError):
        return go_error(error)
    if isinstance(error, ConnectError) and client is not None:
        return _ONE_OBJECT.sub(r"\1?timeout=10s\2", component.explain(error, client), count=1)
    return str(error)


def go_error(error: OSError, verb: str = "open") -> str:
    """`open /etc/x: no such file or directory`."""
    text = (error.strerror or "").lower()
    return f"{verb} {error.filename}: {text}" if error.filename else text


class Run:
    """What a command is given: the invocation, its flags and arguments."""

    def __init__(self, inv: Call, values: Values) -> None:
        self.inv, self.values, self.args = inv, values, values.args
        self.world: World = inv.world
        self.host = inv.host
        self.verbosity = values.number("v") if values.has("v") else 0
        #: Root of the file system (`--rootfs`).
        self.checked: set[str] = set()

    # -- what it is -----------------------------------------------------------------------------------------------------
    @property
    def now(self) -> int:
        """Unix time in ns by the clock of this machine."""
        return self.world.wall + self.skew

    @property
    def skew(self) -> int:
        """How far ahead this machine's clock is, ns."""
        return self.host.skew

    @property
    def version(self) -> str:
        """The release of this binary: the program's name may carry it (`kubeadm:1.35.3`)."""
        own = self.inv.proc.program.partition(":")[2]
        return f"v{own}" if own else VERSION

    @property
    def is_root(self) -> bool:
        """Whether it runs as root."""
        return self.inv.uid == 0

    # -- output ---------------------------------------------------------------------------------------------------------
    def say(self, text: str) -> None:
        """A line on standard output."""
        self.inv.out(text + "\n")

    def out(self, text: str | bytes) -> None:
        """Text on standard output as it is."""
        self.inv.out(text)

    def klog(self, level: str, where: str, text: str) -> None:
        """A line of klog on standard error."""
        stamp = clock.to_datetime(self.now).strftime("%m%d %H:%M:%S.%f")
        self.inv.err(f"{level}{stamp} {self.inv.proc.pid:7d} {where}] {text}\n")

    def warn(self, where: str, text: str) -> None:
        """klog.Warningf."""
        self.klog("W", where, text)

    def info(self, where: str, text: str, level: int = 1) -> None:
        """klog.V(level).Infof."""
        if self.verbosity >= level:
            self.klog("I", where, text)

    # -- time -----------------------------------------------------------------------------------------------------------
    def pause(self, low: int, high: int) -> Steps:
        """Let between `low` and `high` milliseconds pass."""
        yield Sleep(self.world.rng("kubeadm").between(low * MS, high * MS))

    def poll(self, done: Callable[[], bool], interval: int, timeout: int) -> Generator[Wait, Any, bool]:
        """`wait.PollUntilContextTimeout`, at once and then every `interval`; False when the time is over."""
        deadline = self.world.now + timeout
        while not done():
            if self.world.now + interval > deadline:
                yield Sleep(max(deadline - self.world.now, 0))
                return False
            yield Sleep(interval)
        return True

    # -- files ----------------------------------------------------------------------------------------------------------
    @property
    def tree(self) -> Tree:
        """The machine's files."""
        return self.inv.tree

    def exists(self, path: str) -> bool:
        """Whether a path leads to something."""
        return self.tree.exists(self.inv.path(path))

    def read(self, path: str) -> bytes:
        """A file; OSError has the path as it was given."""
        try:
            return self.inv.read_file(path)
        except OSError as error:
            raise OSError(error.errno, error.strerror, path) from None

    def write(self, path: str, data: bytes | str, mode: int = 0o644) -> None:
        """Create or replace a file, with the directories above it."""
        raw = data.encode() if isinstance(data, str) else data
        self.mkdir(posixpath.dirname(self.inv.path(path)))
        self.inv.write_file(path, raw, mode=mode)

    def mkdir(self, path: str, mode: int = 0o755) -> None:
        """`mkdir -p`; the user must be allowed to."""
        if self.tree.isdir(path):
            return
        above = path
        while not self.tree.exists(above):
            above = posixpath.dirname(above)
        node = self.tree.lookup(above)
        if not self.is_root and node.uid != self.inv.uid:
            raise OSError(errno.EACCES, "Permission denied", path)
        files.make_dir(self.world, self.host, path, parents=True, mode=mode, uid=self.inv.uid, gid=self.inv.gid)

    def remove(self, path: str) -> None:
        """`rm -rf` of what is there."""
        if self.tree.exists(path):
            files.remove_file(self.world, self.host, path, recursive=True)

    def names(self, path: str) -> list[str]:
        """What a directory holds, or nothing."""
        try:
            return self.tree.listdir(path)
        except OSError:
            return []

    # -- the cluster ----------------------------------------------------------------------------------------------------
    def client(self, path: str, server: str = "") -> KubeClient:
        """A client of a kubeconfig file; `server` replaces the one that it names.  Raises OSError, BadInput."""
        return self.client_of(self.read(path), server)

    def client_of(self, text: bytes, server: str = "") -> KubeClient:
        """A client of a kubeconfig's content."""
        client = KubeClient.from_kubeconfig(
            self.world,
            self.inv.proc.netns,
            text,
            user_agent=f"kubeadm/{self.version} (linux/amd64) kubernetes/98b3519",
            read_file=self.read,
        )
        return client.at(server) if server else client

    def admin_client(self, path: str) -> KubeClient:
        """`kubeconfigutil.ClientSetFromFile`."""
        try:
            return self.client(path)
        except (OSError, BadInput) as error:
            raise Failure(f"failed to load admin kubeconfig: {reason(error)}") from None

    def retry(self, call: Callable[[], Any], timeout: int = 60 * SECOND, interval: int = RETRY) -> Generator[Wait, Any, Any]:
        """Call until it works, as most of kubeadm's requests are (timeouts.kubernetesAPICall); raises the last error."""
        deadline = self.world.now + timeout
        while True:
            try:
                return call()
            except (ConnectError, ApiError):
                if self.world.now + interval > deadline:
                    raise
            yield Sleep(interval)


def dry_run_dir(run: Run, variable: str, name: str) -> str:
    """Where a dry run writes its files (`GetDryRunDir`)."""
    given = run.inv.env.get(variable)
    if given:
        return given
    path = temporary_dir(run, name)
    run.warn("constants.go:631", f"Using dry-run directory {path}. To override it, set the environment variable {variable}")
    return path


def temporary_dir(run: Run, name: str) -> str:
    """A new directory below /etc/kubernetes/tmp (`CreateTempDir`)."""
    path = f"{KUBERNETES_DIR}/tmp/{name}{run.world.rng('kubeadm').below(10**9)}"
    try:
        run.mkdir(path, 0o700)
    except OSError as error:
        raise Failure(
            f'could not create a temporary directory on dryrun: failed to create directory "{KUBERNETES_DIR}/tmp": {go_error(error, "mkdir")}'
        ) from None
    return path
