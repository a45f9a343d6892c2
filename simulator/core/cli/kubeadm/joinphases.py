"""The phases of `kubeadm join` (cmd/phases/join)."""

from __future__ import annotations

from ...kernel.clock import SECOND
from ...kernel.errors import BadInput, ConnectError
from ...kube.api.errors import ApiError
from ...kube.kubeadm import manifests
from . import certificates, cluster, copycerts, etcdmembers, kubeconfigs, kubeletfiles, preflight
from .initphases import HEALTH, PULLING, component_pod, print_files, start_kubelet, stop_kubelet, write_manifest
from .joindata import JoinData
from .run import KUBELET_CONF, Failure, Steps, reason

_NOT_READY = """
One or more conditions for hosting a new control plane instance is not satisfied.

{0}

Please ensure that:
* The cluster has a stable controlPlaneEndpoint address.
* The certificates that must be shared among control plane instances are provided.

"""


def run_preflight(data: JoinData) -> Steps:
    """Checks, of the node and of a control plane."""
    run = data.run
    run.say("[preflight] Running pre-flight checks")
    preflight.root_only(run, data.ignored)
    yield from run.pause(300, 900)
    preflight.report(run, preflight.join_checks(run, data.body), data.ignored)
    config = yield from data.init()
    if not data.control_plane:
        return
    problem = ""
    if not config.cluster.get("controlPlaneEndpoint"):
        problem = (
            "unable to add a new control plane instance to a cluster that doesn't have a stable controlPlaneEndpoint address"
        )
    elif not data.certificate_key:
        found = certificates.shared_exist(run, config)
        problem = found[0] if len(found) == 1 else f"[{', '.join(found)}]" if found else ""
    if problem:
        raise Failure(_NOT_READY.format(problem))
    run.say("[preflight] Running pre-flight checks before initializing the new control plane instance")
    checks = preflight.init_checks(run, config, secondary=True, downloads=bool(data.certificate_key))
    preflight.report(run, checks, data.ignored)
    if data.dry_run:
        run.say("[preflight] Would pull the required images (like 'kubeadm config images pull')")
        return
    run.say(PULLING.format("preflight"))
    yield from preflight.pull_images(run, config, data.ignored)


# -- a control plane's files ----------------------------------------------------------------------------------------------------


def _pki(data: JoinData, folder: str) -> str:
    return data.dry_run_dir if data.dry_run else folder


def run_download(data: JoinData) -> Steps:
    """The certificates that init uploaded."""
    if not data.control_plane or not data.certificate_key:
        data.run.info("controlplaneprepare.go:244", "[download-certs] Skipping certs download")
        return
    config = yield from data.init()
    shown, client = config.pki, (yield from data.bootstrap_client())
    folder = _pki(data, shown)
    config.cluster["certificatesDir"] = folder
    try:
        yield from copycerts.download(data.run, config, client, data.certificate_key, folder)
    except Failure as failed:
        raise Failure(f"error downloading certs: {failed}") from None
    finally:
        config.cluster["certificatesDir"] = shown


def run_certs(data: JoinData) -> Steps:
    """Certificates of the new control plane's components."""
    if not data.control_plane:
        return
    config = yield from data.init()
    data.run.say(f'[certs] Using certificateDir folder "{config.pki}"')
    yield from data.run.pause(100, 400)
    folder = _pki(data, config.pki)
    certificates.create_all(data.run, config, folder, folder)


def run_kubeconfig(data: JoinData) -> Steps:
    """Kubeconfigs of the new control plane's components."""
    if not data.control_plane:
        return
    config, run = (yield from data.init()), data.run
    run.say("[kubeconfig] Generating kubeconfig files")
    run.say(f'[kubeconfig] Using kubeconfig folder "{data.folder}"')
    folder = _pki(data, config.pki)
    external = not run.exists(f"{folder}/ca.key")
    yield from run.pause(100, 300)
    try:
        for name in ("admin.conf", "controller-manager.conf", "scheduler.conf"):
            if external:
                run.say(f"[kubeconfig] External CA mode: Using user provided {name}")
            else:
                kubeconfigs.create(run, config, name, data.folder, folder)
    except Failure as failed:
        raise Failure(f"error generating kubeconfig files: {failed}") from None


