"""The phases of `kubeadm init` (cmd/phases/init)."""

from __future__ import annotations

import contextlib

from ...host import systemd, unitfiles, x509
from ...kernel.errors import BadInput
from ...kube.api.errors import ApiError
from ...kube.client import KubeClient
from ...kube.kubeadm import addons, images, manifests
from ...kube.kubeadm.pki import CertSpec
from .. import goyaml
from . import certificates, cluster, copycerts, kubeconfigs, kubeletfiles, patches, preflight, tokens
from .config import InitConfig
from .documents import dump
from .dryclient import DryClient
from .initdata import InitData
from .run import ADMIN_CONF, Failure, Run, Steps, go_error, reason
from .workflow import Action

# -- preflight ----------------------------------------------------------------------------------------------------------------

PULLING = (
    "[{0}] Pulling images required for setting up a Kubernetes cluster\n"
    "[{0}] This might take a minute or two, depending on the speed of your internet connection\n"
    "[{0}] You can also perform this action beforehand using 'kubeadm config images pull'"
)


def run_preflight(data: InitData) -> Steps:
    """Checks, then images."""
    run = data.run
    run.say("[preflight] Running pre-flight checks")
    preflight.root_only(run, data.ignored)
    yield from run.pause(300, 900)
    preflight.report(run, preflight.init_checks(run, data.config), data.ignored)
    if data.dry_run:
        run.say("[preflight] Would pull the required images (like 'kubeadm config images pull')")
        return
    run.say(PULLING.format("preflight"))
    yield from preflight.pull_images(run, data.config, data.ignored)


# -- certificates ---------------------------------------------------------------------------------------------------------------


def run_certs(data: InitData) -> Steps:
    """Say where."""
    data.run.say(f'[certs] Using certificateDir folder "{data.cert_write_dir}"')
    return
    yield


def run_authority(spec: CertSpec) -> Action:
    """One authority."""

    def action(data: InitData) -> Steps:
        run, config = data.run, data.config
        if config.external_etcd and spec.name == "etcd-ca":
            run.say(f"[certs] External etcd mode: Skipping {spec.base} certificate authority generation")
            return
        yield from run.pause(20, 60)
        if run.exists(f"{config.pki}/{spec.base}.crt"):
            cert = certificates.load_cert(run, config.pki, spec.base)
            certificates.check_period(run, spec.base, cert)
            keyed = run.exists(f"{config.pki}/{spec.base}.key")
            if data.dry_run:
                for suffix in (".crt", ".key") if keyed else (".crt",):
                    run.write(f"{data.dry_run_dir}/{spec.base}{suffix}", run.read(f"{config.pki}/{spec.base}{suffix}"))
            run.say(f"[certs] Using existing {spec.base} {'' if keyed else 'keyless '}certificate authority")
            return
        certificates.create_authority(run, config, spec, data.cert_write_dir)

    return action


def run_leaf(spec: CertSpec) -> Action:
    """One certificate of an authority."""

    def action(data: InitData) -> Steps:
        run, config = data.run, data.config
        if config.external_etcd and spec.authority == "etcd-ca":
            run.say(f"[certs] External etcd mode: Skipping {spec.base} certificate generation")
            return
        yield from run.pause(20, 60)
        signer = certificates.BY_NAME[spec.authority]
        if run.exists(f"{config.pki}/{spec.base}.crt"):
            cert = certificates.load_cert(run, config.pki, spec.base)
            certificates.check_period(run, spec.base, cert)
            try:
                ca = certificates.load_cert(run, config.pki, signer.base)
            except Failure as failed:
                raise Failure(f"couldn't load CA certificate {signer.name}: {failed}") from None
            certificates.check_period(run, signer.base, ca)
            problem = x509.verify(run.world, cert, ca)
            if problem:
                raise Failure(f"[certs] certificate {spec.base} not signed by CA certificate {signer.base}: {problem}")
            run.say(f"[certs] Using existing {spec.base} certificate and key on disk")
            return
        authority = certificates.load_authority(run, data.cert_write_dir, signer)
        certificates.create_leaf(run, config, spec, authority, data.cert_write_dir)

    return action


