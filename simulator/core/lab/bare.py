"""`bare`: etcd, an API server and a controller manager on one machine, for suites that test the API and nothing below it.

No scheduler, no kubelet: one Node object `127.0.0.1` stands for all machines, and pods stay as they are written.  What is on by default
is what Kubernetes' own command-line tests (`hack/make-rules/test-cmd.sh`) start: RBAC for its bootstrap roles behind AlwaysAllow, a
token file, a small service range, and none of the admission plugins that count on a kubelet.
"""

from __future__ import annotations

from ..host import systemd
from ..host.machine import Host
from ..host.x509 import KeyPair
from ..kernel.clock import MS, SECOND
from ..kernel.errors import BadInput, ConnectError
from ..kernel.versions import VERSION
from ..kernel.world import World
from ..kube.client import ApiError, KubeClient
from ..kube.kubeadm import addons, pki
from .machines import add_machine, put

NAME, ADDRESS = "controlplane", "172.30.1.2"
PKI = "/etc/kubernetes/pki"
NODE = "127.0.0.1"
TOKEN_FILE = "/etc/kubernetes/auth-tokens.csv"
#: token, user, uid, groups; the token `admin-token` may do everything.
TOKENS = 'admin-token,admin,,"system:masters"\n'
#: Flags of the API server by name; `flags` of `build` replace single ones.
DEFAULTS = {
    "advertise-address": ADDRESS,
    "allow-privileged": "true",
    "authorization-mode": "RBAC,AlwaysAllow",
    "client-ca-file": f"{PKI}/ca.crt",
    "disable-admission-plugins": "ServiceAccount,DefaultStorageClass,DefaultTolerationSeconds,StorageObjectInUseProtection",
    "enable-admission-plugins": "LimitRanger,ResourceQuota",
    "etcd-servers": "http://127.0.0.1:2379",
    "secure-port": "6443",
    "service-account-issuer": "https://kubernetes.default.svc",
    "service-account-key-file": f"{PKI}/sa.pub",
    "service-account-signing-key-file": f"{PKI}/sa.key",
    "service-cluster-ip-range": "10.0.0.0/24",
    "tls-cert-file": f"{PKI}/apiserver.crt",
    "tls-private-key-file": f"{PKI}/apiserver.key",
    "token-auth-file": TOKEN_FILE,
}
PATIENCE = 60 * SECOND


def build(
    world: World,
    flags: dict[str, str] | None = None,
    tokens: str = TOKENS,
    contents: dict[str, bytes] | None = None,
) -> None:
    """Start the three processes and make the Node; raises BadInput with the server's last words when it refuses a flag.

    `contents` are files by path, for flags that name one.
    """
    host = add_machine(world, NAME, ADDRESS, {NAME: ADDRESS})
    for path, data in (contents or {}).items():
        put(world, host, path, data, 0o600)
    host.units["containerd.service"].enabled = host.units["kubelet.service"].enabled = False
    chosen = {**DEFAULTS, **(flags or {})}
    cluster = addons.cluster_configuration(pod_cidr="", service_cidr="10.0.0.0/24")
    material = pki.cluster_pki(world, cluster, node=NAME, ip=ADDRESS)
    for path, data in material.items():
        put(world, host, f"{PKI}/{path}", data, 0o600 if path.endswith(".key") else 0o644)
    put(world, host, TOKEN_FILE, tokens, 0o600)
    authority = KeyPair(material["ca.crt"], material["ca.key"])
    config = pki.control_plane_kubeconfigs(world, authority, f"https://{ADDRESS}:6443")["super-admin.conf"]
    for path in ("/etc/kubernetes/admin.conf", "/etc/kubernetes/controller-manager.conf", "/root/.kube/config"):
        put(world, host, path, config, 0o600)
    _unit(world, host, "etcd", ["--data-dir=/var/lib/etcd"])
    _unit(world, host, "kube-apiserver", [f"--{name}={value}" for name, value in sorted(chosen.items())])
    manager = [
        f"--cluster-signing-cert-file={PKI}/ca.crt",
        f"--cluster-signing-key-file={PKI}/ca.key",
        f"--service-account-private-key-file={PKI}/sa.key",
        f"--root-ca-file={PKI}/ca.crt",
        "--kubeconfig=/etc/kubernetes/controller-manager.conf",
    ]
    _unit(world, host, "kube-controller-manager", manager)
    client = KubeClient.from_kubeconfig(world, NAME, config, user_agent=f"kubectl/{VERSION}")
    deadline = world.now + PATIENCE
    while not _ready(client):
        if world.now >= deadline:
            said = [line.text for line in host.journal if line.unit == "kube-apiserver.service" and not line.ident]
            raise BadInput("bare: the API server does not start: " + (said[-1] if said else "it says nothing"))
        world.run_until(world.now + 250 * MS)
    # the annotation gives the object a manager, which a name and a status that is wiped would not
    meta = {"name": NODE, "annotations": {"save-managers": "true"}}
    client.create(
        "nodes", None, {"kind": "Node", "apiVersion": "v1", "metadata": meta, "status": {"capacity": {"memory": "1Gi"}}}
    )
    world.run_until(world.now + 5 * SECOND)


def _unit(world: World, host: Host, name: str, flags: list[str]) -> None:
    """A component as a systemd service."""
    program = "etcd:3.6.13" if name == "etcd" else name
    host.fs.install(f"/usr/local/bin/{name}", program)
    text = (
        f"[Unit]\nDescription={name}\n\n[Service]\nExecStart=/usr/local/bin/{name} {' '.join(flags)}\nRestart=on-failure\n"
        "RestartSec=5\n\n[Install]\nWantedBy=multi-user.target\n"
    )
    put(world, host, f"/etc/systemd/system/{name}.service", text)
    systemd.start_unit(world, NAME, f"{name}.service")


def _ready(client: KubeClient) -> bool:
    try:
        client.get("namespaces", None, "default")
        return bool(client.list("serviceaccounts", "default").items)
    except (ConnectError, ApiError):
        return False
