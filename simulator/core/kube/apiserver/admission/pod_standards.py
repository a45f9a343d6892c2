"""The Pod Security Standards, check by check (`pod-security-admission/policy`), as of the newest policy version.

A check looks at a pod's metadata and spec and gives (reason, detail) when the pod breaks it, else None.  Checks that a version label
could relax (`v1.24`) are run as `latest` says; the label only changes what messages show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson

Obj = dict[str, Any]
Broken = tuple[str, str]
Check = Callable[[Obj, Obj], Broken | None]

_CAPABILITIES = frozenset(
    "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT".split()
)
_SYSCTLS = frozenset(
    "kernel.shm_rmid_forced net.ipv4.ip_local_port_range net.ipv4.tcp_syncookies net.ipv4.ping_group_range "
    "net.ipv4.ip_unprivileged_port_start net.ipv4.ip_local_reserved_ports net.ipv4.tcp_keepalive_time net.ipv4.tcp_fin_timeout "
    "net.ipv4.tcp_keepalive_intvl net.ipv4.tcp_keepalive_probes net.ipv4.tcp_rmem net.ipv4.tcp_wmem".split()
)
_SELINUX_TYPES = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
_VOLUMES = frozenset("configMap csi downwardAPI emptyDir ephemeral image persistentVolumeClaim projected secret".split())
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"


def _containers(spec: Obj) -> Iterator[tuple[str, Obj, Obj]]:
    """(name, container, its security context) of every container."""
    for member in ("initContainers", "containers", "ephemeralContainers"):
        for item in spec.get(member) or ():
            yield str(item.get("name", "")), item, item.get("securityContext") or {}


def _quoted(names: list[str]) -> str:
    return ", ".join(orjson.dumps(name).decode() for name in names)


def _plural(one: str, many: str, names: Any) -> str:
    return one if len(names) == 1 else many


def _named(names: list[str], one: str = "container", many: str = "containers") -> str:
    return f"{_plural(one, many, names)} {_quoted(names)}"


def _user_namespace(spec: Obj) -> bool:
    return spec.get("hostUsers") is False


def _windows(spec: Obj) -> bool:
    return (spec.get("os") or {}).get("name") == "windows"


# -- baseline -----------------------------------------------------------------------------------------------------------


def app_armor(meta: Obj, spec: Obj) -> Broken | None:
    """AppArmor profiles are the runtime's or local ones."""
    values: set[str] = set()
    setters: list[str] = []
    good = ("RuntimeDefault", "Localhost")
    whole = ((spec.get("securityContext") or {}).get("appArmorProfile") or {}).get("type")
    if whole is not None and whole not in good:
        setters.append("pod")
        values.add(whole)
    bad = []
    for name, _, context in _containers(spec):
        kind = (context.get("appArmorProfile") or {}).get("type")
        if kind is not None and kind not in good:
            bad.append(name)
            values.add(kind)
    if bad:
        setters.append(_named(bad))
    listed = sorted(values)
    notes = sorted(
        f"{key}={orjson.dumps(value).decode()}"
        for key, value in (meta.get("annotations") or {}).items()
        if key.startswith(_APPARMOR) and value and value != "runtime/default" and not value.startswith("localhost/")
    )
    if notes:
        listed += notes
        setters.append(_plural("annotation", "annotations", notes))
    if not setters:
        return None
    reason = _plural("forbidden AppArmor profile", "forbidden AppArmor profiles", listed)
    return reason, f"{' and '.join(setters)} must not set AppArmor profile type to {_quoted(listed)}"


def capabilities(meta: Obj, spec: Obj) -> Broken | None:
    """Only the runtime's default capabilities are added."""
    bad, added = [], set()
    for name, _, context in _containers(spec):
        extra = [item for item in (context.get("capabilities") or {}).get("add") or () if item not in _CAPABILITIES]
        if extra:
            bad.append(name)
            added.update(extra)
    if not bad:
        return None
    detail = f"{_named(bad)} must not include {_quoted(sorted(added))} in securityContext.capabilities.add"
    return "non-default capabilities", detail


def host_namespaces(meta: Obj, spec: Obj) -> Broken | None:
    """No network, PID or IPC namespace of the host."""
    used = [f"{name}=true" for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name)]
    return ("host namespaces", ", ".join(used)) if used else None


def host_path(meta: Obj, spec: Obj) -> Broken | None:
    """No hostPath volumes."""
    bad = [str(volume.get("name", "")) for volume in spec.get("volumes") or () if volume.get("hostPath") is not None]
    return ("hostPath volumes", _named(bad, "volume", "volumes")) if bad else None


def host_ports(meta: Obj, spec: Obj) -> Broken | None:
    """No ports of the host."""
    bad, ports = [], set()
    for name, item, _ in _containers(spec):
        used = [str(port["hostPort"]) for port in item.get("ports") or () if port.get("hostPort")]
        if used:
            bad.append(name)
            ports.update(used)
    if not bad:
        return None
    verb, noun = _plural("uses", "use", bad), _plural("hostPort", "hostPorts", ports)
    return "hostPort", f"{_named(bad)} {verb} {noun} {', '.join(sorted(ports))}"


