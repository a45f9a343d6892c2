"""`kubectl config …` (`kubectl/pkg/cmd/config`)."""

from __future__ import annotations

import base64
import posixpath
from collections.abc import Callable
from typing import Any

from ...cobra import Command, Flag
from ...flag_kinds import parse_bool
from ...flags import quote
from ..errors import CommandError, UsageError
from ..flagsets import own, print_flags
from ..groups import group_run
from ..kubeconfig import SECTIONS, Config
from ..kubeconfig_check import base64_problem
from ..printers import Output
from ..session import Session
from ..table import columns

Obj = dict[str, Any]
SECRET = {"certificate-authority-data": "DATA+OMITTED", "client-certificate-data": "DATA+OMITTED", "client-key-data": "DATA+OMITTED",
          "token": "REDACTED", "password": "REDACTED"}  # fmt: skip


def _args(s: Session, low: int, high: int) -> list[str]:
    """Refuse a wrong number of words with the help text, as these commands do."""
    from ..root import help_text

    args = s.values.args
    if not low <= len(args) <= high:
        s.out(help_text(s.command))
        raise CommandError(f"Unexpected args: [{' '.join(args)}]")
    return args


def _name(s: Session, what: str) -> str:
    """The one name of an entry that is set."""
    name = _args(s, 1, 1)[0]
    if not name:
        raise CommandError(f"you must specify a non-empty {what} name")
    return name


def _edit(s: Session, section: str, name: str, change: Callable[[Config], None]) -> str:
    """Change the file that an entry stands in (or the one that new entries go to) and store it."""
    origin = s.files.load(strict=False).origin.get((section, name)) or s.files.target()
    config = s.files.read(origin)
    change(config)
    s.files.write(origin, config)
    return origin


def _drop(config: Config, section: str, name: str) -> None:
    config.section(section).pop(name, None)


def _put(config: Config, section: str, name: str, fields: Obj) -> None:
    config.section(section).setdefault(name, {}).update(fields)


#: Fields in the order of the Go structs (client-go, tools/clientcmd/api/v1/types.go).
ORDERED = {
    "clusters": ("server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority", "certificate-authority-data", "proxy-url",
                 "disable-compression"),
    "users": ("client-certificate", "client-certificate-data", "client-key", "client-key-data", "token", "tokenFile", "as", "as-uid", "as-groups",
              "as-user-extra", "username", "password", "auth-provider", "exec"),
    "contexts": ("cluster", "user", "namespace"),
}  # fmt: skip
PLUGIN = ("command", "args", "env", "apiVersion", "installHint", "provideClusterInfo", "interactiveMode")


def run_view(s: Session) -> int:
    """`config view`."""
    values = s.values
    if values.args:
        raise UsageError(s.command, f"unexpected arguments: [{' '.join(values.args)}]")
    if not values.on("merge") and not s.files.explicit:
        raise CommandError("if merge==false a precise file must be specified")
    config = s.files.load(strict=False)
    if values.on("flatten"):
        _flatten(s, config)
    if values.on("minify"):
        config = _minified(s, config)
    raw = config.to_object()
    for section, inner in (("clusters", "cluster"), ("users", "user"), ("contexts", "context")):
        for item in raw[section] or ():
            item[inner] = _ordered(item[inner], ORDERED[section])
            if isinstance(item[inner].get("exec"), dict):
                item[inner]["exec"] = _ordered(item[inner]["exec"], PLUGIN)
    if not values.on("raw"):
        for section, inner in (("clusters", "cluster"), ("users", "user")):
            for item in raw[section] or ():
                item[inner] = {key: (SECRET.get(key, value) if value else value) for key, value in item[inner].items()}
    Output(s, default="yaml", typed=True).print(raw)
    return 0


def _ordered(entry: Obj, members: tuple[str, ...]) -> Obj:
    """An entry with its members in the order of the Go type."""
    return {key: entry[key] for key in (*members, *entry) if key in entry}


