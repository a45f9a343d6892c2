"""Commands about processes and time: sleep, timeout, time, watch, nohup, ps, kill, pgrep, pkill, top, uptime, free, df, du, sudo, su."""

from __future__ import annotations

import posixpath
import re
import textwrap

from ...host import processes, sudoers, users
from ...host.executor import DEFAULT_PATH, resolve
from ...host.invocation import Call
from ...host.process import Process
from ...host.program import Sleep, WaitTopic
from ...kernel.clock import SECOND, to_datetime
from .. import known
from ..builtins.signals import SIGNAL_NAMES, number
from ..fields import shell_quote
from .common import Code, name_of, parse, usage
from .ps import _command, comm, pid_of, table_of

SCALE = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text: str) -> float | None:
    """A duration such as `1.5`, `10s`, `2m`, `infinity`."""
    match = re.fullmatch(r"(\d*\.?\d+)([smhd]?)", text)
    if match:
        return float(match.group(1)) * SCALE[match.group(2)]
    return 10.0**9 if text in ("inf", "infinity") else None


def sleep(call: Call) -> Code:
    """`sleep numbers`."""
    if len(call.argv) < 2:
        raise usage(call, "missing operand")
    total = 0.0
    _, words = parse(call, "")
    for word in words:
        value = seconds(word)
        if value is None:
            raise usage(call, f"invalid time interval ‘{word}’")
        total += value
    yield Sleep(int(total * SECOND))
    return 0


def _found(call: Call, name: str, who: str) -> int:
    """127 or 126 with a message when a command cannot be run, else 0."""
    try:
        resolve(call.host, call.proc.mnt, name, cwd=call.cwd, path=call.env.get("PATH", DEFAULT_PATH), user=call.proc.user)
        return 0
    except OSError as failed:
        if name in known.KNOWN:
            call.err(f"{name}: not simulated in Slipway yet\n")
        else:
            call.err(f"{who}: {failed.strerror}\n")
        return 127 if failed.errno == 2 else 126


def timeout(call: Call) -> Code:
    """`timeout [-s signal] [-k after] seconds command`."""
    options, rest = parse(call, "s:k:v", "signal=s kill-after=k preserve-status foreground verbose:v", code=125, permute=False)
    if len(rest) < 2:
        call.err("Try 'timeout --help' for more information.\n")
        return 125
    limit = seconds(rest[0])
    if limit is None:
        raise usage(call, f"invalid time interval ‘{rest[0]}’", 125)
    signal = number(options.get("s", "15")) or 15
    code = _found(call, rest[1], f"timeout: failed to run command ‘{rest[1]}’")
    if code:
        return code
    child = call.executor.spawn_like(call.proc, rest[1:], call.fds)
    deadline = call.world.now + int(limit * SECOND)
    try:
        while processes.alive(call.world, child):
            if limit and call.world.now >= deadline:
                processes.kill(call.world, child, signal)
                if processes.alive(call.world, child):
                    yield Sleep(int((seconds(options.get("k", "")) or 5) * SECOND))
                    processes.kill(call.world, child, 9)
                return child.exit_code if "preserve-status" in options else 137 if signal == 9 else 124
            yield WaitTopic((f"exit:{child.key}",), deadline if limit else None)
        return child.exit_code
    finally:
        if processes.alive(call.world, child):
            processes.kill(call.world, child, 9)


def nohup(call: Call) -> Code:
    """`nohup command`."""
    if len(call.argv) < 2:
        raise usage(call, "missing operand", 125)
    code = _found(call, call.argv[1], f"nohup: failed to run command '{call.argv[1]}'")
    if code:
        return code
    fds = dict(call.fds)
    if call.stdout_tty:
        from ...host.streams import FileStream

        call.write_file("nohup.out", b"", append=True)
        call.err("nohup: ignoring input and appending output to 'nohup.out'\n")
        fds[1] = FileStream(call.world, call.host, call.proc.mnt, call.path("nohup.out"), append=True)
    if 2 in fds and fds[2].tty:
        fds[2] = fds[1]
    child = call.executor.spawn_like(call.proc, call.argv[1:], fds)
    return (yield from call.executor.wait(child))


