"""nerdctl's commands and flags (`cmd/nerdctl`)."""

from __future__ import annotations

from ...runtime.containerd import SOCKET
from ..cobra import Command, Flag, exact_args, max_args, min_args, no_args
from . import containers, images, listing
from .main import unsupported

_VERIFY = Flag(name="verify", kind="string", default="none", usage="Verify the image (none|cosign|notation)")
_RUN: tuple[Flag, ...] = (
    Flag(name="detach", short="d", kind="bool", usage="Run container in background and print container ID"),
    Flag(name="entrypoint", kind="string", usage="Overwrite the default ENTRYPOINT of the image"),
    Flag(name="env", short="e", kind="array", usage="Set environment variables"),
    Flag(name="env-file", kind="array", usage="Set environment variables from file"),
    Flag(name="hostname", short="h", kind="string", usage="Container host name"),
    Flag(name="interactive", short="i", kind="bool", usage="Keep STDIN open even if not attached"),
    Flag(name="label", short="l", kind="array", usage="Set metadata on container"),
    Flag(name="name", kind="string", usage="Assign a name to the container"),
    Flag(
        name="network",
        kind="string",
        usage='Connect a container to a network ("bridge"|"host"|"none"|"container:<container>"|<CNI>)',
    ),
    Flag(name="privileged", kind="bool", usage="Give extended privileges to this container"),
    Flag(name="publish", short="p", kind="array", usage="Publish a container's port(s) to the host"),
    Flag(name="pull", kind="string", default="missing", usage='Pull image before running ("always"|"missing"|"never")'),
    Flag(name="quiet", short="q", kind="bool", usage="Suppress the pull output"),
    Flag(
        name="restart",
        kind="string",
        default="no",
        usage='Restart policy to apply when a container exits (implemented values: "no"|"always|on-failure:n|unless-stopped")',
    ),
    Flag(name="rm", kind="bool", usage="Automatically remove the container when it exits"),
    Flag(name="tty", short="t", kind="bool", usage="Allocate a pseudo-TTY"),
    Flag(name="user", short="u", kind="string", usage="Username or UID (format: <name|uid>[:<group|gid>])"),
    Flag(name="volume", short="v", kind="array", usage="Bind mount a volume"),
    Flag(name="workdir", short="w", kind="string", usage="Working directory inside the container"),
    Flag(name="memory", short="m", kind="string", usage="Memory limit"),
    Flag(name="cpus", kind="float", usage="Number of CPUs"),
    _VERIFY,
)
_TIME = Flag(name="time", short="t", kind="int", default=10, usage="Seconds to wait before sending a SIGKILL")
_FORMAT = Flag(name="format", short="f", kind="string", usage="Format the output using the given Go template, e.g, '{{json .}}'")


