"""`make pictures`: the documentation's pictures, taken anew from today's pages.

Starts the site as `make run` does on a folder of its own, lets `manage.py democlass --learners 30 --seed 1` play a class, and photographs its
pages in a headless Chromium, in both languages: `docs/images/NAME.png` and `NAME.ko.png`.  `--var FOLDER` keeps the folder: the class is
played once, and a later run begins with the pictures.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e import bench, site
from tests.e2e.conftest import launch

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
LESSON = "/courses/cluster-architecture/architecture/why-a-fleet/"
#: CSS pixels of a desk's window and of a telephone's
DESK, PHONE = (1440, 900), (390, 844)


def main(argv: list[str]) -> int:
    """Everything, or the pictures whose names are given."""
    parser = argparse.ArgumentParser(prog="python -m tools.pictures", description=__doc__)
    parser.add_argument("--var", type=Path, help="a folder to keep the site in (default: one that goes away)")
    parser.add_argument("--learners", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(PICTURES)}; default: all")
    given = parser.parse_args(argv)
    if unknown := sorted(set(given.names) - set(PICTURES)):
        parser.error(f"no picture is called {', '.join(unknown)}; there are {', '.join(PICTURES)}")
    with tempfile.TemporaryDirectory(prefix="slipway-pictures-", ignore_cleanup_errors=True) as folder:
        var = given.var or Path(folder)
        var.mkdir(parents=True, exist_ok=True)
        running = site.start(var, seconds=600)
        try:
            play(var, given.learners, given.seed)
            photograph(running, given.names or list(PICTURES), seed=given.seed)
        finally:
            running.stop()
    return 0


def play(var: Path, learners: int, seed: int) -> None:
    """The class, unless the folder has it."""
    command = [sys.executable, "manage.py", "democlass", "--learners", str(learners), "--seed", str(seed)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"SLIPWAY_VAR": str(var)}, capture_output=True, text=True, check=False
    )
    if done.returncode and "there is a class of seed" not in done.stderr:
        raise SystemExit(f"the class could not be played:\n{done.stderr[-2000:]}")


def photograph(running: site.Site, names: list[str], *, seed: int) -> None:
    """The pictures of these names, in both languages."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for lang in ("en", "ko"):
            for name in names:
                size, role, take = PICTURES[name]
                page = visitor(browser, running, lang, role, size)
                take(page, f"{running.url}/{lang}", seed)
                page.screenshot(path=IMAGES / (f"{name}.png" if lang == "en" else f"{name}.{lang}.png"))
                page.context.close()
                print(f"{name} ({lang})", flush=True)


def visitor(browser: Browser, running: site.Site, lang: str, role: str, size: tuple[int, int]) -> Page:
    """A page of somebody who is logged in, in light colours, without motion."""
    phone = size == PHONE
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        locale={"en": "en-GB", "ko": "ko-KR"}[lang],
        timezone_id="Asia/Seoul",
        color_scheme="light",
        reduced_motion="reduce",
        is_mobile=phone,
        has_touch=phone,
        device_scale_factor=2 if phone else 1,
    )
    context.set_default_timeout(60_000)
    page = context.new_page()
    name, password = running.accounts[role]
    page.goto(f"{running.url}/{lang}/accounts/login/")
    page.fill("[name=login]", name)
    page.fill("[name=password]", password)
    page.locator("main button[type=submit]").click()
    page.wait_for_selector("header .who")
    return page


# -- one function a picture: opens the page and waits until it is as it should be seen ---------------------------------------


def _cohort(page: Page, base: str, seed: int) -> str:
    """The address of the demo class."""
    page.goto(f"{base}/cohorts/")
    return str(page.get_by_role("link", name=f"Demo class {seed}", exact=True).first.evaluate("link => link.href"))


def dashboard(page: Page, base: str, seed: int) -> None:
    """Who stands where, who is stuck."""
    page.goto(_cohort(page, base, seed))


def gradebook(page: Page, base: str, seed: int) -> None:
    """Quizzes, by the sum."""
    page.goto(f"{_cohort(page, base, seed)}gradebook/?show=quizzes&sort=-sum")


def items(page: Page, base: str, seed: int) -> None:
    """The analysis of the first quiz that many have taken."""
    page.goto(f"{_cohort(page, base, seed)}items/")
    page.locator("main a[href*='/items/quizzes/']").first.click()
    page.wait_for_load_state()


def replay(page: Page, base: str, seed: int) -> None:
    """A session of a learner who is stuck, at its last failure."""
    page.goto(_cohort(page, base, seed))
    page.locator(".stuck a[href$='/replay/']").first.click()
    for _ in range(2):
        page.locator("[data-failure='1']").click()
        page.wait_for_selector(".replay-map svg.map")
        page.wait_for_load_state("networkidle")


def quiz(page: Page, base: str, _seed: int) -> None:
    """The first chapter's quiz on a telephone."""
    page.goto(f"{base}/courses/cluster-architecture/architecture/quiz/")
    page.locator("main form[data-once] button, main a[href*='/quiz-attempts/']").first.click()
    page.wait_for_selector("form[data-autosave]")
    page.locator("section.question").nth(1).scroll_into_view_if_needed()


def lesson(page: Page, base: str, _seed: int) -> None:
    """Text, map and terminal after a command."""
    page.goto(f"{base}{LESSON}")
    bench.ready(page)
    if "kubectl get nodes" not in bench.screen(page):
        bench.run(page, "kubectl get nodes")
    page.wait_for_function(f"() => ({bench.CONTENTS})('controlplane').includes('node02')")
    page.wait_for_load_state("networkidle")


#: name → window, whose account, how to get there
PICTURES: dict[str, tuple[tuple[int, int], str, Callable[[Page, str, int], None]]] = {
    "lesson": (DESK, "learner", lesson),
    "quiz-phone": (PHONE, "learner", quiz),
    "dashboard": (DESK, "instructor", dashboard),
    "gradebook": (DESK, "instructor", gradebook),
    "items": (DESK, "instructor", items),
    "replay": (DESK, "instructor", replay),
}

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
