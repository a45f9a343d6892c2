"""Small programs of Ubuntu's base that tutorials type: man, dircolors, locale and its makers, chage, groupmod, users, mountpoint, getconf,
unlink, zgrep, setsid, blkid, vmstat, apt-key and add-apt-repository.

`man` is the one of Ubuntu's minimized images, which cloud machines and containers have: it tells how the pages come back.
"""

from __future__ import annotations

import datetime
import posixpath
import re

from ..host.executor import Command
from ..host.invocation import Call
from ..host.program import Sleep
from ..host.virtual import used_memory
from ..kernel.clock import DAY, SECOND
from ..kernel.errors import NotSimulated
from ..shell.coreutils.common import Code, parse
from . import accounts
from .packages.keys import dearmor

#: What /usr/bin/man of a minimized image prints.
MINIMIZED = (
    "This system has been minimized by removing packages and content that are\nnot required on a system that users do not log into.\n\n"
    "To restore this content, including manpages, you can run the 'unminimize'\ncommand. You will still need to ensure the 'man-db' package is installed.\n"
)
#: GNU dircolors' kinds of files, and what compressed files and pictures end in.
_KINDS = (
    "rs=0:di=01;34:ln=01;36:mh=00:pi=40;33:so=01;35:do=01;35:bd=40;33;01:cd=40;33;01:or=40;31;01:mi=00:su=37;41:sg=30;43:ca=00:tw=30;42:"
    "ow=34;42:st=37;44:ex=01;32:"
)
_PACKED = "7z ace alz apk arc arj bz bz2 cab cpio crate deb dz ear egg esd gz jar lha lrz lz lz4 lzh lzma lzo rar rpm rz sar swm t7z tar taz tbz tbz2 tgz tlz txz tz tzo tzst udeb war whl wim xz z zip zoo zst"
_PICTURES = "avif jpg jpeg mjpg mjpeg gif bmp pbm pgm ppm tga xbm xpm tif tiff png svg svgz mng pcx mov mpg mpeg m2v mkv webm webp ogm mp4 m4v"
_CATEGORIES = "CTYPE NUMERIC TIME COLLATE MONETARY MESSAGES PAPER NAME ADDRESS TELEPHONE MEASUREMENT IDENTIFICATION".split()
_CONF = {
    "PAGESIZE": "4096", "PAGE_SIZE": "4096", "LONG_BIT": "64", "ARG_MAX": "2097152", "CLK_TCK": "100", "OPEN_MAX": "1024", "CHAR_BIT": "8",
    "NAME_MAX": "255", "PATH_MAX": "4096", "GNU_LIBC_VERSION": "glibc 2.39", "HOST_NAME_MAX": "64", "_POSIX_VERSION": "200809",
}  # fmt: skip


def man(call: Call) -> int:
    """`man`: a minimized system has no pages."""
    call.out(MINIMIZED)
    return 0


def dircolors(call: Call) -> int:
    """`dircolors [-b|-c]`: the commands that set LS_COLORS."""
    colours = (
        _KINDS + "".join(f"*.{end}=01;31:" for end in _PACKED.split()) + "".join(f"*.{end}=01;35:" for end in _PICTURES.split())
    )
    if call.argv[1:2] in (["-c"], ["--csh"], ["--c-shell"]):
        call.out(f"setenv LS_COLORS '{colours}'\n")
    elif call.argv[1:2] in (["-p"], ["--print-database"], ["--print-ls-colors"]):
        raise NotSimulated(f"dircolors {call.argv[1]}")
    else:
        call.out(f"LS_COLORS='{colours}';\nexport LS_COLORS\n")
    return 0


