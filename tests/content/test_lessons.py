"""Every command of every lesson is typed in a fresh world, in order: it ends as the lesson says, prints what the lesson shows, and
nothing of it is "not simulated".  After a change that is meant: `python manage.py lessonoutputs lessons/content/*/*/lesson-*.en.md`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessons.loading.played import blocks, matches, prove, settled, shown, write

CONTENT = Path(__file__).parents[2] / "lessons" / "content"
LESSONS = sorted(CONTENT.glob("*/*/lesson-*.en.md"))


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.name.split('.')[0].removeprefix('lesson-')}"


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_the_commands_do_what_the_lesson_says(path: Path) -> None:
    assert list(prove(path)) == []


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_both_languages_have_the_same_commands_and_outputs(path: Path) -> None:
    english, korean = (blocks(file.read_text("utf-8")) for file in (path, path.with_name(path.name.replace(".en.md", ".ko.md"))))
    assert [block.said for block in english] == [block.said for block in korean]
    assert any(block.shows for block in english)


def test_what_is_shown_is_compared() -> None:
    assert matches("NAME  READY\nweb-…  1/1", "NAME    READY\nweb-abc   1/1\n")
    assert matches("a\n…\nz", "a\nb\nc\nz\n") and matches("a\n…\nz", "a\nz")
    assert not matches("web 1/1", "web 0/1\n") and not matches("a", "a\nb\n")


def test_times_do_not_count() -> None:
    assert matches("web  1/1  Running  0  25s", "web   1/1   Running   0   1m2s\n")
    assert matches("a2553  45 seconds ago  Running", "a2553  About a minute ago  Running\n")
    assert matches("took = 6.1ms", "took = 12.25ms\n") and not matches("2 minutes", "3 minutes\n")


def test_a_long_output_is_cut_in_the_middle() -> None:
    text = shown("".join(f"line {n}\n" for n in range(40)))
    assert text.split("\n")[:2] == ["line 0", "line 1"] and "\n…\n" in text and text.endswith("line 39")


def test_only_what_stays_on_a_terminal_is_shown() -> None:
    assert settled("pulling 10%\rpulling 99%\ndone\n") == "pulling 99%\ndone\n"
    assert settled("a: waiting\nb\n\x1b[2A\x1b[2Ka: done\n\x1b[2Kb\n") == "a: done\nb\n"
    assert settled("\x1b[01;34mfolder\x1b[0m\n") == "folder\n"


LESSON = """---
title: Ships
minutes: 1
---

```run
kubectl create deployment web --image=nginx
```

```output
deployment.apps/web maimed
```

Then:

```run
kubectl get pods
```
"""


def test_outputs_are_written_below_their_commands_and_proven(tmp_path: Path) -> None:
    """A wrong output is found; `write` mends it in both languages, names of pods as this world has them; what another
    world prints otherwise may differ, what no world prints may not."""
    (tmp_path / "course.yaml").write_text("scenario: three-nodes\n")
    folder = tmp_path / "01-chapter"
    folder.mkdir()
    files = [folder / f"lesson-ships.{language}.md" for language in ("en", "ko")]
    for file in files:
        file.write_text(LESSON)
    assert "the lesson shows\ndeployment.apps/web maimed" in "".join(prove(files[0]))
    assert write(files[0]) == 2
    assert files[0].read_text() == files[1].read_text()
    assert "```output\ndeployment.apps/web created\n```\n\nThen:" in files[0].read_text() and "web-" in files[0].read_text()
    assert list(prove(files[0])) == []
    pod = files[0].read_text().split("\nweb-")[1].split()[0]
    files[0].write_text(files[0].read_text().replace(pod, pod[:-5] + "zzzzz"))
    assert list(prove(files[0])) == []
    files[0].write_text(files[0].read_text().replace("Running", "Swimming"))
    assert "Swimming" in "".join(prove(files[0]))


@given(st.text("ab …\n", max_size=14), st.text("ab \n", max_size=14))
def test_an_output_agrees_as_its_pattern_would(line: str, printed: str) -> None:
    """The slow way, which is easy to believe: one pattern for all."""
    parts = []
    for row in line.split("\n"):
        words = [r"[ \t]+".join(map(re.escape, re.split(r"[ \t]+", part))) for part in row.rstrip().split("…")]
        parts.append(r"(?:.*\n)*?" if row.strip() == "…" else ".*?".join(words) + r"[ \t]*\n")
    assert matches(line, printed) == (re.fullmatch("".join(parts), printed.rstrip("\n") + "\n") is not None)


def test_an_output_that_does_not_agree_takes_no_longer() -> None:
    shown_ = "\n".join(["web-…   …   …   Running   …   …   node…", "…"] * 12 + ["end"])
    printed = "\n".join(["web-1   1/1   x   Running   a   b   node01" * 4] * 300)
    assert not matches(shown_, printed)
    assert matches(shown_, printed + "\nend")
