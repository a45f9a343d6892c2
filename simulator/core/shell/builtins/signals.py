"""Signal numbers and names of Linux on x86-64."""

from __future__ import annotations

SIGNAL_NAMES: dict[int, str] = dict(
    enumerate(
        "EXIT HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU "
        "XFSZ VTALRM PROF WINCH IO PWR SYS".split()
    )
)
# 32 and 33 are the C library's own
SIGNAL_NAMES.update({34 + n: f"RTMIN{f'+{n}' if n else ''}" for n in range(16)})
SIGNAL_NAMES.update({64 - n: f"RTMAX{f'-{n}' if n else ''}" for n in range(15)})
SIGNAL_NUMBERS: dict[str, int] = {name: n for n, name in SIGNAL_NAMES.items()}


def number(text: str) -> int | None:
    """The number of a signal given as `9`, `KILL` or `SIGKILL`."""
    if text.isdigit():
        return int(text) if int(text) < 65 else None
    name = text.upper()
    return SIGNAL_NUMBERS.get(name[3:] if name.startswith("SIG") else name)


def table() -> str:
    """What `kill -l` and `trap -l` print: five in a row."""
    names = [(n, name) for n, name in sorted(SIGNAL_NAMES.items()) if n]
    return "".join(f"{n:2}) SIG{name}" + ("\n" if at % 5 == 0 else "\t") for at, (n, name) in enumerate(names, 1)) + "\n"
