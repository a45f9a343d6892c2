"""What every etcdctl command shares: endpoints, TLS files, time-outs, and how a failed call is reported.

A failed call is logged by the client library as one JSON line, and the command ends with `Error: …` and an exit code
(etcdctl/ctlv3/command/global.go, pkg/cobrautl/error.go, client/v3/retry_interceptor.go).
"""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any

from ...etcd.client import EtcdClient, TlsFiles, split_endpoint
from ...etcd.errors import EtcdError, Waiting
from ...host import tls, x509
from ...host.program import Invocation, Sleep, Wait, WaitTopic
from ...kernel import clock
from ...kernel.errors import ConnectError
from ..flags import Values

#: Methods whose name on the wire differs from ours.
RPC = {"Lease/Grant": "Lease/LeaseGrant", "Lease/Revoke": "Lease/LeaseRevoke", "Lease/TimeToLive": "Lease/LeaseTimeToLive",
       "KV/Compact": "KV/Compact", "Header": "KV/Range"}  # fmt: skip
EXIT_ERROR, EXIT_BAD_CONNECTION, EXIT_INVALID_INPUT, EXIT_BAD_FEATURE, EXIT_INTERRUPTED, EXIT_IO, EXIT_BAD_ARGS = (
    1,
    2,
    3,
    4,
    5,
    6,
    128,
)


#: How long a client waits before it dials an endpoint again.
REDIAL = 250 * clock.MS


#: Reads that the client library sends again when the server says Unavailable, and how long it waits (client/v3/retry.go, options.go).
REPEATABLE = frozenset(
    {"KV/Range", "Cluster/MemberList", "Lease/TimeToLive", "Lease/Leases", "Maintenance/Status", "Maintenance/HashKV"}
)
RETRY = 25 * clock.MS
#: A deadline for commands that wait as long as they are let.
FOREVER = 10 * 365 * 86400 * clock.SECOND


class Failed(Exception):
    """The command ends: `code` is its status, the text follows `Error: ` (nothing is printed for an empty text)."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def pair_problem(cert: bytes, key: bytes) -> str:
    """Why a certificate and a key are no pair, in the words of Go's `tls.X509KeyPair`; "" when they are one."""
    if b"-----BEGIN CERTIFICATE-----" not in cert:
        if b"PRIVATE KEY-----" in cert:
            return (
                "tls: failed to find certificate PEM data in certificate input, but did find a private key; "
                "PEM inputs may have been switched"
            )
        return "tls: failed to find any PEM data in certificate input"
    if b"PRIVATE KEY-----" not in key:
        if b"-----BEGIN CERTIFICATE-----" in key:
            return "tls: found a certificate rather than a key in the PEM for the private key"
        return "tls: failed to find any PEM data in key input"
    try:
        own, given = x509.load_cert(cert).public_key(), x509.load_key(key).public_key()
    except ValueError:
        return "tls: failed to parse private key"
    return "" if own == given else "tls: private key does not match public key"


