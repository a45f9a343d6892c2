"""Signal numbers and names of Linux on x86-64."""

from __future__ import annotations

SIGNAL_NAMES: dict[int, str] = dict(
    enumerate(
        "EXIT HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU "
        "XFSZ VTALRM PROF WINCH IO PWR SYS".split()
    )
)
SIGNAL_NUMBERS: dict[str, int] = {name: n for n, name in SIGNAL_NAMES.items()}


def number(text: str) -> int | None:
    """The number of a signal given as `9`, `KILL` or `SIGKILL`."""
    if text.isdigit():
        return int(text) if int(text) < 65 else None
    name = text.upper()
    return SIGNAL_NUMBERS.get(name[3:] if name.startswith("SIG") else name)
