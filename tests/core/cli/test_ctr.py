"""ctr: the seed's commands, its strict names, tasks and errors."""

from __future__ import annotations

import pytest

from simulator.core.host import processes
from tests.core.runtime.box import Box


@pytest.fixture
def box() -> Box:
    return Box()


def test_the_seeds_commands(box: Box) -> None:
    refused = box.run("ctr run docker.io/library/redis:alpine redis")
    assert (refused.code, refused.err) == (1, 'ctr: image "docker.io/library/redis:alpine": not found\n')
    pulled = box.run("ctr images pull docker.io/library/redis:alpine")
    assert pulled.code == 0
    assert "Completed pull from OCI Registry (docker.io/library/redis:alpine) elapsed: " in pulled.out
    assert "extracted" in pulled.out
    assert box.run("ctr run -d docker.io/library/redis:alpine redis") == ("", "", 0)
    lines = box.run("ctr tasks ls").out.splitlines()
    assert lines[0].split() == ["TASK", "PID", "STATUS"]
    assert lines[1].split()[::2] == ["redis", "RUNNING"]


def test_short_names_do_not_work(box: Box) -> None:
    assert box.run("ctr images pull redis").err == "ctr: failed to resolve image: object required\n"
    assert (
        box.run("ctr i pull redis:alpine").err
        == 'ctr: failed to resolve image: parse "dummy://redis:alpine": invalid port ":alpine" after host\n'
    )


def test_a_foreground_run_prints_and_returns_the_status(box: Box) -> None:
    box.run("ctr images pull docker.io/library/busybox:latest")
    done = box.run("ctr run --rm docker.io/library/busybox:latest b sh -c 'echo hello; exit 7'")
    assert (done.out, done.code) == ("hello\n", 7)
    assert box.run("ctr c ls -q").out == ""


def test_tasks_and_containers_are_two_things(box: Box) -> None:
    box.run("ctr images pull docker.io/library/redis:alpine")
    box.run("ctr run -d docker.io/library/redis:alpine redis")
    assert box.run("ctr run -d docker.io/library/redis:alpine redis").err == 'ctr: snapshot "redis": already exists\n'
    assert "ctr: cannot delete a non stopped container: {running 0" in box.run("ctr containers rm redis").err
    assert box.run("ctr tasks kill -s SIGKILL redis").code == 0
    box.wait(1)
    assert "STOPPED" in box.run("ctr tasks ls").out
    assert box.run("ctr tasks rm redis").code == 0
    assert box.run("ctr containers ls -q").out == "redis\n"
    assert box.run("ctr containers rm redis").code == 0
    assert box.run("ctr containers ls -q").out == ""


def test_namespaces_keep_images_apart(box: Box) -> None:
    box.run("ctr -n k8s.io images pull docker.io/library/busybox:latest")
    assert box.run("ctr images ls -q").out == ""
    assert "docker.io/library/busybox:latest" in box.run("ctr -n k8s.io images ls -q").out
    assert box.run("ctr ns ls -q").out == "k8s.io\n"


def test_errors_of_the_command_line(box: Box) -> None:
    unknown = box.run("ctr nonsense")
    assert (unknown.code, unknown.err) == (3, "No help topic for 'nonsense'\n")
    flag = box.run("ctr images ls --nonsense")
    assert flag.code == 1
    assert flag.out.startswith(
        "Incorrect Usage: flag provided but not defined: -nonsense\n\nNAME:\n   ctr images list - List images known to containerd\n"
    )
    assert flag.err == "ctr: flag provided but not defined: -nonsense\n"
    assert box.run("ctr tasks exec redis ls").err == 'ctr: Required flag "exec-id" not set\n'
    assert box.run("ctr run x").err == "ctr: container id must be provided\n"
    assert box.run("ctr images export a b").err == "ctr: ctr images export: not simulated in Slipway yet\n"


def test_a_stopped_daemon(box: Box) -> None:
    processes.kill(box.world, box.containerd, 15)
    gone = box.run("ctr images ls")
    assert (gone.code, gone.err) == (
        1,
        "ctr: cannot access socket /run/containerd/containerd.sock: stat /run/containerd/containerd.sock: no such file or directory\n",
    )
