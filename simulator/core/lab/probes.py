"""Probes of a check: what it looks at.  Each takes a fork of the learner's world, so looking may run commands freely."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..etcd import member
from ..etcd.mvcc import prefix_end
from ..host import files, users
from ..host.machine import hosts
from ..kernel.errors import BadInput, ConnectError
from ..kube.client import ApiError, KubeClient
from . import paths, temporal
from .conditions import pattern
from .durations import duration

if TYPE_CHECKING:
    from ..sandbox import Sandbox

MAX_OUTPUT = 200_000
ADMIN = "/etc/kubernetes/super-admin.conf"


def _text(probe: dict[str, Any], key: str, default: str = "") -> str:
    value = probe.get(key, default)
    if not isinstance(value, str):
        raise BadInput(f"{key}: must be text")
    return value


def admin_client(sandbox: Sandbox) -> KubeClient:
    """A client with the super-admin's rights from the first control plane that has its kubeconfig."""
    for name in sorted(hosts(sandbox.world)):
        try:
            config = files.read_file(sandbox.world, name, ADMIN)
        except OSError:
            continue
        return KubeClient.from_kubeconfig(sandbox.world, name, config, user_agent="slipway-check")
    raise BadInput("object: this scenario has no cluster to ask")


def run(sandbox: Sandbox, probe: dict[str, Any]) -> Any:
    """`run: command`: its output and status."""
    result = sandbox.run(_text(probe, "run"), host=_text(probe, "host", sandbox.first_host), user=_text(probe, "user", "root"))
    return {"stdout": result.stdout[:MAX_OUTPUT].rstrip("\n"), "stderr": result.stderr[:MAX_OUTPUT], "code": result.code}


def object_(sandbox: Sandbox, probe: dict[str, Any]) -> Any:
    """`object: {resource, namespace, name}`: the object or null; an API server that cannot be asked is null with no value."""
    what = probe["object"]
    client = admin_client(sandbox)
    try:
        namespace = what.get("namespace", "default") if client.kind(what["resource"]).namespaced else None
        return client.get(what["resource"], namespace, what["name"])
    except ApiError as error:
        if error.code == 404:
            return None
        raise BadInput(f"object: {error.message}") from None


def objects(sandbox: Sandbox, probe: dict[str, Any]) -> Any:
    """`objects: {resource, namespace, selector, fields}`: the list, by namespace and name."""
    what = probe["objects"]
    client = admin_client(sandbox)
    namespace = what.get("namespace", "default")
    try:
        scoped = client.kind(what["resource"]).namespaced and namespace != "*"
        found = client.list(
            what["resource"],
            namespace if scoped else None,
            label_selector=what.get("selector", ""),
            field_selector=what.get("fields", ""),
        )
    except ApiError as error:
        raise BadInput(f"objects: {error.message}") from None
    return {"items": found.items, "count": len(found.items)}


def file(sandbox: Sandbox, probe: dict[str, Any]) -> Any:
    """`file: {host, path}`."""
    what = probe["file"]
    host = hosts(sandbox.world).get(what.get("host", sandbox.first_host))
    if host is None:
        raise BadInput(f"file: no host {what.get('host')!r}")
    tree = files.tree(host)
    try:
        node = tree.lookup(what["path"])
        text = "" if node.kind == "dir" else files.read_file(sandbox.world, host, what["path"]).decode(errors="replace")
    except OSError:
        return {"exists": False, "text": None, "mode": None, "owner": None}
    return {
        "exists": True,
        "text": text[:MAX_OUTPUT],
        "mode": f"{node.mode & 0o7777:04o}",
        "owner": users.user_name(tree, node.uid),
    }


def etcd(sandbox: Sandbox, probe: dict[str, Any]) -> Any:
    """`etcd: {prefix}` or `{key}`, optional `member` (its name): what a running member holds."""
    what = probe["etcd"]
    held = member.section(sandbox.world)
    for running in held.running.values():
        disk = held.disks[running.disk]
        if what.get("member") in (None, disk.name):
            key = (what.get("prefix") or what.get("key") or "").encode()
            view = member.store(sandbox.world, disk)
            kvs = view.range(key, prefix_end(key) if "prefix" in what else b"").kvs
            return {
                "count": len(kvs),
                "keys": [kv.key.decode(errors="replace") for kv in kvs[:1000]],
                "value": kvs[0].value.decode(errors="replace") if kvs else None,
            }
    return {"count": 0, "keys": [], "value": None}