def _flatten(s: Session, config: Config) -> None:
    """Put the content of the files that entries name into the entries."""
    for section in ("clusters", "users"):
        for name, entry in config.section(section).items():
            for key in ("certificate-authority", "client-certificate", "client-key"):
                path = str(entry.get(key) or "")
                if not path:
                    continue
                origin = config.origin.get((section, name), "")
                where = path if path.startswith("/") else posixpath.join(posixpath.dirname(origin), path)
                try:
                    data = s.inv.read_file(where)
                except OSError as error:
                    raise CommandError(f"open {where}: {(error.strerror or '').lower()}") from None
                config.section(section)[name] = entry = {**entry, key + "-data": base64.b64encode(data).decode()}
                entry.pop(key)


def _minified(s: Session, config: Config) -> Config:
    name = s.values.text("context") or config.current
    if not name:
        raise CommandError("current-context must exist in order to minify")
    if name not in config.contexts:
        raise CommandError(f"cannot locate context {name}")
    out = Config()
    out.current = name
    context = config.contexts[name]
    out.contexts[name] = context
    for section, key in (("clusters", "cluster"), ("users", "user")):
        wanted = context.get(key, "")
        if wanted and wanted not in config.section(section):
            raise CommandError(f"cannot locate {key} {wanted}")
        if wanted:
            out.section(section)[wanted] = config.section(section)[wanted]
    return out


def run_current(s: Session) -> int:
    """`config current-context`."""
    config = s.files.load(strict=False)
    if not config.current:
        raise CommandError("current-context is not set")
    s.out(config.current + "\n")
    return 0


def run_use(s: Session) -> int:
    """`config use-context`."""
    name = _args(s, 1, 1)[0]
    config = s.files.load(strict=False)
    if name not in config.contexts:
        raise CommandError(f"no context exists with the name: {quote(name)}")
    path = s.files.target()
    first = s.files.read(path)
    first.current = name
    s.files.write(path, first)
    s.out(f"Switched to context {quote(name)}.\n")
    return 0


def run_contexts(s: Session) -> int:
    """`config get-contexts`."""
    values = s.values
    config = s.files.load(strict=False)
    if values.text("output") not in ("", "name"):
        raise CommandError(
            f"--output {values.text('output')} is not available in kubectl config get-contexts; resetting to default output format"
        )
    missing = [name for name in values.args if name not in config.contexts]
    names = [name for name in (values.args or sorted(config.contexts)) if name in config.contexts]
    if values.text("output") == "name":
        s.out("".join(name + "\n" for name in sorted(names)))
    else:
        rows = [] if values.on("no-headers") else [["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"]]
        for name in sorted(names):
            entry = config.contexts[name]
            rows.append(
                [
                    "*" if name == config.current else "",
                    name,
                    entry.get("cluster", ""),
                    entry.get("user", ""),
                    entry.get("namespace", ""),
                ]
            )
        s.out(columns(rows))
    if missing:
        from ..errors import raise_all

        raise_all([CommandError(f"context {name} not found") for name in missing])
    return 0


def run_names(s: Session) -> int:
    """`config get-clusters` and `get-users`."""
    section = s.command.name.removeprefix("get-")
    entries = s.files.load(strict=False).section(section)
    s.out("NAME\n" + "".join(name + "\n" for name in sorted(entries)))
    return 0


def run_delete(s: Session) -> int:
    """`config delete-cluster`, `delete-context`, `delete-user`."""
    word = s.command.name.removeprefix("delete-")
    if word != "user" and len(s.values.args) != 1:
        s.out(_help(s))
        return 0
    if word == "user" and len(s.values.args) != 1:
        raise UsageError(s.command, "user to delete is required")
    name = _args(s, 1, 1)[0]
    section = word + "s"
    config = s.files.load(strict=False)
    origin = config.origin.get((section, name)) or s.files.target()
    if name not in config.section(section):
        raise CommandError(f"cannot delete {word} {name}, not in {origin}")
    if word == "context" and config.current == name:
        s.err('warning: this removed your active context, use "kubectl config use-context" to select a different one\n')
    _edit(s, section, name, lambda found: _drop(found, section, name))
    s.out(f"deleted {word} {name} from {origin}\n")
    return 0


def run_rename(s: Session) -> int:
    """`config rename-context`."""
    old, new = _args(s, 2, 2)
    config = s.files.load(strict=False)
    path = config.origin.get(("contexts", old)) or s.files.target()
    if old not in config.contexts:
        raise CommandError(f"cannot rename the context {quote(old)}, it's not in {path}")
    if new in config.contexts:
        raise CommandError(f"cannot rename the context {quote(old)}, the context {quote(new)} already exists in {path}")

    def change(found: Config) -> None:
        found.contexts[new] = found.contexts.pop(old)
        if found.current == old:
            found.current = new

    _edit(s, "contexts", old, change)
    s.out(f"Context {quote(old)} renamed to {quote(new)}.\n")
    return 0


