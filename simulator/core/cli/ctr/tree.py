"""ctr's commands and flags (`cmd/ctr/app/main.go`, `cmd/ctr/commands/*`)."""

from __future__ import annotations

from ...runtime.containerd import SOCKET, VERSION
from ..urfave import App, Command, Flag, flag
from . import images, server, store, tasks

_QUIET = flag("quiet, q", usage="Print only the image refs")
_LABEL = flag("label", "slice", "Labels to attach to the image")
_SNAPSHOTTER = flag(
    "snapshotter", "string", "Snapshotter name. Empty value stands for the default value.", env="CONTAINERD_SNAPSHOTTER"
)
_REGISTRY: tuple[Flag, ...] = (
    flag("skip-verify, k", usage="Skip SSL certificate validation"),
    flag("plain-http", usage="Allow connections using plain HTTP"),
    flag("user, u", "string", "User[:password] Registry user and password"),
    flag("refresh", "string", "Refresh token for authorization server"),
    flag("hosts-dir", "string", "Custom hosts configuration directory"),
    flag("tlscacert", "string", "Path to TLS root CA"),
    flag("tlscert", "string", "Path to TLS client certificate"),
    flag("tlskey", "string", "Path to TLS client key"),
    flag("http-dump", usage="Dump all HTTP request/responses when interacting with container registry"),
    flag("http-trace", usage="Enable HTTP tracing for registry interactions"),
)
_CONTAINER: tuple[Flag, ...] = (
    flag("config, c", "string", "Path to the runtime-specific spec config file"),
    flag("cwd", "string", "Specify the working directory of the process"),
    flag("env", "slice", "Specify additional container environment variables (e.g. FOO=bar)"),
    flag("env-file", "string", "Specify additional container environment variables in a file(e.g. FOO=bar, one per line)"),
    flag("label", "slice", "Specify additional labels (e.g. foo=bar)"),
    flag("annotation", "slice", "Specify additional OCI annotations (e.g. foo=bar)"),
    flag("mount", "slice", "Specify additional container mount (e.g. type=bind,src=/tmp,dst=/host,options=rbind:ro)"),
    flag("net-host", usage="Enable host networking for the container"),
    flag("privileged", usage="Run privileged container"),
    flag("read-only", usage="Set the containers filesystem as readonly"),
    flag("runtime", "string", "Runtime name or absolute path to runtime binary", "io.containerd.runc.v2"),
    flag("sandbox", "string", "Create the container in the given sandbox"),
    flag("tty, t", usage="Allocate a TTY for the container"),
    flag("with-ns", "slice", "Specify existing Linux namespaces to join at container runtime (format '<nstype>:<path>')"),
    flag("pid-file", "string", "File path to write the task's pid"),
    flag("gpus", "slice", "Add gpus to the container"),
    flag("allow-new-privs", usage="Turn off OCI spec's NoNewPrivileges feature flag"),
    flag("memory-limit", "int", "Memory limit (in bytes) for the container"),
    flag("cap-add", "slice", "Add Linux capabilities (Set capabilities with 'CAP_' prefix)"),
    flag("cap-drop", "slice", "Drop Linux capabilities (Set capabilities with 'CAP_' prefix)"),
    flag("seccomp", usage="Enable the default seccomp profile"),
    flag("user, u", "string", "User id or name"),
    flag("hostname", "string", "Set the container's host name"),
    flag("cpus", "float", "Set the CFS cpu quota"),
    flag("platform", "string", "Run image for specific platform"),
)

