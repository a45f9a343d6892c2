"""A scenario's `index.json` (or `index.yaml`), its courses (`structure.json`, `*-pathway.json`), and where scenarios are in a tree.

The format is Killercoda's, which is Katacoda's with other names for some keys: `background` was `courseData`, `foreground` was `code`.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator
from typing import Any

import msgspec
import yaml

from simulator.core.kernel.errors import BadInput

from .files import Folder
from .notes import Note

INDEX = ("index.json", "index.yaml", "index.yml")
#: Keys whose meaning belongs to a page, not to a world: known, nothing to say about them.
_PAGE_KEYS = frozenset({
    "icon", "private", "pathwayTitle", "credits", "files", "solution", "type", "author", "tags", "version", "difficulty", "time",
    "categories", "duration", "prerequisites", "level", "course_id", "id", "icon_url", "events", "lang", "language", "theme", "image",
})  # fmt: skip
_TOP = frozenset({"title", "description", "details", "backend", "interface", "environment", "assets"}) | _PAGE_KEYS
_STEP = frozenset({
    "title", "text", "foreground", "background", "verify", "answer", "hint", "code", "courseData", "credits", "description",
})  # fmt: skip


class Asset(msgspec.Struct, frozen=True):
    """Files of `assets/` for a host: a glob, a directory of the host, and what `chmod` gets ("" for nothing)."""

    host: str
    file: str
    target: str
    chmod: str = ""


class Step(msgspec.Struct):
    """Intro, a step or finish; paths are relative to the scenario's folder, "" where there is none."""

    name: str  # intro, step1…, finish
    title: str = ""
    text: str = ""
    foreground: str = ""
    background: str = ""
    verify: str = ""
    answer: str = ""
    hint: str = ""


class Scenario(msgspec.Struct):
    """One scenario as its author wrote it; `folder` is its directory relative to the tree's root."""

    folder: str
    index: str
    title: str
    description: str = ""
    difficulty: str = ""
    time: str = ""
    image: str = ""
    port: int = 0
    layout: str = ""
    intro: Step | None = None
    steps: list[Step] = []
    finish: Step | None = None
    assets: list[Asset] = []
    terminals: list[dict[str, str]] = []
    katacoda: bool = False
    notes: list[Note] = []

    def path(self, name: str) -> str:
        """A file of the scenario, relative to the tree's root."""
        return posixpath.normpath(posixpath.join(self.folder, name))

    def texts(self, folder: Folder) -> Iterator[str]:
        """Its scripts and pages that can be read, in order, and the scripts among its assets."""
        for step in self.pages():
            for name in (step.background, step.foreground, step.text):
                if name and self.path(name) in folder.paths:
                    yield folder.read(self.path(name)).decode("utf-8", "replace")
        prefix = posixpath.join(self.folder, "assets").lstrip("/") + "/"
        for path in sorted(folder.paths):
            if path.startswith(prefix) and path.endswith((".sh", ".bash")):
                yield folder.read(path).decode("utf-8", "replace")

    def pages(self) -> list[Step]:
        """Intro, steps and finish in order."""
        return [*([self.intro] if self.intro else []), *self.steps, *([self.finish] if self.finish else [])]


class Course(msgspec.Struct):
    """Scenarios in the order that a `structure.json` or a pathway gives them."""

    folder: str
    title: str
    description: str = ""
    scenarios: list[str] = []  # folders
    titles: dict[str, str] = {}


def load(folder: Folder, path: str) -> Any:
    """A JSON or YAML document; raises BadInput with file, line and column."""
    text = folder.text(path)
    if path.endswith(".json"):
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            # a trailing comma or a comment is no JSON, but the platforms' own parser takes what YAML's flow style takes
            try:
                return yaml.safe_load(text.replace("\t", " "))
            except (yaml.YAMLError, RecursionError):
                raise BadInput(f"{path}:{error.lineno}:{error.colno}: {error.msg}") from None
        except RecursionError:
            raise BadInput(f"{path}: nested too deeply") from None
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise BadInput(f"{path}{where}: {getattr(error, 'problem', None) or 'cannot be read'}") from None


