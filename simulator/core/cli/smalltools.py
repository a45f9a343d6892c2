"""Small commands that scripts of labs call: envsubst, tput, stty, wall, colrm, nice, renice, gpasswd, findmnt, blkid and sshd's checks."""

from __future__ import annotations

import posixpath
import re

from ..host import procfs, users
from ..host.invocation import Call
from ..shell.coreutils.common import Code, parse
from . import accounts

ABSENT = "not simulated in Slipway yet"
#: What terminals of type xterm answer (terminfo): capabilities that scripts ask tput for.
_TPUT = {
    "bold": "\x1b[1m", "sgr0": "\x1b(B\x1b[m", "smul": "\x1b[4m", "rmul": "\x1b[24m", "rev": "\x1b[7m", "dim": "\x1b[2m", "blink": "\x1b[5m",
    "smso": "\x1b[7m", "rmso": "\x1b[27m", "clear": "\x1b[H\x1b[2J\x1b[3J", "el": "\x1b[K", "ed": "\x1b[J", "civis": "\x1b[?25l",
    "cnorm": "\x1b[?12l\x1b[?25h", "home": "\x1b[H", "smcup": "\x1b[?1049h", "rmcup": "\x1b[?1049l", "sc": "\x1b7", "rc": "\x1b8", "cuu1": "\x1b[A",
}  # fmt: skip


def envsubst(call: Call) -> Code:
    """`envsubst ['$A $B']`: variables of the environment in the standard input (gettext)."""
    words = [word for word in call.argv[1:] if not word.startswith("-")]
    named = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))")
    wanted = {a or b for a, b in named.findall(words[0])} if words else None
    if wanted is not None and call.argv[1] in ("-v", "--variables"):
        call.out("".join(f"{name}\n" for name in dict.fromkeys(a or b for a, b in named.findall(words[0]))))
        return 0
    text = (yield from call.read()).decode("utf-8", "surrogateescape")

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        return call.env.get(name, "") if wanted is None or name in wanted else match[0]

    call.out(named.sub(value, text).encode("utf-8", "surrogateescape"))
    return 0


def tput(call: Call) -> int:
    """`tput setaf N|bold|sgr0|cols|lines|cup …`: what a terminal's type answers."""
    words = call.argv[1:]
    if words[:1] == ["-T"]:
        words = words[2:]
    if not words:
        call.err("usage: tput [-V] [-S] [-T term] capname\n")
        return 2
    name, rest = words[0], words[1:]
    number = int(rest[0]) if rest and rest[0].isdigit() else 0
    if name == "cols":
        call.out(f"{call.columns}\n")
    elif name in ("lines", "colors"):
        call.out("24\n" if name == "lines" else "256\n")
    elif name in ("setaf", "setab"):
        base = 30 if name == "setaf" else 40
        call.out(f"\x1b[{base + number}m" if number < 8 else f"\x1b[{base + 8};5;{number}m")
    elif name == "cup":
        column = int(rest[1]) if len(rest) > 1 and rest[1].isdigit() else 0
        call.out(f"\x1b[{number + 1};{column + 1}H")
    elif name in ("reset", "init"):
        call.out("\x1bc" if name == "reset" else "")
    elif name in _TPUT:
        call.out(_TPUT[name])
    else:
        call.err(f"tput: unknown terminfo capability '{name}'\n")
        return 4
    return 0


#: All settings as `stty -g` tells them; nothing changes them.
_SETTINGS = "500:5:bf:8a3b:3:1c:7f:15:4:0:1:0:11:13:1a:0:12:f:17:16:0:0:0"


def stty(call: Call) -> int:
    """`stty`: the size and what is set; settings of the page's terminals are not simulated."""
    if not call.stdin_tty:
        call.err("stty: 'standard input': Inappropriate ioctl for device\n")
        return 1
    words = call.argv[1:]
    if words[:1] == ["size"]:
        call.out(f"24 {call.columns}\n")
    elif words[:1] == ["-g"]:
        call.out(_SETTINGS + "\n")
    elif words == [_SETTINGS]:
        return 0
    elif not words or words[0] in ("-a", "--all"):
        call.out(f"speed 38400 baud; rows 24; columns {call.columns}; line = 0;\n")
    else:
        call.err(f"stty {' '.join(words)}: {ABSENT}\n")
        return 1
    return 0


