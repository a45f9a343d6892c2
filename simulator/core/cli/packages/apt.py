"""apt-get, apt, apt-mark, apt-cache (apt-private/*.cc for what they print)."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Generator
from typing import Any

from ...host import systemd
from ...host.invocation import Call
from ...host.program import Sleep, Wait
from ...kernel.clock import MS, SECOND
from ...kernel.errors import NotSimulated
from ...shell.known import KNOWN
from . import catalogue
from .calls import need_root, outside, size_text, words_of
from .catalogue import Package
from .database import LISTS, Database, Installed, Line, Offer, fetched, list_file, number, offers, pick, sources
from .questions import list_, query, upgradable

Steps = Generator[Wait, Any, int]
#: Where pkgs.k8s.io sends its visitors.
CDN = "https://prod-cdn.packages.k8s.io/repositories/isv:/kubernetes:"


#: Packages that the real archives have and ours lack: their absence is told as what it is.
OTHERS = KNOWN | frozenset(
    "build-essential default-mysql-client mariadb-client mysql-client postgresql-client redis-tools".split()
)


class Plan:
    """What a command is going to do."""

    def __init__(self) -> None:
        self.install: dict[str, Offer] = {}
        self.remove: list[str] = []
        self.purge = False
        self.asked: list[str] = []
        self.selected: list[str] = []


def _warned(call: Call, name: str) -> None:
    if name == "apt" and not call.stdout_tty:
        call.err("\nWARNING: apt does not have a stable CLI interface. Use with caution in scripts.\n\n")


def apt_get(call: Call) -> Steps:
    """`apt-get` and `apt`: update, install, remove, purge, upgrade, autoremove, clean, list, show, search, policy."""
    flags, words = words_of(call)
    name = posixpath.basename(call.argv[0])
    if "--version" in flags or "-v" in flags:
        call.out("apt 2.7.14 (amd64)\n")
        return 0
    if not words:
        call.out(
            "apt 2.7.14 (amd64)\nUsage: apt-get [options] command\n"
            if name == "apt-get"
            else "apt 2.7.14 (amd64)\nUsage: apt [options] command\n"
        )
        return 0
    command, names = words[0], words[1:]
    if name == "apt":
        _warned(call, name)
        if command in ("list", "show", "search", "policy", "depends", "showpkg"):
            return list_(call, flags, names) if command == "list" else query(call, command, names)
    if command == "update":
        return (yield from _update(call, flags, name))
    if command in (
        "install",
        "reinstall",
        "remove",
        "purge",
        "autoremove",
        "auto-remove",
        "upgrade",
        "dist-upgrade",
        "full-upgrade",
    ):
        return (yield from _change(call, name, command, names, flags))
    if command in ("clean", "autoclean", "check"):
        need_root(call)
        return 0
    if command in ("download", "source", "build-dep", "changelog", "edit-sources", "satisfy", "dselect-upgrade"):
        raise NotSimulated(command)
    call.err(f"E: Invalid operation {command}\n")
    return 100


# -- update -------------------------------------------------------------------------------------------------------------


def _key_known(call: Call, line: Line, key: str) -> bool:
    if not key:
        return True
    paths = [line.signed_by] if line.signed_by else []
    if not paths and call.tree.isdir("/etc/apt/trusted.gpg.d"):
        paths = [f"/etc/apt/trusted.gpg.d/{name}" for name in call.tree.listdir("/etc/apt/trusted.gpg.d")]
    for path in paths:
        if call.tree.exists(path):
            data = call.tree.read(path)
            if key.encode() in data or (
                path.endswith(".asc") and b"BEGIN PGP PUBLIC KEY" in data and key.encode() in _dearmored(data)
            ):
                return True
    return False


def _dearmored(data: bytes) -> bytes:
    from .keys import dearmor

    return dearmor(data) or b""


def _update(call: Call, flags: set[str], name: str) -> Steps:
    need_root(call, lists=True)
    lines, wrong = sources(call)
    if wrong:
        call.err("".join(text + "\n" for text in wrong) + "E: The list of sources could not be read.\n")
        return 100
    warnings: list[str] = []
    errors: list[str] = []
    count = 0
    received = 0
    done: set[str] = set()
    if not call.tree.isdir(LISTS):
        fresh = [line for line in lines if fetched(call, line)]
        call.tree.mkdir(LISTS, True, now=call.world.wall)
        for line in fresh:
            call.write_file(list_file(line), b"", mode=0o644)
    for line in lines:
        count += 1
        source = catalogue.source(line.url, line.suite)
        host = re.sub(r"^https?://([^/]+).*", r"\1", line.url)
        shown = line.url.replace("https://pkgs.k8s.io", CDN)
        suite = "" if line.suite == "/" else f" {line.suite}"
        up = outside(call, host)
        if not up or source is None:
            call.out(f"Err:{count} {line.url}{suite} InRelease\n")
            if not up and call.proc.mnt != "host":
                call.out(f"  Temporary failure resolving '{host}'\n")
                warnings.append(
                    f"W: Failed to fetch {line.url}/dists/{line.suite}/InRelease  Temporary failure resolving '{host}'"
                )
                continue
            why = f"  Could not resolve '{host}'" if not up or "." not in host or "k8s.io" not in host else "  403  Forbidden"
            call.out(f"{why}\n")
            if up and "k8s.io" in host:
                errors.append(f"E: Failed to fetch {line.url}/InRelease  403  Forbidden")
                errors.append(f"E: The repository '{line.url}  InRelease' is not signed.")
            else:
                warnings.append(f"W: Failed to fetch {line.url}/dists/{line.suite}/InRelease  Could not resolve '{host}'")
            continue
        yield Sleep(150 * MS)
        there = fetched(call, line)
        if not _key_known(call, line, source.key):
            call.out(f"Get:{count} {shown}{suite}  InRelease [1186 B]\nErr:{count} {shown}{suite}  InRelease\n")
            call.out(
                f"  The following signatures couldn't be verified because the public key is not available: NO_PUBKEY {source.key}\n"
            )
            warnings.append(
                f"W: GPG error: {shown}{suite}  InRelease: The following signatures couldn't be verified because the public key is not available: NO_PUBKEY {source.key}"
            )
            errors.append(f"E: The repository '{line.url}{suite}  InRelease' is not signed.")
            continue
        if there:
            call.out(
                f"Hit:{count} {shown}{suite}  InRelease\n" if line.suite == "/" else f"Hit:{count} {line.url}{suite} InRelease\n"
            )
        else:
            call.out(f"Get:{count} {shown}{suite}  InRelease [1186 B]\n")
            if line.url not in done and source.packages:
                size = 4_000 + 900 * sum(len(package.versions) for package in source.packages)
                count += 1
                received += size + 1186
                call.out(f"Get:{count} {shown}{suite}  Packages [{size / 1000:.1f} kB]\n")
            call.write_file(list_file(line), b"", mode=0o644)
        done.add(line.url)
    if received:
        call.out(f"Fetched {received / 1000:.1f} kB in 1s ({received / 1000:.1f} kB/s)\n")
    call.out("Reading package lists... Done\n")
    if name == "apt" and not errors:
        newer = len(upgradable(call))
        call.out(
            "Building dependency tree... Done\nReading state information... Done\n"
            + (
                "All packages are up to date.\n"
                if not newer
                else f"{newer} package{'s' if newer > 1 else ''} can be upgraded. Run 'apt list --upgradable' to see {'them' if newer > 1 else 'it'}.\n"
            )
        )
    for text in warnings:
        call.err(text + "\n")
    for text in errors:
        call.err(text + "\n")
    if errors:
        call.err(
            "N: Updating from such a repository can't be done securely, and is therefore disabled by default.\n"
            "N: See apt-secure(8) manpage for repository creation and user configuration details.\n"
        )
    elif warnings:
        call.err("W: Some index files failed to download. They have been ignored, or old ones used instead.\n")
    return 100 if errors else 0


# -- install and remove -------------------------------------------------------------------------------------------------


def _columns(call: Call, names: list[str]) -> str:
    out, line = "", " "
    for name in sorted(names):
        if len(line) + len(name) + 1 > call.columns - 1 and line.strip():
            out, line = out + line + "\n", " "
        line += f" {name}"
    return out + line + "\n"


def _resolve(call: Call, plan: Plan, names: list[str], flags: set[str], db: Database, *, reinstall: bool) -> int:
    known = offers(call)
    for word in names:
        if word.startswith(("/", "./")) or word.endswith(".deb"):
            call.err(f"E: Unsupported file {word} given on commandline\n")
            return 100
        keep = word.endswith("-") and word[:-1] in db.rows
        if keep:
            plan.remove.append(word[:-1])
            continue
        name, _, wanted = word.partition("=")
        rows = known.get(name)
        if not rows:
            if db.installed(name) is not None and not wanted:
                call.out(f"{name} is already the newest version ({db.rows[name].version}).\n")
                continue
            if known and name in OTHERS:
                raise NotSimulated(f"the package {name}")
            call.err(f"E: Unable to locate package {name}\n")
            return 100
        offer = pick(rows, wanted)
        if offer is None:
            call.err(f"E: Version '{wanted}' for '{name}' was not found\n")
            return 100
        if wanted and wanted != offer.version:
            plan.selected.append(f"Selected version '{offer.version}' ({offer.label} [amd64]) for '{name}'\n")
        row = db.installed(name)
        plan.asked.append(name)
        if row is not None and not wanted and number(offer.version) <= number(row.version) and not reinstall:
            plan.selected.append(f"{name} is already the newest version ({row.version}).\n")
            continue
        if row is not None and row.version == offer.version and not reinstall:
            plan.selected.append(f"{name} is already the newest version ({row.version}).\n")
            continue
        if row is None and "--only-upgrade" in flags:
            plan.selected.append(f"Skipping {name}, it is not installed and only upgrades are requested.\n")
            continue
        plan.install[name] = offer
        _depends(plan, offer, known, db)
    return 0


def _depends(plan: Plan, offer: Offer, known: dict[str, list[Offer]], db: Database) -> None:
    for name in offer.package.depends:
        if name in plan.install or db.installed(name) is not None or name not in known:
            continue
        plan.install[name] = known[name][0]
        _depends(plan, known[name][0], known, db)


def _change(call: Call, tool: str, command: str, names: list[str], flags: set[str]) -> Steps:
    simulate = bool(flags & {"-s", "--simulate", "--dry-run", "--just-print"})
    if not simulate:
        need_root(call)
    db = Database(call)
    plan = Plan()
    quiet = bool(flags & {"-q", "--quiet"}) and "-qq" in call.argv
    say = (lambda text: None) if quiet else call.out
    say("Reading package lists... Done\nBuilding dependency tree... Done\nReading state information... Done\n")
    if command in ("upgrade", "dist-upgrade", "full-upgrade"):
        say("Calculating upgrade... Done\n")
        kept = []
        for row, offer in upgradable(call):
            if row.want == "hold":
                kept.append(row.name)
            else:
                plan.install[row.name] = offer
        if kept:
            say("The following packages have been kept back:\n" + _columns(call, kept))
    elif command in ("remove", "purge", "autoremove", "auto-remove"):
        plan.purge = command == "purge" or "--purge" in flags
        for name in names:
            held = db.rows.get(name)
            if held is None and not offers(call).get(name):
                call.err(f"E: Unable to locate package {name}\n")
                return 100
            if held is None or (held.state != "installed" and not plan.purge):
                say(f"Package '{name}' is not installed, so not removed\n")
                continue
            plan.remove.append(name)
        for name, row in sorted(db.rows.items()):
            package = db.package(name)
            if (
                name not in plan.remove
                and package is not None
                and set(package.depends) & set(plan.remove)
                and row.state == "installed"
            ):
                plan.remove.append(name)
    else:
        code = _resolve(call, plan, names, flags, db, reinstall=command == "reinstall" or "--reinstall" in flags)
        if code:
            return code
        for text in plan.selected:
            say(text)
    return (yield from _carry_out(call, plan, db, flags, say, simulate=simulate))


def _carry_out(call: Call, plan: Plan, db: Database, flags: set[str], say: Any, *, simulate: bool) -> Steps:
    new = [name for name in plan.install if db.installed(name) is None]
    upgraded = [
        name for name in plan.install if name not in new and number(plan.install[name].version) > number(db.rows[name].version)
    ]
    downgraded = [
        name for name in plan.install if name not in new and number(plan.install[name].version) < number(db.rows[name].version)
    ]
    held = [name for name in [*upgraded, *downgraded, *plan.remove] if name in db.rows and db.rows[name].want == "hold"]
    extra = [name for name in new if name not in plan.asked]
    if extra:
        say("The following additional packages will be installed:\n" + _columns(call, extra))
    if plan.remove:
        say(
            "The following packages will be REMOVED:\n"
            + _columns(call, [f"{name}*" if plan.purge else name for name in plan.remove])
        )
    if new:
        say("The following NEW packages will be installed:\n" + _columns(call, new))
    if held:
        say("The following held packages will be changed:\n" + _columns(call, held))
    if upgraded:
        say("The following packages will be upgraded:\n" + _columns(call, upgraded))
    if downgraded:
        say("The following packages will be DOWNGRADED:\n" + _columns(call, downgraded))
    rest = len(upgradable(call)) - len(upgraded)
    say(
        f"{len(upgraded)} upgraded, {len(new)} newly installed, "
        + (f"{len(downgraded)} downgraded, " if downgraded else "")
        + f"{len(plan.remove)} to remove and {max(rest, 0)} not upgraded.\n"
    )
    if not plan.install and not plan.remove:
        return 0
    yes = bool(flags & {"-y", "--yes", "--assume-yes"})
    size = sum(offer.package.size for offer in plan.install.values())
    grown = sum(offer.package.installed for name, offer in plan.install.items() if name in new)
    shrunk = sum(package.installed for name in plan.remove if (package := db.package(name)) is not None)
    if plan.install:
        say(f"Need to get {size_text(size)} of archives.\n")
    say(
        f"After this operation, {size_text(abs(grown - shrunk))} {'of additional disk space will be used' if grown >= shrunk else 'disk space will be freed'}.\n"
    )
    if simulate:
        for name, offer in plan.install.items():
            say(f"Inst {name} ({offer.version} {offer.label} [amd64])\n")
        for name, offer in plan.install.items():
            say(f"Conf {name} ({offer.version} {offer.label} [amd64])\n")
        for name in plan.remove:
            say(f"{'Purg' if plan.purge else 'Remv'} {name} [{db.rows[name].version}]\n")
        return 0
    if held and yes and "--allow-change-held-packages" not in flags:
        call.err("E: Held packages were changed and -y was used without --allow-change-held-packages.\n")
        return 100
    if downgraded and yes and "--allow-downgrades" not in flags:
        call.err("E: Packages were downgraded and -y was used without --allow-downgrades.\n")
        return 100
    if not yes and (plan.remove or extra or held or downgraded or upgraded):
        call.out("Do you want to continue? [Y/n] ")
        answer = (yield from call.read_line()).decode(errors="replace").strip().lower()
        if answer not in ("", "y", "yes") or (not answer and not call.stdin_tty):
            call.out("Abort.\n")
            return 1
    first = next(iter(plan.install.values()), None)
    if first is not None and not outside(call, re.sub(r"^https?://([^/]+).*", r"\1", first.url)):
        call.err(
            f"E: Failed to fetch {first.url}  Could not resolve host\nE: Unable to fetch some archives, maybe run apt-get update or try with --fix-missing?\n"
        )
        return 100
    order = sorted(plan.install, key=lambda name: (name in plan.asked, name))
    for n, name in enumerate(order, 1):
        offer = plan.install[name]
        url = (
            offer.url.replace("https://pkgs.k8s.io", CDN)
            if "k8s.io" in offer.url
            else f"{offer.url} {offer.label.rpartition('/')[2].rpartition(':')[2]}/main amd64"
        )
        say(f"Get:{n} {url}  {name} {offer.version} [{size_text(offer.package.size)}]\n")
        yield Sleep(max(offer.package.size * SECOND // 40_000, 50 * MS))
    if order:
        seconds = max(size // 40_000, 1)
        say(f"Fetched {size_text(size)} in {seconds}s ({size_text(size // seconds)}/s)\n")
    for name in plan.remove:
        _remove_one(call, db, name, plan.purge, say)
    for name in order:
        old = db.installed(name)
        offer = plan.install[name]
        if old is None:
            say(f"Selecting previously unselected package {name}.\n")
        say("(Reading database ... 72345 files and directories currently installed.)\n" if name == order[0] else "")
        file = f"{name}_{offer.version.replace(':', '%3a')}_amd64.deb"
        say(f"Preparing to unpack .../{file} ...\n")
        over = f" over ({old.version})" if old is not None else ""
        say(f"Unpacking {name} ({offer.version}){over} ...\n")
        db.unpack(offer.package, offer.version)
    for name in order:
        offer = plan.install[name]
        yield Sleep(200 * MS)
        say(f"Setting up {name} ({offer.version}) ...\n")
        want = db.rows[name].want if db.installed(name) is not None else "install"
        db.rows[name] = Installed(name, offer.version, want, "installed", name in extra)
        _configure(call, offer.package, say)
    db.save()
    if order:
        say("Processing triggers for man-db (2.12.0-4build2) ...\n")
    return 0


def _remove_one(call: Call, db: Database, name: str, purge: bool, say: Any) -> None:
    row = db.rows[name]
    package = db.package(name, row.version)
    if row.state == "installed":
        say(f"(Reading database ... 72345 files and directories currently installed.)\nRemoving {name} ({row.version}) ...\n")
        for unit in package.units if package is not None else ():
            systemd.stop_unit(call.world, call.host, unit)
        if package is not None:
            db.erase(package)
    if purge:
        say(f"Purging configuration files for {name} ({row.version}) ...\n")
        del db.rows[name]
    else:
        db.rows[name] = Installed(name, row.version, "deinstall", "config-files")


def _configure(call: Call, package: Package, say: Any) -> None:
    """What a package's postinst does: its services are enabled, and started unless they are the kubelet."""
    for unit in package.units:
        if unit in systemd.enabled_units(call.host):
            continue
        link = f"/etc/systemd/system/multi-user.target.wants/{unit}"
        call.tree.mkdir(posixpath.dirname(link), True, now=call.world.wall)
        call.tree.symlink(f"/usr/lib/systemd/system/{unit}", link, now=call.world.wall)
        say(f"Created symlink {link} → /usr/lib/systemd/system/{unit}.\n")
        if unit != "kubelet.service":
            systemd.start_unit(call.world, call.host, unit)


# -- questions ----------------------------------------------------------------------------------------------------------
