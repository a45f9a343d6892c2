"""The warm half of one running API server: its parsed flags, storage, authenticator, authoriser and kinds.

Rebuilt from the process's command line and etcd at any time; nothing in it is state.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import msgspec

from ...etcd.client import EtcdClient
from ...host import processes
from ...host.process import Process
from ...kernel.world import World
from ..api import packs
from ..api.errors import ApiError
from ..api.kinds import BY_RESOURCE, KindInfo, from_crd
from ..component import version_of
from . import admission, past
from .authn import Authenticator
from .authz import Authorizer
from .metrics import Tally
from .node_authorizer import PodsByNode
from .recent import Recent
from .registry.strategy import Strategy
from .registry.table import strategy_of
from .storage import Storage

Obj = dict[str, Any]
CRD_TOPIC = "registry:apiextensions.k8s.io/customresourcedefinitions"
API_SERVICE_TOPIC = "registry:apiregistration.k8s.io/apiservices"


class Config(msgspec.Struct, omit_defaults=True):
    """What the flags say, in the form that the server uses."""

    advertise_address: str = ""
    secure_port: int = 6443
    service_cidr: str = "10.96.0.0/12"
    second_service_cidr: str = ""
    node_port_low: int = 30000
    node_port_high: int = 32767
    not_ready_seconds: int = 300
    unreachable_seconds: int = 300
    authorization_modes: list[str] = msgspec.field(default_factory=lambda: ["Node", "RBAC"])
    client_ca: bytes = b""
    service_account_issuer: str = "https://kubernetes.default.svc.cluster.local"
    anonymous: bool = True
    #: Seconds that Events are kept.
    event_ttl: int = 3600
    allow_privileged: bool = True
    etcd_servers: list[str] = []
    kubelet_cert: bytes = b""
    admission_plugins: list[str] = []
    disabled_plugins: list[str] = []
    audit_rules: list[Obj] = []
    audit_log: str = ""
    encryption: list[Any] = []
    tokens: dict[str, list[str]] = {}
    service_account_key: bytes = b""
    front_proxy_ca: bytes = b""
    bootstrap_tokens: bool = False


class Server:
    """One API server of one world."""

    def __init__(self, world: World, config: Config, client: EtcdClient, *, netns: str = "", key: str = "") -> None:
        self.world = world
        self.config = config
        self.client = client
        self.netns = netns
        self.key = key
        self.booting = False
        self.stopped = False
        self.ready = True
        self.streams: list[Any] = []
        self._rbac_generation = 0
        self.storage = Storage(client, config.encryption, world.shared)
        self.pods_by_node = PodsByNode(self.storage)
        self.authenticator = Authenticator(self)
        self.authorizer = Authorizer(self)
        self.plugins = admission.enabled(tuple(config.admission_plugins), tuple(config.disabled_plugins))
        self._custom: dict[tuple[str, str], KindInfo] = {}
        self._definitions: dict[tuple[str, str], Obj] = {}
        self._loaded = False
        #: APIServices that another server answers for (aggregation.py); None when they must be read.
        self.remote: dict[tuple[str, str], Obj] | None = None
        self._held: dict[str, list[Obj]] = {}
        #: The revision at which a copy was read last, by prefix below /registry/; state of the process (`program.Running`).
        self.seen: dict[str, int] = {}
        self.tally = Tally()
        self.recent = Recent()

    def kind(self, group: str, version: str, resource: str) -> KindInfo | None:
        """The row that serves a resource in a version, built in or custom."""
        found = BY_RESOURCE.get((group, resource))
        if found is None or (found.since and not packs.serves(self.version, found)):
            found = self._custom_kind(group, resource)
        return found if found is not None and version in found.versions else None

    def _custom_kind(self, group: str, resource: str) -> KindInfo | None:
        if not self._loaded:
            self.load_custom()
        return self._custom.get((group, resource))

    def rbac_stamp(self) -> tuple[int, ...]:
        """Changes whenever a role or binding may have changed; verdicts are cached by it."""
        return (self._rbac_generation,)

    def rbac_changed(self) -> None:
        """A role or binding was written (by this server, or heard by doorbell)."""
        self._rbac_generation += 1

    def strategy(self, kind: KindInfo) -> Strategy:
        """The behaviour of a kind."""
        return strategy_of(kind)

    def copy(self, prefix: str) -> tuple[list[Obj], bool]:
        """The objects under `/registry/<prefix>` that this server keeps a copy of, and whether etcd was there to be asked.

        While etcd is away a copy holds what it held, as the informers of the real server do; in a restored world too, where it is read
        at the revision at which it was made.
        """
        path = b"/registry/" + prefix.encode()
        try:
            found, self.seen[prefix] = self.storage.known(path)
        except ApiError:
            disk = past.reader(self.world, self.seen[prefix]) if prefix in self.seen else None
            if disk is None:
                raise
            storage = Storage(disk, self.config.encryption)  # type: ignore[arg-type]
            storage.share(self.storage)
            return storage.known(path)[0], False
        return found, True

    def held(self, prefix: str) -> list[Obj]:
        """All objects under a prefix that every write asks for (policies, webhooks), read once until one of them changes."""
        found = self._held.get(prefix)
        if found is None:
            objects, fresh = self.copy(prefix)
            found = sorted(objects, key=lambda obj: str(obj["metadata"]["name"]))
            if fresh:
                self._held[prefix] = found
        return found

    def forget(self) -> None:
        """Something that `held` keeps was written: every API server of the world reads it anew."""
        for server in (self, *self.world.warm.get("apiservers", {}).values()):
            server._held.clear()

    @cached_property
    def version(self) -> str:
        """The release of its binary, `v1.36.2`."""
        return version_of(self.process())

    @cached_property
    def pack(self) -> str:
        """The minor release whose types it speaks."""
        return packs.pack_of(self.version)

    def process(self) -> Process | None:
        """The process that this is."""
        host, _, pid = self.key.partition("/")
        return processes.find(self.world, host, int(pid)) if pid.isdigit() else None

    # -- what changes under the server ----------------------------------------------------------------------------------
    def topic_rang(self, topic: str) -> None:
        """A doorbell of something that this server caches."""
        if topic == API_SERVICE_TOPIC:
            self.remote = None
        elif topic == CRD_TOPIC:
            self._loaded = False  # read when next asked for: etcd may be away now
        elif topic.endswith(("roles", "rolebindings")):
            self.rbac_changed()

    def load_custom(self) -> None:
        """Read the established CustomResourceDefinitions anew."""
        found, fresh = self.copy("apiextensions.k8s.io/customresourcedefinitions/")
        self._custom, self._definitions, self._loaded = {}, {}, fresh
        for crd in found:
            if any(
                c["type"] == "Established" and c["status"] == "True" for c in (crd.get("status") or {}).get("conditions") or ()
            ):
                row = from_crd(crd)
                self._custom[(row.group, row.plural)] = row
                self._definitions[(row.group, row.plural)] = crd

    def custom_kinds(self) -> list[KindInfo]:
        """The rows of custom resources, sorted by group and plural."""
        if not self._loaded:
            self.load_custom()
        return [self._custom[key] for key in sorted(self._custom)]

    def leaving(self, kind: KindInfo) -> bool:
        """Whether the kind's CustomResourceDefinition is being deleted."""
        if not self._loaded:
            self.load_custom()
        found = self._definitions.get((kind.group, kind.plural)) or {}
        return bool((found.get("metadata") or {}).get("deletionTimestamp"))

    def definition_spec(self, kind: KindInfo) -> Obj:
        """The CRD's spec."""
        found: Obj = (self._definitions.get((kind.group, kind.plural)) or {}).get("spec") or {}
        return found

    def definition(self, kind: KindInfo, version: str) -> Obj:
        """The CRD's entry for a version: schema, printer columns, subresources."""
        crd = self._definitions.get((kind.group, kind.plural)) or {"spec": {"versions": []}}
        for item in crd["spec"]["versions"]:
            if item["name"] == version:
                return dict(item)
        return {}

    def selectable(self, kind: KindInfo, version: str) -> dict[str, tuple[str, ...]]:
        """The fields that selectors may name in a version of a custom resource, each with its path."""
        paths = [item["jsonPath"].removeprefix(".") for item in self.definition(kind, version).get("selectableFields") or ()]
        return {path: tuple(path.split(".")) for path in paths}

    def deprecation(self, kind: KindInfo, version: str) -> str:
        """The warning of a deprecated version of a custom resource, or ""."""
        held = self.definition(kind, version)
        if not held.get("deprecated"):
            return ""
        return held.get("deprecationWarning") or f"{kind.group}/{version} {kind.kind} is deprecated"

    def schema(self, kind: KindInfo, version: str) -> Obj:
        """The OpenAPI schema of a version of a custom resource."""
        return (self.definition(kind, version).get("schema") or {}).get("openAPIV3Schema") or {}

    def columns(self, kind: KindInfo, version: str) -> list[Obj] | None:
        """The additional printer columns of a custom resource; None for built-in kinds."""
        return (self.definition(kind, version).get("additionalPrinterColumns") or []) if kind.custom else None

    def before_compaction(self, revision: int) -> None:
        """Open watches take in what is about to be compacted away."""
        self.streams = [stream for stream in self.streams if not stream.closed]
        for stream in self.streams:
            stream.prefetch(revision)