def wall(call: Call) -> Code:
    """`wall [message]`: to every terminal; here to the caller's."""
    words = [word for word in call.argv[1:] if not word.startswith("-")]
    text = " ".join(words)
    if not words:
        text = (yield from call.read()).decode("utf-8", "replace").rstrip("\n")
    elif call.exists(words[0]) and len(words) == 1:
        text = call.read_file(words[0]).decode("utf-8", "replace").rstrip("\n")
    call.out(f"\nBroadcast message from {call.proc.user}@{call.host.name} (somewhere):\n\n{text}\n\n")
    return 0


def colrm(call: Call) -> Code:
    """`colrm [first [last]]`: columns of the standard input removed."""
    numbers = [int(word) for word in call.argv[1:3] if word.isdigit()]
    for line in (yield from call.read()).decode("utf-8", "replace").split("\n")[:-1]:
        first = numbers[0] - 1 if numbers else len(line)
        kept = line[numbers[1] :] if len(numbers) > 1 else ""
        call.out(line[:first] + kept + "\n")
    return 0


def nice(call: Call) -> Code:
    """`nice [-n N] [command]`: the scheduler of the simulated machines knows no niceness; the command runs, and is told so."""
    options, rest = parse(call, "n:", "adjustment=n", permute=False)
    if not rest:
        call.out("0\n")
        return 0
    if "n" in options and not re.fullmatch(r"[+-]?\d+", options["n"]):
        call.err(f"nice: invalid adjustment ‘{options['n']}’\n")
        return 125
    call.err(f"nice: niceness is {ABSENT}; the command runs as any\n")
    return (yield from call.run(rest))


def renice(call: Call) -> int:
    """`renice [-n] N -p PID…`: a process that is not there is told, others keep their priority."""
    words = [word for word in call.argv[1:] if word not in ("-n", "-p", "--priority", "--pid")]
    if len(words) < 2 or not re.fullmatch(r"[+-]?\d+", words[0]):
        call.err("renice: bad usage\nTry 'renice --help' for more information.\n")
        return 1
    for word in words[1:]:
        if word.isdigit() and procfs.find(call.host, int(word)) is not None:
            call.err(f"renice: niceness is {ABSENT}; {word} keeps its priority\n")
        else:
            call.err(f"renice: failed to get priority for {word} (process ID): No such process\n")
    return 1


def gpasswd(call: Call) -> int:
    """`gpasswd -a USER GROUP`, `-d USER GROUP`, `-M USER,… GROUP`."""
    options, rest = parse(call, "a:d:M:A:rR", "add=a delete=d members=M")
    if not rest or not any(letter in options for letter in "adM"):
        call.err("Usage: gpasswd [option] GROUP\n")
        return 2
    group = rest[0]
    rows = accounts.rows(call, accounts.GROUP)
    row = next((one for one in rows if one[0] == group), None)
    if row is None:
        call.err(f"gpasswd: group '{group}' does not exist in /etc/group\n")
        return 3
    members = [member for member in row[3].split(",") if member]
    user = options.get("a") or options.get("d") or ""
    if "M" in options:
        members = [member for member in options["M"].split(",") if member]
    elif users.passwd(call.tree, user) is None:
        call.err(f"gpasswd: user '{user}' does not exist\n")
        return 3
    elif "a" in options:
        call.out(f"Adding user {user} to group {group}\n")
        members = members if user in members else [*members, user]
    else:
        call.out(f"Removing user {user} from group {group}\n")
        if user not in members:
            call.err(f"gpasswd: user '{user}' is not a member of '{group}'\n")
            return 3
        members.remove(user)
    row[3] = ",".join(members)
    accounts.save(call, accounts.GROUP, rows)
    return 0


def newgrp(call: Call) -> Code:
    """`newgrp [group]`: a shell with that group; in a script it takes the rest of its input."""
    words = [word for word in call.argv[1:] if not word.startswith("-")]
    if words and not any(row[0] == words[0] for row in accounts.rows(call, accounts.GROUP)):
        call.err(f"newgrp: group '{words[0]}' does not exist\n")
        return 1
    return (yield from call.run(["bash"]))


