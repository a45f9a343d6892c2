"""Random and broken input for the shell and the text tools: no traceback, no hang, bounded memory.

`python -m tests.core.test_shell_fuzz MINUTES [SEED]` soaks; the test below runs a few hundred lines.
"""

from __future__ import annotations

import random
import sys
import time
import tracemalloc
from pathlib import Path

import pytest

from simulator.core.host.machine import hosts
from simulator.core.kernel.world import World
from simulator.core.shell import runner
from simulator.core.shell.coreutils.realoptions import REAL

from .snippets import SNIPPETS
from .test_shell_language import FOLDER, shell_world

#: Seconds of processor time that one line may take on a slow machine: budgets end what would run longer.
LIMIT = 20.0
#: Bytes that one line may take besides its world.
MOST_MEMORY = 160_000_000
WORDS = [*"abcxyz", "f", "d", "nofile", "'a b'", '"$x"', "$x", "${x:-y}", "${#x}", "${x%%a*}", "${a[@]}", "$(echo s)", "$((1+2))", "*", "{a,b}", "~",
         "-n", "-r", "-1", "--", "-", "\\", "$", "`", "'", '"', "(", ")", "[[", "]]", "((", "))", "{", "}", ";", "&", "|", "&&", "||", ">", ">>",
         "<", "<<E", "<<<", "2>&1", "!", "#", "é", "한", "\t", "\n", "\x00"[:0] or "%", "999999999999", "0x1f", "1e9", "^", "=", "x=1", "a=(1 2)",
         "$'\\x41'", "@(a|b)", "[a-z]*", "if", "then", "fi", "for", "do", "done", "case", "esac", "in", "while", "function"]  # fmt: skip
TOOLS = ["echo", "printf", "cat", "sed", "awk", "grep", "sort", "uniq", "cut", "tr", "head", "tail", "wc", "find .", "xargs", "jq", "yq", "date -d", "expr",
         "test", "[", "read", "declare", "local", "export", "unset", "set", "shopt -s", "trap", "eval", "source", "seq", "paste", "join", "comm", "diff",
         "column -t", "od", "xxd", "hexdump -C", "base64", "tar", "gzip", "ls", "cp", "mv", "rm", "mkdir", "touch", "stat -c", "chmod", "ln -s", "tee",
         "fold -w", "fmt", "nl", "split", "md5sum", "getopts", "mapfile", "let", "case", "kill", "wait", "timeout 1", "env", "numfmt --to=iec", "factor",
         "bc", "csplit f", "tsort", "expr", "dd if=f", "hexdump", "cmp", "stat", "xargs", "shuf", "tac", "rev", "nl", "comm f", "systemctl", "journalctl", "apt-get", "dpkg", "sudo", "su", "useradd", "ex -s", "vi", "curl", "wget", "ip", "openssl"]  # fmt: skip
PROGRAMS = ["s/a/b/", "s/\\(a*\\)*/x/g", "$!N;P;D", ":a;N;ba", "y/abc/xyz/", "1~2p", "/a/,/b/{p}", "{print $1}", "BEGIN{x[1]=2;for(k in x)print k}", "{gsub(/a+/,\"&&\")}1",
            "BEGIN{while(i<5)i++;print i}", ".a|.b", "[.[]?]|length", "{a:.}", "..|numbers?", "reduce .[] as $x (0;.+$x)", "%d %s\\n", "%*d", "+%F %T", "next friday"]  # fmt: skip

#: What `fresh` puts into the directory.
FILES = ["f", "a", "d", "r", "t.tar", "t.gz", "j.json", "no"]


def line(chooser: random.Random, seeds: list[str]) -> str:
    """One line: a mutated snippet, or words and tools side by side."""
    if chooser.random() < 0.5:
        text = list(chooser.choice(seeds))
        for _ in range(chooser.randint(1, 6)):
            at = chooser.randrange(len(text) + 1)
            kind = chooser.random()
            if kind < 0.35 and text:
                del text[min(at, len(text) - 1)]
            elif kind < 0.7:
                text.insert(at, chooser.choice(WORDS))
            elif text:
                other = chooser.choice(seeds)
                start = chooser.randrange(len(other) + 1)
                text[at:at] = other[start : start + chooser.randint(1, 20)]
        return "".join(text)[:4000]
    parts = []
    for _ in range(chooser.randint(1, 3)):
        words = [chooser.choice(TOOLS)]
        letters, longs = REAL.get(words[0].split()[0], ("", ""))
        for _ in range(chooser.randint(0, 3) if letters else 0):
            options = [f"-{letter}" for letter in letters] + [f"--{name}" for name in longs.split()]
            words.append(chooser.choice(options) + chooser.choice(("", "", "1", "=", "=x", "=3", "-2", "z")))
        for _ in range(chooser.randint(0, 5)):
            pool = chooser.choice(
                (
                    WORDS,
                    FILES,
                    [f"'{program}'" for program in PROGRAMS],
                    [f"-{chooser.choice('abcdefghijklmnopqrstuvwxyzABCEFLNPRS')}"],
                )
            )
            words.append(chooser.choice(pool))
        parts.append(" ".join(words))
    return chooser.choice((" | ", "; ", " && ")).join(parts)


def seeds() -> list[str]:
    """What is mutated: the snippets that are compared with bash."""
    return [*SNIPPETS, *(part for path in sorted(Path(FOLDER).glob("*.txt")) for part in path.read_text().split("\n%%\n"))]


