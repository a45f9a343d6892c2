"""The simulated registry as a client sees it: resolving a reference, or failing with containerd's words.

Follows containerd's `core/remotes/docker/resolver.go` for the messages.
"""

from __future__ import annotations

from ..kernel.world import World
from . import catalogue
from .catalogue import Build
from .references import Reference


class ResolveError(Exception):
    """A reference cannot be resolved.  `code` is the gRPC code; the text is what follows `failed to resolve reference`."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def resolve(world: World, host: str, ref: Reference) -> Build:
    """The build that a reference names; raises ResolveError."""
    if _offline(world, host):
        api = "registry-1.docker.io" if ref.domain == "docker.io" else ref.domain
        raise ResolveError(
            "Unknown",
            f'failed to do request: Head "https://{api}/v2/{ref.path}/manifests/{ref.tag or ref.digest}": '
            f"dial tcp: lookup {api} on 127.0.0.53:53: server misbehaving",
        )
    if ref.domain not in catalogue.REGISTRIES:
        name = ref.domain.partition(":")[0]
        raise ResolveError(
            "Unknown",
            f'failed to do request: Head "https://{ref.domain}/v2/{ref.path}/manifests/{ref.tag or ref.digest}": '
            f"dial tcp: lookup {name} on 127.0.0.53:53: no such host",
        )
    build = catalogue.find_digest(ref.repository, ref.digest) if ref.digest else catalogue.TAGS.get(ref.name)
    if build is not None:
        return build
    if ref.repository not in catalogue.REPOSITORIES and ref.domain != "registry.k8s.io":
        raise ResolveError(
            "Unknown",
            "pull access denied, repository does not exist or may require authorization: "
            "server message: insufficient_scope: authorization failed",
        )
    raise ResolveError("NotFound", f"{ref.name}: not found")


def _offline(world: World, host: str) -> bool:
    """Whether the host's link to the internet is cut (the fault `cut <host> internet`)."""
    from ..kernel.network import link_key, network

    return bool(network(world).cut.get(link_key(host, "internet")))
