"""vi, nano and less on a terminal: keys in, files and screens out."""

from __future__ import annotations

import re

import pytest

from simulator.core.host.machine import hosts
from simulator.core.kernel.world import World
from simulator.core.shell.terminal import Terminal, drain

from .host_world import settle
from .test_shell_terminal import shell_world


class Typist:
    """A terminal, and what an xterm would show of it."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world or shell_world()
        self.terminal = Terminal.open(self.world, "t1", "controlplane")
        settle(self.world, 0.1)
        drain(self.world)
        self.rows: dict[int, str] = {}
        self.cursor = (0, 0)

    def type(self, *pieces: str) -> str:
        """Type keys; the bytes that came back."""
        for piece in pieces:
            self.terminal.type_keys(piece)
            settle(self.world, 0.3)
        out = "".join(chunk.data for chunk in drain(self.world) if chunk.fd)
        for row, column, text in re.findall(r"\x1b\[(\d+);(\d+)H([^\x1b]*(?:\x1b\[\d*m[^\x1b]*)*)", out):
            self.cursor = (int(row) - 1, int(column) - 1)
            if column == "1" and text:
                self.rows[int(row) - 1] = re.sub(r"\x1b\[\d*m", "", text)
        return out

    def write(self, path: str, text: str) -> None:
        """Put a file there."""
        hosts(self.world)["controlplane"].fs.write(path, text.encode())

    def read(self, path: str) -> str:
        """What a file holds now."""
        return hosts(self.world)["controlplane"].fs.read(path).decode()

    @property
    def bottom(self) -> str:
        """The last row of the screen."""
        return self.rows.get(23, "").rstrip()


def edited(before: str, keys: str) -> str:
    """A file after keys in vi and `:wq`."""
    typist = Typist()
    typist.write("/root/f", before)
    typist.type("vi f\r", keys, "\x1b:wq\r")
    assert not typist.terminal.view().busy, typist.rows
    return typist.read("/root/f")


TEXT = "one two three\nfour five\n\nsix: seven # eight\n  nine (ten, eleven)\n"


@pytest.mark.parametrize(
    ("keys", "after"),
    [
        ("ix\x1b", "xone two three\nfour five\n"),
        ("Aend\x1b", "one two threeend\nfour five\n"),
        ("axyz\x1b", "oxyzne two three\nfour five\n"),
        ("jI- \x1b", "one two three\n- four five\n"),
        ("onew\x1b", "one two three\nnew\nfour five\n"),
        ("Onew\x1b", "new\none two three\nfour five\n"),
        ("x", "ne two three\nfour five\n"),
        ("3x", " two three\nfour five\n"),
        ("dd", "four five\n"),
        ("ddp", "four five\none two three\n"),
        ("yyp", "one two three\none two three\nfour five\n"),
        ("yyjP", "one two three\none two three\nfour five\n"),
        ("dw", "two three\nfour five\n"),
        ("d2w", "three\nfour five\n"),
        ("wdw.", "one \nfour five\n"),
        ("wcwTWO\x1b", "one TWO three\nfour five\n"),
        ("wcwTWO\x1bj0wcwFIVE\x1b", "one TWO three\nfour FIVE\n"),
        ("$bD", "one two \nfour five\n"),
        ("wC2\x1b", "one 2\nfour five\n"),
        ("cclast\x1b", "last\nfour five\n"),
        ("Sx\x1b", "x\nfour five\n"),
        ("J", "one two three four five\n"),
        ("rX", "Xne two three\nfour five\n"),
        ("RXY\x1b", "XYe two three\nfour five\n"),
        ("~~", "ONe two three\nfour five\n"),
        ("ddu", "one two three\nfour five\n"),
        ("ddu\x12", "four five\n"),
        ("xxxuu", "ne two three\nfour five\n"),
        ("ftx", "one wo three\nfour five\n"),
        ("dtw", "wo three\nfour five\n"),
        ("ggdG", ""),
        ("Gdd", "one two three\n"),
        ("$i!\x1b", "one two thre!e\nfour five\n"),
        ("/five\rcw5\x1b", "one two three\nfour 5\n"),
        (":%s/o/0/g\r", "0ne tw0 three\nf0ur five\n"),
        (":s/o/0\r", "0ne two three\nfour five\n"),
        (":2d\r", "one two three\n"),
        (":$d\r", "one two three\n"),
        (":g/four/d\r", "one two three\n"),
        (":v/four/d\r", "four five\n"),
        (":1,2s/e$/E/\r", "one two threE\nfour fivE\n"),
        (":%s/\\(\\w\\+\\) \\(\\w\\+\\)/\\2 \\1/\r", "two one three\nfive four\n"),
        (":1t.\r", "one two three\none two three\nfour five\n"),
        (":1m$\r", "four five\none two three\n"),
        (":set et ts=2 sw=2\r>>", "  one two three\nfour five\n"),
        (":set et sw=2\r>>>>.<<", "    one two three\nfour five\n"),
        (":set et ts=2\rI\t\x1b", "  one two three\nfour five\n"),
        ("Vjd", ""),
        ("Vyjp", "one two three\nfour five\none two three\n"),
        ("vwd", "wo three\nfour five\n"),
        ("vey$p", "one two threeone\nfour five\n"),
        ("\x16jI# \x1b", "# one two three\n# four five\n"),
        ("\x16jd", "ne two three\nour five\n"),
        ("ciwX\x1b", "X two three\nfour five\n"),
        ("wdaw", "one three\nfour five\n"),
        ("maGd'a", ""),
        ("qaA;\x1bjq@a", "one two three;\nfour five;\n"),
        ("3ix\x1b", "xxxone two three\nfour five\n"),
        ("guiwgUU", "ONE TWO THREE\nfour five\n"),
        ("xp", "noe two three\nfour five\n"),
        ("wyiwP", "one twotwo three\nfour five\n"),
        ('"ayyj"ap', "one two three\nfour five\none two three\n"),
        ("oa\x08b\x1b", "one two three\nb\nfour five\n"),
        ("A\x17\x1b", "one two \nfour five\n"),
        ("\x1b[B\x1b[Hix\x1b", "one two three\nxfour five\n"),
        (":r !echo in\r", "one two three\nin\nfour five\n"),
        (":%!sort\r", "four five\none two three\n"),
        (":normal Ax\r", "one two threex\nfour five\n"),
        (":%norm A;\r", "one two three;\nfour five;\n"),
        ("i\x1b[200~a\nb\x1b[201~\x1b", "a\nbone two three\nfour five\n"),
        ("2dd", ""),
        ("dj", ""),
        ("yw$p", "one two threeone \nfour five\n"),
        ("ea,\x1b", "one, two three\nfour five\n"),
        ("%", "one two three\nfour five\n"),
    ],
)
def test_vi_changes_text_as_vim_does(keys: str, after: str) -> None:
    assert edited("one two three\nfour five\n", keys) == after


def test_text_objects_and_brackets() -> None:
    assert edited("a (b, c) d\n", "fbci(x\x1b") == "a (x) d\n"
    assert edited("a (b, c) d\n", "fbda(") == "a  d\n"
    assert edited('k: "a b"\n', 'fbci"z\x1b') == 'k: "z"\n'
    assert edited("f {\n  a\n  b\n}\n", "jdi{") == "f {\n}\n"
    assert edited("a(b[c]d)e\n", "f(d%") == "ae\n"
    assert edited("a\nb\n\nc\n", "dap") == "c\n"


def test_vi_says_what_vim_says() -> None:
    typist = Typist()
    typist.write("/root/f", TEXT)
    typist.type("vi f\r")
    assert typist.rows[0] == "one two three" and typist.rows[5].rstrip() == "~"
    assert typist.bottom == '"f" 5L, 65B' + " " * 51 + "1,1           All"
    typist.type("i")
    assert typist.bottom.startswith("-- INSERT --")
    typist.type("x\x1b:q\r")
    assert typist.bottom.startswith("E37: No write since last change (add ! to override)")
    typist.type("/nothing\r")
    assert typist.bottom.startswith("E486: Pattern not found: nothing")
    typist.type(":frobnicate\r")
    assert typist.bottom.startswith("E492: Not an editor command: frobnicate")
    typist.type("3dd")
    assert typist.bottom.startswith("3 fewer lines")
    typist.type(":w\r")
    assert typist.bottom.startswith('"f" 2L, 40B written')
    typist.type(":w /nowhere/x\r")
    assert "E212: Can't open file for writing" in typist.bottom
    typist.type(":set nu\r")
    assert typist.rows[0] == "  1 six: seven # eight"
    typist.type(":q\r")
    assert not typist.terminal.view().raw and "ok" in typist.type("echo ok\r")


def test_vi_opens_what_is_new_and_what_may_not_be_written() -> None:
    typist = Typist()
    typist.type("vi new.yaml\r")
    assert typist.bottom.startswith('"new.yaml" [New]')
    typist.type("ia: 1\rb: 2\x1bZZ")
    assert typist.read("/root/new.yaml") == "a: 1\nb: 2\n"
    typist.type("view new.yaml\r", "x", ":w\r")
    assert typist.bottom.startswith("E45: 'readonly' option is set (add ! to override)")
    typist.type(":q!\r")
    assert typist.read("/root/new.yaml") == "a: 1\nb: 2\n"
    typist.type("printf 'set et ts=2 sw=2\\n' > ~/.vimrc\r", "vi +2 new.yaml\r", "A\r\tc: 3\x1b:x\r")
    assert typist.read("/root/new.yaml") == "a: 1\nb: 2\n  c: 3\n"


def test_vi_is_stopped_and_goes_on() -> None:
    typist = Typist()
    typist.type("vi f\r", "ihello\x1b", "\x1a")
    assert not typist.terminal.view().raw
    assert "Stopped" in typist.type("jobs\r")
    typist.type("fg\r")
    assert typist.terminal.view().raw
    typist.type("\x1b:wq\r")
    assert typist.read("/root/f") == "hello\n"


def test_lines_are_typed_into_a_full_screen_program() -> None:
    typist = Typist()
    typist.terminal.feed_line("vi f")
    settle(typist.world, 0.3)
    for line in ("ihello", "world\x1b:wq"):
        typist.terminal.feed_line(line)
        settle(typist.world, 0.3)
    assert typist.read("/root/f") == "hello\nworld\n"


def test_ex_and_vi_without_a_terminal() -> None:
    from simulator.core.shell import runner

    world = shell_world()
    found = runner.run(
        world,
        "printf 'a\\nb\\n' > f; printf '%%s/a/x/\\nwq\\n' | ex -s f; cat f; printf 'dd:wq\\r' | vi f; cat f; vi f </dev/null",
    )
    assert found.stdout == "x\nb\nb\n"
    assert "Vim: Warning: Input is not from a terminal" in found.stderr and found.code == 1


def test_nano_writes_cuts_searches_and_asks() -> None:
    typist = Typist()
    typist.write("/root/f", "alpha\nbeta\ngamma\n")
    typist.type("nano f\r")
    assert "GNU nano 7.2" in typist.rows[0] and typist.rows[1] == "alpha" and "^G Help" in typist.rows[22]
    assert "[ Read 3 lines ]" in typist.rows[21]
    typist.type("new \x0b\x0b\x15")
    typist.type("\x17gam\r", "X", "\x18")
    assert typist.rows[21].startswith("Save modified buffer?")
    typist.type("y")
    assert typist.rows[21].startswith("File Name to Write: f")
    typist.type("\r")
    assert typist.read("/root/f") == "new alpha\nbeta\nXgamma\n"
    typist.type("nano new\r", "text", "\x0f\r")
    assert "[ Wrote 1 line ]" in typist.rows[21]
    typist.type("more\x18n")
    assert typist.read("/root/new") == "text\n" and not typist.terminal.view().raw


def test_less_pages_searches_and_leaves() -> None:
    typist = Typist()
    typist.write("/root/f", "".join(f"line {n}\n" for n in range(1, 101)))
    typist.type("less f\r")
    assert typist.rows[0] == "line 1" and typist.rows[22] == "line 23"
    typist.type(" ")
    assert typist.rows[0] == "line 24"
    typist.type("/line 77\r")
    assert typist.rows[0] == "line 77"
    typist.type("G")
    assert typist.bottom == "(END)"
    typist.type("g")
    assert typist.rows[0] == "line 1"
    typist.type("q")
    assert not typist.terminal.view().busy
    assert "line 7\n" in typist.type("cat f | less -F | head -7\r")
    typist.type("less f\r", "\x03q")
    assert not typist.terminal.view().busy


def test_a_window_of_another_size_is_drawn_anew() -> None:
    typist = Typist()
    typist.write("/root/f", "".join(f"{n}\n" for n in range(200)))
    typist.type("vi f\r")
    typist.terminal.resize(60, 10)
    settle(typist.world, 0.1)
    typist.type("G")
    assert typist.rows[8] == "199" and typist.rows[9].startswith("200,1") is False
    typist.type(":q\r")
    assert not typist.terminal.view().busy


def test_random_keys_never_break_an_editor() -> None:
    import random

    chooser = random.Random(7)
    pieces = [*"iaoOxXdyYcCpPuJvVqwebBWE0$^GgHMLftF;,.nN*#/?:%>~rRsSDmz{}()'`@\"123", "\x1b", "\r", "\x16", "\x12", "\x7f", "\x06", "\x02", "dd",
              "yy", "ci(", ":%s/a/b/g\r", ":g/x/d\r", "\x1b[A", "\x1b[B", "한글", "\t", ":1,3d\r", "gg", "ZX", ":e!\r", "\x01"]  # fmt: skip
    for program in ("vi", "nano", "less"):
        typist = Typist()
        typist.write("/root/f", TEXT * 3)
        typist.type(f"{program} f\r")
        for _ in range(60):
            if not typist.terminal.view().raw:
                break
            keys = "".join(chooser.choice(pieces) for _ in range(8)).replace(":q", "")
            typist.terminal.type_keys(keys)
            settle(typist.world, 0.01)
        out = "".join(chunk.data for chunk in drain(typist.world))
        assert "Traceback" not in out
