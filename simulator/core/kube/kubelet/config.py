"""Reading the kubelet's flags and configuration files (`cmd/kubelet/app/server.go: NewKubeletCommand`, `pkg/kubelet/kubeletconfig`).

An unknown field of v1beta1 is not fatal: the strict decoder's complaint is logged and the lenient one's result is used.
"""

from __future__ import annotations

import posixpath
from typing import Any

import yaml

from ...host import files
from ...host.process import Process
from ...host.program import Exited
from ...kernel import clock
from ...kernel.world import World
from .. import component
from . import legacy
from .options import DEPRECATED, DEPRECATION, FIELDS, FLAGS, NESTED, apply_flags, setting

Obj = dict[str, Any]

_DURATIONS = ("fileCheckFrequency", "nodeStatusUpdateFrequency", "nodeStatusReportFrequency", "syncFrequency")
_GO_TYPES = {"map": "map[string]string", "list": "[]string", "duration": "string", "float64": "float64"}
_PATHS = ("staticPodPath", "tlsCertFile", "tlsPrivateKeyFile", "resolvConf")


class ConfigError(Exception):
    """The configuration cannot be used; the text is the error's of `command failed`."""


def load(world: World, proc: Process) -> tuple[dict[str, str], Obj]:
    """(flags, configuration as given); a fault ends the kubelet with the real one's words."""
    try:
        argv, _ = legacy.arguments(proc)
    except legacy.Unsupported as error:
        raise fail(world, proc, f"failed to run Kubelet: {error}") from None
    try:
        flags = component.parse_flags(argv, FLAGS)
    except component.FlagError as error:
        text = str(error)
        if "does not take any arguments" in text:
            text = "unknown command " + text.rpartition("[")[2].split('"')[1]
            raise fail(world, proc, text) from None
        raise fail(world, proc, f"failed to parse kubelet flag: {error}") from None
    for name in flags:
        if name in DEPRECATED:
            component.log(world, proc, f"Flag --{name} has been deprecated, {DEPRECATION}")
    if component.truth(flags, "version", False):
        component.log(world, proc, f"Kubernetes {component.version_of(proc)}")
        raise Exited(0)
    try:
        config = _from_files(world, proc, flags)
        config = apply_flags(config, flags)
        problems = validate(config)
    except ConfigError as failed:
        raise fail(world, proc, str(failed)) from None
    if problems:
        shown = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
        text = f"failed to validate kubelet configuration, error: {shown}, path: &TypeMeta{{Kind:,APIVersion:,}}"
        raise fail(world, proc, text)
    for key in _DURATIONS:
        config[key + "Ns"] = component.parse_duration(str(setting(config, key)))
    if config.get("nodeStatusUpdateFrequency") not in (None, "0s") and config.get("nodeStatusReportFrequency") in (None, "0s"):
        config["nodeStatusReportFrequencyNs"] = config["nodeStatusUpdateFrequencyNs"]
    return flags, config


def fail(world: World, proc: Process, message: str) -> Exited:
    """The kubelet's end, with `command failed` in its log."""
    return component.fail(world, proc, "run.go:72", message)


def _from_files(world: World, proc: Process, flags: dict[str, str]) -> Obj:
    config: Obj = {}
    path = flags.get("config")
    if path:
        head = f"failed to load kubelet config file, path: {path}, error: failed to load Kubelet config file {path}, error "
        try:
            config = _read(world, proc, path)
        except ConfigError as failed:
            raise ConfigError(head + str(failed)) from None
        for key in _PATHS:
            value = config.get(key)
            if value and not str(value).startswith("/"):
                config[key] = posixpath.join(posixpath.dirname(path), str(value))
    directory = flags.get("config-dir")
    if directory:
        tree = files.tree(files.host_of(world, proc.host), proc.mnt)
        if not tree.isdir(directory):
            raise ConfigError(
                f'failed to merge kubelet configs: failed to walk through kubelet dropin directory "{directory}": '
                f"lstat {directory}: no such file or directory"
            )
        for name in tree.listdir(directory):
            if not name.endswith(".conf"):
                continue
            where = posixpath.join(directory, name)
            try:
                part = _read(world, proc, where, "drop-in ")
            except ConfigError as failed:
                text = f"failed to merge kubelet configs: failed to walk through kubelet dropin directory {_quote(directory)}: "
                raise ConfigError(f"{text}failed to load kubelet dropin file, path: {where}, error: {failed}") from None
            config = _overlay(config, part)
    return config