def run_set_context(s: Session) -> int:
    """`config set-context`."""
    values = s.values
    config = s.files.load(strict=False)
    given = _args(s, 0, 1)
    if values.on("current"):
        if given:
            raise CommandError("you cannot specify both a context name and --current")
        name = config.current
        if not name:
            raise CommandError("no current context is set")
    elif not given or not given[0]:
        raise CommandError("you must specify a non-empty context name or --current")
    else:
        name = given[0]
    known = name in config.contexts

    def change(found: Config) -> None:
        entry = found.contexts.setdefault(name, {"cluster": "", "user": ""})
        for flag in ("cluster", "user", "namespace"):
            if flag in values.changed:
                entry[flag] = values.text(flag)
        if not entry.get("namespace"):
            entry.pop("namespace", None)

    _edit(s, "contexts", name, change)
    s.out(f"Context {quote(name)} {'modified' if known else 'created'}.\n")
    return 0


def run_set_cluster(s: Session) -> int:
    """`config set-cluster`."""
    values = s.values
    name = _name(s, "cluster")
    if values.on("insecure-skip-tls-verify") and values.text("certificate-authority"):
        raise CommandError("you cannot specify a certificate authority and insecure mode at the same time")
    if values.on("embed-certs") and not values.text("certificate-authority"):
        raise CommandError("you must specify a --certificate-authority to embed")

    def change(found: Config) -> None:
        entry = found.clusters.setdefault(name, {"server": ""})
        for flag, key in (("server", "server"), ("tls-server-name", "tls-server-name"), ("proxy-url", "proxy-url")):
            if flag in values.changed:
                entry[key] = values.text(flag)
        if "insecure-skip-tls-verify" in values.changed:
            entry.pop("insecure-skip-tls-verify", None)
            if values.on("insecure-skip-tls-verify"):
                entry["insecure-skip-tls-verify"] = True
                entry.pop("certificate-authority", None)
                entry.pop("certificate-authority-data", None)
        _material(s, entry, "certificate-authority")

    _edit(s, "clusters", name, change)
    s.out(f"Cluster {quote(name)} set.\n")
    return 0


def _material(s: Session, entry: Obj, flag: str) -> None:
    path = s.values.text(flag)
    if flag not in s.values.changed:
        return
    if s.values.on("embed-certs"):
        try:
            entry[flag + "-data"] = base64.b64encode(s.inv.read_file(path)).decode()
        except OSError as error:
            raise CommandError(f"could not stat {flag} file {path}: stat {path}: {(error.strerror or '').lower()}") from None
        entry.pop(flag, None)
        entry.pop("insecure-skip-tls-verify", None)
    else:
        entry.pop("insecure-skip-tls-verify", None)
        entry[flag] = s.inv.path(path) if path else ""
        entry.pop(flag + "-data", None)


def run_set_credentials(s: Session) -> int:
    """`config set-credentials`."""
    values = s.values
    if len(values.args) != 1:
        s.out(_help(s))
        raise CommandError(f"unexpected args: [{' '.join(values.args)}]")
    name = _name(s, "user")
    methods = (["--token"] if values.text("token") else []) + (
        ["--username/--password"] if values.text("username") or values.text("password") else []
    )
    if len(methods) > 1:
        raise CommandError(f"you cannot specify more than one authentication method at the same time: {', '.join(methods)}")
    if values.on("embed-certs") and not values.text("client-certificate") and not values.text("client-key"):
        raise CommandError("you must specify a --client-certificate or --client-key to embed")
    if values.text("exec-interactive-mode") not in ("", "IfAvailable", "Never", "Always"):
        raise CommandError("invalid interactive mode type, can be only IfAvailable, Never, Always")

    def change(found: Config) -> None:
        entry = found.users.setdefault(name, {})
        _provider(s, entry)
        _exec(s, entry)
        for flag in ("client-certificate", "client-key"):
            _material(s, entry, flag)
        for flag in ("token", "username", "password"):
            if flag in values.changed:
                entry[flag] = values.text(flag)
        if "token" in values.changed and values.text("token"):
            entry.pop("username", None)
            entry.pop("password", None)
        if values.text("username") or values.text("password"):
            entry.pop("token", None)

    _edit(s, "users", name, change)
    s.out(f"User {quote(name)} set.\n")
    return 0


