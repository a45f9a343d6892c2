"""nerdctl: Docker's command line on containerd."""

from __future__ import annotations

import json

import pytest

from tests.core.runtime.box import Box


@pytest.fixture
def box() -> Box:
    return Box()


def test_the_seeds_commands(box: Box) -> None:
    done = box.run("nerdctl run --name webserver -p 80:80 -d nginx")
    assert done.code == 0
    ident = done.out.splitlines()[-1]
    assert len(ident) == 64
    header, row = box.run("nerdctl ps").out.splitlines()
    assert header.split("   ")[0] == "CONTAINER ID"
    assert row.split()[:2] == [ident[:12], "docker.io/library/nginx:latest"]
    assert row.rstrip().endswith("0.0.0.0:80->80/tcp    webserver")
    assert '"/docker-entrypoint.…"' in row
    assert box.run("nerdctl run --name redis redis:alpine", seconds=20).code == -1  # in the foreground until it ends


def test_names_and_ports_are_taken_once(box: Box) -> None:
    first = box.run("nerdctl run -d --name web -p 80:80 nginx").out.splitlines()[-1]
    again = box.run("nerdctl run -d --name web nginx")
    assert again.code == 1
    assert f'name \\"web\\" is already used by ID \\"{first}\\"' in again.err
    assert "bind for 0.0.0.0:80 failed: port is already allocated" in box.run("nerdctl run -d -p 80:80 nginx").err


def test_an_unknown_image(box: Box) -> None:
    done = box.run("nerdctl run -d nope")
    assert done.code == 1
    assert 'level=fatal msg="failed to resolve reference \\"docker.io/library/nope:latest\\": pull access denied' in done.err


def test_exec_logs_and_inspect(box: Box) -> None:
    box.run("nerdctl run -d --name web -e COLOR=blue nginx")
    assert box.run("nerdctl exec web cat /etc/debian_version").out == "13.2\n"
    assert box.run("nerdctl exec web sh -c 'echo $COLOR'").out == "blue\n"
    wrong = box.run("nerdctl exec web nonsense")
    assert wrong.code == 1
    assert 'exec: \\"nonsense\\": executable file not found in $PATH' in wrong.err
    assert "start worker processes" in box.run("nerdctl logs web").err
    found = json.loads(box.run("nerdctl inspect web").out)
    assert found[0]["State"]["Status"] == "running"
    assert found[0]["NetworkSettings"]["IPAddress"].startswith("10.4.0.")


def test_life_of_a_container(box: Box) -> None:
    box.run("nerdctl run -d --name web nginx")
    assert "unpause/stop container first or force removal" in box.run("nerdctl rm web").err
    assert box.run("nerdctl stop web").out == "web\n"
    assert box.run("nerdctl ps -q").out == ""
    assert box.run("nerdctl start web").out == "web\n"
    assert box.run("nerdctl rm -f web").out == "web\n"
    assert box.run("nerdctl ps -aq").out == ""
    assert "no such container: web" in box.run("nerdctl stop web").err


def test_images(box: Box) -> None:
    box.run("nerdctl pull -q alpine")
    header, row = box.run("nerdctl images").out.splitlines()
    assert header.split()[:4] == ["REPOSITORY", "TAG", "IMAGE", "ID"]
    assert row.split()[:2] == ["alpine", "latest"]
    box.run("nerdctl tag alpine mine:1")
    assert box.run("nerdctl rmi alpine").out.startswith("Untagged: docker.io/library/alpine:latest@sha256:")
    assert box.run("nerdctl images").out.splitlines()[1].split()[:2] == ["mine", "1"]


def test_the_namespace_of_kubernetes(box: Box) -> None:
    box.run("crictl pull busybox")
    assert "busybox" in box.run("nerdctl -n k8s.io images").out
    assert box.run("nerdctl --namespace k8s.io ps").code == 0
    assert "busybox" not in box.run("nerdctl images").out


def test_errors_of_the_command_line(box: Box) -> None:
    assert 'unknown subcommand \\"nonsense\\" for \\"nerdctl\\"' in box.run("nerdctl nonsense").err
    assert 'level=fatal msg="unknown flag: --nonsense"' in box.run("nerdctl ps --nonsense").err
    assert "requires at least 1 arg(s), only received 0" in box.run("nerdctl run").err
    built = box.run("nerdctl build .")
    assert built.code == 1
    assert "`buildctl` needs to be installed and `buildkitd` needs to be running" in built.err


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("nerdctl --snapshotter=stargz pull nginx", "snapshotter not loaded: stargz: invalid argument"),
        (
            "nerdctl run -d --verify=cosign nginx",
            "--cosign-certificate-identity or --cosign-certificate-identity-regexp is required",
        ),
        ("nerdctl pull --verify=notation nginx", "not simulated in Slipway yet"),
        ("nerdctl push --sign=cosign example.org/a", 'image \\"example.org/a:latest\\": not found'),
        (
            "nerdctl pull ipfs://bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am",
            "dial tcp 127.0.0.1:5001: connect: connection refused",
        ),
        ("nerdctl image encrypt --recipient=jwe:key.pem a b", 'image \\"docker.io/library/a:latest\\": not found'),
    ],
)
def test_abilities_beyond_docker_name_what_they_need(box: Box, command: str, error: str) -> None:
    done = box.run(command)
    assert done.code == 1
    assert error in done.err
