"""What systemctl does with unit files: edit, mask, unmask, revert, list-unit-files, list-dependencies, and the warning of a stale unit."""

from __future__ import annotations

import posixpath

from ..host import files, systemd
from ..host.invocation import Call
from ..host.unitfiles import UnitNotFound, read
from ..shell.coreutils.common import Code

MARKS = (
    "### Anything between here and the comment below will become the contents of the drop-in file",
    "### Edits below this comment will be discarded",
)


def masked(call: Call, name: str) -> bool:
    """Whether a unit's file is a link to /dev/null."""
    path = f"/etc/systemd/system/{systemd.unit_name(name)}"
    try:
        node = call.tree.lookup(path, follow=False)
    except OSError:
        return False
    return node.kind == "link" and node.target == "/dev/null"


def stale(call: Call, unit: systemd.UnitFile) -> bool:
    """Whether a unit's files changed since the manager read them."""
    return unit.name in call.host.kept


def warn_if_stale(call: Call, unit: systemd.UnitFile) -> None:
    """systemctl's warning."""
    if stale(call, unit):
        call.err(
            f"Warning: The unit file, source configuration file or drop-ins of {unit.name} changed on disk. "
            "Run 'systemctl daemon-reload' to reload units.\n"
        )


def mask(call: Call, names: list[str], on: bool) -> int:
    """`mask` and `unmask`."""
    if call.uid:
        call.err(f"Failed to {'mask' if on else 'unmask'} unit: Interactive authentication required.\n")
        return 1
    for name in names:
        full = systemd.unit_name(name)
        path = f"/etc/systemd/system/{full}"
        if not on:
            if masked(call, full):
                files.remove_file(call.world, call.host, path)
                call.err(f'Removed "{path}".\n')
            continue
        if masked(call, full):
            continue
        if call.tree.exists(path):
            call.err(f"Failed to mask unit: File '{path}' already exists.\n")
            return 1
        try:
            systemd.load(call.world, call.host, full)
        except UnitNotFound:
            call.err(f"Unit {full} does not exist, proceeding anyway.\n")
        call.tree.symlink("/dev/null", path, now=call.world.wall)
        call.err(f"Created symlink {path} → /dev/null.\n")
    return 0


def edit(call: Call, names: list[str], flags: set[str]) -> Code:
    """`edit [--full] unit`: the drop-in `override.conf`, or the whole unit, in $SYSTEMD_EDITOR, $EDITOR or nano."""
    if call.uid:
        call.err("Failed to edit unit: Interactive authentication required.\n")
        return 1
    if not call.stdin_tty and "EDITOR" not in call.env and "SYSTEMD_EDITOR" not in call.env:
        call.err("Cannot edit units if not on a tty.\n")
        return 1
    for name in names:
        full = systemd.unit_name(name)
        try:
            unit = read(call.host, full)
        except UnitNotFound:
            call.err(f"No files found for {full}.\nRun 'systemctl edit --force --full {full}' to create a new unit.\n")
            return 1
        whole = "--full" in flags
        target = f"/etc/systemd/system/{full}" if whole else f"/etc/systemd/system/{full}.d/override.conf"
        draft = posixpath.join(posixpath.dirname(target), ".#" + posixpath.basename(target) + "1f0a2b3c")
        call.tree.mkdir(posixpath.dirname(target), True, now=call.world.wall)
        before = call.tree.read(target) if call.tree.exists(target) else b""
        call.write_file(
            draft, call.tree.read(unit.path) if whole and not before else before if whole else _draft(call, unit, target, before)
        )
        command = next((call.env[key] for key in ("SYSTEMD_EDITOR", "EDITOR", "VISUAL") if call.env.get(key)), "nano")
        code = yield from call.run(["/bin/bash", "-c", f"{command} '{draft}'"])
        text = call.tree.read(draft).decode("utf-8", "surrogateescape")
        call.tree.remove(draft)
        if code:
            call.err(f'Editing "{target}" failed: the editor returned {code}.\n')
            return 1
        body = text if whole else _between(text)
        if not body.strip():
            call.err(f'Editing "{target}" canceled: temporary file is empty.\n')
            continue
        files.write_file(call.world, call.host, target, body.encode("utf-8", "surrogateescape"), mode=0o644)
        call.err(f"Successfully installed edited file '{target}'.\n")
        systemd.reload(call.host)
    return 0


def _draft(call: Call, unit: systemd.UnitFile, target: str, before: bytes) -> bytes:
    parts = [f"### Editing {target}", MARKS[0], "", before.decode("utf-8", "surrogateescape").rstrip("\n"), "", MARKS[1], ""]
    for path in [unit.path, *(item for item in unit.drop_ins if item != target)]:
        parts += ["", f"### {path}"]
        parts += ["# " + line if line else "# " for line in call.tree.read(path).decode("utf-8", "surrogateescape").splitlines()]
    return ("\n".join(parts) + "\n").encode("utf-8", "surrogateescape")


def _between(text: str) -> str:
    start = text.find(MARKS[0])
    body = text[start + len(MARKS[0]) :] if start >= 0 else text
    end = body.find(MARKS[1])
    body = (body[:end] if end >= 0 else body).strip("\n")
    return body + "\n" if body.strip() else ""


def revert(call: Call, names: list[str]) -> int:
    """`revert`: what was changed below /etc goes."""
    for name in names:
        full = systemd.unit_name(name)
        folder = f"/etc/systemd/system/{full}.d"
        if call.tree.isdir(folder):
            for item in call.tree.listdir(folder):
                files.remove_file(call.world, call.host, f"{folder}/{item}")
                call.err(f'Removed "{folder}/{item}".\n')
            call.tree.remove(folder, True)
    systemd.reload(call.host)
    return 0


def list_unit_files(call: Call, names: list[str], state_of: dict[str, str], heading: bool) -> int:
    """`list-unit-files`."""
    rows = [
        (name, state) for name, state in sorted(state_of.items()) if not names or name in {systemd.unit_name(n) for n in names}
    ]
    width = max([len("UNIT FILE"), *(len(name) for name, _ in rows)])
    if heading:
        call.out(f"{'UNIT FILE':<{width}} {'STATE':<8} PRESET\n")
    for name, state in rows:
        call.out(f"{name:<{width}} {state:<8} {'enabled' if state in ('enabled', 'disabled') else '-'}\n")
    if heading:
        call.out(f"\n{len(rows)} unit files listed.\n")
    return int(bool(names) and not rows)


def list_dependencies(call: Call, names: list[str]) -> int:
    """`list-dependencies unit`."""
    for name in names or ["multi-user.target"]:
        full = systemd.unit_name(name)
        call.out(full + "\n")
        wanted = systemd.enabled_units(call.host) if full.endswith(".target") else []
        try:
            unit = systemd.load(call.world, call.host, full)
            for key in ("Requires", "Wants"):
                wanted += " ".join(unit.values("Unit", key)).split()
        except UnitNotFound:
            if not wanted:
                continue
        for n, one in enumerate(wanted):
            dot = {"active": "●", "failed": "×"}.get(systemd.state(call.host, one).active if one in call.host.units else "", "○")
            call.out(f"{dot} {'└─' if n == len(wanted) - 1 else '├─'}{one}\n")
    return 0