def _commands() -> tuple[Command, ...]:
    ps_flags = (
        Flag(name="all", short="a", kind="bool", usage="Show all containers (default shows just running)"),
        Flag(
            name="filter",
            short="f",
            kind="array",
            usage="Filter matches containers based on given conditions. When specifying the condition 'status', it filters all containers",
        ),
        Flag(name="format", kind="string", usage="Format the output using the given Go template, e.g, '{{json .}}', 'wide'"),
        Flag(name="last", short="n", kind="int", default=-1, usage="Show n last created containers (includes all states)"),
        Flag(name="latest", short="l", kind="bool", usage="Show the latest created container (includes all states)"),
        Flag(name="no-trunc", kind="bool", usage="Don't truncate output"),
        Flag(name="quiet", short="q", kind="bool", usage="Only display container IDs"),
        Flag(name="size", short="s", kind="bool", usage="Display total file sizes"),
    )
    image_flags = (
        Flag(name="all", short="a", kind="bool", default=True, usage="(unimplemented yet, always true)"),
        Flag(name="digests", kind="bool", usage="Show digests (compatible with Docker, unlike ID)"),
        Flag(name="filter", short="f", kind="array", usage="Filter output based on conditions provided"),
        Flag(name="format", kind="string", usage="Format the output using the given Go template, e.g, '{{json .}}', 'wide'"),
        Flag(name="names", kind="bool", usage="Show image names"),
        Flag(name="no-trunc", kind="bool", usage="Don't truncate output"),
        Flag(name="quiet", short="q", kind="bool", usage="Only show numeric IDs"),
    )
    force = Flag(name="force", short="f", kind="bool", usage="Force the removal of a running container (uses SIGKILL)")
    return (
        Command("run [flags] IMAGE [COMMAND] [ARG...]", short='Run a command in a new container. Optionally specify "ipfs://" or "ipns://" scheme to pull image from IPFS.', flags=_RUN, args=min_args(1), run=containers.run, interspersed=False),
        Command("create [flags] IMAGE [COMMAND] [ARG...]", short='Create a new container. Optionally specify "ipfs://" or "ipns://" scheme to pull image from IPFS.', flags=_RUN, args=min_args(1), run=containers.create, interspersed=False),
        Command("exec [flags] CONTAINER COMMAND [ARG...]", short="Run a command in a running container", args=min_args(2), run=containers.exec_command, interspersed=False, flags=(
            Flag(name="detach", short="d", kind="bool", usage="Detached mode: run command in the background"), Flag(name="env", short="e", kind="array", usage="Set environment variables"),
            Flag(name="interactive", short="i", kind="bool", usage="Keep STDIN open even if not attached"), Flag(name="privileged", kind="bool", usage="Give extended privileges to the command"),
            Flag(name="tty", short="t", kind="bool", usage="Allocate a pseudo-TTY"), Flag(name="user", short="u", kind="string", usage="Username or UID (format: <name|uid>[:<group|gid>])"),
            Flag(name="workdir", short="w", kind="string", usage="Working directory inside the container"))),
        Command("ps", short="List containers", flags=ps_flags, args=no_args, run=listing.ps),
        Command("logs [flags] CONTAINER", short='Fetch the logs of a container. Expected to be used with "nerdctl run -d".', args=exact_args(1), run=containers.show_logs, flags=(
            Flag(name="follow", short="f", kind="bool", usage="Follow log output"), Flag(name="since", kind="string", usage="Show logs since timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)"),
            Flag(name="tail", short="n", kind="string", default="all", usage="Number of lines to show from the end of the logs"), Flag(name="timestamps", short="t", kind="bool", usage="Show timestamps"),
            Flag(name="until", kind="string", usage="Show logs before a timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)"))),
        Command("start [flags] CONTAINER [CONTAINER, ...]", short="Start one or more running containers", args=min_args(1), run=containers.start, flags=(Flag(name="attach", short="a", kind="bool", usage="Attach STDOUT/STDERR and forward signals"),)),
        Command("stop [flags] CONTAINER [CONTAINER, ...]", short="Stop one or more running containers", args=min_args(1), run=containers.stop, flags=(_TIME,)),
        Command("restart [flags] CONTAINER [CONTAINER, ...]", short="Restart one or more running containers", args=min_args(1), run=containers.restart, flags=(_TIME,)),
        Command("kill [flags] CONTAINER [CONTAINER, ...]", short="Kill one or more running containers", args=min_args(1), run=containers.kill, flags=(Flag(name="signal", short="s", kind="string", default="KILL", usage="Signal to send to the container"),)),
        Command("rm [flags] CONTAINER [CONTAINER, ...]", short="Remove one or more containers", args=min_args(1), run=containers.remove, flags=(force, Flag(name="volumes", short="v", kind="bool", usage="Remove volumes associated with the container"))),
        Command("wait [flags] CONTAINER [CONTAINER, ...]", short="Block until one or more containers stop, then print their exit codes.", args=min_args(1), run=containers.wait),
        Command("port [flags] CONTAINER [PRIVATE_PORT[/PROTO]]", short="List port mappings or a specific mapping for the container", args=min_args(1), run=listing.port),
        Command("pause [flags] CONTAINER [CONTAINER, ...]", short="Pause all processes within one or more containers", run=unsupported("pause")),
        Command("unpause [flags] CONTAINER [CONTAINER, ...]", short="Unpause all processes within one or more containers", run=unsupported("unpause")),
        Command("top CONTAINER [ps OPTIONS]", short="Display the running processes of a container", run=unsupported("top")),
        Command("stats", short="Display a live stream of container(s) resource usage statistics.", run=unsupported("stats")),
        Command("cp [flags] CONTAINER:SRC_PATH DEST_PATH|-", short="Copy files/folders between a running container and the local filesystem.", run=unsupported("cp")),
        Command("commit [flags] CONTAINER REPOSITORY[:TAG]", short="Create a new image from a container's changes", run=unsupported("commit")),
        Command("attach [flags] CONTAINER", short="Attach stdin, stdout, and stderr to a running container.", run=unsupported("attach")),
        Command("build [flags] PATH", short="Build an image from a Dockerfile. Needs buildkitd to be running.", run=unsupported("build"), raw=True),
        Command("images [flags] [REPOSITORY[:TAG]]", short="List images", flags=image_flags, args=max_args(1), run=images.listing),
        Command("pull [flags] NAME[:TAG]", short='Pull an image from a registry. Optionally specify "ipfs://" or "ipns://" scheme to pull image from IPFS.', args=exact_args(1), run=images.pull, flags=(
            _VERIFY, Flag(name="quiet", short="q", kind="bool", usage="Suppress verbose output"), Flag(name="unpack", kind="string", default="auto", usage="Unpack the image for the current single platform (auto/true/false)"), Flag(name="platform", kind="strings", usage="Pull content for a specific platform"))),
        Command("push [flags] NAME[:TAG]", short='Push an image or a repository to a registry. Optionally specify "ipfs://" scheme to push image to IPFS.', run=unsupported("push"), raw=True),
        Command("load", short="Load an image from a tar archive or STDIN", run=unsupported("load")),
        Command("save", short="Save one or more images to a tar archive (streamed to STDOUT by default)", run=unsupported("save")),
        Command("tag [flags] SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]", short="Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE", args=exact_args(2), run=images.tag),
        Command("rmi [flags] IMAGE [IMAGE, ...]", short="Remove one or more images", args=min_args(1), run=images.remove, flags=(Flag(name="force", short="f", kind="bool", usage="Force removal of the image"),)),
        Command("history [flags] IMAGE", short="Show the history of an image", run=unsupported("history")),
        Command("inspect", short="Return low-level information on objects.", args=min_args(1), run=listing.inspect, flags=(_FORMAT, Flag(name="mode", kind="string", default="dockercompat", usage='Inspect mode, "dockercompat" for Docker-compatible output, "native" for containerd-native output'))),
        Command("info", short="Display system-wide information", args=no_args, run=listing.info, flags=(Flag(name="mode", kind="string", default="dockercompat", usage='Information mode, "dockercompat" for Docker-compatible output, "native" for containerd-native output'),)),
        Command("version", short="Show the nerdctl version information", args=no_args, run=listing.version),
        Command("login [flags] [SERVER]", short="Log in to a container registry", run=unsupported("login")),
        Command("logout [flags] [SERVER]", short="Log out from a container registry", run=unsupported("logout")),
        Command("events", short="Get real time events from the server", run=unsupported("events")),
        Command("compose [flags] COMMAND", short="Compose", run=unsupported("compose"), raw=True),
        Command("image", short="Manage images", group="management", commands=(
            Command("ls [flags] [REPOSITORY[:TAG]]", short="List images", aliases=("list",), flags=image_flags, args=max_args(1), run=images.listing),
            Command("inspect [flags] IMAGE [IMAGE...]", short="Display detailed information on one or more images.", args=min_args(1), run=images.inspect, flags=(_FORMAT,)),
            Command("pull [flags] NAME[:TAG]", short="Pull an image from a registry.", args=exact_args(1), run=images.pull, flags=(_VERIFY, Flag(name="quiet", short="q", kind="bool", usage="Suppress verbose output"))),
            Command("rm [flags] IMAGE [IMAGE, ...]", short="Remove one or more images", args=min_args(1), run=images.remove, flags=(Flag(name="force", short="f", kind="bool", usage="Force removal of the image"),)),
            *(Command(f"{name} [flags] <source_ref> <target_ref>...", short=short, run=unsupported(f"image {name}"), raw=True) for name, short in (("convert", "convert an image"), ("encrypt", "encrypt image layers"), ("decrypt", "decrypt an image"))))),
        Command("container", short="Manage containers", group="management", commands=(
            Command("ls", short="List containers", aliases=("list",), flags=ps_flags, args=no_args, run=listing.ps),
            Command("inspect [flags] CONTAINER [CONTAINER, ...]", short="Display detailed information on one or more containers.", args=min_args(1), run=listing.inspect, flags=(_FORMAT,)),
            Command("rm [flags] CONTAINER [CONTAINER, ...]", short="Remove one or more containers", args=min_args(1), run=containers.remove, flags=(force,)))),
        Command("network", short="Manage networks", group="management", commands=(
            Command("ls", short="List networks", aliases=("list",), args=no_args, run=listing.networks), Command("create [flags] NETWORK", short="Create a network", run=unsupported("network create")),
            Command("rm [flags] NETWORK [NETWORK, ...]", short="Remove one or more networks", run=unsupported("network rm")), Command("inspect [flags] NETWORK [NETWORK, ...]", short="Display detailed information on one or more networks", run=unsupported("network inspect")))),
        Command("volume", short="Manage volumes", group="management", commands=(
            Command("ls", short="List volumes", aliases=("list",), args=no_args, run=listing.volume_list, flags=(Flag(name="quiet", short="q", kind="bool", usage="Only display volume names"),)),
            Command("create [flags] [VOLUME]", short="Create a volume", args=max_args(1), run=listing.volume_create), Command("rm [flags] VOLUME [VOLUME...]", short="Remove one or more volumes", aliases=("remove",), args=min_args(1), run=listing.volume_remove, flags=(Flag(name="force", short="f", kind="bool", usage="(unimplemented yet)"),)),
            Command("inspect [flags] VOLUME [VOLUME...]", short="Display detailed information on one or more volumes", run=unsupported("volume inspect")))),
        Command("namespace", short="Manage containerd namespaces", aliases=("ns",), group="management", commands=(
            Command("ls", short="List containerd namespaces", aliases=("list",), args=no_args, run=listing.namespaces), Command("create NAMESPACE", short="Create a new namespace", run=unsupported("namespace create")),
            Command("remove NAMESPACE [NAMESPACE...]", short="Remove one or more namespaces", aliases=("rm",), run=unsupported("namespace remove")))),
        Command("system", short="Manage containerd", group="management", commands=(
            Command("info", short="Display system-wide information", args=no_args, run=listing.info), Command("prune [flags]", short="Remove unused data", run=unsupported("system prune")))),
        Command("ipfs", short="Distributing images on IPFS", group="management", commands=(Command("registry", short="Manage read-only registry backed by IPFS", run=unsupported("ipfs registry")),)),
    )  # fmt: skip


