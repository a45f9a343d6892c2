"""Small distributions of Kubernetes on a machine that has a cluster already: minikube, MicroK8s, K3s and kind.

There is one kind of cluster here, kubeadm's.  On a machine with one, these commands speak to it and say so; what would change how the
cluster is made (several nodes, another network, stop and delete) is not simulated.  Add-ons are the stand-ins of runtime/addons and the
manifests of shell/coreutils/internet.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from typing import Any

from ..host.invocation import Call
from ..host.program import Sleep, Wait
from ..kernel.clock import SECOND
from ..kernel.versions import MINOR, VERSION
from ..shell.coreutils.common import Code

ADMIN = "/etc/kubernetes/admin.conf"
ABSENT = "not simulated in Slipway yet"
_INGRESS = "https://raw.githubusercontent.com/kubernetes/ingress-nginx/main/deploy/static/provider/kind/deploy.yaml"
_METRICS = "https://github.com/kubernetes-sigs/metrics-server/releases/latest/download/components.yaml"
_STORAGE = "https://raw.githubusercontent.com/rancher/local-path-provisioner/v0.0.31/deploy/local-path-storage.yaml"
_METALLB = "https://raw.githubusercontent.com/metallb/metallb/v0.15.3/config/manifests/metallb-native.yaml"
_CERTS = "https://github.com/cert-manager/cert-manager/releases/latest/download/cert-manager.yaml"
#: Add-ons: the objects that say that one is there, and the manifest that brings it ("" for what every cluster has).
ADDONS: dict[str, tuple[str, str]] = {
    "dns": ("deploy/coredns -n kube-system", ""),
    "rbac": ("clusterrole/cluster-admin", ""),
    "ingress": ("deploy/ingress-nginx-controller -n ingress-nginx", _INGRESS),
    "metrics-server": ("deploy/metrics-server -n kube-system", _METRICS),
    "storage": ("deploy/local-path-provisioner -n local-path-storage", _STORAGE),
    "metallb": ("deploy/controller -n metallb-system", _METALLB),
    "cert-manager": ("deploy/cert-manager -n cert-manager", _CERTS),
}
_ALIASES = {
    "hostpath-storage": "storage",
    "storage-provisioner": "storage",
    "default-storageclass": "storage",
    "helm": "rbac",
    "helm3": "rbac",
}
#: What the scrapes of kubelets need in a cluster whose kubelets sign their own certificates.
_INSECURE = '[{"op":"add","path":"/spec/template/spec/containers/0/args/-","value":"--kubelet-insecure-tls"}]'

Steps = Generator[Wait, Any, int]


def _cluster(call: Call, kit: str) -> bool:
    """Whether this machine has a cluster; says what is missing otherwise."""
    if call.exists(ADMIN):
        return True
    call.err(f"{kit}: a cluster of its own on this machine is {ABSENT}\n")
    return False


def _stands_in(call: Call, kit: str) -> None:
    call.err(f"Slipway: this machine's kubeadm cluster stands in for {kit}'s\n")


def _kubectl(call: Call, words: list[str]) -> Steps:
    return (
        yield from call.run(
            ["kubectl", f"--kubeconfig={ADMIN}", *words] if not call.env.get("KUBECONFIG") else ["kubectl", *words]
        )
    )


def _serves(call: Call) -> Generator[Wait, Any, bool]:
    """Whether the cluster's API server says that it lives."""
    code, _, _ = yield from call.capture(["kubectl", f"--kubeconfig={ADMIN}", "get", "--raw=/livez"])
    return code == 0


def _there(call: Call, name: str) -> Generator[Wait, Any, bool]:
    code, _, _ = yield from call.capture(["kubectl", f"--kubeconfig={ADMIN}", "get", *ADDONS[name][0].split()])
    return code == 0


def _enable(call: Call, name: str) -> Generator[Wait, Any, str]:
    """Bring an add-on: `enabled`, `already`, or what went wrong."""
    name = _ALIASES.get(name, name)
    if name not in ADDONS:
        return ABSENT
    if (yield from _there(call, name)):
        return "already"
    code, _, err = yield from call.capture(["kubectl", f"--kubeconfig={ADMIN}", "apply", "-f", ADDONS[name][1]])
    if code:
        return err.decode("utf-8", "replace").strip()
    if name == "metrics-server":
        yield from call.capture(
            [
                "kubectl",
                f"--kubeconfig={ADMIN}",
                "patch",
                "-n",
                "kube-system",
                "deploy/metrics-server",
                "--type=json",
                "-p",
                _INSECURE,
            ]
        )
    if name == "storage":
        note = '{"metadata":{"annotations":{"storageclass.kubernetes.io/is-default-class":"true"}}}'
        yield from call.capture(["kubectl", f"--kubeconfig={ADMIN}", "patch", "storageclass/local-path", "-p", note])
    return "enabled"


