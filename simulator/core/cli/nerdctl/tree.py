"""nerdctl's commands and flags (`cmd/nerdctl`); what they do is shared with docker's (`cli/engine`) wherever the two are the same."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from ...kernel.errors import NotSimulated
from ...runtime.containerd import SOCKET
from ..cobra import Command, Flag, exact_args, max_args, min_args, no_args, range_args
from ..engine import buildercmds, composecmds, imagecmds, inspecting, interact, lifecycle, registrycmds, resources, systemcmds
from ..engine.flagspec import flags
from . import containers, features, images, listing, outside, spaces
from .flags import FLAGS


def _c(use: str, short: str, run: Any, args: Any = None, flag: str = "", **more: Any) -> Command:
    return Command(use, short=short, run=run, args=args, flags=_flags(flag) if flag else (), **more)


def _flags(name: str) -> tuple[Flag, ...]:
    """The flags of a command, with those that are inert and those that are refused."""
    found = list(flags(FLAGS[name]))
    for text, support in ((outside.INERT.get(name, ""), "inert"), (outside.REFUSED.get(name, ""), "no")):
        found += [structs.replace(flag, support=support) for flag in flags(text)]
    return tuple(found)


def _containers() -> list[Command]:
    pull = ' Optionally specify "ipfs://" or "ipns://" scheme to pull image from IPFS.'
    create = tuple(flag for flag in _flags("run") if flag.name not in ("detach", "sig-proxy", "detach-keys"))
    many = "[flags] CONTAINER [CONTAINER, ...]"
    return [
        Command("run [flags] IMAGE [COMMAND] [ARG...]", short="Run a command in a new container." + pull, flags=_flags("run"), args=min_args(1), run=features.run, interspersed=False),
        Command("create [flags] IMAGE [COMMAND] [ARG...]", short="Create a new container." + pull, flags=create, args=min_args(1), run=features.create, interspersed=False),
        _c("exec [flags] CONTAINER COMMAND [ARG...]", "Run a command in a running container", containers.execute, min_args(2), "exec", interspersed=False),
        _c("ps", "List containers", listing.ps, no_args, "ps"),
        _c("logs [flags] CONTAINER", 'Fetch the logs of a container. Expected to be used with "nerdctl run -d".', containers.show_logs, exact_args(1), "logs"),
        _c(f"start {many}", "Start one or more running containers", lifecycle.start, min_args(1), "start"),
        _c(f"stop {many}", "Stop one or more running containers", lifecycle.stop, min_args(1), "stop"),
        _c(f"restart {many}", "Restart one or more running containers", lifecycle.restart, min_args(1), "stop"),
        _c(f"kill {many}", "Kill one or more running containers", lifecycle.kill, min_args(1), "kill"),
        _c(f"rm {many}", "Remove one or more containers", lifecycle.remove, min_args(1), "rm"),
        _c(f"wait {many}", "Block until one or more containers stop, then print their exit codes.", lifecycle.wait, min_args(1)),
        _c("port [flags] CONTAINER [PRIVATE_PORT[/PROTO]]", "List port mappings or a specific mapping for the container", interact.port, range_args(1, 2)),
        _c(f"pause {many}", "Pause all processes within one or more containers", lifecycle.pause, min_args(1)),
        _c(f"unpause {many}", "Unpause all processes within one or more containers", lifecycle.unpause, min_args(1)),
        _c("top CONTAINER [ps OPTIONS]", "Display the running processes of a container", interact.top, min_args(1), interspersed=False),
        _c("stats", "Display a live stream of container(s) resource usage statistics.", interact.stats, None, "stats"),
        _c("cp [flags] CONTAINER:SRC_PATH DEST_PATH|-", "Copy files/folders between a running container and the local filesystem.", interact.copy, exact_args(2), "cp"),
        _c("commit [flags] CONTAINER REPOSITORY[:TAG]", "Create a new image from a container's changes", imagecmds.commit, exact_args(2), "commit"),
        _c("attach [flags] CONTAINER", "Attach stdin, stdout, and stderr to a running container.", lifecycle.attach, exact_args(1), "attach"),
        _c("diff [CONTAINER]", "Inspect changes to files or directories on a container's filesystem", interact.show_diff, exact_args(1)),
        _c("export [flags] CONTAINER", "Export a containers filesystem as a tar archive", interact.export, exact_args(1), "export"),
        _c("rename [flags] CONTAINER NEW_NAME", "rename a container", lifecycle.rename, exact_args(2)),
        _c("update [flags] CONTAINER [CONTAINER, ...]", "Update one or more running containers", lifecycle.update, min_args(1), "update"),
    ]  # fmt: skip


def _images() -> list[Command]:
    return [
        _c("build [flags] PATH", "Build an image from a Dockerfile. Needs buildkitd to be running.", features.build, None, "build"),
        _c("images [flags] [REPOSITORY[:TAG]]", "List images", images.listing, max_args(1), "images"),
        _c("pull [flags] NAME[:TAG]", 'Pull an image from a registry. Optionally specify "ipfs://" or "ipns://" scheme to pull image from IPFS.', features.pull, exact_args(1), "pull"),
        _c("push [flags] NAME[:TAG]", 'Push an image or a repository to a registry. Optionally specify "ipfs://" scheme to push image to IPFS.', features.push, exact_args(1), "push"),
        _c("load", "Load an image from a tar archive or STDIN", imagecmds.load, no_args, "load"),
        _c("save", "Save one or more images to a tar archive (streamed to STDOUT by default)", imagecmds.save, min_args(1), "save"),
        _c("tag [flags] SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]", "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE", images.tag, exact_args(2)),
        _c("rmi [flags] IMAGE [IMAGE, ...]", "Remove one or more images", images.remove, min_args(1), "rmi"),
        _c("history [flags] IMAGE", "Show the history of an image", imagecmds.history, exact_args(1), "history"),
        _c("import [OPTIONS] file|URL|- [REPOSITORY[:TAG]]", "Import the contents from a tarball to create a filesystem image", imagecmds.import_tar, range_args(1, 2), "import"),
    ]  # fmt: skip


def _group(use: str, short: str, *commands: Command, **more: Any) -> Command:
    return Command(use, short=short, group="management", commands=commands, **more)


def _absent(group: str, name: str, short: str) -> Command:
    def run(session: Any) -> int:
        raise NotSimulated(f"nerdctl {group} {name}")

    return Command(name, short=short, run=run, raw=True)


def _renamed(command: Command, use: str, *aliases: str) -> Command:
    return Command(
        use,
        short=command.short,
        run=command.run,
        args=command.args,
        flags=tuple(command.flags),
        aliases=aliases,
        interspersed=command.interspersed,
    )


def _commands() -> tuple[Command, ...]:
    own, pictures = _containers(), _images()
    by_name = {c.name: c for c in (*_containers(), *_images())}
    compose = composecmds.tree()
    compose.group = ""
    return (
        *own, *pictures,
        _c("inspect", "Return low-level information on objects.", listing.inspect, min_args(1), "inspect"),
        _c("info", "Display system-wide information", listing.info, no_args, "info"), _c("version", "Show the nerdctl version information", listing.version, no_args, "version"),
        _c("login [flags] [SERVER]", "Log in to a container registry", registrycmds.login, max_args(1), "login"), _c("logout [flags] [SERVER]", "Log out from a container registry", registrycmds.logout, max_args(1)),
        _c("events", "Get real time events from the server", systemcmds.events, no_args, "events"), _c("search [flags] TERM", "Search registry for images", registrycmds.search, exact_args(1), "search"),
        compose,
        _group("image", "Manage images", _renamed(by_name["images"], "ls [flags] [REPOSITORY[:TAG]]", "list"),
               _c("inspect [flags] IMAGE [IMAGE...]", "Display detailed information on one or more images.", images.inspect, min_args(1), "image inspect"),
               *(_renamed(by_name[n], by_name[n].use) for n in ("build", "pull", "push", "load", "save", "tag", "history", "import")), _renamed(by_name["rmi"], "rm [flags] IMAGE [IMAGE, ...]"),
               _c("convert [flags] <source_ref> <target_ref>...", "convert an image", features.convert, min_args(2), "image convert"),
               _c("encrypt [flags] <source_ref> <target_ref>...", "encrypt image layers", features.encrypt, min_args(2), "image encrypt"),
               _c("decrypt [flags] <source_ref> <target_ref>...", "decrypt an image", features.decrypt, min_args(2), "image decrypt"),
               _c("prune [flags]", "Remove unused images", imagecmds.prune, no_args, "prune")),
        _group("container", "Manage containers", *(_renamed(c, c.use) for c in _containers() if c.name not in ("ps",)), _renamed(by_name["ps"], "ls", "list"),
               _c("inspect [flags] CONTAINER [CONTAINER, ...]", "Display detailed information on one or more containers.", listing.inspect, min_args(1), "inspect"),
               _c("prune [flags]", "Remove all stopped containers", lifecycle.prune, no_args, "prune")),
        _group("network", "Manage networks", _c("ls", "List networks", listing.networks, no_args, "network ls", aliases=("list",)),
               _c("create [flags] NETWORK", "Create a network", resources.network_create, exact_args(1), "network create"),
               _c("rm [flags] NETWORK [NETWORK, ...]", "Remove one or more networks", resources.network_remove, min_args(1), aliases=("remove",)),
               _c("inspect [flags] NETWORK [NETWORK, ...]", "Display detailed information on one or more networks", lambda s: inspecting.run(s, "network"), min_args(1), "image inspect"),
               _c("prune [flags]", "Remove all unused networks", resources.network_prune, no_args, "prune")),
        _group("volume", "Manage volumes", _c("ls", "List volumes", listing.volume_list, no_args, "volume ls", aliases=("list",)), _c("create [flags] [VOLUME]", "Create a volume", listing.volume_create, max_args(1), "volume create"),
               _c("rm [flags] VOLUME [VOLUME...]", "Remove one or more volumes", listing.volume_remove, min_args(1), "volume rm", aliases=("remove",)),
               _c("inspect [flags] VOLUME [VOLUME...]", "Display detailed information on one or more volumes", lambda s: inspecting.run(s, "volume"), min_args(1), "image inspect"),
               _c("prune [flags]", "Remove all unused local volumes", resources.volume_prune, no_args, "volume prune")),
        _group("namespace", "Manage containerd namespaces", _c("ls", "List containerd namespaces", listing.namespaces, no_args, "namespace ls", aliases=("list",)),
               _c("create NAMESPACE", "Create a new namespace", spaces.create, exact_args(1), "namespace create"), _c("remove [flags] NAMESPACE [NAMESPACE...]", "Remove one or more namespaces", spaces.remove, min_args(1), "namespace rm", aliases=("rm",)),
               _c("inspect NAMESPACE", "Display detailed information on one or more namespaces.", spaces.inspect, min_args(1), "image inspect"), _c("update [flags] NAMESPACE", "Update labels for a namespace", spaces.update, exact_args(1), "namespace create"), aliases=("ns",)),
        _group("system", "Manage containerd", _c("info", "Display system-wide information", listing.info, no_args, "info"), _c("events", "Get real time events from the server", systemcmds.events, no_args, "events"),
               _c("prune [flags]", "Remove unused data", systemcmds.prune, no_args, "system prune")),
        _group("ipfs", "Distributing images on IPFS", _group("registry", "Manage read-only registry backed by IPFS", _c("serve", "serve read-only registry backed by IPFS on localhost.", features.ipfs_registry, no_args))),
        *(_group(name, about, *(_absent(name, word, short) for word, short in words.items())) for name, (about, words) in outside.COMMANDS.items()),
        _group("builder", "Manage builds", _c("prune", "Clean up BuildKit build cache", buildercmds.builder_prune, no_args, "system prune")),
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