def run_account_key(data: InitData) -> Steps:
    """sa.key and sa.pub."""
    yield from data.run.pause(20, 60)
    if data.external_ca:
        data.run.say("[certs] Using existing sa keys")
        return
    certificates.create_account_key(data.run, data.config, data.cert_write_dir)


# -- kubeconfigs ----------------------------------------------------------------------------------------------------------------


def run_kubeconfig(data: InitData) -> Steps:
    """Say where."""
    data.run.say(f'[kubeconfig] Using kubeconfig folder "{data.kubeconfig_dir}"')
    return
    yield


def run_kubeconfig_file(name: str) -> Action:
    """One file."""

    def action(data: InitData) -> Steps:
        run = data.run
        if data.external_ca:
            run.say(f"[kubeconfig] External CA mode: Using user provided {name}")
            return
        yield from run.pause(40, 140)
        kubeconfigs.create(run, data.config, name, data.kubeconfig_dir, data.cert_write_dir, local_only=name == "kubelet.conf")

    return action


# -- manifests ------------------------------------------------------------------------------------------------------------------


def run_etcd(data: InitData) -> Steps:
    """etcd.yaml and its data directory."""
    run, config = data.run, data.config
    if config.external_etcd:
        run.info("etcd.go:96", "[etcd] External etcd mode. Skipping the creation of a manifest for local etcd")
        return
    yield from run.pause(5, 20)
    folder = config.cluster["etcd"]["local"]["dataDir"]
    if data.dry_run:
        run.say(f'[etcd] Would ensure that "{folder}" directory is present')
    elif run.is_root:
        run.mkdir(folder, 0o700)
    run.say(f'[etcd] Creating static Pod manifest for local etcd in "{data.manifest_dir}"')
    pod = manifests.etcd(config.cluster, config.node, config.ip, patience=config.timeout(HEALTH) // 10**9, tool=run.version)
    write_manifest(run, data.manifest_dir, "etcd", pod, data.patches)
    if data.dry_run:
        print_files(run, [(f"{data.manifest_dir}/etcd.yaml", "/etc/kubernetes/manifests/etcd.yaml")])


HEALTH = "controlPlaneComponentHealthCheck"


def write_manifest(run: Run, folder: str, name: str, pod: manifests.Json, patch_dir: str) -> None:
    """A static pod's file, patched first."""
    if patch_dir:
        try:
            pod = patches.apply(run, patch_dir, name, pod)
        except Failure as failed:
            raise Failure(f'failed to patch static Pod manifest file for "{name}": {failed}') from None
    try:
        run.mkdir(folder, 0o700)
        run.write(f"{folder}/{name}.yaml", manifests.dump(pod), 0o600)
    except OSError as error:
        raise Failure(
            f'failed to create static pod manifest file for "{name}": failed to create directory "{folder}": {go_error(error, "mkdir")}'
        ) from None


def run_control_plane(data: InitData) -> Steps:
    """Say where."""
    data.run.say(f'[control-plane] Using manifest folder "{data.manifest_dir}"')
    return
    yield


def component_pod(run: Run, config: InitConfig, name: str) -> manifests.Json:
    """The static pod of a component."""
    patience = config.timeout(HEALTH) // 10**9
    if name == "kube-apiserver":
        modes = manifests.argument(config.cluster.get("apiServer") or {}, "authorization-mode")
        if modes and modes != "Node,RBAC":
            run.warn("manifests.go:288", f'the default kube-apiserver authorization-mode is "Node,RBAC"; using "{modes}"')
        return manifests.apiserver(config.cluster, config.ip, config.port, patience=patience)
    if name == "kube-scheduler":
        return manifests.scheduler(config.cluster, patience=patience)
    try:
        external = certificates.external_authority(run, config.pki)
    except Failure:
        external = True
    return manifests.controller_manager(config.cluster, external_ca=external, patience=patience)


def run_component(name: str) -> Action:
    """One component's manifest."""

    def action(data: InitData) -> Steps:
        yield from data.run.pause(3, 15)
        data.run.say(f'[control-plane] Creating static Pod manifest for "{name}"')
        write_manifest(data.run, data.manifest_dir, name, component_pod(data.run, data.config, name), data.patches)

    return action


def print_files(run: Run, pairs: list[tuple[str, str]]) -> None:
    """Show what a dry run wrote (`PrintDryRunFiles`): (file, where it would be)."""
    for path, real in pairs:
        if not run.exists(path):
            continue
        shown = path.rpartition("/")[2]
        run.say(f'[dryrun] Would write file "{real or shown}" with content:')
        run.out(run.read(path))


# -- the kubelet ----------------------------------------------------------------------------------------------------------------


def run_kubelet_start(data: InitData) -> Steps:
    """The kubelet's files, then its service."""
    run, config = data.run, data.config
    if not data.dry_run:
        stop_kubelet(run)
    yield from run.pause(20, 80)
    kubeletfiles.write_env(run, config, data.kubelet_dir, taints=False)
    kubeletfiles.write_instance(run, config, data.kubelet_dir)
    kubeletfiles.write_config(run, config, data.kubelet_dir, data.patches)
    if not data.dry_run:
        run.say("[kubelet-start] Starting the kubelet")
        start_kubelet(run)


def stop_kubelet(run: Run) -> None:
    """`TryStopKubelet`."""
    try:
        systemd.stop_unit(run.world, run.host, "kubelet.service")
    except unitfiles.UnitNotFound:
        run.say(
            "[kubelet-start] Couldn't detect a kubelet service, can't make sure the kubelet not running for a short period of time while "
            "setting up configuration for it."
        )


def start_kubelet(run: Run) -> None:
    """`TryStartKubelet`."""
    try:
        systemd.restart_unit(run.world, run.host, "kubelet.service")
    except unitfiles.UnitNotFound:
        run.say("[kubelet-start] Couldn't detect a kubelet service, can't make sure the kubelet is running properly.")
        run.warn(
            "kubelet.go:39", "[kubelet-start] WARNING: unable to start the kubelet service: [couldn't find a kubelet service]\n"
        )
        run.say("[kubelet-start] Please ensure kubelet is reloaded and running manually.")


def run_wait(data: InitData) -> Steps:
    """Until kubelet and components are healthy."""
    run, config = data.run, data.config
    if data.dry_run:
        pairs = [(f"{data.manifest_dir}/{name}.yaml", f"/etc/kubernetes/manifests/{name}.yaml") for name in cluster.COMPONENTS]
        for name in ("config.yaml", "kubeadm-flags.env"):
            pairs.append((f"{data.kubelet_dir}/{name}", f"/var/lib/kubelet/{name}"))
        folder = data.manifest_dir
        run.say(f'[dryrun] Wrote certificates, kubeconfig files and control plane manifests to the "{folder}" directory')
        run.say("[dryrun] The certificates or kubeconfig files would not be printed due to their sensitive nature")
        run.say(f'[dryrun] Please examine the "{folder}" directory for details about what would be written')
        print_files(run, pairs)
        run.say(
            f'[wait-control-plane] Waiting for the kubelet to boot up the control plane as static Pods from directory "{data.manifest_dir}"'
        )
        kubelet = config.kubelet
        address = f"{kubelet['healthzBindAddress']}:{kubelet['healthzPort']}"
        run.say(f"[dryrun] Would make sure the kubelet returns 'ok' at http://{address}/healthz")
        return
    try:
        client = admin_file_client(data)
    except Failure as failed:
        where = "could not bootstrap the admin user in file admin.conf: " if data.kubeconfig_path == ADMIN_CONF else ""
        raise Failure(f"cannot obtain client without bootstrap: {where}{failed}") from None
    run.say(
        f'[wait-control-plane] Waiting for the kubelet to boot up the control plane as static Pods from directory "{data.manifest_dir}"'
    )
    kubelet = config.kubelet
    try:
        yield from cluster.wait_for_kubelet(
            run, str(kubelet["healthzBindAddress"]), int(kubelet["healthzPort"]), config.timeout("kubeletHealthCheck")
        )
    except Failure as failed:
        run.out(cluster.KUBELET_HELP)
        raise Failure(f"failed while waiting for the kubelet to start: {failed}") from None
    try:
        yield from cluster.wait_for_components(run, client, config.ip, config.timeout(HEALTH), data.manifest_dir)
    except Failure as failed:
        run.out(cluster.CONTROL_PLANE_HELP.format(socket=config.socket))
        raise Failure(f"failed while waiting for the control plane to start: {failed}") from None
    yield from data.client()


def admin_file_client(data: InitData) -> KubeClient:
    """A client of the kubeconfig as it is, at this machine's API server."""
    try:
        return data.run.client(data.kubeconfig_path, data.config.local_server)
    except (OSError, BadInput) as error:
        raise Failure(reason(error)) from None


# -- through the API --------------------------------------------------------------------------------------------------------------


def run_upload_kubeadm(data: InitData) -> Steps:
    """kubeadm-config."""
    client = yield from data.client()
    yield from upload_kubeadm(data.run, data.config, client)


def upload_kubeadm(run: Run, config: InitConfig, client: KubeClient) -> Steps:
    """The ClusterConfiguration as a ConfigMap (`UploadConfiguration`)."""
    run.say('[upload-config] Storing the configuration used in ConfigMap "kubeadm-config" in the "kube-system" Namespace')
    try:
        objects = addons.kubeadm_config(dump("ClusterConfiguration", config.cluster))
        yield from cluster.apply(run, client, objects, timeout=config.timeout("kubernetesAPICall"))
    except Failure as failed:
        raise Failure(f"error uploading the kubeadm ClusterConfiguration: {failed}") from None


def run_upload_kubelet(data: InitData) -> Steps:
    """kubelet-config."""
    client = yield from data.client()
    yield from upload_kubelet(data.run, data.config, client)


def upload_kubelet(run: Run, config: InitConfig, client: KubeClient) -> Steps:
    """The KubeletConfiguration as a ConfigMap (`CreateConfigMap`)."""
    run.say(
        '[kubelet] Creating a ConfigMap "kubelet-config" in namespace kube-system with the configuration for the kubelets in the cluster'
    )
    try:
        yield from cluster.apply(run, client, kubeletfiles.uploaded(run, config), timeout=config.timeout("kubernetesAPICall"))
    except Failure as failed:
        raise Failure(f"error creating kubelet configuration ConfigMap: {failed}") from None


def run_upload_certs(data: InitData) -> Steps:
    """kubeadm-certs."""
    run = data.run
    if not data.upload_certs:
        run.say("[upload-certs] Skipping phase. Please see --upload-certs")
        return
    client = yield from data.client()
    key = str(data.config.init.get("certificateKey") or "")
    if not key:
        key = data.config.init["certificateKey"] = copycerts.new_key(run)
    try:
        yield from copycerts.upload(run, data.config, client, key)
    except Failure as failed:
        raise Failure(f"error uploading certs: {failed}") from None
    if not data.hide_key:
        run.say(f"[upload-certs] Using certificate key:\n{key}")


def run_mark(data: InitData) -> Steps:
    """Labels and taints of this node."""
    config = data.config
    client = yield from data.client()
    yield from cluster.mark_control_plane(data.run, client, config.node, config.init["nodeRegistration"].get("taints"))


RULE_TEXTS = {
    "get-nodes": "Configured RBAC rules to allow Node Bootstrap tokens to get nodes",
    "kubelet-bootstrap": (
        "Configured RBAC rules to allow Node Bootstrap tokens to post CSRs in order for nodes to get long term certificate credentials"
    ),
    "node-autoapprove-bootstrap": (
        "Configured RBAC rules to allow the csrapprover controller automatically approve CSRs from a Node Bootstrap Token"
    ),
    "node-autoapprove-certificate-rotation": (
        "Configured RBAC rules to allow certificate rotation for all node client certificates in the cluster"
    ),
    "apiserver-kubelet-client": (
        "Configured RBAC rules to allow the API server kubelet client certificate to access the kubelet API"
    ),
}


def bootstrap_rules(run: Run, client: KubeClient, timeout: int) -> Steps:
    """What bootstrap tokens, nodes and the API server may do."""
    for name in addons.BOOTSTRAP_RULES:
        run.say(f"[bootstrap-token] {RULE_TEXTS[name]}")
        yield from cluster.apply(run, client, addons.bootstrap_rule(name), timeout=timeout)


def run_bootstrap_token(data: InitData) -> Steps:
    """Tokens, their RBAC and cluster-info."""
    run, config = data.run, data.config
    client = yield from data.client()
    admin = kubeconfigs.load(run, data.kubeconfig_path)
    if not data.hide_token:
        shown = data.tokens
        run.say(
            f"[bootstrap-token] Using token: {shown[0]}" if len(shown) == 1
            else f"[bootstrap-token] Using tokens: [{' '.join(shown)}]"
        )  # fmt: skip
    run.say("[bootstrap-token] Configuring bootstrap tokens, cluster-info ConfigMap, RBAC Roles")
    timeout = config.timeout("kubernetesAPICall")
    try:
        yield from tokens.create(run, client, config.init["bootstrapTokens"], fail_if_exists=False)
    except Failure as failed:
        raise Failure(f"error updating or creating token: {failed}") from None
    yield from bootstrap_rules(run, client, timeout)
    run.say('[bootstrap-token] Creating the "cluster-info" ConfigMap in the "kube-public" namespace')
    _, entry = kubeconfigs.current_cluster(admin)
    public = {
        "apiVersion": "v1", "clusters": [{"cluster": entry, "name": ""}], "contexts": None, "current-context": "", "kind": "Config",
        "users": None,
    }  # fmt: skip
    try:
        yield from cluster.apply(run, client, addons.cluster_info(kubeconfigs.dump(public)), timeout=timeout)
    except Failure as failed:
        raise Failure(f"error creating bootstrap ConfigMap: {failed}") from None
    yield from cluster.apply(run, client, addons.cluster_info_rules(), timeout=timeout)


def run_finalize(data: InitData) -> Steps:
    """Let the kubelet rotate its own certificate."""
    run = data.run
    pem, path = f"{data.kubelet_dir}/pki/kubelet-client-current.pem", f"{data._kubeconfig_dir}/kubelet.conf"
    extra = data.config.init["nodeRegistration"].get("kubeletExtraArgs") or ()
    for arg in extra:
        if arg.get("name") == "cert-dir":
            pem = f"{arg.get('value')}/kubelet-client-current.pem"
    if not run.exists(pem):
        return
    run.say(f'[kubelet-finalize] Updating "{path}" to point to a rotatable kubelet client certificate and key')
    if data.dry_run:
        return
    try:
        found = kubeconfigs.load(run, path)
    except Failure as failed:
        raise Failure(f'could not load "{path}": {failed}') from None
    user = kubeconfigs.current_user(found)
    if user is None:
        raise Failure(f'the file "{path}" does not have current context set')
    user.clear()
    user.update({"client-certificate": pem, "client-key": pem})
    run.write(path, kubeconfigs.dump(found), 0o600)
    systemd.restart_unit(run.world, run.host, "kubelet.service")
    yield from run.pause(100, 300)


def run_coredns(data: InitData) -> Steps:
    """The DNS add-on."""
    run, config = data.run, data.config
    objects = dns_objects(run, config)
    if _printed(data, objects, _DNS_SHOWN):
        return
    client = yield from data.client()
    if isinstance(client, DryClient):
        client.list("deployments", "kube-system")
        with contextlib.suppress(ApiError):
            client.get("configmaps", "kube-system", "coredns")
    yield from install_dns(run, config, client, objects)


def dns_objects(run: Run, config: InitConfig, replicas: int = 2) -> list[tuple[str, manifests.Json]]:
    """CoreDNS's objects for a configuration."""
    net = config.cluster["networking"]
    objects = addons.coredns(
        image=images.dns(config.cluster, run.version),
        domain=net["dnsDomain"],
        address=cluster.service_address(net["serviceSubnet"], 10),
        replicas=replicas,
    )
    return _in_order(objects, "configmaps clusterroles clusterrolebindings serviceaccounts deployments services")


def _in_order(objects: list[tuple[str, manifests.Json]], resources: str) -> list[tuple[str, manifests.Json]]:
    order = resources.split()
    return sorted(objects, key=lambda pair: order.index(pair[0]))


#: The orders in which --print-manifest shows the add-ons' objects.
_DNS_SHOWN = "deployments configmaps services clusterroles clusterrolebindings serviceaccounts"
_PROXY_SHOWN = "serviceaccounts clusterrolebindings roles rolebindings configmaps daemonsets"


def install_dns(run: Run, config: InitConfig, client: KubeClient, objects: list[tuple[str, manifests.Json]]) -> Steps:
    """Apply them; a Corefile that somebody changed stays."""
    yield from cluster.apply(run, client, objects, timeout=config.timeout("kubernetesAPICall"))
    run.say("[addons] Applied essential addon: CoreDNS")


def run_kube_proxy(data: InitData) -> Steps:
    """The proxy add-on."""
    run, config = data.run, data.config
    objects = proxy_objects(config)
    if _printed(data, objects, _PROXY_SHOWN):
        return
    client = yield from data.client()
    yield from cluster.apply(run, client, objects, timeout=config.timeout("kubernetesAPICall"))
    run.say("[addons] Applied essential addon: kube-proxy")


def proxy_objects(config: InitConfig) -> list[tuple[str, manifests.Json]]:
    """kube-proxy's objects for a configuration."""
    objects = addons.kube_proxy(
        config.server,
        config=config.proxy,
        supplied="KubeProxyConfiguration" in config.user_supplied,
        image=images.component("kube-proxy", config.cluster),
    )
    return _in_order(objects, "configmaps daemonsets serviceaccounts clusterrolebindings roles rolebindings")


def _printed(data: InitData, objects: list[tuple[str, manifests.Json]], order: str) -> bool:
    """Whether the add-on is only shown, by --print-manifest."""
    values = data.run.values
    if values.has("print-manifest") and values.on("print-manifest"):
        for _, obj in _in_order(objects, order):
            data.run.out("---\n" + goyaml.dump(obj))
        return True
    return False


# -- the end --------------------------------------------------------------------------------------------------------------------

DONE = """
Your Kubernetes control-plane has initialized successfully!

To start using your cluster, you need to run the following as a regular user:

  mkdir -p $HOME/.kube
  sudo cp -i {path} $HOME/.kube/config
  sudo chown $(id -u):$(id -g) $HOME/.kube/config

Alternatively, if you are the root user, you can run:

  export KUBECONFIG=/etc/kubernetes/admin.conf

You should now deploy a pod network to the cluster.
Run "kubectl apply -f [podnetwork].yaml" with one of the options listed at:
  https://kubernetes.io/docs/concepts/cluster-administration/addons/

"""
UPLOADED = """\
You can now join any number of control-plane nodes running the following command on each as root:

  {command}

Please note that the certificate-key gives access to cluster sensitive data, keep it secret!
As a safeguard, uploaded-certs will be deleted in two hours; If necessary, you can use
"kubeadm init phase upload-certs --upload-certs" to reload certs afterward.

"""
COPIED = """\
You can now join any number of control-plane nodes by copying certificate authorities
and service account keys on each node and then running the following as root:

  {command}

"""
WORKERS = "Then you can join any number of worker nodes by running the following on each as root:\n\n{command}\n"


def show_join_command(data: InitData) -> Steps:
    """How to use the cluster and how to join it."""
    run = data.run
    yield from run.pause(10, 40)
    path = data.kubeconfig_path
    for token in data.tokens:
        try:
            key = str(data.config.init.get("certificateKey") or "")
            plane = kubeconfigs.join_command(
                run, path, token, key, control_plane=True, hide_token=data.hide_token, hide_key=data.hide_key
            )
            worker = kubeconfigs.join_command(run, path, token, hide_token=data.hide_token)
        except Failure as failed:
            raise Failure(f"failed to print join command: {failed}") from None
        text = DONE.format(path=path)
        if data.config.cluster.get("controlPlaneEndpoint"):
            text += (UPLOADED if data.upload_certs else COPIED).format(command=plane)
        run.out(text + WORKERS.format(command=worker))
