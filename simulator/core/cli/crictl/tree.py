"""crictl's commands (`cmd/crictl/*.go`): what each runs; their texts are in `commands.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..urfave import App, Command, flag
from ..urfave_tree import tree
from . import config, images, lifecycle, lists, logs, more, pods, status
from .commands import CONFIG_HELP, TEXT
from .session import DEFAULT_ENDPOINTS

VERSION = "v1.36.0"

RUNS: dict[str, Callable[..., Any]] = {
    "attach": more.attach,
    "checkpoint": more.checkpoint,
    "completion": more.completion,
    "config": config.run,
    "create": lifecycle.create,
    "events": more.watch,
    "exec": lifecycle.exec_command,
    "imagefsinfo": more.image_fs_info,
    "images": images.list_images,
    "info": status.info,
    "inspect": status.inspect,
    "inspecti": images.inspect,
    "inspectp": status.inspect_pod,
    "logs": logs.run,
    "metricdescs": more.metric_descriptors,
    "metricsp": more.pod_metrics,
    "pods": lists.pods,
    "port-forward": more.forward,
    "ps": lists.containers,
    "pull": images.pull,
    "rm": lifecycle.remove,
    "rmi": images.remove,
    "rmp": pods.remove,
    "run": lifecycle.run_both,
    "runp": pods.run_pod,
    "runtime-config": more.runtime_config,
    "start": lifecycle.start,
    "stats": more.stats,
    "statsp": more.pod_stats,
    "stop": lifecycle.stop,
    "stopp": pods.stop,
    "update": more.update,
    "update-runtime-config": more.update_runtime_config,
    "version": status.version,
}
#: Commands whose one-letter flags may be written together.
_SHORT = ("config", "exec", "images", "inspectp", "logs", "pods", "ps", "pull", "rm", "rmi", "rmp", "stats", "stop")


def _commands() -> tuple[Command, ...]:
    found = tree(TEXT, RUNS, lifecycle.unsupported)
    for command in found:
        command.short_options = command.name in _SHORT
        if command.name == "config":
            command.more = CONFIG_HELP
    return found


APP = App(
    name="crictl",
    version=VERSION,
    usage="client for CRI",
    commands=_commands(),
    flags=(
        flag(
            "config, c",
            "string",
            "Location of the client config file. If not specified and the default does not exist, the program's directory is searched as well",
            "/etc/crictl.yaml",
            env="CRI_CONFIG_FILE",
        ),
        flag("debug, D", usage="Enable debug mode"),
        flag("enable-tracing", usage="Enable OpenTelemetry tracing."),
        flag(
            "image-endpoint, i",
            "string",
            "Endpoint of CRI image manager service (default: uses 'runtime-endpoint' setting)",
            env="IMAGE_SERVICE_ENDPOINT",
        ),
        flag(
            "max-retries",
            "int",
            "Max retries for connecting to an explicitly set endpoint with exponential backoff (0 to disable, negative for infinite)",
            3,
        ),
        flag("profile-cpu", "string", "Write a pprof CPU profile to the provided path."),
        flag("profile-mem", "string", "Write a pprof memory profile to the provided path."),
        flag(
            "runtime-endpoint, r",
            "string",
            f"Endpoint of CRI container runtime service (default: uses in order the first successful one of [{' '.join(DEFAULT_ENDPOINTS)}]). Default is now deprecated and the endpoint should be set instead.",
            env="CONTAINER_RUNTIME_ENDPOINT",
        ),
        flag(
            "timeout, t",
            "duration",
            "Timeout of connecting to the server in seconds (e.g. 2s, 20s.). 0 or less is set to default",
            2_000_000_000,
        ),
        flag("tracing-endpoint", "string", "Address to which the gRPC tracing collector will send spans to.", "127.0.0.1:4317"),
        flag(
            "tracing-sampling-rate-per-million",
            "int",
            "Number of samples to collect per million OpenTelemetry spans. Set to 1000000 or -1 to always sample.",
            -1,
        ),
    ),
)
