"""Builtins of job control: jobs, fg, bg, wait, kill, disown."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...host import pidspace, processes, users
from ...host.program import WaitTopic
from ...runtime.programs import signals
from .signals import SIGNAL_NAMES, number, table


def _pids(shell: Any, job: Any) -> list[int]:
    """A job's processes by the numbers that the shell sees."""
    return [pidspace.number(shell.host, shell.proc, pid) for pid in job.pids]


def jobs(shell: Any, words: list[str]) -> int:
    """`jobs [-lpr]`."""
    for job in list(shell.state.jobs) or shell.inherited:
        state = shell.refresh(job)
        if ("-r" in words and state != "Running") or ("-s" in words and state != "Stopped"):
            continue
        if "-p" in words:
            shell.out(f"{pidspace.number(shell.host, shell.proc, job.pids[0])}\n")
            continue
        shell.out(shell.job_line(job, state, pid="-l" in words))
        if state not in ("Running", "Stopped") and job in shell.state.jobs:
            shell.state.jobs.remove(job)
    return 0


def _pick(shell: Any, words: list[str], name: str) -> Any:
    if not shell.interactive:
        shell.complain(f"{name}: no job control")
        return None
    spec = words[1] if len(words) > 1 else "%"
    job = shell.find_job(spec)
    if job is None:
        shell.complain(f"{name}: {'current' if len(words) == 1 else spec}: no such job")
    return job


def fg(shell: Any, words: list[str]) -> Generator[Any, Any, int]:
    """`fg [job]`."""
    job = _pick(shell, words, "fg")
    if job is None:
        return 1
    code: int = yield from shell.resume(job, foreground=True)
    return code


def bg(shell: Any, words: list[str]) -> Generator[Any, Any, int]:
    """`bg [job]`."""
    job = _pick(shell, words, "bg")
    if job is None:
        return 1
    if shell.refresh(job) != "Stopped":
        shell.complain(f"bg: job {job.number} already in background")
        return 0
    code: int = yield from shell.resume(job, foreground=False)
    return code


def disown(shell: Any, words: list[str]) -> int:
    """`disown [job]`."""
    args = [word for word in words[1:] if not word.startswith("-")]
    if "-a" in words[1:]:
        shell.state.jobs.clear()
    spec = args[0] if args else "%"
    job = shell.find_job(spec) or next(
        (one for one in shell.state.jobs if spec.isdigit() and int(spec) in _pids(shell, one)), None
    )
    if job is None and "-a" not in words[1:]:
        shell.complain(f"disown: {spec if args else 'current'}: no such job")
        return 1
    if job is not None and "-h" not in words[1:]:
        shell.state.jobs.remove(job)
    return 0


def _wait_any(shell: Any, args: list[str], target: str) -> Generator[Any, Any, int]:
    """`wait -n [-p name]`: the status of the next job that ends; its process's number is assigned to `target`."""
    wanted = [
        job
        for job in shell.state.jobs
        if not args or any(shell.find_job(arg) is job or arg in map(str, _pids(shell, job)) for arg in args)
    ]
    if not wanted:
        return 127
    while True:
        for job in wanted:
            if shell.refresh(job) not in ("Running", "Stopped"):
                shell.state.jobs.remove(job)
                if target:
                    shell.assign(target, str(_pids(shell, job)[-1]))
                return int(shell.job_code(job))
        yield WaitTopic(tuple(f"exit:{proc.key}" for job in wanted for proc in shell.job_processes(job)))


def wait(shell: Any, words: list[str]) -> Generator[Any, Any, int]:
    """`wait [-n [-p name]] [pids or jobs]`."""
    code: int
    args, target, at = [], "", 1
    while at < len(words):
        if words[at] == "-p" and at + 1 < len(words):
            at += 1
            target = words[at]
            shell.state.vars.pop(target, None)
        elif not words[at].startswith("-"):
            args.append(words[at])
        at += 1
    if "-n" in words:
        return (yield from _wait_any(shell, args, target))
    if not args:
        for job in list(shell.state.jobs):
            code = yield from shell.wait_job(job)
            if shell.refresh(job) not in ("Running", "Stopped"):
                if shell.interactive:
                    shell.err(shell.job_line(job, shell.refresh(job)))
                shell.state.jobs.remove(job)
        return 0
    code = 0
    for arg in args:
        if arg.startswith("%"):
            job = shell.find_job(arg)
            if job is None:
                shell.complain(f"wait: {arg}: no such job")
                code = 127
                continue
        elif not arg.isdigit():
            shell.complain(f"wait: `{arg}': not a pid or valid job spec")
            code = 1
            continue
        else:
            job = next((one for one in shell.state.jobs if int(arg) in _pids(shell, one)), None)
            if job is None:
                known = processes.table(shell.world).codes.get(
                    f"{shell.host.name}/{int(arg) + pidspace.base(shell.host, shell.proc)}"
                )
                if known is None or known < 0:
                    shell.complain(f"wait: pid {arg} is not a child of this shell")
                    code = 127
                else:
                    code = known
                continue
        code = yield from shell.wait_job(job)
        if job in shell.state.jobs:
            shell.state.jobs.remove(job)
    return code


def send(call: Any, proc: Any, signal: int) -> str:
    """Send a signal; the reason why not, or ""."""
    uid = call.uid
    if uid and users.uid_of(call.tree, proc.user) != uid:
        return "Operation not permitted"
    if pidspace.is_init(call.host, call.proc, proc) and (signal in (9, 19) or signals.delay(call.world, proc, signal) is None):
        if signal not in (0, 9, 19):
            signals.offer(call.world, proc, signal)
    elif signal:
        processes.kill(call.world, proc, signal)
    return ""


def kill(shell: Any, words: list[str]) -> int:
    """`kill [-signal] pids or jobs`, `kill -l`."""
    args = words[1:]
    if not args:
        shell.err("kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]\n")
        return 2
    signal = 15
    if args[0] in ("-l", "-L"):
        return _list(shell, args[1:])
    if args[0] in ("-s", "-n") and len(args) > 1:
        found = number(args[1])
        text, args = args[1], args[2:]
    elif args[0].startswith("-") and args[0] != "--" and len(args[0]) > 1:
        found, text, args = number(args[0][1:]), args[0][1:], args[1:]
    else:
        found, text = 15, ""
        args = args[1:] if args[0] == "--" else args
    if found is None:
        shell.complain(f"kill: {text}: invalid signal specification")
        return 1
    signal = found
    status = 0
    for arg in args:
        if arg.startswith("%"):
            job = shell.find_job(arg)
            if job is None:
                shell.complain(f"kill: {arg}: no such job")
                status = 1
                continue
            for proc in shell.job_processes(job):
                if proc.state == "T" and signal in (15, 1):
                    processes.kill(shell.world, proc, 18)
                send(shell, proc, signal)
            continue
        if not arg.lstrip("-").isdigit():
            shell.complain(f"kill: {arg}: arguments must be process or job IDs")
            status = 1
            continue
        proc = pidspace.find(shell.host, shell.proc, abs(int(arg)))
        if proc is None:
            shell.complain(f"kill: ({arg}) - No such process")
            status = 1
            continue
        why = send(shell, proc, signal)
        if why:
            shell.complain(f"kill: ({arg}) - {why}")
            status = 1
    return status


def _list(shell: Any, args: list[str]) -> int:
    if not args:
        shell.out(table())
        return 0
    for arg in args:
        if arg.isdigit():
            shell.out(SIGNAL_NAMES.get(int(arg) & 127, arg) + "\n")
        else:
            shell.out(f"{number(arg)}\n")
    return 0