_IMAGES = (
    Command("check", "Check existing images to ensure all content is available locally", images.check, (flag("quiet, q", usage="Print only the ready image refs (fully downloaded and unpacked)"), _SNAPSHOTTER), args_usage="[flags] [<filter>, ...]"),
    Command("export", "Export images", store.export, (flag("skip-manifest-json", usage="Do not add Docker compatible manifest.json to archive"), flag("skip-non-distributable", usage="Do not add non-distributable blobs such as Windows layers to archive"), flag("platform", "slice", "Pull content from a specific platform"), flag("all-platforms", usage="Exports content from all platforms"), flag("local", usage="Run export locally rather than through transfer API")), args_usage="[flags] <out> <image> ..."),
    Command("import", "Import images", store.import_images, (flag("base-name", "string", "Base image name for added images, when provided only images with this name prefix are imported"), flag("digests", usage="Whether to create digest images (default: false)"), flag("overwrite", usage="Force overwrite existing images in containerd"), flag("index-name", "string", "Image name to keep index as, by default index is discarded"), flag("all-platforms", usage="Imports content for all platforms, false by default"), flag("platform", "string", "Imports content for specific platform"), flag("no-unpack", usage="Skip unpacking the images, cannot be used with --discard-unpacked-layers, false by default"), flag("local", usage="Run import locally rather than through transfer API"), flag("compress-blobs", usage="Compress uncompressed blobs when creating manifest (Docker format only)"), flag("discard-unpacked-layers", usage="Allow the garbage collector to clean layers up from the content store after unpacking"), flag("sync-fs", usage="Synchronize the underlying filesystem containing files when unpack images, false by default"), _SNAPSHOTTER), args_usage="[flags] <in>"),
    Command("list", "List images known to containerd", images.listing, (_QUIET,), aliases=("ls",), args_usage="[flags] [<filter>, ...]", description="list images registered with containerd"),
    Command("mount", "Mount an image to a target path", store.mount, (flag("rw", usage="Enable write support on the mount"), flag("platform", "string", "Mount the image for the specified platform"), _SNAPSHOTTER, _LABEL), args_usage="[flags] <ref> [<target>]", description="Mount an image rootfs to a specified path.\n\nWhen you are done, use the unmount command.\n"),
    Command("unmount", "Unmount the image from the target", store.unmount, (flag("rm", usage="Remove the snapshot after a successful unmount"), _SNAPSHOTTER), args_usage="[flags] <target>", description="Unmount the image rootfs from the specified target.\n"),
    Command("pull", "Pull an image from a remote", images.pull, (
        *_REGISTRY, _SNAPSHOTTER, _LABEL, flag("platform", "slice", "Pull content from a specific platform"), flag("all-platforms", usage="Pull content and metadata from all platforms"),
        flag("skip-metadata", usage="Skips metadata for unused platforms (Image may be unable to be pushed without metadata)"), flag("print-chainid", usage="Print the resulting image's chain ID"),
        flag("max-concurrent-downloads", "int", "Set the max concurrent downloads for each pull"), flag("local", usage="Fetch content from local client rather than using transfer service"),
        flag("sync-fs", usage="Synchronize the underlying filesystem containing files when unpack images, false by default")),
        args_usage="[flags] <ref>", description="Fetch and prepare an image for use in containerd.\n\nAfter pulling an image, it should be ready to use the same reference in a run\ncommand. As part of this process, we do the following:\n\n1. Fetch all resources into containerd.\n2. Prepare the snapshot filesystem with the pulled resources.\n3. Register metadata for the image."),
    Command("push", "Push an image to a remote", store.push, (*_REGISTRY, flag("manifest", "string", "Digest of manifest"), flag("platform", "slice", "Push content from a specific platform"), flag("max-concurrent-uploaded-layers", "int", "Set the max concurrent uploaded layers for each push"), flag("local", usage="Push content from local client rather than using transfer service"), flag("allow-non-distributable-blobs", usage="Allow pushing blobs that are marked as non-distributable")), args_usage="[flags] <remote> [<local>]"),
    Command("prune", "Remove unused images", store.prune, (flag("all", usage="Remove all unused images, not just dangling ones (if all is not specified, no images will be pruned)"),)),
    Command("delete", "Remove one or more images by reference", images.remove, (flag("sync", usage="Synchronously remove image and all associated resources"),), aliases=("del", "remove", "rm"), args_usage="[flags] <ref> [<ref>, ...]", description="remove one or more images by reference"),
    Command("tag", "Tag an image", images.tag, (flag("force", usage="Force target_ref to be created, regardless if it already exists"), flag("local", usage="Run tag locally rather than through transfer API"), flag("skip-reference-check", usage="Skip the strict check for reference names")), args_usage="[flags] <source_ref> <target_ref> [<target_ref>, ...]"),
    Command("label", "Set and clear labels for an image", store.label, (flag("replace-all, r", usage="Replace all labels"),), args_usage="[flags] <name> [<key>=<value>, ...]"),
    Command("convert", "Convert an image", images.unsupported, args_usage="[flags] <source_ref> <target_ref>"),
    Command("usage", "Display usage of snapshots for a given image ref", store.usage, (_SNAPSHOTTER,), args_usage="[flags] <ref>"),
    Command("inspect", "Inspect an image", store.inspect, (flag("content", usage="Show JSON content"),), args_usage="<image> [flags]", aliases=("i",)),
)  # fmt: skip

_CONTAINERS = (
    Command("create", "Create container", tasks.container_create, (_SNAPSHOTTER, *_CONTAINER), args_usage="[flags] Image|RootFS CONTAINER [COMMAND] [ARG...]"),
    Command("delete", "Delete one or more existing containers", tasks.container_remove, (flag("keep-snapshot", usage="Do not clean up snapshot with container"),), aliases=("del", "remove", "rm"), args_usage="[flags] CONTAINER [CONTAINER, ...]"),
    Command("info", "Get info about a container", tasks.container_info, (flag("spec", usage="Only display the spec"),), args_usage="CONTAINER"),
    Command("list", "List containers", tasks.container_list, (flag("quiet, q", usage="Print only the container id"),), aliases=("ls",), args_usage="[flags] [<filter>, ...]"),
    Command("label", "Set and clear labels for a container", server.container_label, args_usage="[flags] CONTAINER [<key>=<value>, ...]"),
    Command("checkpoint", "Checkpoint a container", images.unsupported, args_usage="CONTAINER REF"),
    Command("restore", "Restore a container from checkpoint", images.unsupported, args_usage="CONTAINER REF"),
)  # fmt: skip

