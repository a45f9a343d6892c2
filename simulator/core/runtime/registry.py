"""The simulated registry as a client sees it: resolving a reference, or failing with containerd's words.

Follows containerd's `core/remotes/docker/resolver.go` for the messages.
"""

from __future__ import annotations

from ..host.machine import hosts
from ..kernel import network
from ..kernel.errors import ConnectError
from ..kernel.http import Request, Response
from ..kernel.world import World
from . import catalogue, images
from .build import Build
from .references import Reference


class ResolveError(Exception):
    """A reference cannot be resolved.  `code` is the gRPC code; the text is what follows `failed to resolve reference`.

    `docker` is what dockerd says in its place.
    """

    def __init__(self, code: str, text: str, docker: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.docker = docker or text


def resolve(world: World, host: str, ref: Reference) -> Build:
    """The build that a reference names; raises ResolveError."""
    if ref.domain not in catalogue.REGISTRIES and own(world, host, ref) is not None:
        return _from_own(world, host, ref)
    if _offline(world, host):
        api = "registry-1.docker.io" if ref.domain == "docker.io" else ref.domain
        raise ResolveError(
            "Unknown",
            f'failed to do request: Head "https://{api}/v2/{ref.path}/manifests/{ref.tag or ref.digest}": '
            f"dial tcp: lookup {api} on 127.0.0.53:53: server misbehaving",
            f'failed to resolve reference "{ref.name}": failed to do request: Head "https://{api}/v2/{ref.path}/manifests/'
            f'{ref.tag or ref.digest}": dial tcp: lookup {api} on 127.0.0.53:53: server misbehaving'
            if ref.domain != "docker.io"
            else f'Get "https://{api}/v2/": dial tcp: lookup {api} on 127.0.0.53:53: server misbehaving',
        )
    if ref.domain not in catalogue.REGISTRIES:
        name = ref.domain.partition(":")[0]
        raise ResolveError(
            "Unknown",
            f'failed to do request: Head "https://{ref.domain}/v2/{ref.path}/manifests/{ref.tag or ref.digest}": '
            f"dial tcp: lookup {name} on 127.0.0.53:53: no such host",
            f'Get "https://{ref.domain}/v2/": dial tcp: lookup {name} on 127.0.0.53:53: no such host',
        )
    build = catalogue.find_digest(ref.repository, ref.digest) if ref.digest else catalogue.find_tag(ref.name)
    if build is not None:
        return build
    pushed = world.sections.get("hub", {}).get(ref.name)
    if pushed is not None:
        return images.by_digest(world, pushed)  # type: ignore[return-value]
    if not catalogue.exists(ref.repository) and ref.domain != "registry.k8s.io":
        raise ResolveError(
            "Unknown",
            "pull access denied, repository does not exist or may require authorization: "
            "server message: insufficient_scope: authorization failed",
            f"pull access denied for {ref.familiar}, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
        )
    shown = f"{ref.familiar}@{ref.digest}" if ref.digest else f"{ref.familiar}:{ref.tag}"
    raise ResolveError(
        "NotFound", f"{ref.name}: not found", f"manifest for {shown} not found: manifest unknown: manifest unknown"
    )


def _offline(world: World, host: str) -> bool:
    """Whether the host's link to the internet is cut (the fault `cut <host> internet`)."""
    from ..kernel.network import link_key, network

    return bool(network(world).cut.get(link_key(host, "internet")))


def reachable(world: World, host: str, domain: str) -> None:
    """Raise ResolveError when a registry of that name cannot be reached from a host."""
    if domain in catalogue.REGISTRIES and not _offline(world, host):
        return
    ref = Reference(domain, "x", "latest")
    if domain in catalogue.REGISTRIES or not own(world, host, ref):
        resolve(world, host, ref)


# -- registries that run in the world (registry:2) ------------------------------------------------------------------------
def own(world: World, host: str, ref: Reference) -> tuple[str, int] | None:
    """(address, port) of a registry that a name leads to inside the world, or None."""
    name, _, port_text = ref.domain.partition(":")
    port = int(port_text) if port_text.isdigit() else 443
    if name == "localhost":
        return "127.0.0.1", port
    if name.replace(".", "").isdigit():
        return name, port
    try:
        for line in hosts(world)[host].fs.read("/etc/hosts").decode().splitlines():
            words = line.split()
            if name in words[1:]:
                return words[0], port
    except OSError:
        pass
    return None


def _insecure(world: World, host: str, ref: Reference) -> bool:
    """Whether plain HTTP may be spoken to a registry: loopback, dockerd's `insecure-registries`, containerd's hosts.toml."""
    name = ref.domain.partition(":")[0]
    if name in ("localhost", "127.0.0.1", "::1"):
        return True
    machine = hosts(world)[host]
    for path in ("/etc/docker/daemon.json", f"/etc/containerd/certs.d/{ref.domain}/hosts.toml"):
        if machine.fs.exists(path):
            text = machine.fs.read(path).decode(errors="replace")
            if path.endswith("json") and f'"{ref.domain}"' in text and "insecure-registries" in text:
                return True
            if path.endswith("toml") and "http://" in text:
                return True
    return False


def ask(world: World, host: str, ref: Reference, method: str, path: str, body: bytes = b"") -> Response:
    """A request to a registry in the world; raises ResolveError in the clients' words."""
    found = own(world, host, ref)
    url = f"https://{ref.domain}/v2/{path}"
    if found is None:
        name = ref.domain.partition(":")[0]
        raise ResolveError("Unknown", f'failed to do request: {method.title()} "{url}": dial tcp: lookup {name} on 127.0.0.53:53: no such host',
                           f'Get "https://{ref.domain}/v2/": dial tcp: lookup {name} on 127.0.0.53:53: no such host')  # fmt: skip
    address, port = found
    try:
        answer = network.http(
            world,
            host,
            address,
            port,
            Request(method=method, path=f"/v2/{path}", headers={"host": ref.domain}, body=body, scheme="http"),
        )
    except ConnectError as failed:
        what = {"refused": "connect: connection refused", "timeout": "i/o timeout", "no-route": "connect: no route to host"}.get(
            failed.kind, failed.kind
        )
        scheme = "http" if _insecure(world, host, ref) else "https"
        raise ResolveError("Unavailable", f'failed to do request: {method.title()} "{url}": dial tcp {address}:{port}: {what}',
                           f'Get "{scheme}://{ref.domain}/v2/": dial tcp {address}:{port}: {what}') from None  # fmt: skip
    if not _insecure(world, host, ref):
        raise ResolveError("insecure", f'failed to do request: {method.title()} "{url}": http: server gave HTTP response to HTTPS client',
                           f'Get "https://{ref.domain}/v2/": http: server gave HTTP response to HTTPS client')  # fmt: skip
    return answer


def push(world: World, host: str, ref: Reference, build: Build, user: str) -> bool:
    """Push an image; True when the registry had it already.  Raises ResolveError."""
    if _offline(world, host) and ref.domain in catalogue.REGISTRIES:
        resolve(world, host, ref)
    if ref.domain in catalogue.REGISTRIES:
        if not user:
            text = "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed"
            raise ResolveError(
                "denied",
                text,
                "push access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
            )
        if not ref.path.startswith(user + "/"):
            raise ResolveError("denied", "push access denied", "denied: requested access to the resource is denied")
        hub: dict[str, str] = world.section("hub", dict)
        hub[ref.name] = build.digest("manifest")
        return False
    before = ask(world, host, ref, "HEAD", f"{ref.path}/manifests/{ref.tag}")
    digest = build.digest("manifest" if build.made else "index")
    if before.headers.get("docker-content-digest") == digest:
        return True
    answer = ask(world, host, ref, "PUT", f"{ref.path}/manifests/{ref.tag}", digest.encode())
    if answer.status >= 400:
        raise ResolveError("Unknown", f"unexpected status: {answer.status}", f"received unexpected HTTP status: {answer.status}")
    return False


def _from_own(world: World, host: str, ref: Reference) -> Build:
    answer = ask(world, host, ref, "HEAD", f"{ref.path}/manifests/{ref.tag or ref.digest}")
    digest = answer.headers.get("docker-content-digest", "")
    found = images.by_digest(world, digest) if answer.status == 200 else None
    if found is None:
        shown = f"{ref.repository}@{ref.digest}" if ref.digest else f"{ref.repository}:{ref.tag}"
        raise ResolveError(
            "NotFound", f"{ref.name}: not found", f"manifest for {shown} not found: manifest unknown: manifest unknown"
        )
    return found
