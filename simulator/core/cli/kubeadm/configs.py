"""`kubeadm config` (cmd/config.go)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...kernel.versions import minor_of
from ...kube.kubeadm import addons, images
from .. import goyaml
from ..cobra import Command, no_args
from ..flags import Flag
from . import config, documents, options, runtimes, types, validation
from .config import InitConfig
from .printing import Printer
from .run import Failure, Run, Steps, go_error
from .workflow import NEEDS_SUBCOMMAND

Json = dict[str, Any]
COMPONENTS = ("KubeProxyConfiguration", "KubeletConfiguration")


# -- print --------------------------------------------------------------------------------------------------------------------


def _documents(cfg: InitConfig) -> str:
    return documents.dump("InitConfiguration", cfg.init) + "---\n" + documents.dump("ClusterConfiguration", cfg.cluster)


def _init_defaults(run: Run) -> str:
    cfg = config.static_init()
    cfg.init["nodeRegistration"]["taints"] = None
    cfg.cluster["kubernetesVersion"] = f"{minor_of(run.version)}.0"
    parts = [_documents(cfg)]
    for kind in run.values.items("component-configs"):
        if kind not in COMPONENTS:
            raise Failure(f"--component-configs needs to contain some of [{' '.join(COMPONENTS)}]")
        if kind == "KubeletConfiguration":
            parts.append(goyaml.dump(addons.kubelet_configuration(endpoint="", resolver="")))
        else:
            parts.append(goyaml.dump(addons.proxy_configuration("")))
    return "---\n".join(parts)


def _join_defaults(run: Run) -> str:
    token = {"token": config.PLACEHOLDER, "apiServerEndpoint": "kube-apiserver:6443", "unsafeSkipCAVerification": True}
    body = config.default_join(run, {"discovery": {"bootstrapToken": token}}, detect=False)
    return documents.dump("JoinConfiguration", body)


def _reset_defaults(run: Run) -> str:
    return documents.dump("ResetConfiguration", config.default_reset(run, {}, detect=False))


def _upgrade_defaults(run: Run) -> str:
    return documents.dump("UpgradeConfiguration", config.default_upgrade({}))


def _printed(make: Callable[[Run], str]) -> Callable[[Run], None]:
    def action(run: Run) -> None:
        run.out(make(run))

    return action


def _defaults(action: str, make: Callable[[Run], str]) -> Command:
    flags: tuple[Flag, ...] = ()
    if action == "init":
        flags = (
            Flag(
                name="component-configs",
                kind="strings",
                usage="A comma-separated list for component config API objects to print the default values for. Available values: "
                f"[{' '.join(COMPONENTS)}]. If this flag is not set, no component configs will be printed.",
            ),
        )
    return Command(
        f"{action}-defaults",
        short=f"Print default {action} configuration, that can be used for 'kubeadm {action}'",
        long=f"""
This command prints objects such as the default {action} configuration that is used for 'kubeadm {action}'.

