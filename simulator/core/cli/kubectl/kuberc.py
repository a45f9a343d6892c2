"""Preferences of kubectl: aliases and default flags of a kuberc file (`kubectl/pkg/kuberc`, `pkg/config/v1beta1`).

The file is `--kuberc`, else `$KUBERC`, else `~/.kube/kuberc`; `KUBERC=off` switches preferences off.  Of several documents the first
usable one counts.  `apply` rewrites the command line: an alias becomes its command, defaults become flags in front of what was typed.
"""

from __future__ import annotations

import posixpath
import re
from typing import Any

from .. import goyaml
from ..cobra import Command, UsageError
from ..flags import FlagError, Values
from .errors import CommandError

Obj = dict[str, Any]
GROUP = "kubectl.config.k8s.io"
API_VERSION = f"{GROUP}/v1beta1"
SERVED = (API_VERSION, f"{GROUP}/v1alpha1")
POLICIES = ("AllowAll", "DenyAll", "Allowlist")
#: What `kuberc view` offers to write where there is no file.
RECOMMENDED: Obj = {
    "aliases": None,
    "apiVersion": API_VERSION,
    "defaults": [
        {"command": "apply", "options": [{"default": "true", "name": "server-side"}]},
        {"command": "delete", "options": [{"default": "true", "name": "interactive"}]},
    ],
    "kind": "Preference",
}
_FIELDS = {
    "": ("apiVersion", "kind", "defaults", "aliases", "credentialPluginPolicy", "credentialPluginAllowlist"),
    "defaults": ("command", "options"),
    "aliases": ("name", "command", "prependArgs", "appendArgs", "options"),
    "options": ("name", "default"),
    "credentialPluginAllowlist": ("name", "command"),
}


def location(inv: Any, given: str) -> tuple[str, bool]:
    """(path, whether it was asked for) of the file; "" when preferences are switched off.  Raises CommandError."""
    if inv.env.get("KUBERC") == "off":
        if given:
            raise CommandError("disabling kuberc via KUBERC=off and passing kuberc flag are mutually exclusive")
        return "", False
    default = posixpath.join(inv.env.get("HOME", "/root"), ".kube/kuberc")
    if given and given != default:
        return given, True
    return (inv.env["KUBERC"], True) if inv.env.get("KUBERC") else (given or default, bool(given))


def apply(inv: Any, root: Command, args: list[str]) -> list[str]:
    """The command line with the preferences in it; raises CommandError."""
    if not args or not (inv.env.get("KUBERC") or any("--kuberc" in arg for arg in args) or inv.exists(location(inv, "")[0])):
        return args
    found = _load(inv, _given(args))
    if found is None:
        return args
    _validate(found)
    args, alias = _with_alias(inv, root, found, args)
    return _with_defaults(inv, root, found, args, alias)


def _given(args: list[str]) -> str:
    """The value of `--kuberc`, read before any flag is parsed."""
    for at, arg in enumerate(args):
        if arg == "--":
            break
        if arg == "--kuberc":
            if at + 1 < len(args):
                return args[at + 1]
            raise CommandError("kuberc file is not found")
        if "--kuberc=" in arg:
            value = arg.split("=")[1]
            if not value:
                raise CommandError("kuberc file is not found")
            return value
    return ""


def _load(inv: Any, given: str) -> Obj | None:
    try:
        path, explicit = location(inv, given)
    except CommandError as error:
        raise CommandError(f"kuberc error {error}") from None
    if not path:
        return None
    try:
        found, strange = _decode(path, inv.read_file(path).decode("utf-8", "replace"))
    except OSError as error:
        why = f"open {path}: {(error.strerror or '').lower()}"
        if explicit:
            raise CommandError(f"kuberc error kuberc: {why}") from None
        if inv.exists(path):
            inv.err(f"kuberc: no preferences loaded from {path}: {why}")
        return None
    except CommandError as error:
        if explicit:
            raise CommandError(f"kuberc error kuberc: {error}") from None
        inv.err(f"kuberc: no preferences loaded from {path}: {error}")
        return None
    if strange:
        inv.err(f"kuberc: ignoring strict decoding error in {path}: strict decoding error: {', '.join(strange)}")
    return found


def _decode(path: str, text: str) -> tuple[Obj | None, list[str]]:
    """(the first usable document, what is strange in it); raises CommandError when none is usable."""
    tried = 0
    for part in re.split(r"(?m)^---.*$", text):
        if not part.strip():
            continue
        tried += 1
        try:
            found = goyaml.load(part)
        except goyaml.YamlError:
            continue
        if isinstance(found, dict) and found.get("apiVersion") in SERVED and found.get("kind") == "Preference":
            if not _shaped(found):
                continue
            return found, _strange(found, "")
    if tried:
        raise CommandError(f"no valid preferences found in {path}, use --v=5 to see details")
    return None, []


