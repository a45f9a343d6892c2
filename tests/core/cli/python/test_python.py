"""python3 on the machines: small programs, what they print as the real one does, and what they can never reach or use up."""

from __future__ import annotations

import time

import pytest

from simulator.core.sandbox import Sandbox


def run(script: str) -> tuple[str, int]:
    result = Sandbox.boot("playground-ubuntu", 1).run(script, host="ubuntu")
    return result.stdout + result.stderr, result.code


PROGRAM = """import sys
def f(n):
    return 1 if n < 2 else n * f(n - 1)
try:
    print(f(10), 7 // 2, 7 % 3, 2 ** 10)
    d = {}
    d["x"] += 1
except KeyError as e:
    print("key", e)
finally:
    print("end")
for a, b in sorted({"z": 1, "y": 2}.items()):
    print(a, b, sep="=")
else:
    print("done")
x = [n for n in range(20) if n % 2]
x.sort(key=lambda n: -n)
print(x[1:3], x[-1], len(x), sum(x))
print("%s is %d" % ("a", 3), "{} {:>4}".format(1, "b"), f"{x[0]:03d}|{'q'!r}", "a,b".split(","))
with open("/tmp/t.txt", "w") as fh:
    fh.write("one\\ntwo\\n")
for line in open("/tmp/t.txt"):
    print(line.strip().upper(), file=sys.stderr)
sys.exit("no more")
"""
PRINTED = """3628800 3 1 1024
key 'x'
end
y=2
z=1
done
[17, 15] 1 10 100
a is 3 1    b 019|'q' ['a', 'b']
ONE
TWO
no more
"""


def test_a_program() -> None:
    assert run(f"cat > /tmp/p.py <<'EOF'\n{PROGRAM}EOF\npython3 /tmp/p.py 2>&1") == (PRINTED, 1)


@pytest.mark.parametrize(
    ("command", "printed", "code"),
    [
        ("""echo '{"b": [1, {"x": null}], "e": []}' | python3 -m json.tool""",
         '{\n    "b": [\n        1,\n        {\n            "x": null\n        }\n    ],\n    "e": []\n}\n', 0),
        ("""echo '{"b": 1,' | python3 -m json.tool""", "Expecting property name enclosed in double quotes: line 2 column 1 (char 9)\n", 1),
        ("""echo '{"s": [{"n": "web"}]}' | python3 -c "import sys, json; print([x['n'] for x in json.load(sys.stdin)['s']])\"""", "['web']\n", 0),
        ("""python3 -c "import yaml; print(yaml.safe_load('a: {b: [1, 2]}')['a']['b'][1])\"""", "2\n", 0),
        ("python3 -c 'print(nothing)'", "Traceback (most recent call last):\n  File \"<string>\", line 1, in <module>\nNameError: name 'nothing' is not defined\n", 1),
        ("python3 -c 'raise SystemExit(4)'", "", 4),
        ("python3 /nowhere.py", "python3: can't open file '/nowhere.py': [Errno 2] No such file or directory\n", 2),
        ("python3 -m nosuch", "/usr/bin/python3: No module named nosuch\n", 1),
        ("python3 -c 'import socket'", "python3: the module socket: not simulated in Slipway yet\n", 127),
        ("python3 -c 'class A: pass'", "python3: the statement `classdef`: not simulated in Slipway yet\n", 127),
    ],
)  # fmt: skip
def test_one_line(command: str, printed: str, code: int) -> None:
    assert run(command) == (printed, code)


def test_a_folder_is_served() -> None:
    said, code = run(
        "mkdir /srv/w; echo hello > /srv/w/index.html; cd /srv/w; python3 -m http.server 8099 >/dev/null 2>&1 & sleep 1; curl -s localhost:8099/; kill %1; sleep 1; curl -s localhost:8099/"
    )
    assert (said.startswith("hello\n"), code) == (True, 7)


@pytest.mark.parametrize(
    "program",
    [
        "().__class__", "''.__class__.__mro__", "print.__self__", "(lambda: 0).__globals__", "'{0.__class__}'.format(1)", "getattr(1, 'real')",
        "__import__('os')", "eval('1')", "exec('1')", "open.__globals__", "import os; os.system.__globals__", "import subprocess; subprocess.sys", "import subprocess; subprocess.run.__self__", "import builtins",
        "f'{1:{10**9}}'", "'%9999999d' % 1", "'%*d' % (10**8, 1)", "print.__init__", "type(1)", "vars()", "globals()", "import sys; sys.modules",
    ],
)  # fmt: skip
def test_nothing_of_the_interpreter_is_reached(program: str) -> None:
    said, code = run(f"cat > /tmp/p.py <<'EOF'\n{program}\nEOF\npython3 /tmp/p.py")
    assert code in (1, 127)
    assert "simulated in Slipway yet" in said or "Error" in said
    assert "/simulator/" not in said


@pytest.mark.parametrize(
    "program",
    [
        "while True: pass", "x = 'a'\nwhile True: x = x * 2", "x = [1]\nwhile True: x = x + x", "x = [1]\nwhile True: x.extend(x)",
        "x = []\nfor i in range(60): x = [x, x]\nprint(x)", "x = ()\nfor i in range(60): x = tuple(zip([x], [x]))\nprint({x: 1})",
        "x = {}\nfor i in range(60):\n    y = {}\n    y['a'] = x\n    y['b'] = x\n    x = y\nprint(x == 1, x)", "print(9 ** 9 ** 9)", "1 << 10 ** 9",
        "def f(): return f()\nf()", "'a'.ljust(10 ** 9)", "list(range(10 ** 9))", "'a'.join(['b' * 1000] * 10000)", "'aaa'.replace('a', 'b' * 999999)",
        "x = []\nx.append(x)\nfor i in range(99): x.append(x)\nprint(x)", "f = lambda n: f(n - 1) + f(n - 1) if n else 1\nf(40)", "(" * 400 + ")" * 400,
        "x = 'a' * 999999\nl = [x + str(i) for i in range(5000)]",
    ],
)  # fmt: skip
def test_nothing_runs_for_ever_or_fills_the_memory(program: str) -> None:
    began = time.process_time()
    said, _code = run(f"cat > /tmp/p.py <<'EOF'\n{program}\nEOF\npython3 /tmp/p.py | tail -c 300")
    assert time.process_time() - began < 20
    assert len(said) < 2000
