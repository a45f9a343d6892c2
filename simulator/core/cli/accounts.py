"""Accounts of a host: useradd, userdel, usermod, groupadd, passwd, chpasswd, adduser, who, w, last."""

from __future__ import annotations

import re

from ..host import sudoers, users
from ..host.executor import Ended
from ..host.invocation import Call
from ..kernel.clock import SECOND, to_datetime
from ..shell.coreutils.common import Code, name_of, parse
from ..shell.screen import Terminals

PASSWD, GROUP, SHADOW = "/etc/passwd", "/etc/group", "/etc/shadow"


def rows(call: Call, path: str) -> list[list[str]]:
    """The lines of /etc/passwd or /etc/group in fields."""
    try:
        text = call.tree.read(path).decode(errors="replace")
    except OSError:
        return []
    return [line.split(":") for line in text.splitlines() if line]


def save(call: Call, path: str, lines: list[list[str]]) -> None:
    """Write the lines back."""
    call.write_file(path, "".join(":".join(row) + "\n" for row in lines).encode(), mode=0o640 if path == SHADOW else 0o644)


def _root(call: Call, what: str = PASSWD) -> None:
    if call.uid:
        call.err(f"{name_of(call)}: Permission denied.\n{name_of(call)}: cannot lock {what}; try again later.\n")
        raise Ended(1)


def _next(rows: list[list[str]], low: int = 1000) -> int:
    used = {int(row[2]) for row in rows if len(row) > 2 and row[2].isdigit()}
    return next(n for n in range(low, 60_000) if n not in used)


def _home(call: Call, path: str, uid: int, gid: int) -> None:
    now = call.world.wall
    call.tree.mkdir(path, True, now=now)
    node = call.tree.edit(path)
    node.mode, node.uid, node.gid = 0o750, uid, gid
    if call.tree.isdir("/etc/skel"):
        for name in call.tree.listdir("/etc/skel"):
            call.write_file(f"{path}/{name}", call.tree.read(f"/etc/skel/{name}"), mode=0o644)
            made = call.tree.edit(f"{path}/{name}")
            made.uid, made.gid = uid, gid


def useradd(call: Call) -> int:
    """`useradd [-m] [-d home] [-s shell] [-u uid] [-g group] [-G groups] [-c comment] [-r] name`; `adduser name`."""
    options, names = parse(
        call, "md:s:u:g:G:c:rMNUp:e:k:o",
        "create-home:m home-dir=d shell=s uid=u gid=g groups=G comment=c system:r gecos=c disabled-password:x disabled-login:x home=d ingroup=g", code=2,
    )  # fmt: skip
    friendly = name_of(call) == "adduser"
    if friendly and len(names) == 2:
        return _join(call, names[0], [names[1]])
    if len(names) != 1:
        call.err(f"Usage: {name_of(call)} [options] LOGIN\n")
        return 2
    name = names[0]
    if not re.fullmatch(r"[a-z_][a-z0-9_-]*\$?", name):
        call.err(f"{name_of(call)}: invalid user name '{name}': use --badname to ignore\n")
        return 3
    people, groups = rows(call, PASSWD), rows(call, GROUP)
    if any(row[0] == name for row in people):
        call.err(f"{name_of(call)}: user '{name}' already exists\n")
        return 9
    _root(call)
    low = 100 if "r" in options else 1000
    uid = int(options["u"]) if options.get("u", "").isdigit() else _next(people, low)
    if any(row[2] == str(uid) for row in people) and "o" not in options:
        call.err(f"useradd: UID {uid} is not unique\n")
        return 4
    if "g" in options:
        found = next((row for row in groups if options["g"] in (row[0], row[2])), None)
        if found is None:
            call.err(f"useradd: group '{options['g']}' does not exist\n")
            return 6
        gid = int(found[2])
    else:
        gid = uid if not any(row[2] == str(uid) for row in groups) else _next(groups, low)
        groups.append([name, "x", str(gid), ""])
    wanted = options["G"].split(",") if options.get("G") else []
    for group in wanted:
        row = next((row for row in groups if row[0] == group), None)
        if row is None:
            call.err(f"useradd: group '{group}' does not exist\n")
            return 6
        row[3] = ",".join([*(row[3].split(",") if row[3] else []), name])
    home = options.get("d", f"/home/{name}")
    shell = options.get("s", "/bin/bash" if friendly else "/bin/sh")
    people.append([name, "x", str(uid), str(gid), options.get("c", ""), home, shell])
    save(call, PASSWD, people)
    save(call, GROUP, groups)
    if ("m" in options or friendly) and "M" not in options:
        _home(call, home, uid, gid)
    if friendly:
        call.out(
            f"info: Adding user `{name}' ...\ninfo: Selecting UID/GID from range 1000 to 59999 ...\ninfo: Adding new group `{name}' ({gid}) ...\n"
            f"info: Adding new user `{name}' ({uid}) with group `{name} ({gid})' ...\ninfo: Creating home directory `{home}' ...\n"
        )
    return 0


