"""ctr's commands (`cmd/ctr/app/main.go`, `cmd/ctr/commands/*`): what each runs; their texts are in `commands.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...runtime.containerd import SOCKET, VERSION
from ..urfave import App, flag
from ..urfave_tree import tree
from . import images, server, store, tasks
from .commands import TEXT

RUNS: dict[str, Callable[..., Any]] = {
    "plugins list": server.plugins,
    "version": tasks.version,
    "containers create": tasks.container_create,
    "containers delete": tasks.container_remove,
    "containers info": tasks.container_info,
    "containers list": tasks.container_list,
    "containers label": server.container_label,
    "content active": store.content_active,
    "content fetch": store.content_fetch,
    "content get": store.content_get,
    "content label": store.content_label,
    "content delete": store.content_remove,
    "content list": images.content,
    "events": server.watch,
    "images check": images.check,
    "images export": store.export,
    "images import": store.import_images,
    "images list": images.listing,
    "images mount": store.mount,
    "images unmount": store.unmount,
    "images pull": images.pull,
    "images push": store.push,
    "images prune": store.prune,
    "images delete": images.remove,
    "images tag": images.tag,
    "images label": store.label,
    "images usage": store.usage,
    "images inspect": store.inspect,
    "leases list": store.lease_list,
    "leases create": store.lease_create,
    "leases delete": store.lease_remove,
    "namespaces create": images.namespace_create,
    "namespaces list": images.namespaces,
    "namespaces remove": images.namespace_remove,
    "namespaces label": server.namespace_label,
    "run": tasks.run,
    "snapshots list": images.snapshots,
    "snapshots commit": store.snapshot_commit,
    "snapshots info": store.snapshot_info,
    "snapshots mounts": store.snapshot_mounts,
    "snapshots prepare": store.snapshot_make("Active"),
    "snapshots delete": store.snapshot_remove,
    "snapshots tree": store.snapshot_tree,
    "snapshots usage": store.snapshot_usage,
    "snapshots view": store.snapshot_make("View"),
    "tasks attach": tasks.task_attach,
    "tasks delete": tasks.task_remove,
    "tasks exec": tasks.task_exec,
    "tasks list": tasks.task_list,
    "tasks kill": tasks.task_kill,
    "tasks metrics": server.metrics,
    "tasks pause": server.pause,
    "tasks ps": tasks.task_ps,
    "tasks resume": server.resume,
    "tasks start": tasks.task_start,
    "oci spec": server.oci_spec,
    "sandboxes list": server.sandboxes,
    "info": server.info,
    "deprecations list": server.deprecations,
}
#: Flags that would change what a command does and that nothing here reads.
REFUSED = frozenset(
    {
        "blockio-class", "blockio-config-file", "device", "gidmap", "manifest-type", "metadata-only", "rdt-class", "remap-labels", "rootfs",
        "rootfs-propagation", "runc-binary", "runc-root", "runc-systemd-cgroup", "temp", "uidmap",
    }
)  # fmt: skip

APP = App(
    name="ctr",
    version=f"v{VERSION}",
    usage="\n        __\n  _____/ /______\n / ___/ __/ ___/\n/ /__/ /_/ /\n\\___/\\__/_/\n\ncontainerd CLI",
    description="\nctr is an unsupported debug and administrative client for interacting\nwith the containerd daemon. Because it is unsupported, the commands,\noptions, and operations are not guaranteed to be backward compatible or\nstable from release to release of the containerd project.",
    help_usage="Show help",
    version_usage="Print the version",
    flags=(
        flag("debug", usage="Enable debug output in logs"),
        flag("address, a", "string", "Address for containerd's GRPC server", SOCKET, env="CONTAINERD_ADDRESS"),
        flag("timeout", "duration", "Total timeout for ctr commands"),
        flag("connect-timeout", "duration", "Timeout for connecting to containerd"),
        flag("namespace, n", "string", "Namespace to use with commands", "default", env="CONTAINERD_NAMESPACE"),
    ),
    commands=tree(TEXT, RUNS, images.unsupported),
)
