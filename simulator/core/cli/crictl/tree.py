"""crictl's commands and flags (`cmd/crictl/*.go`)."""

from __future__ import annotations

from ..urfave import App, Command, Flag, flag
from . import config, images, lifecycle, lists, logs, more, pods, status
from .session import DEFAULT_ENDPOINTS

VERSION = "v1.36.0"

_OUTPUT = flag("output, o", "string", "Output format, One of: json|yaml|table", "table")
_STATUS: tuple[Flag, ...] = (
    flag("output, o", "string", "Output format, One of: json|yaml|go-template|table"),
    flag("quiet, q", usage="Do not show verbose information"),
    flag(
        "template",
        "string",
        "The template string is only used when output is go-template; The Template format is golang template",
    ),
)
_FILTERS: tuple[Flag, ...] = (
    flag("image", "string", "Filter by container image"),
    flag("label", "slice", "Filter by key=value label"),
    flag("last, n", "int", "Show last n recently created containers (includes all states). Set 0 for unlimited."),
    flag("latest, l", usage="Show the most recently created container (includes all states)"),
    flag("name", "string", "Filter by container name regular expression pattern"),
    flag("namespace", "string", "Filter by pod namespace regular expression pattern"),
    flag("pod, p", "string", "Filter by pod id"),
    flag("state, s", "string", "Filter by container state"),
)
_POD_FILTERS: tuple[Flag, ...] = (
    flag("label", "slice", "Filter by key=value label"),
    flag("last, n", "int", "Show last n recently created pods. Set 0 for unlimited"),
    flag("latest, l", usage="Show the most recently created pod"),
    flag("name", "string", "Filter by pod name regular expression pattern"),
    flag("namespace", "string", "Filter by pod namespace regular expression pattern"),
    flag("state, s", "string", "Filter by pod state"),
)
_PULL: tuple[Flag, ...] = (
    flag("annotation, a", "slice", "Annotation to be set on the pulled image"),
    flag("auth", "string", "Use `AUTH_STRING` for accessing the registry. AUTH_STRING is a base64 encoded 'USERNAME[:PASSWORD]'"),
    flag("creds", "string", "Use `USERNAME[:PASSWORD]` for accessing the registry"),
    flag("pod-config", "string", "Use `pod-config.[json|yaml]` to override the pull c"),
    flag(
        "pull-timeout, pt",
        "duration",
        "Maximum time to be used for pulling the image, disabled if set to 0s",
        env="CRICTL_PULL_TIMEOUT",
    ),
    flag("username, u", "string", "Use `USERNAME` for accessing the registry. The password will be requested"),
)

