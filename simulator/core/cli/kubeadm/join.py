"""`kubeadm join` (cmd/join.go) and the table of its phases."""

from __future__ import annotations

from ..cobra import Command, max_args, no_args
from . import joinphases as phases
from . import options
from .joindata import JoinData
from .run import ADMIN_CONF, Run, Steps
from .workflow import Phase, Workflow, bind

LONG = """
When joining a kubeadm initialized cluster, we need to establish
bidirectional trust. This is split into discovery (having the Node
trust the Kubernetes Control Plane) and TLS bootstrap (having the
Kubernetes Control Plane trust the Node).

There are 2 main schemes for discovery. The first is to use a shared
token along with the IP address of the API server. The second is to
provide a file - a subset of the standard kubeconfig file. The
discovery/kubeconfig file supports token, client-go authentication
plugins ("exec"), "tokenFile", and "authProvider". This file can be a
local file or downloaded via an HTTPS URL. The forms are
kubeadm join --discovery-token abcdef.1234567890abcdef 1.2.3.4:6443,
kubeadm join --discovery-file path/to/file.conf, or kubeadm join
--discovery-file https://url/file.conf. Only one form can be used. If
the discovery information is loaded from a URL, HTTPS must be used.
Also, in that case the host installed CA bundle is used to verify
the connection.

If you use a shared token for discovery, you should also pass the
--discovery-token-ca-cert-hash flag to validate the public key of the
root certificate authority (CA) presented by the Kubernetes Control Plane.
The value of this flag is specified as "<hash-type>:<hex-encoded-value>",
where the supported hash type is "sha256". The hash is calculated over
the bytes of the Subject Public Key Info (SPKI) object (as in RFC7469).
This value is available in the output of "kubeadm init" or can be
calculated using standard tools. The --discovery-token-ca-cert-hash flag
may be repeated multiple times to allow more than one public key.

If you cannot know the CA public key hash ahead of time, you can pass
the --discovery-token-unsafe-skip-ca-verification flag to disable this
verification. This weakens the kubeadm security model since other nodes
can potentially impersonate the Kubernetes Control Plane.

The TLS bootstrap mechanism is also driven via a shared token. This is
used to temporarily authenticate with the Kubernetes Control Plane to submit a
certificate signing request (CSR) for a locally created key pair. By
default, kubeadm will set up the Kubernetes Control Plane to automatically
approve these signing requests. This token is passed in with the
--tls-bootstrap-token abcdef.1234567890abcdef flag.

Often times the same token is used for both parts. In this case, the
--token flag can be used instead of specifying each token individually.
"""
_WORKER_DONE = """
This node has joined the cluster:
* Certificate signing request was sent to apiserver and a response was received.
* The Kubelet was informed of the new secure connection details.

Run 'kubectl get nodes' on the control-plane to see this node join the cluster.

"""
_CONTROL_PLANE_DONE = """
This node has joined the cluster and a new control plane instance was created:

* Certificate signing request was sent to apiserver and approval was received.
* The Kubelet was informed of the new secure connection details.
* Control plane label and taint were applied to the new node.
* The Kubernetes control plane instances scaled up.
{etcd}

To start administering your cluster from this node, you need to run the following as a regular user:

	mkdir -p $HOME/.kube
	sudo cp -i {path} $HOME/.kube/config
	sudo chown $(id -u):$(id -g) $HOME/.kube/config

Run 'kubectl get nodes' to see this node join the cluster.

"""

_DISCOVERY = (
    "discovery-file", "discovery-token", "discovery-token-ca-cert-hash", "discovery-token-unsafe-skip-ca-verification",
    "tls-bootstrap-token", "token",
)  # fmt: skip
_ADDRESS = ("apiserver-advertise-address", "apiserver-bind-port")
_DOWNLOAD = ("config", "control-plane", *_DISCOVERY, "certificate-key", "dry-run")
_JOIN_ETCD = ("config", "control-plane", "node-name", "patches", "apiserver-advertise-address", "dry-run")

