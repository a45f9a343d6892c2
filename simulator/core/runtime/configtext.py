"""What `containerd config default|dump|migrate` print: containerd's own defaults, with the file's settings in them (containerd `cmd/containerd/command/config.go`)."""

from __future__ import annotations

from typing import Any

from ..kernel.world import World
from . import config

Obj = dict[str, Any]
_RUNC: Obj = {
    "runtime_type": "io.containerd.runc.v2", "runtime_path": "", "pod_annotations": [], "container_annotations": [], "privileged_without_host_devices": False,
    "privileged_without_host_devices_all_devices_allowed": False, "cgroup_writable": False, "base_runtime_spec": "", "cni_conf_dir": "", "cni_max_conf_num": 0, "snapshotter": "",
    "sandboxer": "podsandbox", "io_type": "",
    "options": {"BinaryName": "", "CriuImagePath": "", "CriuWorkPath": "", "IoGid": 0, "IoUid": 0, "NoNewKeyring": False, "Root": "", "ShimCgroup": "", "SystemdCgroup": False},
}  # fmt: skip
_DECODER = {
    "accepts": ["application/vnd.oci.image.layer.v1.tar+encrypted"], "returns": "application/vnd.oci.image.layer.v1.tar", "path": "ctd-decoder",
    "args": ["--decryption-keys-path", "/etc/containerd/ocicrypt/keys"], "env": ["OCICRYPT_KEYPROVIDER_CONFIG=/etc/containerd/ocicrypt/ocicrypt_keyprovider.conf"],
}  # fmt: skip


def defaults() -> Obj:
    """containerd 2.2's configuration without a file."""
    return {
        "version": 3, "root": "/var/lib/containerd", "state": "/run/containerd", "temp": "", "disabled_plugins": [], "required_plugins": [], "oom_score": 0, "imports": [],
        "grpc": {"address": "/run/containerd/containerd.sock", "tcp_address": "", "tcp_tls_ca": "", "tcp_tls_cert": "", "tcp_tls_key": "", "uid": 0, "gid": 0, "max_recv_message_size": 16777216, "max_send_message_size": 16777216, "tcp_tls_common_name": ""},
        "ttrpc": {"address": "", "uid": 0, "gid": 0},
        "debug": {"address": "", "uid": 0, "gid": 0, "level": "", "format": ""},
        "metrics": {"address": "", "grpc_histogram": False},
        "plugins": {
            "io.containerd.cri.v1.images": {
                "snapshotter": "overlayfs", "disable_snapshot_annotations": True, "discard_unpacked_layers": False, "max_concurrent_downloads": 3, "concurrent_layer_fetch_buffer": 0,
                "image_pull_progress_timeout": "5m0s", "image_pull_with_sync_fs": False, "stats_collect_period": 10, "use_local_image_pull": False,
                "pinned_images": {"sandbox": "registry.k8s.io/pause:3.10.1"}, "registry": {"config_path": ""}, "image_decryption": {"key_model": "node"},
            },
            "io.containerd.cri.v1.runtime": {
                "enable_selinux": False, "selinux_category_range": 1024, "max_container_log_line_size": 16384, "disable_apparmor": False, "restrict_oom_score_adj": False, "disable_proc_mount": False,
                "unset_seccomp_profile": "", "tolerate_missing_hugetlb_controller": True, "disable_hugetlb_controller": True, "device_ownership_from_security_context": False, "ignore_image_defined_volumes": False,
                "netns_mounts_under_state_dir": False, "enable_unprivileged_ports": True, "enable_unprivileged_icmp": True, "enable_cdi": True, "cdi_spec_dirs": ["/etc/cdi", "/var/run/cdi"],
                "drain_exec_sync_io_timeout": "0s", "ignore_deprecation_warnings": [],
                "containerd": {"default_runtime_name": "runc", "ignore_blockio_not_enabled_errors": False, "ignore_rdt_not_enabled_errors": False, "runtimes": {"runc": _RUNC}},
                "cni": {"bin_dir": "", "bin_dirs": ["/opt/cni/bin"], "conf_dir": "/etc/cni/net.d", "max_conf_num": 1, "setup_serially": False, "conf_template": "", "ip_pref": "", "use_internal_loopback": False},
            },
            "io.containerd.differ.v1.walking": {"sync_fs": False},
            "io.containerd.gc.v1.scheduler": {"pause_threshold": 0.02, "deletion_threshold": 0, "mutation_threshold": 100, "schedule_delay": "0s", "startup_delay": "100ms"},
            "io.containerd.grpc.v1.cri": {"disable_tcp_service": True, "stream_server_address": "127.0.0.1", "stream_server_port": "0", "stream_idle_timeout": "4h0m0s", "enable_tls_streaming": False, "x509_key_pair_streaming": {"tls_cert_file": "", "tls_key_file": ""}},
            "io.containerd.image-verifier.v1.bindir": {"bin_dir": "/opt/containerd/image-verifier/bin", "max_verifiers": 10, "per_verifier_timeout": "10s"},
            "io.containerd.internal.v1.opt": {"path": "/opt/containerd"},
            "io.containerd.metadata.v1.bolt": {"content_sharing_policy": "shared", "no_sync": False},
            "io.containerd.monitor.container.v1.restart": {"interval": "10s"},
            "io.containerd.monitor.task.v1.cgroups": {"no_prometheus": False},
            "io.containerd.nri.v1.nri": {"disable": False, "socket_path": "/var/run/nri/nri.sock", "plugin_path": "/opt/nri/plugins", "plugin_config_path": "/etc/nri/conf.d", "plugin_registration_timeout": "5s", "plugin_request_timeout": "2s", "disable_connections": False},
            "io.containerd.runtime.v2.task": {"platforms": ["linux/amd64"]},
            "io.containerd.service.v1.diff-service": {"default": ["walking"], "sync_fs": False},
            "io.containerd.service.v1.tasks-service": {"blockio_config_file": "", "rdt_config_file": ""},
            "io.containerd.shim.v1.manager": {"env": []},
            "io.containerd.snapshotter.v1.native": {"root_path": ""},
            "io.containerd.snapshotter.v1.overlayfs": {"root_path": "", "upperdir_label": False, "sync_remove": False, "slow_chown": False, "mount_options": []},
            "io.containerd.transfer.v1.local": {"max_concurrent_downloads": 3, "concurrent_layer_fetch_buffer": 0, "max_concurrent_uploaded_layers": 3, "check_platform_supported": False, "config_path": ""},
        },
        "cgroup": {"path": ""},
        "timeouts": {"io.containerd.timeout.bolt.open": "0s", "io.containerd.timeout.cri.defercleanup": "1m0s", "io.containerd.timeout.metrics.shimstats": "2s", "io.containerd.timeout.shim.cleanup": "5s", "io.containerd.timeout.shim.load": "5s", "io.containerd.timeout.shim.shutdown": "3s", "io.containerd.timeout.task.state": "2s"},
        "stream_processors": {
            "io.containerd.ocicrypt.decoder.v1.tar": _DECODER,
            "io.containerd.ocicrypt.decoder.v1.tar.gzip": {**_DECODER, "accepts": ["application/vnd.oci.image.layer.v1.tar+gzip+encrypted"], "returns": "application/vnd.oci.image.layer.v1.tar+gzip"},
        },
    }  # fmt: skip