def locale(call: Call) -> int:
    """`locale [-a]`: what the variables say, or the locales that are there."""
    if call.argv[1:2] == ["-a"]:
        made = call.read_file("/etc/locale.gen").decode() if call.exists("/etc/locale.gen") else ""
        names = {"C", "C.utf8", "POSIX"} | {
            re.sub(r"UTF-8", "utf8", line.split()[0]) for line in made.splitlines() if line.strip() and line[0] != "#"
        }
        call.out("".join(f"{name}\n" for name in sorted(names)))
        return 0
    language, every = call.env.get("LANG", "C.UTF-8"), call.env.get("LC_ALL", "")
    call.out(f"LANG={language}\nLANGUAGE={call.env.get('LANGUAGE', '')}\n")
    for name in _CATEGORIES:
        own = call.env.get(f"LC_{name}", "")
        call.out(f"LC_{name}={own}\n" if own and not every else f'LC_{name}="{every or language}"\n')
    call.out(f"LC_ALL={every}\n")
    return 0


def locale_gen(call: Call) -> Code:
    """`locale-gen [names]`: make locales and keep them in /etc/locale.gen."""
    held = call.read_file("/etc/locale.gen").decode() if call.exists("/etc/locale.gen") else ""
    lines = [line for line in held.splitlines() if line.strip()]
    for name in (word for word in call.argv[1:] if not word.startswith("-")):
        line = f"{name} UTF-8" if name.upper().endswith(("UTF-8", "UTF8")) else f"{name}.UTF-8 UTF-8"
        if line not in lines:
            lines.append(line)
    call.write_file("/etc/locale.gen", "".join(f"{line}\n" for line in lines).encode())
    call.out("Generating locales (this might take a while)...\n")
    for line in lines:
        if not line.startswith("#"):
            call.out(f"  {line.split()[0]}...")
            yield Sleep(2 * SECOND)
            call.out(" done\n")
    call.out("Generation complete.\n")
    return 0


def update_locale(call: Call) -> int:
    """`update-locale NAME=value…`: /etc/default/locale."""
    path = "/etc/default/locale"
    held = dict(
        line.partition("=")[::2]
        for line in (call.read_file(path).decode() if call.exists(path) else "").splitlines()
        if "=" in line
    )
    for word in call.argv[1:]:
        name, equals, value = word.partition("=")
        if name.startswith("-"):
            continue
        if equals and value:
            held[name] = value
        else:
            held.pop(name, None)
    call.write_file(path, "".join(f"{name}={value}\n" for name, value in held.items()).encode())
    return 0


# -- accounts -------------------------------------------------------------------------------------------------------------
#: chage's options: letter → the field of /etc/shadow.
_AGES = {"d": 2, "m": 3, "M": 4, "W": 5, "I": 6, "E": 7}


def _day(text: str) -> str:
    """Days since 1970 of `2026-12-31` or of a number; "" for -1."""
    if text == "-1":
        return ""
    if text.isdigit():
        return text
    found = datetime.date.fromisoformat(text)
    return str((found - datetime.date(1970, 1, 1)).days)


def _date(text: str, more: int = 0) -> str:
    if not text or not text.lstrip("-").isdigit():
        return "never"
    return (datetime.date(1970, 1, 1) + datetime.timedelta(days=int(text) + more)).strftime("%b %d, %Y")


