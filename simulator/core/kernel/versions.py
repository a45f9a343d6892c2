"""Releases of Kubernetes: the one place that says which there are, and which a world runs unless it says otherwise.

A world runs the release of its machines' programs: `kube-apiserver:1.35.5` is that of 1.35.5, a program without a number is `PATCH`.
"""

from __future__ import annotations

#: Minor release → its newest patch release, newest minor first.
NEWEST: dict[str, int] = {"1.36": 2, "1.35": 5, "1.34": 8, "1.33": 9}
MINOR = next(iter(NEWEST))
#: `1.36.2` and `v1.36.2`: what worlds run, and what kubectl, kubeadm and helm are built for.
PATCH = f"{MINOR}.{NEWEST[MINOR]}"
VERSION = f"v{PATCH}"
#: Releases after the one that worlds run: only worlds that ask for them (`three-nodes@1.37`) know of them.
NEXT: dict[str, int] = {"1.37": 0}
#: Minor releases whose control planes can be run: their images are in the registry and their schema is extracted at set-up.
PACKS = ("1.36", "1.37", "1.35")
#: Images of the control plane besides those of VERSION.
OTHER_IMAGES = ("1.37.0", "1.36.1", "1.36.0", "1.35.5", "1.35.4")
#: The kustomize that kubectl has built in.
KUSTOMIZE = "v5.8.1"
COMMIT = "98b35193b2ac7a23a673325f5e9b830ecd5ba406"
BUILT, GO = "2026-08-21T00:00:00Z", "go1.26.4"


def minor_of(version: str) -> str:
    """`v1.36.2` → `1.36`."""
    return ".".join(version.removeprefix("v").split(".")[:2])


def patches(minor: str) -> tuple[str, ...]:
    """The releases of a minor release, the newest first."""
    return tuple(f"{minor}.{number}" for number in range((NEWEST | NEXT)[minor], -1, -1))


def newest(minor: str) -> str:
    """`1.35` → `v1.35.5`."""
    return f"v{minor}.{(NEWEST | NEXT)[minor]}"


def info(version: str = VERSION) -> dict[str, str]:
    """What a program of a release tells of its build (`apimachinery/pkg/version`)."""
    major, minor = version.removeprefix("v").split(".")[:2]
    return {
        "major": major,
        "minor": minor,
        "gitVersion": version,
        "gitCommit": COMMIT,
        "gitTreeState": "clean",
        "buildDate": BUILT,
        "goVersion": GO,
        "compiler": "gc",
        "platform": "linux/amd64",
    }
