"""Names, the registry and pulls."""

from __future__ import annotations

import pytest

from simulator.core.host import processes
from simulator.core.kernel.clock import SECOND
from simulator.core.kernel.errors import BadInput, ConnectError
from simulator.core.runtime import catalogue, containerd, cri, references

from .box import Box


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("redis", "docker.io/library/redis:latest"),
        ("redis:alpine", "docker.io/library/redis:alpine"),
        ("curlimages/curl", "docker.io/curlimages/curl:latest"),
        ("registry.k8s.io/pause:3.10.2", "registry.k8s.io/pause:3.10.2"),
        ("localhost:5000/a/b", "localhost:5000/a/b:latest"),
    ],
)
def test_names_are_normalised_as_docker_does(text: str, name: str) -> None:
    assert references.normalise(text).name == name


@pytest.mark.parametrize("text", ["Nginx", "nginx:", "a//b", "nginx:la test", "-x", "nginx@sha256:12"])
def test_bad_names_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="invalid reference format"):
        references.normalise(text)


def test_digests_and_sizes_belong_to_the_build() -> None:
    latest, alpine = catalogue.TAGS["docker.io/library/redis:latest"], catalogue.TAGS["docker.io/library/redis:alpine"]
    assert latest.digest("index") == catalogue.TAGS["docker.io/library/redis:8"].digest("index")
    assert latest.digest("index") != alpine.digest("index")
    # sizes are odd, so that hardly any two images look alike (there are thousands of releases, all of a family alike but for that)
    assert len({build.size for build in catalogue.BUILDS.values()}) > 0.95 * len(catalogue.BUILDS)
    assert catalogue.find_digest("docker.io/library/redis", alpine.digest("index")) is alpine


def test_a_bigger_image_takes_longer(box: Box) -> None:
    small, big = cri.pull_image(box.world, "box", "busybox"), cri.pull_image(box.world, "box", "python")
    assert small.ends < big.ends
    assert 4 * SECOND < big.ends - big.started < 40 * SECOND
    box.wait(60)
    assert cri.pull_done(box.world, "box", big)
    again = cri.pull_image(box.world, "box", "python")
    assert again.ends - again.started < 2 * SECOND


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("nope", "Unknown", "pull access denied, repository does not exist or may require authorization"),
        ("nginx:0.0.1", "NotFound", "docker.io/library/nginx:0.0.1: not found"),
        ("registry.k8s.io/nope:1", "NotFound", "registry.k8s.io/nope:1: not found"),
        ("reg.example.test/a:1", "Unknown", "dial tcp: lookup reg.example.test on 127.0.0.53:53: no such host"),
    ],
)
def test_what_the_registry_refuses(box: Box, name: str, code: str, words: str) -> None:
    pull = cri.pull_image(box.world, "box", name)
    box.wait(5)
    assert pull.done
    assert pull.code == code
    assert pull.error.startswith("failed to pull and unpack image ")
    assert words in pull.error


def test_a_pull_dies_with_the_daemon(box: Box) -> None:
    from simulator.core.host import processes

    pull = cri.pull_image(box.world, "box", "python")
    box.wait(1)
    processes.kill(box.world, box.containerd, 9)
    assert pull.error == "error reading from server: EOF"
    with pytest.raises(ConnectError) as caught:
        containerd.connect(box.world, "box")
    assert caught.value.detail == "connection refused"  # the socket file is still there
    box.start_containerd()
    processes.kill(box.world, box.containerd, 15)
    with pytest.raises(ConnectError) as caught:
        containerd.connect(box.world, "box")
    assert caught.value.detail == "no such file or directory"


def test_containerd_tells_its_version_and_touches_nothing(box: Box) -> None:
    done = box.run("containerd --version")
    assert done.code == 0
    assert (
        done.out + done.err == "containerd github.com/containerd/containerd/v2 v2.2.1 dea7da592f5d1d2b7755e3a161be07f43fad8f75\n"
    )
    assert box.run("ctr version").code == 0


def test_a_second_containerd_waits_and_leaves_the_first_its_socket(box: Box) -> None:
    second = box.run("containerd", seconds=5)
    assert second.code == -1
    assert "waiting for response from boltdb open" in second.out + second.err
    assert box.run("ctr version").code == 0
    waiting = processes.by_program(box.world, "box", "containerd")[-1]
    processes.kill(box.world, waiting, 2)
    assert box.run("ctr version").code == 0


def test_the_first_sandbox_brings_the_pause_image(box: Box) -> None:
    assert "pause" not in box.run("crictl images").out
    cri.update_runtime_config(box.world, "box", "192.168.1.0/24")
    cri.run_pod_sandbox(box.world, "box", {"metadata": {"name": "a", "namespace": "default", "uid": "u", "attempt": 0}})
    assert "registry.k8s.io/pause" in box.run("crictl images").out
    assert "registry.k8s.io/pause" in box.run("ctr -n k8s.io images ls -q").out