class _Reader:
    def __init__(self, folder: Folder, index: str) -> None:
        self.folder, self.index = folder, index
        self.base = posixpath.dirname(index)
        self.notes: list[Note] = []
        self.lines = folder.text(index).splitlines()

    def note(self, key: str, text: str) -> None:
        """A remark at the line of the index where `key` stands first."""
        line = next((n for n, found in enumerate(self.lines, 1) if (key and f'{key}"' in found) or f"{key}:" in found), 0)
        self.notes.append(Note(posixpath.basename(self.index), line, text))

    def words(self, where: str, data: dict[str, Any], key: str) -> str:
        value = data.get(key)
        if value is None:
            return ""
        if isinstance(value, (str, int, float)):
            return str(value).strip()
        self.note(key, f"{where}{key}: must be text, is {type(value).__name__}; left out")
        return ""

    def file(self, where: str, data: dict[str, Any], key: str) -> str:
        name = self.words(where, data, key)
        if not name:
            return ""
        path = posixpath.normpath(posixpath.join(self.base, name.lstrip("/")))
        if path.startswith("../") or path == ".." or (self.base and not path.startswith(self.base + "/")):
            self.note(name, f"{where}{key}: {name} lies outside the scenario; left out")
            return ""
        if path not in self.folder.paths:
            self.note(name, f"{where}{key}: {name} does not exist; left out")
            return ""
        return posixpath.relpath(path, self.base or ".")

    def step(self, name: str, data: Any) -> Step | None:
        if data is None:
            return None
        if not isinstance(data, dict):
            self.note(name, f"{name}: must be a mapping, is {type(data).__name__}; left out")
            return None
        where = f"{name}."
        for key in sorted(set(data) - _STEP - _PAGE_KEYS):
            self.note(str(key), f"{where}{key}: unknown key; left out")
        return Step(
            name,
            self.words(where, data, "title"),
            self.file(where, data, "text"),
            self.file(where, data, "foreground") or self.file(where, data, "code"),
            self.file(where, data, "background") or self.file(where, data, "courseData"),
            self.file(where, data, "verify"),
            self.file(where, data, "answer"),
            self.file(where, data, "hint"),
        )

    def assets(self, data: Any) -> list[Asset]:
        found: list[Asset] = []
        if not isinstance(data, dict):
            if data is not None:
                self.note("assets", "assets: must map hosts to lists; left out")
            return found
        for host, items in data.items():
            for item in items if isinstance(items, list) else []:
                if not isinstance(item, dict) or not item.get("file"):
                    self.note(str(host), f"assets.{host}: an entry without `file`; left out")
                    continue
                target = self.words(f"assets.{host}.", item, "target") or "/root"
                found.append(Asset(str(host), str(item["file"]), target, self.words(f"assets.{host}.", item, "chmod")))
        return found


def read(folder: Folder, index: str) -> Scenario:
    """The scenario of an index file; raises BadInput when it is none at all, and notes whatever else is amiss."""
    reader = _Reader(folder, index)
    data = load(folder, index)
    if not isinstance(data, dict):
        raise BadInput(f"{index}: must be a mapping, is {type(data).__name__}")
    details = data.get("details") or {}
    if not isinstance(details, dict):
        raise BadInput(f"{index}: details: must be a mapping, is {type(details).__name__}")
    for key in sorted(map(str, set(data) - _TOP)):
        reader.note(key, f"{key}: unknown key; left out")
    title = reader.words("", data, "title")
    if not title:
        reader.note("", "title: is missing; the folder's name is used")
        title = posixpath.basename(reader.base) or "scenario"
    backend = data.get("backend") if isinstance(data.get("backend"), dict) else {}
    environment = data.get("environment") if isinstance(data.get("environment"), dict) else {}
    interface = data.get("interface") if isinstance(data.get("interface"), dict) else {}
    assert isinstance(backend, dict) and isinstance(environment, dict) and isinstance(interface, dict)
    listed = details.get("steps") or []
    if not isinstance(listed, list):
        reader.note("steps", f"details.steps: must be a list, is {type(listed).__name__}; left out")
        listed = []
    steps = [s for s in (reader.step(f"step{n}", one) for n, one in enumerate(listed, 1)) if s is not None]
    port = backend.get("port")
    scenario = Scenario(
        reader.base,
        posixpath.basename(index),
        title,
        reader.words("", data, "description"),
        reader.words("", data, "difficulty") or reader.words("details.", details, "difficulty"),
        reader.words("", data, "time") or reader.words("details.", details, "time"),
        reader.words("backend.", backend, "imageid") or reader.words("backend.", backend, "dockerimage"),
        port if isinstance(port, int) else int(port) if isinstance(port, str) and port.isdigit() else 0,
        reader.words("interface.", interface, "layout") or reader.words("environment.", environment, "uilayout"),
        reader.step("intro", details.get("intro")),
        steps,
        reader.step("finish", details.get("finish")),
        reader.assets(details.get("assets") or data.get("assets")),
        _terminals(environment),
        "environment" in data,
        reader.notes,
    )
    for path in folder.refused:
        if path.startswith(f"{reader.base}/") or not reader.base:
            scenario.notes.append(
                Note(path[len(reader.base) :].lstrip("/"), 0, "is a link or a special file, which is not followed")
            )
    if not scenario.image:
        reader.note("backend", "backend.imageid: is missing; ubuntu is used")
    return scenario


