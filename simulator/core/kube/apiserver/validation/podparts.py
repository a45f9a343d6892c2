"""Validation of what pods are made of: volume sources, environments, handlers, contexts, DNS (`pkg/apis/core/validation/validation.go` of v1.36)."""

from __future__ import annotations

import re
from typing import Any

from ...api import ips, names, quantity
from ...api.errors import FieldError, duplicate, forbidden_field, invalid_value, not_supported, required, too_many

Obj = dict[str, Any]
#: The order in which the sources of a volume are looked at; only the first counts.
SOURCES = (
    "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi", "glusterfs", "persistentVolumeClaim",
    "rbd", "cinder", "cephfs", "flocker", "flexVolume", "downwardAPI", "fc", "configMap", "azureFile", "vsphereVolume", "quobyte", "azureDisk",
    "storageos", "photonPersistentDisk", "portworxVolume", "scaleIO", "projected", "csi", "ephemeral", "image",
)  # fmt: skip
MODE = "must be a number between 0 and 0777 (octal), both inclusive"
HOST_PATHS = ("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket")
OF_VOLUMES = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")
OF_ENVIRONMENTS = ("metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP",
                   "status.hostIPs", "status.podIP", "status.podIPs")  # fmt: skip
#: Field labels that can be converted at all (`ConvertDownwardAPIFieldLabel`).
LABELS = frozenset(
    (*OF_VOLUMES, *OF_ENVIRONMENTS, "spec.restartPolicy", "spec.schedulerName", "status.phase", "spec.hostNetwork")
)
RESOURCES = (
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
)
HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_HEADER = re.compile(r"[-A-Za-z0-9]+")
_SYSCTL = r"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"
USER = "must be between 0 and 2147483647, inclusive"


def _mode(held: Obj, name: str, at: str) -> list[FieldError]:
    value = held.get(name)
    return [] if value is None or 0 <= value <= 0o777 else [invalid_value(f"{at}.{name}", value, MODE)]


def descending(path: str, at: str, *, reserved: bool = False) -> list[FieldError]:
    """A path below another: relative, without steps back."""
    out: list[FieldError] = []
    if path.startswith("/"):
        out.append(invalid_value(at, path, "must be a relative path"))
    if ".." in path.split("/"):
        out.append(invalid_value(at, path, "must not contain '..'"))
    if reserved and path.startswith("..") and not path.startswith("../"):
        out.append(invalid_value(at, path, "must not start with '..'"))
    return out


def source(item: Obj, at: str) -> list[FieldError]:
    """`validateVolumeSource`."""
    present = [name for name in SOURCES if item.get(name) is not None]
    out = _known(present[0], item[present[0]], f"{at}.{present[0]}") if present else []
    return out + [forbidden_field(f"{at}.{name}", "may not specify more than 1 volume type") for name in present[1:]]


def _known(name: str, held: Obj, at: str) -> list[FieldError]:
    out: list[FieldError] = []
    if name == "emptyDir":
        if held.get("sizeLimit") is not None and quantity.nano(held["sizeLimit"]) < 0:
            out.append(forbidden_field(f"{at}.sizeLimit", "SizeLimit field must be a valid resource quantity"))
    elif name == "hostPath":
        if not held.get("path"):
            return [required(f"{at}.path")]
        if ".." in held["path"].split("/"):
            out.append(invalid_value(f"{at}.path", held["path"], "must not contain '..'"))
        if held.get("type") not in (None, *HOST_PATHS):
            out.append(not_supported(f"{at}.type", held["type"], HOST_PATHS))
    elif name in ("secret", "configMap"):
        member = "secretName" if name == "secret" else "name"
        if not held.get(member):
            out.append(required(f"{at}.{member}"))
        out += _mode(held, "defaultMode", at) + _items(held, at)
    elif name == "nfs":
        out += [required(f"{at}.{member}") for member in ("server", "path") if not held.get(member)]
        if not str(held.get("path") or "").startswith("/"):
            out.append(invalid_value(f"{at}.path", held.get("path") or "", "must be an absolute path"))
    elif name == "persistentVolumeClaim" and not held.get("claimName"):
        out.append(required(f"{at}.claimName"))
    elif name == "downwardAPI":
        out += _mode(held, "defaultMode", at)
        for i, file in enumerate(held.get("items") or ()):
            out += _file(file, f"{at}.items[{i}]")
    elif name == "projected":
        out += _mode(held, "defaultMode", at)
        for i, one in enumerate(held.get("sources") or ()):
            out += _projection(one, f"{at}.sources[{i}]", at)
    elif name == "csi" and not held.get("driver"):
        out.append(required(f"{at}.driver"))
    return out