# -- minikube ------------------------------------------------------------------------------------------------------------
_MINIKUBE_ADDONS = ("cert-manager", "default-storageclass", "ingress", "metallb", "metrics-server", "storage-provisioner")
#: Flags of `minikube start` that would make another cluster.
_OTHER_CLUSTER = ("--nodes", "-n", "--cni", "--ha", "--profile", "-p", "--network-plugin", "--extra-config")


def minikube(call: Call) -> Code:
    """`minikube start|status|ip|version|kubectl|service|addons|profile|ssh`."""
    words = call.argv[1:]
    verb = words[0] if words else "help"
    if verb == "version":
        call.out("minikube version: v1.37.0\ncommit: 65318f4cfff9c12cc87ec9eb8f4cdd57b25047f3\n")
        return 0
    found = _MINIKUBE.get(verb)
    if found is None:
        call.err(f"minikube {verb}: {ABSENT}\n")
        return 1
    if not _cluster(call, "minikube"):
        return 127
    return (yield from found(call, words[1:]))


def _start(call: Call, words: list[str]) -> Steps:
    for word in words:
        name, _, value = word.partition("=")
        if name in _OTHER_CLUSTER and value not in ("1", "auto", "bridge"):
            call.err(f"minikube start {word}: {ABSENT}\n")
            return 1
    _stands_in(call, "minikube")
    yield Sleep(5 * SECOND)
    call.out(
        '😄  minikube v1.37.0 on Ubuntu 24.04\n✨  Using the none driver based on existing profile\n👍  Starting "minikube" primary control-plane node in "minikube" cluster\n'
    )
    code, _, err = yield from call.capture(
        ["kubectl", f"--kubeconfig={ADMIN}", "wait", "--for=condition=Ready", "node", "--all", "--timeout=120s"]
    )
    if code:
        call.err(f"❌  Exiting due to GUEST_START: failed to start node: {err.decode('utf-8', 'replace').strip()}\n")
        return 80
    call.out("🏄  Done!\n")
    return 0


def _status(call: Call, words: list[str]) -> Steps:
    serves = yield from _serves(call)
    active, _, _ = yield from call.capture(["systemctl", "is-active", "kubelet"])
    server, kubelet = ("Running" if serves else "Stopped"), ("Running" if active == 0 else "Stopped")
    call.out(f"minikube\ntype: Control Plane\nhost: Running\nkubelet: {kubelet}\napiserver: {server}\nkubeconfig: Configured\n\n")
    return 0 if server == kubelet == "Running" else 6


def _ip(call: Call, words: list[str]) -> Steps:
    call.out(call.host.ip + "\n")
    return 0
    yield


def _service(call: Call, words: list[str]) -> Steps:
    """The addresses of a Service's node ports."""
    names = [word for word in words if not word.startswith("-")]
    space = "default"
    for at, word in enumerate(words):
        if word in ("-n", "--namespace") and at + 1 < len(words):
            space = words[at + 1]
            names = [one for one in names if one != space]
        elif word.startswith("--namespace="):
            space = word.partition("=")[2]
    if not names or names[0] == "list":
        call.err(
            f"minikube service list: {ABSENT}\n" if names else "❌  Exiting due to MK_USAGE: You must specify a service name\n"
        )
        return 1
    code, out, _ = yield from call.capture(
        ["kubectl", f"--kubeconfig={ADMIN}", "get", "svc", names[0], "-n", space, "-o", "json"]
    )
    if code:
        call.err(f"❌  Exiting due to SVC_NOT_FOUND: Service '{names[0]}' was not found in '{space}' namespace.\n")
        return 115
    ports = [row["nodePort"] for row in json.loads(out)["spec"].get("ports") or () if row.get("nodePort")]
    if not ports:
        call.err(f"😿  service {space}/{names[0]} has no node port\n")
    for port in ports:
        call.out(f"http://{call.host.ip}:{port}\n")
    return 0