class Session:
    """One run of etcdctl: flags, environment, and calls to the endpoints."""

    def __init__(self, inv: Invocation, values: Values, version: str) -> None:
        self.inv, self.values, self.version = inv, values, version
        self.endpoints = values.items("endpoints")
        self.timeout = values.number("command-timeout")
        self.tls = self._tls()
        self.token = ""

    def _file(self, flag: str) -> bytes:
        path = self.values.text(flag)
        if not path:
            return b""
        try:
            return self.inv.read_file(path)
        except OSError as error:
            raise Failed(EXIT_BAD_ARGS, f"open {path}: {(error.strerror or '').lower()}") from None

    def _tls(self) -> TlsFiles:
        for flag in ("cert", "key", "cacert"):
            if flag in self.values.changed and not self.values.text(flag):
                raise Failed(EXIT_BAD_ARGS, f"empty string is passed to --{flag} option")
        cert, key = self.values.text("cert"), self.values.text("key")
        if bool(cert) != bool(key):
            raise Failed(EXIT_BAD_ARGS, f"KeyFile and CertFile must both be present[key: {key}, cert: {cert}]")
        tls = TlsFiles(cert=self._file("cert"), key=self._file("key"), ca=self._file("cacert"))
        why = pair_problem(tls.cert, tls.key) if tls.cert else ""
        if why:
            raise Failed(EXIT_BAD_ARGS, why)
        return tls

    @property
    def secure(self) -> bool:
        """Whether TLS is spoken where the endpoint does not say otherwise (certificates were given, or plain transport was refused)."""
        return bool(self.tls.cert or self.tls.ca or not self.values.on("insecure-transport"))

    def client(self, endpoint: str | None = None) -> EtcdClient:
        """A client of one endpoint, or of all in turn."""
        wanted = [endpoint] if endpoint else self.endpoints
        if self.secure:
            # since 3.5 `http://` drops the credentials (client/v3/internal/endpoint: RequiresCredentials)
            plain = tuple(int(part) for part in self.version.split(".")[:2]) >= (3, 5)
            wanted = [e if plain and e.startswith("http://") else f"https://{e.split('://')[-1]}" for e in wanted]
        made = EtcdClient(self.inv.world, self.inv.proc.netns, wanted, self.tls)
        made.token = self.token
        return made

    def ask(self, prompt: str) -> Generator[Wait, Any, str]:
        """A line typed at the terminal (the terminal's echo is not turned off here)."""
        if not self.inv.stdin_tty:
            raise Failed(EXIT_BAD_ARGS, "failed to ask password: inappropriate ioctl for device")
        self.inv.out(prompt)
        line = yield from self.inv.read_line()
        return line.decode("utf-8", "replace").rstrip("\r\n")

    def authenticate(self) -> Generator[Wait, Any, None]:
        """Get a token for `--user name[:password]`; without authentication on the server none is needed (clientv3: getToken)."""
        given = self.values.text("user") if self.values.has("user") else ""
        if not given:
            return
        name, colon, password = given.partition(":")
        separate = self.values.text("password")
        if separate:
            name, password = given, separate
        elif not colon:
            if not self.inv.stdin_tty:
                raise Failed(EXIT_ERROR, "inappropriate ioctl for device")
            password = yield from self.ask("Password: ")
        try:
            self.token = yield from self.call("Auth/Authenticate", name=name, password=password)
        except EtcdError as error:
            if "authentication is not enabled" not in error.message:
                raise Failed(EXIT_BAD_CONNECTION, error.message) from None
        except Failed as error:
            raise Failed(EXIT_BAD_CONNECTION, str(error)) from None

    # -- calls ----------------------------------------------------------------------------------------------------------
    def call(
        self, method: str, endpoint: str | None = None, *, logger: str = "etcd-client", forever: bool = False, **args: Any
    ) -> Generator[Wait, Any, Any]:
        """One request; waits for its latency, or for the command time-out where nobody answers (`forever`: the command sets none, it
        tries until it is ended).  Raises EtcdError or Failed.
        """
        client = self.client(endpoint)
        client.sync = False
        where = (endpoint or self.endpoints[0]).split("://")[-1]
        deadline = self.inv.world.now + (FOREVER if forever else self.timeout)
        attempt = 0
        while True:
            try:
                answer = yield from self._patient(client, deadline, method, args)
                break
            except ConnectError as error:
                reason = f"rpc error: code = DeadlineExceeded desc = {self._reason(error, where)}"
                self.warn(method, where, logger, reason, peer=False, attempt=attempt)
                raise Failed(EXIT_ERROR, "context deadline exceeded") from None
            except TimeoutError:
                reason = "rpc error: code = DeadlineExceeded desc = context deadline exceeded"
                self.warn(method, where, logger, reason, peer=True, attempt=attempt)
                raise Failed(EXIT_ERROR, "context deadline exceeded") from None
            except EtcdError as error:
                yield Sleep(client.take_latency())
                self.warn(
                    method,
                    where,
                    logger,
                    f"rpc error: code = {error.grpc_code} desc = {error.message}",
                    peer=True,
                    attempt=attempt,
                )
                if error.grpc_code != "Unavailable" or method not in REPEATABLE or self.inv.world.now + RETRY >= deadline:
                    raise
                attempt += 1
                yield Sleep(RETRY)
        yield Sleep(client.latency)
        return answer

    def quiet(self, method: str, **args: Any) -> Generator[Wait, Any, Any]:
        """A question that the real tool does not ask: it takes no time and fails without a word."""
        yield Sleep(0)
        try:
            return self.client().call(method, **args)
        except (ConnectError, EtcdError):
            return []

    def _patient(self, client: EtcdClient, deadline: int, method: str, args: dict[str, Any]) -> Generator[Wait, Any, Any]:
        """Try until the deadline: gRPC dials again and again, so a server that comes up in time still answers, and one that has the
        request answers when it can.  Raises TimeoutError when the deadline comes first.
        """
        while True:
            try:
                self._verify(client)
                return client.call(method, **args)
            except Waiting as waiting:
                ticket, world = waiting.ticket, self.inv.world
                end = min(deadline, ticket.deadline)
                while not ticket.done and world.now < end:
                    yield WaitTopic((ticket.topic,), deadline=end)
                if not ticket.done:
                    if world.now >= deadline:
                        raise TimeoutError from None
                    raise EtcdError(waiting.message, waiting.grpc_code) from None
                if ticket.error is not None:
                    raise ticket.error from None
                return ticket.result
            except ConnectError:
                left = deadline - self.inv.world.now
                if left <= 0:
                    raise
                yield Sleep(min(REDIAL, left))

    def _verify(self, client: EtcdClient) -> None:
        """What the TLS handshake checks of the server's certificate."""
        if client.endpoints[0][0] != "https" or self.values.on("insecure-skip-tls-verify"):
            return
        cert = client.call("Tls/Certificate")
        why = cert and tls.problem(cert, self.tls.ca, client.endpoints[0][1], self.inv.world.wall)
        if why:
            raise ConnectError("tls", "", why)

    @staticmethod
    def _reason(error: ConnectError, where: str) -> str:
        if error.kind == "refused":
            inner = f"transport: Error while dialing: dial tcp {where}: connect: connection refused"
        elif error.kind == "no-route":
            inner = f"transport: Error while dialing: dial tcp {where}: connect: no route to host"
        elif error.kind == "dns":
            name = where.rpartition(":")[0]
            inner = f"transport: Error while dialing: dial tcp: lookup {name} on 127.0.0.53:53: no such host"
        elif error.kind == "reset":
            inner = error.detail
        elif error.kind == "tls":
            inner = f"transport: authentication handshake failed: {error.detail}"
        else:
            return "context deadline exceeded"
        return f"latest balancer error: connection error: desc = {json.dumps(inner)}"

    def warn(self, method: str, where: str, logger: str, error: str, *, peer: bool, attempt: int = 0) -> None:
        """The client library's log line."""
        rng = self.inv.world.rng("etcdctl")
        local = f"127.0.0.1:{rng.between(32768, 60999)}"
        auth = "tls" if self.secure else "insecure"
        seen = (
            f"Peer{{Addr: '{where}', LocalAddr: '{local}', AuthInfo: '{auth}'}}"
            if peer
            else "Peer{Addr: <nil>, LocalAddr: <nil>, AuthInfo: <nil>}"
        )
        line = {
            "level": "warn",
            "ts": clock.rfc3339_micro(self.inv.world.wall),
            "logger": logger,
            "caller": f"v3@v{self.version}/retry_interceptor.go:68",
            "msg": "retrying of unary invoker failed",
            "target": f"etcd-endpoints://0x{rng.hex(12)}/{where}",
            "peer": seen,
            "method": f"/etcdserverpb.{RPC.get(method, method)}",
            "attempt": attempt,
            "error": error,
        }
        self.inv.err(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n")

    def header(self, *, forever: bool = False) -> Generator[Wait, Any, dict[str, int]]:
        """The response header as it stands now, for json and fields output."""
        found = yield from self.call("Header", forever=forever)
        return {
            "cluster_id": found.cluster_id,
            "member_id": found.member_id,
            "revision": found.revision,
            "raft_term": found.raft_term,
        }

    @property
    def release(self) -> tuple[int, ...]:
        """Major and minor version of the binary."""
        return tuple(int(part) for part in self.version.split(".")[:2])

    @property
    def form(self) -> str:
        """The output format."""
        return self.values.text("write-out")

    @property
    def hex(self) -> bool:
        """Whether keys and values are printed as hex escapes."""
        return self.values.on("hex")


def split(endpoint: str) -> tuple[str, str, int]:
    """Scheme, host, port."""
    return split_endpoint(endpoint)
