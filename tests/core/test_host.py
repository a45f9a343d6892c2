"""The host layer: files with a shared base, processes, units, commands."""

from __future__ import annotations

import errno

import msgspec
import pytest

from simulator.core.host import executor, files, processes, systemd
from simulator.core.host.filesystem import FileSystem, Inode
from simulator.core.host.machine import Host, hosts
from simulator.core.host.program import Sleep, WaitTopic

from .host_world import Recorder, make_world, settle


def test_a_fresh_host_is_small_at_rest_and_reads_its_base() -> None:
    world = make_world()
    host = hosts(world)["controlplane"]
    assert len(msgspec.msgpack.encode(host)) < 4096
    assert host.fs.read("/etc/passwd").startswith(b"root:x:0:0")
    assert host.fs.lookup("/bin/ls").kind == "exec"
    assert host.fs.lookup("/usr/bin/kubectl").target == "kubectl"


def test_writing_copies_only_what_changes() -> None:
    world = make_world("a", "b")
    one, two = hosts(world)["a"], hosts(world)["b"]
    before = len(msgspec.msgpack.encode(one))
    one.fs.write("/etc/hosts.deny", b"x")
    one.fs.remove("/etc/issue")
    assert not two.fs.exists("/etc/hosts.deny") and two.fs.exists("/etc/issue")
    assert not one.fs.exists("/etc/issue")
    assert len(msgspec.msgpack.encode(one)) < before + 200


def test_snapshot_of_a_host_reads_back_the_same() -> None:
    world = make_world()
    host = hosts(world)["controlplane"]
    host.fs.write("/root/a/b", b"1", parents=True)
    host.fs.tree().link("/root/a/b", "/root/c")
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(host), type=Host)
    again.fs.write("/root/c", b"2")
    assert again.fs.read("/root/a/b") == b"2" and host.fs.read("/root/a/b") == b"1"


@pytest.mark.parametrize(
    ("call", "number"),
    [
        (lambda fs: fs.read("/none"), errno.ENOENT),
        (lambda fs: fs.read("/etc"), errno.EISDIR),
        (lambda fs: fs.read("/etc/passwd/x"), errno.ENOTDIR),
        (lambda fs: fs.mkdir("/etc"), errno.EEXIST),
        (lambda fs: fs.mkdir("/x/y"), errno.ENOENT),
        (lambda fs: fs.remove("/etc"), errno.ENOTEMPTY),
        (lambda fs: fs.write("/etc", b""), errno.EISDIR),
        (lambda fs: (fs.symlink("/loop", "/loop"), fs.read("/loop")), errno.ELOOP),
        (lambda fs: fs.rename("/etc", "/etc/apt/x"), errno.EINVAL),
    ],
)
def test_failures_are_those_of_the_system_calls(call: object, number: int) -> None:
    host = hosts(make_world())["controlplane"]
    with pytest.raises(OSError) as failed:
        call(host.fs)  # type: ignore[operator]
    assert failed.value.errno == number


def test_a_container_sees_mounts_and_its_writes_ring_the_host() -> None:
    world = make_world()
    host = hosts(world)["controlplane"]
    root = FileSystem(
        Inode("dir", 0o755, children={}), mounts={"/data": ("host", "/var/data"), "/etc/hosts": ("host", "/etc/hosts")}
    )
    root.mkdir("/data")
    root.write("/etc/hosts", b"", parents=True)
    host.fs.mkdir("/var/data")
    host.filesystems["c1"] = root
    seen: list[str] = []
    world.warm["on_ring"] = seen.append
    files.write_file(world, host, "/data/x", b"hello", mnt="c1")
    assert host.fs.read("/var/data/x") == b"hello"
    assert files.tree(host, "c1").listdir("/data") == ["x"]
    assert b"localhost" in files.read_file(world, host, "/etc/hosts", mnt="c1")
    assert "file:controlplane:/var/data" in seen
    files.write_file(world, host, "/own", b"1", mnt="c1")
    assert not host.fs.exists("/own")


