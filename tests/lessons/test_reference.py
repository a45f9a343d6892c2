"""Glossary, commands of a chapter, search and the print view: what is found, linked, shown, and to whom."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from markdown_it.token import Token

from lessons.desk.models import ChapterDates
from lessons.loading.publish import publish
from lessons.loading.reader import read_course
from lessons.loading.reference import tool_of
from lessons.models import Chapter, Course, Lesson
from lessons.reference import search as searching
from lessons.reference import words
from lessons.reference.glossary import initial
from lessons.reference.models import SearchEntry, Term
from lessons.reference.plain import plain, sections
from lessons.rendering.korean import stems
from lessons.rendering.markdown import render
from lessons.rendering.terms import TermLinker, brief
from tests.lessons.conftest import SAMPLE, Cluster, People
from tests.lessons.test_loading import change, complaints, folder  # noqa: F401  (a fixture)

HTMX = {"HX-Request": "true"}
GLOSSARY: list[dict[str, Any]] = [
    {
        "id": "pod",
        "term": {"ko": "파드", "en": "pod"},
        "text": {"ko": "함께 놓이는 컨테이너들입니다. 작습니다.", "en": "Containers together. Small."},
    },
    {
        "id": "service",
        "term": {"ko": "서비스", "en": "Service"},
        "text": {"ko": "주소입니다.", "en": "An address, v1.36 at *least*."},
        "chapters": [2],
    },
    {
        "id": "cp",
        "term": {"ko": "컨트롤 플레인", "en": "control plane"},
        "also": {"ko": ["관제선"]},
        "text": {"ko": "정하는 쪽입니다.", "en": "The side that decides."},
    },
]


def linked(source: str, language: str = "en", chapter: int = 2) -> list[tuple[str, str]]:
    """(term, word) of the links that a text gets."""
    page = render(
        source, language=language, number="2.1", link=lambda kind, slug: None, terms=TermLinker.of(GLOSSARY, language, chapter)
    )
    html = "".join(part.get("html", "") for part in page.parts)
    return [
        (slug, re.sub("<[^>]*>", "", word)) for slug, word in re.findall(r'href="../../glossary/#([a-z]+)"[^>]*>(.*?)</a>', html)
    ]


class TestLinks:
    def test_the_first_mention_is_linked_and_no_other(self) -> None:
        assert linked("A pod.\n\nTwo pods and a pod.") == [("pod", "pod")]
        assert linked("## The pod\n\n[a pod](https://example.org) and `pod` and Pods") == [("pod", "pod")]
        assert linked("## The pod\n\n[a pod](https://example.org) then **Pods** too") == [("pod", "Pods")]

    @pytest.mark.parametrize("text", ["podcast", "a-pod", "pod-1", "/pod/", "tripod", "pod.yaml", "`a pod`"])
    def test_a_part_of_another_word_is_none(self, text: str) -> None:
        assert linked(text) == []

    def test_a_capital_makes_a_difference_where_the_form_has_one(self) -> None:
        assert linked("the service of systemd") == []
        assert linked("a Service") == [("service", "Service")]
        assert linked("a Service", chapter=3) == []

    @pytest.mark.parametrize("ending", ["", "가", "에서는", "들을", "입니다", "이므로", "처럼", ", ", "(Pod)"])
    def test_korean_words_with_their_particles(self, ending: str) -> None:
        assert linked(f"그 파드{ending} 끝", "ko") == [("pod", "파드")]

    @pytest.mark.parametrize("text", ["파드득", "알파드", "컨트롤 플레인팀장", "관제선원"])
    def test_a_longer_korean_word_is_another(self, text: str) -> None:
        assert linked(text, "ko") == []

    def test_what_stands_beside_is_the_first_sentence(self) -> None:
        assert brief(GLOSSARY[0], "en") == "Containers together."
        assert brief(GLOSSARY[0], "ko") == "함께 놓이는 컨테이너들입니다."
        assert brief(GLOSSARY[1], "en") == "An address, v1.36 at least."

    def test_it_can_be_read_and_followed_without_a_script(self, course: Course, client: Client) -> None:
        out = client.get("/en/courses/harbour-course/harbour/ships/").content.decode()
        assert (
            '<a class="is-term" href="../../glossary/#container" aria-describedby="tip-container" rel="noopener">containers</a>'
            in out
        )
        assert '<span class="tip" role="tooltip" id="tip-container">A process begun from an image.</span>' in out

    @given(st.text(alphabet="파드가 pod.Service 컨트롤플레인관제선\n*`[]()<>", max_size=60))
    def test_no_text_is_lost_or_doubled(self, text: str) -> None:
        for language in ("ko", "en"):
            tokens = TermLinker.of(GLOSSARY, language, 2).children([Token("text", "", 0, content=text)])
            assert "".join(token.content for token in tokens if token.type == "text") == text


class TestGlossary:
    def test_both_languages(self, course: Course, client: Client) -> None:
        english = client.get("/en/courses/harbour-course/glossary/").content.decode()
        korean = client.get("/ko/courses/harbour-course/glossary/").content.decode()
        assert '<div id="container"><dt><dfn>container</dfn><span lang="ko">컨테이너</span>' in english
        assert "API server" in english and "1.1 Two kinds of ship" in english
        assert korean.index("<dfn>비밀</dfn>") < korean.index("<dfn>컨테이너</dfn>") < korean.index("<dfn>kube-apiserver</dfn>")
        assert client.get("/en/courses/no-course/glossary/").status_code == 404

    def test_initials(self) -> None:
        assert [initial(word) for word in ("파드", "까치", "쌀", "etcd", "2379")] == ["ㅍ", "ㄱ", "ㅅ", "E", "#"]

    def test_a_term_that_goes_away_is_gone(self, course: Course) -> None:
        source = read_course(SAMPLE)
        source.glossary = source.glossary[:2]
        publish(source)
        assert {term.slug for term in Term.objects.all()} == {"container", "api-server"}

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ("id: hidden", "id: container", "terms[2].id: another term is already called `container`"),
            ("lesson: ships", "lesson: moon", "terms[0].lesson: there is no lesson `moon`"),
            ("see: [api-server]", "see: [moon]", "terms[0].see[0]: there is no other term `moon`"),
            ('en: ["API server"]', 'en: ["container"]', "`container` (en) is a name of `container` already"),
            ("link: false", "links: false", "terms[2].links: no such field here"),
        ],
    )
    def test_what_is_wrong_is_named(self, folder: Any, old: str, new: str, said: str) -> None:  # noqa: F811
        change(folder / "glossary.yaml", old, new)
        assert any("glossary.yaml:" in line and said in line for line in complaints(folder))


class TestCommands:
    def test_the_page_says_what_each_does_and_where_it_was_taught(
        self, course: Course, client: Client, people: People, cluster: Cluster
    ) -> None:
        client.force_login(people.learner)
        out = client.get("/en/courses/harbour-course/harbour/commands/").content.decode()
        assert "A pod is <em>cargo</em>." in out
        assert 'data-command="kubectl get nodes" data-host="controlplane"' in out and "Lists the nodes." in out
        assert 'href="/en/courses/harbour-course/harbour/ships/#s1"' in out
        assert out.count("data-run ") == 2 and "data-bench" in out
        page = client.get("/en/courses/harbour-course/").content.decode()
        assert 'href="/en/courses/harbour-course/harbour/commands/"' in page

    def test_a_reader_without_an_account_reads_it(self, course: Course, client: Client) -> None:
        out = client.get("/ko/courses/harbour-course/harbour/commands/").content.decode()
        assert "노드를 봅니다." in out and "data-ws" not in out

    def test_the_last_lesson_leads_there(self, course: Course, client: Client) -> None:
        assert "/harbour/commands/" in client.get("/en/courses/harbour-course/harbour/hub/").content.decode()
        assert "/harbour/commands/" not in client.get("/en/courses/harbour-course/harbour/ships/").content.decode()

    def test_only_what_a_lesson_shows(self, folder: Any) -> None:  # noqa: F811
        change(folder / "01-harbour" / "review.yaml", "kubectl get nodes", "kubectl get moons")
        assert any("commands[0].command: no lesson of this chapter shows" in line for line in complaints(folder))

    @pytest.mark.parametrize(
        ("command", "tool"),
        [
            ("ETCDCTL_API=3 ./etcdctl version", "etcdctl"),
            ("export ETCDCTL_API=3 ./etcdctl version", "etcdctl"),
            ("lease=$(etcdctl lease grant 60 | cut -d' ' -f2)\nx", "shell"),
            ("iptables-save -t nat | grep x", "iptables"),
            ("cat /etc/crictl.yaml", "shell"),
            ("etcd-v3.6/etcdctl get a", "etcdctl"),
        ],
    )
    def test_tools(self, command: str, tool: str) -> None:
        assert tool_of(command) == tool


class TestProof:
    def test_a_course_is_played(self, db: None, folder: Any, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
        call_command("checkcourse", str(folder))
        printed = capsys.readouterr().out
        assert "harbour: commands of ships: in order" in printed and "harbour: exercise make-a-namespace: in order" in printed
        change(
            folder / "01-harbour" / "exercises" / "make-a-namespace.yaml",
            "commands: [kubectl create namespace dock]",
            "commands: [kubectl get namespaces]",
        )
        with pytest.raises(CommandError, match="problem"):
            call_command("checkcourse", str(folder))
        assert "exercise make-a-namespace: the solution does not pass: exists is failed" in capsys.readouterr().err
        with pytest.raises(CommandError, match="there is no chapter moon; there are harbour"):
            call_command("checkcourse", str(folder), chapter="moon")


class TestWords:
    def test_particles_come_off(self) -> None:
        assert stems("파드에서는") == ["파드에서는", "파드에서", "파드"]
        assert stems("노드") == ["노드"] and stems("파드가")[-1] == "파드"

    def test_folding(self) -> None:
        assert words.fold("  파\u1103\u1173 \n Pod ") == words.fold("파드 pod")
        assert words.split("a " * 300) == ["a"] and len(words.split(" ".join(map(str, range(50))))) == words.MAX_WORDS

    @given(st.text(max_size=12), st.text(max_size=12))
    def test_likeness_is_a_share(self, one: str, other: str) -> None:
        assert 0 <= words.likeness(one, other) <= 1 and words.likeness(one, one) == 1
        assert words.likeness(one, other) == words.likeness(other, one)


def titles(query: str, language: str = "en") -> list[str]:
    return [hit.entry.title for hit in searching.search(query, language).hits]


@pytest.mark.postgres
class TestSearch:
    def test_terms_lessons_exercises_and_commands_are_found(self, course: Course) -> None:
        kinds = {row.kind for row in SearchEntry.objects.filter(language="en")}
        assert kinds == set(SearchEntry.Kind.values)
        assert titles("container")[0] == "container"
        assert titles("crictl") == ["crictl ps -a", "Who is here"]
        assert titles("hub")[0] == "The hub"

    def test_korean_with_and_without_particles_and_spaces(self, course: Course) -> None:
        assert titles("컨테이너를", "ko")[0] == titles("컨테이너", "ko")[0] == "컨테이너"
        assert titles("API서버는", "ko") and "kube-apiserver" in titles("API서버", "ko")
        assert titles("누가있는가", "ko") == ["누가 있는가"]

    def test_text_goes_before_commands_that_mention_a_word(self) -> None:
        kinds = SearchEntry.Kind
        lesson = SearchEntry(kind=kinds.LESSON, title="Backup and restore", folded="etcd keeps it; a backup of etcd", names="")
        command = SearchEntry(
            kind=kinds.COMMAND, title="etcdctl snapshot save /backup/etcd.db", folded="saves a snapshot", names=""
        )
        for query, first in (("etcd backup", lesson), ("etcdctl snapshot", command)):
            scores = {id(row): searching._score(row, query.split()) for row in (lesson, command)}
            assert scores[id(first)] == max(scores.values()), query

    def test_every_word_must_be_there(self, course: Course) -> None:
        assert titles("crictl moon") == [] and titles("nodes kubectl") == titles("kubectl nodes") != []

    def test_solutions_and_hints_are_not_found(self, course: Course) -> None:
        exercise = Lesson.objects.get(slug="ships").exercises.get()
        assert exercise.data["title"]["en"] in titles(exercise.data["title"]["en"])
        for hint in exercise.data["hints"]:
            assert titles(hint["text"]["en"]) == []

    @pytest.mark.parametrize(
        "query", ["%", "_", "\\", "'", '"', "\x00", "<b>", "(", "*", "ㅋ", "😀", " ", "a" * 500, "%' OR 1=1 --"]
    )
    def test_any_query_has_an_answer(self, course: Course, client: Client, query: str) -> None:
        response = client.get("/en/search/", {"q": query})
        assert response.status_code == 200 and "<b>" not in response.content.decode().split('class="found"')[0].split("<main")[1]

    def test_signs_of_like_are_letters(self, course: Course) -> None:
        assert titles("%") == titles("_____") == []

    def test_a_slip_of_the_keys_gets_a_suggestion(self, course: Course) -> None:
        assert searching.search("contaner", "en").meant == "container"
        assert searching.search("컨태이너", "ko").meant == "컨테이너"
        assert searching.search("qqqqqq", "en").meant == ""

    def test_what_was_found_is_marked_and_the_rest_escaped(self, course: Course, client: Client) -> None:
        out = client.get("/en/search/", {"q": "alert"}).content.decode()
        assert "&lt;script&gt;<mark>alert</mark>(1)&lt;/script&gt;" in out

    def test_live_results_are_a_part_of_the_page(self, course: Course, client: Client) -> None:
        out = client.get("/ko/search/", {"q": "컨테이너"}, headers=HTMX).content.decode()
        assert "<html" not in out and 'href="/ko/courses/harbour-course/glossary/#container"' in out
        assert client.get("/ko/search/", {"q": ""}, headers=HTMX).content.decode().strip() == ""

    def test_every_page_has_it(self, course: Course, client: Client) -> None:
        for path in ("/en/", "/en/courses/harbour-course/", "/en/accounts/login/", "/en/courses/harbour-course/harbour/hub/"):
            assert 'role="search"' in client.get(path).content.decode(), path

    def test_a_chapter_that_has_not_opened_is_not_searched(self, course: Course, client: Client, people: People) -> None:
        opens = timezone.now() + datetime.timedelta(days=2)
        ChapterDates.objects.create(cohort=people.cohort, chapter=Chapter.objects.get(), opens_at=opens)
        for user, found in ((people.learner, False), (people.instructor, True), (people.stranger, True)):
            client.force_login(user)
            assert (" ps -a" in client.get("/en/search/", {"q": "crictl"}).content.decode()) is found
            for page in ("commands", "print"):
                assert client.get(f"/en/courses/harbour-course/harbour/{page}/").status_code == (200 if found else 403)

    def test_a_course_that_was_taken_down_is_not_found(self, course: Course) -> None:
        Course.objects.update(active=False)
        assert titles("container") == []


class TestPaper:
    def test_plain_text(self) -> None:
        html = '<p>a<button>Copy</button></p><h2 id="s1"><span class="sec">1.1.1</span>B &amp; c</h2><p>d <span class="tip">x</span>e</p>'
        assert sections(html) == [("", "", "a"), ("s1", "B & c", "d e")]
        assert plain(html) == "a B & c d e"

    def test_a_chapter_on_paper(self, course: Course, client: Client) -> None:
        out = client.get("/en/courses/harbour-course/harbour/print/").content.decode()
        assert "1.1 Two kinds of ship" in out and "1.2 The hub" in out
        assert 'href="http://testserver/en/courses/harbour-course/harbour/hub/"' in out
        assert 'src="../figures/hub.svg"' in out and "data-run" not in out and "data-bench" not in out
        ids = re.findall(r' id="([^"]*)"', out)
        assert len(ids) == len(set(ids))
        assert client.get("/ko/courses/harbour-course/harbour/print/").status_code == 200
        assert client.get("/en/courses/harbour-course/harbour/figures/hub.svg").status_code == 200
