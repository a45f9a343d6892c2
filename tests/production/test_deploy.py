"""What other machines are given: the chart renders to valid objects, compose.yaml is whole, nginx takes its configuration."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tools import system
from tools.production import chart, nginx

ROOT = Path(__file__).resolve().parents[2]
#: Kinds of others, whose schemas are theirs.
FOREIGN = {"ScaledObject", "ServiceMonitor"}
OPTIONS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "everything": {
        "prometheus": {"serviceMonitor": True},
        "env": {"TIME_ZONE": "Asia/Seoul"},
        "hosts": ["a.example", "b.example"],
    },
    "nothing": {
        "deliver": {"enabled": False},
        "ingress": {"enabled": False},
        "worker": {"autoscaling": False, "queues": 16},
        "https": False,
    },
}


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_the_chart_renders_to_valid_objects(name: str) -> None:
    objects = chart.render(OPTIONS[name], release="harbour")
    for item in objects:
        if item["kind"] not in FOREIGN:
            kubernetes_validate.validate(item, "1.36", strict=True)
    kinds = [item["kind"] for item in objects]
    assert kinds.count("StatefulSet") == kinds.count("Job") == 1
    assert kinds.count("Deployment") == (1 if name == "nothing" else 2)  # web, and the outbox's process
    assert ("Ingress" in kinds) is (name != "nothing")
    assert ("ScaledObject" in kinds) is (name != "nothing")
    assert ("ServiceMonitor" in kinds) is (name == "everything")


def test_services_and_scalers_find_their_pods_and_every_setting_is_one() -> None:
    objects = chart.render()
    pods = {
        item["metadata"]["name"]: item["spec"]["template"] for item in objects if item["kind"] in ("Deployment", "StatefulSet")
    }
    for item in objects:
        if item["kind"] == "Service":
            wanted = item["spec"]["selector"].items()
            assert any(wanted <= pod["metadata"]["labels"].items() for pod in pods.values()), item["metadata"]["name"]
        if "scaleTargetRef" in item.get("spec", {}):
            assert item["spec"]["scaleTargetRef"]["name"] in pods
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE))
    for pod in pods.values():
        container = pod["spec"]["containers"][0]
        assert {entry["name"] for entry in container["env"]} <= documented | {"FORWARDED_ALLOW_IPS"}
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"]["readOnlyRootFilesystem"] is True


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return found


def test_compose_names_only_what_it_has() -> None:
    services, volumes = compose()["services"], compose()["volumes"]
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE))
    for name, service in services.items():
        assert set(service.get("depends_on", ())) <= set(services), name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in volumes or (ROOT / source).exists(), volume
        if service["image"] == "slipway":
            assert service["command"][0] in ("web", "worker", "deliver", "prepare")
            assert set(service["environment"]) <= documented | {"FORWARDED_ALLOW_IPS"}
    workers = [service for service in services.values() if service.get("command", [""])[0] == "worker"]
    assert sum(service["deploy"]["replicas"] for service in workers) <= int(services["web-0"]["environment"]["QUEUES"])


def test_compose_is_what_its_client_takes() -> None:
    client = shutil.which("docker")
    if client is None or subprocess.run([client, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("there is no `docker compose` here")
    env = {**os.environ, "SLIPWAY_SECRET_KEY": "x", "SLIPWAY_DB_PASSWORD": "x", "SLIPWAY_REDIS_PASSWORD": "x"}
    subprocess.run([client, "compose", "config", "--quiet"], cwd=ROOT, env=env, check=True)


def test_there_are_queues_for_as_many_workers_as_a_release_may_have() -> None:
    objects = chart.render()
    worker = next(item for item in objects if item["kind"] == "StatefulSet")
    queues = next(
        int(entry["value"]) for entry in worker["spec"]["template"]["spec"]["containers"][0]["env"] if entry["name"] == "QUEUES"
    )
    scaled = next(item for item in objects if item["kind"] == "ScaledObject")["spec"]
    assert worker["spec"]["replicas"] == scaled["minReplicaCount"] <= scaled["maxReplicaCount"] <= queues <= 64


@pytest.mark.skipif(system.nginx() is None, reason="nginx is not installed")
def test_nginx_takes_its_configuration(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "log").mkdir()
    config = nginx.write(tmp_path / "nginx", "127.0.0.1:1", ["127.0.0.1:2", "127.0.0.1:3"], tmp_path)
    checked = subprocess.run([*nginx.argv(system.nginx() or "", config), "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_no_mark_is_left_in_any_configuration() -> None:
    assert not re.search("@[A-Z]+@", nginx.site("127.0.0.1:1", ["127.0.0.1:2"], "/srv/static"))
    told = " ".join(compose()["services"]["nginx"]["command"])
    for mark in set(re.findall(r"@[A-Z]+@", (ROOT / "deploy" / "nginx.conf").read_text())):
        assert mark in told
