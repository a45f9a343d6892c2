"""A newcomer's whole path through the real site in both languages: join, sign up, read, type the seed's commands, pass an
exercise, take the quiz; and the instructor sees it.

No page breaks axe's rules or the security policy, and a picture of each is kept in `test-results/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e import answers, bench, site
from tests.e2e.visitors import Visitor, invite_link, log_in, sign_up, visit

WORDS = {"en": {"passed": "Passed, 10 of 10 points", "saved": "saved"}, "ko": {"passed": "통과, 10점 중 10점", "saved": "저장됨"}}
LESSON = "/{lang}/courses/cluster-architecture/{chapter}/{lesson}/"

#: Commands of the seed notes as a newcomer types them, and what the terminal must then show.
SEED = [
    ("kubectl get pods -n kube-system", r"etcd-controlplane +1/1 +Running"),
    ("kubectl get nodes", r"node02 +Ready"),
    ("ctr images pull docker.io/library/redis:alpine", r"redis:alpine"),
    ("crictl pods", r"kube-apiserver-controlplane"),
    ("crictl ps -a", r"kube-scheduler"),
    ("crictl images", r"registry\.k8s\.io/etcd"),
    ("nerdctl run --name webserver -p 80:80 -d nginx", r"\b[0-9a-f]{64}\b"),
    ("nerdctl ps", r"webserver"),
    ("etcdctl get / --prefix -keys-only", r"unknown shorthand flag: 'k' in -keys-only"),
    (
        "kubectl exec etcd-controlplane -n kube-system -- etcdctl --cacert=/etc/kubernetes/pki/etcd/ca.crt "
        "--cert=/etc/kubernetes/pki/etcd/server.crt --key=/etc/kubernetes/pki/etcd/server.key get / --prefix --keys-only",
        r"/registry/pods/kube-system/etcd-controlplane",
    ),
]


@pytest.fixture(params=["en", "ko"])
def newcomer(request: pytest.FixtureRequest, chromium: Browser, running_site: site.Site) -> Iterator[Visitor]:
    """Somebody who has never been here."""
    visitor = visit(chromium, running_site.url, request.param, f"newcomer-{request.param}")
    yield visitor
    visitor.context.close()
    assert visitor.errors == []


@pytest.fixture
def instructor(chromium: Browser, running_site: site.Site, newcomer: Visitor) -> Iterator[Visitor]:
    """The demo instructor, logged in, in the newcomer's language."""
    visitor = visit(chromium, running_site.url, newcomer.lang, "instructor")
    log_in(visitor, running_site, "instructor")
    yield visitor
    visitor.context.close()
    assert visitor.errors == []


def type_command(page: Page, command: str, expected: str) -> None:
    """Types a command into the terminal and waits for its answer and the next prompt."""
    before = len(bench.screen(page))
    bench.run(page, command)
    wait = """([before, name]) => {
      const { panel } = document.querySelector('[data-bench]').bench;
      const { view } = panel.tabs.get(name);
      return panel.sessions.get(name).ready && view.idle && view.contents().length > before;
    }"""
    page.wait_for_function(wait, arg=[before, "controlplane"])
    shown = bench.screen(page)
    assert command in shown, f"{command!r} is not on the screen:\n{shown[-1500:]}"
    assert re.search(expected, shown[shown.rindex(command) :]), (
        f"{command}: wanted {expected!r}, the screen says:\n{shown[-1500:]}"
    )


def read_first_lesson(visitor: Visitor) -> None:
    """The course page, then the first lesson with its terminal and map."""
    page = visitor.page
    visitor.go("/{lang}/courses/cluster-architecture/")
    visitor.keep("course")
    page.locator("a[href*='/why-a-fleet/']").first.click()
    bench.ready(page)
    page.wait_for_selector("svg.map")
    bench.shows(page, "#" if "#" in bench.screen(page) else "$")
    page.locator(".cmd [data-run]").first.click()
    page.wait_for_function("() => document.querySelector('[data-bench]').bench.panel.view.contents().split('\\n').length > 2")
    for command, expected in SEED:
        type_command(page, command, expected)
    visitor.keep("lesson", full=False)
    page.locator("#read-button").click()
    page.wait_for_selector("#read .st.ok")