def _shaped(found: Obj) -> bool:
    """Whether it decodes at all: lists of objects whose fields are texts."""
    for key in ("defaults", "aliases", "overrides"):
        for entry in found.get(key) or ():
            if not isinstance(entry, dict) or not isinstance(entry.get("command", ""), str):
                return False
            options = entry.get("options") or entry.get("flags") or []
            if not all(isinstance(o, dict) and all(isinstance(v, str) for v in o.values()) for o in options):
                return False
    return True


def _strange(value: Any, field: str, where: str = "") -> list[str]:
    out = []
    for key, inner in value.items():
        path = f"{where}.{key}" if where else key
        if key not in _FIELDS[field] and key not in ("overrides", "flags"):
            out.append(f'unknown field "{path}"')
        elif key in _FIELDS and isinstance(inner, list):
            for at, one in enumerate(inner):
                out += _strange(one, key, f"{path}[{at}]") if isinstance(one, dict) else []
    return out


def _options(entry: Obj) -> list[tuple[str, str]]:
    """The flags of an entry; v1alpha1 calls them `flags`."""
    return [(o.get("name", ""), o.get("default", "")) for o in entry.get("options") or entry.get("flags") or ()]


def _defaults(found: Obj) -> list[Obj]:
    return [*(found.get("defaults") or ()), *(found.get("overrides") or ())]


def _validate(found: Obj) -> None:
    seen = set()
    for alias in found.get("aliases") or ():
        name = str(alias.get("name", ""))
        if not re.fullmatch("[a-zA-Z]+", name):
            raise CommandError("invalid alias name, can only include alphabetical characters")
        _dashless(alias)
        if name in seen:
            raise CommandError(f"duplicate alias name {name}")
        seen.add(name)
    for entry in _defaults(found):
        _dashless(entry)


def _dashless(entry: Obj) -> None:
    for name, _ in _options(entry):
        if name.startswith("-"):
            raise CommandError(f"flag name {name} should be in long form without dashes")


def _with_alias(inv: Any, root: Command, found: Obj, args: list[str]) -> tuple[list[str], str]:
    """(the command line with an alias resolved, the alias that was used)."""
    try:
        root.find(args)
        return args, ""
    except UsageError:
        pass
    at = next((at for at, arg in enumerate(args) if not arg.startswith(("-", "__complete"))), -1)
    for alias in found.get("aliases") or ():
        if at < 0 or alias["name"] != args[at]:
            continue
        try:
            command, _ = root.find(str(alias.get("command", "")).split())
        except UsageError:
            raise CommandError(f'command "{alias.get("command", "")}" not found to set alias "{alias["name"]}": {alias.get("command", "").split()}') from None  # fmt: skip
        given = [*args[:at], *args[at + 1 :]]
        flags = _flags(
            command, _options(alias), given, lambda name: f"invalid alias flag {name} in alias kubectl", "alias kubectl"
        )
        after = [
            *(str(one) for one in alias.get("prependArgs") or ()),
            *args[at + 1 :],
            *(str(one) for one in alias.get("appendArgs") or ()),
        ]
        return [*args[:at], *str(alias["command"]).split(), *flags, *after], str(alias["name"])
    return args, ""


def _with_defaults(inv: Any, root: Command, found: Obj, args: list[str], alias: str) -> list[str]:
    """The command line with the defaults of its command in front of what was typed."""
    try:
        command, rest = root.find(args)
    except UsageError:
        return args
    flags: list[str] = []
    for entry in _defaults(found):
        text = str(entry.get("command", ""))
        try:
            meant, _ = root.find(text.split())
        except UsageError:
            inv.err(f'Warning: command "{text}" not found to set kuberc override\n')
            continue
        if meant.name != command.name or alias:
            continue
        flags += _flags(
            command, _options(entry), args, lambda name, text=text: f"invalid flag {name} for command {text}", f"command {text}"
        )
    if not flags:
        return args
    words = command.path.split()[1:]
    return [*words, *flags, *rest]


def _flags(command: Command, options: list[tuple[str, str]], args: list[str], unknown: Any, where: str) -> list[str]:
    """Those of the options that the command line does not set itself, as flags."""
    out = []
    for name, value in options:
        flag = command.all_flags().by_name.get(name)
        if flag is None:
            raise CommandError(unknown(name))
        if _typed(flag.name, flag.short, set(command.all_flags().by_short), args):
            continue
        try:
            Values(command.all_flags()).put(flag, value)
        except FlagError as error:
            why = str(error).partition(" flag: ")[2]
            verb = "override value" if where.startswith("command") else "value"
            raise CommandError(f"could not apply {verb} {value} to flag {name} in {where} err: {why}") from None
        out.append(f"--{name}={value}")
    return out


def _typed(name: str, short: str, shorts: set[str], args: list[str]) -> bool:
    """Whether the command line sets a flag (`searchInArgs`)."""
    for arg in args:
        if arg == f"--{name}" or arg.startswith(f"--{name}="):
            return True
        if short and arg.startswith(f"-{short}"):
            return True
        if short and re.fullmatch("-[a-zA-Z]+", arg) and short in shorts and short in arg[1:]:
            return True
    return False