def time_(call: Call) -> Code:
    """`/usr/bin/time command`."""
    _, rest = parse(call, "pv", permute=False)
    start = call.world.now
    code = yield from call.run(rest)
    elapsed = (call.world.now - start) / SECOND
    call.err(f"real {elapsed:.2f}\nuser 0.00\nsys 0.00\n")
    return code


def watch(call: Call) -> Code:
    """`watch [-n seconds] [-t] command`: until Ctrl-C."""
    options, rest = parse(call, "n:tdgce", "interval=n no-title:t differences:d", permute=False)
    if not rest:
        call.err("Usage:\n watch [options] command\n")
        return 1
    every = max(seconds(options.get("n", "2")) or 2.0, 0.1)  # procps: no faster than ten times a second
    text = " ".join(rest)
    while True:
        _, out, err = yield from call.capture(["bash", "-c", text])
        screen = (out + err).decode("utf-8", "replace")
        head = ""
        if "t" not in options:
            stamp = to_datetime(call.world.wall)
            right = f"{call.host.name}: {stamp:%a %b} {stamp.day:2d} {stamp:%H:%M:%S %Y}"
            left = f"Every {every:.1f}s: {text}"
            head = left + " " * max(call.columns - len(left) - len(right), 1) + right + "\n\n"
        call.out("\x1b[H\x1b[2J" + head + screen)
        yield Sleep(int(every * SECOND))


def _privileges(call: Call) -> int:
    """`sudo -l [-U user] [command]`."""
    options, rest = parse(call, "lU:nu:k", "list:l other-user=U non-interactive:n user=u", permute=False)
    user, host = options.get("U", call.proc.user), call.host.name
    policy = _policy(call)
    if rest:
        try:
            path = resolve(call.host, call.proc.mnt, rest[0], cwd=call.cwd, path=SECURE_PATH)[0]
        except OSError:
            call.err(f"sudo: {rest[0]}: command not found\n")
            return 1
        if not sudoers.may_run(policy, call.tree, user, host, options.get("u", "root"), path, rest[1:]):
            return 1
        call.out(" ".join([path, *rest[1:]]) + "\n")
        return 0
    grants = sudoers.grants_of(policy, call.tree, user, host)
    if not grants:
        call.err(f"Sorry, user {user} may not run sudo on {host}.\n") if user == call.proc.user else call.out(
            f"User {user} is not allowed to run sudo on {host}.\n"
        )
        return 1
    shown = ", ".join(
        re.sub(r'="([^"]*)"', lambda found: "=" + found.group(1).replace(":", "\\:"), one) for one in policy.defaults
    )
    if shown:
        call.out(f"Matching Defaults entries for {user} on {host}:\n")
        call.out(
            "\n".join(textwrap.wrap(shown, 79, initial_indent="    ", subsequent_indent="    ", break_long_words=False)) + "\n\n"
        )
    call.out(f"User {user} may run the following commands on {host}:\n")
    call.out("".join(f"    {sudoers.listing(one)}\n" for one in grants))
    return 0


SECURE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin"


def _policy(call: Call) -> sudoers.Policy:
    """The machine's sudoers; lines that cannot be read are told and passed over."""
    policy = sudoers.read(call.tree)
    for problem in policy.problems:
        call.err(sudoers.shown_problem(problem))
    return policy


def _refused(call: Call, policy: sudoers.Policy, user: str, path: str, args: list[str]) -> bool:
    """Whether sudo's policy refuses a command, having said so."""
    own, host = call.proc.user, call.host.name
    if sudoers.may_run(policy, call.tree, own, host, user, path, args):
        return False
    if not sudoers.grants_of(policy, call.tree, own, host):
        call.err(f"{own} is not in the sudoers file.\nThis incident has been reported to the administrator.\n")
    else:
        call.err(f"Sorry, user {own} is not allowed to execute '{' '.join([path, *args])}' as {user} on {host}.\n")
    return True


