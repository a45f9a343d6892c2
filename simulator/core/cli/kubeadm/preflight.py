"""Checks before anything is changed (app/preflight/checks.go): each gives warnings and errors under its name."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable
from typing import Any

from ...host import systemd, unitfiles
from ...host.program import Wait
from ...kernel import network, versions
from ...kernel.errors import ConnectError
from ...kernel.http import Request
from ...kube.kubeadm import images
from ...shell.coreutils.names import lookup_name
from . import runtimes, validation
from .config import InitConfig, minor_of
from .run import Failure, Run, Steps, go_error

Json = dict[str, Any]
#: (warnings, errors) of one check.
Found = tuple[list[str], list[str]]
#: A check: its name and what it finds.
Check = tuple[str, Callable[[], Found]]

LEAST_MEMORY_MB = 1700
LEAST_CPUS = 2
LEAST_EXTERNAL_ETCD = "3.5.24-0"


def report(run: Run, checks: Iterable[Check], ignored: set[str]) -> None:
    """Run checks (`RunChecks`): warnings are printed at once, errors end the run together."""
    errors = ""
    for name, check in checks:
        warnings, problems = check()
        if "all" in ignored or name.lower() in ignored:
            warnings, problems = [*warnings, *problems], []
        for text in warnings:
            run.inv.err(f"\t[WARNING {name}]: {text}\n")
        errors += "".join(f"\t[ERROR {name}]: {text}\n" for text in problems)
    if errors:
        run.inv.err(
            f"[preflight] Some fatal errors occurred:\n{errors}[preflight] If you know what you are doing, you can make a check non-fatal "
            "with `--ignore-preflight-errors=...`\n"
        )
        raise Failure("preflight checks failed")


def root_only(run: Run, ignored: set[str]) -> None:
    """`RunRootCheckOnly`."""
    report(run, [("IsPrivilegedUser", lambda: ([], [] if run.is_root else ["user is not running as root"]))], ignored)


# -- single checks ------------------------------------------------------------------------------------------------------------


def _number_of_cpus(run: Run) -> Check:
    def check() -> Found:
        have = run.host.cpus
        text = f"the number of available CPUs {have} is less than the required {LEAST_CPUS}"
        return [], [text] if have < LEAST_CPUS else []

    return "NumCPU", check


def _memory(run: Run) -> Check:
    def check() -> Found:
        have = run.host.memory_kib // 1024
        text = f"the system RAM ({have} MB) is less than the minimum {LEAST_MEMORY_MB} MB"
        return [], [text] if have < LEAST_MEMORY_MB else []

    return "Mem", check


def _kubernetes_version(run: Run, version: str) -> Check:
    def check() -> Found:
        if minor_of(version) <= minor_of(run.version):
            return [], []
        return [
            "Kubernetes version is greater than kubeadm version. Please consider to upgrade kubeadm. Kubernetes version: "
            f"{version.removeprefix('v')}. Kubeadm version: {versions.minor_of(run.version)}.x"
        ], []

    return "KubernetesVersion", check


def _service_exists(run: Run, name: str) -> bool:
    try:
        systemd.load(run.world, run.host, name)
    except unitfiles.UnitNotFound:
        return False
    return True


def _firewalld(run: Run, ports: list[int]) -> Check:
    def check() -> Found:
        if not _service_exists(run, "firewalld") or systemd.state(run.host, "firewalld").active != "active":
            return [], []
        text = f"firewalld is active, please ensure ports [{' '.join(map(str, ports))}] are open or your cluster may not function correctly"
        return [text], []

    return "Firewalld", check


def _service(run: Run, name: str) -> Check:
    def check() -> Found:
        if not _service_exists(run, name):
            return [f"{name} service does not exist"], []
        enabled = systemd.unit_name(name) in systemd.enabled_units(run.host)
        text = f"{name} service is not enabled, please run 'systemctl enable {name}.service'"
        return [] if enabled else [text], []

    return f"Service-{name}", check


def _port(run: Run, port: int) -> Check:
    def check() -> Found:
        found = network.network(run.world).namespaces.get(run.inv.proc.netns)
        held = found is not None and bool(found.listeners.get(f"{port}/tcp"))
        return [], [f"Port {port} is in use"] if held else []

    return f"Port-{port}", check


def _file_available(run: Run, path: str) -> Check:
    return f"FileAvailable-{path.replace('/', '-')}", lambda: ([], [f"{path} already exists"] if run.exists(path) else [])


def _file_existing(run: Run, path: str, label: str) -> Check:
    return label, lambda: ([], [] if run.exists(path) else [f"{path} doesn't exist"])


def _dir_available(run: Run, path: str) -> Check:
    return f"DirAvailable-{path.replace('/', '-')}", lambda: ([], [f"{path} is not empty"] if run.names(path) else [])


def _file_content(run: Run, path: str, wanted: str) -> Check:
    def check() -> Found:
        try:
            held = run.read(path)
        except OSError:
            return [], [f"{path} does not exist"]
        return [], [] if held[: len(wanted)] == wanted.encode() else [f"{path} contents are not set to {wanted}"]

    return f"FileContent-{path.replace('/', '-')}", check


def _in_path(run: Run, name: str) -> Check:
    def check() -> Found:
        folders = str(run.inv.env.get("PATH") or "/usr/sbin:/usr/bin:/sbin:/bin").split(":")
        there = any(run.exists(f"{folder}/{name}") for folder in folders) or name in ("losetup", "mount")
        return [], [] if there else [f"{name} not found in system path"]

    return f"FileExisting-{name}", check


def _runtime(run: Run, socket: str) -> Check:
    def check() -> Found:
        try:
            runtimes.connect(run, socket)
        except Failure as failed:
            return [], [f"could not connect to the container runtime: {failed}"]
        return [], []

    return "CRI", check


def _runtime_version(run: Run, socket: str) -> Check:
    return "ContainerRuntimeVersion", _runtime(run, socket)[1]


def _swap(run: Run) -> Check:
    def check() -> Found:
        try:
            rows = run.read("/proc/swaps").decode().splitlines()
        except OSError:
            return [], []
        if len(rows) <= 1:
            return [], []
        return [
            "swap is supported for cgroup v2 only. The kubelet must be properly configured to use swap. Please refer to "
            "https://kubernetes.io/docs/concepts/architecture/nodes/#swap-memory, or disable swap on the node"
        ], []

    return "Swap", check


def kubelet_version(run: Run) -> str:
    """`kubelet --version` of the machine, with its v; raises Failure."""
    for folder in str(run.inv.env.get("PATH") or "/usr/bin").split(":"):
        path = f"{folder}/kubelet"
        if run.exists(path):
            own = run.tree.lookup(path).target.partition(":")[2]
            return f"v{own}" if own else versions.VERSION
    raise Failure("couldn't get kubelet version: cannot execute 'kubelet --version': executable file not found in $PATH")


def _system(run: Run) -> Check:
    def check() -> Found:
        try:
            kubelet_version(run)
        except Failure as failed:
            return [], [str(failed)]
        return [], []

    return "SystemVerification", check


def _kubelet_version(run: Run, version: str) -> Check:
    def check() -> Found:
        try:
            own = kubelet_version(run)
        except Failure as failed:
            return [], [str(failed)]
        if minor_of(own) < minor_of(run.version) - 3:
            return [], [f'Kubelet version "{own[1:]}" is lower than kubeadm can support. Please upgrade kubelet']
        if version and minor_of(own) > minor_of(version):
            return [], [
                "the kubelet version is higher than the control plane version. This is not a supported version skew and may lead to a "
                f'malfunctional cluster. Kubelet version: "{own[1:]}" Control plane version: "{version.removeprefix("v")}"'
            ]
        return [], []

    return "KubeletVersion", check


_QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")


def _hostname(run: Run, name: str) -> Check:
    def check() -> Found:
        warnings = []
        if not _QUALIFIED.fullmatch(name) or len(name) > 63:
            warnings.append(f'invalid node name format "{name}": name part must be no more than 63 characters')
        if not lookup_name(run.inv, name):
            warnings.append(f'hostname "{name}" could not be reached')
            warnings.append(f'hostname "{name}": lookup {name} on 127.0.0.53:53: server misbehaving')
        return warnings, []

    return "Hostname", check


def _proxy_host(run: Run, host: str) -> Check:
    def check() -> Found:
        proxy = _proxy_for(run, host)
        text = f'Connection to "https://{host}" uses proxy "{proxy}". If that is not intended, adjust your proxy settings'
        return [text] if proxy else [], []

    return "HTTPProxy", check


def _proxy_cidr(run: Run, cidr: str) -> Check:
    def check() -> Found:
        proxy = _proxy_for(run, cidr.partition("/")[0].rpartition(".")[0] + ".1") if cidr else ""
        text = (
            f'connection to "{cidr}" uses proxy "{proxy}". This may lead to malfunctional cluster setup. Make sure that Pod and Services '
            "IP ranges specified correctly as exceptions in proxy configuration"
        )
        return [text] if proxy else [], []

    return "HTTPProxyCIDR", check


def _proxy_for(run: Run, host: str) -> str:
    """The proxy that Go's client would use for https://host."""
    import ipaddress

    env = run.inv.env
    proxy = env.get("HTTPS_PROXY") or env.get("https_proxy") or ""
    for item in filter(None, (part.strip() for part in (env.get("NO_PROXY") or env.get("no_proxy") or "").split(","))):
        if item == "*" or host == item or host.endswith("." + item.lstrip(".")):
            return ""
        try:
            if ipaddress.ip_address(host) in ipaddress.ip_network(item, strict=False):
                return ""
        except ValueError:
            continue
    return proxy if host else ""