PHASES: tuple[Phase, ...] = (
    Phase(
        "preflight [api-server-endpoint]",
        "Run join pre-flight checks",
        "Run pre-flight checks for kubeadm join.",
        "  # Run join pre-flight checks using a config file.\n  kubeadm join phase preflight --config kubeadm-config.yaml",
        run=phases.run_preflight,
        flags=(
            "config", "ignore-preflight-errors", *_DISCOVERY, "control-plane", *_ADDRESS, "cri-socket", "node-name", "certificate-key",
            "dry-run",
        ),
    ),
    Phase(
        "control-plane-prepare",
        "Prepare the machine for serving a control plane",
        example="  # Prepares the machine for serving a control plane\n  kubeadm join phase control-plane-prepare all",
        phases=(
            Phase(
                "all [api-server-endpoint]",
                "Prepare the machine for serving a control plane",
                flags=(*_ADDRESS, "config", "control-plane", "node-name", *_DISCOVERY, "certificate-key", "patches", "dry-run"),
                all_siblings=True,
            ),
            Phase(
                "download-certs [api-server-endpoint]",
                "Download certificates shared among control-plane nodes from the kubeadm-certs Secret",
                run=phases.run_download,
                flags=_DOWNLOAD,
            ),
            Phase(
                "certs [api-server-endpoint]",
                "Generate the certificates for the new control plane components",
                run=phases.run_certs,
                flags=("apiserver-advertise-address", "config", "control-plane", "node-name", *_DISCOVERY, "dry-run"),
            ),
            Phase(
                "kubeconfig [api-server-endpoint]",
                "Generate the kubeconfig for the new control plane components",
                run=phases.run_kubeconfig,
                flags=_DOWNLOAD,
            ),
            Phase(
                "control-plane",
                "Generate the manifests for the new control plane components",
                run=phases.run_control_plane,
                flags=(*_ADDRESS, "config", "control-plane", "patches", "dry-run"),
                args=no_args,
            ),
        ),
    ),
    Phase("check-etcd", run=phases.run_check_etcd, hidden=True),
    Phase(
        "kubelet-start [api-server-endpoint]",
        "Write kubelet settings, certificates and (re)start the kubelet",
        "Write a file with KubeletConfiguration and an environment file with node specific kubelet settings, and then (re)start kubelet.",
        run=phases.run_kubelet_start,
        flags=("config", "cri-socket", "node-name", *_DISCOVERY, "patches", "dry-run"),
    ),
    Phase(
        "etcd-join",
        "Join etcd for control plane nodes",
        example="  # Joins etcd for a control plane instance\n  kubeadm join phase control-plane-join-etcd all",
        run=phases.run_etcd_join,
        flags=_JOIN_ETCD,
        args=no_args,
    ),
    Phase(
        "kubelet-wait-bootstrap",
        "Wait for the kubelet to bootstrap itself",
        run=phases.run_kubelet_wait,
        flags=("config", "cri-socket", "dry-run"),
    ),
    Phase(
        "control-plane-join",
        "Join a machine as a control plane instance",
        example="  # Joins a machine as a control plane instance\n  kubeadm join phase control-plane-join all",
        phases=(
            Phase("all", "Join a machine as a control plane instance", flags=_JOIN_ETCD, all_siblings=True, args=no_args),
            Phase(
                "mark-control-plane",
                "Mark a node as a control-plane",
                run=phases.run_mark,
                flags=("config", "control-plane", "node-name", "dry-run"),
                args=no_args,
            ),
        ),
    ),
    Phase("wait-control-plane", "Wait for the control plane to start", run=phases.run_wait),
)  # fmt: skip


def _prepare(run: Run, alone: bool) -> JoinData:
    return JoinData(run)


def _skipped(data: JoinData) -> list[str]:
    return [str(name) for name in data.body.get("skipPhases") or ()]


WORKFLOW = Workflow(PHASES, _prepare, skipped=_skipped)


def _join(run: Run) -> Steps:
    data = JoinData(run)
    yield from WORKFLOW.go(run, data)
    if not data.control_plane:
        run.out(_WORKER_DONE)
        return
    config = yield from data.init()
    text = "" if config.external_etcd else "* A new etcd member was added to the local/stacked etcd cluster."
    run.out(_CONTROL_PLANE_DONE.format(etcd=text, path=ADMIN_CONF))


COMMAND = bind(
    Command(
        "join [api-server-endpoint]",
        short="Run this on any machine you wish to join an existing cluster",
        long=LONG,
        flags=options.JOIN,
        args=max_args(1),
        run=_join,
    ),
    WORKFLOW,
)
