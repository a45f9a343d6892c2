"""What is wrong with the user and the cluster that a command would use (`client-go/tools/clientcmd/validation.go`)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from ...kube.api.decode import json_type
from ..flags import quote

Obj = dict[str, Any]
#: Why a file cannot be opened, "" when it can.
Opens = Callable[[str], str]
MODES = ("Never", "IfAvailable", "Always")
NO_SERVER = "cluster has no server defined"


def _file(entry: Obj, key: str, word: str, name: str, opens: Opens) -> list[str]:
    path = str(entry.get(key) or "")
    why = opens(path) if path else ""
    return [f"unable to read {word} {path} for {name} due to open {path}: {why}"] if why else []


def user_problems(name: str, user: Obj, opens: Opens) -> list[str]:
    """Of a user's entry, in the order in which they are found (`validateAuthInfo`)."""
    wrong: list[str] = []
    cert, data = user.get("client-certificate"), user.get("client-certificate-data")
    key, key_data = user.get("client-key"), user.get("client-key-data")
    if cert or data:
        if cert and data:
            wrong.append(f"client-cert-data and client-cert are both specified for {name}. client-cert-data will override.")
        if key and key_data:
            wrong.append(f"client-key-data and client-key are both specified for {name}; client-key-data will override")
        if not key and not key_data:
            wrong.append(
                f"client-key-data or client-key must be specified for {name} to use the clientCert authentication method."
            )
        wrong += _file(user, "client-certificate", "client-cert", name, opens)
        wrong += _file(user, "client-key", "client-key", name, opens)
    if isinstance(user.get("exec"), dict):
        wrong += _plugin_problems(name, user)
    methods = ["token"] if user.get("token") else []
    methods += ["basicAuth"] if user.get("username") or user.get("password") else []
    if len(methods) > 1:
        wrong.append(f"more than one authentication method found for {name}; found [{' '.join(methods)}], only one is allowed")
    if (user.get("as-uid") or user.get("as-groups") or user.get("as-user-extra")) and not user.get("as"):
        wrong.append(f"requesting uid, groups or user-extra for {name} without impersonating a user")
    return wrong


def _plugin_problems(name: str, user: Obj) -> list[str]:
    plugin: Obj = user["exec"]
    wrong: list[str] = []
    if user.get("auth-provider"):
        wrong.append(f"authProvider cannot be provided in combination with an exec plugin for {name}")
    needed = [word for word in ("command", "apiVersion") if not plugin.get(word)]
    needed += ["env variable name" for item in plugin.get("env") or () if isinstance(item, dict) and not item.get("name")]
    needed += [] if plugin.get("interactiveMode") else ["interactiveMode"]
    wrong += [f"{word} must be specified for {name} to use exec authentication plugin" for word in needed]
    if plugin.get("interactiveMode") and plugin["interactiveMode"] not in MODES:
        wrong.append(f"invalid interactiveMode for {name}: {quote(str(plugin['interactiveMode']))}")
    return wrong


def cluster_problems(name: str, cluster: Obj, opens: Opens) -> list[str]:
    """Of a cluster's entry (`validateClusterInfo`); an empty one has only `NO_SERVER`."""
    if not any(cluster.values()):
        return [NO_SERVER]
    wrong: list[str] = []
    if not cluster.get("server"):
        wrong.append(f"no server found for cluster {quote(name)}" if name else "default cluster has no server defined")
    if cluster.get("certificate-authority") and cluster.get("certificate-authority-data"):
        wrong.append(f"certificate-authority-data and certificate-authority are both specified for {name}. "
                     "certificate-authority-data will override.")  # fmt: skip
    return wrong + _file(cluster, "certificate-authority", "certificate-authority", name, opens)


# -- the shape of a file ------------------------------------------------------------------------------------------------------------

#: Of each section: the types of a list's item and of what it holds, the name of that member, its members that are no strings.
SHAPES: dict[str, tuple[str, str, str, dict[str, str]]] = {
    "clusters": ("NamedCluster", "Cluster", "cluster", {"insecure-skip-tls-verify": "bool", "disable-compression": "bool"}),
    "contexts": ("NamedContext", "Context", "context", {}),
    "users": ("NamedAuthInfo", "AuthInfo", "user", {"as-groups": "[]string", "as-user-extra": "map[string][]string",
                                                    "auth-provider": "v1.AuthProviderConfig", "exec": "v1.ExecConfig"}),
}  # fmt: skip
#: Where decoding looks it up, as the message of an unknown kind names it.
SCHEME = "k8s.io/client-go/tools/clientcmd/api/latest/latest.go:50"


def _fits(value: Any, kind: str) -> bool:
    want = {"string": str, "bool": bool, "[]": list}.get(kind[:2] if kind.startswith("[]") else kind, dict)
    return value is None or isinstance(value, want)


def _mismatch(value: Any, where: str, kind: str) -> str:
    return f"json: cannot unmarshal {json_type(value)} into Go struct field {where} of type {kind}"


def shape_problem(raw: Any) -> str:
    """What decoding says of a kubeconfig's content; "" when it has the right shape.  Members are looked at in the order of their names."""
    if not isinstance(raw, dict):
        return (f"couldn't get version/kind; json parse error: json: cannot unmarshal {json_type(raw)} into Go value of type "
                'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }')  # fmt: skip
    version, kind = raw.get("apiVersion") or "v1", raw.get("kind") or "Config"
    if (version, kind) != ("v1", "Config"):
        return f"no kind {quote(str(kind))} is registered for version {quote(str(version))} in scheme {quote(SCHEME)}"
    for name in sorted(raw):
        if name == "current-context" and not _fits(raw[name], "string"):
            return _mismatch(raw[name], "Config.current-context", "string")
        if name in SHAPES and not _fits(raw[name], "[]"):
            return _mismatch(raw[name], f"Config.{name}", f"[]v1.{SHAPES[name][0]}")
        for item in raw[name] or () if name in SHAPES else ():
            wrong = _item_problem(name, item)
            if wrong:
                return wrong
    return ""


def _item_problem(section: str, item: Any) -> str:
    outer, inner, word, others = SHAPES[section]
    if not isinstance(item, dict):
        return _mismatch(item, f"Config.{section}", f"v1.{outer}")
    for name in sorted(item):
        if name == "name" and not _fits(item[name], "string"):
            return _mismatch(item[name], f"{outer}.{section}.name", "string")
        if name == word and not _fits(item[name], inner):
            return _mismatch(item[name], f"{outer}.{section}.{word}", f"v1.{inner}")
    held: Obj = item.get(word) or {}
    for name in sorted(held):
        kind = others.get(name, "string")
        if name != "extensions" and not _fits(held[name], kind):
            return _mismatch(held[name], f"{inner}.{section}.{word}.{name}", kind)
        if name.endswith("-data") and held[name]:
            wrong = base64_problem(held[name])
            if wrong:
                return wrong
    return ""


def base64_problem(text: str) -> str:
    """Why Go's decoder refuses a text, "" when it does not."""
    for at, char in enumerate(text):
        if not (char.isascii() and (char.isalnum() or char in "+/=\r\n")):
            return f"illegal base64 data at input byte {at}"
    try:
        base64.b64decode(text.replace("\r", "").replace("\n", ""), validate=True)
    except ValueError:
        return f"illegal base64 data at input byte {len(text) // 4 * 4}"
    return ""