def sudo(call: Call) -> Code:
    """`sudo [-u user] [-i|-s] command`: as the sudoers files allow; no password is asked for."""
    if any(word in ("-l", "--list", "-U") for word in call.argv[1:3]):
        return _privileges(call)
    options, rest = parse(call, "u:isEHnSkvg:", "user=u login:i shell:s preserve-env:E", permute=False)
    user = options.get("u", "root")
    env = dict(call.env)
    while rest and re.match(r"\w+=", rest[0]):
        name, _, value = rest.pop(0).partition("=")
        env[name] = value
    if users.passwd(call.tree, user) is None and user != "root":
        call.err(f"sudo: unknown user {user}\nsudo: error initializing audit plugin sudoers_audit\n")
        return 1
    policy = _policy(call)
    if not sudoers.grants_of(policy, call.tree, call.proc.user, call.host.name):
        _refused(call, policy, user, "", [])
        return 1
    if "v" in options or "k" in options:
        return 0
    if not rest:
        if "i" not in options and "s" not in options:
            call.err("usage: sudo -h | -K | -k | -V\nusage: sudo [-u user] [command [arg ...]]\n")
            return 1
        rest = ["-bash"] if "i" in options else ["bash"]
    elif "i" in options:
        rest = ["bash", "-l", "-c", " ".join(shell_quote(word) for word in rest)]
    env.update(HOME=users.home_of(call.tree, user), USER=user, LOGNAME=user, SUDO_USER=call.proc.user)
    cwd = users.home_of(call.tree, user) if "i" in options else call.cwd
    try:
        resolve(call.host, call.proc.mnt, rest[0].lstrip("-"), cwd=call.cwd, path=env.get("PATH", DEFAULT_PATH))
    except OSError:
        call.err(f"sudo: {rest[0]}: command not found\n")
        return 1
    found = resolve(call.host, call.proc.mnt, rest[0].lstrip("-"), cwd=call.cwd, path=env.get("PATH", DEFAULT_PATH))
    if _refused(call, policy, user, found[0], rest[1:]):
        return 1
    child = call.executor.spawn(
        call.host.name, rest, call.fds, found=found, user=user, cwd=cwd, env=env, mnt=call.proc.mnt, netns=call.proc.netns, ppid=call.proc.pid, tty=call.proc.tty, pgid=call.proc.pgid
    )  # fmt: skip
    return (yield from call.executor.wait(child))


def su(call: Call) -> Code:
    """`su [-] [user] [-c command]`."""
    options, rest = parse(call, "c:ls:mp", "command=c login:l shell=s preserve-environment:m", permute=True)
    login = "l" in options or "-" in rest
    rest = [word for word in rest if word != "-"]
    user = rest[0] if rest else "root"
    if users.passwd(call.tree, user) is None:
        call.err(f"su: user {user} does not exist or the user entry does not contain all the required fields\n")
        return 1
    if call.uid and user != call.proc.user:
        call.err("Password: su: Authentication failure\n")
        return 1
    row = users.passwd(call.tree, user) or []
    shell = row[6] if len(row) > 6 and row[6] else "/bin/bash"
    if shell.endswith(("nologin", "false")) and "s" not in options:
        call.err("This account is currently not available.\n")
        return 1
    name = posixpath.basename(options.get("s", shell))
    argv = [name, "-c", options["c"]] if "c" in options else [f"-{name}" if login else name]
    home = users.home_of(call.tree, user)
    env = dict(call.env) | {"HOME": home, "USER": user, "LOGNAME": user, "SHELL": shell}
    if login:
        env = {key: env[key] for key in ("HOME", "USER", "LOGNAME", "SHELL", "TERM", "LANG") if key in env} | {
            "PATH": DEFAULT_PATH
        }
    child = call.executor.spawn(
        call.host.name,
        argv,
        call.fds,
        user=user,
        cwd=home if login and call.isdir(home) else call.cwd,
        env=env,
        found=resolve(call.host, call.proc.mnt, argv[0].lstrip("-"), cwd="/", path=DEFAULT_PATH),
        ppid=call.proc.pid,
        tty=call.proc.tty,
        pgid=call.proc.pgid,
    )
    return (yield from call.executor.wait(child))


# -- processes ---------------------------------------------------------------------------------------------------------


def kill(call: Call) -> int:
    """`/bin/kill`."""
    from ..builtins.jobs import kill as builtin

    return int(builtin(_Quiet(call), call.argv))


class _Quiet:
    """A command where a builtin expects a shell: no jobs, plain messages."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def __getattr__(self, name: str) -> object:
        return getattr(self._call, name)

    def complain(self, text: str) -> None:
        """A message without the shell's prefix."""
        self._call.err(text + "\n")

    def find_job(self, spec: str) -> None:
        """There are none."""
        return