def _quote(text: str) -> str:
    return f'"{text}"'


def _overlay(base: Obj, over: Obj) -> Obj:
    """JSON merge patch, as drop-ins are laid over each other."""
    out = dict(base)
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(out.get(key), dict):
            out[key] = _overlay(out[key], value)
        else:
            out[key] = value
    return out


def _read(world: World, proc: Process, path: str, kind: str = "") -> Obj:
    try:
        text = component.read_file(world, proc, path)
    except OSError as failed:
        why = (failed.strerror or "unreadable").lower()
        raise ConfigError(f'failed to read {kind}kubelet config file "{path}", error: open {path}: {why}') from None
    if not text:
        raise ConfigError(f'kubelet config file "{path}" was empty')
    return _decode(world, proc, text)


def _decode(world: World, proc: Process, text: bytes) -> Obj:
    try:
        parsed = yaml.load(text[:1_000_000], Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, UnicodeDecodeError) as failed:
        raise ConfigError(f"failed to decode: {component.yaml_error(failed)}") from None
    if not isinstance(parsed, dict):
        raise ConfigError(
            f"failed to decode: couldn't get version/kind; json parse error: json: cannot unmarshal {_json_kind(parsed)} "
            'into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string '
            '"json:\\"kind,omitempty\\"" }'
        )
    kind, version = str(parsed.get("kind") or ""), str(parsed.get("apiVersion") or "")
    if not kind:
        raise ConfigError(f"failed to decode: Object 'Kind' is missing in '{_compact(parsed)}'")
    if version not in ("kubelet.config.k8s.io/v1beta1", "kubelet.config.k8s.io/v1alpha1", "kubelet.config.k8s.io/v1"):
        raise ConfigError(f'failed to decode: no kind "{kind}" is registered for version "{version}" in scheme "{_SCHEME}"')
    if kind != "KubeletConfiguration":
        raise ConfigError(f'failed to decode: no kind "{kind}" is registered for version "{version}" in scheme "{_SCHEME}"')
    for key, value in parsed.items():
        _check_type(str(key), value)
    unknown = _unknown(parsed)
    if unknown:
        text_ = ", ".join(f'unknown field "{name}"' for name in unknown)
        component.klog(
            world,
            proc,
            "I",
            "config.go:101",
            "Using lenient decoding as strict decoding failed",
            err=f"strict decoding error: {text_}",
        )
    return {key: value for key, value in parsed.items() if key in FIELDS or key in ("kind", "apiVersion")}


_SCHEME = "k8s.io/kubernetes/pkg/kubelet/apis/config/scheme/scheme.go:33"


def _json_kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    if isinstance(value, list):
        return "array"
    return "object"


def _compact(value: Obj) -> str:
    import json

    return json.dumps(value, separators=(",", ":"), default=str)


def _check_type(name: str, value: Any) -> None:
    kind = FIELDS.get(name)
    if kind is None or value is None:
        return
    found = _json_kind(value)
    wanted = {"bool": "bool", "string": "string", "duration": "string", "map": "object", "list": "array"}.get(kind, "number")
    if kind == "duration" and found == "string":
        try:
            component.parse_duration(str(value))
        except ValueError as failed:
            raise ConfigError(f"failed to decode: {failed}") from None
        return
    if found != wanted:
        if kind == "duration":
            raise ConfigError(f"failed to decode: json: cannot unmarshal {found} into Go value of type string")
        go = _GO_TYPES.get(kind, kind)
        raise ConfigError(
            f"failed to decode: json: cannot unmarshal {found} into Go struct field KubeletConfiguration.{name} of type {go}"
        )