_TASKS = (
    Command("attach", "Attach to the IO of a running container", tasks.task_attach, args_usage="CONTAINER"),
    Command("checkpoint", "Checkpoint a container", images.unsupported, args_usage="[flags] CONTAINER"),
    Command("delete", "Delete one or more tasks", tasks.task_remove, (flag("force, f", usage="Force delete task process"), flag("exec-id", "string", "Process ID to kill")), aliases=("del", "remove", "rm"), args_usage="CONTAINER [CONTAINER, ...]"),
    Command("exec", "Execute additional processes in an existing container", tasks.task_exec, (
        flag("cwd", "string", "Working directory of the new process"), flag("tty, t", usage="Allocate a TTY for the container"), flag("detach, d", usage="Detach from the task after it has started execution"),
        flag("exec-id", "string", "Exec specific id for the process", required=True), flag("fifo-dir", "string", "Directory used for storing IO FIFOs"), flag("log-uri", "string", "Log uri for custom shim logging"), flag("user", "string", "User id or name")), args_usage="[flags] CONTAINER CMD [ARG...]"),
    Command("list", "List tasks", tasks.task_list, (flag("quiet, q", usage="Print only the task id"),), aliases=("ls",), args_usage="[flags]"),
    Command("kill", "Signal a container (default: SIGTERM)", tasks.task_kill, (flag("signal, s", "string", "Signal to send to the container"), flag("exec-id", "string", "Process ID to kill"), flag("all, a", usage="Send signal to all processes inside the container")), args_usage="[flags] CONTAINER"),
    Command("metrics", "Get a single data point of metrics for a task with the built-in Linux runtime", server.metrics, (flag("format", "string", "\"table\" or \"json\"", "table"),), aliases=("metric",), args_usage="CONTAINER"),
    Command("pause", "Pause an existing container", server.pause, args_usage="CONTAINER"),
    Command("ps", "List processes for container", tasks.task_ps, args_usage="CONTAINER"),
    Command("resume", "Resume a paused container", server.resume, args_usage="CONTAINER"),
    Command("start", "Start a container that has been created", tasks.task_start, (flag("null-io", usage="Send all IO to /dev/null"), flag("log-uri", "string", "Log uri"), flag("fifo-dir", "string", "Directory used for storing IO FIFOs"), flag("pid-file", "string", "File path to write the task's pid"), flag("detach, d", usage="Detach from the task after it has started execution")), args_usage="CONTAINER"),
)  # fmt: skip

_CONTENT = (
    Command("active", "Display active transfers", store.content_active, (flag("timeout, t", "duration", "Total timeout for fetch"),), aliases=("status",)),
    Command("fetch", "Fetch all content for an image into containerd", store.content_fetch, (*_REGISTRY, _LABEL, flag("platform", "slice", "Pull content from a specific platform"), flag("all-platforms", usage="Pull content from all platforms")), args_usage="[flags] <remote> <object>"),
    Command("get", "Get the data for an object", store.content_get, args_usage="[<digest>, ...]"),
    Command("label", "Add labels to content", store.content_label, args_usage="<digest> [<label>=<value> ...]"),
    Command("delete", "Permanently delete one or more blobs", store.content_remove, aliases=("del", "remove", "rm"), args_usage="[<digest>, ...]"),
)  # fmt: skip
_TARGET = flag("target, t", "string", "Mount target path, will print mount, if provided")
_SNAPSHOTS = (
    Command("commit", "Commit an active snapshot into the provided name", store.snapshot_commit, args_usage="<key> <active>"),
    Command("info", "Get info about a snapshot", store.snapshot_info, args_usage="<key>"),
    Command("mounts", "Mount gets mount commands for the snapshots", store.snapshot_mounts, aliases=("m", "mount"), args_usage="<target> <key>"),
    Command("prepare", "Prepare a snapshot from a committed snapshot", store.snapshot_make("Active"), (_TARGET, flag("mounts", usage="Print out snapshot mounts as JSON")), args_usage="[flags] <key> [<parent>]"),
    Command("delete", "Remove snapshots", store.snapshot_remove, aliases=("del", "remove", "rm"), args_usage="<key> [<key>, ...]"),
    Command("tree", "Display tree view of snapshot branches", store.snapshot_tree),
    Command("usage", "Usage snapshots", store.snapshot_usage, (flag("b", usage="Display size in bytes"),), args_usage="[flags] [<key>, ...]"),
    Command("view", "Create a read-only snapshot from a committed snapshot", store.snapshot_make("View"), (_TARGET, flag("mounts", usage="Print out snapshot mounts as JSON")), args_usage="[flags] <key> [<parent>]"),
)  # fmt: skip