Note that sensitive values like the Bootstrap Token fields are replaced with placeholder values like "{config.PLACEHOLDER}" in order to pass validation but
not perform the real computation for creating a token.
""",
        flags=flags,
        args=no_args,
        run=_printed(make),
    )


# -- migrate and validate -------------------------------------------------------------------------------------------------------


def _known(found: dict[documents.Gvk, Json]) -> None:
    """Refuse kinds that nobody knows (`validateKnownGVKs`)."""
    unknown = [gvk for gvk in found if gvk[1] not in types.OLD and not documents.known(gvk)]
    if unknown:
        listed = ", ".join(documents.go_gvk(gvk).removeprefix("schema.GroupVersionKind") for gvk in unknown)
        raise Failure(
            f"unknown configuration APIs: []schema.GroupVersionKind{{{listed.replace('{', 'schema.GroupVersionKind{')}}}"
        )


def _read(run: Run, path: str) -> dict[documents.Gvk, Json]:
    try:
        text = run.read(path).decode("utf-8", "replace")
    except OSError as error:
        raise Failure(go_error(error)) from None
    found = documents.split(text)
    _known(found)
    return found


def _completed(run: Run, found: dict[documents.Gvk, Json], *, allow_deprecated: bool) -> list[str]:
    """Every configuration of a file, decoded strictly, completed, validated and printed again."""
    kinds, out = {gvk[2] for gvk in found}, []
    if kinds & {"InitConfiguration", "ClusterConfiguration"}:
        own = {
            gvk: body
            for gvk, body in found.items()
            if gvk[2] not in ("JoinConfiguration", "ResetConfiguration", "UpgradeConfiguration")
        }
        out.append(_documents(config.init_of(run, own, detect=False, strict=True, allow_deprecated=allow_deprecated)))
    if "JoinConfiguration" in kinds:
        body = config.single(run, found, "JoinConfiguration", strict=True, allow_deprecated=allow_deprecated)
        body = config.default_join(run, body, detect=False)
        validation.raise_for(validation.join_configuration(run, body))
        out.append(documents.dump("JoinConfiguration", body))
    if "ResetConfiguration" in kinds:
        body = config.default_reset(
            run, config.single(run, found, "ResetConfiguration", strict=True, allow_deprecated=allow_deprecated), detect=False
        )
        out.append(documents.dump("ResetConfiguration", body))
    if "UpgradeConfiguration" in kinds:
        body = config.single(run, found, "UpgradeConfiguration", strict=True, allow_deprecated=allow_deprecated)
        out.append(documents.dump("UpgradeConfiguration", config.default_upgrade(body)))
    return out


def _migrate(run: Run) -> Steps:
    values = run.values
    if not values.text("old-config"):
        raise Failure("the --old-config flag is mandatory")
    yield from run.pause(5, 15)
    text = "---\n".join(_completed(run, _read(run, values.text("old-config")), allow_deprecated=True))
    target = values.text("new-config")
    if not target:
        run.out(text)
        return
    try:
        run.write(target, text)
    except OSError as error:
        raise Failure(f'failed to write the new configuration to the file "{target}": {go_error(error)}') from None


def _validate(run: Run) -> Steps:
    if not run.values.text("config"):
        raise Failure("the --config flag is mandatory")
    yield from run.pause(5, 15)
    _completed(run, _read(run, run.values.text("config")), allow_deprecated=run.values.on("allow-deprecated-api"))
    run.say("ok")


# -- images -------------------------------------------------------------------------------------------------------------------


def _cluster(run: Run, *, detect: bool) -> InitConfig:
    values = run.values
    gates = validation.feature_gates(run, values.text("feature-gates"))
    if values.text("config"):
        return config.load_init(run, values.text("config"), detect=detect)
    body = {
        "kubernetesVersion": values.text("kubernetes-version"),
        "imageRepository": values.text("image-repository"),
        "featureGates": gates,
    }
    init = {"nodeRegistration": {"criSocket": values.text("cri-socket")}} if values.has("cri-socket") else {}
    return config.from_flags(run, init, body, detect=detect)


def _list(run: Run) -> Steps:
    printer = Printer(run, lambda body: "\n".join(body["images"]) + "\n")
    validation.feature_gates(run, run.values.text("feature-gates"))
    yield from run.pause(5, 15)
    try:
        cfg = _cluster(run, detect=False)
    except Failure as failed:
        raise Failure(f"could not convert cfg to an internal cfg: {failed}") from None
    printer.show("Images", {"images": images.control_plane(cfg.cluster, run.version)})


def _pull(run: Run) -> Steps:
    cfg = _cluster(run, detect=True)
    runtimes.connect(run, cfg.socket)
    for image in images.control_plane(cfg.cluster, run.version):
        try:
            yield from runtimes.pull(run, image)
        except Failure as failed:
            raise Failure(f'failed to pull image "{image}": {failed}') from None
        run.say(f"[config/images] Pulled {image}")


_EXPERIMENTAL = Flag(name="allow-experimental-api", kind="bool", usage="Allow {} experimental, unreleased APIs.")
_VERSION = f"{types.GROUP}/{types.CURRENT}"

COMMAND = Command(
    "config",
    short="Manage configuration for a kubeadm cluster persisted in a ConfigMap in the cluster",
    long="""