def _help(s: Session) -> str:
    from ..root import help_text

    return str(help_text(s.command))


def _pairs(items: list[str]) -> tuple[dict[str, str], list[str]]:
    """`key=value` arguments, and the keys of `key-`."""
    new = dict(item.split("=", 1) for item in items if "=" in item)
    return new, [item[:-1] for item in items if "=" not in item and item.endswith("-")]


def _provider(s: Session, entry: Obj) -> None:
    """`--auth-provider` and its arguments."""
    values = s.values
    if "auth-provider" in values.changed:
        entry.pop("auth-provider", None)
        if values.text("auth-provider"):
            entry["auth-provider"] = {"config": None, "name": values.text("auth-provider")}
    held = entry.get("auth-provider")
    if held is not None and "auth-provider-arg" in values.changed:
        new, gone = _pairs(values.items("auth-provider-arg"))
        held["config"] = {key: value for key, value in {**(held.get("config") or {}), **new}.items() if key not in gone} or None


def _exec(s: Session, entry: Obj) -> None:
    """The credential plugin (`--exec-command` and the flags beside it)."""
    values = s.values
    if "exec-command" in values.changed:
        fresh = {"apiVersion": "", "args": None, "command": "", "env": None, "provideClusterInfo": False}
        entry["exec"] = {**fresh, **(entry.get("exec") or {}), "command": values.text("exec-command"), "args": None}
    held = entry.get("exec")
    if held is None:
        return
    for flag, key in (("exec-api-version", "apiVersion"), ("exec-interactive-mode", "interactiveMode")):
        if flag in values.changed:
            held[key] = values.text(flag)
    if "exec-provide-cluster-info" in values.changed:
        held["provideClusterInfo"] = values.on("exec-provide-cluster-info")
    if "exec-arg" in values.changed:
        held["args"] = values.items("exec-arg")
    if "exec-env" in values.changed:
        new, gone = _pairs(values.items("exec-env"))
        env = [item for item in held.get("env") or () if item["name"] not in {*new, *gone}]
        held["env"] = [*env, *({"name": key, "value": value} for key, value in new.items())] or None


#: The members of a kubeconfig's parts that a property may name (the Go types of client-go, tools/clientcmd/api/types.go).
TOP = ("kind", "apiVersion", "preferences", "clusters", "users", "contexts", "current-context", "extensions")
MEMBERS = {
    "clusters": (*ORDERED["clusters"], "extensions", "-"),
    "users": ("client-certificate", "client-certificate-data", "client-key", "client-key-data", "token", "tokenFile", "act-as", "act-as-uid",
              "act-as-groups", "act-as-user-extra", "username", "password", "auth-provider", "exec", "extensions", "-"),
    "contexts": (*ORDERED["contexts"], "extensions", "-"),
    "preferences": ("colors", "extensions"),
}  # fmt: skip


def _steps(name: str) -> tuple[str, str, str]:
    """Section, entry and field of `contexts.lab.namespace` (`navigation_step_parser.go`): a name ends before the first word that is
    a member's."""
    section, *rest = name.split(".")
    if section not in TOP:
        raise CommandError(f"unable to parse {name} after [] at api.Config")
    if section == "preferences":
        if rest and rest[0] not in MEMBERS[section]:
            raise CommandError(f"unable to parse {name} after [{{preferences 0x2a1c5e0}}] at api.Preferences")
        return section, "", ".".join(rest)
    if section not in MEMBERS:
        if rest:
            raise CommandError(f"unable to parse one or more field values of {name}")
        return section, "", ""
    end = next((at for at, word in enumerate(rest[1:], 1) if word in MEMBERS[section]), len(rest))
    if len(rest) > end + 1:
        raise CommandError(f"unable to parse one or more field values of {name}")
    return section, ".".join(rest[:end]), "".join(rest[end:])


def _pointers(entries: dict[str, Obj]) -> str:
    """A map of entries as Go prints it: names, and where the values lie."""
    return "map[" + " ".join(f"{name}:0xc{0x000400000 + 0x60 * at:09x}" for at, name in enumerate(sorted(entries))) + "]"


