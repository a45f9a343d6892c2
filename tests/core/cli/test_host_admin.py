"""An administrator's commands: accounts, permissions, units, journal, kernel."""

from __future__ import annotations

import pytest

from simulator.core.sandbox import Sandbox


@pytest.fixture
def box() -> Sandbox:
    return Sandbox.boot("three-nodes", 5)


def test_accounts_groups_and_what_they_may_do(box: Sandbox) -> None:
    box.run("useradd -m -s /bin/bash -G sudo jane; useradd -m bob; mkdir -m 770 /srv/s; chgrp sudo /srv/s")
    assert box.run("id jane").stdout == "uid=1001(jane) gid=1001(jane) groups=1001(jane),27(sudo)\n"
    assert box.run("su - jane -c 'whoami; pwd; umask 077; touch f; stat -c %a f'").stdout == "jane\n/home/jane\n600\n"
    assert box.run("su jane -c 'touch /srv/s/f && sudo whoami'").stdout == "root\n"
    refused = box.run("su bob -c 'ls /srv/s; cat /root/.bashrc; sudo id; su root -c id'")
    assert refused.stdout == "" and "ls: cannot open directory '/srv/s': Permission denied" in refused.stderr
    assert "bob is not in the sudoers file." in refused.stderr and "Authentication failure" in refused.stderr
    assert box.run("useradd jane").stderr == "useradd: user 'jane' already exists\n"
    assert box.run("userdel -r jane; id jane; ls /home").stderr == "id: ‘jane’: no such user\n"
    assert "Permission denied" in box.run("sudo -u ubuntu useradd eve").stderr


def test_sudoers_files_decide(box: Sandbox) -> None:
    assert box.run("visudo -c").stdout == "/etc/sudoers: parsed OK\n/etc/sudoers.d/90-cloud-init-users: parsed OK\n"
    box.run(
        "useradd -m ann; printf 'Cmnd_Alias LOOK = /usr/bin/systemctl status *, /usr/bin/journalctl\\nann ALL=(root) NOPASSWD: LOOK, "
        "!/usr/bin/systemctl status kubelet\\n' > /etc/sudoers.d/ann"
    )
    found = box.run(
        "su ann -c 'sudo systemctl status containerd | head -1; sudo systemctl status kubelet; sudo id; sudo -u ubuntu id'"
    )
    assert found.stdout.startswith("● containerd.service")
    assert found.stderr.splitlines() == [
        f"Sorry, user ann is not allowed to execute '{what}' as {who} on controlplane."
        for what, who in (("/usr/bin/systemctl status kubelet", "root"), ("/usr/bin/id", "root"), ("/usr/bin/id", "ubuntu"))
    ]
    assert box.run("sudo -l -U ann").stdout.endswith(
        "    (root) NOPASSWD: LOOK\n    (root) NOPASSWD: !/usr/bin/systemctl status kubelet\n"
    )
    broken = box.run("echo 'not a rule' > /etc/sudoers.d/x; visudo -c; su ubuntu -c 'sudo whoami'")
    assert broken.code == 0 and broken.stdout.endswith("root\n") and "/etc/sudoers.d/x:1:11: syntax error" in broken.stderr


def test_sockets_and_what_exec_replaces(box: Sandbox) -> None:
    socket = "/run/containerd/containerd.sock"
    assert box.run(f"ls -l {socket} | cut -c1; stat -c %F {socket}; find /run -type s; [ -S {socket} ] && echo yes").stdout == (
        f"s\nsocket\n{socket}\nyes\n"
    )
    # a shell that has nothing left to do but one command becomes that command
    assert box.run("ps -o args | grep -c bash").stdout == box.run("ps -o args | grep -c 'bas[h]' ").stdout
    assert box.run("ps -e -o args | grep -c '^ps'; (ps -o args=); bash -c 'ps -o args='").stdout.split("\n")[0] == "1"
    assert box.run("ssh node01 'bash -c \"ps -e -o args=\" | tail -1'").stdout == "ps -e -o args=\n"


