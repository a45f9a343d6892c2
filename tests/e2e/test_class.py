"""A graded quiz from beginning to end, in the browser: an instructor makes a cohort and a quiz, three learners take it on three devices, a
wrong key is mended, the regrade is looked at and published, and every figure is what a hand with paper and pencil gets.

| question | points | right | ada answers | bora answers | cho answers |
|---|---|---|---|---|---|
| port | 2 | 6443 (the key says 10250 at first) | 6443 | 10250 | 6443 |
| books | 1 | true | true | false | false |
| quorum | 1 | 2 | 2 | 3 | 2 |
| captain | 1 | kubelet | kubelet | kubelet | nothing |

By the wrong key 3, 3 and 1 points of 5, by the right one 5, 1 and 3.  Cho hands in a day and an hour after the due date, which takes 10
percent for each day begun: 0.8 and 2.4.
"""

from __future__ import annotations

import contextlib
import csv
import datetime
import io
import re
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Browser, Locator, Page, TimeoutError

from tests.e2e import bench, site
from tests.e2e.visitors import Visitor, log_in, sign_up, visit

PORT = """id: port
type: single
points: 2
text: {ko: "kube-apiserver는 어느 포트에서 듣습니까?", en: "On which port does kube-apiserver listen?"}
choices:
  - {text: "6443"RIGHT}
  - {text: "10250"WRONG}
  - {text: "2379"}
"""
QUESTIONS = [
    PORT.replace("RIGHT", "").replace("WRONG", ", correct: true"),
    """id: books
type: truefalse
text: {ko: "etcd에는 API 서버만 읽고 씁니다.", en: "Only the API server reads and writes etcd."}
answer: true
""",
    """id: quorum
type: numeric
text: {ko: "멤버 셋의 정족수는?", en: "What is the quorum of three members?"}
answer: 2
""",
    """id: captain
type: short
text: {ko: "노드에서 파드를 실행하는 프로그램은?", en: "Which program runs pods on a node?"}
accept: [kubelet]
""",
]


@pytest.fixture
def crew(chromium: Browser, running_site: site.Site) -> Iterator[dict[str, Visitor]]:
    """The instructor, and three learners: at a desk, with a phone, with a tablet."""
    made = {
        "teacher": visit(chromium, running_site.url, "en", "teacher"),
        "ada": visit(chromium, running_site.url, "en", "ada"),
        "bora": visit(chromium, running_site.url, "ko", "bora", width=390),
        "cho": visit(chromium, running_site.url, "en", "cho", width=820),
    }
    yield made
    for visitor in made.values():
        visitor.context.close()
        # a lost network is said in the console, and a form with blanks is sent back with 422: both are part of the story
        assert [said for said in visitor.errors if "ERR_INTERNET_DISCONNECTED" not in said and "422" not in said] == []


def make_cohort(teacher: Visitor) -> str:
    """Makes a cohort; gives its address below the language."""
    page = teacher.page
    teacher.go("/en/cohorts/")
    page.fill("[name=name]", "Story")
    page.locator("form:has([name=course]) button[type=submit]").click()
    page.wait_for_url("**/members/")
    return re.sub(r".*/en(/cohorts/\d+/).*", r"\1", page.url)


def make_quiz(teacher: Visitor, cohort: str) -> str:
    """Writes a quiz with its questions, the first with a wrong key, and sets its terms; gives its number."""
    page = teacher.page
    teacher.go(f"/en{cohort}assignments/")
    page.locator("#new-quiz summary").click()
    page.fill("[name=title_en]", "Harbour entrance test")
    page.fill("[name=title_ko]", "입항 시험")
    page.locator("#new-quiz button[type=submit]").click()
    page.wait_for_url("**/questions/")
    number = re.sub(r".*/assignments/(\d+)/.*", r"\1", page.url)
    for source in QUESTIONS:
        page.select_option("[name=type]", source.split("type: ")[1].split("\n")[0])
        page.locator("form:has([name=type]) button").click()
        page.fill("[name=source]", source)
        page.locator("button[name=do][value=save]").click()
        page.wait_for_url("**/questions/")
    assert page.locator("table tbody tr").count() == 4
    teacher.keep("class-questions")
    teacher.go(f"/en{cohort}assignments/{number}/")
    due = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    page.locator("details:has(form.terms) > summary").click()
    page.fill("[name=due_at]", due.strftime("%Y-%m-%dT%H:%M"))
    for name, value in (("minutes", "20"), ("attempts", "1"), ("late_percent", "10"), ("access_code", "blue anchor")):
        page.fill(f"[name={name}]", value)
    page.select_option("[name=late]", "percent")
    page.locator("form.terms button[type=submit]").click()
    page.wait_for_load_state()
    return number


