"""Everything that must be done before the site starts, each step only when something has changed since it was done last."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable
from pathlib import Path

from django.conf import settings
from django.core.management import CommandError, call_command

from . import demo


def fingerprint(files: Iterable[Path]) -> str:
    """Changes when a file does (by name, size and time)."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(files):
        stat = path.stat()
        digest.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def static_sources() -> list[Path]:
    """The files that collectstatic would gather."""
    from django.contrib.staticfiles import finders

    found = []
    for finder in finders.get_finders():
        for name, storage in finder.list([]):
            found.append(Path(storage.path(name)))
    return found


def once(name: str, mark: str, work: Callable[[], object]) -> bool:
    """Do `work` unless it was done for the same mark; the stamp is written after it succeeded."""
    stamp = Path(settings.VAR_DIR) / "stamps" / name
    if stamp.exists() and stamp.read_text() == mark:
        return False
    work()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(mark)
    return True


def compile_messages() -> None:
    """Make `.mo` files of the catalogues, without needing gettext on the machine."""
    import polib

    for catalogue in sorted(Path(root) for root in settings.LOCALE_PATHS):
        for source in sorted(catalogue.glob("*/LC_MESSAGES/*.po")):
            target = source.with_suffix(".mo")
            if not target.exists() or target.stat().st_mtime_ns < source.stat().st_mtime_ns:
                polib.pofile(str(source)).save_as_mofile(str(target))


def collect_static() -> None:
    """Gather, hash and compress static files, unless they are the same as last time."""
    if settings.DEBUG:
        return
    mark = fingerprint(static_sources()) + str(settings.STORAGES["staticfiles"]["BACKEND"]) + str(settings.STATIC_ROOT)
    once("static", mark, lambda: call_command("collectstatic", interactive=False, verbosity=0))


def load_courses() -> None:
    """Put the courses up, unless neither their files nor what reads them nor what is up has changed; raises CommandError."""
    from lessons.models import Course, Version

    def mark() -> str:
        files = [path for folder in ("content", "loading") for path in (settings.BASE_DIR / "lessons" / folder).rglob("*")]
        newest = Version.objects.order_by("-pk").values_list("pk", flat=True).first()
        return (
            f"{fingerprint(path for path in files if path.is_file() and path.suffix != '.pyc')} {newest} {Course.objects.count()}"
        )

    stamp = Path(settings.VAR_DIR) / "stamps" / "courses"
    if stamp.exists() and stamp.read_text() == mark():
        return
    call_command("loadcourse", stdout=io.StringIO())
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(mark())


def prepare(say: Callable[[str], None]) -> demo.Accounts | None:
    """All steps; returns the demo accounts, if there are any."""
    compile_messages()
    say("static files …")
    collect_static()
    say("database …")
    call_command("migrate", interactive=False, verbosity=0)
    say("course …")
    try:
        load_courses()
    except CommandError as error:  # wrong files: the course that was loaded before stays up
        say(f"the course was not loaded: {error}")
    return demo.ensure()
