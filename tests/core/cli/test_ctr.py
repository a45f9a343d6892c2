"""ctr: the seed's commands, its strict names, tasks and errors."""

from __future__ import annotations

import json

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
    running = box.run("ctr tasks ls").out
    assert box.run("ctr tasks kill -s SIGKILL redis").code == 0
    box.wait(1)
    assert box.run("ctr tasks ls").out == running.replace("RUNNING", "STOPPED")  # the shim keeps the process's number
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
    assert box.run("ctr images export a b").err == 'ctr: image "b": not found\n'


def test_an_exported_image_is_an_oci_layout_and_can_be_imported_again(box: Box) -> None:
    name = "docker.io/library/busybox:latest"
    box.run(f"ctr images pull {name}")
    assert box.run(f"ctr images export /b.tar {name}").code == 0
    listed = box.run("tar tf /b.tar").out
    assert "index.json\n" in listed and "oci-layout\n" in listed
    index = json.loads(box.run("tar xOf /b.tar index.json").out)
    digest = index["manifests"][0]["digest"]
    assert json.loads(box.run(f"ctr content get {digest}").out)["manifests"][1]["platform"] == {
        "architecture": "amd64",
        "os": "linux",
    }
    box.run(f"ctr images rm {name}")
    assert box.run("ctr images ls -q").out == ""
    assert f"{name}        " in box.run("ctr images import /b.tar").out
    assert box.run("ctr images ls -q").out == f"{name}\n"
    box.run("mkdir /mnt/i")
    assert box.run(f"ctr images mount {name} /mnt/i").out.endswith("/mnt/i\n")
    assert "bin\n" in box.run("ls /mnt/i").out and "View" in box.run("ctr snapshots ls").out
    box.run("ctr images unmount --rm /mnt/i")
    assert box.run("ls /mnt/i").out == ""


def test_tasks_can_be_paused_and_their_state_is_runcs_too(box: Box) -> None:
    box.run("ctr images pull docker.io/library/busybox:latest")
    box.run("ctr run -d docker.io/library/busybox:latest box sleep 1000")
    box.run("ctr tasks pause box")
    assert "PAUSED" in box.run("ctr tasks ls").out
    assert json.loads(box.run("/usr/sbin/runc --root /run/containerd/runc/default state box").out)["status"] == "paused"
    box.run("ctr tasks resume box")
    assert "running" in box.run("/usr/sbin/runc --root /run/containerd/runc/default list").out
    spec = json.loads(box.run("ctr containers info --spec box").out)
    assert spec["process"]["args"] == ["sleep", "1000"] and spec["linux"]["cgroupsPath"] == "/default/box"
    assert box.run("ctr oci spec").out.startswith('{\n    "ociVersion": "1.2.1",\n')


def test_a_stopped_daemon(box: Box) -> None:
    processes.kill(box.world, box.containerd, 15)
    gone = box.run("ctr images ls")
    assert (gone.code, gone.err) == (
        1,
        "ctr: cannot access socket /run/containerd/containerd.sock: stat /run/containerd/containerd.sock: no such file or directory\n",
    )