def run_control_plane(data: JoinData) -> Steps:
    """Manifests of the new control plane's components."""
    if not data.control_plane:
        return
    config, run = (yield from data.init()), data.run
    run.say(f'[control-plane] Using manifest folder "{data.manifest_dir}"')
    for name in cluster.COMPONENTS:
        run.say(f'[control-plane] Creating static Pod manifest for "{name}"')
        write_manifest(run, data.manifest_dir, name, component_pod(run, config, name), data.patches)


def run_check_etcd(data: JoinData) -> Steps:
    """Whether etcd is well before it gets another member."""
    if not data.control_plane:
        return
    config, run = (yield from data.init()), data.run
    if config.external_etcd:
        run.say("[check-etcd] Skipping etcd check in external mode")
        return
    if data.dry_run:
        run.say("[dryrun] Would check that the etcd cluster is healthy")
        return
    run.say("[check-etcd] Checking that the etcd cluster is healthy")
    members = yield from etcdmembers.connect(run, data.client(), config, config.pki)
    well, problem = yield from members.healthy()
    if not well:
        raise Failure(f"etcd cluster is not healthy: {problem}")


# -- the kubelet ------------------------------------------------------------------------------------------------------------------


def run_kubelet_start(data: JoinData) -> Steps:
    """The bootstrap kubeconfig and the kubelet's files, then its service."""
    config, run = (yield from data.init()), data.run
    client, bootstrap = (yield from data.bootstrap_client()), (yield from data.discovered())
    _, entry = kubeconfigs.current_cluster(bootstrap)
    if data.control_plane:
        entry["server"] = config.local_server
    run.write(f"{data.folder}/bootstrap-kubelet.conf", kubeconfigs.dump(bootstrap), 0o600)
    path = f"{data.dry_run_dir}/ca.crt" if data.dry_run else str(data.body["caCertPath"])
    if not run.exists(path):
        run.write(path, kubeconfigs.authority_of(run, entry))
    run.info(
        "kubelet.go:190",
        f'[kubelet-start] Checking for an existing Node in the cluster with name "{config.node}" and status "Ready"',
    )
    try:
        conditions = (client.get("nodes", None, config.node).get("status") or {}).get("conditions") or ()
    except ApiError as error:
        if error.code != 404:
            raise Failure(f'cannot get Node "{config.node}": {error}') from None
        conditions = ()
    except ConnectError as error:
        raise Failure(f'cannot get Node "{config.node}": {reason(error, client)}') from None
    if any(item["type"] == "Ready" and item["status"] == "True" for item in conditions):
        raise Failure(
            f'a Node with name "{config.node}" and status "Ready" already exists in the cluster. You must delete the existing Node or change '
            "the name of this new joining Node"
        )
    if data.dry_run:
        run.say("[kubelet-start] Would stop the kubelet")
    else:
        stop_kubelet(run)
    yield from run.pause(20, 80)
    kubeletfiles.write_instance(run, config, data.kubelet_dir)
    kubeletfiles.write_config(run, config, data.kubelet_dir, data.patches)
    kubeletfiles.write_env(run, config, data.kubelet_dir, taints=not data.control_plane)
    if data.dry_run:
        run.say("[kubelet-start] Would start the kubelet")
        names = [*(f"{name}.yaml" for name in cluster.COMPONENTS)] if data.control_plane else []
        print_files(
            run,
            [(f"{data.manifest_dir}/{name}", f"/etc/kubernetes/manifests/{name}") for name in names]
            + [(f"{data.kubelet_dir}/{name}", f"/var/lib/kubelet/{name}") for name in ("config.yaml", "kubeadm-flags.env")],
        )
        return
    run.say("[kubelet-start] Starting the kubelet")
    start_kubelet(run)


