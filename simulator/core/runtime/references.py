"""Names of images: Docker's normalised form and containerd's strict one.

Follows github.com/distribution/reference (`ParseNormalizedNamed`) and containerd's `pkg/reference/reference.go`.
"""

from __future__ import annotations

import re

import msgspec

from ..kernel.errors import BadInput

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\Z")
_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*\Z")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9])(?:\.[A-Za-z0-9-]+)*(?::[0-9]+)?\Z")
_DIGEST = re.compile(r"sha256:[a-f0-9]{64}\Z")


class Reference(msgspec.Struct, frozen=True):
    """A parsed image name: `domain/path[:tag][@digest]`."""

    domain: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def repository(self) -> str:
        """`docker.io/library/nginx`."""
        return f"{self.domain}/{self.path}"

    @property
    def name(self) -> str:
        """The full name with tag or digest."""
        text = self.repository
        if self.tag:
            text += ":" + self.tag
        if self.digest:
            text += "@" + self.digest
        return text

    @property
    def familiar(self) -> str:
        """The short repository name that Docker shows: `nginx` for `docker.io/library/nginx`."""
        if self.domain == "docker.io":
            return self.path.removeprefix("library/")
        return self.repository


def normalise(text: str, *, default_tag: bool = True) -> Reference:
    """Docker's reading of a name: `redis` is `docker.io/library/redis:latest`; raises BadInput with the real message."""
    rest, _, digest = text.partition("@")
    if digest and not _DIGEST.match(digest):
        raise BadInput("invalid reference format")
    tag = ""
    head, colon, last = rest.rpartition(":")
    if colon and "/" not in last:
        rest, tag = head, last
    domain, slash, path = rest.partition("/")
    if not slash or ("." not in domain and ":" not in domain and domain != "localhost" and domain.lower() == domain):
        domain, path = "docker.io", rest
    if domain == "index.docker.io":
        domain = "docker.io"
    if domain == "docker.io" and "/" not in path:
        path = "library/" + path
    if path.lower() != path:
        raise BadInput(f"invalid reference format: repository name ({path}) must be lowercase")
    if not path or not all(_COMPONENT.match(part) for part in path.split("/")) or not _DOMAIN.match(domain):
        raise BadInput("invalid reference format")
    if tag and not _TAG.match(tag):
        raise BadInput("invalid reference format")
    if colon and "/" not in last and not tag:
        raise BadInput("invalid reference format")
    if default_tag and not tag and not digest:
        tag = "latest"
    return Reference(domain, path, tag, digest)


def parse_strict(text: str) -> Reference:
    """containerd's reading, without defaults (`ctr`): a host name and a tag or digest are required.

    Raises BadInput with the message that `ctr images pull` shows after `failed to resolve image: `.
    """
    if "://" in text:
        raise BadInput("invalid reference")
    host, _, path = text.partition("/")
    port = host.partition(":")[2] if ":" in host else ""
    if port and not port.isdigit():
        raise BadInput(f'parse "dummy://{text}": invalid port ":{port}" after host')
    if not host:
        raise BadInput("hostname required")
    match = re.search(r"[:@]", path)
    obj = path[match.start() :].removeprefix(":") if match else ""
    path = path[: match.start()] if match else path
    if not obj:
        raise BadInput("object required")
    tag, _, digest = obj.partition("@")
    return Reference(host, path, tag, digest)


def short_id(digest: str, length: int = 12) -> str:
    """The first digits of a digest or id."""
    return digest.removeprefix("sha256:")[:length]
