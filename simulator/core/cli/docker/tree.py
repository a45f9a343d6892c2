"""docker's commands: a literal tree (docker/cli `cli/command/commands`); what they do is in `cli/engine`."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from ...kernel.errors import NotSimulated
from ..cobra import ArgsCheck, Command
from ..engine import (
    buildercmds,
    builds,
    composecmds,
    contexts,
    imagecmds,
    inspecting,
    interact,
    lifecycle,
    listing,
    pulling,
    registrycmds,
    resources,
    systemcmds,
)
from ..engine.flagspec import flags
from ..flags import Flag
from . import outside
from .checks import CHECKS
from .flags import FLAGS
from .usage import at_least, at_most, between, exact, no_args

_BUILD = (
    FLAGS["image build"].replace("-c, --cpu-shares", "--cpu-shares").replace("-m, --memory", "--memory")
    + "--builder string  Override the configured builder instance\n--load  Shorthand for `--output=type=docker`\n--push  Shorthand for `--output=type=registry,unpack=false`\n"
    "-o, --output stringArray  Output destination (format: `type=local,dest=path`)\n--progress string =auto  Set type of progress output (`auto`, `none`,  `plain`, `quiet`, `rawjson`, `tty`). Use plain to show container output\n"
    "--secret stringArray  Secret to expose to the build (format: `id=mysecret[,src=/local/secret]`)\n--ssh stringArray  SSH agent socket or keys to expose to the build\n"
    "--provenance string  Shorthand for `--attest=type=provenance`\n--sbom string  Shorthand for `--attest=type=sbom`\n--build-context stringArray  Additional build contexts (e.g., name=path)\n"
    "--no-cache-filter stringArray  Do not cache specified stages\n--metadata-file string  Write build result metadata to a file\n"
)
_BUILD = "\n".join(
    line
    for line in _BUILD.splitlines()
    if not line.startswith(("--compress", "--isolation", "--security-opt", "--squash", "--force-rm", "--rm"))
)
_NOT_BUILD = {"output": "no", "secret": "no", "ssh": "no", "build_context": "no"}


_COPY = (
    "Copy files/folders between a container and the local filesystem\n\nUse '-' as the source to read a tar archive from stdin\n"
    "and extract it to a directory destination in a container.\nUse '-' as the destination to stream a tar archive of a\n"
    "container source to stdout."
)


def _unsupported(session: Any) -> int:
    raise NotSimulated(f"docker {' '.join(session.inv.argv[1:3])}")


def _checked(declared: tuple[Flag, ...]) -> tuple[Flag, ...]:
    """The flags with Docker's own checks of their values (docker/cli `opts`)."""
    return tuple(
        structs.replace(flag, check=CHECKS[key])
        if (key := flag.name if flag.type_name in ("list", "map", "gpu-request", "ulimit") else flag.type_name) in CHECKS
        else flag
        for flag in declared
    )


def _c(
    use: str,
    short: str,
    run: Any,
    args: ArgsCheck | None = None,
    flag: str = "",
    *,
    interspersed: bool = True,
    aliases: tuple[str, ...] = (),
    long: str = "",
    **support: str,
) -> Command:
    return Command(
        use,
        short=short,
        long=long,
        run=run,
        args=args,
        flags=_checked(flags(FLAGS.get(flag, "") if flag else "", **support)) if flag else (),
        interspersed=interspersed,
        aliases=aliases,
    )


def _later(use: str, short: str, group: str = "") -> Command:
    return Command(use, short=short, run=_unsupported, raw=True, group=group)


_HELP = "--help  Print usage\n"


def _create_flags() -> str:
    gone = ("-d, --detach", "--detach-keys", "--sig-proxy")
    text = "\n".join(line for line in (FLAGS["container run"] + _HELP).splitlines() if not line.startswith(gone))
    return text.replace(
        'Pull image before running ("always", "missing", "never")', 'Pull image before creating ("always", "|missing", "never")'
    )