def begin(visitor: Visitor, cohort: str, quiz: str) -> Page:
    """From the course's page into the attempt, with the access code; gives the page with the questions."""
    page = visitor.page
    visitor.go("/{lang}/courses/cluster-architecture/")
    page.locator(f"main a[href='/{visitor.lang}{cohort}quizzes/{quiz}/']").click()
    page.fill("[name=code]", "Blue Anchor")
    page.locator("main form[data-once] button").click()
    page.wait_for_selector("form[data-autosave]")
    return page


def asked(page: Page, slug: str) -> Locator:
    """The sheet of one question."""
    return page.locator(f"section.question:has([name='q.{slug}'])")


def answer(page: Page, **given: str) -> None:
    """Answers these questions."""
    for slug, value in given.items():
        sheet = asked(page, slug)
        if slug in ("port", "books"):
            sheet.locator("label", has_text=value).click()
        else:
            sheet.locator(f"input[name='q.{slug}']").fill(value)


#: What a page knows about its answers and the requests that carried them.
STATE = """() => JSON.stringify({
  saved: document.querySelector('[data-autosave]')?.dataset.saved,
  words: document.querySelector('[data-save-state]')?.innerText,
  kept: Object.fromEntries(Object.entries(localStorage).filter(([key]) => key.includes('answers'))),
  online: navigator.onLine,
  now: Math.round(performance.now()),
  failed: performance.getEntriesByType('resource').filter((r) => !r.responseStatus || r.responseStatus >= 400).map((r) => r.name),
  sent: performance.getEntriesByType('resource').filter((r) => r.name.endsWith('/save/'))
    .map((r) => [Math.round(r.startTime), Math.round(r.duration), r.responseStatus]),
})"""


def saved(page: Page) -> None:
    """Waits until the page says that the server has everything; tells what it knows where it never does."""
    try:
        page.wait_for_selector("form[data-autosave][data-saved=ok]", state="attached")
    except TimeoutError:
        pytest.fail(f"not saved: {page.evaluate(STATE)}")


def hand_in(page: Page, *, blank: bool = False) -> None:
    """I am done; are you sure; yes."""
    page.locator("button[name=then][value=submit]").click()
    page.wait_for_url("**/submit/")
    if blank:
        page.check("[name=blank]")
    page.locator("main form[data-once] button[type=submit]").click()
    page.wait_for_selector(".results")


def fits(page: Page) -> None:
    """Nothing is wider than the phone."""
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, page.url


def seconds_left(page: Page) -> int:
    """What the attempt's clock shows."""
    parts = [int(part) for part in page.locator("[data-time-left]").inner_text().split(":")]
    return sum(part * 60**place for place, part in enumerate(reversed(parts)))


def loses_the_network(ada: Visitor, cohort: str, quiz: str) -> None:
    """Answers offline, sees that they are kept, loses the page, and finds them sent when the network is back."""
    page = begin(ada, cohort, quiz)
    answer(page, port="6443")
    saved(page)
    ada.context.set_offline(True)
    answer(page, books="True", quorum="2")
    page.locator("[data-save-state]", has_text="kept").wait_for()
    here = page.url
    page.goto("about:blank")  # the page is gone before the network is back
    ada.context.set_offline(False)
    page.goto(here)
    saved(page)
    assert asked(page, "quorum").locator("input[name='q.quorum']").input_value() == "2"
    assert asked(page, "books").locator("input:checked").count() == 1
    answer(page, captain=" KUBELET")
    saved(page)
    ada.keep("class-attempt")
    hand_in(page)


def is_given_time(bora: Visitor, teacher: Visitor, cohort: str, quiz: str) -> None:
    """On a phone, in Korean; in the middle the instructor grants half an hour, which the next save shows."""
    page = begin(bora, cohort, quiz)
    answer(page, port="10250")
    saved(page)
    fits(page)
    assert 0 < seconds_left(page) <= 20 * 60
    teacher.go(f"/en{cohort}assignments/{quiz}/")
    teacher.page.locator("tr", has_text="bora").get_by_role("link", name=re.compile("Grant")).click()
    teacher.page.fill("[name=extra_minutes]", "30")
    teacher.page.fill("[name=reason]", "A slow machine")
    teacher.page.locator("main form button[type=submit]").click()
    teacher.page.wait_for_url(f"**/assignments/{quiz}/")
    answer(page, books="거짓", quorum="3", captain="kubelet")
    saved(page)
    page.wait_for_function("() => document.querySelector('[data-time-left]').textContent.startsWith('49')")
    bora.keep("class-attempt-phone")
    hand_in(page)
    fits(page)
    bora.keep("class-result-phone")


