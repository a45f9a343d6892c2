"""A ZIP of scenarios, unpacked with bounds: no path out of the folder, no links, no bombs."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path, PurePosixPath

from simulator.core.kernel.errors import BadInput
from simulator.katacoda.files import MAX_DEPTH, MAX_FILE, MAX_FILES, MAX_TOTAL

MAX_ARCHIVE = 64 * 1024 * 1024
#: How much more than its packed size an entry may hold.
MAX_RATIO = 200


def unpack(archive: Path, target: Path) -> list[str]:
    """Unpack into `target`; the names that were left out, with why.  Raises BadInput for what is no ZIP or breaks a bound."""
    left_out: list[str] = []
    if archive.stat().st_size > MAX_ARCHIVE:
        raise BadInput(f"{archive}: larger than {MAX_ARCHIVE >> 20} MiB")
    try:
        with zipfile.ZipFile(archive) as packed:
            entries = packed.infolist()
            if len(entries) > MAX_FILES:
                raise BadInput(f"{archive}: more than {MAX_FILES} files")
            total = 0
            for entry in entries:
                if entry.is_dir():
                    continue
                reason = _reason(entry)
                if reason:
                    left_out.append(f"{entry.filename}: {reason}")
                    continue
                total += entry.file_size
                if (
                    total > MAX_TOTAL
                    or entry.file_size > MAX_FILE
                    or entry.file_size > MAX_RATIO * max(entry.compress_size, 1024)
                ):
                    raise BadInput(f"{archive}: {entry.filename}: unpacks to more than is taken ({entry.file_size} bytes)")
                _write(packed, entry, target)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError, UnicodeDecodeError) as error:
        raise BadInput(f"{archive}: cannot be unpacked: {error}") from None
    except OSError as error:
        raise BadInput(f"{archive}: {error.strerror or error}") from None
    return left_out


def _reason(entry: zipfile.ZipInfo) -> str:
    name = entry.filename.replace("\\", "/")
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or ":" in (parts[0] if parts else "") or "\0" in name:
        return "its path leads out of the archive"
    if len(parts) > MAX_DEPTH:
        return f"more than {MAX_DEPTH} folders deep"
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "is a link or a special file"
    if entry.flag_bits & 1:
        return "is encrypted"
    return ""


def _write(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    path = target / entry.filename.replace("\\", "/")
    path.parent.mkdir(parents=True, exist_ok=True)
    with packed.open(entry) as source, path.open("xb") as out:
        left = entry.file_size  # what the directory says; a lying entry is cut off
        while left > 0 and (piece := source.read(min(left, 65536))):
            out.write(piece)
            left -= len(piece)
        if source.read(1):
            raise BadInput(f"{entry.filename}: holds more than the archive says")