def test_masked_edited_and_stale_units(box: Sandbox) -> None:
    masked = box.run("systemctl mask kubelet; systemctl start kubelet; systemctl is-enabled kubelet; systemctl unmask kubelet")
    assert masked.stdout == "masked\n" and "Failed to start kubelet.service: Unit kubelet.service is masked." in masked.stderr
    box.run("sleep 2")
    box.run("echo '# changed' >> /usr/lib/systemd/system/kubelet.service")
    assert "Run 'systemctl daemon-reload' to reload units." in box.run("systemctl restart kubelet").stderr
    assert box.run("systemctl daemon-reload; systemctl restart kubelet").stderr == ""
    edited = box.run(
        "EDITOR='sed -i \"/^### Anything/a [Service]\\nRestartSec=3\"' systemctl edit kubelet; systemctl cat kubelet | tail -2"
    )
    assert edited.stdout == "[Service]\nRestartSec=3\n"
    assert "Successfully installed edited file '/etc/systemd/system/kubelet.service.d/override.conf'." in edited.stderr
    assert "canceled: temporary file is empty" in box.run("EDITOR=true systemctl edit containerd").stderr


def test_a_unit_is_killed_with_the_signal_that_was_named(box: Sandbox) -> None:
    """SIGKILL is a failure to `Restart=on-failure`, SIGTERM is not."""
    box.run(
        "printf '[Service]\\nExecStart=/bin/sleep 1d\\nRestart=on-failure\\n' > /etc/systemd/system/nap.service; systemctl daemon-reload"
    )
    for option in ("-s KILL", "--signal SIGKILL", "--signal=9"):
        box.run("systemctl start nap")
        first = box.run("systemctl show nap -p MainPID --value").stdout
        assert box.run(f"systemctl kill {option} nap; sleep 1; systemctl is-active nap").stdout == "active\n", option
        assert box.run("systemctl show nap -p MainPID --value").stdout != first, option
    assert box.run("systemctl kill nap; sleep 1; systemctl is-active nap").stdout == "inactive\n"
    assert box.run("systemctl kill -s NONSENSE nap").stderr == "Failed to parse signal string.\n"


def test_the_journal_by_level_time_and_kernel(box: Sandbox) -> None:
    levels = box.run("journalctl -u kubelet -p err --no-pager -o cat").stdout.splitlines()
    assert levels and all(line.startswith(("E", "F")) for line in levels)
    assert "kernel: Bridge firewalling registered" in box.run("journalctl -k").stdout
    assert box.run("journalctl --since nonsense").stderr == "Failed to parse timestamp: nonsense\n"
    assert box.run("journalctl -u kubelet --since tomorrow").stdout == "-- No entries --\n"
    assert box.run("journalctl -u kubelet -n1 -o json | jq -r ._SYSTEMD_UNIT").stdout == "kubelet.service\n"


def test_kernel_parameters_and_modules(box: Sandbox) -> None:
    assert box.run("sysctl -w net.ipv4.ip_forward=0; cat /proc/sys/net/ipv4/ip_forward").stdout == "net.ipv4.ip_forward = 0\n0\n"
    applied = box.run("echo 'net.ipv4.ip_forward = 1' > /etc/sysctl.d/k8s.conf; sysctl --system; sysctl -n net.ipv4.ip_forward")
    assert applied.stdout.endswith("net.ipv4.ip_forward = 1\n1\n")
    assert box.run("modprobe ip_vs && lsmod | grep -c ip_vs").stdout == "1\n"
    assert "FATAL: Module nosuch not found" in box.run("modprobe nosuch").stderr
    assert "kube-apis" in box.run("lsof -i :6443").stdout


def test_a_login_shell_says_logout(box: Sandbox) -> None:
    box.apply("line", {"terminal": "controlplane", "text": "exit"}, box.now)
    assert "logout\n" in "".join(chunk.data for chunk in box.drain() if chunk.fd == 2)