def migrate(found: Obj) -> Obj:
    """A file of version 2 (or none) as version 3: the CRI plugin's settings move to the two plugins that took its place."""
    if int(found.get("version", 1 if found else 3)) >= 3:
        return found
    out = {key: value for key, value in found.items() if key != "plugins"}
    out["version"] = 3
    plugins = dict(found.get("plugins") or {})
    old = dict(plugins.pop("io.containerd.grpc.v1.cri", plugins.pop("cri", {})) or {})
    images, runtime = {}, {}
    containerd = dict(old.pop("containerd", {}) or {})
    if "sandbox_image" in old:
        images["pinned_images"] = {"sandbox": old.pop("sandbox_image")}
    for key in ("registry", "image_decryption", "max_concurrent_downloads", "image_pull_progress_timeout"):
        if key in old:
            images[key] = old.pop(key)
    if "snapshotter" in containerd:
        images["snapshotter"] = containerd.pop("snapshotter")
    for key in (
        "stream_server_address",
        "stream_server_port",
        "stream_idle_timeout",
        "enable_tls_streaming",
        "disable_tcp_service",
        "x509_key_pair_streaming",
    ):
        if key in old:
            plugins.setdefault("io.containerd.grpc.v1.cri", {})[key] = old.pop(key)
    runtime.update(old)
    if containerd:
        runtime["containerd"] = containerd
    if images:
        plugins["io.containerd.cri.v1.images"] = images
    if runtime:
        plugins["io.containerd.cri.v1.runtime"] = runtime
    if plugins:
        out["plugins"] = plugins
    return out


def merged(base: Obj, over: Obj) -> Obj:
    """Tables merged, values replaced."""
    out = dict(base)
    for key, value in over.items():
        before = out.get(key)
        out[key] = merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return out


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{value}'"
    if isinstance(value, list):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return str(value)


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() else f"'{name}'"


def toml(data: Obj, path: tuple[str, ...] = (), depth: int = 0) -> str:
    """A document as go-toml writes it: values first, then tables, nested ones indented by two."""
    pad = "  " * max(0, depth)
    out = "".join(f"{pad}{_key(key)} = {_value(value)}\n" for key, value in data.items() if not isinstance(value, dict))
    for key, value in data.items():
        if isinstance(value, dict):
            name = ".".join(_key(part) for part in (*path, key))
            out += ("\n" if out else "") + f"{pad}[{name}]\n" + toml(value, (*path, key), depth + 1)
    return out


def default_text() -> str:
    """`containerd config default`."""
    return toml(defaults())


def dump_text(world: World, host: str) -> str:
    """`containerd config dump`; raises config.BadConfig."""
    return toml(merged(defaults(), migrate(config.load(world, host))))


def migrate_text(world: World, host: str) -> str:
    """`containerd config migrate`; raises config.BadConfig."""
    return toml(migrate(config.load(world, host)))