def _terminals(environment: dict[str, Any]) -> list[dict[str, str]]:
    found = environment.get("terminals")
    return [{str(k): str(v) for k, v in one.items()} for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def indexes(folder: Folder) -> list[str]:
    """The index files of a tree, by path; of several in one folder the JSON counts."""
    found: dict[str, str] = {}
    for name in reversed(INDEX):
        for path in folder.paths:
            if posixpath.basename(path) == name:
                found[posixpath.dirname(path)] = path
    return [found[base] for base in sorted(found)]


def courses(folder: Folder) -> tuple[list[Course], list[Note]]:
    """Every course that a `structure.json` or a pathway of the tree describes, and what is amiss in them."""
    known = {posixpath.dirname(path) for path in indexes(folder)}
    found: list[Course] = []
    notes: list[Note] = []
    for path in sorted(folder.paths):
        name = posixpath.basename(path)
        if name != "structure.json" and not name.endswith("-pathway.json"):
            continue
        try:
            data = load(folder, path)
        except BadInput as error:
            notes.append(Note(path, 0, str(error)))
            continue
        items = data.get("items") or data.get("courses") if isinstance(data, dict) else None
        if not isinstance(items, list):
            notes.append(Note(path, 0, "has no list `items` or `courses`; left out"))
            continue
        base = posixpath.dirname(path)
        course = Course(base, str(data.get("title") or posixpath.basename(base) or name), str(data.get("description") or ""))
        if name.endswith("-pathway.json"):
            base = posixpath.join(base, name.removesuffix("-pathway.json"))
        for item in items:
            where = _item(base, item, known)
            if where is None:
                notes.append(Note(path, 0, f"{_name_of(item)}: no such scenario here; left out"))
                continue
            for one in where:
                course.scenarios.append(one)
            if isinstance(item, dict) and item.get("title") and len(where) == 1:
                course.titles[where[0]] = str(item["title"])
        found.append(course)
    return found, notes


def _name_of(item: Any) -> str:
    if isinstance(item, dict):
        return str(item.get("path") or item.get("course_id") or item.get("id") or item)
    return str(item)


def _item(base: str, item: Any, known: set[str]) -> list[str] | None:
    """The scenarios' folders that an item means: a scenario, or a folder of some."""
    name = _name_of(item).strip("/")
    candidates = [
        posixpath.normpath(posixpath.join(base, name)),
        posixpath.normpath(posixpath.join(posixpath.dirname(base), name)),
    ]
    if isinstance(item, dict) and item.get("pathway_id"):
        candidates.insert(0, posixpath.normpath(posixpath.join(posixpath.dirname(base), str(item["pathway_id"]), name)))
    for path in candidates:
        if path.startswith(".."):
            continue
        if path in known:
            return [path]
        below = sorted(one for one in known if one.startswith(path + "/"))
        if below:
            return below
    return None