def a_day_passes(running: site.Site, quiz: str, hours: int) -> None:
    """Time goes by: everything that has happened with this quiz is so much longer ago."""
    back = {"by": f"-{hours} hours", "quiz": quiz, "form": "%Y-%m-%d %H:%M:%f"}
    with contextlib.closing(sqlite3.connect(running.var / "slipway.sqlite3", timeout=20)) as database, database:
        database.execute("UPDATE quizzes_assignment SET due_at = strftime(:form, due_at, :by) WHERE quiz_id = :quiz", back)
        database.execute(
            "UPDATE quizzes_quizattempt SET started_at = strftime(:form, started_at, :by), saved_at = strftime(:form, saved_at, :by), "
            "submitted_at = strftime(:form, submitted_at, :by) WHERE quiz_id = :quiz",
            back,
        )


def is_late(cho: Visitor, cohort: str, quiz: str) -> None:
    """Hands in after the due date with one question left blank."""
    page = begin(cho, cohort, quiz)
    answer(page, port="6443", books="False", quorum="2")
    saved(page)
    hand_in(page, blank=True)
    assert "20%" in page.locator("main").inner_text()


def mend_and_regrade(teacher: Visitor, cohort: str, quiz: str) -> None:
    """Mends the key, looks at who would change by how much, publishes."""
    page = teacher.page
    teacher.go(f"/en{cohort}assignments/{quiz}/questions/port/")
    page.fill("[name=source]", PORT.replace("RIGHT", ", correct: true").replace("WRONG", ""))
    page.locator("button[name=do][value=save]").click()
    page.wait_for_url("**/questions/")
    teacher.go(f"/en{cohort}assignments/{quiz}/")
    page.fill("form[action$='/regrades/'] [name=reason]", "The key named the kubelet’s port")
    page.locator("form[action$='/regrades/'] button").click()
    page.wait_for_selector("form[action$='/publish/']")
    assert table(page) == [
        ["ada", "3", "5", "+2", "port 0 → 2"],
        ["bora", "3", "1", "-2", "port 2 → 0"],
        ["cho", "0.8", "2.4", "+1.6", "port 0 → 2"],
    ]
    teacher.keep("class-regrade")
    page.locator("form[action$='/publish/'] button").click()
    page.wait_for_load_state()


def table(page: Page) -> list[list[str]]:
    """The rows of a page's first table."""
    return [[cell.inner_text().strip() for cell in row.locator("th, td").all()] for row in page.locator("main tbody tr").all()]


def fetched(teacher: Visitor, path: str) -> bytes:
    """A file, with the instructor's cookies."""
    response = teacher.context.request.get(teacher.base + path)
    assert response.status == 200, path
    return response.body()


def check_figures(teacher: Visitor, cohort: str, quiz: str) -> None:
    """Gradebook, exports and item analysis against what was computed by hand (the module's table)."""
    points = {"ada": 5, "bora": 1, "cho": 2.4}
    teacher.go(f"/en{cohort}gradebook/?show=quizzes&sort=-sum")
    head = teacher.page.locator("thead th").all_inner_texts()
    place = next(number for number, text in enumerate(head) if text.startswith("1.Q2"))
    rows = table(teacher.page)
    assert [(row[0], row[place].split()[0]) for row in rows] == [("ada", "5"), ("cho", "2.4"), ("bora", "1")]
    assert "late" in rows[1][place]
    text = fetched(teacher, f"/en{cohort}gradebook/grades.csv").decode("utf-8-sig")
    in_csv = {row["learner"]: row for row in csv.DictReader(io.StringIO(text))}
    column = next(name for name in in_csv["ada"] if name.startswith("quiz own-"))
    assert column.endswith("(/5)")
    assert {name: float(row[column]) for name, row in in_csv.items()} == points
    assert {name: float(row["sum"]) for name, row in in_csv.items()} == points
    for name, row in in_csv.items():
        assert float(row["percent"]) == pytest.approx(100 * points[name] / float(row["of"]), abs=0.01)
    sheet: Any = load_workbook(io.BytesIO(fetched(teacher, f"/en{cohort}gradebook/grades.xlsx"))).active
    lines = list(sheet.values)
    assert {row[0]: row[lines[0].index(column)] for row in lines[1:]} == points

    items = fetched(teacher, f"/en{cohort}items/quizzes/{quiz}/table.csv").decode("utf-8-sig")
    by_slug = {row["question"]: row for row in csv.DictReader(io.StringIO(items))}
    facility = {slug: float(by_slug[slug]["facility"]) for slug in ("port", "books", "quorum", "captain")}
    assert facility == {"port": 0.6667, "books": 0.3333, "quorum": 0.6667, "captain": 0.6667}
    # points of `port` 2 0 2 beside the rest 3 1 1: Σ of products 4/3, sums of squares 8/3 and 8/3
    assert float(by_slug["port"]["discrimination"]) == 0.5
    # variances 4/3 + 3 · 1/3, of the totals 5 1 3: 4; 4/3 · (1 − 7/3 / 4)
    assert float(by_slug["*"]["alpha_without"]) == pytest.approx(4 / 3 * (1 - (7 / 3) / 4), abs=1e-4)
    assert by_slug["port"]["answers"].startswith("*6443: 2") or "*6443: 2" in by_slug["port"]["answers"]
    assert by_slug["captain"]["blank"] == "1"


