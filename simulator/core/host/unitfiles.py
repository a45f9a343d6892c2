"""Unit files as systemd reads them: directories in order, drop-ins, durations, environments, command lines."""

from __future__ import annotations

import posixpath
import shlex

from ..kernel.clock import MS, SECOND
from ..kernel.world import World
from . import files
from .machine import Host

UNIT_DIRS = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
Section = dict[str, list[str]]


class UnitNotFound(Exception):
    """No such unit file."""


class UnitFile:
    """A parsed unit: its sections, the file it came from, its drop-ins."""

    def __init__(self, name: str, path: str, sections: dict[str, Section], drop_ins: list[str]) -> None:
        self.name, self.path, self.sections, self.drop_ins = name, path, sections, drop_ins

    def values(self, section: str, key: str) -> list[str]:
        """All values of a list key."""
        return self.sections.get(section, {}).get(key, [])

    def value(self, section: str, key: str, default: str = "") -> str:
        """The last value of a key."""
        found = self.values(section, key)
        return found[-1] if found else default


def unit_name(name: str) -> str:
    """A unit's full name: `kubelet` is `kubelet.service`."""
    return (
        name
        if "." in name and name.rsplit(".", 1)[1] in ("service", "socket", "target", "timer", "mount", "slice", "path")
        else name + ".service"
    )


def _merge(sections: dict[str, Section], text: str) -> None:
    section = ""
    logical = text.replace("\\\n", " ")
    for raw in logical.splitlines():
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
            sections.setdefault(section, {})
            continue
        key, equals, value = line.partition("=")
        if not equals:
            continue
        values = sections.setdefault(section, {}).setdefault(key.strip(), [])
        if value.strip():
            values.append(value.strip())
        else:
            values.clear()


def fragments(host: Host, name: str) -> list[tuple[str, str]]:
    """(path, text) of a unit's file and of its drop-ins in order, as they are on disk; raises UnitNotFound."""
    name = unit_name(name)
    tree = files.tree(host)
    for folder in UNIT_DIRS:
        path = posixpath.join(folder, name)
        if not tree.exists(path):
            continue
        drop_ins: dict[str, str] = {}
        for where in reversed(UNIT_DIRS):
            extra = posixpath.join(where, name + ".d")
            if tree.isdir(extra):
                drop_ins.update({item: posixpath.join(extra, item) for item in tree.listdir(extra) if item.endswith(".conf")})
        paths = [path, *(drop_ins[item] for item in sorted(drop_ins))]
        return [(item, tree.read(item).decode(errors="replace")) for item in paths]
    raise UnitNotFound(name)


def parse(name: str, found: list[tuple[str, str]]) -> UnitFile:
    """A unit of its fragments."""
    sections: dict[str, Section] = {}
    for _, text in found:
        _merge(sections, text)
    return UnitFile(unit_name(name), found[0][0], sections, [path for path, _ in found[1:]])


def load(world: World, host: Host, name: str) -> UnitFile:
    """A unit as the manager has it: what it read before its files changed, until `daemon-reload`."""
    name = unit_name(name)
    return parse(name, host.kept.get(name) or fragments(host, name))


def read(host: Host, name: str) -> UnitFile:
    """A unit as its files say now."""
    return parse(name, fragments(host, name))


def unit_of(path: str) -> str:
    """The unit that a file below a unit directory belongs to, or ""."""
    folder, name = posixpath.split(path)
    if folder in UNIT_DIRS:
        name = name.removesuffix(".d")
    elif posixpath.dirname(folder) in UNIT_DIRS and folder.endswith(".d") and name.endswith(".conf"):
        name = posixpath.basename(folder).removesuffix(".d")
    else:
        return ""
    return name if unit_name(name) == name else ""


def duration(text: str, default: int) -> int:
    """A systemd time span (`100ms`, `10`, `1min 30s`) in nanoseconds."""
    units = {
        "": SECOND,
        "s": SECOND,
        "sec": SECOND,
        "ms": MS,
        "min": 60 * SECOND,
        "m": 60 * SECOND,
        "h": 3600 * SECOND,
        "us": 1000,
    }
    total, seen = 0, False
    for word in text.split():
        digits = word.rstrip("abcdefghijklmnopqrstuvwxyz")
        try:
            total += int(float(digits) * units[word[len(digits) :]])
        except (ValueError, KeyError):
            return default
        seen = True
    return total if seen else default


def environment(world: World, host: Host, unit: UnitFile) -> dict[str, str]:
    """The variables of `EnvironmentFile=` and `Environment=`, the file's winning as in systemd.exec(5)."""
    env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
    for value in unit.values("Service", "Environment"):
        for pair in shlex.split(value):
            name, _, rest = pair.partition("=")
            env[name] = rest
    for value in unit.values("Service", "EnvironmentFile"):
        optional = value.startswith("-")
        path = value.lstrip("-")
        try:
            text = files.read_file(world, host, path).decode(errors="replace")
        except OSError:
            if optional:
                continue
            raise
        for line in text.splitlines():
            if "=" in line and not line.lstrip().startswith(("#", ";")):
                name, _, rest = line.strip().partition("=")
                env[name] = rest.strip("\"'")
    return env


def command_line(unit: UnitFile, key: str, env: dict[str, str]) -> list[list[str]]:
    """The command lines of `ExecStart=` and its kin: `$NAME` as a word splits, `${NAME}` stays one word."""
    lines: list[list[str]] = []
    for value in unit.values("Service", key):
        words: list[str] = []
        for word in shlex.split(value.lstrip("@-:+!")):
            if word.startswith("$") and word[1:].replace("_", "a").isalnum():
                words.extend(env.get(word[1:], "").split())
                continue
            for name in [part.split("}")[0] for part in word.split("${")[1:]]:
                word = word.replace("${" + name + "}", env.get(name, ""))
            words.append(word)
        lines.append(words)
    return lines