def _external_etcd(run: Run, external: Json) -> Check:
    def check() -> Found:
        problems = []
        for endpoint in external.get("endpoints") or ():
            host, _, port = endpoint.partition("://")[2].rstrip("/").rpartition(":")
            try:
                answer = network.http(
                    run.world, run.inv.proc.netns, host, int(port or 2379),
                    Request(method="GET", path="/version", scheme=endpoint.partition(":")[0], source=run.inv.proc.netns),
                )  # fmt: skip
                text = answer.body.decode("utf-8", "replace")
            except (ConnectError, ValueError):
                problems.append(f'Get "{endpoint}/version": dial tcp {host}:{port}: connect: connection refused')
                continue
            found = re.search(r'"etcdserver":"([\d.]+)"', text)
            if found and tuple(map(int, found[1].split("."))) < (3, 5, 24):
                problems.append(
                    f"this version of kubeadm only supports external etcd version >= {LEAST_EXTERNAL_ETCD}. Current version: {found[1]}"
                )
        return [], problems

    return "ExternalEtcdVersion", check


# -- the lists ----------------------------------------------------------------------------------------------------------------


def _common(run: Run, registration: Json, version: str) -> list[Check]:
    socket = str(registration["criSocket"])
    return [
        _runtime(run, socket),
        _runtime_version(run, socket),
        _swap(run),
        *(_in_path(run, name) for name in ("losetup", "mount", "cp")),
        _system(run),
        _hostname(run, str(registration["name"])),
        _kubelet_version(run, version),
        _service(run, "kubelet"),
        _port(run, 10250),
    ]


