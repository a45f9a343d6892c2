"""kubeconfig files: which are read, how they merge, and what they say (`client-go/tools/clientcmd/loader.go`, `client_config.go`)."""

from __future__ import annotations

import base64
import functools
import posixpath
from collections.abc import Callable
from typing import Any

from ...kube.client import Credentials
from .. import goyaml
from ..flags import Values, quote
from .errors import CommandError, ConfigurationInvalid
from .kubeconfig_check import NO_SERVER, cluster_problems, shape_problem, user_problems

Obj = dict[str, Any]
SECTIONS = ("clusters", "contexts", "users")
INNER = {"clusters": "cluster", "contexts": "context", "users": "user"}
#: Members that are written without a value too.
ALWAYS = {"clusters": ("server",), "contexts": ("cluster", "user"), "users": ()}
#: Versions of credential plug-ins whose `interactiveMode` has a default (`SetDefaults_ExecConfig`).
OLD_PLUGINS = ("client.authentication.k8s.io/v1beta1", "client.authentication.k8s.io/v1alpha1")


class Config:
    """Maps of clusters, contexts and users, the current context, and for each entry the file it stands in."""

    def __init__(self) -> None:
        self.clusters: dict[str, Obj] = {}
        self.contexts: dict[str, Obj] = {}
        self.users: dict[str, Obj] = {}
        self.current = ""
        self.preferences: Obj = {}
        self.origin: dict[tuple[str, str], str] = {}

    def section(self, name: str) -> dict[str, Obj]:
        """`clusters`, `contexts` or `users`."""
        found: dict[str, Obj] = getattr(self, name)
        return found

    @property
    def empty(self) -> bool:
        """Nothing is configured."""
        return not (self.clusters or self.contexts or self.users or self.current)

    def to_object(self) -> Obj:
        """As the file has it: lists of named entries, `null` where there are none."""
        lists = {}
        for name in SECTIONS:
            entries = self.section(name)
            always = dict.fromkeys(ALWAYS[name], "")
            lists[name] = [{"name": key, INNER[name]: {**always, **entries[key]}} for key in sorted(entries)] or None
        # in the order of the Go struct, which JSON output shows
        asked = {"preferences": self.preferences} if self.preferences else {}
        return {"kind": "Config", "apiVersion": "v1", **asked, "clusters": lists["clusters"], "users": lists["users"],
                "contexts": lists["contexts"], "current-context": self.current}  # fmt: skip


@functools.lru_cache(maxsize=64)
def _parsed(data: bytes) -> Any:
    return goyaml.load(data.decode("utf-8", "replace"))


def read_config(data: bytes, path: str) -> Config:
    """One file."""
    config = Config()
    try:
        raw = _parsed(data)
    except ValueError as error:
        raise CommandError(f"error loading config file {quote(path)}: {error}") from None
    if raw is None:
        return config
    wrong = shape_problem(raw)
    if wrong:
        raise CommandError(f"error loading config file {quote(path)}: {wrong}")
    for section in SECTIONS:
        entries = config.section(section)
        for item in raw.get(section) or ():
            name = item.get("name") or ""
            if name not in entries:
                entries[name] = dict(item.get(INNER[section]) or {})
                config.origin[section, name] = path
    for user in config.users.values():
        plugin = user.get("exec")
        if isinstance(plugin, dict) and plugin.get("apiVersion") in OLD_PLUGINS and not plugin.get("interactiveMode"):
            user["exec"] = {**plugin, "interactiveMode": "IfAvailable"}
    config.current = str(raw.get("current-context") or "")
    preferences = raw.get("preferences")
    config.preferences = dict(preferences) if isinstance(preferences, dict) else {}
    return config


