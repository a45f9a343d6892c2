"""What a machine gives its processes and can take away: room on a disk, and the time of day.

A **disk** is a small file system of memory, mounted where one part keeps its data and then filled up; that takes root on Linux.
A **clock** is what a process is told when it asks for the time of day: libfaketime (Debian `faketime`) reads it from a file, for each part its own.
Monotonic clocks go on as they are, as they do when a real clock is set.  Where one of them is not to be had, its faults are left out, and said so.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
from pathlib import Path

#: Enough for a new PostgreSQL with its log, and for Redis' file.
SIZES = {"postgresql": 384, "redis": 64}


#: unshare(2): a mount namespace of one's own.
_CLONE_NEWNS = 0x0002_0000


def _own_mounts() -> None:
    """See to it that what this process mounts is seen by it and its children alone, and goes with them however they end."""
    unshare = getattr(ctypes.CDLL(None), "unshare", None)
    if os.geteuid() == 0 and unshare is not None and unshare(_CLONE_NEWNS) == 0:
        subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True, check=False)


class Disk:
    """A file system of its own at `folder`, of so many megabytes."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"
        folder.mkdir(parents=True, exist_ok=True)
        mount = shutil.which("mount", path="/usr/bin:/bin:/usr/sbin:/sbin")
        argv = [str(mount), "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "slipway-chaos", str(folder)]
        self.mounted = (
            bool(mount) and os.geteuid() == 0 and subprocess.run(argv, capture_output=True, check=False).returncode == 0
        )

    def fill(self) -> None:
        """Leave no room."""
        with self._ballast.open("ab") as file:
            size = step = 1 << 28
            while step >= 4096:
                try:
                    os.posix_fallocate(file.fileno(), 0, size)
                except OSError:
                    size -= step
                    step //= 2
                size += step

    def free(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)

    def unmount(self) -> None:
        """Throw it away with all that is on it."""
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.folder)], capture_output=True, check=False)
            self.mounted = False


class Clocks:
    """The time of day of each part, as an offset in seconds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        self.library = found[0] if found else None

    def wrap(self, name: str, argv: list[str]) -> list[str]:
        """A part's command line under its own clock."""
        self.set(name, 0)
        said = {
            "LD_PRELOAD": str(self.library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file(name)),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DISABLE_SHM": "1",
        }
        return [shutil.which("env") or "/usr/bin/env", *(f"{key}={value}" for key, value in said.items()), *argv]

    def set(self, name: str, seconds: int) -> None:
        """Set a part's clock so far from the right time."""
        scratch = self._file(name).with_suffix(".new")
        scratch.write_text(f"{seconds:+d}\n")
        scratch.replace(self._file(name))

    def right(self) -> None:
        """Set all of them right."""
        for path in self.folder.glob("*.clock"):
            self.set(path.stem, 0)

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.clock"


class Surroundings:
    """The disks and clocks of a machine in `folder`; to be made before the machine, which then finds its folders mounted."""

    def __init__(self, folder: Path) -> None:
        _own_mounts()
        self.clocks = Clocks(folder / "clocks")
        self.disks: dict[str, Disk] = {}
        for name, megabytes in SIZES.items():
            disk = Disk(folder / name, megabytes)
            if disk.mounted:
                self.disks[name] = disk

    def missing(self) -> list[str]:
        """What cannot be done here, in words."""
        found = []
        if len(self.disks) < len(SIZES):
            found.append("no disk is filled: mounting one takes root on Linux")
        if self.clocks.library is None:
            found.append("no clock jumps: libfaketime (Debian `faketime`) is not installed")
        return found

    def right(self) -> None:
        """Give back what was taken."""
        self.clocks.right()
        for disk in self.disks.values():
            with contextlib.suppress(OSError):
                disk.free()

    def end(self) -> None:
        """Throw the disks away."""
        for disk in self.disks.values():
            disk.unmount()
