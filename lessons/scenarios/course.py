"""A course's folder (docs/authoring.md) from scenarios: each becomes a lesson, its verify scripts exercises, its quizzes questions.

What a platform does unseen (assets, background scripts) becomes the lesson's `setup`; what it shows (foreground scripts) a command to click.
A scenario has one language; both of the course get its text.
"""

from __future__ import annotations

import base64
import posixpath
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lessons.scenarios.pages import Page, slug
from simulator.core.kernel.errors import BadInput
from simulator.core.shell.coreutils import internet
from simulator.katacoda import actions, answers, assets, images, package, player, quizzes, raw
from simulator.katacoda.actions import EXEC, Action
from simulator.katacoda.files import Folder
from simulator.katacoda.notes import Note
from simulator.katacoda.package import Scenario, Step
from simulator.katacoda.stage import SCRIPTS

#: What a lesson's set-up may write, in bytes; more is no teaching material.
MAX_ASSETS = 110 * 1024
CHUNK = 2700
MAX_LESSONS = 30
#: How long a background script gets before the learner comes.
HEAD_START = "120s"


class _Dumper(yaml.SafeDumper):
    """Without anchors, which course files must not have."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write the same object twice."""
        return True


def dump(data: Any) -> str:
    """YAML as the loader takes it."""
    return yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100_000)


def both(text: str) -> dict[str, str]:
    """The author's words in both languages."""
    return {"ko": text, "en": text}


@dataclass(slots=True)
class Brought:
    """What an import made: files of the course by path, remarks, counts."""

    files: dict[str, str] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    lessons: int = 0
    exercises: int = 0
    questions: int = 0


class Importer:
    """Makes one course of all scenarios of a folder."""

    def __init__(self, folder: Folder, name: str) -> None:
        self.folder, self.name = folder, name
        self.brought = Brought()
        self.slugs: set[str] = set()

    def run(self) -> Brought:
        """The course; raises BadInput when there is no scenario that can be read."""
        indexes = {index.rpartition("/")[0]: index for index in package.indexes(self.folder)}
        if not indexes:
            raise BadInput(f"no {', '.join(package.INDEX)} here or below")
        courses, notes = package.courses(self.folder)
        self.brought.notes += notes
        groups: list[tuple[str, str, list[str]]] = []
        seen: set[str] = set()
        for course in courses:
            mine = [one for one in course.scenarios if one not in seen]
            seen |= set(mine)
            if mine:
                groups.append((course.title, course.description, mine))
        rest = [base for base in indexes if base not in seen]
        if rest:
            groups.append((self.name, "", rest))
        number = 0
        for title, about, bases in groups:
            for start in range(0, len(bases), MAX_LESSONS):
                number += 1
                self._chapter(number, title, about, [indexes[base] for base in bases[start : start + MAX_LESSONS]])
        if not self.brought.lessons:
            raise BadInput("; ".join(map(str, self.brought.notes)) or "no scenario can be read")
        first = groups[0]
        self.brought.files["course.yaml"] = dump(
            {
                "title": both(first[0][:160]),
                "about": both(first[1][:6000] or first[0][:160]),
                "scenario": "playground-1node",
                "hosts": ["controlplane"],
            }
        )
        return self.brought

    def _unique(self, wanted: str) -> str:
        found, number = wanted, 2
        while found in self.slugs:
            found, number = f"{wanted}-{number}", number + 1
        self.slugs.add(found)
        return found

    def _chapter(self, number: int, title: str, about: str, indexes: list[str]) -> None:
        base = f"{number:02}-{self._unique(slug(title, 'scenarios'))}"
        lessons: list[str] = []
        questions: list[dict[str, Any]] = []
        for index in indexes:
            try:
                scenario = package.read(self.folder, index)
            except BadInput as error:
                self.brought.notes.append(Note(index, 0, str(error).removeprefix(f"{index}: ")))
                continue
            lesson = _Lesson(self, scenario, self._unique(slug(scenario.folder or scenario.title)), base)
            lesson.write()
            lessons.append(lesson.slug)
            questions += lesson.questions
            where = f"{scenario.folder}/" if scenario.folder else ""
            self.brought.notes += [Note(where + note.file, note.line, note.text) for note in (*scenario.notes, *lesson.notes)]
        if not lessons:
            return
        self.brought.lessons += len(lessons)
        self.brought.questions += len(questions)
        self.brought.files[f"{base}/chapter.yaml"] = dump(
            {"title": both(title[:160]), "about": both((about or title)[:6000]), "lessons": lessons}
        )
        if questions:
            self.brought.files[f"{base}/questions.yaml"] = dump({"questions": questions})