def _boolean(text: str) -> bool:
    try:
        return parse_bool(text)
    except ValueError:
        raise CommandError(f"strconv.ParseBool: parsing {quote(text)}: invalid syntax") from None


def run_set(s: Session) -> int:
    """`config set`."""
    name, value = _args(s, 2, 2)
    if not value:
        raise CommandError("you cannot use set to unset a property")
    if not name:
        raise CommandError("you must specify a property")
    section, entry, field = _steps(name)
    if section in ("current-context", "preferences"):
        path = s.files.target()
        config = s.files.read(path)
        if section == "current-context":
            config.current = value
        elif field != "colors":
            raise CommandError(f"can't set a map to a value: {_pointers({})}" if field else "unable to locate path config.navigationStep"
                               '{stepValue:"", stepType:reflect.Type(nil)} under {true map[]}')  # fmt: skip
        else:
            config.preferences = {**config.preferences, "colors": _boolean(value)}
        s.files.write(path, config)
    elif section in SECTIONS:
        if not field or field == "extensions":
            held = s.files.load(strict=False).section(section)
            raise CommandError(f"can't set a map to a value: {_pointers({} if field else held)}")
        stored: Any = value
        if field.endswith("-data"):
            stored = value if not s.values.on("set-raw-bytes") else base64.b64encode(value.encode()).decode()
            wrong = base64_problem(stored)
            if wrong:
                raise CommandError(f"error decoding input value: {wrong}")
        elif field in ("insecure-skip-tls-verify", "disable-compression"):
            stored = _boolean(value)
        _edit(s, section, entry, lambda found: _put(found, section, entry, {field: stored}))
    s.out(f"Property {quote(name)} set.\n")
    return 0


def run_unset(s: Session) -> int:
    """`config unset`."""
    name = _args(s, 1, 1)[0]
    if not name:
        raise CommandError("you must specify a property")
    section, entry, field = _steps(name)
    if section not in SECTIONS or not entry:  # the whole of something
        path = s.files.target()
        config = s.files.read(path)
        if section in SECTIONS:
            config.section(section).clear()
        elif section == "preferences":
            config.preferences = {key: value for key, value in config.preferences.items() if field and key != field}
        elif section == "current-context":
            config.current = ""
        s.files.write(path, config)
    else:
        known = entry in s.files.load(strict=False).section(section)
        if not known and field:
            raise CommandError(f"current map key `{entry}` is invalid")

        def change(found: Config) -> None:
            if field:
                found.section(section)[entry].pop(field, None)
            else:
                found.section(section).pop(entry)

        if known:
            _edit(s, section, entry, change)
    s.out(f"Property {quote(name)} unset.\n")
    return 0


def _sub(
    use: str, short: str, run: Any, *flags: Flag, example: str = "", aliases: tuple[str, ...] = (), long: str = ""
) -> Command:
    return Command(use, short=short, long=long or short + ".", example=example, aliases=aliases, flags=flags, run=run)


