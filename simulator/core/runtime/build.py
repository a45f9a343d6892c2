"""One version of an image: its OCI configuration, layers, digests and files."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import msgspec

KIB = 1024
MIB = 1024 * KIB
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MULTI = (
    "linux/386",
    "linux/amd64",
    "linux/arm/v5",
    "linux/arm/v7",
    "linux/arm64/v8",
    "linux/ppc64le",
    "linux/riscv64",
    "linux/s390x",
)
KUBE = ("linux/amd64", "linux/arm64", "linux/ppc64le", "linux/s390x")


@lru_cache(maxsize=8192)
def _digest(name: str, part: str) -> str:
    return "sha256:" + hashlib.sha256(f"slipway/{name}/{part}".encode()).hexdigest()


class Healthcheck(msgspec.Struct, frozen=True):
    """How a container's health is asked: `test` as in the image's configuration (`CMD`, `CMD-SHELL`, `NONE`), times in ns (0 = default)."""

    test: tuple[str, ...]
    interval: int = 0
    timeout: int = 0
    start_period: int = 0
    retries: int = 0


class Build(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One version of an image: OCI configuration, compressed layer sizes (KiB), and its files (see `rootfs.py`).

    `userland` is `debian`, `alpine`, `busybox` or `none`; `programs` maps paths to names of the tables of programs.
    """

    name: str
    layers: tuple[int, ...]
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = (("PATH", PATH),)
    cwd: str = "/"
    user: str = ""
    ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    stop_signal: str = ""
    userland: str = "none"
    programs: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    platforms: tuple[str, ...] = MULTI
    pinned: bool = False
    labels: tuple[tuple[str, str], ...] = ()
    healthcheck: Healthcheck | None = None
    shell: tuple[str, ...] = ()
    #: Of an image made in the world: its own layers' names, (owner, index) for each layer, and when (Unix ns).
    owners: tuple[tuple[str, int], ...] = ()
    #: Of an image made in the world: (created_by, layer or -1, created at, comment) for each step.
    steps: tuple[tuple[str, int, int, str], ...] = ()
    #: Exact compressed sizes of its layers in bytes, and how much of them its own layers are.
    sizes: tuple[int, ...] = ()
    own_bytes: int = 0
    created_at: int = 0
    author: str = ""
    #: The form of its layers: "" (tar+gzip), `estargz`, `zstd`, `encrypted`; and for whom it is encrypted (see crypt.py).
    form: str = ""
    secret: str = ""
    onbuild: tuple[str, ...] = ()

    @property
    def repository(self) -> str:
        """`docker.io/library/nginx`."""
        return self.name.rpartition(":")[0]

    @property
    def version(self) -> str:
        """`1.29.4`."""
        return self.name.rpartition(":")[2]

    def digest(self, part: str) -> str:
        """The digest of one part: `index`, `manifest`, `config`, `layer/<n>`, `diff/<n>`, `chain/<n>`.

        An image made in the world has no index: its name points at the manifest.  The layers that it has from its base image
        keep the base's digests, so they are stored once.
        """
        if not self.owners:
            return _digest(self.name, part)
        kind, slash, number = part.partition("/")
        if slash:
            owner, index = self.owners[int(number)]
            return _digest(owner, f"{kind}/{index}")
        return _digest(self.name, "manifest" if part == "index" else part)

    @property
    def made(self) -> bool:
        """Made in the world, not of the catalogue."""
        return bool(self.owners)

    @property
    def media_type(self) -> str:
        """The type of what a tag points at."""
        if self.made:
            return "application/vnd.docker.distribution.manifest.v2+json"
        if self.repository.startswith("registry.k8s.io/"):
            return "application/vnd.docker.distribution.manifest.list.v2+json"
        return "application/vnd.oci.image.index.v1+json"

    @property
    def layer_bytes(self) -> tuple[int, ...]:
        """Compressed sizes of the layers in bytes; made odd so that no two images look alike."""
        if self.sizes:
            return self.sizes
        return tuple(kib * KIB + int(self.digest(f"layer/{i}")[7:10], 16) % 1000 for i, kib in enumerate(self.layers))

    @property
    def size(self) -> int:
        """Compressed size with manifest and config, as the CRI reports it."""
        return sum(self.layer_bytes) + 9000 + int(self.digest("config")[7:10], 16)

    @property
    def unpacked(self) -> int:
        """Size of the unpacked snapshots."""
        return int((sum(self.layer_bytes) - self.own_bytes) * 2.62) + self.own_bytes
