"""`kubectl kuberc view` and `kubectl kuberc set` (`kubectl/pkg/cmd/kuberc`)."""

from __future__ import annotations

import posixpath
from collections.abc import Generator
from typing import Any

from ....kernel.errors import SimulatorError
from ... import goyaml
from ...cobra import Command, Flag
from ...flags import quote
from .. import kuberc
from ..errors import CommandError
from ..flagsets import print_flags
from ..groups import group_run
from ..printers import Output
from ..session import Session

Obj = dict[str, Any]
SECTIONS = ("defaults", "aliases", "credentialplugin")


def _file(s: Session) -> tuple[str, bool]:
    path, explicit = kuberc.location(s.inv, s.values.text("kuberc"))
    if not path:
        raise CommandError("KUBERC is disabled via KUBERC=off environment variable")
    return path, explicit


def _save(s: Session, path: str, preference: Obj) -> None:
    s.inv.tree.mkdir(s.inv.path(posixpath.dirname(path) or "."), True, now=s.world.wall)
    s.inv.write_file(path, goyaml.dump(preference).encode())
    s.out(f"Updated {path}\n")


def _parse(data: bytes) -> Obj:
    try:
        found = goyaml.load(data.decode("utf-8", "replace")) or {}
    except (goyaml.YamlError, SimulatorError) as error:
        raise CommandError(f"error parsing kuberc file: error converting YAML to JSON: {error}") from None
    if not isinstance(found, dict):
        raise CommandError(
            "error parsing kuberc file: error unmarshaling JSON: json: cannot unmarshal into Go value of type v1beta1.Preference"
        )
    return found


def run_view(s: Session) -> Generator[Any, Any, int]:
    """`kuberc view`: the file, or an offer to write one."""
    path, explicit = _file(s)
    if not s.inv.exists(path):
        if explicit:
            raise CommandError(f"kuberc file not found at {path}")
        s.out(f"kuberc file not found at {path}\n")
        s.out("Would you like to generate a default kuberc file with recommended options? (y/N): ")
        answer = yield from s.inv.read_line()
        if answer.strip().lower() == b"y":
            _save(s, path, kuberc.RECOMMENDED)
        return 0
    found = _parse(s.inv.read_file(path))
    Output(s, default="yaml").print({**found, "aliases": found.get("aliases") or [], "defaults": found.get("defaults") or []})
    return 0


def run_set(s: Session) -> int:
    """`kuberc set`: one default, one alias, or the policy of credential plugins."""
    values = s.values
    path, _ = _file(s)
    _validate(s)
    found: Obj = {"apiVersion": kuberc.API_VERSION, "kind": "Preference"}
    if s.inv.exists(path) and (data := s.inv.read_file(path)):
        found = _parse(data)
    found = {**found, "aliases": found.get("aliases"), "defaults": found.get("defaults")}
    options = []
    for text in values.items("option"):
        name, equals, value = text.partition("=")
        if not equals:
            raise CommandError(f"invalid option format {quote(text)}, expected flag=value")
        options.append({"default": value, "name": name.lstrip("-")})
    section = values.text("section")
    if section == "credentialplugin":
        found["credentialPluginPolicy"] = values.text("policy")
        if values.text("policy") == "Allowlist":
            found["credentialPluginAllowlist"] = _allowed(values.items("allowlist-entry"))
    elif section == "defaults":
        _set_default(s, found, options)
    else:
        _set_alias(s, found, options)
    _save(s, path, found)
    return 0


def _validate(s: Session) -> None:
    values = s.values
    section, name, policy = values.text("section"), values.text("name"), values.text("policy")
    wrong = ""
    if section not in SECTIONS:
        wrong = f'--section must be "defaults", "aliases", or "credentialplugin", got: {section}'
    elif section == "aliases" and not name:
        wrong = "--name is required when --section=aliases"
    elif section == "defaults" and name:
        wrong = "--name should not be specified when --section=defaults"
    elif section == "defaults" and (values.items("prependarg") or values.items("appendarg")):
        wrong = "--prependarg and --appendarg are only valid for --section=aliases"
    elif section != "credentialplugin":
        wrong = "" if values.text("command") else "--command is required when --section=aliases or --section=defaults"
    elif not policy:
        wrong = "--policy is required when --section=credentialplugin"
    elif policy not in kuberc.POLICIES:
        wrong = f' --policy must be  "AllowAll", "DenyAll", or "Allowlist", got: {policy}'
    elif policy != "Allowlist" and values.items("allowlist-entry"):
        wrong = "--allowlist-entry may only be used when --section=credentialplugin and --policy=Allowlist"
    elif policy == "Allowlist" and not values.items("allowlist-entry"):
        wrong = "--allowlist-entry is required when --section=credentialplugin and --policy=Allowlist"
    if wrong:
        raise CommandError(wrong)