class Files:
    """The kubeconfig files of one invocation (`PathOptions`)."""

    def __init__(self, inv: Any, explicit: str) -> None:
        self.inv = inv
        self.explicit = explicit
        home = inv.env.get("HOME") or ("/root" if inv.proc.user == "root" else f"/home/{inv.proc.user}")
        self.default = posixpath.join(home, ".kube/config")

    def paths(self) -> list[str]:
        """What is read, in order of precedence."""
        if self.explicit:
            return [self.explicit]
        listed = [part for part in self.inv.env.get("KUBECONFIG", "").split(":") if part]
        return listed or [self.default]

    def target(self) -> str:
        """The file that changes go to when nothing says otherwise."""
        existing = [path for path in self.paths() if self.inv.exists(path)]
        return existing[0] if existing else self.paths()[-1]

    def read(self, path: str) -> Config:
        """One file; an absent one is empty."""
        if not self.inv.exists(path):
            return Config()
        try:
            return read_config(self.inv.read_file(path), path)
        except OSError as error:
            raise CommandError(
                f"error loading config file {quote(path)}: open {path}: {(error.strerror or '').lower()}"
            ) from None

    def load(self, *, strict: bool = True) -> Config:
        """All files merged: the first to name an entry wins."""
        if self.explicit and strict and not self.inv.exists(self.explicit):
            raise CommandError(f"stat {self.explicit}: no such file or directory")
        merged = Config()
        for path in self.paths():
            one = self.read(path)
            for section in SECTIONS:
                for name, entry in one.section(section).items():
                    merged.section(section).setdefault(name, entry)
                    merged.origin.setdefault((section, name), path)
            merged.current = merged.current or one.current
            merged.preferences = {**one.preferences, **merged.preferences}
        return merged

    def write(self, path: str, config: Config) -> None:
        """Store one file."""
        self.inv.write_file(path, goyaml.dump(config.to_object()).encode(), mode=0o600)


#: Where a pod finds its service account.
_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