EXEC = (
    Flag(name="auth-provider", usage="Name of the provider of the user's credentials"),
    Flag(name="auth-provider-arg", kind="strings", usage="Its settings, key=value; key- removes one"),
    Flag(name="exec-command", usage="A program that gives the user's credentials"),
    Flag(name="exec-api-version", usage="API version of what the program is told"),
    Flag(name="exec-arg", kind="strings", usage="Arguments of the program"),
    Flag(name="exec-env", kind="array", usage="Environment of the program, name=value; name- removes one"),
    Flag(name="exec-interactive-mode", usage="When the program may ask: Never, IfAvailable, Always"),
    Flag(name="exec-provide-cluster-info", kind="bool", usage="Tell the program about the cluster"),
)
EMBED = Flag(name="embed-certs", kind="bool", no_opt="true", usage="Put the content of the files into the kubeconfig")
COMMAND = Command(
    "config SUBCOMMAND",
    short="Modify kubeconfig files",
    long="""Modify kubeconfig files using subcommands like "kubectl config set current-context my-context".

 The file is --kubeconfig, or those of $KUBECONFIG, or ${HOME}/.kube/config.""",
    commands=(
        _sub("current-context [flags]", "Display the current-context", run_current, example="# The current context\nkubectl config current-context"),
        _sub("delete-cluster NAME", "Delete the specified cluster from the kubeconfig", run_delete, example="# Cluster minikube\nkubectl config delete-cluster minikube"),
        _sub("delete-context NAME", "Delete the specified context from the kubeconfig", run_delete, example="# Context minikube\nkubectl config delete-context minikube"),
        _sub("delete-user NAME", "Delete the specified user from the kubeconfig", run_delete, example="# User minikube\nkubectl config delete-user minikube"),
        _sub("get-clusters [flags]", "Display clusters defined in the kubeconfig", run_names, example="# The clusters\nkubectl config get-clusters"),
        _sub("get-contexts [(-o|--output=)name)]", "Describe one or many contexts", run_contexts,
             Flag(name="no-headers", kind="bool", usage="Print no headings."), Flag(name="output", short="o", usage="Output format. One of: (name)."),
             example="# All contexts\nkubectl config get-contexts\n\n# One\nkubectl config get-contexts my-context"),
        _sub("get-users [flags]", "Display users defined in the kubeconfig", run_names, example="# The users\nkubectl config get-users"),
        _sub("rename-context CONTEXT_NAME NEW_NAME", "Rename a context from the kubeconfig file", run_rename,
             example="# From 'old-name' to 'new-name'\nkubectl config rename-context old-name new-name"),
        _sub("set PROPERTY_NAME PROPERTY_VALUE", "Set an individual value in a kubeconfig file", run_set,
             Flag(name="set-raw-bytes", kind="bool", usage="Take the value of a []byte property as it is, not as base64."),
             example="# The server of a cluster\nkubectl config set clusters.my-cluster.server https://1.2.3.4"),
        _sub("set-cluster NAME [--server=server] [--certificate-authority=path/to/certificate/authority] [--insecure-skip-tls-verify=true] "
             "[--tls-server-name=example.com]", "Set a cluster entry in kubeconfig", run_set_cluster, EMBED, *own("certificate-authority", "insecure-skip-tls-verify", "server", "tls-server-name"), Flag(name="proxy-url", usage="A proxy for this cluster"),
             example="# Only the server\nkubectl config set-cluster e2e --server=https://1.2.3.4"),
        _sub("set-context [NAME | --current] [--cluster=cluster_nickname] [--user=user_nickname] [--namespace=namespace]",
             "Set a context entry in kubeconfig", run_set_context, *own("cluster", "user", "namespace"), Flag(name="current", kind="bool", usage="Change the current context"),
             example="# Only the user\nkubectl config set-context gce --user=cluster-admin"),
        _sub("set-credentials NAME [--client-certificate=path/to/certfile] [--client-key=path/to/keyfile] [--token=bearer_token] "
             "[--username=basic_user] [--password=basic_password] [--auth-provider=provider_name] [--auth-provider-arg=key=value] "
             "[--exec-command=exec_command] [--exec-api-version=exec_api_version] [--exec-arg=arg] [--exec-env=key=value]", "Set a user entry in kubeconfig", run_set_credentials, EMBED, *own("client-certificate", "client-key", "password", "token", "username"), *EXEC,
             example="# A token\nkubectl config set-credentials bob --token=abc"),
        _sub("unset PROPERTY_NAME", "Unset an individual value in a kubeconfig file", run_unset, example="# The current context\nkubectl config unset current-context"),
        _sub("use-context CONTEXT_NAME", "Set the current-context in a kubeconfig file", run_use, aliases=("use",),
             example="# Use the context for the minikube cluster\nkubectl config use-context minikube"),
        _sub("view [flags]", "Display merged kubeconfig settings or a specified kubeconfig file", run_view, *print_flags(default="yaml"),
             Flag(name="raw", kind="bool", usage="Show certificates and secrets"), Flag(name="flatten", kind="bool", usage="Put the content of files in"),
             Flag(name="minify", kind="bool", usage="Only what the current context uses"),
             Flag(name="merge", kind="bool", default=True, usage="Merge all files of the hierarchy"),
             example="# Everything\nkubectl config view\n\n# The password of user e2e\nkubectl config view -o jsonpath='{.users[?(@.name == \"e2e\")].user.password}'"),
    ),
    run=group_run("stderr", 1),
)  # fmt: skip