def findmnt(call: Call) -> Code:
    """`findmnt [-n] [-o COLUMNS] [-t TYPES] [-S SOURCE] [-T PATH] [target]`: the mounts as a table (util-linux)."""
    options, rest = parse(call, "no:lDT:t:S:", "noheadings=n output=o list=l df=D target=T types=t source=S", permute=True)
    if "D" in options:
        call.err(f"findmnt --df: {ABSENT}\n")
        return 1
    _, out, _ = yield from call.capture(["mount"])
    rows = []
    for line in out.decode("utf-8", "replace").splitlines():
        found = re.fullmatch(r"(\S+) on (\S+) type (\S+) \((.*)\)", line)
        if found and (not rest or rest[0] in (found[1], found[2])) and options.get("S", found[1]) == found[1]:
            rows.append((found[2], found[1], found[3], found[4]))
    if "t" in options:
        rows = [row for row in rows if row[2] in options["t"].split(",")]
    if "T" in options:  # the mount that a path is in
        path = posixpath.join(call.cwd, options["T"]).rstrip("/") + "/"
        rows = sorted((row for row in rows if path.startswith(row[0].rstrip("/") + "/")), key=lambda row: len(row[0]))[-1:]
    if not rows:
        return 1
    names = ("TARGET", "SOURCE", "FSTYPE", "OPTIONS")
    chosen = (
        [names.index(name.upper()) for name in options["o"].split(",") if name.upper() in names]
        if "o" in options
        else [0, 1, 2, 3]
    )
    table = [tuple(row[at] for at in chosen) for row in rows]
    if "n" not in options:
        table.insert(0, tuple(names[at] for at in chosen))
    widths = [max(len(row[at]) for row in table) for at in range(len(chosen))]
    for row in table:
        call.out(" ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")
    return 0


def sshd(call: Call) -> int:
    """`sshd -t` and `-T` of a configuration; the server itself is the unit ssh.service."""
    options, _ = parse(call, "tTf:C:D")
    path = options.get("f", "/etc/ssh/sshd_config")
    if not call.exists(path):
        call.err(f"{path}: No such file or directory\n")
        return 255
    found: dict[str, str] = {}
    for number, line in enumerate(call.read_file(path).decode("utf-8", "replace").splitlines(), 1):
        words = line.split("#")[0].split(None, 1)
        if not words or words[0].lower() in ("match", "include"):
            continue
        name = words[0].lower()
        if len(words) < 2:
            call.err(
                f'{path} line {number}: no argument after keyword "{words[0]}"\n{path}: terminating, 1 bad configuration options\n'
            )
            return 255
        if name not in _SSHD and name not in _SSHD_MORE:
            call.err(
                f"{path}: line {number}: Bad configuration option: {words[0]}\n{path}: terminating, 1 bad configuration options\n"
            )
            return 255
        found.setdefault(name, words[1].strip())
    if "T" in options:
        call.out(
            "".join(
                f"{name} {found.get(name, default)}\n"
                for name, default in (_SSHD | {n: v for n, v in found.items() if n not in _SSHD}).items()
            )
        )
    return 0


#: Settings that `sshd -T` prints, with OpenSSH's defaults.
_SSHD: dict[str, str] = {
    "port": "22", "addressfamily": "any", "logingracetime": "120", "maxauthtries": "6", "maxsessions": "10", "clientaliveinterval": "0",
    "clientalivecountmax": "3", "permitrootlogin": "without-password", "ignorerhosts": "yes", "pubkeyauthentication": "yes",
    "passwordauthentication": "yes", "kbdinteractiveauthentication": "no", "x11forwarding": "yes", "permittty": "yes", "printmotd": "no",
    "strictmodes": "yes", "tcpkeepalive": "yes", "permitemptypasswords": "no", "usedns": "no", "allowtcpforwarding": "yes",
    "allowagentforwarding": "yes", "gatewayports": "no", "loglevel": "INFO", "maxstartups": "10:30:100", "usepam": "yes", "banner": "none",
}  # fmt: skip
_SSHD_MORE = frozenset(
    """acceptenv allowgroups allowusers authenticationmethods authorizedkeysfile challengeresponseauthentication ciphers denygroups denyusers
    hostkey kexalgorithms listenaddress macs pidfile printlastlog protocol subsystem syslogfacility permituserenvironment compression
    hostkeyalgorithms hostbasedauthentication gssapiauthentication chrootdirectory forcecommand versionaddendum permittunnel
    authorizedkeyscommand authorizedkeyscommanduser trustedusercakeys revokedkeys rekeylimit x11displayoffset x11uselocalhost""".split()
)
