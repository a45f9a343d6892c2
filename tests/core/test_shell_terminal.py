"""The terminal: lines, keys, jobs, state at the prompt, budgets, completion."""

from __future__ import annotations

import msgspec
import pytest

from simulator.core.host import executor, processes
from simulator.core.host.machine import Host, hosts
from simulator.core.kernel.errors import BadInput
from simulator.core.kernel.world import World
from simulator.core.shell import completion, runner, terminal
from simulator.core.shell.coreutils.table import COMMANDS
from simulator.core.shell.terminal import Terminal, Terminals, drain

from .host_world import Recorder, make_world, settle


def shell_world(*names: str) -> World:
    """Hosts with the commands of a Linux box."""
    world = make_world(*names)
    world.tables["commands"].update(COMMANDS)
    world.tables["tty"] = terminal.show
    return world


class Screen:
    """A terminal and what it has shown."""

    def __init__(self, world: World, name: str = "t1") -> None:
        self.world = world
        self.terminal = Terminal.open(world, name, "controlplane")
        settle(world, 0.1)
        drain(world)

    def type(self, *lines: str, wait: float = 0.4) -> str:
        """Enter lines (`^ctrl-c` is a key), let time pass, return what was shown without the echo."""
        for line in lines:
            if line.startswith("^ctrl-"):
                self.terminal.key(line[1:])
            else:
                self.terminal.feed_line(line)
            settle(self.world, wait)
        return "".join(chunk.data for chunk in drain(self.world) if chunk.fd)


def test_the_prompt_is_killercodas_and_follows_the_directory() -> None:
    screen = Screen(shell_world())
    assert screen.terminal.prompt() == "controlplane:~$ "
    screen.type("cd /etc/apt")
    assert screen.terminal.prompt() == "controlplane:/etc/apt$ "


def test_state_lives_between_lines_and_in_a_snapshot() -> None:
    world = shell_world()
    screen = Screen(world)
    screen.type("x=5; f() { echo \"<$x $1>\"; }; alias hi='echo hello'; cd /tmp")
    assert executor.get(world).idle()
    stored = msgspec.msgpack.encode((world.sections["terminals"], world.sections["hosts"]))
    state, machines = msgspec.msgpack.decode(stored, type=tuple[Terminals, dict[str, Host]])
    again = shell_world()
    again.sections["terminals"], again.sections["hosts"] = state, machines
    other = Terminal(again, "t1")
    drain(again)
    other.feed_line("f a; hi; pwd; history | tail -2")
    settle(again)
    shown = "".join(chunk.data for chunk in drain(again) if chunk.fd)
    assert shown.startswith("<5 a>\nhello\n/tmp\n") and "    2  f a; hi; pwd; history | tail -2" in shown


def test_an_unfinished_text_asks_for_more() -> None:
    screen = Screen(shell_world())
    assert screen.type("for i in 1 2") == "" and screen.terminal.prompt() == "> "
    assert screen.terminal.view().continuation
    assert screen.type("do echo $i", "done") == "1\n2\n"
    assert screen.type("cat <<E", "a", "E") == "a\n"
    assert screen.type("echo 'open", "^ctrl-c", "echo ok") == "ok\n"


def test_control_c_ends_a_program_and_the_whole_line() -> None:
    world = shell_world()
    screen = Screen(world)
    screen.type("sleep 100; echo not")
    assert screen.terminal.view().busy
    assert "not" not in screen.type("^ctrl-c")
    assert not screen.terminal.view().busy and executor.get(world).idle()
    assert screen.type("echo $?") == "130\n"
    screen.type("while true; do sleep 1; done")
    screen.type("^ctrl-c")
    assert screen.type("echo back") == "back\n"
    screen.type("for ((;;)); do :; done")
    screen.type("^ctrl-c")
    assert screen.type("echo again") == "again\n"


def test_jobs_stop_go_on_and_end() -> None:
    screen = Screen(shell_world())
    assert screen.type("sleep 5 &").startswith("[1] ")
    assert screen.type("sleep 50", "^ctrl-z") == "\n[2]+  Stopped                 sleep 50\n"
    listed = screen.type("jobs")
    assert "[1]-  Running                 sleep 5 &\n" in listed and "[2]+  Stopped" in listed
    assert screen.type("bg") == "[2]+ sleep 50 &\n"
    settle(screen.world, 6)
    assert "[1]-  Done                    sleep 5\n" in screen.type("true")
    assert screen.type("fg") == "sleep 50\n" and screen.terminal.view().busy
    screen.type("^ctrl-c")
    assert screen.type("kill %9") == "bash: kill: %9: no such job\n"