def pass_exercise(visitor: Visitor) -> None:
    """Fails the check first, then does the work and passes."""
    page = visitor.page
    folder = answers.COURSE / "01-architecture"
    lesson = next(p for p in folder.glob(f"lesson-*.{visitor.lang}.md") if ":::try first-cargo" in p.read_text("utf-8"))
    visitor.go(LESSON.replace("{chapter}", "architecture").replace("{lesson}", lesson.name.split(".")[0].removeprefix("lesson-")))
    bench.ready(page)
    panel = page.locator("#try-first-cargo")
    panel.locator("[data-check] button").click()
    panel.locator(".fail-box").first.wait_for()
    visitor.keep("exercise-failed")
    type_command(page, "kubectl create deployment web --image=nginx --replicas=3", "deployment.apps/web created")
    page.wait_for_selector(".tl-event")
    page.locator('[data-time="speed-10"]').click()
    page.wait_for_function("""() => document.querySelector('[data-bench]').bench.view.hosts.flatMap((h) => h.pods)
      .filter((p) => p.name.startsWith('web-') && p.state === 'healthy').length === 3""")  # fmt: skip
    panel.locator("[data-check] button").click()
    panel.locator(".pass").wait_for()
    assert WORDS[visitor.lang]["passed"] in panel.locator(".pass").inner_text()
    visitor.keep("exercise-passed")


def ask_why(visitor: Visitor) -> None:
    """Selects a pod on the map: its causes lead back to the command."""
    page = visitor.page
    part = page.locator('svg.map [data-id^="pod:default/web-"]').first
    part.focus()
    part.press("Enter")
    causes = page.locator(".inspect .why li")
    causes.first.wait_for()
    assert "kubectl create deployment web" in causes.first.inner_text()
    assert causes.count() >= 5
    visitor.keep("why", full=False)
    page.locator(".inspect-close").click()


def travel_in_time(visitor: Visitor) -> None:
    """Undoes the last input, looks at an earlier moment on the map, goes on from there, and comes back."""
    page = visitor.page
    type_command(page, "kubectl delete deployment web", 'deployment.apps "web" deleted')
    page.locator("[data-undo]").click()
    page.wait_for_function(
        "() => !document.querySelector('[data-bench]').bench.panel.view?.contents().includes('delete deployment')"
    )
    bench.ready(page)
    pods = """(n) => document.querySelector('[data-bench]').bench.view?.hosts.flatMap((h) => h.pods)
      .filter((p) => p.name.startsWith('web-')).length === n"""
    page.wait_for_function(pods, arg=3)
    type_command(page, "echo still here", "still here")

    page.locator("[data-past]").click()
    page.locator(".past-moment", has_text="kubectl create deployment web").click()
    page.locator(".bench-past [data-branch]").wait_for()
    page.wait_for_function(pods, arg=0)
    visitor.keep("past")
    lens = page.locator(".lens-apiserver .lens-body")
    page.evaluate("() => document.querySelector('button[data-lens=apiserver]').click()")
    lens.wait_for()
    assert "deployments/default/web" not in lens.inner_text(), "a lens shows the moment that is looked at"
    page.locator("#bench-past-at").press("End")
    page.wait_for_function("() => document.querySelector('.lens-body').textContent.includes('deployments/default/web')")
    page.evaluate("() => document.querySelector('button[data-lens=ships]').click()")
    page.wait_for_function(pods, arg=3)
    page.keyboard.press("Escape")
    page.locator(".bench-past [data-now]").click()
    page.locator(".bench-past").wait_for(state="hidden")

    take_up(page, "kubectl delete deployment web", 'deployment.apps "web" deleted')
    assert "still here" not in bench.screen(page)
    try_from_here(page, pods)


def take_up(page: Page, last: str, shown: str) -> None:
    """Comes back to the line of history that was left and whose last input is `last`."""
    page.locator("[data-past]").click()
    page.locator(".past-moment", has_text=last).last.click()
    page.wait_for_function(
        "(text) => document.querySelector('[data-bench]').bench.panel.view?.contents().includes(text)", arg=shown
    )
    bench.ready(page)