_RUN = (
    flag("rm", usage="Remove the container after running, cannot be used with --detach"),
    flag("null-io", usage="Send all IO to /dev/null"),
    flag("log-uri", "string", "Log uri"),
    flag("detach, d", usage="Detach from the task after it has started execution, cannot be used with --rm"),
    flag("fifo-dir", "string", "Directory used for storing IO FIFOs"),
    flag("cgroup", "string", 'Cgroup path (To disable use of cgroup, set to "" explicitly)'),
    flag("cni", usage="Enable cni networking for the container"),
    flag("dump-config", "string", "Dump the generated OCI config to a file"),
    _SNAPSHOTTER,
    *_CONTAINER,
)

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
    commands=(
        Command("plugins", "Provides information about containerd plugins", aliases=("plugin",), commands=(Command("list", "Lists containerd plugins", server.plugins, (flag("quiet, q", usage="Print only the plugin ids"), flag("detailed, d", usage="Print detailed information about each plugin")), aliases=("ls",)), Command("inspect-runtime", "Display runtime info", images.unsupported))),
        Command("version", "Print the client and server versions", tasks.version),
        Command("containers", "Manage containers", commands=_CONTAINERS, aliases=("c", "container")),
        Command("content", "Manage content", aliases=("cs",), commands=(*_CONTENT, Command("list", "List all blobs in the store", images.content, (flag("quiet, q", usage="Print only the blob digest"),), aliases=("ls",), args_usage="[flags]"),)),
        Command("events", "Display containerd events", server.watch, aliases=("event",)),
        Command("images", "Manage images", commands=_IMAGES, aliases=("image", "i")),
        Command("leases", "Manage leases", commands=(Command("list", "List all active leases", store.lease_list, (flag("quiet, q", usage="Print only the blob digest"),), aliases=("ls",), args_usage="[flags] <filter>"), Command("create", "Create lease", store.lease_create, (flag("id", "string", "Set the id for the lease, will be generated by default"), flag("expires, x", "duration", "Expiration of lease (0 value will not expire)", 86_400_000_000_000)), args_usage="[flags] <label>=<value> ..."), Command("delete", "Delete a lease", store.lease_remove, (flag("sync", usage="Synchronously remove leases and all unreferenced resources"),), aliases=("del", "remove", "rm"), args_usage="[flags] <lease id> ..."))),
        Command("namespaces", "Manage namespaces", aliases=("namespace", "ns"), commands=(
            Command("create", "Create a new namespace", images.namespace_create, aliases=("c",), args_usage="<name> [<key>=<value>]"),
            Command("list", "List namespaces", images.namespaces, (flag("quiet, q", usage="Print only the namespace name"),), aliases=("ls",), args_usage="[flags]"),
            Command("remove", "Remove one or more namespaces", images.namespace_remove, (flag("cgroup, c", usage="Delete the namespace's cgroup"),), aliases=("rm",), args_usage="<name> [<name>, ...]"),
            Command("label", "Set and clear labels for a namespace", server.namespace_label, args_usage="<name> [<key>=<value>, ...]"))),
        Command("pprof", "Provide golang pprof outputs for containerd", images.unsupported),
        Command("run", "Run a container", tasks.run, _RUN, args_usage="[flags] Image|RootFS ID [COMMAND] [ARG...]"),
        Command("snapshots", "Manage snapshots", aliases=("snapshot",), commands=(Command("list", "List snapshots", images.snapshots, aliases=("ls",)), *_SNAPSHOTS)),
        Command("tasks", "Manage tasks", commands=_TASKS, aliases=("t", "task")),
        Command("install", "Install a new package", images.unsupported, args_usage="<ref>"),
        Command("oci", "OCI tools", commands=(Command("spec", "See the output of the default OCI spec", server.oci_spec),)),
        Command("sandboxes", "Manage sandboxes", aliases=("sandbox", "sb", "s"), commands=(Command("list", "List sandboxes", server.sandboxes, aliases=("ls",)), Command("run", "Run a new sandbox", images.unsupported, aliases=("create", "c", "r")), Command("remove", "Remove sandboxes", images.unsupported, aliases=("rm",)))),
        Command("info", "Print the server info", server.info),
        Command("deprecations", "Print deprecation warnings", commands=(Command("list", "Print warnings for deprecations", server.deprecations, (flag("format", "string", "output format to use (Examples: 'default', 'json')"),)),)),
    ),
)  # fmt: skip
