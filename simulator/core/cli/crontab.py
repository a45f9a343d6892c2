"""`crontab`: a user's table of jobs (host/cron.py runs them)."""

from __future__ import annotations

from ..host import cron, files, users
from ..host.invocation import Call
from ..shell.coreutils.common import Code, parse

EMPTY = """# Edit this file to introduce tasks to be run by cron.
#
# m h  dom mon dow   command
"""


def crontab(call: Call) -> Code:
    """`crontab -l|-e|-r [-i] [-u user] [file|-]`."""
    options, names = parse(call, "leru:i", "")
    user = options.get("u", call.proc.user)
    if "u" in options and call.uid:
        call.err("must be privileged to use -u\n")
        return 1
    if users.passwd(call.tree, user) is None and user != "root":
        call.err(f"crontab:  user `{user}' unknown\n")
        return 1
    path = f"{cron.SPOOL}/{user}"
    there = call.tree.exists(path)
    if "l" in options or "r" in options:
        if not there:
            call.err(f"no crontab for {user}\n")
            return 1
        if "r" in options:
            files.remove_file(call.world, call.host, path)
        else:
            call.out(call.tree.read(path))
        return 0
    where = '"-"'
    if "e" in options:
        draft = "/tmp/crontab.0000"
        start = call.tree.read(path) if there else EMPTY.encode()
        if not there:
            call.err(f"no crontab for {user} - using an empty one\n")
        call.write_file(draft, start)
        command = call.env.get("VISUAL") or call.env.get("EDITOR") or "nano"
        code = yield from call.run(["/bin/bash", "-c", f"{command} {draft}"])
        data = call.read_file(draft)
        call.tree.remove(draft)
        if code or data == start:
            call.err("No modification made\n" if not code else "crontab: edits left in the editor\n")
            return code
        where = f'"{draft}/crontab"'
    elif names and names[0] != "-":
        data, where = call.read_file(names[0]), f'"{names[0]}"'
    else:
        data = yield from call.read()
    try:
        cron.parse(data.decode(errors="replace"), user)
    except ValueError as bad:
        call.err(f"{where}:{bad}\nerrors in crontab file, can't install.\n")
        return 1
    if "e" in options or names[:1] != ["-"]:
        call.err("crontab: installing new crontab\n")
    call.tree.mkdir(cron.SPOOL, True, now=call.world.wall)
    files.write_file(call.world, call.host, path, data, mode=0o600)
    return 0
