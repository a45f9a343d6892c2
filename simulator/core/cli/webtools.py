"""What comes with web servers: `htpasswd`, `apache2ctl`, `a2ensite` and its sisters, `docker-compose` of old."""

from __future__ import annotations

import posixpath

from ..host import apr1, processes
from ..host.invocation import Call
from ..shell.coreutils.common import Code

ABSENT = "not simulated in Slipway yet"


def htpasswd(call: Call) -> Code:
    """`htpasswd [-cbndsmpiD] [FILE] USER [PASSWORD]`; bcrypt (-B) is refused."""
    letters = ""
    words: list[str] = []
    for word in call.argv[1:]:
        if word.startswith("-") and len(word) > 1 and not words:
            letters += word[1:]
        else:
            words.append(word)
    odd = next((one for one in letters if one not in "cbnsmpiDB"), "")
    if odd or "B" in letters:
        call.err(f"htpasswd: option '-{odd or 'B'}': {ABSENT}\n")
        return 1
    wanted = 1 + ("n" not in letters) + ("b" in letters)
    if len(words) != wanted:
        call.err(
            "Usage:\n\thtpasswd [-cimBdpsDv] [-C cost] [-r rounds] passwordfile username\n\thtpasswd -b[cmBdpsDv] passwordfile username password\n\thtpasswd -n[imBdps] username\n"
        )
        return 2
    path = words.pop(0) if "n" not in letters else ""
    user = words[0]
    if "b" in letters:
        word = words[1]
    elif "i" in letters or not call.stdin_tty:
        word = (yield from call.read()).decode("utf-8", "replace").split("\n")[0]
    else:
        call.out("New password: ")
        word = (yield from call.read_line()).decode("utf-8", "replace").rstrip("\n")
        call.out("\nRe-type new password: ")
        again = (yield from call.read_line()).decode("utf-8", "replace").rstrip("\n")
        call.out("\n")
        if word != again:
            call.err("htpasswd: password verification error\n")
            return 3
    salt = call.world.rng("htpasswd").token(8, apr1.ALPHABET)
    stored = word if "p" in letters else apr1.sha(word) if "s" in letters else apr1.apr1(word, salt)
    if not path:
        call.out(f"{user}:{stored}\n\n")
        return 0
    rows: list[str] = []
    if "c" not in letters:
        try:
            rows = call.read_file(path).decode("utf-8", "replace").splitlines()
        except OSError as failed:
            call.err(
                f"htpasswd: cannot modify file {path}; use '-c' to create it\n"
                if failed.errno == 2
                else f"htpasswd: {failed.strerror}\n"
            )
            return 1
    there = any(row.startswith(f"{user}:") for row in rows)
    rows = [row for row in rows if not row.startswith(f"{user}:")]
    if "D" not in letters:
        rows.append(f"{user}:{stored}")
    try:
        call.write_file(path, "".join(row + "\n" for row in rows).encode())
    except OSError as failed:
        call.err(f"htpasswd: cannot create file {path}: {failed.strerror}\n")
        return 1
    call.err(f"{'Deleting' if 'D' in letters else 'Updating' if there else 'Adding'} password for user {user}\n")
    return 0


def apache2ctl(call: Call) -> Code:
    """`apache2ctl configtest|start|stop|restart|graceful|status|-S|-t|-v`."""
    verb = call.argv[1] if len(call.argv) > 1 else ""
    name = f"AH00558: apache2: Could not reliably determine the server's fully qualified domain name, using {call.host.ip}. Set the 'ServerName' directive globally to suppress this message\n"
    if verb in ("-v", "-V"):
        call.out("Server version: Apache/2.4.58 (Ubuntu)\nServer built:   2025-08-11T11:10:09\n")
        return 0
    if verb in ("configtest", "-t"):
        call.err(name + "Syntax OK\n")
        return 0
    if verb in ("start", "stop", "restart", "graceful", "graceful-stop"):
        word = {"graceful": "restart", "graceful-stop": "stop"}.get(verb, verb)
        return (yield from call.run(["systemctl", word, "apache2"]))
    if verb == "status":
        running = bool(processes.by_program(call.world, call.host.name, "apache2"))
        call.out(f"Apache2 is {'running' if running else 'not running'}.\n")
        return 0 if running else 1
    call.err(f"apache2ctl {verb}: {ABSENT}\n")
    return 1


def a2ensite(call: Call) -> Code:
    """`a2ensite`, `a2dissite`, `a2enmod`, `a2dismod`: links below /etc/apache2."""
    command = posixpath.basename(call.argv[0])
    kind, on = ("sites" if command.endswith("site") else "mods"), "en" in command[:4]
    word = "Site" if kind == "sites" else "Module"
    if len(call.argv) < 2:
        call.err(f"{command}: which {word.lower()}s to {'enable' if on else 'disable'} has to be said: {ABSENT}\n")
        return 1
    for given in call.argv[1:]:
        name = given.removesuffix(".conf")
        source = f"/etc/apache2/{kind}-available/{name}.conf"
        link = f"/etc/apache2/{kind}-enabled/{name}.conf"
        if kind == "sites" and not call.exists(source):
            call.err(f"ERROR: Site {name} does not exist!\n")
            return 1
        there = call.exists(link)
        if on and there:
            call.out(f"{word} {name} already enabled\n")
            continue
        if not on and not there:
            call.out(f"{word} {name} already disabled\n")
            continue
        if on:
            if kind == "mods":
                call.write_file(link, b"")
            else:
                call.tree.symlink(f"../{kind}-available/{name}.conf", link, now=call.world.wall)
        else:
            call.tree.remove(link)
        after = "restart" if kind == "mods" else "reload"
        call.out(
            f"{'Enabling' if on else 'Disabling'} {word.lower()} {name}.\nTo activate the new configuration, you need to run:\n  systemctl {after} apache2\n"
        )
    return 0
    yield


def compose(call: Call) -> Code:
    """`docker-compose …`: the plug-in `docker compose` by its old name."""
    if call.argv[1:2] in (["--version"], ["-v"]):
        return (yield from call.run(["docker", "compose", "version"]))
    return (yield from call.run(["docker", "compose", *call.argv[1:]]))
