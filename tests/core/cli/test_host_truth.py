"""What a machine does by itself: units that systemd has read, timers and cron, a reboot; and tools that move files, between machines too."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.serialization import load_ssh_private_key, load_ssh_public_key

from simulator.core.host import calendar
from simulator.core.kernel.clock import SECOND
from simulator.core.sandbox import Sandbox


@pytest.fixture(scope="module")
def image() -> bytes:
    return Sandbox.boot("three-nodes", 1).snapshot()


@pytest.fixture
def box(image: bytes) -> Sandbox:
    return Sandbox.restore(image)


def _later(box: Sandbox, seconds: int) -> None:
    box.advance(box.now + seconds * SECOND)


def test_a_changed_unit_counts_after_daemon_reload_alone(box: Sandbox) -> None:
    box.run("printf '[Service]\\nExecStart=/bin/sleep 1000\\n' > /etc/systemd/system/nap.service; systemctl start nap")
    box.run("sed -i s/1000/2000/ /etc/systemd/system/nap.service")
    again = box.run("systemctl restart nap; ps -C sleep -o args=; systemctl show nap -p NeedDaemonReload --value")
    assert "changed on disk" in again.stderr
    assert again.stdout == "/bin/sleep 1000\nyes\n"
    assert "sleep 2000" in box.run("systemctl cat nap").stdout
    assert box.run("systemctl daemon-reload; systemctl restart nap; ps -C sleep -o args=").stdout == "/bin/sleep 2000\n"
    assert box.run("systemctl cat nap").stderr == ""


def test_what_systemd_has_read_is_in_a_snapshot(box: Sandbox) -> None:
    box.run("printf '[Service]\\nRestartSec=1\\n' > /usr/lib/systemd/system/kubelet.service.d/20-x.conf")
    again = Sandbox.restore(box.snapshot())
    assert again.run("systemctl show kubelet -p RestartUSec --value").stdout == "10s\n"
    assert again.run("systemctl daemon-reload; systemctl show kubelet -p RestartUSec --value").stdout == "1s\n"


def test_timers_and_crontabs_run_by_virtual_time(box: Sandbox) -> None:
    box.run(
        "printf '[Service]\\nType=oneshot\\nExecStart=/bin/sh -c \"echo t >> /tmp/log\"\\n' > /etc/systemd/system/job.service"
    )
    box.run("printf '[Timer]\\nOnCalendar=*:0/1\\n[Install]\\nWantedBy=timers.target\\n' > /etc/systemd/system/job.timer")
    box.run("systemctl enable --now job.timer; echo '*/2 * * * * echo c >> /tmp/log' | crontab -")
    box = Sandbox.restore(box.snapshot())
    _later(box, 240)
    assert box.run("sort /tmp/log | uniq -c | xargs").stdout == "2 c 4 t\n"
    assert "job.timer job.service" in box.run("systemctl list-timers").stdout
    assert "CMD (echo c >> /tmp/log)" in box.run("journalctl -t CRON").stdout
    box.run("systemctl stop job.timer; crontab -r")
    _later(box, 240)
    assert box.run("wc -l < /tmp/log").stdout == "6\n"
    assert box.run("echo '99 * * * * x' | crontab -").stderr.startswith('"-":1:bad minute')


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("*:0/15", "2026-11-02 09:15:00"),
        ("daily", "2026-11-03 00:00:00"),
        ("Fri 10:30", "2026-11-06 10:30:00"),
        ("*-02-29 00:00:00", "2028-02-29 00:00:00"),
    ],
)
def test_calendar_events(text: str, wanted: str) -> None:
    begin = int(datetime(2026, 11, 2, 9, 0, 30, tzinfo=UTC).timestamp()) * SECOND
    found = calendar.event(text).after(begin)
    assert found is not None
    assert datetime.fromtimestamp(found // SECOND, UTC).strftime("%Y-%m-%d %H:%M:%S") == wanted


def test_a_rebooted_node_comes_back_with_its_units_and_pods(box: Sandbox) -> None:
    before = box.run("cat /etc/machine-id; systemctl show kubelet -p MainPID --value", host="node01").stdout
    assert box.run("ssh node01 sudo reboot").code in (0, 255)
    _later(box, 5)
    assert box.run("ssh node01 true").stderr == "ssh: connect to host node01 port 22: No route to host\n"
    _later(box, 60)
    after = box.run(
        "cat /etc/machine-id; systemctl show kubelet -p MainPID --value; systemctl is-active kubelet", host="node01"
    ).stdout
    assert after.splitlines()[0] == before.splitlines()[0]
    assert after.splitlines()[1] != before.splitlines()[1]
    assert after.splitlines()[2] == "active"
    assert box.run("kubectl get node node01 --no-headers").stdout.split()[1] == "Ready"
    assert "Shutdown scheduled" in box.run("shutdown -h +5", host="node01").stderr
    assert box.run("shutdown -c; uptime", host="node01").code == 0


def test_files_travel_between_machines(box: Sandbox) -> None:
    box.run("mkdir -p /tmp/a/b; echo one > /tmp/a/x; echo two > /tmp/a/b/y; chmod 600 /tmp/a/x")
    assert box.run("scp -q /tmp/a/x node01:/tmp/ && ssh node01 cat /tmp/x").stdout == "one\n"
    assert box.run("scp -rq /tmp/a root@node02:/tmp/copy; ssh node02 cat /tmp/copy/b/y").stdout == "two\n"
    assert box.run("scp -q node02:/tmp/nothing /tmp").stderr == "scp: /tmp/nothing: No such file or directory\n"
    first = box.run("rsync -av /tmp/a/ node01:/tmp/c/").stdout.splitlines()
    assert first[:5] == ["sending incremental file list", "./", "x", "b/", "b/y"] or {"x", "b/", "b/y"} <= set(first)
    assert box.run("ssh node01 stat -c %a /tmp/c/x").stdout == "600\n"
    second = box.run("touch /tmp/a/new; rsync -av --delete --exclude=b /tmp/a/ node01:/tmp/c/").stdout.splitlines()
    assert second[1:3] == ["new", ""]
    box.run("rm /tmp/a/x; rsync -a --delete /tmp/a/ node01:/tmp/c/")
    assert box.run("ssh node01 ls /tmp/c").stdout.split() == ["b", "new"]
    assert box.run("scp -q /tmp/a/new nohost:/tmp").code == 255


def test_keys_are_openssh_keys(box: Sandbox) -> None:
    box.run("ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519 -C me")
    private, public = (box.run(f"cat ~/.ssh/id_ed25519{end}").stdout for end in ("", ".pub"))
    key = load_ssh_private_key(private.encode(), None)
    there = load_ssh_public_key(public.encode())
    assert key.public_key() == there
    assert box.run("ssh-copy-id node01 >/dev/null 2>&1; ssh node01 cat .ssh/authorized_keys").stdout == public


def test_dd_patch_and_chroot(box: Sandbox) -> None:
    assert box.run("dd if=/dev/zero of=/tmp/z bs=1M count=3").stderr.splitlines()[:2] == ["3+0 records in", "3+0 records out"]
    assert box.run("dd if=/dev/zero of=/tmp/big bs=1G count=4 status=none; stat -c %s /tmp/big").stdout == f"{4 << 30}\n"
    assert "No space left on device" in box.run("dd if=/dev/zero of=/tmp/full bs=1M; rm /tmp/full").stderr
    assert box.run("printf abcdef | dd bs=1 skip=2 count=3 status=none").stdout == "cde"
    box.run("seq 1 20 > /tmp/o; sed 's/^5$/five/; $a end' /tmp/o > /tmp/n; diff -u /tmp/o /tmp/n > /tmp/p; seq 0 20 > /tmp/o")
    shifted = box.run("patch /tmp/o < /tmp/p; sed -n '6p;$p' /tmp/o")
    assert "offset 1 line" in shifted.stdout
    assert shifted.stdout.endswith("five\nend\n")
    assert "Only garbage" in box.run("echo hi | patch /tmp/o").stderr
    assert box.run("patch -R /tmp/o < /tmp/p >/dev/null; diff <(seq 0 20) /tmp/o").code == 0
    sizes = box.run(
        "truncate -s 2G /tmp/g; truncate -s 5 /tmp/s; truncate -s +3 /tmp/s; stat -c %s /tmp/g /tmp/s; truncate -s 100T /tmp/t"
    )
    assert (sizes.stdout, sizes.code) == (f"{2 << 30}\n8\n", 1)
    box.run("mkdir -p /tmp/r/bin; cp /bin/ls /bin/pwd /tmp/r/bin")
    assert box.run("chroot /tmp/r /bin/ls /").stdout == "bin\n"
    assert box.run("chroot /tmp/r bash").code == 127


def test_proc_agrees_with_the_process_table(box: Sandbox) -> None:
    assert box.run("cat /proc/$(pidof kubelet)/cgroup").stdout == "0::/system.slice/kubelet.service\n"
    assert box.run("tr '\\0' ' ' < /proc/$(pidof etcd)/cmdline").stdout.startswith("etcd --advertise-client-urls")
    assert box.run("grep -E '^(Name|PPid)' /proc/$(pidof kubelet)/status").stdout == "Name:\tkubelet\nPPid:\t1\n"
    assert box.run("ps -p 1 -o comm=; cat /proc/1/comm").stdout == "systemd\nsystemd\n"
    pid = box.run("pgrep coredns | head -1").stdout.strip()
    own = box.run(f"readlink /proc/{pid}/ns/net").stdout.strip()
    assert own != box.run("readlink /proc/self/ns/net").stdout.strip()
    assert own[5:-1] in box.run("lsns -t net").stdout
    assert "eth0" in box.run(f"nsenter -t {pid} -n ip -br addr").stdout
    assert box.run("cat /proc/99999/status").stderr == "cat: /proc/99999/status: No such file or directory\n"
