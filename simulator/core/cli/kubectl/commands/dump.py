"""`kubectl cluster-info dump` (`kubectl/pkg/cmd/clusterinfo/clusterinfo_dump.go`)."""

from __future__ import annotations

import posixpath
from typing import Any

from ....host import files
from ....kube.api.errors import ApiError
from ...cobra import Command, Flag
from ..errors import CommandError
from ..flagsets import all_namespaces_flag, print_flags
from ..printers import Output
from ..session import Session
from ..streams import read_log

Obj = dict[str, Any]
#: What is dumped of a namespace, in order: resource, file.
LISTS = (
    ("events", "events"), ("replicationcontrollers", "replication-controllers"), ("services", "services"), ("daemonsets.apps", "daemonsets"),
    ("deployments.apps", "deployments"), ("replicasets.apps", "replicasets"), ("pods", "pods"),
)  # fmt: skip


class Dump:
    """Where the parts go: standard output, or files below `--output-directory`."""

    def __init__(self, s: Session) -> None:
        self.s = s
        self.folder = s.values.text("output-directory").rstrip("/")
        self.output = Output(s, default="json", typed=True)
        self.ending = {"json": ".json", "yaml": ".yaml"}.get(self.output.name, ".txt")

    def put(self, name: str, text: str, ending: str) -> None:
        """One part."""
        if self.folder in ("", "-"):
            self.s.out(text)
            return
        path = self.s.inv.path(posixpath.join(self.folder, name + ending))
        try:
            self._make(posixpath.dirname(path))
            self.s.inv.write_file(path, text.encode())
        except OSError as error:
            raise CommandError(f"open {path}: {(error.strerror or 'error').lower()}") from None

    def _make(self, folder: str) -> None:
        """The directory and those above it (`os.MkdirAll`)."""
        inv = self.s.inv
        parts = folder.strip("/").split("/")
        for depth in range(1, len(parts) + 1):
            above = "/" + "/".join(parts[:depth])
            if inv.exists(above) and not inv.isdir(above):
                raise CommandError(f"mkdir {above}: not a directory")
        files.make_dir(self.s.world, inv.host, folder, parents=True, uid=inv.uid, gid=inv.gid)

    def objects(self, name: str, found: Obj) -> None:
        """One list."""
        if self.output.name == "name":
            raise CommandError(f"list types are not supported by name printing: *v1.{found['kind']}")
        parts: list[str] = []
        items = [{key: value for key, value in item.items() if key not in ("apiVersion", "kind")} for item in found["items"]]
        Output(self.s, default="json", typed=True, write=parts.append).print({**found, "items": items})
        self.put(name, "".join(parts), self.ending)


def run(s: Session) -> int:
    """Nodes, then of each namespace its lists and the logs of its pods."""
    dump = Dump(s)
    dump.objects("nodes", s.call("GET", "/api/v1/nodes"))
    if s.values.on("all-namespaces"):
        namespaces = [item["metadata"]["name"] for item in s.list(s.kind("namespaces"))]
    else:
        namespaces = s.values.items("namespaces") or ["kube-system", s.namespace]
    for namespace in namespaces:
        pods: list[Obj] = []
        for resource, name in LISTS:
            found = s.call("GET", s.kind(resource).path(namespace))
            pods = found["items"]
            dump.objects(f"{namespace}/{name}", found)
        for pod in pods:
            dump.put(f"{namespace}/{pod['metadata']['name']}/logs", _logs(s, pod), ".txt")
    if dump.folder not in ("", "-"):
        s.out(f"Cluster info dumped to {s.values.text('output-directory')}\n")
    return 0


def _logs(s: Session, pod: Obj) -> str:
    out, meta = [], pod["metadata"]
    for item in [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]:
        label = f"logs for container {item['name']} of pod {meta['namespace']}/{meta['name']} ====\n"
        try:
            text = read_log(s, pod, {"container": item["name"]})
        except ApiError as error:
            text = f"Request log error: {error.message}\n"
        out.append(f"==== START {label}{text}==== END {label}")
    return "".join(out)


DUMP = Command(
    "dump [flags]",
    short="Dump relevant information for debugging and diagnosis",
    long="Print nodes, and of kube-system and the present namespace (or others) what runs there with its logs.",
    example="""# To standard output
kubectl cluster-info dump

# To a directory
kubectl cluster-info dump --output-directory=/path/to/cluster-state

# All namespaces
kubectl cluster-info dump --all-namespaces""",
    flags=(
        *print_flags(default="json"),
        all_namespaces_flag(),
        Flag(name="namespaces", kind="strings", usage="The namespaces to dump."),
        Flag(name="output-directory", usage="Where the files go; standard output when empty or '-'."),
        Flag(
            name="pod-running-timeout",
            support="inert",
            kind="duration",
            default=20 * 10**9,
            usage="How long to wait for a pod to run",
        ),
    ),
    run=run,
)
