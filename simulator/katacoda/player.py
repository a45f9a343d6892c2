"""Plays a scenario from its first page to its last: what a reader does who clicks every command and presses Check."""

from __future__ import annotations

import re

import msgspec

from simulator.core.kernel.clock import SECOND
from simulator.core.kernel.errors import BadInput
from simulator.core.shell.runner import Running

from . import actions, answers, others, quizzes
from .actions import EXEC, FILE, OPEN, Action
from .files import Folder
from .notes import Note
from .package import Scenario, Step
from .stage import Outcome, Stage

#: How often, and after how long, a reader presses Check again.
TRIES, AGAIN = 3, 40 * SECOND
OUTPUT = 64 * 1024
_NOT_SIMULATED = re.compile(r"^.*not simulated in Slipway yet.*$", re.M)
_MISSING = re.compile(r"^.*?(?:bash|sh|line \d+): (?:line \d+: )?([^\s:]+): command not found$", re.M)
#: A command line that ends in a shell of a container, and words that are typed into the machine's own shell.
_ENTERS = re.compile(r"\b(?:exec|run|debug)\b.*\s(?:-it|-ti|-i|--stdin|--tty)\b.*\b(?:ba|a|z)?sh\s*$")
_OUTSIDE = re.compile(r"\s*(?:#[^\n]*\n\s*)*(?:sudo\s+)?(?:kubectl|k|helm|docker|crictl|kubeadm|systemctl|ssh|nerdctl|podman)\b")
#: "Switch to the tab **node01**", in the languages that authors write: whose terminal the next commands are for.
_TAB = re.compile(
    r"(?i)\b(?:tab|onglet|reiter|pestaña|terminal)\s+[*`\"«]*(?P<after>[a-z][\w-]*)|[*`\"»](?P<before>[a-z][\w-]*)[*`\"»]*\s+tab\b"
)
_EDITS = re.compile(r"^\s*(?:sudo\s+)?(?:vim?|nano|(?:kubectl|k|systemctl)\s+(?:\S+\s+)*edit\b|crontab\s+-e|visudo|vipw)\b")
#: Commands that clear away what a page made: a reader who wants to be checked presses the button before.
_CLEARS = re.compile(r"\b(?:delete|rm|rmi|down|uninstall|destroy|prune|kill|stop|userdel|groupdel|drop)\b")
#: How many times a page is checked before such a command.
EARLY = 4


class Played(msgspec.Struct):
    """One command (a click): where it stands, what was typed, how it ended."""

    file: str
    line: int
    text: str
    terminal: str
    status: int = 0
    state: str = "done"  # done, running (left running), keys (a full-screen program), unfinished, skipped
    seconds: float = 0.0
    output: str = ""
    not_simulated: list[str] = []
    missing: list[str] = []  # commands that the machine does not have


class Verified(msgspec.Struct):
    """The result of a verify script: its dialect is `exit` (status 0) or `done` (it prints that word).

    `before` says whether it passed before the page's commands were typed, in a copy of the world: such a script proves nothing of
    the work.  None: not known, for a program waited then.  `early` says that it passed in a copy of the world before the page's own
    clearing away, and not after it.
    """

    passed: bool
    status: int
    dialect: str
    tries: int
    output: str
    not_simulated: list[str] = []
    missing: list[str] = []
    before: bool | None = None
    early: bool = False


class Page(msgspec.Struct):
    """What was played of the intro, a step or the finish."""

    name: str
    title: str
    scripts: list[Played] = []
    commands: list[Played] = []
    verify: Verified | None = None
    quizzes: list[dict[str, object]] = []
    others: list[str] = []  # programs of other projects that it calls (others.py): with one it is no kubectl-and-shell step

    @property
    def played(self) -> list[Played]:
        """Everything that ran."""
        return [*self.scripts, *self.commands]

    @property
    def clean(self) -> bool:
        """Whether nothing of it was not simulated, and every command was there."""
        bad = any(p.not_simulated or p.missing for p in self.played)
        return not bad and not (self.verify and (self.verify.not_simulated or self.verify.missing))


class Report(msgspec.Struct):
    """A played scenario."""

    scenario: str
    title: str
    image: str
    world: str
    steps: list[Page] = []
    notes: list[Note] = []

    @property
    def passed(self) -> bool:
        """Whether everything ran and every verify script passed."""
        return all(page.clean and (page.verify is None or page.verify.passed) for page in self.steps)


