"""All images of a world: those of the catalogue, and those made in it (`docker build`, `commit`, `import`).

An image made in the world is kept once, by its name `sha256:…`, in the section `images`; hosts and registries hold references to
it.  Its `tree` is its whole root file system; what it has from a base image of the catalogue are frozen references.
"""

from __future__ import annotations

import hashlib

import msgspec

from ..host.filesystem import Inode, frozen
from ..kernel.world import World
from . import catalogue
from .build import Build

__all__ = ["Build", "MadeImage", "by_digest", "copy_tree", "find", "keep", "known", "made", "name_of", "root"]


class MadeImage(msgspec.Struct):
    """An image made in the world."""

    build: Build
    tree: Inode


def made(world: World) -> dict[str, MadeImage]:
    """The images made in the world, by name; empty (and not stored) until the first."""
    found: dict[str, MadeImage] = world.sections.get("images", {})
    return found


def known(world: World, name: str) -> Build | None:
    """The build of that name, if there is one."""
    found = catalogue.BUILDS.get(name)
    if found is not None:
        return found
    own = made(world).get(name)
    return own.build if own is not None else None


def find(world: World, name: str) -> Build:
    """The build of that name; raises KeyError."""
    found = known(world, name)
    if found is None:
        raise KeyError(name)
    return found


def keep(world: World, build: Build, tree: Inode) -> Build:
    """Keep an image made in the world."""
    found: dict[str, MadeImage] = world.section("images", dict)
    found[build.name] = MadeImage(build, tree)
    return build


def name_of(content: bytes) -> str:
    """The name of an image made from this content."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def by_digest(world: World, digest: str) -> Build | None:
    """The build whose index, manifest or config has that digest."""
    for own in made(world).values():
        if digest in (own.build.digest("manifest"), own.build.digest("config")):
            return own.build
    return catalogue.by_digest().get(digest)


def copy_tree(node: Inode) -> Inode:
    """A copy that can be changed."""
    children = None if node.children is None else {name: copy_tree(child) for name, child in node.children.items()}
    return Inode(node.kind, node.mode, node.uid, node.gid, node.mtime, node.data, children, node.target)


def root(world: World, name: str) -> Inode:
    """A fresh root file system of an image."""
    own = made(world).get(name)
    return copy_tree(own.tree) if own is not None else frozen(f"image:{name}")