def _containers(top: bool) -> dict[str, Command]:
    """The commands on containers, as they stand at the top (`docker ps`) or below `docker container` (`ls`)."""
    run = Command("run [OPTIONS] IMAGE [COMMAND] [ARG...]", short="Create and run a new container from an image", run=lifecycle.run, args=at_least(1),
                  flags=_checked(flags(FLAGS["container run"] + _HELP + "--net network  Connect a container to a network\n--net-alias list  Add network-scoped alias for the container\n")), interspersed=False)  # fmt: skip
    create = Command("create [OPTIONS] IMAGE [COMMAND] [ARG...]", short="Create a new container", run=lifecycle.create, args=at_least(1),
                     flags=_checked(flags(_create_flags() + "\n--net network  Connect a container to a network\n")), interspersed=False)  # fmt: skip
    for command in (run, create):
        for name in ("net", "net-alias"):
            alias = command.flags.lookup(name)
            if alias is not None:
                alias.hidden = True
    ls = _c(
        "ps [OPTIONS]" if top else "ls [OPTIONS]",
        "List containers",
        listing.ps,
        no_args,
        "container ls",
        aliases=() if top else ("ps", "list"),
    )
    found = [
        run, create, ls,
        _c("exec [OPTIONS] CONTAINER COMMAND [ARG...]", "Execute a command in a running container", interact.execute, at_least(2), "container exec", interspersed=False),
        _c("attach [OPTIONS] CONTAINER", "Attach local standard input, output, and error streams to a running container", lifecycle.attach, exact(1), "container attach"),
        _c("commit [OPTIONS] CONTAINER [REPOSITORY[:TAG]]", "Create a new image from a container's changes", imagecmds.commit, between(1, 2), "container commit"),
        Command("cp [OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\tdocker cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH", short="Copy files/folders between a container and the local filesystem", long=_COPY, run=interact.copy, args=exact(2), flags=flags(FLAGS["container cp"])),
        _c("diff CONTAINER", "Inspect changes to files or directories on a container's filesystem", interact.show_diff, exact(1)),
        _c("export [OPTIONS] CONTAINER", "Export a container's filesystem as a tar archive", interact.export, exact(1), "container export"),
        _c("kill [OPTIONS] CONTAINER [CONTAINER...]", "Kill one or more running containers", lifecycle.kill, at_least(1), "container kill"),
        _c("logs [OPTIONS] CONTAINER", "Fetch the logs of a container", interact.show_logs, exact(1), "container logs"),
        _c("pause CONTAINER [CONTAINER...]", "Pause all processes within one or more containers", lifecycle.pause, at_least(1)),
        _c("port CONTAINER [PRIVATE_PORT[/PROTO]]", "List port mappings or a specific mapping for the container", interact.port, between(1, 2)),
        _c("rename CONTAINER NEW_NAME", "Rename a container", lifecycle.rename, exact(2)),
        _c("restart [OPTIONS] CONTAINER [CONTAINER...]", "Restart one or more containers", lifecycle.restart, at_least(1), "container restart"),
        _c("rm [OPTIONS] CONTAINER [CONTAINER...]", "Remove one or more containers", lifecycle.remove, at_least(1), "container rm", aliases=() if top else ("remove",)),
        _c("start [OPTIONS] CONTAINER [CONTAINER...]", "Start one or more stopped containers", lifecycle.start, at_least(1), "container start"),
        _c("stats [OPTIONS] [CONTAINER...]", "Display a live stream of container(s) resource usage statistics", interact.stats, None, "container stats"),
        _c("stop [OPTIONS] CONTAINER [CONTAINER...]", "Stop one or more running containers", lifecycle.stop, at_least(1), "container stop"),
        _c("top CONTAINER [ps OPTIONS]", "Display the running processes of a container", interact.top, at_least(1), interspersed=False),
        _c("unpause CONTAINER [CONTAINER...]", "Unpause all processes within one or more containers", lifecycle.unpause, at_least(1)),
        _c("update [OPTIONS] CONTAINER [CONTAINER...]", "Update configuration of one or more containers", lifecycle.update, at_least(1), "container update"),
        _c("wait CONTAINER [CONTAINER...]", "Block until one or more containers stop, then print their exit codes", lifecycle.wait, at_least(1)),
    ]  # fmt: skip
    if not top:
        found += [
            _c(
                "inspect [OPTIONS] CONTAINER [CONTAINER...]",
                "Display detailed information on one or more containers",
                lambda s: inspecting.run(s, "container"),
                at_least(1),
                "container inspect",
            ),
            _c("prune [OPTIONS]", "Remove all stopped containers", lifecycle.prune, no_args, "container prune"),
        ]
    return {c.name: c for c in found}