def fresh() -> World:
    """A host with a few files in the scratch directory."""
    world = shell_world()
    fs = hosts(world)["controlplane"].fs
    fs.write("/tmp/scratch/f", b"one 1\ntwo 2\nthree 3\n")
    fs.write("/tmp/scratch/a", bytes(range(256)) * 4)
    fs.write("/tmp/scratch/r", random.Random(1).randbytes(3000))
    fs.write("/tmp/scratch/j.json", b'{"a": [1, 2.5, "x", null, {"b": true}], "c": "\\u00e9"}\n')
    fs.mkdir("/tmp/scratch/d")
    runner.run(world, "tar cf t.tar f a; gzip < f > t.gz", cwd="/tmp/scratch")
    return world


def play(world: World, text: str) -> float:
    """Run a line; seconds of processor time.  Whatever the line does, no Python error may leave the simulator."""
    began = time.process_time()
    found = runner.run(world, text, cwd="/tmp/scratch", limit=60_000_000_000)
    assert "Traceback" not in found.stderr
    return time.process_time() - began


@pytest.mark.parametrize("seed", range(4))
def test_random_lines_end_in_messages(seed: int) -> None:
    chooser, pool = random.Random(seed), seeds()
    world = fresh()
    for number in range(60):
        if number % 20 == 0:
            world = fresh()
        text = line(chooser, pool)
        try:
            took = play(world, text)
        except Exception as failed:
            raise AssertionError(f"{text!r}: {type(failed).__name__}: {failed}") from failed
        assert took < LIMIT, text


#: What soaks have found: each once ended in a Python error.
FOUND = """base64 -w0do f
touch -t - é
cmp f
echo x | awk '{print toupper;($0)}'
mkdir x -m fi
set -u; echo $nope& wait
echo $((7/-rt -n xx))& wait
expr abc : 'a\\(.*\\'
date '+%999999999999Y'
getopts ab: o -a -b v; getopts ab: o -b
OPTIND=1such; getopts a o -a
x=ad; echo ${x//[az A--b]/}
shuf --input-range=3
shuf -i=
echo $((0x))
tar --strip-components=x -xf t.tar
xargs -n x < f
expr substr abc x 1
stat -c --format --format= .
seq -f '%03"x"g' 2
seq -f "%'g" 2
shuf --head-count --zero-terminated1 -e a
SECONDS=5 f=1 true; SECONDS=le IFS='=' true
SECONDS=le IFS='=' r0
awk 'BEGIN{x[1]; print x, x+1; if (x) print 1}'
echo a | awk '{NR="x"; FNR="y"; print} END{print NR}'
awk 'NR=4.5' f
echo 'sqrt(F' | bc
echo $((0x1fn > 3))
tac --separator= f
trap 'echo "bye"; echo ${x[a b]' EXIT; true
trap 'm[x y]=z' EXIT; run sh -c 'exit '
join -2-2 f a
install -m 6while40 f g""".split("\n")


@pytest.mark.parametrize("text", FOUND)
def test_what_soaks_found_stays_mended(text: str) -> None:
    play(fresh(), text)


#: Formats that ask for a field of gigabytes: a soak once grew by as much.
WIDE = ["seq -f '%09999999999993g' 2", "seq -f %.999999999f 2", "printf %999999999d 1", "printf %.999999999f 1", "printf '%*d' 999999999 1",
        "awk 'BEGIN{printf \"%.999999999f\", 1}'", "awk 'BEGIN{printf \"%999999999s\", 1}'", "awk 'BEGIN{OFMT=\"%999999999.2f\"; print 3.5}'", "awk 'BEGIN{CONVFMT=\"%999999999.2f\"; x = 3.5 \"\"}'",
        "date +%999999999N%999999999Y", "numfmt --padding=999999999 1", "find . -printf '%999999999p'", "stat -c %999999999n f", "jq -n '\"ab\" * 999999999'", "head -c 99999999999 /dev/zero | tail -c 1",
        "x=$(yes | head -c 99999999999)", "echo {1..999999999}", "bc <<< 2^999999999", "awk 'BEGIN{s=\"a\"; while(1) s = s s}'", "sed ':a;s/.*/&&/;ta' f", "nl -w 999999999 f", "fold -w 1 f", "pr -w 999999999 f",
        "od -w999999999 f", "xxd -c 999999999 f", "hexdump -e '999999999/1 \"%x\"' f", "column -c 999999999 f", "truncate -s 9G z; cat z | wc -c", "dd if=/dev/zero of=z bs=9G count=1", "split -a 999999999 f", "tr a '[b*999999999]' < f", "printf '%s' {a..z}{a..z}{a..z}{a..z}{a..z}"]  # fmt: skip


@pytest.mark.parametrize("text", WIDE)
def test_no_line_takes_the_workers_memory(text: str) -> None:
    world = fresh()
    tracemalloc.start()
    try:
        play(world, text)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MOST_MEMORY, f"{peak / 1e6:.0f} MB"


def soak(minutes: float, seed: int) -> int:
    """Run until the time is over; print what fails, and how often."""
    chooser, pool = random.Random(seed), seeds()
    end = time.monotonic() + minutes * 60
    world, count, bad, slow = fresh(), 0, 0, 0.0
    while time.monotonic() < end:
        if count % 20 == 0:
            world = fresh()
        text = line(chooser, pool)
        count += 1
        try:
            took = play(world, text)
        except Exception as failed:
            bad += 1
            world = fresh()
            import traceback

            where = traceback.extract_tb(failed.__traceback__)[-1]
            print(
                f"{type(failed).__name__}: {failed} at {where.filename.rpartition('/')[2]}:{where.lineno}\n    {text!r}",
                flush=True,
            )
            continue
        if took > 5:
            print(f"slow {took:.1f} s: {text!r}", flush=True)
        slow = max(slow, took)
    print(f"{count} lines, {bad} failed, slowest {slow:.1f} s")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(soak(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1))