def test_killing_a_daemon_drops_its_timers_sockets_and_tells_watchers() -> None:
    world = make_world()
    told: list[object] = []
    world.tables["programs"]["rec"] = Recorder()
    world.tables["dispatch"]["told"] = lambda w, rest, payload: told.append(payload)
    proc = processes.start(
        world, host="controlplane", program="rec:1.2", argv=["rec", "--port", "80"], sink="journal:rec.service"
    )
    processes.watch_exit(world, proc, "told:x", "mine")
    assert processes.kill(world, proc, 9) == 137
    settle(world, 3)
    assert told == [["mine", proc.pid, 137]]
    host = hosts(world)["controlplane"]
    assert [line.text for line in host.journal] == ["started rec", "signal 9"]
    assert host.processes == {}
    late: list[object] = []
    world.tables["dispatch"]["told"] = lambda w, rest, payload: late.append(payload)
    processes.watch_exit(world, proc, "told:x", None)
    settle(world)
    assert late == [[None, proc.pid, 137]]


def test_commands_wait_for_time_topics_and_children() -> None:
    world = make_world()

    def nap(inv):
        yield Sleep(2_000_000_000)
        rang = yield WaitTopic(("bell",), inv.world.now + 5_000_000_000)
        inv.out(f"{inv.argv[1]} {rang}\n")
        return 3

    def outer(inv):
        code, out, _ = yield from inv.capture(["nap", "in"])
        inv.out(b"got " + out)
        return code + 1

    world.tables["commands"].update(nap=nap, outer=outer)
    hosts(world)["controlplane"].fs.install("/usr/bin/nap", "nap")
    hosts(world)["controlplane"].fs.install("/usr/bin/outer", "outer")
    ran = executor.run_in(world, "controlplane", ["outer"])
    settle(world, 3)
    assert not ran.done and not executor.get(world).idle()
    world.ring("bell")
    settle(world, 1)
    assert ran.done and ran.proc.exit_code == 4 and ran.stdout == b"got in True\n"
    assert executor.get(world).idle()


def test_what_cannot_run_says_so() -> None:
    world = make_world()
    fs = hosts(world)["controlplane"].fs
    fs.write("/root/plain", b"hi")
    for argv, code, text in (
        (["nonesuch"], 127, "No such file or directory"),
        (["/root/plain"], 126, "Permission denied"),
        (["kubectl"], 127, "kubectl: not simulated in Slipway yet"),
    ):
        ran = executor.run_in(world, "controlplane", argv)
        assert ran.done and ran.proc.exit_code == code
        assert text in ran.stderr.decode()


UNIT = """[Unit]
Description=A recorder
[Service]
EnvironmentFile=-/etc/default/rec
ExecStart=/usr/bin/rec --port 81 $EXTRA
Restart=always
RestartSec=10
[Install]
WantedBy=multi-user.target
"""


def test_a_unit_starts_restarts_after_its_delay_and_stays_down_when_stopped() -> None:
    world = make_world()
    world.tables["programs"]["rec"] = Recorder()
    host = hosts(world)["controlplane"]
    host.fs.install("/usr/bin/rec", "rec")
    host.fs.write("/usr/lib/systemd/system/rec.service", UNIT.encode())
    host.fs.write("/etc/default/rec", b'EXTRA="--a --b"\n', parents=True)
    host.fs.symlink("/usr/lib/systemd/system/rec.service", "/etc/systemd/system/multi-user.target.wants/rec.service")
    systemd.boot(world, host)
    first = processes.by_program(world, "controlplane", "rec")[0]
    assert first.argv == ["/usr/bin/rec", "--port", "81", "--a", "--b"]
    processes.kill(world, first, 9)
    settle(world, 9)
    assert host.units["rec.service"].sub == "auto-restart"
    settle(world, 2)
    assert host.units["rec.service"].active == "active" and host.units["rec.service"].restarts == 1
    systemd.stop_unit(world, host, "rec")
    settle(world, 30)
    assert processes.by_program(world, "controlplane", "rec") == []
    assert host.units["rec.service"].active == "inactive"


def test_a_unit_that_cannot_start_keeps_failing_as_systemd_does() -> None:
    world = make_world()
    world.tables["programs"]["rec"] = Recorder()
    host = hosts(world)["controlplane"]
    host.fs.install("/usr/bin/rec", "rec")
    host.fs.write(
        "/etc/systemd/system/bad.service", b"[Service]\nExecStart=/usr/bin/rec --fail 1\nRestart=on-failure\nRestartSec=100ms\n"
    )
    systemd.start_unit(world, host, "bad")
    settle(world, 5)
    status = host.units["bad.service"]
    assert (status.active, status.restarts) == ("failed", 5)
    assert any("Start request repeated too quickly" in line.text for line in host.journal)
