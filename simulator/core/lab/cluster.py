"""A cluster as kubeadm leaves it: machines, control plane by static pods, add-ons through the API, workers joined.

Nothing is put in place by hand that a real cluster makes by running: the kubelet reads the manifests and starts the control plane,
controllers create the add-ons' pods, the scheduler places them.  Booting is therefore just time passing.
"""

from __future__ import annotations

from typing import Any

from ..host import systemd
from ..host.machine import Host
from ..host.x509 import KeyPair
from ..kernel.clock import MS, SECOND
from ..kernel.errors import ConnectError, SimulatorError
from ..kernel.versions import VERSION
from ..kernel.world import World
from ..kube.api.objects import clone
from ..kube.client import ApiError, KubeClient
from ..kube.kubeadm import addons as kubeadm_addons
from ..kube.kubeadm import images, manifests, pki
from ..runtime import cri
from .machines import POD_CIDR, SERVICE_CIDR, add_machine, configure_kubelet, put

#: How long, in virtual time, a step of the boot may take before it counts as a defect.
PATIENCE = 300 * SECOND


class ClusterBuilder:
    """Boots one control-plane machine and any number of workers in a world; clusters.py has control planes of several machines."""

    #: How many static pods the control plane has.
    static_count = 4

    def __init__(
        self,
        world: World,
        *,
        control_plane: str = "controlplane",
        workers: tuple[str, ...] = ("node01", "node02"),
        static_pods: bool = True,
        addons: bool = True,
        version: str = manifests.VERSION,
        pod_cidr: str = POD_CIDR,
    ) -> None:
        self.world = world
        self.pod_cidr = pod_cidr
        self.static_pods, self.addons, self.version = static_pods, addons, version
        self.cluster = kubeadm_addons.cluster_configuration(pod_cidr=self.pod_cidr, service_cidr=SERVICE_CIDR, version=version)
        self.names = (control_plane, *workers)
        self.addresses = {name: f"172.30.{1 + i // 100}.{2 + 2 * (i % 100)}" for i, name in enumerate(self.names)}
        self.hosts: dict[str, Host] = {}
        self.server = f"https://{self.addresses[control_plane]}:6443"

    def build(self) -> None:
        """Machines, control plane, add-ons, workers; returns when every node is Ready and every pod runs."""
        for name in self.names:
            self.hosts[name] = add_machine(self.world, name, self.addresses[name], self.addresses)
            for tool in ("kubeadm", "kubelet", "kubectl") if self.version != manifests.VERSION else ():
                self.hosts[name].fs.install(f"/usr/bin/{tool}", f"{tool}:{self.version.removeprefix('v')}")
        for name in self.names:
            systemd.start_unit(self.world, name, "containerd.service")
        self._pull(self.names[0])
        self._init()
        client = self._admin()
        self._upload(client)
        for name in self.names[1:]:
            self._join(name)
        self._await_ready(client)

    # -- steps ----------------------------------------------------------------------------------------------------------
    def _pull(self, name: str) -> None:
        """`kubeadm config images pull`."""
        pulls = [cri.pull_image(self.world, name, image) for image in images.control_plane(self.cluster, self.version)]
        self._until(lambda: all(pull.done for pull in pulls), "images")

    def _init(self) -> None:
        """`kubeadm init` up to a running API server."""
        world, node = self.world, self.names[0]
        host, ip = self.hosts[node], self.addresses[node]
        cluster = self.configuration()
        self.pki = self.certificates(pki.cluster_pki(world, cluster, node=node, ip=ip))
        self.ca = KeyPair(self.pki["ca.crt"], self.pki["ca.key"])
        for path, data in self.pki.items():
            put(world, host, f"/etc/kubernetes/pki/{path}", data, 0o600 if path.endswith(".key") else 0o644)
        configs = pki.control_plane_kubeconfigs(world, self.ca, self.server)
        for path, data in configs.items():
            put(world, host, f"/etc/kubernetes/{path}", data, 0o600)
        self.super_admin = configs["super-admin.conf"]
        put(world, host, "/root/.kube/config", configs["admin.conf"], 0o600)
        configure_kubelet(world, host, self.ca, self.server, control_plane=True)
        pods = {
            "etcd": manifests.etcd(cluster, node, ip, tool=self.version),
            "kube-apiserver": manifests.apiserver(cluster, ip),
            "kube-controller-manager": manifests.controller_manager(cluster),
            "kube-scheduler": manifests.scheduler(cluster),
        }
        if "external" in cluster["etcd"]:
            del pods["etcd"]
        for name, pod in pods.items():
            if self.static_pods:
                put(world, host, f"/etc/kubernetes/manifests/{name}.yaml", manifests.dump(pod), 0o600)
            else:
                self._service(host, name, pod["spec"]["containers"][0]["command"])
        systemd.start_unit(world, node, "kubelet.service")

    def configuration(self) -> dict[str, Any]:
        """The ClusterConfiguration that the manifests and certificates follow."""
        return self.cluster

    def certificates(self, found: dict[str, bytes]) -> dict[str, bytes]:
        """What of the certificates that kubeadm makes is used."""
        return found

    def _service(self, host: Host, name: str, command: list[str]) -> None:
        """A component of the control plane as a systemd service with the flags of its manifest ("the hard way")."""
        host.fs.install(f"/usr/local/bin/{name}", name)
        text = (
            f"[Unit]\nDescription={name}\n\n[Service]\nExecStart=/usr/local/bin/{' '.join(command)}\nRestart=on-failure\n"
            "RestartSec=5\n\n[Install]\nWantedBy=multi-user.target\n"
        )
        put(self.world, host, f"/etc/systemd/system/{name}.service", text)
        systemd.start_unit(self.world, host, f"{name}.service")

    def _admin(self) -> KubeClient:
        """A client with the super-admin's certificate, once the API server is ready."""
        client = KubeClient.from_kubeconfig(self.world, self.names[0], self.super_admin, user_agent=f"kubeadm/{VERSION}")

        def ready() -> bool:
            try:
                client.get("namespaces", None, "kube-system")
                client.get("nodes", None, self.names[0])
            except (ConnectError, ApiError):
                return False
            return True

        self._until(ready, "the API server")
        return client

    def _upload(self, client: KubeClient) -> None:
        """Configuration, RBAC, mark-control-plane, CoreDNS and kube-proxy."""
        objects = kubeadm_addons.configuration(pod_cidr=self.pod_cidr, service_cidr=SERVICE_CIDR, version=self.version)
        if self.addons:
            objects += kubeadm_addons.cluster_info(pki.public_kubeconfig(self.ca.cert, self.server))
            objects += kubeadm_addons.cluster_info_rules()
            objects += kubeadm_addons.coredns(image=images.dns(self.cluster, self.version))
            proxy = images.component("kube-proxy", self.cluster)
            objects += kubeadm_addons.kube_proxy(self.server, pod_cidr=self.pod_cidr, image=proxy)
        for resource, obj in objects:
            client.create(resource, obj["metadata"].get("namespace"), clone(obj))
        self._mark(client, self.names[0])

    def _mark(self, client: KubeClient, name: str) -> None:
        """Label and taint a control plane."""
        patch = {
            "metadata": {
                "labels": {
                    "node-role.kubernetes.io/control-plane": "",
                    "node.kubernetes.io/exclude-from-external-load-balancers": "",
                },
            },
            "spec": {"taints": [{"effect": "NoSchedule", "key": "node-role.kubernetes.io/control-plane"}]},
        }
        client.patch("nodes", None, name, patch)

    def _join(self, name: str) -> None:
        """`kubeadm join` of a worker."""
        host = self.hosts[name]
        configure_kubelet(self.world, host, self.ca, self.server, control_plane=False)
        flags = self._flags(name)
        if flags:
            put(self.world, host, "/var/lib/kubelet/kubeadm-flags.env", f'KUBELET_KUBEADM_ARGS="{flags}"\n')
        systemd.start_unit(self.world, name, "kubelet.service")

    def _flags(self, name: str) -> str:
        """Flags of a worker's kubelet besides its files."""
        return ""

    def _await_ready(self, client: KubeClient) -> None:
        def ready() -> bool:
            nodes = client.list("nodes").items
            pods = client.list("pods").items
            wanted = len(self.names)
            # the static pods, two of CoreDNS, a kube-proxy on each node
            expected = (self.static_count if self.static_pods else 0) + (2 + wanted if self.addons else 0)
            return sum(_ready(n) for n in nodes) == wanted and len(pods) >= expected and all(_ready(p) for p in pods)

        self._until(ready, "nodes and pods")
        self.world.run_until(self.world.now + 15 * SECOND)

    def _until(self, done: object, what: str) -> None:
        assert callable(done)
        deadline = self.world.now + PATIENCE
        while not done():
            if self.world.now >= deadline:
                raise SimulatorError(f"boot: {what} not ready after {PATIENCE // SECOND} virtual seconds")
            self.world.run_until(self.world.now + 250 * MS)


def _ready(obj: dict[str, object]) -> bool:
    status = obj.get("status")
    conditions = status.get("conditions", []) if isinstance(status, dict) else []
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)
