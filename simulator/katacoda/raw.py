"""Files of a scenario's own repository at their raw addresses: which of the tree's files an address means, and which addresses a text names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .files import Folder

_RAW = re.compile(r"https?://(?:raw\.githubusercontent\.com/[^/]+/[^/]+|github\.com/[^/]+/[^/]+/raw)/(?:refs/heads/)?[^/]+/(.+)")
_MENTIONED = re.compile(r"https?://(?:raw\.githubusercontent\.com|github\.com/[\w.-]+/[\w.-]+/raw)/[\w.~%/@+-]*[\w/]")


def resolve(folder: Folder, url: str) -> str | None:
    """The path in the tree that an address means; the tree at hand may be a folder of the repository."""
    found = _RAW.fullmatch(url.partition("?")[0])
    parts = found[1].split("/") if found is not None else []
    while parts:
        path = "/".join(parts)
        if path in folder.paths:
            return path
        parts = parts[1:] if len(parts) > 2 else []
    return None


def repository(folder: Folder, url: str) -> dict[str, tuple[bytes, int]] | None:
    """What `git clone` of an address brings when it is the tree at hand, told by its name: path → (content, mode); else None."""
    found = re.fullmatch(r"https?://[^/]+/(?:.+/)?([\w.-]+?)(?:\.git)?/?", url)
    if found is None or folder.root.resolve().name.rpartition("+")[2].lower() != found[1].lower():
        return None
    return {path: (folder.read(path), 0o755 if path.endswith(".sh") else 0o644) for path in folder.paths}


def mentioned(folder: Folder, texts: list[str]) -> Iterator[tuple[str, str]]:
    """The raw addresses that texts name and the tree has, each once: (address, path)."""
    seen: set[str] = set()
    for text in texts:
        for url in _MENTIONED.findall(text):
            path = None if url in seen else resolve(folder, url)
            seen.add(url)
            if path is not None:
                yield url, path