def _addons(call: Call, words: list[str]) -> Steps:
    verb, names = (words[0] if words else "list"), words[1:]
    if verb == "list":
        call.out(
            "|-----------------------------|----------|--------------|\n|         ADDON NAME          | PROFILE  |    STATUS    |\n|-----------------------------|----------|--------------|\n"
        )
        for name in _MINIKUBE_ADDONS:
            on = yield from _there(call, _ALIASES.get(name, name))
            call.out(f"| {name:27} | minikube | {'enabled ✅' if on else 'disabled':12} |\n")
        call.out("|-----------------------------|----------|--------------|\n")
        return 0
    if verb != "enable" or not names:
        call.err(f"minikube addons {verb}: {ABSENT}\n")
        return 1
    said = yield from _enable(call, names[0])
    if said not in ("enabled", "already"):
        call.err(f"minikube addons enable {names[0]}: {said}\n")
        return 1
    call.out(f"🌟  The '{names[0]}' addon is enabled\n")
    return 0


def _after_dashes(call: Call, words: list[str]) -> Steps:
    return (yield from _kubectl(call, words[1:] if words[:1] == ["--"] else words))


def _profile(call: Call, words: list[str]) -> Steps:
    call.out("minikube\n")
    return 0
    yield


def _shell(call: Call, words: list[str]) -> Steps:
    return (yield from call.run(["bash", "-c", " ".join(words)] if words else ["bash"]))


_MINIKUBE: dict[str, Callable[[Call, list[str]], Steps]] = {
    "start": _start,
    "status": _status,
    "ip": _ip,
    "service": _service,
    "addons": _addons,
    "kubectl": _after_dashes,
    "profile": _profile,
    "ssh": _shell,
}


# -- MicroK8s ------------------------------------------------------------------------------------------------------------
_MICROK8S_ADDONS = tuple("cert-manager dns helm helm3 hostpath-storage ingress metallb metrics-server storage".split())


def microk8s(call: Call) -> Code:
    """`microk8s kubectl|status|enable|config|inspect|helm3|version`; `microk8s.kubectl` is the first."""
    name = call.argv[0].rpartition("/")[2].partition(".")[2]
    words = [*([name] if name else []), *call.argv[1:]]
    verb, rest = (words[0], words[1:]) if words else ("help", [])
    if not _cluster(call, "microk8s"):
        return 127
    if verb in ("kubectl", "k"):
        return (yield from _kubectl(call, rest))
    if verb in ("helm", "helm3"):
        return (yield from call.run(["helm", *rest]))
    if verb == "config":
        call.out(call.read_file(ADMIN))
        return 0
    if verb == "version":
        call.out(f"MicroK8s {VERSION} revision x1\n")
        return 0
    if verb == "status":
        _stands_in(call, "microk8s")
        if "--wait-ready" in rest:
            yield from call.capture(
                ["kubectl", f"--kubeconfig={ADMIN}", "wait", "--for=condition=Ready", "node", "--all", "--timeout=300s"]
            )
        return (yield from _microk8s_status(call))
    if verb == "enable" and rest:
        for word in rest:
            addon = word.partition(":")[0].removeprefix("core/").removeprefix("community/")
            said = yield from _enable(call, addon)
            if said == "already":
                call.out(f"Infer repository core for addon {addon}\nAddon core/{addon} is already enabled\n")
            elif said == "enabled":
                call.out(f"Infer repository core for addon {addon}\nEnabling {addon}\n{addon} is enabled\n")
            else:
                call.err(f"microk8s enable {addon}: {said}\n")
                return 1
        return 0
    if verb == "start" and (yield from _serves(call)):
        call.out("Started.\n")
        return 0
    call.err(f"microk8s {verb}: {ABSENT}\n")
    return 1


def _microk8s_status(call: Call) -> Steps:
    if not (yield from _serves(call)):
        call.out("microk8s is not running. Use microk8s inspect for a deeper inspection.\n")
        return 0
    on: list[str] = []
    off: list[str] = []
    for name in _MICROK8S_ADDONS:
        there = yield from _there(call, _ALIASES.get(name, name))
        (on if there else off).append(name)
    call.out("microk8s is running\naddons:\n  enabled:\n")
    call.out(
        "".join(f"    {name:20} # (core)\n" for name in on)
        + "  disabled:\n"
        + "".join(f"    {name:20} # (core)\n" for name in off)
    )
    return 0


#: The context that kubeadm writes.
_CONTEXT = "kubernetes-admin@kubernetes"


# -- K3s and kind --------------------------------------------------------------------------------------------------------
def k3s(call: Call) -> Code:
    """`k3s kubectl`, `k3s crictl`, `k3s --version`."""
    words = call.argv[1:]
    if words[:1] in (["--version"], ["-v"]):
        call.out(f"k3s version {VERSION}+k3s1\n")
        return 0
    if words[:1] in (["kubectl"], ["crictl"]) and _cluster(call, "k3s"):
        return (yield from (_kubectl(call, words[1:]) if words[0] == "kubectl" else call.run(words)))
    call.err(f"k3s {words[0] if words else 'server'}: {ABSENT}\n")
    return 1


