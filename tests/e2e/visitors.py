"""Visitors of the real site: a browser profile in one language, whose pages are looked at by axe and kept as pictures."""

from __future__ import annotations

from dataclasses import dataclass

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from tests.e2e import bench, site
from tests.e2e.conftest import RESULTS

PASSWORD = "a-long-wharf-2468"


@dataclass
class Visitor:
    """Somebody's browser in one language; what went wrong in it is collected."""

    context: BrowserContext
    page: Page
    base: str
    lang: str
    name: str
    errors: list[str]

    def go(self, path: str) -> None:
        self.page.goto(self.base + path.format(lang=self.lang))

    def keep(self, name: str, *, full: bool = True) -> None:
        """A picture of the page, after axe has found nothing wrong in it."""
        RESULTS.mkdir(exist_ok=True)
        self.page.screenshot(path=RESULTS / f"{self.lang}-{name}.png", full_page=full)
        found = Axe().run(self.page).response["violations"]
        assert [(v["id"], [n["target"] for n in v["nodes"]], v["nodes"][0].get("failureSummary")) for v in found] == []


def visit(browser: Browser, base: str, lang: str, name: str, *, width: int = 1440) -> Visitor:
    """A fresh browser profile; a phone's where it is narrow."""
    locale = {"en": "en-GB", "ko": "ko-KR"}[lang]
    phone = width < 600
    context = browser.new_context(
        viewport={"width": width, "height": 844 if phone else 1000},
        locale=locale,
        reduced_motion="reduce",
        is_mobile=phone,
        has_touch=phone,
    )
    context.set_default_timeout(bench.PATIENCE)
    errors: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    return Visitor(context, page, base, lang, name, errors)


def log_in(visitor: Visitor, running: site.Site, role: str) -> None:
    """As one of the accounts that the site printed."""
    name, password = running.accounts[role]
    visitor.name = name
    visitor.go("/{lang}/accounts/login/")
    visitor.page.fill("[name=login]", name)
    visitor.page.fill("[name=password]", password)
    visitor.page.locator("main button[type=submit]").click()
    visitor.page.wait_for_selector("header .who")


def invite_link(teacher: Visitor) -> str:
    """The address of an invite of the teacher's first cohort."""
    teacher.go("/{lang}/cohorts/")
    teacher.page.locator('a[href*="/members/"]').first.click()
    return teacher.page.locator(".invites input").first.input_value()


def sign_up(visitor: Visitor, link: str, *, looked_at: bool = True) -> None:
    """Opens the invite, makes an account, joins."""
    page = visitor.page
    page.goto(link)
    if looked_at:
        visitor.keep("join")
    page.locator("main a[href*='/signup/']").click()
    if looked_at:
        visitor.keep("signup")
    page.fill("[name=username]", visitor.name)
    if page.locator("[name=email]").count():
        page.fill("[name=email]", f"{visitor.name}@example.org")
    page.fill("[name=password1]", PASSWORD)
    if page.locator("[name=password2]").count():
        page.fill("[name=password2]", PASSWORD)
    page.locator("main button[type=submit]").click()
    page.wait_for_selector("header .who")
    page.goto(link)
    page.locator("main form button[type=submit]").click()
    page.wait_for_load_state()