def test_a_quiz_is_made_taken_mended_and_counted(crew: dict[str, Visitor], running_site: site.Site) -> None:
    teacher, ada, bora, cho = (crew[name] for name in ("teacher", "ada", "bora", "cho"))
    log_in(teacher, running_site, "instructor")
    cohort = make_cohort(teacher)
    link = teacher.page.locator(".invites input").first.input_value()
    quiz = make_quiz(teacher, cohort)
    for learner in (ada, bora, cho):
        sign_up(learner, link, looked_at=False)
    loses_the_network(ada, cohort, quiz)
    is_given_time(bora, teacher, cohort, quiz)
    a_day_passes(running_site, quiz, hours=26)
    is_late(cho, cohort, quiz)
    mend_and_regrade(teacher, cohort, quiz)
    check_figures(teacher, cohort, quiz)
    for lang in ("en", "ko"):
        teacher.lang = lang
        for name, path in (("gradebook", "gradebook/"), ("items", f"items/quizzes/{quiz}/"), ("dashboard-class", "")):
            teacher.go(f"/{{lang}}{cohort}{path}")
            teacher.keep(f"class-{name}")
    # the learner reads why
    ada.go(f"/{{lang}}{cohort}my-grades/")
    mine = ada.page.locator("li.panel", has_text="Harbour entrance test")
    assert mine.locator(".pts").inner_text() == "5 / 5"
    mine.locator("summary").click()
    assert "The key named the kubelet’s port" in mine.inner_text()
    ada.keep("class-my-grades")
    cho.go(f"/{{lang}}{cohort}my-grades/")
    assert "Handed in late: 20% less." in cho.page.locator("li.panel", has_text="Harbour entrance test").inner_text()
    bora.go(f"/{{lang}}{cohort}my-grades/")
    fits(bora.page)


def sees(page: Page, text: str) -> None:
    """Waits until the terminal's screen has this."""
    page.wait_for_function(f"(text) => ({bench.CONTENTS})('controlplane').includes(text)", arg=text)


def test_an_instructor_looks_on_and_types_along_only_when_allowed(crew: dict[str, Visitor], running_site: site.Site) -> None:
    """Two browsers: the learner sees who looks, the watcher steers nothing until the learner lets them, and a message arrives."""
    teacher, learner = crew["teacher"], crew["ada"]
    log_in(learner, running_site, "learner")
    log_in(teacher, running_site, "instructor")
    theirs = learner.page
    learner.go("/{lang}/courses/cluster-architecture/architecture/why-a-fleet/")
    bench.ready(theirs)
    bench.run(theirs, "echo ahoy")
    sees(theirs, "\nahoy")

    page = teacher.page
    teacher.go("/{lang}/cohorts/")
    page.locator("main table tbody tr").last.locator("a").first.click()  # the cohort that the site came with
    page.locator(".desk-nav a[href$='/wall/']").click()
    page.locator("ul.wall li", has_text=learner.name).get_by_role("link", name=re.compile("^Watch")).click()
    bench.ready(page)
    sees(page, "echo ahoy")
    assert page.locator("[data-time=pause]").is_hidden()
    assert page.locator("[data-undo]").count() == 0
    teacher.keep("watch", full=False)
    banner = theirs.locator(".bench-watched")
    banner.get_by_text("is watching").wait_for()

    page.get_by_role("button", name="Ask to type along").click()
    banner.get_by_text("asks to type along").wait_for()
    learner.keep("watched", full=False)
    theirs.locator("[data-watch-allow]").click()
    page.locator("[data-time=pause]").wait_for()
    bench.run(page, "echo together")
    sees(theirs, "\ntogether")
    banner.get_by_role("button").last.click()
    page.locator("[data-time=pause]").wait_for(state="hidden")

    page.fill("#say", "Look at the events")
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Sent to").wait_for()
    theirs.reload()
    theirs.get_by_text("Look at the events").wait_for()
    page.get_by_role("button", name="Fork to help").click()
    bench.ready(page)
    sees(page, "echo ahoy")
    bench.run(page, "echo in the copy")
    sees(page, "\nin the copy")
    theirs.reload()
    bench.ready(theirs)
    sees(theirs, "echo together")
    assert "in the copy" not in bench.screen(theirs)