def _build() -> Command:
    return Command(
        "build [OPTIONS] PATH | URL | -",
        short="Build an image from a Dockerfile",
        run=builds.build,
        args=_build_args,
        flags=flags(_BUILD, **_NOT_BUILD),
    )


def _build_args(command: Command, args: list[str]) -> str:
    if len(args) == 1:
        return ""
    return "ERROR: docker: 'docker buildx build' requires 1 argument\n\nUsage:  docker buildx build [OPTIONS] PATH | URL | -\n\nRun 'docker buildx build --help' for more information"


def _images(top: bool) -> dict[str, Command]:
    found = [
        _build(),
        _c(
            "images [OPTIONS] [REPOSITORY[:TAG]]" if top else "ls [OPTIONS] [REPOSITORY[:TAG]]",
            "List images",
            imagecmds.listing,
            at_most(1),
            "image ls",
            aliases=() if top else ("list",),
            tree="no",
        ),
        _c("pull [OPTIONS] NAME[:TAG|@DIGEST]", "Download an image from a registry", pulling.pull, exact(1), "image pull"),
        _c("push [OPTIONS] NAME[:TAG]", "Upload an image to a registry", imagecmds.push, exact(1), "image push"),
        _c(
            "tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
            "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
            imagecmds.tag,
            exact(2),
        ),
        _c(
            "rmi [OPTIONS] IMAGE [IMAGE...]" if top else "rm [OPTIONS] IMAGE [IMAGE...]",
            "Remove one or more images",
            imagecmds.remove,
            at_least(1),
            "image rm",
            aliases=() if top else ("rmi", "remove"),
        ),
        _c(
            "save [OPTIONS] IMAGE [IMAGE...]",
            "Save one or more images to a tar archive (streamed to STDOUT by default)",
            imagecmds.save,
            at_least(1),
            "image save",
        ),
        _c("load [OPTIONS]", "Load an image from a tar archive or STDIN", imagecmds.load, no_args, "image load"),
        _c(
            "import [OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
            "Import the contents from a tarball to create a filesystem image",
            imagecmds.import_tar,
            between(1, 2),
            "image import",
        ),
        _c("history [OPTIONS] IMAGE", "Show the history of an image", imagecmds.history, exact(1), "image history"),
    ]
    if not top:
        found += [
            _c(
                "inspect [OPTIONS] IMAGE [IMAGE...]",
                "Display detailed information on one or more images",
                lambda s: inspecting.run(s, "image"),
                at_least(1),
                "image inspect",
            ),
            _c("prune [OPTIONS]", "Remove unused images", imagecmds.prune, no_args, "image prune"),
        ]
    return {c.name: c for c in found}


def _group(use: str, short: str, commands: Any, **more: Any) -> Command:
    return Command(use, short=short, commands=tuple(commands), **more)


def _system() -> tuple[Command, ...]:
    return (
        _c("df [OPTIONS]", "Show docker disk usage", systemcmds.df, no_args, "system df"),
        _c("events [OPTIONS]", "Get real time events from the server", systemcmds.events, no_args, "system events"),
        _c("info [OPTIONS]", "Display system-wide information", systemcmds.info, no_args, "system info"),
        _c("prune [OPTIONS]", "Remove unused data", systemcmds.prune, no_args, "system prune"),
    )


_NETWORK = (
    _c(
        "connect [OPTIONS] NETWORK CONTAINER",
        "Connect a container to a network",
        resources.network_connect,
        exact(2),
        "network connect",
    ),
    _c("create [OPTIONS] NETWORK", "Create a network", resources.network_create, exact(1), "network create"),
    _c(
        "disconnect [OPTIONS] NETWORK CONTAINER",
        "Disconnect a container from a network",
        resources.network_disconnect,
        exact(2),
        "network disconnect",
    ),
    _c(
        "inspect [OPTIONS] NETWORK [NETWORK...]",
        "Display detailed information on one or more networks",
        lambda s: inspecting.run(s, "network"),
        at_least(1),
        "network inspect",
    ),
    _c("ls [OPTIONS]", "List networks", resources.network_list, no_args, "network ls", aliases=("list",)),
    _c("prune [OPTIONS]", "Remove all unused networks", resources.network_prune, no_args, "network prune"),
    _c(
        "rm NETWORK [NETWORK...]",
        "Remove one or more networks",
        resources.network_remove,
        at_least(1),
        "network rm",
        aliases=("remove",),
    ),
)
_VOLUME = (
    _c("create [OPTIONS] [VOLUME]", "Create a volume", resources.volume_create, at_most(1), "volume create"),
    _c(
        "inspect [OPTIONS] VOLUME [VOLUME...]",
        "Display detailed information on one or more volumes",
        lambda s: inspecting.run(s, "volume"),
        at_least(1),
        "volume inspect",
    ),
    _c("ls [OPTIONS]", "List volumes", resources.volume_list, no_args, "volume ls", aliases=("list",)),
    _c("prune [OPTIONS]", "Remove unused local volumes", resources.volume_prune, no_args, "volume prune"),
    _c(
        "rm [OPTIONS] VOLUME [VOLUME...]",
        "Remove one or more volumes",
        resources.volume_remove,
        at_least(1),
        "volume rm",
        aliases=("remove",),
    ),
)