COMMANDS: tuple[Command, ...] = (
    Command("attach", "Attach to a running container", more.attach, (flag("stdin, i", usage="Keep STDIN open"), flag("transport, r", "string", "Transport protocol to use, one of: spdy|websocket", "spdy"), flag("tty, t", usage="Allocate a pseudo-TTY")), args_usage="CONTAINER-ID"),
    Command("checkpoint", "Checkpoint one or more running containers", more.checkpoint, (flag("export, e", "string", "Specify the name of the archive used to export the checkpoint image."),), args_usage="CONTAINER-ID [CONTAINER-ID...]"),
    Command("completion", "Output shell completion code", more.completion, args_usage="SHELL"),
    Command("config", "Get, set and list crictl configuration options", config.run, (
        flag("get", "string", "Show the option value"), flag("list", usage="Show all option value"),
        flag("set", "slice", "Set option (can specify multiple or separate values with commas: opt1=val1,opt2=val2)")), args_usage="[<crictl options>]", short_options=True),
    Command("create", "Create a new container", lifecycle.create, (
        flag("cancel-timeout, T", "duration", "Seconds to wait for the request to complete before cancelling"), flag("no-pull", usage="Do not pull the image on container creation (overrides pull-image-on-create=true in config)"),
        flag("with-pull", usage="Pull the image on container creation (overrides pull-image-on-create=false in config)")), args_usage="POD container-config.[json|yaml] pod-config.[json|yaml]"),
    Command("events", "Stream the events of containers", more.watch, (flag("output, o", "string", "Output format, One of: json|yaml|go-template", "json"), flag("template", "string", "The template string is only used when output is go-template; The Template format is golang template")), aliases=("event",)),
    Command("exec", "Run a command in a running container", lifecycle.exec_command, (
        flag("ignore-errors, e", usage="Ignore errors during command execution"), flag("image", "string", "Exec command for all containers matching this container image filter"),
        flag("interactive, i", usage="Keep STDIN open"), flag("label", "slice", "Exec command for all containers matching this key=value label filter"),
        flag("last, n", "int", "Exec command for all last n containers, set to 0 for unlimited"), flag("latest, l", usage="Exec command for the most recently created container"),
        flag("name", "string", "Exec command for all containers matching this name filter regular expression pattern"), flag("pod, p", "string", "Exec command for all containers matching this pod ID filter"),
        flag("quiet, q", usage="Do not print the container ID if multiple containers are selected"), flag("state", "string", "Exec command for all containers matching this container state filter"),
        flag("sync, s", usage="Run the command synchronously"), flag("timeout", "int", "Timeout in seconds"), flag("transport, r", "string", "Transport protocol to use, one of: spdy|websocket", "spdy"),
        flag("tty, t", usage="Allocate a pseudo-TTY")), args_usage="[CONTAINER-ID] COMMAND [ARG...]", short_options=True,
        description="The CONTAINER-ID is only required if none of the following filter flags are set:\n--image, --label, --last, --latest, --name, --pod, --state"),
    Command("imagefsinfo", "Return image filesystem info", more.image_fs_info, (flag("output, o", "string", "Output format, One of: json|yaml|go-template|table"), flag("template", "string", "The template string is only used when output is go-template; The Template format is golang template"))),
    Command("images", "List images", images.list_images, (
        flag("digests", usage="Show digests"), flag("filter, f", "slice", "Filter output based on provided conditions."), flag("no-trunc", usage="Show output without truncating the ID"),
        flag("output, o", "string", "Output format, One of: json|yaml|table"), flag("pinned", usage="Show whether the image is pinned or not"),
        flag("quiet, q", usage="Only show image IDs"), flag("verbose, v", usage="Show verbose info for images")), aliases=("image", "img"), args_usage="[REPOSITORY[:TAG]]", short_options=True),
    Command("info", "Display information of the container runtime", status.info, _STATUS),
    Command("inspect", "Display the status of one or more containers", status.inspect, (flag("all, a", usage="Show all containers"), *_FILTERS, *_STATUS), args_usage="CONTAINER-ID [CONTAINER-ID...]"),
    Command("inspecti", "Return the status of one or more images", images.inspect, (flag("filter, f", "slice", "Filter output based on provided conditions."), flag("name", "string", "Filter by image name"), *_STATUS), args_usage="IMAGE-ID [IMAGE-ID...]"),
    Command("inspectp", "Display the status of one or more pods", status.inspect_pod, (*_POD_FILTERS, *_STATUS), args_usage="POD-ID [POD-ID...]", short_options=True),
    Command("logs", "Fetch the logs of a container", logs.run, (
        flag("follow, f", usage="Follow log output"), flag("limit-bytes", "int", "Maximum bytes of logs to return. Defaults to no limit", -1),
        flag("previous, p", usage="Print the logs for the previous instance of the container in a pod if it exists"), flag("reopen, r", usage="Reopen the container logs for the provided container"),
        flag("since", "string", "Show logs since timestamp (e.g. 2013-01-02T13:23:37) or relative (e.g. 42m for 42 minutes)"), flag("stream, s", "string", "Show specified stream (stdout or stderr). Defaults to both."),
        flag("tail", "int", "Number of lines to show from the end of the logs. Defaults to all", -1), flag("timestamps, t", usage="Show timestamps")), args_usage="CONTAINER-ID", short_options=True),
    Command("metricdescs", "List metric descriptors. Returns information about the metrics available through the CRI.", more.metric_descriptors),
    Command("metricsp", "List pod metrics. Metrics are unstructured key/value pairs gathered by CRI meant to replace cAdvisor's /metrics/cadvisor endpoint.", more.pod_metrics),
    Command("pods", "List pods", lists.pods, (flag("id", "string", "filter by pod id"), *_POD_FILTERS, flag("no-trunc", usage="Show output without truncating the ID"), _OUTPUT,
        flag("quiet, q", usage="List only pod IDs"), flag("verbose, v", usage="Show verbose info for pods")), short_options=True),
    Command("port-forward", "Forward local port to a pod", more.forward, (flag("transport, r", "string", "Transport protocol to use, one of: spdy|websocket", "spdy"),), args_usage="POD-ID [LOCAL_PORT:]REMOTE_PORT"),
    Command("ps", "List containers", lists.containers, (flag("all, a", usage="Show all containers"), flag("id", "string", "Filter by container id"), *_FILTERS, flag("no-trunc", usage="Show output without truncating the ID"),
        _OUTPUT, flag("quiet, q", usage="Only display container IDs"), flag("resolve-image-path, r", usage="Show image path instead of image id"), flag("verbose, v", usage="Show verbose information for containers")), short_options=True),
    Command("pull", "Pull an image from a registry", images.pull, _PULL, args_usage="NAME[:TAG|@DIGEST]", short_options=True),
    Command("rm", "Remove one or more containers", lifecycle.remove, (flag("all, a", usage="Remove all containers"), flag("force, f", usage="Force removal of the container, disregarding if running"),
        flag("keep-logs, k", usage="Preserve the container log file and its rotations")), args_usage="CONTAINER-ID [CONTAINER-ID...]", short_options=True),
    Command("rmi", "Remove one or more images", images.remove, (flag("all, a", usage="Remove all images"), flag("prune, q", usage="Remove all unused images")), args_usage="IMAGE-ID [IMAGE-ID...]", short_options=True),
    Command("rmp", "Remove one or more pods", pods.remove, (flag("all, a", usage="Remove all pods"), flag("force, f", usage="Force removal of the pod sandbox, disregarding if running")), args_usage="POD-ID [POD-ID...]", short_options=True),
    Command("run", "Run a new container inside a sandbox", lifecycle.run_both, args_usage="container-config.[json|yaml] pod-config.[json|yaml]"),
    Command("runp", "Run a new pod", pods.run_pod, (flag("cancel-timeout, T", "duration", "Seconds to wait for a run pod sandbox request to complete before cancelling the request"),
        flag("runtime, r", "string", "Runtime handler to use. Available options are defined by the container runtime.")), args_usage="pod-config.[json|yaml]"),
    Command("runtime-config", "Retrieve the container runtime configuration", more.runtime_config),
    Command("start", "Start one or more created containers", lifecycle.start, args_usage="CONTAINER-ID [CONTAINER-ID...]"),
    Command("stats", "List container(s) resource usage statistics", more.stats, (flag("all, a", usage="Show all containers"), flag("id", "string", "Filter by container id"), flag("label, l", "slice", "Filter by labels"),
        flag("output, o", "string", "Output format, One of: json|yaml|table"), flag("pod, p", "string", "Filter by pod id"), flag("seconds, s", "int", "Sample duration for CPU usage in seconds", 1), flag("watch, w", usage="Watch pod resources")), args_usage="[ID]", short_options=True),
    Command("statsp", "List pod statistics. Stats represent a structured API that will fulfill the Kubelet's /stats/summary endpoint.", more.pod_stats, (flag("id", "string", "Filter by pod id"), flag("label, l", "slice", "Filter by labels"), flag("output, o", "string", "Output format, One of: json|yaml|table"), flag("seconds, s", "int", "Sample duration for CPU usage in seconds", 1), flag("watch, w", usage="Watch pod resources"))),
    Command("stop", "Stop one or more running containers", lifecycle.stop, (flag("all, a", usage="Stop all running containers"), flag("timeout, t", "int", "Seconds to wait to kill the container after a graceful stop is requested")), args_usage="CONTAINER-ID [CONTAINER-ID...]", short_options=True),
    Command("stopp", "Stop one or more running pods", pods.stop, args_usage="POD-ID [POD-ID...]"),
    Command("update", "Update one or more running containers", more.update, (flag("cpu-count", "int", "(Windows only) Number of CPUs available to the container"), flag("cpu-period", "int", "CPU CFS period to be used for hardcapping (in usecs). 0 to use system default"), flag("cpu-quota", "int", "CPU CFS hardcap limit (in usecs). Allowed cpu time in a given period"), flag("cpu-share", "int", "CPU shares (relative weight vs. other containers)"), flag("memory", "int", "Memory limit (in bytes)"), flag("cpuset-cpus", "string", "CPU(s) to use"), flag("cpuset-mems", "string", "Memory node(s) to use")), args_usage="CONTAINER-ID [CONTAINER-ID...]"),
    Command("update-runtime-config", "Update the runtime configuration", more.update_runtime_config),
    Command("version", "Display runtime version information", status.version),
)  # fmt: skip

APP = App(
    name="crictl",
    version=VERSION,
    usage="client for CRI",
    commands=COMMANDS,
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
