"""A scenario's files: a mapping of relative POSIX paths to bytes, read from a folder with bounds, links refused.

A folder of others is untrusted: links are never followed (they could lead out of it), and count, size and depth are bounded.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from simulator.core.kernel.errors import BadInput

MAX_FILES = 20_000
MAX_FILE = 9 * 1024 * 1024  # what Katacoda takes for an asset
MAX_TOTAL = 256 * 1024 * 1024
MAX_DEPTH = 24
#: Folders that are never part of a scenario.
IGNORED = frozenset({".git", ".github", ".idea", ".vscode", "node_modules", "__pycache__"})


class Folder:
    """The files below a directory; contents are read when they are asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.paths: dict[str, int] = {}  # path → size
        self.refused: list[str] = []  # links and special files
        self._walk()

    def _walk(self) -> None:
        if not self.root.is_dir():
            raise BadInput(f"{self.root}: is not a directory")
        total = 0
        pending = [("", 0)]
        while pending:
            folder, depth = pending.pop()
            if depth > MAX_DEPTH:
                raise BadInput(f"{folder}: more than {MAX_DEPTH} folders deep")
            for entry in sorted(os.scandir(self.root / folder), key=lambda e: e.name):
                path = f"{folder}/{entry.name}".lstrip("/")
                found = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(found.st_mode):
                    if entry.name not in IGNORED:
                        pending.append((path, depth + 1))
                elif stat.S_ISREG(found.st_mode):
                    self.paths[path] = found.st_size
                    total += found.st_size
                    if len(self.paths) > MAX_FILES or total > MAX_TOTAL:
                        raise BadInput(f"{self.root}: more than {MAX_FILES} files or {MAX_TOTAL >> 20} MiB")
                else:
                    self.refused.append(path)

    def read(self, path: str) -> bytes:
        """The content of a file; raises BadInput for one that is not there or is too large."""
        size = self.paths.get(path)
        if size is None:
            raise BadInput(f"{path}: is a link, which is not followed" if path in self.refused else f"{path}: no such file")
        if size > MAX_FILE:
            raise BadInput(f"{path}: larger than {MAX_FILE >> 20} MiB")
        return (self.root / path).read_bytes()

    def text(self, path: str) -> str:
        """The content of a text file."""
        try:
            return self.read(path).decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            raise BadInput(f"{path}: is not UTF-8 ({error.reason} at byte {error.start})") from None