def dialect(script: str) -> str:
    """`done` for Katacoda's verify scripts, which print that word when the step is done; `exit` for those whose status counts."""
    return (
        "done" if re.search(r"""(?:echo|printf)\s+(?:-\w+\s+)?(["']?)done(?:\\n)?\1\s*(?:$|[;&|)}#])""", script, re.M) else "exit"
    )


class Player:
    """Plays one scenario."""

    def __init__(self, folder: Folder, scenario: Scenario, *, with_answers: bool = False, seed: int = 1) -> None:
        self.folder, self.scenario, self.with_answers = folder, scenario, with_answers
        self.stage = Stage(folder, scenario, seed)
        self.report = Report(
            scenario.folder or ".",
            scenario.title,
            scenario.image,
            self.stage.image.scenario,
            [],
            [*scenario.notes, *self.stage.notes],
        )
        self.backgrounds = 0
        self.tabs: list[tuple[int, str]] = []  # lines of this page that send the reader to a host's terminal
        self.entered: set[str] = set()  # terminals in which a shell of a container was asked for
        self.prompts: dict[str, str] = {}  # terminals in which a program was started that reads what is typed

    def play(self) -> Report:
        """All pages in order."""
        for terminal in self.scenario.terminals:
            if terminal.get("command"):
                name = self.stage.terminal(Action(EXEC, 0, "", terminal="T2", host=terminal.get("target", "")))
                self.stage.type(name, terminal["command"], 10 * SECOND)
        for step in self.scenario.pages():
            self.report.steps.append(self._page(step))
        self.report.notes += [note for note in self.stage.notes if note not in self.report.notes]
        return self.report

    def _page(self, step: Step) -> Page:
        page = Page(step.name, step.title)
        running = self._scripts(step, page)
        before = self._before(step)
        text = self._text(step.text)
        found = actions.parse(text) if text else []
        self.tabs = tabs(text, self.stage.image.hosts)
        told = self.with_answers and step in self.scenario.steps
        chosen = answers.of_page(found) if told else [one for one in found if one.kind in (EXEC, FILE, OPEN)]
        todo = [(action, step.text) for action in chosen]
        if self.with_answers and step.answer:
            todo += [(action, step.answer) for action in answers.of_file(step.answer, self._text(step.answer))]
        early, tried = False, 0
        for action, file in todo:
            if step.verify and page.commands and not early and tried < EARLY and _CLEARS.search(action.text):
                early, tried = bool(self._before(step)), tried + 1
            self._action(action, file, page)
        if text:
            self._quizzes(step, text, page)
        if running is not None:
            self._await(running, page)
        self._others(step, page)
        if step.verify:
            page.verify = self._verify(step, before)
            if page.verify is not None and early and not page.verify.passed:
                page.verify.passed = page.verify.early = True
        return page

    def _others(self, step: Step, page: Page) -> None:
        """Which programs of other projects the page's commands and scripts call, and those at whose prompt its lines belong."""
        texts = [one.text for one in page.commands] + [self._text(path) for path in (step.background, step.foreground) if path]
        page.others = sorted({name for text in texts for name in others.called(text)} | set(page.others))

    def _text(self, path: str) -> str:
        if not path:
            return ""
        try:
            return self.folder.text(self.scenario.path(path))
        except BadInput as error:
            self.report.notes.append(Note(path, 0, str(error)))
            return ""

    # -- scripts --------------------------------------------------------------------------------------------------------
    def _scripts(self, step: Step, page: Page) -> Running | None:
        running = None
        if step.background:
            try:
                path = self.stage.script(step.background, step.name, "background")
                running = self.stage.background(path, self.backgrounds)
                self.backgrounds += 1
                page.scripts.append(Played(step.background, 0, "background", ""))
            except BadInput as error:
                self.report.notes.append(Note(step.background, 0, str(error)))
        if step.foreground:
            try:
                path = self.stage.script(step.foreground, step.name, "foreground")
            except BadInput as error:
                self.report.notes.append(Note(step.foreground, 0, str(error)))
                return running
            name = self.stage.terminal(Action(EXEC, 0, ""))
            text = self.stage.read(self.stage.image.hosts[0], path).decode("utf-8", "replace")
            # what would end the terminal's own shell runs in one of its own
            alone = re.search(r"^\s*(set\s+-\w*e|exit\b|exec\s)", text, re.M) or not path.endswith((".sh", ".bash"))
            outcome = self.stage.type(name, f"bash {path}" if alone else f". {path}")
            page.scripts.append(_record(Played(step.foreground, 0, "foreground", name), outcome))
            if outcome.state != "done":
                self.stage.free(name)
        if running is not None and self._await(running, page, first=True):
            running = None
        self.stage.settle()
        return running

    def _await(self, running: Running, page: Page, first: bool = False) -> bool:
        """Let a background script end, at most five minutes (it may be meant to run on); its output is looked through."""
        sandbox = self.stage.sandbox
        deadline = sandbox.now + 300 * SECOND
        while not running.done and sandbox.now < deadline:
            due = sandbox.next_due()
            if due is None or due > deadline:
                break
            sandbox.advance(min(deadline, max(due, sandbox.now + SECOND // 100)))
        entry = next(p for p in page.scripts if p.text == "background")
        log = f"/var/log/killercoda/background{self.backgrounds - 1}"
        text = b"".join(self.stage.read(self.stage.image.hosts[0], f"{log}_{kind}.log") for kind in ("stdout", "stderr"))
        done = running.done
        result = running.result()
        outcome = Outcome(
            result.code if done else 0, text.decode("utf-8", "replace") + result.stderr, "done" if done else "running"
        )
        _record(entry, outcome)
        return done

    def _before(self, step: Step) -> bool | None:
        """Whether the page's verify script passes before anything is done, tried in a copy of the world."""
        copy = self.stage.copy() if step.verify else None
        if copy is None:
            return None
        try:
            return _passes(dialect(self._text(step.verify)), copy.run(copy.script(step.verify, step.name, "verify")))
        except BadInput:
            return None

    def _verify(self, step: Step, before: bool | None) -> Verified | None:
        try:
            path = self.stage.script(step.verify, step.name, "verify")
        except BadInput as error:
            self.report.notes.append(Note(step.verify, 0, str(error)))
            return None
        how = dialect(self._text(step.verify))
        for tries in range(1, TRIES + 1):
            outcome = self.stage.run(path)
            passed = _passes(how, outcome)
            if passed or tries == TRIES:
                break
            self.stage.sandbox.advance(self.stage.sandbox.now + AGAIN)
        found = _record(Played("", 0, "", ""), outcome)
        return Verified(passed, outcome.status, how, tries, found.output, found.not_simulated, found.missing, before)

    # -- actions --------------------------------------------------------------------------------------------------------
    def _action(self, action: Action, file: str, page: Page) -> None:
        text = self.stage.fill_in(action.text)
        if action.kind == OPEN:
            return
        if action.kind == FILE:
            page.commands.append(self._file(action, text, file))
            return
        if not action.host and action.terminal in ("", "T1"):
            host = next((host for line, host in reversed(self.tabs) if line < action.line), "")
            action = msgspec.structs.replace(action, host=host)
        name = self.stage.terminal(action)
        text = answers.unprompted(self.stage.complete(text))
        played = Played(file, action.line, text, name)
        page.commands.append(played)
        if answers.blank(text):
            played.state = "skipped"
            played.output = f"{answers.blank(text)} is for the reader to fill in"
            return
        if _EDITS.search(text) and "\n" not in text.strip() and not re.search(r"EDITOR|\|", text):
            played.state = "skipped"
            played.output = "an editor is for the reader to use"
            return
        if action.keys:
            self._keys(name, text)
            return
        if name in self.entered:
            self.entered.discard(name)
            if _OUTSIDE.match(text):  # a reader leaves the container first
                self.stage.key(name, "ctrl-d")
                self.stage.sandbox.advance(self.stage.sandbox.now + SECOND)
            elif self.stage.sandbox.terminals()[name].busy and text.strip() != "exit":
                self.entered.add(name)
        if self._at_prompt(name, text, played, page):
            return
        head, program, tail = others.split(text)
        if _ENTERS.search(_last(text)) or program:
            self.entered.add(name)
        view = self.stage.sandbox.terminals()[name]
        if name in self.entered and view.busy and not (_ENTERS.search(_last(text)) or program) and not action.interrupt:
            pass  # typed into the container's shell
        elif action.interrupt or view.busy or view.raw or view.continuation:
            self.stage.free(name)
        if not action.newline:
            self.stage.sandbox.apply("keys", {"terminal": name, "data": text}, self.stage.sandbox.now)
            return
        outcome = self.stage.type(name, head if program else text)
        if program and not self.stage.sandbox.terminals()[name].busy:
            self.prompts[name] = program  # it is not here: what follows is typed nowhere
        elif tail.strip():
            more = self.stage.type(name, tail)
            outcome = Outcome(more.status, outcome.output + more.output, more.state, outcome.seconds + more.seconds)
        self.stage.settle()
        if outcome.state == "running":
            outcome.output += self.stage.drain(name)
        _record(played, outcome)

    def _at_prompt(self, name: str, text: str, played: Played, page: Page) -> bool:
        """Whether a text is for the prompt of a program that the machine has not got: it is left out, and not the shell's to refuse."""
        program = self.prompts.get(name)
        if program is None:
            return False
        first = text.split()[0] if text.split() else ""
        if others.leaves(text) or not (answers.is_command(first) or others.called(text) or others.prompt(text)):
            if others.leaves(text.rstrip().rpartition("\n")[2]):
                del self.prompts[name]
            played.state, played.output = "skipped", f"typed at the prompt of {program}"
            page.others.append(program)
            return True
        del self.prompts[name]
        return False

    def _keys(self, name: str, text: str) -> None:
        """A control sequence (`^C`, `^ESC`)."""
        known = {"^C": "ctrl-c", "^D": "ctrl-d", "^Z": "ctrl-z"}
        if text.strip() in known:
            self.stage.key(name, known[text.strip()])
        elif text.strip() == "^ESC":
            self.stage.sandbox.apply("keys", {"terminal": name, "data": "\x1b"}, self.stage.sandbox.now)

    def _file(self, action: Action, text: str, file: str) -> Played:
        """What the editor's button writes; for a manifest of a solution, `kubectl apply` of it."""
        host = self.stage.image.hosts[0]
        path = action.filename
        played = Played(file, action.line, f"write {path}" if path else "kubectl apply -f -", "")
        if path:
            path = path if path.startswith("/") else "/root/" + path.removeprefix("~/")
            old = self.stage.read(host, path).decode("utf-8", "replace")
            if action.target == "append":
                text = old + text
            elif action.target == "prepend":
                text = text + old
            elif action.target == "insert" and action.marker:
                text = old.replace(action.marker, text, 1)
            try:
                self.stage.write(host, path, text.encode())
            except OSError as error:
                played.status, played.output = 1, f"{path}: {error.strerror}"
                return played
            if action.marker != "apply":
                return played
        else:
            path = "/tmp/answer.yaml"
            self.stage.write(host, path, text.encode())
        name = self.stage.terminal(Action(EXEC, 0, ""))
        self.stage.free(name)
        outcome = self.stage.type(name, f"kubectl apply -f {path}")
        self.stage.settle()
        played.terminal = name
        return _record(played, outcome)

    def _quizzes(self, step: Step, text: str, page: Page) -> None:
        found, notes = quizzes.parse(text, step.text)
        self.report.notes += notes
        for quiz in found:
            page.quizzes.append({"line": quiz.line, "kind": quiz.kind, "question": quiz.text, "right": quiz.right})


def tabs(text: str, hosts: tuple[str, ...]) -> list[tuple[int, str]]:
    """The lines of a page that send the reader to the terminal of one of several hosts: (line, host)."""
    out: list[tuple[int, str]] = []
    for number, line in enumerate(text.split("\n") if len(hosts) > 1 else [], 1):
        for match in _TAB.finditer(line):
            name = (match["after"] or match["before"]).lower()
            if name in hosts:
                out.append((number, name))
    return out


def _last(text: str) -> str:
    """The last line of a text that is no comment."""
    lines = [line for line in text.strip().split("\n") if not line.strip().startswith("#")]
    return lines[-1] if lines else ""


def _passes(how: str, outcome: Outcome) -> bool:
    if how == "done":
        return any(line.strip().lower() == "done" for line in outcome.output.splitlines())
    return outcome.status == 0


def _record(played: Played, outcome: Outcome) -> Played:
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-B0]", "", outcome.output)
    played.status, played.state, played.seconds = outcome.status, outcome.state, outcome.seconds
    played.output = text if len(text) <= OUTPUT else text[:OUTPUT] + "\n… (cut)"
    played.not_simulated = sorted({m.strip() for m in _NOT_SIMULATED.findall(text)})[:20]
    played.missing = sorted(set(_MISSING.findall(text)))[:20]
    return played