def _endpoint(verb: str, name: str) -> str:
    return (
        f"{verb} a context\n\nDocker endpoint config:\n\nNAME                DESCRIPTION\nfrom                Copy named context's Docker endpoint configuration\n"
        "host                Docker endpoint on which to connect\nca                  Trust certs signed only by this CA\n"
        "cert                Path to TLS certificate file\nkey                 Path to TLS key file\nskip-tls-verify     Skip TLS certificate validation\n\n"
        f'Example:\n\n$ docker context {name} my-context --description "some description" '
        '--docker "host=tcp://myserver:2376,ca=~/ca-file,cert=~/cert-file,key=~/key-file"'
    )


_CONTEXT = (
    _c(
        "create [OPTIONS] CONTEXT",
        "Create a context",
        contexts.context_create,
        exact(1),
        "context create",
        long=_endpoint("Create", "create"),
    ),
    _c(
        "export [OPTIONS] CONTEXT [FILE|-]",
        "Export a context to a tar archive FILE or a tar stream on STDOUT.",
        contexts.context_export,
        between(1, 2),
    ),
    _c("import CONTEXT FILE|-", "Import a context from a tar or zip file", contexts.context_import, exact(2)),
    _c(
        "update [OPTIONS] CONTEXT",
        "Update a context",
        contexts.context_update,
        exact(1),
        "context update",
        long=_endpoint("Update", "update"),
    ),
    _c(
        "inspect [OPTIONS] [CONTEXT] [CONTEXT...]",
        "Display detailed information on one or more contexts",
        contexts.context_inspect,
        None,
        "context inspect",
    ),
    _c("ls [OPTIONS]", "List contexts", contexts.context_list, no_args, "context ls", aliases=("list",)),
    _c(
        "rm CONTEXT [CONTEXT...]",
        "Remove one or more contexts",
        contexts.context_remove,
        at_least(1),
        "context rm",
        aliases=("remove",),
    ),
    _c("show", "Print the name of the current context", contexts.context_show, no_args),
    _c("use CONTEXT", "Set the current docker context", contexts.context_use, exact(1)),
)
TOP = ("run", "exec", "ps", "build", "bake", "pull", "push", "images", "login", "logout", "search", "version", "info")
PLUGINS = ("buildx", "compose")


#: Commands of buildx that nothing here has: other builders, and what registries hold of builds.
_BUILDX = (
    ("create [OPTIONS] [CONTEXT|ENDPOINT]", "Create a new builder instance"), ("history COMMAND", "Commands to work on build records"),
    ("imagetools COMMAND", "Commands to work on images in registry"), ("rm [OPTIONS] [NAME...]", "Remove one or more builder instances"),
    ("stop [NAME]", "Stop builder instance"), ("use [OPTIONS] NAME", "Set the current builder instance"),
)  # fmt: skip