def _items(held: Obj, at: str) -> list[FieldError]:
    """`validateKeyToPath` of each item."""
    out: list[FieldError] = []
    for i, item in enumerate(held.get("items") or ()):
        place = f"{at}.items[{i}]"
        out += [required(f"{place}.{member}") for member in ("key", "path") if not item.get(member)]
        out += descending(item.get("path") or "", f"{place}.path", reserved=True) + _mode(item, "mode", place)
    return out


def _file(file: Obj, at: str) -> list[FieldError]:
    """`validateDownwardAPIVolumeFile`."""
    out = [] if file.get("path") else [required(f"{at}.path")]
    out += descending(file.get("path") or "", f"{at}.path", reserved=True)
    if file.get("fieldRef") is not None:
        out += field_ref(file["fieldRef"], OF_VOLUMES, f"{at}.fieldRef")
        if file.get("resourceFieldRef") is not None:
            out.append(invalid_value(at, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"))
    elif file.get("resourceFieldRef") is not None:
        out += resource_ref(file["resourceFieldRef"], f"{at}.resourceFieldRef", named=True)
    else:
        out.append(required(at, "one of fieldRef and resourceFieldRef is required"))
    return out + _mode(file, "mode", at)


def _projection(one: Obj, at: str, above: str) -> list[FieldError]:
    """One source of a projected volume; some of its errors name the volume, as the real ones do."""
    out: list[FieldError] = []
    present = [name for name in ("secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle", "podCertificate")
               if one.get(name) is not None]  # fmt: skip
    for name in present:
        held, place = one[name], f"{at}.{name}"
        if name in ("secret", "configMap"):
            if not held.get("name"):
                out.append(required(f"{place}.name"))
            out += _items(held, place)
        elif name == "downwardAPI":
            for i, file in enumerate(held.get("items") or ()):
                out += _file(file, f"{place}.items[{i}]")
        elif name == "serviceAccountToken":
            seconds = held.get("expirationSeconds", 3600)
            if seconds < 600:
                text = "may not specify a duration less than 10 minutes"
                out.append(invalid_value(f"{place}.expirationSeconds", seconds, text))
            if seconds > 1 << 32:
                text = "may not specify a duration larger than 2^32 seconds"
                out.append(invalid_value(f"{place}.expirationSeconds", seconds, text))
            if not held.get("path"):
                out.append(required(f"{above}.path"))
    if len(present) > 1:
        out.append(forbidden_field(at, "may not specify more than 1 volume type per source"))
    return out


def field_ref(held: Obj, allowed: tuple[str, ...], at: str) -> list[FieldError]:
    """`validateObjectFieldSelector`."""
    path = held.get("fieldPath") or ""
    if not path:
        return [required(f"{at}.fieldPath")]
    match = re.fullmatch(r"(.*)\['(.*)'\]", path)
    if match is not None:
        if match[1] not in ("metadata.annotations", "metadata.labels"):
            return [
                invalid_value(
                    f"{at}.fieldPath", path, f"error converting fieldPath: field label does not support subscript: {path}"
                )
            ]
        key = match[2].lower() if match[1].endswith("annotations") else match[2]
        return [invalid_value(at, key, text) for text in names.qualified_name(key)]
    if path not in LABELS:
        return [invalid_value(f"{at}.fieldPath", path, f"error converting fieldPath: field label not supported: {path}")]
    return [] if path in allowed else [not_supported(f"{at}.fieldPath", path, allowed)]


def resource_ref(held: Obj, at: str, *, named: bool = False) -> list[FieldError]:
    """`validateContainerResourceFieldSelector`."""
    resource = held.get("resource") or ""
    if named and not held.get("containerName"):
        return [required(f"{at}.containerName")]
    if not resource:
        return [required(f"{at}.resource")]
    if resource in RESOURCES or resource.startswith(("limits.hugepages-", "requests.hugepages-")):
        return []
    return [not_supported(f"{at}.resource", resource, RESOURCES)]


def value_from(item: Obj, at: str) -> list[FieldError]:
    """`validateEnvVarValueFrom`."""
    held, out = item["valueFrom"], list[FieldError]()
    if held.get("fieldRef") is not None:
        out += field_ref(held["fieldRef"], OF_ENVIRONMENTS, f"{at}.fieldRef")
    if held.get("resourceFieldRef") is not None:
        out += resource_ref(held["resourceFieldRef"], f"{at}.resourceFieldRef")
    for name in ("configMapKeyRef", "secretKeyRef"):
        if held.get(name) is not None:
            key, of = held[name].get("key") or "", held[name].get("name") or ""
            out += [invalid_value(f"{at}.{name}.name", of, text) for text in names.dns_subdomain(of)] if of else []
            if not key:
                out.append(required(f"{at}.{name}.key"))
            else:
                out += [invalid_value(f"{at}.{name}.key", key, text) for text in names.config_key(key)]
    count = sum(one is not None for one in held.values())
    if not count:
        text = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        out.append(invalid_value(at, "", text))
    elif item.get("value"):
        out.append(invalid_value(at, "", "may not be specified when `value` is not empty"))
    elif count > 1:
        out.append(invalid_value(at, "", "may not have more than one field specified at a time"))
    return out


def env_from(held: Any, at: str) -> list[FieldError]:
    """`ValidateEnvFrom`."""
    out: list[FieldError] = []
    for i, item in enumerate(held):
        if item.get("prefix"):
            out += [invalid_value(f"{at}[{i}].prefix", item["prefix"], text) for text in names.relaxed_env_name(item["prefix"])]
        present = [name for name in ("configMapRef", "secretRef") if item.get(name) is not None]
        for name in present:
            of, place = item[name].get("name") or "", f"{at}[{i}].{name}.name"
            out += [invalid_value(place, of, text) for text in names.dns_subdomain(of)] if of else [required(place)]
        if not present:
            out.append(invalid_value(at, "", "must specify one of: `configMapRef` or `secretRef`"))
        elif len(present) > 1:
            out.append(invalid_value(at, "", "may not have more than one field specified at a time"))
    return out


def handler(held: Obj, at: str, grace: int | None = None) -> list[FieldError]:
    """`validateHandler`: of a probe or of a container's life."""
    present = [name for name in HANDLERS if held.get(name) is not None]
    if not present:
        return [required(at, "must specify a handler type")]
    out: list[FieldError] = []
    name, one = present[0], held[present[0]]
    place = f"{at}.{name}"
    if name == "exec" and not one.get("command"):
        out.append(required(f"{place}.command"))
    if name == "httpGet" and not one.get("path"):
        out.append(required(f"{place}.path"))
    if name in ("httpGet", "tcpSocket"):
        port = one.get("port", 0)
        check = names.port_number(port) if isinstance(port, int) else names.port_name(port)
        out += [invalid_value(f"{place}.port", port, text) for text in check]
    if name == "httpGet":
        if one.get("scheme") not in ("HTTP", "HTTPS"):
            out.append(not_supported(f"{place}.scheme", one.get("scheme") or "", ("HTTP", "HTTPS")))
        for header in one.get("httpHeaders") or ():
            if _HEADER.fullmatch(header.get("name") or "") is None:
                text = ("a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is "
                        "'[-A-Za-z0-9]+')")  # fmt: skip
                out.append(invalid_value(f"{place}.httpHeaders", header.get("name") or "", text))
    if name == "grpc":
        out += [invalid_value(f"{place}.port", one.get("port", 0), text) for text in names.port_number(one.get("port", 0))]
    if name == "sleep" and grace is not None and not 0 <= one.get("seconds", 0) <= grace:
        text = f"must be non-negative and less than terminationGracePeriodSeconds ({grace}). Enable AllowPodLifecycleSleepActionZeroValue feature gate for zero sleep."
        out.append(invalid_value(place, one.get("seconds", 0), text))
    return out + [forbidden_field(f"{at}.{extra}", "may not specify more than 1 handler type") for extra in present[1:]]


def _users(held: Obj, at: str, fields: tuple[str, ...]) -> list[FieldError]:
    return [invalid_value(f"{at}.{name}", held[name], USER) for name in fields
            if held.get(name) is not None and not 0 <= held[name] <= 2147483647]  # fmt: skip


def _seccomp(held: Obj | None, at: str) -> list[FieldError]:
    if held is None:
        return []
    out: list[FieldError] = []
    kind, local = held.get("type") or "", held.get("localhostProfile")
    if not kind:
        out.append(required(f"{at}.type", "type is required when seccompProfile is set"))
    elif kind not in ("Localhost", "RuntimeDefault", "Unconfined"):
        out.append(not_supported(f"{at}.type", kind, ("Localhost", "RuntimeDefault", "Unconfined")))
    if kind == "Localhost":
        text = "must be set when seccomp type is Localhost"
        out += [required(f"{at}.localhostProfile", text)] if local is None else descending(local, f"{at}.localhostProfile")
    elif local is not None:
        out.append(invalid_value(f"{at}.localhostProfile", held, "can only be set when seccomp type is Localhost"))
    return out


def container_context(held: Obj | None, at: str) -> list[FieldError]:
    """`ValidateSecurityContext`."""
    if held is None:
        return []
    out = _users(held, at, ("runAsUser", "runAsGroup"))
    if held.get("procMount") not in (None, "Default", "Unmasked"):
        out.append(not_supported(f"{at}.procMount", held["procMount"], ("Default", "Unmasked")))
    out += _seccomp(held.get("seccompProfile"), f"{at}.seccompProfile")
    if held.get("allowPrivilegeEscalation") is False:
        if held.get("privileged"):
            out.append(invalid_value(at, held, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"))
        if "CAP_SYS_ADMIN" in ((held.get("capabilities") or {}).get("add") or ()):
            text = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
            out.append(invalid_value(at, held, text))
    return out


def pod_context(spec: Obj, at: str) -> list[FieldError]:
    """`validatePodSpecSecurityContext`."""
    held = spec.get("securityContext") or {}
    out = _users(held, at, ("fsGroup", "runAsUser", "runAsGroup"))
    for i, group in enumerate(held.get("supplementalGroups") or ()):
        if not 0 <= group <= 2147483647:
            out.append(invalid_value(f"{at}.supplementalGroups[{i}]", group, USER))
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        text = "ShareProcessNamespace and HostPID cannot both be enabled"
        out.append(invalid_value(f"{at}.shareProcessNamespace", True, text))
    seen: set[str] = set()
    for i, item in enumerate(held.get("sysctls") or ()):
        name, place = item.get("name") or "", f"{at}.sysctls[{i}].name"
        if not name:
            out.append(required(place))
        elif len(name) > 253 or re.match(_SYSCTL, name) is None:
            out.append(invalid_value(place, name, f"must have at most 253 characters and match regex {_SYSCTL}"))
        elif name in seen:
            out.append(duplicate(place, name))
        seen.add(name)
    change = held.get("fsGroupChangePolicy")
    if change not in (None, "Always", "OnRootMismatch"):
        out.append(not_supported(f"{at}.fsGroupChangePolicy", change, ("Always", "OnRootMismatch")))
    return out + _seccomp(held.get("seccompProfile"), f"{at}.seccompProfile")


def _address(text: str, at: str) -> list[FieldError]:
    return ips.address(at, text)


def dns(spec: Obj, at: str) -> list[FieldError]:
    """`validatePodDNSConfig`."""
    held = spec.get("dnsConfig")
    servers = (held or {}).get("nameservers") or []
    if spec.get("dnsPolicy") == "None":
        if held is None:
            return [required(at, "must provide `dnsConfig` when `dnsPolicy` is None")]
        if not servers:
            return [required(f"{at}.nameservers", "must provide at least one DNS nameserver when `dnsPolicy` is None")]
    out: list[FieldError] = []
    if len(servers) > 3:
        out.append(invalid_value(f"{at}.nameservers", servers, "must not have more than 3 nameservers"))
    for i, server in enumerate(servers):
        out += _address(server, f"{at}.nameservers[{i}]")
    searches = (held or {}).get("searches") or []
    if len(searches) > 32:
        out.append(invalid_value(f"{at}.searches", searches, "must not have more than 32 search paths"))
    for i, search in enumerate(searches):
        name = search.removesuffix(".").replace("_", "-")
        if search != ".":
            out += [invalid_value(f"{at}.searches[{i}]", search, text) for text in names.dns_subdomain(name)]
    for i, option in enumerate((held or {}).get("options") or ()):
        if not option.get("name"):
            out.append(required(f"{at}.options[{i}]", "must not be empty"))
    return out


def host_aliases(held: Any, at: str) -> list[FieldError]:
    """`ValidateHostAliases`."""
    out: list[FieldError] = []
    for i, alias in enumerate(held):
        out += _address(alias.get("ip") or "", f"{at}[{i}].ip")
        for j, name in enumerate(alias.get("hostnames") or ()):
            out += [invalid_value(f"{at}[{i}].hostnames[{j}]", name, text) for text in names.dns_subdomain(name)]
    return out


def host_ports(spec: Obj, path: str) -> list[FieldError]:
    """`validatePodHostNetworkDeps`: on the host's network a host port is the container's own."""
    out: list[FieldError] = []
    for i, item in enumerate(spec.get("containers") or ()) if spec.get("hostNetwork") else ():
        for j, port in enumerate(item.get("ports") or ()):
            if port.get("hostPort") and port["hostPort"] != port.get("containerPort"):
                text = "must match `containerPort` when `hostNetwork` is true"
                out.append(invalid_value(f"{path}.containers[{i}].ports[{j}].hostPort", port["hostPort"], text))
    return out


def restarts(item: Obj, at: str) -> list[FieldError]:
    """A container's own restart policy and its rules for exit codes (validateContainerRestartPolicy)."""
    policy, rules, out = item.get("restartPolicy"), item.get("restartPolicyRules") or [], list[FieldError]()
    known = ("Always", "Never", "OnFailure")
    if policy is None and rules:
        out.append(required(f"{at}.restartPolicy", "must specify restartPolicy when restart rules are used"))
    elif policy is not None and policy not in known:
        out.append(not_supported(f"{at}.restartPolicy", policy, known))
    if len(rules) > 20:
        out.append(too_many(f"{at}.restartPolicyRules", len(rules), 20))
    for number, rule in enumerate(rules):
        where, actions = f"{at}.restartPolicyRules[{number}]", ("Restart", "RestartAllContainers")
        if rule.get("action") not in actions:
            out.append(not_supported(f"{where}.action", rule.get("action", ""), actions))
        codes = rule.get("exitCodes")
        if codes is None:
            out.append(required(f"{where}.exitCodes", "must be specified"))
            continue
        if codes.get("operator") not in ("In", "NotIn"):
            out.append(not_supported(f"{where}.exitCodes.operator", codes.get("operator", ""), ("In", "NotIn")))
        if len(codes.get("values") or ()) > 255:
            out.append(too_many(f"{where}.exitCodes.values", len(codes["values"]), 255))
    return out