def _matching(call: Call, options: dict[str, str], pattern: str) -> list[Process]:
    from . import regexes

    test = regexes.compile_posix(pattern, extended=True, ignore_case="i" in options)
    found = []

    def users_of(key: str) -> set[str]:
        return {users.user_name(call.tree, int(one)) if one.isdigit() else one for one in options[key].split(",")}

    for proc in table_of(call):
        if proc.pid == call.proc.pid:
            continue
        if "P" in options and str(proc.ppid) not in options["P"].split(","):
            continue
        if "U" in options and proc.user not in users_of("U"):
            continue
        if "t" in options and proc.tty.removeprefix("/dev/") not in options["t"].split(","):
            continue
        text = _command(proc) if "f" in options else comm(proc)
        match = test.search(text)
        fits = match is not None and (match.group() == text or "x" not in options)
        fits = fits and ("u" not in options or proc.user in users_of("u"))
        if fits != ("v" in options):
            found.append(proc)
    found.sort(key=lambda proc: (proc.started, proc.pid))
    return found[-1:] if "n" in options else found[:1] if "o" in options else sorted(found, key=lambda proc: proc.pid)


def pgrep(call: Call) -> int:
    """`pgrep [-flxn] pattern`, `pidof`."""
    options, rest = parse(
        call,
        "flxincau:oP:U:t:vd:w",
        "full:f list-name:l exact:x count:c list-full:a delimiter=d inverse:v ignore-case:i newest:n oldest:o parent=P terminal=t euid=u uid=U lightweight:w",
        code=2,
    )
    if not rest and any(key in options for key in ("u", "U", "P", "t")):
        rest = [""]
    if not rest:
        call.err("pgrep: no matching criteria specified\nTry `pgrep --help' for more information.\n")
        return 2
    found = _matching(call, options, rest[0])
    if "c" in options:
        call.out(f"{len(found)}\n")
    elif "d" in options and found:
        call.out(options["d"].join(str(pid_of(call, proc)) for proc in found) + "\n")
    else:
        for proc in found:
            call.out(
                f"{pid_of(call, proc)} {_command(proc)}\n"
                if "a" in options
                else f"{pid_of(call, proc)} {comm(proc)}\n"
                if "l" in options
                else f"{pid_of(call, proc)}\n"
            )
    return int(not found)


def pkill(call: Call) -> int:
    """`pkill [-signal] [-f] pattern`, `killall name`."""
    from ..builtins.jobs import send

    signal = 15
    args = [call.argv[0]]
    for word in call.argv[1:]:
        named = number(word[1:]) if word.startswith("-") and not re.fullmatch("-[fxniuoPUte]", word) else None
        if named is not None:
            signal = named
        else:
            args.append(word)
    call.argv = args
    options, rest = parse(
        call,
        "fxnis:u:eqoP:U:t:vcI",
        "full:f exact:x signal=s echo:e ignore-case:i newest:n oldest:o parent=P terminal=t euid=u uid=U count:c inverse:v quiet:q wait:w",
        code=2,
    )
    if not rest and name_of(call) == "pkill" and any(key in options for key in ("u", "U", "P", "t")):
        rest = [""]
    if "s" in options:
        signal = number(options["s"]) or 15
    if not rest:
        call.err(f"{name_of(call)}: no matching criteria specified\nTry `{name_of(call)} --help' for more information.\n")
        return 2
    everybody = name_of(call) == "killall"
    found = [p for p in table_of(call) if comm(p) == rest[0]] if everybody else _matching(call, options, rest[0])
    if everybody and not found:
        call.err(f"{rest[0]}: no process found\n")
    for proc in found:
        if call.uid and users.uid_of(call.tree, proc.user) != call.uid:
            call.err(f"{name_of(call)}: killing pid {pid_of(call, proc)} failed: Operation not permitted\n")
            continue
        if "e" in options:
            call.out(f"{comm(proc)} killed (pid {pid_of(call, proc)})\n")
        send(call, proc, signal)
    if "c" in options and not everybody:
        call.out(f"{len(found)}\n")
    return int(not found)


__all__ = ["SIGNAL_NAMES"]