def try_from_here(page: Page, pods: str) -> None:
    """Goes on from before the deployment was made: it was never made there, and what was left can be taken up again."""
    left = page.locator("[data-bench]").get_attribute("data-ws")
    page.locator("[data-past]").click()
    page.locator(".past-moment", has_text="kubectl create deployment web").first.click()
    page.locator(".bench-past [data-branch]").wait_for()
    page.wait_for_function(pods, arg=0)
    page.locator("#bench-past .btn.is-first").click()
    page.wait_for_function("(left) => document.querySelector('[data-bench]').dataset.ws !== left", arg=left)
    bench.ready(page)
    page.locator(".bench-past").wait_for(state="hidden")
    type_command(page, "kubectl get deployments", "No resources found in default namespace")
    assert "kubectl create deployment web" not in bench.screen(page)
    type_command(page, "kubectl create deployment other --image=nginx", "deployment.apps/other created")
    page.locator("[data-time=pause]").click()
    before = page.evaluate("() => document.querySelector('[data-bench]').bench.clock.base")
    page.locator("[data-time=skip]").click()
    page.wait_for_function(
        """(before) => { const { clock, view } = document.querySelector('[data-bench]').bench;
          return clock.base >= before + 300e9 && view.hosts.flatMap((h) => h.pods).some((p) => p.name.startsWith('other-') && p.state === 'healthy'); }""",
        arg=before,
    )  # fmt: skip
    page.locator("[data-time=pause]").click()
    take_up(page, "kubectl delete deployment web", 'deployment.apps "web" deleted')
    assert "deployment other" not in bench.screen(page)


def take_quiz(visitor: Visitor) -> str:
    """All answers right but those about worlds; returns the points as the result page says them."""
    page = visitor.page
    quiz = answers.load(answers.COURSE / "01-architecture" / "quiz.yaml")
    visitor.go("/{lang}/courses/cluster-architecture/architecture/quiz/")
    visitor.keep("quiz-start")
    page.locator("main form[data-once] button").click()
    page.wait_for_selector("form[data-autosave]")
    left = answers.answer_all(page, quiz, visitor.lang)
    page.wait_for_function(
        "(word) => document.querySelector('[data-save-state]').textContent === word", arg=WORDS[visitor.lang]["saved"]
    )
    visitor.keep("quiz")
    page.reload()
    draws = [section["draw"] for section in quiz["sections"]]
    assert page.locator(".asked").count() == sum(draw["count"] for draw in draws)
    page.locator("button[name=then][value=submit]").click()
    visitor.keep("quiz-submit")
    if left:
        page.locator("input[name=blank]").check()
    page.locator("main form[data-once] button[type=submit]").click()
    page.wait_for_selector(".results")
    visitor.keep("quiz-result")
    worth = {q["bank"]: q.get("points", 1) for q in quiz["questions"]}
    most = sum(draw["count"] * worth[draw["bank"]] for draw in draws)
    found = re.findall(r"\d+", page.locator("h1").inner_text())
    assert sorted(map(int, found))[-2:] == sorted([most - left, most]), page.locator("h1").inner_text()
    return str(most - left)


def test_a_newcomer_goes_all_the_way_and_the_instructor_sees_it(newcomer: Visitor, instructor: Visitor) -> None:
    newcomer.go("/{lang}/")
    newcomer.keep("landing")
    sign_up(newcomer, invite_link(instructor))
    read_first_lesson(newcomer)
    pass_exercise(newcomer)
    ask_why(newcomer)
    travel_in_time(newcomer)
    points = take_quiz(newcomer)
    newcomer.go("/{lang}/progress/")
    newcomer.keep("progress")

    page = instructor.page
    instructor.go("/{lang}/cohorts/")
    instructor.keep("cohorts")
    page.locator("main table a").first.click()
    row = page.locator(f'tr[data-learner="{newcomer.name}"]')
    assert row.locator('[data-lesson="why-a-fleet"]').get_attribute("data-l") != "0"
    assert (
        row.locator('[data-quiz="architecture"]').inner_text().strip().startswith(points)
        or points in row.locator('[data-quiz="architecture"]').inner_text()
    )
    assert [cell.inner_text() for cell in row.locator("td.tot").all()] == ["1", str(10 + int(points))]
    instructor.keep("dashboard")
    row.locator("th a").click()
    instructor.keep("learner")