There is a ConfigMap in the kube-system namespace called "kubeadm-config" that kubeadm uses to store internal configuration about the
cluster. kubeadm CLI v1.8.0+ automatically creates this ConfigMap with the config used with 'kubeadm init', but if you
initialized your cluster using kubeadm v1.7.x or lower, you must use the 'kubeadm init phase upload-config' command to
create this ConfigMap. This is required so that 'kubeadm upgrade' can configure your upgraded cluster correctly.
""",
    persistent=(options.KUBECONFIG,),
    args=no_args,
    run=NEEDS_SUBCOMMAND,
    commands=(
        Command(
            "print",
            short="Print configuration",
            long="""
This command prints configurations for subcommands provided.
For details, see: https://pkg.go.dev/k8s.io/kubernetes/cmd/kubeadm/app/apis/kubeadm#section-directories""",
            args=no_args,
            run=NEEDS_SUBCOMMAND,
            commands=(
                _defaults("init", _init_defaults),
                _defaults("join", _join_defaults),
                _defaults("reset", _reset_defaults),
                _defaults("upgrade", _upgrade_defaults),
            ),
        ),
        Command(
            "migrate",
            short="Read an older version of the kubeadm configuration API types from a file, and output the similar config object for the "
            "newer version",
            long=f"""
This command lets you convert configuration objects of older versions to the latest supported version,
locally in the CLI tool without ever touching anything in the cluster.
In this version of kubeadm, the following API versions are supported:
- {_VERSION}

Further, kubeadm can only write out config of version "{_VERSION}", but read both types.
So regardless of what version you pass to the --old-config parameter here, the API object will be
read, deserialized, defaulted, converted, validated, and re-serialized when written to stdout or
--new-config if specified.

In other words, the output of this command is what kubeadm actually would read internally if you
submitted this file to "kubeadm init"
""",
            flags=(
                Flag(
                    name="old-config",
                    usage="Path to the kubeadm config file that is using an old API version and should be converted. This flag is mandatory.",
                ),
                Flag(
                    name="new-config",
                    usage="Path to the resulting equivalent kubeadm config file using the new API version. Optional, if not specified output "
                    "will be sent to STDOUT.",
                ),
                options.like(_EXPERIMENTAL, usage="Allow migration to experimental, unreleased APIs."),
            ),
            args=no_args,
            run=_migrate,
        ),
        Command(
            "validate",
            short="Read a file containing the kubeadm configuration API and report any validation problems",
            long=f"""
This command lets you validate a kubeadm configuration API file and report any warnings and errors.
If there are no errors the exit status will be zero, otherwise it will be non-zero.
Any unmarshaling problems such as unknown API fields will trigger errors. Unknown API versions and
fields with invalid values will also trigger errors. Any other errors or warnings may be reported
depending on contents of the input file.

In this version of kubeadm, the following API versions are supported:
- {_VERSION}
""",
            flags=(
                options.CONFIG,
                Flag(name="allow-deprecated-api", kind="bool", usage="Allow validation of deprecated APIs."),
                options.like(_EXPERIMENTAL, usage="Allow validation of experimental, unreleased APIs."),
            ),
            args=no_args,
            run=_validate,
        ),
        Command(
            "images",
            short="Interact with container images used by kubeadm",
            args=no_args,
            run=NEEDS_SUBCOMMAND,
            commands=(
                Command(
                    "list",
                    short="Print a list of images kubeadm will use. The configuration file is used in case any images or image repositories "
                    "are customized",
                    flags=options.OUTPUT,
                    persistent=options.IMAGE_FLAGS,
                    args=no_args,
                    run=_list,
                ),
                Command(
                    "pull",
                    short="Pull images used by kubeadm",
                    persistent=(*options.IMAGE_FLAGS, options.CRI_SOCKET),
                    args=no_args,
                    run=_pull,
                ),
            ),
        ),
    ),
)
