"""crictl: pods and containers as the CRI sees them, warnings of the probing, errors."""

from __future__ import annotations

import json

import pytest

from simulator.core.host import files, processes
from simulator.core.runtime import cri
from tests.core.runtime.box import Box

POD = b'{"metadata": {"name": "mine", "namespace": "default", "uid": "u1"}, "log_directory": "/tmp/logs"}'
CONTAINER = b'{"metadata": {"name": "c"}, "image": {"image": "busybox"}, "command": ["sh", "-c", "echo hello; sleep 50"], "log_path": "c.log"}'
WARNING = "runtime connect using default endpoints: [unix:///run/containerd/containerd.sock unix:///run/crio/crio.sock unix:///var/run/cri-dockerd.sock]"


@pytest.fixture
def box() -> Box:
    box = Box()
    cri.update_runtime_config(box.world, "box", "10.244.0.0/24")
    files.write_file(box.world, "box", "/etc/crictl.yaml", b"runtime-endpoint: unix:///run/containerd/containerd.sock\n")
    files.write_file(box.world, "box", "/root/pod.json", POD, parents=True)
    files.write_file(box.world, "box", "/root/container.json", CONTAINER, parents=True)
    return box


def test_a_pod_and_a_container_by_hand(box: Box) -> None:
    pod = box.run("crictl runp /root/pod.json").out.strip()
    pulled = box.run("crictl pull busybox")
    assert pulled.out.startswith("Image is up to date for sha256:")
    made = box.run(f"crictl create {pod} /root/container.json /root/pod.json").out.strip()
    assert box.run("crictl ps").out.splitlines()[1:] == []
    assert box.run(f"crictl start {made}").out.strip() == made
    header, row = box.run("crictl ps -a").out.splitlines()
    assert header.split() == ["CONTAINER", "IMAGE", "CREATED", "STATE", "NAME", "ATTEMPT", "POD", "ID", "POD", "NAMESPACE"]
    assert row.startswith(made[:13] + "       busybox")
    assert "Running" in row
    assert box.run(f"crictl logs {made}").out == "hello\n"
    assert box.run(f"crictl exec -i -t {made[:5]} ls /").out.split()[:3] == ["bin", "dev", "etc"]
    assert box.run("crictl pods").out.splitlines()[1].split()[-3:] == ["default", "0", "(default)"]
    assert json.loads(box.run(f"crictl inspect {made}").out)["status"]["state"] == "CONTAINER_RUNNING"
    assert "is running, please stop it first" in box.run(f"crictl rm {made}").err
    assert box.run(f"crictl stop {made}").out.strip() == made
    assert box.run(f"crictl rm {made}").out.strip() == made
    assert box.run(f"crictl stopp {pod}").out == f"Stopped sandbox {pod}\n"
    assert box.run(f"crictl rmp {pod}").out == f"Removed sandbox {pod}\n"
    assert box.run("crictl pods -q").out == ""


def test_images_table(box: Box) -> None:
    box.run("crictl pull nginx:1.27")
    header, row = box.run("crictl images").out.splitlines()
    assert header.split() == ["IMAGE", "TAG", "IMAGE", "ID", "SIZE"]
    assert row.split()[:2] == ["docker.io/library/nginx", "1.27"]
    assert row.split()[3] == "63MB"
    assert box.run("crictl rmi nginx:1.27").out == "Deleted: docker.io/library/nginx:1.27\n"
    assert len(box.run("crictl images").out.splitlines()) == 1


def test_without_a_configuration_it_warns(box: Box) -> None:
    files.remove_file(box.world, "box", "/etc/crictl.yaml")
    done = box.run("crictl ps")
    assert done.code == 0
    assert WARNING in done.err
    absent = 'level=warning msg="Config \\"/etc/crictl.yaml\\" does not exist, trying next: \\"/usr/bin/crictl.yaml\\""'
    assert absent in done.err
    given = box.run("crictl -r unix:///run/containerd/containerd.sock pods").err
    assert absent in given and given.count("level=") == 1
    box.run("crictl config --set runtime-endpoint=unix:///run/containerd/containerd.sock")
    assert box.run("crictl pods").err == ""
    assert box.run("crictl config --get runtime-endpoint").out == "unix:///run/containerd/containerd.sock\n"


def test_errors(box: Box) -> None:
    assert 'container \\"abc\\": not found' in box.run("crictl logs abc").err
    assert '"ContainerStatus from runtime service failed" err="rpc error: code = NotFound' in box.run("crictl logs abc").err
    assert '"PullImage from image service failed" err="rpc error: code = Unknown' in box.run("crictl pull nope").err
    assert "ID cannot be empty" in box.run("crictl logs").err
    assert (box.run("crictl nonsense").code, box.run("crictl nonsense").err) == (3, "No help topic for 'nonsense'\n")
    assert 'level=fatal msg="flag provided but not defined: -z"' in box.run("crictl ps -z").err
    assert 'no such image \\"nope\\" present' in box.run("crictl inspecti nope").err
    assert "attaching running container failed: rpc error: code = NotFound" in box.run("crictl attach x").err
    assert "cgroup driver:   CGROUPFS\n" in box.run("crictl runtime-config").out
    box.host.fs.write("/etc/containerd/config.toml", b'disabled_plugins = ["cri"]\n', parents=True)
    box.run("kill -9 " + str(box.containerd.pid))
    box.start_containerd()
    assert "unknown service runtime.v1.RuntimeService" in box.run("crictl ps").err
    processes.kill(box.world, box.containerd, 15)
    down = box.run("crictl ps")
    assert down.code == 1
    assert (
        'validate service connection: validate CRI v1 runtime API for endpoint \\"unix:///run/containerd/containerd.sock\\": '
        "rpc error: code = Unavailable desc = connection error" in down.err
    )
