"""Markdown: the blocks of docs/authoring.md, the same in both languages, and nothing that could be a script."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessons.rendering.markdown import Rendered, inline, paragraphs, render


def make(source: str, language: str = "en") -> Rendered:
    return render(source, language=language, number="2.3", link=lambda kind, slug: f"../{slug}/" if slug == "there" else None)


def html(source: str, language: str = "en") -> str:
    page = make(source, language)
    assert page.problems == []
    return "".join(part.get("html", "") for part in page.parts)


def test_a_command_can_be_copied_and_run() -> None:
    out = html("```run host=node01\ncrictl ps -a\n```\n")
    assert 'data-command="crictl ps -a" data-host="node01"' in out
    assert 'aria-label="Copy: crictl ps -a"' in out
    assert 'aria-label="Run in the terminal of node01: crictl ps -a"' in out
    assert '<span class="w">crictl</span> <span class="w">ps</span>' in out


def test_its_words_are_in_the_language_of_the_file() -> None:
    out = html("```run\nkubectl get nodes\n```\n", "ko")
    assert "복사: kubectl get nodes" in out
    assert "controlplane 터미널에서 실행" in out


def test_a_shown_command_cannot_be_run() -> None:
    out = html("```cmd\nkubeadm init\n```\n")
    assert "data-copy" in out
    assert "data-run" not in out


def test_a_command_with_quotes_and_angles_stays_itself() -> None:
    out = html("```run\ncat <<'EOF' > a & echo \"x\"\nb\nEOF\n```\n")
    assert "data-command=\"cat <<'EOF' > a &amp; echo &quot;x&quot;\nb\nEOF\"" in out.replace("&lt;", "<").replace(
        "&gt;", ">"
    ).replace("&#x27;", "'")


def test_sections_are_numbered_and_can_be_linked() -> None:
    out = html("## One\n\ntext\n\n## Two `code`\n\n### Part\n")
    assert '<h2 id="s1"><span class="sec">2.3.1</span>One</h2>' in out
    assert '<h2 id="s2"><span class="sec">2.3.2</span>Two <code>code</code></h2>' in out
    assert '<h3 id="part">' in out


def test_embeds_cut_the_text() -> None:
    page = make("a\n\n:::question who\n\nb\n\n:::try do-it\n")
    assert [next(iter(part.items()))[0] for part in page.parts] == ["html", "question", "html", "try"]
    assert page.embeds("try") == ["do-it"]


def test_an_embed_in_a_code_block_is_text() -> None:
    assert ":::try x" in html("```text\n:::try x\n```\n")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("- a\n\n  :::try x\n", "stands inside"),
        ("# No\n", "sections are"),
        ("[x](lesson:nowhere)", "not in this course"),
        ("![a](http://x/y.png)", "not a picture of this chapter"),
        ("text ![a](figures/a.svg) text", "stands alone"),
        ("```run\n\n```\n", "empty"),
        ("```run host=a;b\nx\n```\n", "not a host name"),
        ("```elvish\nx\n```\n", "no block of kind"),
    ],
)
def test_what_cannot_be_rendered_is_said(source: str, reason: str) -> None:
    assert any(reason in said for _line, said in make("ok\n\n" + source).problems)


def test_links_within_the_course() -> None:
    assert 'href="../there/"' in html("[x](lesson:there)")


def test_tables_have_scoped_heads_and_no_inline_style() -> None:
    out = html("| a | b |\n|:-:|--:|\n| 1 | 2 |\n")
    assert '<th scope="col">a</th>' in out
    assert "style" not in out


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,xx)",
        ":::note <img src=x onerror=alert(1)>\nx\n:::\n",
        "```run\n</code><script>alert(1)</script>\n```\n",
        '![x](figures/a.svg "<script>")',
    ],
)
def test_nothing_becomes_a_script(source: str) -> None:
    out = "".join(part.get("html", "") for part in make(source).parts) + inline(source) + paragraphs(source)
    tags = re.findall(r"<([a-z]+)([^>]*)>", out)
    assert all(tag != "script" for tag, _ in tags)
    assert not any(re.search(r"\son\w+=|javascript:|style=", rest) for _, rest in tags)


@given(st.text(alphabet="`:#-[]()<>!\n ab|>*_~\"'&", max_size=120))
def test_any_text_renders(source: str) -> None:
    page = make(source)
    assert all("<script" not in part.get("html", "") for part in page.parts)
