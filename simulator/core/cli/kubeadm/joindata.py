"""What the phases of `kubeadm join` share (cmd/join.go: joinOptions, joinData)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...host.program import Wait
from ...kernel.errors import BadInput
from ...kube.client import KubeClient
from . import config, discovery, documents, fetching, kubeconfigs, validation
from .config import InitConfig
from .run import ADMIN_CONF, KUBELET_DIR, KUBERNETES_DIR, MANIFESTS, Failure, Run, dry_run_dir, go_error, reason

Json = dict[str, Any]


class JoinData:
    """The configuration and options of one run of join or of one of its phases."""

    def __init__(self, run: Run) -> None:
        self.run, values = run, run.values

        def text(name: str) -> str:
            return values.text(name) if values.has(name) else ""

        def on(name: str) -> bool:
            return values.on(name) if values.has(name) else False

        validation.mixed_arguments(run)
        #: The kubeconfig for the bootstrap, once it is discovered.
        self.bootstrap: Json | None = None
        self._init: InitConfig | None = None
        self._client: KubeClient | None = None
        given = self._from_flags(text, on)
        if run.exists(ADMIN_CONF) and on("control-plane"):
            run.info("join.go:378", f"[preflight] found {ADMIN_CONF}. Use it for skipping discovery")
            try:
                self.bootstrap = kubeconfigs.load(run, ADMIN_CONF)
            except Failure as failed:
                raise Failure(f"Error loading {ADMIN_CONF}: {failed}") from None
        if not values.has("discovery-file"):
            if not run.exists(ADMIN_CONF):
                raise Failure(
                    f"File {ADMIN_CONF} does not exists. Please use 'kubeadm join phase control-plane-prepare' subcommands to generate it."
                )
            given["discovery"] = {"file": {"kubeConfigPath": ADMIN_CONF}}
        self.body = self._load(text("config"), given)
        own = self.body["nodeRegistration"].get("ignorePreflightErrors") or ()
        asked = values.items("ignore-preflight-errors") if values.has("ignore-preflight-errors") else []
        self.ignored = validation.ignored_checks(asked, own)
        for flag, key in (("node-name", "name"), ("cri-socket", "criSocket")):
            if text(flag):
                self.body["nodeRegistration"][key] = text(flag)
        self.dry_run = on("dry-run") or bool(self.body.get("dryRun"))
        self.dry_run_dir = dry_run_dir(run, "KUBEADM_JOIN_DRYRUN_DIR", "kubeadm-join-dryrun") if self.dry_run else ""
        self.patches = text("patches") or str((self.body.get("patches") or {}).get("directory") or "")

    def _from_flags(self, text: Any, on: Any) -> Json:
        run, values = self.run, self.run.values
        token = text("token")
        discovery_of: Json = {"tlsBootstrapToken": text("tls-bootstrap-token") or token}
        if run.args:
            discovery_of["bootstrapToken"] = {
                "apiServerEndpoint": run.args[0],
                "token": text("discovery-token") or token,
                "caCertHashes": (
                    values.items("discovery-token-ca-cert-hash") if values.has("discovery-token-ca-cert-hash") else []
                ),
                "unsafeSkipCAVerification": on("discovery-token-unsafe-skip-ca-verification"),
            }
        if text("discovery-file"):
            discovery_of["file"] = {"kubeConfigPath": text("discovery-file")}
        body: Json = {"discovery": discovery_of, "nodeRegistration": {"name": text("node-name"), "criSocket": text("cri-socket")}}
        port = values.number("apiserver-bind-port") if values.has("apiserver-bind-port") else 6443
        if on("control-plane"):
            body["controlPlane"] = {
                "certificateKey": text("certificate-key"),
                "localAPIEndpoint": {"advertiseAddress": text("apiserver-advertise-address"), "bindPort": port},
            }
        elif text("certificate-key") or text("apiserver-advertise-address") or port != 6443:
            run.warn(
                "join.go:367",
                "[preflight] WARNING: --control-plane is also required when passing control-plane related flags such as [certificate-key, "
                "apiserver-advertise-address, apiserver-bind-port]",
            )
        return body

    def _load(self, path: str, given: Json) -> Json:
        run, detect = self.run, self.run.values.has("cri-socket")
        if path:
            try:
                text = run.read(path).decode("utf-8", "replace")
            except OSError as error:
                raise Failure(f'unable to read config from "{path}" : {go_error(error)}') from None
            given = config.single(run, documents.split(text), "JoinConfiguration", strict=False, allow_deprecated=False)
        body = config.default_join(run, given, detect=detect)
        validation.raise_for(validation.join_configuration(run, body))
        return body

    # -- what it is -----------------------------------------------------------------------------------------------------
    @property
    def control_plane(self) -> bool:
        """Whether the machine becomes a control plane."""
        return self.body.get("controlPlane") is not None

    @property
    def certificate_key(self) -> str:
        """The key of the uploaded certificates, or ""."""
        return str((self.body.get("controlPlane") or {}).get("certificateKey") or "")

    @property
    def folder(self) -> str:
        """Where kubeconfigs are written."""
        return self.dry_run_dir if self.dry_run else KUBERNETES_DIR

    @property
    def manifest_dir(self) -> str:
        """Where manifests are written."""
        return self.dry_run_dir if self.dry_run else MANIFESTS

    @property
    def kubelet_dir(self) -> str:
        """Where the kubelet's files are written."""
        return self.dry_run_dir if self.dry_run else KUBELET_DIR

    def timeout(self, name: str) -> int:
        """One of the timeouts, ns."""
        return discovery.timeout(self.body, name)

    # -- what the cluster says ------------------------------------------------------------------------------------------
    def discovered(self) -> Generator[Wait, Any, Json]:
        """The bootstrap kubeconfig."""
        if self.bootstrap is None:
            self.run.info("join.go:523", "[preflight] Discovering cluster-info")
            self.bootstrap = yield from discovery.discover(self.run, self.body)
        return self.bootstrap

    def bootstrap_client(self) -> Generator[Wait, Any, KubeClient]:
        """A client with the bootstrap's credentials."""
        found = yield from self.discovered()
        try:
            return self.run.client_of(kubeconfigs.dump(found).encode())
        except (OSError, BadInput) as error:
            raise Failure(f"unable to access the cluster: {reason(error)}") from None

    def init(self) -> Generator[Wait, Any, InitConfig]:
        """The cluster's configuration, with this node's registration."""
        if self._init is not None:
            return self._init
        client = yield from self.bootstrap_client()
        self.run.info("join.go:537", "[preflight] Fetching init configuration")
        try:
            found = yield from fetching.fetch(self.run, client, "preflight", registration=False, endpoint=False, components=True)
        except Failure as failed:
            raise Failure(f"unable to fetch the kubeadm-config ConfigMap: {failed}") from None
        assert self.bootstrap is not None
        name = str(found.cluster["clusterName"])
        self.bootstrap["clusters"] = [{"cluster": kubeconfigs.current_cluster(self.bootstrap)[1], "name": name}]
        context = kubeconfigs.named(self.bootstrap, "contexts", str(self.bootstrap.get("current-context")))
        if context is not None:
            context["context"]["cluster"] = name
        found.init["nodeRegistration"] = self.body["nodeRegistration"]
        found.init["timeouts"] = self.body.get("timeouts")
        if self.control_plane:
            found.init["localAPIEndpoint"] = self.body["controlPlane"]["localAPIEndpoint"]
        self._init = found
        return found

    def client(self) -> KubeClient:
        """The administrator's client that a control plane has by then."""
        if self._client is None:
            try:
                self._client = self.run.client(f"{self.folder}/admin.conf")
            except (OSError, BadInput) as error:
                raise Failure(
                    f"[preflight] couldn't create Kubernetes client: failed to load admin kubeconfig: {reason(error)}"
                ) from None
        return self._client