class Connection:
    """What the configuration and the flags come to: server, credentials, namespace."""

    def __init__(self, config: Config, values: Values, files: Files) -> None:
        self.config, self.values, self.files = config, values, files
        shadowed = values.has("user") and values.declared("user").kind != "string"
        chosen_user = "" if shadowed else values.text("user")
        name = values.text("context") or config.current
        self.context_name = name
        if name and name not in config.contexts:
            raise ConfigurationInvalid(f"context was not found for specified context: {name}")
        self.context: Obj = config.contexts.get(name, {})
        self.namespace = values.text("namespace") or str(self.context.get("namespace") or "") or "default"
        self.explicit_namespace = bool(values.text("namespace"))
        cluster_name = values.text("cluster") or str(self.context.get("cluster") or "")
        if values.text("cluster") and cluster_name not in config.clusters and not values.text("server"):
            raise CommandError(f"no server found for cluster {quote(cluster_name)}")
        user_name = chosen_user or str(self.context.get("user") or "")
        if chosen_user and user_name not in config.users:
            raise CommandError(f"auth info {quote(user_name)} does not exist")
        self.user_name, self.cluster_name = user_name, cluster_name
        self.cluster: Obj = dict(config.clusters.get(cluster_name, {}))
        self.user: Obj = dict(config.users.get(user_name, {}))
        self.cluster_file = config.origin.get(("clusters", cluster_name), "")
        self.user_file = config.origin.get(("users", user_name), "")
        if not config.clusters and not config.contexts and not values.text("server"):
            self._in_cluster()
        self.server = self._server()

    def _in_cluster(self) -> None:
        """The service account of a pod, where no configuration was found (client-go rest/config.go: InClusterConfig)."""
        inv = self.files.inv
        host, port = inv.env.get("KUBERNETES_SERVICE_HOST", ""), inv.env.get("KUBERNETES_SERVICE_PORT", "")
        if not host or not port or not inv.exists(f"{_ACCOUNT}/token"):
            return
        self.cluster = {"server": f"https://{host}:{port}", "certificate-authority": f"{_ACCOUNT}/ca.crt"}
        self.user = {"tokenFile": f"{_ACCOUNT}/token"}
        if not self.explicit_namespace and inv.exists(f"{_ACCOUNT}/namespace"):
            self.namespace = bytes(inv.read_file(f"{_ACCOUNT}/namespace")).decode("utf-8", "replace").strip() or "default"

    def _check(self, user: Obj, cluster: Obj, files: tuple[str, str]) -> None:
        """Refuse what contradicts itself; a cluster that is not there at all is no error by itself (`ConfirmUsable`)."""

        def opens(origin: str) -> Callable[[str], str]:
            return lambda path: self._unreadable(self._where(path, origin))

        wrong = user_problems(self.user_name, user, opens(files[0]))
        wrong += cluster_problems(self.cluster_name, cluster, opens(files[1]))
        if len(wrong) == 1 and wrong[0] != NO_SERVER:
            raise CommandError(wrong[0])
        if len(wrong) > 1:
            raise ConfigurationInvalid("\n" + "".join(f"* {line}\n" for line in wrong))

    def _where(self, path: str, origin: str) -> str:
        return path if path.startswith("/") or not origin else posixpath.join(posixpath.dirname(origin), path)

    def _unreadable(self, path: str) -> str:
        try:
            self.files.inv.read_file(path)
        except OSError as error:
            return (error.strerror or "").lower()
        return ""

    def _server(self) -> str:
        server = self.values.text("server") or str(self.cluster.get("server") or "")
        if not server:
            return "http://localhost:8080"
        return (server if "://" in server else "http://" + server).rstrip("/")

    def _material(self, entry: Obj, key: str, origin: str) -> bytes:
        data = entry.get(key + "-data")
        if data:
            try:
                return base64.b64decode(str(data), validate=True)
            except ValueError:
                raise CommandError(f"illegal base64 data at input byte 0 in {key}-data") from None
        path = str(entry.get(key) or "")
        if not path:
            return b""
        where = self._where(path, origin)
        try:
            return bytes(self.files.inv.read_file(where))
        except OSError as error:
            raise CommandError(f"unable to read {key} {where} for {self.context.get('user', '')} due to open {where}: "
                               f"{(error.strerror or '').lower()}") from None  # fmt: skip

    def credentials(self) -> Credentials:
        """Certificates, token and impersonation, flags first."""
        flags = self.values
        user, cluster = dict(self.user), dict(self.cluster)
        user_file, cluster_file = self.user_file, self.cluster_file
        for flag, entry, key in (("client-certificate", user, "client-certificate"), ("client-key", user, "client-key"),
                                 ("certificate-authority", cluster, "certificate-authority")):  # fmt: skip
            if flags.text(flag):
                entry.pop(key + "-data", None)
                entry[key] = flags.text(flag)
                user_file = cluster_file = ""
        given: Obj = {name: flags.text(name) for name in ("token", "username", "password", "as", "as-uid") if flags.text(name)}
        given |= {"as-groups": flags.items("as-group")} if flags.items("as-group") else {}
        server = {"server": flags.text("server")} if flags.text("server") else {}
        self._check({**user, **given}, {**cluster, **server}, (user_file, cluster_file))
        token = flags.text("token") or str(user.get("token") or "")
        if not token and user.get("tokenFile"):
            token = bytes(self.files.inv.read_file(str(user["tokenFile"]))).decode("utf-8", "replace").strip()
        uid = flags.text("as-uid") or str(user.get("as-uid") or "")
        groups = flags.items("as-group") or list(user.get("as-groups") or ())
        extra: dict[str, list[str]] = {key: list(values) for key, values in (user.get("as-user-extra") or {}).items()}
        for item in flags.items("as-user-extra"):
            key, equals, value = item.partition("=")
            if equals:  # anything else is passed over
                extra.setdefault(key, []).append(value)
        acting = flags.text("as") or str(user.get("as") or "")
        if (uid or groups or extra) and not acting:
            raise CommandError(f"requesting uid, groups or user-extra for {self.user_name} without impersonating a user")
        insecure = flags.on("insecure-skip-tls-verify") or bool(cluster.get("insecure-skip-tls-verify"))
        return Credentials(
            cert=self._material(user, "client-certificate", user_file),
            key=self._material(user, "client-key", user_file),
            ca=b"" if insecure else self._material(cluster, "certificate-authority", cluster_file),
            token=token,
            impersonate=acting,
            impersonate_groups=groups,
            impersonate_uid=uid,
            impersonate_extra=extra,
        )