class _Lesson:
    """One scenario as a lesson."""

    def __init__(self, importer: Importer, scenario: Scenario, name: str, chapter: str) -> None:
        self.importer, self.folder, self.scenario, self.slug, self.chapter = importer, importer.folder, scenario, name, chapter
        self.image = images.of(scenario.image, scenario.texts(self.folder))
        self.notes: list[Note] = []
        self.questions: list[dict[str, Any]] = []
        self.setup: list[dict[str, str]] = []
        self.setup += [{"run": command, "host": host} for command in self.image.installs for host in self.image.hosts]
        if self.image.remark:
            self.note(scenario.index, 0, self.image.remark)

    def note(self, file: str, line: int, text: str) -> None:
        """What did not carry over."""
        self.notes.append(Note(file, line, text))

    def host(self, name: str) -> str:
        """Our host for a platform's name."""
        number = re.search(r"(\d+)$", name)
        lowered = name.lower()
        if lowered in self.image.hosts:
            return lowered
        if lowered.startswith(("host", "node")) and number:
            at = int(number[1]) - (1 if lowered.startswith("host") else 0)
            return self.image.hosts[min(max(at, 0), len(self.image.hosts) - 1)]
        return self.image.hosts[0]

    def fill_in(self, text: str) -> str:
        """Placeholders by the addresses that the worlds have."""

        def address(number: str) -> str:
            return f"172.30.{min(int(number or 1), len(self.image.hosts))}.2"

        text = re.sub(r"\{\{TRAFFIC_HOST(\d+)_(\d+)\}\}", lambda m: f"http://{address(m[1])}:{m[2]}", text)
        link = r"(?:https?://)?\[\[HOST(\d*)_SUBDOMAIN\]\]-(\d+)-\[\[KATACODA_HOST\]\]\.(?:environments\.katacoda\.com|\[\[KATACODA_DOMAIN\]\])"
        text = re.sub(link, lambda m: f"http://{address(m[1])}:{m[2]}", text)
        return re.sub(r"\[\[HOST(\d*)_IP\]\]", lambda m: address(m[1]), text).replace("[[CLIENT_IP]]", address("1"))

    # -- the files ------------------------------------------------------------------------------------------------------
    def write(self) -> None:
        """The lesson in both languages, its exercises, its questions."""
        self._assets()
        self._addresses()
        parts: list[str] = []
        if self.scenario.description:
            parts.append(_plain(self.scenario.description))
        for step in self.scenario.pages():
            parts.append(self._page(step))
        body = "\n\n".join(part.strip("\n") for part in parts if part.strip())
        if not body:
            body = _plain(self.scenario.title)
        found = re.search(r"\d+", self.scenario.time)
        front: dict[str, Any] = {
            "title": self.scenario.title[:160],
            "minutes": min(max(int(found[0]) if found else 10, 1), 240),
            "scenario": self.image.scenario,
            "hosts": list(self.image.hosts),
        }
        if self.setup:
            front["setup"] = self.setup
        text = f"---\n{dump(front)}---\n\n{body}\n"
        for language in ("ko", "en"):
            self.importer.brought.files[f"{self.chapter}/lesson-{self.slug}.{language}.md"] = text

    def _page(self, step: Step) -> str:
        title = {"intro": step.title, "finish": step.title}.get(step.name, step.title or step.name)
        out = [f"## {_plain(title)}"] if title else []
        if step.background:
            path = self._script(step, step.background, "background")
            if path and step.name in ("intro", "step1"):
                self.setup += [
                    {"run": f"nohup bash {path} >/var/log/{step.name}-background.log 2>&1 &", "host": self.image.hosts[0]},
                    {"wait": HEAD_START},
                ]
            elif path:
                self.note(step.background, 0, "runs unseen when this step begins; here the reader starts it with a click")
                out.append(f"```run host={self.image.hosts[0]}\nbash {path}\n```")
        if step.foreground and (path := self._script(step, step.foreground, "foreground")):
            out.append(f"```run host={self.image.hosts[0]}\n. {path}\n```")
        text = self._text(step.text)
        if text:
            page = Page(step.text, lambda action: self.host(action.host), self.fill_in, self._question)
            page.hide_solutions = bool(step.verify)
            out.append(page.convert(text))
            self.notes += page.notes
        if step.verify:
            out.append(f":::try {self._exercise(step, text)}")
        return "\n\n".join(out)

    def _text(self, path: str) -> str:
        if not path:
            return ""
        try:
            return self.folder.text(self.scenario.path(path))
        except BadInput as error:
            self.note(path, 0, str(error))
            return ""

    # -- what the platform does unseen ----------------------------------------------------------------------------------
    def _put(self, host: str, path: str, data: bytes, mode: int) -> None:
        quoted = "'" + path.replace("'", "'\\''") + "'"
        folder = "'" + posixpath.dirname(path).replace("'", "'\\''") + "'"
        self.setup.append({"run": f"mkdir -p {folder}; : > {quoted}; chmod {mode:o} {quoted}", "host": host})
        for start in range(0, len(data), CHUNK):
            piece = base64.b64encode(data[start : start + CHUNK]).decode()
            self.setup.append({"run": f"echo {piece} | base64 -d >> {quoted}", "host": host})

    def _script(self, step: Step, path: str, kind: str) -> str:
        text = self._text(path)
        if not text:
            return ""
        where = f"{SCRIPTS}/{step.name}-{kind}{posixpath.splitext(path)[1] or '.sh'}"
        self._put(self.image.hosts[0], where, self.fill_in(text).encode(), 0o755)
        return where

    def _assets(self) -> None:
        prefix = posixpath.join(self.scenario.folder, "assets").lstrip("/") + "/"
        names = sorted(path[len(prefix) :] for path in self.folder.paths if path.startswith(prefix))
        total = 0
        wanted = self.scenario.assets
        if names and not wanted:
            self.note(self.scenario.index, 0, "details.assets names none of the files in assets/; they lie in /root/assets")
            wanted = [package.Asset("host01", "**", "/root/assets")]
        for asset in wanted:
            found = assets.select(names, asset.file)
            if not found:
                self.note(self.scenario.index, 0, f"assets.{asset.host}: no file in assets/ is {asset.file!r}")
            try:
                mode = assets.mode_of(asset.chmod) if asset.chmod else 0o644
            except ValueError as error:
                self.note(self.scenario.index, 0, f"assets.{asset.host}: {asset.file}: {error}")
                mode = 0o644
            for name, below in found:
                size = self.folder.paths[prefix + name]
                total += size
                if total > MAX_ASSETS:
                    self.note(f"assets/{name}", 0, f"more than {MAX_ASSETS >> 10} KiB of assets; left out")
                    continue
                target = re.sub(r"^~(?=/|$)", "/root", asset.target)
                self._put(
                    self.host(asset.host),
                    posixpath.normpath(posixpath.join("/root", target, below)),
                    self.folder.read(prefix + name),
                    mode,
                )

    def _addresses(self) -> None:
        """Files of the tree that the scenario downloads from its own repository answer there in the lesson's world too."""
        texts = list(self.scenario.texts(self.folder))
        for step in self.scenario.pages():
            texts += [
                self._text(name) for name in (step.verify, step.answer) if name and self.scenario.path(name) in self.folder.paths
            ]
        total = 0
        for url, path in raw.mentioned(self.folder, texts):
            total += self.folder.paths[path]
            if total > MAX_ASSETS:
                self.note(self.scenario.index, 0, f"{url}: more than {MAX_ASSETS >> 10} KiB of downloads; left out")
                continue
            self._put(self.image.hosts[0], f"{internet.WEB}/{url.partition('://')[2]}", self.folder.read(path), 0o644)
            self.note(self.scenario.index, 0, f"{url} answers with {path} of this tree")

    # -- exercises and questions ----------------------------------------------------------------------------------------
    def _exercise(self, step: Step, text: str) -> str:
        name = self.importer._unique(f"{self.slug[:40].rstrip('-')}-{step.name}")
        path = self._script(step, step.verify, "verify")
        said = player.dialect(self._text(step.verify))
        command = f"bash {path}"
        if said == "done":
            command = f'said=$({command}); echo "$said"; echo "$said" | grep -qixE "[[:space:]]*done[[:space:]]*"'
        found = answers.of_page(actions.parse(text))
        if step.answer:
            found += answers.of_file(step.answer, self._text(step.answer))
        typed = [(_typed(one).strip("\n"), self.host(one.host)) for one in found]
        commands = [
            {"run": text, "host": host} for text, host in typed if text and len(text) <= 4000 and not answers.blank(text)
        ][:40]
        if not commands:
            commands = [{"run": "# the scenario brings no solution", "host": self.image.hosts[0]}]
        hint = self._text(step.hint).strip()[:6000] if step.hint.endswith((".md", ".txt")) else ""
        self.importer.brought.files[f"{self.chapter}/exercises/{name}.yaml"] = dump(
            {
                "title": both((step.title or step.name)[:160]),
                "goal": {
                    "ko": "위에서 설명한 일을 마치면 시나리오의 검증 스크립트가 통과합니다.",
                    "en": "Do what the step above asks for; the scenario's own verify script then passes.",
                },
                "checks": [
                    {
                        "id": "verify",
                        "title": {"ko": "시나리오의 검증 스크립트", "en": "The scenario's verify script"},
                        "run": command,
                        "host": self.image.hosts[0],
                        "expect": {"code": 0},
                        "message": {
                            "ko": "검증 스크립트가 아직 통과하지 않습니다. 단계의 설명을 다시 확인하세요.",
                            "en": "The verify script does not pass yet. Look at the step's text again.",
                        },
                    }
                ],
                "hints": [
                    {"text": both(hint)}
                    if hint
                    else {
                        "text": {
                            "ko": "찾은 값에 검증 스크립트가 출력한 내용이 있습니다.",
                            "en": "What was found shows what the verify script printed.",
                        }
                    }
                ],
                "solution": {"commands": commands},
            }
        )
        self.importer.brought.exercises += 1
        return name

    def _question(self, quiz: quizzes.Quiz) -> str:
        name = f"{self.slug[:40].rstrip('-')}-q{len(self.questions) + 1}"
        data: dict[str, Any] = {"id": name, "type": "short", "text": both(_plain(quiz.text))}
        if quiz.kind == quizzes.EXACT:
            data |= {"accept": quiz.right, "case": True}
        elif quiz.kind == quizzes.CONTAINS:
            data |= {"patterns": [re.escape(part)[:200] for part in quiz.right], "case": True, "accept": quiz.right}
        else:
            data |= {
                "type": "single" if quiz.kind == quizzes.ONE and len(quiz.right) == 1 else "multiple",
                "choices": [{"text": text, "correct": True} if good else {"text": text} for good, text in quiz.answers],
            }
        if data["type"] in ("single", "multiple") and not 2 <= len(quiz.answers) <= 8:
            self.note("", quiz.line, f"quiz {quiz.text!r}: {len(quiz.answers)} choices; 2 to 8 can be asked; left out")
            return ""
        self.questions.append(data)
        return f":::question {name}"


def _typed(action: Action) -> str:
    """What a solution's action is as a command: a manifest is applied, a file written by a here-document."""
    if action.kind == EXEC:
        return action.text if action.text.strip() else ""
    text = action.text.strip("\n")
    if not action.filename:
        return f"kubectl apply -f - <<'END_OF_FILE'\n{text}\nEND_OF_FILE"
    applied = f"\nkubectl apply -f {action.filename}" if action.marker == "apply" else ""
    return f"cat > {action.filename} <<'END_OF_FILE'\n{text}\nEND_OF_FILE{applied}"


def _plain(text: str) -> str:
    """A text without anything that Markdown or HTML would act on."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", text)).strip()


def write(brought: Brought, folder: Path) -> None:
    """The course's files below a folder."""
    for name, text in brought.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


__all__ = ["Action", "Brought", "Importer", "dump", "write"]