def test_a_program_reads_lines_and_control_d_ends_its_input() -> None:
    screen = Screen(shell_world())
    assert screen.type("cat", "hello") == "hello\n"
    screen.type("^ctrl-d")
    assert not screen.terminal.view().busy
    assert screen.type("read name", "Ada", 'echo "hi $name"') == "hi Ada\n"


def test_nested_shells_and_exit() -> None:
    world = shell_world()
    screen = Screen(world)
    screen.type("bash", "x=inner")
    assert screen.terminal.prompt() == "controlplane:~$ "
    screen.type("sleep 30")
    screen.type("^ctrl-c")
    assert screen.type("echo $x $SHLVL") == "inner 2\n"
    screen.type("exit")
    assert screen.type("echo [$x] $SHLVL") == "[] 1\n"
    screen.type("exit")
    assert screen.terminal.view().closed
    assert screen.type("echo fresh") == "fresh\n"


def test_history_expansion() -> None:
    screen = Screen(shell_world())
    screen.type("echo one two")
    assert screen.type("!!") == "echo one two\none two\n"
    assert screen.type("echo !$") == "echo two\ntwo\n"
    assert screen.type("!nosuch") == "bash: !nosuch: event not found\n"
    assert screen.type("echo '!!'") == "!!\n"


def test_history_expansion_leaves_here_documents_comments_and_the_shells_own_marks_alone() -> None:
    screen = Screen(shell_world())
    assert screen.type("cat <<'EOF' > /tmp/x.sh", "#!/usr/bin/env bash", "greet() { echo Hi!there; }; greet", "EOF") == ""
    assert screen.type("bash /tmp/x.sh # is it !nosuch") == "Hi!there\n"
    assert screen.type("declare -A a=([k]=v); echo ${!a[@]} it's!nosuch'") == "k its!nosuch\n"
    assert screen.type("sleep 0 & wait $!;", "echo \"it's\" '!nosuch'").endswith("it's !nosuch\n")
    assert screen.type('echo "!nosuch"') == "bash: !nosuch: event not found\n"


def test_a_daemon_in_the_foreground_and_in_the_background() -> None:
    world = shell_world()
    world.tables["programs"]["rec"] = Recorder()
    hosts(world)["controlplane"].fs.install("/root/rec", "rec")
    screen = Screen(world)
    assert "started ./rec" in screen.type("./rec --port 99")
    assert screen.terminal.view().busy
    assert "signal 2" in screen.type("^ctrl-c")
    screen.type("./rec --port 98 > /tmp/log 2>&1 &")
    assert executor.get(world).idle(), "a daemon in the background does not keep a world from being stored"
    assert "started" in screen.type("cat /tmp/log")
    screen.type("kill %1")
    assert processes.by_program(world, "controlplane", "rec") == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("f() { f; }; f", "maximum function nesting level"),
        ('x="eval \\$x"; eval $x', "nested more than"),
        ("echo {1..1000000}", "more than 20000 words"),
        (":(){ :|:& };:", "Resource temporarily unavailable"),
        ("cat /dev/zero", "output"),
        ("yes", "output"),
        ("awk 'BEGIN{while(1) i++}'", "too many steps"),
        ("echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa | grep -E '(a*)*b'", "too complex"),
        ("echo a | sed ':x;bx'", "too many steps"),
        ("((x=1<<99999)); printf '%999999999d' 1", "too large"),
        ("$(" * 200, "nested too deeply"),
    ],
)
def test_runaway_lines_end_and_leave_the_shell_alive(line: str, says: str) -> None:
    screen = Screen(shell_world())
    shown = screen.type(line, wait=30)
    screen.type("^ctrl-c", wait=5)
    assert says in shown
    assert "alive\n" in screen.type("echo alive", wait=2)


def test_a_loop_without_end_meets_the_budget_of_a_script() -> None:
    world = shell_world()
    result = runner.run(world, "while true; do :; done")
    assert result.code != 0 and "stopped after" in result.stderr
    late = runner.run(world, "sleep 1000", limit=10_000_000_000)
    assert late.code == 124 and executor.get(world).idle()


def test_wrong_input_is_refused() -> None:
    world = shell_world()
    screen = Screen(world)
    with pytest.raises(BadInput):
        screen.terminal.feed_line("x" * 100_000)
    with pytest.raises(BadInput):
        screen.terminal.key("ctrl-x")
    with pytest.raises(BadInput):
        Terminal(world, "none")