def userdel(call: Call) -> int:
    """`userdel [-r] name`, `deluser name`."""
    options, names = parse(call, "rf", "remove:r force:f remove-home:r", code=2)
    if len(names) != 1:
        call.err(f"Usage: {name_of(call)} [options] LOGIN\n")
        return 2
    name = names[0]
    row = next((row for row in rows(call, PASSWD) if row[0] == name), None)
    if row is None:
        call.err(f"{name_of(call)}: user '{name}' does not exist\n")
        return 6
    _root(call)
    save(call, PASSWD, [other for other in rows(call, PASSWD) if other[0] != name])
    groups = [other for other in rows(call, GROUP) if not (other[0] == name and other[2] == row[3])]
    for group in groups:
        group[3] = ",".join(member for member in group[3].split(",") if member and member != name)
    save(call, GROUP, groups)
    if any(other[0] == name for other in rows(call, SHADOW)):
        save(call, SHADOW, [other for other in rows(call, SHADOW) if other[0] != name])
    if "r" in options and call.tree.isdir(row[5]) and row[5] not in ("/", "/root"):
        call.tree.remove(row[5], True)
    return 0


def _join(call: Call, user: str, wanted: list[str], *, instead: bool = False) -> int:
    if users.passwd(call.tree, user) is None:
        call.err(f"{name_of(call)}: user '{user}' does not exist\n")
        return 6
    groups = rows(call, GROUP)
    for group in wanted:
        if not any(row[0] == group for row in groups):
            call.err(f"{name_of(call)}: group '{group}' does not exist\n")
            return 6
    _root(call, GROUP)
    for row in groups:
        members = [member for member in row[3].split(",") if member]
        if row[0] in wanted and user not in members:
            members.append(user)
        elif instead and row[0] not in wanted and user in members:
            members.remove(user)
        row[3] = ",".join(members)
    save(call, GROUP, groups)
    return 0


def usermod(call: Call) -> int:
    """`usermod [-aG groups] [-s shell] [-d home] [-l name] [-L|-U] name`."""
    options, names = parse(
        call,
        "aG:s:d:ml:c:u:g:LUe:",
        "append:a groups=G shell=s home=d move-home:m login=l comment=c uid=u gid=g lock:L unlock:U",
        code=2,
    )
    if len(names) != 1:
        call.err("Usage: usermod [options] LOGIN\n")
        return 2
    people = rows(call, PASSWD)
    row = next((row for row in people if row[0] == names[0]), None)
    if row is None:
        call.err(f"usermod: user '{names[0]}' does not exist\n")
        return 6
    if "G" in options:
        code = _join(call, names[0], [group for group in options["G"].split(",") if group], instead="a" not in options)
        if code:
            return code
    _root(call)
    for letter, place in (("l", 0), ("u", 2), ("c", 4), ("d", 5), ("s", 6)):
        if letter in options:
            row[place] = options[letter]
    save(call, PASSWD, people)
    return 0


def groupadd(call: Call) -> int:
    """`groupadd [-g gid] name`, `groupdel name`."""
    options, names = parse(call, "g:rf", "gid=g system:r force:f", code=2)
    if len(names) != 1:
        call.err(f"Usage: {name_of(call)} [options] GROUP\n")
        return 2
    groups = rows(call, GROUP)
    there = any(row[0] == names[0] for row in groups)
    if name_of(call) in ("groupdel", "delgroup"):
        if not there:
            call.err(f"{name_of(call)}: group '{names[0]}' does not exist\n")
            return 6
        _root(call, GROUP)
        save(call, GROUP, [row for row in groups if row[0] != names[0]])
        return 0
    if there:
        if "f" in options:
            return 0
        call.err(f"groupadd: group '{names[0]}' already exists\n")
        return 9
    _root(call, GROUP)
    gid = options.get("g") or str(_next(groups, 100 if "r" in options else 1000))
    save(call, GROUP, [*groups, [names[0], "x", gid, ""]])
    if name_of(call) == "addgroup":
        call.out(f"info: Selecting GID from range 1000 to 59999 ...\ninfo: Adding group `{names[0]}' (GID {gid}) ...\n")
    return 0