ROOT = Command(
    "nerdctl",
    short="nerdctl is a command line interface for containerd",
    long="nerdctl is a command line interface for containerd\n\nConfig file ($NERDCTL_TOML): /etc/nerdctl/nerdctl.toml",
    flags=(Flag(name="version", short="v", kind="bool", usage="version for nerdctl"),),
    persistent=(
        Flag(
            name="address",
            kind="string",
            default=SOCKET,
            usage='containerd address, optionally with "unix://" prefix [$CONTAINERD_ADDRESS]',
        ),
        Flag(name="cgroup-manager", kind="string", default="systemd", usage='Cgroup manager to use ("cgroupfs"|"systemd")'),
        Flag(name="cni-netconfpath", kind="string", default="/etc/cni/net.d", usage="cni config directory [$NETCONFPATH]"),
        Flag(name="cni-path", kind="string", default="/opt/cni/bin", usage="cni plugins binary directory [$CNI_PATH]"),
        Flag(
            name="data-root",
            kind="string",
            default="/var/lib/nerdctl",
            usage="Root directory of persistent nerdctl state (managed by nerdctl, not by containerd)",
        ),
        Flag(name="debug", kind="bool", usage="debug mode"),
        Flag(name="debug-full", kind="bool", usage="debug mode (with full output)"),
        Flag(
            name="experimental",
            kind="bool",
            default=True,
            usage="Control experimental: https://github.com/containerd/nerdctl/blob/main/docs/experimental.md [$NERDCTL_EXPERIMENTAL]",
        ),
        Flag(
            name="hosts-dir",
            kind="strings",
            default=["/etc/containerd/certs.d", "/etc/docker/certs.d"],
            usage="A directory that contains <HOST:PORT>/hosts.toml (containerd style) or <HOST:PORT>/{ca.cert, cert.pem, key.pem} (docker style)",
        ),
        Flag(name="insecure-registry", kind="bool", usage="skips verifying HTTPS certs, and allows falling back to plain HTTP"),
        Flag(
            name="namespace",
            kind="string",
            default="default",
            usage='containerd namespace, such as "moby" for Docker, "k8s.io" for Kubernetes [$CONTAINERD_NAMESPACE]',
        ),
        Flag(name="snapshotter", kind="string", default="overlayfs", usage="containerd snapshotter [$CONTAINERD_SNAPSHOTTER]"),
    ),
    commands=_commands(),
)