def test_completion_of_commands_paths_and_variables() -> None:
    world = shell_world()
    screen = Screen(world)
    screen.type("mkdir -p /root/dir; touch /root/'a b' /root/abc; MYVAR=1")
    before = msgspec.msgpack.encode(world.sections["terminals"])
    assert completion.complete(world, "t1", "whoa", 4) == (0, 4, ["whoami"])
    assert completion.complete(world, "t1", "cat a", 5) == (4, 5, ["a\\ b", "abc"])
    assert completion.complete(world, "t1", "cd d", 4) == (3, 4, ["dir/"])
    assert completion.complete(world, "t1", "echo $MYV", 9) == (5, 9, ["$MYVAR"])
    assert completion.complete(world, "t1", "ls | gre", 8)[2] == ["grep"]
    assert msgspec.msgpack.encode(world.sections["terminals"]) == before


def test_two_replays_are_alike() -> None:
    def play() -> tuple[list[object], str]:
        world = shell_world()
        screen = Screen(world)
        shown = screen.type(
            "echo $RANDOM; for i in 3 1 2; do echo $i; done | sort", "mktemp", "ps aux | wc -l", "sleep 1 & wait; date"
        )
        return [shown, world.now, world.timer_seq], shown

    assert play() == play()


def test_files_written_by_a_shell_ring_their_directory() -> None:
    world = shell_world()
    seen: list[str] = []
    executor.get(world)
    inner = world.warm["on_ring"]

    def heard(topic: str) -> None:
        seen.append(topic)
        inner(topic)

    world.warm["on_ring"] = heard
    runner.run(
        world,
        "mkdir -p /etc/kubernetes/manifests; echo x > /etc/kubernetes/manifests/p.yaml; mv /etc/kubernetes/manifests/p.yaml /tmp/",
    )
    assert "file:controlplane:/etc/kubernetes/manifests" in seen and "file:controlplane:/tmp" in seen


def test_a_release_is_downloaded_unpacked_and_names_its_version() -> None:
    world = shell_world()
    url = "https://github.com/etcd-io/etcd/releases/download/v3.4.23/etcd-v3.4.23-linux-amd64.tar.gz"
    assert runner.run(world, f"curl -s {url} | wc -c").stdout == "0\n", "without -L there is only a redirection"
    result = runner.run(world, f"curl -sL {url} -o e.tgz && tar xzf e.tgz && ls etcd-v3.4.23-linux-amd64")
    assert result.stdout.split() == ["Documentation", "README-etcdctl.md", "README.md", "etcd", "etcdctl"]
    assert hosts(world)["controlplane"].fs.lookup("/root/etcd-v3.4.23-linux-amd64/etcd").target == "etcd:3.4.23"
    refused = runner.run(world, "curl http://localhost")
    assert (refused.code, refused.stdout) == (7, "")
    assert refused.stderr == "curl: (7) Failed to connect to localhost port 80 after 0 ms: Couldn't connect to server\n"


def test_executables_agree_with_what_can_run() -> None:
    world = shell_world()
    fs = hosts(world)["controlplane"].fs
    from simulator.core.host.base import COMMANDS as BASE
    from simulator.core.shell.coreutils.table import COMMANDS as TABLE

    for name in TABLE:
        assert fs.lookup(f"/usr/bin/{name}").target == name, f"{name} can run but is in no directory"
    for name in BASE:
        shown = runner.run(world, f"command -v {name}").stdout
        assert shown.strip(), name
    unknown = runner.run(world, "podman ps; frobnicate")
    assert (
        unknown.stderr == "podman: not simulated in Slipway yet\nbash: line 1: frobnicate: command not found\n"
        and unknown.code == 127
    )


@pytest.mark.parametrize(
    ("line", "shown", "code"),
    [
        ("ls --dired", "ls: option '--dired': not simulated in Slipway yet\n", 1),
        ("sort --files0-from=x", "sort: option '--files0-from': not simulated in Slipway yet\n", 1),
        ("date --debug", "date: option '--debug': not simulated in Slipway yet\n", 1),
        ("cut -Q x", "cut: invalid option -- 'Q'\nTry 'cut --help' for more information.\n", 1),
        ("uniq --nothing", "uniq: unrecognized option '--nothing'\nTry 'uniq --help' for more information.\n", 1),
    ],
)
def test_a_real_option_that_is_missing_here_says_so(line: str, shown: str, code: int) -> None:
    found = runner.run(shell_world(), line)
    assert (found.stderr, found.code) == (shown, code)
