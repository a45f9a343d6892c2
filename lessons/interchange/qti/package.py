"""Packages: a QTI file alone, or a zip (a QTI package, a Common Cartridge) with such files in it.

A package is never unpacked onto a disk.  It is read in memory with bounds on the number of entries, on each entry and on
everything together; an entry's own size is what was really read, whatever its directory says.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass, field

from lessons.interchange.items import Item, Note
from lessons.interchange.qti import read2, read12
from lessons.interchange.qti.names import plain
from lessons.interchange.qti.xml import BadXml, Document
from lessons.loading.problems import Problem

MAX_ENTRIES = 3_000
MAX_ENTRY = 4 * 1024 * 1024
MAX_TOTAL = 32 * 1024 * 1024
MAX_QUESTIONS = 5_000


class QtiError(Exception):
    """A file that cannot be read; `problems` names each place."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(slots=True)
class Qti:
    """What a file or package holds."""

    items: list[Item] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    title: str = ""
    version: str = ""


def read(content: bytes, file: str) -> Qti:
    """Every question of a QTI file or package.  Raises `QtiError`."""
    found = Qti()
    if content[:2] == b"PK":
        documents = _documents(content, file)
    else:
        documents = [(file, content)]
    problems: list[Problem] = []
    pictures = 0
    for name, data in documents:
        if data is None:
            pictures += 1
            continue
        try:
            document = Document(data)
        except BadXml as error:
            problems.append(Problem(name, error.line, "", str(error)))
            continue
        _take(found, document, name, problems, alone=len(documents) == 1)
        if len(found.items) > MAX_QUESTIONS:
            raise QtiError([Problem(file, 0, "", f"has more than {MAX_QUESTIONS:,} questions")])
    if problems:
        raise QtiError(problems)
    if not found.items:
        raise QtiError([Problem(file, 0, "", "holds no question of QTI 1.2, 2.1 or 3.0")])
    if pictures:
        found.notes.append(Note(0, "", f"{pictures} pictures and other files of the package are left out"))
    return found


def _take(found: Qti, document: Document, name: str, problems: list[Problem], *, alone: bool) -> None:
    """Add a document's questions; documents of a package that hold none (the manifest, pages) are passed over."""
    tag = document.root.tag
    if tag == "questestinterop":
        title, items, notes, wrong = read12.read(document)
        found.version = "1.2"
    elif plain(tag) == "assessmentItem":
        title, items, notes, wrong = read2.read(document)
        found.version = "3.0" if tag.startswith("qti-") else "2.1"
        title = ""
    elif plain(tag) == "assessmentTest":
        found.title = document.root.get("title", "") or found.title
        return
    elif alone:
        problems.append(Problem(name, document.line(document.root), "", f"is no QTI: its root is <{tag}>"))
        return
    else:
        return
    found.title = found.title or title
    found.items += items
    found.notes += notes
    problems += [Problem(name, line, question, reason) for line, question, reason in wrong]


def _documents(content: bytes, file: str) -> list[tuple[str, bytes | None]]:
    """The XML files of a zip in the order of their names, and None for each other file."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        infos = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise QtiError([Problem(file, 0, "", "is a damaged zip")]) from None
    if len(infos) > MAX_ENTRIES:
        raise QtiError([Problem(file, 0, "", f"has more than {MAX_ENTRIES:,} files")])
    found: list[tuple[str, bytes | None]] = []
    total = 0
    for info in sorted(infos, key=lambda info: info.filename):
        if info.is_dir():
            continue
        name = f"{file}/{info.filename}"
        if not info.filename.lower().endswith((".xml", ".qti", ".xml.qti")):
            found.append((name, None))
            continue
        try:
            with archive.open(info) as entry:
                data = entry.read(MAX_ENTRY + 1)
        except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError, ValueError):
            raise QtiError([Problem(name, 0, "", "cannot be read: damaged, encrypted or packed in an unknown way")]) from None
        total += len(data)
        if len(data) > MAX_ENTRY:
            raise QtiError([Problem(name, 0, "", f"is larger than {MAX_ENTRY // 1024 // 1024} MB")])
        if total > MAX_TOTAL:
            raise QtiError([Problem(file, 0, "", f"holds more than {MAX_TOTAL // 1024 // 1024} MB of XML")])
        found.append((name, data))
    return found
