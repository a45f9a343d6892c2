"""`bash` and `sh` as commands, and how a login shell's state begins."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ..host import users
from ..host.executor import DEFAULT_PATH
from ..host.files import tree
from ..host.invocation import Call
from ..host.machine import Host
from ..kernel.world import World
from .control import Exit
from .shell import Shell
from .state import ShellState


def login_state(world: World, host: Host, user: str, *, mnt: str = "host") -> ShellState:
    """The state of a fresh login shell before its start-up files."""
    files = tree(host, mnt)
    home = users.home_of(files, user)
    state = ShellState(cwd=home if files.isdir(home) else "/", started=world.now)
    for name, value in {
        "HOME": home,
        "LANG": "C.UTF-8",
        "LOGNAME": user,
        "MAIL": f"/var/mail/{user}",
        "PATH": DEFAULT_PATH,
        "PWD": state.cwd,
        "SHELL": "/bin/bash",
        "SHLVL": "1",
        "TERM": "xterm-256color",
        "USER": user,
    }.items():
        state.export(name, value)
    state.set("PS2", "> ")
    state.set("PS4", "+ ")
    state.set("IFS", " \t\n")
    state.set("HOSTNAME", host.name)
    state.set("BASH", "/usr/bin/bash")
    state.set("BASH_VERSION", "5.2.21(1)-release")
    state.set("OPTIND", "1")
    state.set("HISTSIZE", "1000")
    state.set("OSTYPE", "linux-gnu")
    state.set("HOSTTYPE", "x86_64")
    state.set("MACHTYPE", "x86_64-pc-linux-gnu")
    return state


def child_state(call: Call) -> ShellState:
    """The state of a shell that another process starts: what is in its environment."""
    state = ShellState(cwd=call.proc.cwd, started=call.world.now)
    for name, value in call.env.items():
        if name.replace("_", "a").isalnum() and not name[0].isdigit():
            state.export(name, value)
    state.export("PWD", call.proc.cwd)
    state.set("PS4", "+ ")
    state.set("IFS", " \t\n")
    level = call.env.get("SHLVL", "0")
    state.export("SHLVL", str(int(level) + 1 if level.isdigit() else 1))
    if "PATH" not in state.vars:
        state.set("PATH", DEFAULT_PATH)
    state.set("HOSTNAME", call.host.name)
    state.set("BASH", "/usr/bin/bash")
    state.set("BASH_VERSION", "5.2.21(1)-release")
    state.set("OPTIND", "1")
    state.set("OSTYPE", "linux-gnu")
    state.set("HOSTTYPE", "x86_64")
    state.set("MACHTYPE", "x86_64-pc-linux-gnu")
    state.set("OPTERR", "1")
    if call.proc.mnt != "host" and "PS1" not in state.vars:
        state.set("PS1", _container_prompt(call))
    return state


def _container_prompt(call: Call) -> str:
    """What the shell of an image prompts with: ash, dash, or Debian's bash."""
    if tree(call.host, call.proc.mnt).exists("/bin/ash"):
        return "\\w # "
    return "# " if call.argv[0].rsplit("/", 1)[-1] in ("sh", "dash") else "\\u@\\h:\\w\\$ "


def bash(call: Call) -> Generator[Any, Any, int]:
    """`bash [-c text [name args]] [-eux] [-i] [-l] [script [args]]`; without a script it reads standard input."""
    state = child_state(call)
    args = call.argv[1:]
    text: str | None = None
    force = from_input = False
    while args and args[0][:1] in "-+" and len(args[0]) > 1:
        word = args.pop(0)
        if word == "--":
            break
        if word.startswith("--"):
            if word == "--version":
                call.out(
                    "GNU bash, version 5.2.21(1)-release (x86_64-pc-linux-gnu)\nCopyright (C) 2022 Free Software Foundation, Inc.\n"
                )
                return 0
            continue
        from .builtins.basic import OPTIONS

        for letter in word[1:]:
            if letter == "c":
                text = ""
            elif letter == "s":
                from_input = True
            elif letter == "i":
                force = True
            elif letter == "o" and args:
                state.options[args.pop(0)] = word[0] == "-"
            elif letter in OPTIONS:
                state.options[OPTIONS[letter]] = word[0] == "-"
    if args[:1] == ["-"]:  # ends the options: `curl … | sh -`
        args.pop(0)
    state.name = call.argv[0].rpartition("/")[2].lstrip("-")
    shell = Shell(call.executor, call.task, state)
    shell.last_argument = state.get("_") or "/usr/bin/bash"
    if text is not None:
        if not args:
            call.err(f"{state.name}: -c: option requires an argument\n")
            return 2
        text = args.pop(0)
        if args:
            state.name, state.positional = args[0], args[1:]
        shell.from_argument = True
        return (yield from shell.run_main(text))
    if args and not from_input:
        return (yield from _script(shell, args))
    state.positional = args
    if call.stdin_tty or force:
        return (yield from interactive(shell))
    data = yield from call.read()
    return (yield from shell.run_main(data.decode("utf-8", "surrogateescape")))


def _script(shell: Shell, args: list[str]) -> Generator[Any, Any, int]:
    try:
        if shell.isdir(args[0]):
            shell.err(f"{args[0]}: {args[0]}: Is a directory\n")
            return 126
        data = shell.read_file(args[0])
    except OSError as failed:
        shell.err(f"{shell.state.name}: {args[0]}: {failed.strerror}\n")
        return 127 if failed.errno == 2 else 126
    if data.startswith(b"\x7fELF"):
        shell.err(f"{args[0]}: {args[0]}: cannot execute binary file\n")
        return 126
    shell.state.name, shell.state.positional = args[0], args[1:]
    shell.sources, shell.call_lines = [args[0]], [0]
    return (yield from shell.run_main(data.decode("utf-8", "surrogateescape")))


def interactive(shell: Shell) -> Generator[Any, Any, int]:
    """A shell at a terminal that is not its login shell (bash in bash, ssh, kubectl exec -it)."""
    from .session import Session

    shell.interactive = True
    session = Session(shell)
    yield from session.start_files(login=shell.proc.argv[0].startswith("-"))
    try:
        yield from session.read_lines()
    except Exit as ended:
        return ended.code
    return shell.state.status