def chage(call: Call) -> int:
    """`chage [-l] [-d day] [-E date] [-I days] [-m days] [-M days] [-W days] user`: the ageing of a password in /etc/shadow."""
    options, names = parse(
        call, "ld:E:I:m:M:W:", "list:l lastday=d expiredate=E inactive=I mindays=m maxdays=M warndays=W", code=2
    )
    if len(names) != 1 or not options:
        call.err(
            "Usage: chage [options] LOGIN\n" if len(names) != 1 else "chage: interactive changes: not simulated in Slipway yet\n"
        )
        return 2 if len(names) != 1 else 1
    if not any(row[0] == names[0] for row in accounts.rows(call, accounts.PASSWD)):
        call.err(f"chage: user '{names[0]}' does not exist in /etc/passwd\n")
        return 1
    if call.uid and (set(options) != {"l"} or names[0] != call.proc.user):
        call.err("chage: Permission denied.\n")
        return 1
    people = accounts.rows(call, accounts.SHADOW)
    row = next((row for row in people if row[0] == names[0]), None)
    if row is None:
        row = [names[0], "!", str(call.world.wall // DAY), "0", "99999", "7", "", "", ""]
        people.append(row)
    row += [""] * (9 - len(row))
    if "l" in options:
        last, longest, idle = row[2], row[4], row[6]
        ends = "never" if not longest or int(longest) >= 10_000 or not last else _date(last, int(longest))
        if last == "0":
            last_said = ends = "password must be changed"
        else:
            last_said = _date(last)
        sleeps = "never" if ends in ("never",) or not idle else _date(last, int(longest) + int(idle)) if last != "0" else ends
        call.out(
            f"Last password change\t\t\t\t\t: {last_said}\nPassword expires\t\t\t\t\t: {ends}\nPassword inactive\t\t\t\t\t: {sleeps}\n"
            f"Account expires\t\t\t\t\t\t: {_date(row[7])}\nMinimum number of days between password change\t\t: {row[3] or 0}\n"
            f"Maximum number of days between password change\t\t: {longest or -1}\nNumber of days of warning before password expires\t: {row[5] or 7}\n"
        )
        return 0
    for letter, field in _AGES.items():
        if letter in options:
            try:
                row[field] = (
                    _day(options[letter]) if letter in "dE" else "" if options[letter] == "-1" else str(int(options[letter]))
                )
            except ValueError:
                what = "date" if letter in "dE" else "numeric argument"
                call.err(f"chage: invalid {what} '{options[letter]}'\n")
                return 2
    accounts.save(call, accounts.SHADOW, people)
    return 0


def groupmod(call: Call) -> int:
    """`groupmod [-n new-name] [-g gid] group`."""
    options, names = parse(call, "n:g:o", "new-name=n gid=g non-unique:o", code=2)
    if len(names) != 1:
        call.err("Usage: groupmod [options] GROUP\n")
        return 2
    groups = accounts.rows(call, accounts.GROUP)
    row = next((row for row in groups if row[0] == names[0]), None)
    if row is None:
        call.err(f"groupmod: group '{names[0]}' does not exist\n")
        return 6
    if call.uid:
        call.err("groupmod: Permission denied.\ngroupmod: cannot lock /etc/group; try again later.\n")
        return 10
    if "n" in options:
        if any(other[0] == options["n"] for other in groups):
            call.err(f"groupmod: group '{options['n']}' already exists\n")
            return 9
        row[0] = options["n"]
    if "g" in options:
        if not options["g"].isdigit():
            call.err(f"groupmod: invalid group ID '{options['g']}'\n")
            return 3
        if any(other[2] == options["g"] for other in groups if other is not row) and "o" not in options:
            call.err(f"groupmod: GID '{options['g']}' already exists\n")
            return 4
        old, row[2] = row[2], options["g"]
        people = accounts.rows(call, accounts.PASSWD)
        for person in people:
            if person[3] == old:
                person[3] = row[2]
        accounts.save(call, accounts.PASSWD, people)
    accounts.save(call, accounts.GROUP, groups)
    return 0


def users(call: Call) -> int:
    """`users`, `logname`: who is logged in."""
    call.out(f"{call.env.get('LOGNAME') or call.proc.user}\n")
    return 0


# -- files and the machine ------------------------------------------------------------------------------------------------
def mountpoint(call: Call) -> int:
    """`mountpoint [-q] path`."""
    options, names = parse(call, "qdx", "quiet:q fs-devno:d")
    if len(names) != 1:
        call.err("mountpoint: bad usage\nTry 'mountpoint --help' for more information.\n")
        return 1
    path = call.path(names[0])
    if not call.exists(path):
        if "q" not in options:
            call.err(f"mountpoint: {names[0]}: No such file or directory\n")
        return 1
    rows = call.read_file("/proc/mounts").decode().splitlines() if call.exists("/proc/mounts") else []
    there = path in {line.split()[1] for line in rows}
    if "q" not in options:
        call.out(f"{names[0]} is {'' if there else 'not '}a mountpoint\n")
    return 0 if there else 32


def getconf(call: Call) -> int:
    """`getconf NAME`."""
    names = [word for word in call.argv[1:] if not word.startswith("-")]
    if not names:
        call.err("Usage: getconf [-v SPEC] VAR\n  or:  getconf [-v SPEC] PATH_VAR PATH\n")
        return 2
    if names[0] in ("_NPROCESSORS_ONLN", "NPROCESSORS_ONLN", "_NPROCESSORS_CONF"):
        call.out(f"{call.host.cpus}\n")
    elif names[0] in _CONF:
        call.out(f"{_CONF[names[0]]}\n")
    else:
        call.err(f"getconf: Unrecognized variable `{names[0]}'\n")
        return 2
    return 0


def unlink(call: Call) -> Code:
    """`unlink file`."""
    names = [word for word in call.argv[1:] if word != "--"]
    if len(names) != 1:
        call.err("unlink: missing operand\n" if not names else f"unlink: extra operand ‘{names[1]}’\n")
        call.err("Try 'unlink --help' for more information.\n")
        return 1
    path = call.path(names[0])
    if call.isdir(path) or not call.exists(path):
        why = "Is a directory" if call.isdir(path) else "No such file or directory"
        call.err(f"unlink: cannot unlink '{names[0]}': {why}\n")
        return 1
    return (yield from call.run(["rm", "-f", "--", names[0]]))


def zgrep(call: Call) -> Code:
    """`zgrep [grep's options] pattern files`: grep in what zcat gives."""
    words = call.argv[1:]
    files = [word for word in words if call.exists(call.path(word)) and not call.isdir(call.path(word))]
    rest = [word for word in words if word not in files]
    code, found = 1, False
    for name in files:
        data = call.read_file(name)
        if data[:2] == b"\x1f\x8b":
            _, data, err = yield from call.capture(["zcat", name])
            call.err(err)
        label = ["-H", f"--label={name}"] if len(files) > 1 else []
        code = yield from call.run(["grep", *label, *rest], stdin=data)
        found = found or code == 0
    return 0 if found else code


def setsid(call: Call) -> Code:
    """`setsid command`: here every command line is a group of its own already."""
    words = call.argv[1:]
    while words and words[0] in ("-f", "-w", "-c", "--fork", "--wait", "--ctty"):
        words = words[1:]
    if not words:
        call.err("setsid: no command specified\nTry 'setsid --help' for more information.\n")
        return 1
    return (yield from call.run(words))


def blkid(call: Call) -> int:
    """`blkid [device]`: the root's partition, as `lsblk -f` tells it."""
    names = [word for word in call.argv[1:] if not word.startswith("-")]
    if names and names[0] not in ("/dev/vda1",):
        return 2
    call.out(
        '/dev/vda1: LABEL="cloudimg-rootfs" UUID="7d2a1f4e-5b0c-4f64-9a34-2f1d6c0e9b11" BLOCK_SIZE="4096" TYPE="ext4" PARTUUID="5c1c7a8e-01"\n'
    )
    return 0


def vmstat(call: Call) -> Code:
    """`vmstat [delay [count]]`: memory of the machine; nothing is swapped and its processors idle but for a little."""
    words = [word for word in call.argv[1:] if not word.startswith("-")]
    if any(word.startswith("-") and word not in ("-n", "-w") for word in call.argv[1:]):
        raise NotSimulated(f"vmstat {call.argv[1]}")
    if any(not word.isdigit() for word in words):
        call.err("vmstat: failed to parse argument: '" + next(word for word in words if not word.isdigit()) + "'\n")
        return 1
    call.out(
        "procs -----------memory---------- ---swap-- -----io---- -system-- -------cpu-------\n r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st gu\n"
    )
    shown, count = 0, int(words[1]) if len(words) > 1 else 1 if not words else 0
    while True:
        total, used = call.host.memory_kib, used_memory(call.host)
        cache = min(total // 8, max(total - used, 0))
        call.out(
            f" 0  0 {0:6d} {max(total - used - cache, 0):6d} {cache // 8:6d} {cache - cache // 8:6d}    0    0     4    20   60   90  1  1 98  0  0  0\n"
        )
        shown += 1
        if shown == count:
            return 0
        yield Sleep(max(int(words[0]), 1) * SECOND)


# -- archives' keys and sources -------------------------------------------------------------------------------------------
_OLD = "Warning: apt-key is deprecated. Manage keyring files in trusted.gpg.d instead (see apt-key(8)).\n"


def apt_key(call: Call) -> Code:
    """`apt-key add FILE|-`, `list`: keys of archives in /etc/apt/trusted.gpg.d."""
    words = call.argv[1:]
    call.err(_OLD)
    if words[:1] == ["add"] and len(words) > 1:
        data = (yield from call.read()) if words[1] == "-" else call.read_file(words[1])
        key = dearmor(data) or data
        if not key.strip():
            call.err("gpg: no valid OpenPGP data found.\n")
            return 2
        number = (
            sum(name.startswith("added-") for name in call.tree.listdir("/etc/apt/trusted.gpg.d"))
            if call.isdir("/etc/apt/trusted.gpg.d")
            else 0
        )
        call.tree.mkdir("/etc/apt/trusted.gpg.d", True, now=call.world.wall)
        call.write_file(f"/etc/apt/trusted.gpg.d/added-{number}.gpg", key)
        call.out("OK\n")
        return 0
    if words[:1] == ["list"]:
        for name in sorted(call.tree.listdir("/etc/apt/trusted.gpg.d")) if call.isdir("/etc/apt/trusted.gpg.d") else []:
            path = f"/etc/apt/trusted.gpg.d/{name}"
            call.out(f"{path}\n{'-' * len(path)}\n")
            yield from call.run(["gpg", "--show-keys", path])
        return 0
    raise NotSimulated(" ".join(["apt-key", *words[:1]]))


def add_apt_repository(call: Call) -> Code:
    """`add-apt-repository [-y] [-n] "deb …"`: a file in /etc/apt/sources.list.d, and `apt-get update`."""
    options, words = parse(call, "yrnP:S:s", "yes:y remove:r no-update:n ppa=P sourceslist=S enable-source:s")
    line = options.get("S") or " ".join(words)
    if options.get("P") or line.startswith("ppa:"):
        raise NotSimulated(f"add-apt-repository of {options.get('P') or line}")
    if line in ("universe", "main", "multiverse", "restricted"):
        call.out(f"Adding component(s) '{line}' to all repositories.\n")
    elif re.match(r"deb(-src)?\s", line):
        found = re.match(r"deb(?:-src)?\s+(?:\[[^\]]*\]\s+)?(\S+)", line)
        host = re.sub(r"^\w+://", "", found[1] if found else "archive").strip("/")
        path = f"/etc/apt/sources.list.d/archive_uri-{re.sub(r'[^A-Za-z0-9.]', '_', 'https://' + host)}_-noble.list"
        if "r" in options:
            return (yield from call.run(["rm", "-f", path]))
        call.out(f"Repository: '{line}'\nDescription:\nArchive for codename: noble components: main\nAdding repository.\n")
        call.tree.mkdir(posixpath.dirname(path), True, now=call.world.wall)
        call.write_file(path, f"{line}\n".encode())
        call.out(f"Adding deb entry to {path}\n")
    else:
        call.err(f"Unable to handle repository shortcut '{line}'\n")
        return 1
    return 0 if "n" in options else (yield from call.run(["apt-get", "update"]))


COMMANDS: dict[str, Command] = {
    "add-apt-repository": add_apt_repository, "apt-add-repository": add_apt_repository, "apt-key": apt_key, "blkid": blkid, "chage": chage,
    "dircolors": dircolors, "getconf": getconf, "groupmod": groupmod, "locale": locale, "locale-gen": locale_gen, "logname": users, "man": man,
    "mountpoint": mountpoint, "setsid": setsid, "unlink": unlink, "update-locale": update_locale, "users": users, "vmstat": vmstat, "zgrep": zgrep,
}  # fmt: skip
