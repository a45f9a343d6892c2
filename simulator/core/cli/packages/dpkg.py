"""dpkg and dpkg-query: questions to the database, and removal."""

from __future__ import annotations

import fnmatch
import posixpath
import re

from ...host.executor import Ended
from ...host.invocation import Call
from ...kernel.errors import NotSimulated
from .database import Database, Installed, upstream

HEAD = """Desired=Unknown/Install/Remove/Purge/Hold
| Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend
|/ Err?=(none)/Reinst-required (Status,Err: uppercase=bad)
"""


def dpkg(call: Call) -> int:
    """`dpkg -l|-L|-S|-s|-r|-P|--get-selections|--print-architecture|--compare-versions`; `dpkg-query -W -f`."""
    args = call.argv[1:]
    db = Database(call)
    if not args:
        call.err(
            "dpkg: error: need an action option\n\nType dpkg --help for help about installing and deinstalling packages [*];\n"
        )
        return 2
    option, names = args[0], args[1:]
    if option in ("-l", "--list"):
        return _list(call, db, names)
    if option in ("-W", "--show") or option.startswith(("-f", "--showformat")):
        return _show(call, db, args)
    if option in ("-s", "--status"):
        return _status(call, db, names)
    if option in ("-L", "--listfiles"):
        return _files(call, db, names)
    if option in ("-S", "--search"):
        return _search(call, db, names)
    if option == "--get-selections":
        for name, row in sorted(db.rows.items()):
            if not names or any(fnmatch.fnmatchcase(name, pattern) for pattern in names):
                call.out(f"{name}{chr(9) * max(6 - len(name) // 8, 1)}{row.want}\n")
        return 0
    if option == "--print-architecture":
        call.out("amd64\n")
        return 0
    if option == "--print-foreign-architectures":
        call.out("i386\n")
        return 0
    if option == "--version":
        call.out("Debian 'dpkg' package management program version 1.22.6 (amd64).\n")
        return 0
    if option in ("--configure", "--audit", "-C"):
        return 0
    if option in ("-r", "--remove", "-P", "--purge"):
        return _remove(call, db, names, purge=option in ("-P", "--purge"))
    if option in ("-i", "--install"):
        for name in names:
            if not call.exists(name):
                call.err(f"dpkg: error: cannot access archive '{name}': No such file or directory\n")
                return 2
        raise NotSimulated(option)
    raise NotSimulated(option)


def _letters(row: Installed) -> str:
    want = {"hold": "h", "deinstall": "r"}.get(row.want, "i")
    return want + {"installed": "i", "config-files": "c"}.get(row.state, "n")


def _list(call: Call, db: Database, names: list[str]) -> int:
    rows = [row for name, row in sorted(db.rows.items()) if not names or any(fnmatch.fnmatchcase(name, p) for p in names)]
    if not rows:
        call.err(f"dpkg-query: no packages found matching {names[0]}\n")
        return 1
    widths = [max(14, *(len(row.name) for row in rows)), max(12, *(len(row.version) for row in rows))]
    summaries = {row.name: (package.summary if (package := db.package(row.name)) is not None else "") for row in rows}
    last = 40 if call.stdout_tty else max(40, *(len(text) for text in summaries.values()))
    call.out(HEAD)
    call.out(f"||/ {'Name':<{widths[0]}} {'Version':<{widths[1]}} Architecture Description\n")
    call.out(f"+++-{'=' * widths[0]}-{'=' * widths[1]}-============-{'=' * last}\n")
    for row in rows:
        call.out(
            f"{_letters(row)}  {row.name:<{widths[0]}} {row.version:<{widths[1]}} amd64        {summaries[row.name][:last]}\n"
        )
    return 0