def _remember(call: Call, user: str, text: str) -> None:
    kept = [row for row in rows(call, SHADOW) if row[0] != user]
    kept.append([user, text, str(call.world.wall // SECOND // 86400), "0", "99999", "7", "", "", ""])
    save(call, SHADOW, kept)


def passwd(call: Call) -> Code:
    """`passwd [-l|-u|-d|-S] [user]`: nothing here asks for a password, so only that one was set is kept."""
    options, names = parse(call, "ludSe", "lock:l unlock:u delete:d status:S stdin:i", code=2)
    user = names[0] if names else call.proc.user
    if users.passwd(call.tree, user) is None:
        call.err(f"passwd: user '{user}' does not exist\n")
        return 1
    if call.uid and user != call.proc.user:
        call.err(f"passwd: You may not view or modify password information for {user}.\n")
        return 1
    if "S" in options:
        known = next((row for row in rows(call, SHADOW) if row[0] == user), None)
        letter = "L" if known is None or known[1].startswith(("!", "*")) else "P"
        call.out(f"{user} {letter} {to_datetime(call.world.wall):%Y-%m-%d} 0 99999 7 -1\n")
        return 0
    if options:
        _remember(call, user, "!" if "l" in options else "" if "d" in options else "set")
        call.out("passwd: password changed.\n")
        return 0
    call.err("New password: ")
    first = yield from call.read_line()
    call.err("Retype new password: ")
    second = yield from call.read_line()
    if not first.strip() or first != second:
        call.err(
            "Sorry, passwords do not match.\npasswd: Authentication token manipulation error\npasswd: password unchanged\n"
            if first.strip()
            else "No password has been supplied.\npasswd: Authentication token manipulation error\npasswd: password unchanged\n"
        )
        return 10
    _remember(call, user, "set")
    call.err("passwd: password updated successfully\n")
    return 0


def chpasswd(call: Call) -> Code:
    """`chpasswd`: lines of `user:password`."""
    _root(call, SHADOW)
    for number, line in enumerate((yield from call.read()).decode(errors="replace").splitlines(), 1):
        user, colon, _ = line.partition(":")
        if not colon or users.passwd(call.tree, user) is None:
            call.err(f"chpasswd: (line {number}, user {user}) password not changed\n")
            return 1
        _remember(call, user, "set")
    return 0


def visudo(call: Call) -> Code:
    """`visudo [-c] [-q] [-f file]`: sudoers in an editor, then checked; `-c` only checks."""
    options, names = parse(call, "cf:qsIOP", "check:c file=f quiet:q strict:s")
    if call.uid:
        call.err("visudo: /etc/sudoers: Permission denied\n")
        return 1
    path = call.path(options["f"] if "f" in options else names[0] if names else sudoers.MAIN)
    if "c" not in options:
        editor = (call.env.get("SUDO_EDITOR") or call.env.get("VISUAL") or call.env.get("EDITOR") or "nano").split()
        code: int = yield from call.run([*editor, path])
        if code:
            return code
    elif not call.exists(path):
        call.err(f"visudo: unable to open {path}: No such file or directory\n")
        return 1
    policy = sudoers.read(call.tree, path)
    for problem in policy.problems:
        call.err(sudoers.shown_problem(problem))
    wrong = {problem.path for problem in policy.problems}
    if "c" in options and "q" not in options:
        call.out("".join(f"{one}: parsed OK\n" for one in policy.files if one not in wrong))
    return int(bool(wrong))


def who(call: Call) -> int:
    """`who`, `w`, `last`: who is logged in at the terminals of this host."""
    terminals = call.world.section("terminals", Terminals).items
    here = [state for name, state in sorted(terminals.items()) if state.host == call.host.name and not state.closed]
    name = name_of(call)
    up = (call.world.now - call.host.boot_at) // SECOND
    if name == "w":
        clock = to_datetime(call.world.wall)
        hours, minutes = up // 3600, up // 60 % 60
        call.out(
            f" {clock:%H:%M:%S} up {hours:2d}:{minutes:02d},  {len(here)} user{'s' if len(here) != 1 else ''},  load average: 0.12, 0.10, 0.08\n"
        )
        call.out("USER     TTY      FROM             LOGIN@   IDLE   JCPU   PCPU WHAT\n")
    for number, state in enumerate(here):
        since = to_datetime(call.world.epoch + state.shell.started)
        if name == "w":
            call.out(
                f"{state.user:<8} pts/{number:<4} {'172.30.1.1':<16} {since:%H:%M}    0.00s  0.02s  0.00s {'w' if not number else '-bash'}\n"
            )
        elif name == "last":
            call.out(f"{state.user:<8} pts/{number:<8} 172.30.1.1       {since:%a %b %e %H:%M}   still logged in\n")
        else:
            call.out(f"{state.user:<8} pts/{number:<8} {since:%Y-%m-%d %H:%M} (172.30.1.1)\n")
    if name == "last":
        boot = to_datetime(call.world.epoch + call.host.boot_at)
        call.out(
            f"reboot   system boot  {call.host.kernel:<16} {boot:%a %b %e %H:%M}   still running\n\nwtmp begins {boot:%a %b %e %H:%M:%S %Y}\n"
        )
    return 0