def init_checks(run: Run, config: InitConfig, *, secondary: bool = False, downloads: bool = False) -> list[Check]:
    """`InitNodeChecks`; `secondary` for a further control plane."""
    cluster, manifests = config.cluster, "/etc/kubernetes/manifests"
    net = cluster["networking"]
    checks = [
        _number_of_cpus(run),
        _memory(run),
        _kubernetes_version(run, cluster["kubernetesVersion"]),
        _firewalld(run, [config.port, 10250]),
        *(_port(run, port) for port in (config.port, 10259, 10257)),
        *(
            _file_available(run, f"{manifests}/{name}.yaml")
            for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd")
        ),
        _proxy_host(run, config.ip),
        *(_proxy_cidr(run, cidr) for cidr in str(net.get("serviceSubnet") or "").split(",")),
        *(_proxy_cidr(run, cidr) for cidr in str(net.get("podSubnet") or "").split(",")),
    ]
    external = config.external_etcd
    if not secondary:
        checks += _common(run, config.init["nodeRegistration"], cluster["kubernetesVersion"])
        if ":" not in config.ip:
            checks.append(_file_content(run, "/proc/sys/net/ipv4/ip_forward", "1"))
        if external:
            checks.append(_external_etcd(run, external))
    if not external:
        checks += [_port(run, 2379), _port(run, 2380), _dir_available(run, cluster["etcd"]["local"]["dataDir"])]
    elif not (secondary and downloads):
        for name in ("caFile", "certFile", "keyFile"):
            if external.get(name):
                checks.append(_file_existing(run, external[name], "ExternalEtcdClientCertificates"))
    return checks


def join_checks(run: Run, body: Json) -> list[Check]:
    """`JoinNodeChecks`."""
    checks = [
        _file_available(run, "/etc/kubernetes/kubelet.conf"),
        _file_available(run, "/etc/kubernetes/bootstrap-kubelet.conf"),
    ]
    checks += _common(run, body["nodeRegistration"], "")
    if body.get("controlPlane") is None:
        checks.append(_file_available(run, body["caCertPath"]))
    by_token = body["discovery"].get("bootstrapToken")
    if by_token:
        host = str(by_token.get("apiServerEndpoint") or "").rpartition(":")[0].strip("[]")
        checks.append(_proxy_host(run, host))
        if validation.is_address(host) and ":" not in host:
            checks.append(_file_content(run, "/proc/sys/net/ipv4/ip_forward", "1"))
    return checks


def upgrade_checks(run: Run, config: InitConfig) -> list[Check]:
    """`RunUpgradeChecks`."""
    return [_system(run), _runtime_version(run, config.socket)]


# -- images -------------------------------------------------------------------------------------------------------------------


def pull_images(run: Run, config: InitConfig, ignored: set[str]) -> Steps:
    """`RunPullImagesCheck`."""
    problems: list[str] = []
    registration = config.init["nodeRegistration"]
    policy = registration.get("imagePullPolicy") or "IfNotPresent"
    try:
        runtimes.connect(run, config.socket)
    except Failure as failed:
        problems.append(f"could not connect to the container runtime: {failed}")
    else:
        if policy != "Never":
            runtimes.warn_of_sandbox(run, images.pause(config.cluster, run.version))
            problems = yield from _pull(run, config, policy)
    report(run, [("ImagePull", lambda: ([], problems))], ignored)


def _pull(run: Run, config: InitConfig, policy: str) -> Generator[Wait, Any, list[str]]:
    problems = []
    for image in images.control_plane(config.cluster, run.version):
        if policy == "IfNotPresent" and runtimes.has_image(run, image):
            run.info("checks.go:846", f"image exists: {image}")
            continue
        run.info("checks.go:871", f"pulling: {image}")
        try:
            yield from runtimes.pull(run, image)
        except Failure as failed:
            problems.append(f"failed to pull image {image}: {failed}")
    return problems


__all__ = ["go_error", "init_checks", "join_checks", "pull_images", "report", "root_only", "upgrade_checks"]