def _set_default(s: Session, found: Obj, options: list[Obj]) -> None:
    command = s.values.text("command")
    held = next((entry for entry in found["defaults"] or () if entry.get("command") == command), None)
    if held is None:
        found["defaults"] = [*(found["defaults"] or ()), {"command": command, "options": options or None}]
        return
    if not s.values.on("overwrite"):
        raise CommandError(f"defaults for command {quote(command)} already exist, use --overwrite to replace")
    held["options"] = options or held.get("options")


def _set_alias(s: Session, found: Obj, options: list[Obj]) -> None:
    values = s.values
    name = values.text("name")
    held = next((entry for entry in found["aliases"] or () if entry.get("name") == name), None)
    if held is not None and not values.on("overwrite"):
        raise CommandError(f"alias {quote(name)} already exists, use --overwrite to replace")
    old = held or {}
    new = {
        "appendArgs": values.items("appendarg") or old.get("appendArgs"),
        "command": values.text("command"),
        "name": name,
        "options": options or old.get("options"),
        "prependArgs": values.items("prependarg") or old.get("prependArgs"),
    }
    new = {key: value for key, value in new.items() if value}
    if held is None:
        found["aliases"] = [*(found["aliases"] or ()), new]
    else:
        held.clear()
        held.update(new)


def _allowed(texts: list[str]) -> list[Obj]:
    entries, wrong = [], []
    for text in (pair for entry in texts for pair in entry.split(",")):
        field, equals, value = text.partition("=")
        if not equals:
            wrong.append(f"improperly formatted allowlist entry: {quote(text)}")
        elif field == "name":
            wrong.append('allowlist entry field "name" is deprecated, use "command" instead')
        elif field != "command":
            wrong.append(f"unrecognized allowlist entry field: {quote(field)}")
        elif not value.strip():
            wrong.append(f"empty value in allowlist entry for field {quote(field)}")
        else:
            entries.append({"command": value})
    if wrong:
        raise CommandError(wrong[0] if len(wrong) == 1 else f"[{', '.join(dict.fromkeys(wrong))}]")
    return entries


FILE = Flag(name="kuberc", usage="The kuberc file; KUBERC=off in the environment switches preferences off.")
VIEW = Command(
    "view",
    short="Display the current kuberc configuration",
    long="Shows the kuberc file in the given output format.",
    example="# As YAML\nkubectl kuberc view\n\n# As JSON\nkubectl kuberc view --output json\n\n# Of another file\nkubectl kuberc view --kuberc /path/to/kuberc",
    flags=(FILE, *print_flags(default="yaml")),
    run=run_view,
    flags_in_use_line=False,
)
SET = Command(
    "set --section (defaults|aliases) --command COMMAND",
    short="Set values in the kuberc configuration",
    long="""Writes the kuberc file.

 The section says what is set: the default of a command's flags, an alias of a command with its own flags and arguments, or which
credential plugins may run.""",
    example="""# Wide tables by default
kubectl kuberc set --section defaults --command get --option output=wide

# getn for "get nodes"
kubectl kuberc set --section aliases --name getn --command get --prependarg nodes

# Another default
kubectl kuberc set --section defaults --command get --option output=json --overwrite""",
    flags=(
        FILE,
        Flag(name="section", required=True, usage="'defaults', 'aliases' or 'credentialplugin'"),
        Flag(name="command", usage="The command that is meant, such as 'get' or 'set env'"),
        Flag(name="name", usage="Name of the alias"),
        Flag(name="policy", usage="Which credential plugins may run: 'AllowAll', 'DenyAll' or 'Allowlist'"),
        Flag(name="option", kind="array", usage="A flag and its value, flag=value; may be repeated"),
        Flag(name="prependarg", kind="array", usage="An argument before those that are typed; for aliases; may be repeated"),
        Flag(name="appendarg", kind="array", usage="An argument after those that are typed; for aliases; may be repeated"),
        Flag(
            name="allowlist-entry", kind="array", usage="An entry of the list of allowed plugins, command=value; may be repeated"
        ),
        Flag(name="overwrite", kind="bool", usage="Replace what is there"),
    ),
    run=run_set,
    flags_in_use_line=False,
)
COMMAND = Command(
    "kuberc SUBCOMMAND",
    short="Manage kuberc configuration files",
    long="""Manage user preferences in kuberc files.

 A kuberc file holds aliases and default flags of kubectl's commands.""",
    example=f"{VIEW.example.splitlines()[0]}\nkubectl kuberc view\n\n{SET.example.partition(chr(10) * 2)[0]}",
    commands=(VIEW, SET),
    run=group_run("stderr", 1),
    flags_in_use_line=False,
)