def kind(call: Call) -> Code:
    """`kind create cluster [--name N]`, `get clusters|nodes|kubeconfig`, `version`, `export kubeconfig`."""
    words = call.argv[1:]
    if words[:1] in (["version"], ["--version"]):
        call.out("kind v0.30.0 go1.24.6 linux/amd64\n")
        return 0
    if not _cluster(call, "kind"):
        return 127
    plain = [word for word in words if not word.startswith("-")]
    if plain[:2] == ["create", "cluster"]:
        if any(word.startswith("--config") for word in words):
            call.err(f"kind create cluster --config: {ABSENT}\n")
            return 1
        _stands_in(call, "kind")
        return (yield from _use_context(call))
    if plain[:2] == ["get", "clusters"]:
        _stands_in(call, "kind")
        call.out("kind\n")
        return 0
    if plain[:2] == ["get", "nodes"]:
        return (yield from _kubectl(call, ["get", "nodes", "-o", 'jsonpath={range .items[*]}{.metadata.name}{"\\n"}{end}']))
    if plain[:2] == ["get", "kubeconfig"]:
        call.out(call.read_file(ADMIN))
        return 0
    if plain[:2] == ["export", "kubeconfig"]:
        return (yield from _use_context(call))
    call.err(f"kind {' '.join(plain[:2])}: {ABSENT}\n")
    return 1


def _use_context(call: Call) -> Steps:
    """Have kubectl speak to the cluster as its administrator."""
    code, _, err = yield from call.capture(["kubectl", "config", "use-context", _CONTEXT])
    if code:
        call.err(f"ERROR: {err.decode('utf-8', 'replace').strip()}\n")
        return 1
    call.err(f'Set kubectl context to "{_CONTEXT}"\n')
    return 0


# -- snap ----------------------------------------------------------------------------------------------------------------
#: Snaps that can be installed: the program that each brings, and what is said of its version.
SNAPS: dict[str, tuple[str, str, str]] = {
    "microk8s": ("microk8s", f"({MINOR}/stable) {VERSION}", "Canonical✓"),
    "kubectl": ("kubectl", VERSION, "Canonical✓"),
    "helm": ("helm", "3.19.0", "Snapcrafters✪"),
    "yq": ("yq", "v4.48.1", "Mike Farah (mikefarah)"),
    "jq": ("jq", "1.7.1", "Michał Sawicz"),
}


def snap(call: Call) -> Code:
    """`snap install NAME…`, `list`, `wait system seed.loaded`, `version`."""
    words = [word for word in call.argv[1:] if not word.startswith("-")]
    verb, rest = (words[0], words[1:]) if words else ("help", [])
    if verb == "wait":
        return 0
    if verb == "version":
        call.out(
            f"snap    2.68.5+ubuntu24.04.1\nsnapd   2.68.5+ubuntu24.04.1\nseries  16\nubuntu  24.04\nkernel  {call.host.kernel}\n"
        )
        return 0
    held = [name for name in SNAPS if call.exists(f"/snap/bin/{name}")]
    if verb == "list":
        rows = [(name, SNAPS[name]) for name in held if not rest or name in rest]
        if rest and not rows:
            call.err("error: no matching snaps installed\n")
            return 1
        if rows:
            call.out("Name      Version          Rev    Tracking       Publisher   Notes\n")
        for name, (_, version, publisher) in rows:
            call.out(f"{name:9} {version.split()[-1]:16} x1     -              {publisher:11} classic\n")
        return 0
    if verb != "install" or not rest:
        call.err(f"snap {verb}: {ABSENT}\n")
        return 1
    for name in rest:
        if name not in SNAPS:
            call.err(f"snap install {name}: {ABSENT}\n")
            return 1
        if name == "microk8s" and not _cluster(call, "microk8s"):
            return 1
        program, version, publisher = SNAPS[name]
        if name in held:
            call.err(f"snap \"{name}\" is already installed, see 'snap help refresh'\n")
            continue
        yield Sleep(8 * SECOND)
        call.tree.mkdir("/snap/bin", parents=True, now=call.world.wall)
        call.tree.install(f"/snap/bin/{name}", program, now=call.world.wall)
        if name == "microk8s":
            for more in ("kubectl", "helm3", "status", "enable", "config"):
                call.tree.install(f"/snap/bin/microk8s.{more}", "microk8s", now=call.world.wall)
            _stands_in(call, "microk8s")
        call.out(f"{name} {version} from {publisher} installed\n")
    return 0