def run_kubelet_wait(data: JoinData) -> Steps:
    """Until the kubelet is healthy and has its own certificate."""
    run = data.run
    if data.dry_run:
        run.say("[kubelet-wait] Would wait for the kubelet to be bootstrapped")
        return
    config = yield from data.init()
    try:
        kubelet = config.kubelet
        address, port = str(kubelet.get("healthzBindAddress") or "127.0.0.1"), int(kubelet.get("healthzPort", 10248))
        try:
            yield from cluster.wait_for_kubelet(run, address, port, data.timeout("kubeletHealthCheck"))
        except Failure as failed:
            run.out(cluster.KUBELET_HELP)
            raise Failure(f"failed while waiting for the kubelet to start: {failed}") from None
        run.say("[kubelet-start] Waiting for the kubelet to perform the TLS Bootstrap")

        def bootstrapped() -> bool:
            try:
                run.client(KUBELET_CONF)
            except (OSError, BadInput):
                return False
            return True

        if not (yield from run.poll(bootstrapped, SECOND, data.timeout("tlsBootstrap"))):
            run.out(cluster.KUBELET_HELP)
            raise Failure("failed while waiting for TLS bootstrap: context deadline exceeded")
    finally:
        run.remove(f"{data.folder}/bootstrap-kubelet.conf")


# -- a control plane joins ----------------------------------------------------------------------------------------------------------


def run_etcd_join(data: JoinData) -> Steps:
    """A learner's manifest, then its promotion."""
    if not data.control_plane:
        return
    config, run = (yield from data.init()), data.run
    if config.external_etcd:
        run.say("[control-plane-join] Using external etcd - no local stacked instance added")
        return
    folder, url = config.cluster["etcd"]["local"]["dataDir"], etcdmembers.peer_url(config)
    if data.dry_run:
        run.say(f'[control-plane-join] Would ensure that "{folder}" directory is present')
    else:
        run.mkdir(folder, 0o700)
    try:
        yield from _stack(data, url)
    except Failure as failed:
        raise Failure(f"error creating local etcd static pod manifest file: {failed}") from None


def _stack(data: JoinData, url: str) -> Steps:
    """`CreateStackedEtcdStaticPodManifestFile`."""
    config, run = (yield from data.init()), data.run
    members, group = None, [(config.node, url)]
    if data.dry_run:
        run.say(f"[etcd] Would add etcd member: {url}")
    else:
        members = yield from etcdmembers.connect(run, data.client(), config, config.pki)
        run.info("local.go:147", f"[etcd] Adding etcd member: {url}")
        group = yield from members.add(config.node, url)
        run.say("[etcd] Announced new etcd member joining to the existing etcd cluster")
    run.say('[etcd] Creating static Pod manifest for "etcd"')
    patience = config.timeout(HEALTH) // SECOND
    pod = manifests.etcd(config.cluster, config.node, config.ip, members=group, patience=patience, tool=run.version)
    write_manifest(run, data.manifest_dir, "etcd", pod, data.patches)
    if members is None:
        print_files(run, [(f"{data.manifest_dir}/etcd.yaml", "/etc/kubernetes/manifests/etcd.yaml")])
        run.say("[etcd] Would wait for the new etcd member to join the cluster")
        return
    ident = yield from members.find(url)
    if ident is None:
        raise Failure("etcd member with the given peer URL does not exist")
    yield from members.promote(ident)
    run.say("[etcd] Waiting for the new etcd member to join the cluster. This can take up to 40s")
    for attempt in range(8):
        if attempt:
            yield from run.pause(5000, 5000)
        if (yield from members.healthy())[0]:
            return
    raise Failure("timeout waiting for etcd cluster to be available")


def run_mark(data: JoinData) -> Steps:
    """Labels and taints."""
    if not data.control_plane:
        return
    client, config = data.client(), (yield from data.init())
    if data.dry_run:
        data.run.say(f"[control-plane-join] Would mark node {config.node} as a control-plane")
        return
    try:
        yield from cluster.mark_control_plane(data.run, client, config.node, data.body["nodeRegistration"].get("taints"))
    except Failure as failed:
        raise Failure(f"error applying control-plane label and taints: {failed}") from None


def run_wait(data: JoinData) -> Steps:
    """Until the new components are healthy."""
    if not data.control_plane:
        return
    config, run = (yield from data.init()), data.run
    try:
        client = run.client(f"{data.folder}/admin.conf", config.local_server)
    except (OSError, BadInput) as error:
        raise Failure(reason(error)) from None
    if data.dry_run:
        return
    try:
        yield from cluster.wait_for_components(run, client, config.ip, data.timeout(HEALTH), data.manifest_dir)
    except Failure as failed:
        run.out(cluster.CONTROL_PLANE_HELP.format(socket=config.socket))
        raise Failure(f"failed while waiting for the control plane to start: {failed}") from None