def _root() -> Command:
    return Command(
        "docker", short="A self-sufficient runtime for containers",
        persistent=flags(
            '--config string =/root/.docker  Location of client config files\n'
            '-c, --context string  Name of the context to use to connect to the daemon (overrides DOCKER_HOST env var and default context set with "docker context use")\n'
            "-D, --debug  Enable debug mode\n-H, --host list  Daemon socket to connect to\n"
            '-l, --log-level string =info  Set the logging level ("debug", "info", "warn", "error", "fatal")\n--tls  Use TLS; implied by --tlsverify\n'
            "--tlscacert string =/root/.docker/ca.pem  Trust certs signed only by this CA\n--tlscert string =/root/.docker/cert.pem  Path to TLS certificate file\n"
            "--tlskey string =/root/.docker/key.pem  Path to TLS key file\n--tlsverify  Use TLS and verify the remote\n-v, --version  Print version information and quit"
        ),
        commands=(
            *_containers(True).values(), *_images(True).values(),
            _c("inspect [OPTIONS] NAME|ID [NAME|ID...]", "Return low-level information on Docker objects", inspecting.run, at_least(1), "inspect"),
            _c("login [OPTIONS] [SERVER]", "Authenticate to a registry", registrycmds.login, at_most(1), "login", long="Authenticate to a registry.\nDefaults to Docker Hub if no server is specified."),
            _c("logout [SERVER]", "Log out from a registry", registrycmds.logout, at_most(1), long="Log out from a registry.\nIf no server is specified, the default is defined by the daemon."),
            _c("search [OPTIONS] TERM", "Search Docker Hub for images", registrycmds.search, exact(1), "search"),
            _c("version [OPTIONS]", "Show the Docker version information", systemcmds.version, no_args, "version"),
            _c("info [OPTIONS]", "Display system-wide information", systemcmds.info, no_args, "system info"),
            _c("events [OPTIONS]", "Get real time events from the server", systemcmds.events, no_args, "system events"),
            _later("bake [OPTIONS] [TARGET...]", "Build from a file"),
            _group("container", "Manage containers", _containers(False).values()),
            _group("image", "Manage images", _images(False).values()),
            _group("network", "Manage networks", _NETWORK), _group("volume", "Manage volumes", _VOLUME), _group("system", "Manage Docker", _system()),
            _group("context", "Manage contexts", _CONTEXT),
            _group("builder", "Manage builds", (_build(), _c("prune", "Remove build cache", buildercmds.builder_prune, no_args, "builder prune"))),
            _group("buildx", "Docker Buildx", (_build(), _c("ls", "List builder instances", buildercmds.buildx_list, no_args), _c("version", "Show buildx version information", buildercmds.buildx_version, no_args),
                                               _c("prune", "Remove build cache", buildercmds.builder_prune, no_args, "builder prune"), _c("du", "Disk usage", buildercmds.buildx_usage, no_args), _c("inspect [NAME]", "Inspect current builder instance", buildercmds.buildx_inspect, at_most(1)),
                                               *(_later(use, short) for use, short in _BUILDX),
                                               _later("bake [OPTIONS] [TARGET...]", "Build from a file"))),
            composecmds.tree(),
            outside.manifest(), *outside.groups(),
        ),
    )  # fmt: skip


ROOT = _root()
#: `docker run --help` names every way to call it.
ALIASES: dict[str, str] = {}
for _name in _containers(True):
    _long = "ls" if _name == "ps" else _name
    _other = (
        ", docker container list, docker container ps" if _name == "ps" else ", docker container remove" if _name == "rm" else ""
    )
    ALIASES[f"docker {_name}"] = ALIASES[f"docker container {_long}"] = f"docker container {_long}{_other}, docker {_name}"
for _name in _images(True):
    _long = {"images": "ls", "rmi": "rm"}.get(_name, _name)
    _other = ", docker image list" if _name == "images" else ", docker image remove" if _name == "rmi" else ""
    if _name != "build":
        ALIASES[f"docker {_name}"] = ALIASES[f"docker image {_long}"] = f"docker image {_long}{_other}, docker {_name}"
for _name in ("build",):
    ALIASES["docker build"] = "docker build, docker builder build, docker image build, docker buildx b"
for _group_name, _names in (("network", _NETWORK), ("volume", _VOLUME), ("context", _CONTEXT)):
    for _command in _names:
        if _command.aliases:
            ALIASES[f"docker {_group_name} {_command.name}"] = ", ".join(
                f"docker {_group_name} {word}" for word in (_command.name, *_command.aliases)
            )
for _name in ("info", "events"):
    ALIASES[f"docker {_name}"] = ALIASES[f"docker system {_name}"] = f"docker system {_name}, docker {_name}"
for _group_command in ROOT.commands:
    for _command in _group_command.commands:
        if _command.aliases and _command.path not in ALIASES:
            ALIASES[_command.path] = ", ".join(
                f"docker {_group_command.name} {word}" for word in (_command.name, *_command.aliases)
            )