def process(sandbox: Sandbox, probe: dict[str, Any]) -> Any:
    """`process: {host, name}`: whether a program of that name runs on a host (in a container or not)."""
    what = probe["process"]
    host = hosts(sandbox.world).get(what.get("host", sandbox.first_host))
    if host is None:
        raise BadInput(f"process: no host {what.get('host')!r}")
    found = [p for p in host.processes.values() if p.argv and p.argv[0].rsplit("/", 1)[-1] == what["name"]]
    return {"running": bool(found), "argv": found[0].argv if found else [], "count": len(found)}


def history(sandbox: Sandbox, probe: dict[str, Any]) -> Any:
    """`history: {host, matches}`: the lines that the learner has typed."""
    what = probe["history"]
    wanted = pattern(what["matches"])
    lines = [text for host, text in sandbox.typed() if what.get("host") in (None, host) and wanted.search(text)]
    return {"count": len(lines), "lines": lines[-20:]}


def trace(sandbox: Sandbox, probe: dict[str, Any]) -> Any:
    """`trace: {actor, action, ref}` with `*` for any text: what happened in the cluster, as far as the world keeps it."""
    what = probe["trace"]
    found = [temporal.as_dict(e) for e in sandbox.world.trace if temporal.matches(e, what)]
    return {"count": len(found), "events": found[-20:]}


def _in_time(name: str) -> Callable[[Sandbox, dict[str, Any]], Any]:
    """`never`, `eventually` and `always`: see `temporal`."""

    def probe(sandbox: Sandbox, check: dict[str, Any]) -> Any:
        what = check[name]
        return temporal.past(sandbox, name, what, duration(what["within"]) if "within" in what else None)

    return probe


def values(sandbox: Sandbox, probe: dict[str, Any]) -> Any:
    """`values: {name: probe, …}`: several looks at once, each with an optional `path`, for a condition over all of them."""
    found = {}
    for name, inner in probe["values"].items():
        seen, _every = paths.values(look(sandbox, inner), str(inner.get("path", "")))
        found[name] = seen[0] if len(seen) == 1 else seen
    return found


PROBES: dict[str, Callable[[Sandbox, dict[str, Any]], Any]] = {
    "run": run,
    "object": object_,
    "objects": objects,
    "file": file,
    "etcd": etcd,
    "process": process,
    "history": history,
    "trace": trace,
    "never": _in_time("never"),
    "eventually": _in_time("eventually"),
    "always": _in_time("always"),
    "values": values,
}


def look(sandbox: Sandbox, probe: dict[str, Any]) -> Any:
    """The value of a probe; raises BadInput for one that cannot be looked at, with the reason."""
    for name, handler in PROBES.items():
        if name in probe:
            try:
                return handler(sandbox, probe)
            except ConnectError as error:
                raise BadInput(f"{name}: the API server cannot be reached ({error.kind})") from None
            except (KeyError, TypeError, AttributeError) as error:
                raise BadInput(f"{name}: {error}") from None
    raise BadInput("check: has no probe")


def refs(probe: dict[str, Any]) -> list[str]:
    """Patterns of trace refs that concern what a probe looks at."""
    if "object" in probe:
        what = probe["object"]
        return [f"{what.get('resource')}/{what.get('namespace', 'default')}/{what.get('name')}*", f"*/{what.get('name')}-*"]
    if "objects" in probe:
        what = probe["objects"]
        return [f"{what.get('resource')}/{what.get('namespace', 'default')}/*"]
    if "file" in probe:
        return [f"*{probe['file'].get('path')}*"]
    for name in ("trace", *temporal.PROBES):
        if name in probe:
            return [probe[name].get("ref", "*")]
    return []
