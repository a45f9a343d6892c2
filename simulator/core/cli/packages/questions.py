"""What is asked of the package lists and the database: `apt list`, `search`, `show`, `policy`, `apt-cache`, and `apt-mark`."""

from __future__ import annotations

import re

from ...host.invocation import Call
from ...kernel.errors import NotSimulated
from .calls import need_root, size_text, words_of
from .database import Database, Installed, Offer, number, offers, pick, sources


def upgradable(call: Call) -> list[tuple[Installed, Offer]]:
    """What is installed and could be newer."""
    known = offers(call)
    out = []
    for row in Database(call).rows.values():
        if row.state == "installed" and row.name in known and number(known[row.name][0].version) > number(row.version):
            out.append((row, known[row.name][0]))
    return sorted(out, key=lambda item: item[0].name)


def apt_mark(call: Call) -> int:
    """`apt-mark hold|unhold|showhold|auto|manual|showauto|showmanual`."""
    flags, words = words_of(call)
    if not words:
        call.err(
            "E: No packages found\n" if flags else "apt 2.7.14 (amd64)\nUsage: apt-mark [options] {auto|manual} pkg1 [pkg2 ...]\n"
        )
        return 1
    db = Database(call)
    command, names = words[0], words[1:]
    if command in ("showhold", "showheld", "showauto", "showmanual"):
        for name, row in sorted(db.rows.items()):
            wanted = {"showauto": row.auto, "showmanual": not row.auto}.get(command, row.want == "hold")
            if wanted and row.state == "installed":
                call.out(name + "\n")
        return 0
    if command not in ("hold", "unhold", "auto", "manual"):
        call.err(f"E: Invalid operation {command}\n")
        return 100
    if not names:
        call.err("E: No packages found\n")
        return 100
    for name in names:
        if name not in db.rows and db.package(name) is None:
            call.err(f"E: Unable to locate package {name}\nE: No packages found\n")
            return 100
    need_root(call)
    for name in names:
        row = db.rows.get(name) or Installed(name, "", "install", "not-installed")
        if command in ("hold", "unhold"):
            on = command == "hold"
            if (row.want == "hold") == on:
                call.out(f"{name} was already {'set on hold' if on else 'not on hold'}.\n")
                continue
            row.want = "hold" if on else "install"
            call.out(f"{name} set on hold.\n" if on else f"Canceled hold on {name}.\n")
        else:
            row.auto = command == "auto"
            call.out(f"{name} set to {'automatically' if row.auto else 'manually'} installed.\n")
        if row.version:
            db.rows[name] = row
    db.save()
    return 0


def apt_cache(call: Call) -> int:
    """`apt-cache policy|madison|show|search|depends|showpkg`."""
    _, words = words_of(call)
    if not words:
        call.out("apt 2.7.14 (amd64)\nUsage: apt-cache [options] command\n")
        return 0
    return query(call, words[0], words[1:])


def query(call: Call, command: str, names: list[str]) -> int:
    """`madison`, `policy`, `show`, `search`, `depends` and their like."""
    known, db = offers(call), Database(call)
    if command == "madison":
        code = 0
        for name in names:
            if name not in known:
                call.err(f"N: Unable to locate package {name}\n")
                continue
            width = max(len(offer.version) for offer in known[name])
            for offer in known[name]:
                suite = " " if "k8s.io" in offer.url else " noble/main amd64"
                call.out(f"{name:>10} | {offer.version:>{max(width, 10)}} | {offer.url}{suite} Packages\n")
        return code
    if command == "policy":
        if not names:
            call.out("Package files:\n 100 /var/lib/dpkg/status\n     release a=now\n")
            for line in sources(call)[0]:
                call.out(f" 500 {line.url}{'' if line.suite == '/' else ' ' + line.suite}  Packages\n")
            return 0
        for name in names:
            rows, row = known.get(name, []), db.installed(name)
            if not rows and row is None:
                call.err(f"N: Unable to locate package {name}\n")
                continue
            candidate = max([*(o.version for o in rows), *([row.version] if row else [])], key=number)
            call.out(f"{name}:\n  Installed: {row.version if row else '(none)'}\n  Candidate: {candidate}\n  Version table:\n")
            versions = {o.version: o for o in rows}
            for version in sorted({*versions, *([row.version] if row else [])}, key=number, reverse=True):
                mine = row is not None and row.version == version
                call.out(f" {'***' if mine else '   '} {version} {'500' if version in versions else '100'}\n")
                if version in versions:
                    suite = " " if "k8s.io" in versions[version].url else " noble/main amd64"
                    call.out(f"        500 {versions[version].url}{suite} Packages\n")
                if mine:
                    call.out("        100 /var/lib/dpkg/status\n")
        return 0
    if command == "show":
        for name in names:
            name, _, wanted = name.partition("=")
            found = pick(known.get(name, []), wanted)
            if found is None:
                call.err(f"N: Unable to locate package {name}\nE: No packages found\n")
                return 100
            p = found.package
            depends = f"Depends: {', '.join(p.depends)}\n" if p.depends else ""
            call.out(
                f"Package: {name}\nVersion: {found.version}\nPriority: optional\nSection: {p.section}\nMaintainer: Ubuntu Developers\n"
                f"Installed-Size: {p.installed}\n{depends}Download-Size: {size_text(p.size)}\nAPT-Sources: {found.url}  Packages\nDescription: {p.summary}\n\n"
            )
        return 0
    if command == "search":
        pattern = re.compile("|".join(re.escape(name) for name in names), re.IGNORECASE)
        for name in sorted(known):
            package = known[name][0].package
            if pattern.search(name) or pattern.search(package.summary):
                call.out(
                    f"{name} - {package.summary}\n"
                    if call.argv[0].endswith("cache")
                    else f"{name}/noble {known[name][0].version} amd64\n  {package.summary}\n\n"
                )
        return 0
    if command in ("depends", "rdepends"):
        for name in names:
            call.out(name + "\n")
            rows = known.get(name, [])
            if command == "depends" and rows:
                call.out("".join(f"  Depends: {other}\n" for other in rows[0].package.depends))
        return 0
    if command in ("showpkg", "pkgnames", "stats", "dump", "unmet", "gencaches"):
        raise NotSimulated(command)
    call.err(f"E: Invalid operation {command}\n")
    return 100


def list_(call: Call, flags: set[str], names: list[str]) -> int:
    """`apt list [--installed|--upgradable|-a] [names]`."""
    import fnmatch

    known, db = offers(call), Database(call)
    call.out("Listing... Done\n")
    for name in sorted({*known, *db.rows}):
        if names and not any(fnmatch.fnmatchcase(name, pattern) for pattern in names):
            continue
        row, rows = db.installed(name), known.get(name, [])
        newest = rows[0].version if rows else row.version if row else ""
        newer = row is not None and rows and number(newest) > number(row.version)
        if ("--installed" in flags and row is None) or ("--upgradable" in flags and not newer):
            continue
        suite = "unknown" if any("k8s.io" in o.url for o in rows) else "noble" if rows else "now"
        versions = (
            [o.version for o in rows]
            if flags & {"-a", "--all-versions"}
            else [row.version if "--installed" in flags and row else newest]
        )
        for version in versions:
            mark = ""
            if row is not None and row.version == version:
                mark = " [installed,automatic]" if row.auto else " [installed]"
            elif newer and version == newest and row is not None:
                mark = f" [upgradable from: {row.version}]"
            call.out(f"{name}/{suite}{',now' if mark.startswith(' [installed') else ''} {version} amd64{mark}\n")
        if flags & {"-a", "--all-versions"}:
            call.out("\n")
    return 0