def host_probes(meta: Obj, spec: Obj) -> Broken | None:
    """Probes and hooks reach no other host."""
    bad: set[str] = set()
    found: set[str] = set()
    for name, item, _ in _containers(spec):
        hooks = item.get("lifecycle") or {}
        actions = [item.get(member) for member in ("livenessProbe", "readinessProbe", "startupProbe")]
        for action in [*actions, hooks.get("postStart"), hooks.get("preStop")]:
            for member in ("httpGet", "tcpSocket"):
                where = ((action or {}).get(member) or {}).get("host")
                if where:
                    bad.add(name)
                    found.add(where)
    if not bad:
        return None
    verb, noun = _plural("uses", "use", bad), _plural("probe or lifecycle host", "probe or lifecycle hosts", found)
    return "probe or lifecycle host", f"{_named(sorted(bad))} {verb} {noun} {_quoted(sorted(found))}"


def privileged(meta: Obj, spec: Obj) -> Broken | None:
    """No privileged containers."""
    bad = [name for name, _, context in _containers(spec) if context.get("privileged")]
    return ("privileged", f"{_named(bad)} must not set securityContext.privileged=true") if bad else None


def proc_mount(meta: Obj, spec: Obj) -> Broken | None:
    """The default mask of /proc."""
    bad, kinds = [], set()
    for name, _, context in _containers(spec):
        kind = context.get("procMount")
        if kind is not None and kind != "Default":
            bad.append(name)
            kinds.add(kind)
    if not bad:
        return None
    return "procMount", f"{_named(bad)} must not set securityContext.procMount to {_quoted(sorted(kinds))}"


def proc_mount_baseline(meta: Obj, spec: Obj) -> Broken | None:
    """As `proc_mount`, but pods with user namespaces may."""
    return None if _user_namespace(spec) else proc_mount(meta, spec)


def se_linux(meta: Obj, spec: Obj) -> Broken | None:
    """SELinux types of containers, no users or roles."""
    types: set[str] = set()
    seen: set[str] = set()

    def wrong(options: Obj | None) -> bool:
        if options is None:
            return False
        kind = options.get("type", "")
        if kind not in _SELINUX_TYPES:
            types.add(kind)
        seen.update(member for member in ("user", "role") if options.get(member))
        return kind not in _SELINUX_TYPES or bool(options.get("user") or options.get("role"))

    setters = ["pod"] if wrong((spec.get("securityContext") or {}).get("seLinuxOptions")) else []
    bad = [name for name, _, context in _containers(spec) if wrong(context.get("seLinuxOptions"))]
    if bad:
        setters.append(_named(bad))
    if not setters:
        return None
    data = [f"{_plural('type', 'types', types)} {_quoted(sorted(types))}"] if types else []
    data += [f"{member} may not be set" for member in ("user", "role") if member in seen]
    return "seLinuxOptions", f"{' and '.join(setters)} set forbidden securityContext.seLinuxOptions: {'; '.join(data)}"


def _seccomp(spec: Obj) -> tuple[Broken | None, list[str], bool]:
    """(what is explicitly wrong, containers that say nothing, whether the pod says something good)."""
    good = ("RuntimeDefault", "Localhost")
    values: set[str] = set()
    setters: list[str] = []
    whole = ((spec.get("securityContext") or {}).get("seccompProfile") or {}).get("type")
    if whole is not None and whole not in good:
        setters.append("pod")
        values.add(whole)
    bad, silent = [], []
    for name, _, context in _containers(spec):
        profile = context.get("seccompProfile")
        if profile is None:
            silent.append(name)
        elif profile.get("type") not in good:
            bad.append(name)
            values.add(str(profile.get("type", "")))
    if bad:
        setters.append(_named(bad))
    broken = None
    if setters:
        detail = f"{' and '.join(setters)} must not set securityContext.seccompProfile.type to {_quoted(sorted(values))}"
        broken = ("seccompProfile", detail)
    return broken, silent, whole in good


def seccomp_baseline(meta: Obj, spec: Obj) -> Broken | None:
    """No unconfined seccomp profile."""
    return _seccomp(spec)[0]


def sysctls(meta: Obj, spec: Obj) -> Broken | None:
    """Safe sysctls only."""
    names = [item.get("name", "") for item in (spec.get("securityContext") or {}).get("sysctls") or ()]
    bad = [name for name in names if name not in _SYSCTLS]
    return ("forbidden sysctls", ", ".join(bad)) if bad else None


def windows_host_process(meta: Obj, spec: Obj) -> Broken | None:
    """No HostProcess containers."""

    def wanted(context: Obj) -> bool:
        return bool((context.get("windowsOptions") or {}).get("hostProcess"))

    setters = ["pod"] if wanted(spec.get("securityContext") or {}) else []
    bad = [name for name, _, context in _containers(spec) if wanted(context)]
    if bad:
        setters.append(_named(bad))
    if not setters:
        return None
    return "hostProcess", f"{' and '.join(setters)} must not set securityContext.windowsOptions.hostProcess=true"


