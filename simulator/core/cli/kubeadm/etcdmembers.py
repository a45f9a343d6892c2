"""The stacked etcd cluster as kubeadm sees and changes it (util/etcd/etcd.go, phases/etcd/local.go)."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import Any

from ...etcd.client import EtcdClient, TlsFiles
from ...etcd.errors import EtcdError
from ...host.program import Sleep, Wait
from ...kernel.clock import SECOND
from ...kernel.errors import ConnectError
from ...kube.api.errors import ApiError
from ...kube.client import KubeClient
from .config import InitConfig
from .run import RETRY, Failure, Run, Steps, go_error, reason

#: The annotation of etcd's static pods.
ADVERTISED = "kubeadm.kubernetes.io/etcd.advertise-client-urls"


def peer_url(config: InitConfig) -> str:
    """This machine's."""
    return f"https://{config.ip}:2380"


class Members:
    """A client of the cluster's members, found by their pods (`NewFromCluster`)."""

    def __init__(self, run: Run, config: InitConfig, endpoints: list[str], tls: TlsFiles) -> None:
        self.run, self.tls, self.endpoints = run, tls, endpoints
        self.patience = config.timeout("etcdAPICall")

    def client(self, endpoints: list[str]) -> EtcdClient:
        """A client of these endpoints."""
        return EtcdClient(self.run.world, self.run.inv.proc.netns, endpoints, self.tls)

    def retry(self, call: Callable[[], Any]) -> Generator[Wait, Any, Any]:
        """Until it works, or the last error."""
        deadline = self.run.world.now + self.patience
        while True:
            try:
                found = call()
                yield Sleep(5_000_000)
                return found
            except EtcdError as error:
                last = error.message
            except ConnectError:
                last = "context deadline exceeded"
            except Failure as failed:
                last = str(failed)
            if self.run.world.now + RETRY > deadline:
                raise Failure(last)
            yield Sleep(RETRY if last != "context deadline exceeded" else 2 * SECOND)

    def members(self) -> Generator[Wait, Any, list[Any]]:
        """The list of members."""
        found = yield from self.retry(lambda: self.client(self.endpoints).call("Cluster/MemberList"))
        return list(found)

    def sync(self) -> Steps:
        """The endpoints that the members themselves advertise."""
        try:
            found = yield from self.members()
        except Failure as failed:
            raise Failure(f"error syncing endpoints with etcd: {failed}") from None
        self.endpoints = [url for member in found if not member.is_learner for url in member.client_urls] or self.endpoints

    def add(self, name: str, url: str) -> Generator[Wait, Any, list[tuple[str, str]]]:
        """Add a learner, unless it is there; (name, peer URL) of all (`AddMemberAsLearner`)."""

        def once() -> list[Any]:
            client = self.client(self.endpoints)
            found = client.call("Cluster/MemberList")
            if any(member.peer_urls[:1] == [url] for member in found):
                return list(found)
            client.call("Cluster/MemberAdd", peer_urls=[url], is_learner=True)
            return list(client.call("Cluster/MemberList"))

        found = yield from self.retry(once)
        return [
            (name if member.peer_urls[0] == url else member.name or f"{member.id:x}", member.peer_urls[0]) for member in found
        ]

    def find(self, url: str) -> Generator[Wait, Any, int | None]:
        """The member of a peer URL."""
        found = yield from self.members()
        return next((member.id for member in found if member.peer_urls[0] == url), None)

    def promote(self, ident: int) -> Steps:
        """Wait until the learner has started, then make it a voter (`MemberPromote`)."""

        def started() -> bool:
            found = self.client(self.endpoints).call("Cluster/MemberList")
            member = next((item for item in found if item.id == ident), None)
            if member is None:
                raise Failure(f"failed to get member {ident:x} status: member {ident:x} not found")
            if not member.is_learner:
                return True
            if not member.name:
                raise Failure(f"the etcd member {ident:x} is not started")
            return False

        if not (yield from self.retry(started)):
            yield from self.retry(lambda: self.client(self.endpoints).call("Cluster/MemberPromote", id=ident))
        yield from self.sync()

    def remove(self, ident: int) -> Steps:
        """Remove a member, unless it is gone."""

        def once() -> None:
            client = self.client(self.endpoints)
            if any(member.id == ident for member in client.call("Cluster/MemberList")):
                client.call("Cluster/MemberRemove", id=ident)

        yield from self.retry(once)

    def healthy(self) -> Generator[Wait, Any, tuple[bool, str]]:
        """Whether most answer, and what is wrong with the others (`getClusterStatus`)."""
        problems = []
        for endpoint in self.endpoints:
            try:
                yield from self.retry(partial(self.client([endpoint]).call, "Maintenance/Status"))
            except Failure as failed:
                problems.append(f"the status of member {endpoint} is not available: {failed}")
        text = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
        return len(self.endpoints) - len(problems) > len(self.endpoints) // 2, text


def connect(run: Run, client: KubeClient, config: InitConfig, folder: str) -> Generator[Wait, Any, Members]:
    """A client of the members that etcd's pods advertise; raises Failure."""
    endpoints = yield from _endpoints(run, client, config)
    run.info("etcd.go:158", f"etcd endpoints read from pods: {','.join(endpoints)}")
    try:
        tls = TlsFiles(
            cert=run.read(f"{folder}/etcd/healthcheck-client.crt"),
            key=run.read(f"{folder}/etcd/healthcheck-client.key"),
            ca=run.read(f"{folder}/etcd/ca.crt"),
        )
    except OSError as error:
        raise Failure(f"error creating etcd client for {_list(endpoints)} endpoints: {go_error(error)}") from None
    members = Members(run, config, endpoints, tls)
    yield from members.sync()
    run.info("etcd.go:176", f"update etcd endpoints: {','.join(members.endpoints)}")
    return members


def _list(words: list[str]) -> str:
    return f"[{' '.join(words)}]"


def _endpoints(run: Run, client: KubeClient, config: InitConfig) -> Generator[Wait, Any, list[str]]:
    deadline = run.world.now + config.timeout("kubernetesAPICall")
    while True:
        last = "context deadline exceeded"
        try:
            pods = client.list("pods", "kube-system", label_selector="component=etcd,tier=control-plane").items
            found = [(pod["metadata"].get("annotations") or {}).get(ADVERTISED) for pod in pods]
            if found and all(found):
                return [str(url) for url in found]
        except (ApiError, ConnectError) as error:
            last = reason(error, client)
        if run.world.now + RETRY > deadline:
            raise Failure(f"could not retrieve the list of etcd endpoints: {last}")
        yield Sleep(RETRY)
