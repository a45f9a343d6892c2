"""Jobs: waiting in the foreground, running in the background, stopping and going on (jobs.c).

An interactive shell puts each job in a process group of its own (`Jobs.group`); its terminal sends Ctrl-C and Ctrl-Z there.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ..host import pidspace, processes, streams
from ..host.process import Process
from ..host.program import Wait, WaitTopic
from .control import Interrupted
from .redirect import Redirections
from .state import Job
from .syntax import AndOr

STOPPED = 148
SIGNAL_TEXT = {1: "Hangup", 3: "Quit", 6: "Aborted", 9: "Killed", 11: "Segmentation fault", 14: "Alarm clock", 15: "Terminated"}


class Jobs(Redirections):
    """Job control for the interpreter."""

    interrupted = False
    #: The jobs of the shell that this subshell was made by: `jobs` shows them, nothing else sees them.
    inherited: list[Job] = []
    #: Host and process group of the foreground job.
    group: tuple[str, int] | None = None

    def foreground(self, procs: list[Process], text: str) -> Generator[Wait, Any, list[int]]:
        """Wait for a foreground job; its members' statuses."""
        if self.interactive and procs:
            self.group = (procs[0].host, procs[0].pgid)
        codes: list[int] = []
        try:
            for proc in procs:
                code = yield from self.executor.wait(proc)
                codes.append(code)
        finally:
            self.group = None
        if self.interactive and any(proc.state == "T" for proc in procs):
            job = self.add_job(procs, text, "Stopped")
            self.err(f"\n[{job.number}]+  Stopped                 {job.text}\n")
            return [STOPPED] * len(codes)
        if self.interactive and codes:
            self._after_signal(codes[-1])
        return codes

    def _after_signal(self, code: int) -> None:
        if code == 130:
            self.err("\n")
            raise Interrupted
        if code > 128 and code - 128 in SIGNAL_TEXT:
            self.err(SIGNAL_TEXT[code - 128] + "\n")

    def add_job(self, procs: list[Process], text: str, state: str) -> Job:
        """Enter a job in the table."""
        number = max((job.number for job in self.state.jobs), default=0) + 1
        job = Job(number, [proc.pid for proc in procs], text, state)
        self.state.jobs.append(job)
        return job

    def background(self, item: AndOr) -> Generator[Wait, Any, int]:
        """`list &`."""
        fds = dict(self.fds)
        if not self.interactive:
            fds[0] = streams.Null()
        simple = item.first.commands[0] if not item.rest and len(item.first.commands) == 1 else None
        proc = yield from self.start_background(item, simple, fds)
        self.state.last_background = proc.pid
        job = self.add_job([proc], item.text, "Running")
        if self.interactive:
            self.err(f"[{job.number}] {pidspace.number(self.host, self.proc, proc.pid)}\n")
        return 0

    def start_background(self, item: AndOr, simple: Any, fds: dict[int, streams.Stream]) -> Generator[Wait, Any, Process]:
        """Start the process of a background job (provided by the interpreter)."""
        raise NotImplementedError

    # -- the table ------------------------------------------------------------------------------------------------------
    def job_processes(self, job: Job) -> list[Process]:
        """Those of a job's processes that still live."""
        found = (processes.find(self.world, self.host.name, pid) for pid in job.pids)
        return [proc for proc in found if proc is not None]

    def job_code(self, job: Job) -> int:
        """The exit status of a job that has ended."""
        return processes.table(self.world).codes.get(f"{self.host.name}/{job.pids[-1]}", 0)

    def refresh(self, job: Job) -> str:
        """The present state of a job in words."""
        alive = self.job_processes(job)
        if alive:
            job.state = "Stopped" if any(proc.state == "T" for proc in alive) else "Running"
            return job.state
        code = self.job_code(job)
        if code == 0:
            return "Done"
        return SIGNAL_TEXT.get(code - 128, f"Exit {code}") if code > 128 else f"Exit {code}"

    def mark(self, job: Job) -> str:
        """`+` for the current job, `-` for the one before."""
        order = [other.number for other in self.state.jobs or self.inherited]
        return "+" if order[-1:] == [job.number] else "-" if order[-2:-1] == [job.number] else " "

    def job_line(self, job: Job, state: str, *, pid: bool = False) -> str:
        """A line of `jobs`."""
        text = job.text + (" &" if state == "Running" else "")
        number = f" {pidspace.number(self.host, self.proc, job.pids[0]):5d} " if pid else "  "
        return f"[{job.number}]{self.mark(job)}{number}{state:<24}{text}\n"

    def reap(self, *, report: bool) -> None:
        """Drop jobs that have ended, saying so when interactive."""
        for job in list(self.state.jobs):
            state = self.refresh(job)
            if state not in ("Running", "Stopped"):
                if report:
                    self.err(self.job_line(job, state))
                self.state.jobs.remove(job)

    def find_job(self, spec: str) -> Job | None:
        """The job that `%1`, `%+`, `%-`, `%text` or `%?text` names."""
        jobs = self.state.jobs
        text = spec[1:] if spec.startswith("%") else spec
        if text in ("", "+", "%"):
            return jobs[-1] if jobs else None
        if text == "-":
            return jobs[-2] if len(jobs) > 1 else (jobs[-1] if jobs else None)
        if text.isdigit():
            return next((job for job in jobs if job.number == int(text)), None)
        if text.startswith("?"):
            return next((job for job in jobs if text[1:] in job.text), None)
        return next((job for job in jobs if job.text.startswith(text)), None)

    def wait_job(self, job: Job) -> Generator[Wait, Any, int]:
        """Wait for a background job to end."""
        for proc in self.job_processes(job):
            while processes.alive(self.world, proc) and proc.state != "T":
                yield WaitTopic((f"exit:{proc.key}",))
                if self.interrupted:
                    self.interrupted = False
                    raise Interrupted
        return self.job_code(job)

    def resume(self, job: Job, *, foreground: bool) -> Generator[Wait, Any, int]:
        """`fg` or `bg`."""
        procs = self.job_processes(job)
        if foreground:
            self.out(job.text + "\n")
            self.state.jobs.remove(job)
        else:
            job.state = "Running"
            self.out(f"[{job.number}]{self.mark(job)} {job.text} &\n")
            self.state.jobs.append(job) if job not in self.state.jobs else None
        for proc in procs:
            processes.kill(self.world, proc, 18)
        if not foreground:
            return 0
        if not procs:
            return self.job_code(job)
        codes = yield from self.foreground(procs, job.text)
        return codes[-1]