def _unknown(parsed: Obj) -> list[str]:
    found = [str(key) for key in parsed if key not in FIELDS and key not in ("kind", "apiVersion")]

    def deeper(prefix: str, value: Any) -> None:
        if not isinstance(value, dict) or prefix not in NESTED:
            return
        for key, below in value.items():
            where = f"{prefix}.{key}"
            if key not in NESTED[prefix]:
                found.append(where)
            else:
                deeper(where, below)

    for key in parsed:
        deeper(str(key), parsed[key])
    return found


def validate(config: Obj) -> list[str]:
    """What `ValidateKubeletConfiguration` finds wrong, in its order."""
    bad: list[str] = []

    def say(text: str) -> None:
        bad.append(f"invalid configuration: {text}")

    def number(name: str) -> int:
        value = setting(config, name)
        return int(value) if isinstance(value, int | float) else 0

    for name, flag, low in (("eventBurst", "event-burst", 0), ("eventRecordQPS", "event-qps", 0)):
        if number(name) < low:
            say(f"{name} (--{flag}) {number(name)} must not be a negative number")
    if not 0 <= number("healthzPort") <= 65535:
        say(f"healthzPort (--healthz-port) {number('healthzPort')} must be between 1 and 65535, inclusive")
    high, low = number("imageGCHighThresholdPercent"), number("imageGCLowThresholdPercent")
    if not 0 <= high <= 100:
        say(f"imageGCHighThresholdPercent (--image-gc-high-threshold) {high} must be between 0 and 100, inclusive")
    if not 0 <= low <= 100:
        say(f"imageGCLowThresholdPercent (--image-gc-low-threshold) {low} must be between 0 and 100, inclusive")
    if low >= high:
        say(
            f"imageGCLowThresholdPercent (--image-gc-low-threshold) {low} must be less than "
            f"imageGCHighThresholdPercent (--image-gc-high-threshold) {high}"
        )
    if number("maxPods") < 0:
        say(f"maxPods (--max-pods) {number('maxPods')} must not be a negative number")
    if not 1 <= number("port") <= 65535:
        say(f"port (--port) {number('port')} must be between 1 and 65535, inclusive")
    if not 0 <= int(config.get("readOnlyPort") or 0) <= 65535:
        say(f"readOnlyPort (--read-only-port) {config.get('readOnlyPort')} must be between 0 and 65535, inclusive")
    swap = setting(config, "memorySwap", "swapBehavior")
    if swap not in (None, "", "LimitedSwap", "NoSwap"):
        say(f'memorySwap.swapBehavior "{swap}" must be one of: "", "LimitedSwap" or "NoSwap"')
    mode = setting(config, "authorization", "mode")
    if mode not in ("AlwaysAllow", "Webhook"):
        bad.append(f"unknown authorization mode {mode}")
    for resource in (config.get("kubeReserved") or {}, config.get("systemReserved") or {}):
        for key in resource:
            if key not in ("cpu", "memory", "ephemeral-storage", "pid"):
                bad.append(f'cannot reserve "{key}" resource')
    for text in shutdown_problems(config):
        say(text)
    return bad


def shutdown_problems(config: Obj) -> list[str]:
    """What is wrong with the times of a graceful node shutdown."""
    names = ("shutdownGracePeriod", "shutdownGracePeriodCriticalPods")
    text = [str(setting(config, name) or "0s") for name in names]
    whole, critical = (component.parse_duration(one) for one in text)
    out = []
    if critical > whole:
        out.append(f"shutdownGracePeriodCriticalPods {{{text[1]}}} must be <= shutdownGracePeriod {{{text[0]}}}")
    for name, value, shown in zip(names, (whole, critical), text, strict=True):
        if value < 0 or 0 < value < clock.SECOND:
            out.append(f"{name} {{{shown}}} must be either zero or otherwise >= 1 sec")
    if config.get("shutdownGracePeriodByPodPriority") and (whole > 0 or critical > 0):
        out.append("Cannot specify both shutdownGracePeriodByPodPriority and shutdownGracePeriod at the same time")
    return out


def period(config: Obj, name: str) -> int:
    """A duration setting in ns."""
    return component.parse_duration(str(setting(config, name))) or clock.SECOND