# -- restricted ---------------------------------------------------------------------------------------------------------


def privilege_escalation(meta: Obj, spec: Obj) -> Broken | None:
    """allowPrivilegeEscalation is switched off."""
    bad = [name for name, _, context in _containers(spec) if context.get("allowPrivilegeEscalation") is not False]
    if not bad or _windows(spec):
        return None
    return "allowPrivilegeEscalation != false", f"{_named(bad)} must set securityContext.allowPrivilegeEscalation=false"


def drop_capabilities(meta: Obj, spec: Obj) -> Broken | None:
    """All capabilities dropped, at most NET_BIND_SERVICE added."""
    if _windows(spec):
        return None
    keeping, adding, added = [], [], set()
    for name, _, context in _containers(spec):
        held = context.get("capabilities") or {}
        if "ALL" not in (held.get("drop") or ()):
            keeping.append(name)
        extra = [item for item in held.get("add") or () if item != "NET_BIND_SERVICE"]
        if extra:
            adding.append(name)
            added.update(extra)
    details = []
    if keeping:
        details.append(f'{_named(keeping)} must set securityContext.capabilities.drop=["ALL"]')
    if adding:
        details.append(f"{_named(adding)} must not include {_quoted(sorted(added))} in securityContext.capabilities.add")
    return ("unrestricted capabilities", "; ".join(details)) if details else None


def restricted_volumes(meta: Obj, spec: Obj) -> Broken | None:
    """Volumes of the harmless types."""
    bad, kinds = [], set()
    for volume in spec.get("volumes") or ():
        if _VOLUMES.isdisjoint(volume):
            bad.append(str(volume.get("name", "")))
            kinds.add(next((member for member in volume if member != "name"), "unknown"))
    if not bad:
        return None
    verb, noun = _plural("uses", "use", bad), _plural("restricted volume type", "restricted volume types", kinds)
    return "restricted volume types", f"{_named(bad, 'volume', 'volumes')} {verb} {noun} {_quoted(sorted(kinds))}"


def non_root(meta: Obj, spec: Obj) -> Broken | None:
    """runAsNonRoot is asked for everywhere."""
    if _user_namespace(spec):
        return None
    whole = (spec.get("securityContext") or {}).get("runAsNonRoot")
    setters = ["pod"] if whole is False else []
    bad, silent = [], []
    for name, _, context in _containers(spec):
        said = context.get("runAsNonRoot")
        if said is False:
            bad.append(name)
        elif said is None and not whole:
            silent.append(name)
    if bad:
        setters.append(_named(bad))
    if setters:
        return "runAsNonRoot != true", f"{' and '.join(setters)} must not set securityContext.runAsNonRoot=false"
    if silent:
        return "runAsNonRoot != true", f"pod or {_named(silent)} must set securityContext.runAsNonRoot=true"
    return None


def not_user_zero(meta: Obj, spec: Obj) -> Broken | None:
    """Nobody asks for user 0."""
    if _user_namespace(spec):
        return None
    setters = ["pod"] if (spec.get("securityContext") or {}).get("runAsUser") == 0 else []
    bad = [name for name, _, context in _containers(spec) if context.get("runAsUser") == 0]
    if bad:
        setters.append(_named(bad))
    return ("runAsUser=0", f"{' and '.join(setters)} must not set runAsUser=0") if setters else None


def seccomp_restricted(meta: Obj, spec: Obj) -> Broken | None:
    """A seccomp profile is chosen everywhere."""
    broken, silent, whole = _seccomp(spec)
    if broken is not None and not _windows(spec):
        return broken
    if silent and not whole and not _windows(spec):
        text = f'pod or {_named(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
        return "seccompProfile", text
    return None


#: In the order in which the real registry runs them: by id within a level.
BASELINE: tuple[Check, ...] = (
    app_armor, capabilities, host_namespaces, host_path, host_ports, host_probes, privileged, proc_mount_baseline, se_linux,
    seccomp_baseline, sysctls, windows_host_process,
)  # fmt: skip
#: Baseline checks that a stricter one replaces are left out.
RESTRICTED: tuple[Check, ...] = (
    app_armor, host_namespaces, host_ports, host_probes, privileged, se_linux, sysctls, windows_host_process,
    privilege_escalation, drop_capabilities, proc_mount, restricted_volumes, non_root, not_user_zero, seccomp_restricted,
)  # fmt: skip


def evaluate(level: str, meta: Obj, spec: Obj) -> list[Broken]:
    """What a pod breaks of a level, in order."""
    checks = {"baseline": BASELINE, "restricted": RESTRICTED}.get(level, ())
    return [broken for check in checks if (broken := check(meta, spec)) is not None]