def _show(call: Call, db: Database, args: list[str]) -> int:
    form = "${binary:Package}\\t${Version}\\n"
    names = []
    rest = list(args)
    while rest:
        word = rest.pop(0)
        if word in ("-f", "--showformat") and rest:
            form = rest.pop(0)
        elif word.startswith(("-f=", "--showformat=", "-f")) and len(word) > 2:
            form = word.partition("=")[2] if "=" in word[:13] else word[2:]
        elif not word.startswith("-"):
            names.append(word)
    code = 0
    chosen = [name for name in sorted(db.rows) if not names or any(fnmatch.fnmatchcase(name, p) for p in names)]
    for name in names:
        if not any(fnmatch.fnmatchcase(have, name) for have in chosen):
            call.err(f"dpkg-query: no packages found matching {name}\n")
            code = 1
    for name in chosen:
        row, package = db.rows[name], db.package(name)
        table = {
            "Package": name, "binary:Package": name, "Version": row.version, "Architecture": "amd64", "Status": f"{row.want} ok {row.state}",
            "db:Status-Abbrev": _letters(row) + " ", "Installed-Size": str(package.installed if package else 0),
            "Description": package.summary if package else "", "binary:Summary": package.summary if package else "",
            "source:Package": name, "Section": package.section if package else "", "source:Upstream-Version": upstream(row.version),
        }  # fmt: skip

        def field(match: re.Match[str], table: dict[str, str] = table) -> str:
            value, pad = table.get(match.group(1), ""), match.group(2)
            return value if not pad else value.ljust(-int(pad)) if pad.startswith("-") else value.rjust(int(pad))

        text = re.sub(r"\$\{([\w:-]+?)(?:;(-?\d{1,3}))?\}", field, form)
        call.out(text.replace("\\n", "\n").replace("\\t", "\t"))
    return code


def _status(call: Call, db: Database, names: list[str]) -> int:
    from .database import stanza

    code = 0
    for name in names:
        if name not in db.rows:
            call.err(
                f"dpkg-query: package '{name}' is not installed and no information is available\n"
                "Use dpkg --info (= dpkg-deb --info) to examine archive files.\n"
            )
            code = 1
            continue
        call.out(stanza(db.rows[name], db.package(name, db.rows[name].version)))
    return code


def _paths(db: Database, name: str) -> list[str]:
    package = db.package(name, db.rows[name].version)
    paths = {"/.", f"/usr/share/doc/{name}", "/usr", "/usr/share", "/usr/share/doc"}
    for path in [*(p for p, _ in package.programs), *(p for p, _ in package.files)] if package else []:
        while path not in ("/", ""):
            paths.add(path)
            path = posixpath.dirname(path)
    return sorted(paths)


def _files(call: Call, db: Database, names: list[str]) -> int:
    for name in names:
        if db.installed(name) is None:
            call.err(
                f"dpkg-query: package '{name}' is not installed\nUse dpkg --contents (= dpkg-deb --contents) to list archive files contents.\n"
            )
            return 1
        call.out("".join(path + "\n" for path in _paths(db, name)))
    return 0


def _search(call: Call, db: Database, names: list[str]) -> int:
    code = 0
    for pattern in names:
        found = False
        for name in sorted(db.rows):
            package = db.package(name, db.rows[name].version)
            if db.installed(name) is None or package is None:
                continue
            for path, _ in [*package.programs, *package.files]:
                plain = pattern.replace("/bin/", "/usr/bin/") if pattern.startswith("/bin/") else pattern
                if path == plain or (not plain.startswith("/") and plain in path) or fnmatch.fnmatchcase(path, plain):
                    call.out(f"{name}: {path}\n")
                    found = True
        if not found:
            call.err(
                f"dpkg-query: no path found matching pattern {'*' + pattern + '*' if not pattern.startswith('/') else pattern}\n"
            )
            code = 1
    return code


def _remove(call: Call, db: Database, names: list[str], *, purge: bool) -> int:
    from .apt import _remove_one

    if call.uid:
        call.err("dpkg: error: requested operation requires superuser privilege\n")
        raise Ended(2)
    for name in names:
        if name not in db.rows:
            call.err(f"dpkg: warning: ignoring request to remove {name} which isn't installed\n")
            continue
        _remove_one(call, db, name, purge, call.out)
    db.save()
    return 0
